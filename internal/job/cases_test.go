package job_test

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/export"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

var update = flag.Bool("update", false, "rewrite the derived sections (plan, duckdb.sql) of the cases")

// TestCases runs the cases of testdata/cases. A case is one file that reads
// from top to bottom:
//
//	metrics.yaml   the definitions; sources are NAME.parquet
//	options        as_of, memory, experiment, metric and waterfall, one a line (optional)
//	NAME.csv       the rows of a source, written as NAME.parquet; the header gives column:TYPE
//	files/NAME     a file of a source, written as it stands
//	plan           derived: the plan in experiment words
//	duckdb.sql     derived: the statements (where a case is about them)
//	check.sql      hand-written SQL that must give the rows of want.csv (optional)
//	want.csv       rows of the table moments, the columns that its header names
//	results.csv    the same of the table results (optional)
//	exposures.csv  the same of the table exposures (optional)
//	health.csv     the same of the table health (optional): rows that must be there
//	verdicts.csv   the same of the table verdicts (optional)
//	waterfall.csv  the same of the table waterfall (optional)
//	waterfall_some.csv  rows of it that must be there (optional)
//	errors.csv     the same of the table errors (optional)
//	refused        in place of these: the mistakes for which nothing is computed
//
// -update rewrites what is derived, and never what is wanted. Floating numbers
// of results and health may differ from what is wanted by a relative 1e-12, so
// that they can be written down from other tools.
func TestCases(t *testing.T) {
	eachCase(t, "testdata/cases", (*testCase).run)
}

// eachCase opens the cases of a folder, and gives each to f in a test of its own.
func eachCase(t *testing.T, folder string, f func(*testCase)) {
	files, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			f(openCase(t, file))
		})
	}
}

// openCase reads a case and writes its sources and definitions into a folder of its own.
func openCase(t *testing.T, file string) *testCase {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &testCase{t: t, file: file, dir: t.TempDir(), archive: a}
	c.writeInputs()
	return c
}

func (c *testCase) run() {
	opts := c.options()
	result, err := job.Run(c.t.Context(), opts)
	if want, ok := c.section("refused"); ok {
		c.refused(want, err)
		return
	}
	if err != nil {
		c.t.Fatalf("run: %v", err)
	}
	for _, s := range resultSections {
		c.compare(s, result.Tables.All())
	}
	formats := []export.Format{export.CSV}
	if name := filepath.Base(c.file); strings.HasPrefix(name, "phases") || strings.HasPrefix(name, "margin") {
		formats = append(formats, export.Parquet, export.JSONL)
	}
	statsAgain(c.t, &result.Tables, formats...)
	c.checkSQL()
	c.derived("plan", func() (string, error) { return job.Compile(c.t.Context(), opts, job.EmitPlan) })
	c.derived("duckdb.sql", func() (string, error) { return job.Compile(c.t.Context(), opts, job.EmitSQL) })
	if *update && c.changed {
		if err := os.WriteFile(c.file, txtar.Format(c.archive), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
}

// refused compares the mistakes that a run was refused for.
func (c *testCase) refused(want string, err error) {
	c.t.Helper()
	var list diag.List
	if !errors.As(err, &list) {
		c.t.Fatalf("not refused: %v", err)
	}
	var got strings.Builder
	for _, d := range list.Sorted() {
		fmt.Fprintf(&got, "%d:%d: %s\n", d.Pos.Line, d.Pos.Col, d.Message)
		if d.Hint != "" {
			fmt.Fprintf(&got, "    hint: %s\n", d.Hint)
		}
	}
	if d := cmp.Diff(want, got.String()); d != "" {
		c.t.Errorf("refused (-want +got):\n%s\n%s", d, got.String())
	}
}

// resultSection is a section with wanted rows of a result table.
type resultSection struct {
	name, table string
	whole       bool        // all rows of the table are wanted, in order
	cells       cmp.Options // how cells are compared; nil: as text
}

var resultSections = []resultSection{
	{"want.csv", "moments", true, nil},
	{"results.csv", "results", true, cmp.Options{nearlyEqual}},
	{"exposures.csv", "exposures", true, nil},
	{"verdicts.csv", "verdicts", true, nil},
	{"errors.csv", "errors", true, nil},
	{"waterfall.csv", "waterfall", true, nil},
	{"waterfall_some.csv", "waterfall", false, nil},
	{"health.csv", "health", false, cmp.Options{nearlyEqual}},
}

type testCase struct {
	t       *testing.T
	file    string // that it is read from
	dir     string // that its sources and definitions are written to
	archive *txtar.Archive
	changed bool
}

func (c *testCase) section(name string) (string, bool) {
	for _, f := range c.archive.Files {
		if f.Name == name {
			return string(f.Data), true
		}
	}
	return "", false
}

func (c *testCase) options() job.Options {
	opts := job.Options{Paths: []string{filepath.Join(c.dir, "metrics.yaml")}, Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Version: "test", Threads: 2}
	text, _ := c.section("options")
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "as_of":
			at, err := time.Parse(time.RFC3339, value)
			if err != nil {
				c.t.Fatal(err)
			}
			opts.AsOf = at
		case "memory":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				c.t.Fatal(err)
			}
			opts.Memory = n
		case "experiment":
			opts.Experiments = append(opts.Experiments, value)
		case "waterfall":
			opts.Waterfall = true
		case "metric":
			opts.Metrics = append(opts.Metrics, value)
		default:
			c.t.Fatalf("no option %q", key)
		}
	}
	return opts
}

// writeInputs writes the definitions, and the rows as Parquet.
func (c *testCase) writeInputs() {
	writeFile(c.t, filepath.Join(c.dir, "metrics.yaml"), c.mustSection("metrics.yaml"))
	e := openEngine(c.t, c.dir)
	for _, f := range c.archive.Files {
		if strings.HasPrefix(f.Name, "files/") {
			writeFile(c.t, filepath.Join(c.dir, filepath.FromSlash(f.Name)), string(f.Data))
			continue
		}
		name, isCSV := strings.CutSuffix(f.Name, ".csv")
		if !isCSV || slices.ContainsFunc(resultSections, func(s resultSection) bool { return s.name == f.Name }) {
			continue
		}
		writeParquet(c.t, e, c.dir, name, string(f.Data))
	}
}

func (c *testCase) mustSection(name string) string {
	s, ok := c.section(name)
	if !ok {
		c.t.Fatalf("the case has no section %s", name)
	}
	return s
}

func openEngine(t testing.TB, dir string) *loaders.Engine {
	t.Helper()
	e, err := loaders.Open(context.Background(), loaders.Options{Threads: 2, TempDir: dir, AllowedPaths: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// writeParquet writes rows of CSV, whose header gives column:TYPE, as
// dir/name.parquet. An empty cell is NULL; "" in quotes cannot be told from
// it, so the word EMPTY stands for empty text.
func writeParquet(t *testing.T, e *loaders.Engine, dir, name, rows string) {
	t.Helper()
	csvPath := filepath.Join(dir, name+".rows.csv")
	header, _, _ := strings.Cut(rows, "\n")
	var items []string
	fields, err := csv.NewReader(strings.NewReader(header)).Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, column := range fields {
		col, typ, _ := strings.Cut(strings.TrimSpace(column), ":")
		items = append(items, fmt.Sprintf(`CAST(CASE WHEN "%s" = 'EMPTY' THEN '' ELSE "%s" END AS %s) AS "%s"`, column, column, typ, col))
	}
	writeFile(t, csvPath, rows)
	target := filepath.Join(dir, name+".parquet")
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		t.Fatal(err)
	}
	sql := fmt.Sprintf(`COPY (SELECT %s FROM read_csv('%s', all_varchar = true, header = true, nullstr = '', delim = ',', quote = '"', escape = '"')) TO '%s' (FORMAT parquet)`,
		strings.Join(items, ", "), csvPath, target)
	if err := e.Exec(t.Context(), sql); err != nil {
		t.Fatalf("write %s: %v", name, err)
	}
}

// compare compares the rows of a result table with a section, by the columns
// of the section's header.
func (c *testCase) compare(s resultSection, tables []metrics.Table) {
	c.t.Helper()
	text, ok := c.section(s.name)
	if !ok {
		return
	}
	want, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		c.t.Fatal(err)
	}
	table := tables[slices.IndexFunc(tables, func(t metrics.Table) bool { return t.Name == s.table })]
	var index []int
	for _, column := range want[0] {
		at := table.Column(column)
		if at < 0 {
			c.t.Fatalf("%s: table %s has no column %s", s.name, s.table, column)
		}
		index = append(index, at)
	}
	got := [][]string{want[0]}
	for _, row := range table.Rows {
		var cells []string
		for _, at := range index {
			cells = append(cells, cellText(row[at]))
		}
		got = append(got, cells)
	}
	if !s.whole {
		for _, row := range want[1:] {
			if !slices.ContainsFunc(got, func(g []string) bool { return cmp.Equal(row, g, s.cells) }) {
				c.t.Errorf("%s: no row %q in\n%s", s.name, row, lines(got))
			}
		}
		return
	}
	if d := cmp.Diff(want, got, s.cells); d != "" {
		c.t.Errorf("%s (-want +got):\n%s\n%s", s.name, d, lines(got))
	}
}

// nearlyEqual compares cells: as text, floating numbers with a tolerance.
var nearlyEqual = cmp.Comparer(func(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX != nil || errY != nil || !strings.ContainsAny(a+b, ".e") {
		return false
	}
	return math.Abs(x-y) <= 1e-12*max(math.Abs(x), math.Abs(y))
})

// lines writes rows as CSV, so that they can be read beside a case.
func lines(rows [][]string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.WriteAll(rows) // a Builder takes everything
	return b.String()
}

func cellText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case []string:
		return strings.Join(v, " ")
	case metrics.Reasons:
		return string(v.JSON())
	}
	return fmt.Sprint(v)
}

// checkSQL runs the hand-written SQL and compares its rows with want.csv.
func (c *testCase) checkSQL() {
	sql, ok := c.section("check.sql")
	if !ok {
		return
	}
	e := openEngine(c.t, c.dir)
	rows, err := e.Query(c.t.Context(), strings.ReplaceAll(sql, "DIR/", c.dir+"/"))
	if err != nil {
		c.t.Fatalf("check.sql: %v", err)
	}
	want, err := csv.NewReader(strings.NewReader(c.mustSection("want.csv"))).ReadAll()
	if err != nil {
		c.t.Fatal(err)
	}
	got := [][]string{rows.Columns}
	for _, row := range rows.Cells {
		var cells []string
		for _, v := range row {
			if r, ok := v.(*big.Rat); ok {
				v = strings.TrimRight(strings.TrimRight(r.FloatString(20), "0"), ".")
			}
			cells = append(cells, cellText(v))
		}
		got = append(got, cells)
	}
	if d := cmp.Diff(want, got); d != "" {
		c.t.Errorf("check.sql disagrees with want.csv (-want +check):\n%s", d)
	}
}

// derived compares a derived section, or rewrites it.
func (c *testCase) derived(name string, make func() (string, error)) {
	c.t.Helper()
	for i, f := range c.archive.Files {
		if f.Name != name {
			continue
		}
		got, err := make()
		if err != nil {
			c.t.Fatalf("%s: %v", name, err)
		}
		got = strings.ReplaceAll(got, c.dir, "DIR")
		// Where lines are broken depends on how long the name of the folder is.
		blank := func(text string) string { return strings.Join(strings.Fields(text), "") }
		if blank(got) == blank(string(f.Data)) {
			return
		}
		if *update {
			c.archive.Files[i].Data, c.changed = []byte(got), true
			return
		}
		c.t.Errorf("%s (-want +got; -update rewrites it):\n%s", name, cmp.Diff(string(f.Data), got))
	}
}
