package job

import (
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
	t.described(key, groups)
	t.verdicts(key, e, slices.ContainsFunc(groups, (*sumsGroup).overall))
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

// described adds what is known of an experiment and its variations.
func (t *fromSums) described(key string, groups []*sumsGroup) {
	asOf := groups[0].asOf()
	t.tables.Experiments = append(t.tables.Experiments, metrics.ExperimentRow{RunID: t.runID, AsOf: asOf, Key: key})
	seen := map[string]bool{}
	for _, g := range overEverybody(groups) { // none: how many units the variations have is not known
		for _, a := range g.arms {
			v := metrics.VariationRow{RunID: t.runID, AsOf: asOf, Experiment: key, Key: a.row.text("variation"), Baseline: a.row.isBaseline()}
			if seen[v.Key] {
				continue
			}
			seen[v.Key] = true
			if weight := a.row.rat("weight"); weight != nil {
				f, _ := weight.Float64()
				v.Weight = &f
			}
			t.tables.Variations = append(t.tables.Variations, v)
			t.tables.Exposures = append(t.tables.Exposures, metrics.ExposureRow{
				RunID: t.runID, AsOf: asOf, Experiment: key, Variation: v.Key, Segment: metrics.Overall, SegmentValue: metrics.All, Units: a.exposed,
			})
		}
	}
}

// defined adds what is known of a metric.
func (t *fromSums) defined(g *sumsGroup) {
	key := g.first.text("metric")
	if t.known[key] {
		return
	}
	t.known[key] = true
	t.tables.Metrics = append(t.tables.Metrics, metrics.MetricRow{RunID: t.runID, AsOf: g.asOf(), Key: key, Kind: g.kind.String(), Better: string(g.better)})
}
