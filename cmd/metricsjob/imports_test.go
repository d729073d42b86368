package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const modulePath = "github.com/metricsjob/metricsjob"

// mayImport says which packages of the module a package may import.
// ARCHITECTURE.md has the same table; a new arrow is a decision.
var mayImport = map[string][]string{
	"internal/diag":   {},
	"metrics":         {"internal/diag"},
	"internal/stats":  {"metrics"},
	"compiler/sqlast": {"internal/diag"},
	"compiler":        {"compiler/sqlast", "internal/diag", "internal/stats", "metrics"},
	"loaders":         {"compiler", "compiler/sqlast", "internal/diag", "internal/objectstore", "metrics"},
	"internal/export": {"internal/objectstore", "metrics"},
	"internal/job":    {"compiler", "compiler/sqlast", "internal/convert", "internal/diag", "internal/export", "internal/objectstore", "internal/starter", "internal/stats", "loaders", "metrics"},
	"cmd/metricsjob":  {"compiler", "internal/convert", "internal/diag", "internal/export", "internal/imports", "internal/job", "internal/metrictest", "internal/objectstore", "metrics"},
	"bench":           {"loaders"},
	"internal/oracle": {"metrics"},

	"internal/objectstore":           {},
	"internal/objectstore/storetest": {},

	"internal/convert":    {"compiler/sqlast", "internal/diag", "internal/objectstore", "loaders", "metrics"},
	"internal/imports":    {"internal/diag", "metrics"},
	"internal/starter":    {"metrics"},
	"internal/metrictest": {"internal/diag", "internal/job", "loaders", "metrics"},
	"internal/oracle/gen": {"internal/oracle", "metrics"},

	"internal/vendorexports": {"loaders"},
}

// testPackages are imported by tests alone, and count as tests themselves.
var testPackages = []string{"internal/objectstore/storetest", "internal/oracle", "internal/oracle/gen", "internal/vendorexports"}

// ownerOf says which package alone (or which packages) may import a library of
// others, tests included, so that the rest builds and tests without it.
var ownerOf = map[string]string{
	"github.com/apache/arrow-go/v18":          "internal/export",
	"github.com/aws/aws-sdk-go-v2":            "internal/objectstore",
	"github.com/aws/aws-sdk-go-v2/config":     "internal/objectstore",
	"github.com/aws/aws-sdk-go-v2/service/s3": "internal/objectstore",
	"github.com/aws/smithy-go":                "internal/objectstore",
	"github.com/duckdb/duckdb-go/v2":          "loaders",
	"github.com/expr-lang/expr":               "compiler",
	"github.com/spf13/cobra":                  "cmd/metricsjob",
	"go.yaml.in/yaml/v3":                      "metrics",
	"golang.org/x/term":                       "cmd/metricsjob",
	"github.com/klauspost/compress":           "internal/convert, loaders",
	"gonum.org/v1/gonum":                      "internal/stats",
}

// testLibraries may be imported by the tests of any package, and by no program.
var testLibraries = []string{
	"github.com/google/go-cmp",
	"github.com/johannesboyne/gofakes3",
	"github.com/rogpeppe/go-internal",
	"github.com/santhosh-tekuri/jsonschema/v6",
	"pgregory.net/rapid",
}

// goFile is a Go file of the module and what it imports.
type goFile struct {
	path    string // with slashes, from the root
	pkg     string // its directory
	test    bool
	imports []string
}

// TestImports walks the files rather than ask the go command, whose answers
// the test cache would not notice to change.
func TestImports(t *testing.T) {
	for _, f := range moduleFiles(t) {
		allowed, known := mayImport[f.pkg]
		if !known {
			t.Errorf("%s: package %s is not in the table of imports", f.path, f.pkg)
			continue
		}
		if f.test {
			allowed = slices.Concat(allowed, []string{f.pkg})
			if f.pkg != "internal/oracle" {
				allowed = slices.Concat(allowed, testPackages)
			}
		}
		for _, imported := range f.imports {
			if own, ok := strings.CutPrefix(imported, modulePath+"/"); ok {
				if !slices.Contains(allowed, own) {
					t.Errorf("%s: %s may not import %s", f.path, f.pkg, own)
				}
				continue
			}
			checkLibrary(t, f, imported)
		}
	}
}

// checkLibrary checks an import from outside the module. Packages of the
// standard library have no dot in their first element.
func checkLibrary(t *testing.T, f goFile, imported string) {
	t.Helper()
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return
	}
	within := func(library string) bool { return imported == library || strings.HasPrefix(imported, library+"/") }
	for library, owner := range ownerOf {
		if within(library) {
			if !slices.Contains(strings.Split(owner, ", "), f.pkg) {
				t.Errorf("%s: only %s imports %s", f.path, owner, library)
			}
			return
		}
	}
	if slices.ContainsFunc(testLibraries, within) {
		if !f.test {
			t.Errorf("%s: only tests import %s", f.path, imported)
		}
		return
	}
	t.Errorf("%s: %s is in no table; is the dependency worth it?", f.path, imported)
}

// TestImportTableInArchitecture compares the table with the one that people read.
func TestImportTableInArchitecture(t *testing.T) {
	written := make(map[string][]string)
	for _, row := range tableRows(t, "../../ARCHITECTURE.md", "| package | may import |") {
		imports := []string{}
		for _, word := range strings.Split(row[1], "`") {
			if _, ok := mayImport[word]; ok {
				imports = append(imports, word)
			}
		}
		slices.Sort(imports)
		written[strings.Trim(row[0], "`")] = imports
	}
	if diff := cmp.Diff(mayImport, written); diff != "" {
		t.Errorf("ARCHITECTURE.md does not say what the test says (-test +page):\n%s", diff)
	}
}

// TestDependenciesInArchitecture wants a line of reason for each direct
// dependency, and no line for what is none.
func TestDependenciesInArchitecture(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	required := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 2 && strings.Contains(fields[0], ".") {
			required[fields[0]] = fields[1]
		}
	}
	written := make(map[string]string)
	for _, row := range tableRows(t, "../../ARCHITECTURE.md", "| dependency | version | why |") {
		written[strings.Trim(row[0], "`")] = row[1]
		if len(row[2]) < 20 {
			t.Errorf("ARCHITECTURE.md gives no reason for %s", row[0])
		}
	}
	if diff := cmp.Diff(required, written); diff != "" {
		t.Errorf("ARCHITECTURE.md does not list what go.mod requires (-go.mod +page):\n%s", diff)
	}
	known := slices.Concat(slices.Collect(maps.Keys(ownerOf)), testLibraries)
	for path := range required {
		if !slices.Contains(known, path) {
			t.Errorf("%s has no owner in this test", path)
		}
	}
}

// moduleFiles gives the Go files of the module that the go command would build.
func moduleFiles(t *testing.T) []goFile {
	t.Helper()
	const root = "../.."
	var files []goFile
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (name == "testdata" || name == "build" || name[0] == '.' || name[0] == '_') {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		f := goFile{path: rel, pkg: filepath.ToSlash(filepath.Dir(rel)), test: strings.HasSuffix(rel, "_test.go")}
		f.test = f.test || slices.Contains(testPackages, f.pkg)
		for _, imp := range parsed.Imports {
			imported, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, imported)
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// tableRows gives the cells of the Markdown table that begins with the header.
func tableRows(t *testing.T, file, header string) [][]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, body, ok := strings.Cut(string(text), header+"\n")
	if !ok {
		t.Fatalf("%s has no table %s", file, header)
	}
	var rows [][]string
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			break
		}
		if strings.HasPrefix(line, "|---") {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		rows = append(rows, cells)
	}
	return rows
}
