package job

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/metrics"
)

// typedUse is a declared name that some measure reads in the rows of an event.
type typedUse struct {
	event string
	ref   compiler.Ref
	typ   metrics.At[metrics.PropertyType]
}

// types warns of declared properties with values that are not of their type,
// and so are missing. It finds out as well in which sources the value of events
// is no finite number in some row, of which health speaks.
func (c *checker) types(ctx context.Context) error {
	events := map[string]*compiler.Measure{}
	for _, s := range c.catalog.Events {
		uses := c.typedUses(s)
		if len(uses) == 0 {
			continue
		}
		list := make([]compiler.Occurrence, len(uses))
		for i, u := range uses {
			if events[u.event] == nil {
				events[u.event] = &compiler.Measure{Events: []string{u.event}}
			}
			list[i] = compiler.Occurrence{Measure: events[u.event], Ref: u.ref, Misfit: u.typ.V}
		}
		rows, err := c.query(ctx, compiler.ProbeOccurrences(s, list))
		if err != nil {
			return err
		}
		for i, u := range uses {
			n := whole(rows[0][i]).Int64()
			switch {
			case n == 0:
			case u.ref.Kind == compiler.RefValue:
				c.oddValues[s] = true
			default:
				if err := c.misfits(ctx, s, list[i], u, n); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// typedUses are what the measures read of a source's rows that has a type other
// than text.
func (c *checker) typedUses(s *compiler.Source) []typedUse {
	var out []typedUse
	add := func(key string, r compiler.Ref, typ metrics.At[metrics.PropertyType]) {
		u := typedUse{key, r, typ}
		if typ.V != metrics.TypeString && !slices.Contains(out, u) && s.Stores(r) {
			out = append(out, u)
		}
	}
	for _, n := range c.measures {
		if !slices.Contains(n.Sources, s) {
			continue
		}
		for _, key := range n.Events {
			if s.Value != nil && !s.Value.Type.Exact() {
				add(key, compiler.Ref{Kind: compiler.RefValue}, metrics.At[metrics.PropertyType]{V: metrics.TypeNumber})
			}
			t := c.defs.Registry.Event(key)
			if t == nil {
				continue
			}
			for _, u := range named(n) {
				if u.ref.Kind != compiler.RefProperty {
					continue
				}
				if p := t.Property(u.ref.Name); p != nil {
					add(key, u.ref, p.Type)
				}
			}
		}
	}
	return out
}

// misfits warns of a property with n values that are not of its type.
func (c *checker) misfits(ctx context.Context, s *compiler.Source, o compiler.Occurrence, u typedUse, n int64) error {
	values, err := c.values(ctx, compiler.ProbeMisfits(s, o.Ref, o.Measure, o.Misfit))
	if err != nil {
		return err
	}
	const shown = 5
	var list []string
	for _, v := range values[:min(shown, len(values))] {
		list = append(list, strconv.Quote(v.text))
	}
	among := "such as "
	if len(values) <= shown {
		among = ""
	}
	c.misfitting = true
	c.found.Warnf(u.typ.Pos, "property-of-another-type", "%s of %s is no %s in %s of source %s",
		u.ref.Name, u.event, u.typ.V, amount(n, "row"), s.Def.Name.V).
		WithHint("what is not of the declared type is taken as missing: %s%s%s", among, strings.Join(list, ", "), another(u.typ.V))
	return nil
}

// another says what to declare instead of a type.
func another(t metrics.PropertyType) string {
	switch t {
	case metrics.TypeInteger:
		return "; an integer is digits alone, and number takes 4.0 and 1e3 as well"
	case metrics.TypeNumber:
		return "; string takes any text"
	case metrics.TypeBoolean:
		return `; a boolean is true or false, and of other words declare string and compare: vip == "yes"`
	case metrics.TypeTimestamp:
		return "; a timestamp is as 2026-03-02T10:00:00Z"
	case metrics.TypeString:
		return ""
	}
	panic("job: no case for property type " + string(t))
}
