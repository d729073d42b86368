package job_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMistakes makes the mistakes of testdata/mistakes.txtar, and of
// those beside it, one at a time, in definitions that are right,
// and wants check to find each before a run. A mistake is two sections:
//
//	NAME/edit  lines of metrics.yaml with - before them, and with + what takes their place
//	NAME/want  the diagnostics, with their hints
//
// Of the definitions as they are nothing is to be said.
func TestMistakes(t *testing.T) { findMistakes(t, "testdata/mistakes.txtar") }

func TestMistakesOfFormats(t *testing.T) { findMistakes(t, "testdata/mistakes_formats.txtar") }

func TestMistakesWithoutEffect(t *testing.T) { findMistakes(t, "testdata/mistakes_idle.txtar") }

func findMistakes(t *testing.T, file string) {
	t.Helper()
	c := openCase(t, file)
	right := c.mustSection("metrics.yaml")
	said := func(t *testing.T, definitions string) string {
		writeFile(t, filepath.Join(c.dir, "metrics.yaml"), definitions)
		return c.check()
	}
	if got := said(t, right); got != "" {
		t.Errorf("said about definitions that are right:\n%s", got)
	}
	mistakes := 0
	for _, f := range c.archive.Files {
		name, isEdit := strings.CutSuffix(f.Name, "/edit")
		if !isEdit {
			continue
		}
		mistakes++
		t.Run(name, func(t *testing.T) {
			got := said(t, edited(t, right, string(f.Data)))
			if d := cmp.Diff(c.mustSection(name+"/want"), got); d != "" {
				t.Errorf("diagnostics (-want +got):\n%s\n%s", d, got)
			}
		})
	}
	if mistakes < 10 {
		t.Errorf("only %d mistakes", mistakes)
	}
}

// edited is the text with lines in place of others.
func edited(t *testing.T, text, edit string) string {
	t.Helper()
	var before, after strings.Builder
	for line := range strings.Lines(edit) {
		switch line[0] {
		case '-':
			before.WriteString(line[1:])
		case '+':
			after.WriteString(line[1:])
		default:
			t.Fatalf("a line with neither - nor +: %s", line)
		}
	}
	if strings.Count(text, before.String()) != 1 {
		t.Fatalf("these lines do not stand there once:\n%s", before.String())
	}
	return strings.Replace(text, before.String(), after.String(), 1)
}
