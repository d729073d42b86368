package job

import (
	"context"
	"fmt"
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

// permuted assigns the units of an experiment anew, again and again.
func (r *reporter) permuted(x *compiler.ExperimentPlan, m *compiler.MetricPlan, opts AAOptions) AARow {
	opt := stats.OptionsOf(m.Def.Analysis)
	// One look at a fixed horizon, of the test alone.
	opt.CUPED, opt.Power, opt.Prior = m.Tally.P != nil, 0, nil
	opt.TunedAt, opt.MSPRT, opt.Untested = 0, false, ""
	row := AARow{Experiment: x.Def.Key.V, Metric: m.Def.Metric.Key.V, Alpha: opt.Alpha}
	switch {
	case m.Kind == stats.Percentile:
		row.Reason = "percentiles of parts do not add up to those of variations"
		return row
	case x.Def.Multiple.V == metrics.MultipleEach:
		row.Reason = "units are in several variations (multiple_variations: each)"
		return row
	case r.overflow(x, m):
		row.Reason = "numbers are too large"
		return row
	}
	parts := r.bucketed(x, m)
	var all stats.Moments
	for _, p := range parts {
		all = all.Add(p)
	}
	row.Units = all.Units
	if len(parts) < 20 || all.Units < 20 {
		row.Reason = fmt.Sprintf("%d units are too few", all.Units)
		return row
	}
	random := rand.New(rand.NewPCG(opts.Seed, 0))
	half := len(parts) / 2
	for range opts.Permutations {
		random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		var a stats.Moments
		for _, p := range parts[:half] {
			a = a.Add(p)
		}
		e := stats.Compare(m.Kind, a, all.Sub(a), opt)
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

// bucketed are the sums of the parts, over all variations, in the order of their names.
func (r *reporter) bucketed(x *compiler.ExperimentPlan, m *compiler.MetricPlan) []stats.Moments {
	byName := map[string]stats.Moments{}
	var names []string
	for k := range r.exposed {
		if k.experiment != x.Def.Key.V || k.segment != metrics.Overall {
			continue
		}
		if _, known := byName[k.unit]; !known {
			names = append(names, k.unit)
			byName[k.unit] = stats.Moments{}
		}
		byName[k.unit] = byName[k.unit].Add(r.moments(m, k))
	}
	slices.Sort(names)
	out := make([]stats.Moments, len(names))
	for i, name := range names {
		out[i] = byName[name]
	}
	return out
}
