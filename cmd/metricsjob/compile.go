package main

import (
	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/job"
)

// dialect is the SQL that compile prints.
type dialect string

const dialectDuckDB dialect = "duckdb"

func (p *program) compileCommand() *cobra.Command {
	var (
		flags selection
		emit  job.Emit
		d     dialect
	)
	cmd := &cobra.Command{
		Use:   "compile [FILE or FOLDER..]",
		Short: "Print the SQL that a run would execute, or its plan",
		Long: `Prints the SQL that a run would execute, with comments that say why, runnable as
it stands; or the plan in the words of experiments. The schema of the data is
read, its rows are not.`,
		Example: `  metricsjob compile metrics.yaml > metrics.sql
  metricsjob compile metrics.yaml --emit plan --metric revenue`,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := flags.options(p, args)
			if err != nil {
				return err
			}
			ctx, cancel := flags.limit(cmd.Context())
			defer cancel()
			text, err := job.Compile(ctx, opts, emit)
			if err != nil {
				return stopped(ctx, err)
			}
			p.ui.resultf("%s", text)
			return nil
		},
	}
	flags.register(cmd)
	cmd.Flags().Var(newChoice(&emit, job.EmitSQL, job.EmitSQL, job.EmitPlan), "emit", "what to print")
	cmd.Flags().Var(newChoice(&d, dialectDuckDB, dialectDuckDB), "dialect", "the SQL dialect")
	return cmd
}
