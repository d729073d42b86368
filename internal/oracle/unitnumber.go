package oracle

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// A unitNumber is what a metric makes of one unit (section 5).
type unitNumber struct {
	u    *unit
	x, y *big.Rat // y is nil but for ratios
	rows int      // rows that count (a ratio: of its numerator)
}

// numbers gives the units that the metric's statistic is over, with their
// numbers. overflow tells that a row or a unit does not fit (5.1).
func (x *experiment) numbers(m *metrics.Metric) (numbers []*unitNumber, overflow bool) {
	switch {
	case m.Funnel != nil:
		panic("oracle: funnels are not done yet")
	case m.Over.V != "":
		panic("oracle: over is not done yet")
	case m.SplitBy.V != "":
		panic("oracle: split_by is not done yet")
	case m.Statistic.V != "" && m.Statistic.V != "mean":
		panic("oracle: percentiles are not done yet")
	case m.Ratio != nil:
		return x.ratioNumbers(m)
	}
	s := x.newSide(m)
	for _, u := range x.units {
		start, ok := s.start(u)
		if !ok { // 5.7
			continue
		}
		rows := s.rows(u, start)
		n := &unitNumber{u: u, x: s.reduce(rows, start), rows: len(rows)}
		if n.rows == 0 { // 5.3
			if m.WithoutEvents.Exclude {
				continue
			}
			n.x = withoutEvents(m)
		}
		n.x = s.limited(n.x)      // 5.4
		if !s.windowOver(start) { // 5.5
			continue
		}
		numbers = append(numbers, n)
	}
	s.cap(numbers, func(n *unitNumber) **big.Rat { return &n.x }) // 5.6
	return numbers, s.overflow
}

// ratioNumbers is 5.9.
func (x *experiment) ratioNumbers(m *metrics.Metric) (numbers []*unitNumber, overflow bool) {
	num, den := x.newSide(m.Ratio.Numerator), x.newSide(m.Ratio.Denominator)
	if within := m.Ratio.NumeratorWithin; within.Set {
		num.near = func(u *unit, at time.Time) bool {
			start, _ := den.start(u)
			return slices.ContainsFunc(den.rows(u, start), func(r counted) bool {
				return !at.Before(r.at) && at.Before(r.at.Add(within.V))
			})
		}
	}
	for _, u := range x.units {
		numStart, numOK := num.start(u)
		denStart, denOK := den.start(u)
		if !numOK || !denOK { // left out by a side's `after`
			continue
		}
		numRows, denRows := num.rows(u, numStart), den.rows(u, denStart)
		n := &unitNumber{u: u, x: num.reduce(numRows, numStart), y: den.reduce(denRows, denStart), rows: len(numRows)}
		if len(numRows) == 0 {
			n.x = new(big.Rat)
		}
		if len(denRows) == 0 {
			n.y = new(big.Rat)
		}
		n.x, n.y = num.limited(n.x), den.limited(n.y)
		if !num.windowOver(numStart) || !den.windowOver(denStart) { // 5.5: both sides
			continue
		}
		if m.WithoutEvents.Exclude && n.y.Sign() == 0 {
			continue
		}
		numbers = append(numbers, n)
	}
	num.cap(numbers, func(n *unitNumber) **big.Rat { return &n.x })
	den.cap(numbers, func(n *unitNumber) **big.Rat { return &n.y })
	return numbers, num.overflow || den.overflow
}

// start gives the instant that the metric counts from for a unit: e, or the
// `after` event (5.7); ok is false where the unit did not do that.
func (s *side) start(u *unit) (start time.Time, ok bool) {
	if s.After == nil {
		return u.start, true
	}
	return s.x.firstEvent(s.After, u, u.start)
}

// withoutEvents is the number of a unit without rows (5.3).
func withoutEvents(m *metrics.Metric) *big.Rat {
	if m.WithoutEvents.Number == "" {
		return new(big.Rat)
	}
	return m.WithoutEvents.Number.Rat()
}

// reduce makes one number of the rows that count (5.2); nil where there are none.
func (s *side) reduce(rows []counted, start time.Time) *big.Rat {
	if len(rows) == 0 {
		return nil
	}
	switch s.Measure.V {
	case metrics.Occurrence:
		return ratOf(1)
	case metrics.Count:
		n := int64(0)
		for _, r := range rows {
			n += r.weight
		}
		return ratOf(n)
	case metrics.ActiveDays:
		return ratOf(activeDays(rows))
	case metrics.Participation:
		last := dayOf(s.x.until.Add(-time.Microsecond))
		days := max(1, int64(last.Sub(dayOf(start))/(24*time.Hour))+1)
		return roundedTo(big.NewRat(activeDays(rows), days), 9)
	case metrics.Value:
		return s.reduceValues(rows)
	}
	panic(fmt.Sprintf("oracle: no case for measure %q", s.Measure.V))
}

func activeDays(rows []counted) int64 {
	days := map[time.Time]bool{}
	for _, r := range rows {
		days[dayOf(r.at)] = true
	}
	return int64(len(days))
}

// reduceValues is per_unit (5.2).
func (s *side) reduceValues(rows []counted) *big.Rat {
	if s.perUnit() == metrics.CountDistinct {
		distinct := map[string]bool{}
		for _, r := range rows {
			if r.k != nil {
				distinct["number "+r.k.String()] = true
			} else {
				distinct["text "+r.text] = true
			}
		}
		return ratOf(int64(len(distinct)))
	}
	byValue := func(a, b counted) int { return a.k.Cmp(b.k) }
	byTime := func(a, b counted) int { return cmp.Or(a.at.Compare(b.at), byValue(a, b)) }
	var k *big.Int
	switch s.perUnit() {
	case metrics.Sum:
		k = new(big.Int)
		for _, r := range rows {
			k.Add(k, new(big.Int).Mul(r.k, big.NewInt(r.weight)))
		}
	case metrics.Average:
		sum := new(big.Int)
		for _, r := range rows {
			sum.Add(sum, r.k)
		}
		k = roundHalfAway(new(big.Rat).SetFrac(sum, big.NewInt(int64(len(rows)))))
	case metrics.Min:
		k = slices.MinFunc(rows, byValue).k
	case metrics.Max:
		k = slices.MaxFunc(rows, byValue).k
	case metrics.First:
		k = slices.MinFunc(rows, byTime).k
	case metrics.Last:
		k = slices.MaxFunc(rows, byTime).k
	default:
		panic(fmt.Sprintf("oracle: no case for per_unit %q", s.perUnit()))
	}
	return new(big.Rat).Quo(new(big.Rat).SetInt(k), power10(s.decimals))
}

// limited makes a number 1 or 0 by the threshold, if there is one (5.4).
func (s *side) limited(x *big.Rat) *big.Rat {
	t := s.Threshold
	if t == nil {
		return x
	}
	if t.AtLeast.Set && x.Cmp(t.AtLeast.V.Rat()) < 0 ||
		t.AtMost.Set && x.Cmp(t.AtMost.V.Rat()) > 0 ||
		t.MoreThan.Set && x.Cmp(t.MoreThan.V.Rat()) <= 0 ||
		t.LessThan.Set && x.Cmp(t.LessThan.V.Rat()) >= 0 {
		return ratOf(0)
	}
	return ratOf(1)
}

// cap winsorizes one side's numbers (5.6), over all variations together, and
// then sees whether each of them fits (5.1).
//
// Reading: the units that must fit are those that the statistic is over.
func (s *side) cap(numbers []*unitNumber, at func(*unitNumber) **big.Rat) {
	if w := s.Winsorize; w != nil {
		upper, lower := s.caps(numbers, at)
		for _, n := range numbers {
			x := at(n)
			if w.IgnoreZeros && (*x).Sign() == 0 {
				continue
			}
			if upper != nil && (*x).Cmp(upper) > 0 {
				*x = upper
			}
			if lower != nil && (*x).Cmp(lower) < 0 {
				*x = lower
			}
		}
	}
	most := new(big.Rat).Quo(new(big.Rat).SetInt(limit), power10(s.decimals))
	for _, n := range numbers {
		if s.Measure.V == metrics.Value && new(big.Rat).Abs(*at(n)).Cmp(most) > 0 {
			s.overflow = true
		}
	}
}

// caps gives the values that winsorizing caps at; nil where there is no such cap.
func (s *side) caps(numbers []*unitNumber, at func(*unitNumber) **big.Rat) (upper, lower *big.Rat) {
	w := s.Winsorize
	if w.UpperValue.Set {
		upper = w.UpperValue.V.Rat()
	}
	if w.LowerValue.Set {
		lower = w.LowerValue.V.Rat()
	}
	var order []*big.Rat
	for _, n := range numbers {
		if x := *at(n); !w.IgnoreZeros || x.Sign() != 0 {
			order = append(order, x)
		}
	}
	slices.SortFunc(order, (*big.Rat).Cmp)
	n := len(order)
	if n == 0 {
		return upper, lower
	}
	if w.Upper.Set {
		if w.Linear {
			upper = roundedTo(quantile(order, w.Upper.V.Rat()), s.decimals)
		} else {
			h := floorOf(new(big.Rat).Mul(new(big.Rat).Sub(ratOf(1), w.Upper.V.Rat()), ratOf(int64(n))))
			upper = order[max(0, n-1-h)]
		}
	}
	if w.Lower.Set {
		if w.Linear {
			lower = roundedTo(quantile(order, w.Lower.V.Rat()), s.decimals)
		} else {
			lower = order[min(n-1, floorOf(new(big.Rat).Mul(w.Lower.V.Rat(), ratOf(int64(n)))))]
		}
	}
	return upper, lower
}

// quantile is the order statistic at position (n−1)·q, interpolated exactly (section 6).
func quantile(order []*big.Rat, q *big.Rat) *big.Rat {
	h := new(big.Rat).Mul(ratOf(int64(len(order)-1)), q)
	i := floorOf(h)
	if i == len(order)-1 {
		return order[i]
	}
	rest := new(big.Rat).Sub(h, ratOf(int64(i)))
	step := new(big.Rat).Sub(order[i+1], order[i])
	return new(big.Rat).Add(order[i], rest.Mul(rest, step))
}

func ratOf(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }

func floorOf(r *big.Rat) int { return int(new(big.Int).Div(r.Num(), r.Denom()).Int64()) }

// roundedTo rounds to d digits, halves away from zero.
func roundedTo(r *big.Rat, d int) *big.Rat {
	k := roundHalfAway(new(big.Rat).Mul(r, power10(d)))
	return new(big.Rat).Quo(new(big.Rat).SetInt(k), power10(d))
}
