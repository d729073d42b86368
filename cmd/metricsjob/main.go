// Command metricsjob computes the results of experiments from metrics that are
// defined in YAML, over exports of impressions and events.
//
// There is one file for each command; ui.go is the only one that prints, and
// this one turns errors into exit codes.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/imports"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/internal/objectstore"
)

// The exit codes. They are part of the program's contract (docs/cli.md).
const (
	exitDone        = 0 // done
	exitFailed      = 1 // failed, or interrupted; files that fmt --check would change
	exitInvalid     = 2 // the command line or the definitions are invalid
	exitUnhealthy   = 3 // done, but something that --fail-on names was found; a change of meaning, with diff --exit-code
	exitUnreachable = 4 // a source or an engine could not be reached; try again
)

func main() {
	os.Exit(run(untilSignal(context.Background()), os.Args[1:], os.Stdout, os.Stderr))
}

// untilSignal gives a context that ends when the program is told to: by Ctrl-C,
// by a scheduler, or by a terminal that closes. What it has on the disk is then
// cleared up. The second signal ends the program at once.
func untilSignal(ctx context.Context) context.Context {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	return ctx
}

// run is the whole program but for the process: it executes the command that
// args names and gives the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	p := &program{ui: newUI(stdout, stderr), env: os.LookupEnv, now: time.Now}
	root := p.rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	p.ui.finish(err)
	return exitCode(err)
}

// exitCode gives the exit code of a command that ended with err.
func exitCode(err error) int {
	var (
		usage       *usageError
		definitions diag.List
		unhealthy   *unhealthyError
		unreachable *job.UnreachableError
		sums        *job.SumsError
		store       *objectstore.Error
		extension   *job.ExtensionError
		foreign     *imports.FileError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &definitions) && onlyFilesMissing(definitions):
		return exitUnreachable
	case errors.As(err, &usage), errors.As(err, &definitions), errors.As(err, &sums), errors.As(err, &foreign), errors.Is(err, job.ErrNoExperiments):
		return exitInvalid
	case errors.As(err, &unhealthy):
		return exitUnhealthy
	case errors.As(err, &unreachable), errors.As(err, &store) && store.Temporary():
		return exitUnreachable
	case store != nil, errors.As(err, &extension):
		return exitInvalid
	}
	return exitFailed
}

// onlyFilesMissing reports whether nothing is wrong but that the path of a
// source matches no files. It may be misspelt, so the message has its place; but
// the export may also be late, and then it is right to try again.
func onlyFilesMissing(definitions diag.List) bool {
	for _, d := range definitions {
		if d.Severity == diag.Error && (d.Code != "no-files" || !d.Pos.IsValid()) {
			return false
		}
	}
	return true
}
