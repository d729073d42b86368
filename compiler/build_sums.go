package compiler

import (
	"math/big"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/stats"
)

// sums are the statements that add up the numbers of the units: first by cell
// (experiment, variation, segment values), then over everybody and by segment.
func (b *builder) sums(values string) []Statement {
	sc := &sumBuilder{builder: b, byText: map[string]string{}, taken: map[string]bool{}}
	for _, t := range b.plan.Tallies {
		sc.tally(t)
	}
	cell := b.table("sum_cell")
	numbers := sqlast.Select{Why: "the number of each unit for each metric", Items: append(b.cellKeys("x"), sc.numbers...), From: b.joined(values)}
	keys := named(b.cellKeys("x"))
	query := sqlast.Select{
		Why:     "exact sums by experiment, variation and segment values",
		With:    []sqlast.CTE{{Name: "number", Query: numbers}},
		Items:   append(keys, sc.items...),
		From:    sqlast.Table{Name: "number"},
		GroupBy: expressions(keys),
	}
	var totals []sqlast.Item
	for _, it := range sc.items {
		totals = append(totals, sumOf(it.As))
	}
	return []Statement{
		{Name: cell, Why: "exact sums by experiment, variation and segment values", SQL: sqlast.CreateTable{Name: cell, Query: query}},
		{Name: "sums" + b.suffix, Why: "exact sums over everybody and by segment", Result: ResultSums, Outputs: sc.outputs,
			SQL: b.bySegment(cell, "exact sums over everybody and by segment", nil, nil, totals)},
	}
}

// sumBuilder collects the columns of the sums: the same sum is computed once.
type sumBuilder struct {
	*builder
	numbers []sqlast.Item // one for each unit value, and one for each set of waits
	items   []sqlast.Item
	outputs []Output
	byText  map[string]string // name of a column by its expression
	taken   map[string]bool
}

// number asks for a column of the numbers of units.
func (s *sumBuilder) number(x sqlast.Expr, name string) sqlast.Expr {
	for _, it := range s.numbers {
		if sameExpr(it.X, x) {
			return col("", it.As)
		}
	}
	name = keyed(s.taken, name)
	s.numbers = append(s.numbers, item(x, name))
	return col("", name)
}

// sum asks for a column of the sums.
func (s *sumBuilder) sum(x sqlast.Expr, name string) string {
	for _, it := range s.items {
		if sameExpr(it.X, x) {
			return it.As
		}
	}
	name = keyed(s.taken, name)
	s.items = append(s.items, item(x, name))
	return name
}

func (s *sumBuilder) output(t *Tally, role OutputRole, term stats.Term, x sqlast.Expr, name string) {
	s.outputs = append(s.outputs, Output{Column: s.sum(x, name), Tally: t, Role: role, Term: term})
}

// side is one side of a tally.
type side struct {
	v *UnitValue
	// x is the number of a unit: NULL for a unit without rows, and where it is
	// too large. rows are the rows of the unit that count.
	x, rows sqlast.Expr
	// limit bounds |x|.
	limit *big.Int
	// whole is the number as it is, where it can be too large; else nil.
	whole sqlast.Expr
}

func (s *sumBuilder) side(v *UnitValue) side {
	n, sum := col("u", rowsColumn(v.Measure)), col("u", sumColumn(v.Measure))
	some := compare(sqlast.Greater, n, sqlast.Int(0))
	out := side{v: v, rows: s.number(n, rowsColumn(v.Measure))}
	switch v.Op {
	case OpOccurrence:
		out.x, out.limit = s.number(when(some, sqlast.Int(1)), v.Name), big.NewInt(1)
	case OpCount:
		out.x, out.limit = s.number(when(some, n), v.Name), big.NewInt(v.Measure.rows())
	case OpSum:
		out.x, out.whole, out.limit = s.fitting(sum, v.Name), s.number(sum, sumColumn(v.Measure)), maxWhole
	case OpAverage:
		out.x, out.whole, out.limit = s.number(average(sum, n), v.Name), s.number(sum, sumColumn(v.Measure)), maxWhole
	default:
		panic("compiler: no case for unit value " + string(v.Op))
	}
	return out
}

// rows bounds the rows that a unit can have.
func (n *Measure) rows() int64 {
	rows := int64(0)
	for _, s := range n.Sources {
		rows += s.Rows
	}
	return rows
}

// fitting is a number as a BIGINT, missing where it is too large.
func (s *sumBuilder) fitting(x sqlast.Expr, name string) sqlast.Expr {
	return s.number(when(fits(x), sqlast.Cast{X: x, To: bigint}), name)
}

func fits(x sqlast.Expr) sqlast.Expr {
	return sqlast.And{
		compare(sqlast.GreaterEq, x, literal(new(big.Int).Neg(maxWhole))),
		compare(sqlast.LessEq, x, literal(maxWhole)),
	}
}

// average is sum / n rounded half away from zero, missing where a row was too
// large: all others have a sum of at most n times the largest number. Division
// of HUGEINTs is slow, so that it is only done where it must be.
func average(sum, n sqlast.Expr) sqlast.Expr {
	most := compare(sqlast.Mul, wideLiteral(maxWhole), n)
	return sqlast.Case{Whens: []sqlast.When{
		{If: fits(sum), Then: roundedQuotient(sqlast.Cast{X: sum, To: bigint}, n)},
		{If: compare(sqlast.LessEq, call(sqlast.Abs, sum), most), Then: sqlast.Cast{X: roundedQuotient(sum, n), To: bigint}},
	}}
}

// tally asks for the sums of one tally. Products are taken of numbers that
// fit, so that nothing can overflow the statement.
func (s *sumBuilder) tally(t *Tally) {
	x := s.side(t.X)
	var waited sqlast.Expr
	if len(t.Waits) > 0 {
		waited = s.number(allOver(t.Waits, "x"), WaitColumn(t.Waits))
	}
	counted := func(conds ...sqlast.Expr) sqlast.Expr { return all(append([]sqlast.Expr{waited}, conds...)...) }
	if t.Y == nil {
		s.moments(t, x, stats.X, stats.XX, counted)
		some := compare(sqlast.Greater, x.rows, sqlast.Int(0))
		s.output(t, RoleUnits, stats.N, countWhere(counted(some)), t.Name+" units")
		s.events(t, x, counted)
		return
	}
	y := s.side(t.Y)
	if t.Without == nil {
		// exclude keeps units with a denominator, too large ones included.
		inner, some := counted, compare(sqlast.NotEq, y.x, sqlast.Int(0))
		if y.whole != nil {
			some = compare(sqlast.NotEq, y.whole, sqlast.Int(0))
		}
		counted = func(conds ...sqlast.Expr) sqlast.Expr { return inner(append([]sqlast.Expr{some}, conds...)...) }
		s.output(t, RoleUnits, stats.N, countWhere(counted()), t.Name+" units")
	}
	s.moments(t, x, stats.X, stats.XX, counted)
	s.moments(t, y, stats.Y, stats.YY, counted)
	s.output(t, RoleTerm, stats.XY, sumOfProducts(x, y, counted), t.Name+" product")
	s.events(t, x, counted)
}

func (s *sumBuilder) moments(t *Tally, x side, sum, square stats.Term, counted func(...sqlast.Expr) sqlast.Expr) {
	s.output(t, RoleTerm, sum, sumWhere(counted(), x.x), x.v.Name+" total")
	s.output(t, RoleTerm, square, sumOfProducts(x, x, counted), x.v.Name+" squares")
	if x.whole == nil {
		return
	}
	// A unit's number counts with the unit; a row that is too large, the only
	// way for an average to be, makes the metric overflow whatever becomes of
	// its unit.
	large := compare(sqlast.Sub, aggregate(sqlast.Count, x.whole), aggregate(sqlast.Count, x.x))
	if cond := counted(); cond != nil && x.v.Op != OpAverage {
		surely := compare(sqlast.Greater, call(sqlast.Abs, x.whole), literal(surelyRow))
		large = countWhere(sqlast.And{notNull(x.whole), isNull(x.x), sqlast.Or{cond, surely}})
	}
	s.output(t, RoleOverflow, 0, large, x.v.Name+" too large")
}

func (s *sumBuilder) events(t *Tally, x side, counted func(...sqlast.Expr) sqlast.Expr) {
	some := compare(sqlast.Greater, x.rows, sqlast.Int(0))
	s.output(t, RoleWithEvents, 0, countWhere(counted(some)), x.v.Name+" units with events")
	s.output(t, RoleEvents, 0, sumWhere(counted(), x.rows), x.v.Name+" events")
}

// surelyRow is what the number of a unit is beyond only where one of its rows
// is too large (see tooLarge).
var surelyRow = new(big.Int).Mul(big.NewInt(4), pow10(18))

// smallFactor is the largest number whose square is a BIGINT.
const smallFactor = 3_037_000_499

// sumOfProducts is the exact sum of the products of two numbers. Products of
// HUGEINTs cost ten times as much as those of BIGINTs, so that they are only
// taken where the numbers may be large, and then only of those that are.
func sumOfProducts(x, y side, counted func(...sqlast.Expr) sqlast.Expr) sqlast.Expr {
	same := sqlast.Equal(x.x, y.x)
	if same && x.limit.Cmp(big.NewInt(1)) == 0 {
		return sumWhere(counted(), x.x)
	}
	product := compare(sqlast.Mul, x.x, y.x)
	if new(big.Int).Mul(x.limit, y.limit).IsInt64() {
		return sumWhere(counted(), product)
	}
	small := sqlast.And{smallNumber(x.x)}
	if !same {
		small = append(small, smallNumber(y.x))
	}
	wide := compare(sqlast.Mul, sqlast.Cast{X: x.x, To: hugeint}, y.x)
	zero := sqlast.Int(0)
	return compare(sqlast.Add,
		call(sqlast.Coalesce, sumWhere(counted(small...), product), zero),
		call(sqlast.Coalesce, sumWhere(counted(sqlast.Not{X: all(small...)}), wide), zero))
}

func smallNumber(x sqlast.Expr) sqlast.Expr {
	return compare(sqlast.LessEq, call(sqlast.Abs, x), sqlast.Int(smallFactor))
}

// sumWhere is the sum over the rows for which cond holds.
func sumWhere(cond, x sqlast.Expr) sqlast.Expr {
	if cond != nil {
		x = when(cond, x)
	}
	return aggregate(sqlast.Sum, x)
}

// countWhere is the number of rows for which cond holds.
func countWhere(cond sqlast.Expr) sqlast.Expr {
	return aggregate(sqlast.Count, when(cond, sqlast.Int(1)))
}

// AddWithout adds to the sums of a mean what units without rows are: n units
// with the number c each.
func (t *Tally) AddWithout(sum, squares *big.Int, n int64) {
	if t.Y != nil || t.Without == nil || t.Without.Sign() == 0 {
		return
	}
	c := new(big.Int).Mul(t.Without, big.NewInt(n))
	sum.Add(sum, c)
	squares.Add(squares, c.Mul(c, t.Without))
}
