package job

import (
	"slices"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// experiment is the row's experiment; sums need not name the only one.
func (r sumsRow) experiment() string { return orDefault(r.text("experiment"), "experiment") }

// judge checks each experiment and gives its verdicts, and describes it as tables of
// a run do. Where its units did not come in the planned ratio, nothing is significant.
func (t *fromSums) judge(groups []*sumsGroup) error {
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
		if err := t.judgeExperiment(key, of[key]); err != nil {
			return err
		}
	}
	return nil
}

func (t *fromSums) judgeExperiment(key string, groups []*sumsGroup) error {
	first := groups[0].first
	by, err := t.options.of(first, "experiment_analysis")
	if err != nil {
		return err
	}
	e := evidenceOf(by.opt)
	if at, ok := first.instant("end"); ok {
		e.End, e.Ended = endText(at), !first.asOf().Before(at)
	}
	e.Ended = e.Ended || t.ended
	checks := append(sampleRatios(groups, by.opt), t.effects.covariateChecks(key, by.opt.SampleRatioAlarm)...)
	for _, h := range checks {
		h.RunID, h.AsOf, h.Experiment = t.runID, first.asOf(), key
		t.tables.Health = append(t.tables.Health, h)
		switch {
		case h.Status == metrics.Fail:
			e.Invalid = append(e.Invalid, reasonOf(h))
		case h.Status == metrics.Warn && h.Check == metrics.CheckCovariateImbalance:
			e.Notes = append(e.Notes, reasonOf(h))
		}
	}
	var failed []string
	for _, g := range groups {
		failed = append(failed, g.failed...)
	}
	for _, check := range failed {
		if !slices.ContainsFunc(e.Invalid, func(r metrics.Reason) bool { return r.Code == check }) {
			e.Invalid = append(e.Invalid, metrics.Reason{Code: check, Text: "the check " + check + " failed in the run that these sums are of: its table health says more"})
		}
	}
	if len(e.Invalid) > 0 {
		t.effects.distrust(key, e.Invalid)
	}
	t.described(key, groups)
	t.verdicts(key, e, groups)
	return nil
}

// verdicts judges each variation of an experiment against the baseline, by the rows
// over everybody, if there are some.
func (t *fromSums) verdicts(experiment string, e stats.Evidence, groups []*sumsGroup) {
	everybody := slices.ContainsFunc(groups, (*sumsGroup).overall)
	baselines := map[string]bool{}
	for _, g := range groups {
		for _, a := range g.arms {
			if a.row.isBaseline() {
				baselines[a.row.text("variation")] = true
			}
		}
	}
	for _, p := range t.effects.pairs(experiment, everybody) {
		if !baselines[p.against] {
			continue
		}
		judged := e
		judged.Judged = withPlanned(t.effects.judged(experiment, p.variation, p.against), plannedOf(groups))
		verdict, reasons := stats.Decide(judged)
		if !everybody && verdict != metrics.Invalid {
			verdict, reasons = metrics.Inconclusive, metrics.Reasons{{
				Code: "no_overall", Text: "verdicts go by the rows over everybody, and these sums have none: add rows whose segment is overall",
			}}
		}
		t.tables.Verdicts = append(t.tables.Verdicts, metrics.VerdictRow{
			RunID: t.runID, AsOf: groups[0].first.asOf(), Experiment: experiment, Variation: p.variation, ComparedTo: p.against, Verdict: verdict, Reasons: reasons,
		})
	}
	t.effects.interim(experiment, e, t.tables.Verdicts)
}

// plannedOf are the primary metrics and guardrails that any rows of an experiment are of,
// or name as not computed.
func plannedOf(groups []*sumsGroup) []plannedMetric {
	var out []plannedMetric
	for _, g := range groups {
		own := plannedMetric{metrics.Role(g.first.text("role")), g.first.text("metric"), "these sums do not compare it over everybody"}
		for _, p := range append([]plannedMetric{own}, g.missing...) {
			if (p.role == metrics.Primary || p.role == metrics.Guardrail) && !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}

// segment is the segment that the group's rows are of.
func (g *sumsGroup) segment() string { return orDefault(g.first.text("segment"), metrics.Overall) }

// described adds what is known of an experiment and its variations.
func (t *fromSums) described(key string, groups []*sumsGroup) {
	asOf := groups[0].first.asOf()
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
	t.tables.Metrics = append(t.tables.Metrics, metrics.MetricRow{RunID: t.runID, AsOf: g.first.asOf(), Key: key, Kind: g.kind.String(), Better: string(g.better)})
}
