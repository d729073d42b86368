package job

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// ratios warns where the units of a segment, or of a day, did not come in the
// planned ratio: a ratio that holds over everybody may hide two that do not. The
// sets of one segment, and the days, are corrected together.
func (r *reporter) ratios(x *compiler.ExperimentPlan) {
	for _, s := range x.Def.Segments {
		sets := map[string]map[string]int64{}
		for k, n := range r.exposed {
			if k.experiment == x.Def.Key.V && k.segment == s.Key.V {
				addTo(sets, k.value, k.variation, n)
			}
		}
		r.ratiosOf(x, "sample_ratio_segments", s.Key.V, sets)
	}
	days := map[string]map[string]int64{}
	for k, n := range r.days {
		if k.experiment == x.Def.Key.V && k.segment == metrics.Overall {
			addTo(days, k.date.Format("2006-01-02"), k.variation, n.units)
		}
	}
	r.ratiosOf(x, "sample_ratio_days", metrics.Overall, days)
}

func addTo(sets map[string]map[string]int64, set, variation string, n int64) {
	if sets[set] == nil {
		sets[set] = map[string]int64{}
	}
	sets[set][variation] += n
}

// ratiosOf adds one row for the sets, with the numbers of the one that is furthest
// from the planned ratio. There is no row where nothing could be tested: the check
// over everybody says why.
func (r *reporter) ratiosOf(x *compiler.ExperimentPlan, check, segment string, sets map[string]map[string]int64) {
	var weights []*big.Rat
	for _, v := range x.Def.Variations {
		weights = append(weights, plannedWeight(x, v))
	}
	names := slices.Sorted(maps.Keys(sets))
	var units [][]int64
	for _, name := range names {
		var counts []int64
		for _, v := range x.Def.Variations {
			counts = append(counts, sets[name][v.Key.V])
		}
		units = append(units, counts)
	}
	opt, _ := stats.OptionsOf(x.Def.Analysis)
	tests := stats.SampleRatios(units, weights, opt)
	var alarms []string
	var worst *stats.SampleRatioTest
	tested := 0
	for i := range tests {
		t := &tests[i]
		if t.PValueAdjusted == nil {
			continue
		}
		tested++
		if worst == nil || cmp.Less(*t.PValue, *worst.PValue) {
			worst = t
		}
		if t.Alarm {
			alarms = append(alarms, names[i])
		}
	}
	if worst == nil {
		return
	}
	status, detail := metrics.Pass, fmt.Sprintf("units came in the planned ratio in each of %d sets", tested)
	if len(alarms) > 0 {
		status, detail = metrics.Warn, "units did not come in the planned ratio in: "+strings.Join(alarms, ", ")
	}
	h := r.check(x.Def.Key.V, check, segment, metrics.All, status, detail)
	h.Statistic, h.PValue, h.Threshold = worst.Statistic, worst.PValueAdjusted, &opt.SampleRatioAlarm
}
