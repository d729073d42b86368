package compiler

import (
	"time"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// covariates plans the numbers of a tally from before the exposure (semantics
// 7): those of the same metric over so many days, up to the exposure or to the
// beginning of a window that begins before it.
func (p *planner) covariates(u *UnitPlan, t *Tally, days int) bool {
	t.P = p.covariate(u, t.X, days)
	if t.Y != nil {
		t.Q = p.covariate(u, t.Y, days)
	}
	return t.P != nil && (t.Y == nil || t.Q != nil)
}

func (p *planner) covariate(u *UnitPlan, x *UnitValue, days int) *UnitValue {
	of := x.Measure
	n := *of
	n.Name, n.Covariate = of.Name+" before exposure", true
	to := min(of.Window.From, 0)
	n.Window = metrics.Window{From: to - time.Duration(days)*24*time.Hour, To: to, HasFrom: true, HasTo: true, Pos: diag.Pos{}}
	n.id = n.text()
	v := &UnitValue{Name: x.Name + " before exposure", Measure: u.addMeasure(&n), Op: x.Op, Threshold: x.Threshold}
	if x.Caps != nil {
		v.Caps = &Caps{Digits: x.Caps.Digits, IgnoreZeros: x.Caps.IgnoreZeros, covariate: true, text: "capped where " + x.Name + " is"}
	}
	return u.addValue(v)
}

// covariateDays are the days before exposure that a metric's covariates are
// of; 0: it has none. Where they are not possible, an inherited setting is not
// applied.
func covariateDays(e *metrics.Experiment, em *metrics.ExperimentMetric) int {
	if em.Metric.NoCUPED() != "" {
		return 0
	}
	for _, s := range e.Segments {
		if s.FromEvents {
			return 0
		}
	}
	return em.Analysis.CUPED.V.Days
}
