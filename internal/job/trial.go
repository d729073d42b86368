package job

import (
	"context"
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// trial plans an experiment with other metrics and without segments, for a
// look at what would be.
func (p *prepared) trial(x *compiler.ExperimentPlan, with []*metrics.ExperimentMetric) (*compiler.Plan, diag.List) {
	experiment := *x.Def
	experiment.Metrics, experiment.Segments = with, nil
	return p.trialOf(x, &experiment)
}

// trialOf plans another version of an experiment.
func (p *prepared) trialOf(x *compiler.ExperimentPlan, experiment *metrics.Experiment) (*compiler.Plan, diag.List) {
	defs := *p.defs
	defs.Experiments = slices.Clone(p.defs.Experiments) // which the experiment may name
	defs.Experiments[slices.Index(defs.Experiments, x.Def)] = experiment
	return compiler.NewPlan(&defs, p.catalog, compiler.PlanOptions{AsOf: p.asOf, Experiments: []string{experiment.Key.V}})
}

// try computes an experiment with other metrics and without segments.
func (p *prepared) try(ctx context.Context, x *compiler.ExperimentPlan, with []*metrics.ExperimentMetric) (*compiler.ExperimentPlan, *collected, error) {
	plan, list := p.trial(x, with)
	if err := list.Err(); err != nil {
		return nil, nil, err
	}
	return p.executeTrial(ctx, plan, compiler.Build(plan))
}

// tryByBucket computes metrics of an experiment over so many parts of its units, and
// by the segments that they are stratified by.
func (p *prepared) tryByBucket(ctx context.Context, x *compiler.ExperimentPlan, with []*metrics.ExperimentMetric) (*compiler.ExperimentPlan, *collected, error) {
	experiment := *x.Def
	experiment.Metrics = with
	experiment.Segments = slices.DeleteFunc(slices.Clone(experiment.Segments), func(s *metrics.Segment) bool { return !stratifiedBy(with, s.Key.V) })
	plan, list := p.trialOf(x, &experiment)
	if err := list.Err(); err != nil {
		return nil, nil, err
	}
	return p.executeTrial(ctx, plan, compiler.BuildByBucket(plan, buckets))
}

// stratifiedBy reports whether a metric is post-stratified by a segment.
func stratifiedBy(list []*metrics.ExperimentMetric, segment string) bool {
	return slices.ContainsFunc(list, func(m *metrics.ExperimentMetric) bool { return slices.Contains(m.Analysis.Stratify.V, segment) })
}

// executeTrial runs a program for one experiment.
func (p *prepared) executeTrial(ctx context.Context, plan *compiler.Plan, program *compiler.Program) (*compiler.ExperimentPlan, *collected, error) {
	trial := *p
	trial.opts.Progress = nil
	trial.plan, trial.program = plan, program
	// The tables of the run are still there: a session of its own has others.
	var err error
	if trial.engine, err = p.engine.Session(ctx); err != nil {
		return nil, nil, err
	}
	defer trial.close()
	got, err := trial.execute(ctx)
	if err != nil {
		return nil, nil, err
	}
	return trial.plan.Units[0].Experiments[0], got, nil
}
