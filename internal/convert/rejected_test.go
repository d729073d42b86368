package convert

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// numbered are lines with the number of each in place of %d.
func numbered(n int, line string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, line+"\n", i)
	}
	return b.String()
}

// TestNearlyAllRejected: where more than nine records of ten are rejected, nothing is converted,
// and the same folder may be used again. So it is of files that come to others.
func TestNearlyAllRejected(t *testing.T) {
	const inMillis = `{"i":%d,"ts":1772445600000}` // in s, the year 58136
	for name, test := range map[string]struct {
		text        string
		opts        Options
		error, hint string // empty: it is converted
	}{
		"other unit": {
			text: numbered(10, inMillis), opts: Options{Epoch: "s"},
			error: "10 of 10 records would be rejected; a.ndjson:1: ts is no time in s since 1970", hint: "its numbers are times in ms: --epoch ms",
		},
		"no times": {
			text: numbered(3, `{"i":%d,"ts":"soon"}`), opts: Options{Timestamp: "ts"},
			error: "3 of 3 records would be rejected; a.ndjson:1: ts is no time", hint: "see whether the format and the column of the time are right",
		},
		"numbers of no unit beside texts": {
			text:  `{"i":0,"ts":"2026-03-02"}` + "\n" + numbered(10, `{"i":%d,"ts":17}`),
			error: "10 of 11 records would be rejected; a.ndjson:2: ts is no time", hint: "see whether the format and the column of the time are right",
		},
		"batches": {
			text:  numbered(3, `{"id":%d,"ev":[{"u":"a","ts":"2026-03-02T10:00:00Z"}]}`),
			error: "no column is named as times are, but ev is a list of objects", hint: "--rows ev makes each of its elements a row, and --timestamp names the time, as ev.ts",
		},
		"time inside of batches": {
			text: numbered(3, `{"id":%d,"ev":[{"u":"a","ts":"2026-03-02T10:00:00Z"}]}`), opts: Options{Timestamp: "ev.ts"},
			error: "3 of 3 records would be rejected; a.ndjson:1: ev.ts is no time", hint: "where ev is a list of objects, --rows ev makes each of them a row",
		},
		"time in batches alone": {
			text: numbered(3, `{"id":%d,"ev":[{"u":"a","at":{"ts":"2026-03-02T10:00:00Z"}}]}`), opts: Options{Timestamp: "at.ts"},
			error: "no record has at.ts, but the objects of its list ev have", hint: "--rows ev --timestamp ev.at.ts makes each of them a row",
		},
		"time in the rows alone": {
			text: numbered(3, `{"id":%d,"ev":[{"u":"a","ts":"2026-03-02T10:00:00Z"}]}`), opts: Options{Rows: "ev", Timestamp: "ts"},
			error: "no record has ts, but the objects of its list ev have", hint: "--rows ev --timestamp ev.ts makes each of them a row",
		},
		"batches beside a record": {
			text:  numbered(10, `{"id":%d,"ev":[{"u":"a","ts":"2026-03-02T10:00:00Z"}]}`) + `{"u":"a","ts":"2026-03-02T10:00:00Z"}`,
			error: "10 of 11 records would be rejected; a.ndjson:1: ts is no time", hint: "--rows ev --timestamp 'ev.ts ?? ts' makes each object of the list ev a row",
		},
		"numbers in texts": {
			text:  numbered(3, `{"i":%d,"event_timestamp":"1772445600000000"}`), // as BigQuery writes integers
			error: "3 of 3 records would be rejected; a.ndjson:1: event_timestamp is no time", hint: "its numbers are times in us: --epoch us",
		},
		"UTF-16": {
			text:  "\xff\xfe{\x00}\x00\n\x00",
			error: "none of 2 lines can be read; a.ndjson:1: the line is not in UTF-8", hint: "write the file as UTF-8; from UTF-16: iconv -f UTF-16 -t UTF-8",
		},
		"nine of ten": {text: `{"i":0,"ts":"2026-03-02"}` + "\n" + numbered(9, inMillis), opts: Options{Timestamp: "ts"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := write(t, map[string]string{"a.ndjson": test.text})
			opts := test.opts
			opts.Paths, opts.Out, opts.Partition = []string{in}, filepath.Join(t.TempDir(), "out"), "ds"
			_, err := Convert(t.Context(), opts)
			if test.error == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var mistake *MistakeError
			if !errors.As(err, &mistake) {
				t.Fatalf("error %v, want a mistake", err)
			}
			if diff := cmp.Diff([]string{test.error, test.hint}, []string{strings.ReplaceAll(mistake.Error(), in+"/", ""), mistake.Hint()}); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
			if _, err := os.Lstat(opts.Out); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the folder: %v, want that there is none", err)
			}
		})
	}

	in := write(t, map[string]string{"a.ndjson": numbered(20, `{"i":%d,"ts":1772445600}`)})
	out, _ := convertTo(t, Options{Paths: []string{in}, Epoch: "s"})
	before := tree(t, out)
	add(t, in, "b.ndjson", numbered(20, inMillis))
	if _, err := Convert(t.Context(), Options{Paths: []string{in}, Out: out, Partition: "ds", Epoch: "s"}); err == nil || !strings.Contains(err.Error(), "b.ndjson:1: ts is no time in s") {
		t.Errorf("a further file in another unit: %v", err)
	}
	if diff := cmp.Diff(before, tree(t, out)); diff != "" {
		t.Errorf("the files after it (-before +after):\n%s", diff)
	}
}
