package compiler

import (
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

func (p *planner) experiment(u *UnitPlan, e *metrics.Experiment) {
	x := p.shown(u, e)
	if x == nil {
		return
	}
	if e.Where.IsSet() {
		x.Audience, _ = Parse(e.Where, &audienceScope{sources: x.Sources, traits: u.TraitSources}, BooleanType, &p.list)
		if x.Audience != nil {
			u.needAttributes(x.Audience)
		}
	}
	for _, s := range e.Segments {
		p.segment(u, x, s)
	}
	p.identity(u, x)
	u.Phased = u.Phased || len(x.Strata()) > 0
	u.Experiments = append(u.Experiments, x)
}

// others plans the experiments whose units others leave out or are broken down
// by, where they are not computed themselves.
func (p *planner) others(u *UnitPlan) {
	for _, x := range u.Experiments {
		others := slices.Clone(x.Def.ExcludeUnitsIn)
		for _, s := range x.Def.Segments {
			if s.Experiment.Set {
				others = append(others, s.Experiment)
			}
		}
		for _, key := range others {
			is := func(x *ExperimentPlan) bool { return x.Def.Key.V == key.V }
			if slices.ContainsFunc(u.Experiments, is) || slices.ContainsFunc(u.Others, is) {
				continue
			}
			if other := p.shown(u, p.defs.Experiment(key.V)); other != nil {
				u.Others = append(u.Others, other)
			}
		}
	}
}

// shown plans the impressions of an experiment and the time that it is
// observed; nil where it has a mistake.
func (p *planner) shown(u *UnitPlan, e *metrics.Experiment) *ExperimentPlan {
	x := &ExperimentPlan{Def: e, Starts: e.Start.V, Ends: p.opts.AsOf}
	if e.End.Set && e.End.V.Before(x.Ends) {
		x.Ends = e.End.V
	}
	x.ObserveUntil = p.opts.AsOf
	switch {
	case e.ObserveUntil.Set:
		x.ObserveUntil = earlier(e.ObserveUntil.V, x.ObserveUntil)
	case e.End.Set:
		x.ObserveUntil = earlier(e.End.V, x.ObserveUntil)
	}
	x.WindowsUntil = p.opts.AsOf
	if e.CutWindows.V {
		x.WindowsUntil = x.ObserveUntil
	}
	for _, s := range p.cat.Impressions {
		if p.impressionsOf(e, s) {
			x.Sources = append(x.Sources, s)
			u.Impressions = appendNew(u.Impressions, s)
		}
	}
	if len(x.Sources) == 0 {
		p.list.Errorf(e.Unit.Pos, "no-source", "no source of impressions has what experiment %q matches and ids of the unit kind %q", e.Key.V, e.Unit.V).
			WithHint("map %s under columns: units of a source of impressions, and what match names", e.Unit.V)
		return nil
	}
	if len(e.Variations) > maxVariations {
		p.list.Errorf(e.Pos, "too-many-variations", "experiment %q has %d variations; %d are possible", e.Key.V, len(e.Variations), maxVariations).
			WithHint("leave out variations that have no units, or make it several experiments")
		return nil
	}
	if e.Start.V.Before(time.Unix(0, 0)) {
		p.list.Errorf(e.Start.Pos, "too-early", "experiment %q starts before 1970", e.Key.V).
			WithHint("write the day on which the experiment began")
		return nil
	}
	return x
}

// maxVariations is how many variations an experiment can have: an instant and
// the position of a variation share one whole number (see builder.packed).
const maxVariations = 999

// impressionsOf reports whether a source has impressions of the experiment.
func (p *planner) impressionsOf(e *metrics.Experiment, s *Source) bool {
	if len(e.Source) > 0 && !containsText(e.Source, s.Def.Name.V) {
		return false
	}
	mapped := (len(e.Match.Experiment) == 0 || s.Experiment != nil) && (len(e.Match.Flag) == 0 || s.Flag != nil)
	return mapped && s.unit(e.Unit.V) != nil
}
