package stats

import (
	"fmt"
	"math"
)

// relativeName names the way to a relative interval in the column method.
func relativeName(r RelativeInterval) string {
	switch r {
	case Delta, Log:
		return string(r)
	case Fieller:
		return "Fieller"
	}
	panic(fmt.Sprintf("stats: no case for relative interval %q", r))
}

// relative fills in the interval of the relative effect (b−a)/|a|. All ways
// compare with the distribution of the absolute effect.
func (e *Effect) relative(a, b estimate, s spread, quantile float64, opt Options, v *verdict) {
	size := math.Abs(a.mean.float64())
	r := relativeSpread{
		effect:    *e.Relative,
		share:     b.mean.quo(a.mean).float64(),
		sign:      float64(a.mean.sign()),
		baseline:  math.Sqrt(s.baseline) / size,
		variation: math.Sqrt(s.variation) / size,
		quantile:  quantile,
	}
	switch opt.Relative {
	case Delta:
		e.RelativeLow, e.RelativeHigh = r.delta(opt.Alternative, v)
	case Log:
		e.RelativeLow, e.RelativeHigh = r.log(opt.Alternative, v)
	case Fieller:
		e.RelativeLow, e.RelativeHigh = r.fieller(opt.Alternative, v)
		if e.Significant != nil {
			e.RelativeLow, e.RelativeHigh = agree(*e.Significant, r.effect, opt.Alternative, e.RelativeLow, e.RelativeHigh)
		}
	default:
		panic(fmt.Sprintf("stats: no case for relative interval %q", opt.Relative))
	}
}

// relativeSpread is a relative effect and what its intervals are made of, in
// units of the baseline's absolute mean.
type relativeSpread struct {
	effect              float64 // (b−a)/|a|
	share               float64 // b/a
	sign                float64 // of a
	baseline, variation float64 // standard errors
	quantile            float64
}

// delta linearises the share: var = vb/a² + va·b²/a⁴.
func (r relativeSpread) delta(alt Alternative, v *verdict) (low, high *float64) {
	d := r.quantile * math.Hypot(r.variation, r.baseline*r.share)
	return ends(r.effect-d, r.effect+d, alt, v)
}

// log linearises the logarithm of the share, var = vb/b² + va/a², and takes the
// ends of its interval back. The effect is sign·(share−1).
func (r relativeSpread) log(alt Alternative, v *verdict) (low, high *float64) {
	if !(r.share > 0) {
		v.add(NoLogRatio, "one mean is zero or of the other sign, so their ratio has no logarithm and the relative effect no interval")
		return nil, nil
	}
	d := r.quantile * math.Hypot(r.variation/r.share, r.baseline)
	return ends(r.effect+r.sign*r.share*math.Expm1(-r.sign*d), r.effect+r.sign*r.share*math.Expm1(r.sign*d), alt, v)
}

// fieller is the set of shares ρ for which b − ρ·|a| is not significantly
// different from zero: with the squared quantile q² and g = q²·va/a² below 1 the
// interval between the roots of a quadratic, else no interval.
func (r relativeSpread) fieller(alt Alternative, v *verdict) (low, high *float64) {
	g := r.quantile * r.baseline * r.quantile * r.baseline
	if !(g < 1) {
		v.add(UnboundedRelative, "the baseline's mean is not significantly different from zero, so the relative effect has no interval")
		return nil, nil
	}
	d := r.quantile * math.Hypot(r.baseline*r.share, r.variation*math.Sqrt(1-g))
	middle := r.effect + r.sign*g
	return ends((middle-d)/(1-g), (middle+d)/(1-g), alt, v)
}
