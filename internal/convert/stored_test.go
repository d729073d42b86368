package convert

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/internal/objectstore/storetest"
)

// TestStoredInputs: objects give the same parts as files do, also after a failure of the
// store in the middle.
func TestStoredInputs(t *testing.T) {
	in := write(t, map[string]string{"a.ndjson": manyLines(testLines), "b.jsonl": `{"ts":"2026-03-09"}`, "notes.txt": "none of it"})
	files := Options{Paths: []string{in}, chunkSize: testChunk, Threads: 1}
	want, _ := convertTo(t, files)

	server := storetest.Start(t)
	server.PutFolder(t, in, "events")
	opts := Options{Paths: []string{"s3://" + storetest.Bucket + "/events"}, Out: filepath.Join(t.TempDir(), "out"), Partition: "ds", chunkSize: testChunk, Threads: 1}
	chunks := 0
	opts.Progress = func(p Progress) {
		if p.Step == "writing" {
			chunks++
		}
		if chunks == 1 {
			server.Answer(func(r *http.Request) int {
				if strings.HasSuffix(r.URL.Path, "b.jsonl") {
					return http.StatusForbidden
				}
				return 0
			})
		}
	}
	_, err := Convert(t.Context(), opts)
	var store *objectstore.Error
	if !errors.As(err, &store) || store.Kind != objectstore.Denied {
		t.Fatalf("error %v", err)
	}
	server.Answer(nil)
	opts.Progress = nil
	got, result := convertTo(t, opts)
	if result.Resumed == 0 || result.Inputs != 2 {
		t.Errorf("result %+v", result)
	}
	if diff := cmp.Diff(parts(tree(t, want)), parts(tree(t, got))); diff != "" {
		t.Errorf("parts (-files +objects):\n%s", diff)
	}
	if _, again := convertTo(t, opts); !again.Unchanged {
		t.Error("what is done is done again")
	}
	server.Put(t, "events/b.jsonl", []byte(`{"ts":"2026-03-09","new":1}`))
	var m *MistakeError
	if _, err := Convert(t.Context(), opts); !errors.As(err, &m) || m.msg != "s3://exports/events/b.jsonl changed since its conversion began" {
		t.Errorf("error %v", err)
	}
}

// parts are the files of a tree that are parts.
func parts(files map[string]string) map[string]string {
	found := map[string]string{}
	for name, digest := range files {
		if strings.HasSuffix(name, ".parquet") {
			found[name] = digest
		}
	}
	return found
}
