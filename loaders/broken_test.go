package loaders

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

func TestFilesThatAreNoParquet(t *testing.T) {
	w := newWarehouse(t)
	w.write("whole.parquet", complete("(1, 1)"))
	whole, err := os.ReadFile(filepath.Join(w.dir, "whole.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	damaged := append([]byte(nil), whole...)
	for i := len(damaged) - 108; i < len(damaged)-8; i++ { // the footer's end, before its length and the last mark
		damaged[i] = 0xff
	}
	for _, tc := range []struct {
		name, file string
		bytes      []byte
		parts      []string
	}{
		{"text", "b.parquet", []byte("user_id,ts\n1,2026-03-02\n"), []string{"b.parquet is no Parquet file", "leave other files out of the path"}},
		{"another format by name", "b.avro", []byte("Obj\x01"), []string{"b.avro is no Parquet file but AVRO"}},
		{"a few bytes", "b.parquet", []byte("PAR1"), []string{"b.parquet is no Parquet file"}},
		{"empty", "b.parquet", nil, []string{"b.parquet is empty", "write it again"}},
		{"half of a file", "b.parquet", whole[:len(whole)/2], []string{"b.parquet is cut off", "being written right now"}},
		{"without its beginning", "b.parquet", whole[len(whole)/2:], []string{"b.parquet is no Parquet file"}},
		{"damaged footer", "b.parquet", damaged, []string{"b.parquet is damaged"}},
		{"encrypted footer", "b.parquet", []byte("PARE with something between PARE"), []string{"b.parquet is encrypted"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := w.folder(t)
			w.write("a.parquet", complete("(1, 1)"))
			if err := os.WriteFile(filepath.Join(w.dir, tc.file), tc.bytes, 0o644); err != nil {
				t.Fatal(err)
			}
			src, list := w.inspect(w.events("*", nil))
			wantMessage(t, list, append(tc.parts, "metrics.yaml:4:5")...)
			if src != nil || !list.HasErrors() {
				t.Error("a file that cannot be read must be an error")
			}
		})
	}
}

func TestBrokenFilesAreSaidAtTheirPaths(t *testing.T) {
	w := newWarehouse(t)
	w.write("good/a.parquet", complete("(1, 1)"))
	for _, name := range []string{"one/b.parquet", "two/c.parquet"} {
		path := filepath.Join(w.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("no"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, list := w.inspect(w.events("", func(s *metrics.Source) {
		s.Paths = []metrics.Text{{V: "good", Pos: at(1)}, {V: "one", Pos: at(2)}, {V: "two", Pos: at(3)}}
	}))
	if len(list) != 2 || list[0].Pos != at(2) || list[1].Pos != at(3) {
		t.Error(list)
	}
}

// TestRowsThatCannotBeRead has a file with a footer in order and damaged rows,
// which no more than a statement that reads them can find.
func TestRowsThatCannotBeRead(t *testing.T) {
	w := newWarehouse(t)
	for _, file := range []string{"a.parquet", "b.parquet", "c.parquet"} {
		w.write(file, complete("(1, 1)"))
	}
	src := w.mustInspect(w.events("*.parquet", nil))
	catalog := &compiler.Catalog{Events: []*compiler.Source{src}}
	failed := errors.New("the engine said so")
	if err := Damaged(t.Context(), w.engine, catalog, failed); !errors.Is(err, failed) {
		t.Error("whole files are called damaged:", err)
	}
	path := filepath.Join(w.dir, "b.parquet")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(whole[4:], bytes.Repeat([]byte{0xff}, 40)) // the pages come before the footer
	if err := os.WriteFile(path, whole, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, list := w.inspect(w.events("*.parquet", nil)); len(list) > 0 {
		t.Fatal("the footer should be whole:", list)
	}
	var list diag.List
	if err := Damaged(t.Context(), w.engine, catalog, failed); !errors.As(err, &list) {
		t.Fatal(err)
	}
	wantMessage(t, list, "metrics.yaml:4:5", "b.parquet is damaged: not all of its rows can be read", "write it again")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	var unreachable *UnreachableError
	if err := Damaged(t.Context(), w.engine, catalog, failed); !errors.As(err, &unreachable) || unreachable.Path != path {
		t.Error(err)
	}
}

// TestAFileThatGoes is there when the files are listed and gone when they are
// read: that is nobody's mistake.
func TestAFileThatGoes(t *testing.T) {
	w := newWarehouse(t)
	in := &inspector{def: w.events("*.parquet", nil), list: new(diag.List)}
	err := in.unreadable(t.Context(), w.engine, []string{filepath.Join(w.dir, "gone.parquet")}, errors.New("the engine said so"))
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || !errors.Is(err, fs.ErrNotExist) || len(*in.list) > 0 {
		t.Error(err, *in.list)
	}
}
