package compiler

import (
	"fmt"
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// Rows of measures that others are derived from are kept as one list for each
// unit, {ts, value, weight}, by the pass that sums. What is derived is made of
// the lists alone: the source is not read again, and rows of several sources
// meet there.

// derive makes the derived measures, and a table over units with all of them
// in place of values. It gives the name of the table, and the tables to drop.
func (b *builder) derive(values string) (string, []Statement, []string) {
	if len(b.plan.Derived) == 0 {
		return values, nil, nil
	}
	var out []Statement
	var tables []string
	all := sqlast.Select{Why: "what was counted and what was derived from it", Items: []sqlast.Item{item(col("u", colUnit), colUnit)}}
	for _, n := range b.measures() {
		all.Items = append(all.Items, item(col("u", rowsColumn(n)), rowsColumn(n)))
		for _, a := range b.aggregates(n) {
			if a != aggRows {
				all.Items = append(all.Items, item(col("u", a.column(n)), a.column(n)))
			}
		}
	}
	all.From = sqlast.Table{Name: values, Alias: "u"}
	for i, d := range b.plan.Derived {
		name := b.table("derived " + d.Name)
		if slices.Contains(tables, name) {
			name = b.table(fmt.Sprintf("derived %s (%d)", d.Name, i+1))
		}
		if d.Kept {
			out = append(out, Statement{Name: b.groupTable(d), Why: "the number of each group", SQL: sqlast.CreateTable{Name: b.groupTable(d), Query: b.eachGroup(d, values)}})
			tables = append(tables, b.groupTable(d))
		}
		out = append(out, Statement{Name: name, Why: d.describe(), SQL: sqlast.CreateTable{Name: name, Query: b.derived(d, values)}})
		tables = append(tables, name)
		alias := fmt.Sprintf("d%d", i+1)
		all.From = sqlast.Join{Kind: sqlast.LeftJoin, L: all.From, R: sqlast.Table{Name: name, Alias: alias},
			On: compare(sqlast.Eq, col(alias, colUnit), col("u", colUnit))}
		for _, n := range d.Measures {
			all.Items = append(all.Items, item(call(sqlast.Coalesce, col(alias, rowsColumn(n)), sqlast.Int(0)), rowsColumn(n)))
			for _, a := range b.aggregates(n) {
				all.Items = append(all.Items, item(col(alias, a.column(n)), a.column(n)))
			}
		}
	}
	name := b.table("unit_numbers")
	out = append(out, Statement{Name: name, Why: "what was counted and what was derived from it", SQL: sqlast.CreateTable{Name: name, Query: all}})
	return name, out, append(tables, name)
}

func (b *builder) derived(d *Derived, values string) sqlast.Select {
	switch {
	case d.Groups != nil:
		return b.groupsOfUnits(d, values)
	case d.Funnel == nil:
		return b.nearRows(d, values)
	case d.AnyOrder:
		return b.stepsInAnyOrder(d, values)
	}
	return b.stepsInOrder(d, values)
}

// listed are the rows of a measure that were kept, one by one.
func listed(n *Measure, values string) sqlast.Select {
	return sqlast.Select{
		Items: []sqlast.Item{item(col("", colUnit), colUnit), item(call(sqlast.Unnest, col("", aggRows.column(n))), "r")},
		From:  sqlast.Table{Name: values},
	}
}

func ofListed(name string) sqlast.Expr { return sqlast.Field{X: col("", "r"), Name: name} }

// ofUnits sums the rows of a measure by unit.
func (b *builder) ofUnits(n *Measure) []sqlast.Item {
	out := []sqlast.Item{item(aggregate(sqlast.Count, col("", n.Name)), rowsColumn(n))}
	for _, a := range b.aggregates(n) {
		out = append(out, item(a.ofRows(n, n.weighted()), a.column(n)))
	}
	return out
}

// nearRows are the rows of a numerator for which the last row of the
// denominator is not long ago.
func (b *builder) nearRows(d *Derived, values string) sqlast.Select {
	x, y, near := d.From[0], d.From[1], d.Measures[0]
	value := sqlast.Expr(sqlast.Int(1))
	if x.Value != nil {
		value = ofListed("value")
	}
	unit := item(col("", colUnit), colUnit)
	numerators := []sqlast.Item{unit, item(ofListed(colTime), colTime), item(value, near.Name)}
	denominators := []sqlast.Item{unit, item(ofListed(colTime), colTime), item(sqlast.Null{Type: sqlast.Type{Kind: sqlast.Untyped}}, near.Name)}
	last := []sqlast.Item{unit, item(col("", colTime), colTime), item(col("", near.Name), near.Name)}
	if x.weighted() {
		numerators = append(numerators, item(ofListed(colWeight), colWeight))
		denominators = append(denominators, item(sqlast.Null{Type: bigint}, colWeight))
		last = append(last, item(col("", colWeight), colWeight))
	}
	numerators = append(numerators, item(sqlast.Null{Type: sqlast.Type{Kind: sqlast.TimestampType}}, "since"))
	denominators = append(denominators, item(ofListed(colTime), "since"))
	last = append(last, item(sqlast.Running{Fn: sqlast.Max, X: col("", "since"), PartitionBy: []sqlast.Expr{col("", colUnit)}, OrderBy: []sqlast.Order{{X: col("", colTime)}}}, "since"))
	return sqlast.Select{
		Why: d.describe(),
		With: []sqlast.CTE{
			{Name: "numerator", Query: listed(x, values)},
			{Name: "denominator", Query: listed(y, values)},
			{Name: "rows", Query: sqlast.Union{{Items: numerators, From: sqlast.Table{Name: "numerator"}}, {Items: denominators, From: sqlast.Table{Name: "denominator"}}}},
			{Name: "since", Query: sqlast.Select{Why: "the last row of the denominator up to each row", Items: last, From: sqlast.Table{Name: "rows"}}},
		},
		Items:   append([]sqlast.Item{unit}, b.ofUnits(near)...),
		From:    sqlast.Table{Name: "since"},
		Where:   all(notNull(col("", near.Name)), compare(sqlast.Less, col("", colTime), plus(col("", "since"), d.Within))),
		GroupBy: []sqlast.Expr{col("", colUnit)},
	}
}

// stepsInAnyOrder counts the rows of a step where each step before it has some.
func (b *builder) stepsInAnyOrder(d *Derived, values string) sqlast.Select {
	out := sqlast.Select{Why: d.describe(), Items: []sqlast.Item{item(col("", colUnit), colUnit)}, From: sqlast.Table{Name: values}}
	var before []sqlast.Expr
	for i, n := range d.From {
		reached := func(column string) sqlast.Expr {
			if cond := all(before...); cond != nil {
				return when(cond, col("", column))
			}
			return col("", column)
		}
		out.Items = append(out.Items, item(reached(rowsColumn(n)), rowsColumn(d.Measures[i])))
		if n.weighted() {
			out.Items = append(out.Items, item(reached(aggWeights.column(n)), aggWeights.column(d.Measures[i])))
		}
		before = append(before, compare(sqlast.Greater, col("", rowsColumn(n)), sqlast.Int(0)))
	}
	return out
}

// stepsInOrder finds for each step the rows at which it is reached: rows of the
// step for which the last row at which the step before was reached is early
// enough, and not too long ago.
func (b *builder) stepsInOrder(d *Derived, values string) sqlast.Select {
	at := func(i int) string { return fmt.Sprintf("at %d", i+1) }
	isStep := func(i int) sqlast.Expr { return compare(sqlast.Eq, col("", "step"), sqlast.Int(int64(i+1))) }
	handed := named([]sqlast.Item{{As: colUnit}, {As: colTime}, {As: "step"}})
	weighted := slices.ContainsFunc(d.From, (*Measure).weighted)
	if weighted {
		handed = append(handed, item(col("", colWeight), colWeight))
	}
	var with []sqlast.CTE
	var rows sqlast.Union
	for i, n := range d.From {
		name := fmt.Sprintf("rows of %d", i+1)
		with = append(with, sqlast.CTE{Name: name, Query: listed(n, values)})
		items := []sqlast.Item{item(col("", colUnit), colUnit), item(ofListed(colTime), colTime), item(sqlast.Int(int64(i+1)), "step")}
		if n.weighted() {
			items = append(items, item(ofListed(colWeight), colWeight))
		} else if weighted {
			items = append(items, item(sqlast.Cast{X: sqlast.Int(1), To: bigint}, colWeight))
		}
		rows = append(rows, sqlast.Select{From: sqlast.Table{Name: name}, Items: items})
	}
	with = append(with, sqlast.CTE{Name: "rows", Query: unionOf(rows)})
	last := "rows"
	for i, step := range d.Funnel {
		fits := sqlast.Expr(nil)
		if i > 0 {
			latest := sqlast.Running{Fn: sqlast.Max, X: col("", at(i-1)), PartitionBy: []sqlast.Expr{col("", colUnit)},
				OrderBy: []sqlast.Order{{X: col("", colTime)}}, Before: step.Later}
			name := fmt.Sprintf("before %d", i+1)
			with = append(with, sqlast.CTE{Name: name, Query: sqlast.Select{
				Items: append(slices.Clone(handed), item(latest, "latest")), From: sqlast.Table{Name: last}}})
			last = name
			fits = notNull(col("", "latest"))
			if step.Within > 0 {
				fits = compare(sqlast.Less, col("", colTime), plus(col("", "latest"), step.Within))
			}
		}
		name := fmt.Sprintf("reached %d", i+1)
		reached := item(when(all(isStep(i), fits), col("", colTime)), at(i))
		with = append(with, sqlast.CTE{Name: name, Query: sqlast.Select{Items: append(slices.Clone(handed), reached), From: sqlast.Table{Name: last}}})
		handed = append(handed, item(col("", at(i)), at(i)))
		last = name
	}
	out := sqlast.Select{Why: d.describe(), With: with, Items: []sqlast.Item{item(col("", colUnit), colUnit)},
		From: sqlast.Table{Name: last}, GroupBy: []sqlast.Expr{col("", colUnit)}}
	for i, n := range d.Measures {
		out.Items = append(out.Items, item(aggregate(sqlast.Count, col("", at(i))), rowsColumn(n)))
		if n.weighted() {
			out.Items = append(out.Items, item(aggregate(sqlast.Sum, when(notNull(col("", at(i))), col("", colWeight))), aggWeights.column(n)))
		}
	}
	return out
}
