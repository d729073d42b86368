package compiler

import (
	"fmt"
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// The units of a segment from events are known only when the rows of all units are
// there. So each pass over the events keeps the rows with their values, as it does
// for splits, and the last statements find who is in which value, and sum. There
// each unit is as many units as it has values: a table of such parts of units
// stands in for that of exposures, and everything is done to them that is done to
// units, but that what numbers are capped at is decided for whole ones.

// colPart is the value of a row in a segment from events.
const colPart = "part"

// partOf is the column of the value of a row of a measure.
func partOf(n *Measure) string { return n.Name + " part" }

// partColumn is the column of the value that a part of a unit has.
func partColumn(segment string) string { return "segment." + spelled(segment) }

func (b *builder) segmentTable(name string, s *EventSegment) string {
	return b.table(fmt.Sprintf("%s of %s by %s", name, s.Name, spelled(s.Segment.Key)))
}

// memberTable has the values that units have.
func (b *builder) memberTable(s *EventSegment) string { return b.segmentTable("member", s) }

// besideMembers puts the units h of a value of a segment beside the exposures x; for
// those of none, the units of some value.
func (b *builder) besideMembers(from sqlast.From, s *EventSegment, c *Choice) sqlast.From {
	members := sqlast.Select{Distinct: true, Items: []sqlast.Item{item(col("", colUnit), colUnit)}, From: sqlast.Table{Name: b.memberTable(s)}}
	if c.Value != metrics.None {
		members.Where = c.holds(col("", colPart))
	}
	return sqlast.Join{Kind: sqlast.LeftJoin, L: from, R: sqlast.Subquery{Query: members, Alias: "h"}, On: compare(sqlast.Eq, col("h", colUnit), rowID())}
}

// isMember says that a unit has the value, by the unit beside it.
func (c *Choice) isMember(beside sqlast.Expr) sqlast.Expr {
	if c.Value == metrics.None {
		return isNull(beside)
	}
	return notNull(beside)
}

// partsOf is the builder of the sums of a segment, over parts of units.
func (b *builder) partsOf(s *EventSegment) *builder {
	plan := *s.Plan
	plan.Phased = b.plan.Phased
	return &builder{plan: &plan, suffix: b.suffix + " of " + s.Name + " by " + spelled(s.Segment.Key), byUnit: b.byUnit, buckets: b.buckets, parts: s, whole: b}
}

// keptForSegments are the measures whose rows are kept, each once.
func (b *builder) keptForSegments() []*Measure {
	var out []*Measure
	for _, s := range b.plan.EventSegments {
		for _, n := range s.Plan.measures() {
			out = appendNew(out, s.rows[n])
		}
		for _, n := range s.members {
			out = appendNew(out, n)
		}
	}
	return out
}

// finishEventSegments finds the parts of units, and sums their rows.
func (b *builder) finishEventSegments() []Statement {
	var out []Statement
	for _, s := range b.plan.EventSegments {
		of := b.partsOf(s)
		var tables []string
		keep := func(name, why string, query sqlast.Select) {
			query.Why = why
			tables = append(tables, name)
			out = append(out, Statement{Name: name, Why: why, SQL: sqlast.CreateTable{Name: name, Query: query}})
		}
		keep(b.memberTable(s), fmt.Sprintf("the values of %s that units have, at their exposure or in a row of %s", s.Segment.Key, s.Name), b.segmentMembers(s))
		keep(b.segmentTable("label", s), fmt.Sprintf("the %d values of %s with most units; the others are (other)", maxSegmentValues, s.Segment.Key), b.segmentLabels(s))
		keep(of.table("exposure"), "a row for each unit and value", b.segmentParts(s))
		keep(of.table("exposure_cell"), "those by experiment, variation and value", of.exposureCells())
		units := of.unitsResult(of.table("exposure_cell"))
		units.Of = append(units.Of, s.Plan.Tallies...)
		for _, split := range s.Plan.Splits {
			units.Of = append(units.Of, split.Plan.Tallies...)
		}
		out = append(out, units)
		values := of.table("unit_events")
		keep(values, "the rows of each unit that have each value", b.segmentEvents(s, of))
		for _, n := range of.keptForSplits() {
			name, why := of.splitRows(n), "rows that have each value, one by one"
			out = append(out, Statement{Name: name, Why: why, SQL: sqlast.CreateTable{Name: name, Query: b.segmentRows(s, of, n)}})
		}
		values, derived, more := of.derive(values)
		out = append(append(out, derived...), of.sums(values)...)
		out = append(append(out, of.keep(values, 0)...), of.keepGroups(0)...)
		out = append(append(out, of.finish()...), of.finishGroups()...)
		out = append(append(out, dropped(more...)...), of.finishSplits()...)
		if b.plan.Waterfall { // which asks for the members of one value
			tables = slices.DeleteFunc(tables, func(name string) bool { return name == b.memberTable(s) })
		}
		out = append(out, dropped(tables...)...)
	}
	for _, n := range b.keptForSegments() {
		out = append(out, dropped(b.splitRows(n))...)
	}
	return slices.Concat(out, dropped(b.capTables()...), dropped(b.splitValueTables()...))
}

// segmentMembers are the values that exposed units have.
func (b *builder) segmentMembers(s *EventSegment) sqlast.Select {
	var members sqlast.Union
	add := func(from sqlast.From, value, where sqlast.Expr) {
		members = append(members, sqlast.Select{
			Items: []sqlast.Item{item(rowID(), colUnit), item(col("x", colExperiment), colExperiment), item(value, colPart)},
			From:  from, Where: all(where, notNull(value), oneOf(col("x", colExperiment), s.Experiments)),
		})
	}
	if s.Segment.Exposure != "" {
		add(sqlast.Table{Name: b.table("exposure"), Alias: "x"}, col("x", attributeColumn(s.Segment.Exposure)), b.isExposed(col("x", colDropped)))
	}
	for _, n := range s.members {
		add(b.joined(b.splitRows(n)), col("u", colPart), nil)
	}
	return sqlast.Select{
		With:     []sqlast.CTE{{Name: "value", Query: unionOf(members)}},
		Distinct: true, From: sqlast.Table{Name: "value"},
		Items: named([]sqlast.Item{{As: colUnit}, {As: colExperiment}, {As: colPart}}),
	}
}

// segmentLabels ranks the values by units, over all variations, ties by text.
func (b *builder) segmentLabels(s *EventSegment) sqlast.Select {
	counted := sqlast.Select{
		Items:   []sqlast.Item{item(col("", colExperiment), colExperiment), item(col("", colPart), colPart), item(countStar(), "units")},
		From:    sqlast.Table{Name: b.memberTable(s)},
		GroupBy: []sqlast.Expr{col("", colExperiment), col("", colPart)},
	}
	return sqlast.Select{
		With:  []sqlast.CTE{{Name: "counted", Query: counted}, {Name: "ranked", Query: rankedValues(colPart, "units")}},
		Items: []sqlast.Item{item(col("", colExperiment), colExperiment), item(col("", colPart), colPart), item(labelOfRank(colPart, maxSegmentValues), "label")},
		From:  sqlast.Table{Name: "ranked"},
	}
}

// labels are the labels l of values, and the condition that they are those of a value.
func (b *builder) labels(s *EventSegment, experiment, value sqlast.Expr) (sqlast.From, sqlast.Expr) {
	return sqlast.Table{Name: b.segmentTable("label", s), Alias: "l"},
		sqlast.And{compare(sqlast.Eq, col("l", colExperiment), experiment), compare(sqlast.Eq, col("l", colPart), value)}
}

// segmentParts are the exposures of units, once for each value that they have.
func (b *builder) segmentParts(s *EventSegment) sqlast.Select {
	member := sqlast.Table{Name: b.memberTable(s), Alias: "m"}
	labels, same := b.labels(s, col("m", colExperiment), col("m", colPart))
	some := sqlast.Select{Distinct: true,
		Items: []sqlast.Item{item(col("m", colUnit), colUnit), item(col("l", "label"), "label")},
		From:  sqlast.Join{L: member, R: labels, On: same}}
	without := sqlast.Select{
		Items: []sqlast.Item{item(rowID(), colUnit), item(sqlast.Text(metrics.None), "label")},
		From: sqlast.Join{Kind: sqlast.LeftJoin, L: sqlast.Table{Name: b.table("exposure"), Alias: "x"}, R: member,
			On: compare(sqlast.Eq, col("m", colUnit), rowID())},
		Where: all(isNull(col("m", colUnit)), b.isExposed(col("x", colDropped)), oneOf(col("x", colExperiment), s.Experiments)),
	}
	out := sqlast.Select{
		With:  []sqlast.CTE{{Name: "parts", Query: sqlast.Union{some, without}}},
		Items: []sqlast.Item{item(col("p", "label"), partColumn(s.Segment.Key)), item(col("p", colUnit), colOfUnit)},
		From: sqlast.Join{L: sqlast.Table{Name: "parts", Alias: "p"}, R: sqlast.Table{Name: b.table("exposure"), Alias: "x"},
			On: compare(sqlast.Eq, rowID(), col("p", colUnit))},
	}
	for _, name := range b.exposureColumns() {
		out.Items = append(out.Items, item(col("x", name), name))
	}
	return out
}

// rowsInSegment are the kept rows of a measure with the value that they count for.
func (b *builder) rowsInSegment(s *EventSegment, n *Measure) sqlast.Select {
	labels, same := b.labels(s, col("x", colExperiment), col("u", colPart))
	out := sqlast.Select{
		Items: []sqlast.Item{item(col("u", colUnit), colUnit), item(call(sqlast.Coalesce, col("l", "label"), sqlast.Text(metrics.None)), "label")},
		From:  sqlast.Join{Kind: sqlast.LeftJoin, L: b.joined(b.splitRows(s.rows[n])), R: labels, On: same},
	}
	for _, name := range n.listedFields() {
		if name != colPart {
			out.Items = append(out.Items, item(col("u", name), name))
		}
	}
	return out
}

// segmentEvents are the rows of each part of a unit, as the pass over the events
// makes them of units.
func (b *builder) segmentEvents(s *EventSegment, of *builder) sqlast.Select {
	var measures []*Measure
	for _, n := range s.Plan.measures() {
		if n.SplitBy == "" {
			measures = append(measures, n)
		}
	}
	out := b.partEvents(of, measures, partColumn(s.Segment.Key), func(n *Measure) sqlast.Select { return b.rowsInSegment(s, n) })
	for _, n := range of.keptForSplits() { // their rows are in tables of their own
		out.Items = append(out.Items, item(sqlast.Int(0), rowsColumn(n)))
	}
	return out
}

// segmentRows are the rows of parts of units that are split further, one by one.
func (b *builder) segmentRows(s *EventSegment, of *builder, n *Measure) sqlast.Select {
	out := sqlast.Select{
		Items: []sqlast.Item{item(call(sqlast.RowID, sqlast.Column{Table: "p"}), colUnit)},
		From:  of.withParts(b.rowsInSegment(s, n), partColumn(s.Segment.Key)),
	}
	for _, name := range n.listedFields() {
		if name != colPart {
			out.Items = append(out.Items, item(col("r", name), name))
		}
	}
	return out
}
