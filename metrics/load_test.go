package metrics

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// load reads one of testdata/right, about which nothing may be said.
func load(t *testing.T, name string) *Definitions {
	t.Helper()
	defs, diags, err := Load([]string{filepath.Join("testdata/right", name)}, LoadOptions{Env: testEnv})
	if err != nil {
		t.Fatal(err)
	}
	if len(diags) > 0 {
		t.Fatalf("%s:\n%s", name, diags.Error())
	}
	return defs
}

func words(ts []Text) []string {
	var out []string
	for _, t := range ts {
		out = append(out, t.V)
	}
	return out
}

func TestLoadTour(t *testing.T) {
	defs := load(t, "tour.yaml")
	e := defs.Experiments[0]
	var got []string
	for _, m := range e.Metrics {
		got = append(got, string(m.Role)+" "+m.Metric.Key.V)
	}
	want := []string{
		"primary purchase_rate", "secondary revenue", "secondary electronics_revenue_72h", "secondary average_order_value", "guardrail page_load_p95",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics of the experiment (-want +got):\n%s", diff)
	}
	if m := e.Metrics[4].Margin; m == nil || m.Value != "2" || m.Unit != MarginRelative {
		t.Errorf("margin is %+v, want 2%%", m)
	}
	if got, want := e.Start.V, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("start is %v, want %v", got, want)
	}
	if got := e.Baseline().Key.V; got != "control" {
		t.Errorf("baseline is %q, want control", got)
	}
	s := defs.Sources.Events[0]
	if s.Partition.Early != 24*time.Hour || s.Partition.Late != 72*time.Hour {
		t.Errorf("partition is %+v, want early 24h and late 72h", s.Partition)
	}
	if s.Dir != "testdata/right" {
		t.Errorf("relative paths start at %q, want testdata/right", s.Dir)
	}
	aov := defs.Metric("average_order_value")
	if aov.Ratio.Numerator != defs.Metric("revenue") || aov.Ratio.Denominator.Measure.V != Count {
		t.Errorf("sides are %+v and %+v", aov.Ratio.Numerator, aov.Ratio.Denominator)
	}
	if w := defs.Metric("electronics_revenue_72h").Window; w.From != 0 || w.To != 72*time.Hour || !w.HasTo || w.Open() {
		t.Errorf("window is %+v, want [0, 72h)", w)
	}
}

func TestLoadEveryField(t *testing.T) {
	defs := load(t, "every_field.yaml")
	if diff := cmp.Diff([]string{"s3://bucket/exports/results", "results.duckdb"}, words(defs.Output)); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
	if defs.State.V != "state" {
		t.Errorf("state is %q, want the default of the variable", defs.State.V)
	}
	if got := defs.Sources.Impressions[0].Paths[0].V; got != "s3://bucket/exports/decisions/date=*/*.parquet" {
		t.Errorf("path is %q", got)
	}
	c := defs.Sources.Impressions[0].Columns
	if c.Units[0].Kind.V != "user" || c.Units[1].Column.Src != `context["device"]` || len(c.ID) != 2 || c.Attributes.From.Src != "attributes" || c.Attributes.Named[0].Name.V != "country" {
		t.Errorf("columns are %+v", c)
	}

	capped := defs.Metric("capped") // like: price
	if capped.Event.Keys[0].V != "purchase" || capped.PerUnit.V != Average || capped.Value.Src != "price * quantity" || capped.WithoutEvents.Number != "2.5" || capped.WithoutEvents.Exclude {
		t.Errorf("like did not take over: %+v", capped)
	}
	if capped.Winsorize.Upper.Set || capped.Winsorize.UpperValue.V != "500" {
		t.Errorf("winsorize is %+v, want the metric's own", capped.Winsorize)
	}
	if capped.Window.To != 28*24*time.Hour {
		t.Errorf("window is %+v, want that of defaults", capped.Window)
	}
	if w := defs.Metric("active").Window; w.Set {
		t.Errorf("the default window stands in a metric that refuses one: %+v", w)
	}
	if w := defs.Metric("order_value").Ratio.Denominator.Window; w.To != 28*24*time.Hour {
		t.Errorf("window of the inline side is %+v, want that of defaults", w)
	}
	if m := defs.Metric("purchase_rate"); m.Tags[1].V != "2026" || m.WaitForWindow.V || m.Maintainer.V != "growth@company.example" {
		t.Errorf("purchase_rate is %+v", m)
	}
	if m := defs.Metric("price"); m.Winsorize.Lower.V != "0.01" || !m.Winsorize.Linear || !m.Winsorize.IgnoreZeros {
		t.Errorf("winsorize is %+v", m.Winsorize)
	}

	e := defs.Experiment("checkout_button")
	var got []string
	for _, m := range e.Metrics {
		got = append(got, string(m.Role)+" "+m.Metric.Key.V+" "+string(m.Analysis.Alpha.V))
	}
	// alpha: entry over metric over experiment (0.05) over defaults (0.1).
	want := []string{
		"primary purchase_rate 0.01", "secondary price 0.05", "secondary capped 0.05", "secondary order_value 0.05",
		"guardrail load_time 0.05", "guardrail active 0.05",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	if m := e.Variations[1].Match[1]; !m.JSON || m.Text != `{"color":"green","sizes":[1,2.5,null,true]}` {
		t.Errorf("JSON value is %+v", m)
	}
	if end := time.Date(2026, 3, 30, 10, 0, 0, 500_000_000, time.UTC); !e.End.V.Equal(end) {
		t.Errorf("end is %v, want %v", e.End.V, end)
	}
	if e.HoldbackAs.V != "control" || e.PhasePool.V != "stratify" || e.Phases[1].Weights[0].Weight != "50" {
		t.Errorf("experiment is %+v", e)
	}

	older := defs.Experiment("older")
	if len(older.Metrics) != 3 || older.Metrics[2].Metric.Key.V != "load_time" || older.Metrics[2].Margin.Value != "5" {
		t.Errorf("guardrails of defaults are missing: %+v", older.Metrics)
	}
	if older.Metrics[0].Analysis.Alpha.V != "0.01" || older.Metrics[1].Analysis.Alpha.V != "0.1" {
		t.Errorf("alpha is %s and %s, want the metric's 0.01 and the default's 0.1", older.Metrics[0].Analysis.Alpha.V, older.Metrics[1].Analysis.Alpha.V)
	}
	if older.Segments[0].Key.V != "platform" || older.Variations[0].Match[0].Text != "a" || older.Rule.V != "test" {
		t.Errorf("experiment is %+v", older)
	}
}

// TestLoadText reads scalars as they are written where text is wanted.
func TestLoadText(t *testing.T) {
	const text = `version: 1
metrics:
  - key: "null"
    name: off
    description: 007
    tags: [true, 1e3, ~, 2026-03-02, 0x1F]
    event: 1_000
    measure: count
    better: higher
`
	defs, diags := Decode([]SourceFile{{Path: "m.yaml", Text: []byte(text)}}, LoadOptions{})
	if len(diags) > 0 {
		t.Fatal(diags.Error())
	}
	m := defs.Metrics[0]
	got := append([]string{m.Key.V, m.Name.V, m.Description.V, m.Event.Keys[0].V}, words(m.Tags)...)
	want := []string{"null", "off", "007", "1_000", "true", "1e3", "~", "2026-03-02", "0x1F"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
}

func TestLoadFolder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"b.yml":            "version: 1\nmetric_groups: {core: [a]}\n",
		"a/a.yaml":         "version: 1\nmetrics: [{key: a, event: e, measure: count, better: higher}]\n",
		"a/a_test.yaml":    "not: read\n",
		"a/notes.txt":      "not: read\n",
		".hidden/twin.yml": "version: 1\nmetrics: [{key: a, event: e, measure: count, better: higher}]\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// The file stands in the folder and by itself; it is read once.
	defs, diags, err := Load([]string{dir, filepath.Join(dir, "b.yml")}, LoadOptions{})
	if err != nil || len(diags) > 0 {
		t.Fatal(err, diags.Error())
	}
	var got []string
	for _, f := range defs.Files {
		got = append(got, strings.TrimPrefix(filepath.ToSlash(f.Path), filepath.ToSlash(dir)+"/"))
	}
	if diff := cmp.Diff([]string{"a/a.yaml", "b.yml"}, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a"}, words(defs.Groups[0].Metrics)); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}

	if _, _, err := Load([]string{filepath.Join(dir, "missing.yaml")}, LoadOptions{}); err == nil {
		t.Error("a missing file is no error")
	}
	_, diags, err = Load([]string{t.TempDir()}, LoadOptions{})
	if err != nil || len(diags) != 1 || diags[0].Code != "no-files" {
		t.Errorf("an empty folder gives %v, %v", diags, err)
	}
}
