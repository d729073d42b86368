package compiler

import (
	"math/big"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// A metric with `over` is evaluated for each group of a unit's rows, a session
// or an order, and the numbers of the groups are averaged: the ratio of their
// sum to their number, clustered by unit (semantics 5.8).

// overEvents is the word for groups of one row each.
const overEvents = "events"

// GroupValue is the number of each group.
type GroupValue struct {
	*UnitValue
	// Zero: a group in which nothing counts is 0; else it is left out.
	Zero bool
}

func (g *GroupValue) describe() string {
	s := string(g.Op) + " of " + g.Measure.Name + " for " + g.Measure.Group.each()
	if g.Threshold != nil {
		s += "; 1 where that is " + g.Threshold.text + ", else 0"
	}
	if !g.Zero {
		s += "; groups in which nothing counts are left out"
	}
	return s
}

// overGroups plans the sums of a metric over groups; nil where it has a mistake.
func (p *planner) overGroups(u *UnitPlan, em *metrics.ExperimentMetric) *Tally {
	m := em.Metric
	if m.Winsorize != nil && percentileOf(em) != nil {
		p.list.Errorf(m.Winsorize.Pos, "conflict", "winsorize is not possible for a percentile over groups").
			WithHint("a percentile is not moved by extreme values; leave winsorize out")
		return nil
	}
	n := p.measure(u, m, m.Key.V)
	if n == nil {
		return nil
	}
	g := &GroupValue{UnitValue: &UnitValue{Name: m.Key.V, Measure: n, Op: unitOp(m)}}
	g.Threshold = thresholdOf(m.Threshold, g.digits())
	switch m.Measure.V {
	case metrics.Occurrence, metrics.Count:
		g.Zero = true
	case metrics.Value:
		g.Zero = m.Over.V != overEvents && g.Op == OpSum
	}
	sum, groups := *n, *n
	sum.Name, groups.Name = m.Key.V+" of groups", m.Key.V+" groups"
	sum.Decimals = g.Decimals()
	for _, d := range []*Measure{&sum, &groups} {
		d.derived, d.unweighted, d.Value, d.Group = true, true, nil, nil
	}
	d := u.addDerived(&Derived{Name: m.Key.V, From: []*Measure{n}, Groups: g, Measures: []*Measure{&sum, &groups}})
	x := &UnitValue{Name: m.Key.V, Measure: d.Measures[0], Op: OpSum}
	if !p.cap(x, m) {
		return nil
	}
	y := &UnitValue{Name: m.Key.V + " groups", Measure: d.Measures[1], Op: OpGroups}
	t := &Tally{Name: m.Key.V, X: u.addValue(x), Y: u.addValue(y), WithoutX: x.without(new(big.Int)), WithoutY: new(big.Int)}
	t.Need = stats.NeedOf(stats.Ratio, stats.DefaultOptions())
	t.wait(t.X, m)
	if t.Percentile = percentileOf(em); t.Percentile != nil {
		t.Percentile.Groups = d
		d.Kept = true
	}
	return u.addTally(t)
}
