package compiler

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// Standalone gives one query with the numbers of each variation in a slice, for a
// plan of one metric in one experiment: the tables that a run makes are queries
// before the last one, and what Complete adds to the sums is added in SQL.
func Standalone(p *Plan, slice Slice) sqlast.Select {
	if len(p.Units) != 1 || len(p.Units[0].Experiments) != 1 {
		panic("compiler: a stand-alone query is of one experiment")
	}
	whole := *p
	unit := *p.Units[0]
	parts := slice.fromEvents(&unit)
	unit.Phased, unit.Unstratified = false, true // the numbers of variations are those of all strata
	unit.Bundles = nil                           // one metric is not many
	if unit.EventSegments = nil; parts != nil {
		unit.EventSegments = []*EventSegment{parts}
	}
	whole.Units = []*UnitPlan{&unit}
	u := Build(&whole).Units[0]
	s := &standalone{builder: u.b, x: p.Units[0].Experiments[0], slice: slice}
	if slice.Split == nil {
		s.statements = slices.Concat(u.Exposures, u.Pass(0, 1), u.Finish())
	} else {
		s.statements = slices.Concat(u.Exposures, u.b.splitAlone())
	}
	return s.query()
}

// splitAlone are the statements about events that the sums of splits need.
func (b *builder) splitAlone() []Statement {
	plan := *b.plan
	plan.Tallies, plan.Derived, plan.EventSegments = nil, nil, nil
	for _, s := range b.plan.EventSegments {
		parts, of := *s, *s.Plan
		of.Tallies, of.Derived = nil, nil
		parts.Plan = &of
		plan.EventSegments = append(plan.EventSegments, &parts)
	}
	alone := *b
	alone.plan = &plan
	return slices.Concat(alone.pass(0, 1), alone.finishSplits(), alone.finishEventSegments())
}

// standalone writes the query of one metric in one experiment.
type standalone struct {
	*builder
	x          *ExperimentPlan
	slice      Slice
	statements []Statement
	with       []sqlast.CTE
}

func (s *standalone) query() sqlast.Select {
	for _, st := range s.statements {
		s.add(st)
	}
	var variations sqlast.Values
	for i, v := range s.x.Def.Variations {
		variations = append(variations, []sqlast.Expr{sqlast.Text(v.Key.V), sqlast.Int(int64(i + 1))})
	}
	s.with = append(s.with, sqlast.CTE{Name: "variation of file", Columns: []string{colVariation, "place"}, Query: variations})
	var parts sqlast.Union
	for _, m := range s.x.Metrics {
		parts = append(parts, s.metric(m))
	}
	if len(parts) == 1 {
		out := parts[0]
		out.With = s.with
		out.OrderBy = []sqlast.Order{{X: col("v", "place")}}
		return out
	}
	for i := range parts {
		parts[i].Items = append(parts[i].Items, item(col("v", "place"), "place"))
	}
	s.with = append(s.with, sqlast.CTE{Name: "step", Query: parts})
	items := named(parts[0].Items)
	return sqlast.Select{
		Why:     "the numbers of each step of " + s.x.Metrics[0].Def.Metric.Key.V,
		With:    s.with,
		Items:   items[:len(items)-1],
		From:    sqlast.Table{Name: "step"},
		OrderBy: []sqlast.Order{{X: col("", "step")}, {X: col("", "place")}},
	}
}

// add makes a query of a statement that makes a table, or gives a result that
// the numbers are made of. Where other queries name rows of the table by their
// number, that is a column.
func (s *standalone) add(st Statement) {
	query, made := sqlast.Select{}, false
	switch sql := st.SQL.(type) {
	case sqlast.CreateTable:
		query, made = sql.Query, true
	case sqlast.Select:
		query = sql
		query.OrderBy = nil
	}
	switch st.Result {
	case ResultNone:
	case ResultUnits, ResultSums, ResultPercentiles:
		made = true
	case ResultDays, ResultDropped, ResultCaps, ResultRows:
	default:
		panic(fmt.Sprintf("compiler: no case for result %d", st.Result))
	}
	if !made {
		return
	}
	if query.Why == "" {
		query.Why = st.Why
	}
	if s.numbered(st.Name) {
		var order []sqlast.Order
		for _, it := range query.Items {
			if it.As == colUnitID || it.As == colVariation || it.As == colSplit || s.isPart(it.As) {
				order = append(order, sqlast.Order{X: it.X})
			}
		}
		query.Items = append([]sqlast.Item{{X: sqlast.RowNumber{OrderBy: order}, As: "rowid", Why: "the unit's number in what follows"}}, query.Items...)
	}
	s.with = append(s.with, sqlast.CTE{Name: st.Name, Query: query})
}

// numbered reports whether others name rows of the table by their number: it is
// one of exposures.
func (s *standalone) numbered(table string) bool {
	of := s.stages()
	for _, split := range s.plan.Splits {
		of = append(of, s.ofSplit(split))
	}
	for _, parts := range s.plan.EventSegments {
		b := s.partsOf(parts)
		of = append(of, b)
		for _, split := range b.plan.Splits {
			of = append(of, b.ofSplit(split))
		}
	}
	return slices.ContainsFunc(of, func(b *builder) bool { return table == b.table("exposure") })
}

// isPart reports whether a column is the value that a part of a unit has.
func (s *standalone) isPart(column string) bool {
	return slices.ContainsFunc(s.plan.EventSegments, func(e *EventSegment) bool { return column == partColumn(e.Segment.Key) })
}

// result is the statement of a kind that is about a tally. It is nil where there is
// none.
func (s *standalone) result(kind ResultKind, t *Tally) *Statement {
	for i, st := range s.statements {
		about := st.Tally == t
		switch {
		case kind == ResultUnits:
			about = (st.Of == nil) == (s.slice.fromEvents(s.plan) == nil)
		case kind == ResultSums:
			about = slices.ContainsFunc(st.Outputs, func(o Output) bool { return o.Tally == t })
		}
		if st.Result == kind && about {
			return &s.statements[i]
		}
	}
	return nil
}

// metric gives the numbers of a metric, or of one step of it, by variation.
func (s *standalone) metric(m *MetricPlan) sqlast.Select {
	of := s.slice.of(m)
	t := of.Tally
	units := s.result(ResultUnits, t)
	from := sqlast.From(sqlast.Table{Name: "variation of file", Alias: "v"})
	join := func(table, alias string, more ...sqlast.Expr) {
		on := sqlast.And{compare(sqlast.Eq, col(alias, colVariation), col("v", colVariation))}
		if c := s.slice.Segment; c == nil {
			on = append(on, compare(sqlast.Eq, col(alias, "segment"), sqlast.Text(metrics.Overall)))
		} else {
			on = append(on, compare(sqlast.Eq, col(alias, "segment"), sqlast.Text(c.Key)), compare(sqlast.Eq, col(alias, "segment_value"), sqlast.Text(c.Value)))
		}
		from = sqlast.Join{Kind: sqlast.LeftJoin, L: from, R: sqlast.Table{Name: table, Alias: alias}, On: append(on, more...)}
	}
	join(units.Name, "u")
	n := numbers{standalone: s, t: t, units: units}
	if n.sums = s.result(ResultSums, t); n.sums != nil {
		var split []sqlast.Expr
		if c := s.slice.Split; c != nil {
			split = append(split, compare(sqlast.Eq, col("s", colSplit), sqlast.Text(c.Value)))
		}
		join(n.sums.Name, "s", split...)
	}
	quantiles := s.result(ResultPercentiles, t)
	if quantiles != nil {
		join(quantiles.Name, "q")
	}
	for _, st := range s.statements {
		if st.Result == ResultCaps && st.Tally == of.Caps() {
			from = sqlast.Join{Kind: sqlast.LeftJoin, L: from, R: sqlast.Table{Name: st.Name, Alias: capAlias(st.Side)},
				On: compare(sqlast.Eq, col(capAlias(st.Side), colExperiment), sqlast.Text(s.x.Def.Key.V))}
		}
	}
	items := []sqlast.Item{item(col("v", colVariation), colVariation)}
	if m.Step > 0 {
		items = append(items, item(sqlast.Int(int64(m.Step)), "step"))
	}
	items = append(items, item(orZero(col("u", "units")), "exposed"), item(n.count(), "units"),
		item(n.of(RoleWithEvents, 0), "units_with_event"), item(n.of(RoleEvents, 0), "events"))
	items = append(items, n.readable(quantiles != nil)...)
	if quantiles != nil {
		items = append(items, n.quantiles()...)
	}
	if m.Kind != stats.Percentile {
		items = append(items, n.exact()...)
	}
	return sqlast.Select{
		Why:   fmt.Sprintf("the numbers of %s by variation", t.Name),
		Items: items,
		From:  from,
	}
}

// capAlias is the alias of what a side was winsorized at.
func capAlias(side stats.Term) string { return "cap of " + side.String() }

func orZero(x sqlast.Expr) sqlast.Expr { return call(sqlast.Coalesce, x, sqlast.Int(0)) }

func floating(x sqlast.Expr) sqlast.Expr { return sqlast.Cast{X: x, To: double} }

// numbers are those of a tally, as columns.
type numbers struct {
	*standalone
	t           *Tally
	units, sums *Statement
}

// of is a column of the sums.
func (n numbers) of(role OutputRole, term stats.Term) sqlast.Expr {
	if n.sums != nil {
		for _, o := range n.sums.Outputs {
			if o.Tally == n.t && o.Role == role && o.Term == term {
				return orZero(col("s", o.Column))
			}
		}
	}
	return sqlast.Int(0)
}

// waited are the exposed units for whom it is time.
func (n numbers) waited() sqlast.Expr {
	column := "units"
	if len(n.t.Waits) > 0 {
		column = WaitColumn(n.t.Waits)
	} else if n.plan.Activation != nil {
		column = "activated"
	}
	return orZero(col("u", column))
}

// absent are the units without rows for any metric that add to the sums; nil
// where none do. See Complete.
func (n numbers) absent() sqlast.Expr {
	t := n.t
	less := n.of(RoleUnits, stats.N)
	switch {
	case t.present() && t.Exclude && !t.KeepsAbsent, !t.present() && (t.Exclude || t.Y != nil):
		return nil
	case t.present():
		less = n.of(RolePresent, stats.N)
	}
	return compare(sqlast.Sub, n.waited(), less)
}

// count is the number of units that the sums are over.
func (n numbers) count() sqlast.Expr {
	switch absent := n.absent(); {
	case !n.t.Exclude:
		return n.waited()
	case absent == nil:
		return n.of(RoleUnits, stats.N)
	default:
		return compare(sqlast.Add, n.of(RoleUnits, stats.N), absent)
	}
}

// sum is a sum over units, as a whole number of 10^-TermDigits.
func (n numbers) sum(term stats.Term) sqlast.Expr {
	sum, absent := n.of(RoleTerm, term), n.absent()
	if absent == nil {
		return sum
	}
	add := absent
	for _, factor := range []byte(term.Factors()) {
		side := sideOf(factor)
		without := n.without(side)
		switch {
		case sameExpr(without, sqlast.Int(0)):
			return sum
		case !sameExpr(without, sqlast.Int(1)):
			add = compare(sqlast.Mul, add, without)
		}
	}
	return compare(sqlast.Add, sum, add)
}

// without is the number of a unit without rows on a side, after caps.
func (n numbers) without(side stats.Term) sqlast.Expr {
	v, k := n.t.Side(side), n.t.Without(side)
	of := side
	switch side {
	case stats.P:
		of = stats.X
	case stats.Q:
		of = stats.Y
	}
	upper, lower := "upper", "lower"
	if v.Caps != nil && v.Caps.covariate {
		upper, lower = covariateUpper, covariateLower
	} else if !v.Caps.distributed() {
		return literal(v.Within(k, Bounds{}))
	}
	if v.Caps.IgnoreZeros && k.Sign() == 0 {
		return literal(k)
	}
	c := sqlast.Case{Else: literal(k)}
	bound := func(op sqlast.Op, fixed *big.Int, name string) {
		limit := sqlast.Expr(col(capAlias(of), name))
		if fixed != nil {
			limit = literal(fixed)
		}
		c.Whens = append(c.Whens, sqlast.When{If: compare(op, literal(k), limit), Then: limit})
	}
	bound(sqlast.Greater, v.Caps.Upper, upper)
	bound(sqlast.Less, v.Caps.Lower, lower)
	return c
}

// decimal is a sum as a floating number.
func (n numbers) decimal(term stats.Term) sqlast.Expr {
	return scaledBack(n.sum(term), n.t.TermDigits(term))
}

func scaledBack(x sqlast.Expr, digits int) sqlast.Expr {
	if digits == 0 {
		return floating(x)
	}
	power, _ := new(big.Float).SetInt(pow10(digits)).Float64()
	return compare(sqlast.Div, floating(x), sqlast.Float(power))
}

// readable are the columns for people: the total and the mean, of a ratio the
// total is that of its numerator.
func (n numbers) readable(percentile bool) []sqlast.Item {
	over := func(x, y sqlast.Expr) sqlast.Expr {
		return compare(sqlast.Div, x, call(sqlast.NullIf, y, sqlast.Float(0)))
	}
	total := n.decimal(stats.X)
	items := []sqlast.Item{item(total, "total")}
	switch {
	case percentile:
		items = append(items, item(n.interpolated("value"), "mean"))
	case n.t.Y != nil:
		items = append(items, item(over(total, n.decimal(stats.Y)), "mean"), item(total, "numerator"), item(n.decimal(stats.Y), "denominator"))
	default:
		items = append(items, item(over(total, floating(n.count())), "mean"))
	}
	return items
}

// exact are the sums over units as they are computed, whole numbers.
func (n numbers) exact() []sqlast.Item {
	var items []sqlast.Item
	for _, term := range n.t.Need.Terms() {
		if term == stats.N {
			continue
		}
		name := term.Column()
		if digits := n.t.TermDigits(term); digits > 0 {
			name = fmt.Sprintf("%s × 10^%d", name, digits)
		}
		items = append(items, item(n.sum(term), name))
	}
	if large := n.tooLarge(); large != nil {
		items = append(items, sqlast.Item{X: large, As: "too_large", Why: "units whose number is too large: a run says overflow"})
	}
	return items
}

// tooLarge are the units whose number is too large; nil where none can be.
func (n numbers) tooLarge() sqlast.Expr {
	var sum sqlast.Expr
	if n.sums == nil {
		return nil
	}
	for _, o := range n.sums.Outputs {
		switch {
		case o.Tally != n.t || o.Role != RoleOverflow:
		case sum == nil:
			sum = orZero(col("s", o.Column))
		default:
			sum = compare(sqlast.Add, sum, orZero(col("s", o.Column)))
		}
	}
	return sum
}

// quantiles are a percentile and the bounds of its interval.
func (n numbers) quantiles() []sqlast.Item {
	return []sqlast.Item{
		item(orZero(col("q", "n")), "quantile_n"),
		item(n.interpolated("lower"), "quantile_lower"),
		item(n.interpolated("upper"), "quantile_upper"),
	}
}

// interpolated is an order statistic, between the numbers below and above.
func (n numbers) interpolated(place string) sqlast.Expr {
	below, above := floating(col("q", place+" below")), floating(col("q", place+" above"))
	var rest sqlast.Expr
	if place == "value" {
		// (n−1)·q less its whole part, in whole numbers.
		share := n.t.Percentile.Share
		steps := compare(sqlast.Mul, compare(sqlast.Sub, sqlast.Cast{X: col("q", "n"), To: bigint}, sqlast.Int(1)), literal(share.Num()))
		whole := compare(sqlast.Mul, compare(sqlast.IntDiv, steps, literal(share.Denom())), literal(share.Denom()))
		denominator, _ := new(big.Float).SetInt(share.Denom()).Float64()
		rest = compare(sqlast.Div, floating(compare(sqlast.Sub, steps, whole)), sqlast.Float(denominator))
	} else {
		at := col("q", place+" at")
		rest = compare(sqlast.Sub, at, call(sqlast.Floor, at))
	}
	x := compare(sqlast.Add, below, compare(sqlast.Mul, compare(sqlast.Sub, above, below), rest))
	if digits := n.t.X.Decimals(); digits > 0 {
		power, _ := new(big.Float).SetInt(pow10(digits)).Float64()
		return compare(sqlast.Div, x, sqlast.Float(power))
	}
	return x
}
