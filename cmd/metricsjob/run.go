package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/export"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/metrics"
)

// failOn is something that a finished run may be judged by.
type failOn string

const (
	failOnHealth failOn = "health"
	failOnErrors failOn = "errors"
	// failOnWarnings is what check may be judged by.
	failOnWarnings failOn = "warnings"
)

// unhealthyError says that a run is done, but found what --fail-on names; or diff
// what --exit-code asks about. Whoever makes one reports it.
type unhealthyError struct{ found string }

func (e *unhealthyError) Error() string { return e.found }

// runFlags are the flags of the command run.
type runFlags struct {
	selection
	out        []string
	outFormats []export.Format
	format     export.Format
	merge      bool
	waterfall  bool
	failOn     []failOn
}

func (p *program) runCommand() *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "run [FILE or FOLDER..]",
		Short: "Compute results and print them or write result tables",
		Long: `Computes the results of the experiments in definition files (*.yaml, folders with
all folders below them; without arguments metrics.yaml or metrics/) and prints
them, or writes the result tables into a folder.`,
		Example: `  metricsjob run metrics.yaml
  metricsjob run metrics/ --as-of 2026-03-30 --out results --fail-on health
  metricsjob run metrics/ --experiment checkout_button --format csv > results.csv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.run(cmd.Context(), flags, args)
		},
	}
	flags.register(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&flags.out, "out", nil, "`FOLDER` to write the result tables into, or s3://bucket/prefix; may be given several times")
	f.Var(newChoices(&flags.outFormats, export.FileFormats[:1], export.FileFormats...), "out-format",
		"formats of the files in --out, separated by commas")
	f.Var(newChoice(&flags.format, "", export.StdoutFormats...), "format",
		"print the results on standard output (default table where there is no --out)")
	f.BoolVar(&flags.merge, "merge", false, "with --metric: keep the other metrics' rows in --out (not supported yet)")
	f.BoolVar(&flags.waterfall, "waterfall", false, "with --out: write the table waterfall too, where the rows of each metric are lost")
	f.Var(newChoices(&flags.failOn, nil, failOnHealth, failOnErrors), "fail-on",
		"exit with 3 if a health check failed (health) or a metric could not be computed (errors)")
	return cmd
}

// run computes, prints and writes.
func (p *program) run(ctx context.Context, flags runFlags, args []string) (err error) {
	if flags.format == export.JSON {
		defer func() { p.ui.closeFailed(err) }()
	}
	opts, err := flags.options(p, args)
	if err != nil {
		return err
	}
	folders, err := flags.destinations(opts)
	if err != nil {
		return err
	}
	prefixes, err := openPrefixes(ctx, folders)
	if err != nil {
		return stopped(ctx, err)
	}
	if opts.Waterfall = flags.waterfall; opts.Waterfall && len(folders) == 0 {
		return usagef("--waterfall writes a table, and there is no folder for it").
			withHint("name one with --out; metricsjob explain EXPERIMENT METRIC prints the waterfall of one metric")
	}
	ctx, cancel := flags.limit(ctx)
	defer cancel()

	report, end := p.ui.showProgress()
	opts.Progress = report
	result, err := job.Run(ctx, opts)
	end()
	if err != nil {
		return stopped(ctx, err)
	}
	p.ui.diagnostics(result.Diagnostics)

	var written []export.Written
	for _, dir := range folders {
		write := func() ([]export.Written, error) {
			return export.WriteFolder(ctx, dir, &result.Tables, flags.outFormats)
		}
		if prefix := prefixes[dir]; prefix != nil {
			write = func() ([]export.Written, error) {
				return prefix.Write(ctx, &result.Tables, flags.outFormats, p.now())
			}
		}
		files, err := write()
		if err != nil {
			return stopped(ctx, err)
		}
		p.ui.infof("wrote %d files into %s", len(files), dir)
		written = append(written, files...)
	}
	// The results come last: their last line may be what a scheduler reads.
	verdict := flags.judge(result)
	p.ui.failure(verdict)
	if flags.format == "" && len(folders) == 0 {
		flags.format = export.Text
	}
	if flags.format != "" {
		if err := p.ui.tables(flags.format, &result.Tables, written); err != nil {
			return err
		}
	}
	return verdict
}

// outputsOf are the folders that the files name under output, with what is wrong there.
func outputsOf(defs *metrics.Definitions) ([]string, diag.List) {
	var folders []string
	var list diag.List
	for _, o := range defs.Output {
		if _, err := objectstore.Parse(o.V); objectstore.IsURL(o.V) && err != nil {
			list.Errorf(diag.Pos{File: o.Pos.File}, "bad-path", "line %d: %s", o.Pos.Line, err).
				WithHint("write it as s3://bucket/prefix; see docs/object-stores.md")
		}
		if !isFolder(o.V) {
			list.Errorf(o.Pos, "not-supported-yet", "only folders and s3:// are supported as output yet, not %q", o.V)
		}
		folder := o.V
		if !filepath.IsAbs(folder) && !objectstore.IsURL(folder) {
			folder = filepath.Join(filepath.Dir(o.Pos.File), folder)
		}
		folders = append(folders, folder)
	}
	return folders, list
}

// destinations gives the folders to write into: those of --out, else those that
// the files name under output. It comes before the run, so that what cannot be
// written is not computed.
func (flags *runFlags) destinations(opts job.Options) ([]string, error) {
	if flags.merge {
		return nil, usagef("--merge is not supported yet").withHint("run without --metric to write into a folder")
	}
	folders := flags.out
	for _, out := range flags.out {
		if _, err := objectstore.Parse(out); objectstore.IsURL(out) && err != nil {
			return nil, usagef("--out: %s", err).withHint("write it as s3://bucket/prefix; see docs/object-stores.md")
		}
		if !isFolder(out) {
			return nil, usagef("--out %q: only folders and s3:// are supported yet", out)
		}
	}
	if len(folders) == 0 {
		defs, list, err := job.Load(opts)
		if err != nil {
			return nil, err
		}
		named, wrong := outputsOf(defs)
		folders = named
		list = append(list, wrong...)
		if err := list.Err(); err != nil {
			return nil, err
		}
	}
	if len(folders) == 0 && flags.given("out-format") {
		return nil, usagef("--out-format is about the files in --out, which is not given").
			withHint("add --out FOLDER, or write --format for what is printed")
	}
	if len(folders) > 0 && len(flags.metrics) > 0 {
		return nil, usagef("with --metric, the tables in %s would lack the other metrics' rows", folders[0]).
			withHint("run all metrics to write into a folder, or print those of some with --format csv; --merge is not supported yet")
	}
	return folders, nil
}

// openPrefixes finds those of the destinations that are in object stores. It asks
// them before there is something to write.
func openPrefixes(ctx context.Context, destinations []string) (map[string]*export.Prefix, error) {
	prefixes := map[string]*export.Prefix{}
	for _, d := range destinations {
		if !objectstore.IsURL(d) {
			continue
		}
		prefix, err := export.OpenPrefix(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("results cannot be written there: %w", err)
		}
		prefixes[d] = prefix
	}
	return prefixes, nil
}

// isFolder reports whether a destination is a folder, or a prefix of an object
// store, which is like one, rather than a database.
func isFolder(destination string) bool {
	return objectstore.IsURL(destination) || destination != "" && !strings.Contains(destination, "://") && !strings.HasSuffix(destination, ".duckdb")
}

// judge gives the error that --fail-on asks for.
func (flags *runFlags) judge(result *job.Result) error {
	if slices.Contains(flags.failOn, failOnHealth) && result.Failed {
		var failed []string
		for _, h := range result.Tables.Health {
			if h.Status == metrics.Fail {
				failed = append(failed, strings.TrimPrefix(h.Experiment+"/"+h.Check, "/"))
			}
		}
		return &unhealthyError{"done, but a health check failed: " + strings.Join(slices.Compact(failed), ", ")}
	}
	if n := len(result.Tables.Errors); slices.Contains(flags.failOn, failOnErrors) && n > 0 {
		return &unhealthyError{fmt.Sprintf("done, but not everything could be computed: %d in the table errors", n)}
	}
	return nil
}
