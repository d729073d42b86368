package convert

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFieldKinds(t *testing.T) {
	for _, c := range []struct {
		fields string // between blanks
		want   string
	}{
		{"1 22 -3", "BIGINT"},
		{"12345678901 007", "VARCHAR"},
		{"-0", "VARCHAR"},
		{"+1", "VARCHAR"},
		{"1.50 2", "DECIMAL(18,2)"},
		{".5", "VARCHAR"},
		{"1e3 2.5", "DOUBLE"},
		{"true false", "BOOLEAN"},
		{"TRUE", "VARCHAR"},
		{"true 1", "VARCHAR"},
		{"2026-03-02", "VARCHAR"},
		{"1_000", "VARCHAR"},
	} {
		s := &shape{}
		for field := range strings.FieldsSeq(c.fields) {
			k, whole, scale := fieldKind(field)
			s.kinds |= k
			s.whole, s.scale = max(s.whole, whole), max(s.scale, scale)
		}
		if got := s.csvType(); got != c.want {
			t.Errorf("%s: %s, want %s", c.fields, got, c.want)
		}
	}
}

func TestCSVRecords(t *testing.T) {
	const text = "a,\"b\nc\",\"d \"\"e\"\"\"\r\n\r\n,,\n5\" pipe,x,\"y\"z\n\"open,1,2\nnext,3,4\nlast,5,\"6\""
	type read struct {
		line   int64
		fields []string
		err    error
	}
	want := []read{
		{1, []string{"a", "b\nc", `d "e"`}, nil},
		{4, []string{"", "", ""}, nil},
		{5, nil, errBehind},
		{6, nil, errQuote},
		{7, []string{"next", "3", "4"}, nil},
		{8, []string{"last", "5", "6"}, nil},
	}
	c := csvCutter{','}
	// Whatever of the text is there at once, the records are the same.
	for size := 1; size <= len(text); size++ {
		var got []read
		blocks := &blockReader{from: &slowReader{text, size}, cutter: c, line: 1}
		for {
			b, err := blocks.next()
			if err != nil {
				break
			}
			for record, line := range b.records(c) {
				fields, err := c.fields(record)
				got = append(got, read{line, fields, err})
			}
		}
		if !slices.EqualFunc(got, want, func(a, b read) bool {
			return a.line == b.line && slices.Equal(a.fields, b.fields) && errors.Is(a.err, b.err)
		}) {
			t.Errorf("%d bytes at a time: %v, want %v", size, got, want)
		}
	}
}

// slowReader gives some bytes at a time.
type slowReader struct {
	text string
	size int
}

func (r *slowReader) Read(p []byte) (int, error) {
	n := copy(p[:min(r.size, len(p))], r.text)
	r.text = r.text[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func TestSeparators(t *testing.T) {
	for header, want := range map[string]byte{"a,b,c": ',', "a;b": ';', "a\tb,c\td": '\t', "a|b": '|', "a": ',', `"a;b;c",d`: ','} {
		if got := separatorOf([]byte(header)); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}

// TestColumnsInTwoCases: what is called so in some files, and in another case in others,
// is one column, also in files that come later.
func TestColumnsInTwoCases(t *testing.T) {
	in := write(t, map[string]string{
		"1.csv": "ts,User,amount\n2026-03-01,u1,1\n",
		"2.csv": "AMOUNT,TS,user\n2.5,2026-03-01,u2\n",
	})
	opts := Options{Paths: []string{in}, Out: filepath.Join(t.TempDir(), "out"), Timestamp: "TS"}
	convertTo(t, opts)
	add(t, in, "0.csv", "Ts,Amount,USER,more\n2026-03-02,3,u3,x\n")
	out, result := convertTo(t, opts)
	if result.Added != 1 || result.Written != 3 {
		t.Errorf("result %+v", result)
	}
	const want = `2026-03-01 00:00:00 | u1 | 1.0 | <nil>
2026-03-01 00:00:00 | u2 | 2.5 | <nil>
2026-03-02 00:00:00 | u3 | 3.0 | x
`
	got := query(t, out, `SELECT ts::VARCHAR, "User", amount::VARCHAR, more FROM %s ORDER BY 2`)
	if diff := cmp.Diff(want, asText(got)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	names := query(t, out, `SELECT name, count(*) FROM (SELECT name FROM parquet_schema('`+out+`/ds=*/*.parquet') WHERE num_children IS NULL) GROUP BY ALL ORDER BY 1 -- %s`)
	if diff := cmp.Diff("User | 2\namount | 2\nmore | 1\nts | 2\n", asText(names)); diff != "" {
		t.Errorf("columns of two parts (-want +got):\n%s", diff)
	}
}
