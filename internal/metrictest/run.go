// Package metrictest runs an analyst's tests of metrics: it makes sources of
// the rows that stand in a test, computes the metrics over them as a run would,
// and compares the numbers of units and variations with what is expected.
package metrictest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// Options are what the command line decides.
type Options struct {
	// Env looks up environment variables for ${NAME} in paths of definitions.
	// Those that are not set do not matter: no source is read.
	Env func(string) (string, bool)
	// Run selects tests by their names; nil: all.
	Run *regexp.Regexp
	// TempDir is where the rows are written; empty: the system's.
	TempDir string
	// Clock tells how long tests take.
	Clock func() time.Time
	// Done, where given, is told the outcome of each test as soon as it is there.
	Done func(Outcome)
}

// Outcome is what became of one test, or of a file that is wrong.
type Outcome struct {
	File string
	// Test is nil of a file that is wrong: none of its tests is run, and Err has its
	// mistakes, a diag.List.
	Test *metrics.Test
	// Warnings are what may be a mistake in the test.
	Warnings diag.List
	// Differences are the numbers that are not as expected, in the order of the file.
	Differences []Difference
	// Err says why the numbers could not be computed.
	Err     error
	Seconds float64
}

// Passed reports whether everything is as expected.
func (o Outcome) Passed() bool { return o.Err == nil && len(o.Differences) == 0 }

// Difference is a number that is not as expected.
type Difference struct {
	Pos    diag.Pos
	Metric string
	What   string // "unit a", "control mean"
	Want   string
	Got    string
}

// ErrNoTests says that nothing was selected.
var ErrNoTests = errors.New("no test to run")

// Run runs the tests of files. Of a file with mistakes, its own or those of its
// definitions, no test is run, and those of the others are.
func Run(ctx context.Context, files []*metrics.TestFile, opts Options) ([]Outcome, error) {
	var out []Outcome
	var chosen []*testCase
	for _, f := range files {
		suite, list, err := newSuite(f, opts)
		if err != nil {
			return nil, err
		}
		var cases []*testCase
		if suite != nil {
			for _, t := range f.Tests {
				if opts.Run == nil || opts.Run.MatchString(t.Name.V) {
					cases = append(cases, suite.newCase(t, &list))
				}
			}
		}
		if err := list.Err(); err != nil {
			out = append(out, Outcome{File: f.Path, Err: err})
			continue
		}
		chosen = append(chosen, cases...)
	}
	switch {
	case len(chosen) == 0 && len(out) == 0:
		return nil, ErrNoTests
	case len(chosen) == 0:
		return out, nil
	}
	more, err := runEach(ctx, chosen, opts)
	out = append(out, more...)
	return out, err
}

// Mistakes are what is wrong with the files among the outcomes; nil: nothing.
func Mistakes(outcomes []Outcome) error {
	var all diag.List
	for _, o := range outcomes {
		var list diag.List
		if o.Test == nil && errors.As(o.Err, &list) {
			all = append(all, list...)
		}
	}
	return all.Err()
}

// runEach runs tests one after the other.
func runEach(ctx context.Context, chosen []*testCase, opts Options) (_ []Outcome, err error) {
	dir, err := os.MkdirTemp(opts.TempDir, "metricsjob-test-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the rows of tests: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	engine, err := loaders.Open(ctx, loaders.Options{Threads: 1, TempDir: dir, AllowedPaths: []string{dir}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	var out []Outcome
	for i, c := range chosen {
		began := opts.Clock()
		o := Outcome{File: c.suite.file.Path, Test: c.test, Warnings: c.warnings}
		o.Differences, o.Err = c.run(ctx, engine, filepath.Join(dir, fmt.Sprint(i)))
		if err := ctx.Err(); err != nil {
			return out, err
		}
		o.Seconds = opts.Clock().Sub(began).Seconds()
		if opts.Done != nil {
			opts.Done(o)
		}
		out = append(out, o)
	}
	return out, nil
}

// withoutNoRows is a list of mistakes without what is said of sources of which a test has no
// rows: that is as its author wants it.
func withoutNoRows(err error) error {
	var list diag.List
	if !errors.As(err, &list) {
		return err
	}
	return slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return d.Code == "no-rows" })
}

// run computes one test in a folder of its own.
func (c *testCase) run(ctx context.Context, engine *loaders.Engine, dir string) ([]Difference, error) {
	if err := os.Mkdir(dir, 0o777); err != nil {
		return nil, fmt.Errorf("make a folder for the rows of a test: %w", err)
	}
	defs, err := c.writeSources(ctx, engine, dir)
	if err != nil {
		return nil, err
	}
	opts := job.Options{
		Definitions: defs, AsOf: c.test.AsOf.V, Now: c.last().Add(24 * time.Hour), Experiments: []string{c.experiment.Key.V},
		Threads: 1, TempDir: dir, Version: "test",
	}
	if opts.AsOf.After(opts.Now) {
		opts.Now = opts.AsOf
	}
	byUnit := false
	for _, x := range c.test.Expect {
		opts.Metrics = append(opts.Metrics, x.Metric.V)
		byUnit = byUnit || len(x.Units) > 0
	}
	result, err := job.Run(ctx, opts)
	if err != nil {
		return nil, withoutNoRows(err)
	}
	units := &job.UnitTable{}
	if byUnit {
		if units, err = job.UnitNumbers(ctx, opts); err != nil {
			return nil, err
		}
	}
	out := compare(c.test, &result.Tables, units)
	slices.SortStableFunc(out, func(a, b Difference) int { return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.What, b.What)) })
	return out, nil
}
