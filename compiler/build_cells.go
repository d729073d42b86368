package compiler

import (
	"fmt"
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// segmentValues keeps the values of each segment with most exposed units over
// all variations, ties by text.
func (b *builder) segmentValues() sqlast.Select {
	var counted sqlast.Union
	for _, seg := range b.segments() {
		a := b.segmentValue("", seg)
		with := b.segmented(seg, Segment.isLong)
		if len(with) == 0 {
			continue
		}
		counted = append(counted, sqlast.Select{
			Items: []sqlast.Item{
				item(col("", colExperiment), colExperiment),
				item(sqlast.Text(seg), "segment"),
				item(a, "value"),
				item(countStar(), "units"),
			},
			From:    sqlast.Table{Name: b.table("exposure")},
			Where:   sqlast.And{b.isExposed(col("", colDropped)), notNull(a), oneOf(col("", colExperiment), with)},
			GroupBy: []sqlast.Expr{col("", colExperiment), a},
		})
	}
	rank := sqlast.RowNumber{
		PartitionBy: []sqlast.Expr{col("", colExperiment), col("", "segment")},
		OrderBy:     []sqlast.Order{{X: col("", "units"), Desc: true}, {X: col("", "value")}},
	}
	ranked := sqlast.Select{
		Items: []sqlast.Item{
			item(col("", colExperiment), colExperiment), item(col("", "segment"), "segment"), item(col("", "value"), "value"),
			item(rank, "rank"),
		},
		From: sqlast.Table{Name: "counted"},
	}
	return sqlast.Select{
		Why:   fmt.Sprintf("the %d values of a segment with most exposed units", maxSegmentValues),
		With:  []sqlast.CTE{{Name: "counted", Query: unionOf(counted)}, {Name: "ranked", Query: ranked}},
		Items: []sqlast.Item{item(col("", colExperiment), colExperiment), item(col("", "segment"), "segment"), item(col("", "value"), "value")},
		From:  sqlast.Table{Name: "ranked"},
		Where: compare(sqlast.LessEq, col("", "rank"), sqlast.Int(maxSegmentValues)),
	}
}

// cellKeys are the columns that cells are grouped by: experiment, variation
// and the raw value of each segment where the experiment has it.
func (b *builder) cellKeys(table string) []sqlast.Item {
	out := []sqlast.Item{item(col(table, colExperiment), colExperiment), item(col(table, colVariation), colVariation)}
	for _, seg := range b.segments() {
		out = append(out, item(b.segmentValue(table, seg), b.segmentColumn(seg)))
	}
	out = append(out, b.phaseKey(table)...)
	if b.byUnit {
		out = append(out, item(b.part(table), colUnitID))
	}
	if b.split {
		out = append(out, item(col(table, colSplit), colSplit))
	}
	return out
}

// part is the part of a cell that a unit is in: itself, or its bucket.
func (b *builder) part(table string) sqlast.Expr {
	id := col(table, colUnitID)
	if b.buckets == 0 {
		return id
	}
	return sqlast.Cast{X: call(sqlast.Mod, call(sqlast.Hash, id), sqlast.Int(b.buckets)), To: varchar}
}

func expressions(items []sqlast.Item) []sqlast.Expr {
	var out []sqlast.Expr
	for _, it := range items {
		out = append(out, it.X)
	}
	return out
}

// sql says whether a unit's window is over (semantics 5.5), and whether there
// is a start to count from.
func (w Wait) sql(table string) sqlast.Expr {
	start := w.After.start()
	var there sqlast.Expr
	if w.After != nil {
		there = notNull(col(table, start))
	}
	switch {
	case !w.Over:
		return there
	case w.Window.HasLookback:
		return all(sqlast.Bool(true), there)
	case w.Window.HasTo:
		return compare(sqlast.LessEq, col(table, offsetColumn(start, w.Window.To)), col(table, colWindowsUntil))
	default:
		return compare(sqlast.Less, col(table, offsetColumn(start, w.Window.From)), col(table, colObserveUntil))
	}
}

func plus(x sqlast.Expr, d metrics.Duration) sqlast.Expr {
	switch {
	case d == 0:
		return x
	case d < 0:
		return compare(sqlast.Sub, x, sqlast.Interval(-d))
	}
	return compare(sqlast.Add, x, sqlast.Interval(d))
}

// WaitColumn names the column of the exposed units that are not waited for.
func WaitColumn(waits []Wait) string {
	name := "over"
	for _, w := range waits {
		name += " " + w.text()
	}
	return name
}

// waitSets are the distinct sets of waits of tallies.
func (b *builder) waitSets() [][]Wait {
	var out [][]Wait
	seen := map[string]bool{}
	tallies := slices.Clone(b.plan.Tallies)
	for _, split := range b.plan.Splits {
		tallies = append(tallies, split.Plan.Tallies...)
	}
	for _, t := range tallies {
		if name := WaitColumn(t.Waits); len(t.Waits) > 0 && !seen[name] {
			seen[name] = true
			out = append(out, t.Waits)
		}
	}
	return out
}

func allOver(waits []Wait, table string) sqlast.Expr {
	var conds []sqlast.Expr
	for _, w := range waits {
		conds = append(conds, w.sql(table))
	}
	return all(conds...)
}

// exposureCells counts units by cell and day of exposure. Units in several
// variations are counted here whatever became of them.
func (b *builder) exposureCells() sqlast.Select {
	keys := b.cellKeys("")
	keys = append(keys, item(call(sqlast.DateOf, col("", b.shownAt())), "date"), item(col("", colDropped), colDropped))
	items := append(slices.Clone(keys),
		item(countStar(), "units"),
		item(aggregate(sqlast.Sum, col("", colImpressions)), colImpressions),
		item(aggregate(sqlast.Count, when(col("", colSeveral), sqlast.Int(1))), colSeveral),
		item(aggregate(sqlast.Sum, col("", "unknown_variation")), "unknown_variation"),
	)
	for _, name := range b.lostColumns() {
		items = append(items, item(aggregate(sqlast.Sum, col("", name)), name))
	}
	for _, set := range b.waitSets() {
		items = append(items, item(aggregate(sqlast.Count, when(allOver(set, ""), sqlast.Int(1))), WaitColumn(set)))
	}
	return sqlast.Select{
		Why:     "units by experiment, variation, segment values and day of exposure",
		Items:   items,
		From:    sqlast.Table{Name: b.table("exposure")},
		GroupBy: expressions(keys),
	}
}

// bySegment sums the cells of a table over everybody and by each segment.
// extra are further key columns.
func (b *builder) bySegment(table, why string, where sqlast.Expr, extra, sums []sqlast.Item) sqlast.Select {
	return b.byParts(table, why, false, where, extra, sums)
}

// byStratum is bySegment, and for each joint stratum too.
func (b *builder) byStratum(table, why string, where sqlast.Expr, extra, sums []sqlast.Item) sqlast.Select {
	return b.byParts(table, why, true, where, extra, sums)
}

func (b *builder) byParts(table, why string, joint bool, where sqlast.Expr, extra, sums []sqlast.Item) sqlast.Select {
	if b.byUnit {
		extra = append(slices.Clone(extra), item(col("c", colUnitID), colUnitID))
	}
	query := func(segment, value sqlast.Expr, from sqlast.From, cond sqlast.Expr) sqlast.Select {
		items := []sqlast.Item{
			item(col("c", colExperiment), colExperiment), item(col("c", colVariation), colVariation),
			item(segment, "segment"), item(value, "segment_value"),
		}
		items = append(append(items, extra...), sums...)
		group := []sqlast.Expr{col("c", colExperiment), col("c", colVariation)}
		if _, constant := value.(sqlast.Text); !constant {
			group = append(group, value)
		}
		return sqlast.Select{Items: items, From: from, Where: cond, GroupBy: append(group, expressions(extra)...)}
	}
	var parts sqlast.Union
	if b.parts == nil { // units are in several parts
		parts = append(parts, query(sqlast.Text(metrics.Overall), sqlast.Text(metrics.All), sqlast.Table{Name: table, Alias: "c"}, where))
	}
	for _, seg := range b.segments() {
		from := sqlast.From(sqlast.Table{Name: table, Alias: "c"})
		value := b.labelled(seg, "s", &from)
		parts = append(parts, query(sqlast.Text(seg), value, from, all(where, oneOf(col("c", colExperiment), b.segmented(seg, Segment.isAny)))))
	}
	for _, set := range b.jointStrata(joint) {
		from := sqlast.From(sqlast.Table{Name: table, Alias: "c"})
		var values []sqlast.Expr
		for i, seg := range set.segments {
			if i > 0 {
				values = append(values, sqlast.Text(jointSeparator))
			}
			values = append(values, b.labelled(seg, fmt.Sprintf("s%d", i+1), &from))
		}
		parts = append(parts, query(sqlast.Text(set.name), call(sqlast.JoinTexts, values...), from, all(where, oneOf(col("c", colExperiment), set.experiments))))
	}
	items := []sqlast.Item{}
	for _, name := range []string{colExperiment, colVariation, "segment", "segment_value"} {
		items = append(items, item(col("", name), name))
	}
	for _, it := range append(slices.Clone(extra), sums...) {
		items = append(items, item(col("", it.As), it.As))
	}
	order := []sqlast.Order{}
	for _, it := range items[:4+len(extra)] {
		order = append(order, sqlast.Order{X: it.X})
	}
	var only sqlast.Expr
	if b.ofUnit != nil {
		only = compare(sqlast.Eq, col("", colUnitID), sqlast.Text(*b.ofUnit))
	}
	return sqlast.Select{
		Why:     why,
		With:    []sqlast.CTE{{Name: "by segment", Query: unionOf(parts)}},
		Items:   items,
		From:    sqlast.Table{Name: "by segment"},
		Where:   only,
		OrderBy: order,
	}
}

// labelled is the value of a segment in a table of cells c as results have it: rare
// values are (other), missing ones (none). The values that are kept are joined, under
// an alias of their own.
func (b *builder) labelled(seg, alias string, from *sqlast.From) sqlast.Expr {
	a := col("c", b.segmentColumn(seg))
	value := sqlast.Case{Whens: []sqlast.When{{If: isNull(a), Then: sqlast.Text(metrics.None)}}, Else: a}
	with, long := b.segmented(seg, Segment.isAny), b.segmented(seg, Segment.isLong)
	if len(long) == 0 {
		return value
	}
	rare := isNull(col(alias, "value"))
	if len(long) < len(with) {
		rare = sqlast.And{oneOf(col("c", colExperiment), long), rare}
	}
	value.Whens = append(value.Whens, sqlast.When{If: rare, Then: sqlast.Text(metrics.Other)})
	*from = sqlast.Join{Kind: sqlast.LeftJoin, L: *from, R: sqlast.Table{Name: b.table("segment_value"), Alias: alias},
		On: sqlast.And{compare(sqlast.Eq, col(alias, colExperiment), col("c", colExperiment)),
			compare(sqlast.Eq, col(alias, "segment"), sqlast.Text(seg)), compare(sqlast.Eq, col(alias, "value"), a)}}
	return value
}

func sumOf(name string) sqlast.Item { return item(aggregate(sqlast.Sum, col("c", name)), name) }

// exposureResults are the results that need the impressions alone.
func (b *builder) exposureResults() []Statement {
	kept := b.isExposed(col("c", colDropped))
	cell := b.table("exposure_cell")
	days := b.bySegment(cell, "units by day of exposure", compare(sqlast.NotEq, call(sqlast.Coalesce, col("c", colDropped), sqlast.Text("")), sqlast.Text("no_impression")),
		append([]sqlast.Item{item(col("c", "date"), "date")}, b.phaseOfCell()...),
		[]sqlast.Item{
			item(aggregate(sqlast.Sum, when(kept, col("c", "units"))), "units"),
			item(aggregate(sqlast.Sum, when(kept, col("c", colImpressions))), colImpressions),
			sumOf(colSeveral),
		})
	dropped := sqlast.Select{
		Items: []sqlast.Item{
			item(col("c", colExperiment), colExperiment),
			item(call(sqlast.Coalesce, col("c", colDropped), sqlast.Text("")), colDropped),
			sumOf("units"), sumOf("unknown_variation"),
		},
		From:    sqlast.Table{Name: cell, Alias: "c"},
		GroupBy: []sqlast.Expr{col("c", colExperiment), col("c", colDropped)},
		OrderBy: []sqlast.Order{{X: col("c", colExperiment)}, {X: call(sqlast.Coalesce, col("c", colDropped), sqlast.Text(""))}},
	}
	lost := []Output{{Column: "unknown_variation", Role: RoleReason, Reason: "unknown_variation"}}
	for _, name := range b.lostColumns() {
		dropped.Items = append(dropped.Items, sumOf(name))
		lost = append(lost, Output{Column: name, Role: RoleReason, Reason: name})
	}
	if b.byUnit {
		dropped.Items = append(dropped.Items, item(col("c", colUnitID), colUnitID))
		dropped.GroupBy = append(dropped.GroupBy, col("c", colUnitID))
	}
	return []Statement{
		{Name: "days" + b.suffix, Why: "units by day of exposure", SQL: days, Result: ResultDays},
		b.unitsResult(cell),
		{Name: "dropped" + b.suffix, Why: "what was left out, by reason", SQL: dropped, Result: ResultDropped, Outputs: lost},
	}
}

// unitsResult counts the exposed units of cells.
func (b *builder) unitsResult(cell string) Statement {
	units := []sqlast.Item{sumOf("units")}
	var outputs []Output
	activated := func(name string) sqlast.Expr { return aggregate(sqlast.Sum, col("c", name)) }
	if b.plan.Activation != nil {
		activated = func(name string) sqlast.Expr {
			return aggregate(sqlast.Sum, when(isNull(col("c", colDropped)), col("c", name)))
		}
		units = append(units, item(activated("units"), "activated"))
		outputs = append(outputs, Output{Column: "activated", Role: RoleActivated})
	}
	for _, set := range b.waitSets() {
		units = append(units, item(activated(WaitColumn(set)), WaitColumn(set)))
		outputs = append(outputs, Output{Column: WaitColumn(set), Role: RoleWaited, Wait: WaitColumn(set)})
	}
	return Statement{Name: "units" + b.suffix, Why: "exposed units", Result: ResultUnits, Outputs: outputs,
		SQL: b.byStratum(cell, "exposed units, and those whose windows are over", b.isExposed(col("c", colDropped)), b.phaseOfCell(), units)}
}
