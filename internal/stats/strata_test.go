package stats

import (
	"math"
	"testing"
)

// A ratio with covariates in strata, from the units themselves: each unit's values are
// linearised, θ is least squares within strata, and variances are those of what is
// left of each unit.
func TestStratifiedRatioWithCovariates(t *testing.T) {
	// Of the baseline and the variation in two strata, x, y, p, q of each unit.
	units := [2][2][]adjustable{
		{
			{{3, 1, 2, 1}, {8, 2, 7, 2}, {5, 3, 6, 3}, {1, 1, 1, 1}},
			{{20, 4, 18, 3}, {11, 2, 9, 2}, {14, 3, 16, 4}},
		},
		{
			{{4, 1, 2, 1}, {9, 2, 8, 3}, {2, 1, 1, 2}},
			{{25, 4, 19, 3}, {12, 2, 8, 2}, {18, 3, 15, 3}, {7, 1, 6, 1}, {30, 5, 22, 4}},
		},
	}
	weights := [2]float64{7.0 / 15, 8.0 / 15}
	mean := func(us []adjustable, f func(adjustable) float64) float64 {
		sum := 0.0
		for _, u := range us {
			sum += f(u)
		}
		return sum / float64(len(us))
	}
	x := func(u adjustable) float64 { return float64(u.x) }
	y := func(u adjustable) float64 { return float64(u.y) }
	p := func(u adjustable) float64 { return float64(u.p) }
	q := func(u adjustable) float64 { return float64(u.q) }
	weighted := func(arm int, f func(adjustable) float64) float64 {
		return weights[0]*mean(units[arm][0], f) + weights[1]*mean(units[arm][1], f)
	}
	line := func(num, den func(adjustable) float64, ratio, size float64) func(adjustable) float64 {
		return func(u adjustable) float64 { return (num(u) - ratio*den(u)) / size }
	}
	products := func(us []adjustable, f, g func(adjustable) float64) float64 {
		mf, mg, sum := mean(us, f), mean(us, g), 0.0
		for _, u := range us {
			sum += (f(u) - mf) * (g(u) - mg)
		}
		return sum / float64(len(us)-1)
	}

	var both [2][]adjustable
	var everybody []adjustable
	for h := range both {
		both[h] = append(append(both[h], units[0][h]...), units[1][h]...)
		everybody = append(everybody, both[h]...)
	}
	past := mean(everybody, p) / mean(everybody, q)
	l := line(x, y, mean(everybody, x)/mean(everybody, y), mean(everybody, y))
	c := line(p, q, past, mean(everybody, q))
	theta := (weights[0]*products(both[0], l, c) + weights[1]*products(both[1], l, c)) /
		(weights[0]*products(both[0], c, c) + weights[1]*products(both[1], c, c))
	var ratios, variances [2]float64
	for arm := range units {
		r, s := weighted(arm, x)/weighted(arm, y), weighted(arm, p)/weighted(arm, q)
		ratios[arm] = r - theta*(s-past)
		l, c := line(x, y, r, weighted(arm, y)), line(p, q, s, weighted(arm, q))
		left := func(u adjustable) float64 { return l(u) - theta*c(u) }
		for h, us := range units[arm] {
			variances[arm] += weights[h] * weights[h] * products(us, left, left) / float64(len(us))
		}
	}
	d, se := ratios[1]-ratios[0], math.Sqrt(variances[0]+variances[1])

	var strata []Stratum
	for h := range both {
		strata = append(strata, Stratum{adjustableMoments(units[0][h]), adjustableMoments(units[1][h])})
	}
	opt := DefaultOptions()
	opt.Test, opt.CUPED = Z, true
	e := Stratified(Ratio, strata, opt)
	near(t, "effect", e.Absolute, d, 1e-12)
	near(t, "low", e.AbsoluteLow, d-1.959963984540054*se, 1e-11)
	if *e.VarianceReduction < 0.5 {
		t.Errorf("the covariate takes away %v of the variance", *e.VarianceReduction)
	}

	// With strata that are one, it is what covariates do without strata.
	var all Stratum
	for _, s := range strata {
		all.Baseline, all.Variation = all.Baseline.Add(s.Baseline), all.Variation.Add(s.Variation)
	}
	a, b := newPost(Ratio, all.Baseline), newPost(Ratio, all.Variation)
	whole := fraction{SumOf(1), SumOf(1)}
	for _, of := range []struct {
		p *post
		m Moments
	}{{a, all.Baseline}, {b, all.Variation}} {
		of.p.addMeans(whole, of.p.meansOf(of.m))
		of.p.addVariance(whole, of.p.estimateOf(of.m))
	}
	ea, eb := a.estimate(), b.estimate()
	adjustRatios([]Stratum{all}, all, a, b, &ea, &eb)
	wantA, wantB := estimates(Ratio, all.Baseline, all.Variation, opt)
	for _, pair := range [][2]estimate{{ea, wantA}, {eb, wantB}} {
		near(t, "ratio of one stratum", new(pair[0].mean.float64()), pair[1].mean.float64(), 1e-14)
		near(t, "variance of one stratum", new(pair[0].variance.float64()), pair[1].variance.float64(), 1e-14)
	}
}

// Sums that belong to no units are told of, also in strata.
func TestInconsistentStratum(t *testing.T) {
	wrong := NewMoments(3, map[Term]Sum{X: SumOf(9), XX: SumOf(1)})
	e := Stratified(Mean, []Stratum{{counts(1, 5), counts(2, 5)}, {wrong, counts(1, 4)}}, DefaultOptions())
	if e.Status != InconsistentSums || e.PValue != nil || e.Absolute == nil {
		t.Errorf("status %s, p-value %v", e.Status, e.PValue)
	}
}
