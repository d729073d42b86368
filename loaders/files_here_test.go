package loaders

import (
	"slices"
	"testing"
)

// TestFilesOfFoldersWithWildcards has files below the working folder whose
// paths begin with a name that has to be escaped in patterns: the engine calls
// them otherwise than they were asked for.
func TestFilesOfFoldersWithWildcards(t *testing.T) {
	w := newWarehouse(t)
	w.lines("exports [1]/a.csv", "user_id,name,ts", "u1,buy,2026-03-02", "u2,buy,2026-03-02", "short")
	w.lines("exports *?/a.ndjson", `{"user_id": "u1", "name": "buy", "ts": "2026-03-02"}`, `{"user_id": "u2", "name": "buy", "ts": "2026-03-02"}`, "none")
	w.write("[exports]/a.parquet", "SELECT * FROM (VALUES ('u1', 'buy', TIMESTAMP '2026-03-02'), ('u2', 'buy', TIMESTAMP '2026-03-02')) AS t (user_id, name, ts)")
	t.Chdir(w.dir)
	for file, unreadable := range map[string]int64{"exports [1]/a.csv": 1, "exports *?/a.ndjson": 1, "[exports]/a.parquet": 0} {
		src := w.events(file, nil)
		src.Dir = ""
		got := w.mustInspect(src)
		if got.Rows != 2 || got.Files[0].Unreadable != unreadable || got.Files[0].Path != file {
			t.Errorf("%s has %d rows and %d lines that are none, and is called %s", file, got.Rows, got.Files[0].Unreadable, got.Files[0].Path)
		}
		if ids := w.sorted(got, got.Units[0].SQL); !slices.Equal(ids, []string{"u1", "u2"}) {
			t.Errorf("%s: %q", file, ids)
		}
	}
}
