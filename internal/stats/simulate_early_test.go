package stats

import (
	"math/rand/v2"
	"testing"
)

// Always-valid tests may be looked at from the first unit on: of experiments without an
// effect, each looked at after every unit from the second to the last, no more than alpha
// are ever wrong, wherever the sequence is tightest. Units go to either variation by chance.
func TestSimulateLooksAtEveryUnit(t *testing.T) {
	const units, alpha = 200, 0.05
	tuned := []int{20, 100, 500}
	runs := max(*simulateRuns/5, 100)
	for i, v := range []values{normalValues, logNormal, often} {
		r := rand.New(rand.NewPCG(seed, uint64(60+i)))
		wrong := make([]int, len(tuned))
		for range runs {
			var arms [2]Moments
			crossed := make([]bool, len(tuned))
			for n := 1; n <= units; n++ {
				at := r.IntN(2)
				arms[at] = arms[at].Add(v.sample(r, 1, 0))
				if n < 2 {
					continue
				}
				for j, tunedAt := range tuned {
					opt := rawOptions()
					opt.TunedAt = tunedAt
					if crossed[j] {
						continue
					}
					if e := Compare(Mean, arms[0], arms[1], opt); e.Significant != nil && *e.Significant {
						crossed[j] = true
						wrong[j]++
					}
				}
			}
		}
		for j, tunedAt := range tuned {
			rate := float64(wrong[j]) / float64(runs)
			t.Logf("%s, tuned at %d: %.4f of %d experiments find what is not there", v.name, tunedAt, rate, runs)
			if limit := alpha + error3(alpha, runs); rate > limit {
				t.Errorf("%s, tuned at %d: %.4f of %d experiments find what is not there, want at most %.4f", v.name, tunedAt, rate, runs, limit)
			}
		}
	}
}

// often is a rate of 5%.
var often = values{"0/1, one in twenty", func(r *rand.Rand, effect float64) int64 {
	if r.Float64() < 0.05*(1+effect) {
		return 1000
	}
	return 0
}, 0.05}
