package compiler

import "github.com/metricsjob/metricsjob/compiler/sqlast"

// ProbeJoin asks how events of a source join the units of an experiment while it
// runs: rows, and how many of these are of units with an impression; then, for each
// of the other kinds, how many ids of it the rows without an id of the unit kind
// have, and how many of these lead to a unit. It reads the tables that a run leaves.
func (u *UnitProgram) ProbeJoin(x *ExperimentPlan, s *Source) (probe sqlast.Select, kinds []string) {
	w := &eventWaterfall{builder: u.b, x: x}
	sc := newScanBuilder(w.ofOwn(), &Scan{Source: s})
	o, among := w.owned(s)
	items := []sqlast.Item{item(countStar(), "rows"), item(aggregate(sqlast.Count, col("x", colUnitID)), "of units")}
	kinds = sc.plan.joins(s)
	for _, kind := range kinds {
		id := when(isNull(sc.ownID()), inRow(s.unit(kind).SQL))
		items = append(items, item(distinct(id), "ids of "+kind), item(distinct(col("by "+kind, "id")), "leading of "+kind))
	}
	return sqlast.Select{
		Why:   "how many events are of units of " + x.Def.Key.V,
		With:  append(append(w.identities(), sqlast.CTE{Name: "shown unit", Query: w.shownUnits()}), o.with...),
		Items: items,
		From:  sqlast.Join{Kind: sqlast.LeftJoin, L: o.from, R: sqlast.Table{Name: "shown unit", Alias: "x"}, On: o.on},
		Where: append(s.exists(x.Starts, x.ObserveUntil), among...),
	}, kinds
}

// distinct counts the different values of an expression.
func distinct(x sqlast.Expr) sqlast.Expr {
	return sqlast.Aggregate{Fn: sqlast.Count, X: x, Distinct: true}
}
