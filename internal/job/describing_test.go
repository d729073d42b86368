package job_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/metrics"
)

// The tables that say what was computed have what the definitions say, and what there is to
// say of the run.
func TestDescribingTables(t *testing.T) {
	definitions := strings.NewReplacer(
		"  - {key: purchases, event: purchase,", "  - {key: purchases, name: Purchases, description: who bought, tags: [money, shop], maintainer: a@b.example, unit_label: buyers, format: percent, event: purchase,",
		"key: views, event: detail_page_view,", "key: views, event: [detail_page_view, homepage_view],",
		"  - {key: purchases_open, event: purchase, measure: occurrence, better: higher}", `  - {key: each, better: lower, ratio: {numerator: electronics, denominator: views}}
  - {key: path, better: higher, funnel: {steps: [{event: homepage_view}, {event: purchase}]}}`,
		"secondary: [views, electronics, purchases_open]", "secondary: [views, electronics, each, path]",
		"  - key: banner\n", "  - key: banner\n    name: Banner\n    description: a test\n    tags: [top]\n    maintainer: c@d.example\n",
		"weight: 1, baseline", "name: As it was, weight: 2.5, baseline",
	).Replace(e3)
	tables := runE3(t, definitions).Tables

	asOf := time.Date(2020, 9, 14, 18, 38, 33, 933_001_000, time.UTC)
	run := tables.Runs[0]
	text := func(s string) *string { return &s }
	long := cmpopts.IgnoreFields(metrics.MetricRow{}, "Definition", "Version")
	want := []metrics.MetricRow{
		{Key: "purchases", Name: text("Purchases"), Description: text("who bought"), Tags: []string{"money", "shop"}, Maintainer: text("a@b.example"),
			Event: text("purchase"), Kind: "occurrence", Better: "higher", UnitLabel: text("buyers"), Format: text("percent")},
		{Key: "views", Tags: []string{}, Event: text("detail_page_view, homepage_view"), Kind: "count", Better: "higher"},
		{Key: "electronics", Tags: []string{}, Event: text("purchase"), Kind: "value", Better: "higher"},
		{Key: "each", Tags: []string{}, Kind: "ratio", Better: "lower"},
		{Key: "path", Tags: []string{}, Event: text("homepage_view, purchase"), Kind: "funnel", Better: "higher"},
	}
	for i := range want {
		want[i].RunID, want[i].AsOf = run.RunID, asOf
	}
	if d := cmp.Diff(want, tables.Metrics, long); d != "" {
		t.Errorf("metrics (-want +got):\n%s", d)
	}
	for _, m := range tables.Metrics {
		if len(m.Version) < 8 || !strings.Contains(m.Definition, "key: "+m.Key) {
			t.Errorf("metric %s has version %q and definition %q", m.Key, m.Version, m.Definition)
		}
	}
	end := time.Date(2020, 9, 15, 0, 0, 0, 0, time.UTC)
	if d := cmp.Diff([]metrics.ExperimentRow{{
		RunID: run.RunID, AsOf: asOf, Key: "banner", Name: text("Banner"), Description: text("a test"), Tags: []string{"top"}, Maintainer: text("c@d.example"),
		Flag: "banner", Rule: "test", Unit: "user", Start: end.AddDate(0, 0, -1), End: &end,
	}}, tables.Experiments, cmpopts.IgnoreFields(metrics.ExperimentRow{}, "Definition", "Version")); d != "" {
		t.Errorf("experiments (-want +got):\n%s", d)
	}
	if x := tables.Experiments[0]; len(x.Version) < 8 || !strings.Contains(x.Definition, "key: banner") {
		t.Errorf("the experiment has version %q and definition %q", x.Version, x.Definition)
	}
	if d := cmp.Diff([]metrics.VariationRow{
		{RunID: run.RunID, AsOf: asOf, Experiment: "banner", Key: "control", Name: text("As it was"), Weight: new(2.5), Baseline: true},
		{RunID: run.RunID, AsOf: asOf, Experiment: "banner", Key: "message_1", Weight: new(1.0)},
		{RunID: run.RunID, AsOf: asOf, Experiment: "banner", Key: "message_2", Weight: new(1.0)},
	}, tables.Variations); d != "" {
		t.Errorf("variations (-want +got):\n%s", d)
	}

	var bytes int64
	files, _ := filepath.Glob("../../testdata/parquet/optimizely_e3/*/*/*.parquet")
	deeper, _ := filepath.Glob("../../testdata/parquet/optimizely_e3/*/*/*/*.parquet")
	for _, file := range append(files, deeper...) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		bytes += info.Size()
	}
	if d := cmp.Diff(metrics.RunRow{
		RunID: run.RunID, AsOf: asOf, Version: "test", SchemaVersion: "1.0", Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		InputFiles: int64(len(files) + len(deeper)), InputRows: 48_648, InputBytes: bytes, Outcome: "done",
	}, run, cmpopts.IgnoreFields(metrics.RunRow{}, "Started", "Seconds", "PeakMemory", "DefinitionDigest", "Engine")); d != "" {
		t.Errorf("runs (-want +got):\n%s", d)
	}
	if since := time.Since(run.Started); since < 0 || since > time.Hour || run.Seconds <= 0 || run.Seconds > since.Seconds() || run.PeakMemory < 1<<20 || len(run.DefinitionDigest) != 64 || !strings.HasPrefix(run.Engine, "duckdb v") {
		t.Errorf("the run began %v ago, took %v s and %d bytes, by %q of definitions %q", since, run.Seconds, run.PeakMemory, run.Engine, run.DefinitionDigest)
	}
	other := runE3(t, definitions+"# a remark\n").Tables.Runs[0]
	if other.DefinitionDigest == run.DefinitionDigest || other.RunID == run.RunID {
		t.Errorf("other definitions have the digest %s and the run %s too", other.DefinitionDigest, other.RunID)
	}
}

// The detectable effect of purchases, of 223 of 3329 units against 163 of 3304. By scipy 1.14.1: the
// root of nct.sf(q, nu, s) + nct.cdf(-q, nu, s) = 0.8 with nu = 6512.09 (Welch) and q = t.isf(0.025, nu),
// times the standard error, by the baseline's mean.
func TestDetectableEffectOfResults(t *testing.T) {
	for _, r := range runE3(t, e3).Tables.Results {
		if r.Metric != "purchases" || r.Segment != metrics.Overall || r.Variation != "message_2" {
			continue
		}
		if got := r.MinimumDetectableEffect; got == nil || math.Abs(*got-0.32616732391637837) > 1e-10 {
			t.Errorf("the detectable effect is %v", got)
		}
		return
	}
	t.Error("no row")
}

// Of an experiment without an end, whose units came since the midnight before, the verdict says
// how long the others take: 3329 of message_2 came in 18 hours, 38 minutes and 34 seconds.
func TestDaysStillNeeded(t *testing.T) {
	tables := runE3(t, strings.Replace(e3, "    end: 2020-09-15\n", "    analysis: {minimum_effect: 10%}\n", 1)).Tables
	for _, v := range tables.Verdicts {
		r := v.Reasons[0]
		if v.Variation != "message_2" {
			continue
		}
		// 3329 · (0.326167/0.1)² are 35,416 units, and (35416 − 3329)/3329 · 0.77678 days 7.49.
		if r.Code != "units_needed" || *r.Value != 3329 || *r.Threshold != 35416 || !strings.HasSuffix(r.Text, "; at the pace so far they are there in about 8 days") {
			t.Errorf("%s: %s, %v of %v", r.Code, r.Text, *r.Value, *r.Threshold)
		}
		return
	}
	t.Error("no verdict")
}

// A run has the id of what determines its tables: as-of, selection and version, beside the
// definitions and the files that are read; not of the clock.
func TestRunID(t *testing.T) {
	data := t.TempDir()
	if err := os.CopyFS(data, os.DirFS("../../testdata/parquet/optimizely_e3")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "metrics.yaml")
	writeFile(t, path, strings.ReplaceAll(e3, "DATA", data))
	id := func(change func(*job.Options)) string {
		opts := job.Options{Paths: []string{path}, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), AsOf: time.Date(2020, 9, 15, 0, 0, 0, 0, time.UTC), Version: "test", Threads: 2}
		change(&opts)
		r, err := job.Run(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		return r.RunID
	}
	first := id(func(*job.Options) {})
	for what, c := range map[string]struct {
		change func(*job.Options)
		same   bool
	}{
		"nothing":       {func(*job.Options) {}, true},
		"the clock":     {func(o *job.Options) { o.Now = o.Now.AddDate(0, 0, 1) }, true},
		"threads":       {func(o *job.Options) { o.Threads = 1 }, true},
		"as-of":         {func(o *job.Options) { o.AsOf = o.AsOf.Add(time.Microsecond) }, false},
		"the selection": {func(o *job.Options) { o.Metrics = []string{"purchases"} }, false},
		"the version":   {func(o *job.Options) { o.Version = "other" }, false},
	} {
		if got := id(c.change); (got == first) != c.same {
			t.Errorf("%s: %s after %s", what, got, first)
		}
	}
	files, err := filepath.Glob(filepath.Join(data, "type=events", "*", "*", "*.parquet"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files of events: %v %v", files, err)
	}
	if err := os.Rename(files[0], filepath.Join(filepath.Dir(files[0]), "renamed.parquet")); err != nil {
		t.Fatal(err)
	}
	if got := id(func(*job.Options) {}); got == first {
		t.Errorf("another file: %s again", got)
	}
}
