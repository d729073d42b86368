package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// StatsOptions are what statistics on sums from elsewhere are made of.
type StatsOptions struct {
	Options
	// Moments is the file of sums, Analysis that of options; empty: the defaults.
	Moments, Analysis string
	// Information are the shares of the planned information at the looks so far,
	// for peeking: group.
	Information []float64
	// Ended says that the planned end of the experiments has come: what the sums
	// say is their result.
	Ended bool
	// Warned, where given, is told the warnings about the analysis file.
	Warned func(diag.List)
}

// Stats computes results from sums that were made elsewhere. Mistakes in the
// analysis file are a diag.List as error, those in the sums one *SumsError or [SumsErrors].
func Stats(ctx context.Context, opts StatsOptions) (*metrics.Tables, error) {
	options, digest, warnings, err := newSumsOptions(opts.Analysis, opts.Information)
	if err != nil {
		return nil, err
	}
	if opts.Warned != nil {
		opts.Warned(warnings)
	}
	rows, err := readSums(ctx, opts.Moments, opts.Options)
	if err != nil {
		return nil, err
	}
	runID := sumsID(rows, opts.Version, digest, opts.Information, opts.Ended)
	groups, err := groupsOf(rows, options)
	if err != nil {
		return nil, err
	}
	if err := options.looked(groups); err != nil {
		return nil, err
	}
	t := &fromSums{options: options, ended: opts.Ended, runID: runID, tables: &metrics.Tables{}, known: map[string]bool{}}
	t.steps = stepsOf(groups)
	var wrong SumsErrors
	for _, g := range groups {
		wrong.add(t.group(g))
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	t.effects.correct()
	if err := t.judge(groups); err != nil {
		return nil, err
	}
	t.tables.Results = t.effects.rows
	t.tables.Runs = []metrics.RunRow{{RunID: t.runID, Version: opts.Version, SchemaVersion: metrics.SchemaVersion, Outcome: "done"}}
	return t.tables, nil
}

// readAnalysis reads a file of options, with its text and warnings.
func readAnalysis(path string) (metrics.Analysis, string, diag.List, error) {
	if path == "" {
		return metrics.DefaultAnalysis(), "", nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return metrics.Analysis{}, "", nil, fmt.Errorf("read analysis: %w", err)
	}
	a, list := metrics.DecodeAnalysis(path, text)
	return a, string(text), list, list.Err()
}

// sumsID is a digest of the cells that have a value, and of what else the tables are
// determined by.
func sumsID(rows []sumsRow, determined ...any) string {
	hash := sha256.New()
	fmt.Fprintln(hash, determined...)
	file := rows[0].file
	columns := slices.Sorted(slices.Values(file.columns))
	var line []byte
	for _, r := range rows {
		line = line[:0]
		for _, column := range columns {
			if text := r.text(column); text != "" {
				line = strconv.AppendQuote(append(append(line, column...), ':'), text)
			}
		}
		_, _ = hash.Write(append(line, '\n')) // a hash takes everything
	}
	return hex.EncodeToString(hash.Sum(nil))[:16]
}

// fromSums is the making of tables from sums.
type fromSums struct {
	options *sumsOptions
	ended   bool
	runID   string
	tables  *metrics.Tables
	effects effects
	known   map[string]bool // metrics that are described
	steps   map[funnel]int64
}

// funnel is a metric of an experiment that may have steps.
type funnel struct{ experiment, metric string }

// stepsOf are the last steps of funnels; a metric that has rows of no step has none.
func stepsOf(groups []*sumsGroup) map[funnel]int64 {
	last := map[funnel]int64{}
	for _, g := range groups {
		f := funnel{g.first.experiment(), g.first.text("metric")}
		last[f] = max(last[f], g.step())
	}
	for _, g := range groups {
		if g.step() == 0 {
			delete(last, funnel{g.first.experiment(), g.first.text("metric")})
		}
	}
	return last
}

// step is the group's step, from 1; 0 where it is of none.
func (g *sumsGroup) step() int64 {
	step, _ := strconv.ParseInt(g.first.text("step"), 10, 64)
	return step
}

// group adds the rows of a group.
func (t *fromSums) group(g *sumsGroup) error {
	base, err := g.baseline()
	if err != nil {
		return err
	}
	last := t.steps[funnel{g.first.experiment(), g.first.text("metric")}]
	s := subject{kind: g.kind, opt: g.by.opt, better: g.better, correction: g.by.Correction.V, value: g.first.text("split") == "" && g.step() == last}
	margin, err := g.first.margin()
	if err != nil {
		return err
	}
	if s.value {
		s.margin = margin
	}
	for _, a := range g.arms {
		row, err := t.resultRow(g, a)
		if err != nil {
			return err
		}
		s.describe(&row, a.all)
		others, err := g.comparedTo(a, base)
		if err != nil {
			return err
		}
		if len(others) == 0 || a == base {
			alone := row
			alone.Warnings = slices.DeleteFunc(slices.Clone(row.Warnings), func(w string) bool { return w == metrics.WarnSharedUnits })
			t.effects.add(alone)
		}
		for _, other := range others {
			row, strata := row, g.strataOf(other, a)
			if strata == nil && !g.by.own && len(g.by.Stratify.V) > 0 {
				row.Warnings = append(slices.Clone(row.Warnings), metrics.WarnNoStrata)
			}
			t.effects.compare(row, s, other.row.text("variation"), arms{all: stats.Stratum{Baseline: other.all, Variation: a.all}, strata: strata})
		}
	}
	return nil
}

// resultRow is the row of an arm, without what is computed of its sums.
func (t *fromSums) resultRow(g *sumsGroup, a *sumsArm) (metrics.ResultRow, error) {
	row := metrics.ResultRow{
		RunID: t.runID, AsOf: a.row.asOf(), Experiment: a.row.experiment(), Rule: "test",
		Role: orDefault(a.row.text("role"), string(metrics.Secondary)), Metric: a.row.text("metric"), Version: a.row.text("metric_version"),
		Split: optional(a.row.text("split")), Segment: orDefault(a.row.text("segment"), metrics.Overall), SegmentValue: orDefault(a.row.text("segment_value"), metrics.All),
		Variation: a.row.text("variation"), Exposed: a.exposed, UnitsWithEvent: a.unitsWithEvent, Events: a.events, Alpha: g.by.opt.Alpha, Warnings: []string{}, Method: "none",
	}
	if step := g.step(); step > 0 {
		row.Step = &step
	}
	warnings, err := a.row.list("warnings")
	row.Warnings = append(row.Warnings, warnings...)
	if a.row.isFractional(g.kind) {
		row.Warnings = append(row.Warnings, metrics.WarnFractionalSum)
	}
	if g.by.own && g.by.Bootstrap.Set {
		row.Warnings = append(row.Warnings, metrics.WarnNotInSums)
	}
	return row, err
}

func orDefault(text, preset string) string {
	if text == "" {
		return preset
	}
	return text
}
