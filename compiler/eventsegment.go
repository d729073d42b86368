package compiler

import (
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// EventSegment breaks a metric down by an attribute that events have too
// (semantics 8): further sums for each of its values, over the units whose
// exposure, or any row of the metric's events, has the value, and of the rows with
// the value alone. So what units there are depends on the metric, and a unit may
// be in several values.
type EventSegment struct {
	// Name is the key of the metric.
	Name    string
	Segment Segment
	// Experiments are those that have the segment.
	Experiments []string
	// Plan has the measures, numbers and sums of the metric, for rows of one value.
	Plan *UnitPlan
	// rows are the measures of the unit plan that keep the rows of those of Plan,
	// members those that keep the rows by which units have values, and of the
	// tallies of whole units.
	rows    map[*Measure]*Measure
	members []*Measure
	of      map[*Tally]*Tally
}

// SegmentSums are the sums of a metric by a segment from events.
type SegmentSums struct {
	Key   string
	Tally *Tally
	// Split is the sums by the values of a property; nil where there are none.
	Split *Tally
}

// In is the metric over the units of a segment, value by value.
func (m *MetricPlan) In(s SegmentSums) *MetricPlan {
	one := *m
	one.Tally, one.Split, one.BySegment = s.Tally, s.Split, nil
	one.whole = m.Tally
	return &one
}

// Caps is the tally whose caps the numbers have: those of parts of units are
// capped as whole ones are.
func (m *MetricPlan) Caps() *Tally {
	if m.whole != nil {
		return m.whole
	}
	return m.Tally
}

// eventSegment plans a segment from events of an experiment.
func (p *planner) eventSegment(u *UnitPlan, x *ExperimentPlan, s *metrics.Segment) {
	seg := Segment{Key: s.Key.V, FromEvents: true}
	scope := metricScope{exposures: x.Sources}
	for _, src := range p.cat.Events {
		if src.unit(u.Kind) != nil {
			scope.sources = append(scope.sources, src)
		}
	}
	has := func(kind RefKind) *diag.Diagnostic { _, d := scope.Resolve(Ref{Kind: kind, Name: seg.Key}); return d }
	if has(RefExposure) == nil {
		seg.Exposure = seg.Key
		u.Attributes = appendNew(u.Attributes, seg.Key)
	} else if d := has(RefAttribute); d != nil {
		d.Pos = s.Key.Pos
		p.list = append(p.list, *d)
		return
	}
	x.EventSegments = append(x.EventSegments, seg)
}

// bySegment plans the sums of metrics by the segments from events.
func (p *planner) bySegment(u *UnitPlan, x *ExperimentPlan, of []*MetricPlan) {
	if p.opts.Everybody || len(of) == 0 {
		return
	}
	for _, seg := range x.EventSegments {
		if earlier := u.segmentOf(of[0], seg); earlier != nil {
			for i, sums := range earlier {
				of[i].BySegment = append(of[i].BySegment, sums)
			}
			s := u.EventSegments[slices.IndexFunc(u.EventSegments, func(s *EventSegment) bool { return s.of[earlier[0].Tally] != nil })]
			s.Experiments = appendNew(s.Experiments, x.Def.Key.V)
			continue
		}
		p.inSegment(u, x, seg, of)
	}
}

// segmentOf gives the sums of an earlier experiment with the same metric and segment.
func (u *UnitPlan) segmentOf(m *MetricPlan, seg Segment) []SegmentSums {
	for _, x := range u.Experiments {
		var out []SegmentSums
		for _, have := range x.Metrics {
			if have == m || have.Def.Metric != m.Def.Metric || m.Step == 0 && have.Tally != m.Tally {
				continue
			}
			for _, s := range have.BySegment {
				if s.Key == seg.Key {
					out = append(out, s)
				}
			}
		}
		if len(out) > 0 && slices.Contains(x.EventSegments, seg) {
			return out
		}
	}
	return nil
}

// inSegment plans the sums of a metric by a segment; of a funnel for each step.
func (p *planner) inSegment(u *UnitPlan, x *ExperimentPlan, seg Segment, of []*MetricPlan) {
	em := of[0].Def
	m, days := em.Metric, covariateDays(x.Def, em)
	taken := sqlast.Names{}
	for _, have := range u.EventSegments {
		if have.Segment.Key == seg.Key {
			taken.Add(have.Name)
		}
	}
	s := &EventSegment{Name: keyed(taken, m.Key.V), Segment: seg, Plan: u.before(), Experiments: []string{x.Def.Key.V}, of: map[*Tally]*Tally{}}
	s.Plan.Impressions, s.Plan.Experiments = u.Impressions, u.Experiments
	s.Plan.Activation, s.Plan.Following, s.Plan.Kept = u.Activation, u.Following, u.Kept
	parsed := p.parsed
	p.parsed, p.segmentBy = map[*metrics.Metric]*Measure{}, &seg
	var tallies, splits []*Tally
	if m.Funnel != nil {
		tallies = p.funnel(s.Plan, m)
	} else if t := p.tally(s.Plan, em, days); t != nil {
		tallies = []*Tally{t}
	}
	split := m.SplitBy.Set && !p.opts.Unsplit
	if split && len(tallies) > 0 {
		splits = p.split(s.Plan, em, days)
	}
	p.parsed, p.segmentBy = parsed, nil
	u.Following, u.Kept = s.Plan.Following, s.Plan.Kept
	u.needsOf(s.Plan)
	if len(tallies) != len(of) || split && len(splits) != len(of) {
		return
	}
	for i, t := range tallies {
		sums := SegmentSums{Key: seg.Key, Tally: t}
		s.of[t] = of[i].Tally
		if split {
			sums.Split = splits[i]
		}
		of[i].BySegment = append(of[i].BySegment, sums)
	}
	for _, split := range s.Plan.Splits {
		split.whole = u.Splits[slices.IndexFunc(u.Splits, func(w *Split) bool { return w.has(of[0].Split) })]
	}
	s.rows = map[*Measure]*Measure{}
	for _, n := range s.Plan.measures() {
		kept, member := *n, *n
		s.rows[n] = u.addMeasure(&kept)
		member.Name += ", whatever where says"
		member.Where, member.Value, member.Group, member.SplitBy, member.Decimals, member.Averaged = nil, nil, nil, "", 0, false
		member.id = member.text()
		s.members = appendNew(s.members, u.addMeasure(&member))
	}
	u.EventSegments = append(u.EventSegments, s)
}

// has reports whether sums are those of the split.
func (s *Split) has(t *Tally) bool { return slices.Contains(s.Plan.Tallies, t) }

// segmentMeasure breaks the rows of a measure down by the segment that is planned.
func (p *planner) segmentMeasure(u *UnitPlan, n *Measure) {
	n.SegmentBy = p.segmentBy.Key
	n.Name += " by " + n.SegmentBy
	if n.Metric.Event.Impression {
		scope := metricScope{exposures: u.Impressions}
		if _, unknown := scope.Resolve(Ref{Kind: RefExposure, Name: n.SegmentBy}); unknown == nil {
			u.keepAttribute(n.SegmentBy)
		}
	}
}
