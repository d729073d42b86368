package compiler

import (
	"math"
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// Percentiles of parts of units do not add up to those of all. Where units are
// summed in parts, the numbers themselves are given in their place, from which
// the percentile of any of the parts together is found.

// windowWidth is how far from a percentile its numbers are kept as they are, in
// standard errors of the share beyond those of the bounds on both sides.
const windowWidth = 10

// percentileResult is the statement that finds a percentile in a table of
// counted numbers or, for parts of units, gives its numbers.
func (b *builder) percentileResult(t *Tally, cell, clusters string) Statement {
	switch {
	case b.buckets == 0:
		return Statement{Name: "percentile of " + t.Name, Why: "order statistics of " + t.Name, Result: ResultPercentiles, Tally: t,
			SQL: b.orderStatistics(cell, clusters, t.Percentile)}
	case clusters != "":
		return Statement{Name: "numbers in parts of " + t.Name, Why: "the numbers of " + t.Name, Result: ResultNumbers, Tally: t, SQL: b.groupNumbersInParts(clusters)}
	}
	return Statement{Name: "numbers in parts of " + t.Name, Why: "the numbers of " + t.Name, Result: ResultNumbers, Tally: t, SQL: b.unitNumbersInParts(cell, t.Percentile)}
}

// partKeys are the columns of a part of the units of a variation.
func partKeys() []sqlast.Item {
	return []sqlast.Item{item(col("", colExperiment), colExperiment), item(col("", colVariation), colVariation), item(col("", colUnitID), colUnitID)}
}

// groupNumbersInParts gives the numbers of groups, and the unit that each belongs to.
func (b *builder) groupNumbersInParts(clusters string) sqlast.Select {
	keys := append(partKeys(), item(col("", colUnit), colUnit), item(col("", "x"), "x"))
	return sqlast.Select{
		Why:     "how many groups of each unit have each number",
		Items:   append(named(keys), item(aggregate(sqlast.Sum, col("", "units")), "units")),
		From:    sqlast.Table{Name: clusters},
		GroupBy: expressions(keys),
		OrderBy: []sqlast.Order{{X: col("", colExperiment)}, {X: col("", "x")}, {X: col("", colVariation)}, {X: col("", colUnitID)}, {X: col("", colUnit)}},
	}
}

// unitNumbersInParts gives the numbers of units in parts. Those that are far from the
// percentile, both of the variation and of all units together, are moved to the
// next one below that is near: the order statistics that matter stay the same,
// and the rows are few.
func (b *builder) unitNumbersInParts(cell string, p *Percentile) sqlast.Select {
	keys := append(partKeys(), item(col("", "x"), "x"))
	counted := sqlast.Select{
		Items:   append(named(keys), item(aggregate(sqlast.Sum, col("", "units")), "units")),
		From:    sqlast.Table{Name: cell},
		GroupBy: expressions(keys),
	}
	ordered := sqlast.Select{
		Items: append(named(keys), item(col("", "units"), "units")),
		From:  sqlast.Table{Name: "counted"},
		Where: compare(sqlast.Greater, col("", "units"), sqlast.Int(0)),
	}
	// running adds columns of the units up to a number, of those that have it, and of
	// all, over everybody or within each variation.
	running := func(suffix string, over ...sqlast.Expr) {
		sum := func(by []sqlast.Expr, order ...sqlast.Order) sqlast.Expr {
			return sqlast.Cast{X: sqlast.Running{Fn: sqlast.Sum, X: col("", "units"), PartitionBy: by, OrderBy: order}, To: double}
		}
		ordered.Items = append(ordered.Items,
			item(sum(over, sqlast.Order{X: col("", "x")}), "upto"+suffix),
			item(sum(append(slices.Clone(over), col("", "x"))), "here"+suffix),
			item(sum(over), "n"+suffix))
	}
	running("", col("", colExperiment))
	running(" own", col("", colExperiment), col("", colVariation))
	share, _ := p.Share.Float64()
	within := func(suffix string) sqlast.Expr {
		upto, n := col("", "upto"+suffix), col("", "n"+suffix)
		half := compare(sqlast.Add, sqlast.Float(2), compare(sqlast.Mul, sqlast.Float((windowWidth+2*p.Z)*math.Sqrt(share*(1-share))), call(sqlast.Sqrt, n)))
		at := compare(sqlast.Mul, sqlast.Float(share), n)
		return sqlast.And{
			compare(sqlast.GreaterEq, upto, compare(sqlast.Sub, at, half)),
			compare(sqlast.LessEq, compare(sqlast.Sub, upto, col("", "here"+suffix)), compare(sqlast.Add, at, half)),
		}
	}
	near := when(sqlast.Or{within(""), within(" own")}, col("", "x"))
	below := sqlast.Running{Fn: sqlast.Max, X: col("", "near"), PartitionBy: []sqlast.Expr{col("", colExperiment)}, OrderBy: []sqlast.Order{{X: col("", "x")}}}
	lowest := sqlast.Running{Fn: sqlast.Min, X: col("", "near"), PartitionBy: []sqlast.Expr{col("", colExperiment)}}
	marked := sqlast.Select{
		Items: append(named(keys), item(col("", "units"), "units"), item(near, "near")),
		From:  sqlast.Table{Name: "ordered"},
	}
	moved := sqlast.Select{
		Items: append(named(partKeys()), item(call(sqlast.Coalesce, below, lowest), "x"), item(col("", "units"), "units")),
		From:  sqlast.Table{Name: "marked"},
	}
	return sqlast.Select{
		Why:     "how many units have each number, in parts",
		With:    []sqlast.CTE{{Name: "counted", Query: counted}, {Name: "ordered", Query: ordered}, {Name: "marked", Query: marked}, {Name: "moved", Query: moved}},
		Items:   append(named(keys), item(aggregate(sqlast.Sum, col("", "units")), "units")),
		From:    sqlast.Table{Name: "moved"},
		GroupBy: expressions(keys),
		OrderBy: []sqlast.Order{{X: col("", colExperiment)}, {X: col("", "x")}, {X: col("", colVariation)}, {X: col("", colUnitID)}},
	}
}
