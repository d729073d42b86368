package stats

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// adjustable is a unit with covariates.
type adjustable struct{ x, y, p, q int64 }

func (u adjustable) value(letter byte) int64 {
	return map[byte]int64{'x': u.x, 'y': u.y, 'p': u.p, 'q': u.q}[letter]
}

// adjustableMoments adds up all sums of the units.
func adjustableMoments(units []adjustable) Moments {
	m := Moments{Units: int64(len(units))}
	for term := X; term < termCount; term++ {
		total := Sum{}
		for _, u := range units {
			product := SumOf(1)
			for _, letter := range []byte(term.Factors()) {
				product = product.Mul(SumOf(u.value(letter)))
			}
			total = total.Add(product)
		}
		m.Set(term, total)
	}
	return m
}

func drawAdjustable(t *rapid.T, name string) []adjustable {
	size := rapid.SampledFrom([]int64{1, 3, 1000}).Draw(t, name+" size")
	value := rapid.Int64Range(-size, size)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) adjustable {
		return adjustable{value.Draw(t, "x"), rapid.Int64Range(1, 5).Draw(t, "y"), value.Draw(t, "p"), rapid.Int64Range(0, 5).Draw(t, "q")}
	}), 1, 20).Draw(t, name)
}

// The covariate's own scale and zero do not matter.
func TestAdjustmentIgnoresTheScaleOfTheCovariate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opt := drawOptions(t)
		opt.CUPED = true
		times := rapid.SampledFrom([]int64{-7, 2, 1_000_000}).Draw(t, "times")
		plus := rapid.Int64Range(-1_000_000_000, 1_000_000_000).Draw(t, "plus")
		move := func(units []adjustable) []adjustable {
			moved := make([]adjustable, len(units))
			for i, u := range units {
				moved[i] = u
				moved[i].p = u.p*times + plus
			}
			return moved
		}
		a, b := drawAdjustable(t, "a"), drawAdjustable(t, "b")
		e := Compare(Mean, adjustableMoments(a), adjustableMoments(b), opt)
		f := Compare(Mean, adjustableMoments(move(a)), adjustableMoments(move(b)), opt)
		if diff := cmp.Diff(e, f); diff != "" {
			t.Fatalf("the effect changed:\n%s", diff)
		}
	})
}

// Whatever the sums of units are, adjusting gives finite numbers, and p-value and
// interval belong together.
func TestAdjustedEffectsAreWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opt := drawOptions(t)
		opt.CUPED = true
		opt.Relative = ways.Draw(t, "relative interval")
		e := Compare(kinds.Draw(t, "kind"), adjustableMoments(drawAdjustable(t, "a")), adjustableMoments(drawAdjustable(t, "b")), opt)
		for _, n := range []*float64{e.Absolute, e.AbsoluteLow, e.RelativeLow, e.RelativeHigh, e.PValue, e.VarianceReduction} {
			if n != nil && (math.IsNaN(*n) || math.IsInf(*n, 0)) {
				t.Fatalf("a number is %v", *n)
			}
		}
		if e.Status == InconsistentSums {
			t.Fatalf("units whose sums are said to be of none: %s", e.Reason)
		}
		checkAgreement(t, e, opt)
	})
}

func TestAdjustmentWithoutUse(t *testing.T) {
	units := []adjustable{{1, 1, 5, 1}, {4, 2, 5, 1}, {2, 1, 5, 1}}
	others := []adjustable{{3, 1, 5, 1}, {4, 2, 5, 1}, {9, 1, 5, 1}}
	opt := DefaultOptions()
	for _, kind := range []Kind{Mean, Ratio} {
		a, b := adjustableMoments(units), adjustableMoments(others)
		opt.CUPED = false
		want := Compare(kind, a, b, opt)
		opt.CUPED = true
		got := Compare(kind, a, b, opt)
		if got.VarianceReduction == nil || *got.VarianceReduction != 0 {
			t.Errorf("%s: the covariate is constant, and the variance reduction %v", kind, got.VarianceReduction)
		}
		got.VarianceReduction, want.Method = nil, got.Method
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: a constant covariate changed the effect:\n%s", kind, diff)
		}
	}
	// All that differs was there before: nothing is left to chance.
	same := []adjustable{{1, 1, 1, 1}, {4, 1, 4, 1}}
	e := Compare(Mean, adjustableMoments(same), adjustableMoments(same), opt)
	if e.Status != ZeroVariance || *e.VarianceReduction != 1 || *e.Absolute != 0 {
		t.Errorf("status %s, variance reduction %v", e.Status, e.VarianceReduction)
	}
}

// A proportion is adjusted with variances that are divided by n and covariances that
// are divided by n−1: gbstats 0.8.0, point_estimate and variance of TwoSidedTTest with
// RegressionAdjustedStatistic of two ProportionStatistic, and scipy.stats.norm.
func TestAdjustedProportion(t *testing.T) {
	a := NewMoments(200, map[Term]Sum{X: SumOf(60), P: SumOf(50), XP: SumOf(30)})
	b := NewMoments(180, map[Term]Sum{X: SumOf(72), P: SumOf(40), XP: SumOf(34)})
	opt := DefaultOptions()
	opt.CUPED, opt.Test = true, Z
	e := Compare(Proportion, a, b, opt)
	near(t, "effect", e.Absolute, 0.11327460964133398, 1e-12)
	near(t, "low", e.AbsoluteLow, 0.0273360855185298, 1e-12)
	near(t, "high", e.AbsoluteHigh, 0.19921313376413818, 1e-12)
	near(t, "p-value", e.PValue, 0.00978299358776513, 1e-11)
	near(t, "variance reduction", e.VarianceReduction, 0.1933320301524507, 1e-11)
	// With itself as covariate nothing is left.
	a.Set(P, SumOf(60))
	a.Set(XP, SumOf(60))
	b.Set(P, SumOf(72))
	b.Set(XP, SumOf(72))
	if all := Compare(Proportion, a, b, opt); all.Status != ZeroVariance {
		t.Errorf("status %s: %s", all.Status, all.Reason)
	}
	if e.Method != "z, adjusted by CUPED, relative by delta" {
		t.Errorf("method %q", e.Method)
	}
}

func TestNeedOfAdjustment(t *testing.T) {
	opt := DefaultOptions()
	opt.CUPED = true
	if diff := cmp.Diff([]Term{N, X, XX, P, PP, XP}, NeedOf(Mean, opt).Terms()); diff != "" {
		t.Error(diff)
	}
	if n := len(NeedOf(Ratio, opt).Terms()); n != int(termCount) {
		t.Errorf("a ratio needs %d sums, want all %d", n, termCount)
	}
	if diff := cmp.Diff([]Term{N, X, P, XP}, NeedOf(Proportion, opt).Terms()); diff != "" {
		t.Error(diff)
	}
}

// With covariates that explain most of the variance, intervals cover as often as
// they say, and the variance goes down as theory says: by the squared correlation.
func TestAdjustedCoverage(t *testing.T) {
	const runs, n, alpha, effect = 20_000, 100, 0.1, 2.0
	rng := rand.New(rand.NewPCG(20261121, 2))
	draw := func(shift float64) Moments {
		sums := [termCount]int64{}
		for range n {
			p := 3 * rng.NormFloat64()
			x := int64(math.Round((20 + shift + p + rng.NormFloat64()) * 1e3))
			q := int64(math.Round(p * 1e3))
			for term, v := range map[Term]int64{X: x, XX: x * x, P: q, PP: q * q, XP: x * q} {
				sums[term] += v
			}
		}
		m := Moments{Units: n}
		for term, digits := range map[Term]int{X: 3, XX: 6, P: 3, PP: 6, XP: 6} {
			m.Set(term, NewSum(big.NewInt(sums[term]), digits))
		}
		return m
	}
	opt := Options{Test: Welch, Alternative: TwoSided, Alpha: alpha, Relative: Delta, CUPED: true}
	covered, reduction := 0, 0.0
	for range runs {
		e := Compare(Mean, draw(0), draw(effect), opt)
		if *e.AbsoluteLow <= effect && effect <= *e.AbsoluteHigh {
			covered++
		}
		reduction += *e.VarianceReduction / runs
	}
	if rate, limit := float64(covered)/runs, 3*math.Sqrt(alpha*(1-alpha)/runs); math.Abs(rate-(1-alpha)) > limit {
		t.Errorf("the interval covers in %.4f of %d runs, want %.4f ± %.4f", rate, runs, 1-alpha, limit)
	}
	if math.Abs(reduction-0.9) > 0.02 {
		t.Errorf("the variance goes down by %.3f, want 0.9", reduction)
	}
}

func TestImbalance(t *testing.T) {
	units := []adjustable{{1, 1, 5, 2}, {4, 2, 6, 1}, {2, 1, 9, 3}}
	others := []adjustable{{3, 1, 7, 1}, {4, 2, 8, 1}, {9, 1, 5, 2}}
	before := func(units []adjustable) Moments {
		moved := make([]adjustable, len(units))
		for i, u := range units {
			moved[i] = adjustable{x: u.p, y: u.q}
		}
		return adjustableMoments(moved)
	}
	opt := DefaultOptions()
	opt.Power = 0
	for _, kind := range []Kind{Mean, Ratio} {
		want := Compare(kind, before(units), before(others), opt)
		adjusted := opt
		adjusted.CUPED, adjusted.Alternative, adjusted.TunedAt = true, Less, 5000
		got := Imbalance(kind, []Stratum{{adjustableMoments(units), adjustableMoments(others)}}, adjusted)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}
