package stats

import (
	"fmt"
	"math/big"
)

// SampleRatioTest says whether the units came in the ratio that was planned.
type SampleRatioTest struct {
	Statistic        *float64 // χ²
	DegreesOfFreedom int
	PValue           *float64
	// PValueAdjusted is corrected for the other tests of SampleRatios; nil for a
	// single test.
	PValueAdjusted *float64
	// Alarm reports that the experiment cannot be trusted: the p-value is below
	// Options.SampleRatioAlarm, or units were seen where none could be.
	Alarm  bool
	Method string
	Status Status
	Reason string
}

// SampleRatio tests the units of each variation against the planned weights: by the
// exact multinomial test where there are few outcomes, else by Pearson's χ². A
// weight is nil where none was planned; a weight of 0 plans no units. The slices
// run over the same variations.
func SampleRatio(units []int64, weights []*big.Rat, opt Options) SampleRatioTest {
	if len(units) != len(weights) {
		panic(fmt.Sprintf("stats: %d unit counts but %d weights", len(units), len(weights)))
	}
	r := SampleRatioTest{Method: "chi-squared"}
	var v verdict
	r.test(units, weights, opt, &v)
	r.Status, r.Reason = v.settle()
	return r
}

// RatioSet is a set of units and what was planned for them, as SampleRatio takes them.
type RatioSet struct {
	Units   []int64
	Weights []*big.Rat
}

// SampleRatios tests many disjoint sets of units, such as segments, days or phases.
// An alarm is one by the p-value that is corrected for all of them by Holm's
// method, so that many sets raise no more false alarms than one.
func SampleRatios(sets []RatioSet, opt Options) []SampleRatioTest {
	tests := make([]SampleRatioTest, len(sets))
	var p []float64
	for i, s := range sets {
		tests[i] = SampleRatio(s.Units, s.Weights, opt)
		if tests[i].PValue != nil {
			p = append(p, *tests[i].PValue)
		}
	}
	adjusted := Holm.Adjust(p)
	for i := range tests {
		if tests[i].PValue != nil {
			tests[i].PValueAdjusted, adjusted = &adjusted[0], adjusted[1:]
			tests[i].Alarm = *tests[i].PValueAdjusted < opt.SampleRatioAlarm
		}
	}
	return tests
}

func (r *SampleRatioTest) test(units []int64, weights []*big.Rat, opt Options, v *verdict) {
	var total, stray int64
	variations := 0
	weight := new(big.Rat)
	for i, w := range weights {
		if w == nil {
			v.add(NoWeights, "not tested: no weights were planned")
			return
		}
		total += units[i]
		switch w.Sign() {
		case 0:
			stray += units[i]
		case 1:
			variations++
			weight.Add(weight, w)
		default:
			panic(fmt.Sprintf("stats: negative weight %s", w.RatString()))
		}
	}
	switch {
	case stray > 0:
		r.Alarm = true
		v.add(UnitsAtZeroWeight, fmt.Sprintf("units in variations that were planned to have none: %d", stray))
		return
	case total == 0:
		v.add(NoUnits, "not tested: there are no units")
		return
	case variations < 2:
		v.add(OneVariation, "not tested: only one variation may have units")
		return
	}
	// χ² = Σ n²/expected − N, exactly, with expected = N·w/W.
	chi := new(big.Rat)
	var counts []int64
	var shares []float64
	for i, w := range weights {
		if w.Sign() > 0 {
			share, _ := new(big.Rat).Quo(w, weight).Float64()
			counts, shares = append(counts, units[i]), append(shares, share)
			n := new(big.Rat).SetInt64(units[i])
			chi.Add(chi, n.Quo(n.Mul(n, n), w))
		}
	}
	chi.Mul(chi, weight)
	chi.Quo(chi, new(big.Rat).SetInt64(total))
	chi.Sub(chi, new(big.Rat).SetInt64(total))
	statistic, _ := chi.Float64()
	r.DegreesOfFreedom = variations - 1
	r.Statistic = v.number(statistic)
	if r.Statistic == nil {
		r.Alarm = true
		return
	}
	p := chiSquaredTail(statistic, float64(r.DegreesOfFreedom))
	if outcomes(total, variations) <= exactOutcomes {
		r.Method = "exact multinomial"
		p = multinomial(counts, shares)
	}
	r.PValue = &p
	r.Alarm = p < opt.SampleRatioAlarm
}
