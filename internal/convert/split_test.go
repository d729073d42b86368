package convert

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMixedDays: lines of mixed days, with more columns than a table of rows may have, become one
// part for each day, with the lines in their order, whatever the texts of their times and
// however long they are. Lines without a time are rejected with their numbers.
func TestMixedDays(t *testing.T) {
	var wide strings.Builder
	for i := range tableCells + 1 {
		fmt.Fprintf(&wide, `,"p%d":%d`, i, i)
	}
	long := strings.Repeat("x", 1<<19) // longer than what is read at once
	line := func(i int, ts, more string) string { return fmt.Sprintf(`{"i":%d,"ts":%s%s}`+"\n", i, ts, more) }
	in := write(t, map[string]string{"a.ndjson": "" +
		line(1, `"2026-03-02T00:00:00Z"`, wide.String()) +
		line(2, `"2026-03-03"`, "") +
		"  \n" +
		line(3, `"2026-03-03T01:00:00+02:00"`, `,"p0":7`) +
		line(4, `"yesterday"`, "") +
		line(5, `"2026-03-01 23:59:59.999999"`, "") +
		line(6, `"2026-03-03T10:00:00Z"`, `,"note":"`+long+`"`) +
		line(7, `null`, "") +
		line(8, `"2026-03-02T12:00:00Z"`, wide.String()),
	})
	out, result := convertTo(t, Options{Paths: []string{in}})
	if result.Parts != 3 || result.Written != 6 {
		t.Errorf("%d parts of %d rows, want 3 of 6", result.Parts, result.Written)
	}
	got := asText(query(t, out, "SELECT ds, string_agg(i, ' ' ORDER BY file_row_number), max(length(note)), max(p128) FROM (SELECT *, file_row_number FROM %s) GROUP BY ALL ORDER BY ALL"))
	want := `2026-03-01 | 5 | <nil> | <nil>
2026-03-02 | 1 3 8 | <nil> | 128
2026-03-03 | 2 6 | 524288 | <nil>
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	var rejected []string
	for _, r := range readRejects(t, filepath.Join(out, rejectsFile)) {
		rejected = append(rejected, fmt.Sprintf("%d %s", r.Line, r.Reason))
	}
	if diff := cmp.Diff([]string{"5 ts is no time", "8 ts is no time"}, rejected); diff != "" {
		t.Errorf("rejects (-want +got):\n%s", diff)
	}
}
