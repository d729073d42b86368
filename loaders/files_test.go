package loaders

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// tree makes empty files below a new folder.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func sourceOf(dir string, patterns ...string) *metrics.Source {
	src := &metrics.Source{Dir: dir, Name: metrics.Text{V: "orders"}}
	for i, p := range patterns {
		src.Paths = append(src.Paths, metrics.Text{V: p, Pos: at(i + 1)})
	}
	return src
}

func TestFindFiles(t *testing.T) {
	dir := tree(t,
		"ds=2026-03-01/part-0.parquet", "ds=2026-03-01/part-1.parquet", "ds=2026-03-01/_SUCCESS", "ds=2026-03-01/.part-0.parquet.crc",
		"ds=2026-03-01/part-0.parquet.crc", "ds=2026-03-02/part-0.snappy.parquet", "ds=2026-03-02/_temporary/0/part-9.parquet",
		"_hour=1/part.parquet", "notes.txt", "deep/er/a.parquet", "odd[1]/b.parquet", "trino/20260302_x", ".hidden/c.parquet")
	for _, tc := range []struct {
		name     string
		patterns []string
		want     []string
	}{
		{"file", []string{"deep/er/a.parquet"}, []string{"deep/er/a.parquet"}},
		{"wildcard", []string{"ds=*/*.parquet"}, []string{"ds=2026-03-01/part-0.parquet", "ds=2026-03-01/part-1.parquet", "ds=2026-03-02/part-0.snappy.parquet"}},
		{"all files of a folder, without side files", []string{"ds=2026-03-01/*"}, []string{"ds=2026-03-01/part-0.parquet", "ds=2026-03-01/part-1.parquet"}},
		{"class and question mark", []string{"ds=2026-03-0[1-1]/part-?.parquet"}, []string{"ds=2026-03-01/part-0.parquet", "ds=2026-03-01/part-1.parquet"}},
		{"any depth", []string{"deep/**/*.parquet"}, []string{"deep/er/a.parquet"}},
		{"any depth is also none", []string{"deep/er/**/*.parquet"}, []string{"deep/er/a.parquet"}},
		{"folder", []string{"ds=2026-03-02"}, []string{"ds=2026-03-02/part-0.snappy.parquet"}},
		{"folder with a slash", []string{"deep/"}, []string{"deep/er/a.parquet"}},
		{"folders by wildcard", []string{"ds=*"}, []string{"ds=2026-03-01/part-0.parquet", "ds=2026-03-01/part-1.parquet", "ds=2026-03-02/part-0.snappy.parquet"}},
		{"partition that starts with _", []string{"_hour=*/*.parquet"}, []string{"_hour=1/part.parquet"}},
		{"files without suffix", []string{"trino/*"}, []string{"trino/20260302_x"}},
		{"brackets in a name", []string{"odd[1]/b.parquet"}, []string{"odd[1]/b.parquet"}},
		{"list, each file once", []string{"deep", "deep/**/*.parquet", "odd[1]"}, []string{"deep/er/a.parquet", "odd[1]/b.parquet"}},
		{"absolute", []string{filepath.ToSlash(filepath.Join(dir, "deep", "er", "*"))}, []string{"deep/er/a.parquet"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var list diag.List
			files, err := findFiles(t.Context(), nil, sourceOf(dir, tc.patterns...), span{}, &list)
			if err != nil || len(list) > 0 {
				t.Fatal(err, list)
			}
			var want []string
			for _, f := range tc.want {
				want = append(want, filepath.ToSlash(dir)+"/"+f)
			}
			if diff := cmp.Diff(want, files); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFindFilesFromTheWorkingFolder(t *testing.T) {
	t.Chdir(tree(t, "exports/a.parquet"))
	for dir, want := range map[string]string{"": "exports/a.parquet", ".": "exports/a.parquet", "sub": "exports/a.parquet"} {
		pattern := "exports/*.parquet"
		if dir == "sub" {
			pattern = "../" + pattern
		}
		files, err := findFiles(t.Context(), nil, sourceOf(dir, pattern), span{}, new(diag.List))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{want}, files); diff != "" {
			t.Errorf("from %q: %s", dir, diff)
		}
	}
}

func TestNoFiles(t *testing.T) {
	dir := tree(t, "exports/ds=2026-03-01/_SUCCESS", "exports/ds=2026-03-02/a.parquet", "exports/users.csv", "converted/_rejects.ndjson")
	for _, tc := range []struct {
		name, pattern string
		parts         []string
	}{
		{"misspelt folder", "export/*.parquet", []string{"no files match", "export/*.parquet", `did you mean "exports"?`}},
		{"wrong level", "exports/*.parquet", []string{"nothing in it matches \"*.parquet\"", "ds=2026-03-01, ds=2026-03-02, users.csv"}},
		{"day without data", "exports/ds=2026-03-01/*.parquet", []string{"ds=2026-03-01 is there, but holds no data files"}},
		{"day that is not there", "exports/ds=2027-01-01/*.parquet", []string{"has no \"ds=2027-01-01\""}},
		{"all was rejected", "converted", []string{"converted holds no data, but records that convert rejected", "converted/_rejects.ndjson"}},
		{"below a file", "exports/users.csv/*.parquet", []string{"users.csv is a file"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var list diag.List
			files, err := findFiles(t.Context(), nil, sourceOf(dir, tc.pattern), span{}, &list)
			if err != nil || len(files) > 0 {
				t.Fatal(files, err)
			}
			wantMessage(t, list, append(tc.parts, "metrics.yaml:1:5")...)
			if !list.HasErrors() {
				t.Error("a source without files is an error")
			}
		})
	}
}

func TestOneOfSeveralPathsWithoutFilesIsAWarning(t *testing.T) {
	dir := tree(t, "exports/ds=2026-03-02/a.parquet")
	var list diag.List
	files, err := findFiles(t.Context(), nil, sourceOf(dir, "exports/ds=2026-03-02", "exports/ds=2026-03-03"), span{}, &list)
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	wantMessage(t, list, "metrics.yaml:2:5", "warning", "ds=2026-03-03")
}

func TestRoots(t *testing.T) {
	dir := tree(t, "one.parquet", "odd[1]/b.parquet")
	src := sourceOf(dir, "ds=*/*.parquet", "a/b/**", "one.parquet", "odd[1]/b.parquet")
	got := Roots(&metrics.Definitions{Sources: metrics.Sources{Events: []*metrics.Source{src}, Impressions: []*metrics.Source{sourceOf("", "*.parquet")}}})
	d := filepath.ToSlash(dir)
	if diff := cmp.Diff([]string{".", d, d + "/a/b", d + "/odd[1]/b.parquet", d + "/one.parquet"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestUnreadableFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("the superuser can read every folder")
	}
	dir := tree(t, "closed/a.parquet")
	if err := os.Chmod(filepath.Join(dir, "closed"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "closed"), 0o755) })
	var list diag.List
	if _, err := findFiles(t.Context(), nil, sourceOf(dir, "closed/*.parquet"), span{}, &list); err != nil || !list.HasErrors() {
		t.Error(err, list)
	}
	wantMessage(t, list, "metrics.yaml:1:5", "closed may not be read", "permission")
}

// TestRefusedFile: a file that may not be read is an error of the path that names it.
func TestRefusedFile(t *testing.T) {
	var list diag.List
	dir := tree(t, "exports/a.parquet")
	in := &inspector{def: sourceOf(dir, "exports"), list: &list}
	file := filepath.ToSlash(filepath.Join(dir, "exports", "a.parquet"))
	err := in.refused(fmt.Errorf("read: %w", &UnreachableError{Path: file, Err: &fs.PathError{Op: "open", Path: file, Err: fs.ErrPermission}}))
	if err != nil || !list.HasErrors() {
		t.Error(err, list)
	}
	wantMessage(t, list, "metrics.yaml:1:5", "a.parquet may not be read", "permission")
}

// TestDeadLink: a link that leads nowhere is an error of its path, whether that names it or not.
func TestDeadLink(t *testing.T) {
	dir := tree(t, "exports/a.parquet")
	if err := os.Symlink("gone.parquet", filepath.Join(dir, "exports", "b.parquet")); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"exports", "exports/*.parquet", "exports/b.parquet"} {
		var list diag.List
		if _, err := findFiles(t.Context(), nil, sourceOf(dir, pattern), span{}, &list); err != nil || !list.HasErrors() {
			t.Errorf("%s: %v, %v", pattern, err, list)
			continue
		}
		wantMessage(t, list, "metrics.yaml:1:5", "exports/b.parquet is a link to gone.parquet, which is not there", "mend the link")
	}
}

// TestNamesWithWildcards has files whose names are patterns that other files
// match too.
func TestNamesWithWildcards(t *testing.T) {
	w := newWarehouse(t)
	w.write("x*y/a[1].parquet", "SELECT 1 AS n, "+base)
	w.write("xzy/a1.parquet", "SELECT 2 AS n, "+base)
	w.write("x?y/q?.parquet", "SELECT 3 AS n, "+base)
	for path, want := range map[string][]string{
		"x*y/a[1].parquet": {"1"},
		"xzy/a1.parquet":   {"2"},
		"x?y/q?.parquet":   {"3"},
		"x*y":              {"1"},
		"**/*.parquet":     {"1", "2", "3"},
	} {
		defs := w.events(path, nil)
		roots := Roots(&metrics.Definitions{Sources: metrics.Sources{Events: []*metrics.Source{defs}}})
		locked := &warehouse{t: t, dir: w.dir, engine: start(t, roots...)}
		src := locked.mustInspect(defs)
		if diff := cmp.Diff(want, locked.values(src, sqlast.Column{Name: "n"})); diff != "" {
			t.Error(path, diff)
		}
	}
}

// TestTablesOfFiles: the files of a Delta, Iceberg or Hudi table are those of before too,
// which is said once, wherever the path begins. Folders that are only called so are none.
func TestTablesOfFiles(t *testing.T) {
	for name, c := range map[string]struct{ log, data, path, want string }{
		"Delta":               {"t/_delta_log/00000000000000000000.json", "t/part-0.parquet", "t", "all files of the Delta table DIR/t, those too that the table has replaced or deleted"},
		"Delta, a day of it":  {"t/_delta_log/00000000000000000000.json", "t/ds=2026-03-02/part-0.parquet", "t/ds=2026-03-02/*.parquet", "all files of the Delta table DIR/t,"},
		"Iceberg":             {"t/metadata/v1.metadata.json", "t/data/a.parquet", "t/data", "all files of the Iceberg table DIR/t,"},
		"Hudi":                {"t/.hoodie/hoodie.properties", "t/a.parquet", "t", "all files of the Hudi table DIR/t,"},
		"a folder called so":  {"t/metadata/notes.json", "t/a.parquet", "t/*.parquet", ""},
		"the log of another":  {"other/_delta_log/0.json", "t/a.parquet", "t", ""},
		"a log without files": {"t/_delta_log/.keep", "t/a.parquet", "t", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWarehouse(t)
			w.lines(c.log, "{}")
			w.write(c.data, "SELECT 1 AS a")
			w.write(path.Join(path.Dir(c.data), "b.parquet"), "SELECT 1 AS a")
			var list diag.List
			if files, err := findFiles(t.Context(), w.engine, w.events(c.path, nil), span{}, &list); err != nil || len(files) == 0 {
				t.Fatal(files, err)
			}
			switch {
			case c.want == "" && len(list) > 0, c.want != "" && len(list) != 1:
				t.Fatal(list)
			case c.want != "":
				wantMessage(t, list, "warning", strings.ReplaceAll(c.want, "DIR", w.dir), "write the rows of the table to plain Parquet")
			}
		})
	}
}
