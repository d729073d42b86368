package metrics

import (
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
