package metrics

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// fieldChanges says which fields of two definitions mean something else.
func fieldChanges(before, after *subject) []FieldChange {
	olds, oldOrder := factsByField(before.meaning)
	news, newOrder := factsByField(after.meaning)
	whole := wholeFields(olds, news)
	var out []FieldChange
	done := map[string]bool{}
	for _, field := range append(oldOrder, newOrder...) {
		if slices.Equal(olds[field], news[field]) {
			continue
		}
		for _, w := range whole {
			if field == w || strings.HasPrefix(field, w+".") {
				field = w
			}
		}
		renamed := field == "units_without_events" && factText(olds[field]) == factText(news[field]) // by a ratio
		if done[field] || renamed || followsExperiment(field, olds, news) {
			continue
		}
		done[field] = true
		c := FieldChange{Field: field, Old: before.value(field), New: after.value(field)}
		if c.Old == "" || c.New == "" || c.Old == c.New {
			c = factChange(c, olds[field], news[field])
		}
		out = append(out, c)
	}
	if len(out) == 0 { // the same metrics of an experiment in another order
		out = append(out, FieldChange{Field: "metrics", Old: inOrder(oldOrder), New: inOrder(newOrder)})
	}
	slices.SortStableFunc(out, func(a, b FieldChange) int { return after.rank(a.Field) - after.rank(b.Field) })
	return out
}

// factsByField sorts facts by field; the order is that of the fields.
func factsByField(w *meaning) (facts map[string][]fact, order []string) {
	facts = map[string][]fact{}
	for _, f := range w.facts {
		if facts[f.field] == nil {
			order = append(order, f.field)
		}
		if !slices.Contains(facts[f.field], f) || !strings.HasPrefix(f.field, "events.") {
			facts[f.field] = append(facts[f.field], f) // both sides of a ratio say the same of the registry
		}
	}
	return facts, order
}

// wholeFields are the fields whose parts are not compared one by one, because
// one side has none of them: a ratio, and a metric of an experiment.
func wholeFields(olds, news map[string][]fact) []string {
	var out []string
	for _, facts := range []map[string][]fact{olds, news} {
		for field := range facts {
			root := ""
			switch {
			case field == "ratio.numerator":
				root = "ratio"
			case strings.HasPrefix(field, "metrics.") && strings.Count(field, ".") == 1:
				root = field
			default:
				continue
			}
			if olds[field] == nil || news[field] == nil {
				out = append(out, root)
			}
		}
	}
	return out
}

// followsExperiment reports whether an option of a metric in an experiment
// changed as the experiment's own did.
func followsExperiment(field string, olds, news map[string][]fact) bool {
	rest, ok := strings.CutPrefix(field, "metrics.")
	if !ok {
		return false
	}
	_, option, ok := strings.Cut(rest, ".")
	return ok && factText(olds[field]) == factText(olds[option]) && factText(news[field]) == factText(news[option])
}

// factChange fills in the values that the definitions do not give, or give
// alike, from what they mean: defaults, and metrics and events elsewhere.
func factChange(c FieldChange, before, after []fact) FieldChange {
	if c.Old == c.New {
		c.Old, c.New = "", ""
	}
	if !readsAlone(c.Field) {
		return c
	}
	if c.Field == "events.registry" {
		closed := map[bool]string{true: "closed", false: "open"}
		c.Old, c.New = closed[len(before) > 0], closed[len(after) > 0]
	}
	if c.Old == "" {
		c.Old = factText(before)
	}
	if c.New == "" {
		c.New = factText(after)
	}
	return c
}

// readsAlone reports whether the facts about a field can be read without the
// definition: they are a word or a number, and no list in a form of its own.
func readsAlone(field string) bool {
	root, _, _ := strings.Cut(field, ".")
	if slices.Contains([]string{"analysis", "events", "metrics"}, root) {
		return true
	}
	name := field[strings.LastIndexByte(field, '.')+1:]
	return slices.Contains([]string{
		"units_without_events", "per_unit", "statistic", "decimals", "wait_for_window",
		"rule", "cut_windows_at_end", "multiple_variations", "pool",
	}, name)
}

// factText writes the facts about one field for people.
func factText(facts []fact) string {
	var parts []string
	for _, f := range facts {
		value := strings.TrimPrefix(f.value, "=")
		r, isNumber := new(big.Rat).SetString(value)
		switch {
		case f.name == "metric": // key, version and role
			value = "version " + strings.Fields(value)[1]
		case isNumber && strings.Contains(value, "/"):
			if _, ends := r.FloatPrec(); ends {
				value = string(decimalOf(r))
			}
		case strings.HasPrefix(value, "{"): // a method with its settings
			value, _, _ = strings.Cut(value[1:], " ")
			if value == "true" || value == "false" {
				value = ""
			}
		case f.name == "margin":
			value = "margin " + value
		}
		parts = append(parts, value)
	}
	return strings.Join(parts, ", ")
}

// inOrder lists the metrics of an experiment.
func inOrder(fields []string) string {
	var out []string
	for _, f := range fields {
		if key, ok := strings.CutPrefix(f, "metrics."); ok && !strings.Contains(key, ".") {
			out = append(out, key)
		}
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// rank puts fields into the order of the language, those of the registry last.
func (s *subject) rank(field string) int {
	name, _, _ := strings.Cut(field, ".")
	if at := slices.Index(s.fields, name); at >= 0 {
		return at
	}
	return len(s.fields)
}

// metricValues gives the function that writes what the metric says in a field.
func metricValues(m *Metric) func(field string) string {
	own := definitionValues(m.Definition, metricObject.canon)
	return func(field string) string {
		if v := own(field); v != "" || m.Ratio == nil {
			return v
		}
		for side, body := range map[string]*Metric{"ratio.numerator.": m.Ratio.Numerator, "ratio.denominator.": m.Ratio.Denominator} {
			if inner, ok := strings.CutPrefix(field, side); ok && body.Key.Set {
				return metricValues(body)(inner)
			}
		}
		return ""
	}
}

// experimentValues gives the function that writes what the experiment says in a
// field. Of a metric in it that is the role and the margin.
func experimentValues(e *Experiment) func(field string) string {
	own := definitionValues(e.Definition, experimentObject.canon)
	return func(field string) string {
		key, ok := strings.CutPrefix(field, "metrics.")
		if !ok {
			return own(field)
		}
		for _, m := range e.Metrics {
			switch {
			case m.Metric.Key.V != key:
				continue
			case m.Margin == nil:
				return string(m.Role)
			}
			return fmt.Sprintf("%s with margin %s", m.Role, m.Margin)
		}
		return ""
	}
}

// definitionValues gives the function that writes what stands in a field of a
// canonical definition. The definition is read when it is first asked for.
func definitionValues(definition string, canon func(*yaml.Node)) func(field string) string {
	root := sync.OnceValue(func() *yaml.Node {
		docs, err := documents(definition)
		if err != nil || len(docs) != 1 {
			panic("metrics: a definition is not YAML")
		}
		n := docs[0].Content[0]
		plainQuotes(n, true, nil)
		canon(n)
		return n
	})
	return func(field string) string {
		n := root()
		for name := range strings.SplitSeq(field, ".") {
			if n = valueOf(n, name); n == nil {
				return ""
			}
		}
		return inline(n)
	}
}

// valueOf gives the value of a key of a mapping, or nil.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	var found *yaml.Node
	if n.Kind == yaml.MappingNode {
		pairs(n, func(k, v *yaml.Node) {
			if k.Value == key {
				found = v
			}
		})
	}
	return found
}

// writtenOtherwise lists the fields of two definitions that differ.
func writtenOtherwise(before, after *subject) []string {
	var out []string
	for _, name := range after.fields {
		if before.value(name) != after.value(name) {
			out = append(out, name)
		}
	}
	return out
}
