package job

import (
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// outsideMeasures are the measures of the metrics that are in no experiment,
// planned as if the first experiment of a unit kind that they may be analysed
// by had them. What is wrong with them does not stop a run: it is a warning.
func (c *checker) outsideMeasures() []*compiler.Measure {
	if len(c.opts.Metrics) > 0 {
		return nil
	}
	var out []*compiler.Measure
	left := outside(c.defs)
	for _, u := range c.plan.Units {
		fits := func(m *metrics.Metric) bool {
			kinds := m.RandomizationUnits
			return len(kinds) == 0 || slices.ContainsFunc(kinds, func(k metrics.Text) bool { return k.V == u.Kind })
		}
		var here []*metrics.ExperimentMetric
		for _, m := range left {
			if fits(m) {
				here = append(here, &metrics.ExperimentMetric{Metric: m, Role: metrics.Secondary, Analysis: u.Experiments[0].Def.Analysis, Pos: m.Key.Pos})
			}
		}
		left = slices.DeleteFunc(left, fits)
		if len(here) == 0 {
			continue
		}
		plan, list := c.trial(u.Experiments[0], here)
		for _, d := range list {
			d.Severity = diag.Warning
			c.found = append(c.found, d)
		}
		out = append(out, measuresOf(plan.Units)...)
	}
	return out
}

// awaited are the measures of the events that activate units, or that metrics count after.
func awaited(plan *compiler.Plan) []*compiler.Measure {
	var units []*compiler.UnitPlan
	for _, u := range plan.Units {
		if u.Following != nil {
			units = append(units, u.Following.Plan)
		}
		if u.Activation != nil {
			units = append(units, u.Activation.Plan)
		}
	}
	return measuresOf(units)
}

// measuresOf are the measures of plans, each once.
func measuresOf(units []*compiler.UnitPlan) []*compiler.Measure {
	var out []*compiler.Measure
	for _, u := range units {
		for _, s := range u.Scans {
			for _, n := range s.Measures {
				if !slices.Contains(out, n) {
					out = append(out, n)
				}
			}
		}
	}
	return out
}
