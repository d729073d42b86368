package metrics

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what is said about the wrong files into testdata/wrong")

// wrongCase is a case of testdata/wrong: files, and everything that is said about them.
type wrongCase struct {
	name  string
	files []SourceFile
	want  string
}

// wrongCases reads an archive. Its sections are called case/file.yaml and
// case/want.
func wrongCases(ar *txtar.Archive) []*wrongCase {
	var out []*wrongCase
	for _, f := range ar.Files {
		name, file, _ := strings.Cut(f.Name, "/")
		if len(out) == 0 || out[len(out)-1].name != name {
			out = append(out, &wrongCase{name: name})
		}
		c := out[len(out)-1]
		if file == "want" {
			c.want = string(f.Data)
		} else {
			c.files = append(c.files, SourceFile{Path: file, Text: f.Data})
		}
	}
	return out
}

func testEnv(name string) (string, bool) {
	v, ok := map[string]string{"EXPORTS": "s3://bucket/exports", "EMPTY": ""}[name]
	return v, ok
}

// TestWrong reads wrong files and compares everything that is said about them.
func TestWrong(t *testing.T) {
	archives, err := filepath.Glob("testdata/wrong/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no cases: ", err)
	}
	for _, path := range archives {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		cases := wrongCases(ar)
		for _, c := range cases {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar")+"/"+c.name, func(t *testing.T) {
				_, diags := Decode(c.files, LoadOptions{Env: testEnv})
				got := diags.Error() + "\n"
				if *update {
					c.want = got
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("said (-want +got):\n%s", diff)
				}
				for _, d := range diags {
					if !d.Pos.IsValid() || d.Code == "" {
						t.Errorf("no place or no code: %+v", d)
					}
				}
			})
		}
		if *update {
			writeCases(t, path, ar, cases)
		}
	}
}

func writeCases(t *testing.T, path string, ar *txtar.Archive, cases []*wrongCase) {
	t.Helper()
	out := &txtar.Archive{Comment: ar.Comment}
	for _, c := range cases {
		for _, f := range c.files {
			out.Files = append(out.Files, txtar.File{Name: c.name + "/" + f.Path, Data: f.Text})
		}
		out.Files = append(out.Files, txtar.File{Name: c.name + "/want", Data: []byte(c.want)})
	}
	if text := txtar.Format(out); !bytes.Equal(text, txtar.Format(ar)) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// selfExplaining are the messages that need no hint, for the reason given: they
// say themselves what to write.
var selfExplaining = map[string]*regexp.Regexp{
	"what is wanted is named, most often with an example": regexp.MustCompile(`^("\w+"|the file) wants .*, not `),
	"all values are listed":                               regexp.MustCompile(`^".*" is no value of "\w+", which is .*`),
	"the range is given":                                  regexp.MustCompile(`^"\w+" must lie between 0 and 1, not be `),
}

// TestHints holds every message about the wrong files to saying what to do.
func TestHints(t *testing.T) {
	archives, err := filepath.Glob("testdata/wrong/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no cases: ", err)
	}
	used := map[string]bool{}
	for _, path := range archives {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range wrongCases(ar) {
			_, diags := Decode(c.files, LoadOptions{Env: testEnv})
			for _, d := range diags {
				if d.Hint != "" {
					continue
				}
				explained := false
				for reason, pattern := range selfExplaining {
					if pattern.MatchString(d.Message) {
						used[reason], explained = true, true
					}
				}
				if !explained {
					t.Errorf("%s/%s: no hint: %v", filepath.Base(path), c.name, d)
				}
			}
		}
	}
	for reason := range selfExplaining {
		if !used[reason] {
			t.Errorf("no message goes without a hint because %s", reason)
		}
	}
}

// TestSyntaxErrorInLongFile looks for one broken line in a file of many parts.
func TestSyntaxErrorInLongFile(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\n\nmetrics:\n")
	want := 0
	for i := range 2000 {
		fmt.Fprintf(&b, "  - key: m%d\n    event: [purchase,\n      refund]\n    measure: value\n", i)
		if i == 1500 {
			want = strings.Count(b.String(), "\n") + 1
			b.WriteString("    value: event == \"refund\" ? -value : value\n")
		}
		b.WriteString("    better: higher\n")
	}
	_, diags := Decode([]SourceFile{{Path: "m.yaml", Text: []byte(b.String())}}, LoadOptions{})
	if len(diags) != 1 || diags[0].Pos.Line != want || diags[0].Pos.Col != 39 {
		t.Errorf("said %v, want one thing at %d:39", diags, want)
	}
}
