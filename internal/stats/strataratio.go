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
// covariates is above that of all units. θ is cov/var over the units of both
// variations together, within strata, weighted as the strata are; 0 where the
// covariate does not vary. With a single stratum it is [adjust].
func adjustRatios(strata []Stratum, all Stratum, a, b *post, x, y *estimate) {
	if !x.hasVariance || !y.hasVariance {
		return
	}
	union := all.Baseline.Add(all.Variation)
	whole, before := newPost(Ratio, union), newPost(Ratio, union)
	whole.addMeans(fraction{SumOf(1), SumOf(1)}, whole.meansOf(union))
	before.addMeans(fraction{SumOf(1), SumOf(1)}, before.meansOf(union.covariate()))
	arms := []struct {
		of       func(Stratum) Moments
		values   *post
		before   *post
		estimate *estimate
	}{
		{func(s Stratum) Moments { return s.Baseline }, a, newPost(Ratio, all.Baseline), x},
		{func(s Stratum) Moments { return s.Variation }, b, newPost(Ratio, all.Variation), y},
	}
	weigh := func(s Stratum) fraction {
		return fraction{SumOf(s.Baseline.Units + s.Variation.Units), SumOf(union.Units)}
	}
	posts := []*post{whole, before}
	for _, arm := range arms {
		for _, s := range strata {
			arm.before.addMeans(weigh(s), arm.before.meansOf(arm.of(s).covariate()))
		}
		posts = append(posts, arm.values, arm.before)
	}
	for _, p := range posts {
		if p.means[1].sign() == 0 {
			return // no ratio, or none before: nothing to adjust by
		}
	}
	zero := fraction{Sum{}, SumOf(1)}
	covariance, variance := zero, zero
	for _, s := range strata {
		both := s.Baseline.Add(s.Variation)
		covariance = short(covariance.add(weigh(s).mul(lineOf(whole).covariance(lineOf(before), both))))
		variance = short(variance.add(weigh(s).mul(lineOf(before).variance(both.covariate()))))
	}
	if variance.sign() == 0 {
		return
	}
	theta := short(covariance.quo(variance))
	for _, arm := range arms {
		own, past := lineOf(arm.values), lineOf(arm.before)
		sum := zero
		for _, s := range strata {
			m := arm.of(s)
			adjusted := own.variance(m).sub(theta.mul(own.covariance(past, m)).times(SumOf(2))).add(theta.mul(theta).mul(past.variance(m.covariate())))
			sum = short(sum.add(weigh(s).mul(weigh(s)).mul(adjusted).over(SumOf(m.Units))))
		}
		arm.estimate.mean = short(arm.estimate.mean.sub(theta.mul(past.ratio.sub(lineOf(before).ratio))))
		arm.estimate.hasVariance = false
		arm.estimate.setVariance(sum.times(SumOf(arm.estimate.units)))
	}
}
