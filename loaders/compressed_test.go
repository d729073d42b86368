package loaders

import (
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/metricsjob/metricsjob/metrics"
)

func zstandard(t *testing.T, text string) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(true))
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll([]byte(text), nil)
}

// TestDamagedLines: the engine reads a compressed file up to where it is cut
// off and says nothing, so that a copy that broke off would lose rows.
func TestDamagedLines(t *testing.T) {
	w := newWarehouse(t)
	var ndjson, csv strings.Builder
	csv.WriteString("user_id,name,ts,x\n")
	for i := range 5000 {
		ndjson.WriteString(`{"ts": "2026-03-02", "name": "buy", "user_id": "u` + strings.Repeat("x", i%97) + "\"}\n")
		csv.WriteString("u" + strings.Repeat("x", i%97) + ",buy,2026-03-02,1\n")
	}
	cut := func(b []byte) []byte { return b[:len(b)/2] }
	without := func(b []byte, n int) []byte { return b[:len(b)-n] }
	bent := func(b []byte) []byte { // the checksum at the end of gzip is that of another text
		b[len(b)-5]++
		return b
	}
	for name, tc := range map[string]struct {
		file  string
		bytes []byte
		says  string // empty: it is whole
	}{
		"whole gzip":          {"b.ndjson.gz", gzipped(t, ndjson.String()), ""},
		"two members of gzip": {"b.ndjson.gz", append(gzipped(t, ndjson.String()), gzipped(t, ndjson.String())...), ""},
		"whole Zstandard":     {"b.ndjson.zst", zstandard(t, ndjson.String()), ""},
		"empty text":          {"b.ndjson.gz", gzipped(t, ""), ""},
		"half of gzip":        {"b.ndjson.gz", cut(gzipped(t, ndjson.String())), "b.ndjson.gz is cut off or damaged"},
		"gzip without its end": {"b.ndjson.gz", without(gzipped(t, ndjson.String()), 8),
			"b.ndjson.gz is cut off or damaged"},
		"other checksum":     {"b.ndjson.gz", bent(gzipped(t, ndjson.String())), "b.ndjson.gz is cut off or damaged"},
		"half of Zstandard":  {"b.ndjson.zst", cut(zstandard(t, ndjson.String())), "b.ndjson.zst is cut off or damaged"},
		"half of CSV":        {"b.csv.gz", cut(gzipped(t, csv.String())), "b.csv.gz is cut off or damaged"},
		"gzip by name alone": {"b.ndjson.gz", []byte(ndjson.String()), "b.ndjson.gz is cut off or damaged"},
		"gzip of other name": {"b.ndjson.GZ", gzipped(t, ndjson.String()), "let it end in .gz"},
		"Zstandard of no name": {"b", zstandard(t, ndjson.String()),
			"let it end in .zst"},
		"byte order mark":                    {"b.ndjson", []byte("\ufeff" + ndjson.String()), "b.ndjson begins with a byte order mark"},
		"byte order mark in gzip":            {"b.ndjson.gz", gzipped(t, "\ufeff"+ndjson.String()), "b.ndjson.gz begins with a byte order mark"},
		"UTF-16":                             {"b.ndjson", []byte("\xff\xfe{\x00}\x00\n\x00"), "b.ndjson is UTF-16, not UTF-8: it begins with the byte order mark FF FE"},
		"UTF-16 of CSV, the other way about": {"b.csv", []byte("\xfe\xff\x00a\x00,\x00b\x00\n"), "byte order mark FE FF; write it as UTF-8: iconv -f UTF-16 -t UTF-8 b.csv"},
		"byte order mark of CSV":             {"b.csv", []byte("\ufeff" + csv.String()), ""},
		"another line that is wrong":         {"b.ndjson", []byte("{\n" + ndjson.String()), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.folder(t)
			w.bytes(tc.file, tc.bytes)
			change := func(src *metrics.Source) {}
			switch {
			case tc.file == "b":
				change = func(src *metrics.Source) {
					src.Format = metrics.At[metrics.FileFormat]{V: metrics.FormatNDJSON, Set: true}
				}
			case strings.HasPrefix(tc.file, "b.ndjson"): // beside a file that is whole
				w.lines("a.ndjson", `{"ts": "2026-03-02", "name": "buy", "user_id": "u"}`)
			}
			path := "."
			if tc.file == "b" {
				path = "b"
			}
			_, list := w.inspect(w.events(path, change))
			said := ""
			for _, d := range list {
				if d.Code == "bad-file" {
					said += d.Message + "; " + d.Hint + "\n"
				}
			}
			if (tc.says == "") != (said == "") || !strings.Contains(said, tc.says) {
				t.Errorf("said %q, want %q", said, tc.says)
			}
		})
	}
}
