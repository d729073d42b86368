// Package job is the whole pipeline: definitions → catalog → plan → SQL →
// exact sums → statistics → result tables.
package job

import (
	"context"
	"errors"
	"time"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// Options are what a command line or a scheduler decides; what the analyst
// decides stands in the definition files.
type Options struct {
	// Paths are definition files and folders of them.
	Paths []string
	// Env looks up environment variables for ${NAME} in paths.
	Env func(string) (string, bool)
	// AsOf: rows at or after this instant do not exist. Zero: one microsecond
	// after the largest timestamp of the sources.
	AsOf time.Time
	// Now is the clock that "future" timestamps are judged by, and that runs records.
	Now time.Time
	// Experiments and Metrics select by key; empty: all.
	Experiments []string
	Metrics     []string
	// Threads is the number of threads of the engine; 0: one for each processor.
	Threads int
	// Memory is the limit of the process in bytes; 0: three quarters of the machine's.
	Memory int64
	// TempDir is where the engine spills; empty: a folder of its own below the system's.
	TempDir string
	// Version is the version of the program, for run_id and the table runs.
	Version string
	// Progress, where given, is told what is being done. It is called from one
	// goroutine at a time.
	Progress func(Progress)
}

// Progress is one step of a run.
type Progress struct {
	// Step is what is being done, e.g. "reading events of orders".
	Step string
	// Done and Total count steps; Percent is the engine's own estimate of the
	// current step, from 0 to 100, negative where it has none.
	Done, Total int
	Percent     float64
}

// Result is what a run found.
type Result struct {
	Tables metrics.Tables
	// Diagnostics are warnings about the definitions.
	Diagnostics diag.List
	// Failed reports that a health check failed.
	Failed bool
	AsOf   time.Time
	RunID  string
}

// ErrNoExperiments says that nothing was selected.
var ErrNoExperiments = errors.New("no experiment to compute")

// Run computes result tables. Mistakes in the definitions are a diag.List as
// error; sources or engines that cannot be reached are a
// *loaders.UnreachableError. Run writes nothing.
func Run(ctx context.Context, opts Options) (*Result, error) {
	panic("job: Run is not written")
}

// Load reads and checks the definition files alone.
func Load(opts Options) (*metrics.Definitions, diag.List, error) {
	panic("job: Load is not written")
}

// Check reads the definitions and compares them with the data. The list holds
// everything that was found, warnings included.
func Check(ctx context.Context, opts Options) (*CheckReport, error) {
	panic("job: Check is not written")
}

// CheckReport is what Check found.
type CheckReport struct {
	Diagnostics diag.List
	// Facts are findings that are no mistakes, in sentences: rows and files
	// of each source, match rates, units of each variation.
	Facts []string
}

// Emit is what Compile gives.
type Emit string

// What Compile can give.
const (
	EmitSQL  Emit = "sql"
	EmitPlan Emit = "plan"
)

// Compile gives the SQL that Run would execute, commented and runnable as it
// stands, or the plan in experiment words.
func Compile(ctx context.Context, opts Options, emit Emit) (string, error) {
	panic("job: Compile is not written")
}
