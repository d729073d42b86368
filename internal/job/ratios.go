package job

import (
	"fmt"
	"maps"
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
		var sets []ratioSet
		for _, of := range r.periods(x) {
			byValue := map[string]map[string]int64{}
			for k, n := range of.exposed {
				if k.experiment == x.Def.Key.V && k.segment == s.Key.V {
					addTo(byValue, k.value, k.variation, n)
				}
			}
			sets = append(sets, of.sets(byValue)...)
		}
		r.ratiosOf(x, metrics.CheckSegmentRatio, s.Key.V, sets)
	}
	var sets []ratioSet
	for _, of := range r.periods(x) {
		days := map[string]map[string]int64{}
		for k, n := range of.days {
			if k.experiment == x.Def.Key.V && k.segment == metrics.Overall {
				addTo(days, k.date.Format("2006-01-02"), k.variation, n.units)
			}
		}
		sets = append(sets, of.sets(days)...)
	}
	r.ratiosOf(x, metrics.CheckDayRatio, metrics.Overall, sets)
}

func addTo(sets map[string]map[string]int64, set, variation string, n int64) {
	if sets[set] == nil {
		sets[set] = map[string]int64{}
	}
	sets[set][variation] += n
}

// ratioSet is a named set of units, and what was planned for them.
type ratioSet struct {
	name string
	stats.RatioSet
}

// sets are sets of units of a period, by name, in the order of their names; units
// are by variation.
func (p period) sets(byName map[string]map[string]int64) []ratioSet {
	var out []ratioSet
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, ratioSet{name + p.suffix, p.set(func(v *metrics.Variation) int64 { return byName[name][v.Key.V] })})
	}
	return out
}

// ratiosOf adds one row for the sets, if something could be tested.
func (r *reporter) ratiosOf(x *compiler.ExperimentPlan, check, segment string, sets []ratioSet) {
	if h, ok := ratioSetsCheck(check, segment, sets, stats.OptionsOf(x.Def.Analysis)); ok {
		h.RunID, h.AsOf, h.Experiment = r.runID, r.asOf, x.Def.Key.V
		r.tables.Health = append(r.tables.Health, h)
	}
}

// ratioSetsCheck is the test of the sample ratio of sets as a check, a warning where
// one has an alarm, with the numbers of the one that is furthest from the planned
// ratio. There is none where nothing could be tested: the check over everybody says
// why.
func ratioSetsCheck(check, segment string, sets []ratioSet, opt stats.Options) (h metrics.HealthRow, ok bool) {
	var all []stats.RatioSet
	for _, s := range sets {
		all = append(all, s.RatioSet)
	}
	tests := stats.SampleRatios(all, opt)
	var alarms []string
	var worst *stats.SampleRatioTest
	tested := 0
	for i := range tests {
		t := &tests[i]
		if t.PValueAdjusted == nil && !t.Alarm {
			continue
		}
		tested++
		if worst == nil || furtherOff(*t, *worst) {
			worst = t
		}
		if t.Alarm {
			alarms = append(alarms, sets[i].name)
		}
	}
	if worst == nil {
		return metrics.HealthRow{}, false
	}
	h = metrics.HealthRow{
		Check: check, Segment: segment, SegmentValue: metrics.All, Status: metrics.Pass,
		Statistic: worst.Statistic, PValue: worst.PValueAdjusted, Threshold: &opt.SampleRatioAlarm,
		Detail: fmt.Sprintf("units came in the planned ratio in each of %d sets", tested),
	}
	if len(alarms) > 0 {
		h.Status, h.Detail = metrics.Warn, "units did not come in the planned ratio in: "+strings.Join(alarms, ", ")
	}
	return h, true
}
