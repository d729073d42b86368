package metrics

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// besideRatio and besideFunnel are the fields that may stand beside them.
var (
	besideRatio = append([]string{
		"key", "like", "better", "units_without_events", "randomization_units", "split_by", "analysis", "ratio",
	}, textFields...)
	besideFunnel = append([]string{
		"key", "like", "better", "source", "after", "window", "wait_for_window", "randomization_units", "split_by", "analysis", "funnel",
	}, textFields...)
)

// leavesTwo is why what has a threshold is not winsorized; it is said at the threshold.
const leavesTwo = "a threshold leaves only 1 and 0"

// refuses says why a field cannot stand in the metric; empty: it can.
func (m *metricDraft) refuses(name string) string {
	ratio, funnel := m.given.has("ratio"), m.given.has("funnel")
	switch {
	case ratio && name == "funnel":
		return "a metric is a ratio or a funnel, not both"
	case ratio && (name == "event" || name == "measure"):
		return "ratio stands in place of event and measure"
	case funnel && (name == "event" || name == "measure"):
		return "funnel stands in place of event and measure"
	case ratio && !slices.Contains(besideRatio, name):
		return "beside ratio stand only texts, better, units_without_events, randomization_units, split_by and analysis"
	case funnel && name != "ratio" && !slices.Contains(besideFunnel, name):
		return "a funnel is an occurrence of each step over all units"
	case (name == "ratio" || name == "funnel") && (m.given.has("event") || m.given.has("measure")):
		return name + " stands in place of event and measure"
	}
	measure, known := m.Measure.V, m.given.good("measure")
	switch name {
	case "value", "per_unit":
		if known && measure != Value {
			return name + " is only for measure: value"
		}
	case "decimals":
		if known && measure != Value && m.given[name].via != "like" {
			return "only the values of measure: value have digits to keep"
		}
	case "window", "wait_for_window":
		if known && measure == Participation {
			return "participation is over all dates since the exposure"
		}
	case "units_without_events":
		if m.given.has("over") {
			return "with over, a unit without groups has none to average"
		}
	case "winsorize":
		if m.given.has("threshold") {
			return leavesTwo
		}
		if m.given.has("over") && m.IsPercentile() {
			return "a percentile over groups is not moved by extreme values"
		}
	case "threshold":
		if m.given.has("winsorize") {
			return leavesTwo + ", so there is nothing to winsorize"
		}
	case "split_by":
		switch {
		case m.given.has("winsorize"):
			return "the caps would differ from those of the whole"
		case m.IsPercentile():
			return "percentiles do not add up from parts"
		}
	}
	return ""
}

// countsEveryUnit reports whether units without events are 0 whatever is said.
func (m *metricDraft) countsEveryUnit() bool {
	return m.given.has("funnel") || m.given.good("measure") && slices.Contains([]Measure{Occurrence, Count, ActiveDays, Participation}, m.Measure.V)
}

// checkMetric checks everything that one metric says.
func (r *resolver) checkMetric(m *metricDraft) {
	r.checkFields(m)
	if !m.inline {
		r.required(m, "better")
	}
	r.checkIdle(m)
	if m.given.has("ratio") {
		r.checkRatio(m)
		return
	}
	if !m.given.has("funnel") {
		r.checkPlain(m)
	}
	if m.given.good("after") && m.After.Event.Impression {
		r.diags.Errorf(m.After.Pos, "conflict", "%s counts after an event, not after an impression", m.called()).
			WithHint("the window begins at the exposure already; leave after out")
	}
	r.checkEvents(m)
	r.checkNames(m)
	if m.given.good("analysis") {
		r.checkCUPED(m, m.Analysis)
	}
}

// checkFields refuses the fields that cannot stand together.
func (r *resolver) checkFields(m *metricDraft) {
	for _, f := range metricObject.fields {
		g, given := m.given[f.name]
		if !given || g.bad {
			continue
		}
		reason := m.refuses(f.name)
		switch {
		case reason == "":
			continue
		case (f.name == "ratio" || f.name == "funnel") && strings.Contains(reason, "in place of"),
			reason == leavesTwo:
			continue // said at the other field
		}
		said := r.diags.Errorf(g.pos, "conflict", "%s cannot stand in %s%s: %s", f.name, m.called(), g.origin(), reason)
		switch {
		case m.given.has("ratio") && slices.Contains(bodyFields, f.name) && !slices.Contains([]string{"event", "measure", "funnel"}, f.name):
			said.WithHint("write it at a side: ratio: {numerator: {event: …, measure: …, %s: …}, …}", f.name)
		case m.given.has("funnel") && f.name == "where":
			said.WithHint("each step has its own where")
		case f.name == "value" || f.name == "per_unit":
			said.WithHint("write measure: value, or leave %s out", f.name)
		default:
			said.WithHint("leave it out")
		}
	}
}

// required says that a field is missing which neither the metric nor like nor defaults give.
func (r *resolver) required(m *metricDraft, name string) {
	if m.given.lacks(name) {
		m.missing(r.diags, name)
	}
}

// missing says that a field is not there.
func (m *metricDraft) missing(diags *diag.List, name string) *diag.Diagnostic {
	if m.inline {
		return sideObject.missing(diags, m.Pos, m, name)
	}
	return metricObject.missing(diags, m.Pos, m, name)
}

// checkPlain checks a metric of an event and a measure.
func (r *resolver) checkPlain(m *metricDraft) {
	given := m.given
	r.required(m, "event")
	if given.lacks("measure") {
		said := m.missing(r.diags, "measure")
		if given.has("value") || given.has("per_unit") {
			said.WithHint("write measure: value")
		}
	}
	if !given.clean("measure", "per_unit", "statistic", "over", "units_without_events", "threshold") {
		return
	}
	without := m.WithoutEvents
	rows := m.Measure.V == Value && slices.Contains([]PerUnit{Average, Min, Max, First, Last}, m.PerUnit.V)
	needs := ""
	switch {
	case given.has("over") || m.inline:
	case rows:
		needs = "per_unit: " + string(m.PerUnit.V)
	case m.IsPercentile():
		needs = "statistic: " + m.Statistic.V
	}
	switch {
	case needs != "" && !without.Set:
		pos := given["per_unit"].at
		if !rows {
			pos = given["statistic"].at
		}
		r.diags.Errorf(pos, "missing-field", "%s says %s, and not what units without events are", m.called(), needs).
			WithHint("write units_without_events: exclude to leave them out, or zero or a number for them to count as")
	case without.Exclude && m.countsEveryUnit():
		r.diags.Errorf(given["units_without_events"].at, "conflict", "units without events cannot be left out of measure: %s, for which they are 0%s", m.Measure.V, given["units_without_events"].origin()).
			WithHint("write zero, or leave it out")
	case without.Set && !without.Exclude && m.Decimals.Set && fractionDigits(without.Number) > m.Decimals.V:
		r.diags.Errorf(given["units_without_events"].at, "bad-number", "%s has more digits than decimals: %d keeps", without.Number, m.Decimals.V).
			WithHint("write fewer digits, or more decimals")
	}
	if given.good("threshold") {
		r.checkThreshold(m)
	}
	if m.Event.Impression && m.Measure.V == Value && !given.has("value") {
		r.diags.Errorf(given["measure"].at, "conflict", "impressions have no value").WithHint("write measure: count, or a value such as value: 'number(exposure.price)'")
	}
	if m.Event.Impression && given.has("source") && given["source"].via != "defaults" {
		r.diags.Errorf(given["source"].pos, "conflict", "event: impression reads the experiment's impressions, not an event source").WithHint("leave it out")
	}
}

func (r *resolver) checkThreshold(m *metricDraft) {
	t := m.Threshold
	type limit struct {
		name string
		at   At[Number]
	}
	var low, high []limit
	for _, l := range []limit{{"at_least", t.AtLeast}, {"more_than", t.MoreThan}} {
		if l.at.Set {
			low = append(low, l)
		}
	}
	for _, l := range []limit{{"at_most", t.AtMost}, {"less_than", t.LessThan}} {
		if l.at.Set {
			high = append(high, l)
		}
	}
	switch {
	case len(low)+len(high) == 0:
		r.diags.Errorf(t.Pos, "empty-value", "the threshold has no limit").WithHint("write {at_least: 3}")
	case len(low) == 2:
		r.diags.Errorf(low[1].at.Pos, "conflict", "a threshold has at_least or more_than, not both").
			WithHint("leave one of them out")
	case len(high) == 2:
		r.diags.Errorf(high[1].at.Pos, "conflict", "a threshold has at_most or less_than, not both").
			WithHint("leave one of them out")
	case len(low) == 1 && len(high) == 1:
		c := low[0].at.V.Rat().Cmp(high[0].at.V.Rat())
		if c > 0 || c == 0 && (low[0].name == "more_than" || high[0].name == "less_than") {
			r.diags.Errorf(high[0].at.Pos, "bad-number", "no number is %s %s and %s %s",
				strings.ReplaceAll(low[0].name, "_", " "), low[0].at.V, strings.ReplaceAll(high[0].name, "_", " "), high[0].at.V).
				WithHint("the lower bound stands below the upper one: {at_least: 3, less_than: 10}")
			return
		}
		r.checkIdleThreshold(m)
	default:
		r.checkIdleThreshold(m)
	}
}

// checkRatio checks a ratio and its inline sides.
func (r *resolver) checkRatio(m *metricDraft) {
	if m.given.good("units_without_events") && !m.WithoutEvents.Exclude && m.given["units_without_events"].value.Value != "zero" {
		r.diags.Errorf(m.given["units_without_events"].at, "bad-value", "beside ratio, units_without_events is zero or exclude, not %s", m.WithoutEvents.Number).
			WithHint("a side without rows is 0 in a ratio; write zero, or exclude for the units whose denominator is 0")
	}
	for _, s := range []struct {
		name  string
		draft sideDraft
	}{{"numerator", m.ratio.numerator}, {"denominator", m.ratio.denominator}} {
		side := s.draft.body
		if side != nil {
			r.checkMetric(side)
		} else if side = r.byKey[s.draft.key.V]; side == nil {
			continue
		}
		at := s.draft.pos
		if g := m.given["split_by"]; m.given.good("split_by") && side.given.has("winsorize") {
			r.diags.Errorf(g.pos, "conflict", "split_by cannot stand in %s%s: the caps of its %s would differ from those of the whole", m.called(), g.origin(), s.name).
				WithHint("leave it out, or divide metrics that are not winsorized")
		}
		switch {
		case side.given.has("funnel") && m.ratio.within.Set:
			r.diags.Errorf(m.ratio.within.Pos, "conflict", "numerator_within is not possible with a funnel as a side").
				WithHint("the steps of a funnel have a within of their own")
		case side.given.has("ratio"):
			r.diags.Errorf(at, "conflict", "the %s %s is a ratio itself", s.name, quoted(side.Label())).WithHint("name the two metrics that are to be divided")
		case side.IsPercentile():
			r.diags.Errorf(at, "conflict", "the %s %s is a percentile, and the sides of a ratio are summed", s.name, quoted(side.Label())).
				WithHint("name a metric whose statistic is the mean")
		case side.given.has("over"):
			r.diags.Errorf(at, "conflict", "the %s %s has over, which is a ratio itself", s.name, quoted(side.Label())).
				WithHint("name a metric without over")
		}
	}
	if m.given.good("analysis") {
		r.checkCUPED(m, m.Analysis)
	}
	r.checkRandomizationUnits(m)
}

// selectors are the events that a metric reads.
func (m *metricDraft) selectors() []EventSelector {
	var out []EventSelector
	if m.given.good("event") {
		out = append(out, m.Event)
	}
	if m.given.good("after") {
		out = append(out, m.After.Event)
	}
	if m.given.good("funnel") {
		for _, s := range m.Funnel.Steps {
			out = append(out, s.Event)
		}
	}
	return out
}

// checkEvents checks event keys against a closed registry.
func (r *resolver) checkEvents(m *metricDraft) {
	for _, s := range m.selectors() {
		r.checkSelector(s)
	}
}

func (r *resolver) checkSelector(s EventSelector) {
	reg := r.defs.Registry
	if !reg.Closed || r.partial {
		return
	}
	var known []string
	for _, e := range reg.Events {
		known = append(known, e.Key.V)
	}
	for _, k := range s.Keys {
		if reg.Event(k.V) != nil {
			continue
		}
		said := r.diags.Errorf(k.Pos, "unknown-name", "event %s is not in the registry, which is closed", quoted(k.V))
		said.Hint = diag.DidYouMean(k.V, known)
		if r.byKey[k.V] != nil {
			said.WithHint("%s is a metric; event wants the key of an event", quoted(k.V))
		} else if said.Hint == "" {
			said.WithHint("list it under events, or write registry: open")
		}
	}
}

// checkNames checks sources and unit kinds.
func (r *resolver) checkNames(m *metricDraft) {
	r.checkSourceNames(m.Source, RoleEvents)
	r.checkRandomizationUnits(m)
}

// checkRandomizationUnits checks unit kinds against those of the sources.
func (r *resolver) checkRandomizationUnits(m *metricDraft) {
	if g := m.given["randomization_units"]; g.bad || g.via != "" {
		return
	}
	kinds, all := r.unitKinds(RoleImpressions, nil)
	seen := map[string]bool{}
	for _, u := range m.RandomizationUnits {
		switch {
		case seen[u.V]:
			r.diags.Errorf(u.Pos, "duplicate-name", "unit kind %s is listed twice", quoted(u.V)).
				WithHint("leave one of them out")
		case all && !slices.Contains(kinds, u.V):
			said := r.diags.Errorf(u.Pos, "unknown-name", "no impressions source has the unit kind %s", quoted(u.V))
			said.Hint = diag.Suggest("unit kinds", u.V, kinds)
		}
		seen[u.V] = true
	}
}

// checkSourceNames checks names of sources of a role.
func (r *resolver) checkSourceNames(names []Text, role SourceRole) {
	var known []string
	other := map[string]SourceRole{}
	for _, s := range r.sources {
		if s.Role == role {
			known = append(known, s.Name.V)
		} else if s.Name.Set {
			other[s.Name.V] = s.Role
		}
	}
	if len(known) == 0 {
		return
	}
	for i, n := range names {
		if slices.ContainsFunc(names[:i], func(before Text) bool { return before.V == n.V }) {
			r.diags.Errorf(n.Pos, "duplicate-name", "source %s is listed twice", quoted(n.V)).WithHint("leave one of them out")
			continue
		}
		if slices.Contains(known, n.V) {
			continue
		}
		said := r.unknown(n, strings.TrimSuffix(string(role), "s")+" source", known)
		if is, ok := other[n.V]; ok {
			said.WithHint("%s is a source of %s", quoted(n.V), is)
		}
	}
}

// elapsedName finds the name elapsed in an expression.
var elapsedName = regexp.MustCompile(`\belapsed\b`)

// checkCUPED refuses the covariate adjustment where there is no covariate.
func (r *resolver) checkCUPED(m *metricDraft, a Analysis) {
	if !a.CUPED.Set || a.CUPED.V.Days == 0 {
		return
	}
	if reason := m.NoCUPED(); reason != "" {
		r.diags.Errorf(a.CUPED.Pos, "conflict", "cuped is not possible for %s: %s", m.called(), reason).
			WithHint("write cuped: off, or leave it out")
	}
}

// NoCUPED says why the covariate adjustment is not possible for the metric;
// it is empty where it is possible.
func (m *Metric) NoCUPED() string {
	switch {
	case m.IsPercentile():
		return "it is a percentile"
	case m.Funnel != nil:
		return "it is a funnel"
	case m.Measure.V == Participation:
		return "participation has no time before the exposure"
	case m.WithoutEvents.Exclude:
		return "units without events are left out"
	case m.Over.V != "":
		return "it is over groups, not units"
	case m.After != nil:
		return "it starts at another event"
	case m.Window.HasLookback:
		return "its window is a lookback"
	case elapsedName.MatchString(m.Value.Src) || elapsedName.MatchString(m.Where.Src):
		return "elapsed has no meaning before the exposure"
	}
	if m.Ratio == nil {
		return ""
	}
	if m.Ratio.NumeratorWithin.Set {
		return "it has numerator_within"
	}
	for _, side := range []*Metric{m.Ratio.Numerator, m.Ratio.Denominator} {
		if side == nil || side == m || side.Ratio != nil {
			continue
		}
		s := *side
		s.WithoutEvents.Exclude = false // plays no part in a side
		if reason := s.NoCUPED(); reason != "" {
			return fmt.Sprintf("of its side %s: %s", quoted(side.Label()), reason)
		}
	}
	return ""
}
