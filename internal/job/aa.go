package job

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// buckets is the number of parts that the units of an experiment are cut into, by a
// hash of their ids. Parts, not units, are assigned anew, so that the sums of one pass
// over the data do for any number of permutations.
const buckets = 4000

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
	// Low and High are the ends of an interval of the rate that units assigned one by one
	// would have, so wide that all of them together hold with 99%.
	Low       *float64 `json:"rate_low"`
	High      *float64 `json:"rate_high"`
	Alpha     float64  `json:"alpha"`
	OutOfLine bool     `json:"out_of_line"` // alpha is not in the interval
	Reason    string   `json:"reason,omitempty"`
	// cutting is that of the parts that were assigned.
	cutting float64
}

// AA permutes the assignment of the units at hand to the baseline and one variation,
// and counts how often each metric is significant: as alpha says, if its test fits the
// data. The two have the shares of all units that were planned for them. Effects of the
// experiment play no part, since units of all variations are mixed.
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
			low, high := stats.RateIntervalOfParts(row.FalsePositives, row.Permutations, row.cutting, 0.01/float64(tested))
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
	units := r.bucketUnits(x)
	names := slices.Sorted(maps.Keys(units))
	row.cutting = cutting(units)
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
	baseline, variation := r.sharesOf(x).of(len(parts))
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
		e := compared(order[:baseline], order[baseline:baseline+variation])
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

// shares are those of the units that a baseline and a variation have.
type shares struct{ baseline, variation float64 }

// sharesOf are the planned shares of the baseline and of the variation that is furthest
// from as many units, where tests fit worst; without weights those of the units at hand.
// They are zero where no two variations have units.
func (r *reporter) sharesOf(x *compiler.ExperimentPlan) shares {
	weights := make([]float64, len(x.Def.Variations))
	for i, v := range x.Def.Variations {
		w := plannedWeight(x.Def, v)
		if w == nil {
			for k, n := range r.exposed {
				if k.experiment == x.Def.Key.V && k.variation == v.Key.V && k.segment == metrics.Overall {
					weights[i] += float64(n)
				}
			}
			continue
		}
		weights[i], _ = w.Float64()
	}
	all, baseline := 0.0, 0.0
	for i, v := range x.Def.Variations {
		all += weights[i]
		if v.Baseline {
			baseline = weights[i]
		}
	}
	var out shares
	furthest := -1.0
	for i, v := range x.Def.Variations {
		if v.Baseline || weights[i] == 0 || baseline == 0 {
			continue
		}
		if d := math.Abs(math.Log(weights[i] / baseline)); d > furthest {
			out, furthest = shares{baseline / all, weights[i] / all}, d
		}
	}
	return out
}

// of are so many of n parts, at least one each where both have some.
func (s shares) of(n int) (baseline, variation int) {
	if s.baseline == 0 {
		return n / 2, n - n/2
	}
	baseline = min(n-1, max(1, int(math.Round(s.baseline*float64(n)))))
	return baseline, min(n-baseline, max(1, int(math.Round(s.variation*float64(n)))))
}

// comparedSums compares the units of the named parts; all are those of all parts.
func comparedSums(kind stats.Kind, parts []stats.Moments, all stats.Moments, opt stats.Options) func(baseline, variation []int) stats.Effect {
	sum := stats.NewPile(parts).Of
	return func(baseline, variation []int) stats.Effect {
		if len(baseline)+len(variation) < len(parts) {
			return stats.Compare(kind, sum(baseline), sum(variation), opt)
		}
		if len(baseline) <= len(variation) {
			a := sum(baseline)
			return stats.Compare(kind, a, all.Sub(a), opt)
		}
		b := sum(variation)
		return stats.Compare(kind, all.Sub(b), b, opt)
	}
}

// comparedPercentiles does so with percentiles, which do not add up, from the numbers.
func comparedPercentiles(numbers *stats.Numbers, parts int, z float64, opt stats.Options) func(baseline, variation []int) stats.Effect {
	moments := func(of []int) stats.Moments {
		weights := make([]int64, parts)
		for _, i := range of {
			weights[i] = 1
		}
		return numbers.Moments(weights, z)
	}
	return func(baseline, variation []int) stats.Effect {
		return stats.Compare(stats.Percentile, moments(baseline), moments(variation), opt)
	}
}

// bucketUnits are the exposed units of each part of the units of an experiment.
func (r *reporter) bucketUnits(x *compiler.ExperimentPlan) map[string]int64 {
	units := map[string]int64{}
	for k, n := range r.exposed {
		if k.experiment == x.Def.Key.V && k.segment == metrics.Overall {
			units[k.unit] += n
		}
	}
	return units
}

// cutting is the standard deviation, over all ways to cut units into these parts, of the
// variance between parts as a share of that between units: units of a part are always
// together, and each two of them move the variance by twice their product.
func cutting(parts map[string]int64) float64 {
	var units, pairs float64
	for _, n := range parts {
		units += float64(n)
		pairs += float64(n) * float64(n-1) / 2
	}
	return 2 * math.Sqrt(pairs) / units
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
