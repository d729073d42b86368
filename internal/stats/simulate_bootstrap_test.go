package stats

import (
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// The intervals of a bootstrap hold the effect about as often as the closed forms do on
// the same experiments, and as they say: of means of normal and log-normal values, of
// ratios of such values to one to three rows of a unit, and of medians. Each unit is a
// part.
func TestSimulateBootstrap(t *testing.T) {
	const n, effect, resamples = 300, 0.2, 400
	runs := max(*simulateRuns/10, 50)
	half := big.NewRat(1, 2)
	z := PercentileZ(0.05)
	for i, of := range []struct {
		values values
		median float64 // of the baseline
	}{{normalValues, 10}, {logNormal, 1}} {
		r := rand.New(rand.NewPCG(seed, uint64(40+i)))
		counts := map[string]*within{"mean, welch": {}, "mean, bootstrap": {}, "ratio, delta method": {}, "ratio, bootstrap": {}, "median, order statistics": {}, "median, bootstrap": {}}
		for run := range runs {
			var all, allRatio Stratum
			var parts, ratioParts Parts
			var numbers [2]*Numbers
			for v, m := range []*Moments{&all.Baseline, &all.Variation} {
				var list []Number
				rows := &allRatio.Baseline
				if v == 1 {
					rows = &allRatio.Variation
				}
				var units, ratios []Moments
				for unit := range n {
					x := of.values.draw(r, float64(v)*effect)
					u := NewMoments(1, map[Term]Sum{X: NewSum(big.NewInt(x), 3), XX: NewSum(big.NewInt(x*x), 6)})
					*m, units = m.Add(u), append(units, u)
					y := 1 + r.Int64N(3)
					u = NewMoments(1, map[Term]Sum{
						X: NewSum(big.NewInt(x*y), 3), XX: NewSum(big.NewInt(x*y*x*y), 6),
						Y: SumOf(y), YY: SumOf(y * y), XY: NewSum(big.NewInt(x*y*y), 3),
					})
					*rows, ratios = rows.Add(u), append(ratios, u)
					list = append(list, Number{Value: float64(x) / 1000, Part: unit, Unit: unit, Count: 1})
				}
				numbers[v] = NewNumbers(list, n, half, false)
				if v == 0 {
					parts.Baseline, ratioParts.Baseline = units, ratios
				} else {
					parts.Variation, ratioParts.Variation = units, ratios
				}
			}
			how := Resampling{Resamples: resamples, Seed: uint64(run)}
			e := Compare(Mean, all.Baseline, all.Variation, rawOptions())
			counts["mean, welch"].count(e.AbsoluteLow, e.AbsoluteHigh, effect*of.values.mean)
			b := Bootstrap(Mean, []Parts{parts}, rawOptions(), how)
			counts["mean, bootstrap"].count(b.AbsoluteLow, b.AbsoluteHigh, effect*of.values.mean)
			e = Compare(Ratio, allRatio.Baseline, allRatio.Variation, rawOptions())
			counts["ratio, delta method"].count(e.AbsoluteLow, e.AbsoluteHigh, effect*of.values.mean)
			b = Bootstrap(Ratio, []Parts{ratioParts}, rawOptions(), how)
			counts["ratio, bootstrap"].count(b.AbsoluteLow, b.AbsoluteHigh, effect*of.values.mean)
			e = Compare(Percentile, numbers[0].Moments(ones(n), z), numbers[1].Moments(ones(n), z), rawOptions())
			counts["median, order statistics"].count(e.AbsoluteLow, e.AbsoluteHigh, effect*of.median)
			b = BootstrapPercentile(numbers[0], numbers[1], rawOptions(), how)
			counts["median, bootstrap"].count(b.AbsoluteLow, b.AbsoluteHigh, effect*of.median)
		}
		// 400 resamples find the ends of an interval to a tenth of a standard error.
		limit := 0.015 + error3(0.95, runs)
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			c := counts[name]
			t.Logf("%s, %s: %.4f of %d intervals hold the effect", of.values.name, name, c.rate(), runs)
			if math.Abs(c.rate()-0.95) > limit {
				t.Errorf("%s, %s: %.4f of %d intervals hold the effect, want 0.95 ± %.4f", of.values.name, name, c.rate(), runs, limit)
			}
		}
	}
}
