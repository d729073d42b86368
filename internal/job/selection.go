package job

import (
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// selection checks that what was selected exists, and would be computed.
func selection(opts Options, defs *metrics.Definitions) diag.List {
	var list diag.List
	var experiments, keys []string
	for _, e := range defs.Experiments {
		experiments = append(experiments, e.Key.V)
	}
	for _, m := range defs.Metrics {
		keys = append(keys, m.Key.V)
	}
	for _, g := range defs.Groups {
		keys = append(keys, g.Key.V)
	}
	for _, k := range opts.Experiments {
		if defs.Experiment(k) == nil {
			list.Errorf(diag.Pos{}, "unknown-experiment", "no experiment has the key %q", k).Hint = diag.Suggest("experiments", k, experiments)
		}
	}
	for _, k := range opts.Metrics {
		switch {
		case !slices.Contains(keys, k):
			list.Errorf(diag.Pos{}, "unknown-metric", "no metric has the key %q", k).Hint = diag.Suggest("metrics", k, keys)
		case defs.Metric(k) != nil:
			selectedMetric(opts, defs, defs.Metric(k), &list)
		}
	}
	return list
}

// selectedMetric says of a selected metric that no selected experiment has it.
func selectedMetric(opts Options, defs *metrics.Definitions, m *metrics.Metric, list *diag.List) {
	var with []string
	for _, e := range defs.Experiments {
		if hasMetric(e, m) {
			with = append(with, e.Key.V)
		}
	}
	selected := func(experiment string) bool { return slices.Contains(opts.Experiments, experiment) }
	switch {
	case len(with) == 0:
		list.Errorf(m.Key.Pos, "metric-unused", "metric %s is in no experiment", m.Key.V).Hint = addToExperiment
	case len(opts.Experiments) > 0 && !slices.ContainsFunc(with, selected):
		list.Errorf(m.Key.Pos, "metric-unused", "metric %s is in no experiment that --experiment names", m.Key.V).
			WithHint("it is in %s", strings.Join(with, ", "))
	}
}

const addToExperiment = "add its key to the metrics of an experiment, under primary, secondary or guardrails"

func hasMetric(e *metrics.Experiment, m *metrics.Metric) bool {
	return slices.ContainsFunc(e.Metrics, func(em *metrics.ExperimentMetric) bool { return em.Metric == m })
}

// expandedMetrics are the selected metrics, those of selected groups among them.
func expandedMetrics(opts Options, defs *metrics.Definitions) []string {
	var out []string
	for _, k := range opts.Metrics {
		keys := []string{k}
		for _, g := range defs.Groups {
			if g.Key.V == k {
				keys = texts(g.Metrics)
			}
		}
		out = append(out, keys...)
	}
	return out
}

// unused warns of metrics that are in no experiment and that nothing else
// needs. Files without experiments are a library of metrics.
func unused(defs *metrics.Definitions) diag.List {
	var list diag.List
	if len(defs.Experiments) == 0 {
		return nil
	}
	needed := map[string]bool{}
	for _, g := range defs.Groups {
		for _, k := range g.Metrics {
			needed[k.V] = true
		}
	}
	for _, m := range defs.Metrics {
		sides := []*metrics.Metric{m}
		if m.Ratio != nil {
			sides = append(sides, m.Ratio.Numerator, m.Ratio.Denominator)
			needed[m.Ratio.Numerator.Key.V], needed[m.Ratio.Denominator.Key.V] = true, true
		}
		for _, side := range sides {
			needed[side.Like.V] = true
		}
	}
	unused := slices.DeleteFunc(outside(defs), func(m *metrics.Metric) bool { return needed[m.Key.V] })
	const named = 3 // of more, as of a file that teams share, one warning names so many
	if len(unused) > named {
		var keys []string
		for _, m := range unused[:named] {
			keys = append(keys, m.Key.V)
		}
		list.Warnf(unused[0].Key.Pos, "metric-unused", "%d metrics are in no experiment: %s and %d more", len(unused), strings.Join(keys, ", "), len(unused)-named).
			WithHint("add their keys to the metrics of experiments, under primary, secondary or guardrails")
		return list
	}
	for _, m := range unused {
		list.Warnf(m.Key.Pos, "metric-unused", "metric %s is in no experiment", m.Key.V).Hint = addToExperiment
	}
	return list
}

// outside are the metrics that are in no experiment.
func outside(defs *metrics.Definitions) []*metrics.Metric {
	var out []*metrics.Metric
	for _, m := range defs.Metrics {
		if !slices.ContainsFunc(defs.Experiments, func(e *metrics.Experiment) bool { return hasMetric(e, m) }) {
			out = append(out, m)
		}
	}
	return out
}
