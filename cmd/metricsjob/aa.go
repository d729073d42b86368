package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/job"
)

// aaFormat is how the rates of an A/A test look.
type aaFormat string

const (
	aaTable aaFormat = "table"
	aaJSON  aaFormat = "json"
)

func (p *program) aaCommand() *cobra.Command {
	var (
		flags  selection
		plan   job.AAOptions
		format aaFormat
	)
	cmd := &cobra.Command{
		Use:   "aa [FILE or FOLDER..]",
		Short: "Say how often metrics are significant where nothing was changed",
		Long: `Permutes the assignment of the units of each experiment, at the planned weights and from
one pass over the data, and counts how often each metric is significant, although nothing
differs. That should be as often as alpha says; where it is not, by an interval that
holds for all metrics together with 99%, the test does not fit the data, and the exit
code is 3. Of several variations the one is taken whose weight is furthest from that of
the baseline.`,
		Example: `  metricsjob aa metrics.yaml
  metricsjob aa metrics.yaml --metric revenue --permutations 5000`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if plan.Permutations < 200 {
				return usagef("--permutations must be 200 or more, not %d", plan.Permutations).withHint("fewer cannot tell 5%% from 10%%")
			}
			opts, err := flags.options(p, args)
			if err != nil {
				return err
			}
			plan.Options = opts
			ctx, cancel := flags.limit(cmd.Context())
			defer cancel()
			rows, err := job.AA(ctx, plan)
			if err != nil {
				return stopped(ctx, err)
			}
			return p.printAA(format, rows)
		},
	}
	flags.register(cmd)
	f := cmd.Flags()
	f.IntVar(&plan.Permutations, "permutations", 1000, "`NUMBER` of assignments, 200 or more")
	f.Uint64Var(&plan.Seed, "seed", 1, "`NUMBER` that the assignments are drawn from")
	f.Var(newChoice(&format, aaTable, aaTable, aaJSON), "format", "print the rates as")
	return cmd
}

// printAA prints the rates; a metric that is out of line is an error.
func (p *program) printAA(format aaFormat, rows []job.AARow) error {
	var bad []string
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "experiment\tmetric\tunits\tsignificant\trate\tinterval\talpha\t")
	for _, r := range rows {
		if r.OutOfLine {
			bad = append(bad, r.Experiment+"/"+r.Metric)
		}
		if format == aaJSON {
			line, err := json.Marshal(r)
			if err != nil {
				return fmt.Errorf("write the rates: %w", err)
			}
			p.ui.resultf("%s\n", line)
			continue
		}
		if r.Rate == nil {
			fmt.Fprintf(w, "%s\t%s\t%d\t\t\t%s\t\t\n", r.Experiment, r.Metric, r.Units, r.Reason)
			continue
		}
		mark := ""
		if r.OutOfLine {
			mark = "out of line"
		}
		share := func(x float64) string { return strconv.FormatFloat(x*100, 'f', 2, 64) + "%" }
		fmt.Fprintf(w, "%s\t%s\t%d\t%d of %d\t%s\t%s to %s\t%s\t%s\n", r.Experiment, r.Metric, r.Units,
			r.FalsePositives, r.Permutations, share(*r.Rate), share(*r.Low), share(*r.High), share(r.Alpha), mark)
	}
	if format == aaTable {
		if err := w.Flush(); err != nil {
			return fmt.Errorf("write the rates: %w", err)
		}
		p.ui.resultf("%s", b.String())
	}
	if len(bad) > 0 {
		err := &unhealthyError{"significant more or less often than alpha says where nothing was changed: " + strings.Join(bad, ", ")}
		p.ui.failure(err)
		return err
	}
	return nil
}
