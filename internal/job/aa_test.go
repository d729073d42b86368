package job_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metricsjob/metricsjob/internal/job"
)

// Of 400 units one has nearly all the money: no assignment is ever significant by
// Welch's test, far from alpha. Whether a unit came is a fair coin, and in line, though
// in the experiment every unit of green came and hardly one of control. So are medians,
// of units and of events.
func TestAA(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "metrics.yaml"), `version: 1
sources:
  impressions:
    - {name: decisions, path: decisions.parquet, columns: {units: {user: user_id}, flag: flag, variation: variation, timestamp: ts}}
  events:
    - {name: orders, path: orders.parquet, columns: {units: {user: user_id}, event: event, timestamp: ts, value: amount}}
metrics:
  - {key: money, event: purchase, measure: value, better: higher}
  - {key: came, event: visit, measure: occurrence, better: higher}
  - {key: middle, event: delay, measure: value, statistic: p50, units_without_events: zero, better: lower}
  - {key: middle_delay, event: delay, measure: value, over: events, statistic: p50, better: lower}
  - {key: least, event: purchase, measure: value, statistic: p1, units_without_events: zero, better: higher}
experiments:
  - key: button
    flag: button
    unit: user
    start: 2026-03-02
    end: 2026-03-04
    variations: [{key: control, weight: 1, baseline: true}, {key: green, weight: 1}]
    metrics: {primary: [money, came, middle, middle_delay, least]}
    analysis: {alpha: 0.1, peeking: always_valid}
`)
	var decisions, orders strings.Builder
	decisions.WriteString("user_id:VARCHAR,flag:VARCHAR,variation:VARCHAR,ts:TIMESTAMP\n")
	orders.WriteString("user_id:VARCHAR,event:VARCHAR,ts:TIMESTAMP,amount:BIGINT\n")
	for i := range 400 {
		variation := []string{"control", "green"}[i%2]
		fmt.Fprintf(&decisions, "u%d,button,%s,2026-03-02 10:00:00\n", i, variation)
		amount := 1 + i%3
		if i == 77 {
			amount = 1_000_000
		}
		fmt.Fprintf(&orders, "u%d,purchase,2026-03-02 11:00:00,%d\n", i, amount)
		for k := range 1 + i%4 { // delays of one unit are alike
			fmt.Fprintf(&orders, "u%d,delay,2026-03-02 11:00:0%d,%d\n", i, k, i*7919%1000+10*k)
		}
		if variation == "green" || i%40 == 0 {
			fmt.Fprintf(&orders, "u%d,visit,2026-03-02 11:00:00,\n", i)
		}
	}
	e := openEngine(t, dir)
	writeParquet(t, e, dir, "decisions", decisions.String())
	writeParquet(t, e, dir, "orders", orders.String())
	opts := job.Options{Paths: []string{filepath.Join(dir, "metrics.yaml")}, Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Version: "test", Threads: 2}
	rows, err := job.AA(t.Context(), job.AAOptions{Options: opts, Permutations: 400, Seed: 1})
	if err != nil || len(rows) != 5 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	money, came, least := rows[0], rows[1], rows[4]
	if money.Units != 400 || money.Permutations != 400 || money.FalsePositives != 0 || !money.OutOfLine {
		t.Errorf("one unit with all the money: %+v", money)
	}
	if came.Units != 400 || came.OutOfLine || *came.Rate == 0 {
		t.Errorf("a fair coin: %+v", came)
	}
	for _, middle := range rows[2:4] {
		if middle.Units != 400 || middle.Permutations != 400 || middle.OutOfLine || *middle.Rate == 0 {
			t.Errorf("percentiles of units, and of events of which those of a unit are alike: %+v", middle)
		}
	}
	if least.Rate != nil || least.Reason == "" {
		t.Errorf("a percentile below which all are alike: %+v", least)
	}
	again, err := job.AA(t.Context(), job.AAOptions{Options: opts, Permutations: 400, Seed: 1})
	if err != nil || *again[1].Rate != *came.Rate {
		t.Errorf("the same seed gives %v and %v: %v", *again[1].Rate, *came.Rate, err)
	}
}

// Few units have nearly all the money, so Welch's test of an uneven experiment is
// significant far more often than alpha says, and that of an even one is not. The rates are
// those of 10,000 permutations of the units by numpy 2.1 and Welch's test by scipy 1.14.1:
// 18.58% at 95:5, 18.04% at 90:5 of all units, 4.94% at 50:50.
func TestAAPlannedWeights(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "metrics.yaml"), `version: 1
sources:
  impressions:
    - {name: decisions, path: decisions.parquet, columns: {units: {user: user_id}, flag: flag, variation: variation, timestamp: ts}}
  events:
    - {name: orders, path: orders.parquet, columns: {units: {user: user_id}, event: event, timestamp: ts, value: amount}}
metrics:
  - {key: money, event: purchase, measure: value, better: higher}
defaults: {experiment: {unit: user, start: 2026-03-02, end: 2026-03-04, metrics: {primary: [money]}}}
experiments:
  - key: even
    flag: button
    variations: [{key: control, weight: 1, baseline: true}, {key: green, weight: 1}]
  - key: three
    flag: button
    variations: [{key: control, weight: 18, baseline: true}, {key: green, weight: 1}, {key: blue, weight: 1}]
  - key: uneven
    flag: button
    variations: [{key: control, weight: 95, baseline: true}, {key: green, weight: 5}]
  - key: unplanned
    flag: button
    variations: [{key: control, baseline: true}, {key: green}]
`)
	var decisions, orders strings.Builder
	decisions.WriteString("user_id:VARCHAR,flag:VARCHAR,variation:VARCHAR,ts:TIMESTAMP\n")
	orders.WriteString("user_id:VARCHAR,event:VARCHAR,ts:TIMESTAMP,amount:BIGINT\n")
	for i := range 2000 {
		variation := "control"
		if i%20 == 0 {
			variation = "green"
		}
		fmt.Fprintf(&decisions, "u%d,button,%s,2026-03-02 10:00:00\n", i, variation)
		if i%20 == 3 {
			root := i*7919%97 + 1
			fmt.Fprintf(&orders, "u%d,purchase,2026-03-02 11:00:00,%d\n", i, root*root*root)
		}
	}
	e := openEngine(t, dir)
	writeParquet(t, e, dir, "decisions", decisions.String())
	writeParquet(t, e, dir, "orders", orders.String())
	opts := job.Options{Paths: []string{filepath.Join(dir, "metrics.yaml")}, Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Version: "test", Threads: 2}
	rows, err := job.AA(t.Context(), job.AAOptions{Options: opts, Permutations: 1000, Seed: 1})
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	for i, want := range []float64{0.0494, 0.1804, 0.1858, 0.1858} {
		r := rows[i]
		if r.Units != 2000 || *r.Low > want || want > *r.High || r.OutOfLine != (want > 0.1) {
			t.Errorf("%s: %v from %v to %v of %d units, out of line %t; want %v", r.Experiment, *r.Rate, *r.Low, *r.High, r.Units, r.OutOfLine, want)
		}
	}
}
