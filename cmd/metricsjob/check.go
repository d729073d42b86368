package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/job"
)

func (p *program) checkCommand() *cobra.Command {
	var (
		flags       selection
		withoutData bool
		failOn      []failOn
	)
	cmd := &cobra.Command{
		Use:   "check [FILE or FOLDER..]",
		Short: "Check definitions, alone and against the data",
		Long: `Checks the definition files alone, and, if they are right, against the data they
name: columns and types that are missing, event keys and property values that
never occur, units that never match, unknown variations.`,
		Example: `  metricsjob check metrics.yaml
  metricsjob check --without-data metrics/
  metricsjob check metrics/ --fail-on warnings`,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := flags.options(p, args)
			if err != nil {
				return err
			}
			if withoutData {
				return p.checkFiles(opts, failOn)
			}
			ctx, cancel := flags.limit(cmd.Context())
			defer cancel()
			return p.checkData(ctx, opts, failOn)
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&withoutData, "without-data", false, "check the files alone")
	cmd.Flags().Var(newChoices(&failOn, nil, failOnWarnings), "fail-on", "exit with 3 if there are warnings")
	return cmd
}

func (p *program) checkFiles(opts job.Options, failOn []failOn) error {
	defs, found, err := job.Load(opts)
	if err != nil {
		return err
	}
	_, wrong := outputsOf(defs)
	found = append(found, wrong...)
	if err := found.Err(); err != nil {
		return err
	}
	p.ui.diagnostics(found)
	p.ui.infof("the definitions are right")
	return p.judgeWarnings(found, failOn)
}

// judgeWarnings gives the error that --fail-on asks for.
func (p *program) judgeWarnings(found diag.List, failOn []failOn) error {
	if len(found) == 0 || !slices.Contains(failOn, failOnWarnings) {
		return nil
	}
	err := &unhealthyError{"done, but there is a warning"}
	if len(found) > 1 {
		err.found = fmt.Sprintf("done, but there are %d warnings", len(found))
	}
	p.ui.failure(err)
	return err
}

func (p *program) checkData(ctx context.Context, opts job.Options, failOn []failOn) error {
	report, end := p.ui.showProgress()
	opts.Progress = report
	found, err := job.Check(ctx, opts)
	end()
	if err != nil {
		return stopped(ctx, err)
	}
	if defs, _, err := job.Load(opts); err == nil {
		_, wrong := outputsOf(defs)
		found.Diagnostics = append(found.Diagnostics, wrong...)
	}
	for _, fact := range found.Facts {
		p.ui.resultf("%s\n", fact)
	}
	if err := found.Diagnostics.Err(); err != nil {
		return err
	}
	p.ui.diagnostics(found.Diagnostics)
	switch n := len(found.Diagnostics); n {
	case 0:
		p.ui.infof("the definitions are right and fit the data")
	case 1:
		p.ui.infof("a run is possible, but see the warning above")
	default:
		p.ui.infof("a run is possible, but see the %d warnings above", n)
	}
	return p.judgeWarnings(found.Diagnostics, failOn)
}
