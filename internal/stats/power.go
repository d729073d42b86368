package stats

import (
	"fmt"
	"math"
)

// PowerDesign is what the power of a comparison of two means depends on, but for
// the effect and the number of units. Both variations have the same variance, but for
// rates, whose variance follows from the rate.
type PowerDesign struct {
	StdDev      float64 // of a unit of the baseline, above 0
	Rate        float64 // the baseline's mean, of a metric of 0 and 1; 0 of all others
	Ratio       float64 // units of the variation for each unit of the baseline, above 0
	Alpha       float64
	Alternative Alternative
	Test        Test // Student or Welch: the noncentral t; Z: the normal

	// Where the experiment is looked at before its end (Peeking): the units that an
	// always-valid sequence is tuned at, the standard deviation of the effects of a mixture,
	// or the looks of a group-sequential design.
	tunedAt int
	mixture float64
	looks   *crossings
}

// PowerDesignOf takes the standard deviation from moments at hand, adjusted by the
// covariates if opt says so; ok is false where they have none above zero. That of a
// percentile is its standard error times the root of the units, which of a percentile of
// events are fewer than its values; it is compared as Z.
func PowerDesignOf(kind Kind, m Moments, ratio float64, opt Options) (d PowerDesign, ok bool) {
	e := estimateOf(kind, m)
	if !e.hasVariance {
		return PowerDesign{}, false
	}
	variance := e.variance
	if kind == Percentile {
		opt.Test = Z
		variance = variance.times(SumOf(m.Units)).over(SumOf(e.units))
	}
	if adjusts(kind, opt) {
		if p := estimateOf(kind, m.covariate()); p.hasVariance && p.variance.sign() > 0 {
			c := covariance(kind, m)
			variance = variance.sub(c.mul(c).quo(p.variance))
		}
	}
	sd := math.Sqrt(variance.float64())
	d = PowerDesign{StdDev: sd, Ratio: ratio, Alpha: opt.Alpha, Alternative: opt.Alternative, Test: opt.Test}
	if isRate(kind, m) {
		d.Rate = e.mean.float64()
	}
	return d, sd > 0 && !math.IsInf(sd, 1)
}

// variance is that of an effect of this size, measured on so many units.
func (d PowerDesign) variance(effect, units float64) float64 {
	baseline, ofVariation := units/(1+d.Ratio), 1.0
	if rate := math.Min(1, math.Max(0, d.Rate+effect)); d.Rate > 0 && d.Rate < 1 {
		ofVariation = rate * (1 - rate) / (d.Rate * (1 - d.Rate))
	}
	return d.StdDev * d.StdDev * (1/baseline + ofVariation/(units-baseline))
}

// detectable is the absolute effect that a comparison with this spread finds with
// opt.Power: of one fixed look by the noncentral t with the test's degrees of
// freedom, or the normal of z; of looks before the end as many standard errors away as
// the test's quantile and the power's together.
func (s spread) detectable(quantile float64, opt Options) float64 {
	if opt.Alpha >= opt.Power {
		return 0 // no effect at all is found as often
	}
	shift := quantile - normal{}.quantile(opt.Power)
	switch reference := s.reference.(type) {
	case student:
		shift = noncentralShift(reference.nu, quantile, opt.Alternative, opt.Power)
	case normal:
		shift = shiftBeyond(normalTail, quantile, opt.Alternative, opt.Power)
	}
	if opt.Alternative == Less {
		shift = -shift
	}
	return shift * math.Sqrt(s.baseline+s.variation)
}

// Power is the chance to find the effect with so many units in both variations
// together, at least 3.
func (d PowerDesign) Power(effect, units float64) float64 {
	variance := d.variance(effect, units)
	shift := effect / math.Sqrt(variance)
	if power, ok := d.sequentialPower(shift, units, variance); ok {
		return power
	}
	reference, above := d.statistic(units)
	q := quantileOf(reference, d.options())
	switch d.Alternative {
	case TwoSided:
		return math.Min(1, above(q, shift)+above(q, -shift))
	case Less:
		shift = -shift
	}
	return above(q, shift)
}

// statistic is what so many units are tested by in one fixed look: its distribution without
// an effect, and the chance of its being above q with one of so many standard errors.
func (d PowerDesign) statistic(units float64) (reference distribution, above func(q, shift float64) float64) {
	switch d.Test {
	case Z:
		return normal{}, normalTail
	case Welch, Student:
		nu := units - 2
		return student{nu}, chiOf(nu).tail
	}
	panic(fmt.Sprintf("stats: no case for the power of test %q", d.Test))
}

func (d PowerDesign) options() Options { return Options{Alpha: d.Alpha, Alternative: d.Alternative} }

// DetectableEffect is the effect that so many units find with the power; below
// zero where the alternative is Less.
func (d PowerDesign) DetectableEffect(power, units float64) float64 {
	if d.Alternative == Less {
		d.Alternative = Greater
		if d.Rate > 0 {
			d.Rate = 1 - d.Rate // of those that do not
		}
		return -d.DetectableEffect(power, units)
	}
	unit := math.Sqrt(d.variance(0, units))
	if d.looks == nil && d.tunedAt == 0 && d.mixture == 0 && power > d.Alpha {
		reference, above := d.statistic(units)
		shift := shiftBeyond(above, quantileOf(reference, d.options()), d.Alternative, power)
		if d.Rate == 0 {
			return unit * shift
		}
		return unit * rising(func(e float64) float64 { return e*unit/math.Sqrt(d.variance(e*unit, units)) - shift }, 0, 1)
	}
	return unit * rising(func(e float64) float64 { return d.Power(e*unit, units) - power }, 0, 1)
}

// normalTail is the chance of a normal statistic with this mean above q.
func normalTail(q, shift float64) float64 { return normal{}.tail(q - shift) }

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

// chi is the distribution of S, the root of a χ² by its degrees of freedom, as
// weights at nodes that add up to 1. Its density s^(ν−1)·exp(−ν·s²/2) is about
// 1/√(2ν) wide around 1.
type chi []node

// node is a point of a distribution with its weight.
type node struct{ s, w float64 }

func chiOf(nu float64) chi {
	wide, panels := 12.0, 24
	if nu > 100 {
		wide, panels = 7, 4 // nearly a normal
	}
	// By a root of s the density is smooth at 0, also where ν is not a whole number.
	root := 1.0
	if nu < 10 {
		root = 8
	}
	from, to := math.Max(0, 1-wide/math.Sqrt(2*nu)), math.Pow(1+wide/math.Sqrt(2*nu), 1/root)
	half := (to - from) / float64(panels) / 2
	nodes := make(chi, 0, panels*len(gauss))
	all := 0.0
	for i := range panels {
		middle := from + float64(2*i+1)*half
		for _, g := range gauss {
			v := middle + g.x*half
			s := math.Pow(v, root)
			density := g.w * math.Exp((root*nu-1)*math.Log(v)-nu*(s*s-1)/2)
			all += density
			nodes = append(nodes, node{s, density})
		}
	}
	for i := range nodes {
		nodes[i].w /= all
	}
	return nodes
}

// tail is the chance of a noncentral t above q, of (Z + shift)/S with S² a χ² by its degrees
// of freedom: the mean of the normal tail at q·S − shift.
func (c chi) tail(q, shift float64) float64 {
	sum := 0.0
	for _, node := range c {
		sum += node.w * normal{}.tail(q*node.s-shift)
	}
	return sum
}

// nearlyNormalTail is that of a noncentral t where the distribution of S is a normal one but
// for its third moment, of the order of 1/ν²: Z − q·S is normal then.
func nearlyNormalTail(q, nu, shift float64) float64 {
	mean := gammaRatio(nu/2) * math.Sqrt(2/nu)
	return normal{}.tail((q*mean - shift) / math.Sqrt(1+q*q*(1-mean)*(1+mean)))
}

// noncentralShift is the shift of a noncentral t that is beyond q, or with two
// sides beyond ±q, with the power.
func noncentralShift(nu, q float64, alt Alternative, power float64) float64 {
	above := func(q, shift float64) float64 { return nearlyNormalTail(q, nu, shift) }
	if nu < 1e5 {
		above = chiOf(nu).tail
	}
	return shiftBeyond(above, q, alt, power)
}

// shiftBeyond is the shift of a statistic that is beyond q, or with two sides beyond ±q,
// with the power; above is the chance of its being above a number.
func shiftBeyond(above func(q, shift float64) float64, q float64, alt Alternative, power float64) float64 {
	f := func(shift float64) float64 {
		p := above(q, shift)
		if alt == TwoSided {
			p += above(q, -shift)
		}
		return p - power
	}
	// The secant method, from where the normal has the root, between ends that close in.
	low, high := 0.0, math.Inf(1)
	x, before := math.Max(0, q-normal{}.quantile(power)), 0.0
	fx, fBefore := 0.0, math.NaN()
	for i := range 200 {
		fx = f(x)
		if fx < 0 {
			low = x
		} else {
			high = x
		}
		next := x - fx*(x-before)/(fx-fBefore)
		switch {
		case i == 0:
			next = x + 0.01
		case i < 50 && next >= low && next <= math.Min(high, 2*x+1): // else it leads nowhere
		case math.IsInf(high, 1):
			next = 2*x + 1
		default:
			next = low + (high-low)/2
		}
		x, before, fBefore = next, x, fx
		if math.Abs(x-before) < 1e-12*(1+x) {
			break
		}
	}
	return x
}
