package stats

import (
	"fmt"
	"math"

	"github.com/metricsjob/metricsjob/metrics"
)

// Margin is how much worse than the baseline a guardrail may be. Size is not
// negative.
type Margin struct {
	Size     Sum
	Relative bool // of the baseline's absolute mean
}

// MarginOf reads a margin of a definition.
func MarginOf(m metrics.Margin) Margin {
	size, err := ParseSum(string(m.Value))
	if err != nil {
		panic("stats: a margin is checked where it is decoded: " + err.Error())
	}
	switch m.Unit {
	case metrics.MarginRelative:
		return Margin{size.Mul(percent), true}
	case metrics.MarginPoints:
		return Margin{size.Mul(percent), false}
	case metrics.MarginAbsolute:
		return Margin{size, false}
	}
	panic(fmt.Sprintf("stats: no case for the unit %q of a margin", m.Unit))
}

var percent = Sum{SumOf(1).int(), 2}

// NonInferiority says whether a variation is worse than the baseline by less than
// a margin. A number that cannot be given is nil, and Status and Reason say why.
type NonInferiority struct {
	// Bound is the end of the one-sided interval of the absolute effect on its bad
	// side, and Limit the margin as an absolute effect.
	Bound, Limit *float64
	// Worst is that bound with the uncertainty that a relative margin has of its
	// own, which for others is Bound: on the good side of Limit exactly when NonInferior.
	Worst       *float64
	PValue      *float64 // that the variation is worse by the margin or more
	NonInferior *bool    // PValue < alpha
	// Inferior reports that the variation is significantly worse than the margin.
	Inferior *bool
	Method   string
	Status   Status
	Reason   string
}

// CompareWithMargin tests the variation for non-inferiority, on one side at alpha,
// whatever opt.Alternative is. For a relative margin m of a mean that is to be high
// the difference tested is b − a + m·|a|, with the variance that the baseline's
// part in the margin leaves: the margin is as uncertain as the mean it is of. Where
// that mean is zero, so is the margin.
func CompareWithMargin(kind Kind, baseline, variation Moments, margin Margin, better metrics.Better, opt Options) NonInferiority {
	return NewComparison(kind, baseline, variation, opt).WithMargin(margin, better)
}

// WithMargin tests for non-inferiority, as CompareWithMargin.
func (c Comparison) WithMargin(margin Margin, better metrics.Better) NonInferiority {
	c.opt.Alternative, c.opt.Power = Greater, 0
	sign := -1.0 // of the worst effect that is allowed
	if better == metrics.Lower {
		c.opt.Alternative, sign = Less, 1
	}
	c.measure()
	v := both(c.a, c.b)
	var e Effect
	var r NonInferiority
	if c.a.hasMean && c.b.hasMean {
		unheard := v // compare says of the difference what test says of the margin
		e.compare(c, &unheard)
		r.test(c, margin, sign, &v)
	}
	r.Bound, r.Method = e.AbsoluteLow, testName(c.kind, c.opt)+", non-inferiority"
	if better == metrics.Lower {
		r.Bound = e.AbsoluteHigh
	}
	r.Status, r.Reason = v.settle()
	return r
}

func (r *NonInferiority) test(c Comparison, margin Margin, sign float64, v *verdict) {
	a, b, opt := c.a, c.b, c.opt
	limit, share := fraction{margin.Size, SumOf(1)}, 1.0
	if margin.Relative {
		limit = a.mean.abs().times(margin.Size)
		// b − a − sign·m·|a| has the baseline in it so many times. Of a mean of zero, which
		// may be either side of it, the side that leaves more uncertain counts.
		share = 1 + margin.Size.Float64()
		if a.mean.sign() != 0 {
			share = 1 + sign*float64(a.mean.sign())*margin.Size.Float64()
		}
	}
	if sign < 0 {
		limit = fraction{Sum{}, SumOf(1)}.sub(limit)
	}
	r.Limit = v.number(limit.float64())
	if !a.hasVariance || !b.hasVariance {
		return
	}
	s := c.spread
	s.baseline *= share * share
	if s.zero || s.baseline+s.variation == 0 {
		v.add(ZeroVariance, "no unit differs from another of its variation, so chance cannot be measured")
		return
	}
	if status, why := notNow(a, b, opt); status != OK {
		v.add(status, why)
		return
	}
	if _, welch := s.reference.(student); welch && opt.Test == Welch {
		s.reference = welchOf(s.baseline, s.variation, a.units, b.units)
	}
	gap, se := b.mean.sub(a.mean).sub(limit).float64(), math.Sqrt(s.baseline+s.variation)
	t := gap / se
	p := v.number(pValue(t, s.reference, opt.Alternative))
	if p == nil {
		return
	}
	r.PValue, r.NonInferior = p, new(*p < opt.Alpha)
	d := quantileOf(s.reference, opt) * se
	low, high := ends(gap-d, gap+d, opt.Alternative, v)
	low, high = agree(*r.NonInferior, gap, opt.Alternative, low, high)
	for _, end := range []*float64{low, high} { // one of them is open
		if end != nil && r.Limit != nil {
			r.Worst = v.number(*r.Limit + *end)
		}
	}
	opposite := Greater
	if opt.Alternative == Greater {
		opposite = Less
	}
	r.Inferior = new(pValue(t, s.reference, opposite) < opt.Alpha)
}
