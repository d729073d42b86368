package job

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// ExplainSQL gives one query that computes a metric of an experiment, with
// nothing but the sources: for each variation the units, the sums and the mean
// that Run gives. Segments are left out. Like Compile it reads no rows.
func ExplainSQL(ctx context.Context, opts Options, experiment, metric string) (string, error) {
	p, err := prepareOne(ctx, opts, experiment, metric, withoutSegments)
	if err != nil {
		return "", err
	}
	defer p.close()
	text, err := sqlast.Print(sqlast.DuckDB, compiler.Standalone(p.plan))
	if err != nil {
		return "", fmt.Errorf("print the query: %w", err)
	}
	return fmt.Sprintf("-- %s in %s, as of %s\n%s;\n", metric, experiment, p.asOf.Format("2006-01-02 15:04:05.999999"), text), nil
}

// Explain counts where the rows of the sources are lost on their way to a metric
// of an experiment. The tables of its result have the waterfall, the results
// before they are corrected for each other, and the definitions.
func Explain(ctx context.Context, opts Options, experiment, metric string) (*Result, error) {
	opts.Waterfall = true
	p, err := prepareOne(ctx, opts, experiment, metric, nil)
	if err != nil {
		return nil, err
	}
	defer p.close()
	c, err := p.execute(ctx)
	if err != nil {
		return nil, err
	}
	r := &reporter{prepared: p, collected: c, runID: p.runID()}
	for _, u := range p.program.Units {
		for _, x := range u.Plan.Experiments {
			if err := r.experiment(ctx, x); err != nil {
				return nil, err
			}
			if err := r.waterfall(ctx, u, x); err != nil {
				return nil, err
			}
		}
	}
	r.tables.Results = r.effects.rows
	r.definitions()
	return &Result{Tables: r.tables, Diagnostics: p.list.Sorted(), AsOf: p.asOf, RunID: r.runID}, nil
}

// prepareOne goes from files to the plan of one metric in one experiment, without
// splits. change,
// where given, changes the definitions first.
func prepareOne(ctx context.Context, opts Options, experiment, metric string, change func(defs *metrics.Definitions, experiment string) *metrics.Definitions) (*prepared, error) {
	var err error
	p := &prepared{opts: opts, whole: true}
	if p.defs, p.list, err = load(opts); err != nil {
		return nil, err
	}
	if !p.list.HasErrors() {
		p.list = append(p.list, one(p.defs, experiment, metric)...)
	}
	if err := p.list.Err(); err != nil {
		return nil, err
	}
	p.opts.Experiments, p.opts.Metrics = []string{experiment}, []string{metric}
	if err := p.inspect(ctx); err != nil {
		return nil, err
	}
	if change != nil {
		p.defs = change(p.defs, experiment)
	}
	if err := p.makePlan(); err != nil {
		p.close()
		return nil, err
	}
	p.program = compiler.Build(p.plan)
	return p, nil
}

// one checks that there is an experiment, and a metric in it.
func one(defs *metrics.Definitions, experiment, metric string) diag.List {
	var list diag.List
	var experiments, keys []string
	for _, e := range defs.Experiments {
		experiments = append(experiments, e.Key.V)
	}
	e := defs.Experiment(experiment)
	if e == nil {
		list.Errorf(diag.Pos{}, "unknown-experiment", "no experiment has the key %q", experiment).Hint = diag.Suggest("experiments", experiment, experiments)
		return list
	}
	for _, em := range e.Metrics {
		keys = append(keys, em.Metric.Key.V)
	}
	switch m := defs.Metric(metric); {
	case slices.Contains(keys, metric):
	case slices.ContainsFunc(defs.Groups, func(g *metrics.Group) bool { return g.Key.V == metric }):
		list.Errorf(diag.Pos{}, "unknown-metric", "%s is a group of metrics, not a metric", metric).Hint = diag.Suggest("metrics of "+experiment, metric, keys)
	case m != nil:
		list.Errorf(m.Key.Pos, "metric-unused", "metric %s is not in experiment %s", metric, experiment).
			WithHint("the experiment has %s", strings.Join(keys, ", "))
	default:
		list.Errorf(diag.Pos{}, "unknown-metric", "no metric has the key %q", metric).Hint = diag.Suggest("metrics of "+experiment, metric, keys)
	}
	return list
}

// withoutSegments leaves the attributes out that an experiment is broken down
// by. Segments of other kinds stay, because methods depend on them.
func withoutSegments(defs *metrics.Definitions, key string) *metrics.Definitions {
	e := defs.Experiment(key)
	experiment := *e
	experiment.Segments = nil
	for _, s := range e.Segments {
		if s.FromEvents {
			experiment.Segments = append(experiment.Segments, s)
		}
	}
	out := *defs
	out.Experiments = slices.Clone(defs.Experiments)
	out.Experiments[slices.Index(out.Experiments, e)] = &experiment
	return &out
}
