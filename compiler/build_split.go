package compiler

import (
	"fmt"
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// The values of a split that are kept are known only when the rows of all
// units are there. So each pass over the events keeps the rows of metrics that
// are split, and the last statements rank the values and sum. There each unit
// is as many units as its rows have values that are kept, (other) and (none)
// included: a table of such parts of units stands in for that of exposures.

// The columns of a split.
const (
	colSplit  = "split"
	colOfUnit = "of_unit"
)

// splitColumn is the column of the value that a row is split by.
func splitColumn(n *Measure) string { return n.Name + " split" }

func (b *builder) splitTable(name string, s *Split) string {
	if name == "value" && s.whole != nil {
		return b.whole.splitTable(name, s.whole)
	}
	return b.table(fmt.Sprintf("split_%s of %s", name, s.Name))
}

func (b *builder) splitRows(n *Measure) string { return b.table("split_rows of " + n.Name) }

// keptForSplits are the measures whose rows are kept, each once.
func (b *builder) keptForSplits() []*Measure {
	var out []*Measure
	for _, s := range b.plan.Splits {
		for _, n := range s.Plan.measures() {
			out = appendNew(out, s.rows[n])
		}
	}
	return out
}

// keepSplits are the statements that keep the rows of pass i.
func (b *builder) keepSplits(values string, i int) []Statement {
	var out []Statement
	for _, n := range append(b.keptForSplits(), b.keptForSegments()...) {
		query := sqlast.Select{
			Why:  "rows of " + n.Name + ", one by one",
			With: []sqlast.CTE{{Name: "kept", Query: listed(n, values)}},
			From: sqlast.Table{Name: "kept"},
		}
		query.Items = append(query.Items, item(col("", colUnit), colUnit))
		for _, name := range n.listedFields() {
			query.Items = append(query.Items, item(ofListed(name), name))
		}
		name, why := b.splitRows(n), "rows kept until those of all units are there"
		if i > 0 {
			out = append(out, Statement{Name: name, Why: why, SQL: sqlast.InsertInto{Name: name, Query: query}})
			continue
		}
		out = append(out, Statement{Name: name, Why: why, SQL: sqlast.CreateTable{Name: name, Query: query}})
	}
	return out
}

// finishSplits ranks the values of splits, and sums the rows of each.
func (b *builder) finishSplits() []Statement {
	var out []Statement
	var tables []string
	keep := func(name, why string, query sqlast.Select) {
		tables = append(tables, name)
		out = append(out, Statement{Name: name, Why: why, SQL: sqlast.CreateTable{Name: name, Query: query}})
	}
	for _, s := range b.plan.Splits {
		if s.whole == nil {
			keep(b.splitTable("value", s), fmt.Sprintf("the %d values of %s with most rows of %s; the others are (other)", maxSplitValues, s.Property, s.Name), b.splitValues(s))
		}
		of := b.ofSplit(s)
		keep(of.table("exposure"), "a row for each unit and value", b.splitExposures(s))
		values := b.splitTable("events", s)
		keep(values, "the rows of each unit that have each value", b.splitEvents(s, of))
		values, derived, more := of.derive(values)
		out, tables = append(out, derived...), append(tables, more...)
		out = append(out, of.sums(values)...)
		tables = slices.DeleteFunc(tables, func(t string) bool { return slices.Contains(b.splitValueTables(), t) })
		out, tables = append(out, dropped(tables...)...), nil
	}
	for _, n := range b.keptForSplits() {
		out = append(out, dropped(b.splitRows(n))...)
	}
	return out
}

// splitValueTables are the tables of the values of splits, where they are kept for
// parts of units.
func (b *builder) splitValueTables() []string {
	var out []string
	for _, s := range b.plan.Splits {
		if len(b.plan.EventSegments) > 0 {
			out = append(out, b.splitTable("value", s))
		}
	}
	return out
}

// ofSplit is the builder of the sums of a split, over parts of units.
func (b *builder) ofSplit(s *Split) *builder {
	plan := *s.Plan
	plan.Phased = b.plan.Phased
	return &builder{plan: &plan, suffix: b.suffix, stage: "_split of " + s.Name, split: true, byUnit: b.byUnit, parts: b.parts}
}

// splitValues ranks the values by the rows that count, over all variations,
// ties by text.
func (b *builder) splitValues(s *Split) sqlast.Select {
	var rows sqlast.Union
	for _, n := range s.Plan.measures() {
		if n.Covariate {
			continue
		}
		counts := sqlast.Expr(nil)
		if slices.Contains(n.listedFields(), "value") {
			counts = notNull(col("u", "value"))
		}
		rows = append(rows, sqlast.Select{
			Items: []sqlast.Item{item(col("x", colExperiment), colExperiment), item(col("u", colSplit), colSplit)},
			From:  b.joined(b.splitRows(s.rows[n])),
			Where: all(counts, allOver(s.Plan.Tallies[0].Waits, "x")),
		})
	}
	counted := sqlast.Select{
		Items:   []sqlast.Item{item(col("", colExperiment), colExperiment), item(col("", colSplit), colSplit), item(countStar(), "rows")},
		From:    sqlast.Table{Name: "counted rows"},
		GroupBy: []sqlast.Expr{col("", colExperiment), col("", colSplit)},
	}
	ranked := rankedValues(colSplit, "rows")
	ranked.Where = notNull(col("", colSplit))
	labelled := sqlast.Union{
		{
			Items: []sqlast.Item{item(col("", colExperiment), colExperiment), item(col("", colSplit), colSplit), item(labelOfRank(colSplit, maxSplitValues), "label")},
			From:  sqlast.Table{Name: "ranked"},
		},
		{
			Items: []sqlast.Item{item(col("", colExperiment), colExperiment), item(col("", colSplit), colSplit), item(sqlast.Text(metrics.None), "label")},
			From:  sqlast.Table{Name: "counted"}, Where: isNull(col("", colSplit)),
		},
	}
	return sqlast.Select{
		Why:   fmt.Sprintf("the %d values with most rows", maxSplitValues),
		With:  []sqlast.CTE{{Name: "counted rows", Query: unionOf(rows)}, {Name: "counted", Query: counted}, {Name: "ranked", Query: ranked}, {Name: "labelled", Query: labelled}},
		Items: []sqlast.Item{item(col("", colExperiment), colExperiment), item(col("", colSplit), colSplit), item(col("", "label"), "label")},
		From:  sqlast.Table{Name: "labelled"},
	}
}

// rankedValues ranks the values of a column of the table counted, in each experiment:
// those with the largest numbers first, ties by text.
func rankedValues(value, number string) sqlast.Select {
	rank := sqlast.RowNumber{
		PartitionBy: []sqlast.Expr{col("", colExperiment)},
		OrderBy:     []sqlast.Order{{X: col("", number), Desc: true}, {X: col("", value)}},
	}
	return sqlast.Select{
		Items: []sqlast.Item{item(col("", colExperiment), colExperiment), item(col("", value), value), item(rank, "rank")},
		From:  sqlast.Table{Name: "counted"},
	}
}

// labelOfRank is what results call a value that is ranked: itself where it is among
// the first, else (other).
func labelOfRank(value string, most int64) sqlast.Expr {
	return sqlast.Case{
		Whens: []sqlast.When{{If: compare(sqlast.LessEq, col("", "rank"), sqlast.Int(most)), Then: col("", value)}},
		Else:  sqlast.Text(metrics.Other),
	}
}

// labelledRows are the kept rows of a measure with the value that they count for.
func (b *builder) labelledRows(s *Split, n *Measure) sqlast.Select {
	fallback := sqlast.Case{Whens: []sqlast.When{{If: isNull(col("u", colSplit)), Then: sqlast.Text(metrics.None)}}, Else: sqlast.Text(metrics.Other)}
	sel := sqlast.Select{
		Items: []sqlast.Item{
			item(col("u", colUnit), colUnit), item(col("x", colExperiment), colExperiment),
			item(call(sqlast.Coalesce, col("l", "label"), fallback), "label"),
		},
		From: sqlast.Join{Kind: sqlast.LeftJoin, L: b.joined(b.splitRows(s.rows[n])), R: sqlast.Table{Name: b.splitTable("value", s), Alias: "l"},
			On: sqlast.And{compare(sqlast.Eq, col("l", colExperiment), col("x", colExperiment)), compare(sqlast.Eq, col("l", colSplit), col("u", colSplit))}},
	}
	for _, name := range n.listedFields() {
		if name != colSplit && name != colPart {
			sel.Items = append(sel.Items, item(col("u", name), name))
		}
	}
	return sel
}

// splitExposures are the exposures of units once for each value of their rows.
func (b *builder) splitExposures(s *Split) sqlast.Select {
	with := []sqlast.CTE{}
	var rows sqlast.Union
	for _, n := range s.Plan.measures() {
		name := "labelled " + n.Name
		with = append(with, sqlast.CTE{Name: name, Query: b.labelledRows(s, n)})
		rows = append(rows, sqlast.Select{Distinct: true, From: sqlast.Table{Name: name}, Items: named([]sqlast.Item{{As: colUnit}, {As: colExperiment}, {As: "label"}})})
	}
	known := sqlast.Select{Distinct: true, From: sqlast.Table{Name: b.splitTable("value", s)}, Items: named([]sqlast.Item{{As: colExperiment}, {As: "label"}})}
	part := sqlast.Select{Distinct: true, From: sqlast.Table{Name: "labelled"}, Items: named([]sqlast.Item{{As: colUnit}, {As: colExperiment}, {As: "label"}})}
	with = append(with, sqlast.CTE{Name: "labelled", Query: unionOf(rows)}, sqlast.CTE{Name: "part", Query: part}, sqlast.CTE{Name: "known", Query: known})
	out := sqlast.Select{
		Why:   "the exposures of units, once for each value that their rows have",
		With:  with,
		Items: []sqlast.Item{item(col("p", "label"), colSplit), item(col("p", colUnit), colOfUnit)},
		From: sqlast.Join{
			L: sqlast.Join{L: sqlast.Table{Name: "part", Alias: "p"}, R: sqlast.Table{Name: "known", Alias: "k"},
				On: sqlast.And{compare(sqlast.Eq, col("k", colExperiment), col("p", colExperiment)), compare(sqlast.Eq, col("k", "label"), col("p", "label"))}},
			R:  sqlast.Table{Name: b.table("exposure"), Alias: "x"},
			On: compare(sqlast.Eq, rowID(), col("p", colUnit))},
	}
	for _, name := range b.exposureColumns() {
		out.Items = append(out.Items, item(col("x", name), name))
	}
	return out
}

// exposureColumns are the columns of exposures that the sums of units need.
func (b *builder) exposureColumns() []string {
	if b.ofBundles != nil {
		return b.ofBundles.exposureColumns()
	}
	if b.whole != nil {
		return append(b.whole.exposureColumns(), partColumn(b.parts.Segment.Key))
	}
	out := append(itemNames(b.stageColumns()), colExposedAt)
	if b.shownAt() != colExposedAt {
		out = append(out, b.shownAt())
	}
	if f := b.plan.Following; f != nil {
		for _, a := range f.Events {
			out = appendNew(out, a.column())
		}
	}
	for _, name := range itemNames(b.windowColumns(col("p", colExposedAt))) {
		out = appendNew(out, name)
	}
	return append(out, colDropped)
}

// splitEvents are the rows of each part of a unit, as the pass over the events
// makes them of units.
func (b *builder) splitEvents(s *Split, of *builder) sqlast.Select {
	out := b.partEvents(of, s.Plan.measures(), colSplit, func(n *Measure) sqlast.Select { return b.labelledRows(s, n) })
	out.Why = "the rows of each unit that have each value"
	return out
}

// partEvents are the rows of parts of units, which have a value in some column: of
// labelled rows those with the same one.
func (b *builder) partEvents(of *builder, measures []*Measure, value string, labelled func(*Measure) sqlast.Select) sqlast.Select {
	unit := call(sqlast.RowID, sqlast.Column{Table: "p"})
	out := sqlast.Select{Items: []sqlast.Item{item(unit, colUnit)}}
	var from sqlast.From = sqlast.Table{Name: of.table("exposure"), Alias: "p"}
	for i, n := range measures {
		rows, sums, alias := fmt.Sprintf("rows %d", i+1), fmt.Sprintf("sums %d", i+1), fmt.Sprintf("s%d", i+1)
		of1 := *n
		of1.derived = true // all sources are together already
		x := sqlast.Expr(sqlast.Int(1))
		if slices.Contains(n.listedFields(), "value") {
			x = col("r", "value")
		}
		items := []sqlast.Item{item(unit, colUnit), item(col("r", colTime), colTime), item(x, n.Name)}
		if n.weighted() {
			items = append(items, item(col("r", colWeight), colWeight))
		}
		if n.Group != nil {
			items = append(items, item(col("r", "group"), groupColumn(n)))
		}
		part := sqlast.Select{Items: items, From: of.withParts(labelled(n), value)}
		sum := sqlast.Select{From: sqlast.Table{Name: rows}, GroupBy: []sqlast.Expr{col("", colUnit)}, Items: []sqlast.Item{
			item(col("", colUnit), colUnit), item(aggregate(sqlast.Count, col("", n.Name)), rowsColumn(n))}}
		out.Items = append(out.Items, item(call(sqlast.Coalesce, col(alias, rowsColumn(n)), sqlast.Int(0)), rowsColumn(n)))
		for _, a := range of.aggregates(n) {
			sum.Items = append(sum.Items, item(a.ofRows(&of1, n.weighted()), a.column(n)))
			out.Items = append(out.Items, item(col(alias, a.column(n)), a.column(n)))
		}
		out.With = append(out.With, sqlast.CTE{Name: rows, Query: part}, sqlast.CTE{Name: sums, Query: sum})
		from = sqlast.Join{Kind: sqlast.LeftJoin, L: from, R: sqlast.Table{Name: sums, Alias: alias}, On: compare(sqlast.Eq, col(alias, colUnit), unit)}
	}
	out.From = from
	return out
}

// withParts joins labelled rows r with the parts of units p that they are rows of.
func (b *builder) withParts(labelled sqlast.Select, value string) sqlast.From {
	return sqlast.Join{
		L:  sqlast.Subquery{Query: labelled, Alias: "r"},
		R:  sqlast.Table{Name: b.table("exposure"), Alias: "p"},
		On: sqlast.And{compare(sqlast.Eq, col("p", colOfUnit), col("r", colUnit)), compare(sqlast.Eq, col("p", value), col("r", "label"))}}
}
