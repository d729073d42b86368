package stats

import "fmt"

// adjust takes out of both estimates what covariates from before the exposure
// explain (CUPED, Deng et al. 2013): every unit's value less θ times what its
// covariate is above the mean of all units. It gives the share of the variance of
// the difference that went away, nil if there was none to take away.
//
// θ is cov/var over the units of both variations together, and 0 where the
// covariate does not vary. A ratio is adjusted by the ratio of its covariates,
// both linearised.
func adjust(kind Kind, baseline, variation Moments, a, b *estimate) *float64 {
	if !a.hasVariance || !b.hasVariance {
		return nil
	}
	if a.variance.sign() == 0 && b.variance.sign() == 0 {
		return nil
	}
	before := varianceOfDifference(*a, *b)
	all := baseline.Add(variation)
	centre := estimateOf(kind, all.covariate())
	p, q := estimateOf(kind, baseline.covariate()), estimateOf(kind, variation.covariate())
	if !p.hasVariance || !q.hasVariance || !centre.hasVariance || centre.variance.sign() == 0 {
		return new(0.0)
	}
	theta := covariance(kind, all).quo(centre.variance)
	// θ is x/y: first y or y² times each number is computed, as what that is made of
	// mostly has one divisor.
	x, y := theta.num, theta.den
	yy, centred := y.Mul(y), centre.mean.times(x)
	for _, arm := range []struct {
		estimate   *estimate
		covariate  estimate
		covariance fraction
	}{{a, p, covariance(kind, baseline)}, {b, q, covariance(kind, variation)}} {
		e := arm.estimate
		e.mean = e.mean.timesLess(y, arm.covariate.mean, x).add(centred).over(y)
		e.hasVariance = false
		explained := arm.covariance.timesLess(y.Add(y), arm.covariate.variance, x)
		variance := e.variance.timesLess(yy, explained, x).over(yy)
		if kind == Proportion && variance.sign() < 0 {
			// Variances are divided by n here, and covariances by n−1: nothing is left.
			variance = fraction{Sum{}, SumOf(1)}
		}
		e.setVariance(variance)
	}
	if !a.hasVariance || !b.hasVariance {
		return nil
	}
	return reduced(before, varianceOfDifference(*a, *b))
}

// varianceOfDifference is that of the difference of two estimates, rounded.
func varianceOfDifference(a, b estimate) float64 {
	return a.varianceOfMean() + b.varianceOfMean()
}

// reduced is the share of a variance that went away; nil where it is beyond the range
// of float64.
func reduced(before, after float64) *float64 {
	var v verdict
	return v.number(1 - after/before)
}

// covariate gives the moments of the covariates in the place of the values.
func (m Moments) covariate() Moments {
	c := Moments{Units: m.Units}
	for _, t := range [...]struct{ to, from Term }{{X, P}, {XX, PP}, {Y, Q}, {YY, QQ}, {XY, PQ}} {
		if m.Has(t.from) {
			c.Set(t.to, m.Sum(t.from))
		}
	}
	return c
}

// covariance is that of a unit's value and its covariate, divided by n−1; of a
// ratio, that of both linearised.
func covariance(kind Kind, m Moments) fraction {
	switch kind {
	case Mean, Proportion:
		return fraction{m.spread(X, P, XP), pairs(m.Units)}
	case Ratio:
		x, y, p, q := m.Sum(X), m.Sum(Y), m.Sum(P), m.Sum(Q)
		num := m.spread(X, P, XP).Mul(y).Mul(q).
			Sub(m.spread(X, Q, XQ).Mul(y).Mul(p)).
			Sub(m.spread(Y, P, YP).Mul(x).Mul(q)).
			Add(m.spread(Y, Q, YQ).Mul(x).Mul(p))
		return fraction{SumOf(m.Units).Mul(num), SumOf(m.Units - 1).Mul(y).Mul(y).Mul(q).Mul(q)}
	}
	panic(fmt.Sprintf("stats: no case for the covariance of kind %d", int(kind)))
}

// HasCovariates reports whether covariates can adjust the effects of the kind.
func (k Kind) HasCovariates() bool { return k != Percentile }

// Imbalance compares the covariates from before the exposure, where nothing that
// the variations do can have made a difference: a small p-value says that the
// units were not alike to begin with. It is the test that opt names, on both
// sides and at one look; of several strata post-stratified as effects are.
func Imbalance(kind Kind, strata []Stratum, opt Options) Effect {
	opt.CUPED, opt.Alternative = false, TwoSided
	opt.TunedAt, opt.MSPRT, opt.Look, opt.Untested, opt.Power = 0, false, nil, "", 0
	var before []Stratum
	for _, s := range strata {
		before = append(before, Stratum{s.Baseline.covariate(), s.Variation.covariate()})
	}
	return Stratified(kind, before, opt)
}
