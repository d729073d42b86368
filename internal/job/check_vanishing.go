package job

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// vanishing warns of metrics whose rows count and whose numbers are lost: capped at 0,
// or smaller than the digits that are kept.
func (c *checker) vanishing(ctx context.Context, x *compiler.ExperimentPlan, m *compiler.MetricPlan, got *collected) error {
	def, n := m.Def.Metric, m.Tally.X.Measure
	rows, total := got.counted(x, m), got.total(x, m)
	if rows == 0 || total == nil {
		return nil
	}
	if w := def.Winsorize; w != nil && w.Upper.Set && !w.IgnoreZeros && total.Sign() == 0 {
		c.foundIn(x, w.Pos, "capped-to-zero", "all numbers of metric %s are capped at 0 in experiment %s, because so many units have no events", def.Key.V, x.Def.Key.V).
			hint = "ignore_zeros: true takes the percentile of the other units alone"
		return nil
	}
	// Of values with three digits or more that are kept nothing of weight is lost.
	few := new(big.Int).Mul(big.NewInt(rows), big.NewInt(1000))
	if n.Value == nil || def.Decimals.Set || n.Decimals < floatDecimals || def.Funnel != nil || new(big.Int).Abs(total).Cmp(few) >= 0 {
		return nil
	}
	return c.small(ctx, x, m)
}

// floatDecimals are the digits that are kept of values which are not exact.
const floatDecimals = 6

// small warns where most values that are not 0 lose more than a hundredth of what they
// are to the digits that are kept. It computes the metric again as counts of such rows.
func (c *checker) small(ctx context.Context, x *compiler.ExperimentPlan, m *compiler.MetricPlan) error {
	n := m.Tally.X.Measure
	limits := []string{"", "50", "0.5"} // of the last digit: any, those that lose, those that are 0
	var with []*metrics.ExperimentMetric
	for i, limit := range limits {
		of := lenient(n.Metric, anyValue)
		of.Key.V = fmt.Sprintf("small_%d", i)
		of.Where = ofSize(n.Metric, limit, n.Decimals)
		with = append(with, &metrics.ExperimentMetric{Metric: of, Role: metrics.Secondary, Analysis: x.Def.Analysis})
	}
	planned, got, err := c.try(ctx, x, with)
	var mistakes diag.List
	switch {
	case errors.As(err, &mistakes):
		return nil // such as an expression that is too long with what is asked of it
	case err != nil:
		return fmt.Errorf("look for values of metric %s that are too small: %w", m.Def.Metric.Key.V, err)
	}
	var rows [3]int64
	for i := range limits {
		rows[i] = got.counted(planned, planned.Metrics[i])
	}
	if 2*rows[1] <= rows[0] {
		return nil
	}
	pos := m.Def.Metric.Pos
	if n.Metric.Value.Pos.IsValid() {
		pos = n.Metric.Value.Pos
	}
	c.foundIn(x, pos, "values-too-small", "%d of %d values of metric %s that are not 0 lose more than a hundredth of what they are, because %d digits are kept; %s",
		rows[1], rows[0], m.Def.Metric.Key.V, n.Decimals, counted("%d {become|becomes} 0", rows[2])).
		hint = "write decimals: 9, or count in smaller units, such as value: 'value * 1000000'"
	return nil
}

// ofSize is the where of a metric for the rows whose value is not 0 and below so many of
// the last digit that is kept; an empty limit: of any size.
func ofSize(m *metrics.Metric, limit string, decimals int) metrics.Expr {
	value := m.Value.Src
	if value == "" {
		value = "value"
	}
	out := m.Where
	out.Src = fmt.Sprintf("(%s) != 0 and (%s) != nil", value, value)
	if limit != "" {
		out.Src += fmt.Sprintf(" and abs(%s) < %se-%d", value, limit, decimals)
	}
	if m.Where.IsSet() {
		out.Src += " and (" + m.Where.Src + ")"
	}
	return out
}

// total is the sum of a metric's numbers over all variations; nil where it has none.
func (c *collected) total(x *compiler.ExperimentPlan, m *compiler.MetricPlan) *big.Int {
	var sum *big.Int
	for k, s := range c.sums[m.Tally] {
		if k.experiment != x.Def.Key.V || k.segment != metrics.Overall || k.split.set || s.terms[stats.X] == nil {
			continue
		}
		if sum == nil {
			sum = new(big.Int)
		}
		sum.Add(sum, s.terms[stats.X])
	}
	return sum
}
