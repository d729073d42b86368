package compiler

import (
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// unitAggregate is what the rows of a unit that count are made into: a column
// of the table over units, beside the number of rows.
type unitAggregate int

const (
	aggSum unitAggregate = iota
	aggSmallest
	aggLargest
	aggFirst    // the smallest {instant, value}
	aggLast     // the largest
	aggDistinct // distinct values
	aggDates    // distinct dates
	// Where rows have weights: the rows, and the sum of the values, each row as
	// many times as its weight says.
	aggWeights
	aggWeightedSum
	// aggRows are the rows themselves, for measures that are derived from them.
	aggRows
)

// aggregatesOf are the columns that a way to one number needs.
func aggregatesOf(op UnitOp, n *Measure) []unitAggregate {
	if n.weighted() { // those that do not count them say that there are some
		if op == OpSum {
			return []unitAggregate{aggWeights, aggWeightedSum}
		}
		return append(valuesOf(op, n), aggWeights)
	}
	return valuesOf(op, n)
}

// valuesOf are the columns of values, each as it is, that a way to one number needs.
func valuesOf(op UnitOp, n *Measure) []unitAggregate {
	switch op {
	case OpOccurrence, OpGroups, OpCount:
		return nil
	case OpSum:
		return []unitAggregate{aggSum}
	case OpAverage:
		return []unitAggregate{aggSum}
	case OpMin:
		return []unitAggregate{aggSmallest, aggLargest}
	case OpMax:
		return []unitAggregate{aggLargest}
	case OpFirst:
		return []unitAggregate{aggFirst, aggLargest}
	case OpLast:
		return []unitAggregate{aggLast, aggLargest}
	case OpDistinct:
		if n.numeric() {
			return []unitAggregate{aggDistinct, aggLargest}
		}
		return []unitAggregate{aggDistinct}
	case OpActiveDays, OpParticipation:
		return []unitAggregate{aggDates}
	}
	panic("compiler: no case for unit value " + string(op))
}

// numeric reports whether the values are numbers: only those of distinct
// values need not be.
func (n *Measure) numeric() bool { return n.Value != nil && n.Value.Type == NumberType }

// weighted reports whether rows of the measure can have weights.
func (n *Measure) weighted() bool {
	return !n.unweighted && slices.ContainsFunc(n.Sources, func(s *Source) bool { return s.Weight != nil })
}

// colWeight is how many rows a row stands for.
const colWeight = "weight"

// aggregates are the columns that the numbers of units need of a measure.
func (b *builder) aggregates(n *Measure) []unitAggregate {
	if n.SplitBy != "" && !b.split || n.SegmentBy != "" && b.parts == nil {
		return []unitAggregate{aggRows}
	}
	var out []unitAggregate
	for _, v := range b.plan.Values {
		if v.Measure == n {
			for _, a := range aggregatesOf(v.Op, n) {
				out = appendNew(out, a)
			}
		}
	}
	for _, d := range b.plan.Derived {
		if !slices.Contains(d.From, n) {
			continue
		}
		if d.keepsRows() {
			out = appendNew(out, aggRows)
		} else if n.weighted() {
			out = appendNew(out, aggWeights)
		}
	}
	slices.Sort(out)
	return out
}

// needsTime reports whether the aggregate needs the instants of rows.
func (a unitAggregate) needsTime() bool {
	return a == aggFirst || a == aggLast || a == aggDates || a == aggRows
}

// cost is how much memory the aggregate takes for each unit while it is built,
// as a multiple of a sum's. Pairs are allocated one by one, and distinct values
// have a hash table for each unit.
func (a unitAggregate) cost() int {
	switch a {
	case aggFirst, aggLast:
		return 6
	case aggDistinct, aggDates:
		return 16
	}
	return 1
}

// column names the column of a measure.
func (a unitAggregate) column(n *Measure) string {
	return n.Name + [...]string{
		aggSum: " sum", aggSmallest: " smallest", aggLargest: " largest", aggFirst: " first", aggLast: " last",
		aggDistinct: " distinct", aggDates: " dates", aggWeights: " weights", aggWeightedSum: " weighted sum",
		aggRows: " one by one",
	}[a]
}

// ofRows makes the column of the column of a measure, which is NULL for rows
// that do not count. Where the rows of other sources follow, distinct values
// are kept as lists until all are there.
func (a unitAggregate) ofRows(n *Measure, weighted bool) sqlast.Expr {
	x := col("", n.Name)
	timed := when(notNull(x), sqlast.Struct{{Name: colTime, X: col("", colTime)}, {Name: "value", X: x}})
	distinct := func(x sqlast.Expr) sqlast.Expr {
		if len(n.Sources) > 1 && !n.derived {
			return sqlast.Aggregate{Fn: sqlast.List, X: x, Distinct: true}
		}
		return sqlast.Aggregate{Fn: sqlast.Count, X: x, Distinct: true}
	}
	weight := sqlast.Expr(sqlast.Int(1))
	if weighted {
		weight = col("", colWeight)
	}
	switch a {
	case aggWeights:
		return aggregate(sqlast.Sum, when(notNull(x), weight))
	case aggWeightedSum:
		return aggregate(sqlast.Sum, compare(sqlast.Mul, sqlast.Cast{X: x, To: hugeint}, weight))
	case aggSum:
		return aggregate(sqlast.Sum, x)
	case aggSmallest:
		return aggregate(sqlast.Min, x)
	case aggLargest:
		return aggregate(sqlast.Max, x)
	case aggFirst:
		return aggregate(sqlast.Min, timed)
	case aggLast:
		return aggregate(sqlast.Max, timed)
	case aggDistinct:
		return distinct(x)
	case aggDates:
		return distinct(when(notNull(x), call(sqlast.DateOf, col("", colTime))))
	case aggRows:
		row := sqlast.Struct{{Name: colTime, X: col("", colTime)}}
		switch {
		case n.numeric():
			row = append(row, sqlast.NamedExpr{Name: "value", X: sqlast.Cast{X: x, To: bigint}})
		case n.Value != nil, n.Group != nil:
			row = append(row, sqlast.NamedExpr{Name: "value", X: x})
		}
		if n.weighted() {
			row = append(row, sqlast.NamedExpr{Name: colWeight, X: sqlast.Cast{X: weight, To: bigint}})
		}
		there := notNull(col("", n.Name))
		if n.Group != nil {
			there = notNull(col("", groupColumn(n)))
			row = append(row, sqlast.NamedExpr{Name: "group", X: col("", groupColumn(n))})
		}
		if n.SplitBy != "" && !n.derived {
			row = append(row, sqlast.NamedExpr{Name: colSplit, X: col("", splitColumn(n))})
		}
		if n.SegmentBy != "" && !n.derived {
			row = append(row, sqlast.NamedExpr{Name: colPart, X: col("", partOf(n))})
		}
		return sqlast.Aggregate{Fn: sqlast.List, X: row, Where: there}
	}
	panic("compiler: no case for an aggregate of units")
}

// ofSources joins what several sources say of a unit.
func (a unitAggregate) ofSources(n *Measure) sqlast.Expr {
	x := col("", a.column(n))
	switch a {
	case aggSum, aggWeights, aggWeightedSum:
		return aggregate(sqlast.Sum, x)
	case aggSmallest, aggFirst:
		return aggregate(sqlast.Min, x)
	case aggLargest, aggLast:
		return aggregate(sqlast.Max, x)
	case aggDistinct, aggDates:
		if len(n.Sources) == 1 {
			return aggregate(sqlast.Max, x) // the only source that has it
		}
		return call(sqlast.DistinctInLists, aggregate(sqlast.List, x))
	case aggRows:
		return call(sqlast.JoinLists, sqlast.Aggregate{Fn: sqlast.List, X: x, Where: notNull(x)})
	}
	panic("compiler: no case for an aggregate of units")
}

// absent stands for the column where a source does not have it: a NULL of its type.
func (a unitAggregate) absent(n *Measure) sqlast.Expr {
	null := func(k sqlast.Kind) sqlast.Expr { return sqlast.Null{Type: sqlast.Type{Kind: k}} }
	switch a {
	case aggSum, aggWeights, aggWeightedSum:
		return null(sqlast.Hugeint)
	case aggSmallest, aggLargest:
		return null(sqlast.Bigint)
	case aggFirst, aggLast:
		return when(sqlast.Bool(false), sqlast.Struct{{Name: colTime, X: null(sqlast.TimestampType)}, {Name: "value", X: null(sqlast.Bigint)}})
	case aggDistinct, aggDates:
		if len(n.Sources) > 1 {
			return null(sqlast.Untyped)
		}
		return null(sqlast.Bigint)
	case aggRows:
		return null(sqlast.Untyped)
	}
	panic("compiler: no case for an aggregate of units")
}

// listedFields are the fields of the rows of a measure that are kept one by one.
func (n *Measure) listedFields() []string {
	out := []string{colTime}
	if n.Value != nil || n.Group != nil {
		out = append(out, "value")
	}
	if n.weighted() {
		out = append(out, colWeight)
	}
	if n.Group != nil {
		out = append(out, "group")
	}
	if n.SplitBy != "" {
		out = append(out, colSplit)
	}
	if n.SegmentBy != "" {
		out = append(out, colPart)
	}
	return out
}
