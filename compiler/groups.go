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

// byRow reports whether each row is a group.
func (g *GroupValue) byRow() bool { return g.Measure.Group.Property == "" }

// ofRows is the number of a group, of rows that are together already. One row that is
// a group counts once in it, however many groups it stands for.
func (g *GroupValue) ofRows() *UnitValue {
	value, rows := *g.UnitValue, *g.Measure
	rows.derived, rows.unweighted = true, g.byRow()
	value.Measure = &rows
	return &value
}

func (g *GroupValue) describe() string {
	s := string(g.Op) + " of " + g.Measure.Name + " for " + g.Measure.Group.Each()
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
	n := p.measure(u, m, m.Key.V)
	if n == nil {
		return nil
	}
	t := &Tally{Name: m.Key.V}
	sums, groups := n, n // of rows that are groups
	if n.Group != nil {
		d := u.addDerived(groupsOf(m, n))
		sums, groups = d.Measures[0], d.Measures[1]
		if t.Percentile = percentileOf(em); t.Percentile != nil {
			t.Percentile.Groups, d.Kept = d, true
		}
	}
	x := &UnitValue{Name: m.Key.V, Measure: sums, Op: OpSum}
	if !p.cap(x, m) {
		return nil
	}
	t.X, t.Y = u.addValue(x), u.addValue(&UnitValue{Name: m.Key.V + " groups", Measure: groups, Op: OpGroups})
	t.WithoutX, t.WithoutY = x.without(new(big.Int)), new(big.Int)
	t.Need = stats.NeedOf(stats.Ratio, stats.DefaultOptions())
	t.wait(t.X, m)
	return u.addTally(t)
}

// meanOfRows reports whether the mean over the groups of a metric is that of
// the values of its rows, so that none need be kept: each row that counts is a group,
// and its number is its value.
func meanOfRows(m *metrics.Metric, rows *Measure) bool {
	return m.Over.V == overEvents && m.Measure.V == metrics.Value && m.PerUnit.V != metrics.CountDistinct &&
		m.Threshold == nil && !m.IsPercentile() && !rows.weighted()
}

// groupsOf makes two measures of the rows of a metric: the sums of the numbers
// of their groups, and the groups. A row that is a group by itself stands for as
// many groups as its weight says; a group of several rows is one.
func groupsOf(m *metrics.Metric, rows *Measure) *Derived {
	g := &GroupValue{UnitValue: &UnitValue{Name: m.Key.V, Measure: rows, Op: unitOp(m)}}
	g.Threshold = thresholdOf(m.Threshold, g.digits())
	switch m.Measure.V {
	case metrics.Occurrence, metrics.Count:
		g.Zero = true
	case metrics.Value:
		g.Zero = m.Over.V != overEvents && g.Op == OpSum
	}
	sums, groups := *rows, *rows
	sums.Name, groups.Name = m.Key.V+" of groups", m.Key.V+" groups"
	sums.Decimals = g.Decimals()
	for _, d := range []*Measure{&sums, &groups} {
		d.derived, d.Value, d.Group = true, nil, nil
	}
	groups.unweighted = m.Over.V != overEvents
	return &Derived{Name: m.Key.V, From: []*Measure{rows}, Groups: g, Measures: []*Measure{&sums, &groups}}
}
