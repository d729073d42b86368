package job_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metricsjob/metricsjob/internal/job"
)

// TestCompiledSQLRunsAgain runs what compile prints twice in one session, as
// somebody who works on a query does.
func TestCompiledSQLRunsAgain(t *testing.T) {
	c := openCase(t, "testdata/cases/ratio.txtar")
	script, err := job.Compile(t.Context(), c.options(), job.EmitSQL)
	if err != nil {
		t.Fatal(err)
	}
	zone, statements, _ := strings.Cut(script, "\n")
	if !strings.HasPrefix(zone, "SET TimeZone") { // the engine has it so, and is locked
		t.Fatalf("the script begins with %s", zone)
	}
	e := openEngine(t, filepath.Clean(c.dir))
	for run := range 2 {
		if err := e.Exec(t.Context(), statements); err != nil {
			t.Fatalf("run %d: %v", run+1, err)
		}
	}
}

// TestCompiledSQLAttachesDatabases has a source that is a table: what compile and
// explain print opens its file by itself, and runs where nothing else is open.
func TestCompiledSQLAttachesDatabases(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, dir)
	file := filepath.Join(dir, "shop.duckdb")
	for _, statement := range []string{
		"ATTACH '" + file + "' AS w",
		"CREATE TABLE w.decisions AS SELECT * FROM (VALUES ('u1', 'control', TIMESTAMP '2026-03-02 10:00:00'), ('u2', 'green', TIMESTAMP '2026-03-02 10:00:00')) AS v(user_id, variation, ts)",
		"CREATE TABLE w.orders AS SELECT 'u2' AS user_id, 'purchase' AS event, TIMESTAMP '2026-03-02 11:00:00' AS ts FROM range(3)",
		"DETACH w",
	} {
		if err := e.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, filepath.Join(dir, "metrics.yaml"), `version: 1
sources:
  impressions: [{name: decisions, table: shop.duckdb/decisions, columns: {units: {user: user_id}, flag: '"button"', variation: variation, timestamp: ts}}]
  events: [{name: orders, table: shop.duckdb/orders, columns: {units: {user: user_id}, event: event, timestamp: ts}}]
metrics: [{key: purchases, event: purchase, measure: count, better: higher}]
experiments:
  - key: button
    flag: button
    unit: user
    start: 2026-03-02
    variations: [{key: control, weight: 1, baseline: true}, {key: green, weight: 1}]
    metrics: {primary: [purchases]}
`)
	opts := job.Options{Paths: []string{filepath.Join(dir, "metrics.yaml")}, Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Threads: 1}
	attach := "ATTACH IF NOT EXISTS '" + file + "' AS \"shop\" (READ_ONLY);"
	script, err := job.Compile(t.Context(), opts, job.EmitSQL)
	if err != nil {
		t.Fatal(err)
	}
	query, err := job.ExplainSQL(t.Context(), opts, "button", "purchases", job.Slice{})
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"compile": script, "explain": query} {
		if strings.Count(text, attach) != 1 {
			t.Errorf("%s does not print %s once:\n%s", what, attach, text)
		}
		statements := strings.ReplaceAll(text, "SET TimeZone = 'UTC';\n", "") // the engine is locked, and has it so
		if err := openEngine(t, dir).Exec(t.Context(), statements); err != nil {
			t.Errorf("%s: %v\n%s", what, err, text)
		}
	}
}

// BenchmarkCompileManyMetrics reads, checks and compiles a file of 300 metrics of
// all kinds, each in 20 experiments: to take less than half a second, the look at
// the files' footers included.
func BenchmarkCompileManyMetrics(b *testing.B) {
	dir := b.TempDir()
	e := openEngine(b, dir)
	for _, statement := range []string{
		"COPY (SELECT 'u1' AS user_id, 'e0' AS experiment, 'control' AS variation, TIMESTAMP '2026-03-02 10:00:00' AS ts) TO '" + dir + "/decisions.parquet'",
		"COPY (SELECT 'u1' AS user_id, 'a' AS event, TIMESTAMP '2026-03-02 11:00:00' AS ts, 2.5::DECIMAL(18, 2) AS amount, {category: 'toys', price: 2.5} AS props) TO '" + dir + "/orders.parquet'",
	} {
		if err := e.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	file := filepath.Join(dir, "metrics.yaml")
	writeFile(b, file, manyDefinitions(300, 20))
	opts := job.Options{Paths: []string{file}, Now: time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC), Version: "bench", TempDir: dir}
	for b.Loop() {
		script, err := job.Compile(b.Context(), opts, job.EmitSQL)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(script))/1e6, "MB")
	}
}

// manyDefinitions are metrics of ten kinds, of different events and windows,
// all in each of the experiments.
func manyDefinitions(metrics, experiments int) string {
	var text strings.Builder
	text.WriteString(`version: 1
sources:
  impressions: [{name: decisions, path: decisions.parquet, columns: {units: {user: user_id}, experiment: experiment, variation: variation, timestamp: ts}}]
  events: [{name: orders, path: orders.parquet, columns: {units: {user: user_id}, event: event, value: amount, properties: props, timestamp: ts}}]
events:
  registry: closed
  list:
`)
	events := strings.Split("abcdefghij", "")
	for _, event := range events {
		fmt.Fprintf(&text, "    - {key: %s, properties: {category: string, price: number}}\n", event)
	}
	kinds := []string{
		"event: %s, measure: occurrence, window: %s",
		"event: %s, measure: count, window: %s, where: 'category == \"toys\"'",
		"event: %s, measure: value, window: %s",
		"event: %s, measure: value, value: price * 2, decimals: 2, per_unit: average, units_without_events: exclude, window: %s",
		"event: %s, measure: value, window: %s, winsorize: {upper: 0.99}",
		"event: %s, measure: value, window: %s, statistic: p95, units_without_events: exclude",
		"event: %s, measure: active_days, window: %s",
		"event: %s, measure: count, window: %s, threshold: {at_least: 3}",
		"ratio: {numerator: {event: %s, measure: value, window: %s}, denominator: {event: a, measure: count}}",
		"funnel: {steps: [{event: %s}, {event: b}, {event: c}]}, window: %s",
	}
	text.WriteString("metrics:\n")
	var keys []string
	for i := range metrics {
		keys = append(keys, fmt.Sprintf("m%d", i))
		body := fmt.Sprintf(kinds[i%len(kinds)], events[i/len(kinds)%len(events)], fmt.Sprintf("%dh", 24*(1+i/(len(kinds)*len(events)))))
		fmt.Fprintf(&text, "  - {key: m%d, better: higher, %s}\n", i, body)
	}
	fmt.Fprintf(&text, "metric_groups:\n  all: [%s]\nexperiments:\n", strings.Join(keys, ", "))
	for i := range experiments {
		fmt.Fprintf(&text, "  - {key: e%d, flag: f%d, unit: user, start: 2026-03-02, end: 2026-03-16, variations: [{key: control, weight: 1, baseline: true}, {key: green, weight: 1}], metrics: {primary: [m0], secondary: [all]}}\n", i, i)
	}
	return text.String()
}
