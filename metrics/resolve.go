package metrics

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// resolver turns what the files say into definitions: it joins the files,
// applies like and defaults, looks names up, expands groups, and has
// everything checked.
type resolver struct {
	diags *diag.List
	defs  *Definitions
	files []*fileDraft
	// partial means that a file or an entry with an unknown name was lost, so
	// that a name that is not found may only be misspelt elsewhere.
	partial bool

	sources     []*sourceDraft
	metrics     []*metricDraft
	byKey       map[string]*metricDraft
	groups      map[string]*Group
	experiments []*experimentDraft
	defaults    defaultsDraft
	// looksAt are the places where looks were refused.
	looksAt map[diag.Pos]bool
}

func (r *resolver) resolve() {
	r.joinSources()
	r.joinRegistry()
	r.joinSettings()
	r.joinMetrics()
	for _, m := range r.metrics {
		r.takeOver(m)
	}
	for _, m := range r.metrics {
		r.applyDefaults(m)
		r.resolveSides(m)
	}
	for _, m := range r.metrics {
		r.checkMetric(m)
	}
	r.expandGroups()
	r.joinExperiments()
	for _, e := range r.experiments {
		r.resolveExperiment(e)
	}
	for _, e := range r.experiments {
		r.checkExperiment(e)
	}
	r.checkPowers()
	if r.diags.HasErrors() {
		return
	}
	r.checkIdleExact()
	for _, m := range r.metrics {
		m.Definition = metricDefinition(m)
		m.Version = metricMeaning(&m.Metric, r.defs.Registry).version()
	}
	for _, e := range r.experiments {
		e.Definition = experimentDefinition(e)
		e.Version = experimentMeaning(&e.Experiment).version()
	}
}

// unknown says that a name is not there, unless it may have been lost with
// something that was reported already.
func (r *resolver) unknown(at Text, what string, known []string) *diag.Diagnostic {
	if r.partial {
		return new(diag.Diagnostic)
	}
	said := r.diags.Errorf(at.Pos, "unknown-name", "there is no %s %s", what, quoted(at.V))
	if said.Hint = diag.Suggest(what+"s", at.V, known); said.Hint == "" {
		said.Hint = "none is defined in these files"
	}
	return said
}

// twice says that a name is taken, and where.
func (r *resolver) twice(what string, name Text, first diag.Pos) {
	r.diags.Errorf(name.Pos, "duplicate-name", "%s %s is defined twice, first at %s", what, quoted(name.V), first).
		WithHint("give one of them another name, or leave it out")
}

func (r *resolver) joinSources() {
	names := map[string]diag.Pos{}
	for _, f := range r.files {
		for _, part := range []struct {
			drafts []sourceDraft
			into   *[]*Source
		}{
			{f.sources.impressions, &r.defs.Sources.Impressions},
			{f.sources.events, &r.defs.Sources.Events},
			{f.sources.units, &r.defs.Sources.Units},
			{f.sources.exclude, &r.defs.Sources.ExcludeUnits},
		} {
			for i := range part.drafts {
				s := &part.drafts[i]
				*part.into = append(*part.into, &s.Source)
				r.sources = append(r.sources, s)
				if first, taken := names[s.Name.V]; taken && s.Name.Set {
					r.twice("source", s.Name, first)
				} else {
					names[s.Name.V] = s.Name.Pos
				}
				r.checkSource(s)
			}
		}
	}
}

func (r *resolver) joinRegistry() {
	reg := &r.defs.Registry
	var mode At[string]
	known := map[string]diag.Pos{}
	for _, f := range r.files {
		if !f.given.has("events") {
			continue
		}
		if m := f.registry.mode; m.Set {
			if mode.Set && mode.V != m.V {
				r.diags.Errorf(m.Pos, "conflict", "the registry is %s here and %s at %s", m.V, mode.V, mode.Pos).
					WithHint("a registry is open or closed for all files: leave one of them out")
			}
			mode = m
		}
		if !reg.Pos.IsValid() {
			reg.Pos = f.given["events"].pos
		}
		for _, e := range f.registry.events {
			if first, taken := known[e.Key.V]; taken && e.Key.Set {
				r.twice("event", e.Key, first)
				continue
			}
			known[e.Key.V] = e.Key.Pos
			if e.Key.V == "any" || e.Key.V == "impression" {
				r.diags.Errorf(e.Key.Pos, "bad-key", "an event cannot be called %s, which has a meaning of its own in event", e.Key.V).
					WithHint("rename it in the export, or map another column as event")
			}
			for _, p := range e.Properties {
				if p.Scale.Set && p.Type.Set && p.Type.V != TypeNumber && p.Type.V != TypeInteger {
					r.diags.Errorf(p.Scale.Pos, "conflict", "property %s is a %s, which has no scale", quoted(p.Name.V), p.Type.V).
						WithHint("scale goes with number and integer")
				}
			}
			reg.Events = append(reg.Events, e)
		}
	}
	reg.Closed = mode.V == "closed"
}

func (r *resolver) joinSettings() {
	first := map[string]diag.Pos{}
	once := func(f *fileDraft, name string) bool {
		if !f.given.has(name) {
			return false
		}
		pos := f.given[name].pos
		if before, taken := first[name]; taken {
			r.diags.Errorf(pos, "duplicate-name", "%s is given in two files, first at %s", quoted(name), before).
				WithHint("put both into one file")
			return false
		}
		first[name] = pos
		return true
	}
	for _, f := range r.files {
		if once(f, "defaults") {
			r.defaults = f.defaults
		}
		if once(f, "output") {
			r.defs.Output = f.output
		}
		if once(f, "state") {
			r.defs.State = f.state
		}
	}
}

func (r *resolver) joinMetrics() {
	r.byKey = map[string]*metricDraft{}
	r.groups = map[string]*Group{}
	taken := map[string]diag.Pos{}
	for _, f := range r.files {
		if f.given["metrics"].lost(len(f.metrics)) || f.given["metric_groups"].bad {
			r.partial = true
		}
		for i := range f.metrics {
			m := &f.metrics[i]
			r.metrics = append(r.metrics, m)
			r.defs.Metrics = append(r.defs.Metrics, &m.Metric)
			switch first, is := taken[m.Key.V]; {
			case !m.Key.Set, !keyPattern.MatchString(m.Key.V):
				r.partial = true
			case is:
				r.twice("metric", m.Key, first)
				r.partial = true // its own key may be the one that is missed
			default:
				taken[m.Key.V] = m.Key.Pos
				r.byKey[m.Key.V] = m
			}
		}
	}
	for _, f := range r.files {
		for _, g := range f.groups {
			if first, is := taken[g.Key.V]; is {
				what := "metric group"
				if r.byKey[g.Key.V] != nil {
					r.diags.Errorf(g.Key.Pos, "duplicate-name", "%s is the key of a metric too, at %s", quoted(g.Key.V), first).
						WithHint("metrics and groups share one name space")
					continue
				}
				r.twice(what, g.Key, first)
				continue
			}
			if !keyPattern.MatchString(g.Key.V) {
				r.diags.Errorf(g.Key.Pos, "bad-key", "%s is not a key: a key has small letters, digits and _, and starts with a letter", quoted(g.Key.V)).
					WithHint("write %s", snake(g.Key.V))
			}
			taken[g.Key.V] = g.Key.Pos
			group := &Group{Key: g.Key, Metrics: g.Value}
			r.groups[g.Key.V] = group
			r.defs.Groups = append(r.defs.Groups, group)
		}
	}
}

// metricNames are the keys of metrics and, if asked for, the names of groups.
func (r *resolver) metricNames(groups bool) []string {
	var out []string
	for k := range r.byKey {
		out = append(out, k)
	}
	if groups {
		for k := range r.groups {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// lookUp finds a metric; what says where the name stands.
func (r *resolver) lookUp(name Text, what string) *metricDraft {
	if m := r.byKey[name.V]; m != nil {
		return m
	}
	if r.groups[name.V] != nil {
		r.diags.Errorf(name.Pos, "unknown-name", "%s is a metric group, and %s is one metric", quoted(name.V), what).
			WithHint("name one of its metrics")
		return nil
	}
	r.noMetric(name)
	return nil
}

// noMetric says that neither a metric nor a group has the name.
func (r *resolver) noMetric(name Text) {
	said := r.unknown(name, "metric", r.metricNames(true))
	if r.defs.Registry.Event(name.V) != nil {
		said.WithHint("%s is an event; a metric of it needs an entry under metrics", quoted(name.V))
	}
}

// takeOver follows like: fields of the named metric are taken over where the
// metric does not give them. A key, a name and a description are a metric's
// own and are not taken over.
func (r *resolver) takeOver(m *metricDraft) {
	if m.resolved || m.resolving {
		return
	}
	m.resolving = true
	defer func() { m.resolving, m.resolved = false, true }()
	for _, s := range []sideDraft{m.ratio.numerator, m.ratio.denominator} {
		if s.body != nil {
			r.takeOver(s.body)
		}
	}
	if m.given.has("like") {
		r.followLike(m)
	}
}

// followLike takes over the fields of the metric that like names. Where there
// is none, what it might have given is not missed.
func (r *resolver) followLike(m *metricDraft) {
	var parent *metricDraft
	if m.given.good("like") {
		parent = r.lookUp(m.Like, "like")
	}
	if parent == nil {
		m.given[mergeKey] = givenField{bad: true}
		return
	}
	if parent.resolving {
		m.given[mergeKey] = givenField{bad: true}
		r.diags.Errorf(m.Like.Pos, "cycle", "like goes round in a circle: %s", r.likeChain(m)).
			WithHint("one of them stands on its own: leave like out there, and write its fields")
		return
	}
	r.takeOver(parent)
	if parent.given.has(mergeKey) {
		m.given[mergeKey] = givenField{bad: true}
	}
	for _, f := range metricObject.fields {
		if slices.Contains([]string{"key", "name", "description", "like"}, f.name) {
			continue
		}
		if m.inline && !slices.Contains(bodyFields, f.name) {
			continue
		}
		m.take(f, parent, givenField{pos: m.Like.Pos, at: m.Like.Pos, via: "like"})
	}
}

// likeChain spells the circle that starts at m.
func (r *resolver) likeChain(m *metricDraft) string {
	var chain []string
	for at := m; at != nil && len(chain) <= len(r.metrics); at = r.byKey[at.Like.V] {
		chain = append(chain, at.Key.V)
		if len(chain) > 1 && at == m {
			break
		}
	}
	return strings.Join(chain, " → ")
}

// take copies one field where m does not give it. Statistical options are
// merged one by one.
func (m *metricDraft) take(f field[metricDraft], from *metricDraft, as givenField) {
	if !from.given.has(f.name) {
		return
	}
	if f.name == "analysis" && m.given.has("analysis") {
		m.Analysis = from.Analysis.Merge(m.Analysis)
		m.given["analysis"] = mergeNodes(from.given["analysis"], m.given["analysis"])
		return
	}
	if m.given.has(f.name) {
		return
	}
	f.copy(m, from)
	as.value, as.bad = from.given[f.name].value, from.given[f.name].bad
	m.given[f.name] = as
}

// mergeNodes is over with the keys of under that it does not have.
func mergeNodes(under, over givenField) givenField {
	if under.value.Kind != yaml.MappingNode || over.value.Kind != yaml.MappingNode {
		return over
	}
	merged := *over.value
	merged.Content = slices.Clone(merged.Content)
	pairs(under.value, func(k, v *yaml.Node) {
		has := false
		pairs(over.value, func(o, _ *yaml.Node) { has = has || o.Value == k.Value })
		if !has {
			merged.Content = append(merged.Content, k, v)
		}
	})
	over.value = &merged
	return over
}

// applyDefaults takes over what defaults say of metrics, where it can stand.
// Options of analysis are merged where they take effect, in an experiment.
func (r *resolver) applyDefaults(m *metricDraft) {
	from := &r.defaults.metric
	for _, f := range metricObject.fields {
		g, ok := from.given[f.name]
		if !ok || f.name == "analysis" || m.given.has(f.name) || m.refuses(f.name) != "" {
			continue
		}
		if m.inline && !slices.Contains(bodyFields, f.name) {
			continue
		}
		if f.name == "units_without_events" && from.WithoutEvents.Exclude && m.countsEveryUnit() {
			continue
		}
		m.take(f, from, givenField{pos: g.pos, at: g.at, via: "defaults"})
	}
	for _, s := range []sideDraft{m.ratio.numerator, m.ratio.denominator} {
		if s.body != nil {
			r.applyDefaults(s.body)
		}
	}
	m.WaitForWindow.V = m.WaitForWindow.V || !m.WaitForWindow.Set && m.Window.From > 0
	if !m.PerUnit.Set {
		m.PerUnit.V = Sum
	}
	if !m.Statistic.Set {
		m.Statistic.V = "mean"
	}
	if !m.WithoutEvents.Set {
		m.WithoutEvents.Number = "0"
	}
}

// resolveSides looks up the sides of a ratio.
func (r *resolver) resolveSides(m *metricDraft) {
	if !m.given.has("ratio") {
		return
	}
	d := m.ratio
	m.Ratio = &Ratio{NumeratorWithin: d.within, Pos: d.pos}
	for _, s := range []struct {
		draft sideDraft
		into  **Metric
	}{{d.numerator, &m.Ratio.Numerator}, {d.denominator, &m.Ratio.Denominator}} {
		switch {
		case s.draft.body != nil:
			*s.into = &s.draft.body.Metric
		case s.draft.key.Set:
			if side := r.lookUp(s.draft.key, "a side of a ratio"); side != nil {
				*s.into = &side.Metric
			}
		}
	}
}

func (r *resolver) joinExperiments() {
	taken := map[string]diag.Pos{}
	for _, f := range r.files {
		if f.given["experiments"].lost(len(f.experiments)) {
			r.partial = true
		}
		for i := range f.experiments {
			e := &f.experiments[i]
			r.experiments = append(r.experiments, e)
			r.defs.Experiments = append(r.defs.Experiments, &e.Experiment)
			if first, is := taken[e.Key.V]; is && e.Key.Set {
				r.twice("experiment", e.Key, first)
			} else {
				taken[e.Key.V] = e.Key.Pos
			}
		}
	}
}

// resolveExperiment applies defaults and finds the metrics.
func (r *resolver) resolveExperiment(e *experimentDraft) {
	from := &r.defaults.experiment
	for _, f := range experimentObject.fields {
		g, ok := from.given[f.name]
		switch {
		case !ok || f.name == "analysis":
			continue
		case f.name == "metrics" && e.given.has("metrics"):
			e.roles.under(from.roles)
			e.given["metrics"] = mergeNodes(g, e.given["metrics"])
		case !e.given.has(f.name):
			f.copy(e, from)
			e.given[f.name] = givenField{pos: g.pos, value: g.value, at: g.at, bad: g.bad, via: "defaults"}
		}
	}
	if !e.Rule.Set {
		e.Rule.V = "test"
	}
	if !e.Multiple.Set {
		e.Multiple.V = MultipleExclude
	}
	if len(e.Phases) > 0 && !e.PhasePool.Set {
		e.PhasePool.V = "stratify"
	}
	e.Variations = slices.Clone(e.Variations) // those of defaults belong to several experiments
	for i, v := range e.Variations {
		if len(v.Match) == 0 && v.Key.Set {
			own := *v
			own.Match = []MatchValue{{Text: v.Key.V, Pos: v.Key.Pos}}
			e.Variations[i] = &own
		}
	}
	own := e.Analysis
	base := DefaultAnalysis().Merge(r.defaults.analysis).Merge(from.Analysis)
	e.Analysis = base.Merge(own)
	e.Analysis.Pos = own.Pos
	r.resolveEntries(e, base.Merge(r.defaults.metric.Analysis).Merge(own))
}

// under takes over the roles that are not given.
func (d *rolesDraft) under(from rolesDraft) {
	for _, f := range rolesObject.fields {
		if g, ok := from.given[f.name]; ok && !d.given.has(f.name) {
			f.copy(d, &from)
			d.given[f.name] = g
		}
	}
}

// resolveEntries expands the entries of an experiment's metrics. A metric
// that a group names and the experiment names itself stands where the
// experiment names it. The options of a metric and of its entry go over base.
func (r *resolver) resolveEntries(e *experimentDraft, base Analysis) {
	named := map[string]diag.Pos{}
	type roleOf struct {
		role    Role
		entries []entryDraft
	}
	roles := []roleOf{{Primary, e.roles.primary}, {Secondary, e.roles.secondary}, {Guardrail, e.roles.guardrails}}
	for _, part := range roles {
		for _, d := range part.entries {
			if r.groups[d.metric.V] != nil || !d.metric.Set {
				continue
			}
			if first, is := named[d.metric.V]; is {
				r.diags.Errorf(d.metric.Pos, "duplicate-name", "metric %s stands twice in %s, first at %s", quoted(d.metric.V), experimentObject.called(e), first).
					WithHint("leave one of them out; a metric has one role in an experiment")
			} else {
				named[d.metric.V] = d.metric.Pos
			}
		}
	}
	added := map[string]bool{}
	for _, part := range roles {
		for _, d := range part.entries {
			add := func(m *metricDraft) {
				if added[m.Key.V] {
					return
				}
				added[m.Key.V] = true
				analysis := base.Merge(m.Analysis).Merge(d.analysis)
				e.Metrics = append(e.Metrics, &ExperimentMetric{Metric: &m.Metric, Role: part.role, Margin: d.margin, Analysis: analysis, Pos: d.pos})
				r.checkEntry(e, m, d)
				r.checkLooks(e, analysis.Peeking)
			}
			g := r.groups[d.metric.V]
			switch {
			case !d.metric.Set:
			case g == nil && r.byKey[d.metric.V] == nil:
				r.noMetric(d.metric)
			case g == nil:
				add(r.byKey[d.metric.V])
			default:
				for _, k := range g.Metrics {
					if _, own := named[k.V]; !own {
						add(r.byKey[k.V])
					}
				}
			}
		}
	}
}

// lost reports whether a list has items that could not be read at all, of
// which there are read others.
func (g givenField) lost(read int) bool {
	return g.bad && (g.value == nil || len(g.value.Content) != read)
}

// origin says where a field came from, for messages.
func (g givenField) origin() string {
	switch g.via {
	case "":
		return ""
	case "like":
		return " (taken over by like)"
	default:
		return fmt.Sprintf(" (from %s)", g.via)
	}
}
