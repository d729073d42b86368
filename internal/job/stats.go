package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"time"

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
}

// Stats computes results from sums that were made elsewhere. Mistakes in the
// analysis file are a diag.List as error, those in the sums a *SumsError.
func Stats(ctx context.Context, opts StatsOptions) (*metrics.Tables, error) {
	a, digest, err := readAnalysis(opts.Analysis)
	if err != nil {
		return nil, err
	}
	if a.Bootstrap.Set {
		var list diag.List
		list.Errorf(a.Bootstrap.Pos, "conflict", "a bootstrap draws units, and sums have none").
			WithHint("leave bootstrap out; metricsjob run resamples")
		return nil, list.Err()
	}
	opt := stats.OptionsOf(a)
	design, ok := stats.GroupDesignOf(a)
	switch looks := a.Peeking.V.Looks; {
	case len(opts.Information) > 0 && !ok:
		return nil, &SumsError{Place: "information", Text: "shares of information are for looks, and the analysis plans none", hint: "write peeking: {method: group, looks: 4} in the analysis"}
	case looks > 0 && len(opts.Information) > looks:
		return nil, &SumsError{Place: "information", Text: fmt.Sprintf("%d shares, and %d looks are planned", len(opts.Information), looks), hint: "give the share at each look so far"}
	}
	if ok && len(opts.Information) > 0 {
		look, err := stats.NewGroupLook(design, opts.Information)
		if err != nil {
			return nil, &SumsError{Place: "information", Text: err.Error(), hint: "give the share at each look so far, such as 0.25,0.5"}
		}
		opt.Look, opt.Untested = look, ""
	}
	rows, err := readSums(ctx, opts.Moments, opts.Options)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	fmt.Fprintln(hash, opts.Version, digest, opts.Information, opts.Ended)
	groups, err := groupsOf(rows, hash.Write, opt)
	if err != nil {
		return nil, err
	}
	t := &fromSums{analysis: a, opt: opt, ended: opts.Ended, runID: hex.EncodeToString(hash.Sum(nil))[:16], tables: &metrics.Tables{}, known: map[string]bool{}}
	t.steps = stepsOf(groups)
	for _, g := range groups {
		if err := t.group(g); err != nil {
			return nil, err
		}
	}
	t.effects.correct()
	t.judge(groups)
	t.tables.Results = t.effects.rows
	t.tables.Runs = []metrics.RunRow{{RunID: t.runID, Version: opts.Version, SchemaVersion: metrics.SchemaVersion, Outcome: "done"}}
	return t.tables, nil
}

func readAnalysis(path string) (metrics.Analysis, string, error) {
	if path == "" {
		return metrics.DefaultAnalysis(), "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return metrics.Analysis{}, "", fmt.Errorf("read analysis: %w", err)
	}
	a, list := metrics.DecodeAnalysis(path, text)
	return a, string(text), list.Err()
}

// fromSums is the making of tables from sums.
type fromSums struct {
	analysis metrics.Analysis
	opt      stats.Options
	ended    bool
	runID    string
	tables   *metrics.Tables
	effects  effects
	known    map[string]bool // metrics that are described
	steps    map[funnel]int64
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
	s := subject{kind: g.kind, opt: t.opt, better: g.better, correction: t.analysis.Correction.V, value: g.first.text("split") == "" && g.step() == t.steps[funnel{g.first.experiment(), g.first.text("metric")}]}
	s.opt.Better = g.better
	if s.margin, err = g.first.margin(); err != nil {
		return err
	}
	for _, a := range g.arms {
		row := metrics.ResultRow{
			RunID: t.runID, AsOf: asOfText(a.row.text("as_of")), Experiment: a.row.experiment(), Rule: "test",
			Role: orDefault(a.row.text("role"), string(metrics.Secondary)), Metric: a.row.text("metric"), Version: a.row.text("metric_version"),
			Split: optional(a.row.text("split")), Segment: orDefault(a.row.text("segment"), metrics.Overall), SegmentValue: orDefault(a.row.text("segment_value"), metrics.All),
			Variation: a.row.text("variation"), Exposed: a.exposed, UnitsWithEvent: a.unitsWithEvent, Events: a.events, Alpha: s.opt.Alpha, Warnings: []string{}, Method: "none",
		}
		if step, err := strconv.ParseInt(a.row.text("step"), 10, 64); err == nil {
			row.Step = &step
		}
		s.describe(&row, a.all)
		if a == base {
			t.effects.add(row)
			continue
		}
		strata := strataOf(base, a)
		if strata == nil && len(t.analysis.Stratify.V) > 0 {
			row.Warnings = append(row.Warnings, metrics.WarnNoStrata)
		}
		t.effects.compare(row, s, base.row.text("variation"), arms{all: stats.Stratum{Baseline: base.all, Variation: a.all}, strata: strata})
	}
	return nil
}

func orDefault(text, preset string) string {
	if text == "" {
		return preset
	}
	return text
}

// asOfText reads the as-of of sums that a run wrote; others have the zero of Unix time.
func asOfText(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999Z07", "2006-01-02 15:04:05.999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC()
		}
	}
	return time.Unix(0, 0).UTC()
}
