package compiler

import (
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// With activation the exposures are made in two steps: the exposures as
// impressions say them, then the first event of each unit that activates it,
// whose instant takes the place of the exposure's. The events of activation
// are found like the rows of a metric: the same pass over a source, with
// another table of exposures.

// Activation is the events that units of some experiments must have done.
type Activation struct {
	// Plan is a plan of its own, whose measures are the activating events.
	Plan *UnitPlan
	// Measures are those of each experiment, by key.
	Measures map[string]*Measure
}

// colFirstShown is the instant of the exposure, where exposed_at is the
// activation.
const colFirstShown = "first_shown_at"

// notActivated is the reason of exposed units without an activating event.
const notActivated = "not_activated"

// activation plans the activating event of an experiment.
func (p *planner) activation(u *UnitPlan, x *ExperimentPlan) {
	f := x.Def.Activation
	if f == nil {
		return
	}
	if u.Activation == nil {
		u.Activation = &Activation{
			Plan:     u.before(),
			Measures: map[string]*Measure{},
		}
	}
	act := u.Activation
	act.Plan.Impressions = u.Impressions
	m := &metrics.Metric{Event: f.Event, Where: f.Where, Measure: metrics.At[metrics.Measure]{V: metrics.Occurrence}, Pos: f.Pos}
	n := p.measure(act.Plan, m, "activation of "+x.Def.Key.V)
	if n == nil {
		return
	}
	u.needsOf(act.Plan)
	act.Measures[x.Def.Key.V] = n
	v := &UnitValue{Name: n.Name, Measure: n, Op: OpFirst}
	if !slices.ContainsFunc(act.Plan.Values, func(have *UnitValue) bool { return have.Measure == n }) {
		act.Plan.Values = append(act.Plan.Values, v)
	}
}

// activatedExposures puts activations in place of exposures.
func (b *builder) activatedExposures(from, to *builder, activations string) sqlast.Select {
	at := sqlast.Case{Else: col("p", colExposedAt)}
	for _, x := range b.plan.Experiments {
		n := b.plan.Activation.Measures[x.Def.Key.V]
		if n == nil {
			continue
		}
		at.Whens = append(at.Whens, sqlast.When{If: compare(sqlast.Eq, col("p", colExperiment), sqlast.Text(x.Def.Key.V)),
			Then: sqlast.Field{X: col("a", aggFirst.column(n)), Name: colTime}})
	}
	moved := sqlast.Select{
		Why: "the instants of activation",
		Items: append(b.stageColumns(), item(col("p", colExposedAt), colFirstShown), item(at, colExposedAt),
			item(col("p", colDropped), colDropped)),
		From: from.withFirst(activations),
	}
	out := sqlast.Select{
		Why:   "a unit counts from its activation on",
		With:  []sqlast.CTE{{Name: "moved", Query: moved}},
		Items: append(b.stageColumns(), item(col("p", colFirstShown), colFirstShown), item(col("p", colExposedAt), colExposedAt)),
		From:  sqlast.Table{Name: "moved", Alias: "p"},
	}
	out.Items = append(out.Items, to.windowColumns(col("p", colExposedAt))...)
	without := all(isNull(col("p", colExposedAt)), isNull(col("p", colDropped)), compare(sqlast.Greater, col("p", colImpressions), sqlast.Int(0)))
	out.Items = append(out.Items, sqlast.Item{X: sqlast.Case{Whens: []sqlast.When{{If: without, Then: sqlast.Text(notActivated)}}, Else: col("p", colDropped)},
		As: colDropped, Why: "why the unit is left out; NULL where it is not"})
	return out
}

// isExposed says that a unit counts as exposed, activated or not.
func (b *builder) isExposed(dropped sqlast.Expr) sqlast.Expr {
	if b.plan.Activation == nil {
		return isNull(dropped)
	}
	return sqlast.Or{isNull(dropped), compare(sqlast.Eq, dropped, sqlast.Text(notActivated))}
}

// shownAt is the column of the exposure's own instant.
func (b *builder) shownAt() string {
	if b.plan.Activation == nil {
		return colExposedAt
	}
	return colFirstShown
}
