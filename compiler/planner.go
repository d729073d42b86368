package compiler

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// PlanOptions is what a run adds to the definitions.
type PlanOptions struct {
	AsOf time.Time
	// Experiments and Metrics select by key; empty: all, but for drafts and
	// archived experiments.
	Experiments, Metrics []string
	// Unsplit: metrics are not split by the values of properties.
	Unsplit bool
	// Everybody: there are no sums by segments from events.
	Everybody bool
	// Waterfall: the sums also say which numbers of units are capped.
	Waterfall bool
	// MostBeside is how many measures are counted beside each other before their
	// sums are bundled; 0: as many as is fast.
	MostBeside int
}

// NewPlan turns definitions and a catalog into a plan. Mistakes that only show
// against the catalog (an attribute that no source has, a unit kind without
// events) are in the list; with an error in it the plan is not complete.
func NewPlan(defs *metrics.Definitions, cat *Catalog, opts PlanOptions) (*Plan, diag.List) {
	p := &planner{defs: defs, cat: cat, opts: opts, parsed: map[*metrics.Metric]*Measure{}}
	plan := &Plan{AsOf: opts.AsOf, Excluded: cat.Excluded}
	byKind := map[string]*UnitPlan{}
	for _, e := range defs.Experiments {
		if !p.selected(e) {
			continue
		}
		u := byKind[e.Unit.V]
		if u == nil {
			u = &UnitPlan{Kind: e.Unit.V, AsOf: opts.AsOf, Registry: defs.Registry, TraitSources: cat.traitSources(e.Unit.V), Waterfall: opts.Waterfall}
			byKind[e.Unit.V] = u
			plan.Units = append(plan.Units, u)
		}
		p.experiment(u, e)
	}
	for _, u := range plan.Units {
		p.others(u)
	}
	for _, u := range plan.Units {
		for _, x := range u.Experiments {
			p.activation(u, x)
		}
		clear(p.parsed)
		p.metrics(u)
		u.inBundles(opts.MostBeside)
	}
	return plan, p.list
}

// CheckExpressions parses every expression of the file, without data.
func CheckExpressions(defs *metrics.Definitions) diag.List {
	p := &planner{defs: defs, alone: true, parsed: map[*metrics.Metric]*Measure{}}
	for _, m := range defs.Metrics {
		sides := []*metrics.Metric{m}
		if m.Ratio != nil {
			sides = []*metrics.Metric{m.Ratio.Numerator, m.Ratio.Denominator}
		}
		for _, side := range sides {
			switch {
			case side == nil:
			case side.Funnel != nil:
				p.steps(&UnitPlan{}, side, side.Label())
			case side.Measure.V != "":
				p.measure(&UnitPlan{}, side, side.Label())
			}
		}
	}
	for _, e := range defs.Experiments {
		if e.Where.IsSet() {
			Parse(e.Where, &audienceScope{alone: true}, BooleanType, &p.list)
		}
		if f := e.Activation; f != nil && f.Where.IsSet() {
			p.measure(&UnitPlan{}, &metrics.Metric{Event: f.Event, Where: f.Where}, "activation")
		}
	}
	return p.list
}

type planner struct {
	defs   *metrics.Definitions
	cat    *Catalog
	opts   PlanOptions
	alone  bool
	list   diag.List
	parsed map[*metrics.Metric]*Measure // of the current unit plan; nil values failed
	// splitBy is the property that the rows of measures are split by now; unset: none.
	splitBy metrics.Text
	// segmentBy is the attribute that they are broken down by now; nil: none.
	segmentBy *Segment
}

func (p *planner) selected(e *metrics.Experiment) bool {
	if len(p.opts.Experiments) > 0 {
		return slices.Contains(p.opts.Experiments, e.Key.V)
	}
	return e.Status.V != "draft" && e.Status.V != "archived"
}

func (u *UnitPlan) needAttributes(e *Expression) {
	for _, r := range e.Refs {
		switch r.Kind {
		case RefExposure:
			u.Attributes = appendNew(u.Attributes, r.Name)
		case RefUnit:
			u.Traits = appendNew(u.Traits, r.Name)
		}
	}
}

// before is a plan for the events of the same units that the windows of others
// are counted from.
func (u *UnitPlan) before() *UnitPlan {
	return &UnitPlan{Kind: u.Kind, AsOf: u.AsOf, Registry: u.Registry, TraitSources: u.TraitSources, Identity: u.Identity}
}

// needsOf takes over what such a plan needs of the exposures.
func (u *UnitPlan) needsOf(before *UnitPlan) {
	for _, a := range before.Attributes {
		u.Attributes = appendNew(u.Attributes, a)
	}
	for _, name := range before.Traits {
		u.Traits = appendNew(u.Traits, name)
	}
}

func (p *planner) metrics(u *UnitPlan) {
	for _, x := range u.Experiments {
		for _, em := range x.Def.Metrics {
			if len(p.opts.Metrics) > 0 && !slices.Contains(p.opts.Metrics, em.Metric.Key.V) {
				continue
			}
			m := em.Metric
			if kinds := m.RandomizationUnits; len(kinds) > 0 && !containsText(kinds, u.Kind) {
				p.list.Errorf(em.Pos, "randomization-unit", "metric %q may not be analysed by %s", m.Key.V, u.Kind).
					WithHint("its randomization_units are %s", joinTexts(kinds))
				continue
			}
			if m.Funnel != nil {
				first := len(x.Metrics)
				for i, t := range p.funnel(u, m) {
					x.Metrics = append(x.Metrics, &MetricPlan{Def: em, Kind: stats.Mean, Tally: t, Step: i + 1})
				}
				p.splits(u, x, x.Metrics[first:])
				p.bySegment(u, x, x.Metrics[first:])
				continue
			}
			if t := p.tally(u, em, covariateDays(x.Def, em)); t != nil {
				kind := stats.Mean
				switch {
				case t.Percentile != nil:
					kind = stats.Percentile
				case t.Y != nil:
					kind = stats.Ratio
				}
				x.Metrics = append(x.Metrics, &MetricPlan{Def: em, Kind: kind, Tally: t})
				p.splits(u, x, x.Metrics[len(x.Metrics)-1:])
				p.bySegment(u, x, x.Metrics[len(x.Metrics)-1:])
			}
		}
	}
	slices.Sort(u.Attributes)
	slices.Sort(u.Traits)
	slices.Sort(u.Assigned)
}

// tally plans the sums of a metric; nil where it has a mistake.
func (p *planner) tally(u *UnitPlan, em *metrics.ExperimentMetric, days int) *Tally {
	m := em.Metric
	if m.Over.Set {
		return p.overGroups(u, em)
	}
	t := &Tally{Name: m.Key.V, Percentile: percentileOf(em)}
	if m.Ratio == nil {
		t.X = p.unitValue(u, m, m.Key.V)
		if t.X == nil {
			return nil
		}
		t.Exclude = m.WithoutEvents.Exclude
		if t.uncapped = p.withoutEvents(m, t.X); t.uncapped == nil {
			return nil
		}
		t.WithoutX = t.X.without(t.uncapped)
		t.wait(t.X, m)
		return p.withCovariates(u, t, stats.Mean, days)
	}
	if m.Ratio.NumeratorWithin.Set {
		t.Y = p.side(u, m, m.Ratio.Denominator, "denominator")
		t.X = p.within(u, m, t.Y)
	} else {
		t.X = p.side(u, m, m.Ratio.Numerator, "numerator")
		t.Y = p.side(u, m, m.Ratio.Denominator, "denominator")
	}
	if t.X == nil || t.Y == nil {
		return nil
	}
	t.Exclude = m.WithoutEvents.Exclude
	t.KeepsAbsent = t.Y.Threshold != nil && t.Y.Threshold.Of(new(big.Int)).Sign() != 0
	t.WithoutX, t.WithoutY = t.X.without(new(big.Int)), t.Y.without(new(big.Int))
	t.wait(t.X, m.Ratio.Numerator)
	t.wait(t.Y, m.Ratio.Denominator)
	return p.withCovariates(u, t, stats.Ratio, days)
}

// withCovariates adds a tally, with covariates of so many days.
func (p *planner) withCovariates(u *UnitPlan, t *Tally, kind stats.Kind, days int) *Tally {
	opt := stats.DefaultOptions()
	if opt.CUPED = days > 0; opt.CUPED && !p.covariates(u, t, days) {
		return nil
	}
	t.Need = stats.NeedOf(kind, opt)
	return u.addTally(t)
}

// funnel plans the sums of each step.
func (p *planner) funnel(u *UnitPlan, m *metrics.Metric) []*Tally {
	var out []*Tally
	for i, n := range p.steps(u, m, m.Key.V) {
		name := fmt.Sprintf("%s step %d", m.Key.V, i+1)
		t := &Tally{Name: name, Need: stats.NeedOf(stats.Mean, stats.DefaultOptions()), X: p.valueOf(u, m, n, name)}
		t.WithoutX = t.X.without(new(big.Int))
		t.wait(t.X, m)
		out = append(out, u.addTally(t))
	}
	return out
}

func (p *planner) side(u *UnitPlan, m, side *metrics.Metric, word string) *UnitValue {
	return p.unitValue(u, side, sideName(m, side, word))
}

func sideName(m, side *metrics.Metric, word string) string {
	if side.Key.V != "" {
		return side.Key.V
	}
	return m.Key.V + " " + word
}

func (t *Tally) wait(v *UnitValue, m *metrics.Metric) {
	w := Wait{After: v.Measure.After, Over: m.WaitForWindow.V}
	if w.Over {
		w.Window = v.Measure.Window
	}
	if w != (Wait{}) {
		t.Waits = appendNew(t.Waits, w)
	}
}

func (u *UnitPlan) addTally(t *Tally) *Tally {
	parts := []string{t.X.id}
	if t.Y != nil {
		parts = append(parts, t.Y.id)
	}
	for _, w := range t.Waits {
		parts = append(parts, w.text())
	}
	if t.Exclude {
		parts = append(parts, "exclude")
	} else {
		parts = append(parts, fmt.Sprint(t.WithoutX))
	}
	if t.Percentile != nil {
		parts = append(parts, fmt.Sprintf("percentile %s within %v", t.Percentile.Share, t.Percentile.Z))
	}
	for _, v := range []*UnitValue{t.P, t.Q} {
		if v != nil {
			parts = append(parts, "before exposure "+v.id)
		}
	}
	t.id = strings.Join(parts, " | ")
	for _, have := range u.Tallies {
		if have.id == t.id {
			return have
		}
	}
	name := t.Name
	for i := 2; slices.ContainsFunc(u.Tallies, func(have *Tally) bool { return have.Name == t.Name }); i++ {
		t.Name = fmt.Sprintf("%s (%d)", name, i)
	}
	u.Tallies = append(u.Tallies, t)
	return t
}

// measure plans the rows of a metric that count; nil where it has a mistake.
func (p *planner) measure(u *UnitPlan, m *metrics.Metric, name string) *Measure {
	if have, done := p.parsed[m]; done {
		return have
	}
	p.parsed[m] = nil
	errors := len(p.list)
	n := &Measure{Name: name, Metric: m, Window: m.Window}
	n.Window.Pos, n.Window.HasFrom = diag.Pos{}, m.Window.From != 0 // however it is written
	n.Events, n.Any = p.eventsOf(m.Event)
	scope := &metricScope{registry: p.defs.Registry, events: n.Events, alone: p.alone, exposures: u.Impressions, traits: u.TraitSources}
	switch {
	case p.alone:
	case m.Event.Impression:
		n.Sources, scope.sources = []*Source{u.keptImpressions()}, u.Impressions
	default:
		n.Sources = p.eventSources(u, m)
		if len(n.Sources) == 0 {
			p.list.Errorf(m.Pos, "no-source", "no source of events has the unit kind %q", u.Kind).
				WithHint("map %s under columns: units of a source of events", u.Kind)
			return nil
		}
		scope.sources = n.Sources
	}
	if m.Where.IsSet() {
		n.Where, _ = Parse(m.Where, scope, BooleanType, &p.list)
	}
	if m.Measure.V == metrics.Value {
		src := m.Value
		if !src.IsSet() {
			src = metrics.Expr{Src: "value", Pos: m.Measure.Pos}
		}
		want := NumberType
		if m.PerUnit.V == metrics.CountDistinct {
			want = NilType
		}
		n.Value, _ = Parse(src, scope, want, &p.list)
		n.Averaged = m.PerUnit.V == metrics.Average
	}
	if p.list[errors:].HasErrors() || p.alone {
		return nil
	}
	if m.Over.Set && !meanOfRows(m, n) {
		n.Group = &Grouping{OnlyCounted: m.Over.V == overEvents && m.Measure.V == metrics.Value}
		if m.Over.V != overEvents {
			n.Group.Property = m.Over.V
			if d := scope.inBag("event property", m.Over.V, n.Sources, func(s *Source) Bag { return s.Properties }); d != nil {
				d.Pos = m.Over.Pos
				p.list = append(p.list, *d)
				return nil
			}
		}
	}
	if p.splitBy.Set && !p.splitMeasure(n, m, scope) {
		return nil
	}
	if p.segmentBy != nil {
		p.segmentMeasure(u, n)
	}
	if m.After != nil {
		if n.After = p.after(u, m); n.After == nil {
			return nil
		}
	}
	n.Decimals = p.decimals(m, n)
	n.id = n.text()
	for _, e := range []*Expression{n.Where, n.Value} {
		if e == nil {
			continue
		}
		u.needAttributes(e)
		if m.Event.Impression && !p.ofImpressions(u, e, m) {
			return nil
		}
	}
	n = u.addMeasure(n)
	p.parsed[m] = n
	return n
}

// eventsOf are the keys that a selector is about, in alphabetical order; any
// reports whether all others are meant too.
func (p *planner) eventsOf(sel metrics.EventSelector) (keys []string, any bool) {
	if sel.Impression {
		return []string{impressionEvent}, false
	}
	for _, k := range sel.Keys {
		keys = appendNew(keys, k.V)
	}
	if sel.Any {
		for _, e := range p.defs.Registry.Events {
			keys = appendNew(keys, e.Key.V)
		}
	}
	slices.Sort(keys)
	return keys, sel.Any && !p.defs.Registry.Closed
}

// eventSources are a metric's sources with rows of the units.
func (p *planner) eventSources(u *UnitPlan, m *metrics.Metric) []*Source {
	return slices.DeleteFunc(p.ownSources(m), func(s *Source) bool { return !u.reaches(s) })
}

// ownSources are a metric's sources of events, whatever units their rows are of.
func (p *planner) ownSources(m *metrics.Metric) []*Source {
	var out []*Source
	for _, s := range p.cat.Events {
		if len(m.Source) == 0 || containsText(m.Source, s.Def.Name.V) {
			out = append(out, s)
		}
	}
	return out
}

// addMeasure adds a measure to the passes over its sources, or gives the same
// of an earlier metric. Its name becomes one that no other measure has.
func (u *UnitPlan) addMeasure(n *Measure) *Measure {
	taken := sqlast.Names{}
	for _, scan := range u.Scans {
		for _, have := range scan.Measures {
			if have.id == n.id {
				return have
			}
			taken.Add(have.Name)
		}
	}
	n.Name = keyed(taken, n.Name)
	for _, s := range n.Sources {
		scan := u.scan(s)
		scan.Measures = append(scan.Measures, n)
	}
	return n
}

func (u *UnitPlan) scan(s *Source) *Scan {
	for _, have := range u.Scans {
		if have.Source == s {
			return have
		}
	}
	u.Scans = append(u.Scans, &Scan{Source: s})
	return u.Scans[len(u.Scans)-1]
}

// text is the measure's identity: equal for measures with the same rows and values.
func (n *Measure) text() string {
	var names []string
	for _, s := range n.Sources {
		names = append(names, s.Def.Name.V)
	}
	parts := []string{n.EventsText(), "from " + strings.Join(names, ", ")}
	if n.Value != nil {
		parts = append(parts, n.valueText())
	}
	if n.Where != nil {
		parts = append(parts, "where "+n.Where.String())
	}
	if n.Group != nil {
		parts = append(parts, "in groups "+n.Group.text())
	}
	if n.SplitBy != "" {
		parts = append(parts, "split by "+n.SplitBy)
	}
	if n.SegmentBy != "" {
		parts = append(parts, "in segments of "+n.SegmentBy)
	}
	return strings.Join(append(parts, n.window().text()), "; ")
}

// unit gives the id column of a unit kind, or nil.
func (s *Source) unit(kind string) *UnitField {
	for i := range s.Units {
		if s.Units[i].Kind == kind {
			return &s.Units[i]
		}
	}
	return nil
}

// field gives the stored field of a name of an event row.
func (s *Source) field(r Ref) (Field, bool) {
	switch r.Kind {
	case RefValue:
		if s.Value == nil {
			return Field{}, false
		}
		return *s.Value, true
	case RefProperty:
		return s.Properties.Lookup(r.Name)
	case RefAttribute:
		return s.Attributes.Lookup(r.Name)
	case RefEvent:
		return s.Event, true
	case RefUnitID:
		if u := s.unit(r.Name); u != nil {
			return u.Field, true
		}
	}
	return Field{}, false
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func appendNew[T comparable](list []T, v T) []T {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

func containsText(list []metrics.Text, v string) bool {
	return slices.ContainsFunc(list, func(t metrics.Text) bool { return t.V == v })
}

func joinTexts(list []metrics.Text) string {
	var out []string
	for _, t := range list {
		out = append(out, t.V)
	}
	return strings.Join(out, ", ")
}
