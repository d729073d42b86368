package loaders

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/metrics"
)

// TestColumnsWithoutAnyValue: a column that is null in all files is missing, whatever type
// its writer gave it; one value is enough for its type to be meant.
func TestColumnsWithoutAnyValue(t *testing.T) {
	shared := newWarehouse(t)
	for _, typ := range []string{"BOOLEAN", "DATE", "INTEGER[]", "STRUCT(a INTEGER)", "BLOB", "MAP(VARCHAR, INTEGER)"} {
		w := shared.folder(t)
		w.write("a.parquet", "SELECT NULL::"+typ+" AS v, NULL::INTEGER[] AS p, NULL::INTEGER AS bag, "+base)
		w.write("b.parquet", "SELECT NULL::"+typ+" AS v, NULL::INTEGER[] AS p, NULL::INTEGER AS bag, "+base)
		mapped := func(s *metrics.Source) {
			s.Columns.Value = col("v")
			s.Columns.Properties = metrics.Bag{From: col("bag"), Named: []metrics.NamedColumn{{Name: metrics.Text{V: "p", Set: true}, Column: col("p")}}}
		}
		src, list := w.inspect(w.events("*.parquet", mapped))
		if list.HasErrors() || len(list) != 3 {
			t.Fatalf("%s: %v", typ, list)
		}
		wantMessage(t, list[:1], "warning", "the column v of source", "has no value in any file, so that what it is mapped to is missing")
		got := [][]string{w.sorted(src, src.Value.SQL), w.sorted(src, src.Properties.Named["p"].SQL)}
		if diff := cmp.Diff([][]string{{"-", "-"}, {"-", "-"}}, got); diff != "" {
			t.Errorf("%s: %s", typ, diff)
		}
		w.write("c.parquet", "SELECT NULL::"+typ+" AS v, [1] AS p, NULL::INTEGER AS bag, "+base)
		if _, list := w.inspect(w.events("*.parquet", mapped)); !list.HasErrors() {
			t.Errorf("%s: a list with an entry is taken for missing: %v", typ, list)
		}
	}
}

// TestColumnsOfTablesWithoutAnyValue: so it is of tables and of queries, where nothing but
// the rows tells, and of impressions that are never held back.
func TestColumnsOfTablesWithoutAnyValue(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT NULL::DATE AS v, NULL::INTEGER[] AS p, NULL::INTEGER AS bag, "+base)
	w.database("w.duckdb", "CREATE TABLE w.none AS SELECT NULL::DATE AS v, NULL::INTEGER[] AS p, NULL::INTEGER AS bag, "+base,
		"CREATE TABLE w.one AS SELECT NULL::DATE AS v, [1] AS p, NULL::INTEGER AS bag, "+base)
	mapped := func(from func(*metrics.Source)) func(*metrics.Source) {
		return func(s *metrics.Source) {
			from(s)
			s.Columns.Value, s.Columns.Weight = col("V"), col("v")
			s.Columns.Properties = metrics.Bag{From: col("bag"), Named: []metrics.NamedColumn{{Name: metrics.Text{V: "p", Set: true}, Column: col("p")}}}
		}
	}
	table := func(name string) func(*metrics.Source) {
		return func(s *metrics.Source) { s.Table = metrics.Text{V: "w.duckdb/" + name, Set: true} }
	}
	query := func(s *metrics.Source) {
		s.SQL = metrics.Text{V: "SELECT * FROM read_parquet('" + w.dir + "/a.parquet')", Set: true}
	}
	for _, from := range []func(*metrics.Source){table("none"), query} {
		own, src, list := w.related(mapped(from))
		if list.HasErrors() || len(list) != 4 {
			t.Fatal(list)
		}
		wantMessage(t, list[:1], "warning", "of source", "has no value in any row, so that what it is mapped to is missing")
		got := [][]string{own.sorted(src, src.Value.SQL), own.sorted(src, src.Weight.SQL), own.sorted(src, src.Properties.Named["p"].SQL)}
		if diff := cmp.Diff([][]string{{"-"}, {"-"}, {"-"}}, got); diff != "" {
			t.Error(diff)
		}
	}
	if _, _, list := w.related(mapped(table("one"))); !list.HasErrors() {
		t.Errorf("a list with an entry is taken for missing: %v", list)
	}
	w.write("imps.parquet", "SELECT NULL::DOUBLE AS held, 'u1' AS user_id, 'f' AS flag, 'a' AS variation, TIMESTAMP '2026-03-02' AS ts")
	imps := w.events("imps.parquet", func(s *metrics.Source) {
		s.Role = metrics.RoleImpressions
		s.Columns = metrics.Columns{Units: s.Columns.Units, Flag: col("flag"), Variation: col("variation"), Timestamp: s.Columns.Timestamp, Holdback: col("held")}
	})
	if src, list := w.inspect(imps); list.HasErrors() || len(w.sorted(src, src.Holdback.SQL)) != 1 {
		t.Error(list)
	}
}
