package loaders

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

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

// TestFilesThatContradict has types that nothing holds without loss: what is
// said names the first file of each.
func TestFilesThatContradict(t *testing.T) {
	shared := newWarehouse(t)
	for name, x := range map[string]struct {
		first, second string
		wrong         string // what is named
		types         [2]string
	}{
		"text and number":        {"'5'", "6", "x", [2]string{"VARCHAR", "INTEGER"}},
		"number and time":        {"5", "DATE '2026-03-02'", "x", [2]string{"INTEGER", "DATE"}},
		"text and boolean":       {"'a'", "TRUE", "x", [2]string{"VARCHAR", "BOOLEAN"}},
		"struct and map":         {"{'a': 1}", "MAP {'a': 1}", "x", [2]string{"STRUCT(a INTEGER)", "MAP(VARCHAR, INTEGER)"}},
		"maps":                   {"MAP {'a': 1}", "MAP {'a': DATE '2026-03-02'}", "x", [2]string{"MAP(VARCHAR, INTEGER)", "MAP(VARCHAR, DATE)"}},
		"lists":                  {"['a']", "[{'name': 'a', 'value': 'b'}]", "x", [2]string{"VARCHAR[]", `STRUCT("name" VARCHAR, "value" VARCHAR)[]`}},
		"a field and a struct":   {"{'a': 'b'}", "{'a': {'b': 1}}", "x.a", [2]string{"VARCHAR", "STRUCT(b INTEGER)"}},
		"a field deep inside":    {"{'a': {'b': 1}}", "{'A': {'B': TRUE}}", "x.a.b", [2]string{"INTEGER", "BOOLEAN"}},
		"no room before a point": {"5::DECIMAL(38, 0)", "5.25::DECIMAL(38, 2)", "x", [2]string{"DECIMAL(38,0)", "DECIMAL(38,2)"}},
		"no room for an integer": {"5::BIGINT", "5.25::DECIMAL(38, 20)", "x", [2]string{"BIGINT", "DECIMAL(38,20)"}},
		"other types":            {"TIME '10:00:00'", "'a'::BLOB", "x", [2]string{"TIME", "BLOB"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := shared.folder(t)
			w.write("a.parquet", "SELECT 1 AS n, "+x.first+" AS x, "+base)
			w.write("b.parquet", "SELECT 2 AS n, "+x.first+" AS x, 1 AS other, "+base)
			w.write("c.parquet", "SELECT 3 AS n, "+x.second+" AS x, "+base)
			w.write("d.parquet", "SELECT 4 AS n, "+x.second+" AS x, 1 AS other, "+base)
			_, list := w.inspect(w.events("*.parquet", func(s *metrics.Source) { s.Columns.Properties.From = col("x") }))
			wantMessage(t, list, "metrics.yaml:7:5", "the column "+x.wrong+` of source "events" is `+
				x.types[0]+" in "+path.Join(w.dir, "a.parquet")+", but "+x.types[1]+" in "+path.Join(w.dir, "c.parquet"), "write the files anew with one type")
		})
	}
}

// TestIDsOfSeveralTypes reads ids that are whole numbers in one file and text in
// another, and says so; the engine would compare each file by its own type.
func TestIDsOfSeveralTypes(t *testing.T) {
	w := newWarehouse(t)
	const rest = ", 'buy' AS name, TIMESTAMP '2026-03-02 10:00:00' AS ts"
	w.write("a.parquet", "SELECT 1 AS n, 12345678901::BIGINT AS user_id, 5::BIGINT AS x"+rest)
	w.write("b.parquet", "SELECT 2 AS n, '12345678901' AS user_id, 5::BIGINT AS x"+rest)
	w.write("c.parquet", "SELECT 3 AS n, '007' AS user_id, '5' AS x"+rest)
	w.write("d.parquet", "SELECT 4 AS n, 7::DECIMAL(20, 0) AS user_id, '5' AS x"+rest)
	src, list := w.inspect(w.events("*.parquet", nil))
	wantMessage(t, list, "metrics.yaml:7:5: warning", `the column user_id of source "events" is BIGINT in `+path.Join(w.dir, "a.parquet")+", but VARCHAR in "+path.Join(w.dir, "b.parquet")+"; it is read as text", "007")
	if diff := cmp.Diff([]string{"12345678901", "12345678901", "007", "7"}, w.values(src, src.Units[0].SQL)); diff != "" {
		t.Error(diff)
	}
	for id, want := range map[string]string{"007": "1", "12345678901": "2", "x": "0"} {
		equal := sqlast.Binary{Op: sqlast.Eq, L: src.Units[0].SQL, R: sqlast.Text(id)}
		query, err := sqlast.Print(sqlast.DuckDB, sqlast.Select{Items: []sqlast.Item{{X: sqlast.Aggregate{Fn: sqlast.Count}, As: "n"}}, From: src.Read, Where: equal})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := w.engine.Query(t.Context(), query)
		if err != nil || fmt.Sprint(rows.Cells[0][0]) != want {
			t.Errorf("%s: %v, %v", id, rows, err)
		}
	}
	_, list = w.inspect(w.events("*.parquet", func(s *metrics.Source) {
		s.Columns.Units[0].Column, s.Columns.Value = col("name"), col("x")
	}))
	wantMessage(t, list, `the column x of source "events" is BIGINT`, "write the files anew with one type")
	w.write("e.parquet", "SELECT 5 AS n, 7.5::DOUBLE AS user_id, '5' AS x"+rest)
	_, list = w.inspect(w.events("*.parquet", nil))
	wantMessage(t, list, "metrics.yaml:7:5: the column user_id", "write the files anew with one type")
}

// TestDecimalsOfThreeFiles has two types that do not fit, each of which fits the
// first.
func TestDecimalsOfThreeFiles(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT 1 AS n, 1::DECIMAL(10, 0) AS x, "+base)
	w.write("b.parquet", "SELECT 2 AS n, 1::DECIMAL(38, 0) AS x, "+base)
	w.write("c.parquet", "SELECT 3 AS n, 1.25::DECIMAL(38, 2) AS x, "+base)
	_, list := w.inspect(w.events("*.parquet", func(s *metrics.Source) { s.Columns.Value = col("x") }))
	wantMessage(t, list, "DECIMAL(38,0) in "+path.Join(w.dir, "b.parquet")+", but DECIMAL(38,2) in "+path.Join(w.dir, "c.parquet"))
}

// TestPartsThatAgree reads fields beside one that the files contradict each
// other about.
func TestPartsThatAgree(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT 1 AS n, {'price': 5, 'at': DATE '2026-03-02'} AS props, "+base)
	w.write("b.parquet", "SELECT 2 AS n, {'at': 7, 'price': 6.5::DOUBLE} AS props, "+base)
	src := w.mustInspect(w.events("*.parquet", func(s *metrics.Source) { s.Columns.Value = col("props.price") }))
	if diff := cmp.Diff([]string{"5.0", "6.5"}, w.values(src, src.Value.SQL)); diff != "" {
		t.Error(diff)
	}
	_, list := w.inspect(w.events("*.parquet", func(s *metrics.Source) { s.Columns.Properties.From = col("props") }))
	wantMessage(t, list, "the column props.at", "name the parts that are needed: {price: props.price}")
	_, list = w.inspect(w.events("*.parquet", func(s *metrics.Source) { s.Columns.Value = col("props.at") }))
	wantMessage(t, list, "the column props.at", "make them two sources")
}

// TestFieldsOfSeveralTypes reads single values inside of a column, text in one
// file and something else in another, by what stands there.
func TestFieldsOfSeveralTypes(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT 1 AS n, {'p': '1.50', 'q': TRUE} AS props, MAP {'p': 1} AS tags, "+base)
	w.write("b.parquet", "SELECT 2 AS n, {'p': 2, 'q': 'no'} AS props, MAP {'p': 'x'} AS tags, "+base)
	for column, want := range map[string]map[string][]string{"props": {"p": {"1.50", "2"}, "q": {"true", "no"}}, "tags": {"p": {"1", "x"}}} {
		src := w.mustInspect(w.events("*.parquet", func(s *metrics.Source) { s.Columns.Properties.From = col(column) }))
		for name, values := range want {
			field, _ := src.Properties.Lookup(name)
			if diff := cmp.Diff(values, w.values(src, field.SQL)); diff != "" || field.Type.Kind != compiler.FieldText {
				t.Errorf("%s of %s: %s", name, column, diff)
			}
		}
	}
}

// TestLinesThatDiffer has files of NDJSON that differ: members in another order
// or only in some, of another type, and nested ones that come only after many
// rows and files.
func TestLinesThatDiffer(t *testing.T) {
	w := newWarehouse(t)
	const many = 3000 // more than engines look at to guess types
	var rows []string
	for range many {
		rows = append(rows, `{"user_id":"u","name":"view","ts":"2026-03-02","v":1,"props":{"a":{"b":1}}}`)
	}
	w.lines("a.ndjson", rows...)
	w.lines("b.ndjson", append(rows, `{"props":{"a":{"late":{"er":"x"}},"n":12345678901},"v":1.5,"ts":"2026-03-02","name":"buy","user_id":7}`)...)
	w.lines("c.ndjson", `{"name":"buy","ts":"2026-03-02","user_id":"u8","v":2,"extra":[1],"props":{}}`)
	src := w.mustInspect(w.events(".", func(s *metrics.Source) {
		s.Columns.Value = col("v")
		s.Columns.Properties = metrics.Bag{From: col("props"), Named: []metrics.NamedColumn{{Name: metrics.Text{V: "late"}, Column: col("props.a.late.er")}}}
		s.Where = metrics.Expr{Src: `name == "buy"`, Pos: at(8)}
	}))
	late, _ := src.Properties.Lookup("late")
	n, _ := src.Properties.Lookup("n")
	got := [][]string{w.where(src, src.Units[0].SQL), w.where(src, src.Value.SQL), w.where(src, late.SQL), w.where(src, n.SQL)}
	if diff := cmp.Diff([][]string{{"7", "u8"}, {"1.5", "2.0"}, {"-", "x"}, {"-", "12345678901"}}, got); diff != "" {
		t.Error(diff)
	}
	if src.Rows != 2*many+2 {
		t.Errorf("%d rows", src.Rows)
	}
}

// TestMembersThatSomeFilesLack warns as of Parquet, and of CSV.
func TestMembersThatSomeFilesLack(t *testing.T) {
	for ending, files := range map[string][2]string{
		"ndjson": {`{"user_id":"u","name":"buy","ts":"2026-03-02","v":1}` + "\n", `{"user_id":"u","name":"buy","ts":"2026-03-02"}` + "\n"},
		"csv":    {"user_id,name,ts,v\nu,buy,2026-03-02,1\n", "ts,user_id,name\n2026-03-02,u,buy\n"},
	} {
		w := newWarehouse(t)
		w.bytes("a."+ending, []byte(files[0]))
		w.bytes("b."+ending, []byte(files[1]))
		src, list := w.inspect(w.events(".", func(s *metrics.Source) { s.Columns.Value = col("v") }))
		wantMessage(t, list, "metrics.yaml:7:5: warning", "the column v is missing in 1 of 2 files, e.g. "+path.Join(w.dir, "b."+ending), "counts as missing")
		if got := w.sorted(src, call(sqlast.Coalesce, cast(src.Value.SQL, double), sqlast.Float(-1))); !slices.Equal(got, []string{"-1.0", "1.0"}) {
			t.Errorf("%s: the values are %v", ending, got)
		}
	}
}

// where gives the texts of a field of the rows that a source's where lets
// through, NULL as "-", in byte order.
func (w *warehouse) where(src *compiler.Source, x sqlast.Expr) []string {
	w.t.Helper()
	only := *src
	only.Read = sqlast.Subquery{Query: sqlast.Select{Items: []sqlast.Item{{X: x, As: "x"}}, From: src.Read, Where: src.Where}, Alias: "w"}
	return w.sorted(&only, sqlast.Column{Name: "x"})
}

// TestComparedAcrossTypes compares columns with constants that one of the files'
// types cannot hold: DuckDB itself gives other rows.
func TestComparedAcrossTypes(t *testing.T) {
	shared := newWarehouse(t)
	for where, tc := range map[string]struct {
		files []string
		want  []string
	}{
		"x < 2.4":   {[]string{"unnest([1, 2, 3])::INTEGER AS x", "unnest([1.5, 2.5])::DOUBLE AS x"}, []string{"1.0", "1.5", "2.0"}},
		"x == 2.4":  {[]string{"unnest([1, 2, 3])::INTEGER AS x", "unnest([1.5, 2.5])::DOUBLE AS x"}, nil},
		"x <= 2.9":  {[]string{"unnest([1, 2, 3])::INTEGER AS x", "unnest([1.5, 2.5])::DECIMAL(9, 1) AS x"}, []string{"1.0", "1.5", "2.0", "2.5"}},
		"x < 2.44":  {[]string{"unnest([1.1, 2.4])::DECIMAL(9, 1) AS x", "unnest([1.55, 2.45])::DECIMAL(9, 2) AS x"}, []string{"1.10", "1.55", "2.40"}},
		"s.x < 2.4": {[]string{"{'x': unnest([1, 2, 3])::INTEGER} AS s", "{'x': unnest([1.5, 2.5])::DOUBLE} AS s"}, []string{"{'x': 1.0}", "{'x': 1.5}", "{'x': 2.0}"}},
	} {
		t.Run(where, func(t *testing.T) {
			w := shared.folder(t)
			for i, x := range tc.files {
				w.write(string(rune('a'+i))+".parquet", "SELECT "+x+", "+base)
			}
			src := w.mustInspect(w.events("*.parquet", func(s *metrics.Source) { s.Where = metrics.Expr{Src: where, Pos: at(8)} }))
			column, _, _ := strings.Cut(strings.Fields(where)[0], ".")
			if diff := cmp.Diff(tc.want, w.where(src, sqlast.Column{Name: column})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDaysBesideTimes: rows of a file of dates are before an instant of that day.
func TestDaysBesideTimes(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT 'u1' AS user_id, 'buy' AS name, DATE '2026-03-03' AS ts")
	w.write("b.parquet", "SELECT 'u2' AS user_id, 'buy' AS name, TIMESTAMP '2026-03-03 11:00:00' AS ts")
	src := w.mustInspect(w.events("*.parquet", func(*metrics.Source) {}))
	src.Where = sqlast.Binary{Op: sqlast.Less, L: src.Time.SQL, R: sqlast.Timestamp(time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC))}
	if diff := cmp.Diff([]string{"u1", "u2"}, w.where(src, src.Units[0].SQL)); diff != "" {
		t.Error(diff)
	}
}

// TestColumnsWithoutValues reads columns that have values in some files alone,
// whatever type the others give them.
func TestColumnsWithoutValues(t *testing.T) {
	shared := newWarehouse(t)
	const at = "TIMESTAMP '2026-03-02 10:00:00'"
	for _, tc := range []struct {
		name         string
		silent, says string
		property     string // of the column, which is one itself where this is empty
		want         string
		kind         compiler.FieldKind
	}{
		{"integer and text", "NULL::INTEGER", "'a'", "", "a", compiler.FieldText},
		{"text and integer", "NULL::VARCHAR", "12345678901::BIGINT", "", "12345678901", compiler.FieldInteger},
		{"integer and boolean", "NULL::INTEGER", "TRUE", "", "true", compiler.FieldBoolean},
		{"text and floating", "NULL::VARCHAR", "2.5::DOUBLE", "", "2.5", compiler.FieldFloat},
		{"floating and integer", "NULL::DOUBLE", "9007199254740993", "", "9007199254740993", compiler.FieldInteger},
		{"integer and time", "NULL::INTEGER", at, "", "2026-03-02 10:00:00", compiler.FieldTime},
		{"time and integer", "NULL::TIMESTAMP", "7", "", "7", compiler.FieldInteger},
		{"integer and map", "NULL::INTEGER", "MAP {'p': 'a'}", "p", "a", compiler.FieldText},
		{"map and text of JSON", "NULL::MAP(VARCHAR, VARCHAR)", `'{"p": "a"}'`, "p", "a", compiler.FieldText},
		{"integer and struct", "NULL::INTEGER", "{'p': 'a'}", "p", "a", compiler.FieldText},
		{"struct and map", "NULL::STRUCT(q INTEGER)", "MAP {'p': 'a'}", "p", "a", compiler.FieldText},
		{"struct of nulls, and another", "{'p': NULL::DATE, 'q': NULL::BOOLEAN}", "{'p': 7}", "p", "7", compiler.FieldInteger},
		{"empty list, and one of pairs", "[]::VARCHAR[]", "[{'name': 'p', 'value': 'a'}]", "p", "a", compiler.FieldText},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := shared.folder(t)
			w.write("a.parquet", "SELECT 1 AS n, "+tc.silent+" AS x, "+base)
			w.write("b.parquet", "SELECT 2 AS n, "+tc.says+" AS x, 1 AS other, "+base)
			w.write("c.parquet", "SELECT 3 AS n, "+tc.silent+" AS x, "+base)
			src := w.mustInspect(w.events("*.parquet", func(s *metrics.Source) {
				if tc.property != "" {
					s.Columns.Properties.From = col("x")
				} else {
					s.Columns.Properties.Named = []metrics.NamedColumn{{Name: metrics.Text{V: "x"}, Column: col("x")}}
				}
			}))
			name := tc.property
			if name == "" {
				name = "x"
			}
			f, ok := src.Properties.Lookup(name)
			if !ok || f.Type.Kind != tc.kind || f.NeverNull {
				t.Fatalf("%v %+v", ok, f)
			}
			if diff := cmp.Diff([]string{"-", tc.want, "-"}, w.values(src, f.SQL)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOneValueIsEnough has a column of nulls in the first file of a type alone.
func TestOneValueIsEnough(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT 1 AS n, NULL::INTEGER AS x, "+base)
	w.write("b.parquet", "SELECT 2 AS n, {'p': 'a'} AS x, "+base)
	w.write("c.parquet", "SELECT * FROM (VALUES (3, NULL), (4, 5)) AS v(n, x), (SELECT "+base+") AS b")
	_, list := w.inspect(w.events("*.parquet", func(s *metrics.Source) { s.Columns.Properties.From = col("x") }))
	wantMessage(t, list, `the column x of source "events" is INTEGER in `, "but STRUCT(p VARCHAR) in "+path.Join(w.dir, "b.parquet"))
}

// TestEmptyListsOfRows keeps records whose list of rows is empty from being rows.
func TestEmptyListsOfRows(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT 1 AS n, []::VARCHAR[] AS x, "+base)
	w.write("b.parquet", "SELECT 2 AS n, [{'p': 'a'}] AS x, "+base)
	_, list := w.inspect(w.events("*.parquet", func(s *metrics.Source) { s.Rows = metrics.Text{V: "x", Set: true, Pos: at(7)} }))
	wantMessage(t, list, "the column x", "STRUCT(p VARCHAR)[]")
}

// TestMembersWithoutValues has a member that is null in all lines of a file.
func TestMembersWithoutValues(t *testing.T) {
	w := newWarehouse(t)
	const rest = `"user_id": "u", "name": "buy", "ts": "2026-03-02T10:00:00Z"}`
	w.lines("a.ndjson", `{"props": null, "at": null, `+rest)
	w.lines("b.ndjson", `{"props": {"p": "a"}, "at": 12345678901, `+rest)
	src := w.mustInspect(w.events("*.ndjson", func(s *metrics.Source) {
		s.Columns.Properties.From, s.Columns.Value = col("props"), col("at")
	}))
	p, _ := src.Properties.Lookup("p")
	if diff := cmp.Diff([][]string{{"-", "a"}, {"-", "12345678901"}}, [][]string{w.sorted(src, p.SQL), w.sorted(src, src.Value.SQL)}); diff != "" {
		t.Error(diff)
	}
}

// TestIDsInsideOfSeveralTypes refuses ids that would be 4.0 in one file, and 4 in
// another; whole numbers beside texts are read, and so are values that are no ids.
func TestIDsInsideOfSeveralTypes(t *testing.T) {
	shared := newWarehouse(t)
	const rest = ", 'buy' AS name, TIMESTAMP '2026-03-02 10:00:00' AS ts"
	for _, tc := range []struct {
		name, first, second, path string
		types                     [2]string // where they are refused
	}{
		{"floating", "{'id': 4::DOUBLE}", "{'id': '4'}", "c.id", [2]string{"DOUBLE", "VARCHAR"}},
		{"decimal", "{'id': '4'}", "{'id': 4::DECIMAL(18, 2)}", "c.id", [2]string{"DECIMAL(18,2)", "VARCHAR"}},
		{"map", "MAP {'id': 4::FLOAT}", "MAP {'id': '4'}", `c["id"]`, [2]string{"MAP(VARCHAR, FLOAT)", "MAP(VARCHAR, VARCHAR)"}},
		{"integer", "{'id': 4::BIGINT}", "{'id': '4'}", "c.id", [2]string{}},
		{"decimal and integer", "{'id': 4::DECIMAL(18, 2)}", "{'id': 4::BIGINT}", "c.id", [2]string{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := shared.folder(t)
			w.write("a.parquet", "SELECT 1 AS n, "+tc.first+" AS c"+rest)
			w.write("b.parquet", "SELECT 2 AS n, "+tc.second+" AS c"+rest)
			src, list := w.inspect(w.events("*.parquet", func(s *metrics.Source) { s.Columns.Units[0].Column = col(tc.path) }))
			if tc.types[0] != "" {
				wantMessage(t, list, "metrics.yaml:7:5: the column c", " is "+tc.types[0]+" in ", "but "+tc.types[1]+" in ", "write the files anew with one type")
				return
			}
			if diff := cmp.Diff([]string{"4", "4"}, w.values(src, src.Units[0].SQL)); diff != "" || len(list) > 0 {
				t.Error(diff, list)
			}
		})
	}
}
