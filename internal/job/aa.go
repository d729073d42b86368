package job

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// buckets is the number of parts that the units of an experiment are cut into, by a
// hash of their ids. Parts, not units, are assigned anew, so that the sums of one pass
// over the data do for any number of permutations.
const buckets = 2000

// AAOptions say how often assignment is permuted.
type AAOptions struct {
	Options
	Permutations int
	Seed         uint64
}

// AARow is how often a metric was significant where nothing was changed.
type AARow struct {
	Experiment     string   `json:"experiment"`
	Metric         string   `json:"metric"`
	Units          int64    `json:"units"`
	Permutations   int64    `json:"permutations"`
	FalsePositives int64    `json:"false_positives"`
	Rate           *float64 `json:"rate"`
	// Low and High are the ends of an exact interval of the rate, so wide that all
	// of them together hold with 99%.
	Low       *float64 `json:"rate_low"`
	High      *float64 `json:"rate_high"`
	Alpha     float64  `json:"alpha"`
	OutOfLine bool     `json:"out_of_line"` // alpha is not in the interval
	Reason    string   `json:"reason,omitempty"`
}

// AA permutes the assignment of the units at hand to the baseline and one variation,
// and counts how often each metric is significant: as alpha says, if its test fits the
// data. Effects of the experiment play no part, since units of all variations are mixed.
func AA(ctx context.Context, opts AAOptions) ([]AARow, error) {
	p, err := prepare(ctx, opts.Options)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if err := p.planWithoutSegments(); err != nil {
		return nil, err
	}
	p.program = compiler.BuildByBucket(p.plan, buckets)
	sums, err := p.execute(ctx)
	if err != nil {
		return nil, err
	}
	r := &reporter{prepared: p, collected: sums}
	var rows []AARow
	for _, u := range p.plan.Units {
		for _, x := range u.Experiments {
			for _, m := range x.Metrics {
				if m.IsValue() {
					rows = append(rows, r.permuted(x, m, opts))
				}
			}
		}
	}
	tested := 0
	for _, row := range rows {
		if row.Rate != nil {
			tested++
		}
	}
	for i := range rows {
		if row := &rows[i]; row.Rate != nil {
			low, high := stats.RateInterval(row.FalsePositives, row.Permutations, 0.01/float64(tested))
			row.Low, row.High, row.OutOfLine = &low, &high, row.Alpha < low || row.Alpha > high
		}
	}
	return rows, nil
}

// planWithoutSegments plans the experiments over everybody alone.
func (p *prepared) planWithoutSegments() error {
	p.defs = withoutSegments(p.defs, func(*metrics.Experiment, *metrics.Segment) bool { return true })
	return p.makePlan()
}

// permuted assigns the units of an experiment anew, again and again.
func (r *reporter) permuted(x *compiler.ExperimentPlan, m *compiler.MetricPlan, opts AAOptions) AARow {
	opt := stats.OptionsOf(m.Def.Analysis)
	// One look at a fixed horizon, of the test alone.
	opt.CUPED, opt.Power, opt.Prior = m.Tally.P != nil, 0, nil
	opt.TunedAt, opt.MSPRT, opt.Untested = 0, false, ""
	row := AARow{Experiment: x.Def.Key.V, Metric: m.Def.Metric.Key.V, Alpha: opt.Alpha}
	switch {
	case x.Def.Multiple.V == metrics.MultipleEach:
		row.Reason = "units are in several variations (multiple_variations: each)"
		return row
	case r.overflow(x, m):
		row.Reason = "numbers are too large"
		return row
	}
	names := r.bucketNames(x)
	parts := r.bucketed(x, m, names)
	var all stats.Moments
	for _, p := range parts {
		all = all.Add(p)
	}
	row.Units = all.Units
	if len(parts) < 20 || all.Units < 20 {
		row.Reason = fmt.Sprintf("%d units are too few", all.Units)
		return row
	}
	compared := comparedSums(m.Kind, parts, all, opt)
	if m.Kind == stats.Percentile {
		numbers := r.numbersOf(m.Tally, x.Def.Key.V, names, func(string) bool { return true })
		compared = comparedPercentiles(numbers, len(names), m.Tally.Percentile.Z, opt)
	}
	random := rand.New(rand.NewPCG(opts.Seed, 0))
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	for range opts.Permutations {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		e := compared(order[:len(order)/2])
		if e.Significant == nil {
			continue
		}
		row.Permutations++
		if *e.Significant {
			row.FalsePositives++
		}
	}
	if row.Permutations == 0 {
		row.Reason = "no unit differs from another"
		return row
	}
	row.Rate = new(float64(row.FalsePositives) / float64(row.Permutations))
	return row
}

// comparedSums compares the units of the named parts, as baseline, with all others.
func comparedSums(kind stats.Kind, parts []stats.Moments, all stats.Moments, opt stats.Options) func(baseline []int) stats.Effect {
	return func(baseline []int) stats.Effect {
		var a stats.Moments
		for _, i := range baseline {
			a = a.Add(parts[i])
		}
		return stats.Compare(kind, a, all.Sub(a), opt)
	}
}

// comparedPercentiles does so with percentiles, which do not add up, from the numbers.
func comparedPercentiles(numbers *stats.Numbers, parts int, z float64, opt stats.Options) func(baseline []int) stats.Effect {
	a, b := make([]int64, parts), make([]int64, parts)
	return func(baseline []int) stats.Effect {
		for i := range a {
			a[i], b[i] = 0, 1
		}
		for _, i := range baseline {
			a[i], b[i] = 1, 0
		}
		return stats.Compare(stats.Percentile, numbers.Moments(a, z), numbers.Moments(b, z), opt)
	}
}

// bucketNames are the names of the parts of the units of an experiment, in their order.
func (r *reporter) bucketNames(x *compiler.ExperimentPlan) []string {
	names := map[string]bool{}
	for k := range r.exposed {
		if k.experiment == x.Def.Key.V && k.segment == metrics.Overall {
			names[k.unit] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// bucketed are the sums of the named parts, over all variations.
func (r *reporter) bucketed(x *compiler.ExperimentPlan, m *compiler.MetricPlan, names []string) []stats.Moments {
	byName := map[string]stats.Moments{}
	for k := range r.exposed {
		if k.experiment == x.Def.Key.V && k.segment == metrics.Overall {
			byName[k.unit] = byName[k.unit].Add(r.moments(m, k))
		}
	}
	out := make([]stats.Moments, len(names))
	for i, name := range names {
		out[i] = byName[name]
	}
	return out
}
