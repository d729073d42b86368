package stats

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// The percentile of some of the parts, its bounds and the spread of units with several
// numbers are those of a plain list of the numbers, whatever is summed up beforehand.
func TestNumbersOfParts(t *testing.T) {
	random := rand.New(rand.NewPCG(20261121, 6))
	const z = 1.96
	for _, clustered := range []bool{false, true} {
		for _, percent := range []int64{500, 900, 999} {
			for _, units := range []int{1, 7, 300, 6000} {
				share := big.NewRat(percent, 1000)
				var list []Number
				const parts = 40
				for unit := range units {
					level := random.Float64() * 50
					numbers := 1
					if clustered {
						numbers = 1 + random.IntN(9)
					}
					for range numbers {
						list = append(list, Number{Value: math.Round(level + 50*random.Float64()), Part: unit % parts, Unit: unit, Count: 1})
					}
				}
				n := NewNumbers(list, parts, share, clustered)
				for range 5 {
					weights, repeated := make([]int64, parts), make([]int64, parts)
					for i := range weights {
						weights[i], repeated[i] = random.Int64N(2), random.Int64N(4)
					}
					got, want := n.Moments(weights, z).Quantiles, quantilesByHand(list, weights, share, z, clustered)
					if (got == nil) != (want == nil) {
						t.Fatalf("p%d of %d units: %v, want %v", percent, units, got, want)
					}
					if got == nil {
						continue
					}
					value, _ := got.Value.Float64()
					wanted, _ := want.Value.Float64()
					near(t, "percentile", &value, wanted, 1e-12)
					near(t, "lower bound", &got.Lower, want.Lower, 1e-9)
					near(t, "upper bound", &got.Upper, want.Upper, 1e-9)
					if got.N != want.N {
						t.Errorf("%d numbers, want %d", got.N, want.N)
					}
					again := quantilesByHand(list, repeated, share, z, false)
					if again != nil {
						p := n.Percentile(repeated)
						wanted, _ := again.Value.Float64()
						near(t, "percentile of repeated parts", &p, wanted, 1e-12)
					}
				}
			}
		}
	}
}

// quantilesByHand lays all numbers out in a row. Repeated parts are other units.
func quantilesByHand(list []Number, weights []int64, share *big.Rat, z float64, clustered bool) *Quantiles {
	var all []float64
	for _, x := range list {
		for range weights[x.Part] {
			all = append(all, x.Value)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	nu, _ := share.Float64()
	n := float64(len(all))
	at := func(position float64) float64 {
		i := int(position + 1e-9)
		if i+1 >= len(all) {
			return all[len(all)-1]
		}
		return all[i] + (all[i+1]-all[i])*math.Max(0, position-float64(i))
	}
	spread := math.Sqrt(nu * (1 - nu) / n)
	if clustered {
		percentile := all[int((n-1)*nu+1e-9)]
		own, upto := map[int]float64{}, map[int]float64{}
		below := 0.0
		for _, x := range list {
			if weights[x.Part] == 0 {
				continue
			}
			own[x.Unit]++
			if x.Value <= percentile {
				upto[x.Unit]++
				below++
			}
		}
		squares := 0.0
		for unit, k := range own {
			squares += math.Pow(upto[unit]-below/n*k, 2)
		}
		units := float64(len(own))
		if spread = 0; units > 1 {
			spread = math.Sqrt(units/(units-1)*squares) / n
		}
	}
	bound := func(p float64) float64 { return at((n - 1) * math.Min(1, math.Max(0, p))) }
	return &Quantiles{
		Value: new(big.Rat).SetFloat64(at((n - 1) * nu)), Lower: bound(nu - z*spread), Upper: bound(nu + z*spread), Z: z, N: int64(len(all)),
	}
}

// The bootstrap of a percentile is as wide as the closed form: of numbers of units, and
// of units with several alike ones, where independent numbers would be far too sure.
func TestBootstrapOfPercentilesAgreesWithClosedForm(t *testing.T) {
	random := rand.New(rand.NewPCG(20261121, 7))
	const parts = 2000
	share := big.NewRat(9, 10)
	opt := DefaultOptions()
	for _, clustered := range []bool{false, true} {
		draw := func(shift float64) *Numbers {
			var list []Number
			for unit := range 3 * parts {
				level, numbers := 20*random.Float64(), 1
				if clustered {
					numbers = 5
				}
				for range numbers {
					list = append(list, Number{Value: shift + level + 10*random.Float64(), Part: unit % parts, Unit: unit, Count: 1})
				}
			}
			return NewNumbers(list, parts, share, clustered)
		}
		a, b := draw(100), draw(101)
		z := PercentileZ(opt.Alpha)
		e := Compare(Percentile, a.Moments(ones(parts), z), b.Moments(ones(parts), z), opt)
		got := BootstrapPercentile(a, b, opt, Resampling{Resamples: 4000, Seed: 7})
		// Ends are good to 4% of a standard error, parts to 2%, and half the distance of
		// two order statistics to some 10%.
		se := (*e.AbsoluteHigh - *e.AbsoluteLow) / 2 / 1.96
		for what, ends := range map[string][2]*float64{
			"low": {got.AbsoluteLow, e.AbsoluteLow}, "high": {got.AbsoluteHigh, e.AbsoluteHigh},
		} {
			if math.Abs(*ends[0]-*ends[1]) > 0.3*se {
				t.Errorf("clustered %v: %s %v, want %v ± %v", clustered, what, *ends[0], *ends[1], 0.3*se)
			}
		}
		if *got.RelativeLow > *e.Relative || *got.RelativeHigh < *e.Relative {
			t.Errorf("clustered %v: %v to %v holds no %v", clustered, *got.RelativeLow, *got.RelativeHigh, *e.Relative)
		}
	}
}
