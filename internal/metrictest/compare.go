package metrictest

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/metrics"
)

// comparison collects the differences of one test.
type comparison struct {
	tables *metrics.Tables
	units  *job.UnitTable
	out    []Difference
}

// compare gives what is not as the test expects.
func compare(t *metrics.Test, tables *metrics.Tables, units *job.UnitTable) []Difference {
	c := &comparison{tables: tables, units: units}
	for _, x := range t.Expect {
		if c.failed(x) {
			continue
		}
		if len(x.Units) > 0 {
			c.unitsOf(x)
		}
		c.variations(x, part{segment: metrics.Overall, value: metrics.All}, x.Variations)
		for _, s := range x.Segments {
			for _, p := range s.Values {
				c.part(x, part{segment: s.Segment.V, value: p.Value.V}, p)
			}
		}
		for _, p := range x.Splits {
			c.part(x, part{segment: metrics.Overall, value: metrics.All, split: &p.Value.V}, p)
		}
	}
	return c.out
}

func (c *comparison) differ(pos diag.Pos, x *metrics.Expectation, what, want, got string) {
	c.out = append(c.out, Difference{Pos: pos, Metric: x.Metric.V, What: what, Want: want, Got: got})
}

// failed reports whether the metric could not be computed, and says so.
func (c *comparison) failed(x *metrics.Expectation) bool {
	for _, e := range c.tables.Errors {
		if e.Metric != nil && *e.Metric == x.Metric.V {
			c.differ(x.Metric.Pos, x, "result", "numbers", e.Message)
			return true
		}
	}
	return false
}

// unitsOf compares the numbers of all units.
func (c *comparison) unitsOf(x *metrics.Expectation) {
	found := map[string][]job.UnitNumber{} // by unit; of a funnel a number for each step
	var order []string
	for _, u := range c.units.Numbers {
		if u.Metric != x.Metric.V {
			continue
		}
		if _, ok := found[u.Unit]; !ok {
			order = append(order, u.Unit)
		}
		found[u.Unit] = append(found[u.Unit], u)
	}
	for _, want := range x.Units {
		got, ok := found[want.Unit.V]
		if !ok {
			if !want.Excluded {
				c.differ(want.Pos, x, "unit "+want.Unit.V, unitText(want.UnitNumbers), c.notExposed(want.Unit.V))
			}
			continue
		}
		c.unit(x, want, got)
	}
	for _, unit := range order {
		listed := slices.ContainsFunc(x.Units, func(u metrics.UnitExpectation) bool { return u.Unit.V == unit })
		if !listed && slices.ContainsFunc(found[unit], func(u job.UnitNumber) bool { return u.Counted }) {
			c.differ(x.Metric.Pos, x, "unit "+unit, "not listed", numbersText(found[unit]))
		}
	}
}

// notExposed says that a unit is not among those of the experiment, and why.
func (c *comparison) notExposed(unit string) string { return "not exposed" + c.leftOut(unit) }

// leftOut is the reason why a unit was left out, in brackets; empty where there
// is none.
func (c *comparison) leftOut(unit string) string {
	for _, l := range c.units.LeftOut {
		if l.Unit == unit {
			return " (" + l.Reason + ")"
		}
	}
	return ""
}

// unit compares the numbers of one unit.
func (c *comparison) unit(x *metrics.Expectation, want metrics.UnitExpectation, got []job.UnitNumber) {
	what := "unit " + want.Unit.V
	last := got[len(got)-1]
	switch several := slices.ContainsFunc(got, func(u job.UnitNumber) bool { return u.Variation != last.Variation }); {
	case last.Groups:
		c.differ(want.Pos, x, what, unitText(want.UnitNumbers), "a percentile over groups has no number for a unit: expect variations")
	case several:
		c.differ(want.Pos, x, what, unitText(want.UnitNumbers), "in several variations: expect variations")
	case want.Excluded && last.Counted:
		c.differ(want.Pos, x, what, "excluded", numbersText(got))
	case want.Excluded:
	case !last.Counted:
		c.differ(want.Pos, x, what, unitText(want.UnitNumbers), "excluded"+c.leftOut(want.Unit.V))
	case len(want.Steps) > 0:
		c.steps(x, what, want.Pos, want.Steps, numbersOf(got))
	case want.Numerator.Set:
		if last.Denominator == "" {
			c.differ(want.Pos, x, what, unitText(want.UnitNumbers), last.Number)
			return
		}
		c.number(x, what+" numerator", want.Numerator, ratOf(last.Number))
		c.number(x, what+" denominator", want.Denominator, ratOf(last.Denominator))
	case last.Denominator != "":
		c.differ(want.Pos, x, what, unitText(want.UnitNumbers), numbersText(got))
	default:
		c.number(x, what, want.Number, ratOf(last.Number))
	}
}

func numbersOf(units []job.UnitNumber) []*big.Rat {
	var out []*big.Rat
	for _, u := range units {
		out = append(out, ratOf(u.Number))
	}
	return out
}

// steps compares the numbers of the steps of a funnel.
func (c *comparison) steps(x *metrics.Expectation, what string, pos diag.Pos, want []metrics.At[metrics.Number], got []*big.Rat) {
	if len(want) != len(got) {
		c.differ(pos, x, what, counted(len(want)), counted(len(got)))
		return
	}
	for i := range want {
		c.number(x, fmt.Sprintf("%s step %d", what, i+1), want[i], got[i])
	}
}

func counted(steps int) string {
	if steps == 1 {
		return "1 step"
	}
	return fmt.Sprintf("%d steps", steps)
}

// part is a part of the results of a metric.
type part struct {
	segment, value string
	split          *string // nil: all rows
}

func (p part) has(m metrics.MomentRow) bool {
	return m.Segment == p.segment && m.SegmentValue == p.value && (m.Split == nil) == (p.split == nil) && (p.split == nil || *m.Split == *p.split)
}

// text is how differences name the part; empty for everybody.
func (p part) text() string {
	switch {
	case p.split != nil:
		return "split " + *p.split + " "
	case p.segment != metrics.Overall:
		return p.segment + " " + p.value + " "
	}
	return ""
}

// part compares the numbers of the variations in a part that is not everybody.
func (c *comparison) part(x *metrics.Expectation, p part, want metrics.PartExpectation) {
	there := false
	var known []string
	for _, m := range c.tables.Moments {
		switch {
		case m.Metric != x.Metric.V:
		case p.has(m):
			there = true
		case p.split != nil && m.Split != nil && m.Segment == metrics.Overall:
			known = append(known, *m.Split)
		case p.split == nil && m.Split == nil && m.Segment == p.segment:
			known = append(known, m.SegmentValue)
		}
	}
	if there {
		c.variations(x, p, want.Variations)
		return
	}
	slices.Sort(known)
	got := "there are " + strings.Join(slices.Compact(known), ", ")
	if len(known) == 0 {
		got = "there are none"
	}
	c.differ(want.Value.Pos, x, strings.TrimSpace(p.text()), "a value", got)
}

func (c *comparison) variations(x *metrics.Expectation, p part, want []metrics.VariationExpectation) {
	for _, v := range want {
		c.variation(x, p, v)
	}
}

// variation compares the numbers of one variation in a part.
func (c *comparison) variation(x *metrics.Expectation, p part, want metrics.VariationExpectation) {
	var rows []metrics.MomentRow // one for each step
	var known []string
	for _, m := range c.tables.Moments {
		if m.Metric != x.Metric.V || !p.has(m) {
			continue
		}
		known = append(known, m.Variation)
		if m.Variation == want.Variation.V {
			rows = append(rows, m)
		}
	}
	if len(rows) == 0 {
		c.differ(want.Variation.Pos, x, p.text()+"variation "+want.Variation.V, "a variation", "there are "+strings.Join(slices.Compact(known), ", "))
		return
	}
	m, what := rows[len(rows)-1], p.text()+want.Variation.V+" "
	number := func(name string, want metrics.At[metrics.Number], got *big.Rat) {
		switch {
		case !want.Set:
		case got == nil:
			c.differ(want.Pos, x, what+name, string(want.V), "none")
		default:
			c.number(x, what+name, want, got)
		}
	}
	number("exposed", want.Exposed, new(big.Rat).SetInt64(m.Exposed))
	number("units", want.Units, new(big.Rat).SetInt64(m.Units))
	number("units_with_event", want.UnitsWithEvent, new(big.Rat).SetInt64(m.WithEvent))
	number("events", want.Events, new(big.Rat).SetInt64(m.Events))
	number("total", want.Total, ratOf(m.Sum))
	number("mean", want.Mean, meanOf(m))
	var numerator, denominator *big.Rat
	if m.DenSum != nil {
		numerator, denominator = ratOf(m.Sum), ratOf(*m.DenSum)
	}
	number("numerator", want.Numerator, numerator)
	number("denominator", want.Denominator, denominator)
	if len(want.Steps) > 0 {
		var totals []*big.Rat
		for _, step := range rows {
			totals = append(totals, ratOf(step.Sum))
		}
		c.steps(x, p.text()+want.Variation.V, want.Pos, want.Steps, totals)
	}
}

// meanOf is the value of a metric, exactly; nil where it has none.
func meanOf(m metrics.MomentRow) *big.Rat {
	below := new(big.Rat).SetInt64(m.Units)
	switch {
	case m.Quantile != nil && m.QuantileValue == nil:
		return nil
	case m.Quantile != nil:
		return ratOf(*m.QuantileValue)
	case m.DenSum != nil:
		below = ratOf(*m.DenSum)
	}
	if below.Sign() == 0 {
		return nil
	}
	return new(big.Rat).Quo(ratOf(m.Sum), below)
}

// number compares a number: exactly, or, where at least four digits after the
// point are written, at those digits.
func (c *comparison) number(x *metrics.Expectation, what string, want metrics.At[metrics.Number], got *big.Rat) {
	const enough = 4
	if want.V.Rat().Cmp(got) == 0 {
		return
	}
	_, fraction, _ := strings.Cut(string(want.V), ".")
	digits := len(fraction)
	if digits >= enough && !strings.ContainsAny(fraction, "eE") && got.FloatString(digits) == want.V.Rat().FloatString(digits) {
		return
	}
	c.differ(want.Pos, x, what, string(want.V), numberText(got, max(digits, enough)))
}

// numberText is a number with all of its digits, or with a few more than were
// expected where it has no end.
func numberText(r *big.Rat, expected int) string {
	digits, exact := r.FloatPrec()
	if !exact || digits > 15 {
		return r.FloatString(expected+2) + "…"
	}
	return r.FloatString(digits)
}

func ratOf(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic("metrictest: no number: " + s)
	}
	return r
}

// unitText are the numbers expected of a unit, as they are written.
func unitText(u metrics.UnitNumbers) string {
	switch {
	case u.Excluded:
		return "excluded"
	case u.Numerator.Set:
		return "{numerator: " + string(u.Numerator.V) + ", denominator: " + string(u.Denominator.V) + "}"
	case len(u.Steps) > 0:
		var steps []string
		for _, n := range u.Steps {
			steps = append(steps, string(n.V))
		}
		return "[" + strings.Join(steps, ", ") + "]"
	}
	return string(u.Number.V)
}

// numbersText are the numbers that a unit has, as a test would say them.
func numbersText(units []job.UnitNumber) string {
	u := units[len(units)-1]
	switch {
	case !u.Counted:
		return "excluded"
	case u.Denominator != "":
		return "{numerator: " + numberText(ratOf(u.Number), 4) + ", denominator: " + numberText(ratOf(u.Denominator), 4) + "}"
	case u.Step > 0:
		var steps []string
		for _, n := range units {
			steps = append(steps, numberText(ratOf(n.Number), 4))
		}
		return "[" + strings.Join(steps, ", ") + "]"
	}
	return numberText(ratOf(u.Number), 4)
}
