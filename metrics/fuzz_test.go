package metrics

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzDecode reads any text: it must not panic, and what is said about it has
// a place in it.
func FuzzDecode(f *testing.F) {
	archives, err := filepath.Glob("testdata/wrong/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range archives {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, c := range wrongCases(ar) {
			f.Add(c.files[0].Text)
		}
	}
	for _, text := range rightFiles(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 16<<10 {
			t.Skip("too long to be of use")
		}
		defs, diags := Decode([]SourceFile{{Path: "m.yaml", Text: text}}, LoadOptions{Env: testEnv})
		lines := linesOf(string(text))
		for _, d := range diags {
			switch {
			case d.Pos.File != "m.yaml" || d.Pos.Line < 1 || d.Pos.Col < 1 || d.Pos.Line > len(lines)+1:
				t.Errorf("no place in the text: %v", d)
			case d.Pos.Line <= len(lines) && d.Pos.Col > len([]rune(lines[d.Pos.Line-1]))+2:
				t.Errorf("no place in the line: %v", d)
			case d.Message == "" || d.Code == "":
				t.Errorf("nothing said: %+v", d)
			}
		}
		for _, m := range defs.Metrics {
			for offset := range m.Where.Src {
				p := m.Where.At(offset)
				if p.Line < 1 || p.Line > len(lines)+1 || p.Col < 1 {
					t.Errorf("byte %d of %q is at %v", offset, m.Where.Src, p)
				}
			}
			if !diags.HasErrors() && (m.Version == "" || m.Definition == "") {
				t.Errorf("metric %s has no version", m.Key.V)
			}
		}
	})
}

// FuzzFormat formats any text that decodes: its meaning and its comments stay,
// and formatting again changes nothing.
func FuzzFormat(f *testing.F) {
	for _, text := range definitionTexts(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 16<<10 {
			t.Skip("too long to be of use")
		}
		_, diags := Format(SourceFile{Path: "m.yaml", Text: text})
		if diags.HasErrors() && diags[0].Code != "no-layout" {
			t.Skip("nothing to format")
		}
		checkFormat(t, text)
	})
}
