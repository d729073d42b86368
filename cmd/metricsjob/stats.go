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
	)
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Compute statistics from sums that were made elsewhere",
		Long: `Reads sums over units, the columns of the table moments, from CSV, JSON lines or
Parquet, and writes the rows of the table results that a run would write for them.
So numbers can be checked against other tools, and sums of another warehouse can be
analysed. The analysis file has the block analysis of definitions.

Columns are experiment, metric, kind (mean, proportion, ratio or quantile), segment,
segment_value, variation, baseline (true once for each metric), weight, units, sum,
sum_sq, and those that a ratio, covariates or a quantile need (docs/statistics.md). A
column stratum splits variations for post-stratification; role and better (higher or
lower) say more of the metric. What a kind does not need may be absent.`,
		Example: `  metricsjob stats --moments moments.csv --analysis analysis.yaml
  metricsjob stats --moments results/moments/experiment=a/as_of=2026-03-30T00-00-00Z/moments.parquet --format csv`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opts.Moments == "" {
				return usagef("no sums are given").withHint("name a file with --moments")
			}
			opts.Version = programVersion()
			tables, err := job.Stats(cmd.Context(), opts)
			if err != nil {
				return err
			}
			return p.ui.rows(format, tables)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Moments, "moments", "", "`FILE` of sums: .csv, .jsonl or .parquet")
	f.StringVar(&opts.Analysis, "analysis", "", "`FILE` with an analysis block (default the defaults)")
	f.Float64SliceVar(&opts.Information, "information", nil, "`SHARES` of the planned information at the looks so far, for peeking: group")
	f.Var(newChoice(&format, export.JSON, export.JSON, export.CSV, export.Arrow), "format", "print the rows as")
	return cmd
}
