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

// ExplainSQL gives one query that computes a slice of a metric of an experiment,
// with nothing but the sources: for each variation the units, the sums and the mean
// that Run gives. Like Compile it reads no rows.
func ExplainSQL(ctx context.Context, opts Options, experiment, metric string, slice Slice) (string, error) {
	p, err := prepareOne(ctx, opts, experiment, metric, slice, onlySegment(slice.Segment))
	if err != nil {
		return "", err
	}
	defer p.close()
	text, err := sqlast.Print(sqlast.DuckDB, compiler.Standalone(p.plan, slice.choices(p.defs.Metric(metric), nil)))
	if err != nil {
		return "", fmt.Errorf("print the query: %w", err)
	}
	attach, err := p.attachments()
	if err != nil {
		return "", err
	}
	return attach + fmt.Sprintf("-- %s in %s, as of %s\n%s;\n", metric, experiment, p.asOf.Format("2006-01-02 15:04:05.999999"), text), nil
}

// Explain counts where the rows of the sources are lost on their way to a metric
// of an experiment, or to a slice of it. The tables of its result have the
// waterfall, the results of the slice before they are corrected for each other, and
// the definitions.
func Explain(ctx context.Context, opts Options, experiment, metric string, slice Slice) (*Result, error) {
	opts.Waterfall = true
	p, err := prepareOne(ctx, opts, experiment, metric, slice, nil)
	if err != nil {
		return nil, err
	}
	defer p.close()
	c, err := p.execute(ctx)
	if err != nil {
		return nil, err
	}
	choices := slice.choices(p.defs.Metric(metric), c)
	if err := known(choices); err != nil {
		return nil, err
	}
	r := &reporter{prepared: p, collected: c, runID: p.runID()}
	for _, u := range p.program.Units {
		for _, x := range u.Plan.Experiments {
			if err := r.experiment(ctx, x); err != nil {
				return nil, err
			}
			if err := r.waterfall(ctx, u, x, slice.part(), choices); err != nil {
				return nil, err
			}
		}
	}
	for _, row := range r.effects.rows {
		if slice.part().is(row) {
			r.tables.Results = append(r.tables.Results, row)
		}
	}
	r.definitions()
	return &Result{Tables: r.tables, Diagnostics: p.list.Sorted(), AsOf: p.asOf, RunID: r.runID}, nil
}

// prepareOne goes from files to the plan of one metric in one experiment, with its
// split only where the slice is of one. change, where given, changes the
// definitions first.
func prepareOne(ctx context.Context, opts Options, experiment, metric string, slice Slice, change func(defs *metrics.Definitions, experiment string) *metrics.Definitions) (*prepared, error) {
	var err error
	p := &prepared{opts: opts, unsplit: slice.Split == nil, everybody: slice.Segment == ""}
	if p.defs, p.list, err = load(opts); err != nil {
		return nil, err
	}
	if !p.list.HasErrors() {
		p.list = append(p.list, one(p.defs, experiment, metric)...)
	}
	if !p.list.HasErrors() {
		p.list = append(p.list, slice.check(p.defs.Experiment(experiment), p.defs.Metric(metric))...)
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

// onlySegment leaves the attributes out that an experiment is broken down by, but
// for one. Segments of other kinds stay, because methods depend on them.
func onlySegment(segment string) func(defs *metrics.Definitions, key string) *metrics.Definitions {
	return func(defs *metrics.Definitions, key string) *metrics.Definitions {
		return withoutSegments(defs, func(e *metrics.Experiment, s *metrics.Segment) bool {
			return e.Key.V == key && !s.FromEvents && s.Key.V != segment
		})
	}
}

// withoutSegments are the definitions without some of the segments of experiments.
func withoutSegments(defs *metrics.Definitions, without func(*metrics.Experiment, *metrics.Segment) bool) *metrics.Definitions {
	out := *defs
	out.Experiments = nil
	for _, e := range defs.Experiments {
		if slices.ContainsFunc(e.Segments, func(s *metrics.Segment) bool { return without(e, s) }) {
			fewer := *e
			fewer.Segments = slices.DeleteFunc(slices.Clone(e.Segments), func(s *metrics.Segment) bool { return without(e, s) })
			e = &fewer
		}
		out.Experiments = append(out.Experiments, e)
	}
	return &out
}
