package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/imports"
	"github.com/metricsjob/metricsjob/metrics"
)

// importFlags are the flags of the commands below import.
type importFlags struct {
	from  imports.Tool
	start instant
	out   string
}

func (p *program) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Write definitions from the files of other tools",
		Long: `Writes definitions from the files of other tools, so that ids need not be copied by
hand. What cannot be said here, or is not told there, is listed.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef("say what to import").withHint("metricsjob import experiments, or metricsjob import metrics")
		},
	}
	cmd.AddCommand(p.importExperimentsCommand(), p.importMetricsCommand())
	return cmd
}

func (p *program) importExperimentsCommand() *cobra.Command {
	var flags importFlags
	cmd := &cobra.Command{
		Use:   "experiments --from TOOL FILE..",
		Short: "Write experiments from the settings of another tool",
		Long: `Writes the experiments of another tool, with the ids by which its exports name
them and their variations, the weights and the baseline, and the metrics that the
files tell: of an Optimizely datafile, the settings of VWO, the experiments and flags
of LaunchDarkly's REST API (with metrics beside them), or flags of FlagSync.`,
		Example: `  metricsjob import experiments --from optimizely datafile.json --out experiments.yaml
  metricsjob import experiments --from launchdarkly experiments.json flag.json metrics.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.importFiles(cmd, flags, args, func(files []metrics.SourceFile) (*imports.Imported, error) {
				return imports.Experiments(flags.from, files, imports.Options{Start: flags.start.String()})
			})
		},
	}
	flags.register(cmd, imports.ExperimentTools())
	cmd.Flags().Var(&flags.start, "start", "the day from which experiments count whose files do not tell it (default since ever)")
	return cmd
}

func (p *program) importMetricsCommand() *cobra.Command {
	var flags importFlags
	cmd := &cobra.Command{
		Use:   "metrics --from TOOL FILE..",
		Short: "Write metrics from the metrics of another tool",
		Long: `Writes the metrics of another tool: metrics and metric groups of LaunchDarkly's REST
API, fact metrics of GrowthBook's (with fact tables beside them), Eppo's YAML, metrics
of Statsig's console API, or the metrics in the settings of VWO.`,
		Example: `  metricsjob import metrics --from launchdarkly metrics.json --out metrics/launchdarkly.yaml
  metricsjob import metrics --from eppo purchases.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.importFiles(cmd, flags, args, func(files []metrics.SourceFile) (*imports.Imported, error) {
				return imports.Metrics(flags.from, files)
			})
		},
	}
	flags.register(cmd, imports.MetricTools())
	return cmd
}

func (f *importFlags) register(cmd *cobra.Command, tools []imports.Tool) {
	cmd.Flags().Var(newChoice(&f.from, "", tools...), "from", "the tool whose files they are:")
	cmd.Flags().StringVar(&f.out, "out", "", "`FILE` to write, which must not be there yet (default standard output)")
}

// importFiles reads the files, writes the definitions, and lists what is left.
func (p *program) importFiles(cmd *cobra.Command, flags importFlags, args []string, read func([]metrics.SourceFile) (*imports.Imported, error)) error {
	switch {
	case flags.from == "":
		return usagef("%s needs --from and the name of a tool", cmd.CommandPath()).withHint("e.g. --from launchdarkly")
	case len(args) == 0:
		return usagef("%s takes files of %s", cmd.CommandPath(), flags.from.Name()).withHint("as its API or export wrote them")
	}
	var files []metrics.SourceFile
	for _, path := range args {
		text, err := os.ReadFile(path)
		if err != nil {
			return usagef("read %s: %s", path, cause(err))
		}
		files = append(files, metrics.SourceFile{Path: path, Text: text})
	}
	got, err := read(files)
	if err != nil {
		return err
	}
	if flags.out == "" {
		p.ui.resultf("%s", got.Text)
	} else if err := writeNew(flags.out, got.Text); err != nil {
		return err
	}
	for _, left := range got.Left {
		p.ui.infof("not taken over: %s", beginning(left))
	}
	p.ui.infof("imported %s%s", importedText(got), where(flags.out))
	return nil
}

// beginning is as much of a text as it is known by on a terminal. The file has it whole.
func beginning(text string) string {
	const most = 160
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

func where(out string) string {
	if out == "" {
		return ""
	}
	return " into " + out + "; what had to be guessed is marked with CHECK there"
}

// importedText says how much was imported.
func importedText(got *imports.Imported) string {
	var parts []string
	for _, n := range []struct {
		n    int
		noun string
	}{{got.Experiments, "experiment"}, {got.Metrics, "metric"}} {
		if n.n == 1 {
			parts = append(parts, "1 "+n.noun)
		} else if n.n > 1 {
			parts = append(parts, fmt.Sprintf("%d %ss", n.n, n.noun))
		}
	}
	return strings.Join(parts, " and ")
}
