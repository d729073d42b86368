package job

import (
	"context"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// over are the options of an analysis with those that were told over them.
func (o PowerOptions) over(opt stats.Options) stats.Options {
	if o.Alpha > 0 {
		opt.Alpha = o.Alpha
	}
	if o.Power > 0 {
		opt.Power = o.Power
	}
	if o.Alternative != "" {
		opt.Alternative = stats.Alternative(o.Alternative)
	}
	if opt.Test == stats.Pearson || opt.Test == stats.G {
		opt.Test = stats.Z
	}
	return opt
}

// known are the metrics that can be planned with: from numbers, sums, or data.
func (o PowerOptions) known(ctx context.Context, by sumsAnalysis) ([]planned, error) {
	var out []planned
	var err error
	switch {
	case o.Mean != nil:
		return o.fromNumbers(by), nil
	case o.Moments != "":
		out, err = o.fromSums(ctx, by)
	default:
		out, err = o.fromData(ctx, by)
	}
	if err == nil && len(out) == 0 {
		err = &SumsError{Place: orDefault(o.Moments, "power"), Text: "no metric of a baseline has a mean and a variance to plan with", hint: "see the columns baseline and metric, and --metric"}
	}
	return out, err
}

func (o PowerOptions) fromNumbers(by sumsAnalysis) []planned {
	ratio := o.Ratio
	if ratio == 0 {
		ratio = 1
	}
	opt := o.over(by.opt)
	design := stats.PowerDesign{StdDev: *o.StdDev, Ratio: ratio, Alpha: opt.Alpha, Alternative: opt.Alternative, Test: opt.Test}
	if o.Rate {
		design.Rate = *o.Mean
	}
	return []planned{{mean: *o.Mean, rate: o.Rate, power: opt.Power, perDay: o.PerDay, design: design.Peeking(by.Analysis, *o.Mean)}}
}

// earlier is an experiment that others are planned by: of the variations that are
// compared the units and what was planned.
type earlier struct {
	units   map[string]int64
	weights map[string]*big.Rat // nil where there is none
	perDay  float64
}

// ratio is the number of units of another variation, on average, for each of the
// baseline: by weights where all have one, else by units; 1 where neither tells.
func (e earlier) ratio(baseline string) float64 {
	size := func(variation string) float64 { return float64(e.units[variation]) }
	weighted := true
	for variation := range e.units {
		weighted = weighted && e.weights[variation] != nil
	}
	if weighted {
		size = func(variation string) float64 {
			w, _ := e.weights[variation].Float64()
			return w
		}
	}
	others, n := 0.0, 0.0
	for _, variation := range slices.Sorted(maps.Keys(e.units)) {
		if s := size(variation); variation != baseline && s > 0 {
			others, n = others+s, n+1
		}
	}
	if others == 0 || size(baseline) == 0 {
		return 1
	}
	return others / n / size(baseline)
}

// plan plans with the moments of a metric's baseline; ok is false where they have no
// mean or variance: nothing happens there, or always the same.
func (o PowerOptions) plan(kind stats.Kind, m stats.Moments, by sumsAnalysis, e earlier, baseline string) (b planned, ok bool) {
	ratio := o.Ratio
	if ratio == 0 {
		ratio = e.ratio(baseline)
	}
	opt := o.over(by.opt)
	mean := stats.Describe(kind, m).Mean
	design, ok := stats.PowerDesignOf(kind, m, ratio, opt)
	if !ok || mean == nil || *mean == 0 {
		return planned{}, false
	}
	perDay := o.PerDay
	if perDay == 0 {
		perDay = e.perDay
	}
	if exposed := e.units[baseline]; exposed > 0 {
		perDay *= float64(m.Units) / float64(exposed)
	}
	design = design.Peeking(by.Analysis, *mean)
	return planned{mean: *mean, rate: design.Rate > 0, design: design, power: opt.Power, perDay: perDay}, true
}

// fromSums plans with the rows of a file of sums: of each metric those over everybody,
// and of a funnel's steps the last.
func (o PowerOptions) fromSums(ctx context.Context, preset sumsAnalysis) ([]planned, error) {
	rows, err := readSums(ctx, o.Moments, o.Options)
	if err != nil {
		return nil, err
	}
	options := &sumsOptions{preset: preset, given: o.Analysis != "", read: map[string]sumsAnalysis{}}
	type key struct{ experiment, metric string }
	keyOf := func(r sumsRow) key { return key{r.text("experiment"), r.text("metric")} }
	var keys []key
	byKey, last := map[key][]sumsRow{}, map[key]int64{}
	for _, r := range rows {
		k := keyOf(r)
		if r.text("split") != "" || orDefault(r.text("segment"), metrics.Overall) != metrics.Overall || len(o.Metrics) > 0 && !slices.Contains(o.Metrics, k.metric) {
			continue
		}
		if byKey[k] == nil {
			keys = append(keys, k)
		}
		step, _ := strconv.ParseInt(r.text("step"), 10, 64)
		switch {
		case step > last[k]:
			last[k], byKey[k] = step, []sumsRow{r}
		case step == last[k]:
			byKey[k] = append(byKey[k], r)
		}
	}
	var out []planned
	for _, k := range keys {
		by, err := options.ofMetric(byKey[k][0])
		if err != nil {
			return nil, err
		}
		by.opt.CUPED = by.opt.CUPED && byKey[k][0].text("pre_sum") != ""
		groups, err := groupsOf(byKey[k], &sumsOptions{given: true, preset: by})
		if err != nil {
			return nil, err
		}
		g := groups[0]
		e := earlier{units: map[string]int64{}, weights: map[string]*big.Rat{}}
		var base *sumsArm
		for _, a := range g.arms {
			variation := a.row.text("variation")
			e.units[variation] = a.exposed
			e.weights[variation] = a.row.rat("weight")
			if a.row.isBaseline() {
				base = a
			}
		}
		if base == nil {
			continue
		}
		if b, ok := o.plan(g.kind, base.all, by, e, base.row.text("variation")); ok {
			b.experiment, b.metric = k.experiment, k.metric
			out = append(out, b)
		}
	}
	return out, nil
}

// fromData runs the definitions over everybody, and plans each metric by its own
// options, but where an analysis file was given.
func (o PowerOptions) fromData(ctx context.Context, preset sumsAnalysis) ([]planned, error) {
	p, err := prepare(ctx, o.Options)
	if err != nil {
		return nil, err
	}
	defer p.close()
	p.unsplit, p.everybody = true, true
	if err := p.planWithoutSegments(); err != nil {
		return nil, err
	}
	p.program = compiler.Build(p.plan)
	sums, err := p.execute(ctx)
	if err != nil {
		return nil, loaders.Damaged(ctx, p.engine, p.catalog, err)
	}
	r := &reporter{prepared: p, collected: sums}
	var out []planned
	for _, u := range p.plan.Units {
		for _, x := range u.Experiments {
			baseline := x.Def.Baseline()
			e := r.earlier(x)
			for _, m := range x.Metrics {
				if !m.IsValue() || r.overflow(x, m) {
					continue
				}
				by := preset
				if o.Analysis == "" {
					by = sumsAnalysis{Analysis: m.Def.Analysis, opt: stats.OptionsOf(m.Def.Analysis)}
				}
				by.opt.CUPED = by.opt.CUPED && m.Tally.P != nil
				if b, ok := o.plan(m.Kind, r.moments(m, overall(x.Def.Key.V, baseline.Key.V)), by, e, baseline.Key.V); ok {
					b.experiment, b.metric, b.rate = x.Def.Key.V, m.Def.Metric.Key.V, isRate(m)
					out = append(out, b)
				}
			}
		}
	}
	return out, nil
}

// isRate reports whether the value of a metric is between 0 and 1 by what it counts.
func isRate(m *compiler.MetricPlan) bool {
	of := m.Def.Metric
	switch {
	case of.Ratio != nil || m.Kind == stats.Percentile:
		return false
	case of.Funnel != nil || of.Threshold != nil:
		return true
	}
	return of.Measure.V == metrics.Occurrence || of.Measure.V == metrics.Participation
}

// earlier is an experiment of the data. Its traffic is how many units came on a day of
// those that a comparison is made of: those of the baseline, and of another variation on
// average, from the first day with units to the last.
func (r *reporter) earlier(x *compiler.ExperimentPlan) earlier {
	e := earlier{units: map[string]int64{}, weights: map[string]*big.Rat{}}
	units := 0.0
	for _, v := range x.Def.Variations {
		n := r.exposed[overall(x.Def.Key.V, v.Key.V)]
		e.units[v.Key.V], e.weights[v.Key.V] = n, plannedWeight(x.Def, v)
		if v.Baseline {
			units += float64(n)
		} else {
			units += float64(n) / float64(len(x.Def.Variations)-1)
		}
	}
	var from, to time.Time
	for d, n := range r.days {
		if d.experiment != x.Def.Key.V || d.segment != metrics.Overall || n.units == 0 {
			continue
		}
		if from.IsZero() || d.date.Before(from) {
			from = d.date
		}
		if d.date.After(to) {
			to = d.date
		}
	}
	e.perDay = units / (to.Sub(from).Hours()/24 + 1)
	return e
}
