package job

import (
	"context"
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// attributes warns of attributes that segments and audiences name and no
// impression, or event, has, and of values that an audience asks for and that
// never occur.
func (c *checker) attributes(ctx context.Context) error {
	for _, u := range c.plan.Units {
		for _, x := range u.Experiments {
			a := &attributeChecker{checker: c, x: x, known: map[string][]string{}}
			for _, s := range x.Def.Segments {
				var err error
				switch {
				case s.FromEvents:
					err = c.ofEvents(ctx, s.Key)
				case a.isOfImpressions(s):
					err = a.occurs(ctx, s.Key.V, s.Key.Pos)
				}
				if err != nil {
					return err
				}
			}
			if err := a.audience(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// attributeChecker looks at the attributes that one experiment names.
type attributeChecker struct {
	*checker
	x     *compiler.ExperimentPlan
	known map[string][]string // the values of the attributes that were looked at
}

// isOfImpressions reports whether a segment is an attribute of impressions
// alone: neither of events or units too, nor the variation of an experiment.
func (a *attributeChecker) isOfImpressions(s *metrics.Segment) bool {
	return slices.ContainsFunc(a.x.Segments, func(of compiler.Segment) bool {
		return of.Key == s.Key.V && of.Exposure != "" && of.Trait == ""
	})
}

func (a *attributeChecker) audience(ctx context.Context) error {
	if a.x.Audience == nil {
		return nil
	}
	for _, r := range a.x.Audience.Refs {
		if r.Kind == compiler.RefExposure {
			if err := a.occurs(ctx, r.Name, a.x.Def.Where.Pos); err != nil {
				return err
			}
		}
	}
	for _, l := range a.x.Audience.Literals() {
		if l.Ref.Kind != compiler.RefExposure {
			continue
		}
		have := a.known[l.Ref.Name]
		if len(have) == 0 || len(have) >= maxValues {
			continue // which was said, or too many to say that one never occurs
		}
		for _, want := range l.Values {
			if !slices.Contains(have, want) {
				a.doubtedAudiences[a.x] = true
				a.found.Warnf(l.Pos, "value-never-occurs", "exposure.%s is never %q", l.Ref.Name, want).Hint = nearestOrList(want, have)
			}
		}
	}
	return nil
}

// occurs finds the values of an attribute, and warns where there is none.
func (a *attributeChecker) occurs(ctx context.Context, name string, pos diag.Pos) error {
	if _, asked := a.known[name]; asked {
		return nil
	}
	have, err := a.valuesOf(ctx, a.x.Sources, name)
	if err != nil {
		return err
	}
	if a.known[name] = have; len(have) > 0 {
		return nil
	}
	a.doubtedAudiences[a.x] = true
	return a.neverOccurs(ctx, a.x.Sources, "impression", name, pos)
}

// ofEvents warns of a segment from events whose attribute no event has.
func (c *checker) ofEvents(ctx context.Context, attribute metrics.Text) error {
	have, err := c.valuesOf(ctx, c.catalog.Events, attribute.V)
	if err != nil || len(have) > 0 {
		return err
	}
	return c.neverOccurs(ctx, c.catalog.Events, "event", attribute.V, attribute.Pos)
}

// valuesOf are the values of an attribute in the rows of some sources.
func (c *checker) valuesOf(ctx context.Context, sources []*compiler.Source, name string) ([]string, error) {
	var have []string
	for _, s := range sources {
		if probe, ok := compiler.ProbeAttribute(s, name); ok {
			texts, err := c.texts(ctx, probe)
			if err != nil {
				return nil, err
			}
			have = append(have, texts...)
		}
	}
	return have, nil
}

// neverOccurs warns of an attribute that no row of some sources has.
func (c *checker) neverOccurs(ctx context.Context, sources []*compiler.Source, row, name string, pos diag.Pos) error {
	names, err := c.names(ctx, sources, true)
	if err != nil {
		return err
	}
	c.found.Warnf(pos, "attribute-never-occurs", "no %s has the attribute %q", row, name).Hint = nearestOrList(name, names)
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
		if probe, ok := compiler.ProbeNames(s, attributes); ok {
			texts, err := c.texts(ctx, probe)
			if err != nil {
				return nil, err
			}
			out = append(out, texts...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
