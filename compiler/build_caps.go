package compiler

import (
	"math/big"
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/stats"
)

// Winsorizing by shares of the units needs the numbers of all units before any
// can be summed. So each pass over the events keeps the numbers of the metrics
// concerned, and the last statements find the bounds and sum.

// keptNumbers is the table of the numbers that are kept, cappedNumbers that of
// the same after caps.
const (
	keptNumbers   = "kept_number"
	cappedNumbers = "capped_number"
)

func (b *builder) somethingKept() bool { return slices.ContainsFunc(b.plan.Tallies, (*Tally).kept) }

// keep are the statements that keep the numbers of the units of pass i.
func (b *builder) keep(values string, i int) []Statement {
	if !b.somethingKept() {
		return nil
	}
	numbers := b.newSums((*Tally).kept).numbers
	query := sqlast.Select{Why: "the number of each unit, before caps", Items: append(b.cellKeys("x"), numbers...), From: b.joined(values)}
	name, why := b.table(keptNumbers), "numbers of units, kept until those of all units are known"
	if i > 0 {
		return []Statement{{Name: name, Why: why, SQL: sqlast.InsertInto{Name: name, Query: query}}}
	}
	return []Statement{{Name: name, Why: why, SQL: sqlast.CreateTable{Name: name, Query: query}}}
}

// finish finds the caps, and sums the numbers that were kept.
func (b *builder) finish() []Statement {
	if !b.somethingKept() {
		return nil
	}
	sc := b.newSums((*Tally).kept)
	var out []Statement
	numbers := sqlast.Select{Why: "the number of each unit for each metric, and its caps",
		Items: named(b.cellKeys("")), From: sqlast.Table{Name: b.table(keptNumbers), Alias: "u"}}
	for i := range numbers.Items {
		numbers.Items[i].X = col("u", numbers.Items[i].As)
	}
	for _, it := range sc.numbers {
		numbers.Items = append(numbers.Items, item(col("u", it.As), it.As))
	}
	var tables, caps []string
	for _, c := range sc.caps {
		table := b.capTable(c)
		if b.whole == nil {
			out = append(out, b.findCap(c, table)...)
		}
		alias := "c" + string(rune('0'+len(caps)%10)) + table
		numbers.From = sqlast.Join{Kind: sqlast.LeftJoin, L: numbers.From, R: sqlast.Table{Name: table, Alias: alias},
			On: compare(sqlast.Eq, col(alias, colExperiment), col("u", colExperiment))}
		for _, bound := range c.bounds() {
			numbers.Items = append(numbers.Items, item(col(alias, bound), c.column(bound)))
		}
		caps = append(caps, table)
	}
	if b.whole == nil && len(b.plan.EventSegments) == 0 {
		tables = caps
	}
	if len(sc.percentiles) > 0 {
		out = append(out, Statement{Name: b.table(cappedNumbers), Why: "the number of each unit after caps",
			SQL: sqlast.CreateTable{Name: b.table(cappedNumbers), Query: numbers}})
		tables = append(tables, b.table(cappedNumbers))
		numbers = sqlast.Select{Items: named(numbers.Items), From: sqlast.Table{Name: b.table(cappedNumbers)}}
		for _, p := range sc.percentiles {
			out = append(out, b.percentile(p)...)
		}
	}
	out = append(out, sc.statements("capped_cell", "sums of capped numbers", numbers)...)
	return append(out, dropped(append(tables, b.table(keptNumbers))...)...)
}

// findCap are the statements that find a cap.
func (b *builder) findCap(c capOf, table string) []Statement {
	why := "what " + c.name() + " is winsorized at"
	return []Statement{
		{Name: table, Why: why + ", over all variations", SQL: sqlast.CreateTable{Name: table, Query: b.capQuery(c)}},
		{Name: table, Why: why, Result: ResultCaps, Tally: c.tally, Side: c.term,
			SQL: sqlast.Select{Items: append([]sqlast.Item{item(col("", colExperiment), colExperiment)}, c.boundItems()...),
				From: sqlast.Table{Name: table}, OrderBy: []sqlast.Order{{X: col("", colExperiment)}}}},
	}
}

// capTable is the table of the caps of a side; those of parts of units are those of
// the whole ones.
func (b *builder) capTable(c capOf) string {
	if b.whole != nil {
		c.tally = b.parts.of[c.tally]
		return b.whole.capTable(c)
	}
	return b.table("cap of " + c.name())
}

// capTables are the tables of all caps, where they are kept for parts of units.
func (b *builder) capTables() []string {
	var out []string
	if len(b.plan.EventSegments) > 0 && b.somethingKept() {
		for _, c := range b.newSums((*Tally).kept).caps {
			out = append(out, b.capTable(c))
		}
	}
	return out
}

// capOf is a side of a tally whose caps depend on all units.
type capOf struct {
	tally *Tally
	term  stats.Term // X or Y
	x     side       // its numbers, before caps
	// counted says which of the units with rows for any metric are counted,
	// waited whose windows are over; nil: all.
	counted, waited sqlast.Expr
}

func (c capOf) value() *UnitValue {
	if c.term == stats.Y {
		return c.tally.Y
	}
	return c.tally.X
}

func (c capOf) without() *big.Int {
	if c.term == stats.Y {
		return c.tally.WithoutY
	}
	return c.tally.WithoutX
}

func (c capOf) name() string {
	if c.tally.Y == nil {
		return c.tally.Name
	}
	return c.tally.Name + map[stats.Term]string{stats.X: " numerator", stats.Y: " denominator"}[c.term]
}

func (c capOf) column(bound string) string { return c.name() + " " + bound }

// The bounds of covariates, which are those that changed the outcome.
const (
	covariateUpper = "covariate upper"
	covariateLower = "covariate lower"
)

// bounds are the columns of the bounds.
func (c capOf) bounds() []string {
	if c.tally.P == nil {
		return []string{"upper", "lower"}
	}
	return []string{"upper", "lower", covariateUpper, covariateLower}
}

func (c capOf) boundItems() []sqlast.Item {
	var out []sqlast.Item
	for _, bound := range c.bounds() {
		out = append(out, item(col("", bound), bound))
	}
	return out
}

// cappedCovariate is the number from before the exposure after the caps that
// changed some number of the outcome.
func (s *sumBuilder) cappedCovariate(t *Tally, of stats.Term, p side) sqlast.Expr {
	if t.Side(of).Caps == nil {
		return p.x
	}
	c := capOf{tally: t, term: of}
	upper, lower := col("", c.column(covariateUpper)), col("", c.column(covariateLower))
	var whens []sqlast.When
	if p.v.Caps.IgnoreZeros {
		whens = append(whens, sqlast.When{If: compare(sqlast.Eq, p.x, sqlast.Int(0)), Then: p.x})
	}
	whens = append(whens, sqlast.When{If: compare(sqlast.Greater, p.x, upper), Then: upper},
		sqlast.When{If: compare(sqlast.Less, p.x, lower), Then: lower})
	return sqlast.Case{Whens: whens, Else: p.x}
}

// cappedNumber is the number of a side after caps that depend on all units.
func (s *sumBuilder) cappedNumber(t *Tally, term stats.Term, x side, counted func(...sqlast.Expr) sqlast.Expr, waited sqlast.Expr) sqlast.Expr {
	c := capOf{tally: t, term: term, x: x, counted: counted(), waited: waited}
	if t.P != nil && x.v.Caps != nil || x.v.Caps.distributed() {
		s.caps = append(s.caps, c)
	}
	if !x.v.Caps.distributed() {
		return x.x
	}
	var whens []sqlast.When
	if x.v.Caps.IgnoreZeros {
		whens = append(whens, sqlast.When{If: compare(sqlast.Eq, x.x, sqlast.Int(0)), Then: x.x})
	}
	bound := func(op sqlast.Op, fixed *big.Int, name string) {
		limit := sqlast.Expr(col("", c.column(name)))
		if fixed != nil {
			limit = literal(fixed)
		}
		whens = append(whens, sqlast.When{If: compare(op, x.x, limit), Then: limit})
	}
	if caps := x.v.Caps; caps.Upper != nil || caps.UpperShare != nil {
		bound(sqlast.Greater, caps.Upper, "upper")
	}
	if caps := x.v.Caps; caps.Lower != nil || caps.LowerShare != nil {
		bound(sqlast.Less, caps.Lower, "lower")
	}
	return sqlast.Case{Whens: whens, Else: x.x}
}

// BeforeCaps is what a unit without rows is on a side, X or Y, before caps.
func (t *Tally) BeforeCaps(term stats.Term) *big.Int {
	if term == stats.X && t.uncapped != nil {
		return t.uncapped
	}
	return new(big.Int)
}

// cappedUnits counts the units with rows whose number the caps change, and their
// rows, where a waterfall asks for them. Of one unit alone it gives the number
// before caps.
func (s *sumBuilder) cappedUnits(t *Tally, term stats.Term, x side, counted func(...sqlast.Expr) sqlast.Expr) {
	if x.v.Caps == nil {
		return
	}
	if s.ofUnit != nil {
		before := call(sqlast.Coalesce, x.uncapped, literal(t.BeforeCaps(term)))
		s.output(t, RoleUncapped, term, sumWhere(counted(), before), x.v.Name+" before caps")
	}
	if !s.plan.Waterfall {
		return
	}
	changed := counted(compare(sqlast.Greater, x.rows, sqlast.Int(0)), compare(sqlast.NotEq, x.uncapped, x.x))
	s.output(t, RoleCapped, term, countWhere(changed), x.v.Name+" capped units")
	s.output(t, RoleCappedEvents, term, sumWhere(changed, x.rows), x.v.Name+" events of capped units")
}

// scaled gives a number the digits of its fixed caps.
func (s *sumBuilder) scaled(x *side) {
	if x.v.Caps.Digits == 0 {
		return
	}
	factor := pow10(x.v.Caps.Digits)
	x.own = x.x
	x.x = s.number(compare(sqlast.Mul, x.x, literal(factor)), x.v.Name+" with the digits of its caps")
	x.limit = new(big.Int).Mul(x.limit, factor)
}

// fixed puts fixed caps in place of the numbers beyond them. A row that is too
// large is so whatever the caps.
func (s *sumBuilder) fixed(x *side) {
	caps := x.v.Caps
	if caps.Upper == nil && caps.Lower == nil || caps.distributed() {
		return
	}
	within := func(k sqlast.Expr) sqlast.Expr {
		c := sqlast.Case{Else: k}
		if caps.IgnoreZeros {
			c.Whens = append(c.Whens, sqlast.When{If: compare(sqlast.Eq, k, sqlast.Int(0)), Then: sqlast.Int(0)})
		}
		if caps.Upper != nil {
			c.Whens = append(c.Whens, sqlast.When{If: compare(sqlast.Greater, k, literal(caps.Upper)), Then: literal(caps.Upper)})
		}
		if caps.Lower != nil {
			c.Whens = append(c.Whens, sqlast.When{If: compare(sqlast.Less, k, literal(caps.Lower)), Then: literal(caps.Lower)})
		}
		return c
	}
	name := x.v.Name + " within the caps"
	if x.v.Op == OpSum && x.v.Caps.Digits == 0 {
		sure := compare(sqlast.Greater, call(sqlast.Abs, x.whole), literal(surelyRow))
		x.uncapped = x.whole
		x.whole = s.number(sqlast.Case{Whens: []sqlast.When{{If: sure, Then: x.whole}}, Else: within(x.whole)}, name+", of any size")
		x.x = s.fitting(x.whole, name)
		return
	}
	x.x = s.number(within(x.x), name)
}

// capQuery finds the bounds of a side for each experiment: order statistics of
// the numbers of the units that are counted, those without rows included.
func (b *builder) capQuery(c capOf) sqlast.Select {
	caps, experiment := c.value().Caps, col("", colExperiment)
	number, without := c.x.x, c.without()
	if !caps.distributed() {
		number, without = c.x.uncapped, new(big.Int)
		if c.tally.uncapped != nil {
			without = c.tally.uncapped
		}
	}
	if c.tally.Y == nil && !c.tally.Exclude || c.tally.Y != nil && !caps.distributed() {
		number = sqlast.Case{Whens: []sqlast.When{{If: compare(sqlast.Eq, c.x.rows, sqlast.Int(0)), Then: literal(without)}}, Else: number}
	}
	there := sqlast.Select{
		Items:   []sqlast.Item{item(experiment, colExperiment), item(number, "x"), item(countStar(), "units")},
		From:    sqlast.Table{Name: b.table(keptNumbers)},
		Where:   all(c.counted, notNull(number)),
		GroupBy: []sqlast.Expr{experiment, number},
	}
	values := sqlast.Union{there}
	var with []sqlast.CTE
	if !c.tally.Exclude || c.tally.KeepsAbsent {
		with = append(with,
			sqlast.CTE{Name: "exposed", Query: sqlast.Select{
				Items:   []sqlast.Item{item(experiment, colExperiment), item(countStar(), "units")},
				From:    sqlast.Table{Name: b.table("exposure")},
				Where:   all(isNull(col("", colDropped)), allOver(c.tally.Waits, "")),
				GroupBy: []sqlast.Expr{experiment},
			}},
			sqlast.CTE{Name: "present", Query: sqlast.Select{
				Items:   []sqlast.Item{item(experiment, colExperiment), item(countStar(), "units")},
				From:    sqlast.Table{Name: b.table(keptNumbers)},
				Where:   c.waited,
				GroupBy: []sqlast.Expr{experiment},
			}})
		absent := compare(sqlast.Sub, col("e", "units"), call(sqlast.Coalesce, col("p", "units"), sqlast.Int(0)))
		values = append(values, sqlast.Select{
			Items: []sqlast.Item{item(col("e", colExperiment), colExperiment), item(literal(without), "x"), item(absent, "units")},
			From: sqlast.Join{Kind: sqlast.LeftJoin, L: sqlast.Table{Name: "exposed", Alias: "e"}, R: sqlast.Table{Name: "present", Alias: "p"},
				On: compare(sqlast.Eq, col("p", colExperiment), col("e", colExperiment))},
			Where: compare(sqlast.Greater, absent, sqlast.Int(0)),
		})
	}
	ordered := sqlast.Select{
		Why: "the numbers in order: how many units have at most so much, and how many there are",
		Items: []sqlast.Item{
			item(experiment, colExperiment), item(col("", "x"), "x"),
			item(sqlast.Running{Fn: sqlast.Sum, X: col("", "units"), PartitionBy: []sqlast.Expr{experiment}, OrderBy: []sqlast.Order{{X: col("", "x")}}}, "upto"),
			item(sqlast.Running{Fn: sqlast.Sum, X: col("", "units"), PartitionBy: []sqlast.Expr{experiment}}, "n"),
		},
		From: sqlast.Table{Name: "value"},
	}
	if caps.IgnoreZeros {
		ordered.Where = compare(sqlast.NotEq, col("", "x"), sqlast.Int(0))
	}
	with = append(with, sqlast.CTE{Name: "value", Query: unionOf(values)}, sqlast.CTE{Name: "ordered", Query: ordered})
	found := sqlast.Select{Items: []sqlast.Item{item(experiment, colExperiment)}, From: sqlast.Table{Name: "ordered"}, GroupBy: []sqlast.Expr{experiment}}
	out := sqlast.Select{Why: "what the numbers are capped at", Items: []sqlast.Item{item(experiment, colExperiment)}, From: sqlast.Table{Name: "found"}}
	if c.tally.P != nil {
		found.Items = append(found.Items, item(aggregate(sqlast.Max, col("", "x")), "largest"), item(aggregate(sqlast.Min, col("", "x")), "smallest"))
	}
	var changed []sqlast.Item
	changes := func(name, extreme string, op sqlast.Op, limit sqlast.Expr) {
		if c.tally.P != nil {
			changed = append(changed, item(when(compare(op, col("", extreme), limit), limit), name))
		}
	}
	bound := func(name string, share *big.Rat, fixed *big.Int, upper bool) {
		change := func(limit sqlast.Expr) {
			if upper {
				changes(covariateUpper, "largest", sqlast.Greater, limit)
			} else {
				changes(covariateLower, "smallest", sqlast.Less, limit)
			}
		}
		if share == nil {
			out.Items = append(out.Items, item(sqlast.Null{Type: bigint}, name))
			if fixed == nil {
				change(sqlast.Null{Type: bigint})
			} else {
				change(literal(fixed))
			}
			return
		}
		found.Items = append(found.Items, caps.order(name, share, upper)...)
		x := sqlast.Expr(col("", name))
		if caps.Linear {
			x = interpolated(name, share, pow10(caps.Digits))
		}
		out.Items = append(out.Items, item(x, name))
		change(x)
	}
	bound("upper", caps.UpperShare, caps.Upper, true)
	bound("lower", caps.LowerShare, caps.Lower, false)
	out.Items = append(out.Items, changed...)
	out.With = append(with, sqlast.CTE{Name: "found", Query: found})
	return out
}

// order are the order statistics of a bound: the one that counts, or the two
// between which it lies, and the rest that says where.
func (c *Caps) order(name string, share *big.Rat, upper bool) []sqlast.Item {
	n := sqlast.Cast{X: col("", "n"), To: bigint}
	at := func(position sqlast.Expr) sqlast.Expr {
		return aggregate(sqlast.Min, when(compare(sqlast.GreaterEq, col("", "upto"), position), col("", "x")))
	}
	p, q := literal(share.Num()), literal(share.Denom())
	one := sqlast.Int(1)
	if c.Linear {
		steps := compare(sqlast.Mul, compare(sqlast.Sub, n, one), p)
		position := compare(sqlast.Add, compare(sqlast.IntDiv, steps, q), one)
		return []sqlast.Item{
			item(at(position), name+" below"),
			item(at(call(sqlast.Least, compare(sqlast.Add, position, one), n)), name+" above"),
			item(aggregate(sqlast.Max, compare(sqlast.Sub, steps, compare(sqlast.Mul, compare(sqlast.IntDiv, steps, q), q))), name+" rest"),
		}
	}
	if upper {
		beyond := compare(sqlast.IntDiv, compare(sqlast.Mul, n, literal(new(big.Int).Sub(share.Denom(), share.Num()))), q)
		return []sqlast.Item{item(at(call(sqlast.Greatest, compare(sqlast.Sub, n, beyond), one)), name)}
	}
	beyond := compare(sqlast.IntDiv, compare(sqlast.Mul, n, p), q)
	return []sqlast.Item{item(at(call(sqlast.Least, compare(sqlast.Add, beyond, one), n)), name)}
}

// interpolated is below + (above − below)·rest/denominator, rounded half away
// from zero to a multiple of unit.
func interpolated(name string, share *big.Rat, unit *big.Int) sqlast.Expr {
	wide := func(suffix string) sqlast.Expr { return sqlast.Cast{X: col("", name+suffix), To: hugeint} }
	q := wideLiteral(share.Denom())
	num := compare(sqlast.Add, compare(sqlast.Mul, wide(" below"), q),
		compare(sqlast.Mul, compare(sqlast.Sub, wide(" above"), wide(" below")), wide(" rest")))
	if unit.Cmp(big.NewInt(1)) != 0 {
		return sqlast.Cast{X: compare(sqlast.Mul, roundedQuotient(num, wideLiteral(new(big.Int).Mul(share.Denom(), unit))), wideLiteral(unit)), To: bigint}
	}
	return sqlast.Cast{X: roundedQuotient(num, q), To: bigint}
}
