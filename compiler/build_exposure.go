package compiler

import (
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// maxSegmentValues is how many values of a segment are kept; the rest is (other).
const maxSegmentValues = 50

// exposures are the statements that find who was exposed to what and when.
func (b *builder) exposures() []Statement {
	var out, after []Statement
	for _, s := range b.plan.Impressions {
		if len(s.ID) == 0 {
			continue
		}
		rows, twins := b.impressionTables(s)
		out = append(out,
			Statement{Name: rows, Why: "impressions that can match, kept to find copies among them",
				SQL: sqlast.CreateTable{Name: rows, Query: b.impressionRows(s)}},
			Statement{Name: twins, Why: "which of them may be copies of each other",
				SQL: sqlast.CreateTable{Name: twins, Query: copies(rows)}})
		after = append(after, dropped(rows, twins)...)
	}
	if b.plan.Kept != nil {
		out = append(out, Statement{Name: b.shownTable(), Why: "the impressions of the experiments, kept because metrics count them, from one pass over the impressions",
			SQL: sqlast.CreateTable{Name: b.shownTable(), Query: b.keptQuery()}})
	}
	stages := b.stages()
	first := stages[0]
	out = append(out, Statement{Name: first.table("exposure"), Why: "one row for each unit and experiment, from one pass over the impressions",
		SQL: sqlast.CreateTable{Name: first.table("exposure"), Query: first.exposureQuery()}})
	out = append(out, after...)
	if b.plan.Identity != nil {
		out = append(out, b.identities(first.table("exposure"))...)
	}
	for i, to := range stages[1:] {
		out = append(out, b.advance(stages[i], to)...)
	}
	if slices.ContainsFunc(b.segments(), func(key string) bool { return len(b.segmented(key, Segment.isLong)) > 0 }) {
		out = append(out, Statement{Name: b.table("segment_value"), Why: "the most frequent values of each segment; the others are (other)",
			SQL: sqlast.CreateTable{Name: b.table("segment_value"), Query: b.segmentValues()}})
	}
	out = append(out, Statement{Name: b.table("exposure_cell"), Why: "units by experiment, variation, day of exposure and segment values",
		SQL: sqlast.CreateTable{Name: b.table("exposure_cell"), Query: b.exposureCells()}})
	return append(out, b.exposureResults()...)
}

// instants gives the earliest start and the latest end of impressions.
func (b *builder) instants(s *Source) (from, to time.Time) {
	for _, x := range b.everyExperiment() {
		if !slices.Contains(x.Sources, s) {
			continue
		}
		if from.IsZero() || x.Starts.Before(from) {
			from = x.Starts
		}
		if to.IsZero() || x.Ends.After(to) {
			to = x.Ends
		}
	}
	return from, to
}

// uses reports whether some experiment does.
func (b *builder) uses(f func(*ExperimentPlan) bool) bool {
	return slices.ContainsFunc(b.plan.Experiments, f)
}

// everyExperiment are the experiments whose impressions are read.
func (b *builder) everyExperiment() []*ExperimentPlan {
	return slices.Concat(b.plan.Experiments, b.plan.Others)
}

func keepsEach(x *ExperimentPlan) bool { return x.Def.Multiple.V == metrics.MultipleEach }

func excludesUnits(x *ExperimentPlan) bool { return len(x.Def.ExcludeUnitsIn) > 0 }

func keepsFirst(x *ExperimentPlan) bool { return x.Def.Multiple.V == metrics.MultipleFirst }

func (b *builder) exposureQuery() sqlast.Select {
	var with []sqlast.CTE
	if b.plan.Kept == nil {
		with = b.shownImpressions()
	}
	with = append(with, sqlast.CTE{Name: "unit", Query: b.unitsShown()})
	if b.uses(keepsEach) {
		with = append(with, sqlast.CTE{Name: "whole", Query: b.wholeUnits()})
	}
	if b.uses(excludesUnits) {
		with = append(with,
			sqlast.CTE{Name: "excluding", Columns: []string{colExperiment, "other"}, Query: b.excluding()},
			sqlast.CTE{Name: "elsewhere", Query: b.elsewhere()})
	}
	for _, s := range b.traitTables() {
		with = append(with, sqlast.CTE{Name: traitTable(s), Query: b.traits(s)})
	}
	with = append(with,
		sqlast.CTE{Name: "period", Columns: []string{colExperiment, colObserveUntil, colWindowsUntil}, Query: b.periods()},
		sqlast.CTE{Name: "name", Columns: []string{colExperiment, "position", colVariation}, Query: b.names()},
	)
	if len(b.plan.Assigned) > 0 {
		with = append(with, sqlast.CTE{Name: "assigned", Query: b.assigned()})
	}
	unit := func(name string) sqlast.Expr { return col("u", name) }
	items := []sqlast.Item{
		item(unit(colUnitID), colUnitID),
		item(unit(colExperiment), colExperiment),
		item(col("n", colVariation), colVariation),
		item(b.firstTime(), colExposedAt),
		item(col("p", colObserveUntil), colObserveUntil),
		item(col("p", colWindowsUntil), colWindowsUntil),
		item(b.ofWhole(colImpressions), colImpressions),
		item(unit("unknown_variation"), "unknown_variation"),
		item(b.severalOnce(), colSeveral),
	}
	for _, name := range b.lostColumns() {
		items = append(items, item(unit(name), name))
	}
	items = append(items, b.windowColumns(b.firstTime())...)
	for _, a := range b.plan.Attributes {
		items = append(items, item(b.exposedAttribute(a), attributeColumn(a)))
	}
	for _, name := range b.plan.Traits {
		items = append(items, item(b.trait(name), traitColumn(name)))
	}
	for i, key := range b.plan.Assigned {
		items = append(items, item(col(assignedAlias(i), colVariation), assignedColumn(key)))
	}
	items = append(items, sqlast.Item{X: b.dropped(), As: colDropped, Why: "why the unit is left out; NULL where it is not"})
	var from sqlast.From = sqlast.Join{L: sqlast.Table{Name: "unit", Alias: "u"}, R: sqlast.Table{Name: "period", Alias: "p"},
		On: compare(sqlast.Eq, col("p", colExperiment), unit(colExperiment))}
	lookup := func(table, alias string, more sqlast.Expr) {
		from = sqlast.Join{Kind: sqlast.LeftJoin, L: from, R: sqlast.Table{Name: table, Alias: alias},
			On: sqlast.And{compare(sqlast.Eq, col(alias, colExperiment), unit(colExperiment)), more}}
	}
	lookup("name", "n", compare(sqlast.Eq, col("n", "position"), b.positionIn("first")))
	if b.uses(keepsEach) {
		lookup("whole", "w", compare(sqlast.Eq, col("w", colUnitID), unit(colUnitID)))
	}
	if b.uses(excludesUnits) {
		lookup("elsewhere", "e", compare(sqlast.Eq, col("e", colUnitID), unit(colUnitID)))
	}
	for i, s := range b.traitTables() {
		a := traitAlias(i)
		lookup(traitTable(s), a, sqlast.And{compare(sqlast.Eq, col(a, colUnitID), unit(colUnitID)), compare(sqlast.Eq, col(a, "first"), unit("first"))})
	}
	for i, key := range b.plan.Assigned {
		a := assignedAlias(i)
		from = sqlast.Join{Kind: sqlast.LeftJoin, L: from, R: sqlast.Table{Name: "assigned", Alias: a},
			On: sqlast.And{compare(sqlast.Eq, col(a, colUnitID), unit(colUnitID)), compare(sqlast.Eq, col(a, colExperiment), sqlast.Text(key))}}
	}
	return sqlast.Select{
		Why:   "the exposure of a unit is its first impression in the experiment",
		With:  with,
		Items: items,
		From:  from,
	}
}

// lostColumns are the counts of impressions that some sources can lose.
func (b *builder) lostColumns() []string {
	var out []string
	if b.someHoldback() {
		out = append(out, "holdback")
	}
	if b.someID() {
		out = append(out, "duplicate")
	}
	return out
}

func unionOf(list sqlast.Union) sqlast.Query {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func (b *builder) exposedAttribute(name string) sqlast.Expr {
	return sqlast.Field{X: col("u", attributeColumn(name)), Name: "value"}
}

// dropped is the reason why a unit is left out, in the order of semantics 3.
func (b *builder) dropped() sqlast.Expr {
	c := sqlast.Case{Whens: []sqlast.When{
		{If: compare(sqlast.Eq, col("u", colImpressions), sqlast.Int(0)), Then: sqlast.Text("no_impression")},
	}}
	drop := func(cond sqlast.Expr, reason string) {
		c.Whens = append(c.Whens, sqlast.When{If: cond, Then: sqlast.Text(reason)})
	}
	if !b.uses(keepsFirst) && !b.uses(keepsEach) {
		// Every experiment leaves units in several variations out: one condition says it.
		drop(b.several(), "several_variations")
	} else {
		for _, x := range b.plan.Experiments {
			switch {
			case keepsFirst(x):
				// first keeps the exposure's variation, unless the first instant itself shows two.
				drop(all(b.isExperiment(x), b.tiedAtFirst()), "several_variations")
			case !keepsEach(x):
				drop(all(b.isExperiment(x), b.several()), "several_variations")
			}
		}
	}
	if b.uses(excludesUnits) {
		drop(notNull(col("e", colUnitID)), "other_experiment")
	}
	for _, x := range b.plan.Experiments {
		if x.Audience == nil {
			continue
		}
		scope := &audienceScope{column: func(r Ref) sqlast.Expr {
			if r.Kind == RefUnit {
				return b.trait(r.Name)
			}
			return b.exposedAttribute(r.Name)
		}}
		in := call(sqlast.Coalesce, x.Audience.Condition(scope), sqlast.Bool(false))
		drop(all(b.isExperiment(x), sqlast.Not{X: in}), "audience")
	}
	for _, x := range b.plan.Experiments {
		if last := x.Def.LastPhase(); last != nil {
			drop(all(b.isExperiment(x), compare(sqlast.Less, b.firstTime(), sqlast.Timestamp(last.Start.V))), "phase")
		}
	}
	return c
}

// several says whether a unit was seen in several variations.
func (b *builder) several() sqlast.Expr {
	return compare(sqlast.NotEq, b.ofWhole("smallest"), b.ofWhole("largest"))
}

// severalOnce says so in one of the exposures of a unit, the first.
func (b *builder) severalOnce() sqlast.Expr {
	if !b.uses(keepsEach) {
		return b.several()
	}
	return sqlast.And{b.several(), compare(sqlast.Eq, col("u", "first"), b.ofWhole("first"))}
}

// ofWhole is a column of a unit, over all its variations.
func (b *builder) ofWhole(name string) sqlast.Expr {
	if !b.uses(keepsEach) {
		return col("u", name)
	}
	return call(sqlast.Coalesce, col("w", name), col("u", name))
}

// wholeUnits puts together the units that have an exposure for each variation.
func (b *builder) wholeUnits() sqlast.Select {
	c := func(name string) sqlast.Expr { return col("", name) }
	return sqlast.Select{
		Why: "what each unit saw over all its variations, where each has an exposure of its own",
		Items: []sqlast.Item{
			item(c(colUnitID), colUnitID), item(c(colExperiment), colExperiment),
			item(aggregate(sqlast.Min, c("first")), "first"),
			item(aggregate(sqlast.Min, c("smallest")), "smallest"),
			item(aggregate(sqlast.Max, c("largest")), "largest"),
			item(aggregate(sqlast.Sum, c(colImpressions)), colImpressions),
		},
		From:    sqlast.Table{Name: "unit"},
		Where:   oneOf(c(colExperiment), b.withEach()),
		GroupBy: []sqlast.Expr{c(colUnitID), c(colExperiment)},
	}
}

// withEach are the experiments with an exposure for each variation.
func (b *builder) withEach() []string {
	var out []string
	for _, x := range b.plan.Experiments {
		if keepsEach(x) {
			out = append(out, x.Def.Key.V)
		}
	}
	return out
}

// excluding says whose units an experiment leaves out.
func (b *builder) excluding() sqlast.Values {
	var rows sqlast.Values
	for _, x := range b.plan.Experiments {
		for _, other := range x.Def.ExcludeUnitsIn {
			rows = append(rows, []sqlast.Expr{sqlast.Text(x.Def.Key.V), sqlast.Text(other.V)})
		}
	}
	return rows
}

// elsewhere are the units that an experiment leaves out because they have an
// impression in another.
func (b *builder) elsewhere() sqlast.Select {
	return sqlast.Select{
		Why:      "units with an impression in an experiment that excludes them from another",
		Distinct: true,
		Items:    []sqlast.Item{item(col("s", colUnitID), colUnitID), item(col("m", colExperiment), colExperiment)},
		From: sqlast.Join{L: sqlast.Table{Name: "unit", Alias: "s"}, R: sqlast.Table{Name: "excluding", Alias: "m"},
			On: compare(sqlast.Eq, col("m", "other"), col("s", colExperiment))},
		Where: compare(sqlast.Greater, col("s", colImpressions), sqlast.Int(0)),
	}
}

func (b *builder) isExperiment(x *ExperimentPlan) sqlast.Expr {
	if len(b.plan.Experiments) == 1 {
		return nil
	}
	return compare(sqlast.Eq, col("u", colExperiment), sqlast.Text(x.Def.Key.V))
}

func sameExpr(a, b sqlast.Expr) bool { return sqlast.Equal(a, b) }

// positionOf is the rank of a variation's key by bytes, from 1.
func positionOf(e *metrics.Experiment, key string) int {
	n := 1
	for _, v := range e.Variations {
		if v.Key.V < key {
			n++
		}
	}
	return n
}

// noPosition is the position of no variation.
var noPosition = sqlast.Null{Type: sqlast.Type{Kind: sqlast.Integer}}

// variations maps what impressions show to the positions of variations.
func (b *builder) variations() sqlast.Values {
	var rows sqlast.Values
	for _, x := range b.everyExperiment() {
		e := x.Def
		for _, v := range e.Variations {
			for _, m := range v.Match {
				if !m.JSON {
					rows = append(rows, []sqlast.Expr{sqlast.Text(e.Key.V), sqlast.Text(m.Text), sqlast.Int(int64(positionOf(e, v.Key.V))), sqlast.Bool(false)})
				}
			}
		}
		for _, v := range e.IgnoreVariations {
			rows = append(rows, []sqlast.Expr{sqlast.Text(e.Key.V), sqlast.Text(v.V), noPosition, sqlast.Bool(true)})
		}
	}
	if len(rows) == 0 { // JSON values alone are matched; a relation without rows cannot be written
		none := sqlast.Null{Type: sqlast.Type{Kind: sqlast.Varchar}}
		rows = sqlast.Values{{none, none, noPosition, sqlast.Bool(false)}}
	}
	return rows
}

func (b *builder) periods() sqlast.Values {
	var rows sqlast.Values
	for _, x := range b.plan.Experiments {
		rows = append(rows, []sqlast.Expr{sqlast.Text(x.Def.Key.V), sqlast.Timestamp(x.ObserveUntil), sqlast.Timestamp(x.WindowsUntil)})
	}
	return rows
}

// An instant and the position of a variation are kept as one whole number,
// microseconds times positions() plus the position: the smallest is the first
// instant and, of several variations there, the one with the smallest key.

// positions is more than the number of variations of any experiment, a power of ten.
func (b *builder) positions() int64 {
	n := int64(10)
	for _, x := range b.everyExperiment() {
		for int64(len(x.Def.Variations)) >= n {
			n *= 10
		}
	}
	return n
}

func (b *builder) packed(position sqlast.Expr) sqlast.Expr {
	micros := compare(sqlast.Mul, call(sqlast.TimeToMicros, col("", "ts")), sqlast.Int(b.positions()))
	return compare(sqlast.Add, micros, position)
}

// firstTime and firstPosition take the number apart again.
func (b *builder) firstTime() sqlast.Expr {
	return call(sqlast.MicrosToTime, compare(sqlast.IntDiv, col("u", "first"), sqlast.Int(b.positions())))
}

func (b *builder) positionIn(column string) sqlast.Expr {
	return call(sqlast.Mod, col("u", column), sqlast.Int(b.positions()))
}

// unitsShown groups impressions by unit and experiment. Each attribute is the
// smallest of {first, value}, which puts missing values last.
func (b *builder) unitsShown() sqlast.Select {
	c := func(name string) sqlast.Expr { return col("", name) }
	first := b.packed(c("position"))
	items := []sqlast.Item{
		item(c(colUnitID), colUnitID),
		item(c(colExperiment), colExperiment),
		{X: aggregate(sqlast.Min, first), As: "first", Why: "the first instant, and the variation there"},
	}
	if b.readsFirst() {
		last := b.packed(compare(sqlast.Sub, sqlast.Int(b.positions()-1), c("position")))
		items = append(items, sqlast.Item{X: aggregate(sqlast.Min, last), As: "tied", Why: "the first instant, and the last variation there"})
	}
	items = append(items,
		item(aggregate(sqlast.Min, c("position")), "smallest"),
		item(aggregate(sqlast.Max, c("position")), "largest"),
		item(aggregate(sqlast.Count, c("position")), colImpressions),
	)
	unknown := compare(sqlast.Sub, countStar(), aggregate(sqlast.Count, c("position")))
	if b.someHoldback() {
		holdback := aggregate(sqlast.Count, when(all(isNull(c("position")), c("is_holdback")), sqlast.Int(1)))
		unknown = compare(sqlast.Sub, unknown, holdback)
		items = append(items, item(holdback, "holdback"))
	}
	items = append(items, item(unknown, "unknown_variation"))
	if b.someID() {
		items = append(items, item(compare(sqlast.Sub, aggregate(sqlast.Sum, c("copies")), countStar()), "duplicate"))
	}
	for _, a := range b.plan.Attributes {
		v := sqlast.Struct{{Name: "first", X: first}, {Name: "value", X: c(attributeColumn(a))}}
		items = append(items, item(aggregate(sqlast.Min, when(notNull(c("position")), v)), attributeColumn(a)))
	}
	out := sqlast.Select{
		Why:     "one row for each unit and experiment",
		Items:   items,
		From:    sqlast.Table{Name: b.shownTable()},
		GroupBy: []sqlast.Expr{c(colUnitID), c(colExperiment)},
	}
	if b.uses(keepsEach) {
		out.Why = "one row for each unit and experiment, or for each of its variations"
		out.GroupBy = append(out.GroupBy, when(oneOf(c(colExperiment), b.withEach()), c("position")))
	}
	return out
}

func (b *builder) someHoldback() bool {
	return slices.ContainsFunc(b.plan.Impressions, func(s *Source) bool { return s.Holdback != nil })
}

func (b *builder) someID() bool {
	return slices.ContainsFunc(b.plan.Impressions, func(s *Source) bool { return len(s.ID) > 0 })
}

// tiedAtFirst says that the first instant of a unit shows two variations.
func (b *builder) tiedAtFirst() sqlast.Expr {
	return compare(sqlast.NotEq, compare(sqlast.Add, b.positionIn("first"), b.positionIn("tied")), sqlast.Int(b.positions()-1))
}

// names gives the keys of variations by their positions.
func (b *builder) names() sqlast.Values {
	var rows sqlast.Values
	for _, x := range b.everyExperiment() {
		if !slices.Contains(b.plan.Experiments, x) && !slices.Contains(b.plan.Assigned, x.Def.Key.V) {
			continue
		}
		for _, v := range x.Def.Variations {
			rows = append(rows, []sqlast.Expr{sqlast.Text(x.Def.Key.V), sqlast.Int(int64(positionOf(x.Def, v.Key.V))), sqlast.Text(v.Key.V)})
		}
	}
	return rows
}
