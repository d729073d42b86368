package compiler

import (
	"slices"
	"strings"
)

// mostBeside is how many measures one pass counts beside each other, each in
// columns of its own. A row has a value for few of them, but costs time and
// memory for all; so where there are more, the rows of exposed units are kept
// once, and measures of the same events are counted apart, from the rows of
// those events alone.
const mostBeside = 40

// Bundle is a share of the sums of a unit plan that is made of some events alone.
type Bundle struct {
	// Events are the keys of the rows that it reads, in alphabetical order. With
	// Any it reads the rows of all keys.
	Events []string
	Any    bool
	// Plan has the measures, numbers and sums of the bundle.
	Plan *UnitPlan
}

// share is what can be in one bundle or in another: all sums that are made of the
// same events, and the measures that they need. What belongs to one metric is
// made of the same events, so it stays together.
type share struct {
	events   []string
	any      bool
	measures []*Measure
	tallies  []*Tally
	splits   []*Split
	segments []*EventSegment
}

// inBundles divides the sums where there are more measures than most; 0: more
// than is good in one pass.
func (u *UnitPlan) inBundles(most int) {
	if most == 0 {
		most = mostBeside
	}
	if len(u.measures()) <= most {
		return
	}
	shares := bundled(u.shares())
	if len(shares) < 2 {
		return
	}
	for _, s := range shares {
		u.Bundles = append(u.Bundles, &Bundle{Events: s.events, Any: s.any, Plan: u.only(s)})
	}
}

// shares are the sums by the events that they are made of, those with most
// measures first.
func (u *UnitPlan) shares() []*share {
	byEvents := map[string]*share{}
	var out []*share
	of := func(measures []*Measure) *share {
		needed := &share{}
		needed.need(measures)
		key := needed.eventsText()
		if byEvents[key] == nil {
			byEvents[key] = needed
			out = append(out, needed)
		}
		byEvents[key].need(measures)
		return byEvents[key]
	}
	for _, t := range u.Tallies {
		s := of(u.measuresOf(t))
		s.tallies = append(s.tallies, t)
	}
	for _, split := range u.Splits {
		var measures []*Measure
		for _, n := range split.Plan.measures() {
			measures = append(measures, split.rows[n])
		}
		s := of(measures)
		s.splits = append(s.splits, split)
	}
	for _, segment := range u.EventSegments {
		measures := slices.Clone(segment.members)
		for _, n := range segment.Plan.measures() {
			measures = append(measures, segment.rows[n])
		}
		s := of(measures)
		s.segments = append(s.segments, segment)
	}
	slices.SortStableFunc(out, func(a, b *share) int { return len(b.measures) - len(a.measures) })
	return out
}

// measuresOf are the measures with rows that a tally is made of.
func (u *UnitPlan) measuresOf(t *Tally) []*Measure {
	var out []*Measure
	for _, v := range t.values() {
		out = append(out, u.counted(v.Measure)...)
	}
	return out
}

// counted are the measures that the rows of a measure are found among: itself,
// or those that it is derived from.
func (u *UnitPlan) counted(n *Measure) []*Measure {
	d := u.derivation(n)
	if d == nil {
		return []*Measure{n}
	}
	var out []*Measure
	for _, from := range d.From {
		out = append(out, u.counted(from)...)
	}
	return out
}

// derivation is what makes a measure of others; nil where its rows are counted.
func (u *UnitPlan) derivation(n *Measure) *Derived {
	i := slices.IndexFunc(u.Derived, func(d *Derived) bool { return slices.Contains(d.Measures, n) })
	if i < 0 {
		return nil
	}
	return u.Derived[i]
}

// values are the numbers of units that the tally is the sums of.
func (t *Tally) values() []*UnitValue {
	return slices.DeleteFunc([]*UnitValue{t.X, t.Y, t.P, t.Q}, func(v *UnitValue) bool { return v == nil })
}

// need adds measures and their events.
func (s *share) need(measures []*Measure) {
	for _, n := range measures {
		s.measures = appendNew(s.measures, n)
		s.any = s.any || n.Any
		for _, e := range n.Events {
			s.events = appendNew(s.events, e)
		}
	}
	slices.Sort(s.events)
}

func (s *share) eventsText() string { return eventsText(s.events, s.any) }

// ofOneEvent reports whether all rows of the bundle have the same key.
func (b *Bundle) ofOneEvent() bool { return !b.Any && len(b.Events) == 1 }

func (b *Bundle) eventsText() string { return eventsText(b.Events, b.Any) }

func eventsText(events []string, any bool) string {
	if any {
		return "any event"
	}
	return strings.Join(events, ", ")
}

// with is what both are made of together.
func (s *share) with(other *share) *share {
	out := &share{events: slices.Clone(s.events), any: s.any, measures: slices.Clone(s.measures)}
	out.need(other.measures)
	out.tallies = slices.Concat(s.tallies, other.tallies)
	out.splits = slices.Concat(s.splits, other.splits)
	out.segments = slices.Concat(s.segments, other.segments)
	return out
}

// What a bundle costs, as multiples of a tenth of what one measure costs: for
// each event key that it reads, taken to have as many rows as any other, and
// for each of all keys whose rows it passes over.
const (
	costOfMeasure = 10
	costOfReading = 40
	costOfPassing = 3
)

// cost is what it costs to make the share a bundle, where there are so many
// event keys.
func (s *share) cost(keys int) int {
	read := len(s.events)
	if s.any {
		read = keys
	}
	return costOfPassing*keys + read*(costOfReading+costOfMeasure*len(s.measures))
}

// bundled puts shares together, one after the other, where that is cheaper than
// to keep them apart.
func bundled(shares []*share) []*share {
	all := &share{}
	for _, s := range shares {
		all.need(s.measures)
	}
	keys := len(all.events)
	if all.any {
		keys++
	}
	var out []*share
	for _, s := range shares {
		best, more := -1, s.cost(keys)
		for i, have := range out {
			if added := have.with(s).cost(keys) - have.cost(keys); added <= more {
				best, more = i, added
			}
		}
		if best < 0 {
			out = append(out, s)
			continue
		}
		out[best] = out[best].with(s)
	}
	return out
}

// only is the plan for a share of the sums.
func (u *UnitPlan) only(s *share) *UnitPlan {
	out := *u
	out.Scans, out.Values, out.Derived = nil, nil, nil
	out.Tallies, out.Splits, out.EventSegments = s.tallies, s.splits, s.segments
	for _, scan := range u.Scans {
		of := &Scan{Source: scan.Source}
		for _, n := range scan.Measures {
			if slices.Contains(s.measures, n) {
				of.Measures = append(of.Measures, n)
			}
		}
		if len(of.Measures) > 0 {
			out.Scans = append(out.Scans, of)
		}
	}
	for _, t := range s.tallies {
		for _, v := range t.values() {
			out.Values = appendNew(out.Values, v)
		}
	}
	for _, d := range u.Derived {
		if slices.ContainsFunc(out.Values, func(v *UnitValue) bool { return slices.Contains(d.Measures, v.Measure) }) {
			out.Derived = append(out.Derived, d)
		}
	}
	return &out
}
