package job_test

import (
	"context"
	"encoding/csv"
	"flag"
	"fmt"
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

	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

var update = flag.Bool("update", false, "rewrite the derived sections (plan, duckdb.sql) of the cases")

// TestCases runs the cases of testdata/cases. A case is one file that reads
// from top to bottom:
//
//	metrics.yaml   the definitions; sources are NAME.parquet
//	options        as_of, one a line (optional)
//	NAME.csv       the rows of a source; the header gives column:TYPE
//	plan           derived: the plan in experiment words
//	duckdb.sql     derived: the statements (where a case is about them)
//	check.sql      hand-written SQL that must give the rows of want.csv (optional)
//	want.csv       rows of the table moments, the columns that its header names
//	results.csv    the same of the table results (optional)
//	health.csv     the same of the table health (optional): rows that must be there
//	errors.csv     the same of the table errors (optional)
//
// -update rewrites what is derived, and never what is wanted.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/cases/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runCase(t, file)
		})
	}
}

func runCase(t *testing.T, file string) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := &testCase{t: t, dir: dir, archive: a}
	c.writeInputs()
	opts := c.options()
	result, err := job.Run(t.Context(), opts)
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	c.compare("want.csv", result.Tables.All(), "moments", true)
	c.compare("results.csv", result.Tables.All(), "results", true)
	c.compare("errors.csv", result.Tables.All(), "errors", true)
	c.compare("health.csv", result.Tables.All(), "health", false)
	c.checkSQL()
	c.derived("plan", func() (string, error) { return job.Compile(t.Context(), opts, job.EmitPlan) })
	c.derived("duckdb.sql", func() (string, error) { return job.Compile(t.Context(), opts, job.EmitSQL) })
	if *update && c.changed {
		if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

type testCase struct {
	t       *testing.T
	dir     string
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
		name, isCSV := strings.CutSuffix(f.Name, ".csv")
		if !isCSV || slices.Contains([]string{"want", "results", "health", "errors"}, name) {
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

func openEngine(t *testing.T, dir string) *loaders.Engine {
	t.Helper()
	e, err := loaders.Open(context.Background(), loaders.Options{Threads: 2, TempDir: dir, AllowedPaths: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func writeFile(t *testing.T, path, text string) {
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

// compare compares rows of a result table with a section, by the columns of
// the section's header; where not whole, the rows must be among the table's.
func (c *testCase) compare(section string, tables []metrics.Table, name string, whole bool) {
	c.t.Helper()
	text, ok := c.section(section)
	if !ok {
		return
	}
	want, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		c.t.Fatal(err)
	}
	i := slices.IndexFunc(tables, func(t metrics.Table) bool { return t.Name == name })
	table := tables[i]
	var index []int
	for _, column := range want[0] {
		at := slices.IndexFunc(table.Columns, func(x metrics.Column) bool { return x.Name == column })
		if at < 0 {
			c.t.Fatalf("%s: table %s has no column %s", section, name, column)
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
	if !whole {
		for _, row := range want[1:] {
			if !slices.ContainsFunc(got, func(g []string) bool { return slices.Equal(g, row) }) {
				c.t.Errorf("%s: no row %v in\n%v", section, row, got)
			}
		}
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		c.t.Errorf("%s (-want +got):\n%s", section, d)
	}
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
		if got == string(f.Data) {
			return
		}
		if *update {
			c.archive.Files[i].Data, c.changed = []byte(got), true
			return
		}
		c.t.Errorf("%s (-want +got; -update rewrites it):\n%s", name, cmp.Diff(string(f.Data), got))
	}
}
