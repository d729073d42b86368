package stats

// line is a ratio by which the values of units are linearised (the delta method):
// a unit's value is (x − ratio·y)/denominator, with the mean of the denominators.
type line struct{ ratio, denominator fraction }

// lineOf is the ratio of a post-stratified estimate.
func lineOf(p *post) line {
	return line{short(p.means[0].quo(p.means[1])), p.means[1]}
}

// variance is that of the linearised values, divided by n−1.
func (l line) variance(m Moments) fraction {
	spread := func(u, v, uv Term) fraction { return fraction{m.spread(u, v, uv), pairs(m.Units)} }
	r := l.ratio
	v := spread(X, X, XX).sub(r.mul(spread(X, Y, XY)).times(SumOf(2))).add(r.mul(r).mul(spread(Y, Y, YY)))
	return v.quo(l.denominator.mul(l.denominator))
}

// covariance is that of the linearised values and of their covariates, linearised
// by another ratio.
func (l line) covariance(before line, m Moments) fraction {
	spread := func(u, v, uv Term) fraction { return fraction{m.spread(u, v, uv), pairs(m.Units)} }
	r, s := l.ratio, before.ratio
	v := spread(X, P, XP).sub(s.mul(spread(X, Q, XQ))).sub(r.mul(spread(Y, P, YP))).add(r.mul(s).mul(spread(Y, Q, YQ)))
	return v.quo(l.denominator.mul(before.denominator))
}

// adjustRatios takes out of two post-stratified ratios what covariates explain
// within strata: of each ratio θ times what the post-stratified ratio of its
// covariates is above that of all units. With a single stratum it is [adjust].
func adjustRatios(strata []Stratum, all Stratum, a, b *post, x, y *estimate) {
	theta, centre, ok := ratioTheta(strata, all)
	if !ok || !x.hasVariance || !y.hasVariance {
		return
	}
	units := SumOf(all.Baseline.Units + all.Variation.Units)
	for _, arm := range []struct {
		of       func(Stratum) Moments
		values   *post
		estimate *estimate
	}{
		{func(s Stratum) Moments { return s.Baseline }, a, x},
		{func(s Stratum) Moments { return s.Variation }, b, y},
	} {
		before := newPost(Ratio, Moments{Units: arm.values.units})
		for _, s := range strata {
			before.addMeans(s.weight(units), before.meansOf(arm.of(s).covariate()))
		}
		if before.means[1].sign() == 0 {
			return
		}
		own, past := lineOf(arm.values), lineOf(before)
		sum := fraction{Sum{}, SumOf(1)}
		for _, s := range strata {
			m, weight := arm.of(s), s.weight(units)
			adjusted := own.variance(m).sub(theta.mul(own.covariance(past, m)).times(SumOf(2))).add(theta.mul(theta).mul(past.variance(m.covariate())))
			sum = short(sum.add(weight.mul(weight).mul(adjusted).over(SumOf(m.Units))))
		}
		arm.estimate.mean = short(arm.estimate.mean.sub(theta.mul(past.ratio.sub(centre))))
		arm.estimate.hasVariance = false
		arm.estimate.setVariance(sum.times(SumOf(arm.estimate.units)))
	}
}

// ratioTheta is how much of a ratio its covariate explains: cov/var of both
// linearised, over the units of both variations together, within strata and
// weighted as the strata are. centre is the ratio of all covariates. ok is false
// where there is nothing to adjust by.
func ratioTheta(strata []Stratum, all Stratum) (theta, centre fraction, ok bool) {
	union := all.Baseline.Add(all.Variation)
	values, before := newPost(Ratio, union), newPost(Ratio, union)
	values.addMeans(fraction{SumOf(1), SumOf(1)}, values.meansOf(union))
	before.addMeans(fraction{SumOf(1), SumOf(1)}, before.meansOf(union.covariate()))
	if values.means[1].sign() == 0 || before.means[1].sign() == 0 {
		return theta, centre, false
	}
	own, past := lineOf(values), lineOf(before)
	covariance, variance := fraction{Sum{}, SumOf(1)}, fraction{Sum{}, SumOf(1)}
	for _, s := range strata {
		both, weight := s.Baseline.Add(s.Variation), s.weight(SumOf(union.Units))
		covariance = short(covariance.add(weight.mul(own.covariance(past, both))))
		variance = short(variance.add(weight.mul(past.variance(both.covariate()))))
	}
	if variance.sign() == 0 {
		return theta, centre, false
	}
	return short(covariance.quo(variance)), past.ratio, true
}

// weight is the share of the units that are in the stratum.
func (s Stratum) weight(units Sum) fraction {
	return fraction{SumOf(s.Baseline.Units + s.Variation.Units), units}
}
