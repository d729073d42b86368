package metrics

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// rightFiles reads testdata/right.
func rightFiles(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/right/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no files: ", err)
	}
	out := map[string][]byte{}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out[p] = text
	}
	return out
}

func compiledSchema(t *testing.T) *jsonschema.Schema { return compiled(t, JSONSchema()) }

func compiled(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("metrics.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// jsonValue is a YAML text as editors hand it to a JSON Schema: dates are text.
func jsonValue(t *testing.T, text []byte) any {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var plain func(n *yaml.Node)
	plain = func(n *yaml.Node) {
		if n.Tag == "!!timestamp" {
			n.Tag = "!!str"
		}
		for _, c := range n.Content {
			plain(c)
		}
	}
	plain(&doc)
	var v any
	if err := doc.Decode(&v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSchemaAcceptsRightFiles(t *testing.T) {
	s := compiledSchema(t)
	for path, text := range rightFiles(t) {
		if err := s.Validate(jsonValue(t, text)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestSchemaRefusesWrongFiles holds the schema against what the decoder says:
// what is wrong in form must be refused by both.
func TestSchemaRefusesWrongFiles(t *testing.T) {
	s := compiledSchema(t)
	inForm := []string{"unknown-key", "wrong-kind", "bad-value", "bad-duration", "bad-version", "bad-key"}
	// Rules that the decoder has beyond the form of a value.
	beyond := []string{
		"file/group_key", "metrics/any_in_a_list", "ratios/ratio_and_number",
		"sources/event_called_any", "sources/partition_by_hours", "experiments/compare_itself", "experiments/segment_overall", "metrics/statistic_p0",
	}
	// Rules between fields that the schema has too.
	between := []string{
		"analysis/correction_twice", "experiments/match_empty", "experiments/weight_negative", "experiments/segment_from_both",
		"metrics/value_without_measure_value", "metrics/per_unit_without_measure_value", "metrics/decimals_of_a_count",
		"metrics/without_events_with_over", "metrics/threshold_and_winsorize", "metrics/threshold_empty", "metrics/threshold_two_lower",
		"metrics/window_lookback_and_from", "metrics/window_empty", "metrics/window_with_participation", "metrics/winsorize_percent_and_value",
		"metrics/winsorize_nothing", "metrics/winsorize_method_with_value", "metrics/split_by_with_winsorize",
		"ratios/ratio_and_event", "ratios/ratio_and_window", "ratios/ratio_and_where", "ratios/funnel_and_measure", "ratios/funnel_and_ratio",
		"ratios/funnel_and_where", "sources/path_and_table", "sources/partition_of_table", "sources/value_scale",
	}
	archives, err := filepath.Glob("testdata/wrong/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	refused, ruled := 0, 0
	for _, path := range archives {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range wrongCases(ar) {
			name := strings.TrimSuffix(filepath.Base(path), ".txtar") + "/" + c.name
			_, diags := Decode(c.files, LoadOptions{Env: testEnv})
			if name == "yaml/key_is_a_list" { // which JSON cannot say
				continue
			}
			isRule := slices.Contains(between, name)
			if len(c.files) != 1 || !isRule && !slices.Contains(inForm, diags[0].Code) {
				continue
			}
			refused++
			if isRule {
				ruled++
			}
			err := s.Validate(jsonValue(t, c.files[0].Text))
			if want := !slices.Contains(beyond, name); want != (err != nil) {
				t.Errorf("%s: refused by the schema: %t, want %t; the decoder says %s", name, err != nil, want, diags[0].Error())
			}
		}
	}
	if ruled != len(between) {
		t.Errorf("of %d rules %d were compared", len(between), ruled)
	}
	if refused < 80 {
		t.Errorf("only %d files were compared", refused)
	}
}

// TestEveryFieldIsUsed walks the right files by the schema, and asks that they
// use every key that the schema has. As the files decode without a word, there
// is no key in the schema that the decoder does not know.
func TestEveryFieldIsUsed(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal(JSONSchema(), &doc); err != nil {
		t.Fatal(err)
	}
	defs := doc["$defs"].(map[string]any)
	used := map[string]bool{}
	var walk func(name string, schema map[string]any, v any)
	walk = func(name string, schema map[string]any, v any) {
		if ref, ok := schema["$ref"].(string); ok {
			name = strings.TrimPrefix(ref, "#/$defs/")
			walk(name, defs[name].(map[string]any), v)
		}
		if cases, ok := schema["anyOf"].([]any); ok {
			for _, s := range cases {
				walk(name, s.(map[string]any), v)
			}
		}
		switch v := v.(type) {
		case map[string]any:
			properties, _ := schema["properties"].(map[string]any)
			free, _ := schema["additionalProperties"].(map[string]any)
			for k, x := range v {
				if p, ok := properties[k].(map[string]any); ok {
					used[oneSource(name)+"."+k] = true
					walk(name+"."+k, p, x)
				} else if free != nil {
					walk(name, free, x)
				}
			}
		case []any:
			if items, ok := schema["items"].(map[string]any); ok {
				for _, x := range v {
					walk(name, items, x)
				}
			}
		}
	}
	for _, text := range rightFiles(t) {
		walk("file", doc, jsonValue(t, text))
	}
	all := map[string]bool{}
	collect := func(name string, schema map[string]any) {
		name = oneSource(name)
		for k := range schema["properties"].(map[string]any) {
			all[name+"."+k] = true
		}
	}
	collect("file", doc)
	for name, def := range defs {
		// These repeat the fields of metrics, experiments and analysis.
		if !slices.Contains([]string{"inline_metric", "default_metric", "default_experiment", "metric_entry", "guardrail", "analysis_of_a_metric"}, name) {
			collect(name, def.(map[string]any))
		}
	}
	for k := range all {
		if used[k] {
			delete(all, k)
		}
	}
	if diff := cmp.Diff([]string(nil), slices.Sorted(maps.Keys(all))); diff != "" {
		t.Errorf("fields that testdata/right does not use:\n%s", diff)
	}
}

// oneSource is one name for the sources of all roles, which share their fields.
func oneSource(name string) string {
	if strings.HasPrefix(name, "source_of_") {
		return "source"
	}
	return name
}

func TestSchemaHasTheFieldsOfTheTables(t *testing.T) {
	var doc struct {
		Properties map[string]any
		Defs       map[string]struct {
			Description string
			Properties  map[string]struct{ Description string }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(JSONSchema(), &doc); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"metric": metricObject.names(), "experiment": experimentObject.names(), "analysis": analysisObject.names(),
		"source_of_events": sourceObject(RoleEvents, eventColumns).names(), "columns_of_impressions": impressionColumns.names(),
		"inline_metric": bodyFields,
	} {
		got := slices.Sorted(maps.Keys(doc.Defs[name].Properties))
		want = slices.Sorted(slices.Values(want))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: fields (-decoder +schema):\n%s", name, diff)
		}
	}
	for name, def := range doc.Defs {
		if def.Description == "" {
			t.Errorf("%s has no description", name)
		}
		for k, p := range def.Properties {
			if p.Description == "" {
				t.Errorf("%s.%s has no description", name, k)
			}
		}
	}
}

func TestSchemaIsStable(t *testing.T) {
	if !bytes.Equal(JSONSchema(), JSONSchema()) {
		t.Error("two calls give two texts")
	}
}

// TestExamplesAreRight holds each example of the schemas against the part of the schema
// that it stands at, and some to the values that YAML reads there.
func TestExamplesAreRight(t *testing.T) {
	for name, want := range map[string]map[string]string{
		"definitions": {
			"/properties/version":                          `[1]`,
			"/$defs/metric/properties/ratio":               `[{"denominator":{"event":"purchase","measure":"count"},"numerator":"revenue"}]`,
			"/$defs/metric/properties/window":              `["72h",{"from":"7d","to":"14d"},{"lookback":"7d"}]`,
			"/$defs/metric/properties/where":               `["category == \"electronics\" and coupon == nil"]`,
			"/$defs/experiment/properties/start":           `["2026-03-02","2026-03-02T09:30:00Z"]`,
			"/$defs/experiment/properties/variations":      `[[{"baseline":true,"key":"control"},{"key":"green"}]]`,
			"/$defs/match/properties/experiment":           `["18786493712"]`,
			"/$defs/metric_entry/properties/alpha":         `[0.05,"5%"]`, // of a row that is lifted from another object
			"/$defs/default_metric/properties/event":       `["purchase",["purchase","renewal"],"any","impression"]`,
			"/$defs/source_of_units/properties/columns":    `[{"attributes":{"plan":"plan"},"units":{"user":"user_id"}}]`,
			"/$defs/variation_value/properties/value":      `[{"color":"green"}]`,
			"/$defs/correction/properties/over":            `[["metrics","variations"]]`,
			"/$defs/source_of_impressions/properties/path": `["exports/events/*.parquet","${EXPORTS:-exports}/events",["exports/web","exports/app"]]`,
		},
		"tests": {
			"/properties/version": `[1]`,
			"/properties/tests": `[[{"events":[{"at":"+2h","event":"purchase","user":"a"}],"expect":{"purchase_rate":{"units":{"a":1}}},` +
				`"impressions":[{"at":"2026-03-02","user":"a","variation":"control"}],"name":"a buyer counts"}]]`,
			"/$defs/test/properties/expect":       `[{"purchase_rate":{"units":{"a":1}}}]`,
			"/$defs/expectation/properties/units": `[{"a":1,"b":0,"c":"excluded"},{"a":{"denominator":2,"numerator":30}}]`,
		},
	} {
		text := JSONSchema()
		if name == "tests" {
			text = JSONSchemaOfTests()
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource("metrics.json", doc); err != nil {
			t.Fatal(err)
		}
		shown := map[string]string{}
		var walk func(at string, v any)
		walk = func(at string, v any) {
			members, _ := v.(map[string]any)
			if examples, ok := members["examples"].([]any); ok {
				if shown[at], err = marshalText(examples); err != nil {
					t.Fatal(err)
				}
				s, err := c.Compile("metrics.json#" + at)
				if err != nil {
					t.Fatal(err)
				}
				for _, example := range examples {
					if err := s.Validate(example); err != nil {
						t.Errorf("%s: %s: %v", name, at, err)
					}
				}
			}
			for k, v := range members {
				if k != "examples" { // what stands there is no schema
					walk(at+"/"+k, v)
				}
			}
		}
		walk("", doc)
		for at, values := range want {
			if shown[at] != values {
				t.Errorf("%s: examples of %s: %s, want %s", name, at, shown[at], values)
			}
		}
	}
}

func marshalText(v any) (string, error) {
	text, err := marshalPlain(v)
	return string(text), err
}
