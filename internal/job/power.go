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
	// PerDay is the number of units that come in a day, in both variations together; 0:
	// what the data show.
	PerDay float64
	// Curve asks for the detectable effect, and the power for each of Effects, as they
	// change: with Units in even steps up to them, else on each of so many Days.
	Curve bool
	Days  int
}

// curveSteps is how many numbers of units a curve is over.
const curveSteps = 20

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
// at hand or as they come, which effect they find, and each effect with which power.
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
		stages, err := b.stages(opts)
		if err != nil {
			return nil, err
		}
		if len(stages) > 0 {
			rows = append(rows, b.found(stages, opts.Effects, opt)...)
		} else {
			rows = append(rows, b.needed(opts.Effects, opt)...)
		}
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

// stage is a number of units of an experiment that goes on, and the days until then
// where the traffic is known.
type stage struct {
	units float64
	days  *float64
}

// stages are the numbers of units whose effects are asked for: those at hand, or those
// of a curve. None are where the units are what is asked for.
func (b planned) stages(opts PowerOptions) ([]stage, error) {
	switch {
	case !opts.Curve && opts.Units == 0:
		return nil, nil
	case !opts.Curve:
		return []stage{b.stage(opts.Units)}, nil
	case opts.Units == 0 && b.perDay == 0:
		return nil, &SumsError{Place: "power", Text: "the curve is over days, and nothing says how many units come in one", hint: "give --per-day, or --units for a curve over units"}
	}
	var out []stage
	add := func(s stage) {
		if s.units >= 3 { // fewer have no variance
			out = append(out, s)
		}
	}
	if opts.Units > 0 {
		for i := range curveSteps {
			add(b.stage(math.Round(opts.Units * float64(i+1) / curveSteps)))
		}
		return out, nil
	}
	for i := range opts.Days {
		day := float64(i + 1)
		add(stage{math.Floor(day * b.perDay), &day})
	}
	return out, nil
}

// stage is that of a number of units.
func (b planned) stage(units float64) stage {
	if b.perDay == 0 {
		return stage{units: units}
	}
	return stage{units, new(math.Ceil(units / b.perDay))}
}

// row is what all rows of a metric have, for an effect that is a share of the mean.
func (b planned) row(effect, power float64, at stage) PowerRow {
	return PowerRow{
		Experiment: b.experiment, Metric: b.metric, Mean: b.mean, StdDev: b.design.StdDev,
		Effect: effect, Absolute: effect * math.Abs(b.mean), Units: at.units, Power: power, Days: at.days,
	}
}

// found are the effects that units find with the power, and the power that they have
// for others.
func (b planned) found(stages []stage, effects []float64, opt stats.Options) []PowerRow {
	size := math.Abs(b.mean)
	var rows []PowerRow
	for _, at := range stages {
		rows = append(rows, b.row(b.design.DetectableEffect(opt.Power, at.units)/size, opt.Power, at))
		for _, effect := range effects {
			effect *= sideOf(opt)
			rows = append(rows, b.row(effect, b.design.Power(effect*size, at.units), at))
		}
	}
	return rows
}

// needed are the units that find the effects with the power.
func (b planned) needed(effects []float64, opt stats.Options) []PowerRow {
	if len(effects) == 0 {
		effects = []float64{0.005, 0.01, 0.02, 0.05, 0.1, 0.2}
	}
	var rows []PowerRow
	for _, effect := range effects {
		effect *= sideOf(opt)
		units := math.Ceil(b.design.Units(effect*math.Abs(b.mean), opt.Power))
		rows = append(rows, b.row(effect, opt.Power, b.stage(units)))
	}
	return rows
}

// sideOf is the sign of the effects that a test is for.
func sideOf(opt stats.Options) float64 {
	if opt.Alternative == stats.Less {
		return -1
	}
	return 1
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

// observed runs the definitions, and gives the sums and the traffic of each experiment.
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
	return rows, trafficOf(&result.Tables), nil
}

// trafficOf is how many units came on a day in each experiment, of those that a
// comparison is made of: those of the baseline, and of another variation on average.
func trafficOf(t *metrics.Tables) map[string]float64 {
	others := map[string]float64{} // variations but the baseline
	baseline := map[[2]string]bool{}
	for _, v := range t.Variations {
		if v.Baseline {
			baseline[[2]string{v.Experiment, v.Key}] = true
		} else {
			others[v.Experiment]++
		}
	}
	type traffic struct {
		units    float64
		from, to time.Time
	}
	seen := map[string]traffic{}
	for _, x := range t.Exposures {
		if x.Segment != metrics.Overall {
			continue
		}
		c, known := seen[x.Experiment]
		if !known || x.Date.Before(c.from) {
			c.from = x.Date.Time
		}
		if x.Date.After(c.to) {
			c.to = x.Date.Time
		}
		if baseline[[2]string{x.Experiment, x.Variation}] {
			c.units += float64(x.Units)
		} else {
			c.units += float64(x.Units) / others[x.Experiment]
		}
		seen[x.Experiment] = c
	}
	perDay := map[string]float64{}
	for key, c := range seen {
		perDay[key] = c.units / (c.to.Sub(c.from).Hours()/24 + 1)
	}
	return perDay
}
