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

// side is one side of a tally: the unit's number (NULL for a unit without
// rows), and its rows.
type side struct {
	v       *UnitValue
	x, rows sqlast.Expr
	fits    sqlast.Expr // nil: always
	ones    bool        // the number is 0 or 1
}

func (s *sumBuilder) side(v *UnitValue) side {
	rows := s.number(col("u", rowsColumn(v.Measure)), rowsColumn(v.Measure))
	n := col("u", rowsColumn(v.Measure))
	some := compare(sqlast.Greater, n, sqlast.Int(0))
	out := side{v: v, rows: rows}
	switch v.Op {
	case OpOccurrence:
		out.x, out.ones = s.number(when(some, sqlast.Int(1)), v.Name), true
	case OpCount:
		out.x = s.number(when(some, n), v.Name)
	case OpSum:
		out.x = s.number(col("u", sumColumn(v.Measure)), v.Name)
		out.fits = fits(out.x)
	case OpAverage:
		avg := roundedQuotient(col("u", sumColumn(v.Measure)), n)
		out.x = s.number(when(some, avg), v.Name)
		out.fits = fits(out.x)
	default:
		panic("compiler: no case for unit value " + string(v.Op))
	}
	return out
}

// surelyRow is what the number of a unit is beyond only where one of its rows
// is too large (see tooLarge).
var surelyRow = new(big.Int).Mul(big.NewInt(4), pow10(18))

func fits(x sqlast.Expr) sqlast.Expr {
	return compare(sqlast.LessEq, call(sqlast.Abs, x), literal(maxWhole))
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
		s.output(t, RoleUnits, stats.N, aggregate(sqlast.Count, when(counted(some), sqlast.Int(1))), t.Name+" units")
		s.events(t, x, counted)
		return
	}
	y := s.side(t.Y)
	if t.Without == nil {
		// exclude keeps units with a denominator.
		inner := counted
		counted = func(conds ...sqlast.Expr) sqlast.Expr {
			return inner(append([]sqlast.Expr{compare(sqlast.NotEq, y.x, sqlast.Int(0))}, conds...)...)
		}
		s.output(t, RoleUnits, stats.N, aggregate(sqlast.Count, when(counted(), sqlast.Int(1))), t.Name+" units")
	}
	s.moments(t, x, stats.X, stats.XX, counted)
	s.moments(t, y, stats.Y, stats.YY, counted)
	s.output(t, RoleTerm, stats.XY, sumWhere(counted(x.fits, y.fits), product(x, y)), t.Name+" product")
	s.events(t, x, counted)
}

func (s *sumBuilder) moments(t *Tally, x side, sum, square stats.Term, counted func(...sqlast.Expr) sqlast.Expr) {
	s.output(t, RoleTerm, sum, sumWhere(counted(x.fits), x.x), x.v.Name+" total")
	s.output(t, RoleTerm, square, sumWhere(counted(x.fits), product(x, x)), x.v.Name+" squares")
	if x.fits != nil {
		// A unit's number counts with the unit; a row that is too large makes
		// the metric overflow whatever becomes of its unit.
		large := sqlast.Or{compare(sqlast.Greater, call(sqlast.Abs, x.x), literal(surelyRow))}
		if conds := counted(sqlast.Not{X: x.fits}); conds != nil {
			large = append(large, conds)
		}
		s.output(t, RoleOverflow, 0, aggregate(sqlast.Count, when(large, sqlast.Int(1))), x.v.Name+" too large")
	}
}

func (s *sumBuilder) events(t *Tally, x side, counted func(...sqlast.Expr) sqlast.Expr) {
	some := compare(sqlast.Greater, x.rows, sqlast.Int(0))
	s.output(t, RoleWithEvents, 0, aggregate(sqlast.Count, when(counted(some), sqlast.Int(1))), x.v.Name+" units with events")
	s.output(t, RoleEvents, 0, sumWhere(counted(), x.rows), x.v.Name+" events")
}

// product is the exact product of two numbers.
func product(x, y side) sqlast.Expr {
	if x.ones && y.ones && x.v == y.v {
		return x.x
	}
	return compare(sqlast.Mul, sqlast.Cast{X: x.x, To: hugeint}, y.x)
}

// sumWhere is the sum over the rows for which cond holds; 0 over none.
func sumWhere(cond, x sqlast.Expr) sqlast.Expr {
	if cond != nil {
		x = when(cond, x)
	}
	return aggregate(sqlast.Sum, x)
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
