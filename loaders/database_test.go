package loaders

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// database writes a DuckDB file by statements that see it as w.
func (w *warehouse) database(file string, statements ...string) {
	w.t.Helper()
	for _, s := range append(append([]string{"ATTACH " + quoteText(w.dir+"/"+file) + " AS w"}, statements...), "DETACH w") {
		if err := w.engine.Exec(w.t.Context(), s); err != nil {
			w.t.Fatal(s, err)
		}
	}
}

// related inspects a source with an engine that is open for it.
func (w *warehouse) related(change func(*metrics.Source)) (*warehouse, *compiler.Source, diag.List) {
	w.t.Helper()
	src := w.events("", func(src *metrics.Source) {
		src.Paths = nil
		change(src)
	})
	defs := &metrics.Definitions{Sources: metrics.Sources{Events: []*metrics.Source{src}}}
	engine, err := Open(w.t.Context(), Options{Threads: 1, TempDir: w.t.TempDir(), AllowedPaths: Roots(defs), Databases: Databases(defs)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = engine.Close() })
	own := &warehouse{w.t, w.dir, engine}
	out, list := own.inspect(src)
	return own, out, list
}

// TestTables reads tables and views of DuckDB files.
func TestTables(t *testing.T) {
	w := newWarehouse(t)
	w.database("memory.duckdb", "CREATE SCHEMA w.shop", "CREATE TABLE w.shop.orders AS SELECT 'u1' AS user_id, 'buy' AS name, TIMESTAMP '2026-03-02' AS ts, [{'n': 1}, {'n': 2}] AS items",
		`CREATE TABLE w."we.ird" AS SELECT 'u7' AS user_id, 'buy' AS name, TIMESTAMP '2026-03-02' AS ts`, "CREATE VIEW w.v AS SELECT user_id || '!' AS user_id, name, ts FROM w.shop.orders", "CREATE TABLE w.big AS SELECT 'u' || range AS user_id, 'buy' AS name, TIMESTAMP '2026-03-02' AS ts FROM range(5)")
	table := func(name string) func(*metrics.Source) {
		return func(src *metrics.Source) { src.Table = metrics.Text{V: name, Set: true, Pos: at(6)} }
	}
	for _, tc := range []struct {
		table string
		want  []string
	}{
		{"memory.duckdb/shop.orders", []string{"u1"}},
		{`memory.duckdb/main."we.ird"`, []string{"u7"}},
		{"memory.duckdb/big", []string{"u0", "u1", "u2", "u3", "u4"}},
		{w.dir + "/memory.duckdb/main.big", []string{"u0", "u1", "u2", "u3", "u4"}},
	} {
		own, src, list := w.related(table(tc.table))
		if src == nil || len(list) > 0 {
			t.Fatal(list)
		}
		if diff := cmp.Diff(tc.want, own.sorted(src, src.Units[0].SQL)); diff != "" || src.Rows != int64(len(tc.want)) {
			t.Errorf("%s: %d rows %s", tc.table, src.Rows, diff)
		}
		if lost, err := Count(t.Context(), own.engine, src, endless); err != nil || lost.NoTimestamp != 0 {
			t.Error(lost, err)
		}
	}
	own, src, list := w.related(func(src *metrics.Source) {
		table("memory.duckdb/shop.orders")(src)
		src.Rows, src.Columns.Value = metrics.Text{V: "items", Set: true}, col("items.n")
	})
	if src == nil {
		t.Fatal(list)
	}
	if diff := cmp.Diff([]string{"1", "2"}, own.sorted(src, src.Value.SQL)); diff != "" || src.Rows != 2 {
		t.Error(src.Rows, diff)
	}
	w.lines("text.duckdb", "not a database")
	for _, tc := range []struct {
		table string
		want  []string
	}{
		{"memory.duckdb/we.ird", []string{"metrics.yaml:6:5", `the table of source "events" cannot be read`, `did you mean ""we.ird""?`}},
		{"memory.duckdb/shop.order", []string{"metrics.yaml:6:5", `the table of source "events" cannot be read`, `did you mean "shop.orders"?`}},
		{"memori.duckdb/big", []string{"there is no file", "memori.duckdb", `did you mean "memory.duckdb"?`}},
		{"text.duckdb/big", []string{"text.duckdb cannot be opened as a DuckDB database", "a table is named behind its file"}},
	} {
		_, src, list := w.related(table(tc.table))
		if src != nil {
			t.Errorf("%s is read", tc.table)
		}
		wantMessage(t, list, tc.want...)
	}
}

// TestQueries reads what a SELECT gives, within what it may reach.
func TestQueries(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT 'u1' AS user_id, 'buy' AS name, TIMESTAMP '2026-03-02' AS ts")
	outside := newWarehouse(t)
	outside.write("b.parquet", "SELECT 'secret' AS user_id, 'buy' AS name, TIMESTAMP '2026-03-02' AS ts")
	query := func(sql string) func(*metrics.Source) {
		return func(src *metrics.Source) { src.SQL = metrics.Text{V: sql, Set: true, Pos: at(6)} }
	}
	own, src, list := w.related(query("SELECT user_id || '!' AS user_id, name, ts -- all of them\nFROM read_parquet('" + w.dir + "/*.parquet');\n"))
	if src == nil {
		t.Fatal(list)
	}
	if diff := cmp.Diff([]string{"u1!"}, own.sorted(src, src.Units[0].SQL)); diff != "" || src.Rows != 1 {
		t.Error(src.Rows, diff)
	}
	for _, tc := range []struct{ sql, want string }{
		{"SELECT user_idd FROM read_parquet('" + w.dir + "/*.parquet')", "user_idd"},
		{"SELECT * FROM read_parquet('" + outside.dir + "/*.parquet')", "file system operations are disabled"},
		{"DROP TABLE x", "syntax error"},
		{"SELECT 1; SELECT 2", "syntax error"},
	} {
		_, src, list := w.related(query(tc.sql))
		if src != nil {
			t.Errorf("%s is read", tc.sql)
		}
		wantMessage(t, list, `the query of source "events" cannot be read`, tc.want)
	}
}

// TestPointsInNames reads tables whose names, or schemas, have a point.
func TestPointsInNames(t *testing.T) {
	for name, want := range map[string][]string{
		`orders`: {"orders"}, `main.orders`: {"main", "orders"}, `"we.ird"`: {"we.ird"}, `main."we.ird"`: {"main", "we.ird"}, `"a.b"."c.d"`: {"a.b", "c.d"},
		`we.ird`: {"we", "ird"}, `"open.end`: {`"open`, "end"},
	} {
		_, table := splitTable(&metrics.Source{Table: metrics.Text{V: "w.duckdb/" + name, Set: true}})
		if diff := cmp.Diff(want, table); diff != "" {
			t.Error(name, diff)
		}
	}
}
