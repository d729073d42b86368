package main

import (
	"os"
	"path/filepath"
	"regexp"
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
