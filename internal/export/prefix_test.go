package export

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/internal/objectstore/storetest"
	"github.com/metricsjob/metricsjob/metrics"
)

var noon = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

func openPrefix(t *testing.T) *Prefix {
	t.Helper()
	p, err := OpenPrefix(t.Context(), "s3://"+storetest.Bucket+"/out/")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// put writes a run at a time after noon.
func put(t *testing.T, tables *metrics.Tables, after time.Duration, formats ...Format) []Written {
	t.Helper()
	written, err := openPrefix(t).Write(t.Context(), tables, formats, noon.Add(after))
	if err != nil {
		t.Fatal(err)
	}
	return written
}

// manifestsOf are the manifests that are there.
func manifestsOf(t *testing.T) map[string]*manifest {
	t.Helper()
	found, err := openPrefix(t).manifests(t.Context(), tiny("r").Runs[0].AsOf)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// readBy reads a table as docs/results.md tells readers: of each experiment the
// newest manifest that computed it. It gives the runs of the rows.
func readBy(t *testing.T, table, experiment string) []string {
	t.Helper()
	p := openPrefix(t)
	var newest *manifest
	for _, m := range manifestsOf(t) {
		if slices.Contains(m.Experiments, experiment) && (newest == nil || m.Written.After(newest.Written)) {
			newest = m
		}
	}
	if newest == nil {
		return nil
	}
	var runs []string
	for _, o := range newest.Objects {
		if o.Table != table || o.Experiment == nil || *o.Experiment != experiment {
			continue
		}
		data, err := p.store.Read(t.Context(), p.object(o.Path))
		if err != nil {
			t.Fatal(err)
		}
		if len(data) != o.Bytes {
			t.Errorf("%s has %d bytes, the manifest says %d", o.Path, len(data), o.Bytes)
		}
		for line := range strings.Lines(string(data)) {
			var row struct {
				RunID string `json:"run_id"`
			}
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			runs = append(runs, row.RunID)
		}
	}
	return runs
}

func TestPrefixLayout(t *testing.T) {
	server := storetest.Start(t)
	server.Requests()
	written := put(t, tiny("r1", "a b"), 0, JSONL, CSV)
	keys := server.Keys(t, "")
	if len(keys) != len(written)+1 {
		t.Errorf("%d objects, %d of them written, and a manifest", len(keys), len(written))
	}
	const level = "/experiment=a%20b/as_of=2026-03-30T00-00-00Z/"
	for _, w := range written {
		key := strings.TrimPrefix(w.Path, "s3://"+storetest.Bucket+"/")
		if !slices.Contains(keys, key) || !strings.HasPrefix(key, "out/"+w.Table+"/") || !strings.Contains(key, "/"+w.Table+"_r1-") {
			t.Errorf("%s is not there", w.Path)
		}
		if w.Table == "results" && !strings.Contains(key, level) {
			t.Errorf("%s is not in %s", w.Path, level)
		}
	}
	puts := slices.DeleteFunc(server.Requests(), func(r string) bool { return !strings.HasPrefix(r, "PUT ") })
	if last := puts[len(puts)-1]; last != "PUT out/manifests/as_of=2026-03-30T00-00-00Z/r1.json" {
		t.Errorf("the last object is %s", last)
	}
	for _, m := range manifestsOf(t) {
		if diff := cmp.Diff([]string{"a b"}, m.Experiments); diff != "" || len(m.Objects) != len(written) || !m.Written.Equal(noon) {
			t.Errorf("%+v", m)
		}
	}
}

// What a run replaces is gone afterwards: the store holds what one that was
// written to first would hold.
func TestPrefixReplaces(t *testing.T) {
	rewritten := storetest.Start(t)
	put(t, tiny("r1", "a"), 0, JSONL)
	put(t, tiny("r2", "a", "b"), time.Hour, JSONL)
	put(t, tiny("r3", "b"), 2*time.Hour, JSONL)
	if diff := cmp.Diff([]string{"r2"}, readBy(t, "results", "a")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"r3"}, readBy(t, "results", "b")); diff != "" {
		t.Error(diff)
	}
	if n := len(rewritten.Keys(t, "out/results/")); n != 2 {
		t.Errorf("%d objects of results: those who do not read manifests would count twice", n)
	}
	put(t, tiny("r4", "a"), 3*time.Hour, JSONL)
	put(t, tiny("r4", "a"), 4*time.Hour, CSV) // the same run in another format
	put(t, tiny("r3", "b"), 5*time.Hour, CSV)
	got := rewritten.Keys(t, "")
	fresh := storetest.Start(t)
	put(t, tiny("r4", "a"), 0, CSV)
	put(t, tiny("r3", "b"), 0, CSV)
	if diff := cmp.Diff(fresh.Keys(t, ""), got); diff != "" {
		t.Errorf("(-fresh +rewritten):\n%s", diff)
	}
}

// The clock of a machine may be behind.
func TestPrefixWithAClockBehind(t *testing.T) {
	storetest.Start(t)
	put(t, tiny("r1", "a", "b"), time.Hour, JSONL)
	put(t, tiny("r2", "a"), 0, JSONL)
	if diff := cmp.Diff([]string{"r2"}, readBy(t, "results", "a")); diff != "" {
		t.Error(diff)
	}
}

func TestPrefixKeepsWhatFailedRunsDoNotCompute(t *testing.T) {
	server := storetest.Start(t)
	put(t, tiny("r1", "a"), 0, JSONL)
	put(t, failed("r2", "a"), time.Hour, JSONL)
	if diff := cmp.Diff([]string{"r1"}, readBy(t, "results", "a")); diff != "" {
		t.Error(diff)
	}
	if len(manifestsOf(t)) != 2 || len(server.Keys(t, "out/errors/experiment=a/")) != 2 {
		t.Error("the error is not told beside them")
	}
	put(t, tiny("r3", "a"), 2*time.Hour, JSONL)
	if len(manifestsOf(t)) != 1 || len(server.Keys(t, "out/errors/experiment=a/")) != 1 {
		t.Error("the error stays though a run has succeeded")
	}
}

// Whichever write fails, readers find what was there before, and the next run
// mends it.
func TestPrefixIsWholeOrNotThere(t *testing.T) {
	server := storetest.Start(t)
	put(t, tiny("r1", "a"), 0, JSONL)
	before := server.Keys(t, "")
	var puts atomic.Int64
	all := int64(len(put(t, tiny("r1", "a"), 0, JSONL))) + 1
	for _, status := range []int{http.StatusForbidden, http.StatusServiceUnavailable} {
		for at := int64(1); at <= all; at++ {
			puts.Store(0)
			server.Answer(func(r *http.Request) int {
				if r.Method == http.MethodPut && puts.Add(1) >= at {
					return status
				}
				return 0
			})
			_, err := openPrefix(t).Write(t.Context(), tiny("r2", "a"), []Format{JSONL}, noon.Add(time.Hour))
			if e := (*objectstore.Error)(nil); !errors.As(err, &e) || e.Temporary() != (status == http.StatusServiceUnavailable) {
				t.Fatalf("status %d at write %d: %v", status, at, err)
			}
			server.Answer(nil)
			if diff := cmp.Diff([]string{"r1"}, readBy(t, "results", "a")); diff != "" {
				t.Errorf("status %d at write %d: %s", status, at, diff)
			}
			if after := server.Keys(t, ""); at < all && !slices.Equal(before, after) {
				t.Errorf("status %d at write %d leaves objects:\n%s", status, at, cmp.Diff(before, after))
			}
		}
	}
	put(t, tiny("r2", "a"), 2*time.Hour, JSONL)
	if diff := cmp.Diff([]string{"r2"}, readBy(t, "results", "a")); diff != "" {
		t.Error(diff)
	}
	if n := len(server.Keys(t, "")); n != len(before) {
		t.Errorf("%d objects in the end, %d before", n, len(before))
	}
}

func TestPrefixInterrupted(t *testing.T) {
	server := storetest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	server.Answer(func(r *http.Request) int {
		if r.Method == http.MethodPut {
			cancel()
		}
		return 0
	})
	if _, err := openPrefix(t).Write(ctx, tiny("r1", "a"), []Format{JSONL}, noon); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	// An object on its way may come to lie there, but no manifest names it.
	if keys := server.Keys(t, "out/manifests/"); len(keys) > 0 {
		t.Errorf("left behind: %v", keys)
	}
}

func TestOpenPrefixRefuses(t *testing.T) {
	server := storetest.Start(t)
	if _, err := OpenPrefix(t.Context(), "s3://k:"+storetest.Secret+"@b/x"); !errors.Is(err, objectstore.ErrCredentials) {
		t.Errorf("%v", err)
	}
	if _, err := OpenPrefix(t.Context(), "s3://elsewhere/x"); err == nil || !strings.Contains(err.Error(), `there is no bucket "elsewhere"`) {
		t.Errorf("%v", err)
	}
	server.Answer(func(*http.Request) int { return http.StatusForbidden })
	if _, err := OpenPrefix(t.Context(), "s3://exports/x"); err == nil || !strings.Contains(err.Error(), "access denied") {
		t.Errorf("%v", err)
	}
}
