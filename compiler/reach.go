package compiler

import (
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// Reach bounds the instants of the impressions and events that can count in what
// is selected, [from, to), from the definitions alone: before there is a catalog
// it says which days need not be looked for. Plans read no others. Without an
// as-of, or where nothing is selected, both are zero: anything may matter.
func Reach(defs *metrics.Definitions, opts PlanOptions) (from, to time.Time) {
	if opts.AsOf.IsZero() {
		return from, to
	}
	before, after := windowsReach(defs)
	p := &planner{defs: defs, opts: opts}
	for _, e := range defs.Experiments {
		if !p.selected(e) && !p.neededBySelected(e) {
			continue
		}
		begins, ends := e.Start.V.Add(-before), opts.AsOf
		if e.End.Set {
			ends = later(e.End.V, e.ObserveUntil.V).Add(after)
		}
		if from.IsZero() || begins.Before(from) {
			from = begins
		}
		to = later(to, earlier(nextDay(ends), opts.AsOf))
	}
	if !from.Before(to) {
		return time.Time{}, time.Time{}
	}
	return from, to
}

// neededBySelected reports whether an experiment that is computed leaves out the
// units of this one, or is broken down by it.
func (p *planner) neededBySelected(e *metrics.Experiment) bool {
	is := func(key metrics.Text) bool { return key.V == e.Key.V }
	return slices.ContainsFunc(p.defs.Experiments, func(x *metrics.Experiment) bool {
		return p.selected(x) && (slices.ContainsFunc(x.ExcludeUnitsIn, is) ||
			slices.ContainsFunc(x.Segments, func(s *metrics.Segment) bool { return s.Experiment.Set && is(s.Experiment) }))
	})
}

// windowsReach is how far the windows of all metrics, and the days that they are
// compared with, reach before the exposure and behind the end of observation.
func windowsReach(defs *metrics.Definitions) (before, after time.Duration) {
	var look func(m *metrics.Metric)
	look = func(m *metrics.Metric) {
		if m == nil {
			return
		}
		before, after = max(before, -m.Window.From), max(after, m.Window.To)
		if m.Ratio != nil {
			look(m.Ratio.Numerator)
			look(m.Ratio.Denominator)
		}
	}
	for _, m := range defs.Metrics {
		look(m)
	}
	days := 0
	for _, e := range defs.Experiments {
		for _, em := range e.Metrics {
			look(em.Metric)
			days = max(days, em.Analysis.CUPED.V.Days)
		}
	}
	return before + time.Duration(days)*day, after
}
