package job

import (
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// verdicts judges each variation that is compared with the baseline, once all
// checks are done. What is invalid has no significance in the results either.
func (r *reporter) verdicts(x *compiler.ExperimentPlan) {
	opt := stats.OptionsOf(x.Def.Analysis)
	e := evidenceOf(opt)
	e.Invalid, e.Days = r.invalid(x), r.daysSoFar(x)
	if x.Def.End.Set {
		e.End, e.Ended = endText(x.Def.End.V), !r.asOf.Before(x.Def.End.V)
	}
	key := x.Def.Key.V
	for _, h := range r.effects.covariateChecks(key, opt.SampleRatioAlarm) {
		h.RunID, h.AsOf = r.runID, r.asOf
		r.tables.Health = append(r.tables.Health, h)
		if h.Status == metrics.Warn {
			e.Notes = append(e.Notes, reasonOf(h))
		}
	}
	if len(e.Invalid) > 0 {
		r.effects.distrust(key, e.Invalid)
	}
	for _, v := range x.Def.Variations {
		for _, other := range x.Def.ComparedTo(v) {
			if !other.Baseline {
				continue
			}
			judged := e
			judged.Judged = withPlanned(r.effects.judged(key, v.Key.V, other.Key.V), r.planned(x))
			verdict, reasons := stats.Decide(judged)
			r.tables.Verdicts = append(r.tables.Verdicts, metrics.VerdictRow{
				RunID: r.runID, AsOf: r.asOf, Experiment: key, Variation: v.Key.V, ComparedTo: other.Key.V, Verdict: verdict, Reasons: reasons,
			})
		}
	}
	r.effects.interim(key, e, r.tables.Verdicts)
}

// plannedMetric is a metric that a verdict goes by, and why nothing was computed of it
// if nothing was.
type plannedMetric struct {
	role metrics.Role
	key  string
	why  string
}

// planned are the primary metrics and guardrails of an experiment, whatever was
// selected of them.
func (r *reporter) planned(x *compiler.ExperimentPlan) []plannedMetric {
	var out []plannedMetric
	for _, m := range x.Def.Metrics {
		p := plannedMetric{m.Role, m.Metric.Key.V, "nothing was computed of it"}
		if !slices.ContainsFunc(x.Metrics, func(of *compiler.MetricPlan) bool { return of.Def == m }) {
			p.why = "it was not selected, and a verdict goes by all primary metrics and guardrails"
		}
		for _, e := range r.tables.Errors {
			if e.Experiment == x.Def.Key.V && e.Metric != nil && *e.Metric == p.key {
				p.why = e.Message
			}
		}
		if p.role != metrics.Secondary {
			out = append(out, p)
		}
	}
	return out
}

// withPlanned adds the planned metrics that are not among those judged.
func withPlanned(judged []stats.Judged, planned []plannedMetric) []stats.Judged {
	for _, p := range planned {
		if !slices.ContainsFunc(judged, func(j stats.Judged) bool { return j.Row.Metric == p.key && j.Row.Role == string(p.role) }) {
			judged = append(judged, stats.NotComputed(p.role, p.key, p.why))
		}
	}
	return judged
}

// evidenceOf is what the options of an experiment say about its verdicts.
func evidenceOf(opt stats.Options) stats.Evidence {
	return stats.Evidence{
		Anytime:       anytime(opt),
		MinimumEffect: opt.MinimumEffect,
	}
}

// daysSoFar is how long units of an experiment have been coming, in days; 0 without any.
func (r *reporter) daysSoFar(x *compiler.ExperimentPlan) float64 {
	var first time.Time
	for k, n := range r.days {
		if k.experiment == x.Def.Key.V && k.segment == metrics.Overall && n.units > 0 && (first.IsZero() || k.date.Before(first)) {
			first = k.date
		}
	}
	if first.IsZero() {
		return 0
	}
	return r.asOf.Sub(first).Hours() / 24
}

// anytime reports whether the options are those of a test that holds at several looks.
func anytime(opt stats.Options) bool {
	return opt.TunedAt > 0 || opt.MSPRT || opt.Look != nil || opt.Untested != ""
}

// interim has the rows of an experiment that goes on say so, whose tests hold for a single
// look after its end: all before a planned end, else those of the variations that are to
// wait for units.
func (t *effects) interim(experiment string, e stats.Evidence, verdicts []metrics.VerdictRow) {
	if e.Ended || len(e.Invalid) > 0 {
		return
	}
	waits := map[string]bool{}
	for _, v := range verdicts {
		waits[v.Variation] = waits[v.Variation] || v.Experiment == experiment && v.Verdict == metrics.KeepRunning
	}
	for _, i := range t.experiment(experiment).oneLook {
		row := &t.rows[i]
		if row.PValue != nil && (e.End != "" || waits[row.Variation]) {
			row.Warnings = append(slices.Clone(row.Warnings), metrics.WarnInterim)
		}
	}
}

// endText writes the planned end of an experiment: its day, where that begins there.
func endText(at time.Time) string {
	if at = at.UTC(); at.Equal(at.Truncate(24 * time.Hour)) {
		return at.Format(time.DateOnly)
	}
	return at.Format("2006-01-02 15:04") + " UTC"
}

// invalid are the checks that failed: of the experiment, and of the sources, whose
// rows all experiments read.
func (r *reporter) invalid(x *compiler.ExperimentPlan) metrics.Reasons {
	var reasons metrics.Reasons
	for _, h := range r.tables.Health {
		if h.Status != metrics.Fail || h.Experiment != x.Def.Key.V && h.Experiment != "" {
			continue
		}
		reasons = append(reasons, reasonOf(h))
	}
	return reasons
}

// distrust takes back what the rows of an experiment would be taken for a winner
// or a loser by, and has each say why: by the warning of the check that failed, where
// it has one of its own.
func (t *effects) distrust(experiment string, failed metrics.Reasons) {
	var warnings []string
	for _, f := range failed {
		warning := metrics.WarnFailedCheck
		switch f.Code {
		case metrics.CheckSampleRatio, metrics.CheckSegmentRatio:
			warning = metrics.WarnSampleRatio
		case metrics.CheckSeveralVariations:
			warning = metrics.WarnSeveralVariations
		}
		if !slices.Contains(warnings, warning) {
			warnings = append(warnings, warning)
		}
	}
	for _, i := range t.experiment(experiment).rows {
		row := &t.rows[i]
		row.Significant, row.NonInferior, row.ChanceToWin, row.ExpectedLoss = nil, nil, nil, nil
		row.Warnings = slices.Clone(row.Warnings)
		for _, warning := range warnings {
			if !slices.Contains(row.Warnings, warning) {
				row.Warnings = append(row.Warnings, warning)
			}
		}
	}
}

// pair is a variation and what it is compared to.
type pair struct{ variation, against string }

// pairs are those that an experiment compares, over everybody or in any segment, in
// their order.
func (t *effects) pairs(experiment string, everybody bool) []pair {
	var out []pair
	seen := map[pair]bool{}
	for _, c := range t.experiment(experiment).comparisons {
		row := &t.rows[c.row]
		p := pair{row.Variation, *row.ComparedTo}
		if !seen[p] && (!everybody || row.Segment == metrics.Overall) {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}

// judged are the metrics that say something about a variation over everybody.
func (t *effects) judged(experiment, variation, comparedTo string) []stats.Judged {
	var out []stats.Judged
	for _, c := range t.experiment(experiment).comparisons {
		row := &t.rows[c.row]
		if row.Variation != variation || *row.ComparedTo != comparedTo || row.Segment != metrics.Overall {
			continue
		}
		j := stats.Judged{Row: row, Better: c.better, Corrected: row.PValueAdjusted != nil, Harm: c.harm(metrics.Role(row.Role))}
		if c.margin != nil {
			j.Margin = &c.nonInferior
		}
		out = append(out, j)
	}
	return out
}

// harm is the p-value of the test for harm of a metric that a verdict goes by, where its
// own test looks for the good side alone.
func (c *comparison) harm(role metrics.Role) *float64 {
	opt := c.opt
	switch {
	case role == metrics.Secondary:
		return nil
	case opt.Alternative == stats.Greater && c.better != metrics.Lower:
		opt.Alternative = stats.Less
	case opt.Alternative == stats.Less && c.better == metrics.Lower:
		opt.Alternative = stats.Greater
	default:
		return nil
	}
	opt.Power = 0
	return c.compared(c.arms, opt).Effect().PValue
}
