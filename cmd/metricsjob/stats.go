package main

import (
	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/export"
	"github.com/metricsjob/metricsjob/internal/job"
)

func (p *program) statsCommand() *cobra.Command {
	var (
		opts   job.StatsOptions
		format export.Format
		table  tableName
	)
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Compute statistics from sums that were made elsewhere",
		Long: `Reads sums over units, the columns of the table moments, from CSV, JSON lines or
Parquet, and gives the effects, checks and verdicts that a run would give for them.
So numbers can be checked against other tools, and sums of another warehouse can be
analysed. The analysis file has the block analysis of definitions.

Columns are experiment, metric, kind (mean, proportion, ratio or quantile), segment,
segment_value, variation, baseline (true once for each metric), weight, units, sum,
sum_sq, and those that a ratio, covariates or a quantile need. In place of sums stand
mean, and variance, std_dev or std_error, or cov_den and the like. A column stratum
splits variations for post-stratification; role, better (higher or lower) and margin
say more of the metric. What a kind does not need may be absent; a column of another
name is refused (docs/statistics.md lists them all).

--format json, csv and arrow print the rows of one table, --table says which;
--format table and markdown print a report with the verdicts. A verdict waits for the
units that minimum_effect needs, unless --ended says that there will be no more.`,
		Example: `  metricsjob stats --moments moments.csv --analysis analysis.yaml
  metricsjob stats --moments moments.csv --format table --ended
  metricsjob stats --moments moments.csv --table verdicts
  metricsjob stats --moments results/moments/experiment=a/as_of=2026-03-30T00-00-00Z/moments.parquet --format csv`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opts.Moments == "" {
				return usagef("no sums are given").withHint("name a file with --moments")
			}
			opts.Version, opts.Warned = programVersion(), p.ui.diagnostics
			tables, err := job.Stats(cmd.Context(), opts)
			if err != nil {
				return err
			}
			return p.ui.rows(format, string(table), tables)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Moments, "moments", "", "`FILE` of sums: .csv, .jsonl or .parquet")
	f.StringVar(&opts.Analysis, "analysis", "", "`FILE` with an analysis block (default the defaults)")
	f.Float64SliceVar(&opts.Information, "information", nil, "`SHARES` of the planned information at the looks so far, for peeking: group")
	f.BoolVar(&opts.Ended, "ended", false, "the planned end has come, and the verdict is final")
	f.Var(newChoice(&format, export.JSON, export.StdoutFormats...), "format", "print as")
	f.Var(newChoice(&table, "results", "results", "verdicts", "health"), "table", "the table to print as json, csv or arrow")
	return cmd
}

// tableName is a result table.
type tableName string
