package stats

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// drawComparison draws two variations and any method that has a p-value and an
// interval of one test.
func drawComparison(t *rapid.T) (func(Options) Comparison, Options) {
	opt := drawOptions(t)
	opt.Power, opt.Prior = 0, nil
	switch rapid.SampledFrom([]string{"", "msprt", "look"}).Draw(t, "peeking") {
	case "msprt":
		opt.TunedAt, opt.MSPRT = 0, true
		opt.MinimumEffect = rapid.SampledFrom([]float64{1e-6, 0.01, 0.5, 100}).Draw(t, "minimum effect")
	case "look":
		shares := rapid.SampledFrom([][]float64{{1}, {0.2, 0.5}, {0.1, 0.9, 0.95, 1}}).Draw(t, "shares")
		spending := rapid.SampledFrom([]Spending{OBrienFleming, Pocock}).Draw(t, "spending")
		look, err := NewGroupLook(GroupDesign{Spending: spending}, shares)
		if err != nil {
			t.Fatal(err)
		}
		opt.TunedAt, opt.Look = 0, look
	}
	opt.CUPED = rapid.Bool().Draw(t, "cuped")
	switch kind := rapid.SampledFrom([]Kind{Mean, Ratio, Proportion, Percentile}).Draw(t, "kind"); kind {
	case Mean, Ratio:
		count := rapid.IntRange(1, 3).Draw(t, "strata")
		strata := make([]Stratum, count)
		for i := range strata {
			strata[i] = Stratum{adjustableMoments(drawAdjustable(t, "a")), adjustableMoments(drawAdjustable(t, "b"))}
		}
		if count == 1 {
			return func(o Options) Comparison { return NewComparison(kind, strata[0].Baseline, strata[0].Variation, o) }, opt
		}
		return func(o Options) Comparison { return NewStratified(kind, strata, o) }, opt
	case Proportion:
		opt.CUPED = false
		draw := func() Moments {
			n := rapid.Int64Range(2, 1_000_000_000).Draw(t, "units")
			return counts(rapid.Int64Range(0, n).Draw(t, "some"), n)
		}
		a, b := draw(), draw()
		return func(o Options) Comparison { return NewComparison(kind, a, b, o) }, opt
	case Percentile:
		draw := func() Moments {
			value := rapid.Int64Range(-1000, 1000).Draw(t, "value")
			wide := rapid.Float64Range(0, 1e6).Draw(t, "wide")
			n := rapid.Int64Range(2, 1_000_000).Draw(t, "n")
			return Moments{Units: n, Quantiles: &Quantiles{Value: big.NewRat(value, 7), Lower: float64(value) - wide, Upper: float64(value) + wide/3, Z: 1.96, N: n}}
		}
		a, b := draw(), draw()
		return func(o Options) Comparison { return NewComparison(kind, a, b, o) }, opt
	}
	panic("no case")
}

// Of every method, alone or with covariates and strata, the p-value is below alpha
// exactly when the absolute interval excludes zero, and Fieller's relative one too.
func TestEveryMethodIsOneTest(t *testing.T) {
	tested := 0
	rapid.Check(t, func(t *rapid.T) {
		compare, opt := drawComparison(t)
		opt.Relative = Fieller
		e := compare(opt).Effect()
		if e.PValue == nil {
			return
		}
		tested++
		for _, alpha := range []float64{opt.Alpha, *e.PValue * 1.001, *e.PValue * 0.999} {
			if alpha <= 1e-12 || alpha >= 0.99 {
				continue
			}
			opt.Alpha = alpha
			// What is tuned at alpha has another p-value at another one.
			e := compare(opt).Effect()
			checkAgreement(t, e, opt)
			if e.RelativeLow == nil && e.RelativeHigh == nil {
				continue
			}
			if excludes := e.RelativeLow != nil && *e.RelativeLow > 0 || e.RelativeHigh != nil && *e.RelativeHigh < 0; excludes != *e.Significant {
				t.Fatalf("significant %v, Fieller's interval excludes zero: %v", *e.Significant, excludes)
			}
		}
	})
	if tested < 30 {
		t.Errorf("only %d comparisons had a p-value", tested)
	}
}

// A larger p-value is never adjusted to a smaller one, and none becomes smaller by
// being corrected, whatever the family.
func FuzzCorrections(f *testing.F) {
	f.Add(0.01, 0.02, 0.03, 1.0, 1e-300)
	f.Add(0.0, 0.0, 0.5, 0.5, 1.0)
	f.Fuzz(func(t *testing.T, p0, p1, p2, p3, p4 float64) {
		p := []float64{p0, p1, p2, p3, p4}
		for _, v := range p {
			if !(v >= 0 && v <= 1) {
				t.Skip("no p-values")
			}
		}
		for _, c := range []Correction{NoCorrection, Bonferroni, Sidak, Holm, HolmSidak, Hochberg, Hommel, BenjaminiHochberg, BenjaminiYekutieli} {
			adjusted := c.Adjust(p)
			for i := range p {
				if !(adjusted[i] >= p[i]*(1-1e-15) && adjusted[i] <= 1) {
					t.Errorf("%s of %v: %v", c, p, adjusted)
				}
				for j := range p {
					if p[i] < p[j] && adjusted[i] > adjusted[j] {
						t.Errorf("%s of %v turns the order: %v", c, p, adjusted)
					}
				}
			}
		}
	})
}

// Designs and sample ratios give no NaN, and chances are chances.
func FuzzDesigns(f *testing.F) {
	f.Add(1.0, 1.0, 0.05, 0.1, 1000.0, 0.8, int64(500), int64(480), int64(0), uint8(0))
	f.Add(1e300, 1e-9, 1e-9, -1e-300, 1e12, 0.999, int64(1), int64(0), int64(1<<40), uint8(7))
	f.Add(1e-300, 1e9, 0.9, 1e300, 3.0, 0.01, int64(400_000), int64(600_000), int64(3), uint8(5))
	f.Fuzz(func(t *testing.T, sd, ratio, alpha, effect, units, power float64, a, b, c int64, choice uint8) {
		positive := func(v, from, to float64) bool { return v >= from && v <= to }
		if positive(sd, 1e-300, 1e300) && positive(ratio, 1e-6, 1e6) && positive(alpha, 1e-9, 0.9) && positive(math.Abs(effect), 0, 1e300) &&
			positive(units, 3, 1e12) && positive(power, 0.01, 0.999) {
			d := PowerDesign{StdDev: sd, Ratio: ratio, Alpha: alpha, Alternative: []Alternative{TwoSided, Greater, Less}[choice%3], Test: []Test{Welch, Z}[choice/3%2]}
			if p := d.Power(effect, units); !(p >= 0 && p <= 1+1e-12) {
				t.Errorf("%+v: power %v of %v with %v units", d, p, effect, units)
			}
			if e := d.DetectableEffect(power, units); math.IsNaN(e) {
				t.Errorf("%+v: detectable effect %v", d, e)
			}
			if n := d.Units(effect, power); math.IsNaN(n) || n < 0 {
				t.Errorf("%+v: %v units", d, n)
			}
		}
		if a < 0 || b < 0 || c < 0 || max(a, b, c) > 1<<60 {
			t.Skip("no units")
		}
		for _, weights := range [][]*big.Rat{rats("1", "1", "2"), rats("0.001", "0", "5"), rats("1", "0", "0"), rats("1", "", "1")} {
			r := SampleRatio([]int64{a, b, c}, weights, DefaultOptions())
			if r.PValue != nil && !(*r.PValue >= 0 && *r.PValue <= 1) || r.Statistic != nil && !(*r.Statistic >= 0) {
				t.Errorf("%d %d %d by %v: statistic %v, p-value %v", a, b, c, weights, r.Statistic, r.PValue)
			}
			if (r.Status == OK) != (r.Reason == "") {
				t.Errorf("status %s with reason %q", r.Status, r.Reason)
			}
		}
	})
}
