package convert

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBatches: the small parts that a day has in the chunks of a batch become one, with the
// rows in their order; the files are the same whatever the number of threads, and where
// the process was killed between batches.
func TestBatches(t *testing.T) {
	in := write(t, map[string]string{"a.ndjson": manyLines(testLines)})
	// Chunks are blocks of whole lines, of less than a MiB each: of 5.2 MiB there are 6, of
	// which 5 have the 4 MiB of a batch.
	opts := Options{Paths: []string{in}, chunkSize: 1 << 18, Threads: 1}
	out, result := convertTo(t, opts)
	if result.Chunks != 6 {
		t.Fatalf("%d chunks, want 6", result.Chunks)
	}
	var want []string
	for day := 1; day <= 5; day++ {
		for _, number := range []int{1, 6} { // 2 to 5 are in 1
			want = append(want, filepath.Join(fmt.Sprintf("ds=2026-03-%02d", day), fmt.Sprintf("part-%05d.parquet", number)))
		}
	}
	one := tree(t, out)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(parts(one)))); diff != "" || result.Parts != len(want) {
		t.Errorf("%d parts (-want +got):\n%s", result.Parts, diff)
	}
	// Of a day every fifth line is a row, but for 41 lines that are cut off and 21 that have no time.
	got := asText(query(t, out, "SELECT count(*), count(DISTINCT i), bool_and(day(ts) = 1 + i %% 5), bool_and(i > before) FROM (SELECT *, lag(i, 1, -1) OVER (PARTITION BY filename ORDER BY file_row_number) AS before FROM (SELECT *, filename, file_row_number FROM %s))"))
	if want := fmt.Sprintf("%d | %[1]d | true | true\n", testLines-41-21); got != want {
		t.Errorf("rows %s, want %s", got, want)
	}
	opts.Threads = 3
	out, _ = convertTo(t, opts)
	if diff := cmp.Diff(one, tree(t, out)); diff != "" {
		t.Errorf("three threads: files (-one +three):\n%s", diff)
	}
	opts.Out = filepath.Join(t.TempDir(), "out")
	killed(t, opts, 5)
	if _, resumed := convertTo(t, opts); resumed.Resumed != 5 {
		t.Errorf("goes on after %d chunks, want 5", resumed.Resumed)
	}
	if diff := cmp.Diff(one, tree(t, opts.Out)); diff != "" {
		t.Errorf("killed after a batch: files (-want +got):\n%s", diff)
	}
}
