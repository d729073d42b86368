package job

import (
	"cmp"
	"context"
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// UnitNumber is the number that an exposed unit has for a metric, as it goes
// into the sums of its variation.
type UnitNumber struct {
	Experiment string
	Metric     string
	Step       int // of a funnel, from 1; 0 elsewhere
	Variation  string
	Unit       string
	// Counted reports whether the metric is over the unit. It is not where its
	// window is not over, where it did not do what the metric counts from, or
	// where the metric leaves out units without events.
	Counted bool
	// Number is exact, as decimal text; of a ratio and of a metric over groups it
	// is the numerator, and Denominator its other side, else empty.
	Number, Denominator string
	// Groups reports that the metric is a percentile over groups of the rows of
	// a unit, which has no number of its own.
	Groups bool
}

// LeftOut says why a unit with impressions of an experiment is not among its
// units, in a word of semantics 9.
type LeftOut struct{ Experiment, Unit, Reason string }

// UnitTable is what the units of a run came to.
type UnitTable struct {
	Numbers []UnitNumber
	LeftOut []LeftOut
}

// UnitNumbers computes the numbers of every exposed unit, with the statements of
// a run but for the last: the sums are over each unit by itself. They are held
// in memory, so it is for few units.
func UnitNumbers(ctx context.Context, opts Options) (*UnitTable, error) {
	p, err := prepare(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer p.close()
	p.program = compiler.BuildByUnit(p.plan)
	sums, err := p.execute(ctx)
	if err != nil {
		return nil, err
	}
	r := &reporter{prepared: p, collected: sums}
	out := &UnitTable{LeftOut: sums.left}
	for _, u := range p.plan.Units {
		for _, x := range u.Experiments {
			for k := range r.exposed {
				if k.experiment != x.Def.Key.V || k.segment != metrics.Overall {
					continue
				}
				for _, m := range x.Metrics {
					out.Numbers = append(out.Numbers, r.unitNumber(m, k))
				}
			}
		}
	}
	slices.SortFunc(out.LeftOut, func(a, b LeftOut) int {
		return cmp.Or(cmp.Compare(a.Experiment, b.Experiment), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Reason, b.Reason))
	})
	slices.SortFunc(out.Numbers, func(a, b UnitNumber) int {
		return cmp.Or(cmp.Compare(a.Experiment, b.Experiment), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Step, b.Step),
			cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Variation, b.Variation))
	})
	return out, nil
}

// unitNumber is the number of the unit of a cell.
func (r *reporter) unitNumber(m *compiler.MetricPlan, k cell) UnitNumber {
	n := UnitNumber{
		Experiment: k.experiment, Metric: m.Def.Metric.Key.V, Step: m.Step, Variation: k.variation, Unit: k.unit,
		Groups: m.Tally.Percentile != nil && m.Tally.Percentile.Groups != nil,
	}
	own := r.moments(m, k)
	n.Counted = own.Units > 0
	n.Number = own.Sum(stats.X).String()
	if m.Tally.Y != nil {
		n.Denominator = own.Sum(stats.Y).String()
	}
	return n
}
