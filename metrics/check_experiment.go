package metrics

import (
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// checkExperiment checks everything that one experiment says.
func (r *resolver) checkExperiment(e *experimentDraft) {
	for _, name := range []string{"flag", "unit", "start", "variations", "metrics"} {
		if e.given.lacks(name) {
			experimentObject.missing(r.diags, e.Pos, e, name)
		}
	}
	r.checkPeriod(e)
	r.checkSourceNames(e.Source, RoleImpressions)
	r.checkUnit(e)
	r.checkMatch(e)
	if e.given.good("variations") {
		r.checkVariations(e)
	}
	r.checkOthers(e)
	r.checkSegments(e)
	r.checkPhases(e)
	if e.given.good("activation") {
		r.checkSelector(e.Activation.Event)
		if e.Activation.Event.Impression {
			r.diags.Errorf(e.Activation.Pos, "conflict", "activation of %s is an event, not an impression", experimentObject.called(e)).
				WithHint("an impression is the exposure already; where chooses units by what is known at it: where: 'exposure.…'")
		}
	}
	if e.given.good("metrics") && e.Rule.V == "test" && e.given.clean("rule") && len(e.roles.primary) == 0 && !e.roles.given.has(mergeKey) {
		r.diags.Errorf(e.roles.pos, "missing-field", "%s has no primary metric", experimentObject.called(e)).
			WithHint("write primary: [purchase_rate]; only rule: rollout and rule: personalize do without")
	}
}

func (r *resolver) checkPeriod(e *experimentDraft) {
	if e.Start.Set && e.End.Set && !e.End.V.After(e.Start.V) {
		r.diags.Errorf(e.End.Pos, "bad-date", "%s ends at %s, not after its start at %s", experimentObject.called(e), e.given["end"].value.Value, e.given["start"].value.Value).
			WithHint("the end is the first instant that no longer counts: write a later one, or leave it out while the experiment runs")
	}
	if e.Start.Set && e.ObserveUntil.Set && !e.ObserveUntil.V.After(e.Start.V) {
		r.diags.Errorf(e.ObserveUntil.Pos, "bad-date", "%s is observed until %s, not after its start at %s", experimentObject.called(e), e.given["observe_until"].value.Value, e.given["start"].value.Value).
			WithHint("write a later one; without observe_until events count until the end")
	} else if e.End.Set && e.ObserveUntil.Set && e.ObserveUntil.V.Before(e.End.V) {
		r.diags.Warnf(e.ObserveUntil.Pos, "bad-date", "%s is observed until %s, before its end at %s: of units exposed between them no event counts without a window", experimentObject.called(e), e.given["observe_until"].value.Value, e.given["end"].value.Value).
			WithHint("write a later one, or leave it out: then events count until the end")
	}
}

// impressionSources are the sources that the experiment may read.
func (r *resolver) impressionSources(e *experimentDraft) []*sourceDraft {
	var out []*sourceDraft
	for _, s := range r.sources {
		if s.Role == RoleImpressions && (len(e.Source) == 0 || slices.ContainsFunc(e.Source, func(n Text) bool { return n.V == s.Name.V })) {
			out = append(out, s)
		}
	}
	return out
}

// checkMatch checks that what is matched is mapped.
func (r *resolver) checkMatch(e *experimentDraft) {
	sources := r.impressionSources(e)
	if !e.given.good("match") || len(sources) == 0 || slices.ContainsFunc(sources, func(s *sourceDraft) bool { return s.given.has("preset") || s.columns == nil }) {
		return
	}
	for _, m := range []struct {
		name   string
		values []Text
	}{{"experiment", e.Match.Experiment}, {"flag", e.Match.Flag}} {
		if len(m.values) > 0 && !slices.ContainsFunc(sources, func(s *sourceDraft) bool { return s.columns.has(m.name) }) {
			r.diags.Errorf(m.values[0].Pos, "conflict", "no impressions source maps %s, so nothing can match it", m.name).
				WithHint("map %s under columns of the source", m.name)
		}
	}
}

func (r *resolver) checkVariations(e *experimentDraft) {
	called := experimentObject.called(e)
	keys := map[string]Text{}
	used := map[MatchValue]*Variation{} // by value: places are left out
	var baseline *Variation
	weights := 0
	for _, v := range e.Variations {
		if first, taken := keys[v.Key.V]; taken {
			r.diags.Errorf(v.Key.Pos, "duplicate-name", "%s has the variation %s twice, first in line %d", called, quoted(v.Key.V), first.Pos.Line).
				WithHint("give each variation a key of its own; several values of one go into match: [a, b]")
			continue
		}
		keys[v.Key.V] = v.Key
		for _, m := range v.Match {
			at := m.Pos
			m.Pos = diag.Pos{}
			switch other := used[m]; {
			case other == v:
				r.diags.Errorf(at, "duplicate-name", "%s matches %s twice", quoted(v.Key.V), quoted(m.Text)).
					WithHint("leave one of them out")
			case other != nil:
				r.diags.Errorf(at, "duplicate-name", "%s is matched by variation %s already", quoted(m.Text), quoted(other.Key.V)).
					WithHint("a variation without match matches its key")
			}
			used[m] = v
		}
		if v.Baseline {
			if baseline != nil {
				r.diags.Errorf(v.Pos, "conflict", "%s has two baselines, %s and %s", called, quoted(baseline.Key.V), quoted(v.Key.V)).
					WithHint("leave baseline: true at the one that the others are compared with")
			}
			baseline = v
		}
		if v.Weight.Set {
			weights++
		}
	}
	for _, t := range e.IgnoreVariations {
		if v := used[MatchValue{Text: t.V}]; v != nil {
			r.diags.Errorf(t.Pos, "conflict", "%s is ignored, and is what variation %s matches", quoted(t.V), quoted(v.Key.V)).
				WithHint("leave it out of ignore_variations, or out of the variations")
		}
	}
	if len(e.Variations) < 2 && e.Rule.V == "test" && e.given.clean("rule") {
		r.diags.Errorf(e.given["variations"].pos, "missing-field", "%s has one variation, and a test has two or more", called).
			WithHint("list the others too, or write rule: rollout")
	} else if baseline == nil && len(e.Variations) > 1 {
		said := r.diags.Errorf(e.given["variations"].pos, "missing-field", "%s has no baseline", called)
		said.WithHint("write baseline: true at one of the variations")
		for _, name := range []string{"control", "off", "baseline", "original", "default"} {
			if _, ok := keys[name]; ok {
				said.WithHint("write baseline: true at variation %s", quoted(name))
				break
			}
		}
	}
	r.checkWeights(e, weights)
	if e.HoldbackAs.Set {
		r.checkVariationName(e, e.HoldbackAs)
	}
	for _, p := range e.Compare.Pairs {
		r.checkVariationName(e, p.Variation)
		r.checkVariationName(e, p.To)
	}
	if e.given.good("phases") {
		for _, p := range e.Phases {
			r.checkPhaseWeights(e, p)
		}
	}
}

// checkWeights checks that all variations have weights or none, and not all are 0.
func (r *resolver) checkWeights(e *experimentDraft, weights int) {
	called := experimentObject.called(e)
	if weights > 0 && weights < len(e.Variations) {
		for _, v := range e.Variations {
			if !v.Weight.Set {
				r.diags.Errorf(v.Pos, "missing-field", "variation %s has no weight, and others of %s have", quoted(v.Key.V), called).
					WithHint("give all variations a weight, or none")
				return
			}
		}
	}
	zero := func(v *Variation) bool { return v.Weight.Set && v.Weight.V.Rat().Sign() == 0 }
	if len(e.Variations) > 0 && !slices.ContainsFunc(e.Variations, func(v *Variation) bool { return !zero(v) }) {
		r.diags.Errorf(e.Variations[0].Weight.Pos, "bad-number", "all weights of %s are 0", called).
			WithHint("weights are the planned shares, e.g. 50 and 50; leave them out where they are not known")
	}
}

// checkVariationName checks that a variation exists.
func (r *resolver) checkVariationName(e *experimentDraft, name Text) bool {
	var known []string
	for _, v := range e.Variations {
		known = append(known, v.Key.V)
	}
	if slices.Contains(known, name.V) {
		return true
	}
	said := r.diags.Errorf(name.Pos, "unknown-name", "%s has no variation %s", experimentObject.called(e), quoted(name.V))
	said.Hint = diag.DidYouMean(name.V, known)
	if said.Hint == "" {
		said.WithHint("its variations are %s", strings.Join(known, ", "))
	}
	return false
}

func (r *resolver) checkPhaseWeights(e *experimentDraft, p *Phase) {
	named := map[string]bool{}
	known := true
	for _, w := range p.Weights {
		known = r.checkVariationName(e, w.Variation) && known
		named[w.Variation.V] = true
	}
	if !known {
		return
	}
	for _, v := range e.Variations {
		if !named[v.Key.V] {
			r.diags.Errorf(p.Pos, "missing-field", "the phase has no weight for variation %s", quoted(v.Key.V)).WithHint("write 0 for a variation without units")
		}
	}
}

func (r *resolver) checkPhases(e *experimentDraft) {
	if e.given.has("pool") && !e.given.has("phases") {
		r.diags.Errorf(e.given["pool"].pos, "conflict", "pool says how phases become one result, and %s has no phases", experimentObject.called(e)).
			WithHint("write phases: [{start: …, weights: {…}}], or leave pool out")
	}
	if !e.given.good("phases") {
		return
	}
	for _, v := range e.Variations {
		if v.Weight.Set {
			r.diags.Errorf(v.Weight.Pos, "conflict", "variation %s has a weight of its own, and the phases of %s have weights", quoted(v.Key.V), experimentObject.called(e)).
				WithHint("leave it out: the weights of phases hold while they last")
		}
	}
	for i, p := range e.Phases {
		switch {
		case i > 0 && !p.Start.V.After(e.Phases[i-1].Start.V):
			r.diags.Errorf(p.Start.Pos, "bad-date", "the phases are not in the order of their starts").
				WithHint("sort them by start, each later than the one before")
		case i == 0 && e.Start.Set && p.Start.V.After(e.Start.V):
			r.diags.Errorf(p.Start.Pos, "bad-date", "the first phase starts after the experiment does").WithHint("write start: %s", e.given["start"].value.Value)
		case e.End.Set && !p.Start.V.Before(e.End.V):
			r.diags.Errorf(p.Start.Pos, "bad-date", "the phase starts after the experiment ends").
				WithHint("leave the phase out, or write a later end")
		}
	}
}

// checkOthers checks the names of other experiments, and of a units source for identities.
func (r *resolver) checkOthers(e *experimentDraft) {
	seen := map[string]bool{}
	for _, t := range e.ExcludeUnitsIn {
		other := r.otherExperiment(e, t)
		if seen[t.V] {
			r.diags.Errorf(t.Pos, "duplicate-name", "experiment %s is listed twice", quoted(t.V)).
				WithHint("leave one of them out")
		} else if other != nil {
			r.sameUnit(e, other, t)
		}
		seen[t.V] = true
	}
	if !e.Identity.Set {
		return
	}
	var found, known bool
	for _, s := range r.sources {
		if s.Role == RoleUnits {
			known = known || !s.columns.good("units")
			found = found || len(s.Columns.Units) > 1
		}
	}
	if !found && !known && len(r.sources) > 0 {
		r.diags.Errorf(e.Identity.Pos, "conflict", "identity joins ids through a units source, and no units source has two unit kinds").
			WithHint("add one under sources: units, with columns: {units: {device: anonymous_id, user: user_id}}")
	}
}

// otherExperiment finds an experiment that another one names.
func (r *resolver) otherExperiment(e *experimentDraft, name Text) *experimentDraft {
	if name.V == e.Key.V {
		r.diags.Errorf(name.Pos, "cycle", "%s names itself", experimentObject.called(e)).
			WithHint("name other experiments, or leave it out")
		return nil
	}
	var known []string
	for _, other := range r.experiments {
		if other.Key.V == name.V {
			return other
		}
		known = append(known, other.Key.V)
		if !other.Key.Set {
			return nil
		}
	}
	r.unknown(name, "experiment", known)
	return nil
}

func (r *resolver) sameUnit(e, other *experimentDraft, at Text) {
	if e.Unit.Set && other.Unit.Set && e.Unit.V != other.Unit.V {
		r.diags.Errorf(at.Pos, "conflict", "experiment %s is of unit %s, not %s", quoted(other.Key.V), other.Unit.V, e.Unit.V).
			WithHint("name an experiment of the same unit")
	}
}

func (r *resolver) checkSegments(e *experimentDraft) {
	if !e.given.clean("segments") {
		return
	}
	first := map[string]diag.Pos{}
	for _, s := range e.Segments {
		if before, taken := first[s.Key.V]; taken && s.Key.Set {
			r.diags.Errorf(s.Key.Pos, "duplicate-name", "segment %s is listed twice, first in line %d", quoted(s.Key.V), before.Line).
				WithHint("leave one of them out")
			continue
		}
		first[s.Key.V] = s.Key.Pos
		if s.Key.V == "overall" {
			r.diags.Errorf(s.Key.Pos, "bad-key", "a segment cannot be called overall, which is everybody").
				WithHint("everybody is computed without a segment; leave it out, or give it another key")
		}
		if !s.Experiment.Set {
			continue
		}
		if other := r.otherExperiment(e, s.Experiment); other != nil {
			r.sameUnit(e, other, s.Experiment)
			if other.Multiple.V == MultipleEach {
				r.diags.Errorf(s.Experiment.Pos, "conflict", "in experiment %s a unit may have several variations (multiple_variations: each), so it is no segment", quoted(other.Key.V)).
					WithHint("leave the segment out; units of one variation alone would be another population")
			}
		}
	}
	r.checkStratify(e, e.given["analysis"], e.Analysis.Stratify)
}

// checkStratify checks that strata are segments, where they are given for the experiment itself.
func (r *resolver) checkStratify(e *experimentDraft, given givenField, strata At[[]string]) {
	if given.value == nil || given.bad || !e.given.clean("segments") {
		return
	}
	var known []string
	for _, s := range e.Segments {
		known = append(known, s.Key.V)
	}
	for _, name := range strata.V {
		if slices.ContainsFunc(e.Segments, func(s *Segment) bool { return s.Key.V == name && s.FromEvents }) {
			r.diags.Errorf(strata.Pos, "conflict", "%s is a segment from events: units may be in several of its values, so these are no strata", quoted(name)).
				WithHint("stratify by an attribute of the exposure, or leave from: events out")
			continue
		}
		if !slices.Contains(known, name) {
			said := r.diags.Errorf(strata.Pos, "unknown-name", "%s has no segment %s to stratify by", experimentObject.called(e), quoted(name))
			if said.Hint = diag.DidYouMean(name, known); said.Hint == "" {
				said.WithHint("write segments: [%s]", name)
			}
		}
	}
}

// checkLooks checks that looks which are planned can be.
func (r *resolver) checkLooks(e *experimentDraft, peeking At[Peeking]) {
	if peeking.V.Method != "group" || e.End.Set || !e.given.clean("end") || r.looksAt[peeking.Pos] {
		return
	}
	r.looksAt[peeking.Pos] = true // once, however many metrics look so
	r.diags.Errorf(peeking.Pos, "missing-field", "peeking by group plans its looks up to the end, and %s has none", experimentObject.called(e)).
		WithHint("write when it ends, end: 2026-04-15, or peeking: always_valid")
}

// isRate reports whether a margin of the metric may be in percentage points.
func (m *metricDraft) isRate() bool {
	return m.Measure.V == Occurrence || m.Measure.V == Participation || m.Threshold != nil || m.given.has("funnel") || m.given.has("ratio")
}

// checkEntry checks one metric of an experiment.
func (r *resolver) checkEntry(e *experimentDraft, m *metricDraft, d entryDraft) {
	if units := m.RandomizationUnits; len(units) > 0 && e.Unit.Set && !slices.ContainsFunc(units, func(u Text) bool { return u.V == e.Unit.V }) {
		var names []string
		for _, u := range units {
			names = append(names, u.V)
		}
		r.diags.Errorf(d.pos, "conflict", "metric %s may be analysed by %s, and the experiment is by %s", quoted(m.Key.V), listing(names), e.Unit.V).
			WithHint("see randomization_units at %s", m.given["randomization_units"].pos)
	}
	if d.margin != nil && d.margin.Unit == MarginPoints && !m.isRate() && m.given.clean("measure", "threshold") {
		r.diags.Errorf(d.margin.Pos, "conflict", "a margin in percentage points is for rates, and %s is none", quoted(m.Key.V)).
			WithHint("write 2%% of the baseline, or a number in the metric's own unit")
	}
	if d.margin != nil && d.margin.Unit == MarginAbsolute && m.isRate() && !m.given.has("ratio") && d.margin.Value.Float() >= 1 {
		r.diags.Warnf(d.margin.Pos, "likely-mistake", "%s is a share of units, and no share is worse by %s", quoted(m.Key.V), d.margin.Value).
			WithHint("write %[1]s%% of the baseline, or %[1]spp for percentage points", d.margin.Value)
	}
	if d.given != nil {
		r.checkCUPED(m, d.analysis)
		r.checkStratify(e, givenField{value: d.given["stratify"].value, bad: d.given["stratify"].bad}, d.analysis.Stratify)
	}
	own := d.analysis.CUPED
	if !own.Set {
		own = m.Analysis.CUPED
	}
	if own.Set && own.V.Days > 0 && slices.ContainsFunc(e.Segments, func(s *Segment) bool { return s.FromEvents }) {
		r.diags.Errorf(own.Pos, "conflict", "cuped is not possible in %s, which has segments from events", experimentObject.called(e)).
			WithHint("write cuped: off at the metric's entry in the experiment")
	}
}
