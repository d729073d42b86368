package job_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
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
	told   string                                                   // a column that tells of the change, and is not compared
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
			opts.Experiments = []string{rapid.SampledFrom(keysIn(c.YAML, "experiments")).Draw(t, "experiment")}
		},
		rows: func(opts *job.Options) func(metrics.Table, []any) bool {
			return having("experiment", opts.Experiments[0])
		},
	},
	{
		name: "one metric alone", tables: resultTables,
		run: func(t *rapid.T, c *gen.Case, opts *job.Options) {
			opts.Metrics = []string{rapid.SampledFrom(keysIn(c.YAML, "metrics")).Draw(t, "metric")}
		},
		rows: func(opts *job.Options) func(metrics.Table, []any) bool { return having("metric", opts.Metrics[0]) },
		told: "not_computed",
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
			if d := cmp.Diff(tableRows(base, law.tables, keep, law.told), tableRows(r, law.tables, keep, law.told)); d != "" {
				rt.Fatalf("%s (-before +after)\n%s\n%s", law.name, d, c)
			}
		}
	})
}

// keysIn are the keys of the entries of a section of drawn definitions.
func keysIn(yaml, section string) []string {
	var out []string
	inside := false
	for line := range strings.Lines(yaml) {
		if !strings.HasPrefix(line, " ") {
			inside = strings.TrimSpace(line) == section+":"
		}
		if key, ok := strings.CutPrefix(line, "  - key: "); ok && inside {
			out = append(out, strings.TrimSpace(key))
		}
	}
	return out
}

// scatter shuffles the rows of each file and writes them to one to three
// files of other names.
func scatter(t *rapid.T, c *gen.Case) {
	var out []gen.Table
	for _, table := range c.Tables {
		folder, ending := path.Dir(table.Path), path.Ext(table.Path)
		if folder == "." { // decisions.parquet becomes decisions/*.parquet
			folder = strings.TrimSuffix(table.Path, ending)
			c.YAML = strings.ReplaceAll(c.YAML, "path: '"+table.Path+"'", "path: '"+folder+"/*"+ending+"'")
		}
		rows := rapid.Permutation(table.Rows).Draw(t, "rows")
		files := rapid.IntRange(1, max(1, min(3, len(rows)))).Draw(t, "files")
		for i := range files {
			part := table
			part.Path = path.Join(folder, fmt.Sprintf("z%d%s", files-i, ending))
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
		ending := path.Ext(table.Path)
		before.Path = path.Join(path.Dir(table.Path), "before"+ending)
		if folder := path.Dir(path.Dir(table.Path)); folder != "." {
			before.Path = path.Join(folder, "ds="+long.Format(time.DateOnly), path.Base(path.Dir(table.Path))+ending)
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
	case "TIMESTAMP", "TIMESTAMP_NS":
		return at
	case "TIMESTAMPTZ":
		return at.Format("2006-01-02 15:04:05.000000") + "+00"
	case "BIGINT": // of nanoseconds it is in 1970, which is long before as well
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
		name, _, _ := strings.Cut(strings.TrimSuffix(table.Path, path.Ext(table.Path)), "/")
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
