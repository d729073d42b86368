package job

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// properties warns of properties and attributes in the expressions of metrics
// that never occur, and of values in their conditions that never do. It reads
// each source once; only the hints take further looks.
func (c *checker) properties(ctx context.Context) error {
	p := &propertyChecker{checker: c, rows: map[compiler.Occurrence]int64{}, asked: map[compiler.Occurrence]bool{}, splits: splitsOf(c.plan)}
	if err := p.count(ctx); err != nil {
		return err
	}
	for _, n := range c.measures {
		if n.Where != nil {
			for _, l := range n.Where.Literals() {
				if l.Ref.Kind == compiler.RefEvent {
					c.eventLiterals(n, l)
				}
			}
		}
		for _, r := range p.uses(n) {
			if err := p.name(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// propertyChecker knows in how many rows a property, and a value of it, occurs.
type propertyChecker struct {
	*checker
	rows map[compiler.Occurrence]int64
	// asked are the occurrences that a source could be asked for.
	asked map[compiler.Occurrence]bool
	// splits are the properties that the rows of a measure are broken down by.
	splits map[*compiler.Measure][]metrics.Text
}

// splitsOf are the properties by which metrics of a plan are split, by the measure of
// their rows: of ratios that of the numerator, of funnels that of the first step.
func splitsOf(plan *compiler.Plan) map[*compiler.Measure][]metrics.Text {
	out := map[*compiler.Measure][]metrics.Text{}
	for _, u := range plan.Units {
		for _, x := range u.Experiments {
			for _, m := range x.Metrics {
				n, by := u.RowsOf(m.Tally.X.Measure), m.Def.Metric.SplitBy
				if m.Split != nil && m.Step <= 1 && !n.Metric.Event.Impression && !slices.Contains(out[n], by) {
					out[n] = append(out[n], by)
				}
			}
		}
	}
	return out
}

// uses are the names that a measure uses, and those that it is grouped or broken down by.
func (p *propertyChecker) uses(n *compiler.Measure) []nameUse {
	out := named(n)
	by := slices.Clone(p.splits[n])
	if n.Group != nil && n.Group.Property != "" {
		by = append(by, n.Metric.Over)
	}
	for _, name := range by {
		use := nameUse{measure: n, ref: compiler.Ref{Kind: compiler.RefProperty, Name: name.V}, pos: name.Pos}
		if !slices.ContainsFunc(out, func(u nameUse) bool { return u.ref == use.ref }) {
			out = append(out, use)
		}
	}
	return out
}

// nameUse is a name in the expressions of a measure, and the text literals
// that it is compared with.
type nameUse struct {
	measure *compiler.Measure
	ref     compiler.Ref
	pos     diag.Pos
	values  []compiler.Comparison
	// needed: rows without it do not count.
	needed bool
}

// named are the properties and attributes of the rows that a measure's
// expressions use, each once.
func named(n *compiler.Measure) []nameUse {
	var out []nameUse
	for _, e := range []*compiler.Expression{n.Where, n.Value} {
		if e == nil {
			continue
		}
		needed := e.Needed()
		for _, r := range e.Refs {
			if r.Kind != compiler.RefProperty && r.Kind != compiler.RefAttribute {
				continue
			}
			if i := slices.IndexFunc(out, func(u nameUse) bool { return u.ref == r }); i >= 0 {
				out[i].needed = out[i].needed || slices.Contains(needed, r)
				continue
			}
			use := nameUse{measure: n, ref: r, pos: e.Place(r), needed: slices.Contains(needed, r)}
			for _, l := range e.Literals() {
				if l.Ref == r {
					use.values = append(use.values, l)
				}
			}
			out = append(out, use)
		}
	}
	return out
}

// occurrences are what is looked for: the name, also in each of several events
// that need it, and each of its values.
func (u nameUse) occurrences() []compiler.Occurrence {
	out := []compiler.Occurrence{{Measure: u.measure, Ref: u.ref, Any: true}}
	for _, event := range u.eachEvent() {
		out = append(out, compiler.Occurrence{Measure: u.measure, Event: event, Ref: u.ref, Any: true})
	}
	for _, l := range u.values {
		for _, v := range l.Values {
			out = append(out, compiler.Occurrence{Measure: u.measure, Ref: u.ref, Value: v})
		}
	}
	return out
}

// eachEvent are the events of a measure that counts several, if their rows need
// the name.
func (u nameUse) eachEvent() []string {
	if !u.needed || len(u.measure.Events) < 2 {
		return nil
	}
	return u.measure.Events
}

// count asks each source once.
func (p *propertyChecker) count(ctx context.Context) error {
	for _, s := range p.catalog.Events {
		var list []compiler.Occurrence
		for _, n := range p.measures {
			if !slices.Contains(n.Sources, s) {
				continue
			}
			for _, u := range p.uses(n) {
				for _, o := range u.occurrences() {
					if o.Stored(s) && !slices.Contains(list, o) {
						list = append(list, o)
					}
				}
			}
		}
		if len(list) == 0 {
			continue
		}
		rows, err := p.query(ctx, compiler.ProbeOccurrences(s, list))
		if err != nil {
			return err
		}
		for i, o := range list {
			p.rows[o] += whole(rows[0][i]).Int64()
			p.asked[o] = true
		}
	}
	return nil
}

// name warns of a name that never occurs, else of the values that it never has.
func (p *propertyChecker) name(ctx context.Context, u nameUse) error {
	n, any := u.measure, compiler.Occurrence{Measure: u.measure, Ref: u.ref, Any: true}
	if !p.asked[any] || !p.occurs(n) {
		return nil // of events that never occur it was said
	}
	if p.rows[any] == 0 {
		p.doubted[n] = true
		hint, err := p.elsewhere(ctx, u)
		if err != nil {
			return err
		}
		p.found.Warnf(u.pos, "property-never-occurs", "%s never has the %s %q", n.EventsText(), u.what(), u.ref.Name).Hint = hint
		return nil
	}
	for _, event := range u.eachEvent() {
		lacks := compiler.Occurrence{Measure: n, Event: event, Ref: u.ref, Any: true}
		if p.rows[lacks] == 0 && p.keyOccurs(n, event) {
			p.found.Warnf(u.pos, "property-never-occurs", "%s never has the %s %q, so that no row of it counts", event, u.what(), u.ref.Name).
				Hint = "leave the event out, or say what is to count of it: in where with or, in value with ??"
		}
	}
	var have []string
	for _, l := range u.values {
		for _, want := range l.Values {
			if p.rows[compiler.Occurrence{Measure: n, Ref: u.ref, Value: want}] > 0 {
				continue
			}
			if have == nil {
				var err error
				if have, err = p.valuesOf(ctx, u); err != nil {
					return err
				}
			}
			p.doubted[n] = true
			p.found.Warnf(l.Pos, "value-never-occurs", "%s of %s is never %q", u.ref.Name, n.EventsText(), want).
				Hint = nearestOrList(want, have)
		}
	}
	return nil
}

// what is the word for the name.
func (u nameUse) what() string {
	if u.ref.Kind == compiler.RefAttribute {
		return "attribute"
	}
	return "property"
}

// elsewhere is a hint for a name that the events of a measure never have: other
// events that do, or other names.
func (p *propertyChecker) elsewhere(ctx context.Context, u nameUse) (string, error) {
	var holders []string
	for _, s := range u.measure.Sources {
		if !s.Stores(u.ref) {
			continue
		}
		events, err := p.texts(ctx, compiler.ProbeHolders(s, u.ref))
		if err != nil {
			return "", err
		}
		holders = append(holders, events...)
	}
	if len(holders) > 0 {
		return "events that have it: " + fewOf(holders, 8), nil
	}
	names, err := p.names(ctx, u.measure.Sources, u.ref.Kind == compiler.RefAttribute)
	if err != nil {
		return "", err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == u.ref.Name })
	if bare, is := strings.CutPrefix(u.ref.Name, "properties."); is && slices.Contains(names, bare) {
		return fmt.Sprintf("a property is named by itself here: write %s", bare), nil
	}
	if attribute, is := strings.CutPrefix(u.ref.Name, "exposure."); is {
		return fmt.Sprintf("properties of the events are meant here; to break results down by an attribute of the exposure, write segments: [%s] at the experiment", attribute), nil
	}
	return nearestOrList(u.ref.Name, names), nil
}

// valuesOf are the most frequent values of a name.
func (p *propertyChecker) valuesOf(ctx context.Context, u nameUse) ([]string, error) {
	have := []string{}
	for _, s := range u.measure.Sources {
		probe, ok := compiler.ProbeValues(s, u.ref, u.measure)
		if !ok {
			continue
		}
		texts, err := p.texts(ctx, probe)
		if err != nil {
			return nil, err
		}
		have = append(have, texts...)
	}
	return have, nil
}

// eventLiterals warns of event keys in a condition that the rows never have.
func (c *checker) eventLiterals(n *compiler.Measure, l compiler.Comparison) {
	for _, want := range l.Values {
		if !n.Any && !slices.Contains(n.Events, want) {
			c.doubted[n] = true
			c.found.Warnf(l.Pos, "event-not-read", "the metric's rows never have the event %q", want).
				Hint = nearestOrList(want, n.Events)
		}
	}
}
