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

// runPages are the pages whose blocks are run.
var runPages = []string{"docs/explain.md", "docs/metrics.md", "docs/sources.md", "docs/testing.md"}

// vendorExports are what the examples of docs/sources.md read, which lie beside
// these exports in the repository.
const vendorExports = "testdata/vendors"

// TestPageBlocks runs the blocks of pages. A block that is fenced as "yaml NAME"
// is a file of that name; one fenced as "console" has commands behind "$ " with
// what they print below, and one as "console excerpt" of a run only the part
// about metrics. The files of a page are all written before its commands run, in
// a folder beside testdata. Where the output differs, run make docs.
func TestPageBlocks(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range runPages {
		t.Run(strings.TrimSuffix(filepath.Base(page), ".md"), func(t *testing.T) {
			file := filepath.Join(root, page)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			for _, name := range append(vendorFolders(t, root), "testdata", "examples") {
				if err := os.Symlink(filepath.Join(root, name), filepath.Join(dir, filepath.Base(name))); err != nil {
					t.Fatal(err)
				}
			}
			writeBlocks(t, dir, string(text))
			t.Chdir(dir)
			got := blockPattern.ReplaceAllStringFunc(string(text), func(block string) string { return runBlock(t, block) })
			if *update && got != string(text) {
				if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(text), got); diff != "" {
				t.Errorf("%s does not show what the program prints; run make docs (-file +program):\n%s", page, diff)
			}
		})
	}
}

var blockPattern = regexp.MustCompile("(?ms)^```([a-z]+)( [^\n]*)?\n(.*?)^```$")

// writeBlocks writes the files of a page. Every block of YAML is one: what is
// shown is checked.
func writeBlocks(t *testing.T, dir, text string) {
	t.Helper()
	for _, m := range blockPattern.FindAllStringSubmatch(text, -1) {
		language, name, body := m[1], strings.TrimSpace(m[2]), m[3]
		if language != "yaml" {
			continue
		}
		if name == "" {
			t.Errorf("a block of YAML has no name of a file:\n%s", body)
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// vendorFolders are the folders of exports in vendorExports.
func vendorFolders(t *testing.T, root string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, vendorExports))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, filepath.Join(vendorExports, e.Name()))
		}
	}
	return out
}

// TestSourcesPage wants the examples of testdata/vendors on the page as they are
// there, and a check to find no mistake in any block of the page.
func TestSourcesPage(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/sources.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range vendorFolders(t, root) {
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(dir, filepath.Base(name))); err != nil {
			t.Fatal(err)
		}
	}
	writeBlocks(t, dir, string(page))
	blocks, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(blocks) == 0 {
		t.Fatal("no blocks of YAML", err)
	}
	for _, block := range blocks {
		var out strings.Builder
		if code := run(context.Background(), []string{"check", block}, &out, &out); code != exitDone {
			t.Errorf("check %s ends with exit code %d:\n%s", filepath.Base(block), code, out.String())
		}
	}
	examples, err := filepath.Glob(filepath.Join(root, vendorExports, "*.yaml"))
	if err != nil || len(examples) == 0 {
		t.Fatal("no examples", err)
	}
	for _, example := range examples {
		want, err := os.ReadFile(example)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, filepath.Base(example)))
		if err != nil {
			t.Errorf("the page does not show %s: %v", filepath.Base(example), err)
			continue
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("the page shows %s otherwise (-file +page):\n%s", filepath.Base(example), diff)
		}
	}
}

// runBlock is a block of commands with what they print now; any other block
// stays as it is.
func runBlock(t *testing.T, block string) string {
	t.Helper()
	m := blockPattern.FindStringSubmatch(block)
	if m[1] != "console" {
		return block
	}
	var out strings.Builder
	out.WriteString("```console" + m[2] + "\n")
	for line := range strings.Lines(m[3]) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ metricsjob ")
		if !ok {
			continue
		}
		out.WriteString(line)
		var stdout strings.Builder
		code := run(context.Background(), splitCommand(command), &stdout, &stdout)
		if code != exitDone && code != exitFailed {
			t.Errorf("%s ends with exit code %d:\n%s", command, code, stdout.String())
		}
		text := stdout.String()
		if strings.TrimSpace(m[2]) == "excerpt" {
			text = aboutMetrics(text)
		}
		out.WriteString(text)
	}
	return out.String() + "```"
}

// splitCommand takes the words of a command apart; those in single quotes may
// have blanks.
func splitCommand(command string) []string {
	var words []string
	for _, m := range regexp.MustCompile(`'([^']*)'|\S+`).FindAllStringSubmatch(command, -1) {
		if strings.HasPrefix(m[0], "'") {
			words = append(words, m[1])
			continue
		}
		words = append(words, m[0])
	}
	return words
}

// aboutMetrics is the part of a report that is about metrics.
func aboutMetrics(report string) string {
	_, rest, found := strings.Cut(report, " METRICS\n\n")
	if !found {
		return report
	}
	for _, next := range []string{"\nbetter, worse:", "\nHEALTH\n", "\nrun "} {
		rest, _, _ = strings.Cut(rest, next)
	}
	return strings.TrimRight(rest, "\n") + "\n"
}
