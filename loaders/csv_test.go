package loaders

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/metrics"
)

// TestCSV reads files of CSV: what their fields are, in whatever columns, order
// and dress.
func TestCSV(t *testing.T) {
	for _, tc := range []struct {
		name       string
		files      map[string]string
		users      []string
		values     []string
		rows       int64
		unreadable int64
	}{
		{"plain", map[string]string{"a.csv": "user_id,name,ts,v\n00712345678901,buy,2026-03-02,1.50\nu2,buy,2026-03-02,\n"},
			[]string{"00712345678901", "u2"}, []string{"-", "1.5"}, 2, 0},
		{"quotes", map[string]string{"a.csv": "user_id,name,ts,v\n\"u,1\",\"say \"\"hi\"\"\",2026-03-02,\"7\"\n\"line\nbreak\",buy,2026-03-02,\"\"\n"},
			[]string{"line\nbreak", "u,1"}, []string{"-", "7.0"}, 2, 0},
		{"byte order mark and CRLF", map[string]string{"a.csv": "\ufeffuser_id;name;ts;v\r\nu1;buy;2026-03-02;3\r\n"},
			[]string{"u1"}, []string{"3.0"}, 1, 0},
		{"line breaks in quotes, and others behind rows", map[string]string{"a.csv": "user_id,name,ts,v\r\nu1,\"two\nlines\",2026-03-02,3\r\n\"u\n2\",buy,2026-03-02,\"4\"\r\n"},
			[]string{"u\n2", "u1"}, []string{"3.0", "4.0"}, 2, 0},
		{"tabs", map[string]string{"a.tsv": "user_id\tname\tts\tv\nu1\ta\"b\t2026-03-02\t3\n"}, []string{"u1"}, []string{"3.0"}, 1, 0},
		{"rows that do not fit", map[string]string{"a.csv": "user_id,name,ts,v\nshort,row\nu1,buy,2026-03-02,1\nlong,row,2026-03-02,1,2\n\n"},
			[]string{"u1"}, []string{"1.0"}, 1, 2},
		{"other columns in another order", map[string]string{
			"a.csv": "user_id,name,ts,v\nu1,buy,2026-03-02,1\n", "b.csv": "ts,extra,v,user_id,name\n2026-03-02,x,2,u2,buy\n", "c.csv": "user_id,name,ts,v\nu3,buy,2026-03-02,3\n"},
			[]string{"u1", "u2", "u3"}, []string{"1.0", "2.0", "3.0"}, 3, 0},
		{"a file with its header alone, and one without", map[string]string{"a.csv": "user_id,name,ts,v\nu1,buy,2026-03-02,1\n", "b.csv": "user_id,name,ts,v\n", "c.csv": ""},
			[]string{"u1"}, []string{"1.0"}, 1, 0},
		{"what looks like a comment, a number, a blank", map[string]string{"a.csv": "user_id,name,ts,v\n#1,buy,2026-03-02,1\n 2 ,buy,2026-03-02,1e2\n0x1f,NULL,2026-03-02,nan\n"},
			[]string{" 2 ", "#1", "0x1f"}, []string{"-", "1.0", "100.0"}, 3, 0},
		{"names twice, and none", map[string]string{"a.csv": "user_id,USER_ID,,name,ts,v\nu1,u2,x,buy,2026-03-02,1\n"}, []string{"u1"}, []string{"1.0"}, 1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWarehouse(t)
			for name, text := range tc.files {
				w.bytes(name, []byte(text))
			}
			src, list := w.inspect(w.events(".", func(src *metrics.Source) { src.Columns.Value = col("v") }))
			if src == nil {
				t.Fatal(list)
			}
			if diff := cmp.Diff(tc.users, w.sorted(src, src.Units[0].SQL)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.values, w.sorted(src, src.Value.SQL)); diff != "" {
				t.Error(diff)
			}
			lost, err := Count(t.Context(), w.engine, src, endless)
			if err != nil || src.Rows != tc.rows || lost.Unreadable != tc.unreadable {
				t.Errorf("%d rows, lost %+v, %v", src.Rows, lost, err)
			}
		})
	}
}

// TestCSVInPartitions prunes files with different headers by their days.
func TestCSVInPartitions(t *testing.T) {
	w := newWarehouse(t)
	w.bytes("ds=2026-03-02/a.csv.gz", gzipped(t, "user_id,name,ts\na,buy,2026-03-02\n"))
	w.lines("ds=2026-03-09/a.csv", "name,ts,user_id", "buy,2026-03-09,b")
	src := w.mustInspect(w.events("ds=*/*", func(src *metrics.Source) {
		src.Partition = &metrics.Partition{Column: metrics.Text{V: "ds"}, Early: day, Late: 2 * day}
	}))
	if diff := cmp.Diff([]string{"2026-03-02", "2026-03-09"}, w.sorted(src, src.PartitionDay)); diff != "" {
		t.Error(diff)
	}
	pruned := src.Between(day2(9), day2(10))
	if diff := cmp.Diff([]string{"b"}, w.sorted(pruned, src.Units[0].SQL)); diff != "" || pruned.Rows != 1 {
		t.Error(diff, pruned.Rows)
	}
}

// TestCSVMistakes has the files of CSV that cannot be read, and columns that
// are not there.
func TestCSVMistakes(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"quotes that do not close", map[string]string{"a.csv": "user_id,name,ts\nu1,\"buy,2026-03-02\nu2,buy,2026-03-02\n"},
			[]string{"metrics.yaml:4:5", "a.csv cannot be read as CSV: the quotes in line 2 do not tell where its fields end", "mend the file"}},
		{"text behind quotes", map[string]string{"a.csv": "user_id,name,ts\n\"u\"1,buy,2026-03-02\nu2,buy,2026-03-02\n"}, []string{"the quotes in line 2"}},
		{"no UTF-8, in a column that is not read", map[string]string{"a.csv": "user_id,name,ts,x\nu1,buy,2026-03-02,\xff\n"}, []string{"line 2 is not UTF-8"}},
		{"lines that end in two ways", map[string]string{"a.csv": "user_id,name,ts\r\nu1,buy,2026-03-02\r\nu2,buy,2026-03-02\n"},
			[]string{"a.csv cannot be read as CSV", `some of its lines end with "\r\n" and others with "\n" alone`, "mend the file"}},
		{"two delimiters", map[string]string{"a.csv": "user_id,name,ts\nu1,buy,2026-03-02\n", "b.csv": "user_id;name;ts\nu1;buy;2026-03-02\n"},
			[]string{"a.csv are apart by \",\"", "b.csv by \";\"", "make them two sources"}},
		{"no row fits", map[string]string{"a.csv": "user_id,name,ts\nu1\nu2\n"}, []string{"a.csv has no line that is a row of its header", "as many fields"}},
		{"no such column", map[string]string{"a.csv": "user_idd,name,ts\nu1,buy,2026-03-02\n"}, []string{`there is no column "user_id"`, `did you mean "user_idd"?`}},
		{"nothing at all", map[string]string{"a.csv": ""}, []string{"a.csv cannot be read as CSV", "no columns"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWarehouse(t)
			for name, text := range tc.files {
				w.bytes(name, []byte(text))
			}
			src, list := w.inspect(w.events(".", nil))
			if src != nil {
				t.Fatal("it is read")
			}
			wantMessage(t, list, tc.want...)
		})
	}
}
