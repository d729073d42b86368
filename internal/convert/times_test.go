package convert

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNumbersAndTexts: times that are numbers in some lines and texts in others are taken both,
// and are one type then. What is neither is rejected.
func TestNumbersAndTexts(t *testing.T) {
	in := write(t, map[string]string{"a.ndjson": `{"u":"a","ts":1772445600000}
{"u":"b","ts":"2026-03-02T10:00:00.5Z"}
{"u":"c","ts":"1772532000000"}
{"u":"d","ts":"soon"}
{"u":"e","ts":"2026-03-04"}
`})
	want := []string{
		"a TIMESTAMP 2026-03-02 10:00:00 2026-03-02",
		"b TIMESTAMP 2026-03-02 10:00:00.5 2026-03-02",
		"c TIMESTAMP 2026-03-03 10:00:00 2026-03-03",
		"e TIMESTAMP 2026-03-04 00:00:00 2026-03-04",
	}
	for name, opts := range map[string]Options{
		"guessed": {}, "named": {Timestamp: "ts"}, "with a unit": {Epoch: "ms"}, "both": {Timestamp: "ts", Epoch: "ms"},
	} {
		opts.Paths = []string{in}
		out, result := convertTo(t, opts)
		got := asText(query(t, out, "SELECT concat_ws(' ', u, typeof(ts), CAST(ts AS VARCHAR), ds) FROM %s ORDER BY u"))
		if diff := cmp.Diff(strings.Join(want, "\n")+"\n", got); diff != "" {
			t.Errorf("%s: rows (-want +got):\n%s", name, diff)
		}
		if result.Epoch != "ms" || result.Rejected != 1 {
			t.Errorf("%s: %d rejected, in %q", name, result.Rejected, result.Epoch)
		}
	}
}

// TestBatchesAndRecords: a record beside batches is a row, whose own time stands in for that
// of an element. Elements in a list have a time by its name, as columns have.
func TestBatchesAndRecords(t *testing.T) {
	in := write(t, map[string]string{"a.ndjson": `{"sent":1,"ev":[{"u":"a","ts":"2026-03-02T10:00:00Z"},{"u":"b","ts":"2026-03-03T10:00:00Z"}]}
{"u":"c","ts":"2026-03-04T10:00:00Z"}
{"sent":2,"ev":[]}
{"sent":3,"ev":null,"u":"d","ts":"2026-03-05T10:00:00Z"}
`})
	want := []string{"a 2026-03-02", "b 2026-03-03", "c 2026-03-04", "d 2026-03-05"}
	for name, opts := range map[string]Options{
		"guessed": {Rows: "ev"}, "named": {Rows: "ev", Timestamp: "ev.ts ?? ts"},
	} {
		opts.Paths = []string{in}
		out, result := convertTo(t, opts)
		got := asText(query(t, out, "SELECT concat_ws(' ', coalesce(ev.u, u), ds) FROM %s ORDER BY ALL"))
		if diff := cmp.Diff(strings.Join(want, "\n")+"\n", got); diff != "" {
			t.Errorf("%s: rows (-want +got):\n%s", name, diff)
		}
		if result.Rejected != 0 || result.Time != "ev.ts ?? ts" {
			t.Errorf("%s: %d rejected, by %s", name, result.Rejected, result.Time)
		}
	}

	more := write(t, map[string]string{"a.ndjson": `{"ev":[{"u":"a","ts":"2026-03-02T10:00:00Z"}]}
{"u":"c","ts":"2026-03-04T10:00:00Z"}
`})
	_, result := convertTo(t, Options{Paths: []string{more}})
	if want := "--rows ev --timestamp 'ev.ts ?? ts' makes each object of the list ev a row"; result.Hint != want || result.Rejected != 1 {
		t.Errorf("%d rejected, hint %q, want %q", result.Rejected, result.Hint, want)
	}
}
