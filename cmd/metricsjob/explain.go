package main

import (
	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/job"
)

func (p *program) explainCommand() *cobra.Command {
	var (
		flags selection
		sql   bool
	)
	cmd := &cobra.Command{
		Use:   "explain EXPERIMENT METRIC [FILE or FOLDER..]",
		Short: "Say how the numbers of a metric in an experiment come about",
		Long: `Prints one query that computes a metric of an experiment from the sources alone,
to paste into DuckDB.`,
		Example: `  metricsjob explain checkout_button revenue --sql | duckdb`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("%s takes an experiment and a metric", cmd.CommandPath()).withHint("metricsjob explain EXPERIMENT METRIC [FILE or FOLDER..]")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := flags.options(p, args[2:])
			if err != nil {
				return err
			}
			ctx, cancel := flags.limit(cmd.Context())
			defer cancel()
			if !sql {
				return usagef("explain without --sql is not supported yet")
			}
			text, err := job.ExplainSQL(ctx, opts, args[0], args[1])
			if err != nil {
				return stopped(ctx, err)
			}
			p.ui.resultf("%s", text)
			return nil
		},
	}
	flags.registerLimits(cmd)
	cmd.Flags().BoolVar(&sql, "sql", false, "print one query that gives the same sums, runnable in DuckDB as it stands")
	return cmd
}
