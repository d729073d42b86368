package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/metrictest"
	"github.com/metricsjob/metricsjob/metrics"
)

// testFlags are the flags of the command test.
type testFlags struct {
	run     string
	junit   string
	tempDir string
	verbose bool
}

func (p *program) testCommand() *cobra.Command {
	var flags testFlags
	cmd := &cobra.Command{
		Use:   "test [FILE or FOLDER..]",
		Short: "Run tests of metrics: rows in, numbers out",
		Long: `Runs the tests in *_test.yaml files (of folders all below them; without arguments
those of the current folder and below). A test has a few impressions and events,
and the numbers that metrics must make of them, for each unit and each variation.
The metrics are computed over the rows as run computes them over files; the paths
of sources are not read. Exits with 1 if a test does not pass, and with 2 if a file is
wrong: its tests are not run, those of the other files are.`,
		Example: `  metricsjob test
  metricsjob test metrics/checkout_test.yaml --run 'refund'
  metricsjob test metrics/ --junit report.xml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.test(cmd.Context(), flags, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.run, "run", "", "run the tests whose names match this `REGEX`")
	f.StringVar(&flags.junit, "junit", "", "`FILE` to write the outcome to as JUnit XML, for continuous integration")
	f.StringVar(&flags.tempDir, "temp-dir", "", "`FOLDER` for the rows while they are read (default below the system's)")
	f.BoolVar(&flags.verbose, "verbose", false, "name the tests that pass too")
	return cmd
}

// failedTestsError says that tests did not pass.
type failedTestsError struct{ failed, all int }

func (e *failedTestsError) Error() string {
	if e.all == 1 {
		return "the test did not pass"
	}
	return fmt.Sprintf("%d of %d tests did not pass", e.failed, e.all)
}

func (p *program) test(ctx context.Context, flags testFlags, args []string) error {
	paths, err := testPaths(args)
	if err != nil {
		return err
	}
	opts := metrictest.Options{Env: p.env, TempDir: flags.tempDir, Clock: time.Now}
	if flags.run != "" {
		if opts.Run, err = regexp.Compile(flags.run); err != nil {
			return usagef("--run %q is no regular expression: %s", flags.run, strings.TrimPrefix(err.Error(), "error parsing regexp: ")).
				withHint("a part of the name of a test is one")
		}
	}
	files, err := metrics.LoadTests(paths)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return usagef("there are no tests in %s", strings.Join(paths, ", ")).withHint("tests stand in files whose names end in _test.yaml")
	}
	opts.Done = func(o metrictest.Outcome) { p.ui.outcome(o, flags.verbose) }
	outcomes, err := metrictest.Run(ctx, files, opts)
	switch {
	case errors.Is(err, metrictest.ErrNoTests):
		return usagef("no test has a name that matches %q", flags.run).withHint("without --run all tests are run")
	case err != nil:
		return stopped(ctx, err)
	}
	if flags.junit != "" {
		if err := writeJUnit(flags.junit, outcomes); err != nil {
			return err
		}
	}
	run, failed := 0, 0
	for _, o := range outcomes {
		switch {
		case o.Test == nil:
			continue
		case !o.Passed():
			failed++
		}
		run++
	}
	var end error
	switch {
	case failed > 0:
		end = &failedTestsError{failed, run}
	case run == 1:
		p.ui.resultf("1 test passed\n")
	case run > 1:
		p.ui.resultf("%d tests passed\n", run)
	}
	// A file that is wrong decides the exit code, as its tests say nothing.
	if wrong := metrictest.Mistakes(outcomes); wrong != nil {
		p.ui.failure(end)
		return wrong
	}
	return end
}

// writeJUnit writes outcomes into a file.
func writeJUnit(name string, outcomes []metrictest.Outcome) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return metrictest.WriteJUnit(f, outcomes)
}

// testPaths gives the files and folders to look for tests in. A file of
// definitions stands for the tests beside it.
func testPaths(args []string) ([]string, error) {
	if len(args) == 0 {
		return []string{"."}, nil
	}
	var paths []string
	for _, path := range args {
		info, err := os.Stat(path)
		if err != nil {
			return nil, usagef("%s", pathError(path, err))
		}
		if ext := filepath.Ext(path); !info.IsDir() && !metrics.IsTestFile(path) {
			beside := strings.TrimSuffix(path, ext) + "_test" + ext
			if _, err := os.Stat(beside); err != nil {
				return nil, usagef("%s is no file of tests, and there is no %s", path, beside).
					withHint("tests stand in files whose names end in _test.yaml")
			}
			path = beside
		}
		paths = append(paths, path)
	}
	return paths, nil
}
