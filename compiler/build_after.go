package compiler

import (
	"fmt"
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// With `after` a metric counts from an event that the unit does first
// (semantics 5.7). The instants of these events are columns of the exposures,
// found like activations, in a narrow pass of their own; the windows of the
// metric begin there.

// Following are the events that windows are counted from.
type Following struct {
	// Plan is a plan of its own, whose measures are the events.
	Plan   *UnitPlan
	Events []*After
}

// After is an event that a unit must do first.
type After struct {
	Name    string
	Measure *Measure
}

// column is the instant of the event in the table of exposures.
func (a *After) column() string { return "first " + a.Name }

// after plans the event that a metric counts from; nil where it has a mistake.
func (p *planner) after(u *UnitPlan, m *metrics.Metric) *After {
	f := m.After
	if u.Following == nil {
		u.Following = &Following{Plan: u.before()}
	}
	following := u.Following
	following.Plan.Impressions = u.Impressions
	keys, any := p.eventsOf(f.Event)
	event := (&Measure{Events: keys, Any: any}).EventsText()
	what := &metrics.Metric{Event: f.Event, Where: f.Where, Measure: metrics.At[metrics.Measure]{V: metrics.Occurrence}, Pos: f.Pos}
	split, segment := p.splitBy, p.segmentBy
	p.splitBy, p.segmentBy = metrics.Text{}, nil
	n := p.measure(following.Plan, what, event)
	p.splitBy, p.segmentBy = split, segment
	if n == nil {
		return nil
	}
	for _, have := range following.Events {
		if have.Measure == n {
			return have
		}
	}
	for i := 2; slices.ContainsFunc(following.Events, func(a *After) bool { return a.Name == n.Name }); i++ {
		n.Name = fmt.Sprintf("%s (%d)", event, i)
	}
	u.needsOf(following.Plan)
	following.Plan.Values = append(following.Plan.Values, &UnitValue{Name: n.Name, Measure: n, Op: OpFirst})
	following.Events = append(following.Events, &After{Name: n.Name, Measure: n})
	return following.Events[len(following.Events)-1]
}

// followedExposures adds the instants of the events that windows are counted from.
func (b *builder) followedExposures(from, to *builder, events string) sqlast.Select {
	instants := append(b.stageColumns(), item(col("p", colExposedAt), colExposedAt))
	if b.shownAt() != colExposedAt {
		instants = append(instants, item(col("p", b.shownAt()), b.shownAt()))
	}
	found := sqlast.Select{Why: "the instants of the events that windows are counted from", Items: slices.Clone(instants), From: from.withFirst(events)}
	for _, a := range b.plan.Following.Events {
		found.Items = append(found.Items, item(sqlast.Field{X: col("a", aggFirst.column(a.Measure)), Name: colTime}, a.column()))
		instants = append(instants, item(col("p", a.column()), a.column()))
	}
	found.Items = append(found.Items, item(col("p", colDropped), colDropped))
	out := sqlast.Select{Why: "exposures with those instants", With: []sqlast.CTE{{Name: "found", Query: found}},
		Items: instants, From: sqlast.Table{Name: "found", Alias: "p"}}
	out.Items = append(append(out.Items, to.windowColumns(col("p", colExposedAt))...), item(col("p", colDropped), colDropped))
	return out
}
