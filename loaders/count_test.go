package loaders

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

func TestAsOf(t *testing.T) {
	shared := newWarehouse(t)
	row := func(ts string) string { return "SELECT 'u' AS user_id, 'e' AS name, " + ts + " AS ts" }
	for _, tc := range []struct {
		name   string
		files  []string
		epoch  string
		want   string
		future int64
	}{
		{"one microsecond after the last", []string{row("TIMESTAMP '2026-03-02 10:00:00'"), row("TIMESTAMP '2026-03-01 10:00:00'")}, "", "2026-03-02T10:00:00.000001Z", 0},
		{"a day after now is no future", []string{row("TIMESTAMP '2026-03-05 12:00:00'")}, "", "2026-03-05T12:00:00.000001Z", 0},
		{"later is", []string{row("TIMESTAMP '2026-03-05 12:00:00.000001'"), row("TIMESTAMP '2026-03-02 10:00:00'")}, "", "2026-03-02T10:00:00.000001Z", 1},
		{"in one file with others", []string{row("unnest([TIMESTAMP '2026-03-02 10:00:00', TIMESTAMP '2036-03-02', TIMESTAMP '2046-03-02', NULL])")}, "", "2026-03-02T10:00:00.000001Z", 2},
		{"nothing but future", []string{row("TIMESTAMP '2036-03-02'")}, "", "", 1},
		{"text", []string{row("'2026-03-02T10:00:00+02:00'"), row("'2026-03-02T09:00:00Z'"), row("'2026-03-09T09:00:00Z'"), row("'soon'")}, "", "2026-03-02T09:00:00.000001Z", 1},
		{"nanoseconds", []string{row("TIMESTAMP_NS '2026-03-02 10:00:00.123456789'")}, "", "2026-03-02T10:00:00.123457Z", 0},
		{"milliseconds", []string{row("1772445600123"), row("1972445600123")}, "ms", "2026-03-02T10:00:00.123001Z", 1},
		{"no timestamps", []string{row("NULL::TIMESTAMP")}, "", "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := shared.folder(t)
			for i, query := range tc.files {
				w.write(string(rune('a'+i))+".parquet", query)
			}
			src := w.mustInspect(w.events("*.parquet", func(s *metrics.Source) { s.Columns.Timestamp.Epoch = tc.epoch }))
			// a source of impressions that ends earlier
			w.write("impressions/a.parquet", row("TIMESTAMP '2026-02-01'"))
			impressions := w.mustInspect(w.events("impressions/*.parquet", func(s *metrics.Source) { s.Name.V = "impressions" }))
			horizon, err := AsOf(t.Context(), w.engine, &compiler.Catalog{Impressions: []*compiler.Source{impressions}, Events: []*compiler.Source{src}}, instantOf(t, "2026-03-04T12:00:00Z"))
			if err != nil {
				t.Fatal(err)
			}
			want := Horizon{AsOf: instantOf(t, "2026-02-01T00:00:00.000001Z"), Future: map[string]int64{}}
			if tc.want != "" {
				want.AsOf = instantOf(t, tc.want)
			}
			if tc.future > 0 {
				want.Future["events"] = tc.future
			}
			if diff := cmp.Diff(want, horizon); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCount(t *testing.T) {
	shared := newWarehouse(t)
	// Rows that are whole, and one row or more for each reason.
	const rows = `SELECT * FROM (VALUES
  ('u1', 'd1', 'buy', TIMESTAMP '2026-03-02 10:00:00', 1.0::DOUBLE, '{"a": 1}', 'production'),
  ('u2', 'd2', 'buy', TIMESTAMP '2026-03-02 10:00:00', NULL, NULL, 'production'),
  ('',   'd3', 'buy', TIMESTAMP '2026-03-02 10:00:00', 'nan', '{', 'production'),
  (NULL, NULL, 'buy', TIMESTAMP '2026-03-02 10:00:00', 'inf', '{"a"', 'production'),
  ('u5', NULL, NULL,  TIMESTAMP '2026-03-02 10:00:00', 'nan', '{', 'production'),
  ('u6', '',   '',    TIMESTAMP '2026-03-02 10:00:00', 1.0, '{}', 'production'),
  (NULL, NULL, NULL,  NULL, 'nan', '{', 'production'),
  (NULL, 'd8', 'buy', TIMESTAMP '2026-02-27 10:00:00', 1.0, '{', 'production'),
  ('u9', 'd9', 'buy', NULL, 1.0, '{', NULL),
  ('u0', 'd0', 'buy', NULL, 1.0, '{', 'test')
) AS v(user_id, device_id, name, ts, amount, props, environment)`
	for _, tc := range []struct {
		name   string
		change func(*metrics.Source)
		want   Dropped
	}{
		// Counted by hand from the rows above.
		{"mapped at least", nil, Dropped{NoTimestamp: 3, NoEvent: 1, NoUnit: map[string]int64{"user": 3}, NoID: 3}},
		{"partition", partitioned(1, 2), Dropped{NoTimestamp: 3, Partition: 1, NoEvent: 1, NoUnit: map[string]int64{"user": 2}, NoID: 2}},
		{"where", func(s *metrics.Source) {
			s.Where = metrics.Expr{Src: `environment == "production"`, Pos: at(8)}
		}, Dropped{Where: 2, NoTimestamp: 1, NoEvent: 1, NoUnit: map[string]int64{"user": 3}, NoID: 3}},
		{"two unit kinds", func(s *metrics.Source) {
			s.Columns.Units = append(s.Columns.Units, metrics.UnitColumn{Kind: metrics.Text{V: "device"}, Column: col("device_id")})
		}, Dropped{NoTimestamp: 3, NoEvent: 1, NoUnit: map[string]int64{"user": 3, "device": 2}, NoID: 1}},
		{"properties", func(s *metrics.Source) { s.Columns.Properties.From = col("props") }, Dropped{NoTimestamp: 3, NoEvent: 1, NoUnit: map[string]int64{"user": 3}, NoID: 3, Malformed: 3}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := shared.folder(t)
			w.write("ds=2026-03-02/a.parquet", rows)
			w.write("ds=2026-03-02/b.parquet", rows+" WHERE user_id = 'u1'")
			src := w.mustInspect(w.events("*/*.parquet", tc.change))
			if src.Files[0].Whole || !src.Files[1].Whole && tc.name != "two unit kinds" {
				t.Errorf("%+v", src.Files)
			}
			dropped, err := Count(t.Context(), w.engine, src, endless)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, dropped); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMalformed counts properties that no value can be read from by name, in
// files of every format. An object holds values, null and an empty list hold none.
func TestMalformed(t *testing.T) {
	shared := newWarehouse(t)
	const object, pairs = `{"a": 1}`, `[{"name": "a", "value": 1}]`
	for _, tc := range []struct {
		name   string
		values []string
		want   int64
	}{
		// Counted by hand: those that are no object, null, empty list or list of
		// named values (where such lists are found at all).
		{"objects", []string{object, `null`, `[]`, `{}`, `"a"`, `5`, `true`, `[1]`, `["a", {"name": "a"}]`, `"{}"`}, 6},
		{"lists of named values", []string{pairs, `null`, `[]`, object, `"a"`, `5`, `[1]`, `[{"name": "a", "value": 1}, {"value": 2}]`, `[{"key": "a", "value": 1}]`}, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var lines []string
			csv, parquet := "user_id,name,ts,props\n", "SELECT 'u' AS user_id, 'buy' AS name, TIMESTAMP '2026-03-02 10:00:00' AS ts, unnest(["
			for i, v := range tc.values {
				lines = append(lines, `{"user_id": "u", "name": "buy", "ts": "2026-03-02T10:00:00Z", "props": `+v+`}`)
				csv += `u,buy,2026-03-02,"` + strings.ReplaceAll(v, `"`, `""`) + "\"\n"
				if i > 0 {
					parquet += ", "
				}
				parquet += quoteText(v)
			}
			w := shared.folder(t)
			w.lines("a.ndjson", lines...)
			w.bytes("a.csv", []byte(csv))
			w.write("a.parquet", parquet+"]) AS props")
			for _, file := range []string{"a.ndjson", "a.csv", "a.parquet"} {
				src := w.mustInspect(w.events(file, func(s *metrics.Source) { s.Columns.Properties.From = col("props") }))
				dropped, err := Count(t.Context(), w.engine, src, endless)
				if err != nil || dropped.Malformed != tc.want {
					t.Errorf("%s: %d malformed of %d, want %d, error %v", file, dropped.Malformed, src.Rows, tc.want, err)
				}
			}
		})
	}
}

// TestCountReadsNothingThatFootersSettle takes the files away after they were
// inspected: what can still be counted was not scanned for.
func TestCountReadsNothingThatFootersSettle(t *testing.T) {
	w := newWarehouse(t)
	w.write("ds=2026-03-02/a.parquet", "SELECT 5 AS x, "+base)
	src := w.mustInspect(w.events("*/*.parquet", func(s *metrics.Source) {
		partitioned(1, 2)(s)
		s.Columns.Value = col("x")
	}))
	src.Files[0].Path = w.dir + "/gone.parquet"
	src.Read = sqlast.OfFiles(src.Read, []string{src.Files[0].Path})
	dropped, err := Count(t.Context(), w.engine, src, endless)
	if diff := cmp.Diff(Dropped{NoUnit: map[string]int64{}}, dropped); err != nil || diff != "" {
		t.Error(err, diff)
	}
	horizon, err := AsOf(t.Context(), w.engine, &compiler.Catalog{Events: []*compiler.Source{src}}, instantOf(t, "2026-03-03T00:00:00Z"))
	if err != nil || !horizon.AsOf.Equal(instantOf(t, "2026-03-02T10:00:00.000001Z")) {
		t.Error(horizon, err)
	}
}

func TestInPartition(t *testing.T) {
	src := &compiler.Source{Def: &metrics.Source{Partition: &metrics.Partition{Early: day, Late: 2 * day}}}
	at := func(s string) time.Time { return instantOf(t, s) }
	for _, tc := range []struct {
		first, last string
		want        bool
	}{
		// The partition of the 10th holds rows of the 8th (late by 2) to the 11th (early by 1).
		{"2026-03-08T00:00:00Z", "2026-03-11T23:59:59.999999Z", true},
		{"2026-03-07T23:59:59.999999Z", "2026-03-10T00:00:00Z", false},
		{"2026-03-10T00:00:00Z", "2026-03-12T00:00:00Z", false},
	} {
		f := compiler.File{Rows: 1, Day: at("2026-03-10T00:00:00Z"), HasDay: true, MinTime: at(tc.first), MaxTime: at(tc.last)}
		if inPartition(src, f) != tc.want {
			t.Errorf("%s to %s: %v", tc.first, tc.last, !tc.want)
		}
	}
	if inPartition(src, compiler.File{Rows: 1, Day: at("2026-03-10T00:00:00Z"), HasDay: true}) {
		t.Error("without bounds nothing is proven")
	}
}

func TestColumnsThatAreNotThere(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT 1 AS n, {'key': 'a'} AS context, "+base)
	for _, tc := range []struct {
		name, column string
		parts        []string
	}{
		{"misspelt", "usr_id", []string{`"usr_id"`, `did you mean "user_id"?`}},
		{"field of a struct", "context.kye", []string{"kye", `did you mean "key"?`}},
		{"nothing near", "zzzzzzzzzz", []string{`"zzzzzzzzzz"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, list := w.inspect(w.events("*.parquet", func(s *metrics.Source) { s.Columns.Units[0].Column = col(tc.column) }))
			wantMessage(t, list, append(tc.parts, "metrics.yaml:7:5")...)
		})
	}
}

func TestPathsAndExpressionsAsColumns(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT 1 AS n, {'key': 'a', 'kind': 'user'} AS context, MAP {'sku': '7.5'} AS props, "+base)
	src := w.mustInspect(w.events("*.parquet", func(s *metrics.Source) {
		s.Columns.Units[0].Column = col("context.key")
		s.Columns.Event = col(`upper(name)`)
		s.Columns.Value = col(`number(props["sku"]) * 2`)
	}))
	have := strings.Join([]string{w.values(src, src.Units[0].SQL)[0], w.values(src, src.Event.SQL)[0], w.values(src, src.Value.SQL)[0]}, " ")
	if have != "a BUY 15.0" {
		t.Error(have)
	}
	if src.Units[0].NeverNull || src.Event.NeverNull || src.Value.NeverNull {
		t.Error("footers say nothing of expressions")
	}
}
