package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/export"
	"github.com/metricsjob/metricsjob/internal/job"
)

// explainFlags are the flags of the command explain.
type explainFlags struct {
	selection
	sql     bool
	unit    string
	segment segmentFlag
	split   string
	format  export.Format
}

func (p *program) explainCommand() *cobra.Command {
	var flags explainFlags
	cmd := &cobra.Command{
		Use:   "explain EXPERIMENT METRIC [FILE or FOLDER..]",
		Short: "Say how the numbers of a metric in an experiment come about",
		Long: `Counts where rows are lost on their way from the sources to the numbers of a
metric in an experiment, step by step: of impressions until units are exposed, and
of events until they count. With --unit it tells of one unit which of its rows count,
and why the others do not. With --sql it prints one query that computes the same
numbers from the sources alone, to paste into DuckDB. With --segment and --split all
this is told of a part of the results.`,
		Example: `  metricsjob explain checkout_button revenue
  metricsjob explain checkout_button revenue metrics/ --format csv > waterfall.csv
  metricsjob explain checkout_button revenue --unit 7f3c21
  metricsjob explain checkout_button revenue --segment country=DE
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
	f.StringVar(&flags.unit, "unit", "", "tell what happened to the unit with this `ID`")
	f.Var(&flags.segment, "segment", "explain the units with a value of a segment, as results have it")
	f.StringVar(&flags.split, "split", "", "explain the rows with this `VALUE` of the property that the metric is split by")
	f.Var(newChoice(&flags.format, export.WaterfallFormats[0], export.WaterfallFormats...), "format", "print the steps as")
	return cmd
}

func (p *program) explain(ctx context.Context, flags explainFlags, experiment, metric string, paths []string) error {
	opts, err := flags.options(p, paths)
	if err != nil {
		return err
	}
	for _, other := range []string{"format", "unit"} {
		if flags.sql && flags.given(other) {
			return usagef("--sql and --%s do not go together", other).withHint("leave one of them out")
		}
	}
	for _, other := range []string{"segment", "split"} {
		if flags.given("unit") && flags.given(other) {
			return usagef("--unit and --%s do not go together", other).withHint("leave one of them out")
		}
	}
	if flags.given("unit") && flags.unit == "" {
		return usagef("--unit has an empty id").withHint("give one as the sources have it")
	}
	slice := job.Slice{Segment: flags.segment.key, Value: flags.segment.value}
	if flags.given("split") {
		slice.Split = &flags.split
	}
	ctx, cancel := flags.limit(ctx)
	defer cancel()
	if flags.sql {
		text, err := job.ExplainSQL(ctx, opts, experiment, metric, slice)
		if err != nil {
			return stopped(ctx, err)
		}
		p.ui.resultf("%s", text)
		return nil
	}
	width, isTerminal := terminal(p.ui.out)
	layout := export.StdoutOptions{Width: width, Color: isTerminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
	report, end := p.ui.showProgress()
	opts.Progress = report
	if flags.unit != "" {
		story, err := job.ExplainUnit(ctx, opts, experiment, metric, flags.unit)
		end()
		if err != nil {
			return stopped(ctx, err)
		}
		return export.WriteUnitStory(p.ui.out, flags.format, story, layout)
	}
	result, err := job.Explain(ctx, opts, experiment, metric, slice)
	end()
	if err != nil {
		return stopped(ctx, err)
	}
	p.ui.diagnostics(result.Diagnostics)
	return export.WriteWaterfall(p.ui.out, flags.format, &result.Tables, layout)
}

// segmentFlag is a segment and one of its values, as KEY=VALUE.
type segmentFlag struct{ key, value string }

func (s *segmentFlag) Type() string { return "KEY=VALUE" }

func (s *segmentFlag) String() string {
	if s.key == "" {
		return ""
	}
	return s.key + "=" + s.value
}

func (s *segmentFlag) Set(text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok || key == "" {
		return errors.New("use the key of a segment and one of its values, e.g. country=DE")
	}
	s.key, s.value = key, value
	return nil
}
