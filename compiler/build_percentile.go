package compiler

import (
	"fmt"
	"math/big"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// A percentile is found among the numbers of all units: how many there are of
// each number, by segment value, then the order statistics on both sides of the
// position of the percentile and of the bounds of its interval (semantics 6).
// Interpolation is done with exact numbers where the results are read.

// percentileOf is the percentile that a metric is of; nil for means.
func percentileOf(em *metrics.ExperimentMetric) *Percentile {
	if !em.Metric.IsPercentile() {
		return nil
	}
	s := em.Metric.Statistic.V
	percent, ok := new(big.Rat).SetString(s[1:])
	if !ok {
		panic("compiler: no percentile " + s)
	}
	opt := stats.OptionsOf(em.Analysis)
	return &Percentile{Share: percent.Quo(percent, big.NewRat(100, 1)), Z: stats.PercentileZ(opt.Alpha)}
}

// percentileSide is a number of units that a percentile is of.
type percentileSide struct {
	tally *Tally
	x     sqlast.Expr // after caps
	// counted says which units with rows for any metric count, waited for which
	// of them it is time; nil: all.
	counted, waited sqlast.Expr
}

// percentile are the statements that find a percentile of units.
func (b *builder) percentile(p percentileSide) []Statement {
	keys := named(b.cellKeys(""))
	values := sqlast.Union{{
		Items:   append(named(keys), item(p.x, "x"), item(countStar(), "units")),
		From:    sqlast.Table{Name: b.table(cappedNumbers)},
		Where:   all(p.counted, notNull(p.x)),
		GroupBy: append(expressions(keys), p.x),
	}}
	if !p.tally.Exclude {
		values = append(values, b.absentUnits(p)...)
	}
	cell := b.table("numbers of " + p.tally.Name)
	counted := sqlast.Select{
		Why:     "how many units have each number",
		With:    []sqlast.CTE{{Name: "value", Query: unionOf(values)}},
		Items:   append(named(keys), item(col("", "x"), "x"), item(aggregate(sqlast.Sum, col("", "units")), "units")),
		From:    sqlast.Table{Name: "value"},
		GroupBy: append(expressions(keys), col("", "x")),
	}
	return append([]Statement{
		{Name: cell, Why: "how many units have each number of " + p.tally.Name, SQL: sqlast.CreateTable{Name: cell, Query: counted}},
		b.percentileResult(p.tally, cell, ""),
	}, dropped(cell)...)
}

// absentUnits are the units without rows for any metric, by cell: those for
// whom it is time, less those that are there.
func (b *builder) absentUnits(p percentileSide) []sqlast.Select {
	waited := "units"
	if len(p.tally.Waits) > 0 {
		waited = WaitColumn(p.tally.Waits)
	}
	x := literal(p.tally.WithoutX)
	of := func(table, alias string) sqlast.From { return sqlast.Table{Name: b.table(table), Alias: alias} }
	exposed, there := of("exposure_cell", "v"), of(cappedNumbers, "v")
	if caps := p.tally.X.Caps; caps.distributed() {
		c := capOf{tally: p.tally, term: stats.X}
		x = cappedLiteral(c, x)
		join := func(from sqlast.From) sqlast.From {
			return sqlast.Join{Kind: sqlast.LeftJoin, L: from, R: sqlast.Table{Name: b.capTable(c), Alias: "k"}, On: compare(sqlast.Eq, col("k", colExperiment), col("v", colExperiment))}
		}
		exposed, there = join(exposed), join(there)
	}
	var keys []sqlast.Item
	for _, it := range b.cellKeys("") {
		keys = append(keys, item(col("v", it.As), it.As))
	}
	group := expressions(keys)
	if _, constant := x.(sqlast.Int); !constant {
		group = append(group, x)
	}
	from := func(source sqlast.From, where, units sqlast.Expr) sqlast.Select {
		items := append([]sqlast.Item{}, keys...)
		return sqlast.Select{Items: append(items, item(x, "x"), item(units, "units")), From: source, Where: where, GroupBy: group}
	}
	return []sqlast.Select{
		from(exposed, isNull(col("v", colDropped)), aggregate(sqlast.Sum, col("v", waited))),
		from(there, p.waited, sqlast.Negative{X: countStar()}),
	}
}

// cappedLiteral is a number after the caps that were found, from the table of
// caps k.
func cappedLiteral(c capOf, x sqlast.Expr) sqlast.Expr {
	caps := c.value().Caps
	out := sqlast.Case{Else: x}
	if caps.IgnoreZeros {
		out.Whens = append(out.Whens, sqlast.When{If: compare(sqlast.Eq, x, sqlast.Int(0)), Then: x})
	}
	bound := func(op sqlast.Op, fixed *big.Int, name string) {
		limit := sqlast.Expr(col("k", name))
		if fixed != nil {
			limit = literal(fixed)
		}
		out.Whens = append(out.Whens, sqlast.When{If: compare(op, x, limit), Then: limit})
	}
	if caps.Upper != nil || caps.UpperShare != nil {
		bound(sqlast.Greater, caps.Upper, "upper")
	}
	if caps.Lower != nil || caps.LowerShare != nil {
		bound(sqlast.Less, caps.Lower, "lower")
	}
	return out
}

// The places of order statistics.
var percentilePlaces = []string{"value", "lower", "upper"}

// orderStatistics finds those of a table of counted numbers, over everybody and
// by segment: for each place the number below and the one above, and for the
// bounds the position between them. With clusters, a table of the numbers of
// each unit's groups, the share varies as that of a ratio.
func (b *builder) orderStatistics(cell, clusters string, p *Percentile) sqlast.Select {
	placed := b.bySegment(cell, "", nil, []sqlast.Item{item(col("c", "x"), "x")}, []sqlast.Item{sumOf("units")})
	placed.OrderBy = nil
	keys := placeKeys("")
	n := sqlast.Cast{X: col("", "n"), To: bigint}
	ordered := sqlast.Select{
		Items: append(named(keys), item(col("", "x"), "x"),
			item(sqlast.Running{Fn: sqlast.Sum, X: col("", "units"), PartitionBy: expressions(keys), OrderBy: []sqlast.Order{{X: col("", "x")}}}, "upto"),
			item(sqlast.Running{Fn: sqlast.Sum, X: col("", "units"), PartitionBy: expressions(keys)}, "n")),
		From:  sqlast.Table{Name: "placed"},
		Where: compare(sqlast.Greater, col("", "units"), sqlast.Int(0)),
	}
	last := compare(sqlast.Sub, n, sqlast.Int(1))
	steps := compare(sqlast.IntDiv, compare(sqlast.Mul, last, literal(p.Share.Num())), literal(p.Share.Denom()))
	share, _ := p.Share.Float64()
	with := []sqlast.CTE{{Name: "placed", Query: placed}, {Name: "ordered", Query: ordered}}
	asDouble := func(x sqlast.Expr) sqlast.Expr { return sqlast.Cast{X: x, To: double} }
	spread := call(sqlast.Sqrt, compare(sqlast.Div, sqlast.Float(share*(1-share)), asDouble(col("", "n"))))
	var from sqlast.From = sqlast.Table{Name: "ordered"}
	if clusters != "" {
		with = append(with, b.clusterSpread(clusters, steps)...)
		spread = call(sqlast.Coalesce, col("", "spread"), sqlast.Float(0))
		from = sqlast.Join{Kind: sqlast.LeftJoin, L: sqlast.Table{Name: "ordered", Alias: "o"}, R: sqlast.Table{Name: "cluster_spread", Alias: "s"}, On: samePlace("o", "s")}
		keys = placeKeys("o")
	}
	half := compare(sqlast.Mul, sqlast.Float(p.Z), spread)
	at := func(op sqlast.Op) sqlast.Expr {
		bounded := call(sqlast.Least, sqlast.Float(1), call(sqlast.Greatest, sqlast.Float(0), compare(op, sqlast.Float(share), half)))
		return compare(sqlast.Mul, asDouble(last), bounded)
	}
	located := sqlast.Select{
		Items: append(keys, item(col("", "x"), "x"), item(col("", "upto"), "upto"), item(n, "n"),
			item(steps, "value at"), item(at(sqlast.Sub), "lower at"), item(at(sqlast.Add), "upper at")),
		From: from,
	}
	keys = placeKeys("")
	out := sqlast.Select{
		Why:     fmt.Sprintf("order statistics at %s", p.Share.FloatString(4)),
		With:    append(with, sqlast.CTE{Name: "located", Query: located}),
		Items:   append(named(keys), item(aggregate(sqlast.Max, col("", "n")), "n")),
		From:    sqlast.Table{Name: "located"},
		GroupBy: expressions(keys),
	}
	for _, place := range percentilePlaces {
		position := sqlast.Expr(sqlast.Cast{X: call(sqlast.Floor, col("", place+" at")), To: bigint})
		if place == "value" {
			position = col("", place+" at")
		}
		first := compare(sqlast.Add, position, sqlast.Int(1))
		second := call(sqlast.Least, compare(sqlast.Add, position, sqlast.Int(2)), col("", "n"))
		number := func(position sqlast.Expr) sqlast.Expr {
			return aggregate(sqlast.Min, when(compare(sqlast.GreaterEq, col("", "upto"), position), col("", "x")))
		}
		out.Items = append(out.Items, item(number(first), place+" below"), item(number(second), place+" above"))
	}
	out.Items = append(out.Items, item(aggregate(sqlast.Max, col("", "lower at")), "lower at"), item(aggregate(sqlast.Max, col("", "upper at")), "upper at"))
	for _, k := range keys {
		out.OrderBy = append(out.OrderBy, sqlast.Order{X: k.X})
	}
	return out
}

// placeKeys are the columns of a place: a segment value of a variation.
func placeKeys(table string) []sqlast.Item {
	var out []sqlast.Item
	for _, name := range []string{colExperiment, colVariation, "segment", "segment_value"} {
		out = append(out, item(col(table, name), name))
	}
	return out
}

func samePlace(a, b string) sqlast.Expr {
	var on sqlast.And
	for _, it := range placeKeys("") {
		on = append(on, compare(sqlast.Eq, col(a, it.As), col(b, it.As)))
	}
	return on
}

// clusterSpread is the standard error of the share of the numbers up to the
// percentile, for numbers that belong to units: the delta method over units,
// √(c/(c−1)·Σ(i − s·n)²)/Σn, with c units, n numbers of a unit, i of them up to
// the percentile, s = Σi/Σn (Deng et al. 2018, section 4).
func (b *builder) clusterSpread(clusters string, steps sqlast.Expr) []sqlast.CTE {
	first := compare(sqlast.Add, steps, sqlast.Int(1))
	found := sqlast.Select{
		Items: append(placeKeys(""), item(aggregate(sqlast.Min, when(compare(sqlast.GreaterEq, col("", "upto"), first), col("", "x"))), "percentile")),
		From:  sqlast.Table{Name: "ordered"}, GroupBy: expressions(placeKeys("")),
	}
	placed := b.bySegment(clusters, "", nil, []sqlast.Item{item(col("c", colUnit), colUnit), item(col("c", "x"), "x")}, []sqlast.Item{sumOf("units")})
	placed.OrderBy = nil
	upto := when(compare(sqlast.LessEq, col("g", "x"), col("f", "percentile")), col("g", "units"))
	ofUnit := sqlast.Select{
		Items: append(placeKeys("g"),
			item(sqlast.Cast{X: aggregate(sqlast.Sum, col("g", "units")), To: double}, "n"),
			item(sqlast.Cast{X: call(sqlast.Coalesce, aggregate(sqlast.Sum, upto), sqlast.Int(0)), To: double}, "i")),
		From:    sqlast.Join{L: sqlast.Table{Name: "group_placed", Alias: "g"}, R: sqlast.Table{Name: "percentile_found", Alias: "f"}, On: samePlace("g", "f")},
		GroupBy: append(expressions(placeKeys("g")), col("g", colUnit)),
	}
	product := func(a, b string) sqlast.Expr {
		return aggregate(sqlast.Sum, compare(sqlast.Mul, col("", a), col("", b)))
	}
	sum := func(a string) sqlast.Expr { return aggregate(sqlast.Sum, col("", a)) }
	sums := sqlast.Select{
		Items: append(placeKeys(""), item(sqlast.Cast{X: countStar(), To: double}, "c"), item(sum("n"), "n"), item(sum("i"), "i"),
			item(product("n", "n"), "nn"), item(product("i", "n"), "in"), item(product("i", "i"), "ii")),
		From: sqlast.Table{Name: "of_unit"}, GroupBy: expressions(placeKeys("")),
	}
	mul := func(a, b sqlast.Expr) sqlast.Expr { return compare(sqlast.Mul, a, b) }
	share := compare(sqlast.Div, col("", "i"), col("", "n"))
	squares := compare(sqlast.Add, compare(sqlast.Sub, col("", "ii"), mul(mul(sqlast.Float(2), share), col("", "in"))), mul(mul(share, share), col("", "nn")))
	factor := compare(sqlast.Div, col("", "c"), call(sqlast.NullIf, compare(sqlast.Sub, col("", "c"), sqlast.Float(1)), sqlast.Float(0)))
	spread := compare(sqlast.Div, call(sqlast.Sqrt, call(sqlast.Greatest, sqlast.Float(0), mul(factor, squares))), col("", "n"))
	return []sqlast.CTE{
		{Name: "percentile_found", Query: found},
		{Name: "group_placed", Query: placed},
		{Name: "of_unit", Query: ofUnit},
		{Name: "cluster_sums", Query: sums},
		{Name: "cluster_spread", Query: sqlast.Select{Items: append(placeKeys(""), item(spread, "spread")), From: sqlast.Table{Name: "cluster_sums"}}},
	}
}

// keepGroups are the statements that keep the numbers of the groups of pass i,
// for percentiles over groups.
func (b *builder) keepGroups(i int) []Statement {
	var out []Statement
	for _, t := range b.groupPercentiles() {
		keys := b.cellKeys("x")
		groups := countStar()
		if d := t.Percentile.Groups; d.Groups.byRow() && d.Groups.Measure.weighted() {
			groups = aggregate(sqlast.Sum, col("g", colTimes))
		}
		group := append(expressions(keys), col("g", colUnit), col("g", "x"))
		query := sqlast.Select{
			Why:     "how many groups of each unit have each number",
			Items:   append(keys, item(col("g", colUnit), colUnit), item(col("g", "x"), "x"), item(groups, "units")),
			From:    sqlast.Join{L: sqlast.Table{Name: b.groupTable(t.Percentile.Groups), Alias: "g"}, R: sqlast.Table{Name: b.table("exposure"), Alias: "x"}, On: compare(sqlast.Eq, rowID(), col("g", colUnit))},
			Where:   all(notNull(col("g", "x")), allOver(t.Waits, "x")),
			GroupBy: group,
		}
		name, why := b.keptGroups(t), "numbers of groups, kept until those of all units are known"
		if i > 0 {
			out = append(out, Statement{Name: name, Why: why, SQL: sqlast.InsertInto{Name: name, Query: query}})
			continue
		}
		out = append(out, Statement{Name: name, Why: why, SQL: sqlast.CreateTable{Name: name, Query: query}})
	}
	return out
}

func (b *builder) groupPercentiles() []*Tally {
	var out []*Tally
	for _, t := range b.plan.Tallies {
		if t.Percentile != nil && t.Percentile.Groups != nil {
			out = append(out, t)
		}
	}
	return out
}

func (b *builder) keptGroups(t *Tally) string { return b.table("kept_groups of " + t.Name) }

// groupTable is the table of the numbers of groups.
func (b *builder) groupTable(d *Derived) string { return b.table("groups of " + d.Name) }

// finishGroups finds the percentiles over groups.
func (b *builder) finishGroups() []Statement {
	var out []Statement
	for _, t := range b.groupPercentiles() {
		cell, keys := b.table("numbers of "+t.Name), named(b.cellKeys(""))
		counted := sqlast.Select{
			Why:     "how many groups have each number",
			Items:   append(named(keys), item(col("", "x"), "x"), item(aggregate(sqlast.Sum, col("", "units")), "units")),
			From:    sqlast.Table{Name: b.keptGroups(t)},
			GroupBy: append(expressions(keys), col("", "x")),
		}
		out = append(out,
			Statement{Name: cell, Why: "how many groups have each number of " + t.Name, SQL: sqlast.CreateTable{Name: cell, Query: counted}},
			b.percentileResult(t, cell, b.keptGroups(t)))
		out = append(out, dropped(cell, b.keptGroups(t))...)
	}
	return out
}
