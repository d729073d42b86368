package compiler

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/metricsjob/metricsjob/metrics"
)

// unitValue plans the number of each unit for a metric or a side of a ratio;
// nil where it has a mistake.
func (p *planner) unitValue(u *UnitPlan, m *metrics.Metric, name string) *UnitValue {
	var measure *Measure
	if m.Funnel != nil {
		if steps := p.steps(u, m, name); steps != nil {
			measure = steps[len(steps)-1]
		}
	} else {
		measure = p.measure(u, m, name)
	}
	if measure == nil {
		return nil
	}
	return p.valueOf(u, m, measure, name)
}

// valueOf plans the number that a metric makes of the rows of a measure.
func (p *planner) valueOf(u *UnitPlan, m *metrics.Metric, measure *Measure, name string) *UnitValue {
	v := &UnitValue{Name: name, Measure: measure, Op: unitOp(m)}
	v.Threshold = thresholdOf(m.Threshold, v.digits())
	if !p.cap(v, m) {
		return nil
	}
	return u.addValue(v)
}

// cap plans the caps of a number; false where they have a mistake.
func (p *planner) cap(v *UnitValue, m *metrics.Metric) bool {
	v.Caps = capsOf(m.Winsorize, v.digits())
	if v.Caps != nil && v.Caps.Digits > maxCapDigits {
		p.list.Errorf(m.Winsorize.Pos, "bad-number", "the caps of %s have more digits than its numbers, which have %d", m.Label(), v.ownDigits()).
			WithHint("give them at most %d digits more, or the metric more decimals", maxCapDigits)
		return false
	}
	if c := v.Caps; c != nil && (c.Lower != nil && c.Lower.Cmp(v.limit()) > 0 || c.Upper != nil && c.Upper.Cmp(new(big.Int).Neg(v.limit())) < 0) {
		p.list.Errorf(m.Winsorize.Pos, "bad-number", "the caps of %s leave only numbers that are too large: with %s they go to %s",
			m.Label(), digitsText(v.digits()), decimalText(v.limit(), v.digits())).
			WithHint("winsorize: {upper_value: …} is the largest number that stays, lower_value the smallest")
		return false
	}
	return true
}

// limit is the largest whole number that a unit may have before its threshold.
func (v *UnitValue) limit() *big.Int {
	if v.Caps == nil {
		return maxWhole
	}
	return v.Caps.limit()
}

// withoutEvents is what units without rows are, as a whole number, before caps
// and threshold; nil where it is no number that a unit can have.
func (p *planner) withoutEvents(m *metrics.Metric, v *UnitValue) *big.Int {
	w := m.WithoutEvents
	if w.Exclude {
		return new(big.Int)
	}
	r := new(big.Rat).Mul(w.Number.Rat(), new(big.Rat).SetInt(pow10(v.digits())))
	switch {
	case !r.IsInt():
		d := p.list.Errorf(w.Pos, "bad-number", "units_without_events: %s has more digits than the numbers of %s, which have %s", w.Number, m.Label(), digitsText(v.digits()))
		if n := fractionDigits(w.Number); n <= maxDecimals && m.Measure.V == metrics.Value && v.Op != OpDistinct {
			d.WithHint("round it, or give the metric decimals: %d", n)
		} else {
			d.WithHint("round it")
		}
		return nil
	case new(big.Int).Abs(r.Num()).Cmp(v.limit()) > 0:
		p.list.Errorf(w.Pos, "bad-number", "units_without_events: %s is more than a unit of %s can have: with %s numbers go to %s",
			w.Number, m.Label(), digitsText(v.digits()), decimalText(v.limit(), v.digits()))
		return nil
	}
	return r.Num()
}

// digitsText says how many digits after the point.
func digitsText(n int) string {
	switch n {
	case 0:
		return "no digits after the point"
	case 1:
		return "1 digit after the point"
	}
	return fmt.Sprintf("%d digits after the point", n)
}

// addValue adds the number of a unit, or gives the same of an earlier metric.
func (u *UnitPlan) addValue(v *UnitValue) *UnitValue {
	v.id = v.meaning()
	for _, have := range u.Values {
		if have.id == v.id {
			return have
		}
	}
	u.Values = append(u.Values, v)
	return v
}

// maxCapDigits is how many digits caps may have beyond those of the numbers:
// the largest number with so many more is still a BIGINT.
const maxCapDigits = 3

// unitOp is how a metric makes one number of the rows of a unit.
func unitOp(m *metrics.Metric) UnitOp {
	if m.Funnel != nil {
		return OpOccurrence
	}
	switch m.Measure.V {
	case metrics.Occurrence:
		return OpOccurrence
	case metrics.Count:
		return OpCount
	case metrics.ActiveDays:
		return OpActiveDays
	case metrics.Participation:
		return OpParticipation
	case metrics.Value:
	default:
		panic("compiler: no case for measure " + string(m.Measure.V))
	}
	switch m.PerUnit.V {
	case "", metrics.Sum:
		return OpSum
	case metrics.Average:
		return OpAverage
	case metrics.Min:
		return OpMin
	case metrics.Max:
		return OpMax
	case metrics.First:
		return OpFirst
	case metrics.Last:
		return OpLast
	case metrics.CountDistinct:
		return OpDistinct
	}
	panic("compiler: no case for per_unit " + string(m.PerUnit.V))
}

// thresholdOf says for which whole numbers of 10^-digits a threshold holds;
// nil where there is none.
func thresholdOf(t *metrics.Threshold, digits int) *Threshold {
	if t == nil {
		return nil
	}
	out := &Threshold{}
	limit := func(n metrics.At[metrics.Number], words string) (floor *big.Int, whole bool) {
		out.text = strings.TrimPrefix(out.text+" and "+words+" "+string(n.V), " and ")
		r := new(big.Rat).Mul(n.V.Rat(), new(big.Rat).SetInt(pow10(digits)))
		floor = new(big.Int).Div(r.Num(), r.Denom()) // Euclidean: the denominator is positive
		return floor, r.IsInt()
	}
	next := func(k *big.Int, by int64) *big.Int { return new(big.Int).Add(k, big.NewInt(by)) }
	// No number of a unit is beyond surelyRow, except where one of its rows is
	// too large: all limits beyond it are the same.
	beyond := next(surelyRow, 1)
	least := func(k *big.Int) {
		k = clamped(k, beyond)
		if out.Least == nil || k.Cmp(out.Least) > 0 {
			out.Least = k
		}
	}
	most := func(k *big.Int) {
		k = clamped(k, beyond)
		if out.Most == nil || k.Cmp(out.Most) < 0 {
			out.Most = k
		}
	}
	if t.AtLeast.Set {
		k, whole := limit(t.AtLeast, "at least")
		if !whole {
			k = next(k, 1)
		}
		least(k)
	}
	if t.MoreThan.Set {
		k, _ := limit(t.MoreThan, "more than")
		least(next(k, 1))
	}
	if t.AtMost.Set {
		k, _ := limit(t.AtMost, "at most")
		most(k)
	}
	if t.LessThan.Set {
		k, whole := limit(t.LessThan, "less than")
		if whole {
			k = next(k, -1)
		}
		most(k)
	}
	return out
}

// without is a unit's number without rows, after the threshold.
func (v *UnitValue) without(k *big.Int) *big.Int {
	if v.Threshold != nil {
		return v.Threshold.Of(k)
	}
	return v.Within(k, Bounds{})
}

// meaning is the text that the same numbers have in common.
func (v *UnitValue) meaning() string {
	text := string(v.Op) + " of " + v.Measure.id
	if v.Threshold != nil {
		text += "; 1 where it is " + v.Threshold.text
	}
	if v.Caps != nil {
		text += "; " + v.Caps.text
	}
	return text
}
