package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/export"
	"github.com/metricsjob/metricsjob/internal/job"
)

// explainFlags are the flags of the command explain.
type explainFlags struct {
	selection
	sql    bool
	format export.Format
}

func (p *program) explainCommand() *cobra.Command {
	var flags explainFlags
	cmd := &cobra.Command{
		Use:   "explain EXPERIMENT METRIC [FILE or FOLDER..]",
		Short: "Say how the numbers of a metric in an experiment come about",
		Long: `Counts where rows are lost on their way from the sources to the numbers of a
metric in an experiment, step by step: of impressions until units are exposed, and
of events until they count. Or prints one query that computes the same numbers
from the sources alone, to paste into DuckDB.`,
		Example: `  metricsjob explain checkout_button revenue
  metricsjob explain checkout_button revenue metrics/ --format csv > waterfall.csv
  metricsjob explain checkout_button revenue --sql | duckdb`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("%s takes an experiment and a metric", cmd.CommandPath()).withHint("metricsjob explain EXPERIMENT METRIC [FILE or FOLDER..]")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.explain(cmd.Context(), flags, args[0], args[1], args[2:])
		},
	}
	flags.registerLimits(cmd)
	f := cmd.Flags()
	f.BoolVar(&flags.sql, "sql", false, "print one query that gives the same sums, runnable in DuckDB as it stands")
	f.Var(newChoice(&flags.format, export.WaterfallFormats[0], export.WaterfallFormats...), "format", "print the steps as")
	return cmd
}

func (p *program) explain(ctx context.Context, flags explainFlags, experiment, metric string, paths []string) error {
	opts, err := flags.options(p, paths)
	if err != nil {
		return err
	}
	if flags.sql && flags.given("format") {
		return usagef("--sql and --format do not go together").withHint("leave one of them out")
	}
	ctx, cancel := flags.limit(ctx)
	defer cancel()
	if flags.sql {
		text, err := job.ExplainSQL(ctx, opts, experiment, metric)
		if err != nil {
			return stopped(ctx, err)
		}
		p.ui.resultf("%s", text)
		return nil
	}
	report, end := p.ui.showProgress()
	opts.Progress = report
	result, err := job.Explain(ctx, opts, experiment, metric)
	end()
	if err != nil {
		return stopped(ctx, err)
	}
	p.ui.diagnostics(result.Diagnostics)
	width, isTerminal := terminal(p.ui.out)
	return export.WriteWaterfall(p.ui.out, flags.format, &result.Tables, export.StdoutOptions{
		Width: width,
		Color: isTerminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	})
}
