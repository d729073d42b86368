package oracle

import (
	"math/big"
	"slices"

	"github.com/metricsjob/metricsjob/metrics"
)

// places are where one side's numbers stand in a unit's number.
type places func(*unitNumber) []**big.Rat

// each calls do for each number of a side.
func (at places) each(numbers []*unitNumber, do func(x **big.Rat)) {
	for _, n := range numbers {
		for _, x := range at(n) {
			do(x)
		}
	}
}

// findCaps decides the values that winsorizing caps at (5.6), over all
// variations together.
func (s *side) findCaps(numbers []*unitNumber, at places) {
	w := s.Winsorize
	if w == nil {
		return
	}
	if w.UpperValue.Set {
		s.upper = w.UpperValue.V.Rat()
	}
	if w.LowerValue.Set {
		s.lower = w.LowerValue.V.Rat()
	}
	var order []*big.Rat
	at.each(numbers, func(x **big.Rat) {
		if !w.IgnoreZeros || (*x).Sign() != 0 {
			order = append(order, *x)
		}
	})
	if len(order) == 0 {
		return
	}
	slices.SortFunc(order, (*big.Rat).Cmp)
	if w.Upper.Set {
		s.upper = s.upperCap(order, w)
	}
	if w.Lower.Set {
		s.lower = s.lowerCap(order, w)
	}
}

func (s *side) upperCap(order []*big.Rat, w *metrics.Winsorize) *big.Rat {
	if w.Linear {
		return roundedTo(quantile(order, w.Upper.V.Rat()), s.capDigits())
	}
	n := len(order)
	h := floorOf(new(big.Rat).Mul(new(big.Rat).Sub(ratOf(1), w.Upper.V.Rat()), ratOf(int64(n))))
	return order[max(0, n-1-h)]
}

func (s *side) lowerCap(order []*big.Rat, w *metrics.Winsorize) *big.Rat {
	if w.Linear {
		return roundedTo(quantile(order, w.Lower.V.Rat()), s.capDigits())
	}
	n := len(order)
	return order[min(n-1, floorOf(new(big.Rat).Mul(w.Lower.V.Rat(), ratOf(int64(n)))))]
}

// capDigits are the digits that interpolated caps are rounded to.
//
// Reading: those of the unit's number. A number of distinct values is whole,
// whatever the values' decimals.
func (s *side) capDigits() int {
	if s.Measure.V == metrics.Value && s.perUnit() == metrics.CountDistinct {
		return 0
	}
	return s.decimals
}

// capFitting puts caps on numbers and sees whether they fit (5.1): before
// percentile caps, and after given ones.
//
// Reading: the units that must fit are those that the statistic is over.
func (s *side) capFitting(numbers []*unitNumber, at places, capped func(*big.Rat) *big.Rat) {
	most := new(big.Rat).Quo(new(big.Rat).SetInt(limit), power10(s.decimals))
	given := s.Winsorize != nil && (s.Winsorize.UpperValue.Set || s.Winsorize.LowerValue.Set)
	at.each(numbers, func(x **big.Rat) {
		whole := *x
		*x = capped(whole)
		if given {
			whole = *x
		}
		if s.Measure.V == metrics.Value && new(big.Rat).Abs(whole).Cmp(most) > 0 {
			s.overflow = true
		}
	})
}

// capped is a number after the caps, which takes note of those that changed it.
func (s *side) capped(x *big.Rat) *big.Rat {
	capped := s.within(x, s.upper, s.lower)
	s.changedUpper = s.changedUpper || capped.Cmp(x) < 0
	s.changedLower = s.changedLower || capped.Cmp(x) > 0
	return capped
}

// within is a number after caps; with ignore_zeros, a zero stays.
func (s *side) within(x, upper, lower *big.Rat) *big.Rat {
	if s.Winsorize != nil && s.Winsorize.IgnoreZeros && x.Sign() == 0 {
		return x
	}
	if upper != nil && x.Cmp(upper) > 0 {
		x = upper
	}
	if lower != nil && x.Cmp(lower) < 0 {
		x = lower
	}
	return x
}
