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

// atFirst is put behind the names of tables of the exposures as impressions
// say them, where events activate units.
const atFirst = "_at_first"

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
	if f.Event.Impression {
		p.list.Errorf(f.Pos, "conflict", "activation of experiment %q is an event, not an impression", x.Def.Key.V).
			WithHint("an impression is the exposure already; the audience can choose among them: where: 'exposure.…'")
		return
	}
	if u.Activation == nil {
		u.Activation = &Activation{
			Plan:     &UnitPlan{Kind: u.Kind, AsOf: u.AsOf, Registry: u.Registry},
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
	for _, a := range act.Plan.Attributes {
		u.Attributes = appendNew(u.Attributes, a)
	}
	act.Measures[x.Def.Key.V] = n
	v := &UnitValue{Name: n.Name, Measure: n, Op: OpFirst}
	if !slices.ContainsFunc(act.Plan.Values, func(have *UnitValue) bool { return have.Measure == n }) {
		act.Plan.Values = append(act.Plan.Values, v)
	}
}

// first is the builder of the exposures as impressions say them; the builder
// itself where no event activates units.
func (b *builder) first() *builder {
	act := b.plan.Activation
	if act == nil {
		return b
	}
	plan := *b.plan
	plan.Activation, plan.Tallies = nil, nil
	plan.Scans, plan.Values = act.Plan.Scans, act.Plan.Values
	out := &builder{plan: &plan, suffix: b.suffix, stage: atFirst}
	for _, x := range plan.Experiments {
		if act.Measures[x.Def.Key.V] != nil {
			out.only = append(out.only, x.Def.Key.V)
		}
	}
	return out
}

// activated are the statements from the exposures as impressions say them to
// those with the instants of activation.
func (b *builder) activated(first *builder) []Statement {
	var out []Statement
	var tables []string
	keep := func(name, why string, query sqlast.Select) {
		tables = append(tables, name)
		out = append(out, Statement{Name: name, Why: why, SQL: sqlast.CreateTable{Name: name, Query: query}})
	}
	for _, s := range first.plan.Scans {
		sc := newScanBuilder(first, s)
		if len(s.Source.ID) > 0 {
			out = append(out, sc.rows(0, 1)...)
			tables = append(tables, sc.dropped()...)
		}
		name := "activation of " + s.Source.Def.Name.V + b.suffix
		keep(name, "the first event that activates each unit, from one pass over "+sourceNames([]*Source{s.Source}), sc.query(0, 1))
	}
	values := tables[len(tables)-1]
	if len(first.plan.Scans) > 1 {
		var of []string
		for _, s := range first.plan.Scans {
			of = append(of, "activation of "+s.Source.Def.Name.V+b.suffix)
		}
		values = "activation" + b.suffix
		keep(values, "the sources together", first.together(of))
	}
	out = append(out, Statement{Name: b.table("exposure"), Why: "exposures, with the instants of activation in place of theirs",
		SQL: sqlast.CreateTable{Name: b.table("exposure"), Query: b.activatedExposures(first, values)}})
	for _, t := range append(tables, first.table("exposure")) {
		out = append(out, Statement{Name: t, Why: "no longer needed", SQL: sqlast.DropTable{Name: t}})
	}
	return out
}

// activatedExposures puts activations in place of exposures.
func (b *builder) activatedExposures(first *builder, activations string) sqlast.Select {
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
		Why:   "the instants of activation",
		Items: []sqlast.Item{item(col("p", colUnitID), colUnitID), item(col("p", colExperiment), colExperiment), item(col("p", colVariation), colVariation)},
		From: sqlast.Join{Kind: sqlast.LeftJoin, L: sqlast.Table{Name: first.table("exposure"), Alias: "p"}, R: sqlast.Table{Name: activations, Alias: "a"},
			On: compare(sqlast.Eq, call(sqlast.RowID, sqlast.Column{Table: "p"}), col("a", colUnit))},
	}
	columns := []string{colObserveUntil, colWindowsUntil, colImpressions, "unknown_variation", colSeveral}
	columns = append(columns, b.lostColumns()...)
	for _, a := range b.plan.Attributes {
		columns = append(columns, attributeColumn(a))
	}
	for _, name := range columns {
		moved.Items = append(moved.Items, item(col("p", name), name))
	}
	moved.Items = append(moved.Items, item(col("p", colExposedAt), colFirstShown), item(at, colExposedAt), item(col("p", colDropped), colDropped))
	out := sqlast.Select{
		Why:  "a unit counts from its activation on",
		With: []sqlast.CTE{{Name: "moved", Query: moved}},
		From: sqlast.Table{Name: "moved", Alias: "p"},
	}
	for _, it := range moved.Items[:len(moved.Items)-1] {
		out.Items = append(out.Items, item(col("p", it.As), it.As))
	}
	out.Items = append(out.Items, b.windowColumns(col("p", colExposedAt))...)
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
