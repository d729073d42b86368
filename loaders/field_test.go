package loaders

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/metrics"
)

// complete is a query of rows (n, x) with the other columns that a source of
// events maps.
func complete(values string) string {
	return "SELECT *, 'u' AS user_id, 'e' AS name, TIMESTAMP '2026-03-02' AS ts FROM (VALUES " + values + ") AS v(n, x)"
}

func TestTimestampForms(t *testing.T) {
	shared := newWarehouse(t)
	for _, tc := range []struct {
		name, values, epoch string
		want                []string
	}{
		{"timestamp", "(1, TIMESTAMP '2026-03-02 10:00:00.123456'), (2, NULL)", "", []string{"2026-03-02 10:00:00.123456", "-"}},
		{"milliseconds stored", "(1, TIMESTAMP_MS '2026-03-02 10:00:00.123')", "", []string{"2026-03-02 10:00:00.123"}},
		{"seconds stored", "(1, TIMESTAMP_S '2026-03-02 10:00:00')", "", []string{"2026-03-02 10:00:00"}},
		{"nanoseconds floored, before 1970 too", "(1, TIMESTAMP_NS '2026-03-02 10:00:00.123456789'), (2, TIMESTAMP_NS '1969-12-31 23:59:59.999999999')", "",
			[]string{"2026-03-02 10:00:00.123456", "1969-12-31 23:59:59.999999"}},
		{"with zone", "(1, TIMESTAMPTZ '2026-03-02 10:00:00.5+02:00')", "", []string{"2026-03-02 08:00:00.5"}},
		{"date", "(1, DATE '2026-03-02')", "", []string{"2026-03-02 00:00:00"}},
		{"text", `(1, '2026-03-02T10:00:00Z'), (2, '2026-03-02 10:00:00.25'), (3, '2026-03-02T10:00:00+02:00'), (4, '2026-03-02T10:00:00-05:30'),
			(5, '2026-03-02'), (6, '02.03.2026'), (7, ''), (8, NULL), (9, '2026-02-30'), (10, '2026-3-2'), (11, 'epoch')`, "",
			[]string{"2026-03-02 10:00:00", "2026-03-02 10:00:00.25", "2026-03-02 08:00:00", "2026-03-02 15:30:00", "2026-03-02 00:00:00", "-", "-", "-", "-", "-", "-"}},
		// 1,772,445,600 is 2026-03-02 10:00:00 UTC: date -u -d @1772445600.
		{"seconds", "(1, 1772445600::BIGINT), (2, -1), (3, NULL), (4, 9223372036854775807)", "s", []string{"2026-03-02 10:00:00", "1969-12-31 23:59:59", "-", "-"}},
		{"seconds in 32 bits", "(1, 1772445600::INTEGER)", "s", []string{"2026-03-02 10:00:00"}},
		{"milliseconds", "(1, 1772445600123::BIGINT), (2, -1)", "ms", []string{"2026-03-02 10:00:00.123", "1969-12-31 23:59:59.999"}},
		{"microseconds", "(1, 1772445600123456::BIGINT), (2, -9223372036854775808)", "us", []string{"2026-03-02 10:00:00.123456", "-"}},
		{"nanoseconds", "(1, 1772445600123456789::BIGINT), (2, -1), (3, -1000), (4, -1001), (5, 9223372036854775807)", "ns",
			[]string{"2026-03-02 10:00:00.123456", "1969-12-31 23:59:59.999999", "1969-12-31 23:59:59.999999", "1969-12-31 23:59:59.999998", "-"}},
		{"unsigned", "(1, 1772445600123::UBIGINT), (2, 18446744073709551615)", "ms", []string{"2026-03-02 10:00:00.123", "-"}},
		{"unsigned nanoseconds", "(1, 1772445600123456789::UBIGINT), (2, 18446744073709551615)", "ns", []string{"2026-03-02 10:00:00.123456", "-"}},
		{"floating seconds", "(1, 1772445600.123::DOUBLE), (2, 'nan'), (3, 'inf'), (4, 1e300), (5, -0.25)", "s",
			[]string{"2026-03-02 10:00:00.123", "-", "-", "-", "1969-12-31 23:59:59.75"}},
		{"floating milliseconds", "(1, 1772445600123.25::DOUBLE)", "ms", []string{"2026-03-02 10:00:00.12325"}},
		{"decimal seconds", "(1, 1772445600.123456789::DECIMAL(38, 9)), (2, -0.000000001)", "s", []string{"2026-03-02 10:00:00.123456", "1969-12-31 23:59:59.999999"}},
		{"decimal nanoseconds", "(1, 1772445600123456999.9::DECIMAL(38, 1))", "ns", []string{"2026-03-02 10:00:00.123456"}},
		{"whole decimal", "(1, 1772445600123::DECIMAL(20, 0)), (2, 99999999999999999999)", "ms", []string{"2026-03-02 10:00:00.123", "-"}},
		{"narrow decimals", "(1, 1772445600::DECIMAL(10, 0))", "s", []string{"2026-03-02 10:00:00"}},
		{"narrow decimal with digits", "(1, 1772445.5::DECIMAL(8, 1))", "s", []string{"1970-01-21 12:20:45.5"}},
		{"wide decimal", "(1, 1.5::DECIMAL(38, 30)), (2, 99999999)", "s", []string{"1970-01-01 00:00:01.5", "1973-03-03 09:46:39"}},
		{"text seconds", "(1, '1772445600'), (2, '1772445600.5'), (3, 'soon'), (4, ''), (5, '99999999999999999999')", "s",
			[]string{"2026-03-02 10:00:00", "2026-03-02 10:00:00.5", "-", "-", "-"}},
		{"text nanoseconds", "(1, '1772445600123456789')", "ns", []string{"2026-03-02 10:00:00.123456"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := shared.folder(t)
			w.write("a.parquet", complete(tc.values))
			src := w.mustInspect(w.events("a.parquet", func(s *metrics.Source) {
				s.Columns.Timestamp = metrics.TimestampColumn{Column: col("x"), Epoch: tc.epoch}
			}))
			if src.Time.Type.Kind != compiler.FieldTime {
				t.Errorf("%+v", src.Time.Type)
			}
			if diff := cmp.Diff(tc.want, w.values(src, src.Time.SQL)); diff != "" {
				t.Error(diff)
			}
			missing := false
			for _, v := range tc.want {
				missing = missing || v == "-"
			}
			if src.Time.NeverNull && missing {
				t.Error("NeverNull, but values are missing")
			}
		})
	}
}

func TestTimestampNeverNull(t *testing.T) {
	shared := newWarehouse(t)
	for _, tc := range []struct{ name, values, epoch, first, last string }{
		{"timestamp", "(1, TIMESTAMP '2026-03-02 10:00:00.5'), (2, TIMESTAMP '2026-03-03')", "", "2026-03-02T10:00:00.5Z", "2026-03-03T00:00:00Z"},
		{"with zone", "(1, TIMESTAMPTZ '2026-03-02 10:00:00+02')", "", "2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z"},
		{"date", "(1, DATE '2026-03-02')", "", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z"},
		{"milliseconds", "(1, 1772445600123::BIGINT), (2, -1)", "ms", "1969-12-31T23:59:59.999Z", "2026-03-02T10:00:00.123Z"},
		{"nanoseconds", "(1, 1772445600123456789::BIGINT), (2, -1001)", "ns", "1969-12-31T23:59:59.999998Z", "2026-03-02T10:00:00.123456Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := shared.folder(t)
			w.write("a.parquet", complete(tc.values))
			src := w.mustInspect(w.events("a.parquet", func(s *metrics.Source) {
				s.Columns.Timestamp = metrics.TimestampColumn{Column: col("x"), Epoch: tc.epoch}
			}))
			f := src.Files[0]
			if !src.Time.NeverNull || !f.Whole || !f.MinTime.Equal(instantOf(t, tc.first)) || !f.MaxTime.Equal(instantOf(t, tc.last)) {
				t.Errorf("never null %v, whole %v, from %v to %v", src.Time.NeverNull, f.Whole, f.MinTime, f.MaxTime)
			}
		})
	}
}

// TestTimesOfOlderParquet reads INT96, whose footers tell no bounds: a file of
// another program, see its README.
func TestTimesOfOlderParquet(t *testing.T) {
	const folder = "../testdata/parquet/times"
	w := &warehouse{t, folder, start(t, folder)}
	src := w.mustInspect(w.events("int96.parquet", nil))
	if diff := cmp.Diff([]string{"1969-12-31 23:59:59.999", "2026-03-02 10:00:00.123", "-"}, w.values(src, src.Time.SQL)); diff != "" {
		t.Error(diff)
	}
	if f := src.Files[0]; src.Time.NeverNull || f.Whole || !f.MinTime.IsZero() || !f.MaxTime.IsZero() {
		t.Errorf("the footer tells nothing of times, but: never null %v, %+v", src.Time.NeverNull, f)
	}
	horizon, err := AsOf(t.Context(), w.engine, &compiler.Catalog{Events: []*compiler.Source{src}}, instantOf(t, "2026-03-05T00:00:00Z"))
	if err != nil || !horizon.AsOf.Equal(instantOf(t, "2026-03-02T10:00:00.123001Z")) {
		t.Errorf("as of %v, %v", horizon.AsOf, err)
	}
}

func TestIDForms(t *testing.T) {
	shared := newWarehouse(t)
	for _, tc := range []struct {
		name, values string
		want         []string
		neverNull    bool
	}{
		{"text as it is", "(1, ' A1'), (2, '007'), (3, 'ä')", []string{" A1", "007", "ä"}, true},
		{"empty is missing", "(1, ''), (2, NULL), (3, 'a')", []string{"-", "-", "a"}, false},
		{"integer", "(1, 12345678901::BIGINT), (2, -3)", []string{"12345678901", "-3"}, true},
		{"whole decimal", "(1, 12345678901234567890::DECIMAL(38, 0))", []string{"12345678901234567890"}, true},
		{"whole numbers in a decimal", "(1, 4.00::DECIMAL(18, 2)), (2, -12345678901), (3, 0), (4, NULL), (5, 4.50)", []string{"4", "-12345678901", "0", "-", "4.50"}, false},
		{"wide decimal", "(1, 99999999999999999999999999999999999.000::DECIMAL(38, 3))", []string{"99999999999999999999999999999999999"}, true},
		{"whole floating", "(1, 12345678901::DOUBLE), (2, 9007199254740991), (3, -0.0), (4, NULL)", []string{"12345678901", "9007199254740991", "0", "-"}, false},
		{"uuid", "(1, '6FA459EA-EE8A-3CA4-894E-DB77E160355E'::UUID)", []string{"6fa459ea-ee8a-3ca4-894e-db77e160355e"}, true},
		{"date", "(1, DATE '2026-03-02')", []string{"2026-03-02"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := shared.folder(t)
			w.write("a.parquet", complete(tc.values))
			src := w.mustInspect(w.events("a.parquet", func(s *metrics.Source) { s.Columns.Units[0].Column = col("x") }))
			unit := src.Units[0]
			if unit.Kind != "user" || unit.Type.Kind != compiler.FieldText || unit.NeverNull != tc.neverNull || src.Files[0].Whole != tc.neverNull {
				t.Errorf("%+v, %+v", unit, src.Files[0])
			}
			if diff := cmp.Diff(tc.want, w.values(src, unit.SQL)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFloatingIDsMustBeWhole(t *testing.T) {
	shared := newWarehouse(t)
	for _, values := range []string{"(1, 1.5::DOUBLE), (2, 2)", "(1, 9007199254740992::DOUBLE)", "(1, 'nan'::DOUBLE)", "(1, 'inf'::FLOAT)"} {
		w := shared.folder(t)
		w.write("a.parquet", complete(values))
		_, list := w.inspect(w.events("a.parquet", func(s *metrics.Source) { s.Columns.Units[0].Column = col("x") }))
		wantMessage(t, list, "metrics.yaml:7:5", "1 of its values are not whole numbers")
		_, list = w.inspect(w.events("a.parquet", func(s *metrics.Source) {
			s.Columns.Units[0].Column = col("name")
			s.Columns.ID = []metrics.Expr{col("x")}
		}))
		wantMessage(t, list, "metrics.yaml:7:5", "1 of its values are not whole numbers")
	}
}

// TestWholeNumbersOfJSON reads ids in JSON: 4 and 4.0 are one number, and the text
// "4.0" is another id.
func TestWholeNumbersOfJSON(t *testing.T) {
	w := newWarehouse(t)
	w.lines("ids.ndjson",
		`{"ts": "2026-03-02", "name": "buy", "c": {"key": 4}, "old": null}`,
		`{"ts": "2026-03-02", "name": "buy", "c": {"key": 4.0}, "old": "x"}`,
		`{"ts": "2026-03-02", "name": "buy", "c": {"key": "4.0"}}`,
		`{"ts": "2026-03-02", "name": "buy", "c": {"key": 1.2345678901e10}}`,
		`{"ts": "2026-03-02", "name": "buy", "c": {"key": 123456789012345678901234567890}}`,
		`{"ts": "2026-03-02", "name": "buy", "old": 7.00}`,
		`{"ts": "2026-03-02", "name": "buy", "old": "7.00"}`)
	for id, want := range map[string][]string{
		"c.key":        {"-", "-", "12345678901", "123456789012345678901234567890", "4", "4", "4.0"},
		"c.key ?? old": {"12345678901", "123456789012345678901234567890", "4", "4", "4.0", "7", "7.00"},
	} {
		src := w.mustInspect(w.events("ids.ndjson", func(s *metrics.Source) { s.Columns.Units[0].Column = col(id) }))
		if diff := cmp.Diff(want, w.sorted(src, src.Units[0].SQL)); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
	for _, odd := range []string{"1.5", "9007199254740993.0", "1e999"} {
		w.lines("odd.ndjson", `{"ts": "2026-03-02", "name": "buy", "c": {"key": `+odd+`}}`, `{"ts": "2026-03-02", "name": "buy", "c": {"key": "1.5"}}`)
		_, list := w.inspect(w.events("odd.ndjson", func(s *metrics.Source) { s.Columns.Units[0].Column = col("c.key") }))
		wantMessage(t, list, "metrics.yaml:7:5", `c.key of source "events" is JSON, and 1 of its values are not whole numbers below 2^53`, "write ids as text or integers")
	}
}

// TestFloatIDs reads ids of a FLOAT column, which holds whole numbers below 2^24
// alone: 10000000050 and 10000000051 would be one unit.
func TestFloatIDs(t *testing.T) {
	w := newWarehouse(t)
	for file, id := range map[string]string{"small.parquet": "16777215", "large.parquet": "10000000050"} {
		w.write(file, "SELECT "+id+"::FLOAT AS uid, 'buy' AS name, TIMESTAMP '2026-03-02' AS ts")
	}
	ofUID := func(s *metrics.Source) { s.Columns.Units[0].Column = col("uid") }
	src := w.mustInspect(w.events("small.parquet", ofUID))
	if diff := cmp.Diff([]string{"16777215"}, w.sorted(src, src.Units[0].SQL)); diff != "" {
		t.Error(diff)
	}
	_, list := w.inspect(w.events("large.parquet", ofUID))
	wantMessage(t, list, "metrics.yaml:7:5", `uid of source "events" is FLOAT, and 1 of its values are not whole numbers below 2^24`, "write ids as text or integers")
}

func TestValueForms(t *testing.T) {
	shared := newWarehouse(t)
	for _, tc := range []struct {
		name, values string
		want         []string
		typ          compiler.FieldType
		min, max     string
	}{
		{"integer", "(1, 12), (2, -3), (3, NULL)", []string{"12", "-3", "-"}, compiler.FieldType{Kind: compiler.FieldInteger}, "-3", "12"},
		{"decimal", "(1, 12.345::DECIMAL(18, 4)), (2, -0.5)", []string{"12.3450", "-0.5000"}, compiler.FieldType{Kind: compiler.FieldDecimal, Scale: 4, Width: 18}, "-1/2", "2469/200"},
		{"floating", "(1, 0.5::DOUBLE), (2, 'nan'), (3, '-inf'), (4, NULL)", []string{"0.5", "-", "-", "-"}, compiler.FieldType{Kind: compiler.FieldFloat}, "", ""},
		{"32 bits", "(1, 0.1::FLOAT)", []string{"0.10000000149011612"}, compiler.FieldType{Kind: compiler.FieldFloat, Single: true}, "", ""},
		{"text", "(1, ' 5.5 '), (2, '1e3'), (3, '5.'), (4, '1_000'), (5, ''), (6, 'inf')", []string{"5.5", "1000.0", "-", "-", "-", "-"}, compiler.FieldType{Kind: compiler.FieldFloat}, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := shared.folder(t)
			w.write("a.parquet", complete(tc.values))
			src := w.mustInspect(w.events("a.parquet", func(s *metrics.Source) { s.Columns.Value = col("x") }))
			if src.Value.Type != tc.typ {
				t.Errorf("%+v", src.Value.Type)
			}
			if diff := cmp.Diff(tc.want, w.values(src, src.Value.SQL)); diff != "" {
				t.Error(diff)
			}
			if tc.min == "" {
				if src.Value.Min != nil || src.Value.Max != nil || src.Value.NeverNull {
					t.Errorf("%+v", src.Value)
				}
			} else if src.Value.Min.RatString() != tc.min || src.Value.Max.RatString() != tc.max {
				t.Errorf("from %v to %v", src.Value.Min, src.Value.Max)
			}
		})
	}
}

func TestHoldbackForms(t *testing.T) {
	shared := newWarehouse(t)
	for _, tc := range []struct {
		values string
		want   []string
	}{
		{"(1, TRUE), (2, FALSE), (3, NULL)", []string{"true", "false", "-"}},
		{"(1, 1), (2, 0), (3, 2)", []string{"true", "false", "-"}},
		{"(1, 'True'), (2, 'false'), (3, 'no')", []string{"true", "false", "-"}},
	} {
		w := shared.folder(t)
		w.write("a.parquet", complete(tc.values))
		src := w.mustInspect(w.events("a.parquet", func(s *metrics.Source) { s.Columns.Holdback = col("x") }))
		if diff := cmp.Diff(tc.want, w.values(src, src.Holdback.SQL)); diff != "" || src.Holdback.Type.Kind != compiler.FieldBoolean {
			t.Error(diff)
		}
	}
}

func TestBagForms(t *testing.T) {
	shared := newWarehouse(t)
	type reading struct {
		name string
		kind compiler.FieldKind
		want []string
	}
	for _, tc := range []struct {
		name, values string
		form         compiler.BagForm
		read         []reading
		absent       []string
	}{
		{"map of text", "(1, MAP {'sku': 'a', 'n': '1'}), (2, MAP {'sku': 'b'}), (3, NULL)", compiler.BagMap,
			[]reading{{"sku", compiler.FieldText, []string{"a", "b", "-"}}, {"n", compiler.FieldText, []string{"1", "-", "-"}}, {"none", compiler.FieldText, []string{"-", "-", "-"}}}, nil},
		{"map of integers", "(1, MAP {'n': 7::BIGINT})", compiler.BagMap, []reading{{"n", compiler.FieldInteger, []string{"7"}}}, nil},
		{"map of floating numbers", "(1, MAP {'n': 0.5::DOUBLE}), (2, MAP {'n': 'nan'::DOUBLE})", compiler.BagMap, []reading{{"n", compiler.FieldFloat, []string{"0.5", "-"}}}, nil},
		{"struct", "(1, {'sku': 'a', 'n': 7::BIGINT, 'p': 1.50::DECIMAL(9, 2), 'yes': TRUE, 'f': 'inf'::DOUBLE, 'at': TIMESTAMPTZ '2026-03-02 10:00:00+02', 'tags': ['x'], 'context': {'key': 'k', 'deep': {'er': 2}}}), (2, NULL)", compiler.BagStruct,
			[]reading{
				{"sku", compiler.FieldText, []string{"a", "-"}}, {"n", compiler.FieldInteger, []string{"7", "-"}}, {"p", compiler.FieldDecimal, []string{"1.50", "-"}},
				{"yes", compiler.FieldBoolean, []string{"true", "-"}}, {"f", compiler.FieldFloat, []string{"-", "-"}}, {"at", compiler.FieldTime, []string{"2026-03-02 08:00:00", "-"}},
				{"context.key", compiler.FieldText, []string{"k", "-"}}, {"context.deep.er", compiler.FieldInteger, []string{"2", "-"}},
			}, []string{"tags", "context", "other"}},
		{"struct with a point in a name", "(1, {'a': {'b': 1}, 'a.b': 2})", compiler.BagStruct, []reading{{"a.b", compiler.FieldInteger, []string{"2"}}}, nil},
		{"JSON text", `(1, '{"sku": "a", "n": 1}'), (2, '{"sku": null}'), (3, '{broken'), (4, NULL)`, compiler.BagJSON,
			[]reading{{"sku", compiler.FieldText, []string{"a", "-", "-", "-"}}, {"n", compiler.FieldText, []string{"1", "-", "-", "-"}}}, nil},
		{"JSON type", `(1, '{"sku": "a"}'::JSON)`, compiler.BagJSON, []reading{{"sku", compiler.FieldText, []string{"a"}}}, nil},
		{"pairs", "(1, [{'id': '1', 'name': 'sku', 'value': 'a'}, {'id': '2', 'name': NULL, 'value': 'z'}, {'id': '3', 'name': 'sku', 'value': 'b'}]), (2, []), (3, NULL)", compiler.BagPairs,
			[]reading{{"sku", compiler.FieldText, []string{"a", "-", "-"}}}, nil},
		{"pairs with numbers", "(1, [{'name': 'n', 'value': 7::BIGINT}])", compiler.BagPairs, []reading{{"n", compiler.FieldInteger, []string{"7"}}}, nil},
		{"pairs with keys", "(1, [{'key': 'sku', 'value': 'a'}, {'key': 'n', 'value': '1'}]), (2, [{'key': 'sku', 'value': NULL}, NULL]), (3, [])", compiler.BagPairs,
			[]reading{{"sku", compiler.FieldText, []string{"a", "-", "-"}}, {"n", compiler.FieldText, []string{"1", "-", "-"}}}, nil},
		{"floating pairs with keys", "(1, [{'key': 'n', 'value': 0.5::DOUBLE}]), (2, [{'key': 'n', 'value': 'inf'::DOUBLE}])", compiler.BagPairs, []reading{{"n", compiler.FieldFloat, []string{"0.5", "-"}}}, nil},
		{"map of BigQuery", "(1, {'key_value': [{'key': 'sku', 'value': 'a'}, {'key': 'sku', 'value': 'b'}]}), (2, {'key_value': []}), (3, NULL)", compiler.BagPairs,
			[]reading{{"sku", compiler.FieldText, []string{"a", "-", "-"}}, {"key_value", compiler.FieldText, []string{"-", "-", "-"}}}, nil},
		{"struct with a list", "(1, {'key_value': [{'key': 'sku', 'value': 'a'}], 'n': 2})", compiler.BagStruct, []reading{{"n", compiler.FieldInteger, []string{"2"}}}, []string{"sku"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := shared.folder(t)
			w.write("a.parquet", complete(tc.values))
			src := w.mustInspect(w.events("a.parquet", func(s *metrics.Source) { s.Columns.Properties.From = col("x") }))
			if src.Properties.Form != tc.form {
				t.Errorf("form %v", src.Properties.Form)
			}
			for _, r := range tc.read {
				f, ok := src.Properties.Lookup(r.name)
				if !ok || f.Type.Kind != r.kind {
					t.Errorf("%s: %v, %+v", r.name, ok, f.Type)
					continue
				}
				if diff := cmp.Diff(r.want, w.values(src, f.SQL)); diff != "" {
					t.Errorf("%s: %s", r.name, diff)
				}
			}
			for _, name := range tc.absent {
				if _, ok := src.Properties.Lookup(name); ok {
					t.Errorf("%s is no single value, but can be read", name)
				}
			}
		})
	}
}

func TestNamedColumnsWinOverTheRest(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT *, 5::BIGINT AS price FROM ("+complete("(1, MAP {'price': '1', 'sku': 'a'})")+")")
	src := w.mustInspect(w.events("a.parquet", func(s *metrics.Source) {
		s.Columns.Properties = metrics.Bag{From: col("x"), Named: []metrics.NamedColumn{{Name: metrics.Text{V: "price"}, Column: col("price")}}}
	}))
	price, _ := src.Properties.Lookup("price")
	sku, _ := src.Properties.Lookup("sku")
	if price.Type.Kind != compiler.FieldInteger || !price.NeverNull || price.Min.RatString() != "5" {
		t.Errorf("%+v", price)
	}
	if diff := cmp.Diff([][]string{{"5"}, {"a"}}, [][]string{w.values(src, price.SQL), w.values(src, sku.SQL)}); diff != "" {
		t.Error(diff)
	}
}

func TestTypesThatCannotBeRead(t *testing.T) {
	shared := newWarehouse(t)
	for _, tc := range []struct {
		name, values string
		change       func(*metrics.Source)
		parts        []string
	}{
		{"number without epoch", "(1, 1772445600)", func(s *metrics.Source) { s.Columns.Timestamp.Column = col("x") }, []string{"x", "INTEGER", "epoch: ms"}},
		{"epoch of a time", "(1, TIMESTAMP '2026-03-02')", func(s *metrics.Source) {
			s.Columns.Timestamp = metrics.TimestampColumn{Column: col("x"), Epoch: "ms"}
		}, []string{"TIMESTAMP", "leave epoch out"}},
		{"time that is a boolean", "(1, TRUE)", func(s *metrics.Source) { s.Columns.Timestamp.Column = col("x") }, []string{"BOOLEAN", "no time"}},
		{"id that is a struct", "(1, {'a': 1})", func(s *metrics.Source) { s.Columns.Units[0].Column = col("x") }, []string{"STRUCT(a INTEGER)", "no plain text"}},
		{"value that is a boolean", "(1, TRUE)", func(s *metrics.Source) { s.Columns.Value = col("x") }, []string{"BOOLEAN", "no number"}},
		{"holdback that is a time", "(1, DATE '2026-03-02')", func(s *metrics.Source) { s.Columns.Holdback = col("x") }, []string{"DATE", "not true or false"}},
		{"bag that is a number", "(1, 5)", func(s *metrics.Source) { s.Columns.Properties.From = col("x") }, []string{"INTEGER", "MAP"}},
		{"bag that is a list of text", "(1, ['a'])", func(s *metrics.Source) { s.Columns.Attributes.From = col("x") }, []string{"VARCHAR[]", "{name, value}"}},
		{"bag that is a list of lists by key", "(1, [{'key': 'a', 'value': ['b']}])", func(s *metrics.Source) { s.Columns.Properties.From = col("x") }, []string{"no named values", "{key, value}"}},
		{"property that is a map", "(1, MAP {'a': 1})", func(s *metrics.Source) {
			s.Columns.Properties.Named = []metrics.NamedColumn{{Name: metrics.Text{V: "a"}, Column: col("x")}}
		}, []string{"MAP(VARCHAR, INTEGER)", "not one value"}},
		{"binary", "(1, 'a'::BLOB)", func(s *metrics.Source) { s.Columns.Event = col("x") }, []string{"BLOB"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := shared.folder(t)
			w.write("a.parquet", complete(tc.values))
			_, list := w.inspect(w.events("a.parquet", tc.change))
			wantMessage(t, list, append(tc.parts, "metrics.yaml:7:5", `source "events"`)...)
		})
	}
}
