package convert

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDayOfText(t *testing.T) {
	for text, want := range map[string]string{
		"2026-03-02T10:00:00Z":        "2026-03-02",
		"2026-03-02 10:00:00":         "2026-03-02",
		"2026-03-02 23:59:59.999999":  "2026-03-02",
		"2026-03-02T10:00:00.5Z":      "2026-03-02",
		"2026-03-02T10:00:00.1234567": "", // a run cuts it off, the engine rounds it
		"2026-03-02T10:00:00+01:00":   "",
		"2026-03-02T10:00:00.":        "",
		"2026-03-02T10:00:00.Z":       "",
		"2026-03-02T10:00:00.5x":      "",
		"2026-03-02T10:00":            "",
		"2026-03-02":                  "",
		"2026/03/02 10:00:00":         "",
		"2026-03-02x10:00:00":         "",
		"12026-03-02 10:00:00":        "",
		"":                            "",
	} {
		if got := string(dayOfText([]byte(text))); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestEpochDays(t *testing.T) {
	var e epochDays
	for digits, want := range map[string]string{
		"1772445600":           "2026-03-02", // 10:00 UTC
		"1772445600000":        "2026-03-02",
		"1772495999999999":     "2026-03-02",
		"1772496000000000000":  "2026-03-03",
		"946684799":            "",
		"946684800":            "2000-01-01",
		"4102444799":           "2099-12-31",
		"4102444800":           "",
		"0":                    "",
		"99999999999999999999": "",
	} {
		if got := string(e.of([]byte(digits))); got != want {
			t.Errorf("%s: %q, want %q", digits, got, want)
		}
	}
}

// TestChunkRuns: the runs of blocks are joined in the order of the blocks; days that change
// too often, or are too many, are none, and take no memory.
func TestChunkRuns(t *testing.T) {
	block := func(days ...string) (r runs) {
		for _, day := range days {
			r.add([]byte(day), 1, 10)
		}
		return r
	}
	many := make([]string, mostRuns)
	for i := range many {
		many[i] = fmt.Sprintf("2026-03-0%d", 1+i%2)
	}
	for name, c := range map[string]struct {
		blocks []runs
		want   []run
	}{
		"joined":    {[]runs{block("a", "a", "b"), block("b"), block("b", "a")}, []run{{"a", 2, 20}, {"b", 3, 30}, {"a", 1, 10}}},
		"no day":    {[]runs{block("a"), {mixed: true}, block("a")}, nil},
		"too many":  {[]runs{block(many...), block("2026-03-01")}, nil},
		"nine days": {[]runs{block("a", "b", "c", "d", "e", "f", "g", "h", "i")}, nil},
	} {
		var chunk chunkRuns
		for range c.blocks {
			chunk.next()
		}
		for i := len(c.blocks) - 1; i >= 0; i-- {
			chunk.set(i, c.blocks[i])
		}
		if diff := cmp.Diff(c.want, chunk.join()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	var chunk chunkRuns
	for i := range 3 {
		chunk.set(chunk.next(), block(many...))
		if kept := len(chunk.blocks[0].list) > 0; kept != (i < 2) {
			t.Errorf("after %d blocks: kept %v", i+1, kept)
		}
	}
}

// TestRuns: where the records of a chunk are a few days in a row, the parts are those
// that they are without regard to that, whatever the times look like; and where the days that
// are plain to see are not those of the times, nothing is lost.
func TestRuns(t *testing.T) {
	const first = 1_772_409_600 // 2026-03-02
	at := func(i int) int { return first + i*60 }
	forms := map[string]struct {
		time func(i int) string
		runs int
	}{
		"text":           {func(i int) string { return fmt.Sprintf(`"2026-03-%02dT%02d:%02d:00Z"`, 2+i/1440, i/60%24, i%60) }, 3},
		"seconds":        {func(i int) string { return fmt.Sprint(at(i)) }, 3},
		"milliseconds":   {func(i int) string { return fmt.Sprint(at(i)) + "000" }, 3},
		"with an offset": {func(i int) string { return fmt.Sprintf(`"2026-03-%02dT%02d:%02d:00+00:00"`, 2+i/1440, i/60%24, i%60) }, 0},
	}
	want := ""
	for day := range 3 {
		for i := day * 1440; i < (day+1)*1440; i++ {
			want += fmt.Sprintf("2026-03-%02d | %d\n", 2+day, i)
		}
	}
	for name, form := range forms {
		files := map[string]string{}
		for half := range 2 { // files that do not end with a line break, and blank lines
			var lines []string
			for i := half * 2160; i < (half+1)*2160; i++ {
				lines = append(lines, fmt.Sprintf(`{"i":%d,"at":{"ts":%s}}`, i, form.time(i)))
				if i%100 == 7 {
					lines = append(lines, " ")
				}
			}
			files[fmt.Sprintf("%d.ndjson", half)] = strings.Join(lines, "\n")
		}
		out, _ := convertTo(t, Options{Paths: []string{write(t, files)}, Timestamp: "at.ts"})
		p, _, err := loadPlan(t.Context(), &folder{path: out})
		if err != nil || len(p.Chunks) != 1 || len(p.Chunks[0].Runs) != form.runs {
			t.Errorf("%s: %+v, %v; want %d runs", name, p.Chunks[0].Runs, err, form.runs)
		}
		if diff := cmp.Diff(want, asText(query(t, out, "SELECT ds, i FROM %s ORDER BY ds, file_row_number"))); diff != "" {
			t.Errorf("%s: rows (-want +got):\n%.2000s", name, diff)
		}
	}

	// A day that no month has is no time; a number may be in another unit than its size tells.
	in := write(t, map[string]string{"a.ndjson": `{"ts":"2026-02-30T10:00:00Z","i":1}` + "\n" + `{"ts":"2026-03-01T10:00:00Z","i":2}`})
	out, result := convertTo(t, Options{Paths: []string{in}})
	if got := asText(query(t, out, "SELECT ds, i FROM %s")); got != "2026-03-01 | 2\n" || result.Rejected != 1 {
		t.Errorf("rows %s, %d rejected", got, result.Rejected)
	}
	in = write(t, map[string]string{"a.ndjson": fmt.Sprintf(`{"ts":%d}`, first)})
	out, _ = convertTo(t, Options{Paths: []string{in}, Epoch: "ms"}) // 1772409.6 s
	if got := asText(query(t, out, "SELECT ds FROM %s")); got != "1970-01-21\n" {
		t.Errorf("a number of milliseconds: %s, want 1970-01-21", got)
	}
	if _, err := os.Stat(filepath.Join(out, workFolder)); !os.IsNotExist(err) {
		t.Errorf("work is left behind: %v", err)
	}
}

// TestUnendedFiles: files that do not end with a line break are not read as one line with
// the next.
func TestUnendedFiles(t *testing.T) {
	in := write(t, map[string]string{"a.ndjson": `{"ts":"2026-03-01","i":1}`, "b.ndjson": `{"ts":"2026-03-01","i":2`, "c.ndjson": `{"ts":"2026-03-01","i":3}`})
	out, _ := convertTo(t, Options{Paths: []string{in}})
	if got := asText(query(t, out, "SELECT i FROM %s")); got != "1\n3\n" {
		t.Errorf("rows %s", got)
	}
	if diff := cmp.Diff([]reject{{"b.ndjson", 1, "the JSON ends too early, after 24 bytes", `{"ts":"2026-03-01","i":2`}}, readRejects(t, filepath.Join(out, rejectsFile))); diff != "" {
		t.Errorf("rejects (-want +got):\n%s", diff)
	}
	in = write(t, map[string]string{"a.ndjson": `{"ts":"2026-03-01","i":1}`, "b.ndjson": `{"ts":"2026-03-01","i":2}`})
	out, _ = convertTo(t, Options{Paths: []string{in}})
	if got := asText(query(t, out, "SELECT i FROM %s")); got != "1\n2\n" {
		t.Errorf("rows %s", got)
	}
}
