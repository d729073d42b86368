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
	e := stats.Evidence{
		Invalid:       r.invalid(x),
		Anytime:       opt.TunedAt > 0 || opt.MSPRT || opt.Untested != "",
		MinimumEffect: opt.MinimumEffect,
	}
	if x.Def.End.Set {
		e.End, e.Ended = x.Def.End.V.UTC().Format("2006-01-02 15:04")+" UTC", !r.asOf.Before(x.Def.End.V)
		if midnight := x.Def.End.V.UTC(); midnight.Equal(midnight.Truncate(24 * time.Hour)) {
			e.End = midnight.Format(time.DateOnly)
		}
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
			judged.Judged = r.effects.judged(key, v.Key.V, other.Key.V)
			verdict, reasons := stats.Decide(judged)
			r.tables.Verdicts = append(r.tables.Verdicts, metrics.VerdictRow{
				RunID: r.runID, AsOf: r.asOf, Experiment: key, Variation: v.Key.V, ComparedTo: other.Key.V, Verdict: verdict, Reasons: reasons,
			})
		}
	}
}

// invalid are the checks that failed: of the experiment, and of the sources, whose
// rows all experiments read.
func (r *reporter) invalid(x *compiler.ExperimentPlan) metrics.Reasons {
	var reasons metrics.Reasons
	for _, h := range r.tables.Health {
		if h.Status != metrics.Fail || h.Experiment != x.Def.Key.V && h.Experiment != "" {
			continue
		}
		if h.Check == "several_variations" && x.Def.Multiple.V == metrics.MultipleEach {
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
		case metrics.CheckSampleRatio, checkSegmentRatio:
			warning = metrics.WarnSampleRatio
		case "several_variations":
			warning = metrics.WarnSeveralVariations
		}
		if !slices.Contains(warnings, warning) {
			warnings = append(warnings, warning)
		}
	}
	for i := range t.rows {
		row := &t.rows[i]
		if row.Experiment != experiment {
			continue
		}
		row.Significant, row.NonInferior, row.ChanceToWin, row.ExpectedLoss = nil, nil, nil, nil
		row.Warnings = slices.Clone(row.Warnings)
		for _, warning := range warnings {
			if !slices.Contains(row.Warnings, warning) {
				row.Warnings = append(row.Warnings, warning)
			}
		}
	}
}

// judged are the metrics that say something about a variation over everybody.
func (t *effects) judged(experiment, variation, comparedTo string) []stats.Judged {
	var out []stats.Judged
	for _, c := range t.comparisons {
		row := &t.rows[c.row]
		if row.Experiment != experiment || row.Variation != variation || *row.ComparedTo != comparedTo || row.Segment != metrics.Overall {
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
