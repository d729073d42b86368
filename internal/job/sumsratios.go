package job

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// checkWeights refuses variations without a weight where others of the experiment, or
// of the group, have one: the sample ratio would not be tested, or not of all.
func checkWeights(groups []*sumsGroup) error {
	type variation struct{ experiment, key string }
	experiments, variations := map[string]bool{}, map[variation]bool{}
	for _, g := range groups {
		for _, a := range g.arms {
			if a.row.text("weight") != "" {
				experiments[g.first.experiment()] = true
				variations[variation{g.first.experiment(), a.row.text("variation")}] = true
			}
		}
	}
	var wrong SumsErrors
	for _, g := range groups {
		for _, a := range g.arms {
			v := variation{g.first.experiment(), a.row.text("variation")}
			if a.row.text("weight") == "" && g.phases() == nil && (g.weighted() || experiments[v.experiment] && !variations[v]) {
				wrong.add(a.row.errorf("write 0 for a variation without units", "variation %q has no weight, and others have", v.key))
			}
		}
	}
	return wrong.err()
}

// overall reports whether the group is over everybody.
func (g *sumsGroup) overall() bool { return g.segment() == metrics.Overall }

// weighted reports whether a row of the group has a weight, or one of its phases.
func (g *sumsGroup) weighted() bool {
	return slices.ContainsFunc(g.arms, func(a *sumsArm) bool { return a.row.text("weight") != "" }) || g.phases() != nil
}

// overEverybody are the groups over everybody, those with weights first.
func overEverybody(groups []*sumsGroup) []*sumsGroup {
	var weighted, others []*sumsGroup
	for _, g := range groups {
		switch {
		case !g.overall():
		case g.weighted():
			weighted = append(weighted, g)
		default:
			others = append(others, g)
		}
	}
	return append(weighted, others...)
}

// shareWeights gives the variations over everybody the weights that they have in every
// segment, where none has any over everybody, and reports whether it did.
func shareWeights(groups []*sumsGroup) bool {
	everybody := overEverybody(groups)
	if len(everybody) == 0 || everybody[0].weighted() {
		return false
	}
	weights := map[string]sumsRow{}
	for _, g := range groups {
		for _, a := range g.arms {
			if a.row.text("weight") == "" {
				continue
			}
			if one, known := weights[a.row.text("variation")]; known && a.row.agrees(one, "weight", "") != nil {
				return false
			}
			weights[a.row.text("variation")] = a.row
		}
	}
	for _, g := range everybody {
		for _, a := range g.arms {
			if one, known := weights[a.row.text("variation")]; known {
				a.row.put("weight", one.text("weight"))
			}
		}
	}
	return len(weights) > 0
}

// sampleRatios tests the units of an experiment over everybody, and of the values of
// each segment. An alarm in a segment is a warning, but where segments alone have
// weights: then it fails the experiment.
func sampleRatios(groups []*sumsGroup, opt stats.Options) []metrics.HealthRow {
	shared := shareWeights(groups)
	everybody := overEverybody(groups)
	bySegment := segmentRatios(groups, opt)
	if shared || len(everybody) == 0 || !everybody[0].weighted() {
		for i := range bySegment {
			if s := &bySegment[i]; s.Status == metrics.Warn {
				s.Status = metrics.Fail
			}
		}
	}
	h := metrics.HealthRow{
		Check: metrics.CheckSampleRatio, Segment: metrics.Overall, SegmentValue: metrics.All, Status: metrics.Warn, Threshold: &opt.SampleRatioAlarm,
		Detail: "no row is over everybody: the sample ratio is tested within segments alone",
	}
	switch {
	case len(everybody) > 0:
		h = overallRatio(everybody, opt)
	case len(bySegment) == 0:
		h.Detail = "no row is over everybody, and none has weights: the sample ratio is not tested"
	}
	return append([]metrics.HealthRow{h}, bySegment...)
}

// overallRatio tests the units of every metric over everybody that are not those of
// another one. The row is of those that are furthest from the planned ratio, and their
// p-value is corrected for all by Holm's method.
func overallRatio(groups []*sumsGroup, opt stats.Options) metrics.HealthRow {
	var sets ratioSets
	for _, g := range groups {
		if g.weighted() || g == groups[0] {
			sets.add(g)
		}
	}
	if len(sets.list) == 1 {
		return sampleRatioCheck(stats.SampleRatio(sets.list[0].Units, sets.list[0].Weights, opt), "", opt)
	}
	var all []stats.RatioSet
	for _, s := range sets.list {
		all = append(all, s.RatioSet)
	}
	tests := stats.SampleRatios(all, opt)
	worst := 0
	var alarms []string
	for i, test := range tests {
		if furtherOff(test, tests[worst]) {
			worst = i
		}
		if test.Alarm {
			alarms = append(alarms, sets.list[i].name)
		}
	}
	within := ""
	if len(alarms) > 0 {
		within = " in the rows of " + fewOf(alarms, 5)
	}
	w := tests[worst]
	w.PValue = w.PValueAdjusted
	return sampleRatioCheck(w, within, opt)
}

// fewOf names the first few of many.
func fewOf(names []string, few int) string {
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

// segmentRatios are the checks within the values of each segment.
func segmentRatios(groups []*sumsGroup, opt stats.Options) []metrics.HealthRow {
	var order []string
	bySegment := map[string]*ratioSets{}
	for _, g := range groups {
		if g.overall() || !g.weighted() {
			continue
		}
		if bySegment[g.segment()] == nil {
			order = append(order, g.segment())
			bySegment[g.segment()] = &ratioSets{}
		}
		bySegment[g.segment()].add(g)
	}
	var out []metrics.HealthRow
	for _, segment := range order {
		sets := bySegment[segment].list
		for i := range sets {
			if value := sets[i].value; bySegment[segment].ofValue[value] > 1 {
				sets[i].name = value + " (" + sets[i].name + ")"
			} else {
				sets[i].name = value
			}
		}
		var named []ratioSet
		for _, s := range sets {
			named = append(named, s.ratioSet)
		}
		if h, ok := ratioSetsCheck(metrics.CheckSegmentRatio, segment, named, opt); ok {
			out = append(out, h)
		}
	}
	return out
}

// ratioSets are the units of groups, each set of units once, named by its first metric.
type ratioSets struct {
	list    []valueSet
	seen    map[string]bool
	ofValue map[string]int
}

// valueSet is the set of a segment value.
type valueSet struct {
	ratioSet
	value string
}

func (s *ratioSets) add(g *sumsGroup) {
	if s.seen == nil {
		s.seen, s.ofValue = map[string]bool{}, map[string]int{}
	}
	value := g.first.groupKey().value
	cells := value + "\x00" + g.ratioCells()
	if s.seen[cells] {
		return // most groups are of the same units, in the same words
	}
	s.seen[cells] = true
	for _, set := range g.ratioSets() {
		key := value + "\x00" + g.textOf(set.RatioSet)
		if s.seen[key] {
			continue
		}
		s.seen[key] = true
		s.ofValue[value]++
		s.list = append(s.list, valueSet{set, value})
	}
}

// ratioSets are the exposed units of a group's variations and their weights, in phases
// those of each.
func (g *sumsGroup) ratioSets() []ratioSet {
	metric := g.first.text("metric")
	var out []ratioSet
	for i, set := range g.phases() {
		out = append(out, ratioSet{fmt.Sprintf("%s in phase %d", metric, i+1), set})
	}
	if out != nil {
		return out
	}
	var set stats.RatioSet
	for _, a := range g.arms {
		set.Units, set.Weights = append(set.Units, a.exposed), append(set.Weights, a.row.rat("weight"))
	}
	return []ratioSet{{metric, set}}
}

// ratioCells are the cells that the group's sets are made of.
func (g *sumsGroup) ratioCells() string {
	var b []byte
	for _, a := range g.arms {
		b = strconv.AppendQuote(b, a.row.text("variation"))
		b = strconv.AppendInt(b, a.exposed, 10)
		b = strconv.AppendQuote(b, a.row.text("weight"))
		b = strconv.AppendQuote(b, a.row.text("strata"))
	}
	return string(b)
}

// textOf is a set as text, which is the same for the same units and shares.
func (g *sumsGroup) textOf(set stats.RatioSet) string {
	total := new(big.Rat)
	for _, weight := range set.Weights {
		if weight != nil {
			total.Add(total, weight)
		}
	}
	var parts []string
	for i, a := range g.arms {
		share := "none"
		if w := set.Weights[i]; w != nil && total.Sign() > 0 {
			share = new(big.Rat).Quo(w, total).RatString()
		}
		parts = append(parts, fmt.Sprintf("%q %d %s", a.row.text("variation"), set.Units[i], share))
	}
	slices.Sort(parts)
	return strings.Join(parts, "\n")
}
