package job

import (
	"math/big"
	"slices"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// experiment is the row's experiment; sums need not name the only one.
func (r sumsRow) experiment() string { return orDefault(r.text("experiment"), "experiment") }

// judge checks each experiment and gives its verdicts, and describes it as tables of
// a run do. Where its units did not come in the planned ratio, nothing is significant.
func (t *fromSums) judge(groups []*sumsGroup) {
	done := map[string]bool{}
	for _, g := range groups {
		experiment := g.first.experiment()
		t.defined(g)
		if done[experiment] || orDefault(g.first.text("segment"), metrics.Overall) != metrics.Overall {
			continue
		}
		done[experiment] = true
		e := stats.Evidence{
			Anytime:       t.opt.TunedAt > 0 || t.opt.MSPRT || t.opt.Look != nil || t.opt.Untested != "",
			MinimumEffect: t.opt.MinimumEffect,
			Ended:         t.ended,
		}
		t.described(g)
		check := t.sampleRatio(weighted(groups, g))
		t.tables.Health = append(t.tables.Health, check)
		if check.Status == metrics.Fail {
			e.Invalid = metrics.Reasons{reasonOf(check)}
			t.effects.distrust(experiment, e.Invalid)
		}
		for _, h := range t.effects.covariateChecks(experiment, t.opt.SampleRatioAlarm) {
			h.RunID, h.AsOf = t.runID, check.AsOf
			t.tables.Health = append(t.tables.Health, h)
			if h.Status == metrics.Warn {
				e.Notes = append(e.Notes, reasonOf(h))
			}
		}
		t.verdicts(experiment, e)
	}
}

// verdicts judges each variation of an experiment against the baseline.
func (t *fromSums) verdicts(experiment string, e stats.Evidence) {
	type pair struct{ variation, against string }
	var pairs []pair
	for _, c := range t.effects.comparisons {
		row := &t.effects.rows[c.row]
		p := pair{row.Variation, *row.ComparedTo}
		if row.Experiment != experiment || row.Segment != metrics.Overall || slices.Contains(pairs, p) {
			continue
		}
		pairs = append(pairs, p)
		judged := e
		judged.Judged = t.effects.judged(experiment, p.variation, p.against)
		verdict, reasons := stats.Decide(judged)
		t.tables.Verdicts = append(t.tables.Verdicts, metrics.VerdictRow{
			RunID: t.runID, AsOf: row.AsOf, Experiment: experiment, Variation: p.variation, ComparedTo: p.against, Verdict: verdict, Reasons: reasons,
		})
	}
}

// weighted is the first metric over everybody of a group's experiment that has weights,
// or the group itself, if none has.
func weighted(groups []*sumsGroup, first *sumsGroup) *sumsGroup {
	for _, g := range groups {
		if g.first.experiment() == first.first.experiment() && orDefault(g.first.text("segment"), metrics.Overall) == metrics.Overall &&
			slices.ContainsFunc(g.arms, func(a *sumsArm) bool { return a.row.text("weight") != "" }) {
			return g
		}
	}
	return first
}

// sampleRatio tests the units of an experiment over everybody by those of a metric,
// where the file has weights.
func (t *fromSums) sampleRatio(g *sumsGroup) metrics.HealthRow {
	var units []int64
	var weights []*big.Rat
	for _, a := range g.arms {
		weight, ok := new(big.Rat).SetString(a.row.text("weight"))
		if !ok {
			weight = nil
		}
		units, weights = append(units, a.exposed()), append(weights, weight)
	}
	h := sampleRatioCheck(stats.SampleRatio(units, weights, t.opt), "", t.opt)
	h.RunID, h.AsOf, h.Experiment = t.runID, asOfText(g.first.text("as_of")), g.first.experiment()
	return h
}

// described adds what is known of an experiment and its variations.
func (t *fromSums) described(g *sumsGroup) {
	key, asOf := g.first.experiment(), asOfText(g.first.text("as_of"))
	t.tables.Experiments = append(t.tables.Experiments, metrics.ExperimentRow{RunID: t.runID, AsOf: asOf, Key: key})
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
	t.tables.Metrics = append(t.tables.Metrics, metrics.MetricRow{RunID: t.runID, AsOf: asOfText(g.first.text("as_of")), Key: key, Kind: g.kind.String(), Better: string(g.better)})
}
