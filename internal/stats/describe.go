package stats

import (
	"fmt"
	"math"
)

// Summary describes the units of one variation. A number that cannot be given
// is nil, and Status and Reason say why.
type Summary struct {
	Total  *float64 // sum of the per-unit values; of a ratio: of its numerators
	Mean   *float64 // total per unit; of a ratio: numerator per denominator
	StdDev *float64 // of the per-unit values; of a ratio: of the linearised ones

	Numerator   *float64 // sum of a ratio's numerators; nil for a mean
	Denominator *float64 // sum of a ratio's denominators; nil for a mean

	Status Status
	Reason string
}

// Describe gives the total, mean and standard deviation of one variation.
func Describe(kind Kind, m Moments) Summary {
	var s Summary
	e := estimateOf(kind, m)
	if m.Units >= 0 && (m.Units == 0 || m.Has(X)) {
		s.Total = e.number(m.Sum(X).Float64())
		if kind == Ratio {
			s.Numerator, s.Denominator = s.Total, e.number(m.Sum(Y).Float64())
		}
	}
	if e.hasMean {
		s.Mean = e.number(e.mean.float64())
	}
	if e.hasVariance && kind != Percentile {
		s.StdDev = e.number(math.Sqrt(e.variance.float64()))
	}
	s.Status, s.Reason = e.settle()
	return s
}

// estimate is what one variation's moments say: a point, and the variance of
// one unit around it. Methods that adjust (covariates, strata) give another
// estimate; what follows stays the same.
type estimate struct {
	verdict
	units       int64
	mean        fraction
	variance    fraction // divided by n−1; of a ratio: of the linearised values
	hasMean     bool
	hasVariance bool
}

func estimateOf(kind Kind, m Moments) estimate {
	switch kind {
	case Mean:
		return meanOf(m)
	case Ratio:
		return ratioOf(m)
	case Proportion:
		return proportionOf(m)
	case Percentile:
		return percentileOf(m)
	}
	panic(fmt.Sprintf("stats: no case for kind %d", int(kind)))
}

func meanOf(m Moments) estimate {
	e := estimate{units: m.Units}
	if !e.countable() {
		return e
	}
	e.mean, e.hasMean = fraction{m.Sum(X), SumOf(m.Units)}, true
	e.setVariance(fraction{m.spread(X, X, XX), pairs(m.Units)})
	return e
}

// proportionOf has the variance p(1−p) = Σx·(n−Σx)/n².
func proportionOf(m Moments) estimate {
	e := estimate{units: m.Units}
	if !e.countable() {
		return e
	}
	x, n := m.Sum(X), SumOf(m.Units)
	e.mean, e.hasMean = fraction{x, n}, true
	e.setVariance(fraction{x.Mul(n.Sub(x)), n.Mul(n)})
	return e
}

// ratioOf linearises the ratio r = Σx/Σy around its value (the delta method):
// the unit value is (x − r·y)/ȳ, with the variance
//
//	(σx² − 2r·σxy + r²·σy²)/ȳ² = n·(Sxx·(Σy)² − 2·Sxy·Σx·Σy + Syy·(Σx)²) / ((n−1)·(Σy)⁴)
//
// where Suv = n·Σuv − Σu·Σv.
func ratioOf(m Moments) estimate {
	e := estimate{units: m.Units}
	if !e.countable() {
		return e
	}
	x, y := m.Sum(X), m.Sum(Y)
	if y.Sign() == 0 {
		e.add(ZeroDenominator, "the denominators add up to zero")
		return e
	}
	e.mean, e.hasMean = fraction{x, y}, true
	xx, yy, xy := x.Mul(x), y.Mul(y), x.Mul(y)
	num := m.spread(X, X, XX).Mul(yy).
		Sub(SumOf(2).Mul(m.spread(X, Y, XY)).Mul(xy)).
		Add(m.spread(Y, Y, YY).Mul(xx))
	e.setVariance(fraction{SumOf(m.Units).Mul(num), SumOf(m.Units - 1).Mul(yy).Mul(yy)})
	return e
}

// pairs gives n·(n−1).
func pairs(n int64) Sum { return SumOf(n).Mul(SumOf(n - 1)) }

// countable reports whether there are units, and adds the status if not.
func (e *estimate) countable() bool {
	switch {
	case e.units < 0:
		e.add(InconsistentSums, "the number of units is negative")
	case e.units == 0:
		e.add(NoUnits, "there are no units")
	default:
		return true
	}
	return false
}

// varianceOfMean is rounded.
func (e estimate) varianceOfMean() float64 { return e.variance.over(SumOf(e.units)).float64() }

// setVariance puts the variance in place, if there can be one.
func (e *estimate) setVariance(v fraction) {
	switch {
	case e.units == 1:
		e.add(OneUnit, "there is only one unit, and a variance needs two")
	case v.sign() < 0:
		e.add(InconsistentSums, "the sums belong to no set of units: their variance is negative")
	default:
		e.variance, e.hasVariance = v, true
	}
}
