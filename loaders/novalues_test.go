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
