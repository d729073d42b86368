package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPagesNameFilesThatExist keeps the pages for people from naming files and
// folders that were renamed since.
func TestPagesNameFilesThatExist(t *testing.T) {
	path := regexp.MustCompile("(?:^|[\\s`(,;])((?:cmd|compiler|docs|examples|internal|loaders|metrics|scripts|testdata)/[\\w./*=-]*[\\w*])")
	for _, page := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "NOTICE", "docs/adr/0001-library-names-and-versions.md"} {
		text, err := os.ReadFile(filepath.Join("../..", page))
		if err != nil {
			t.Fatal(err)
		}
		found := path.FindAllStringSubmatch(string(text), -1)
		for _, match := range found {
			name := strings.TrimSuffix(match[1], ".")
			if strings.Contains(name, "NAME") || strings.Contains(name, "**") {
				continue // what the reader chooses, and what TestReadme reads
			}
			exact, _ := filepath.Glob(filepath.Join("../..", name))
			numbered, _ := filepath.Glob(filepath.Join("../..", name+"-*")) // docs/adr/0001
			if len(exact)+len(numbered) == 0 {
				t.Errorf("%s names %s, which is not there", page, name)
			}
		}
	}
}

// TestPageLinks keeps the links between pages, and to parts of them, from
// leading nowhere.
func TestPageLinks(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, "../../README.md", "../../ARCHITECTURE.md", "../../CONTRIBUTING.md")
	link := regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			target := page
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(page), m[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
				continue
			}
			if m[2] != "" && !slices.Contains(anchors(t, target), m[2]) {
				t.Errorf("%s links to %s, which has no heading #%s", page, target, m[2])
			}
		}
	}
}

// anchors are the names of the headings of a page, as links to them have them.
func anchors(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(text), -1) {
		name := strings.ReplaceAll(strings.ToLower(m[1]), " ", "-")
		out = append(out, regexp.MustCompile(`[^\p{L}\p{N}_-]`).ReplaceAllString(name, ""))
	}
	return out
}
