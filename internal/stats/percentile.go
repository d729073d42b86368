package stats

import "math/big"

// Percentiles are compared by closed form, without resampling: where a share ν
// of n values lies below a percentile, it lies between the order statistics at
// ν ± z·√(ν(1−ν)/n), and half of what is between them is z standard errors.
// The difference of two is taken for normal. Of events the shares vary with the
// units that they belong to, and their standard error is that of a ratio (Deng
// et al. 2018, section 4).

// Quantiles are the order statistics of one variation.
type Quantiles struct {
	// Value is the percentile, Lower and Upper the bounds of its interval.
	Value        *big.Rat
	Lower, Upper float64
	// Z is what the bounds are at: so many standard errors of the share.
	Z float64
	// N is the number of values.
	N int64
}

// PercentileZ is where the bounds of a percentile's interval are taken, in
// standard errors of the share: the two-sided quantile of the normal.
func PercentileZ(alpha float64) float64 { return normal{}.quantile(alpha / 2) }

// percentileOf estimates by order statistics. Their standard error is that of
// the percentile itself, which as the variance of one value is N times its
// square.
func percentileOf(m Moments) estimate {
	q := m.Quantiles
	if q == nil {
		q = &Quantiles{}
	}
	e := estimate{units: q.N}
	if !e.countable() {
		return e
	}
	e.mean, e.hasMean = fractionOf(q.Value), true
	se := new(big.Rat).SetFloat64((q.Upper - q.Lower) / (2 * q.Z))
	if se == nil {
		e.add(OutOfRange, "the bounds of the percentile are out of range")
		return e
	}
	if e.units > 1 {
		variance := se.Mul(se, se)
		e.setVariance(fractionOf(variance.Mul(variance, new(big.Rat).SetInt64(q.N))))
	}
	return e
}

func fractionOf(r *big.Rat) fraction { return fraction{NewSum(r.Num(), 0), NewSum(r.Denom(), 0)} }
