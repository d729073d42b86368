package convert

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/internal/objectstore/storetest"
)

// object reads an object.
func object(t *testing.T, key string) []byte {
	t.Helper()
	store, err := objectstore.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	data, err := store.Read(t.Context(), objectstore.Location{Bucket: storetest.Bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// objects gives the objects below a prefix with digests of what they hold, as tree does
// for files.
func objects(t *testing.T, server *storetest.Server, prefix string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, key := range server.Keys(t, prefix+"/") {
		found[filepath.FromSlash(strings.TrimPrefix(key, prefix+"/"))] = fmt.Sprintf("%x", sha256.Sum256(object(t, key)))
	}
	return found
}

// TestStoredOutput: an object store gets the objects that a folder has as files, but the
// rejects of each chunk for themselves; also where the process was killed, or the store failed, on
// the way.
func TestStoredOutput(t *testing.T) {
	in := write(t, map[string]string{"a.ndjson": manyLines(testLines)})
	opts := Options{Paths: []string{in}, chunkSize: testChunk, Threads: 1, Partition: "ds"}
	folder, _ := convertTo(t, opts)
	want := parts(tree(t, folder))

	server := storetest.Start(t)
	opts.TempDir = t.TempDir()
	url := func(prefix string) string { return "s3://" + storetest.Bucket + "/" + prefix }
	check := func(prefix string) {
		t.Helper()
		got := objects(t, server, prefix)
		if diff := cmp.Diff(want, parts(got)); diff != "" {
			t.Errorf("%s: parts (-files +objects):\n%s", prefix, diff)
		}
		var rest, rejects []string
		for _, name := range slices.Sorted(maps.Keys(got)) {
			if strings.HasPrefix(name, rejectsFolder) {
				rejects = append(rejects, string(object(t, prefix+"/"+filepath.ToSlash(name))))
			} else if want[name] == "" {
				rest = append(rest, name)
			}
		}
		if diff := cmp.Diff([]string{allFile, doneFile, planFile}, rest); diff != "" {
			t.Errorf("%s: other objects (-want +got):\n%s", prefix, diff)
		}
		text, err := os.ReadFile(filepath.Join(folder, rejectsFile))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(text), strings.Join(rejects, "")); diff != "" {
			t.Errorf("%s: rejects (-file +objects):\n%s", prefix, diff)
		}
	}

	opts.Out = url("whole/")
	_, result := convertTo(t, opts)
	if result.Rejects != url("whole/_rejects/") || result.Rejected != 41+21 {
		t.Errorf("result %+v", result)
	}
	check("whole")
	if puts := slices.DeleteFunc(server.Requests(), func(r string) bool { return !strings.HasPrefix(r, "PUT ") }); puts[len(puts)-1] != "PUT whole/"+allFile {
		t.Errorf("last written is %s", puts[len(puts)-1])
	}
	if _, again := convertTo(t, opts); !again.Unchanged {
		t.Error("what is done is done again")
	}

	opts.Out = url("killed")
	killed(t, opts, 2)
	if got := objects(t, server, "killed"); got[allFile] != "" {
		t.Error("what was killed is said to be complete")
	}
	if _, resumed := convertTo(t, opts); resumed.Resumed != 2 {
		t.Errorf("goes on after %d chunks, want 2", resumed.Resumed)
	}
	check("killed")

	opts.Out = url("denied")
	server.Answer(func(r *http.Request) int {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "ds=2026-03-03/part-00003.parquet") {
			return http.StatusForbidden
		}
		return 0
	})
	_, err := Convert(t.Context(), opts)
	var store *objectstore.Error
	if !errors.As(err, &store) || store.Kind != objectstore.Denied {
		t.Errorf("error %v", err)
	}
	server.Answer(nil)
	convertTo(t, opts)
	check("denied")

	if left, err := os.ReadDir(opts.TempDir); err != nil || len(left) != 0 {
		t.Errorf("temporary files are left behind: %v, %v", left, err)
	}
}

// TestStoredOutputAnew: what a conversion left in an object store is removed where it is
// to begin again, and nothing else is.
func TestStoredOutputAnew(t *testing.T) {
	in := write(t, map[string]string{"a.ndjson": `{"ts":"2026-03-01"}` + "\n" + `{"ts":"never"}`})
	server := storetest.Start(t)
	server.Put(t, "elsewhere/x.txt", []byte("x"))
	opts := Options{Paths: []string{in}, Partition: "ds", Out: "s3://" + storetest.Bucket + "/elsewhere"}
	var m *MistakeError
	if _, err := Convert(t.Context(), opts); !errors.As(err, &m) || m.msg != opts.Out+" holds other files already" {
		t.Errorf("error %v", err)
	}
	opts.Out = "s3://" + storetest.Bucket + "/out"
	convertTo(t, opts)
	server.Put(t, "out/ds=2026-03-01/notes.txt", []byte("x"))
	add(t, in, "a.ndjson", `{"ts":"2026-03-02"}`)
	if _, err := Convert(t.Context(), opts); !errors.As(err, &m) || !strings.Contains(m.msg, "changed since") {
		t.Errorf("error %v", err)
	}
	opts.Anew = true
	if _, err := Convert(t.Context(), opts); !errors.As(err, &m) || m.msg != opts.Out+" holds other files already" {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff([]string{"out/ds=2026-03-01/notes.txt"}, server.Keys(t, "out/")); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	opts.Anew, opts.Rejects = false, "s3://exports/rejects.ndjson"
	if _, err := Convert(t.Context(), opts); !errors.As(err, &m) || !strings.HasPrefix(m.msg, "the rejects cannot be written to s3://") {
		t.Errorf("error %v", err)
	}
}
