package job_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metricsjob/metricsjob/internal/job"
)

// A bootstrap of 600 units has intervals close to those of Welch's test, stratified
// and with a ratio, and to those of order statistics, of units and of events, the same
// with any number of threads.
func TestBootstrap(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "metrics.yaml"), `version: 1
sources:
  impressions:
    - {name: decisions, path: decisions.parquet, columns: {units: {user: user_id}, flag: flag, variation: variation, timestamp: ts, attributes: {device: device}}}
  events:
    - {name: orders, path: orders.parquet, columns: {units: {user: user_id}, event: event, timestamp: ts, value: amount}}
metrics:
  - {key: money, event: purchase, measure: value, better: higher}
  - {key: per_order, ratio: {numerator: {event: purchase, measure: value}, denominator: {event: purchase, measure: count}}, better: higher}
  - {key: middle, event: purchase, measure: value, statistic: p50, units_without_events: zero, better: higher}
  - {key: middle_order, event: purchase, measure: value, over: events, statistic: p50, better: higher}
experiments:
  - key: button
    flag: button
    unit: user
    start: 2026-03-02
    end: 2026-03-04
    segments: [device]
    variations: [{key: control, weight: 1, baseline: true}, {key: green, weight: 1}]
    metrics: {primary: [{metric: money, stratify: [device]}, per_order, middle, middle_order]}
    analysis: {bootstrap: {resamples: 2000, seed: 1}}
`)
	var decisions, orders strings.Builder
	decisions.WriteString("user_id:VARCHAR,flag:VARCHAR,variation:VARCHAR,device:VARCHAR,ts:TIMESTAMP\n")
	orders.WriteString("user_id:VARCHAR,event:VARCHAR,ts:TIMESTAMP,amount:BIGINT\n")
	for i := range 600 {
		device := []string{"ios", "web"}[i/2%2]
		fmt.Fprintf(&decisions, "u%d,button,%s,%s,2026-03-02 10:00:00\n", i, []string{"control", "green"}[i%2], device)
		for k := range 1 + i%3 {
			fmt.Fprintf(&orders, "u%d,purchase,2026-03-02 11:00:0%d,%d\n", i, k, 10+(i*37+k*11)%50+len(device)*9*(i/2%2))
		}
	}
	e := openEngine(t, dir)
	writeParquet(t, e, dir, "decisions", decisions.String())
	writeParquet(t, e, dir, "orders", orders.String())
	ends := map[string][2]float64{}
	for threads := 1; threads <= 2; threads++ {
		opts := job.Options{Paths: []string{filepath.Join(dir, "metrics.yaml")}, Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Version: "test", Threads: threads}
		result, err := job.Run(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range result.Tables.Results {
			switch {
			case row.ComparedTo == nil:
			case row.SegmentValue != "all":
				if row.BootstrapLow != nil {
					t.Errorf("%s of %s is resampled", row.Metric, row.SegmentValue)
				}
			case row.BootstrapLow == nil || row.BootstrapRelativeHigh == nil:
				t.Errorf("%s is not resampled", row.Metric)
			default:
				got := [2]float64{*row.BootstrapLow, *row.BootstrapHigh}
				tolerance := (*row.AbsoluteHigh - *row.AbsoluteLow) / 10
				if strings.HasPrefix(row.Metric, "middle") {
					tolerance *= 2 // amounts are whole
				}
				if math.Abs(got[0]-*row.AbsoluteLow) > tolerance || math.Abs(got[1]-*row.AbsoluteHigh) > tolerance {
					t.Errorf("%s: %v, want about %v to %v", row.Metric, got, *row.AbsoluteLow, *row.AbsoluteHigh)
				}
				if before, ok := ends[row.Metric]; ok && before != got {
					t.Errorf("%s: %v with one thread, %v with two", row.Metric, before, got)
				}
				ends[row.Metric] = got
			}
		}
	}
	if len(ends) != 4 {
		t.Errorf("resampled: %v", ends)
	}
}
