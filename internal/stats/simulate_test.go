package stats

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"
)

// make simulate asks for many more.
var simulateRuns = flag.Int("simulate.runs", 1000, "experiments that each simulation of skewed data draws")

// skewed draws the value of a unit, in thousandths, whose mean is known.
type skewed struct {
	name string
	draw func(*rand.Rand) int64
	mean float64
	// from is the number of units in each variation from which docs/statistics.md says
	// that the 95% interval covers the effect in 94% to 96%.
	from int
}

func skewedData() []skewed {
	logNormal := func(r *rand.Rand) int64 { return int64(math.Round(1000 * math.Exp(r.NormFloat64()))) }
	seldom := func(r *rand.Rand) int64 {
		if r.Float64() >= 0.05 {
			return 0
		}
		return logNormal(r)
	}
	return []skewed{
		{"log-normal", logNormal, math.Exp(0.5), 30},
		{"one in twenty log-normal", seldom, 0.05 * math.Exp(0.5), 200},
		{"one in a hundred", func(r *rand.Rand) int64 {
			if r.Float64() < 0.01 {
				return 1000
			}
			return 0
		}, 0.01, 300},
	}
}

// sample adds up n units.
func (s skewed) sample(r *rand.Rand, n int) Moments {
	var x, xx int64
	for range n {
		v := s.draw(r)
		x, xx = x+v, xx+v*v
	}
	return NewMoments(int64(n), map[Term]Sum{X: NewSum(SumOf(x).int(), 3), XX: NewSum(SumOf(xx).int(), 6)})
}

// coverage is how often Welch's interval holds the effect of one variation that has
// a third more units than the other, both alike.
func (s skewed) coverage(n, runs int) float64 {
	r := rand.New(rand.NewPCG(20261121, uint64(n)))
	opt := DefaultOptions()
	opt.Power, opt.Prior = 0, nil
	covered := 0
	for range runs {
		e := Compare(Mean, s.sample(r, n), s.sample(r, n*4/3), opt)
		// Where no unit differs there is no interval: the effect is not held.
		if e.AbsoluteLow != nil && *e.AbsoluteLow <= 0 && 0 <= *e.AbsoluteHigh {
			covered++
		}
	}
	return float64(covered) / float64(runs)
}

// On skewed data the interval is within one point of 95% from the number of units
// that the docs tell, up to the error of the simulation.
func TestSimulateSkewed(t *testing.T) {
	limit := 0.01 + 3*math.Sqrt(0.95*0.05/float64(*simulateRuns))
	for _, s := range skewedData() {
		for _, n := range []int{s.from, 4 * s.from} {
			c := s.coverage(n, *simulateRuns)
			t.Logf("%s, %d units: %.4f of %d intervals hold the effect", s.name, n, c, *simulateRuns)
			if math.Abs(c-0.95) > limit {
				t.Errorf("%s, %d units: %.4f of %d intervals hold the effect, want 0.95 ± %.4f", s.name, n, c, *simulateRuns, limit)
			}
		}
	}
}

// An experiment of as many units as Units says finds the effect as often as it says.
func TestSimulatePower(t *testing.T) {
	const effect, power = 0.3, 0.8
	d := PowerDesign{StdDev: 1, Ratio: 1, Alpha: 0.05, Alternative: TwoSided, Test: Welch}
	n := int(math.Ceil(d.Units(effect, power) / 2))
	want := d.Power(effect, float64(2*n))
	r := rand.New(rand.NewPCG(20261121, 9))
	sample := func(mean float64) Moments {
		return skewed{draw: func(r *rand.Rand) int64 { return int64(math.Round(1000 * (mean + r.NormFloat64()))) }}.sample(r, n)
	}
	opt := DefaultOptions()
	opt.Power, opt.Prior = 0, nil
	found := 0
	for range *simulateRuns {
		if e := Compare(Mean, sample(1), sample(1+effect), opt); *e.Significant {
			found++
		}
	}
	rate, limit := float64(found)/float64(*simulateRuns), 3*math.Sqrt(want*(1-want)/float64(*simulateRuns))
	if math.Abs(rate-want) > limit {
		t.Errorf("%.4f of %d experiments of 2·%d units find the effect, want %.4f ± %.4f", rate, *simulateRuns, n, want, limit)
	}
}

// A mixture sequential test that is looked at every day finds what is not there in
// at most alpha of the experiments.
func TestSimulateMixture(t *testing.T) {
	const days, perDay, alpha = 30, 60, 0.05
	r := rand.New(rand.NewPCG(20261121, 10))
	opt := DefaultOptions()
	opt.Power, opt.Prior, opt.MSPRT, opt.MinimumEffect = 0, nil, true, 0.1
	s := skewed{draw: func(r *rand.Rand) int64 { return int64(math.Round(1000 * (1 + r.NormFloat64()))) }}
	found, runs := 0, *simulateRuns
	for range runs {
		var a, b Moments
		for day := range days {
			a, b = a.Add(s.sample(r, perDay)), b.Add(s.sample(r, perDay))
			if day < 2 {
				continue // asymptotic: not with a handful of units
			}
			if e := Compare(Mean, a, b, opt); *e.Significant {
				found++
				break
			}
		}
	}
	if rate, limit := float64(found)/float64(runs), alpha+3*math.Sqrt(alpha*(1-alpha)/float64(runs)); rate > limit {
		t.Errorf("%.4f of %d experiments without an effect find one, want at most %.4f", rate, runs, limit)
	}
}
