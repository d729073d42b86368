package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/job"
)

// selection is what run, check and compile are told alike: which files, which
// part of them, as of when, and within which limits.
type selection struct {
	asOf        instant
	now         instant
	experiments []string
	metrics     []string
	threads     int
	memory      size
	tempDir     string
	extensions  string
	timeout     time.Duration
	allowSQL    bool
	// given reports whether a flag was.
	given func(name string) bool
}

// register adds the flags of the selection to a command.
func (s *selection) register(cmd *cobra.Command) {
	s.registerLimits(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&s.experiments, "experiment", nil, "`KEYS` of the experiments to take, separated by commas (default all)")
	f.StringSliceVar(&s.metrics, "metric", nil, "`KEYS` of the metrics, or groups of metrics, to take, separated by commas (default all)")
}

// registerLimits adds the flags that do not choose among experiments and metrics.
func (s *selection) registerLimits(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(&s.asOf, "as-of", "rows at or after this instant do not exist (default just after the newest row)")
	f.Var(&s.now, "now", "the clock, by which timestamps are in the future (default the machine's)")
	f.IntVar(&s.threads, "threads", 0, "`NUMBER` of threads of the engine (default one for each processor)")
	f.Var(&s.memory, "memory", "memory of the process, e.g. 4GB or 512MiB (default three quarters of the machine's)")
	f.StringVar(&s.tempDir, "temp-dir", "", "`FOLDER` for what does not fit into memory (default below the system's)")
	f.StringVar(&s.extensions, "extensions", "", "`FOLDER` with DuckDB's extension httpfs, for s3:// (default $METRICSJOB_EXTENSIONS, else DuckDB's own)")
	f.BoolVar(&s.allowSQL, "allow-sql", false, "run the SQL of sources that are queries")
	s.given = f.Changed
	f.DurationVar(&s.timeout, "timeout", 0, "give up after this `TIME`, e.g. 90s, 30m or 2h (default never)")
}

// options gives the job's options for the arguments of a command.
func (s *selection) options(p *program, args []string) (job.Options, error) {
	paths, err := definitionPaths(args)
	if err != nil {
		return job.Options{}, err
	}
	if s.threads < 1 && s.given("threads") {
		return job.Options{}, usagef("--threads must be 1 or more, not %d", s.threads).withHint("without it there is one for each processor")
	}
	if s.timeout <= 0 && s.given("timeout") {
		return job.Options{}, usagef("--timeout must be above 0, not %s", s.timeout).withHint("without it a run takes as long as it takes")
	}
	if err := cmp.Or(s.namesKeys("experiment", s.experiments), s.namesKeys("metric", s.metrics)); err != nil {
		return job.Options{}, err
	}
	now := s.now.Time
	if now.IsZero() {
		now = p.now().UTC().Truncate(time.Microsecond)
	}
	return job.Options{
		Paths:       paths,
		Env:         p.env,
		AsOf:        s.asOf.Time,
		Now:         now,
		Experiments: s.experiments,
		Metrics:     s.metrics,
		Threads:     s.threads,
		Memory:      int64(s.memory),
		AllowSQL:    s.allowSQL,
		TempDir:     s.tempDir,
		Extensions:  p.extensions(s.extensions),
		Version:     programVersion(),
	}, nil
}

// extensions is the folder of DuckDB's extensions: that of the flag, else that of
// the environment; empty for DuckDB's own.
func (p *program) extensions(flag string) string {
	folder, _ := p.env("METRICSJOB_EXTENSIONS")
	return cmp.Or(flag, folder)
}

// namesKeys refuses a flag for keys without one, as a script gives it whose
// variable is empty: it must not stand for all.
func (s *selection) namesKeys(flag string, keys []string) error {
	blank := func(key string) bool { return strings.TrimSpace(key) == "" }
	if s.given(flag) && (len(keys) == 0 || slices.ContainsFunc(keys, blank)) {
		return usagef("--%s has an empty key", flag).withHint("give one, or several separated by commas; without the flag all are taken")
	}
	return nil
}

// limit gives ctx with the end that --timeout sets.
func (s *selection) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("not done after %s (--timeout)", s.timeout))
}

// errInterrupted says that the user, or whoever runs the program, ended it.
var errInterrupted = errors.New("interrupted")

// stopped gives the reason in place of err where ctx has ended.
func stopped(ctx context.Context, err error) error {
	switch {
	case err == nil, ctx.Err() == nil:
		return err
	case errors.Is(ctx.Err(), context.Canceled):
		return errInterrupted
	}
	return context.Cause(ctx)
}

// definitionPaths gives the files and folders that the arguments name; without
// arguments the file metrics.yaml or the folder metrics, whichever is there.
func definitionPaths(args []string) ([]string, error) {
	for _, path := range args {
		if _, err := os.Stat(path); err != nil {
			return nil, usagef("%s", pathError(path, err))
		}
	}
	if len(args) > 0 {
		return args, nil
	}
	var found []string
	for _, path := range []string{"metrics.yaml", "metrics"} {
		if _, err := os.Stat(path); err == nil {
			found = append(found, path)
		}
	}
	switch len(found) {
	case 0:
		return nil, usagef("no definitions are given").
			withHint("name a file or a folder; without one, metrics.yaml or metrics/ is read")
	case 1:
		return found, nil
	}
	return nil, usagef("there are both metrics.yaml and metrics/").withHint("name the one to read")
}

// pathError says what is wrong with a path, once.
func pathError(path string, err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Sprintf("definitions %s: %s", path, err)
}
