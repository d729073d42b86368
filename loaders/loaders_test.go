package loaders

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// e3 is the folder of the real export, from this package.
const e3 = "../testdata/parquet/optimizely_e3"

// start opens an engine that may read the given files and folders.
func start(t *testing.T, allowed ...string) *Engine {
	t.Helper()
	engine, err := Open(t.Context(), Options{Threads: 2, TempDir: t.TempDir(), AllowedPaths: allowed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

// warehouse is a folder of Parquet files and an engine that may read it.
type warehouse struct {
	t      *testing.T
	dir    string
	engine *Engine
}

func newWarehouse(t *testing.T) *warehouse {
	dir := t.TempDir()
	return &warehouse{t, dir, start(t, dir)}
}

// folder is a warehouse of its own with the same engine.
func (w *warehouse) folder(t *testing.T) *warehouse {
	t.Helper()
	dir, err := os.MkdirTemp(w.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return &warehouse{t, dir, w.engine}
}

// write makes a file of the rows of a query.
func (w *warehouse) write(file, query string) {
	w.t.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := w.engine.Exec(w.t.Context(), fmt.Sprintf("COPY (%s) TO %s (FORMAT parquet)", query, quoteText(path))); err != nil {
		w.t.Fatal(err)
	}
}

// events are a source of events over the files that match a pattern, with the
// columns user, name and ts, and what change adds.
func (w *warehouse) events(pattern string, change func(*metrics.Source)) *metrics.Source {
	src := &metrics.Source{
		Role:  metrics.RoleEvents,
		Name:  metrics.Text{V: "events"},
		Paths: []metrics.Text{{V: pattern, Pos: at(4)}},
		Dir:   w.dir,
		Columns: metrics.Columns{
			Units:     []metrics.UnitColumn{{Kind: metrics.Text{V: "user"}, Column: col("user_id")}},
			Event:     col("name"),
			Timestamp: metrics.TimestampColumn{Column: col("ts")},
		},
	}
	if change != nil {
		change(src)
	}
	return src
}

// inspect gives the catalog's source, and everything that was said.
func (w *warehouse) inspect(src *metrics.Source) (*compiler.Source, diag.List) {
	w.t.Helper()
	catalog, list, err := Inspect(w.t.Context(), w.engine, &metrics.Definitions{Sources: metrics.Sources{Events: []*metrics.Source{src}}}, InspectOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(catalog.Events) == 0 {
		return nil, list
	}
	return catalog.Events[0], list
}

// mustInspect is inspect for definitions without mistakes.
func (w *warehouse) mustInspect(src *metrics.Source) *compiler.Source {
	w.t.Helper()
	out, list := w.inspect(src)
	if len(list) > 0 {
		w.t.Fatal(list)
	}
	return out
}

// values gives a field of all rows as text, NULL as "-", in the order of n.
func (w *warehouse) values(src *compiler.Source, x sqlast.Expr) []string {
	w.t.Helper()
	query, err := sqlast.Print(sqlast.DuckDB, sqlast.Select{
		Items:   []sqlast.Item{{X: call(sqlast.Coalesce, cast(x, varchar), sqlast.Text("-")), As: "x"}},
		From:    withOrder(src.Read),
		OrderBy: []sqlast.Order{{X: sqlast.Column{Name: "n"}}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	rows, err := w.engine.Query(w.t.Context(), query)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, r := range rows.Cells {
		out = append(out, r[0].(string))
	}
	return out
}

// withOrder is a relation with the column n, which nobody reads but the tests.
func withOrder(read sqlast.From) sqlast.From {
	settled, ok := read.(sqlast.Subquery)
	if !ok {
		return read
	}
	records := settled.Query.(sqlast.Select)
	n := sqlast.Column{Name: "n"}
	records.Items = append(slices.Clone(records.Items), sqlast.Item{X: n, As: n.Name})
	return sqlast.Subquery{Query: records}
}

// at is a place in the definitions that no test reads.
func at(line int) diag.Pos { return diag.Pos{File: "metrics.yaml", Line: line, Col: 5} }

func col(name string) metrics.Expr { return metrics.Expr{Src: name, Pos: at(7)} }

// wantMessage checks that the list holds exactly one diagnostic with the parts.
func wantMessage(t *testing.T, list diag.List, parts ...string) {
	t.Helper()
	if len(list) != 1 {
		t.Fatalf("want one diagnostic, have %d: %v", len(list), list)
	}
	whole := list[0].Error() + "\n" + list[0].Hint
	for _, part := range parts {
		if !strings.Contains(whole, part) {
			t.Errorf("%q is not in:\n%s", part, whole)
		}
	}
	if !list[0].Pos.IsValid() {
		t.Error("the diagnostic has no place")
	}
}

func instantOf(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

// parquetOf is how a source reads its Parquet files.
func parquetOf(src *compiler.Source) sqlast.ReadParquet {
	read := src.Read
	if settled, ok := read.(sqlast.Subquery); ok {
		read = settled.Query.(sqlast.Select).From
	}
	return read.(sqlast.ReadParquet)
}
