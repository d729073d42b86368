package imports_test

import (
	"encoding/json"
	"errors"
	"maps"
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

// Files may have anything in any place: then there is an error, or something is left.
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
						if got, err := importOf(copied); err == nil && got.Text == "" {
							t.Errorf("nothing was imported of %s, without an error", changed)
						}
					}
					set(was)
				})
			})
		}
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
