package export

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/metrics"
)

var update = flag.Bool("update", false, "rewrite the reports in testdata and the generated part of docs/results.md")

// golden compares got with a file that a person has read.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; rewrite with -update):\n%s", name, diff)
	}
}

func stdout(t *testing.T, f Format, tables *metrics.Tables, o StdoutOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteStdout(&b, f, tables, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReport(t *testing.T) {
	golden(t, "report_80.txt", stdout(t, Text, sample(), StdoutOptions{Width: 80}))
	golden(t, "report_130.txt", stdout(t, Text, sample(), StdoutOptions{Width: 130}))
	golden(t, "report.md", stdout(t, Markdown, sample(), StdoutOptions{}))
	golden(t, "report_odd.txt", stdout(t, Text, odd(), StdoutOptions{Width: 100, SegmentValues: 1}))
}

// odd gives tables with what the sample has not: funnel steps, a ratio, several
// comparisons, corrected p-values, one-sided intervals, durations, no weights,
// an experiment that failed, values cut off, and hostile text.
func odd() *metrics.Tables {
	asOf := time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC)
	t := &metrics.Tables{
		Experiments: []metrics.ExperimentRow{{AsOf: asOf, Key: "e", Flag: "f", Rule: "test", Unit: "device", Start: asOf.AddDate(0, 0, -28)}},
		Variations:  []metrics.VariationRow{{Experiment: "e", Key: "a", Baseline: true}, {Experiment: "e", Key: "Größe 日本"}, {Experiment: "e", Key: "c\x1b[31m\n"}},
		Errors:      []metrics.ErrorRow{{AsOf: asOf, Experiment: "gone", Code: "unreachable", Message: strings.Repeat("no impressions match ", 7)}},
		Metrics: []metrics.MetricRow{
			{Key: "steps", Kind: "funnel", Better: "higher"},
			{Key: "load", Kind: "value", Better: "lower", Format: new("duration"), UnitLabel: new("ms")},
			{Key: "order_value", Kind: "ratio", Better: "higher", Format: new("currency"), UnitLabel: new("EUR")},
		},
		Runs: []metrics.RunRow{{RunID: "r", AsOf: asOf, Outcome: "done_with_errors", Engine: "DuckDB 1.5.5", Version: "0.1.0", InputBytes: 12}},
	}
	add := func(r metrics.ResultRow) {
		r.Experiment, r.AsOf, r.Alpha = "e", asOf, 0.1
		if r.Status == "" {
			r.Status = "ok"
		}
		if r.Segment == "" {
			r.Segment, r.SegmentValue = metrics.Overall, metrics.All
		}
		t.Results = append(t.Results, r)
	}
	for step := int64(1); step <= 2; step++ {
		n := float64(100 / step)
		add(metrics.ResultRow{Role: "primary", Metric: "steps", Step: new(step), Variation: "a", Exposed: 200, Units: 200, Total: new(n), Mean: new(n / 200)})
		for _, to := range []string{"a", "c\x1b[31m\n"} {
			add(metrics.ResultRow{Role: "primary", Metric: "steps", Step: new(step), Variation: "Größe 日本", ComparedTo: new(to), Exposed: 200, Units: 200, Total: new(n), Mean: new(n / 200),
				AbsoluteEffect: new(0.0), AbsoluteLow: new(-0.01), RelativeEffect: new(0.0), RelativeLow: new(-0.02), PValue: new(0.5), PValueAdjusted: new(1.0), Significant: new(false)})
		}
	}
	add(metrics.ResultRow{Role: "primary", Metric: "steps", Step: new(int64(1)), Segment: "country", SegmentValue: "DE", Variation: "a", Exposed: 120, Units: 120, Total: new(60.0), Mean: new(0.5)})
	add(metrics.ResultRow{Role: "primary", Metric: "steps", Step: new(int64(1)), Segment: "country", SegmentValue: "AT", Variation: "a", Exposed: 80, Units: 80, Total: new(40.0), Mean: new(0.5)})
	add(metrics.ResultRow{Role: "guardrail", Metric: "load", Variation: "a", Exposed: 200, Units: 150, Total: new(180000.0), Mean: new(1200.0)})
	add(metrics.ResultRow{Role: "guardrail", Metric: "load", Variation: "Größe 日本", ComparedTo: new("a"), Exposed: 200, Units: 150, Total: new(240000.0), Mean: new(1600.0),
		AbsoluteEffect: new(400.0), AbsoluteLow: new(100.0), AbsoluteHigh: new(700.0), RelativeEffect: new(1.0 / 3), RelativeHigh: new(0.6), PValue: new(0.00001), Significant: new(true)})
	add(metrics.ResultRow{Role: "secondary", Metric: "order_value", Variation: "a", Exposed: 200, Units: 200, Total: new(1234.5), Mean: new(12.345), Numerator: new(1234.5), Denominator: new(100.0)})
	add(metrics.ResultRow{Role: "secondary", Metric: "order_value", Segment: "country", SegmentValue: "DE", Variation: "a", Exposed: 120, Units: 120, Total: new(60.0), Mean: new(0.5)})
	add(metrics.ResultRow{Role: "secondary", Metric: "order_value", Variation: "Größe 日本", ComparedTo: new("a"), Exposed: 200, Status: "no_units", Reason: new("no unit was exposed to it")})
	return t
}

func TestReportFitsTheTerminal(t *testing.T) {
	for _, width := range []int{80, 90, 100, 120} {
		for i, l := range strings.Split(stdout(t, Text, sample(), StdoutOptions{Width: width}), "\n") {
			if n := textWidth(l); n > width {
				t.Errorf("width %d: line %d has %d: %s", width, i+1, n, l)
			}
		}
	}
}

func TestColourSaysNothingMore(t *testing.T) {
	escapes := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for _, tables := range []*metrics.Tables{sample(), odd()} {
		plain := stdout(t, Text, tables, StdoutOptions{})
		colored := stdout(t, Text, tables, StdoutOptions{Color: true})
		if plain == colored || strings.Contains(plain, "\x1b") {
			t.Error("colours are not what was asked for")
		}
		if diff := cmp.Diff(plain, escapes.ReplaceAllString(colored, "")); diff != "" {
			t.Errorf("(-plain +coloured):\n%s", diff)
		}
	}
}

func TestNoSegments(t *testing.T) {
	if got := stdout(t, Text, sample(), StdoutOptions{SegmentValues: -1}); strings.Contains(got, "firefox") {
		t.Error("segments are shown")
	}
}

func TestStdoutCSVAndArrowHoldResults(t *testing.T) {
	var csv, arrow bytes.Buffer
	if err := writeCSV(&csv, sample().All()[0]); err != nil {
		t.Fatal(err)
	}
	if err := writeArrow(&arrow, sample().All()[0]); err != nil {
		t.Fatal(err)
	}
	if stdout(t, CSV, sample(), StdoutOptions{}) != csv.String() {
		t.Error("CSV is not the table results")
	}
	if stdout(t, Arrow, sample(), StdoutOptions{}) != arrow.String() {
		t.Error("the Arrow stream is not the table results")
	}
}

func TestStdoutJSON(t *testing.T) {
	got := stdout(t, JSON, sample(), StdoutOptions{Written: []Written{{Table: "results", Format: Parquet, Path: "out/results.parquet", Rows: 20}}})
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	if len(lines) != 21 {
		t.Fatalf("%d lines, want 20 rows and a summary", len(lines))
	}
	for i, l := range lines[:20] {
		var row struct{ Metric, Variation string }
		if err := json.Unmarshal([]byte(l), &row); err != nil || row.Metric == "" || row.Variation == "" {
			t.Errorf("line %d is no result (%v): %s", i+1, err, l)
		}
	}
	const want = `{"outcome":"done_with_errors","run_id":"3f1c0a9be27d","as_of":"2020-09-14T18:38:33.933001Z","schema_version":"1.0",` +
		`"experiments":["covid_test","slow_page"],"paths":["out/results.parquet"],` +
		`"counts":{"errors":1,"experiments":2,"exposures":5,"health":6,"metrics":4,"moments":3,"results":20,"runs":1,"variations":5,"verdicts":3,"waterfall":0},` +
		`"verdicts":[{"experiment":"covid_test","variation":"message_1","verdict":"inconclusive"},{"experiment":"covid_test","variation":"message_2","verdict":"ship"},` +
		`{"experiment":"slow_page","variation":"on","verdict":"invalid"}],` +
		`"failed_checks":[{"experiment":"slow_page","code":"sample_ratio","message":"the units are not split as planned: 6000 and 5400 instead of 5700 and 5700"}],` +
		`"errors":[{"experiment":"covid_test","metric":"order_value","code":"overflow","message":"a unit's value is larger than 10^15 at 9 decimals"}]}`
	if diff := cmp.Diff(want, lines[20]); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestMarks(t *testing.T) {
	up, down := new(1.0), new(-1.0)
	for _, c := range []struct {
		better      string
		effect      *float64
		significant *bool
		want        mark
	}{
		{"higher", up, new(true), better},
		{"higher", down, new(true), worse},
		{"lower", up, new(true), worse},
		{"lower", down, new(true), better},
		{"lower", down, new(false), unclear},
		{"higher", up, nil, ""},
		{"higher", nil, nil, ""},
	} {
		got := markOf(metrics.ResultRow{AbsoluteEffect: c.effect, Significant: c.significant}, metrics.MetricRow{Better: c.better})
		if got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
	goesOn := metrics.ResultRow{AbsoluteEffect: up, Significant: new(true), Warnings: []string{metrics.WarnInterim}}
	if got := markOf(goesOn, metrics.MetricRow{Better: "higher"}); got != "better so far" {
		t.Errorf("before the end: %q", got)
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{fixed(1234567.891, 2), "1,234,567.89"},
		{fixed(-1234, 0), "-1,234"},
		{fixed(-0.001, 2), "0.00"},
		{fixed(999.996, 2), "1,000.00"},
		{fixed(1e15, 2), "1e+15"},
		{count(0), "0"},
		{count(-123), "-123"},
		{count(1000), "1,000"},
		{figure(0.73942), "0.739"},
		{figure(1.91e-08), "1.91e-08"},
		{figure(31.5789), "31.6"},
		{figure(0.001), "0.001"},
		{figure(0), "0"},
		{figure(42), "42"},
		{pValue(new(0.0001)), "0.0001"},
		{pValue(new(0.00009)), "<0.0001"},
		{size(999), "999 B"},
		{size(3_100_000), "3.1 MB"},
		{size(210_000_000), "210 MB"},
		{confidence(0.05), "95%"},
		{confidence(0.001), "99.9%"},
		{spelling{format: "duration", seconds: 1e-3}.duration(1234), "1.23s"},
		{spelling{format: "duration", seconds: 1e-3}.duration(-12), "-12.0ms"},
		{spelling{format: "duration", seconds: 1}.duration(7500), "2h5m"},
		{spelling{format: "duration", seconds: 60}.duration(2160), "1.50d"},
		{interval(nil, new(0.5), spelling{relative: 1}.effect), "≤ +50.0%"},
		{interval(new(-0.5), nil, spelling{relative: 1}.effect), "≥ -50.0%"},
		{interval(nil, nil, spelling{}.effect), ""},
		{shorten("日本語のキー", 7), "日本語…"},
		{shorten("short", 5), "short"},
		{clean("a\x1b[2J\nb\u202e"), "a\uFFFD[2J b\uFFFD"},
		{escape("_a_b|c_ <x> 10^15"), `\_a_b\|c\_ \<x\> 10^15`},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
