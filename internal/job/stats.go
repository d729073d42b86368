package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
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
	if design, ok := stats.GroupDesignOf(a); ok && len(opts.Information) > 0 {
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
	t := &fromSums{analysis: a, opt: opt, ended: opts.Ended, runID: hex.EncodeToString(hash.Sum(nil))[:16], tables: &metrics.Tables{}}
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

// sumsGroup are the variations of one metric in one segment value.
type sumsGroup struct {
	first  sumsRow
	kind   stats.Kind
	better metrics.Better
	arms   []*sumsArm
}

// sumsArm is one variation of a group; of several strata, all of them.
type sumsArm struct {
	row    sumsRow
	strata []string
	byName map[string]stats.Moments
	all    stats.Moments
}

// groupKeys are the columns that keep groups apart.
var groupKeys = []string{"experiment", "metric", "step", "split", "segment", "segment_value"}

// groupsOf puts rows together, in order of appearance.
func groupsOf(rows []sumsRow, seen func([]byte) (int, error), opt stats.Options) ([]*sumsGroup, error) {
	var groups []*sumsGroup
	index := map[[6]string]*sumsGroup{}
	for _, r := range rows {
		for _, column := range []string{"metric", "variation"} {
			if r.text(column) == "" {
				return nil, r.errorf("each row is a metric in a variation", "column %s is empty", column)
			}
		}
		_, _ = seen([]byte(fmt.Sprintln(r.cells)))
		var key [6]string
		for i, column := range groupKeys {
			key[i] = r.text(column)
		}
		g := index[key]
		if g == nil {
			kind, err := r.kind()
			if err != nil {
				return nil, err
			}
			g = &sumsGroup{first: r, kind: kind, better: metrics.Higher}
			if r.text("better") == string(metrics.Lower) {
				g.better = metrics.Lower
			}
			index[key] = g
			groups = append(groups, g)
		}
		if err := g.add(r, opt); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

func (r sumsRow) kind() (stats.Kind, error) {
	if r.text("kind") == "" {
		return stats.Mean, nil
	}
	for _, k := range []stats.Kind{stats.Mean, stats.Ratio, stats.Proportion, stats.Percentile} {
		if k.String() == r.text("kind") {
			return k, nil
		}
	}
	return 0, r.errorf("a kind is mean, proportion, ratio or quantile", "unknown kind %q", r.text("kind"))
}

func (g *sumsGroup) add(r sumsRow, opt stats.Options) error {
	m, err := r.moments(g.kind, opt)
	if err != nil {
		return err
	}
	stratum := r.text("stratum")
	at := slices.IndexFunc(g.arms, func(a *sumsArm) bool { return a.row.text("variation") == r.text("variation") })
	if at < 0 {
		at = len(g.arms)
		g.arms = append(g.arms, &sumsArm{row: r, byName: map[string]stats.Moments{}})
	}
	arm := g.arms[at]
	if _, twice := arm.byName[stratum]; twice {
		return r.errorf("give a variation of a metric once, or its parts with a column stratum", "variation %q of metric %q stands twice", r.text("variation"), r.text("metric"))
	}
	arm.strata = append(arm.strata, stratum)
	arm.byName[stratum] = m
	if len(arm.strata) == 1 {
		arm.all = m
	} else {
		arm.all = arm.all.Add(m)
	}
	return nil
}

// baseline is the arm that others are compared with.
func (g *sumsGroup) baseline() (*sumsArm, error) {
	var found *sumsArm
	for _, a := range g.arms {
		is := a.isBaseline()
		switch {
		case is && found != nil:
			return nil, a.row.errorf("one variation has baseline true", "metric %q has two baselines", a.row.text("metric"))
		case is:
			found = a
		}
	}
	if found == nil {
		return nil, g.first.errorf("one variation has true in the column baseline", "metric %q has no baseline", g.first.text("metric"))
	}
	return found, nil
}

// fromSums is the making of tables from sums.
type fromSums struct {
	analysis metrics.Analysis
	opt      stats.Options
	ended    bool
	runID    string
	tables   *metrics.Tables
	effects  effects
}

// group adds the rows of a group.
func (t *fromSums) group(g *sumsGroup) error {
	base, err := g.baseline()
	if err != nil {
		return err
	}
	s := subject{kind: g.kind, opt: t.opt, better: g.better, correction: t.analysis.Correction.V, value: g.first.text("split") == ""}
	s.opt.Better = g.better
	if s.margin, err = g.first.margin(); err != nil {
		return err
	}
	for _, a := range g.arms {
		row := metrics.ResultRow{
			RunID: t.runID, AsOf: asOfText(a.row.text("as_of")), Experiment: a.row.experiment(), Rule: "test",
			Role: orDefault(a.row.text("role"), string(metrics.Secondary)), Metric: a.row.text("metric"), Version: a.row.text("metric_version"),
			Split: optional(a.row.text("split")), Segment: orDefault(a.row.text("segment"), metrics.Overall), SegmentValue: orDefault(a.row.text("segment_value"), metrics.All),
			Variation: a.row.text("variation"), Exposed: a.exposed(), Alpha: s.opt.Alpha, Warnings: []string{}, Method: "none",
		}
		if step, err := strconv.ParseInt(a.row.text("step"), 10, 64); err == nil {
			row.Step = &step
		}
		row.UnitsWithEvent, _ = strconv.ParseInt(a.row.text("units_with_event"), 10, 64)
		row.Events, _ = strconv.ParseInt(a.row.text("events"), 10, 64)
		s.describe(&row, a.all)
		if a == base {
			t.effects.add(row)
			continue
		}
		t.effects.compare(row, s, base.row.text("variation"), arms{all: stats.Stratum{Baseline: base.all, Variation: a.all}, strata: strataOf(base, a)})
	}
	return nil
}

func (a *sumsArm) isBaseline() bool {
	is, _ := strconv.ParseBool(a.row.text("baseline"))
	return is
}

// exposed are the exposed units, where the file has them, else those of the sums.
func (a *sumsArm) exposed() int64 {
	if n, err := strconv.ParseInt(a.row.text("exposed"), 10, 64); err == nil {
		return n
	}
	return a.all.Units
}

// strataOf are the strata of two variations, if there are several.
func strataOf(baseline, variation *sumsArm) []stats.Stratum {
	names := slices.Clone(baseline.strata)
	for _, name := range variation.strata {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) < 2 {
		return nil
	}
	slices.Sort(names)
	var out []stats.Stratum
	for _, name := range names {
		out = append(out, stats.Stratum{Baseline: baseline.byName[name], Variation: variation.byName[name]})
	}
	return out
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
