package job

import (
	"cmp"
	"fmt"
	"math/big"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// period is a time of an experiment in which weights stay as they are: a phase of
// one that is stratified by phases, else all of it.
type period struct {
	*unitSums
	x *compiler.ExperimentPlan
	// weights are the planned ones, in the order of the variations; nil where there
	// is none.
	weights []*big.Rat
	// suffix names the phase behind the name of a set of its units.
	suffix string
}

// periods are those of an experiment, in their order.
func (r *reporter) periods(x *compiler.ExperimentPlan) []period {
	phases := x.Strata()
	if len(phases) == 0 {
		p := period{unitSums: &r.unitSums, x: x}
		for _, v := range x.Def.Variations {
			p.weights = append(p.weights, plannedWeight(x.Def, v))
		}
		return []period{p}
	}
	var out []period
	for i, phase := range phases {
		p := period{unitSums: r.phase(int64(i + 1)), x: x, suffix: fmt.Sprintf(" in phase %d", i+1)}
		for _, v := range x.Def.Variations {
			p.weights = append(p.weights, weightIn(phase, v))
		}
		out = append(out, p)
	}
	return out
}

// weightIn is the planned weight of a variation in a phase; nil where there is none.
func weightIn(phase *metrics.Phase, v *metrics.Variation) *big.Rat {
	for _, w := range phase.Weights {
		if w.Variation.V == v.Key.V {
			return w.Weight.Rat()
		}
	}
	return nil
}

// plannedWeight is the weight of a variation: that of the phase which all units that
// count are of, where there are phases; nil where there is none, or several.
func plannedWeight(x *metrics.Experiment, v *metrics.Variation) *big.Rat {
	switch last := x.LastPhase(); {
	case last != nil:
		return weightIn(last, v)
	case len(x.Phases) == 1:
		return weightIn(x.Phases[0], v)
	case len(x.Phases) > 1 || !v.Weight.Set:
		return nil
	}
	return v.Weight.V.Rat()
}

// set is a set of units, given by variation, with what was planned.
func (p period) set(units func(*metrics.Variation) int64) stats.RatioSet {
	s := stats.RatioSet{Weights: p.weights}
	for _, v := range p.x.Def.Variations {
		s.Units = append(s.Units, units(v))
	}
	return s
}

// plans reports whether both variations were planned to have units in the period.
func (p period) plans(a, b *metrics.Variation) bool {
	for i, v := range p.x.Def.Variations {
		if w := p.weights[i]; (v == a || v == b) && w != nil && w.Sign() == 0 {
			return false
		}
	}
	return true
}

// ratioOf tests whether units came in the ratio of the weights; in phases within
// each of them, the p-values corrected together: of several the one is given that
// is furthest from the planned ratio, with words that say which.
func (r *reporter) ratioOf(x *compiler.ExperimentPlan, of func(*unitSums) map[cell]int64) (t stats.SampleRatioTest, within string, opt stats.Options) {
	opt = stats.OptionsOf(x.Def.Analysis)
	periods := r.periods(x)
	var sets []stats.RatioSet
	for _, p := range periods {
		sets = append(sets, p.set(func(v *metrics.Variation) int64 { return of(p.unitSums)[overall(x.Def.Key.V, v.Key.V)] }))
	}
	tests := stats.SampleRatios(sets, opt)
	if len(periods) == 1 {
		return tests[0], "", opt
	}
	worst := 0
	for i := range tests {
		if furtherOff(tests[i], tests[worst]) {
			worst = i
		}
	}
	t = tests[worst]
	t.PValue = t.PValueAdjusted
	if t.Alarm {
		return t, periods[worst].suffix, opt
	}
	return t, " in each phase", opt
}

// furtherOff reports whether the units of one test are further from the planned
// ratio than those of another: alarms first, then by p-value, then what could not
// be tested.
func furtherOff(a, b stats.SampleRatioTest) bool {
	rank := func(t stats.SampleRatioTest) int {
		switch {
		case t.Alarm && t.PValue == nil: // units where none could be
			return 0
		case t.PValue != nil:
			return 1
		default:
			return 2
		}
	}
	if rank(a) != rank(b) || rank(a) != 1 {
		return rank(a) < rank(b)
	}
	return cmp.Less(*a.PValue, *b.PValue)
}

// phasesPooled reports whether a metric of an experiment with several phases
// cannot be stratified by them.
func phasesPooled(x *compiler.ExperimentPlan, m *compiler.MetricPlan) bool {
	return len(x.Strata()) > 0 && m.Kind == stats.Percentile
}
