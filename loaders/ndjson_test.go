package loaders

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// lines writes a file of lines.
func (w *warehouse) lines(file string, lines ...string) {
	w.t.Helper()
	w.bytes(file, []byte(strings.Join(lines, "\n")+"\n"))
}

func (w *warehouse) bytes(file string, b []byte) {
	w.t.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// sorted gives the texts of a field of all rows, NULL as "-", in byte order.
func (w *warehouse) sorted(src *compiler.Source, x sqlast.Expr) []string {
	w.t.Helper()
	query, err := sqlast.Print(sqlast.DuckDB, sqlast.Select{
		Items: []sqlast.Item{{X: call(sqlast.Coalesce, cast(x, varchar), sqlast.Text("-")), As: "x"}},
		From:  sqlast.Aliased(src.Read, "r"),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	rows, err := w.engine.Query(w.t.Context(), query)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, query)
	}
	var out []string
	for _, r := range rows.Cells {
		out = append(out, r[0].(string))
	}
	slices.Sort(out)
	return out
}

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestMembers reads values of NDJSON as ids and as numbers: the type of a
// member is that of all lines of all files, and no digit is lost.
func TestMembers(t *testing.T) {
	w := newWarehouse(t)
	for _, tc := range []struct {
		name   string
		values []string // of one member, a line each; empty: it is not there
		kind   compiler.FieldKind
		texts  []string // as an id
		number []string // as a value
	}{
		{"text", []string{`"a"`, `""`, `"ü \" \\ \u0041"`, `null`, ``}, compiler.FieldFloat, []string{"", "-", "-", "a", `ü " \ A`}, []string{"-", "-", "-", "-", "-"}},
		{"whole numbers", []string{`12345678901`, `-3`, `null`}, compiler.FieldInteger, []string{"-", "-3", "12345678901"}, []string{"-", "-3", "12345678901"}},
		{"beyond a double", []string{`9007199254740993`, `1`}, compiler.FieldInteger, []string{"1", "9007199254740993"}, []string{"1", "9007199254740993"}},
		{"beyond 64 bits", []string{`12345678901234567890123`, `1`}, compiler.FieldInteger, []string{"1", "12345678901234567890123"}, []string{"1", "12345678901234567890123"}},
		{"beyond 128 bits", []string{strings.Repeat("9", 50), `1`}, compiler.FieldFloat, []string{"1", strings.Repeat("9", 50)}, []string{"1.0", "1e+50"}},
		{"floating", []string{`1.5`, `1e3`, `2`}, compiler.FieldFloat, nil, []string{"1.5", "1000.0", "2.0"}},
		{"floating beside ids", []string{`9007199254740993`, `4.0`}, compiler.FieldFloat, []string{"4", "9007199254740993"}, []string{"4.0", "9007199254740992.0"}},
		{"numbers and texts", []string{`1`, `"2"`, `"x"`, `true`, `4.0`, `"4.0"`, `1e3`}, compiler.FieldFloat, []string{"1", "1000", "2", "4", "4.0", "true", "x"}, []string{"-", "-", "1.0", "1000.0", "2.0", "4.0", "4.0"}},
		{"objects beside texts", []string{`{"a": [1, null]}`, `"b"`, `[]`}, compiler.FieldFloat, []string{"[]", "b", `{"a":[1,null]}`}, []string{"-", "-", "-"}},
		{"nothing", []string{`null`, `null`}, compiler.FieldFloat, []string{"-", "-"}, []string{"-", "-"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := w.folder(t)
			files := map[string][]string{}
			for i, v := range tc.values {
				line := `{"ts": "2026-03-02", "name": "buy", "user_id": "u"`
				if v != "" {
					line += `, "x": ` + v
				}
				file := []string{"a.ndjson", "b.jsonl"}[i%2]
				files[file] = append(files[file], line+"}")
			}
			for file, lines := range files {
				w.lines(file, lines...)
			}
			src := w.mustInspect(w.events(".", func(src *metrics.Source) {
				src.Columns.Value = col("x")
				src.Columns.Attributes.Named = []metrics.NamedColumn{{Name: metrics.Text{V: "x"}, Column: col("x")}}
				if tc.texts != nil {
					src.Columns.ID = []metrics.Expr{col("x")}
				}
			}))
			if tc.texts != nil {
				if diff := cmp.Diff(tc.texts, w.sorted(src, src.ID[0].SQL)); diff != "" {
					t.Errorf("ids: %s", diff)
				}
			}
			if src.Value.Type.Kind != tc.kind {
				t.Errorf("the value is of kind %v", src.Value.Type.Kind)
			}
			if diff := cmp.Diff(tc.number, w.sorted(src, src.Value.SQL)); diff != "" {
				t.Errorf("values: %s", diff)
			}
		})
	}
}

// TestLinesThatAreNoRows counts them by file, and never loses the rows beside
// them.
func TestLinesThatAreNoRows(t *testing.T) {
	row := func(id string) string {
		return `{"user_id":"` + id + `","name":"buy","ts":"2026-03-02T10:00:00Z"}`
	}
	for _, tc := range []struct {
		name, text string
		rows       []string
		unreadable int64
	}{
		{"cut off", row("a") + "\n{\"user_id\":\n" + row("b") + "\n", []string{"a", "b"}, 1},
		{"open brackets", "{\n" + row("a") + "\n[\n{\n\"\n" + row("b") + "\n{", []string{"a", "b"}, 5},
		{"a list, a number, words", "[1]\n17\nnull\nhello\n" + row("a") + "\n", []string{"a"}, 4},
		{"blank lines and blanks", "\n \t\n  " + row("a") + "  \r\n\r\n" + row("b"), []string{"a", "b"}, 0},
		{"no UTF-8", row("\xff") + "\n" + row("b"), []string{"b"}, 1},
		{"two on a line", row("a") + row("b") + "\n" + row("c"), []string{"c"}, 1},
		{"nothing at all", "", nil, 0},
		{"no members", "{}\n" + row("a"), []string{"-", "a"}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWarehouse(t)
			w.bytes("a.json", []byte(tc.text))
			w.lines("b.json", row("z"))
			src, list := w.inspect(w.events("*.json", nil))
			if list.HasErrors() {
				t.Fatal(list)
			}
			if src.Files[0].Unreadable != tc.unreadable || src.Files[1].Unreadable != 0 {
				t.Errorf("unreadable: %d and %d", src.Files[0].Unreadable, src.Files[1].Unreadable)
			}
			if n := int64(len(tc.rows)); src.Files[0].Rows != n || src.Rows != n+1 {
				t.Errorf("rows: %d of %d", src.Files[0].Rows, src.Rows)
			}
			if diff := cmp.Diff(append(slices.Clone(tc.rows), "z"), w.sorted(src, src.Units[0].SQL)); diff != "" {
				t.Error(diff)
			}
			lost, err := Count(t.Context(), w.engine, src, endless)
			if err != nil || lost.Unreadable != tc.unreadable {
				t.Errorf("lost %+v, %v", lost, err)
			}
		})
	}
}

// TestCompressedLines reads gzip and zstd, found in a folder with side files,
// a list of hidden ones and percent-encoded levels.
func TestCompressedLines(t *testing.T) {
	w := newWarehouse(t)
	row := func(id string) string { return `{"user_id":"` + id + `","name":"buy","ts":"2026-03-02"}` + "\n" }
	w.bytes("ds=2026-03-02/event=a%3Ab/1.ndjson.gz", gzipped(t, row("a")+row("b")))
	w.bytes("ds=2026-03-02/_SUCCESS", []byte("done"))
	w.bytes("ds=2026-03-02/.1.ndjson.crc", []byte("x"))
	w.bytes("ds=2026-03-02/notes.txt", []byte("not data"))
	if err := w.engine.Exec(t.Context(), "COPY (SELECT 'c' AS user_id, 'buy' AS name, '2026-03-03' AS ts) TO "+
		quoteText(w.dir+"/c.zst")+" (FORMAT json, COMPRESSION zstd)"); err != nil {
		t.Fatal(err)
	}
	w.bytes("ds=2026-03-03/event=a%3Ab/2.jsonl.zst", mustRead(t, w.dir+"/c.zst"))
	if err := os.Remove(w.dir + "/c.zst"); err != nil {
		t.Fatal(err)
	}
	src := w.mustInspect(w.events(".", func(src *metrics.Source) {
		src.Partition = &metrics.Partition{Column: metrics.Text{V: "ds"}, Early: day, Late: 2 * day}
	}))
	if diff := cmp.Diff([]string{"a", "b", "c"}, w.sorted(src, src.Units[0].SQL)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"2026-03-02", "2026-03-02", "2026-03-03"}, w.sorted(src, src.PartitionDay)); diff != "" {
		t.Error(diff)
	}
	pruned := src.Between(day2(4), day2(5))
	if diff := cmp.Diff([]string{"c"}, w.sorted(pruned, src.Units[0].SQL)); diff != "" {
		t.Error(diff)
	}
}

// TestNamesInNoRow has the mistakes about names that no row has, and what is
// none.
func TestNamesInNoRow(t *testing.T) {
	w := newWarehouse(t)
	w.lines("a.ndjson",
		`{"d":{"event":{"name":"buy","time":"2026-03-02","props":{"id":7,"price":null}}},"user_id":"u"}`,
		`{"d":{"event":{"name":"buy","time":"2026-03-02","props":{"late":{"new":1}}}},"user_id":"u"}`)
	for _, tc := range []struct {
		name   string
		change func(*metrics.Source)
		want   []string // parts of the only message; nil: none
	}{
		{"a path that is there", func(src *metrics.Source) { src.Columns.Value = col("d.event.props.late.new") }, nil},
		{"a member that is null wherever it is", func(src *metrics.Source) { src.Columns.Value = col("d.event.props.price") }, nil},
		{"a wrong last name", func(src *metrics.Source) { src.Columns.Value = col("d.event.props.idd") },
			[]string{`metrics.yaml:7:5: no row of source "events" has d.event.props.idd`, `did you mean "id"?`}},
		{"a wrong first name", func(src *metrics.Source) { src.Columns.Value = col("dd.event.props.id") },
			[]string{`no row of source "events" has dd.event.props.id`}},
		{"a wrong column", func(src *metrics.Source) { src.Columns.Value = col("user_idd") },
			[]string{`no row of source "events" has user_idd`, `did you mean "user_id"?`}},
		{"nothing like it", func(src *metrics.Source) { src.Columns.Value = col("d.zzzzzzz") },
			[]string{`no row of source "events" has d.zzzzzzz`, "d has event"}},
		{"one of two that will do", func(src *metrics.Source) { src.Columns.Value = col("d.event.props.idd ?? d.event.props.id") }, nil},
		{"neither of two", func(src *metrics.Source) { src.Columns.Value = col("d.event.props.idd ?? zz") },
			[]string{`has d.event.props.idd`}},
		{"a part of a product", func(src *metrics.Source) { src.Columns.Value = col("d.event.props.id * d.event.props.qty") },
			[]string{`has d.event.props.qty`, "has id, late, price"}},
		{"where, of a presence", func(src *metrics.Source) { src.Where = col("d.event.props.fId == nil") }, nil},
		{"where, which leaves nothing", func(src *metrics.Source) { src.Where = col(`d.event.nam == "buy"`) },
			[]string{`has d.event.nam`, `did you mean "name"?`}},
		{"an optional column of a preset", func(src *metrics.Source) {
			src.Preset = metrics.Text{V: "vendor", Set: true, Pos: at(9)}
			src.Columns.Value = metrics.Expr{Src: "d.value", Pos: at(9), Tolerant: true}
			src.Columns.Units = append(src.Columns.Units, metrics.UnitColumn{Kind: metrics.Text{V: "device"}, Column: metrics.Expr{Src: "device", Pos: at(9), Tolerant: true}})
		}, nil},
		{"a needed column of a preset", func(src *metrics.Source) {
			src.Preset = metrics.Text{V: "vendor", Set: true, Pos: at(9)}
			src.Columns.Event = metrics.Expr{Src: "kind", Pos: at(9), Tolerant: true}
		}, []string{`metrics.yaml:9:5: source "events" has no column for event: the preset vendor reads kind`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, list := w.inspect(w.events("a.ndjson", func(src *metrics.Source) {
				src.Columns.Event, src.Columns.Timestamp.Column = col("d.event.name"), col("d.event.time")
				tc.change(src)
			}))
			if tc.want == nil {
				if len(list) > 0 {
					t.Error(list)
				}
				return
			}
			if len(list) > 1 {
				list = slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return !strings.Contains(d.Message, tc.want[0]) })
			}
			wantMessage(t, list, tc.want...)
		})
	}
}

// TestFormats finds the formats of files.
func TestFormats(t *testing.T) {
	w := newWarehouse(t)
	row := `{"user_id":"u","name":"buy","ts":"2026-03-02"}`
	w.lines("plain", row)
	w.lines("both/a.ndjson", row)
	w.lines("both/b.csv", "user_id,name,ts", "u,buy,2026-03-02")
	w.lines("beside/notes.json", `{"made": "by hand"}`)
	w.write("beside/a.parquet", "SELECT 'p' AS user_id, 'buy' AS name, TIMESTAMP '2026-03-02' AS ts")
	w.lines("list.json", "["+row+",", row+"]")
	w.lines("given.txt", row)
	ids := func(pattern string, format metrics.FileFormat) []string {
		t.Helper()
		src := w.mustInspect(w.events(pattern, func(src *metrics.Source) {
			src.Format = metrics.At[metrics.FileFormat]{V: format, Set: format != ""}
		}))
		return w.sorted(src, src.Units[0].SQL)
	}
	for _, tc := range []struct {
		pattern string
		format  metrics.FileFormat
		want    string
	}{{"plain", "", "u"}, {"beside", "", "p"}, {"given.txt", metrics.FormatNDJSON, "u"}, {"both/*.ndjson", "", "u"}} {
		if diff := cmp.Diff([]string{tc.want}, ids(tc.pattern, tc.format)); diff != "" {
			t.Errorf("%s: %s", tc.pattern, diff)
		}
	}
	_, list := w.inspect(w.events("both", nil))
	wantMessage(t, list, `source "events" has files of two formats`, "a.ndjson is ndjson", "b.csv is csv", "make them two sources")
	w.lines("notes/a.jsonl", row)
	if err := os.WriteFile(filepath.Join(w.dir, "notes", "README.md"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, list = w.inspect(w.events("notes/*", nil))
	wantMessage(t, list, "a.jsonl is ndjson, and neither its name nor its first bytes tell what", "README.md is", "a path such as '*.jsonl'")
	_, list = w.inspect(w.events("list.json", nil))
	wantMessage(t, list, "list.json has no line that is a JSON object", "jq -c")
}

// TestRowsInRecords takes lists apart: in JSON, in JSON text and in LIST
// columns of Parquet, at the top and in a path.
func TestRowsInRecords(t *testing.T) {
	w := newWarehouse(t)
	record := `{"key":"%","ev":{"list":[{"name":"buy","n":1},{"name":"see","n":2,"key":"own"}]}}`
	w.lines("a.ndjson", strings.Replace(record, "%", "a", 1), `{"key":"b","ev":{"list":[]}}`, `{"key":"c","name":"one"}`, `{"key":"d","ev":{"list":{"name":"alone"}}}`)
	w.write("list.parquet", `SELECT * FROM (VALUES
		('a', [{name: 'buy', n: 1, key: NULL}, {name: 'see', n: 2, key: 'own'}]), ('b', []), ('c', NULL)) t("key", ev)`)
	w.write("text.parquet", `SELECT * FROM (VALUES
		('a', '[{"name":"buy","n":1},{"name":"see","n":2,"key":"own"}]'), ('b', '[]'), ('c', NULL), ('d', '{"name":"alone"}'), ('e', '{broken')) t("key", ev)`)
	for _, tc := range []struct {
		file, rows string
		user, name string
		want       []string
	}{
		{"a.ndjson", "ev.list", "ev.list.key ?? key", "ev.list.name ?? name", []string{"a buy", "c one", "d alone", "own see"}},
		{"list.parquet", "ev", "ev.key ?? key", "ev.name", []string{"a buy", "c -", "own see"}},
		{"text.parquet", "ev", "ev.key ?? key", "ev.name", []string{"a buy", "c -", "d alone", "e -", "own see"}},
	} {
		src := w.mustInspect(w.events(tc.file, func(src *metrics.Source) {
			src.Rows = metrics.Text{V: tc.rows, Set: true, Pos: at(5)}
			src.Columns.Units[0].Column, src.Columns.Event = col(tc.user), col(tc.name)
			src.Columns.Timestamp.Column = col(tc.user)
		}))
		query, err := sqlast.PrintFrom(sqlast.DuckDB, sqlast.Subquery{Alias: "r", Query: sqlast.Select{
			Items: []sqlast.Item{{X: src.Units[0].SQL, As: "u"}, {X: call(sqlast.Coalesce, src.Event.SQL, sqlast.Text("-")), As: "e"}}, From: src.Read}})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := w.engine.Query(t.Context(), "SELECT u || ' ' || e FROM "+query+" ORDER BY ALL")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows.Cells {
			got = append(got, r[0].(string))
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.file, diff)
		}
		if src.Rows != int64(len(tc.want)) || src.Files[0].Rows != src.Rows {
			t.Errorf("%s: %d rows", tc.file, src.Rows)
		}
	}
	w.lines("none.ndjson", `{"user_id":"u","name":"buy","ts":"2026-03-02"}`)
	_, list := w.inspect(w.events("none.ndjson", func(src *metrics.Source) { src.Rows = metrics.Text{V: "events", Set: true, Pos: at(5)} }))
	wantMessage(t, list, `metrics.yaml:5:5: `, "no record of source", "has a list events")
	w.write("number.parquet", "SELECT 1 AS user_id, 'buy' AS name, TIMESTAMP '2026-03-02' AS ts")
	_, list = w.inspect(w.events("number.parquet", func(src *metrics.Source) { src.Rows = metrics.Text{V: "user_id", Set: true, Pos: at(5)} }))
	wantMessage(t, list, `user_id of source "events" is INTEGER, which is no list`)
}

// day2 is a day of March 2026.
func day2(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
