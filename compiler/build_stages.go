package compiler

import (
	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// stages are the builders of the tables of exposures: as impressions say them,
// with the instants of activation, with those of the events that windows are
// counted from. The last is the builder itself.
func (b *builder) stages() []*builder {
	stage := func(plan UnitPlan, scans *UnitPlan, name string) *builder {
		plan.Tallies, plan.Scans, plan.Values = nil, scans.Scans, scans.Values
		return &builder{plan: &plan, suffix: b.suffix, stage: name}
	}
	var out []*builder
	if act := b.plan.Activation; act != nil {
		plan := *b.plan
		plan.Activation, plan.Following = nil, nil
		first := stage(plan, act.Plan, "_at_first")
		for _, x := range plan.Experiments {
			if act.Measures[x.Def.Key.V] != nil {
				first.only = append(first.only, x.Def.Key.V)
			}
		}
		first.next = b.activatedExposures
		out = append(out, first)
	}
	if f := b.plan.Following; f != nil {
		plan := *b.plan
		plan.Following = nil
		before := stage(plan, f.Plan, "_before")
		before.next = b.followedExposures
		out = append(out, before)
	}
	return append(out, b)
}

// advance are the statements from one stage of the exposures to the next.
func (b *builder) advance(from, to *builder) []Statement {
	var out []Statement
	var tables []string
	keep := func(name, why string, query sqlast.Select) {
		tables = append(tables, name)
		out = append(out, Statement{Name: name, Why: why, SQL: sqlast.CreateTable{Name: name, Query: query}})
	}
	for _, s := range from.plan.Scans {
		sc := newScanBuilder(from, s)
		if len(s.Source.ID) > 0 {
			out = append(out, sc.rows(0, 1)...)
			tables = append(tables, sc.dropped()...)
		}
		keep(from.firstTable(s), "the first event of each unit that it is counted from, from one pass over "+sourceNames([]*Source{s.Source}), sc.query(0, 1))
	}
	values := tables[len(tables)-1]
	if len(from.plan.Scans) > 1 {
		var of []string
		for _, s := range from.plan.Scans {
			of = append(of, from.firstTable(s))
		}
		values = "first_event" + from.stage + b.suffix
		keep(values, "the sources together", from.together(of))
	}
	out = append(out, Statement{Name: to.table("exposure"), Why: "exposures, with the instants of those events",
		SQL: sqlast.CreateTable{Name: to.table("exposure"), Query: from.next(from, to, values)}})
	return append(out, dropped(append(tables, from.table("exposure"))...)...)
}

func (b *builder) firstTable(s *Scan) string {
	return "first_event" + b.stage + " of " + s.Source.spelled() + b.suffix
}

// stageColumns are the columns of the exposure p that every stage hands on,
// but for the instants and the reason why a unit is left out.
func (b *builder) stageColumns() []sqlast.Item {
	columns := []string{colUnitID, colExperiment, colVariation, colObserveUntil, colWindowsUntil, colImpressions, "unknown_variation", colSeveral}
	columns = append(columns, b.lostColumns()...)
	for _, a := range b.plan.Attributes {
		columns = append(columns, attributeColumn(a))
	}
	for _, name := range b.plan.Traits {
		columns = append(columns, traitColumn(name))
	}
	for _, key := range b.plan.Assigned {
		columns = append(columns, assignedColumn(key))
	}
	var out []sqlast.Item
	for _, name := range columns {
		out = append(out, item(col("p", name), name))
	}
	return out
}

// withFirst joins the exposures of a stage with the first events of their units.
func (b *builder) withFirst(events string) sqlast.From {
	return sqlast.Join{Kind: sqlast.LeftJoin, L: sqlast.Table{Name: b.table("exposure"), Alias: "p"}, R: sqlast.Table{Name: events, Alias: "a"},
		On: compare(sqlast.Eq, call(sqlast.RowID, sqlast.Column{Table: "p"}), col("a", colUnit))}
}
