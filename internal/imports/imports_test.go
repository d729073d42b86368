package imports_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/metricsjob/metricsjob/internal/imports"
	"github.com/metricsjob/metricsjob/metrics"
)

// TestImport imports the files of testdata, whose first section names what to import,
// of which tool, and the files. What is wanted is written by hand from what the tools
// document. It is in the canonical layout, and what it lists is what is told.
func TestImport(t *testing.T) {
	for name, sections := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			got, err := importOf(sections)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(sections["want"], got.Text); d != "" {
				t.Errorf("(-want +got):\n%s\n%s", d, got.Text)
			}
			file := metrics.SourceFile{Path: "want.yaml", Text: []byte(got.Text)}
			if _, list := metrics.Decode([]metrics.SourceFile{file}, metrics.LoadOptions{}); list.HasErrors() {
				t.Error(list)
			}
			if again, _ := metrics.Format(file); string(again) != got.Text {
				t.Errorf("formatted again:\n%s", again)
			}
			if n := strings.Count(got.Text, "# Not taken over: "); n != len(got.Left) {
				t.Errorf("%d comments about what is left, and %d messages: %q", n, len(got.Left), got.Left)
			}
		})
	}
}

// fixtures are the sections of the files of testdata, by their names.
func fixtures(t *testing.T) map[string]map[string]string {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no files", err)
	}
	out := map[string]map[string]string{}
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sections := map[string]string{}
		for _, f := range a.Files {
			sections[f.Name] = string(f.Data)
		}
		out[strings.TrimSuffix(filepath.Base(path), ".txtar")] = sections
	}
	return out
}

func importOf(sections map[string]string) (*imports.Imported, error) {
	command := strings.Fields(sections["command"])
	var files []metrics.SourceFile
	for _, name := range command[2:] {
		files = append(files, metrics.SourceFile{Path: name, Text: []byte(sections[name])})
	}
	if command[0] == "experiments" {
		return imports.Experiments(imports.Tool(command[1]), files, imports.Options{})
	}
	return imports.Metrics(imports.Tool(command[1]), files)
}

// What a reader does not know is told, wherever it stands.
func TestUnknownFieldsAreTold(t *testing.T) {
	all := fixtures(t)
	for _, test := range []struct{ fixture, file, at string }{
		{"optimizely", "datafile.json", `"layerId": "77"`},
		{"optimizely", "datafile.json", `"id": "18802093142"`},
		{"vwo", "settings.json", `"key": "checkout"`},
		{"vwo", "settings.json", `"identifier": "view"`},
		{"vwo", "settings.json", `"percentTraffic": 100`},
		{"flagsync", "flags.json", `"key": "banner"`},
		{"flagsync", "flags.json", `"isEnabled": true`},
		{"launchdarkly", "experiment.json", `"methodology": "bayesian"`},
		{"launchdarkly", "experiment.json", `"canReshuffleTraffic": true`},
		{"launchdarkly", "experiment.json", `"_id": "t1"`},
		{"launchdarkly", "metrics.json", `"key": "latency"`},
		{"launchdarkly_metrics", "metrics.json", `"key": "paid-orders"`},
		{"growthbook", "metrics.json", `"id": "fact__1"`},
		{"growthbook", "metrics.json", `"type": "conversion"`},
		{"growthbook", "metrics.json", `"column": "refund"`},
		{"eppo", "purchases.yaml", `entity: Company`},
		{"statsig", "metrics.yaml", `name: Requests`},
		{"statsig", "metrics.yaml", `aggregation: sum`},
	} {
		sections := map[string]string{}
		for name, text := range all[test.fixture] {
			sections[name] = text
		}
		field := `, "brandNew": "x"`
		if strings.HasSuffix(test.file, ".yaml") {
			line := sections[test.file][:strings.Index(sections[test.file], test.at)]
			indent := line[strings.LastIndexByte(line, '\n')+1:]
			field = "\n" + strings.Repeat(" ", len(indent)) + "brandNew: x"
		}
		if !strings.Contains(sections[test.file], test.at) {
			t.Fatalf("%s has no %s", test.file, test.at)
		}
		sections[test.file] = strings.Replace(sections[test.file], test.at, test.at+field, 1)
		got, err := importOf(sections)
		if err != nil {
			t.Errorf("%s: %v", test.fixture, err)
			continue
		}
		if !slices.ContainsFunc(got.Left, func(left string) bool { return strings.Contains(left, `brandNew: "x"`) }) {
			t.Errorf("%s: nothing is told of a new field beside %s: %q", test.fixture, test.at, got.Left)
		}
	}
}

// What a reader does not know of a file as a whole is told too.
func TestUnknownMembersOfFilesAreTold(t *testing.T) {
	for name, sections := range fixtures(t) {
		for file, text := range sections {
			changed := maps.Clone(sections)
			switch filepath.Ext(file) {
			case ".json":
				changed[file] = strings.Replace(text, "{", `{"brandNew": "x", `, 1)
			case ".yaml":
				changed[file] = "brandNew: x\n" + text
			default:
				continue
			}
			got, err := importOf(changed)
			if err != nil {
				t.Errorf("%s, %s: %v", name, file, err)
				continue
			}
			if !slices.ContainsFunc(got.Left, func(left string) bool { return strings.Contains(left, `brandNew: "x"`) }) {
				t.Errorf("%s: nothing is told of a new member of %s: %q", name, file, got.Left)
			}
		}
	}
}

// A file of another kind is refused with what it holds.
func TestFilesOfAnotherKind(t *testing.T) {
	for text, want := range map[string]string{
		`[{"b": 1, "a": 2}]`: "it is a list of objects with the fields a, b",
		`[1]`:                "it is a list, but not one of objects",
		`{"x": 1}`:           "its fields are x",
	} {
		_, err := imports.Experiments(imports.FlagSync, []metrics.SourceFile{{Path: "f.json", Text: []byte(text)}}, imports.Options{})
		var refused *imports.FileError
		if !errors.As(err, &refused) || refused.Hint() != want {
			t.Errorf("%s: %v, hint %q, want %q", text, err, refused.Hint(), want)
		}
	}
}

// Files may have anything in any place: then there is an error, or something is left, and
// the metrics are such as the language takes.
func TestOddValues(t *testing.T) {
	odd := []any{nil, true, json.Number("-7.5"), "x", []any{"x", json.Number("1")}, map[string]any{}, []any{map[string]any{"id": "x"}}}
	for name, sections := range fixtures(t) {
		for file, text := range sections {
			if !strings.HasSuffix(file, ".json") {
				continue
			}
			t.Run(name+" "+file, func(t *testing.T) {
				var root any
				if err := json.Unmarshal([]byte(text), &root); err != nil {
					t.Fatal(err)
				}
				eachPlace(root, func(set func(any), was any) {
					for _, v := range odd {
						set(v)
						changed, err := json.Marshal(root)
						if err != nil {
							t.Fatal(err)
						}
						copied := map[string]string{}
						for name, text := range sections {
							copied[name] = text
						}
						copied[file] = string(changed)
						got, err := importOf(copied)
						switch {
						case err != nil:
						case got.Text == "":
							t.Errorf("nothing was imported of %s, without an error", changed)
						case strings.HasPrefix(sections["command"], "metrics "):
							wantRight(t, got.Text)
						}
					}
					set(was)
				})
			})
		}
	}
}

// wantRight wants definitions without a mistake.
func wantRight(t *testing.T, text string) {
	t.Helper()
	if _, list := metrics.Decode([]metrics.SourceFile{{Path: "import.yaml", Text: []byte(text)}}, metrics.LoadOptions{}); list.HasErrors() {
		t.Errorf("%v in\n%s", list, text)
	}
}

// eachPlace calls f for each value below v, with what puts another in its place.
func eachPlace(v any, f func(set func(any), was any)) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			was := v[name]
			f(func(other any) { v[name] = other }, was)
			eachPlace(was, f)
		}
	case []any:
		for i, was := range v {
			f(func(other any) { v[i] = other }, was)
			eachPlace(was, f)
		}
	}
}

// TestDrawnMetrics draws metrics from what the fields of each tool may say, many of which
// the language does not take beside each other; what is imported is right.
func TestDrawnMetrics(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 6))
	type choices map[string][]any
	var draw func(choices) map[string]any
	draw = func(c choices) map[string]any {
		out := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(c)) {
			switch v := c[name][random.IntN(len(c[name]))].(type) {
			case nil:
			case choices:
				out[name] = draw(v)
			default:
				out[name] = v
			}
		}
		return out
	}
	bools := []any{nil, true, false}
	growthBookSide := choices{
		"factTableId": {"t1"}, "column": {"$$distinctUsers", "$$count", "$$distinctDates", "amount"}, "aggregation": {nil, "sum", "max", "count distinct"},
		"aggregateFilterColumn": {nil, nil, "amount"}, "aggregateFilter": {">= 3", "= 3"},
	}
	eppoSide := choices{
		"fact_name": {"Revenue"}, "operation": {"sum", "count", "count_distinct", "conversion", "retention", "threshold", "first_value"}, "aggregation_timeframe_unit": {"days", "weeks"},
		"aggregation_timeframe_start_value": {nil, 3}, "aggregation_timeframe_end_value": {nil, 7}, "winsorization_upper_percentile": {nil, 0.99, 1}, "winsor_upper_fixed_value": {nil, 10},
		"threshold_metric_settings": {choices{"comparison_operator": {"gt"}, "aggregation_type": {"sum", "count"}, "breach_value": {3}, "timeframe_value": {7}, "timeframe_unit": {"days"}}},
		"conversion_threshold_days": {nil, 7}, "retention_threshold_days": {nil, 7}, "enable_aging_subject_filter": bools,
	}
	aggregations := []any{"count", "sum", "mean", "daily_participation", "count_distinct", "percentile", "first_value", "latest_value", "max", "min", "ratio", "ratio", "ratio"}
	criterion := choices{"type": {"metadata", "value", "user"}, "column": {"x"}, "condition": {"in", "<=", "contains", "not_contains", "is_null"}, "values": {[]any{"3"}, []any{"a"}}}
	for tool, metric := range map[imports.Tool]choices{
		imports.GrowthBook: {
			"metricType": {"proportion", "mean", "ratio", "quantile", "retention", "dailyParticipation"}, "numerator": {growthBookSide}, "denominator": {growthBookSide}, "inverse": bools,
			"quantileSettings":             {choices{"type": {"event", "unit"}, "quantile": {0.5, 0.999}, "ignoreZeros": bools}},
			"windowSettings":               {nil, choices{"type": {"conversion", "lookback"}, "delayValue": {nil, 24, -3}, "delayUnit": {"hours", "days"}, "windowValue": {nil, 72}}},
			"cappingSettings":              {nil, choices{"type": {"none", "absolute", "percentile"}, "value": {0, 0.99, 100}, "ignoreZeros": bools}},
			"regressionAdjustmentSettings": {nil, choices{"override": {true}, "enabled": bools, "days": {7}}},
		},
		imports.Eppo: {"entity": {"User"}, "numerator": {eppoSide}, "denominator": {nil, eppoSide}, "is_guardrail": bools},
		imports.LaunchDarkly: {
			"kind": {"custom", "click"}, "key": {"k"}, "eventKey": {"e"}, "isNumeric": bools, "unitAggregationType": {nil, "average", "sum"}, "analysisType": {"mean", "percentile"},
			"percentileValue": {50, 99}, "eventDefault": {nil, choices{"disabled": bools}},
		},
		imports.Statsig: {"type": {"user_warehouse"}, "warehouseNative": {choices{
			"aggregation": aggregations, "numeratorAggregation": aggregations, "denominatorAggregation": aggregations, "metricSourceName": {"o"}, "denominatorMetricSourceName": {"v"},
			"valueColumn": {"x"}, "denominatorValueColumn": {"y"}, "percentile": {0.9}, "rollupTimeWindow": {nil, "custom"}, "customRollUpStart": {0, 3}, "customRollUpEnd": {1, 6},
			"winsorizationHigh": {nil, 0.99}, "cap": {nil, 100}, "valueThreshold": {nil, 3}, "cupedAttributionWindow": {nil, 7}, "metricDimensionColumns": {nil, []any{"c"}}, "waitForCohortWindow": bools,
		}}, "metricEvents": {nil}},
	} {
		var all []any
		for i := range 300 {
			m := draw(metric)
			m["name"] = fmt.Sprint("m", i)
			if w, ok := m["warehouseNative"].(map[string]any); ok {
				w["criteria"] = []any{draw(criterion)}
			}
			all = append(all, m)
		}
		file, err := json.Marshal(map[string]any{"items": all, "metrics": all, "factMetrics": all, "fact_sources": []any{map[string]any{"name": "orders", "facts": []any{map[string]any{"name": "Revenue", "column": "amount"}}}}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := imports.Metrics(tool, []metrics.SourceFile{{Path: "metrics.json", Text: file}})
		if err != nil || got.Metrics < 100 {
			t.Fatal(tool, got, err)
		}
		wantRight(t, got.Text)
	}
}
