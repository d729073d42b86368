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
	u      *unit
	x, y   *big.Rat   // y is nil but for ratios
	p, q   *big.Rat   // covariates of x and y (section 7); nil without CUPED
	rows   int        // rows that count (a ratio: of its numerator)
	met    []counted  // rows that count, of a ratio those of both sides
	groups []*big.Rat // the numbers of groups (5.8); nil without over
}

// outcomes are the places of x, or of y.
func outcomes(side int) places {
	return func(n *unitNumber) []**big.Rat { return []**big.Rat{&n.x, &n.y}[side : side+1] }
}

// covariates are the places of p, or of q.
func covariates(side int) places {
	return func(n *unitNumber) []**big.Rat { return []**big.Rat{&n.p, &n.q}[side : side+1] }
}

// ofGroups are the places of the numbers of groups.
func ofGroups(n *unitNumber) []**big.Rat {
	var at []**big.Rat
	for i := range n.groups {
		at = append(at, &n.groups[i])
	}
	return at
}

// A measured is a metric in an experiment: one side, or those of a ratio.
type measured struct {
	*metrics.Metric
	x     *experiment
	sides []*side
	// days is how many days of covariates there are, 0 for none (section 7).
	days  int
	alpha float64
	// capped tells that the caps are decided, for everybody.
	capped bool
}

func (x *experiment) measure(em *metrics.ExperimentMetric) *measured {
	m := &measured{Metric: em.Metric, x: x, alpha: alphaOf(em.Analysis)}
	if m.Ratio == nil {
		m.sides = []*side{x.newSide(m.Metric)}
	} else {
		num, den := x.newSide(m.Ratio.Numerator), x.newSide(m.Ratio.Denominator)
		m.sides = []*side{num, den}
		if within := m.Ratio.NumeratorWithin; within.Set {
			num.near = func(u *unit, at time.Time, keep keepRow) bool {
				start, ok := den.start(u)
				if !ok { // 5.7: there is no window that a row of the denominator could be in
					return false
				}
				return slices.ContainsFunc(den.rows(u, start, keep), func(r counted) bool {
					return !at.Before(r.at) && at.Before(r.at.Add(within.V))
				})
			}
		}
	}
	if x.takesCovariates(m.Metric) {
		m.days = em.Analysis.CUPED.V.Days
	}
	return m
}

// isRatio reports whether the metric has a denominator: a ratio, or a mean over groups (5.8).
func (m *measured) isRatio() bool { return m.Ratio != nil || m.Over.Set && !m.IsPercentile() }

// overflow tells that a row or a unit does not fit (5.1).
func (m *measured) overflow() bool {
	return slices.ContainsFunc(m.sides, func(s *side) bool { return s.overflow })
}

// numbers gives the units that the metric's statistic is over, with their
// numbers, of the rows that are kept. The first call is about all rows and
// decides the caps for those that follow.
func (m *measured) numbers(keep keepRow) []*unitNumber {
	var numbers []*unitNumber
	for _, u := range m.x.units {
		if n := m.number(u, keep); n != nil {
			numbers = append(numbers, n)
		}
	}
	for i, s := range m.sides {
		if m.IsPercentile() && m.Over.Set { // 5.1: of both, the groups and their sum
			s.capFitting(numbers, ofGroups, s.capped)
		}
		if !m.capped {
			s.findCaps(numbers, outcomes(i))
		}
		s.capFitting(numbers, outcomes(i), s.capped)
	}
	m.capped = true
	if m.days > 0 {
		m.addCovariates(numbers, keep)
	}
	return numbers
}

// number gives a unit's number before caps, nil for a unit that is left out.
//
// Reading: a row that is too large is overflow even if its unit is left out
// for its window, for having no rows (5.1), or for the `after` of another side.
func (m *measured) number(u *unit, keep keepRow) *unitNumber {
	n := &unitNumber{u: u}
	out := false
	for i, s := range m.sides {
		start, ok := s.start(u)
		if !ok { // 5.7; of a ratio, 5.9
			out = true
			continue
		}
		x := outcomes(i)(n)[0]
		if m.Over.Set {
			m.addGroups(n, s, u, start, keep)
		} else {
			rows := s.rows(u, start, keep)
			n.met = append(n.met, rows...)
			if i == 0 {
				n.rows = len(rows)
			}
			*x = s.reduce(rows, start)
			if *x == nil { // 5.3
				*x = m.nothing()
				out = out || m.Ratio == nil && m.WithoutEvents.Exclude
			}
			*x = s.limited(*x) // 5.4
		}
		out = out || !s.windowOver(start) // 5.5
	}
	if !out && m.Ratio != nil && m.WithoutEvents.Exclude { // 5.9
		out = out || n.y.Sign() == 0
	}
	if out {
		return nil
	}
	return n
}

// nothing is the number of a unit without rows (5.3); on the side of a ratio 0 (5.9).
func (m *measured) nothing() *big.Rat {
	if m.Ratio != nil || m.WithoutEvents.Number == "" {
		return new(big.Rat)
	}
	return m.WithoutEvents.Number.Rat()
}

// start gives the instant that the metric counts from for a unit: e, or the
// `after` event (5.7); ok is false where the unit did not do that.
func (s *side) start(u *unit) (start time.Time, ok bool) {
	if s.After == nil {
		return u.start, true
	}
	return s.x.firstEvent(s.After, u, u.start)
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
