package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// program is what the commands share.
type program struct {
	ui *ui
	// env looks up an environment variable.
	env func(string) (string, bool)
	// now is the clock.
	now func() time.Time
}

// usageError is a mistake on the command line.
type usageError struct {
	msg  string
	hint string
}

func (e *usageError) Error() string { return e.msg }

// Hint says how to mend it; it may be empty.
func (e *usageError) Hint() string { return e.hint }

func usagef(format string, args ...any) *usageError {
	return &usageError{msg: fmt.Sprintf(format, args...)}
}

func (e *usageError) withHint(format string, args ...any) *usageError {
	e.hint = fmt.Sprintf(format, args...)
	return e
}

// rootCommand builds the tree of commands.
func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "metricsjob",
		Short: "Experiment results from metrics in YAML over exports of impressions and events",
		Long: `metricsjob computes the results of experiments: metrics are defined in YAML, and
computed over exports of impressions and events by an embedded SQL engine.

Results go to standard output or into files, all else to standard error.

Exit codes:
  0  done
  1  failed, or interrupted; fmt --check: files would change
  2  the command line or the definitions are invalid
  3  done, but what --fail-on names was found; diff --exit-code: the meaning changed
  4  a source or an engine could not be reached; try again`,
		Args:              cobra.ArbitraryArgs,
		SilenceErrors:     true, // ui.finish reports them
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("no command is given").withHint("metricsjob --help lists the commands")
			}
			return unknownCommand(cmd, args[0])
		},
	}
	root.AddCommand(p.runCommand(), p.aaCommand(), p.checkCommand(), p.compileCommand(), p.convertCommand(), p.diffCommand(), p.explainCommand(), p.fmtCommand(), p.importCommand(), p.initCommand(), p.powerCommand(), p.presetsCommand(), p.schemaCommand(), p.setupCommand(), p.statsCommand(), p.testCommand(), p.versionCommand())
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.Var(newChoice(&p.ui.log, logText, logText, logJSON), "log", "messages on standard error as text or json")
	flags.BoolVar(&p.ui.quiet, "quiet", false, "say nothing but warnings and errors")
	flags.Var(newChoice(&p.ui.progress, progressAuto, progressAuto, progressAlways, progressNever), "progress",
		"show what is being done, auto: on a terminal, after one second")
	return root
}

// commandsToCome and flagsToCome are in the language of metricsjob but not in
// this version. Whoever uses them is told so, rather than that there is no
// such word.
var (
	commandsToCome = []string{"plan", "report", "state"}
	flagsToCome    = []string{"engine", "skip-unchanged"}
)

func unknownCommand(root *cobra.Command, name string) error {
	if slices.Contains(commandsToCome, name) {
		return usagef("the command %q is not supported yet", name)
	}
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	err := usagef("unknown command %q", name)
	if hint := diag.DidYouMean(name, names); hint != "" {
		return err.withHint("%s", hint)
	}
	return err.withHint("there are %s", strings.Join(names, ", "))
}

// flagError makes a usage error of what the flag parser says.
func flagError(cmd *cobra.Command, err error) error {
	usage := usagef("%s", err)
	var named interface{ GetSpecifiedName() string }
	if !errors.As(err, &named) || !strings.HasPrefix(err.Error(), "unknown flag") {
		return usage
	}
	name := named.GetSpecifiedName()
	if slices.Contains(flagsToCome, name) {
		return usagef("the flag --%s is not supported yet", name)
	}
	if near, ok := diag.Nearest(name, flagNames(cmd)); ok {
		return usage.withHint("did you mean --%s?", near)
	}
	return usage.withHint("%s --help lists the flags", cmd.CommandPath())
}

// flagNames are the names of the flags that the command takes.
func flagNames(cmd *cobra.Command) []string {
	var names []string
	for _, word := range strings.Fields(cmd.Flags().FlagUsages()) {
		if name, ok := strings.CutPrefix(word, "--"); ok {
			names = append(names, name)
		}
	}
	return names
}

// noArguments refuses arguments with a usage error.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, not %q", cmd.CommandPath(), args[0])
	}
	return nil
}
