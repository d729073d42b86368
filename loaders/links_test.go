package loaders

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// link makes a symbolic link; both names are below dir.
func link(t *testing.T, dir, target, name string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, filepath.FromSlash(target)), path); err != nil {
		t.Fatal(err)
	}
}

// TestLinksThatLeadElsewhere reads files through links to files and folders
// that the path itself does not reach, with an engine that may read no more
// than the definitions ask for.
func TestLinksThatLeadElsewhere(t *testing.T) {
	w := newWarehouse(t)
	w.write("apart/apart.parquet", "SELECT 4 AS n, "+base)
	w.write("store/ds=1/a.parquet", "SELECT 1 AS n, "+base)
	w.write("store/ds=2/b.parquet", "SELECT 2 AS n, "+base)
	w.write("store/ds=2/c.parquet", "SELECT 3 AS n, "+base)
	link(t, w.dir, "store/ds=1/a.parquet", "file/a.parquet")
	link(t, w.dir, "store/ds=2", "folder/ds=2")
	link(t, w.dir, "file", "all/linked")
	link(t, w.dir, "store", "root")
	for path, want := range map[string][]string{
		"file/*.parquet":          {"1"},
		"file/a.parquet":          {"1"},
		"folder/**/*.parquet":     {"2", "3"},
		"folder/*/*.parquet":      {"2", "3"},
		"folder":                  {"2", "3"},
		"folder/ds=2/b.parquet":   {"2"},
		"all/**/*.parquet":        {"1"}, // a link to a folder with a link to a file
		"root/**/*.parquet":       {"1", "2", "3"},
		"root/ds=2/*[^b].parquet": {"3"},
	} {
		def := w.events(path, nil)
		roots := Roots(&metrics.Definitions{Sources: metrics.Sources{Events: []*metrics.Source{def}}})
		locked := &warehouse{t: t, dir: w.dir, engine: start(t, roots...)}
		src := locked.mustInspect(def)
		if diff := cmp.Diff(want, locked.values(src, sqlast.Column{Name: "n"})); diff != "" {
			t.Error(path, diff)
		}
		if _, err := locked.engine.Query(t.Context(), "SELECT * FROM "+quoteText(filepath.Join(w.dir, "apart", "apart.parquet"))); err == nil {
			t.Errorf("%s: a file beside it can be read", path)
		}
	}
}

func TestAFileIsReadOnceWhateverLinksLeadToIt(t *testing.T) {
	dir := tree(t, "ds=1/a.parquet", "ds=2/b.parquet")
	link(t, dir, "ds=2", "a_latest")
	link(t, dir, "ds=1/a.parquet", "ds=1/z.parquet")
	var list diag.List
	files, err := findFiles(t.Context(), nil, sourceOf(dir, "ds=1/a.parquet", "**/*.parquet"), span{}, &list)
	if err != nil {
		t.Fatal(err)
	}
	d := filepath.ToSlash(dir)
	if diff := cmp.Diff([]string{d + "/ds=1/a.parquet", d + "/ds=2/b.parquet"}, files); diff != "" {
		t.Error(diff)
	}
	wantMessage(t, list, "metrics.yaml:2:5", "warning", "a_latest/b.parquet", "ds=1/z.parquet", "read once")
}

// TestLinksThatLeadBack has links in circles, of one folder and of two, and one
// that leads to no file.
func TestLinksThatLeadBack(t *testing.T) {
	dir := tree(t, "x/one.parquet", "y/two.parquet")
	link(t, dir, "x", "x/self")
	link(t, dir, ".", "x/up")
	link(t, dir, "y", "x/other")
	link(t, dir, "x", "y/other")
	link(t, dir, "gone", "y/gone")
	files, err := findFiles(t.Context(), nil, sourceOf(dir, "x/**/*.parquet"), span{}, new(diag.List))
	if err != nil {
		t.Fatal(err)
	}
	d := filepath.ToSlash(dir)
	if diff := cmp.Diff([]string{d + "/x/one.parquet", d + "/x/other/two.parquet"}, files); diff != "" {
		t.Error(diff)
	}
}
