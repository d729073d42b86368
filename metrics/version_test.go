package metrics

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// decodeMetrics reads metrics written one a line in flow style, with a
// registry before them.
func decodeMetrics(t *testing.T, registry string, bodies ...string) *Definitions {
	t.Helper()
	text := "version: 1\n" + registry + "\nmetrics:\n"
	for _, b := range bodies {
		text += "  - " + b + "\n"
	}
	defs, diags := Decode([]SourceFile{{Path: "m.yaml", Text: []byte(text)}}, LoadOptions{})
	if len(diags) > 0 {
		t.Fatalf("%s\n%s", text, diags.Error())
	}
	return defs
}

const revenueBody = `{key: m, event: purchase, measure: value, where: 'price > 3 and category == "x"', better: higher}`

func TestVersion(t *testing.T) {
	const registry = `events: {list: [{key: purchase, value: {scale: 0.01}, properties: {price: number, category: string, coupon: string}}, {key: refund}]}`
	base := decodeMetrics(t, registry, revenueBody).Metrics[0].Version
	if len(base) != 16 {
		t.Errorf("version is %q, want 16 digits", base)
	}
	for _, c := range []struct{ name, registry, body string }{
		{"other key", registry, strings.Replace(revenueBody, "key: m", "key: n", 1)},
		{"texts", registry, strings.Replace(revenueBody, "}", ", name: Revenue, tags: [a], description: d, maintainer: x, unit_label: USD, format: currency}", 1)},
		{"order of keys", registry, `{better: higher, where: 'price > 3 and category == "x"', measure: value, event: purchase, key: m}`},
		{"a list of one event", registry, strings.Replace(revenueBody, "event: purchase", "event: [purchase]", 1)},
		{"blanks and signs of the expression", registry, strings.Replace(revenueBody, `price > 3 and category == "x"`, `price>3  && category == ''x''`, 1)},
		{"parentheses around the expression, and zeros of its number", registry, strings.Replace(revenueBody, `price > 3 and category == "x"`, `((price > 3.00 and category == "x"))`, 1)},
		{"defaults written out", registry, strings.Replace(revenueBody, "}", ", value: value, per_unit: sum, statistic: mean, units_without_events: 0.0, wait_for_window: false, window: {from: 0h}}", 1)},
		{"a property that is not read", strings.Replace(registry, "coupon: string", "coupon: number", 1), revenueBody},
		{"another event's scale", strings.Replace(registry, "{key: refund}", "{key: refund, value: {scale: 5}}", 1), revenueBody},
		{"scale written otherwise", strings.Replace(registry, "0.01", "1e-2", 1), revenueBody},
	} {
		if got := decodeMetrics(t, c.registry, c.body).Metrics[0].Version; got != base {
			t.Errorf("%s changes the version", c.name)
		}
	}
	for _, c := range []struct{ name, registry, body string }{
		{"better", registry, strings.Replace(revenueBody, "higher", "lower", 1)},
		{"event", registry, strings.Replace(revenueBody, "event: purchase", "event: [purchase, refund]", 1)},
		{"where", registry, strings.Replace(revenueBody, "price > 3", "price >= 3", 1)},
		{"parentheses in the expression", registry, strings.Replace(revenueBody, `price > 3 and category == "x"`, `(price > 3) == (category == "x")`, 1)},
		{"a digit", registry, strings.Replace(revenueBody, "price > 3", "price > 3.01", 1)},
		{"a blank in a text", registry, strings.Replace(revenueBody, `"x"`, `"x "`, 1)},
		{"measure", registry, strings.Replace(revenueBody, "measure: value", "measure: count", 1)},
		{"per_unit", registry, strings.Replace(revenueBody, "}", ", per_unit: max, units_without_events: zero}", 1)},
		{"window", registry, strings.Replace(revenueBody, "}", ", window: 72h}", 1)},
		{"winsorize", registry, strings.Replace(revenueBody, "}", ", winsorize: {upper: 0.99}}", 1)},
		{"decimals", registry, strings.Replace(revenueBody, "}", ", decimals: 2}", 1)},
		{"threshold", registry, strings.Replace(revenueBody, "}", ", threshold: {at_least: 1}}", 1)},
		{"exclude", registry, strings.Replace(revenueBody, "}", ", units_without_events: exclude}", 1)},
		{"after", registry, strings.Replace(revenueBody, "}", ", after: refund}", 1)},
		{"over", registry, strings.Replace(revenueBody, "}", ", over: category}", 1)},
		{"source", registry, strings.Replace(revenueBody, "}", ", source: orders}", 1)},
		{"the value's scale", strings.Replace(registry, "0.01", "0.1", 1), revenueBody},
		{"type of a property that is read", strings.Replace(registry, "price: number", "price: integer", 1), revenueBody},
		{"scale of a property that is read", strings.Replace(registry, "price: number", "price: {type: number, scale: 0.5}", 1), revenueBody},
	} {
		if got := decodeMetrics(t, c.registry, c.body).Metrics[0].Version; got == base {
			t.Errorf("%s does not change the version", c.name)
		}
	}
}

func TestVersionOfLists(t *testing.T) {
	version := func(where string) string {
		return decodeMetrics(t, "", `{key: m, event: purchase, measure: count, where: '`+where+`', better: higher}`).Metrics[0].Version
	}
	base := version(`properties.a in ["x", ",", "y"] and properties["b"] == "z"`)
	for where, same := range map[string]bool{
		`properties.a in ["y", "x", "x", ","] and properties["b"] == "z"`: true,
		`properties.a not in ["x", ",", "y"] and properties["b"] == "z"`:  false,
		`properties.a in ["x", "y"] and properties["b"] == "z"`:           false,
		`properties.a in ["x", ",", "y", "z"] and properties["b"] == "z"`: false,
		`properties.a in ["x", "," , "y" ]   and properties["b"]=="z"`:    true,
		`properties.a in ["x", ",", "z"] and properties["b"] == "y"`:      false,
		`properties.a in ["x", ",", "y"] and properties["b"] in ["z"]`:    false,
		`properties["a"] in ["x", ",", "y"] and properties["b"] == "z"`:   false, // spelt otherwise, though it means the same
	} {
		if got := version(where) == base; got != same {
			t.Errorf("%s has the same version: %v", where, got)
		}
	}
}

func TestVersionOfRatio(t *testing.T) {
	const body = "{key: aov, better: higher, ratio: {numerator: revenue, denominator: orders}}"
	const revenue, orders = "{key: revenue, event: purchase, measure: value, better: higher}", "{key: orders, event: purchase, measure: count, better: higher}"
	base := decodeMetrics(t, "", body, revenue, orders).Metrics[0].Version
	for name, bodies := range map[string][]string{
		"keys of the sides": {
			"{key: aov, better: higher, ratio: {numerator: income, denominator: sales}}",
			strings.Replace(revenue, "key: revenue", "key: income", 1), strings.Replace(orders, "key: orders", "key: sales", 1),
		},
		"an inline side": {
			"{key: aov, better: higher, ratio: {numerator: revenue, denominator: {event: purchase, measure: count}}}", revenue,
		},
		"what plays no part in a side": {body, revenue, strings.Replace(orders, "better: higher", "better: lower", 1)},
	} {
		if got := decodeMetrics(t, "", bodies...).Metrics[0].Version; got != base {
			t.Errorf("%s change the version", name)
		}
	}
	for name, bodies := range map[string][]string{
		"meaning of a side": {body, strings.Replace(revenue, "}", ", window: 72h}", 1), orders},
		"sides exchanged":   {"{key: aov, better: higher, ratio: {numerator: orders, denominator: revenue}}", revenue, orders},
		"numerator_within":  {"{key: aov, better: higher, ratio: {numerator: revenue, denominator: orders, numerator_within: 48h}}", revenue, orders},
		"exclude":           {strings.Replace(body, "better", "units_without_events: exclude, better", 1), revenue, orders},
	} {
		if got := decodeMetrics(t, "", bodies...).Metrics[0].Version; got == base {
			t.Errorf("%s: the version is the same", name)
		}
	}
}

func TestDefinition(t *testing.T) {
	defs := decodeMetrics(t, "defaults: {metric: {window: 72h}}",
		`{better: higher, measure: value, winsorize: {lower: 0.01, upper: 0.99}, value: "a == 'b' ? 1 : 2", event: purchase, key: revenue} # not this`,
		`{like: revenue, key: narrow, where: 'price > 3 and note != "# x"'}`)
	want := `key: narrow
better: higher
event: purchase
measure: value
value: 'a == ''b'' ? 1 : 2'
where: price > 3 and note != "# x"
window: 72h
winsorize:
  upper: 0.99
  lower: 0.01
`
	if diff := cmp.Diff(want, defs.Metrics[1].Definition); diff != "" {
		t.Errorf("definition (-want +got):\n%s", diff)
	}
}

// TestDefinitionIsDefinition reads the canonical text again: it means the same.
func TestDefinitionIsDefinition(t *testing.T) {
	defs := load(t, "every_field.yaml")
	for i, m := range defs.Metrics {
		text := "version: 1\nmetrics:\n"
		for _, other := range defs.Metrics {
			text += "  - " + strings.TrimSpace(strings.ReplaceAll(other.Definition, "\n", "\n    ")) + "\n"
		}
		again, diags := Decode(append([]SourceFile{{Path: "m.yaml", Text: []byte(text)}}, registryOf(t)...), LoadOptions{Env: testEnv})
		if len(diags) > 0 {
			t.Fatalf("%s\n%s", text, diags.Error())
		}
		if again.Metrics[i].Version != m.Version {
			t.Errorf("%s has another version when its definition is read again", m.Key.V)
		}
		if again.Metrics[i].Definition != m.Definition {
			t.Errorf("%s has another definition when its definition is read again", m.Key.V)
		}
	}
}

// registryOf is the registry of every_field.yaml as a file of its own.
func registryOf(t *testing.T) []SourceFile {
	t.Helper()
	text := string(rightFiles(t)["testdata/right/every_field.yaml"])
	_, text, _ = strings.Cut(text, "\nevents:\n")
	text, _, _ = strings.Cut(text, "\nmetrics:\n")
	return []SourceFile{{Path: "events.yaml", Text: []byte("version: 1\nevents:\n" + text)}}
}

func TestExperimentVersion(t *testing.T) {
	const body = `
events: {list: [{key: purchase}]}
metrics: [{key: m, event: purchase, measure: count, better: higher}]
experiments:
  - key: e
    flag: f
    unit: user
    start: 2026-03-02
    variations: [{key: a, baseline: true, weight: 50}, {key: b, weight: 50}]
    metrics: {primary: [m]}
`
	version := func(text string) string {
		defs, diags := Decode([]SourceFile{{Path: "m.yaml", Text: []byte("version: 1" + text)}}, LoadOptions{})
		if len(diags) > 0 {
			t.Fatalf("%s\n%s", text, diags.Error())
		}
		return defs.Experiments[0].Version
	}
	base := version(body)
	for name, r := range map[string][2]string{
		"name":             {"flag: f", "flag: f\n    name: An experiment"},
		"date and time":    {"2026-03-02", "2026-03-02T01:00:00+01:00"},
		"weights as 50.0":  {"weight: 50}]", "weight: 50.0}]"},
		"default rule":     {"flag: f", "flag: f\n    rule: test"},
		"match by the key": {"key: b,", "key: b, match: b,"},
		"default alpha":    {"flag: f", "flag: f\n    analysis: {alpha: 0.05}"},
		"name of a metric": {"{key: m,", "{key: m, name: M,"},
	} {
		if version(strings.Replace(body, r[0], r[1], 1)) != base {
			t.Errorf("%s changes the version", name)
		}
	}
	for name, r := range map[string][2]string{
		"key that is matched": {"- key: e", "- key: e2"},
		"flag":                {"flag: f", "flag: g"},
		"start":               {"2026-03-02", "2026-03-03"},
		"end":                 {"flag: f", "flag: f\n    end: 2026-04-01"},
		"weight":              {"weight: 50}]", "weight: 60}]"},
		"match":               {"key: b,", "key: b, match: c,"},
		"alpha":               {"flag: f", "flag: f\n    analysis: {alpha: 0.01}"},
		"metric":              {"measure: count", "measure: occurrence"},
		"role":                {"{primary: [m]}", "{secondary: [m]}\n    rule: rollout"},
		"segments":            {"flag: f", "flag: f\n    segments: [country]"},
		"audience":            {"flag: f", "flag: f\n    where: exposure.country == 'DE'"},
	} {
		if version(strings.Replace(body, r[0], r[1], 1)) == base {
			t.Errorf("%s does not change the version", name)
		}
	}
}
