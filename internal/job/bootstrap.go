package job

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// bootstrapped reports whether a metric asks for a bootstrap.
func bootstrapped(m *compiler.MetricPlan) bool { return m.Def.Analysis.Bootstrap.Set && m.IsValue() }

// bootstrap resamples the effects over everybody of the metrics of an experiment that
// ask for it. It takes another pass over the data, which sums units in parts.
func (r *reporter) bootstrap(ctx context.Context, x *compiler.ExperimentPlan) error {
	var with []*metrics.ExperimentMetric
	for _, m := range x.Metrics {
		if bootstrapped(m) && !r.overflow(x, m) {
			with = append(with, m.Def)
		}
	}
	if len(with) == 0 {
		return nil
	}
	planned, got, err := r.tryByBucket(ctx, x, with)
	if err != nil {
		return fmt.Errorf("sum parts of the units of experiment %s: %w", x.Def.Key.V, err)
	}
	parts := &reporter{prepared: r.prepared, collected: got}
	for _, m := range planned.Metrics {
		if bootstrapped(m) {
			r.resample(parts, planned, m)
		}
	}
	return nil
}

// resample fills in the intervals of a metric from the sums of parts.
func (r *reporter) resample(parts *reporter, x *compiler.ExperimentPlan, m *compiler.MetricPlan) {
	for _, c := range r.effects.experiment(x.Def.Key.V).comparisons {
		row := &r.effects.rows[c.row]
		if row.Metric != m.Def.Metric.Key.V || row.Segment != metrics.Overall {
			continue
		}
		if s := stats.Status(row.Status); s == stats.BetweenLooks || s == stats.EarlyLook {
			continue // an interval would be a look
		}
		baseline, variation := variationOf(x, *row.ComparedTo), variationOf(x, row.Variation)
		b := m.Def.Analysis.Bootstrap.V
		how := stats.Resampling{Resamples: b.Resamples, Seed: uint64(b.Seed)}
		var got stats.Resampled
		if m.Kind == stats.Percentile {
			got = stats.BootstrapPercentile(parts.numbersIn(x, m, baseline), parts.numbersIn(x, m, variation), c.opt, how)
		} else {
			got = stats.Bootstrap(m.Kind, parts.strataParts(x, m, baseline, variation), c.opt, how)
		}
		row.BootstrapLow, row.BootstrapHigh = got.AbsoluteLow, got.AbsoluteHigh
		row.BootstrapRelativeLow, row.BootstrapRelativeHigh = got.RelativeLow, got.RelativeHigh
	}
}

// numbersIn are the numbers of a variation that a percentile is of.
func (r *reporter) numbersIn(x *compiler.ExperimentPlan, m *compiler.MetricPlan, v *metrics.Variation) *stats.Numbers {
	names := partNames(&r.unitSums, overall(x.Def.Key.V, v.Key.V))
	return r.numbersOf(m.Tally, x.Def.Key.V, names, func(variation string) bool { return variation == v.Key.V })
}

func variationOf(x *compiler.ExperimentPlan, key string) *metrics.Variation {
	for _, v := range x.Def.Variations {
		if v.Key.V == key {
			return v
		}
	}
	panic("job: no variation " + key)
}

// strataParts are the parts of two variations, in the strata of their comparison over
// everybody if it has some.
func (r *reporter) strataParts(x *compiler.ExperimentPlan, m *compiler.MetricPlan, baseline, variation *metrics.Variation) []stats.Parts {
	everybody := part{segment: metrics.Overall, value: metrics.All}
	within := r.strataOf(x, m, everybody)
	if len(within) == 0 {
		within = []part{everybody}
	}
	var out []stats.Parts
	for _, of := range r.periods(x) {
		if len(x.Strata()) > 0 && !of.plans(baseline, variation) {
			continue
		}
		for _, p := range within {
			out = append(out, stats.Parts{Baseline: r.partsOf(of.unitSums, m, p.of(x, baseline)), Variation: r.partsOf(of.unitSums, m, p.of(x, variation))})
		}
	}
	return out
}

// partsOf are the sums of the parts of a cell, in the order of their names.
func (r *reporter) partsOf(of *unitSums, m *compiler.MetricPlan, k cell) []stats.Moments {
	var out []stats.Moments
	for _, name := range partNames(of, k) {
		k.unit = name
		out = append(out, r.momentsOf(of, m, k))
	}
	return out
}

// partNames are the names of the parts of a cell that have units, in their order.
func partNames(of *unitSums, k cell) []string {
	names := map[string]bool{}
	for other := range of.exposed {
		if other.experiment == k.experiment && other.variation == k.variation && other.segment == k.segment && other.value == k.value {
			names[other.unit] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
