package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/job"
)

// setUpS3 is what setup can prepare.
const setUpS3 = "s3"

func (p *program) setupCommand() *cobra.Command {
	var extensions, from string
	cmd := &cobra.Command{
		Use:   "setup s3",
		Short: "Fetch what reading object stores takes",
		Long: `Fetches what is not in the program, once. For s3 that is DuckDB's extension
httpfs, a file of 20 MB by which the engine reads s3:// paths. It comes from
extensions.duckdb.org and goes to where DuckDB keeps its extensions, below
.duckdb in the home folder; DuckDB checks its signature whenever it is loaded.
Nothing else is changed, and no other command fetches anything of that kind.

Machines without a way to the internet take it from a copy, with --from, or
find the file itself in the folder of --extensions. To write results to s3://
takes nothing of this.`,
		Example: `  metricsjob setup s3
  metricsjob setup s3 --extensions /opt/duckdb
  metricsjob setup s3 --from https://mirror.company.example/duckdb`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] != setUpS3 {
				return usagef("setup takes the word %s, for reading object stores", setUpS3).withHint("metricsjob setup s3")
			}
			return p.setUp(cmd.Context(), extensions, from)
		},
	}
	cmd.Flags().StringVar(&extensions, "extensions", "", "`FOLDER` to put it into (default $METRICSJOB_EXTENSIONS, else DuckDB's own)")
	cmd.Flags().StringVar(&from, "from", "", "`PLACE` to take it from: an address, or a folder, laid out as DuckDB's own (default extensions.duckdb.org)")
	return cmd
}

func (p *program) setUp(ctx context.Context, extensions, from string) error {
	p.ui.infof("fetching DuckDB's extension httpfs")
	file, err := job.SetupObjectStores(ctx, p.extensions(extensions), from)
	if err != nil {
		return stopped(ctx, err)
	}
	p.ui.resultf("%s\n", file)
	p.ui.infof("s3:// paths can be read now")
	return nil
}
