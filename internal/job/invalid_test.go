package job_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/metricsjob/metricsjob/internal/export"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/metrics"
)

// everyMethod are definitions over the Optimizely export with a metric of every kind,
// and what may call it a winner: margins, corrections, posteriors, segments, a split
// and a bootstrap.
const everyMethod = `version: 1
sources:
  impressions:
    - {name: decisions, preset: optimizely, path: 'DATA/type=decisions/**/*.parquet'}
  events:
    - {name: conversions, preset: optimizely, path: 'DATA/type=events/**/*.parquet'}
metrics:
  - {key: purchases, event: purchase, measure: occurrence, better: higher}
  - {key: views, event: detail_page_view, measure: count, better: higher}
  - {key: views_per_purchase, ratio: {numerator: {event: detail_page_view, measure: count}, denominator: {event: purchase, measure: count}}, better: higher}
  - {key: views_p90, event: detail_page_view, measure: count, statistic: p90, units_without_events: zero, better: higher}
  - {key: funnel, funnel: {steps: [{event: detail_page_view}, {event: purchase}]}, better: higher}
  - {key: viewers, event: detail_page_view, measure: occurrence, split_by: properties.category, better: higher}
experiments:
  - key: banner
    flag: banner
    unit: user
    match: {experiment: '18786493712'}
    start: 2020-09-14
    end: 2020-09-15
    variations:
      - {key: control, match: '18802093142', weight: 1, baseline: true}
      - {key: message_1, match: '18818611832', weight: 1}
      - {key: message_2, match: '18817551468', weight: WEIGHT}
    metrics:
      primary: [purchases, views]
      secondary: [views_per_purchase, views_p90, funnel]
      guardrails: [{metric: viewers, margin: 20%}]
    segments: [browser]
    analysis: {peeking: always_valid, correction: {method: holm}, bootstrap: {resamples: 100, seed: 1}}
`

// An experiment whose units did not come in the planned ratio has no winner in any
// file that a run leaves. The same experiment with the right weights has many, so that
// the queries would find one.
func TestNobodyWinsWhereTheSampleRatioIsBroken(t *testing.T) {
	const rows = `SELECT
		count(*) FILTER (compared_to IS NOT NULL) AS compared,
		count(*) FILTER (compared_to IS NOT NULL AND significant) AS significant,
		count(*) FILTER (significant IS NOT NULL OR non_inferior IS NOT NULL OR chance_to_win IS NOT NULL OR expected_loss IS NOT NULL) AS judged,
		count(*) FILTER (p_value IS NOT NULL AND absolute_low IS NOT NULL) AS computed,
		count(*) FILTER (contains(CAST(warnings AS VARCHAR), 'sample_ratio')) AS warned,
		count(*) AS all_rows
		FROM %s`
	const verdicts = `SELECT string_agg(DISTINCT verdict), count(*) FILTER (contains(CAST(reasons AS VARCHAR), 'sample_ratio')), count(*) FROM %s`
	readers := map[export.Format]string{
		export.Parquet: "read_parquet('%s/**/*.parquet', hive_partitioning = false)",
		export.CSV:     "read_csv('%s/**/*.csv', hive_partitioning = false, sample_size = -1)",
		export.JSONL:   "read_json('%s/**/*.jsonl', hive_partitioning = false, sample_size = -1)",
	}
	if len(readers) != len(export.FileFormats) {
		t.Fatalf("files are of %v", export.FileFormats)
	}
	for weight, broken := range map[string]bool{"1": false, "2": true} {
		result := runE3(t, strings.Replace(everyMethod, "WEIGHT", weight, 1))
		dir := t.TempDir()
		if _, err := export.WriteFolder(t.Context(), dir, &result.Tables, export.FileFormats); err != nil {
			t.Fatal(err)
		}
		e := openEngine(t, dir)
		query := func(table, sql string, format export.Format) []any {
			t.Helper()
			got, err := e.Query(t.Context(), fmt.Sprintf(sql, fmt.Sprintf(readers[format], filepath.Join(dir, table))))
			if err != nil {
				t.Fatalf("%s of %s: %v", table, format, err)
			}
			return got.Cells[0]
		}
		for _, format := range export.FileFormats {
			got := query("results", rows, format)
			compared, significant, judged, computed, warned, all := got[0].(int64), got[1].(int64), got[2].(int64), got[3].(int64), got[4].(int64), got[5].(int64)
			if compared == 0 || computed == 0 || all != int64(len(result.Tables.Results)) {
				t.Errorf("%s: %d rows, %d of them compared, %d with an interval", format, all, compared, computed)
			}
			said := query("verdicts", verdicts, format)
			switch {
			case broken && (significant != 0 || judged != 0 || warned != all):
				t.Errorf("%s: of %d rows of an invalid experiment %d are significant, %d judged, and %d say why not", format, all, significant, judged, warned)
			case broken && (said[0] != "invalid" || said[1] != int64(2) || said[2] != int64(2)):
				t.Errorf("%s: verdicts %v", format, said)
			case !broken && (significant < 5 || judged <= significant || warned != 0 || !strings.Contains(said[0].(string), "ship")):
				t.Errorf("%s: of a valid experiment %d rows are significant, %d judged, %d warned of, and the verdicts are %v", format, significant, judged, warned, said)
			}
		}
	}
}

// A check that fails for another reason than the sample ratio takes the winner away
// too, and every row says so.
func TestRowsSayThatACheckFailed(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "metrics.yaml"), `version: 1
sources:
  impressions:
    - {name: decisions, path: decisions.parquet, columns: {units: {user: user_id}, flag: flag, variation: variation, timestamp: ts}}
  events:
    - {name: orders, path: 'orders/day=*/*.parquet', partition: {column: day}, columns: {units: {user: user_id}, event: event, timestamp: ts}}
metrics:
  - {key: buyers, event: purchase, measure: occurrence, better: higher}
experiments:
  - key: button
    flag: button
    unit: user
    start: 2026-03-02
    end: 2026-03-04
    variations: [{key: control, weight: 1, baseline: true}, {key: green, weight: 1}]
    metrics: {primary: [buyers]}
`)
	var decisions, orders strings.Builder
	decisions.WriteString("user_id:VARCHAR,flag:VARCHAR,variation:VARCHAR,ts:TIMESTAMP\n")
	orders.WriteString("user_id:VARCHAR,event:VARCHAR,ts:TIMESTAMP\n")
	for i := range 60 {
		fmt.Fprintf(&decisions, "u%d,button,%s,2026-03-02 10:00:00\n", i, []string{"control", "green"}[i%2])
		if i%2 == 1 && i > 10 {
			fmt.Fprintf(&orders, "u%d,purchase,2026-03-02 11:00:00\n", i)
		}
	}
	// One row in twenty-six lies in the folder of a day a month away.
	e := openEngine(t, dir)
	writeParquet(t, e, dir, "decisions", decisions.String())
	writeParquet(t, e, dir, "orders/day=2026-03-02/a", orders.String())
	writeParquet(t, e, dir, "orders/day=2026-02-01/a", "user_id:VARCHAR,event:VARCHAR,ts:TIMESTAMP\nu0,purchase,2026-03-02 11:00:00\n")
	result, err := job.Run(t.Context(), job.Options{Paths: []string{filepath.Join(dir, "metrics.yaml")}, Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Version: "test", Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range result.Tables.Verdicts {
		if v.Verdict != metrics.Invalid || v.Reasons[0].Code != "partition" {
			t.Errorf("verdict %s by %v", v.Verdict, v.Reasons)
		}
	}
	for _, row := range result.Tables.Results {
		if row.Significant != nil || row.ChanceToWin != nil || !slices.Contains(row.Warnings, metrics.WarnFailedCheck) {
			t.Errorf("%s: significant %v, warnings %v", row.Variation, row.Significant, row.Warnings)
		}
	}
}
