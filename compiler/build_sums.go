package compiler

import (
	"math/big"
	"time"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/stats"
)

// sums are the statements that add up the numbers of the units: first by cell
// (experiment, variation, segment values), then over everybody and by segment.
func (b *builder) sums(values string) []Statement {
	sc := b.newSums(func(t *Tally) bool { return !t.kept() })
	if len(sc.items) == 0 {
		return nil
	}
	numbers := sqlast.Select{Why: "the number of each unit for each metric", Items: append(b.cellKeys("x"), sc.numbers...), From: b.joined(values)}
	return sc.statements("sum_cell", "sums", numbers)
}

// newSums asks for the sums of some tallies.
func (b *builder) newSums(of func(*Tally) bool) *sumBuilder {
	s := emptySums(b)
	for _, t := range b.plan.Tallies {
		if of(t) {
			s.tally(t)
		}
	}
	return s
}

// statements add up numbers, a row for each unit, by cell and then by segment.
func (s *sumBuilder) statements(cellTable, result string, numbers sqlast.Select) []Statement {
	b, sc, cell := s.builder, s, s.table(cellTable)
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
	extra := b.phaseOfCell()
	if b.split {
		extra = append(extra, item(col("c", colSplit), colSplit))
	}
	return append([]Statement{
		{Name: cell, Why: "exact sums by experiment, variation and segment values", SQL: sqlast.CreateTable{Name: cell, Query: query}},
		{Name: result + b.suffix, Why: "exact sums over everybody and by segment", Result: ResultSums, Outputs: sc.outputs, Split: b.split,
			SQL: b.byStratum(cell, "exact sums over everybody and by segment", nil, extra, totals)},
	}, dropped(cell)...)
}

// sumBuilder collects the columns of the sums: the same sum is computed once.
type sumBuilder struct {
	*builder
	numbers []sqlast.Item // one for each unit value, and one for each set of waits
	items   []sqlast.Item
	outputs []Output
	taken   map[string]bool
	// numberNames and sumNames are the names of those columns by expression.
	numberNames, sumNames map[string]string

	caps []capOf
	// percentiles are the numbers that percentiles are of.
	percentiles []percentileSide
	// defaults: units without rows always have a number.
	defaults bool
}

func emptySums(b *builder) *sumBuilder {
	return &sumBuilder{builder: b, taken: map[string]bool{}, numberNames: map[string]string{}, sumNames: map[string]string{}}
}

// number asks for a column of the numbers of units.
func (s *sumBuilder) number(x sqlast.Expr, name string) sqlast.Expr {
	key := sqlast.Key(x)
	if have, ok := s.numberNames[key]; ok {
		return col("", have)
	}
	name = keyed(s.taken, name)
	s.numberNames[key] = name
	s.numbers = append(s.numbers, item(x, name))
	return col("", name)
}

// sum asks for a column of the sums.
func (s *sumBuilder) sum(x sqlast.Expr, name string) string {
	key := sqlast.Key(x)
	if have, ok := s.sumNames[key]; ok {
		return have
	}
	name = keyed(s.taken, name)
	s.sumNames[key] = name
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
	// uncapped is the number before fixed caps, of any size, with their digits.
	uncapped sqlast.Expr
	// base is x before caps; own is x without what units without rows are.
	base, own sqlast.Expr
	// limit bounds |x|.
	limit *big.Int
	// sampled is more than 0 where a row stands for several; nil where none can.
	sampled sqlast.Expr
	// whole is the number as it is, where it can be too large; else nil.
	whole sqlast.Expr
}

func (s *sumBuilder) side(v *UnitValue) side {
	n, sum := col("u", rowsColumn(v.Measure)), col("u", sumColumn(v.Measure))
	some := compare(sqlast.Greater, n, sqlast.Int(0))
	weights := col("u", aggWeights.column(v.Measure))
	out := side{v: v, rows: s.number(n, rowsColumn(v.Measure))}
	if v.Measure.weighted() {
		out.sampled = s.number(compare(sqlast.Sub, weights, n), v.Name+" rows more")
	}
	switch v.Op {
	case OpOccurrence:
		out.x, out.limit = s.number(when(some, sqlast.Int(1)), v.Name), big.NewInt(1)
	case OpCount, OpGroups:
		if v.Measure.weighted() {
			out.x, out.whole, out.limit = s.fitting(weights, v.Name), s.number(weights, aggWeights.column(v.Measure)), maxWhole
			break
		}
		out.x, out.limit = s.number(when(some, n), v.Name), big.NewInt(v.Measure.rows())
	case OpSum:
		if v.Measure.weighted() {
			sum = col("u", aggWeightedSum.column(v.Measure))
			out.x, out.whole, out.limit = s.fitting(sum, v.Name), s.number(sum, aggWeightedSum.column(v.Measure)), maxWhole
			break
		}
		out.x, out.whole, out.limit = s.fitting(sum, v.Name), s.number(sum, sumColumn(v.Measure)), maxWhole
	case OpAverage:
		out.x, out.whole, out.limit = s.number(average(sum, n), v.Name), s.number(sum, sumColumn(v.Measure)), maxWhole
	case OpMin, OpMax, OpFirst, OpLast:
		// A row that is too large is the largest.
		largest := col("u", aggLargest.column(v.Measure))
		out.x, out.whole, out.limit = s.number(when(fits(largest), valueOf(v)), v.Name), s.number(largest, aggLargest.column(v.Measure)), maxWhole
	case OpDistinct:
		k := col("u", aggDistinct.column(v.Measure))
		out.limit = big.NewInt(v.Measure.rows())
		if !v.Measure.numeric() {
			out.x = s.number(when(some, k), v.Name)
			break
		}
		largest := col("u", aggLargest.column(v.Measure))
		out.x, out.whole = s.number(when(fits(largest), k), v.Name), s.number(largest, aggLargest.column(v.Measure))
	case OpActiveDays:
		out.x, out.limit = s.number(when(some, col("u", aggDates.column(v.Measure))), v.Name), big.NewInt(v.Measure.rows())
	case OpParticipation:
		dates := compare(sqlast.Mul, col("u", aggDates.column(v.Measure)), literal(pow10(participationDigits)))
		out.x, out.limit = s.number(when(some, roundedQuotient(dates, daysObserved("x", v.Measure.After.start()))), v.Name), pow10(participationDigits)
	default:
		panic("compiler: no case for unit value " + string(v.Op))
	}
	if v.Threshold != nil {
		if out.whole != nil && (v.Op == OpSum || v.Op == OpCount) {
			// However large the sum of a unit is, it becomes 1 or 0; only a row
			// can be too large.
			sure := compare(sqlast.LessEq, call(sqlast.Abs, out.whole), literal(surelyRow))
			out.x = s.number(when(sure, out.whole), v.Name+" of any size")
		}
		out.x, out.limit = s.number(v.Threshold.sql(out.x), v.Name+" within the threshold"), big.NewInt(1)
	}
	out.base = out.x
	if v.Caps != nil {
		s.scaled(&out)
		out.uncapped = out.x
		s.fixed(&out)
		out.reach(v.Caps.Upper)
		out.reach(v.Caps.Lower)
	}
	if out.own == nil {
		out.own = out.x
	}
	return out
}

// valueOf is the number of a unit that one of its rows has.
func valueOf(v *UnitValue) sqlast.Expr {
	switch v.Op {
	case OpMin:
		return col("u", aggSmallest.column(v.Measure))
	case OpMax:
		return col("u", aggLargest.column(v.Measure))
	case OpFirst:
		return sqlast.Field{X: col("u", aggFirst.column(v.Measure)), Name: "value"}
	case OpLast:
		return sqlast.Field{X: col("u", aggLast.column(v.Measure)), Name: "value"}
	}
	panic("compiler: no case for unit value " + string(v.Op))
}

// sql is 1 or 0, NULL where x is.
func (t *Threshold) sql(x sqlast.Expr) sqlast.Expr {
	var in []sqlast.Expr
	if t.Least != nil {
		in = append(in, compare(sqlast.GreaterEq, x, literal(t.Least)))
	}
	if t.Most != nil {
		in = append(in, compare(sqlast.LessEq, x, literal(t.Most)))
	}
	return sqlast.Case{Whens: []sqlast.When{{If: all(in...), Then: sqlast.Int(1)}, {If: notNull(x), Then: sqlast.Int(0)}}}
}

// daysObserved are the dates from that of the exposure to the last one on
// which events without a window can count, at least one.
func daysObserved(table, start string) sqlast.Expr {
	date := func(at sqlast.Expr) sqlast.Expr {
		midnight := sqlast.Cast{X: call(sqlast.DateOf, at), To: sqlast.Type{Kind: sqlast.TimestampType}}
		return compare(sqlast.IntDiv, call(sqlast.TimeToMicros, midnight), sqlast.Int(day.Microseconds()))
	}
	last := compare(sqlast.Sub, col(table, colObserveUntil), sqlast.Interval(time.Microsecond))
	days := compare(sqlast.Add, compare(sqlast.Sub, date(last), date(col(table, start))), sqlast.Int(1))
	return call(sqlast.Greatest, days, sqlast.Int(1))
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
// large: then the sum is beyond n times the largest number, or of more rows
// than can be told apart, and beyond half of tooLarge.
func average(sum, n sqlast.Expr) sqlast.Expr {
	most := compare(sqlast.Mul, literal(maxWhole), call(sqlast.Least, n, sqlast.Int(4_500)))
	return when(compare(sqlast.LessEq, call(sqlast.Abs, sum), most), roundedQuotient(sqlast.Cast{X: sum, To: bigint}, n))
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
		if t.present() && !t.Exclude {
			s.defaults = t.Percentile != nil
			x = s.withDefault(x, t.WithoutX)
			s.defaults = false
			s.output(t, RolePresent, stats.N, countWhere(counted()), t.Name+" present")
		}
		x.x = s.cappedNumber(t, stats.X, x, s.countedMean(t, x, counted), waited)
		x.reach(t.WithoutX) // units without rows are among the numbers that caps are found in
		s.cappedUnits(t, stats.X, x, counted)
		if t.Percentile != nil {
			s.percentiles = append(s.percentiles, percentileSide{tally: t, x: x.x, counted: s.countedMean(t, x, counted)(), waited: waited})
		}
		s.moments(t, x, stats.X, stats.XX, counted)
		some := compare(sqlast.Greater, x.rows, sqlast.Int(0))
		s.output(t, RoleUnits, stats.N, countWhere(counted(some)), t.Name+" units")
		s.events(t, x, counted)
		s.covariates(t, map[stats.Term]side{stats.X: x}, counted)
		return
	}
	y := s.side(t.Y)
	x, y = s.withDefault(x, t.WithoutX), s.withDefault(y, t.WithoutY)
	if t.present() {
		s.output(t, RolePresent, stats.N, countWhere(counted()), t.Name+" present")
	}
	if t.Exclude {
		// exclude keeps units with a denominator, too large ones included.
		inner, some := counted, sqlast.Or{compare(sqlast.NotEq, y.base, sqlast.Int(0))}
		if y.whole != nil {
			some = append(some, sqlast.And{isNull(y.base), notNull(y.whole)})
		}
		if t.KeepsAbsent {
			some = append(some, compare(sqlast.Eq, y.rows, sqlast.Int(0)))
		}
		counted = func(conds ...sqlast.Expr) sqlast.Expr { return inner(append([]sqlast.Expr{some}, conds...)...) }
		s.output(t, RoleUnits, stats.N, countWhere(counted()), t.Name+" units")
	}
	x.x, y.x = s.cappedNumber(t, stats.X, x, counted, waited), s.cappedNumber(t, stats.Y, y, counted, waited)
	x.reach(t.WithoutX)
	y.reach(t.WithoutY)
	s.cappedUnits(t, stats.X, x, counted)
	s.cappedUnits(t, stats.Y, y, counted)
	s.moments(t, x, stats.X, stats.XX, counted)
	s.moments(t, y, stats.Y, stats.YY, counted)
	s.output(t, RoleTerm, stats.XY, sumOfProducts(x, y, counted), t.Name+" product")
	s.events(t, x, counted)
	s.covariates(t, map[stats.Term]side{stats.X: x, stats.Y: y}, counted)
}

// covariates adds the sums with numbers from before the exposure.
func (s *sumBuilder) covariates(t *Tally, sides map[stats.Term]side, counted func(...sqlast.Expr) sqlast.Expr) {
	for _, c := range []struct{ of, term, square stats.Term }{{stats.X, stats.P, stats.PP}, {stats.Y, stats.Q, stats.QQ}} {
		if !t.Need.Has(stats.NeedTerms(c.term)) {
			continue
		}
		p := s.side(t.Side(c.term))
		p = s.withDefault(p, t.Without(c.term))
		p.x = s.cappedCovariate(t, c.of, p)
		if p.v.Caps != nil {
			p.reach(sides[c.of].limit) // their caps are numbers of the outcome
		}
		sides[c.term] = p
		s.moments(t, p, c.term, c.square, counted)
	}
	for _, m := range []struct{ term, a, b stats.Term }{
		{stats.XP, stats.X, stats.P}, {stats.XQ, stats.X, stats.Q}, {stats.YP, stats.Y, stats.P},
		{stats.YQ, stats.Y, stats.Q}, {stats.PQ, stats.P, stats.Q},
	} {
		if t.Need.Has(stats.NeedTerms(m.term)) {
			s.output(t, RoleTerm, m.term, sumOfProducts(sides[m.a], sides[m.b], counted), t.Name+" product "+m.term.Factors())
		}
	}
}

func (s *sumBuilder) moments(t *Tally, x side, sum, square stats.Term, counted func(...sqlast.Expr) sqlast.Expr) {
	s.output(t, RoleTerm, sum, sumWhere(counted(), x.x), x.v.Name+" total")
	s.output(t, RoleTerm, square, sumOfProducts(x, x, counted), x.v.Name+" squares")
	if x.sampled != nil {
		s.output(t, RoleSampled, 0, countWhere(compare(sqlast.Greater, x.sampled, sqlast.Int(0))), x.v.Name+" sampled")
	}
	if x.whole == nil {
		return
	}
	// A unit's number counts with the unit; a row that is too large, the only
	// way for an average to be, makes the metric overflow whatever becomes of
	// its unit.
	large := compare(sqlast.Sub, aggregate(sqlast.Count, x.whole), aggregate(sqlast.Count, x.own))
	if cond := counted(); cond != nil && x.v.Op != OpAverage {
		surely := compare(sqlast.Greater, call(sqlast.Abs, x.whole), literal(surelyRow))
		large = countWhere(sqlast.And{notNull(x.whole), isNull(x.own), sqlast.Or{cond, surely}})
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
	if cond == nil {
		return countStar()
	}
	return aggregate(sqlast.Count, when(cond, sqlast.Int(1)))
}

// countedMean says which units with rows for any metric a mean is over.
func (s *sumBuilder) countedMean(t *Tally, x side, counted func(...sqlast.Expr) sqlast.Expr) func(...sqlast.Expr) sqlast.Expr {
	if !t.Exclude {
		return counted
	}
	some := compare(sqlast.Greater, x.rows, sqlast.Int(0))
	return func(conds ...sqlast.Expr) sqlast.Expr { return counted(append([]sqlast.Expr{some}, conds...)...) }
}

// withDefault gives a side of a ratio for units without rows what they are.
func (s *sumBuilder) withDefault(x side, without *big.Int) side {
	if s.defaults || without.Sign() != 0 || x.v.Caps.distributed() || x.v.Caps != nil && x.v.Caps.covariate {
		none := compare(sqlast.Eq, x.rows, sqlast.Int(0))
		x.x = sqlast.Case{Whens: []sqlast.When{{If: none, Then: literal(without)}}, Else: x.x}
		x.reach(without)
	}
	return x
}

// reach lets |x| be as large as a number, nil: as it is.
func (x *side) reach(k *big.Int) {
	if k == nil {
		return
	}
	if size := new(big.Int).Abs(k); size.Cmp(x.limit) > 0 {
		x.limit = size
	}
}

// present reports whether units without rows for any metric add to the sums
// of a ratio, so that those with rows must be told from them.
func (t *Tally) present() bool {
	return t.P != nil || t.Percentile != nil && t.Y == nil || t.Y != nil && (t.WithoutX.Sign() != 0 || t.WithoutY.Sign() != 0 || t.capped())
}

// Complete adds to the sums what units without rows add, and gives the number
// of units that the tally is over. waited are the exposed units whose windows
// are over, units and present what RoleUnits and RolePresent say, capX and
// capY what winsorizing came to.
func (t *Tally) Complete(sums map[stats.Term]*big.Int, waited, units, present int64, capX, capY Bounds) int64 {
	absent := waited - units
	switch {
	case t.Y == nil && t.Exclude:
		return units
	case t.Y == nil && !t.present():
		units = waited
	case !t.present() && t.Exclude:
		return units
	case !t.present():
		return waited
	default:
		absent = waited - present
		if t.Exclude && !t.KeepsAbsent {
			return units
		}
		if t.Exclude {
			units += absent
		} else {
			units = waited
		}
	}
	for _, term := range t.Need.Terms() {
		if term == stats.N {
			continue
		}
		n := big.NewInt(absent)
		for _, factor := range []byte(term.Factors()) {
			of := sideOf(factor)
			bounds := capX
			if of == stats.Y || of == stats.Q {
				bounds = capY
			}
			n.Mul(n, t.Side(of).Within(t.Without(of), bounds))
		}
		sums[term].Add(sums[term], n)
	}
	return units
}

// TermDigits is the number of digits after the point of a sum.
func (t *Tally) TermDigits(term stats.Term) int {
	digits := 0
	for _, factor := range []byte(term.Factors()) {
		digits += t.Side(sideOf(factor)).Decimals()
	}
	return digits
}

// sideOf is the term of a letter of Factors alone.
func sideOf(factor byte) stats.Term {
	switch factor {
	case 'x':
		return stats.X
	case 'y':
		return stats.Y
	case 'p':
		return stats.P
	case 'q':
		return stats.Q
	}
	panic("compiler: no side " + string(factor))
}
