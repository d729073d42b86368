package convert

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/loaders"
)

// write writes files into a new folder, and gives the folder.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	folder, err := os.MkdirTemp(t.TempDir(), "in")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// convertTo converts into a new folder, and gives it with the result.
func convertTo(t testing.TB, opts Options) (string, *Result) {
	t.Helper()
	if opts.Out == "" {
		opts.Out = filepath.Join(t.TempDir(), "out")
	}
	if opts.Partition == "" {
		opts.Partition = "ds"
	}
	result, err := Convert(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return opts.Out, result
}

// query asks an engine about the files of a folder, which %s stands for.
func query(t testing.TB, folder, sql string) [][]any {
	t.Helper()
	engine, err := loaders.Open(t.Context(), loaders.Options{AllowedPaths: []string{folder}})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	rows, err := engine.Query(t.Context(), fmt.Sprintf(sql, fmt.Sprintf("read_parquet('%s/**/*.parquet', union_by_name = true, hive_partitioning = true, hive_types = {'ds': VARCHAR})", folder)))
	if err != nil {
		t.Fatal(err)
	}
	return rows.Cells
}

// asText gives rows as lines of text.
func asText(rows [][]any) string {
	var b strings.Builder
	for _, r := range rows {
		for i, cell := range r {
			if i > 0 {
				b.WriteString(" | ")
			}
			fmt.Fprint(&b, cell)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// tree gives the files below a folder with digests of what they hold.
func tree(t testing.TB, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		files[name] = fmt.Sprintf("%x", sha256.Sum256(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func readRejects(t testing.TB, name string) []reject {
	t.Helper()
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []reject
	for in := json.NewDecoder(bufio.NewReader(f)); in.More(); {
		var r reject
		if err := in.Decode(&r); err != nil {
			t.Fatal(err)
		}
		r.File = filepath.Base(r.File)
		all = append(all, r)
	}
	return all
}

func TestConvertLines(t *testing.T) {
	in := write(t, map[string]string{
		"1.ndjson": "\xef\xbb\xbf" + `{"ts":"2026-03-02T23:30:00-01:00","user":"12345678901","n":9007199254740993,"big":12345678901234567890123,"price":0.10,"props":{"sku":"x"}}
{"ts":"2026-03-02 10:00:00","user":"007","n":null,"price":12,"props":{"late":true}}

{"ts":"2026-03-02T10:00:01Z","user":"u3"
{"ts":"yesterday","user":"u4"}
["no object"]
`,
		"2.jsonl":      `{"ts":"2026-03-01T00:00:00Z","user":"u5","new":[1,"a"]}`,
		"_side.ndjson": `{"ts":"2026-03-01T00:00:00Z","user":"u6"}`,
		"notes.txt":    "none of it",
	})
	out, result := convertTo(t, Options{Paths: []string{in}})
	const want = `2026-03-01 | 2026-03-01 00:00:00 | u5 | <nil> | <nil> | <nil> | <nil> | <nil> | [1,"a"]
2026-03-02 | 2026-03-02 10:00:00 | 007 | <nil> | <nil> | 12.00 | <nil> | true | <nil>
2026-03-03 | 2026-03-03 00:30:00 | 12345678901 | 9007199254740993 | 12345678901234567890123 | 0.10 | x | <nil> | <nil>
`
	got := asText(query(t, out, `SELECT ds, ts::VARCHAR, "user", n, big::VARCHAR, price::VARCHAR, props.sku, props.late, "new"::VARCHAR FROM %s ORDER BY ts`))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	const types = "ts TIMESTAMP, user VARCHAR, n BIGINT, big DECIMAL(38,0), price DECIMAL(18,2)"
	described := query(t, out, "SELECT string_agg(column_name || ' ' || column_type, ', ') FROM (DESCRIBE SELECT ts, \"user\", n, big, price FROM %s)")
	if described[0][0] != types {
		t.Errorf("types %s, want %s", described[0][0], types)
	}
	wantRejects := []reject{
		{"1.ndjson", 4, "the JSON ends too early, after 40 bytes", `{"ts":"2026-03-02T10:00:01Z","user":"u3"`},
		{"1.ndjson", 5, "ts is no time", `{"ts":"yesterday","user":"u4"}`},
		{"1.ndjson", 6, "the line is JSON, but no object", `["no object"]`},
	}
	if diff := cmp.Diff(wantRejects, readRejects(t, filepath.Join(out, rejectsFile))); diff != "" {
		t.Errorf("rejects (-want +got):\n%s", diff)
	}
	if result.Read != 6 || result.Written != 3 || result.Rejected != 3 {
		t.Errorf("read %d, wrote %d, rejected %d; want 6, 3, 3", result.Read, result.Written, result.Rejected)
	}
}

func TestConvertCSV(t *testing.T) {
	in := write(t, map[string]string{
		"1.csv": "\xef\xbb\xbfuser;when;amount;note;zip\r\n" +
			"u1;2026-03-02T00:00:00Z;12.50;\"two\nlines; \"\"quoted\"\"\";01234\r\n" +
			"u2;2026-03-03T00:00:00Z;7;;99999\r\n" +
			"u3;2026-03-03T00:00:00Z;1\r\n" +
			"\"u4;2026-03-03T00:00:00Z;1;;\r\n" +
			"u5;2026-03-32T00:00:00Z;1;;\r\n",
		"2.csv": "when,user,flag\n2026-03-03T01:00:00Z,u6,true\n",
	})
	out, _ := convertTo(t, Options{Paths: []string{in}, Timestamp: "when"})
	const want = `2026-03-02 | u1 | 12.50 | two
lines; "quoted" | 01234 | <nil>
2026-03-03 | u2 | 7.00 | <nil> | 99999 | <nil>
2026-03-03 | u6 | <nil> | <nil> | <nil> | true
`
	got := asText(query(t, out, `SELECT ds, "user", amount::VARCHAR, note, zip, flag FROM %s ORDER BY "user"`))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	wantRejects := []reject{
		{"1.csv", 5, "the line has 3 fields, the header 5", "u3;2026-03-03T00:00:00Z;1"},
		{"1.csv", 6, "a quote is opened and not closed", `"u4;2026-03-03T00:00:00Z;1;;`},
		{"1.csv", 7, "when is no time", "u5;2026-03-32T00:00:00Z;1;;"},
	}
	if diff := cmp.Diff(wantRejects, readRejects(t, filepath.Join(out, rejectsFile))); diff != "" {
		t.Errorf("rejects (-want +got):\n%s", diff)
	}
}

// TestTimes: times as text, as numbers of each size, and in a path.
func TestTimes(t *testing.T) {
	for _, c := range []struct{ line, time, epoch, wantEpoch string }{
		{`{"ts":1772445600}`, "", "", "s"},
		{`{"ts":1772445600000}`, "", "", "ms"},
		{`{"ts":1772445600000000}`, "", "", "us"},
		{`{"ts":1772445600000000000}`, "", "", "ns"},
		{`{"ts":1772445600.5}`, "ts", "", "s"},
		{`{"ts":1772445600000}`, "ts", "ms", "ms"},
		{`{"event":{"creationDate":1772445600000},"ts":"x"}`, "event.creationDate", "", "ms"},
		{`{"d":{"at":"2026-03-02T11:00:00+01:00"}}`, "d.at", "", ""},
		{`{"ts":"2026-03-02t23:59:59.5z"}`, "", "", ""},
	} {
		in := write(t, map[string]string{"a.ndjson": c.line})
		out, result := convertTo(t, Options{Paths: []string{in}, Timestamp: c.time, Epoch: c.epoch})
		if got := asText(query(t, out, "SELECT ds FROM %s")); got != "2026-03-02\n" || result.Epoch != c.wantEpoch {
			t.Errorf("%s: day %s, epoch %q; want 2026-03-02, %q", c.line, got, result.Epoch, c.wantEpoch)
		}
	}
}

func TestCompressed(t *testing.T) {
	text := `{"ts":"2026-03-02","a":1}` + "\n"
	var zipped, z bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write([]byte(text)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	e, err := zstd.NewWriter(&z)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write([]byte(text)); err != nil || e.Close() != nil {
		t.Fatal(err)
	}
	// Two streams one after the other are one text, as gzip and zstd have it.
	in := write(t, map[string]string{"a.ndjson.gz": zipped.String() + zipped.String(), "b.ndjson.zst": z.String() + z.String(), "c.ndjson": text})
	out, _ := convertTo(t, Options{Paths: []string{in}})
	if got := asText(query(t, out, "SELECT count(*), sum(a)::VARCHAR FROM %s")); got != "5 | 5\n" {
		t.Errorf("rows and sum %s, want 5 | 5", got)
	}
	cut := write(t, map[string]string{"a.ndjson.gz": zipped.String()[:20]})
	if _, err := Convert(t.Context(), Options{Paths: []string{cut}, Out: filepath.Join(cut, "out"), Partition: "ds"}); err == nil || !strings.Contains(err.Error(), "cannot be decompressed") {
		t.Errorf("a file that is cut off: %v", err)
	}
}

// manyLines is text of some chunks of a MiB, with lines that are rejected. Days
// come again and again.
func manyLines(n int) string {
	var b strings.Builder
	for i := range n {
		switch {
		case i%997 == 13:
			fmt.Fprintf(&b, `{"ts":"2026-03-01","i":%d`, i)
		case i%1999 == 17:
			fmt.Fprintf(&b, `{"ts":"never","i":%d}`, i)
		default:
			fmt.Fprintf(&b, `{"ts":"2026-03-%02dT00:00:00Z","i":%d,"pad":"%s"}`, 1+i%5, i, strings.Repeat("x", 100))
		}
		b.WriteString("\n")
	}
	return b.String()
}

const (
	testChunk = 1 // a chunk of each block
	testLines = 40_000
)

// TestGoesOn: a conversion that was killed after any of its chunks, or between
// the steps of one, ends as one that was not.
func TestGoesOn(t *testing.T) {
	in := write(t, map[string]string{"a.ndjson": manyLines(testLines)})
	opts := Options{Paths: []string{in}, chunkSize: testChunk, Threads: 2}
	whole, result := convertTo(t, opts)
	want := tree(t, whole)
	if result.Chunks < 4 || result.Rejected != 41+21 {
		t.Fatalf("%d chunks, %d rejects; want 4 or more, and 62", result.Chunks, result.Rejected)
	}
	for stop := 1; stop < result.Chunks; stop++ {
		opts.Out = filepath.Join(t.TempDir(), "out")
		killed(t, opts, stop)
		_, resumed := convertTo(t, opts)
		if resumed.Resumed < stop || resumed.Resumed == resumed.Chunks {
			t.Errorf("killed after %d chunks: goes on after %d", stop, resumed.Resumed)
		}
		if diff := cmp.Diff(want, tree(t, opts.Out)); diff != "" {
			t.Errorf("killed after %d chunks: files (-want +got):\n%s", stop, diff)
		}
	}
	// Killed when the parts and rejects of the second chunk were in their places,
	// and nothing said so yet.
	opts.Out = filepath.Join(t.TempDir(), "out")
	killed(t, opts, 1)
	first := tree(t, opts.Out)[doneFile]
	text, err := os.ReadFile(filepath.Join(opts.Out, doneFile))
	if err != nil {
		t.Fatal(err)
	}
	convertTo(t, opts)
	if err := os.WriteFile(filepath.Join(opts.Out, doneFile), text, 0o666); err != nil {
		t.Fatal(err)
	}
	if tree(t, opts.Out)[doneFile] != first {
		t.Fatal("the state is not that of the first chunk")
	}
	convertTo(t, opts)
	if diff := cmp.Diff(want, tree(t, opts.Out)); diff != "" {
		t.Errorf("killed between steps: files (-want +got):\n%s", diff)
	}
	if _, again := convertTo(t, opts); !again.Unchanged {
		t.Error("a conversion that is done is done again")
	}
}

// TestSameWhateverThreads: the files do not depend on how many work at them.
func TestSameWhateverThreads(t *testing.T) {
	in := write(t, map[string]string{"a.ndjson": manyLines(testLines), "b.ndjson": manyLines(10), "c.ndjson": manyLines(5_000)})
	var first map[string]string
	for _, threads := range []int{1, 2, 4} {
		out, _ := convertTo(t, Options{Paths: []string{in}, chunkSize: testChunk, Threads: threads})
		if first == nil {
			first = tree(t, out)
		}
		if diff := cmp.Diff(first, tree(t, out)); diff != "" {
			t.Errorf("%d threads: files (-one +these):\n%s", threads, diff)
		}
	}
}

func TestChangedInputs(t *testing.T) {
	const line = `{"ts":"2026-03-02","a":1}` + "\n"
	in := write(t, map[string]string{"a.ndjson": line})
	opts := Options{Paths: []string{in}, Out: filepath.Join(t.TempDir(), "out"), Partition: "ds"}
	convertTo(t, opts)
	mistake := func(opts Options, want string) {
		t.Helper()
		var m *MistakeError
		if _, err := Convert(t.Context(), opts); !errors.As(err, &m) || !strings.Contains(m.msg, want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	other := opts
	other.Partition = "day"
	mistake(other, "other options")
	if err := os.WriteFile(filepath.Join(in, "a.ndjson"), []byte(line+line), 0o666); err != nil {
		t.Fatal(err)
	}
	mistake(opts, "changed since")
	opts.Anew = true
	if _, result := convertTo(t, opts); result.Written != 2 {
		t.Errorf("wrote %d rows anew, want 2", result.Written)
	}
}

// TestRoundTrip: rows, written as JSON, converted and read again, are the rows.
// Each column holds values of one kind, or of some.
func TestRoundTrip(t *testing.T) {
	text := rapid.Map(rapid.StringOf(rapid.Rune()), func(s string) any { return s })
	kinds := []*rapid.Generator[any]{
		rapid.Just(any(nil)), text,
		rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.IntRange(-1e9, 1e9), func(n int) any { return float64(n) / 100 }),
		rapid.Map(rapid.SliceOfN(text, 0, 3), func(s []any) any { return s }),
	}
	const rows, columns = 20, 30
	values := rapid.Custom(func(rt *rapid.T) [][]any {
		table := make([][]any, rows)
		for range columns {
			some := rapid.SliceOfN(rapid.SampledFrom(kinds), 1, 3).Draw(rt, "kinds")
			for i := range table {
				table[i] = append(table[i], rapid.SampledFrom(some).Draw(rt, "kind").Draw(rt, "value"))
			}
		}
		return table
	})
	for seed := range 5 {
		table := values.Example(seed)
		var lines strings.Builder
		for i, row := range table {
			inner := map[string]any{}
			for j, v := range row {
				inner[fmt.Sprintf("c%d", j)] = v
			}
			line, err := json.Marshal(map[string]any{"i": i, "ts": fmt.Sprintf("2026-03-%02dT10:00:00Z", 1+i), "o": inner, "top": row[0]})
			if err != nil {
				t.Fatal(err)
			}
			lines.Write(append(line, '\n'))
		}
		in := write(t, map[string]string{"a.ndjson": lines.String()})
		out, _ := convertTo(t, Options{Paths: []string{in}, Timestamp: "ts"})
		got := query(t, out, "SELECT to_json(top)::VARCHAR, to_json(o)::VARCHAR FROM %s ORDER BY i")
		if len(got) != rows {
			t.Fatalf("seed %d: %d rows, want %d", seed, len(got), rows)
		}
		for i, row := range table {
			top, inner := decode(t, got[i][0]), decode(t, got[i][1]).(map[string]any)
			if canonical(top) != canonical(row[0]) {
				t.Errorf("seed %d, row %d: %s, want %s", seed, i, canonical(top), canonical(row[0]))
			}
			for j, v := range row {
				if c := inner[fmt.Sprintf("c%d", j)]; canonical(c) != canonical(v) {
					t.Errorf("seed %d, row %d, column %d: %s, want %s", seed, i, j, canonical(c), canonical(v))
				}
			}
		}
	}
}

// decode reads JSON; NULL is null.
func decode(t *testing.T, cell any) (v any) {
	t.Helper()
	text, ok := cell.(string)
	if !ok {
		return nil
	}
	in := json.NewDecoder(strings.NewReader(text))
	in.UseNumber()
	if err := in.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// canonical is a value as JSON; of numbers, as a person would write it.
func canonical(v any) string {
	number := func(s string) string {
		if strings.Contains(s, ".") {
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
		if s == "-0" {
			return "0"
		}
		return s
	}
	switch n := v.(type) {
	case json.Number:
		return number(n.String())
	case float64:
		return number(fmt.Sprintf("%.2f", n)) // cents
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestManyDays: rows of many days, in no order of them, keep their own order
// within each.
func TestManyDays(t *testing.T) {
	const rows, days = 700, 14
	var lines strings.Builder
	for i := range rows {
		fmt.Fprintf(&lines, `{"ts":"2026-03-%02dT00:00:00Z","i":%d}`+"\n", 1+i*5%days, i)
	}
	in := write(t, map[string]string{"a.ndjson": lines.String()})
	out, _ := convertTo(t, Options{Paths: []string{in}})
	got := query(t, out, "SELECT ds, count(*), bool_and(ok) FROM (SELECT ds, day(ts) = 1 + i * 5 %% 14 AND i > lag(i, 1, -1) OVER (PARTITION BY ds ORDER BY file_row_number) AS ok FROM (SELECT *, file_row_number FROM %s)) GROUP BY ds ORDER BY ds")
	var want strings.Builder
	for day := range days {
		fmt.Fprintf(&want, "2026-03-%02d | %d | true\n", 1+day, rows/days)
	}
	if diff := cmp.Diff(want.String(), asText(got)); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
}

// TestNameOfDays: a column named as the days is neither lost nor renamed.
func TestNameOfDays(t *testing.T) {
	in := write(t, map[string]string{"a.ndjson": `{"ts":"2026-03-02","DS":"x"}`})
	opts := Options{Paths: []string{in}, Out: filepath.Join(t.TempDir(), "out"), Partition: "ds"}
	var m *MistakeError
	if _, err := Convert(t.Context(), opts); !errors.As(err, &m) || m.msg != "the rows have a column ds already, and one more would be the days of the folders" {
		t.Errorf("error %v", err)
	}
	opts.Partition = "the day"
	out, _ := convertTo(t, opts)
	if _, ok := tree(t, out)[filepath.Join("the day=2026-03-02", "part-00001.parquet")]; !ok {
		t.Errorf("files %v", tree(t, out))
	}
}
