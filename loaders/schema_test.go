package loaders

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/metrics"
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

// base is a row of the columns that every source of events has.
const base = "'u1' AS user_id, 'buy' AS name, TIMESTAMP '2026-03-02 10:00:00' AS ts"

func TestFilesThatDiffer(t *testing.T) {
	shared := newWarehouse(t)
	for _, tc := range []struct {
		name   string
		files  []string
		x      string // the column read as value; its type over all files
		kind   compiler.FieldKind
		differ bool
		want   []string
	}{
		{"alike", []string{"SELECT 1 AS n, 5 AS x, " + base, "SELECT 2 AS n, 6 AS x, " + base}, "x", compiler.FieldInteger, false, []string{"5", "6"}},
		{"another order", []string{"SELECT 1 AS n, 5 AS x, " + base, "SELECT " + base + ", 2 AS n, 6 AS x"}, "x", compiler.FieldInteger, true, []string{"5", "6"}},
		{"missing in the second", []string{"SELECT 1 AS n, 5 AS x, " + base, "SELECT 2 AS n, " + base}, "x", compiler.FieldInteger, true, []string{"5", "-"}},
		{"missing in the first", []string{"SELECT 1 AS n, " + base, "SELECT 2 AS n, 6 AS x, " + base}, "x", compiler.FieldInteger, true, []string{"-", "6"}},
		{"wider integer", []string{"SELECT 1 AS n, 5::SMALLINT AS x, " + base, "SELECT 2 AS n, 12345678901::BIGINT AS x, " + base}, "x", compiler.FieldInteger, true, []string{"5", "12345678901"}},
		{"integer and decimal", []string{"SELECT 1 AS n, 5 AS x, " + base, "SELECT 2 AS n, 6.25::DECIMAL(9, 2) AS x, " + base}, "x", compiler.FieldDecimal, true, []string{"5.00", "6.25"}},
		{"integer and floating", []string{"SELECT 1 AS n, 5 AS x, " + base, "SELECT 2 AS n, 6.5::DOUBLE AS x, " + base}, "x", compiler.FieldFloat, true, []string{"5.0", "6.5"}},
		{"other capitals", []string{"SELECT 1 AS n, 5 AS X, " + base, "SELECT 2 AS n, 6 AS x, " + base}, "X", compiler.FieldInteger, true, []string{"5", "6"}},
		{"a column that no one reads", []string{"SELECT 1 AS n, 5 AS x, 'a' AS other, " + base, "SELECT 2 AS n, 6 AS x, TRUE AS other, " + base}, "x", compiler.FieldInteger, true, []string{"5", "6"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := shared.folder(t)
			for i, query := range tc.files {
				w.write(string(rune('a'+i))+".parquet", query)
			}
			src, list := w.inspect(w.events("*.parquet", func(s *metrics.Source) { s.Columns.Value = col(tc.x) }))
			switch file, without := strings.CutPrefix(tc.name, "missing in "); {
			case without:
				wantMessage(t, list, "metrics.yaml:7:5: warning", "the column x is missing in 1 of 2 files, e.g. ", "/"+map[string]string{"the first": "a", "the second": "b"}[file]+".parquet", "counts as missing")
			case len(list) > 0:
				t.Fatal(list)
			}
			if parquetOf(src).UnionByName != tc.differ || src.Value.Type.Kind != tc.kind {
				t.Errorf("union by name %v, kind %v", parquetOf(src).UnionByName, src.Value.Type.Kind)
			}
			if anchored := slices.ContainsFunc(src.Files, func(f compiler.File) bool { return f.Anchor }); anchored != tc.differ {
				t.Errorf("%+v", src.Files)
			}
			if diff := cmp.Diff(tc.want, w.values(src, src.Value.SQL)); diff != "" {
				t.Error(diff)
			}
			if src.Value.NeverNull && slices.Contains(tc.want, "-") {
				t.Error("NeverNull, but values are missing")
			}
		})
	}
}

func TestTimesOfSeveralTypes(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT 1 AS n, 'u' AS user_id, 'e' AS name, TIMESTAMP '2026-03-02 10:00:00' AS ts")
	w.write("b.parquet", "SELECT 2 AS n, 'u' AS user_id, 'e' AS name, TIMESTAMPTZ '2026-03-02 10:00:00+02' AS ts")
	w.write("c.parquet", "SELECT 3 AS n, 'u' AS user_id, 'e' AS name, DATE '2026-03-02' AS ts")
	src := w.mustInspect(w.events("*.parquet", nil))
	if diff := cmp.Diff([]string{"2026-03-02 10:00:00", "2026-03-02 08:00:00", "2026-03-02 00:00:00"}, w.values(src, src.Time.SQL)); diff != "" {
		t.Error(diff)
	}
	for i, want := range []string{"2026-03-02T10:00:00Z", "2026-03-02T08:00:00Z", "2026-03-02T00:00:00Z"} {
		if got := src.Files[i].MaxTime; !got.Equal(instantOf(t, want)) {
			t.Errorf("the last instant of %s is %v", src.Files[i].Path, got)
		}
	}
}

func TestStructsThatGrow(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT 1 AS n, {'sku': 'a'} AS props, "+base)
	w.write("b.parquet", "SELECT 2 AS n, {'price': 5, 'sku': 'b'} AS props, "+base)
	src := w.mustInspect(w.events("*.parquet", func(s *metrics.Source) { s.Columns.Properties.From = col("props") }))
	sku, _ := src.Properties.Lookup("sku")
	price, ok := src.Properties.Lookup("price")
	if !ok {
		t.Fatal("the second file has a price")
	}
	if diff := cmp.Diff([][]string{{"a", "b"}, {"-", "5"}}, [][]string{w.values(src, sku.SQL), w.values(src, price.SQL)}); diff != "" {
		t.Error(diff)
	}
}

func TestFilesThatContradict(t *testing.T) {
	for name, x := range map[string][2]string{
		"text and number":  {"'5'", "6"},
		"number and time":  {"5", "DATE '2026-03-02'"},
		"text and boolean": {"'a'", "TRUE"},
		"struct and map":   {"{'a': 1}", "MAP {'a': 1}"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWarehouse(t)
			w.write("a.parquet", "SELECT 1 AS n, "+x[0]+" AS x, "+base)
			w.write("b.parquet", "SELECT 2 AS n, "+x[0]+" AS x, "+base)
			w.write("c.parquet", "SELECT 3 AS n, "+x[1]+" AS x, "+base)
			w.write("d.parquet", "SELECT 4 AS n, "+x[1]+" AS x, "+base)
			_, list := w.inspect(w.events("*.parquet", func(s *metrics.Source) { s.Columns.Value = col("x") }))
			wantMessage(t, list, "metrics.yaml:7:5", "the column x", path.Join(w.dir, "a.parquet"), path.Join(w.dir, "c.parquet"))
		})
	}
}

func TestEmptyFiles(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT 1 AS n, "+base+" WHERE FALSE")
	src := w.mustInspect(w.events("*.parquet", nil))
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
