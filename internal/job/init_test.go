package job_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/metricsjob/metricsjob/internal/job"
)

// TestInitRuns starts from exports of several shapes, and wants the starter
// file to fit the data without a word and to run. The totals are computed by
// hand: units u0 to u19 see variation a, the even ones, or b; of the 20, those
// with a number below 10 buy once, at 1.50 times their number.
func TestInitRuns(t *testing.T) {
	for name, c := range map[string]struct{ impressions, events, flag, a, b string }{
		"columns": {
			impressions: `SELECT 'u' || i AS user_id, 'new nav!' AS flag_key, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS variation, TIMESTAMP '2026-03-02 10:00:00' AS ts FROM range(20) t(i)`,
			events:      `SELECT 'u' || i AS user_id, 'Order Completed' AS event_name, 1772449200000 + i AS time, 1.5 * i AS amount FROM range(10) t(i)`,
			flag:        "new nav!", a: "a", b: "b",
		},
		"short names": {
			impressions: `SELECT 'u' || i AS uid, 'nav' AS flag, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS variant, TIMESTAMP '2026-03-02 10:00:00' AS at FROM range(20) t(i)`,
			events:      `SELECT 'u' || i AS uid, 'Order Completed' AS name, TIMESTAMP '2026-03-02 11:00:00' AS at, 1.5 * i AS amount FROM range(10) t(i)`,
			flag:        "nav", a: "a", b: "b",
		},
		"names with blanks": {
			impressions: `SELECT 'u' || i AS "User ID", 'nav' AS "Flag Key", CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS "Variation", TIMESTAMP '2026-03-02 10:00:00' AS "Exposed At", 'DE' AS "Country Code", MAP {'os': 'ios'} AS ctx FROM range(20) t(i)`,
			events:      `SELECT 'u' || i AS "User ID", 'Order Completed' AS "Event", TIMESTAMP '2026-03-02 11:00:00' AS "Time", 1.5 * i AS "Order Total", 1.5 * i AS "Amount", 'x' AS "Größe (cm)", 2 AS "a+b" FROM range(10) t(i)`,
			flag:        "nav", a: "a", b: "b",
		},
		"names of Harness": {
			impressions: `SELECT 'u' || i AS "Unique Key", 'nav' AS "Split", CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS "Treatment", TIMESTAMP '2026-03-02 10:00:00' AS "Exposure Timestamp" FROM range(20) t(i)`,
			events:      `SELECT 'u' || i AS "Unique Key", 'Order Completed' AS "eventTypeId", TIMESTAMP '2026-03-02 11:00:00' AS "Event Timestamp", 1.5 * i AS "Event Value" FROM range(10) t(i)`,
			flag:        "nav", a: "a", b: "b",
		},
		"JSON text, numbers and quotes": {
			impressions: `SELECT i AS "userId", 'f''1: #2' AS "featureFlag", i % 2 = 1 AS variant, '2026-03-02T10:00:00Z' AS "exposedAt" FROM range(20) t(i)`,
			events:      `SELECT i AS "userId", 'Order Completed' AS event, '2026-03-02 11:00:00+00:00' AS "timestamp", json_object('revenue', (1.5 * i)::VARCHAR) AS payload FROM range(10) t(i)`,
			flag:        "f'1: #2", a: "false", b: "true",
		},
		"JSON values": {
			impressions: `SELECT {'id': 'u' || i, 'plan': 'pro'} AS user, 'nav' AS flag, json_object('size', i % 2) AS variation, TIMESTAMPTZ '2026-03-02 10:00:00+00' AS ts FROM range(20) t(i)`,
			events:      `SELECT {'id': 'u' || i} AS user, 'Order Completed' AS event, TIMESTAMP_NS '2026-03-02 11:00:00' AS ts, [{'name': 'revenue', 'value': (1.5 * i)::VARCHAR}] AS properties FROM range(10) t(i)`,
			flag:        "nav", a: `{"size":0}`, b: `{"size":1}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, query := range map[string]string{"imps/day=2026-03-02/1.parquet": c.impressions, "ev/1.parquet": c.events} {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755); err != nil {
					t.Fatal(err)
				}
				execute(t, dir, fmt.Sprintf("COPY (%s) TO 'DIR/%s' (FORMAT parquet)", query, file))
			}
			starter, result := initAndRun(t, dir, dir)
			var got []string
			for _, r := range result.Tables.Results {
				got = append(got, fmt.Sprintf("%s %s %s: %d units, %v", r.Flag, r.Metric, r.Variation, r.Units, *r.Total))
			}
			if diff := cmp.Diff([]string{
				c.flag + " order_completed_rate " + c.a + ": 10 units, 5",
				c.flag + " order_completed_rate " + c.b + ": 10 units, 5",
				c.flag + " order_completed_value " + c.a + ": 10 units, 30",   // 1.5 (0 + 2 + 4 + 6 + 8)
				c.flag + " order_completed_value " + c.b + ": 10 units, 37.5", // 1.5 (1 + 3 + 5 + 7 + 9)
			}, got); diff != "" {
				t.Errorf("results (-want +have):\n%s\nof\n%s", diff, starter.Text)
			}
		})
	}
}

// initAndRun writes a starter file for an export into a folder, which must pass a check without
// a word, and runs it.
func initAndRun(t *testing.T, dir, export string) (*job.Starter, *job.Result) {
	t.Helper()
	file := filepath.Join(dir, "metrics.yaml")
	starter, err := job.Init(t.Context(), job.InitOptions{Folder: export, File: file})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, starter.Text)
	opts := job.Options{Paths: []string{file}, Now: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), Threads: 2}
	report, err := job.Check(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Diagnostics) > 0 {
		t.Errorf("%v in\n%s", report.Diagnostics, starter.Text)
	}
	result, err := job.Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return starter, result
}

// TestInitRecognisesPresets starts from the exports of the cases of presets, in
// the formats that they come in, and wants each to be recognised, and its starter
// file to be right and to find the units that the cases tell of.
func TestInitRecognisesPresets(t *testing.T) {
	const warehouses, rudderstack = "preset_warehouses", "rudderstack"
	oneTwo := []string{"e1 1: 1", "e1 2: 2"}
	for preset, c := range map[string]struct {
		from   string // the case
		tables []string
		format string
		want   []string
	}{
		"segment":                {warehouses, []string{"segment_viewed", "segment_tracks"}, "parquet", oneTwo},
		rudderstack:              {warehouses, []string{"segment_viewed", "segment_tracks"}, "parquet", oneTwo},
		"amplitude":              {warehouses, []string{"amplitude"}, "csv", []string{"checkout 1: 1", "checkout 2: 2"}},
		"ga4":                    {warehouses, []string{"ga4"}, "parquet", oneTwo},
		"snowplow":               {warehouses, []string{"snowplow"}, "parquet", oneTwo},
		"statsig":                {warehouses, []string{"statsig_exposures", "statsig_events"}, "csv", oneTwo},
		"eppo":                   {warehouses, []string{"eppo_assignments", "growthbook_facts"}, "ndjson", oneTwo},
		"optimizely-bigquery":    {warehouses, []string{"bigquery_decision", "bigquery_conversion"}, "ndjson", oneTwo},
		"optimizely-fivetran":    {warehouses, []string{"fivetran_decision", "fivetran_conversion"}, "parquet", oneTwo},
		"launchdarkly-warehouse": {"preset_launchdarkly_warehouse", []string{"evaluations", "metric_events"}, "csv", []string{"it_1 v-a: 1", "it_2 v-a: 2", "it_2 v-b: 2"}},
		"launchdarkly-stream":    {"preset_launchdarkly_stream", []string{"stream"}, "ndjson", []string{"flag_a 0: 1", "flag_a 1: 3"}},
		"vwo":                    {"preset_vwo", []string{"payloads"}, "ndjson", []string{"experiment_12 1: 2", "experiment_12 2: 3"}},
		"flagsync":               {"preset_flagsync", []string{"impressions", "events"}, "ndjson", []string{"cta Join Now: 2", `cta {"a":1.0}: 1`}},
	} {
		a, err := txtar.ParseFile(filepath.Join("testdata", "cases", c.from+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(preset, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			tc := &testCase{t: t, dir: dir, archive: a}
			e := openEngine(t, dir)
			if err := os.Mkdir(filepath.Join(dir, "export"), 0o755); err != nil {
				t.Fatal(err)
			}
			for _, table := range c.tables {
				writeParquet(t, e, dir, table, tc.mustSection(table+".csv"))
				columns := "*"
				if preset == rudderstack {
					columns = "*, 'web' AS channel"
				}
				options := map[string]string{"parquet": "FORMAT parquet", "ndjson": "FORMAT json", "csv": "FORMAT csv"}[c.format]
				if err := e.Exec(t.Context(), fmt.Sprintf("COPY (SELECT %s FROM '%s/%s.parquet') TO '%s/export/%s.%s' (%s)", columns, dir, table, dir, table, c.format, options)); err != nil {
					t.Fatal(err)
				}
			}
			file := filepath.Join(dir, "metrics.yaml")
			starter, err := job.Init(t.Context(), job.InitOptions{Folder: filepath.Join(dir, "export"), File: file})
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(starter.Text, "preset: "+preset+"\n"); n != 2 && !(preset == "eppo" && n == 1) {
				t.Errorf("the preset is recognised %d times, want twice:\n%s", n, starter.Text)
			}
			writeFile(t, file, starter.Text)
			opts := job.Options{Paths: []string{file}, Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Threads: 2}
			report, err := job.Check(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			if report.Diagnostics.HasErrors() { // warnings are about the rows of the cases
				t.Errorf("%v in\n%s", report.Diagnostics, starter.Text)
			}
			result, err := job.Run(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range result.Tables.Results {
				if r.SegmentValue == "all" {
					got = append(got, fmt.Sprintf("%s %s: %d", r.Experiment, r.Variation, r.Exposed))
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, slices.Compact(got)); diff != "" {
				t.Errorf("units (-want +have):\n%s\nof\n%s", diff, starter.Text)
			}
		})
	}
}

// TestInitFindsAttributesOfUnits: VWO's payloads tell them in records of their own, of which
// the fixture has 98, as grep -o counts them in its lines and batches.
func TestInitFindsAttributesOfUnits(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"payloads-1.ndjson", "payloads-2.ndjson"} {
		text, err := os.ReadFile(filepath.Join(vendorFolder, "vwo", name))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, "export", name), string(text))
	}
	file := filepath.Join(dir, "metrics.yaml")
	starter, err := job.Init(t.Context(), job.InitOptions{Folder: filepath.Join(dir, "export"), File: file})
	if err != nil {
		t.Fatal(err)
	}
	want := `  units:
    # 2 files, 98 rows.
    - name: payloads_units
      path: '` + dir + `/export/*.ndjson'
      preset: vwo
`
	if !strings.Contains(starter.Text, want) {
		t.Errorf("want\n%s\nin\n%s", want, starter.Text)
	}
	writeFile(t, file, starter.Text)
	report, err := job.Check(t.Context(), vendorOptions(file))
	if err != nil || report.Diagnostics.HasErrors() {
		t.Error(err, report)
	}
}
