package job

import (
	"context"
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
)

// attributes warns of attributes that segments and audiences name and no
// impression has.
func (c *checker) attributes(ctx context.Context) error {
	for _, u := range c.plan.Units {
		for _, x := range u.Experiments {
			var asked []string
			at := func(name string, pos diag.Pos) error {
				if slices.Contains(asked, name) {
					return nil
				}
				asked = append(asked, name)
				return c.attribute(ctx, x, name, pos)
			}
			for _, s := range x.Def.Segments {
				if err := at(s.Key.V, s.Key.Pos); err != nil {
					return err
				}
			}
			if x.Audience == nil {
				continue
			}
			for _, r := range x.Audience.Refs {
				if r.Kind == compiler.RefExposure {
					if err := at(r.Name, x.Def.Where.Pos); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

func (c *checker) attribute(ctx context.Context, x *compiler.ExperimentPlan, name string, pos diag.Pos) error {
	for _, s := range x.Sources {
		probe, ok := compiler.ProbeAttribute(s, name)
		if !ok {
			continue
		}
		values, err := c.values(ctx, probe)
		if err != nil {
			return err
		}
		if len(values) > 0 {
			return nil
		}
	}
	names, err := c.names(ctx, x.Sources, true)
	if err != nil {
		return err
	}
	c.found.Warnf(pos, "attribute-never-occurs", "no impression has the attribute %q", name).Hint = nearestOrList(name, names)
	return nil
}

// names are the names that the properties, or attributes, of some sources hold.
func (c *checker) names(ctx context.Context, sources []*compiler.Source, attributes bool) ([]string, error) {
	var out []string
	for _, s := range sources {
		bag := s.Properties
		if attributes {
			bag = s.Attributes
		}
		out = append(out, bag.Names()...)
		probe, ok := compiler.ProbeNames(s, attributes)
		if !ok {
			continue
		}
		values, err := c.values(ctx, probe)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			out = append(out, v.text)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
