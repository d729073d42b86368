package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadme runs the example of README.md: what stands below the command is
// what the program prints. Where it differs, run make docs.
func TestReadme(t *testing.T) {
	readme, err := filepath.Abs("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	definitions := fenced(t, string(text), "yaml")
	command, want, _ := strings.Cut(fenced(t, string(text), "console"), "\n")
	args, ok := strings.CutPrefix(command, "$ metricsjob ")
	if !ok {
		t.Fatalf("the example runs %q", command)
	}

	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(filepath.Dir(readme), "testdata"), filepath.Join(dir, "testdata")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "metrics.yaml"), []byte(definitions), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	var stdout, stderr strings.Builder
	if code := run(context.Background(), strings.Fields(args), &stdout, &stderr); code != exitDone || stderr.Len() > 0 {
		t.Fatalf("exit code %d, want %d; standard error:\n%s", code, exitDone, &stderr)
	}

	if *update {
		updated := strings.Replace(string(text), command+"\n"+want, command+"\n"+stdout.String(), 1)
		if err := os.WriteFile(readme, []byte(updated), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(withoutClock(want), withoutClock(stdout.String())); diff != "" {
		t.Errorf("README.md does not show what the program prints; run make docs (-file +program):\n%s", diff)
	}
}

// fenced gives the only block of the text that is fenced as being of the language.
func fenced(t *testing.T, text, language string) string {
	t.Helper()
	parts := strings.Split(text, "```"+language+"\n")
	if len(parts) != 2 {
		t.Fatalf("README.md has %d blocks of %s", len(parts)-1, language)
	}
	block, _, _ := strings.Cut(parts[1], "```")
	return block
}

// withoutClock takes from a report what differs from run to run and from
// machine to machine: its last lines, about the run itself.
func withoutClock(report string) string {
	return regexp.MustCompile(`(?s)\nrun [0-9a-f]{16} .*`).ReplaceAllString(report, "\nrun …\n")
}
