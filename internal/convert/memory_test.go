package convert

import (
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/metricsjob/metricsjob/loaders"
)

// TestWideRows: of rows with some of 250 keys the engine takes memory for every key that
// they do not have. They fit into what one thread has.
func TestWideRows(t *testing.T) {
	const rows, keys = 24_000, 250
	var text strings.Builder
	for i := range rows {
		fmt.Fprintf(&text, `{"ts":"2026-03-0%d","props":{"k%d":"v%d","k%d":"w"}}`+"\n", 1+i%2, i%keys, i, (i+1)%keys)
	}
	in := write(t, map[string]string{"wide.ndjson": text.String()})
	for name, opts := range map[string]Options{"one thread": {Threads: 1}, "1 GB": {Memory: 1e9, Threads: 2}} {
		opts.Paths = []string{in}
		out, result := convertTo(t, opts)
		if result.Written != rows || result.Parts != 2 {
			t.Errorf("%s: result %+v", name, result)
		}
		// Each key is in two of 250 rows: once with v, once with w.
		const want = "12000 | 96 | 96\n12000 | 96 | 0\n"
		got := asText(query(t, out, "SELECT count(*), count(props.k248), count(*) FILTER (WHERE props.k249 LIKE 'w') FROM %s GROUP BY ds ORDER BY ds"))
		if got != want {
			t.Errorf("%s: rows %q, want %q", name, got, want)
		}
	}
}

// TestRowGroups: the groups of rows, and the dictionaries of texts, are the smaller the more
// values a row has.
func TestRowGroups(t *testing.T) {
	for _, c := range []struct {
		fields           int
		rows, dictionary int
	}{
		{2, 122_880, 1 << 20},
		{98, 14_336, 251_658}, // of 100 values: 25165824 / 1600 = 15728, down to 7 times 2048
		{254, 6_144, 98_304},  // of 256: 25165824 / 4096 = 6144
		{4_000, 2_048, 6_288}, // never less than 2048; 25165824 / 4002
	} {
		var fields []string
		for i := range c.fields {
			fields = append(fields, fmt.Sprintf(`"f%d" DECIMAL(18,2)`, i))
		}
		p := &plan{Columns: []loaders.NewColumn{{Name: "ts", Type: "VARCHAR"}, {Name: "props", Type: "STRUCT(" + strings.Join(fields, ", ") + ")"}}}
		if rows, dictionary := p.rowGroup(), p.dictionary(); rows != c.rows || dictionary != c.dictionary {
			t.Errorf("%d fields: groups of %d rows, dictionaries of %d bytes; want %d and %d", c.fields, rows, dictionary, c.rows, c.dictionary)
		}
	}
}

// TestBudget: the engines and the Go program share a budget.
func TestBudget(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	opts := Options{
		Paths: []string{write(t, map[string]string{"a.ndjson": `{"ts":"2026-03-01"}`})}, Out: filepath.Join(t.TempDir(), "out"),
		Memory: 1e9, Threads: 8,
	}
	during := before
	opts.Progress = func(Progress) { during = debug.SetMemoryLimit(-1) }
	convertTo(t, opts)
	if during != 150_000_000 {
		t.Errorf("the Go program keeps to %d bytes of 1 GB, want 150 MB", during)
	}
	if after := debug.SetMemoryLimit(-1); after != before {
		t.Errorf("it keeps to %d bytes afterwards, and to %d before", after, before)
	}
	// 810 MB hold 384 MiB twice, and 405 MB once.
	for memory, want := range map[int64]int{0: 8, 100e6: 1, 500e6: 1, 1e9: 2, 4e9: 8} {
		if got := workers(Options{Threads: 8, Memory: memory}); got != want {
			t.Errorf("%d bytes: %d workers, want %d", memory, got, want)
		}
	}
}
