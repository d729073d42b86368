//go:build unix

package loaders

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
)

// TestPipes has a pipe where a file should be. Whoever opened it would wait for
// somebody who writes.
func TestPipes(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", complete("(1, 1)"))
	pipe := filepath.Join(w.dir, "b.parquet")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"b.parquet", "*.parquet", ""} {
		src, list := w.inspect(w.events(path, nil))
		wantMessage(t, list, "metrics.yaml:4:5", "b.parquet is a pipe", "write the rows to a file")
		if path == "b.parquet" && src != nil {
			t.Error("there is nothing to read, and yet a source")
		}
	}
	var unreachable *UnreachableError
	if _, err := Survey(t.Context(), w.engine, w.dir, func(string) {}); !errors.As(err, &unreachable) || unreachable.Path != pipe {
		t.Error(err)
	}
}
