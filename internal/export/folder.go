package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// Written is a file that was written.
type Written struct {
	Table  string
	Format Format
	Path   string
	Rows   int
}

// WriteFolder writes the tables of one run below dir, in each of the formats,
// and gives the files in a stable order. The layout is that of
// docs/results.md:
//
//	TABLE/experiment=KEY/as_of=TIME/TABLE.parquet          rows of an experiment
//	TABLE/experiment=KEY/as_of=TIME/TABLE_RUN.parquet      rows of one that failed
//	TABLE/experiment=__HIVE_DEFAULT_PARTITION__/…/TABLE_RUN.parquet  rows of none
//	TABLE/as_of=TIME/TABLE_RUN.parquet                     tables without experiment
//
// A run replaces the (experiment, as_of) pairs that it computed, in all tables
// and whatever format they had, and its own files. Runs of different
// experiments can write side by side. The row of the table runs comes last:
// what has none is not finished. Where the context ends before every file is
// on the disk, or a file cannot be written, the folder is left as it was.
func WriteFolder(ctx context.Context, dir string, tables *metrics.Tables, formats []Format) ([]Written, error) {
	written, err := writeFolder(ctx, dir, tables, formats)
	if err != nil {
		return nil, fmt.Errorf("write result tables to %s: %w", dir, err)
	}
	return written, nil
}

func writeFolder(ctx context.Context, dir string, tables *metrics.Tables, formats []Format) ([]Written, error) {
	if len(tables.Runs) != 1 {
		return nil, fmt.Errorf("a run has one row in the table runs, not %d", len(tables.Runs))
	}
	if len(formats) == 0 {
		return nil, errors.New("no format is given")
	}
	fo := folder{root: dir, run: tables.Runs[0]}
	parts := fo.parts(tables)

	var data, mark stage
	defer data.discard()
	defer mark.discard()
	var written []Written
	for _, p := range parts {
		into := &data
		if p.table.Name == "runs" {
			into = &mark
		}
		for _, f := range formats {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			w := Written{p.table.Name, f, p.path + "." + string(f), len(p.table.Rows)}
			if err := into.write(w.Path, func(w io.Writer) error { return encodeFile(w, f, p.table) }); err != nil {
				return nil, err
			}
			written = append(written, w)
		}
	}
	replaced := fo.replacedRuns(parts)
	if err := ctx.Err(); err != nil {
		return nil, err
	}

	// From here on the folder changes, and the context is not asked again.
	if err := data.place(); err != nil {
		return nil, err
	}
	if err := removeStale(parts, written); err != nil {
		return nil, err
	}
	if err := syncDirs(parts); err != nil {
		return nil, err
	}
	if err := mark.place(); err != nil {
		return nil, err
	}
	if err := syncDirs(parts[len(parts)-1:]); err != nil {
		return nil, err
	}
	return written, fo.removeSuperseded(replaced)
}

// part is the share of a table that goes into one file (of each format).
type part struct {
	table metrics.Table
	// path is that of the file, without the extension.
	path string
	// pair reports that the file belongs to an (experiment, as_of) pair, so
	// that nothing else may say something about it.
	pair bool
	// experiment is the one that all rows are about, nil where there is none.
	experiment *string
}

// parts cuts the tables into files: table by table in the order of the
// contract, within a table by experiment. The table runs is the last.
func (fo folder) parts(tables *metrics.Tables) []part {
	computed := computedExperiments(tables)
	var parts []part
	for _, t := range tables.All() {
		if !t.PerExperiment {
			parts = append(parts, part{table: t, path: fo.ofRun(t.Name, asOfLevel(fo.run.AsOf))})
			continue
		}
		rows := make(map[string][][]any)
		for key := range computed {
			rows[key] = nil // an empty file says that there is nothing
		}
		col := t.Column("experiment")
		for _, r := range t.Rows {
			key := r[col].(string)
			rows[key] = append(rows[key], r)
		}
		for _, key := range slices.Sorted(maps.Keys(rows)) {
			t := t
			t.Rows = rows[key]
			level := filepath.Join(experimentLevel(key), asOfLevel(fo.run.AsOf))
			p := part{table: t, pair: key != ""}
			if p.pair {
				p.experiment = &key
			}
			if computed[key] {
				p.path = filepath.Join(fo.root, t.Name, level, t.Name)
			} else {
				p.path = fo.ofRun(t.Name, level)
			}
			parts = append(parts, p)
		}
	}
	return parts
}

// computedExperiments are the experiments of which the run has everything,
// single metrics apart. An error without a metric is about a whole experiment.
func computedExperiments(tables *metrics.Tables) map[string]bool {
	computed := make(map[string]bool)
	for _, e := range tables.Experiments {
		computed[e.Key] = true
	}
	for _, e := range tables.Errors {
		if e.Metric == nil {
			delete(computed, e.Experiment)
		}
	}
	return computed
}

// folder knows where the files of a run lie.
type folder struct {
	root string
	run  metrics.RunRow
}

// ofRun is the path of a file that no other run writes.
func (fo folder) ofRun(table, level string) string {
	return filepath.Join(fo.root, table, level, table+"_"+pathText(fo.run.RunID))
}

// experimentLevel is the directory of an experiment, or of rows without one.
func experimentLevel(key string) string {
	if key == "" {
		return "experiment=__HIVE_DEFAULT_PARTITION__"
	}
	return "experiment=" + pathText(key)
}

// asOfLevel is the directory of an instant. No two microseconds share one.
func asOfLevel(t time.Time) string {
	return "as_of=" + t.UTC().Format("2006-01-02T15-04-05.999999Z")
}

// pathText is s with every byte that a file system, a shell or a reader of
// hive partitions may take amiss as %XX.
func pathText(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.':
			b.WriteByte(c)
		case c == '_' && !strings.HasPrefix(s[i:], "__HIVE_"):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// removeStale removes what contradicts the files just put in place: of a pair,
// everything that another run or another format left; of a file that belongs
// to the run, its other formats.
func removeStale(parts []part, written []Written) error {
	fresh := make(map[string]bool, len(written))
	for _, w := range written {
		fresh[w.Path] = true
	}
	for _, p := range parts {
		dir, base := filepath.Split(p.path)
		for _, f := range resultFiles(dir, p.table.Name) {
			mine := strings.TrimSuffix(f, filepath.Ext(f)) == base
			// A failed experiment leaves what an earlier run computed.
			earlier := p.pair && (base == p.table.Name || strings.HasPrefix(f, p.table.Name+"_"))
			if path := filepath.Join(dir, f); (mine || earlier) && !fresh[path] {
				if err := remove(path); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// resultFiles are the names of the table's files in a directory, sorted; none
// where the directory does not exist.
func resultFiles(dir, table string) []string {
	var names []string
	for _, f := range FileFormats {
		for _, pattern := range []string{table, table + "_*"} {
			// The pattern's only magic is its own; the directory is not part of it.
			found, _ := fs.Glob(os.DirFS(dir), pattern+"."+string(f))
			names = append(names, found...)
		}
	}
	slices.Sort(names)
	return names
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func syncDirs(parts []part) error {
	dirs := make(map[string]bool)
	for _, p := range parts {
		dirs[filepath.Dir(p.path)] = true
	}
	for _, d := range slices.Sorted(maps.Keys(dirs)) {
		if err := syncDir(d); err != nil {
			return err
		}
	}
	return nil
}
