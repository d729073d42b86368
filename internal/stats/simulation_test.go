package stats

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// Intervals cover the true effect as often as they say, and tests reject a true
// null hypothesis as often as they say, within three standard errors: normal
// values of unequal variance for Welch and z, of equal variance for Student.
func TestCoverage(t *testing.T) {
	const runs = 1000
	const alpha = 0.1
	for _, c := range []struct {
		test     Test
		kind     Kind
		na, nb   int
		effect   float64
		sdA, sdB float64
	}{
		{test: Welch, na: 12, nb: 30, effect: 0, sdA: 3, sdB: 1},
		{test: Welch, na: 200, nb: 100, effect: 2, sdA: 1, sdB: 4},
		{test: Z, na: 300, nb: 200, effect: 0, sdA: 2, sdB: 3},
		{test: Student, na: 8, nb: 9, effect: 1, sdA: 2, sdB: 2},
		{test: Welch, kind: Ratio, na: 150, nb: 200, effect: 1, sdA: 1, sdB: 2},
	} {
		rng := rand.New(rand.NewPCG(20260302, 7))
		draw := func(n int, mean, sd float64) Moments {
			units := make([]unit, n)
			for i := range units {
				y := int64(1)
				if c.kind == Ratio {
					y = 1 + rng.Int64N(4)
				}
				units[i] = unit{int64(math.Round((mean*float64(y) + sd*rng.NormFloat64()) * 1e6)), y}
			}
			return micro(momentsOf(units))
		}
		opt := Options{Relative: Delta, Test: c.test, Alternative: TwoSided, Alpha: alpha}
		absolute, relative := 0, 0
		for range runs {
			const base = 20.0
			e := Compare(c.kind, draw(c.na, base, c.sdA), draw(c.nb, base+c.effect, c.sdB), opt)
			if *e.AbsoluteLow <= c.effect && c.effect <= *e.AbsoluteHigh {
				absolute++
			}
			if share := c.effect / base; *e.RelativeLow <= share && share <= *e.RelativeHigh {
				relative++
			}
		}
		limit := 3 * math.Sqrt(alpha*(1-alpha)/runs)
		for name, covered := range map[string]int{"absolute": absolute, "relative": relative} {
			if rate := float64(covered) / runs; math.Abs(rate-(1-alpha)) > limit {
				t.Errorf("%s %s %d:%d: the %s interval covers in %.4f of %d runs, want %.4f ± %.4f",
					c.test, c.kind, c.na, c.nb, name, rate, runs, 1-alpha, limit)
			}
		}
	}
}

// micro makes millionths of the numerators of m.
func micro(m Moments) Moments {
	for term, digits := range map[Term]int{X: 6, XX: 12, XY: 6} {
		m.Set(term, NewSum(m.Sum(term).int(), digits))
	}
	return m
}

// The sample ratio raises a false alarm at the rate asked for.
func TestSampleRatioFalseAlarms(t *testing.T) {
	const runs = 5000
	rng := rand.New(rand.NewPCG(20260302, 8))
	opt := DefaultOptions()
	opt.SampleRatioAlarm = 0.05
	weights := []*big.Rat{big.NewRat(1, 1), big.NewRat(1, 1), big.NewRat(2, 1)}
	alarms := 0
	for range runs {
		units := make([]int64, 3)
		for range 1600 { // so many that χ² tests them
			units[min(rng.IntN(4), 2)]++
		}
		if SampleRatio(units, weights, opt).Alarm {
			alarms++
		}
	}
	rate, limit := float64(alarms)/runs, 3*math.Sqrt(0.05*0.95/runs)
	if math.Abs(rate-0.05) > limit {
		t.Errorf("%.4f of %d fair splits raise an alarm, want 0.05 ± %.4f", rate, runs, limit)
	}
}
