package compiler

import (
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// Unsupported lists what the definitions ask for and this version cannot
// compute, each with its place. Nothing of it is ever passed over in silence.
func Unsupported(defs *metrics.Definitions) diag.List {
	var u unsupported
	for _, m := range defs.Metrics {
		u.metric(m)
	}
	for _, e := range defs.Experiments {
		u.experiment(e)
	}
	if defs.State.Set {
		u.add(defs.State.Pos, "state")
	}
	return u.list
}

type unsupported struct{ list diag.List }

func (u *unsupported) add(pos diag.Pos, what string) {
	u.list.Errorf(pos, "not-supported-yet", "%s is not supported yet", what).
		WithHint("take it out of the file to compute the rest")
}

func (u *unsupported) metric(m *metrics.Metric) {
	u.analysis(m.Analysis)
	if m.Ratio != nil {
		for _, side := range []*metrics.Metric{m.Ratio.Numerator, m.Ratio.Denominator} {
			if side.Key.V == "" {
				u.metric(side)
			}
		}
	}
}

func (u *unsupported) experiment(e *metrics.Experiment) {
	u.analysis(e.Analysis)
	for _, m := range e.Metrics {
		u.analysis(m.Analysis)
	}
}

// analysis refuses the statistical methods that internal/stats does not have.
func (u *unsupported) analysis(a metrics.Analysis) {
	_, missing := stats.OptionsOf(metrics.DefaultAnalysis().Merge(a))
	for _, m := range missing {
		u.add(m.Value.Pos, "analysis: "+m.Option+": "+m.Value.V)
	}
}
