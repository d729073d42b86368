package loaders

import (
	"path"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/compiler"
)

func TestParseType(t *testing.T) {
	text := compiler.ColumnType{Kind: compiler.ColumnText, Name: "VARCHAR"}
	for _, want := range []compiler.ColumnType{
		text,
		{Kind: compiler.ColumnTimestampTZ, Name: "TIMESTAMP WITH TIME ZONE"},
		{Kind: compiler.ColumnDecimal, Width: 18, Scale: 4, Name: "DECIMAL(18,4)"},
		{Kind: compiler.ColumnMap, Elem: &text, Name: "MAP(VARCHAR, VARCHAR)"},
		{Kind: compiler.ColumnOther, Name: "MAP(INTEGER, VARCHAR)"},
		{Kind: compiler.ColumnOther, Name: "TIME"},
		{Kind: compiler.ColumnOther, Name: "ENUM('a', '(b')"},
		{Kind: compiler.ColumnList, Name: "VARCHAR[][3]", Elem: &compiler.ColumnType{Kind: compiler.ColumnList, Name: "VARCHAR[]", Elem: &text}},
		{Kind: compiler.ColumnStruct, Name: `STRUCT("na""me" VARCHAR, "a b" STRUCT(c DECIMAL(9,2)))`, Fields: []compiler.Column{
			{Name: `na"me`, Type: text},
			{Name: "a b", Type: compiler.ColumnType{Kind: compiler.ColumnStruct, Name: "STRUCT(c DECIMAL(9,2))", Fields: []compiler.Column{
				{Name: "c", Type: compiler.ColumnType{Kind: compiler.ColumnDecimal, Width: 9, Scale: 2, Name: "DECIMAL(9,2)"}},
			}}},
		}},
	} {
		if diff := cmp.Diff(want, parseType(want.Name)); diff != "" {
			t.Errorf("%s: %s", want.Name, diff)
		}
	}
}

func TestEmptyFiles(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT 1 AS n, "+base+" WHERE FALSE")
	src, list := w.inspect(w.events("*.parquet", nil))
	wantMessage(t, list, "metrics.yaml:4:5: warning", "has no rows: ", "a.parquet has none")
	if src.Rows != 0 || len(src.Files) != 1 || !src.Files[0].MaxTime.IsZero() {
		t.Errorf("%+v", src)
	}
	horizon, err := AsOf(t.Context(), w.engine, &compiler.Catalog{Events: []*compiler.Source{src}}, instantOf(t, "2026-03-05T00:00:00Z"))
	if err != nil || !horizon.AsOf.IsZero() {
		t.Error(horizon, err)
	}
}

func TestReadByPattern(t *testing.T) {
	w := newWarehouse(t)
	for _, f := range []string{"plain/a.parquet", "plain/b.parquet", "side/a.parquet", "side/b.parquet", "side/_c.parquet"} {
		w.write(f, "SELECT 1 AS n, "+base)
	}
	for pattern, want := range map[string][]string{
		"plain/*.parquet": {"plain/*.parquet"},
		"plain":           {"plain/**/*.parquet"},
		"plain/a.parquet": {"plain/a.parquet"},
		"side/*.parquet":  {"side/a.parquet", "side/b.parquet"}, // DuckDB's pattern would also find _c
	} {
		src := w.mustInspect(w.events(pattern, nil))
		for i := range want {
			want[i] = path.Join(w.dir, want[i])
		}
		if diff := cmp.Diff(want, parquetOf(src).Files); diff != "" {
			t.Errorf("%s: %s", pattern, diff)
		}
	}
}
