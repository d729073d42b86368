package job

import (
	"slices"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// effects are rows of results in the making, and what is still to be known of
// them when all are there.
type effects struct {
	rows []metrics.ResultRow
	// experiments are in the order in which they came; of is by key.
	experiments []*experimentEffects
	of          map[string]*experimentEffects
}

// experimentEffects are those of one experiment.
type experimentEffects struct {
	rows        []int // in the table results
	comparisons []*comparison
	balances    []balance
	oneLook     []int // the rows whose test holds for a single look
}

// experiment are the effects of an experiment, which may have none yet.
func (t *effects) experiment(key string) *experimentEffects {
	if t.of == nil {
		t.of = map[string]*experimentEffects{}
	}
	if t.of[key] == nil {
		t.of[key] = &experimentEffects{}
		t.experiments = append(t.experiments, t.of[key])
	}
	return t.of[key]
}

// subject is a metric in an experiment, as statistics see it.
type subject struct {
	kind       stats.Kind
	opt        stats.Options
	better     metrics.Better
	margin     *metrics.Margin      // of a guardrail that has one
	looks      *metrics.MomentLooks // of a group-sequential design
	correction metrics.Correction
	// value reports whether the row is the metric's value: of the steps of a
	// funnel only the last is.
	value bool
}

// describe fills in what the units of the row's variation say by themselves.
func (s subject) describe(row *metrics.ResultRow, own stats.Moments) {
	d := stats.Describe(s.kind, own)
	row.Units = own.Units
	row.Total, row.Mean, row.StdDev, row.Numerator, row.Denominator = d.Total, d.Mean, d.StdDev, d.Numerator, d.Denominator
	row.Status, row.Reason = string(d.Status), optional(d.Reason)
}

// add adds a row. There may be many, and they are large: whenever they are copied to make
// room, there is room for as many again.
func (t *effects) add(row metrics.ResultRow) {
	if len(t.rows) == cap(t.rows) {
		t.rows = slices.Grow(t.rows, len(t.rows)+1)
	}
	of := t.experiment(row.Experiment)
	of.rows = append(of.rows, len(t.rows))
	t.rows = append(t.rows, row)
}

// arms are the sums that a comparison is made of: all together, and by strata where
// there are some.
type arms struct {
	all    stats.Stratum
	strata []stats.Stratum
}

// compared prepares the comparison of the arms.
func (s subject) compared(arms arms, opt stats.Options) stats.Comparison {
	if arms.strata != nil {
		return stats.NewStratified(s.kind, arms.strata, opt)
	}
	return stats.NewComparison(s.kind, arms.all.Baseline, arms.all.Variation, opt)
}

// compare adds the row of a variation, compared with another one.
func (t *effects) compare(row metrics.ResultRow, s subject, other string, arms arms) {
	row.ComparedTo = &other
	row.Warnings = slices.Clone(row.Warnings)
	if row.Role != string(metrics.Guardrail) && onOtherSide(s.opt.Alternative, s.better) && !slices.Contains(row.Warnings, metrics.WarnOtherSide) {
		row.Warnings = append(row.Warnings, metrics.WarnOtherSide)
	}
	comparison := &comparison{row: len(t.rows), subject: s, arms: arms}
	with := s.compared(arms, s.opt)
	e, p := with.Effect(), with.Posterior()
	row.AbsoluteEffect, row.AbsoluteLow, row.AbsoluteHigh = e.Absolute, e.AbsoluteLow, e.AbsoluteHigh
	row.RelativeEffect, row.RelativeLow, row.RelativeHigh = e.Relative, e.RelativeLow, e.RelativeHigh
	row.VarianceReduction, row.MinimumDetectableEffect = e.VarianceReduction, e.Detectable
	row.PValue, row.Significant, row.Method = e.PValue, e.Significant, e.Method
	row.ChanceToWin, row.ExpectedLoss, row.CredibleLow, row.CredibleHigh = p.ChanceToWin, p.ExpectedLoss, p.Low, p.High
	row.Status, row.Reason = string(e.Status), optional(e.Reason)
	if s.margin != nil {
		comparison.nonInferior = with.WithMargin(stats.MarginOf(*s.margin), s.better)
		row.Margin, row.MarginPValue, row.NonInferior = comparison.nonInferior.Limit, comparison.nonInferior.PValue, comparison.nonInferior.NonInferior
	}
	of := t.experiment(row.Experiment)
	if !anytime(s.opt) {
		of.oneLook = append(of.oneLook, len(t.rows))
	}
	if s.value {
		of.comparisons = append(of.comparisons, comparison)
		t.balance(row, s, arms)
	}
	t.add(row)
}

// onOtherSide reports whether a test looks for a change for the worse alone.
func onOtherSide(tested stats.Alternative, better metrics.Better) bool {
	if better == metrics.Lower {
		return tested == stats.Greater
	}
	return tested == stats.Less
}

// balance compares the covariates of a row over everybody, where it has some.
func (t *effects) balance(row metrics.ResultRow, s subject, arms arms) {
	if row.Segment != metrics.Overall || !s.opt.CUPED || !s.kind.HasCovariates() {
		return
	}
	strata := arms.strata
	if strata == nil {
		strata = []stats.Stratum{arms.all}
	}
	of := t.experiment(row.Experiment)
	of.balances = append(of.balances, balance{
		metric: row.Metric, variation: row.Variation, against: *row.ComparedTo,
		difference: stats.Imbalance(s.kind, strata, s.opt),
	})
}
