package job

import (
	"math/big"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// experiment is the row's experiment; sums need not name the only one.
func (r sumsRow) experiment() string { return orDefault(r.text("experiment"), "experiment") }

// judge checks each experiment and gives its verdicts, and describes it as tables of
// a run do. Where its units did not come in the planned ratio, nothing is significant.
func (t *fromSums) judge(groups []*sumsGroup) {
	var order []string
	of := map[string][]*sumsGroup{}
	for _, g := range groups {
		key := g.first.experiment()
		if of[key] == nil {
			order = append(order, key)
		}
		of[key] = append(of[key], g)
		t.defined(g)
	}
	for _, key := range order {
		t.judgeExperiment(key, of[key])
	}
}

func (t *fromSums) judgeExperiment(key string, groups []*sumsGroup) {
	t.described(key, groups)
	e := stats.Evidence{
		Anytime:       t.opt.TunedAt > 0 || t.opt.MSPRT || t.opt.Look != nil || t.opt.Untested != "",
		MinimumEffect: t.opt.MinimumEffect,
		Ended:         t.ended,
	}
	checks := append(t.sampleRatios(groups), t.effects.covariateChecks(key, t.opt.SampleRatioAlarm)...)
	for _, h := range checks {
		h.RunID, h.AsOf, h.Experiment = t.runID, groups[0].asOf(), key
		t.tables.Health = append(t.tables.Health, h)
		switch {
		case h.Status == metrics.Fail:
			e.Invalid = append(e.Invalid, reasonOf(h))
		case h.Status == metrics.Warn && h.Check == metrics.CheckCovariateImbalance:
			e.Notes = append(e.Notes, reasonOf(h))
		}
	}
	if len(e.Invalid) > 0 {
		t.effects.distrust(key, e.Invalid)
	}
	t.verdicts(key, e, overEverybody(groups) != nil)
}

// verdicts judges each variation of an experiment against the baseline, by the rows
// over everybody, if there are some.
func (t *fromSums) verdicts(experiment string, e stats.Evidence, everybody bool) {
	type pair struct{ variation, against string }
	var pairs []pair
	for _, c := range t.effects.comparisons {
		row := &t.effects.rows[c.row]
		p := pair{row.Variation, *row.ComparedTo}
		if row.Experiment != experiment || everybody && row.Segment != metrics.Overall || slices.Contains(pairs, p) {
			continue
		}
		pairs = append(pairs, p)
		judged := e
		judged.Judged = t.effects.judged(experiment, p.variation, p.against)
		verdict, reasons := stats.Decide(judged)
		if !everybody && verdict != metrics.Invalid {
			verdict, reasons = metrics.Inconclusive, metrics.Reasons{{
				Code: "no_overall", Text: "verdicts go by the rows over everybody, and these sums have none: add rows whose segment is overall",
			}}
		}
		t.tables.Verdicts = append(t.tables.Verdicts, metrics.VerdictRow{
			RunID: t.runID, AsOf: row.AsOf, Experiment: experiment, Variation: p.variation, ComparedTo: p.against, Verdict: verdict, Reasons: reasons,
		})
	}
}

// segment is the segment that the group's rows are of.
func (g *sumsGroup) segment() string { return orDefault(g.first.text("segment"), metrics.Overall) }

func (g *sumsGroup) asOf() time.Time { return asOfText(g.first.text("as_of")) }

// weighted reports whether a row of the group has a weight.
func (g *sumsGroup) weighted() bool {
	return slices.ContainsFunc(g.arms, func(a *sumsArm) bool { return a.row.text("weight") != "" })
}

// overEverybody is the first of the groups over everybody that has weights, or else the
// first over everybody; nil if there is none.
func overEverybody(groups []*sumsGroup) *sumsGroup {
	var first *sumsGroup
	for _, g := range groups {
		switch {
		case g.segment() != metrics.Overall:
		case g.weighted():
			return g
		case first == nil:
			first = g
		}
	}
	return first
}

// sampleRatios tests the units of an experiment over everybody, by those of a metric,
// and of the values of each segment. An alarm in a segment is a warning, but where it is
// all that can be tested: then it fails the experiment.
func (t *fromSums) sampleRatios(groups []*sumsGroup) []metrics.HealthRow {
	bySegment := t.segmentRatios(groups)
	g := overEverybody(groups)
	if g == nil || !g.weighted() {
		for i := range bySegment {
			if s := &bySegment[i]; s.Status == metrics.Warn {
				s.Status = metrics.Fail
			}
		}
	}
	h := metrics.HealthRow{
		Check: metrics.CheckSampleRatio, Segment: metrics.Overall, SegmentValue: metrics.All, Status: metrics.Warn, Threshold: &t.opt.SampleRatioAlarm,
		Detail: "no row is over everybody: the sample ratio is tested within segments alone",
	}
	switch {
	case g != nil:
		set := g.ratioSet()
		h = sampleRatioCheck(stats.SampleRatio(set.Units, set.Weights, t.opt), "", t.opt)
	case len(bySegment) == 0:
		h.Detail = "no row is over everybody, and none has weights: the sample ratio is not tested"
	}
	return append([]metrics.HealthRow{h}, bySegment...)
}

// segmentRatios are the checks within the values of each segment, of the first metric
// that has weights there.
func (t *fromSums) segmentRatios(groups []*sumsGroup) []metrics.HealthRow {
	var order []string
	sets := map[string][]ratioSet{}
	for _, g := range groups {
		segment, value := g.segment(), g.first.text("segment_value")
		if segment == metrics.Overall || !g.weighted() || slices.ContainsFunc(sets[segment], func(s ratioSet) bool { return s.name == value }) {
			continue
		}
		if sets[segment] == nil {
			order = append(order, segment)
		}
		sets[segment] = append(sets[segment], ratioSet{value, g.ratioSet()})
	}
	var out []metrics.HealthRow
	for _, segment := range order {
		if h, ok := ratioSetsCheck(checkSegmentRatio, segment, sets[segment], t.opt); ok {
			out = append(out, h)
		}
	}
	return out
}

// ratioSet are the exposed units of a group's variations and their weights.
func (g *sumsGroup) ratioSet() stats.RatioSet {
	var s stats.RatioSet
	for _, a := range g.arms {
		weight, ok := new(big.Rat).SetString(a.row.text("weight"))
		if !ok {
			weight = nil
		}
		s.Units, s.Weights = append(s.Units, a.exposed()), append(s.Weights, weight)
	}
	return s
}

// described adds what is known of an experiment and its variations.
func (t *fromSums) described(key string, groups []*sumsGroup) {
	asOf := groups[0].asOf()
	t.tables.Experiments = append(t.tables.Experiments, metrics.ExperimentRow{RunID: t.runID, AsOf: asOf, Key: key})
	g := overEverybody(groups)
	if g == nil {
		return // how many units the variations have is not known
	}
	for _, a := range g.arms {
		v := metrics.VariationRow{RunID: t.runID, AsOf: asOf, Experiment: key, Key: a.row.text("variation"), Baseline: a.isBaseline()}
		if weight, ok := new(big.Rat).SetString(a.row.text("weight")); ok {
			f, _ := weight.Float64()
			v.Weight = &f
		}
		t.tables.Variations = append(t.tables.Variations, v)
		t.tables.Exposures = append(t.tables.Exposures, metrics.ExposureRow{
			RunID: t.runID, AsOf: asOf, Experiment: key, Variation: v.Key, Segment: metrics.Overall, SegmentValue: metrics.All, Units: a.exposed(),
		})
	}
}

// defined adds what is known of a metric.
func (t *fromSums) defined(g *sumsGroup) {
	key := g.first.text("metric")
	if slices.ContainsFunc(t.tables.Metrics, func(m metrics.MetricRow) bool { return m.Key == key }) {
		return
	}
	t.tables.Metrics = append(t.tables.Metrics, metrics.MetricRow{RunID: t.runID, AsOf: g.asOf(), Key: key, Kind: g.kind.String(), Better: string(g.better)})
}
