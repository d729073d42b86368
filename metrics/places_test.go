package metrics

import (
	"strings"
	"testing"
	"unicode"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// TestExprPlaces writes one expression in every style that YAML has. Each
// letter of the expression stands once in the file, so that its place is found
// by looking for it.
func TestExprPlaces(t *testing.T) {
	const head = "version: 1\nmetrics:\n  - key: m\n    event: m\n    measure: count\n    better: lower\n"
	for _, c := range []struct{ name, yaml, src string }{
		{"plain", "    where: G == H and Q", "G == H and Q"},
		{"plain_in_flow", "    after: {event: m, where: G == H}", "G == H"},
		{"plain_two_lines", "    where: G ==\n      H and\n\n      Q", "G == H and\nQ"},
		{"plain_after_umlaut", "    after: {event: äöü, where: G == H}", "G == H"},
		{"single", "    where: 'G == \"H\" and Q'", `G == "H" and Q`},
		{"single_with_quotes", "    where: 'G == ''H'' and ''Q'' > Z'", "G == 'H' and 'Q' > Z"},
		{"single_two_lines", "    where: 'G ==  \n\n        H and ''Q''\n      > Z'", "G ==\nH and 'Q' > Z"},
		{"double", `    where: "G == \"H\" and \u0051 > Z\n + \x4B\U0000004C < J"`, "G == \"H\" and Q > Z\n + KL < J"},
		{"double_two_lines", "    where: \"G ==\n      H \\\n      and Q\"", "G == H and Q"},
		{"literal", "    where: |\n      G == H\n        and Q\n\n      or Z\n", "G == H\n  and Q\n\nor Z"},
		{"literal_indented", "    where: |2-\n          G == H\n       or Z", "    G == H\n or Z"},
		{"literal_keep", "    where: |+ # comment\n\n      G == H\n\n", "\nG == H"},
		{"folded", "    where: >\n      G == H\n      and Q\n\n      or Z\n", "G == H and Q\nor Z"},
		{"folded_more_indented", "    where: >-\n      G == H\n        and Q\n      or Z\n", "G == H\n  and Q\nor Z"},
	} {
		for _, end := range []string{"\n", "\r\n"} {
			t.Run(c.name, func(t *testing.T) {
				text := strings.ReplaceAll(head+c.yaml+"\n", "\n", end)
				defs, diags := Decode([]SourceFile{{Path: "m.yaml", Text: []byte(text)}}, LoadOptions{})
				if len(diags) > 0 {
					t.Fatal(diags.Error())
				}
				e := defs.Metrics[0].Where
				if defs.Metrics[0].After != nil {
					e = defs.Metrics[0].After.Where
				}
				if e.Src != c.src {
					t.Fatalf("source is %q, want %q", e.Src, c.src)
				}
				found := 0
				for offset, r := range e.Src {
					if !unicode.IsUpper(r) || strings.Count(text, string(r)) != 1 {
						continue
					}
					found++
					line, col := placeOf(text, strings.IndexRune(text, r))
					if got, want := e.At(offset), (diag.Pos{File: "m.yaml", Line: line, Col: col}); got != want {
						t.Errorf("%q is at %v, want %v", r, got, want)
					}
				}
				if found < 2 {
					t.Errorf("only %d letters were looked for", found)
				}
			})
		}
	}
}

// TestExprPlacesOfEscapes asks for the places of what is escaped, which
// cannot be looked for.
func TestExprPlacesOfEscapes(t *testing.T) {
	text := "version: 1\nmetrics:\n  - key: m\n    event: m\n    measure: count\n    better: lower\n    where: \"a\\u00e9b\\\\c\"\n"
	defs, diags := Decode([]SourceFile{{Path: "m.yaml", Text: []byte(text)}}, LoadOptions{})
	if len(diags) > 0 {
		t.Fatal(diags.Error())
	}
	e := defs.Metrics[0].Where
	for _, c := range []struct {
		part string
		col  int
	}{{"a", 13}, {"é", 14}, {"b", 20}, {`\`, 21}, {"c", 23}} {
		if got := e.At(strings.Index(e.Src, c.part)); got.Line != 7 || got.Col != c.col {
			t.Errorf("%q is at %v, want 7:%d", c.part, got, c.col)
		}
	}
	if got := e.At(len(e.Src)); got.Col != 24 {
		t.Errorf("the end is at %v, want column 24", got)
	}
}
