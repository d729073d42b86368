package job_test

import (
	"fmt"
	"maps"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/metrics"
)

// The laws of docs/semantics.md, section 10: what must not matter, does not.
// The tables of two runs are compared as rows of text. Laws that hold for
// whatever is drawn are in laws_drawn_test.go; those about how the rows are
// read in laws_reading_test.go, and those about sums in laws_sums_test.go, both
// on a generated warehouse that has no ties and no rounding.

// resultTables are the tables that the laws are about.
var resultTables = []string{"results", "moments", "exposures"}

// unstable are the columns that may differ between runs of the same thing.
var unstable = []string{"run_id", "started", "seconds", "peak_memory"}

// tableRows gives the rows of the named tables as text, but for those that
// keep, where given, refuses, and without the columns in but. Without names it
// takes all tables.
func tableRows(r *job.Result, names []string, keep func(t metrics.Table, row []any) bool, but ...string) []string {
	var out []string
	for _, t := range r.Tables.All() {
		if len(names) > 0 && !slices.Contains(names, t.Name) {
			continue
		}
		for _, row := range t.Rows {
			if keep != nil && !keep(t, row) {
				continue
			}
			line := t.Name + ":"
			for i, c := range t.Columns {
				if !slices.Contains(unstable, c.Name) && !slices.Contains(but, c.Name) {
					line += " " + c.Name + "=" + cellText(row[i])
				}
			}
			out = append(out, line)
		}
	}
	return out
}

// having keeps the rows with a text in a column, and tables without it.
func having(column, text string) func(metrics.Table, []any) bool {
	return func(t metrics.Table, row []any) bool {
		i := t.Column(column)
		return i < 0 || row[i] == text
	}
}

// lawful are definitions over a generated warehouse: experiments with the
// same units, windows of all forms, numbers of units of all forms, ratios.
const lawful = `version: 1
sources:
  impressions:
    - {name: decisions, path: decisions.parquet, columns: {units: {user: user_id}, experiment: experiment, variation: variation, timestamp: ts, attributes: attrs}}
  events:
    - {name: orders, path: 'orders/ds=*/*.parquet', partition: {column: ds}, columns: {units: {user: user_id}, event: event, timestamp: ts, value: amount, properties: props, weight: weight}}
metrics:
  - {key: purchase_rate, event: purchase, measure: occurrence, better: higher}
  - {key: contacts, event: [purchase, refund], measure: count, better: higher}
  - {key: revenue, event: purchase, measure: value, better: higher}
  - {key: revenue_12h, like: revenue, window: 12h}
  - {key: books, like: revenue, where: 'properties.category == "books"'}
  - {key: second_day, like: revenue, window: {from: 1d, to: 2d}}
  - {key: around, like: revenue, window: {from: -1h, to: 1h}}
  - {key: buyers_revenue, like: revenue, units_without_events: exclude}
  - {key: average, like: revenue, per_unit: average, units_without_events: exclude}
  - {key: per_visit, ratio: {numerator: revenue, denominator: {event: visit, measure: count}}, better: higher}
  - {key: per_purchase, ratio: {numerator: revenue, denominator: {event: purchase, measure: count}}, units_without_events: exclude, better: higher}
  - {key: largest, like: revenue, per_unit: max, units_without_events: zero}
  - {key: first_revenue, like: revenue, per_unit: first, units_without_events: exclude}
  - {key: recent, like: revenue, window: {lookback: 1d}}
  - {key: regulars, event: any, measure: count, threshold: {at_least: 3}, better: higher}
  - {key: days, event: any, measure: active_days, better: higher}
  - {key: present, event: visit, measure: participation, better: higher}
  - {key: shown, event: impression, measure: count, better: higher}
metric_groups: {all: [contacts, revenue, revenue_12h, books, second_day, around, buyers_revenue, average, per_visit, per_purchase,
  largest, first_revenue, recent, regulars, days, present, shown]}
experiments:
  - key: button
    flag: button
    unit: user
    start: 2026-03-03
    end: 2026-03-05
    variations: [{key: control, weight: 1, baseline: true}, {key: green, weight: 1}]
    metrics: {primary: [purchase_rate], secondary: [all]}
    segments: [country]
  - key: button_alone
    flag: button
    match: {experiment: button}
    unit: user
    start: 2026-03-03
    end: 2026-03-05
    multiple_variations: each
    exclude_units_in: [late_banner]
    variations: [{key: control, weight: 1, baseline: true}, {key: green, weight: 1}]
    metrics: {primary: [purchase_rate], secondary: [all]}
  - key: late_banner
    flag: banner
    match: {experiment: banner}
    unit: user
    start: 2026-03-05
    activation: {event: visit, where: 'properties.category == "books"'}
    variations: [{key: control, weight: 1, baseline: true}, {key: green, weight: 1}]
    metrics: {primary: [purchase_rate], secondary: [all]}
  - key: banner
    flag: banner
    unit: user
    start: 2026-03-02T12:00:00Z
    multiple_variations: first
    variations: [{key: control, weight: 1, baseline: true}, {key: green, weight: 1}]
    metrics: {primary: [purchase_rate], secondary: [all]}
`

// writeLawful writes the generated warehouse: each unit sees each experiment
// twice, one in ten of them another variation the second time; the events are
// spread over more days than the experiments have, a fifth of them of units
// that are never exposed, in the partition of the day before up to that of two
// days after. The attribute who is the unit itself.
func writeLawful(t *testing.T, dir string, units, events int) {
	t.Helper()
	writeFile(t, filepath.Join(dir, "metrics.yaml"), lawful)
	execute(t, dir,
		fmt.Sprintf(`COPY (
			SELECT 'u' || u AS user_id, experiment,
				CASE (hash(u, experiment) %% 2 + CASE WHEN again = 1 AND hash(u, experiment, 1) %% 10 = 0 THEN 1 ELSE 0 END) %% 2 WHEN 0 THEN 'control' ELSE 'green' END AS variation,
				TIMESTAMP '2026-03-02' + to_microseconds(CAST(hash(u, experiment, again, 2) %% 345600000000 AS BIGINT)) AS ts,
				MAP {'country': ['DE', 'CH', 'AT'][1 + CAST(hash(u, 3) %% 3 AS INTEGER)], 'who': 'u' || u} AS attrs
			FROM range(%d) t(u), (VALUES ('button'), ('banner')) e(experiment), range(2) a(again)
		) TO 'DIR/decisions.parquet' (FORMAT parquet)`, units),
		fmt.Sprintf(`COPY (
			SELECT * EXCLUDE (i), CAST(ts AS DATE) + CAST(hash(i, 5) %% 4 AS INTEGER) - 1 AS ds FROM (
				SELECT i, 'u' || (hash(i) %% %d) AS user_id,
					['purchase', 'visit', 'refund'][1 + CAST(hash(i, 1) %% 3 AS INTEGER)] AS event,
					TIMESTAMP '2026-02-28' + to_microseconds(CAST(hash(i, 2) %% 864000000000 AS BIGINT)) AS ts,
					CAST(CAST(hash(i, 3) %% 100000 AS BIGINT) * 0.01 AS DECIMAL(18, 2)) AS amount,
					MAP {'category': ['books', 'toys'][1 + CAST(hash(i, 4) %% 2 AS INTEGER)]} AS props,
					1 + CAST(hash(i, 6) %% 3 AS BIGINT) AS weight
				FROM range(%d) t(i)
			)
		) TO 'DIR/orders' (FORMAT parquet, PARTITION_BY (ds))`, units*5/4, events))
}

// execute runs statements in which DIR is the folder.
func execute(t *testing.T, dir string, statements ...string) {
	t.Helper()
	e := openEngine(t, dir)
	for _, sql := range statements {
		if err := e.Exec(t.Context(), strings.ReplaceAll(sql, "DIR/", dir+"/")); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// runLawful runs the definitions of a generated warehouse with texts replaced,
// and the options changed.
func runLawful(t *testing.T, dir string, change func(*job.Options), replace ...string) *job.Result {
	t.Helper()
	definitions := filepath.Join(dir, "changed.yaml")
	text := strings.NewReplacer(replace...).Replace(lawful)
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(lawful, replace[i]) {
			t.Fatalf("the definitions have no %s", replace[i])
		}
	}
	writeFile(t, definitions, text)
	opts := job.Options{
		Paths: []string{definitions}, AsOf: time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC), Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
		Version: "test", Threads: 2, TempDir: dir,
	}
	if change != nil {
		change(&opts)
	}
	r, err := job.Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// cellKey is what moments are of.
type cellKey struct{ experiment, metric, part, segment, value, variation string }

// numbers are the numbers of a row of moments that add up over units.
type numbers map[string]*big.Rat

func momentsOf(r *job.Result) map[cellKey]numbers {
	out := map[cellKey]numbers{}
	for _, m := range r.Tables.Moments {
		n := numbers{}
		for name, v := range map[string]int64{"exposed": m.Exposed, "units": m.Units, "units_with_event": m.WithEvent, "events": m.Events} {
			n[name] = new(big.Rat).SetInt64(v)
		}
		for name, v := range map[string]*string{
			"sum": &m.Sum, "sum_sq": &m.SumSq, "den_sum": m.DenSum, "den_sum_sq": m.DenSumSq, "sum_den": m.SumDen,
			"pre_sum": m.PreSum, "pre_sum_sq": m.PreSumSq, "sum_pre": m.SumPre,
		} {
			if v != nil {
				n[name], _ = new(big.Rat).SetString(*v)
			}
		}
		step := int64(0)
		if m.Step != nil {
			step = *m.Step
		}
		out[cellKey{m.Experiment, m.Metric, partText(step, m.Split), m.Segment, m.SegmentValue, m.Variation}] = n
	}
	return out
}

// momentRows writes numbers as text, in order.
func momentRows(cells map[cellKey]numbers) []string {
	var out []string
	for k, n := range cells {
		line := fmt.Sprint(k)
		for _, name := range slices.Sorted(maps.Keys(n)) {
			line += " " + name + "=" + n[name].RatString()
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}
