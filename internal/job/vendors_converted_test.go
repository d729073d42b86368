package job_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/convert"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// conversion is how a path of an example is converted. Of what the vendor exports as
// Parquet, the files that match a pattern below it, lines are made first.
type conversion struct {
	from, parquet, rows, timestamp string
}

// TestConvertedVendorExports: what convert writes of an export is read by the same
// preset, with nothing but the path changed, and has the results of the lines.
func TestConvertedVendorExports(t *testing.T) {
	const days = ", partition: {column: date, late: 3d}" // which lines have not
	vwo := conversion{from: "'vwo/payloads-*.ndjson'", rows: "ev", timestamp: "ev.d.event.time ?? d.event.time"}
	for name, test := range map[string]struct {
		example string
		all     []conversion
	}{
		"vwo":                    {"vwo", []conversion{vwo}},
		"vwo, attributes":        {"vwo_attributes", []conversion{vwo}},
		"vwo, shop":              {"vwo_shop", []conversion{vwo}},
		"vwo, lists as they are": {"vwo", []conversion{{from: vwo.from, timestamp: "ev[0].d.event.time ?? d.event.time"}}},
		"flagsync": {"flagsync", []conversion{
			{from: "flagsync/impressions", rows: "impressions"}, {from: "flagsync/events", rows: "events"},
		}},
		"flagsync, lists as they are": {"flagsync", []conversion{
			{from: "flagsync/impressions", timestamp: "impressions[0].timestamp ?? timestamp"},
			{from: "flagsync/events", timestamp: "events[0].timestamp ?? timestamp"},
		}},
		"launchdarkly_stream": {"launchdarkly_stream", []conversion{{from: "launchdarkly_stream", timestamp: "event.creationDate"}}},
		"launchdarkly_warehouse": {"launchdarkly_warehouse", []conversion{
			{from: "launchdarkly_warehouse/evaluation_events", parquet: "*.parquet", timestamp: "RECEIVED_TIME"},
			{from: "launchdarkly_warehouse/metric_events", parquet: "*.parquet", timestamp: "RECEIVED_TIME"},
		}},
		"optimizely": {"optimizely", []conversion{
			{from: "'optimizely/type=decisions'" + days, parquet: "*/*/*.parquet"}, {from: "'optimizely/type=events'" + days, parquet: "*/*/*.parquet"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join(vendorFolder, test.example+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			// JSON has names in one case, which an expression must spell as it is.
			before := strings.ReplaceAll(string(text), "environment_id", "ENVIRONMENT_ID")
			after := before
			for _, c := range test.all {
				in := filepath.Join(vendorFolder, strings.Trim(strings.TrimSuffix(c.from, days), "'"))
				if c.parquet != "" {
					in = linesOf(t, filepath.Join(in, c.parquet))
				}
				out := filepath.Join(t.TempDir(), "out")
				result, err := convert.Convert(t.Context(), convert.Options{
					Paths: []string{in}, Out: out, Partition: "ds", Rows: c.rows, Timestamp: c.timestamp, Threads: 1,
				})
				if err != nil {
					t.Fatal(err)
				}
				if result.Rejected > 0 {
					t.Errorf("%d records of %s are rejected", result.Rejected, c.from)
				}
				before = strings.ReplaceAll(before, "path: "+c.from, "path: '"+absolutePath(t, in)+"'")
				after = strings.ReplaceAll(after, "path: "+c.from, "path: '"+out+"'")
			}
			want, got := runText(t, before), runText(t, after)
			if diff := cmp.Diff(want.Results, got.Results); diff != "" {
				t.Errorf("results (-of the lines +of what is converted):\n%s", diff)
			}
			if diff := cmp.Diff(want.Moments, got.Moments); diff != "" {
				t.Errorf("sums (-of the lines +of what is converted):\n%s", diff)
			}
			if diff := cmp.Diff(want.Health, got.Health); diff != "" {
				t.Errorf("health (-of the lines +of what is converted):\n%s", diff)
			}
		})
	}
}

// linesOf writes Parquet as NDJSON.
func linesOf(t *testing.T, parquet string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "lines.ndjson")
	engine, err := loaders.Open(t.Context(), loaders.Options{Threads: 1, AllowedPaths: []string{vendorFolder, filepath.Dir(out)}})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	err = engine.Exec(t.Context(), "COPY (FROM read_parquet('"+absolutePath(t, parquet)+"', hive_partitioning = false)) TO '"+out+"' (FORMAT json)")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func absolutePath(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// runText runs definitions whose other paths lie in the folder of the vendors, and gives
// the tables without the id of the run, which the paths are part of, and without checks that
// passed, which are of lines or numbers in text alone.
func runText(t *testing.T, text string) metrics.Tables {
	t.Helper()
	file := filepath.Join(t.TempDir(), "metrics.yaml")
	writeFile(t, file, strings.ReplaceAll(text, "path: vwo/", "path: "+absolutePath(t, vendorFolder)+"/vwo/"))
	r, err := job.Run(t.Context(), vendorOptions(file))
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Tables.Results {
		r.Tables.Results[i].RunID = ""
	}
	for i := range r.Tables.Moments {
		r.Tables.Moments[i].RunID = ""
	}
	r.Tables.Health = slices.DeleteFunc(r.Tables.Health, func(h metrics.HealthRow) bool { return h.Status == "pass" })
	for i := range r.Tables.Health {
		r.Tables.Health[i].RunID = ""
	}
	return r.Tables
}

// TestConvertedColumnsInTwoCases: a folder of CSV whose files write the names of columns in
// another case has the results of what convert makes of it, and of a count by hand: a spent
// 10 + 5, and b 20.
func TestConvertedColumnsInTwoCases(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"shown/1.csv":  "user,flag,variation,ts\na,button,control,2026-03-02 10:00:00\n",
		"shown/2.csv":  "TS,Variation,USER,Flag\n2026-03-02 10:00:00,green,b,button\n",
		"orders/1.csv": "Customer,ts,Amount\na,2026-03-02 11:00:00,10\n",
		"orders/2.csv": "amount,customer,ts\n20,b,2026-03-02 11:00:00\n5,a,2026-03-02 12:00:00\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, name), text)
	}
	const text = `version: 1
sources:
  impressions:
    - {name: shown, path: 'DIR/shown', columns: {units: {user: user}, flag: flag, variation: variation, timestamp: ts}}
  events:
    - {name: orders, path: 'DIR/orders', columns: {units: {user: customer}, event: '"purchase"', timestamp: ts, value: amount}}
metrics:
  - {key: revenue, event: purchase, measure: value, decimals: 0, better: higher}
experiments:
  - key: button
    flag: button
    unit: user
    start: 2026-03-02
    variations: [{key: control, weight: 1, baseline: true}, {key: green, weight: 1}]
    metrics: {primary: [revenue]}
`
	before := runText(t, strings.NewReplacer("DIR", dir, "/shown'", "/shown/*.csv'", "/orders'", "/orders/*.csv'").Replace(text))
	out := t.TempDir()
	for _, source := range []string{"shown", "orders"} {
		if _, err := convert.Convert(t.Context(), convert.Options{Paths: []string{filepath.Join(dir, source)}, Out: filepath.Join(out, source), Partition: "ds", Threads: 1}); err != nil {
			t.Fatal(err)
		}
	}
	after := runText(t, strings.ReplaceAll(text, "DIR", out))
	if diff := cmp.Diff(before.Results, after.Results); diff != "" {
		t.Errorf("results (-of the lines +of what is converted):\n%s", diff)
	}
	var got []string
	for _, r := range after.Results {
		got = append(got, fmt.Sprint(r.Variation, " ", r.Units, " ", *r.Total))
	}
	if diff := cmp.Diff([]string{"control 1 15", "green 1 20"}, got); diff != "" {
		t.Errorf("totals (-want +have):\n%s", diff)
	}
}
