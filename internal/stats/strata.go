package stats

import (
	"fmt"
	"math/big"
)

// Stratum holds the units of one part of both variations, a country say. The strata
// of a comparison are disjoint, and every unit is in one.
type Stratum struct {
	Baseline, Variation Moments
}

// Stratified gives the effect as Compare does, post-stratified (Miratrix, Sekhon, Yu
// 2013): each variation's mean is that of the strata, weighted by their share of the
// units of both, so that a variation which chance gave more units of a good country
// is not credited for it. A ratio is that of the weighted means of its numerators
// and denominators. Covariates adjust the means of each stratum by itself, and a
// ratio as a whole, by what they explain within strata. Percentiles are not
// stratified.
func Stratified(kind Kind, strata []Stratum, opt Options) Effect {
	return NewStratified(kind, strata, opt).Effect()
}

// NewStratified prepares the comparison that Stratified makes.
func NewStratified(kind Kind, strata []Stratum, opt Options) Comparison {
	var all Stratum
	for _, s := range strata {
		all = all.add(s)
	}
	strata = pooled(strata, Stratum.add, Stratum.units)
	if kind == Percentile || len(strata) < 2 {
		return NewComparison(kind, all.Baseline, all.Variation, opt)
	}
	c := Comparison{kind: kind, stratified: true}
	_, opt.Test = countTestOf(nil, opt)
	c.opt = opt
	units := SumOf(all.Baseline.Units + all.Variation.Units)
	a, b := newPost(kind, all.Baseline), newPost(kind, all.Variation)
	each := adjusts(kind, opt) && kind != Ratio // strata are adjusted one by one
	for _, s := range strata {
		x, y := a.meansOf(s.Baseline), b.meansOf(s.Variation)
		if each {
			adjust(kind, s.Baseline, s.Variation, &x[0], &y[0])
		}
		a.addMeans(s.weight(units), x)
		b.addMeans(s.weight(units), y)
	}
	for _, s := range strata {
		x, y := a.estimateOf(s.Baseline), b.estimateOf(s.Variation)
		if each {
			adjust(kind, s.Baseline, s.Variation, &x, &y)
		}
		a.addVariance(s.weight(units), x)
		b.addVariance(s.weight(units), y)
	}
	c.a, c.b = a.estimate(), b.estimate()
	if adjusts(kind, opt) && kind == Ratio {
		adjustRatios(strata, all, a, b, &c.a, &c.b)
	}
	c.reduction = reductionBy(kind, all, c)
	c.measure()
	return c
}

// reductionBy is the share of the variance of the difference that strata, and
// covariates in them, took away; nil if there was none to take.
func reductionBy(kind Kind, all Stratum, c Comparison) *float64 {
	x, y := estimateOf(kind, all.Baseline), estimateOf(kind, all.Variation)
	if !x.hasVariance || !y.hasVariance || !c.a.hasVariance || !c.b.hasVariance {
		return nil
	}
	if x.variance.sign() == 0 && y.variance.sign() == 0 {
		return nil
	}
	return reduced(varianceOfDifference(x, y), varianceOfDifference(c.a, c.b))
}

// add gives the units of both strata.
func (s Stratum) add(o Stratum) Stratum {
	return Stratum{s.Baseline.Add(o.Baseline), s.Variation.Add(o.Variation)}
}

func (s Stratum) units() (baseline, variation int64) { return s.Baseline.Units, s.Variation.Units }

// pooled puts strata in which a variation has fewer than two units together, and if
// these have too few even then, with the smallest of the others.
func pooled[S any](strata []S, add func(S, S) S, units func(S) (baseline, variation int64)) []S {
	var out []S
	var few S
	all := func(s S) int64 { a, b := units(s); return a + b }
	small := func(s S) bool { a, b := units(s); return a < 2 || b < 2 }
	for _, s := range strata {
		if small(s) {
			few = add(few, s)
		} else {
			out = append(out, s)
		}
	}
	switch {
	case all(few) == 0:
		return out
	case !small(few) || len(out) == 0:
		return append(out, few)
	}
	smallest := 0
	for i, s := range out {
		if all(s) < all(out[smallest]) {
			smallest = i
		}
	}
	out[smallest] = add(out[smallest], few)
	return out
}

// post is a post-stratified estimate in the making.
type post struct {
	kind     Kind
	units    int64
	means    [2]fraction // of the values, and of a ratio's denominators
	variance fraction    // of the mean
	// inconsistent: no set of units has the sums of some stratum.
	inconsistent bool
}

func newPost(kind Kind, all Moments) *post {
	zero := fraction{Sum{}, SumOf(1)}
	return &post{kind: kind, units: all.Units, means: [2]fraction{zero, zero}, variance: zero}
}

// meansOf are the estimates of a stratum, of a ratio of both sides.
func (p *post) meansOf(m Moments) [2]estimate {
	switch p.kind {
	case Mean, Proportion:
		return [2]estimate{estimateOf(p.kind, m)}
	case Ratio:
		return [2]estimate{meanOf(m), meanOf(m.denominators())}
	}
	panic(fmt.Sprintf("stats: no strata for kind %d", int(p.kind)))
}

func (p *post) addMeans(weight fraction, e [2]estimate) {
	for i := range e {
		if e[i].hasMean {
			p.means[i] = short(p.means[i].add(weight.mul(e[i].mean)))
		}
	}
}

// estimateOf is the estimate of a stratum, whose units' values are linearised by
// the means of all strata if it is one of a ratio.
func (p *post) estimateOf(m Moments) estimate {
	if p.kind != Ratio || p.means[1].sign() == 0 || m.Units < 2 {
		return estimateOf(p.kind, m)
	}
	e := estimate{units: m.Units}
	e.setVariance(lineOf(p).variance(m))
	return e
}

// addVariance adds the variance of a stratum's mean.
func (p *post) addVariance(weight fraction, e estimate) {
	if !e.hasVariance {
		p.inconsistent = true
		return
	}
	p.variance = short(p.variance.add(weight.mul(weight).mul(e.variance).over(SumOf(e.units))))
}

// estimate is what the strata say together.
func (p *post) estimate() estimate {
	e := estimate{units: p.units}
	if p.kind == Ratio && p.means[1].sign() == 0 {
		e.add(ZeroDenominator, "the denominators add up to zero")
		return e
	}
	e.mean, e.hasMean = p.means[0], true
	if p.kind == Ratio {
		e.mean = p.means[0].quo(p.means[1])
	}
	if p.inconsistent {
		e.add(InconsistentSums, "the sums of a stratum belong to no set of units: their variance is negative")
		return e
	}
	e.setVariance(p.variance.times(SumOf(p.units)))
	return e
}

// denominators gives the moments of the denominators in the place of the values.
func (m Moments) denominators() Moments {
	d := Moments{Units: m.Units}
	d.Set(X, m.Sum(Y))
	d.Set(XX, m.Sum(YY))
	return d
}

// digits is how long a numerator and a denominator may be before they are cut: the
// sum of many fractions has no end of digits. Twice the digits of a float64 remain
// after whatever cancels.
const digits = 400

// short is the fraction with numerator and denominator cut to so many digits, if
// they have more.
func short(f fraction) fraction {
	num, den, _ := align(f.num, f.den)
	over := min(num.BitLen(), den.BitLen())*3/10 - digits
	if over <= 0 {
		return f
	}
	cut := func(n *big.Int) Sum { return NewSum(new(big.Int).Quo(n, pow10(over)), 0) }
	return fraction{cut(num), cut(den)}
}
