package job

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// overflow reports whether a row or a unit of the experiment has a number of
// the metric that is too large to be summed exactly (semantics 5.1).
func (c *collected) overflow(x *compiler.ExperimentPlan, m *compiler.MetricPlan) bool {
	tallies := []*compiler.Tally{m.Tally, m.Split}
	for _, s := range m.BySegment {
		tallies = append(tallies, s.Tally, s.Split)
	}
	for _, t := range tallies {
		for k, s := range c.sums[t] {
			if k.experiment == x.Def.Key.V && s.tooBig > 0 {
				return true
			}
		}
	}
	return false
}

// overflowText says what is wrong with a metric whose numbers are too large,
// and how to mend it. It computes the metric once more with every smaller
// number of decimals at a time, to find the largest that fits.
func (p *prepared) overflowText(ctx context.Context, x *compiler.ExperimentPlan, m *compiler.MetricPlan) (why, hint string, err error) {
	d := keptDigits(m.Tally)
	why = fmt.Sprintf("a value has more than 15 digits at %d decimals, too many to be summed exactly", d)
	fits, ok, err := p.largestDecimals(ctx, x, m, d)
	switch {
	case err != nil:
		return "", "", fmt.Errorf("find the decimals that fit metric %s: %w", m.Def.Metric.Key.V, err)
	case !ok:
		hint = "no number of decimals fits: leave the wild values out with where" + tame(m.Def.Metric, d)
	default:
		hint = fmt.Sprintf("decimals: %d is the largest that fits; or leave the wild values out with where%s", fits, tame(m.Def.Metric, d))
	}
	return why, hint, nil
}

// tame is the condition that leaves out the rows whose own value is too large at d decimals, where it
// can be written: a metric of the source's value.
func tame(m *metrics.Metric, d int) string {
	const digits = 15
	if m.Measure.V != metrics.Value || m.Value.IsSet() || d > digits {
		return ""
	}
	return fmt.Sprintf(": 'abs(value) <= 1%s'", strings.Repeat("0", digits-d))
}

// keptDigits are the digits of a metric's numbers, or of the values that are counted in them.
func keptDigits(t *compiler.Tally) int {
	d := max(t.Digits(), t.X.Measure.Decimals)
	if t.Y != nil {
		d = max(d, t.Y.Measure.Decimals)
	}
	return d
}

// largestDecimals computes a metric with each number of decimals below d. A cap, or what
// units without events are, may have more digits than some of these leave: then the metric
// cannot be with them, which shows before anything is computed.
func (p *prepared) largestDecimals(ctx context.Context, x *compiler.ExperimentPlan, m *compiler.MetricPlan, d int) (fits int, ok bool, err error) {
	for least := range d {
		var with []*metrics.ExperimentMetric
		for i := least; i < d; i++ {
			with = append(with, withDecimals(m.Def, i))
		}
		planned, got, err := p.try(ctx, x, with)
		var wrong diag.List
		if errors.As(err, &wrong) {
			continue
		}
		if err != nil {
			return 0, false, err
		}
		for i := d - 1; i >= least; i-- {
			if !got.overflow(planned, planned.Metrics[i-least]) {
				return i, true, nil
			}
		}
		break
	}
	return 0, false, nil
}

// withDecimals is the metric of an experiment with at most so many decimals.
func withDecimals(m *metrics.ExperimentMetric, d int) *metrics.ExperimentMetric {
	limit := func(m *metrics.Metric) *metrics.Metric {
		out := *m
		if m.Measure.V == metrics.Value && (!m.Decimals.Set || m.Decimals.V > d) {
			out.Decimals = metrics.At[int]{V: d, Set: true, Pos: m.Decimals.Pos}
		}
		return &out
	}
	out := *m
	out.Metric = limit(m.Metric)
	out.Metric.Key.V = fmt.Sprintf("%s with %d decimals", m.Metric.Key.V, d)
	if r := m.Metric.Ratio; r != nil {
		ratio := *r
		ratio.Numerator, ratio.Denominator = limit(r.Numerator), limit(r.Denominator)
		out.Metric.Ratio = &ratio
	}
	return &out
}
