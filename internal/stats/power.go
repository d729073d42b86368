package stats

import (
	"fmt"
	"math"
)

// PowerDesign is what the power of a comparison of two means depends on, but for
// the effect and the number of units. Both variations have the same variance.
type PowerDesign struct {
	StdDev      float64 // of a unit, above 0
	Ratio       float64 // units of the variation for each unit of the baseline, above 0
	Alpha       float64
	Alternative Alternative
	Test        Test // Student or Welch: the noncentral t; Z: the normal
}

// PowerDesignOf takes the standard deviation from moments at hand, adjusted by the
// covariates if opt says so; ok is false where they have none above zero.
func PowerDesignOf(kind Kind, m Moments, ratio float64, opt Options) (d PowerDesign, ok bool) {
	e := estimateOf(kind, m)
	if !e.hasVariance {
		return PowerDesign{}, false
	}
	variance := e.variance
	if adjusts(kind, opt) {
		if p := estimateOf(kind, m.covariate()); p.hasVariance && p.variance.sign() > 0 {
			c := covariance(kind, m)
			variance = variance.sub(c.mul(c).quo(p.variance))
		}
	}
	sd := math.Sqrt(variance.float64())
	return PowerDesign{sd, ratio, opt.Alpha, opt.Alternative, opt.Test}, sd > 0 && !math.IsInf(sd, 1)
}

// Power is the chance to find the effect with so many units in both variations
// together, at least 3.
func (d PowerDesign) Power(effect, units float64) float64 {
	baseline := units / (1 + d.Ratio)
	shift := effect / (d.StdDev * math.Sqrt(1/baseline+1/(units-baseline)))
	var above func(q, shift float64) float64
	var reference distribution
	switch d.Test {
	case Z:
		reference = normal{}
		above = func(q, shift float64) float64 { return normal{}.tail(q - shift) }
	case Welch, Student:
		nu := units - 2
		reference = student{nu}
		above = func(q, shift float64) float64 { return noncentralTail(q, nu, shift) }
	default:
		panic(fmt.Sprintf("stats: no case for the power of test %q", d.Test))
	}
	switch d.Alternative {
	case TwoSided:
		q := reference.quantile(d.Alpha / 2)
		return math.Min(1, above(q, shift)+above(q, -shift))
	case Greater:
		return above(reference.quantile(d.Alpha), shift)
	case Less:
		return above(reference.quantile(d.Alpha), -shift)
	}
	panic(fmt.Sprintf("stats: no case for alternative %q", d.Alternative))
}

// DetectableEffect is the effect that so many units find with the power; below
// zero where the alternative is Less.
func (d PowerDesign) DetectableEffect(power, units float64) float64 {
	if d.Alternative == Less {
		d.Alternative = Greater
		return -d.DetectableEffect(power, units)
	}
	unit := d.StdDev * math.Sqrt((1+d.Ratio)*(1+1/d.Ratio)/units)
	return unit * rising(func(e float64) float64 { return d.Power(e*unit, units) - power }, 0, 1)
}

// Units is the number of units, in both variations together, that finds the effect
// with the power; it is not rounded. It is infinite where no number does: for no
// effect, or one on the other side.
func (d PowerDesign) Units(effect, power float64) float64 {
	if effect == 0 || effect < 0 && d.Alternative == Greater || effect > 0 && d.Alternative == Less {
		return math.Inf(1)
	}
	f := func(log float64) float64 { return d.Power(effect, math.Exp(log)) - power }
	return math.Exp(rising(f, math.Log(3), math.Log(6)))
}

// rising is the root of a rising function above from; to is a first guess. It is
// from where the function is above zero there.
func rising(f func(float64) float64, from, to float64) float64 {
	if f(from) >= 0 {
		return from
	}
	for f(to) < 0 {
		if to > 1e6 {
			return math.Inf(1)
		}
		from, to = to, to+2*(to-from)
	}
	for range 200 {
		middle := from + (to-from)/2
		if middle <= from || middle >= to {
			break
		}
		if f(middle) < 0 {
			from = middle
		} else {
			to = middle
		}
	}
	return to
}

// noncentralTail is the chance of a noncentral t above q: of (Z + shift)/S with S²
// a χ² by its nu degrees of freedom. It is the mean of the normal tail at q·S −
// shift over S, whose density s^(ν−1)·exp(−ν·s²/2) is about 1/√(2ν) wide around 1.
func noncentralTail(q, nu, shift float64) float64 {
	width := 12 / math.Sqrt(2*nu)
	from, to := math.Max(0, 1-width), 1+width
	const panels = 24
	half := (to - from) / panels / 2
	var sum, all float64
	for i := range panels {
		middle := from + float64(2*i+1)*half
		for _, g := range gauss {
			s := middle + g.x*half
			density := g.w * math.Exp((nu-1)*math.Log(s)-nu*(s*s-1)/2)
			all += density
			sum += density * normal{}.tail(q*s-shift)
		}
	}
	return sum / all
}
