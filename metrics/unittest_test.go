package metrics

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// TestRowsAsTable holds the two forms of rows to each other.
func TestRowsAsTable(t *testing.T) {
	const mappings = `
version: 1
tests:
  - name: rows
    impressions:
      - {user: a b, variation: control, at: 2026-03-02 10:00, attributes: {country: DE}, holdback: true}
      - {user: '007', variation: green, at: +2h}
    events:
      - {user: '007', event: buy, at: -1s, value: -1.50, category: shoes, properties: {item.sku: x}}
    expect: {rate: {units: {'007': 1}}}
`
	const tables = `
version: 1
tests:
  - name: rows
    impressions: |
      | user | variation | at                   | attributes.country | holdback |
      |------|-----------|----------------------|--------------------|----------|
      | a b  | control   | 2026-03-02T10:00:00Z | DE                 | true     |
      | 007  | green     | +2h                  |                    |          |
    events: |
      user | event | at  | value | category | properties.item.sku

      007  | buy   | -1s | -1.50 | shoes    | x
    expect: {rate: {units: {'007': 1}}}
`
	decode := func(text string) []*Test {
		t.Helper()
		file, list := DecodeTests("x_test.yaml", []byte(text))
		if len(list) > 0 {
			t.Fatal(list)
		}
		return file.Tests
	}
	if d := cmp.Diff(decode(mappings), decode(tables), cmpopts.IgnoreTypes(diag.Pos{})); d != "" {
		t.Errorf("the forms differ (-mappings +tables):\n%s", d)
	}
}

// TestPlacesInTables finds a mistake in a table at its cell.
func TestPlacesInTables(t *testing.T) {
	_, list := DecodeTests("x_test.yaml", []byte(`version: 1
tests:
  - name: rows
    impressions: |
      user | variation | at
      ä    | control   | soon
    expect: {rate: {units: {a: 1}}}
`))
	if len(list) != 1 || list[0].Pos != (diag.Pos{File: "x_test.yaml", Line: 6, Col: 26}) {
		t.Errorf("said at another place: %v", list)
	}
}

// TestSchemaOfTests holds the schema of files of tests to the decoder: both take
// those of examples/, and both refuse what is wrong in form.
func TestSchemaOfTests(t *testing.T) {
	s := compiled(t, JSONSchemaOfTests())
	paths, err := filepath.Glob("../examples/*_test.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no files: ", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, list := DecodeTests(path, text); len(list) > 0 {
			t.Errorf("the decoder refuses %s: %v", path, list)
		}
		if err := s.Validate(jsonValue(t, text)); err != nil {
			t.Errorf("the schema refuses %s: %v", path, err)
		}
	}
	const right = `{version: 1, tests: [{name: x, impressions: [{user: a, variation: on, at: +1h}], expect: {rate: {units: {a: 1}}}}]}`
	for _, wrong := range [][2]string{
		{"", ""}, // what the others are made of is right
		{"version: 1", "version: 2"},
		{"name: x, ", ""},
		{"name: x", "name: x, given: 1"},
		{"at: +1h", "at: 1h"},
		{"at: +1h", "at: [1]"},
		{"variation: on, ", ""},
		{"units: {a: 1}", "units: {a: one}"},
		{"units: {a: 1}", "units: {a: {numerator: 1}}"},
		{"units: {a: 1}", "mean: 1"},
		{"units: {a: 1}", ""},
		{"rate: {units: {a: 1}}", ""},
		{"units: {a: 1}", "variations: {on: {}}"},
		{"units: {a: 1}", "segments: {country: {DE: {on: {}}}}"},
		{"units: {a: 1}", "variations: {on: {sum: 1}}"},
		{"units: {a: 1}", "variations: {on: {units: -1}}"},
	} {
		text := []byte(strings.Replace(right, wrong[0], wrong[1], 1))
		_, list := DecodeTests("x_test.yaml", text)
		err := s.Validate(jsonValue(t, text))
		if want := wrong != [2]string{}; list.HasErrors() != want || (err != nil) != want {
			t.Errorf("%s\nthe decoder says %v, the schema %v", text, list, err)
		}
	}
}

// TestIsTestFile tells files of tests from definitions.
func TestIsTestFile(t *testing.T) {
	for name, want := range map[string]bool{
		"shop_test.yaml": true, "a/b_test.yml": true, "shop.yaml": false, "test.yaml": false, "shop_test.txt": false, "shop_test": false,
	} {
		if got := IsTestFile(name); got != want {
			t.Errorf("IsTestFile(%q) = %t", name, got)
		}
	}
}
