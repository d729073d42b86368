// Package job is the whole pipeline: definitions → catalog → plan → SQL →
// exact sums → statistics → result tables.
package job

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// Options are what a command line or a scheduler decides; what the analyst
// decides stands in the definition files.
type Options struct {
	// Paths are definition files and folders of them.
	Paths []string
	// Definitions, where given, take the place of the files in Paths.
	Definitions *metrics.Definitions
	// Env looks up environment variables for ${NAME} in paths.
	Env func(string) (string, bool)
	// AsOf: rows at or after this instant do not exist. Zero: one microsecond
	// after the largest timestamp of the sources; Now where they have none.
	AsOf time.Time
	// Now is the clock that "future" timestamps are judged by, and that runs records.
	Now time.Time
	// Experiments and Metrics select by key; empty: all. A key of a metric group
	// selects its metrics.
	Experiments []string
	Metrics     []string
	// AllowSQL lets sources be queries, which are code.
	AllowSQL bool
	// Waterfall asks for the table waterfall, which takes passes of its own.
	Waterfall bool
	// Threads is the number of threads of the engine; 0: one for each processor.
	Threads int
	// Memory is the limit of the process in bytes; 0: three quarters of the machine's.
	Memory int64
	// TempDir is where the engine spills; empty: a folder of its own below the system's.
	TempDir string
	// Extensions is the folder with the engine's extension that reads object
	// stores; empty: where the engine itself puts it.
	Extensions string
	// Version is the version of the program, for run_id and the table runs.
	Version string
	// Progress, where given, is told what is being done. It is called from one
	// goroutine at a time.
	Progress func(Progress)

	// mostBeside is how many measures are counted before their sums are bundled;
	// 0: as many as is fast.
	mostBeside int
	// engine, where given, is used in place of a new one.
	engine *loaders.Engine
}

// Progress is one step of a run.
type Progress struct {
	// Step is what is being done, e.g. "reading events of orders".
	Step string
	// Done and Total count steps.
	Done, Total int
	// Percent is the engine's own estimate of the current step, from 0 to 100,
	// negative where it has none.
	Percent float64
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
// error; sources that cannot be reached are a *loaders.UnreachableError. Run
// writes nothing.
func Run(ctx context.Context, opts Options) (*Result, error) {
	began := time.Now()
	p, err := prepare(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer p.close()
	result, err := p.run(ctx, began)
	if err != nil {
		return nil, loaders.Damaged(ctx, p.engine, p.catalog, err)
	}
	return result, nil
}

func (p *prepared) run(ctx context.Context, began time.Time) (*Result, error) {
	sums, err := p.execute(ctx)
	if err != nil {
		return nil, err
	}
	return p.report(ctx, sums, began)
}

// prepared is everything that is known before the first statement runs.
type prepared struct {
	opts    Options
	defs    *metrics.Definitions
	engine  *loaders.Engine
	catalog *compiler.Catalog
	horizon loaders.Horizon
	asOf    time.Time
	plan    *compiler.Plan
	program *compiler.Program
	list    diag.List // warnings
	// unsplit and everybody are those of the options of a plan.
	unsplit, everybody bool
	// done and total count the statements of the program.
	done, total int
}

func (p *prepared) close() { _ = p.engine.Close() }

// prepare goes from files to a program.
func prepare(ctx context.Context, opts Options) (_ *prepared, err error) {
	p := &prepared{opts: opts}
	if p.defs, p.list, err = Load(opts); err != nil {
		return nil, err
	}
	if err := p.list.Err(); err != nil {
		return nil, err
	}
	if err := p.inspect(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if err := p.makePlan(); err != nil {
		return nil, err
	}
	p.program = compiler.Build(p.plan)
	return p, nil
}

// Load reads and checks the definition files alone. The list holds errors and
// warnings; the error is for files that cannot be read.
func Load(opts Options) (*metrics.Definitions, diag.List, error) {
	defs, list, err := load(opts)
	if err != nil || list.HasErrors() {
		return defs, list, err
	}
	list = append(list, selection(opts, defs)...)
	if len(opts.Metrics) == 0 {
		list = append(list, unused(defs)...)
	}
	return defs, list, nil
}

// load reads the files, whatever is selected of them.
func load(opts Options) (*metrics.Definitions, diag.List, error) {
	defs, list, err := opts.Definitions, diag.List(nil), error(nil)
	if defs == nil {
		defs, list, err = metrics.Load(opts.Paths, metrics.LoadOptions{Env: opts.Env})
	}
	if err != nil || list.HasErrors() {
		return defs, list, err
	}
	if !opts.AllowSQL {
		list = append(list, sqlSources(defs)...)
	}
	list = append(list, loaders.ApplyPresets(defs)...)
	list = append(list, compiler.Unsupported(defs)...)
	return defs, append(list, compiler.CheckExpressions(defs)...), nil
}

// sqlSources refuses the sources that are SQL, which is code.
func sqlSources(defs *metrics.Definitions) diag.List {
	var list diag.List
	for _, src := range slices.Concat(defs.Sources.Impressions, defs.Sources.Events, defs.Sources.Units) {
		if src.SQL.Set {
			list.Errorf(src.SQL.Pos, "sql-not-allowed", "source %q is SQL, which is code and is not run unless that is allowed", src.Name.V).
				WithHint("read it, and give --allow-sql")
		}
	}
	return list
}

// inspect opens the engine and looks at the sources.
func (p *prepared) inspect(ctx context.Context) (err error) {
	p.tell("looking at the sources")
	if p.engine, err = openEngine(ctx, p.opts, p.defs); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	var list diag.List
	from, to := compiler.Reach(p.defs, p.planOptions(p.opts.AsOf.UTC()))
	p.catalog, list, err = loaders.Inspect(ctx, p.engine, p.defs, loaders.InspectOptions{From: from, To: to})
	if err != nil {
		return err
	}
	p.list = append(p.list, list...)
	if err := p.list.Err(); err != nil {
		return err
	}
	p.horizon, err = loaders.AsOf(ctx, p.engine, p.catalog, p.opts.Now)
	if err != nil {
		return err
	}
	p.asOf = p.horizon.AsOf
	switch {
	case !p.opts.AsOf.IsZero():
		p.asOf = p.opts.AsOf.UTC()
	case p.asOf.IsZero(): // no row, or none that is not in the future
		p.asOf = p.opts.Now.UTC()
	}
	return nil
}

// planOptions are what is selected, as of an instant.
func (p *prepared) planOptions(asOf time.Time) compiler.PlanOptions {
	return compiler.PlanOptions{
		AsOf: asOf, Experiments: p.opts.Experiments, Metrics: expandedMetrics(p.opts, p.defs), Unsplit: p.unsplit, Everybody: p.everybody,
		Waterfall: p.opts.Waterfall, MostBeside: p.opts.mostBeside,
	}
}

// makePlan plans what was selected.
func (p *prepared) makePlan() error {
	plan, list := compiler.NewPlan(p.defs, p.catalog, p.planOptions(p.asOf))
	p.list = append(p.list, list...)
	if err := p.list.Err(); err != nil {
		return err
	}
	if len(plan.Units) == 0 {
		return ErrNoExperiments
	}
	p.plan = plan
	return nil
}

// tell says what is being done now.
func (p *prepared) tell(step string) {
	if p.opts.Progress != nil {
		p.opts.Progress(Progress{Step: step, Done: p.done, Total: p.total, Percent: -1})
	}
}
