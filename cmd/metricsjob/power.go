package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/job"
)

// powerFormat is how a plan looks.
type powerFormat string

const (
	powerTable powerFormat = "table"
	powerCSV   powerFormat = "csv"
	powerJSON  powerFormat = "json"
)

// powerFlags are the flags of the command power.
type powerFlags struct {
	selection
	plan               job.PowerOptions
	mean, stdDev, rate float64
	effects            []string
	format             powerFormat
}

func (p *program) powerCommand() *cobra.Command {
	var flags powerFlags
	cmd := &cobra.Command{
		Use:   "power [FILE or FOLDER..]",
		Short: "Plan an experiment: units, days and the effect that would be found",
		Long: `Says how many units and days it takes to find an effect; with --units which effect
they find, and each of --effects with which power. --curve shows how the effect that is
found falls from day to day, and how the power rises. The metric is known by its mean
and standard deviation or rate, by the sums of an earlier experiment (--moments, the
table moments), or by the data of definition files, with their traffic. Effects are
shares of the baseline's mean, units those of both variations together.`,
		Example: `  metricsjob power --rate 0.05 --effects 2%,5% --per-day 4000
  metricsjob power --moments moments.parquet --metric revenue --units 200000
  metricsjob power metrics.yaml --experiment checkout_button
  metricsjob power metrics.yaml --metric revenue --curve --days 42 --effects 5%`,
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := flags.compute(cmd, p, args)
			if err != nil {
				return err
			}
			if flags.plan.Curve && flags.format == powerTable {
				p.ui.resultf("%s", curveText(rows, flags.effects))
				return nil
			}
			return p.printPlan(flags.format, rows)
		},
	}
	flags.register(cmd)
	f := cmd.Flags()
	f.Float64Var(&flags.mean, "mean", 0, "`MEAN` of the metric, with --std-dev")
	f.Float64Var(&flags.stdDev, "std-dev", 0, "`DEVIATION` of the units' values, with --mean")
	f.Float64Var(&flags.rate, "rate", 0, "`RATE` of units that have something, between 0 and 1")
	f.StringVar(&flags.plan.Moments, "moments", "", "`FILE` of sums of an earlier experiment: .csv, .jsonl or .parquet")
	f.StringVar(&flags.plan.Analysis, "analysis", "", "`FILE` with an analysis block (default that of each metric, or the defaults)")
	f.StringSliceVar(&flags.effects, "effects", nil, "relative `EFFECTS` to find, e.g. 1%,2% (default 0.5% to 20%)")
	f.Float64Var(&flags.plan.Units, "units", 0, "`NUMBER` of units at hand, in both variations together")
	f.Float64Var(&flags.plan.PerDay, "per-day", 0, "`NUMBER` of units that come in a day, in both variations together (default that of the data)")
	f.BoolVar(&flags.plan.Curve, "curve", false, "show the effect that is found on each day, or with --units in steps up to them")
	f.IntVar(&flags.plan.Days, "days", 28, "`NUMBER` of days of the curve")
	f.Float64Var(&flags.plan.Ratio, "ratio", 0, "`UNITS` of the variation for each unit of the baseline (default that of the weights or units of the data or sums, else 1)")
	f.Float64Var(&flags.plan.Alpha, "alpha", 0, "significance level (default that of the metric's analysis, 0.05)")
	f.Float64Var(&flags.plan.Power, "power", 0, "chance to find the effect (default that of the metric's analysis, 0.8)")
	f.Var(newChoice(&flags.plan.Alternative, "", "two_sided", "greater", "less"), "alternative", "side that counts (default that of the metric's analysis)")
	f.Var(newChoice(&flags.format, powerTable, powerTable, powerCSV, powerJSON), "format", "print the plan as")
	return cmd
}

// compute checks the flags and makes the plan.
func (flags *powerFlags) compute(cmd *cobra.Command, p *program, args []string) ([]job.PowerRow, error) {
	given := cmd.Flags().Changed
	plan := &flags.plan
	if err := flags.checkNumbers(given).Err(); err != nil {
		return nil, err
	}
	numbers := given("mean") || given("std-dev")
	switch {
	case given("rate") && numbers:
		return nil, usagef("a rate has its standard deviation").withHint("give --rate, or --mean and --std-dev")
	case given("moments") && (given("rate") || numbers):
		return nil, usagef("the metric is known by sums or by numbers, not by both").withHint("leave out --moments, or --rate, --mean and --std-dev")
	case given("rate"):
		sd := math.Sqrt(flags.rate * (1 - flags.rate))
		plan.Mean, plan.StdDev, plan.Rate = &flags.rate, &sd, true
	case numbers:
		plan.Mean, plan.StdDev = &flags.mean, &flags.stdDev
	case plan.Moments == "":
		opts, err := flags.options(p, args)
		if err != nil {
			return nil, err
		}
		plan.Options = opts
	default:
		plan.Metrics = flags.metrics
	}
	if len(args) > 0 && (plan.Mean != nil || plan.Moments != "") {
		return nil, usagef("the metric is known by definition files or by numbers, not by both").withHint("leave out %s, or --rate, --mean, --std-dev and --moments", args[0])
	}
	ctx, cancel := flags.limit(cmd.Context())
	defer cancel()
	rows, err := job.Power(ctx, *plan)
	return rows, stopped(ctx, err)
}

// checkNumbers says of each number that was given what cannot be planned with, and reads
// the effects.
func (flags *powerFlags) checkNumbers(given func(flag string) bool) diag.List {
	var list diag.List
	refuse := func(format string, args ...any) *diag.Diagnostic {
		return list.Errorf(diag.Pos{}, "invalid-flag", format, args...)
	}
	plan := &flags.plan
	bounded := func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
	for _, f := range []struct {
		name string
		x    float64
		ok   bool
		rule string
		hint string
	}{
		{"rate", flags.rate, flags.rate > 0 && flags.rate < 1, "between 0 and 1", "a rate of 5% is 0.05; write a mean of other values with --mean and --std-dev"},
		{"mean", flags.mean, bounded(flags.mean) && flags.mean != 0, "a number other than 0", "effects are shares of the mean"},
		{"std-dev", flags.stdDev, bounded(flags.stdDev) && flags.stdDev > 0, "a number above 0", "effects are found by how much units differ"},
		{"alpha", plan.Alpha, plan.Alpha > 0 && plan.Alpha < 1, "between 0 and 1", "5% is 0.05"},
		{"power", plan.Power, plan.Power > 0 && plan.Power < 1, "between 0 and 1", "80% is 0.8"},
		{"units", plan.Units, plan.Units >= 3 && bounded(plan.Units), "3 or more", "two units have no variance to be compared by"},
		{"per-day", plan.PerDay, plan.PerDay > 0 && bounded(plan.PerDay), "a number above 0", "leave it out where nothing is known of the traffic"},
		{"ratio", plan.Ratio, plan.Ratio > 0 && bounded(plan.Ratio), "a number above 0", "1 is as many units in the variation as in the baseline"},
	} {
		if given(f.name) && !f.ok {
			refuse("--%s must be %s, not %v", f.name, f.rule, f.x).Hint = f.hint
		}
	}
	if alpha, power := plan.Alpha, plan.Power; given("alpha") && given("power") && alpha < 1 && power > 0 && power <= alpha {
		refuse("--power must be above --alpha: %v is not above %v", power, alpha).WithHint("with no effect at all, alpha of the experiments find one")
	}
	if given("mean") != given("std-dev") && !given("rate") {
		refuse("--mean and --std-dev belong together").WithHint("give both; for a rate --rate alone")
	}
	if given("days") && (!plan.Curve || given("units")) {
		refuse("--days is how far a curve over days goes").WithHint("add --curve, and leave out --units")
	}
	if plan.Days < 1 || plan.Days > 3660 {
		refuse("--days must be from 1 to 3660, not %d", plan.Days).WithHint("28 are four weeks")
	}
	for _, text := range flags.effects {
		x, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		if err != nil || !(x > 0) || math.IsInf(x, 1) {
			refuse("--effects: %q is no effect above 0", text).WithHint("write shares of the mean, such as 1%% or 0.01")
			continue
		}
		if strings.HasSuffix(text, "%") {
			x /= 100
		}
		plan.Effects = append(plan.Effects, x)
	}
	return list
}

// printPlan prints the rows of a plan.
func (p *program) printPlan(format powerFormat, rows []job.PowerRow) error {
	if format == powerJSON {
		for _, r := range rows {
			if math.IsInf(r.Units, 0) {
				return fmt.Errorf("no number of units finds an effect of %v", r.Effect)
			}
			line, err := json.Marshal(r)
			if err != nil {
				return fmt.Errorf("write the plan: %w", err)
			}
			p.ui.resultf("%s\n", line)
		}
		return nil
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	sep, end := "\t", "\t\n"
	line := func(cells ...string) { fmt.Fprint(w, strings.Join(cells, sep), end) }
	if format == powerCSV {
		sep, end = ",", "\n"
		line = func(cells ...string) { b.WriteString(strings.Join(cells, sep) + end) }
	}
	line("experiment", "metric", "mean", "std_dev", "effect", "absolute_effect", "units", "power", "days")
	for _, r := range rows {
		days := ""
		if r.Days != nil {
			days = plainNumber(*r.Days)
		}
		line(r.Experiment, r.Metric, plainNumber(r.Mean), plainNumber(r.StdDev), plainNumber(r.Effect), plainNumber(r.Absolute), plainNumber(r.Units), plainNumber(r.Power), days)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	p.ui.resultf("%s", b.String())
	return nil
}

// plainNumber has six digits, and all of a whole number.
func plainNumber(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e15 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}
