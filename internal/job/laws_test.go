package job_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/internal/oracle/gen"
	"github.com/metricsjob/metricsjob/metrics"
)

// The laws of docs/semantics.md, section 10: what must not matter, does not.
// The tables of two runs are compared as rows of text. Laws that hold for
// whatever is drawn are in TestLawsOfDrawnCases; the others are tested on a
// generated warehouse that has no ties and no rounding.

// resultTables are the tables that the laws are about.
var resultTables = []string{"results", "moments", "exposures"}

// unstable are the columns that may differ between runs of the same thing.
var unstable = []string{"run_id", "started", "seconds", "peak_memory"}

// tableRows gives the rows of the named tables as text, but for those that
// keep, where given, refuses. Without names it takes all tables.
func tableRows(r *job.Result, names []string, keep func(t metrics.Table, row []any) bool) []string {
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
				if !slices.Contains(unstable, c.Name) {
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

// check checks a property of n cases, or of as many as -rapid.checks says.
func check(t *testing.T, n int, property func(*rapid.T)) {
	f := flag.Lookup("rapid.checks")
	if f.Value.String() == f.DefValue {
		if err := f.Value.Set(strconv.Itoa(n)); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Value.Set(f.DefValue) }()
	}
	rapid.Check(t, property)
}

// drawnLaw is a change of the files of a case, or of how it is run, that must
// not matter.
type drawnLaw struct {
	name   string
	files  func(*rapid.T, *gen.Case)                                // nil: the same files
	run    func(*rapid.T, *gen.Case, *job.Options)                  // nil: run alike
	tables []string                                                 // tables to compare; none: all
	rows   func(*job.Options) func(t metrics.Table, row []any) bool // rows to compare; nil: all
}

var drawnLaws = []drawnLaw{
	{name: "one thread", run: func(_ *rapid.T, _ *gen.Case, opts *job.Options) { opts.Threads = 1 }},
	{
		name: "files renamed and split, rows shuffled", files: scatter,
		tables: []string{"results", "moments", "exposures", "health", "errors", "metrics", "experiments", "variations"},
	},
	{
		name: "one experiment alone", tables: resultTables,
		run: func(t *rapid.T, c *gen.Case, opts *job.Options) {
			opts.Experiments = []string{rapid.SampledFrom(keysIn(c.YAML, "exp_")).Draw(t, "experiment")}
		},
		rows: func(opts *job.Options) func(metrics.Table, []any) bool {
			return having("experiment", opts.Experiments[0])
		},
	},
	{
		name: "one metric alone", tables: resultTables,
		run: func(t *rapid.T, c *gen.Case, opts *job.Options) {
			opts.Metrics = []string{rapid.SampledFrom(keysIn(c.YAML, "m")).Draw(t, "metric")}
		},
		rows: func(opts *job.Options) func(metrics.Table, []any) bool { return having("metric", opts.Metrics[0]) },
	},
	{name: "events of strangers, and of long before", files: addUselessEvents, tables: resultTables},
	{name: "rows with ids copied", files: copyRows, tables: resultTables},
}

func TestLawsOfDrawnCases(t *testing.T) {
	dir := t.TempDir()
	files := newBench(t, dir)
	defer files.close()
	n := 0
	check(t, 3, func(rt *rapid.T) {
		c := gen.Draw(rt)
		write := func(c *gen.Case) []string {
			n++
			return []string{writeFiles(t, files.engine, filepath.Join(dir, fmt.Sprint(n)), c)}
		}
		opts := job.Options{Paths: write(c), Now: c.Input.Now, Version: "test", Threads: 2, TempDir: dir}
		if c.Input.AsOf != nil {
			opts.AsOf = *c.Input.AsOf
		}
		base, err := job.Run(context.Background(), opts)
		if refused := (diag.List{}); errors.As(err, &refused) {
			rt.Skip("asks for what this version, or the sources, do not have")
		}
		if err != nil {
			rt.Fatalf("run: %v\n%s", err, c)
		}
		opts.AsOf = base.AsOf // the laws hold at a fixed as-of
		for _, law := range drawnLaws {
			opts := opts
			if law.files != nil {
				changed := &gen.Case{YAML: c.YAML, Tables: slices.Clone(c.Tables)}
				law.files(rt, changed)
				opts.Paths = write(changed)
			}
			if law.run != nil {
				law.run(rt, c, &opts)
			}
			r, err := job.Run(context.Background(), opts)
			if err != nil {
				rt.Fatalf("%s: %v\n%s", law.name, err, c)
			}
			var keep func(metrics.Table, []any) bool
			if law.rows != nil {
				keep = law.rows(&opts)
			}
			if d := cmp.Diff(tableRows(base, law.tables, keep), tableRows(r, law.tables, keep)); d != "" {
				rt.Fatalf("%s (-before +after)\n%s\n%s", law.name, d, c)
			}
		}
	})
}

// keysIn are the keys of the definitions that begin with the prefix, which
// drawn ones go on from with a letter or a digit.
func keysIn(yaml, prefix string) []string {
	var out []string
	for line := range strings.Lines(yaml) {
		key, ok := strings.CutPrefix(strings.TrimSpace(line), "- key: "+prefix)
		if ok && len(key) == 1 {
			out = append(out, prefix+key)
		}
	}
	return out
}

// scatter shuffles the rows of each file and writes them to one to three
// files of other names.
func scatter(t *rapid.T, c *gen.Case) {
	var out []gen.Table
	for _, table := range c.Tables {
		folder := path.Dir(table.Path)
		if folder == "." { // decisions.parquet becomes decisions/*.parquet
			folder = strings.TrimSuffix(table.Path, ".parquet")
			c.YAML = strings.ReplaceAll(c.YAML, "path: '"+table.Path+"'", "path: '"+folder+"/*.parquet'")
		}
		rows := rapid.Permutation(table.Rows).Draw(t, "rows")
		files := rapid.IntRange(1, min(3, len(rows))).Draw(t, "files")
		for i := range files {
			part := table
			part.Path = path.Join(folder, fmt.Sprintf("z%d.parquet", files-i))
			part.Rows = rows[i*len(rows)/files : (i+1)*len(rows)/files]
			out = append(out, part)
		}
	}
	c.Tables = out
}

// addUselessEvents adds to each event the same of units that were never
// exposed, and the same three weeks before every experiment, which is beyond
// any negative window that is drawn.
func addUselessEvents(_ *rapid.T, c *gen.Case) {
	long := time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC)
	var out []gen.Table
	for _, table := range c.Tables {
		if !hasColumn(table, "event_name") {
			out = append(out, table)
			continue
		}
		strangers, before := table, table
		strangers.Rows = slices.Clone(table.Rows)
		before.Rows = nil
		for _, row := range table.Rows {
			stranger, early := slices.Clone(row), slices.Clone(row)
			for i, column := range table.Columns {
				switch {
				case strings.HasSuffix(column.Name, "_id") && row[i] != nil && row[i] != "":
					stranger[i] = "stranger " + row[i].(string)
				case column.Name == "ts":
					early[i] = instantCell(long, column.Type)
				}
			}
			strangers.Rows = append(strangers.Rows, stranger)
			before.Rows = append(before.Rows, early)
		}
		before.Path = path.Join(path.Dir(table.Path), "before.parquet")
		if folder := path.Dir(path.Dir(table.Path)); folder != "." {
			before.Path = path.Join(folder, "ds="+long.Format(time.DateOnly), path.Base(path.Dir(table.Path))+".parquet")
			out = append(out, strangers, before)
			continue
		}
		strangers.Rows = append(strangers.Rows, before.Rows...)
		out = append(out, strangers)
	}
	c.Tables = out
}

func hasColumn(table gen.Table, name string) bool {
	return slices.ContainsFunc(table.Columns, func(c gen.Column) bool { return c.Name == name })
}

// instantCell is an instant as a cell of a column of a drawn table.
func instantCell(at time.Time, columnType string) any {
	switch columnType {
	case "TIMESTAMP":
		return at
	case "TIMESTAMPTZ":
		return at.Format("2006-01-02 15:04:05.000000") + "+00"
	case "BIGINT":
		return at.UnixMicro()
	case "VARCHAR":
		return at.Format(time.RFC3339Nano)
	}
	panic("no instants of type " + columnType)
}

// copyRows adds a copy of every row that has an id, in sources in which rows
// with equal ids are one.
func copyRows(t *rapid.T, c *gen.Case) {
	file, err := os.CreateTemp("", "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(file.Name())
	if _, err := file.WriteString(c.YAML); err != nil {
		t.Fatal(err)
	}
	file.Close()
	defs, list, err := metrics.Load([]string{file.Name()}, metrics.LoadOptions{})
	if err != nil || list.HasErrors() {
		t.Fatal(err, list)
	}
	byID := map[string]bool{}
	for _, s := range slices.Concat(defs.Sources.Impressions, defs.Sources.Events) {
		byID[s.Name.V] = s.Dedupe.V == metrics.DedupeID
	}
	for i, table := range c.Tables {
		name, _, _ := strings.Cut(strings.TrimSuffix(table.Path, ".parquet"), "/")
		if !byID[name] {
			continue
		}
		rows := slices.Clone(table.Rows)
		for _, row := range table.Rows {
			if hasID(table, row) {
				rows = append(rows, row)
			}
		}
		c.Tables[i].Rows = rows
	}
}

func hasID(table gen.Table, row []any) bool {
	found := false
	for i, column := range table.Columns {
		if strings.HasPrefix(column.Name, "id_") {
			found = true
			if row[i] == nil || row[i] == "" {
				return false
			}
		}
	}
	return found
}

// lawful are definitions over a generated warehouse: two experiments with the
// same units, windows of all forms, an average, ratios.
const lawful = `version: 1
sources:
  impressions:
    - {name: decisions, path: decisions.parquet, columns: {units: {user: user_id}, experiment: experiment, variation: variation, timestamp: ts, attributes: attrs}}
  events:
    - {name: orders, path: 'orders/ds=*/*.parquet', partition: {column: ds}, columns: {units: {user: user_id}, event: event, timestamp: ts, value: amount, properties: props}}
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
metric_groups: {all: [contacts, revenue, revenue_12h, books, second_day, around, buyers_revenue, average, per_visit, per_purchase]}
experiments:
  - key: button
    flag: button
    unit: user
    start: 2026-03-03
    end: 2026-03-05
    variations: [{key: control, weight: 1, baseline: true}, {key: green, weight: 1}]
    metrics: {primary: [purchase_rate], secondary: [all]}
    segments: [country]
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
					MAP {'category': ['books', 'toys'][1 + CAST(hash(i, 4) %% 2 AS INTEGER)]} AS props
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

// TestLawMemoryAndThreads: the same tables, whether the events are read in one
// pass or in several, and with one thread as with two.
func TestLawMemoryAndThreads(t *testing.T) {
	dir := t.TempDir()
	writeLawful(t, dir, 60_000, 120_000)
	passes := func(steps *int) func(job.Progress) {
		return func(p job.Progress) {
			if strings.Contains(p.Step, "one pass over source orders") {
				*steps++
			}
		}
	}
	var once, often int
	want := tableRows(runLawful(t, dir, func(o *job.Options) { o.Progress = passes(&once) }), nil, nil)
	small := runLawful(t, dir, func(o *job.Options) { o.Memory, o.Progress = 96<<20, passes(&often) })
	if once != 1 || often < 2 {
		t.Errorf("%d passes with the machine's memory, %d with little; want 1 and several", once, often)
	}
	if d := cmp.Diff(want, tableRows(small, nil, nil)); d != "" {
		t.Errorf("little memory (-enough +little):\n%s", d)
	}
	single := runLawful(t, dir, func(o *job.Options) { o.Threads = 1 })
	if d := cmp.Diff(want, tableRows(single, nil, nil)); d != "" {
		t.Errorf("threads (-two +one):\n%s", d)
	}
}

// TestLawPruning: the same tables, whether files are pruned by their days or
// all are read, as partitions or as files like any others.
func TestLawPruning(t *testing.T) {
	dir := t.TempDir()
	writeLawful(t, dir, 500, 5000)
	want := tableRows(runLawful(t, dir, nil), resultTables, nil)
	for name, partition := range map[string]string{
		"nothing pruned": "partition: {column: ds, early: 400d, late: 400d}, ",
		"no partitions":  "",
	} {
		got := tableRows(runLawful(t, dir, nil, "partition: {column: ds}, ", partition), resultTables, nil)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-pruned +%s):\n%s", name, name, d)
		}
	}
}

// cellKey is what moments are of.
type cellKey struct{ experiment, metric, segment, value, variation string }

// numbers are the numbers of a row of moments that add up over units.
type numbers map[string]*big.Rat

func momentsOf(r *job.Result) map[cellKey]numbers {
	out := map[cellKey]numbers{}
	for _, m := range r.Tables.Moments {
		n := numbers{}
		for name, v := range map[string]int64{"exposed": m.Exposed, "units": m.Units, "units_with_event": m.WithEvent, "events": m.Events} {
			n[name] = new(big.Rat).SetInt64(v)
		}
		for name, v := range map[string]*string{"sum": &m.Sum, "sum_sq": &m.SumSq, "den_sum": m.DenSum, "den_sum_sq": m.DenSumSq, "sum_den": m.SumDen} {
			if v != nil {
				n[name], _ = new(big.Rat).SetString(*v)
			}
		}
		out[cellKey{m.Experiment, m.Metric, m.Segment, m.SegmentValue, m.Variation}] = n
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

// TestLawRelabelling: variations by other names have the same numbers.
func TestLawRelabelling(t *testing.T) {
	dir := t.TempDir()
	writeLawful(t, dir, 500, 5000)
	execute(t, dir, `COPY (
		SELECT * REPLACE (CASE variation WHEN 'control' THEN 'green' ELSE 'control' END AS variation) FROM 'DIR/decisions.parquet'
	) TO 'DIR/relabelled.parquet' (FORMAT parquet)`)
	other := map[string]string{"control": "green", "green": "control"}
	want := map[cellKey]numbers{}
	for k, n := range momentsOf(runLawful(t, dir, nil)) {
		k.variation = other[k.variation]
		want[k] = n
	}
	got := momentsOf(runLawful(t, dir, nil, "decisions.parquet", "relabelled.parquet"))
	if d := cmp.Diff(momentRows(want), momentRows(got)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestLawScaling: values a thousand times as large have totals a thousand
// times as large, and squares a million times, to the digit. Averages are
// rounded, so they are apart.
func TestLawScaling(t *testing.T) {
	dir := t.TempDir()
	writeLawful(t, dir, 500, 5000)
	execute(t, dir, `COPY (
		SELECT * REPLACE (amount * 1000 AS amount) FROM read_parquet('DIR/orders/*/*.parquet', hive_partitioning = true)
	) TO 'DIR/scaled' (FORMAT parquet, PARTITION_BY (ds))`)
	power := map[string]int64{"sum": 1000, "sum_sq": 1_000_000, "sum_den": 1000}
	inValues := func(metric string) bool { return metric != "purchase_rate" && metric != "contacts" }
	want, got := momentsOf(runLawful(t, dir, nil)), momentsOf(runLawful(t, dir, nil, "'orders/ds=", "'scaled/ds="))
	for k, n := range want {
		if k.metric == "average" {
			delete(want, k)
			delete(got, k)
			continue
		}
		for name, by := range power {
			if n[name] != nil && inValues(k.metric) {
				n[name].Mul(n[name], new(big.Rat).SetInt64(by))
			}
		}
	}
	if d := cmp.Diff(momentRows(want), momentRows(got)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestLawDisjointUnits: the sums of three parts of the units add up to the
// sums of all.
func TestLawDisjointUnits(t *testing.T) {
	dir := t.TempDir()
	writeLawful(t, dir, 500, 5000)
	want := momentsOf(runLawful(t, dir, nil))
	got := map[cellKey]numbers{}
	for part := range 3 {
		name := fmt.Sprintf("part%d.parquet", part)
		execute(t, dir, fmt.Sprintf(`COPY (FROM 'DIR/decisions.parquet' WHERE hash(user_id) %% 3 = %d) TO 'DIR/%s' (FORMAT parquet)`, part, name))
		for k, n := range momentsOf(runLawful(t, dir, nil, "decisions.parquet", name)) {
			if got[k] == nil {
				got[k] = n
				continue
			}
			for column, v := range n {
				got[k][column].Add(got[k][column], v)
			}
		}
	}
	if d := cmp.Diff(momentRows(want), momentRows(got)); d != "" {
		t.Errorf("(-all +parts):\n%s", d)
	}
}

// TestLawWiderWindows: for each unit, which is a segment of its own here, a
// wider window never has fewer rows, a smaller sum, or no occurrence where the
// narrower one has.
func TestLawWiderWindows(t *testing.T) {
	dir := t.TempDir()
	writeLawful(t, dir, 40, 400)
	windows := []string{"1h", "12h", "3d", "{from: -1d, to: 3d}", "{from: -2d, to: 5d}"}
	var defs, group strings.Builder
	for i, w := range windows {
		fmt.Fprintf(&defs, "  - {key: occurrence_%d, event: purchase, measure: occurrence, window: %s, better: higher}\n", i, w)
		fmt.Fprintf(&defs, "  - {key: count_%d, event: purchase, measure: count, window: %s, better: higher}\n", i, w)
		fmt.Fprintf(&defs, "  - {key: sum_%d, event: purchase, measure: value, window: %s, better: higher}\n", i, w)
		fmt.Fprintf(&group, ", occurrence_%d, count_%d, sum_%d", i, i, i)
	}
	cells := momentsOf(runLawful(t, dir, nil, "metric_groups:", defs.String()+"metric_groups:", "average, per_visit, per_purchase]}",
		"average, per_visit, per_purchase"+group.String()+"]}", "segments: [country]", "segments: [who]"))
	grew := 0
	for k, n := range cells {
		kind, number, _ := strings.Cut(k.metric, "_")
		i, err := strconv.Atoi(number)
		if err != nil || i == 0 {
			continue
		}
		narrower := k
		narrower.metric = fmt.Sprintf("%s_%d", kind, i-1)
		switch n["sum"].Cmp(cells[narrower]["sum"]) {
		case -1:
			t.Errorf("%v: %s in the window %s, but %s in %s", k, n["sum"].RatString(), windows[i], cells[narrower]["sum"].RatString(), windows[i-1])
		case 1:
			grew++
		}
	}
	if grew < len(windows) {
		t.Errorf("only %d cells grew with the window, so the test shows nothing", grew)
	}
}
