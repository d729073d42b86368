package loaders

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestAbandonedSpillFolders has the folder of a process that was killed: its
// lock is there, and nobody holds it.
func TestAbandonedSpillFolders(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only unix tells whether a lock is held")
	}
	temp := t.TempDir()
	mine := func(name string) string {
		path := filepath.Join(temp, name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dead := mine("metricsjob-spill-1")
	beginning := mine("metricsjob-spill-2") // whose process is about to lock it
	others := mine("spill-3")
	for _, file := range []string{filepath.Join(dead, "lock"), filepath.Join(dead, "duckdb_temp_storage-0.tmp"), filepath.Join(others, "lock")} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	live, err := newSpillFolder(temp)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Error("what a dead process left is still there:", err)
	}
	next, err := newSpillFolder(temp)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{live.path, next.path, beginning, others} {
		if _, err := os.Stat(path); err != nil {
			t.Error("a folder in use was removed:", err)
		}
	}
	for _, s := range []*spillFolder{live, next} {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.path); !os.IsNotExist(err) {
			t.Error("the folder is still there:", err)
		}
	}
}
