package compiler

import (
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// Split breaks a metric down by the values of a property of its events
// (semantics 5.11): further sums for each of the values with most rows, of the
// rows with that value alone.
type Split struct {
	// Name is the key of the metric.
	Name     string
	Property string
	// Plan has the measures, numbers and sums of the metric, for rows of one value.
	Plan *UnitPlan
	// whole is the split of whole units whose values are kept; nil where this is it.
	whole *Split
	// rows are the measures of the unit plan that keep the rows of those of Plan.
	rows map[*Measure]*Measure
}

// maxSplitValues is how many values of a split are kept; the rest is (other).
const maxSplitValues = 20

// split plans the sums of a metric by the values of a property, beside those
// over all rows: of a funnel for each step.
func (p *planner) split(u *UnitPlan, em *metrics.ExperimentMetric, days int) []*Tally {
	m := em.Metric
	taken := sqlast.Names{}
	for _, have := range u.Splits {
		taken.Add(have.Name)
	}
	s := &Split{Name: keyed(taken, m.Key.V), Property: m.SplitBy.V, Plan: u.before()}
	s.Plan.Impressions, s.Plan.Experiments = u.Impressions, u.Experiments
	s.Plan.Activation, s.Plan.Following, s.Plan.Kept = u.Activation, u.Following, u.Kept
	outside := p.parsed
	p.parsed, p.splitBy = map[*metrics.Metric]*Measure{}, m.SplitBy
	var out []*Tally
	if m.Funnel != nil {
		out = p.funnel(s.Plan, m)
	} else if t := p.tally(s.Plan, em, days); t != nil {
		out = []*Tally{t}
	}
	p.parsed, p.splitBy = outside, metrics.Text{}
	u.Following, u.Kept = s.Plan.Following, s.Plan.Kept
	u.needsOf(s.Plan)
	if len(out) == 0 {
		return nil
	}
	s.rows = map[*Measure]*Measure{}
	for _, n := range s.Plan.measures() {
		kept := *n
		s.rows[n] = u.addMeasure(&kept)
	}
	u.Splits = append(u.Splits, s)
	return out
}

// splitOf gives the split of an earlier experiment with the same metric, and
// its sums.
func (u *UnitPlan) splitOf(m *MetricPlan) *Tally {
	for _, x := range u.Experiments {
		for _, have := range x.Metrics {
			if have.Split != nil && have.Tally == m.Tally && have.Step == m.Step && have.Def.Metric == m.Def.Metric {
				return have.Split
			}
		}
	}
	return nil
}

// splits plans the sums of metrics by the values of a property.
func (p *planner) splits(u *UnitPlan, x *ExperimentPlan, of []*MetricPlan) {
	if p.opts.Unsplit || len(of) == 0 || !of[0].Def.Metric.SplitBy.Set {
		return
	}
	known := true
	for _, m := range of {
		m.Split = u.splitOf(m)
		known = known && m.Split != nil
	}
	if known {
		return
	}
	for i, t := range p.split(u, of[0].Def, covariateDays(x.Def, of[0].Def)) {
		of[i].Split = t
	}
}

// splitMeasure splits the rows of a measure by the property of the metric that
// is planned; false where no source has it. Impressions have no properties.
func (p *planner) splitMeasure(n *Measure, m *metrics.Metric, scope *metricScope) bool {
	n.SplitBy = p.splitBy.V
	n.Name += " by " + n.SplitBy
	if m.Event.Impression {
		return true
	}
	d := scope.inBag("event property", n.SplitBy, n.Sources, func(s *Source) Bag { return s.Properties })
	if d != nil {
		d.Pos = p.splitBy.Pos
		p.list = append(p.list, *d)
	}
	return d == nil
}
