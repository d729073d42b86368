package job

import (
	"slices"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// effects are rows of results in the making, and what is still to be known of
// them when all are there.
type effects struct {
	rows        []metrics.ResultRow
	comparisons []comparison
}

// subject is a metric in an experiment, as statistics see it.
type subject struct {
	kind       stats.Kind
	opt        stats.Options
	better     metrics.Better
	margin     *metrics.Margin // of a guardrail that has one
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

// add adds a row that compares nothing.
func (t *effects) add(row metrics.ResultRow) { t.rows = append(t.rows, row) }

// compare adds the row of a variation, compared with another one.
func (t *effects) compare(row metrics.ResultRow, s subject, other string, baseline, own stats.Moments) {
	row.ComparedTo = &other
	row.Warnings = slices.Clone(row.Warnings)
	e := stats.Compare(s.kind, baseline, own, s.opt)
	row.AbsoluteEffect, row.AbsoluteLow, row.AbsoluteHigh = e.Absolute, e.AbsoluteLow, e.AbsoluteHigh
	row.RelativeEffect, row.RelativeLow, row.RelativeHigh = e.Relative, e.RelativeLow, e.RelativeHigh
	row.VarianceReduction, row.MinimumDetectableEffect = e.VarianceReduction, e.Detectable
	row.PValue, row.Significant, row.Method = e.PValue, e.Significant, e.Method
	row.Status, row.Reason = string(e.Status), optional(e.Reason)
	c := comparison{row: len(t.rows), subject: s, again: func(alpha float64) stats.Effect {
		opt := s.opt
		opt.Alpha, opt.Power = alpha, 0
		return stats.Compare(s.kind, baseline, own, opt)
	}}
	if s.margin != nil {
		c.margin = stats.CompareWithMargin(s.kind, baseline, own, stats.MarginOf(*s.margin), s.better, s.opt)
		row.Margin, row.MarginPValue, row.NonInferior = c.margin.Limit, c.margin.PValue, c.margin.NonInferior
	}
	if s.value {
		t.comparisons = append(t.comparisons, c)
	}
	t.rows = append(t.rows, row)
}
