package export

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/metrics"
)

// snapshot gives the files below dir with their content, and the empty
// directories with none.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == dir {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if !d.IsDir() {
			b, err := os.ReadFile(path)
			found[filepath.ToSlash(rel)] = string(b)
			return err
		}
		entries, err := os.ReadDir(path)
		if len(entries) == 0 {
			found[filepath.ToSlash(rel)+"/"] = ""
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func names(files map[string]string) string {
	var list []string
	for name := range files {
		list = append(list, name)
	}
	return sortedLines(list)
}

func mustWrite(t *testing.T, dir string, tables *metrics.Tables, formats ...Format) []Written {
	t.Helper()
	written, err := WriteFolder(t.Context(), dir, tables, formats)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

// tiny gives the tables of a run over the experiments; its rows say which run
// they are of.
func tiny(run string, experiments ...string) *metrics.Tables {
	asOf := time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC)
	t := &metrics.Tables{
		Metrics: []metrics.MetricRow{{RunID: run, AsOf: asOf, Key: "m"}},
		Health:  []metrics.HealthRow{{RunID: run, AsOf: asOf, Check: "partition", Segment: "source", SegmentValue: "events", Status: metrics.Pass}},
		Runs:    []metrics.RunRow{{RunID: run, AsOf: asOf, Outcome: "done"}},
	}
	for _, e := range experiments {
		t.Results = append(t.Results, metrics.ResultRow{RunID: run, AsOf: asOf, Experiment: e, Metric: "m", Status: "ok"})
		t.Experiments = append(t.Experiments, metrics.ExperimentRow{RunID: run, AsOf: asOf, Key: e})
	}
	return t
}

// failed gives the tables of a run that could not compute an experiment.
func failed(run, experiment string) *metrics.Tables {
	t := tiny(run)
	t.Experiments = []metrics.ExperimentRow{{RunID: run, AsOf: t.Runs[0].AsOf, Key: experiment}}
	t.Errors = []metrics.ErrorRow{{RunID: run, AsOf: t.Runs[0].AsOf, Experiment: experiment, Code: "failed", Message: "no impressions"}}
	return t
}

func TestWriteFolderLayout(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "out")
	written := mustWrite(t, dir, tiny("r1", "a", "b"), Parquet)
	const want = `errors/experiment=a/as_of=2026-03-30T00-00-00Z/errors.parquet
errors/experiment=b/as_of=2026-03-30T00-00-00Z/errors.parquet
experiments/experiment=a/as_of=2026-03-30T00-00-00Z/experiments.parquet
experiments/experiment=b/as_of=2026-03-30T00-00-00Z/experiments.parquet
exposures/experiment=a/as_of=2026-03-30T00-00-00Z/exposures.parquet
exposures/experiment=b/as_of=2026-03-30T00-00-00Z/exposures.parquet
health/experiment=__HIVE_DEFAULT_PARTITION__/as_of=2026-03-30T00-00-00Z/health_r1.parquet
health/experiment=a/as_of=2026-03-30T00-00-00Z/health.parquet
health/experiment=b/as_of=2026-03-30T00-00-00Z/health.parquet
metrics/as_of=2026-03-30T00-00-00Z/metrics_r1.parquet
moments/experiment=a/as_of=2026-03-30T00-00-00Z/moments.parquet
moments/experiment=b/as_of=2026-03-30T00-00-00Z/moments.parquet
results/experiment=a/as_of=2026-03-30T00-00-00Z/results.parquet
results/experiment=b/as_of=2026-03-30T00-00-00Z/results.parquet
runs/as_of=2026-03-30T00-00-00Z/runs_r1.parquet
variations/experiment=a/as_of=2026-03-30T00-00-00Z/variations.parquet
variations/experiment=b/as_of=2026-03-30T00-00-00Z/variations.parquet
verdicts/experiment=a/as_of=2026-03-30T00-00-00Z/verdicts.parquet
verdicts/experiment=b/as_of=2026-03-30T00-00-00Z/verdicts.parquet
waterfall/experiment=a/as_of=2026-03-30T00-00-00Z/waterfall.parquet
waterfall/experiment=b/as_of=2026-03-30T00-00-00Z/waterfall.parquet
`
	if diff := cmp.Diff(want, names(snapshot(t, dir))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	var paths []string
	rows := make(map[string]int)
	for _, w := range written {
		rel, err := filepath.Rel(dir, w.Path)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, filepath.ToSlash(rel))
		rows[w.Table] += w.Rows
	}
	if diff := cmp.Diff(want, sortedLines(paths)); diff != "" {
		t.Errorf("reported (-want +got):\n%s", diff)
	}
	if last := written[len(written)-1].Table; last != "runs" {
		t.Errorf("the last file is of the table %s", last)
	}
	wantRows := map[string]int{"results": 2, "moments": 0, "exposures": 0, "health": 1, "errors": 0, "metrics": 1, "experiments": 2, "variations": 0, "runs": 1, "verdicts": 0, "waterfall": 0}
	if diff := cmp.Diff(wantRows, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestSameTablesGiveSameBytes(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	mustWrite(t, dir, sample(), FileFormats...)
	first := snapshot(t, dir)
	mustWrite(t, dir, sample(), FileFormats...)
	if diff := cmp.Diff(first, snapshot(t, dir)); diff != "" {
		t.Error("the second run changed the folder")
	}
	later := sample()
	later.Runs[0].Started = later.Runs[0].Started.Add(time.Hour)
	mustWrite(t, other, later, FileFormats...)
	for name, content := range snapshot(t, other) {
		if same := first[name] == content; same == strings.HasPrefix(name, "runs/") {
			t.Errorf("%s: equal is %v", name, same)
		}
	}
}

// limited is a context that is cancelled when it is asked for the nth time.
type limited struct {
	context.Context
	left int
}

func (c *limited) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestCancelledWriteLeavesTheFolder(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, dir, tiny("r1", "a", "b"), Parquet)
	before := snapshot(t, dir)
	for n := 0; ; n++ {
		if n > 1000 {
			t.Fatal("the context is asked without end")
		}
		for _, d := range []string{dir, filepath.Join(dir, "..", fmt.Sprint("new", n))} {
			was := snapshot(t, d)
			_, err := WriteFolder(&limited{t.Context(), n}, d, tiny("r2", "a"), []Format{CSV})
			if err == nil {
				if n < 10 {
					t.Errorf("the context was asked %d times only", n)
				}
				return
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(was, snapshot(t, d)); diff != "" {
				t.Fatalf("cancelled at %d (-before +after):\n%s", n, diff)
			}
		}
		if diff := cmp.Diff(names(before), names(snapshot(t, dir))); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestFailedWriteLeavesTheFolder(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, dir, tiny("r1", "a"), Parquet)
	before := snapshot(t, dir)
	for _, f := range FileFormats {
		broken := tiny("r2", "a", "b")
		broken.Runs[0].Seconds = nan // in the last of the files
		_, err := WriteFolder(t.Context(), dir, broken, []Format{f})
		want := "runs_r2." + string(f) + ": table runs, row 1, column seconds: NaN is no result"
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: error %v, want …%s", f, err, want)
		}
		if diff := cmp.Diff(before, snapshot(t, dir)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", f, diff)
		}
	}
}

// A rename or a removal that fails half way leaves whole files only, and no
// commit mark. A directory in place of a file lets either fail.
func TestNoCommitMarkAfterAFailure(t *testing.T) {
	for _, obstacle := range []string{"health.csv", "health.parquet"} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "health/experiment=a/as_of=2026-03-30T00-00-00Z", obstacle, "full"), 0o777); err != nil {
			t.Fatal(err)
		}
		if _, err := WriteFolder(t.Context(), dir, tiny("r1", "a"), []Format{CSV}); err == nil {
			t.Fatalf("%s: no error", obstacle)
		}
		for name := range snapshot(t, dir) {
			if strings.HasSuffix(name, ".tmp") || strings.HasPrefix(name, "runs/") {
				t.Errorf("%s: %s is left", obstacle, name)
			}
		}
	}
}

func TestRunReplacesItsPairs(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, dir, tiny("r1", "a", "b"), Parquet, CSV)
	mustWrite(t, dir, tiny("r2", "a"), JSONL)
	files := snapshot(t, dir)
	for name := range files {
		of, isPair := strings.CutPrefix(filepath.Base(filepath.Dir(filepath.Dir(filepath.FromSlash(name)))), "experiment=")
		if isPair && of == "a" && !strings.HasSuffix(name, ".jsonl") {
			t.Errorf("%s is left of r1", name)
		}
	}
	wantFiles(t, files, "r1 still owns b",
		"results/experiment=b/as_of=2026-03-30T00-00-00Z/results.parquet",
		"results/experiment=b/as_of=2026-03-30T00-00-00Z/results.csv",
		"runs/as_of=2026-03-30T00-00-00Z/runs_r1.parquet",
		"metrics/as_of=2026-03-30T00-00-00Z/metrics_r1.csv",
		"runs/as_of=2026-03-30T00-00-00Z/runs_r2.jsonl")

	mustWrite(t, dir, tiny("r3", "b"), JSONL)
	for name := range snapshot(t, dir) {
		if strings.Contains(name, "_r1") {
			t.Errorf("%s is left of r1, which owns nothing any more", name)
		}
	}

	other := tiny("r4", "a")
	other.Runs[0].AsOf = other.Runs[0].AsOf.Add(time.Microsecond)
	mustWrite(t, dir, other, JSONL)
	wantFiles(t, snapshot(t, dir), "another as-of is another pair",
		"results/experiment=a/as_of=2026-03-30T00-00-00Z/results.jsonl",
		"results/experiment=a/as_of=2026-03-30T00-00-00.000001Z/results.jsonl",
		"runs/as_of=2026-03-30T00-00-00Z/runs_r2.jsonl")
}

// In every format the owner of a pair is found.
func TestSupersededRunIsRemoved(t *testing.T) {
	for _, f := range FileFormats {
		dir := t.TempDir()
		mustWrite(t, dir, tiny("r1", "a"), f)
		mustWrite(t, dir, tiny("r2", "a"), f)
		fresh := t.TempDir()
		mustWrite(t, fresh, tiny("r2", "a"), f)
		if diff := cmp.Diff(snapshot(t, fresh), snapshot(t, dir)); diff != "" {
			t.Errorf("%s (-fresh +rerun):\n%s", f, diff)
		}
	}
}

func TestSameRunInAnotherFormat(t *testing.T) {
	dir, fresh := t.TempDir(), t.TempDir()
	mustWrite(t, dir, tiny("r1", "a"), Parquet, JSONL)
	mustWrite(t, dir, tiny("r1", "a"), CSV)
	mustWrite(t, fresh, tiny("r1", "a"), CSV)
	if diff := cmp.Diff(snapshot(t, fresh), snapshot(t, dir)); diff != "" {
		t.Errorf("(-fresh +rerun):\n%s", diff)
	}
}

func TestFailedExperimentKeepsEarlierResults(t *testing.T) {
	const results = "results/experiment=a/as_of=2026-03-30T00-00-00Z/results.jsonl"
	const failure = "errors/experiment=a/as_of=2026-03-30T00-00-00Z/errors_r2.jsonl"
	dir := t.TempDir()
	mustWrite(t, dir, tiny("r1", "a"), JSONL)
	before := snapshot(t, dir)
	mustWrite(t, dir, failed("r2", "a"), JSONL)
	after := snapshot(t, dir)
	if before[results] != after[results] {
		t.Error("the failed run changed the results")
	}
	wantFiles(t, after, "the failure is told", failure, "runs/as_of=2026-03-30T00-00-00Z/runs_r1.jsonl", "runs/as_of=2026-03-30T00-00-00Z/runs_r2.jsonl")

	mustWrite(t, dir, tiny("r3", "a"), JSONL)
	fresh := t.TempDir()
	mustWrite(t, fresh, tiny("r3", "a"), JSONL)
	if diff := cmp.Diff(snapshot(t, fresh), snapshot(t, dir)); diff != "" {
		t.Errorf("after a run that worked (-fresh +folder):\n%s", diff)
	}
}

func TestParallelRunsOfDifferentExperiments(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			id := fmt.Sprintf("r%d", i)
			if _, err := WriteFolder(t.Context(), dir, tiny(id, "e"+id), []Format{JSONL}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	files := snapshot(t, dir)
	for i := range 8 {
		wantFiles(t, files, "no run disturbs another",
			fmt.Sprintf("results/experiment=er%d/as_of=2026-03-30T00-00-00Z/results.jsonl", i),
			fmt.Sprintf("metrics/as_of=2026-03-30T00-00-00Z/metrics_r%d.jsonl", i),
			fmt.Sprintf("health/experiment=__HIVE_DEFAULT_PARTITION__/as_of=2026-03-30T00-00-00Z/health_r%d.jsonl", i),
			fmt.Sprintf("runs/as_of=2026-03-30T00-00-00Z/runs_r%d.jsonl", i))
	}
}

func TestOddKeysStayInTheFolder(t *testing.T) {
	keys := []string{"a b", "..", "../../x", "/etc", `c:\x`, "ä/ß", "日本", "a=b&c%41", "*?[x]", "__HIVE_DEFAULT_PARTITION__", "new\nline", "nul\x00", "."}
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	mustWrite(t, dir, tiny("../r 1", keys...), JSONL)
	found := make(map[string]bool)
	for name := range snapshot(t, parent) {
		parts := strings.Split(name, "/")
		if parts[0] != "out" {
			t.Errorf("%s lies outside", name)
		}
		if parts[1] != "results" {
			continue
		}
		if len(parts) != 5 || parts[4] != "results.jsonl" {
			t.Errorf("%s has another depth", name)
			continue
		}
		key, err := url.PathUnescape(strings.TrimPrefix(parts[2], "experiment="))
		if err != nil {
			t.Error(err)
		}
		found[key] = true
	}
	want := make(map[string]bool)
	for _, k := range keys {
		want[k] = true
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("keys (-want +decoded):\n%s", diff)
	}
	if experimentLevel("__HIVE_DEFAULT_PARTITION__") == experimentLevel("") {
		t.Error("a key passes for the lack of one")
	}
}

func TestAsOfLevel(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC), "as_of=2026-03-30T00-00-00Z"},
		{time.Date(2026, 3, 30, 0, 0, 0, 1000, time.UTC), "as_of=2026-03-30T00-00-00.000001Z"},
		{time.Date(2026, 3, 30, 23, 59, 59, 999999000, time.UTC), "as_of=2026-03-30T23-59-59.999999Z"},
		{time.Date(2026, 3, 30, 0, 0, 0, 500000000, time.UTC), "as_of=2026-03-30T00-00-00.5Z"},
		{time.Date(2026, 3, 30, 1, 30, 0, 0, time.FixedZone("", 2*3600)), "as_of=2026-03-29T23-30-00Z"},
	} {
		if got := asOfLevel(c.at); got != c.want {
			t.Errorf("asOfLevel(%v) = %s, want %s", c.at, got, c.want)
		}
	}
}

func wantFiles(t *testing.T, files map[string]string, why string, want ...string) {
	t.Helper()
	for _, name := range want {
		if _, ok := files[name]; !ok {
			t.Errorf("%s: no file %s", why, name)
		}
	}
}
