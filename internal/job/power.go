package job

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/stats"
)

// PowerOptions say what an experiment is planned with.
type PowerOptions struct {
	Options
	// Moments is a file of sums of an earlier experiment; else Mean and StdDev are
	// what is known, where they are given; else the data that Paths name.
	Moments      string
	Mean, StdDev *float64
	// Rate says that Mean is a rate, which no effect takes to 0 or to 1.
	Rate bool
	// Analysis is a file of options; without one those of each metric hold, or the
	// defaults where there are no definitions. Alpha, Power and Alternative go over them.
	Analysis     string
	Alpha, Power float64
	Alternative  string
	// Effects are relative effects to plan for. Units, if not 0, are the units at hand
	// in both variations together.
	Effects []float64
	Units   float64
	// Ratio is the number of units of the variation for each of the baseline; 0: what
	// was planned for the data or sums, by weights or else by the units they have.
	Ratio float64
	// PerDay is the number of units that come in a day, in both variations together; 0:
	// what the data show. Of them those count that the metric's sums are over.
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
	a, _, _, err := readAnalysis(opts.Analysis)
	if err != nil {
		return nil, err
	}
	known, err := opts.known(ctx, sumsAnalysis{Analysis: a, opt: stats.OptionsOf(a)})
	if err != nil {
		return nil, err
	}
	if err := possible(known, opts.Effects); err != nil {
		return nil, err
	}
	var rows []PowerRow
	for _, b := range known {
		stages, err := b.stages(opts)
		if err != nil {
			return nil, err
		}
		if len(stages) > 0 {
			rows = append(rows, b.found(stages, opts.Effects)...)
		} else {
			rows = append(rows, b.needed(opts.Effects)...)
		}
	}
	return rows, nil
}

// planned is what is known of a metric before an experiment.
type planned struct {
	experiment, metric string
	mean               float64
	design             stats.PowerDesign
	rate               bool    // the mean is one
	power              float64 // the one that is planned for
	perDay             float64 // units that count; 0: not known
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
func (b planned) found(stages []stage, effects []float64) []PowerRow {
	size := math.Abs(b.mean)
	var rows []PowerRow
	for _, at := range stages {
		rows = append(rows, b.row(b.design.DetectableEffect(b.power, at.units)/size, b.power, at))
		for _, effect := range effects {
			effect *= b.side()
			rows = append(rows, b.row(effect, b.design.Power(effect*size, at.units), at))
		}
	}
	return rows
}

// possible refuses powers that nothing but alpha gives, and effects that a rate has no
// room for, of all metrics at once.
func possible(known []planned, effects []float64) error {
	var list diag.List
	for _, b := range known {
		place := "power"
		if b.metric != "" {
			place += " of " + b.metric
		}
		if b.power <= b.design.Alpha {
			list.Errorf(diag.Pos{}, "conflict", "%s: a power of %v is not above the alpha of %v", place, b.power, b.design.Alpha).
				WithHint("with no effect at all, alpha of the experiments find one; the power is 0.8 unless told")
		}
		for _, effect := range effects {
			if !b.hasRoom(effect) {
				list.Errorf(diag.Pos{}, "no-room", "%s: an effect of %s would take the rate %s beyond what a rate can be", place, percent(b.side()*effect), digits(b.mean)).
					WithHint("effects are shares of the rate; give less than %s, or choose other metrics with --metric", percent(b.room()))
			}
		}
	}
	return list.Err()
}

// room is the effect that takes a rate to 1, or to 0 where the test is for less.
func (b planned) room() float64 {
	if b.side() < 0 {
		return 1
	}
	return (1 - b.mean) / b.mean
}

func (b planned) hasRoom(effect float64) bool { return !b.rate || effect < b.room() }

// percent writes a share with three digits.
func percent(share float64) string { return digits(share*100) + "%" }

// digits writes a number with three digits, or all of its whole part.
func digits(x float64) string {
	if math.Abs(x) >= 1000 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

// usualEffects are planned for where none are given.
var usualEffects = []float64{0.005, 0.01, 0.02, 0.05, 0.1, 0.2}

// usual are those that a rate has room for: at least an eighth, a quarter and a half of it.
func (b planned) usual() []float64 {
	fit := slices.DeleteFunc(slices.Clone(usualEffects), func(effect float64) bool { return !b.hasRoom(effect) })
	if len(fit) == 0 {
		fit = []float64{b.room() / 8, b.room() / 4, b.room() / 2}
	}
	return fit
}

// needed are the units that find the effects with the power.
func (b planned) needed(effects []float64) []PowerRow {
	if len(effects) == 0 {
		effects = b.usual()
	}
	var rows []PowerRow
	for _, effect := range effects {
		effect *= b.side()
		units := math.Ceil(b.design.Units(effect*math.Abs(b.mean), b.power))
		rows = append(rows, b.row(effect, b.power, b.stage(units)))
	}
	return rows
}

// side is the sign of the effects that the test is for.
func (b planned) side() float64 {
	if b.design.Alternative == stats.Less {
		return -1
	}
	return 1
}
