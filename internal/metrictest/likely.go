package metrictest

import (
	"slices"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// What is in the rows of a test and counts nowhere is likely a slip of the pen, with
// which the test passes and tests nothing.

// checkEventKeys checks the event keys of rows against a closed registry, and against
// the keys that the metrics of the test read.
func (c *testCase) checkEventKeys(list *diag.List) {
	var known []string
	for _, e := range c.defs.Registry.Events {
		known = append(known, e.Key.V)
	}
	read, any := c.eventsRead()
	for _, r := range c.events {
		key := r.Event
		switch {
		case c.defs.Registry.Event(key.V) != nil || slices.Contains(read, key.V):
		case c.defs.Registry.Closed:
			list.Errorf(key.Pos, "unknown-name", "event %q is not in the registry, which is closed: no metric counts it", key.V).
				Hint = diag.Suggest("events", key.V, known)
		case !any:
			if near, ok := diag.Nearest(key.V, read); ok {
				c.warnings.Warnf(key.Pos, "event-not-read", "event %q is read by none of the metrics of this test", key.V).
					WithHint("did you mean %q?", near)
			}
		}
	}
}

// eventsRead are the event keys that the metrics of the test and its experiment read, and
// whether one of them reads any.
func (c *testCase) eventsRead() (keys []string, any bool) {
	add := func(s metrics.EventSelector) {
		any = any || s.Any
		for _, k := range s.Keys {
			keys = append(keys, k.V)
		}
	}
	var of func(m *metrics.Metric)
	of = func(m *metrics.Metric) {
		add(m.Event)
		if m.After != nil {
			add(m.After.Event)
		}
		if m.Funnel != nil {
			for _, s := range m.Funnel.Steps {
				add(s.Event)
			}
		}
		if m.Ratio != nil {
			of(m.Ratio.Numerator)
			of(m.Ratio.Denominator)
		}
	}
	for _, x := range c.test.Expect {
		of(c.defs.Metric(x.Metric.V))
	}
	if a := c.experiment.Activation; a != nil {
		add(a.Event)
	}
	return keys, any
}

// setVariations finds the variations that impressions show: by their keys, or by the
// texts that they match. Another is an error, but where rows of it are meant not to
// count: where it is ignored, the row is of a holdback, or its unit is expected to be
// excluded.
func (c *testCase) setVariations(list *diag.List) {
	if c.test.Experiment.Set {
		for _, r := range c.impressions {
			of := c.experiment
			if r.experiment != "" {
				of = c.defs.Experiment(r.experiment)
			}
			c.setVariation(r, of, list)
		}
	}
}

func (c *testCase) setVariation(r *row, of *metrics.Experiment, list *diag.List) {
	var keys []string
	for _, v := range of.Variations {
		keys = append(keys, v.Key.V)
	}
	ignored := slices.ContainsFunc(of.IgnoreVariations, func(t metrics.Text) bool { return t.V == r.variation })
	if ignored || r.Holdback.V || slices.Contains(keys, r.variation) {
		return
	}
	for _, v := range of.Variations {
		if slices.ContainsFunc(v.Match, func(m metrics.MatchValue) bool { return !m.JSON && m.Text == r.variation }) {
			r.variation = v.Key.V
			return
		}
	}
	if _, near := diag.Nearest(r.variation, keys); near || !c.expectsExcluded(r.units[of.Unit.V]) {
		said := list.Errorf(r.Variation.Pos, "unknown-name", "experiment %s has no variation %q", of.Key.V, r.variation)
		if said.Hint = diag.Suggest("variations", r.variation, keys); !near {
			said.Hint += "; that units of others do not count is tested by expecting them to be excluded"
		}
	}
}

// expectsExcluded reports whether a unit is to count for none of the metrics that are
// tested by unit.
func (c *testCase) expectsExcluded(unit string) bool {
	found := false
	for _, x := range c.test.Expect {
		for _, u := range x.Units {
			if u.Unit.V == unit {
				found = true
				if !u.Excluded {
					return false
				}
			}
		}
	}
	return found
}
