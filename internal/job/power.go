package job

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// PowerOptions say what an experiment is planned with.
type PowerOptions struct {
	Options
	// Moments is a file of sums of an earlier experiment; else Mean and StdDev are
	// what is known, where they are given; else the data that Paths name.
	Moments      string
	Mean, StdDev *float64
	// Analysis is a file of options; Alpha, Power and Alternative go over it.
	Analysis     string
	Alpha, Power float64
	Alternative  string
	// Effects are relative effects to plan for. Units, if not 0, are the units at hand
	// in both variations together.
	Effects []float64
	Units   float64
	// Ratio is the number of units of the variation for each of the baseline.
	Ratio float64
	// PerDay is the number of units that come in a day; 0: what the data show.
	PerDay float64
}

// PowerRow is the plan for one effect on one metric.
type PowerRow struct {
	Experiment string   `json:"experiment,omitempty"`
	Metric     string   `json:"metric,omitempty"`
	Mean       float64  `json:"mean"`
	StdDev     float64  `json:"std_dev"`
	Effect     float64  `json:"effect"` // relative
	Absolute   float64  `json:"absolute_effect"`
	Units      float64  `json:"units"` // in both variations together
	Power      float64  `json:"power"`
	Days       *float64 `json:"days"`
}

// Power plans experiments: how many units and days each effect takes; or, with units
// at hand, which effect they find, and each effect with which power.
func Power(ctx context.Context, opts PowerOptions) ([]PowerRow, error) {
	a, _, err := readAnalysis(opts.Analysis)
	if err != nil {
		return nil, err
	}
	opt := stats.OptionsOf(a)
	if opts.Alpha > 0 {
		opt.Alpha = opts.Alpha
	}
	if opts.Power > 0 {
		opt.Power = opts.Power
	}
	if opts.Alternative != "" {
		opt.Alternative = stats.Alternative(opts.Alternative)
	}
	if opt.Test == stats.Pearson || opt.Test == stats.G {
		opt.Test = stats.Z
	}
	known, err := baselines(ctx, opts, opt)
	if err != nil {
		return nil, err
	}
	var rows []PowerRow
	for _, b := range known {
		rows = append(rows, b.plan(opts, opt)...)
	}
	return rows, nil
}

// planned is what is known of a metric before an experiment.
type planned struct {
	experiment, metric string
	mean               float64
	design             stats.PowerDesign
	perDay             float64
}

// plan computes the rows of one metric.
func (b planned) plan(opts PowerOptions, opt stats.Options) []PowerRow {
	row := PowerRow{Experiment: b.experiment, Metric: b.metric, Mean: b.mean, StdDev: b.design.StdDev, Power: opt.Power}
	size, sign := math.Abs(b.mean), 1.0
	if opt.Alternative == stats.Less {
		sign = -1
	}
	done := func(r PowerRow) PowerRow {
		r.Absolute = r.Effect * size
		if b.perDay > 0 {
			days := math.Ceil(r.Units / b.perDay)
			r.Days = &days
		}
		return r
	}
	var rows []PowerRow
	if opts.Units > 0 {
		row.Units, row.Effect = opts.Units, b.design.DetectableEffect(opt.Power, opts.Units)/size
		rows = append(rows, done(row))
		for _, effect := range opts.Effects {
			row.Effect = sign * effect
			row.Power = b.design.Power(row.Effect*size, opts.Units)
			rows = append(rows, done(row))
		}
		return rows
	}
	effects := opts.Effects
	if len(effects) == 0 {
		effects = []float64{0.005, 0.01, 0.02, 0.05, 0.1, 0.2}
	}
	for _, effect := range effects {
		row.Effect = sign * effect
		row.Units = math.Ceil(b.design.Units(row.Effect*size, opt.Power))
		rows = append(rows, done(row))
	}
	return rows
}

// baselines are what is known of the metrics: numbers, sums, or data.
func baselines(ctx context.Context, opts PowerOptions, opt stats.Options) ([]planned, error) {
	if opts.Mean != nil {
		if *opts.Mean == 0 || *opts.StdDev <= 0 {
			return nil, &SumsError{Place: "power", Text: "effects are shares of the mean, in units of the standard deviation: neither may be 0", hint: "give --mean and --std-dev, or --rate"}
		}
		return []planned{{mean: *opts.Mean, perDay: opts.PerDay, design: stats.PowerDesign{
			StdDev: *opts.StdDev, Ratio: opts.Ratio, Alpha: opt.Alpha, Alternative: opt.Alternative, Test: opt.Test,
		}}}, nil
	}
	perDay := map[string]float64{}
	var rows []sumsRow
	var err error
	if opts.Moments != "" {
		rows, err = readSums(ctx, opts.Moments, opts.Options)
	} else {
		rows, perDay, err = observed(ctx, opts.Options)
	}
	if err != nil {
		return nil, err
	}
	var out []planned
	for _, r := range rows {
		is, _ := strconv.ParseBool(r.text("baseline"))
		if !is || orDefault(r.text("segment"), metrics.Overall) != metrics.Overall || len(opts.Metrics) > 0 && !slices.Contains(opts.Metrics, r.text("metric")) {
			continue
		}
		kind, err := r.kind()
		if err != nil {
			return nil, err
		}
		own := opt
		own.CUPED = opt.CUPED && r.text("pre_sum") != ""
		m, err := r.moments(kind, own)
		if err != nil {
			return nil, err
		}
		mean := stats.Describe(kind, m).Mean
		design, ok := stats.PowerDesignOf(kind, m, opts.Ratio, own)
		if !ok || mean == nil || *mean == 0 {
			continue // nothing happens there, or always the same
		}
		b := planned{r.text("experiment"), r.text("metric"), *mean, design, opts.PerDay}
		if b.perDay == 0 {
			b.perDay = perDay[b.experiment]
		}
		out = append(out, b)
	}
	if len(out) == 0 {
		return nil, &SumsError{Place: orDefault(opts.Moments, "power"), Text: "no metric of a baseline has a mean and a variance to plan with", hint: "see the columns baseline and metric, and --metric"}
	}
	return out, nil
}

// observed runs the definitions, and gives the sums and how many units came on a day
// in each experiment.
func observed(ctx context.Context, opts Options) ([]sumsRow, map[string]float64, error) {
	result, err := Run(ctx, opts)
	if err != nil {
		return nil, nil, err
	}
	var rows []sumsRow
	for _, table := range result.Tables.All() {
		if table.Name != "moments" {
			continue
		}
		for i, row := range table.Rows {
			cells := map[string]string{}
			for c, cell := range row {
				if cell != nil {
					cells[table.Columns[c].Name] = fmt.Sprint(cell)
				}
			}
			rows = append(rows, sumsRow{cells, "moments", i + 1})
		}
	}
	type traffic struct {
		units    int64
		from, to time.Time
	}
	seen := map[string]traffic{}
	for _, x := range result.Tables.Exposures {
		if x.Segment != metrics.Overall {
			continue
		}
		t, known := seen[x.Experiment]
		if !known || x.Date.Before(t.from) {
			t.from = x.Date.Time
		}
		if x.Date.After(t.to) {
			t.to = x.Date.Time
		}
		t.units += x.Units
		seen[x.Experiment] = t
	}
	perDay := map[string]float64{}
	for key, t := range seen {
		perDay[key] = float64(t.units) / (t.to.Sub(t.from).Hours()/24 + 1)
	}
	return rows, perDay, nil
}
