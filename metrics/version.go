package metrics

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// meaning collects what a definition means as facts, with everything that is
// only spelling left out. The digest of their text is the version.
type meaning struct {
	facts []fact
	// of is the field that the facts to come are a part of, with a point behind.
	of string
	// exact has the numbers of analyses, of which the many metrics of an
	// experiment mostly have the same.
	exact map[Number]string
}

// fact is one line of a meaning.
type fact struct {
	// field is the field of the definition that the fact is about, as a path
	// with points; a field of the registry begins with events. It has no part in
	// the version.
	field string
	// name and value are the text; without a value the name stands alone.
	name, value string
}

// say adds a fact about the field of its name.
func (w *meaning) say(name string, value any) { w.about(name, name, value) }

// about adds a fact about a field.
func (w *meaning) about(field, name string, value any) {
	w.facts = append(w.facts, fact{field: w.of + field, name: name, value: fmt.Sprintf("=%v", value)})
}

// version is the first 16 hexadecimal digits of the digest.
func (w *meaning) version() string {
	digest := sha256.New()
	for _, f := range w.facts {
		digest.Write([]byte(f.name + f.value + "\n"))
	}
	return hex.EncodeToString(digest.Sum(nil)[:8])
}

// metricMeaning is what a metric means.
func metricMeaning(m *Metric, reg Registry) *meaning {
	w := new(meaning)
	w.say("better", m.Better.V)
	if len(m.RandomizationUnits) > 0 {
		w.say("randomization_units", sortedTexts(m.RandomizationUnits))
	}
	if m.SplitBy.Set {
		w.say("split_by", m.SplitBy.V)
	}
	w.analysis(m.Analysis)
	if m.Ratio == nil {
		if m.Funnel == nil && m.Over.V == "" {
			w.say("units_without_events", withoutText(m.WithoutEvents))
		}
		w.body(m, reg)
		return w
	}
	w.about("units_without_events", "ratio", withoutText(m.WithoutEvents))
	if m.Ratio.NumeratorWithin.Set {
		w.about("ratio.numerator_within", "numerator_within", seconds(m.Ratio.NumeratorWithin.V))
	}
	for _, side := range []struct {
		field string
		body  *Metric
	}{{"ratio.numerator", m.Ratio.Numerator}, {"ratio.denominator", m.Ratio.Denominator}} {
		w.facts = append(w.facts, fact{field: side.field, name: "side"})
		w.of = side.field + "."
		w.body(side.body, reg)
		w.of = ""
	}
	return w
}

func withoutText(u UnitsWithoutEvents) string {
	if u.Exclude {
		return "exclude"
	}
	return exact(u.Number)
}

// body says what is taken from which rows. What units without events are
// plays no part in a side of a ratio and is said apart.
func (w *meaning) body(m *Metric, reg Registry) {
	var read []string // expressions, for the facts of the registry
	expr := func(field, name string, e Expr) {
		if e.IsSet() {
			w.about(field, name, plainExpr(e.Src))
			read = append(read, e.Src)
		}
	}
	selectors := []EventSelector{m.Event}
	if m.Funnel != nil {
		selectors = nil
		w.about("funnel", "funnel any", m.Funnel.AnyTime)
		for _, s := range m.Funnel.Steps {
			w.about("funnel", "step", selectorText(s.Event))
			expr("funnel", "step where", s.Where)
			w.about("funnel", "step within", seconds(s.Within.V))
			selectors = append(selectors, s.Event)
		}
	} else {
		w.say("event", selectorText(m.Event))
		w.say("measure", m.Measure.V)
	}
	if len(m.Source) > 0 {
		w.say("source", sortedTexts(m.Source))
	}
	if m.Measure.V == Value {
		if v := plainExpr(m.Value.Src); v == "" || v == "value" {
			w.say("value", "value")
			read = append(read, "value")
		} else {
			expr("value", "value", m.Value)
		}
		w.say("per_unit", m.PerUnit.V)
	}
	expr("where", "where", m.Where)
	if t := m.Threshold; t != nil {
		for _, l := range []struct {
			name string
			at   At[Number]
		}{{"at_least", t.AtLeast}, {"at_most", t.AtMost}, {"more_than", t.MoreThan}, {"less_than", t.LessThan}} {
			if l.at.Set {
				w.about("threshold", l.name, exact(l.at.V))
			}
		}
	}
	if m.IsPercentile() {
		w.say("statistic", exact(Number(m.Statistic.V[1:])))
	}
	if m.Over.Set {
		w.say("over", m.Over.V)
		read = append(read, m.Over.V)
	}
	if m.SplitBy.Set {
		read = append(read, m.SplitBy.V)
	}
	if m.After != nil {
		w.say("after", selectorText(m.After.Event))
		expr("after", "after where", m.After.Where)
		selectors = append(selectors, m.After.Event)
	}
	switch win := m.Window; {
	case win.HasLookback:
		w.about("window", "lookback", seconds(win.Lookback))
	case win.HasTo:
		w.say("window", seconds(win.From)+" "+seconds(win.To))
	case win.From != 0:
		w.say("window", seconds(win.From))
	}
	if m.WaitForWindow.V && (m.Window.HasTo || m.Window.From > 0) {
		w.say("wait_for_window", true)
	}
	if c := m.Winsorize; c != nil {
		for _, l := range []struct {
			name string
			at   At[Number]
		}{{"upper", c.Upper}, {"lower", c.Lower}, {"upper_value", c.UpperValue}, {"lower_value", c.LowerValue}} {
			if l.at.Set {
				w.about("winsorize", l.name, exact(l.at.V))
			}
		}
		w.say("winsorize", fmt.Sprint(c.IgnoreZeros, c.Linear))
	}
	if m.Decimals.Set {
		w.say("decimals", m.Decimals.V)
	}
	w.registry(reg, selectors, read)
}

// registry says what the registry adds to the meaning: which events there are
// to any, and the scales and types of what is read.
func (w *meaning) registry(reg Registry, selectors []EventSelector, read []string) {
	defer func(of string) { w.of = of }(w.of)
	w.of = "events."
	keys := map[string]bool{}
	for _, s := range selectors {
		for _, k := range s.Keys {
			keys[k.V] = true
		}
		if !s.Any {
			continue
		}
		if reg.Closed {
			w.about("registry", "closed", true)
		}
		for _, e := range reg.Events {
			keys[e.Key.V] = true
		}
	}
	words := map[string]bool{}
	for _, src := range read {
		for _, t := range exprToken.FindAllString(src, -1) {
			words[strings.Trim(t, "\"'`")] = true
		}
		words[src] = true // a property that over or split_by names
	}
	anyClosed := reg.Closed && slices.ContainsFunc(selectors, func(s EventSelector) bool { return s.Any })
	for _, k := range sortedKeys(keys) {
		e := reg.Event(k)
		if e == nil {
			continue
		}
		if anyClosed {
			w.about("list", "listed", k)
		}
		if words["value"] && e.ValueScale.Set && exact(e.ValueScale.V) != "1" {
			w.about(k+".value.scale", "value of "+k, exact(e.ValueScale.V))
		}
		facts := map[string]string{}
		for _, p := range e.Properties {
			if words[p.Name.V] {
				facts[p.Name.V] = string(p.Type.V)
				if p.Scale.Set && exact(p.Scale.V) != "1" {
					facts[p.Name.V] += " " + exact(p.Scale.V)
				}
			}
		}
		for _, name := range sortedKeys(facts) {
			w.about(k+".properties."+name, name+" of "+k, facts[name])
		}
	}
}

// analysis says the options that are given.
func (w *meaning) analysis(a Analysis) {
	defer func(of string) { w.of = of }(w.of)
	w.of += "analysis."
	if w.exact == nil {
		w.exact = map[Number]string{}
	}
	say := func(name string, set bool, v any) {
		if set {
			w.say(name, v)
		}
	}
	number := func(name string, n At[Number]) {
		if n.V != "" {
			text, known := w.exact[n.V]
			if !known {
				text = exact(n.V)
				w.exact[n.V] = text
			}
			w.say(name, text)
		}
	}
	say("test", a.Test.V != "", a.Test.V)
	say("exact", a.Exact.V != "", a.Exact.V)
	say("exact_below", a.ExactBelow.V != 0, a.ExactBelow.V)
	say("alternative", a.Alternative.V != "", a.Alternative.V)
	number("alpha", a.Alpha)
	number("power", a.Power)
	say("relative_interval", a.RelativeInterval.V != "", a.RelativeInterval.V)
	say("peeking", a.Peeking.V.Method != "", a.Peeking.V)
	say("bayesian", a.Bayesian.Set || a.Bayesian.V.Flat, a.Bayesian.V)
	say("correction", a.Correction.V.Method != "", a.Correction.V)
	number("sample_ratio", a.SampleRatioAlarm)
	number("several_variations", a.SeveralVariations)
	say("stratify", len(a.Stratify.V) > 0, a.Stratify.V)
	say("cuped", a.CUPED.Set, a.CUPED.V.Days)
	number("minimum_effect", a.MinimumEffect)
	say("bootstrap", a.Bootstrap.Set, a.Bootstrap.V)
}

// experimentMeaning is what an experiment means, its metrics included.
func experimentMeaning(e *Experiment) *meaning {
	w := new(meaning)
	w.say("flag", e.Flag.V)
	w.say("rule", e.Rule.V)
	w.say("unit", e.Unit.V)
	w.say("source", sortedTexts(e.Source))
	if !e.Match.Set {
		w.about("match", "key", e.Key.V)
	}
	w.say("match", fmt.Sprint(sortedTexts(e.Match.Experiment), sortedTexts(e.Match.Flag)))
	for _, t := range []struct {
		field string
		at    At[time.Time]
	}{{"start", e.Start}, {"end", e.End}, {"observe_until", e.ObserveUntil}} {
		w.about(t.field, "time", fmt.Sprint(t.at.Set, t.at.V.Format(time.RFC3339Nano)))
	}
	w.say("cut_windows_at_end", e.CutWindows.V)
	for _, v := range e.Variations {
		var values []string
		for _, m := range v.Match {
			values = append(values, fmt.Sprintf("%t:%q", m.JSON, m.Text))
		}
		slices.Sort(values)
		weight := ""
		if v.Weight.Set {
			weight = exact(v.Weight.V)
		}
		w.about("variations", "variation", fmt.Sprintf("%q %s %t %v", v.Key.V, weight, v.Baseline, values))
	}
	w.say("ignore_variations", sortedTexts(e.IgnoreVariations))
	w.say("holdback", e.HoldbackAs.V)
	w.say("multiple_variations", e.Multiple.V)
	w.say("where", plainExpr(e.Where.Src))
	w.say("exclude_units_in", sortedTexts(e.ExcludeUnitsIn))
	if e.Activation != nil {
		w.say("activation", selectorText(e.Activation.Event)+" "+plainExpr(e.Activation.Where.Src))
	}
	w.say("identity", e.Identity.V)
	for _, p := range e.Phases {
		weights := map[string]string{}
		for _, x := range p.Weights {
			weights[x.Variation.V] = exact(x.Weight)
		}
		w.about("phases", "phase", fmt.Sprint(p.Start.V.Format(time.RFC3339Nano), weights))
	}
	w.say("pool", e.PhasePool.V)
	for _, s := range e.Segments {
		w.about("segments", "segment", fmt.Sprintf("%q %t %q", s.Key.V, s.FromEvents, s.Experiment.V))
	}
	w.say("compare", e.Compare.All)
	for _, p := range e.Compare.Pairs {
		w.about("compare", "pair", fmt.Sprintf("%q %q", p.Variation.V, p.To.V))
	}
	w.analysis(e.Analysis)
	for _, m := range e.Metrics {
		w.about("metrics."+m.Metric.Key.V, "metric", fmt.Sprintf("%s %s %s", m.Metric.Key.V, m.Metric.Version, m.Role))
		if m.Margin != nil {
			w.about("metrics."+m.Metric.Key.V, "margin", exact(m.Margin.Value)+string(m.Margin.Unit))
		}
		w.of = "metrics." + m.Metric.Key.V + "."
		w.analysis(m.Analysis)
		w.of = ""
	}
	return w
}

// selectorText is the set of events, whatever their order.
func selectorText(s EventSelector) string {
	switch {
	case s.Any:
		return "any"
	case s.Impression:
		return "impression"
	}
	return "keys " + sortedTexts(s.Keys)
}

func sortedTexts(ts []Text) string {
	var out []string
	for _, t := range ts {
		out = append(out, t.V)
	}
	slices.Sort(out)
	return fmt.Sprintf("%q", out)
}

// exact is a number, however it was written.
func exact(n Number) string {
	if n == "" {
		return ""
	}
	return n.Rat().RatString()
}

func seconds(d Duration) string { return fmt.Sprint(int64(d / time.Second)) }

// exprToken finds the tokens of an expression.
var exprToken = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|`[^`]*`|[\\pL_$][\\pL\\pN_$]*|[0-9][0-9a-zA-Z_.]*|&&|\\|\\||[=!<>]=|\\?\\?|\\S")

// plainExpr is an expression without what is only spelling: blanks, the kind
// of quotes, the signs for and, or and not, the order of lists, zeros at the end of
// a number, and parentheses around all of it.
func plainExpr(src string) string {
	var out []string
	list := -1 // where the list begins that is being read
	for _, t := range unwrapped(exprToken.FindAllString(src, -1)) {
		switch {
		case t[0] >= '0' && t[0] <= '9' && strings.Contains(t, ".") && !strings.ContainsAny(t, "eExX_"):
			t = strings.TrimSuffix(strings.TrimRight(t, "0"), ".")
		case t == "&&":
			t = "and"
		case t == "||":
			t = "or"
		case t == "!":
			t = "not"
		case len(t) > 1 && t[0] == '\'' && !strings.ContainsAny(t, `"\`):
			t = `"` + t[1:len(t)-1] + `"`
		case t == "[" && len(out) > 0 && out[len(out)-1] == "in":
			list = len(out) + 1
		case t == "]" && list >= 0:
			out = append(out[:list], sortedEntries(out[list:])...)
			list = -1
		}
		out = append(out, t)
	}
	return strings.Join(out, " ")
}

// unwrapped are the tokens of an expression without parentheses around all of it.
func unwrapped(tokens []string) []string {
	for len(tokens) > 2 && tokens[0] == "(" && closing(tokens) == len(tokens)-1 {
		tokens = tokens[1 : len(tokens)-1]
	}
	return tokens
}

// closing is where the parenthesis at the first token ends; -1 where it does not.
func closing(tokens []string) int {
	depth := 0
	return slices.IndexFunc(tokens, func(t string) bool {
		switch t {
		case "(":
			depth++
		case ")":
			depth--
		}
		return depth == 0
	})
}

// sortedEntries are the tokens of a list, its entries in order and each once.
func sortedEntries(tokens []string) []string {
	entries := strings.Split(strings.Join(tokens, "\x00"), "\x00,\x00")
	slices.Sort(entries)
	return strings.Split(strings.Join(slices.Compact(entries), "\x00,\x00"), "\x00")
}
