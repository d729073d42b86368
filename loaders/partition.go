package loaders

import (
	"slices"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// day is the length of a UTC day.
const day = 24 * time.Hour

// hiveKeys are the names and values of the folder levels name=value of a file.
func hiveKeys(file string) (names, values []string) {
	levels := strings.Split(file, "/")
	for _, level := range levels[:len(levels)-1] {
		if name, value, ok := strings.Cut(level, "="); ok && name != "" {
			names, values = append(names, name), append(values, value)
		}
	}
	return names, values
}

// partitionDays reads the day of every file from its path, and checks what
// DuckDB needs for reading folder levels as columns.
func partitionDays(p *metrics.Partition, files []compiler.File, columns []compiler.Column, list *diag.List) bool {
	first, _ := hiveKeys(files[0].Path)
	for i := range files {
		names, values := hiveKeys(files[i].Path)
		at := slices.Index(names, p.Column.V)
		if at < 0 {
			said := list.Errorf(p.Column.Pos, "no-partition", "the path of %s has no level %s=…", files[i].Path, p.Column.V)
			if said.Hint = diag.Suggest("levels", p.Column.V, names); said.Hint == "" {
				said.Hint = "its folders name no partitions; leave partition out"
			}
			return false
		}
		when, err := time.Parse(time.DateOnly, values[at])
		if err != nil {
			list.Errorf(p.Column.Pos, "bad-partition", "%s=%s is not a day, in the path of %s", p.Column.V, values[at], files[i].Path).
				WithHint("days are written as 2026-03-02")
			return false
		}
		if !slices.Equal(names, first) {
			list.Errorf(p.Column.Pos, "bad-partition", "the folders of %s and %s have different levels", files[0].Path, files[i].Path).
				WithHint("make them two sources, or leave partition out")
			return false
		}
		files[i].Day, files[i].HasDay = when, true
	}
	for _, name := range first {
		hides := func(c compiler.Column) bool { return strings.EqualFold(c.Name, name) }
		if !strings.EqualFold(name, p.Column.V) && slices.ContainsFunc(columns, hides) {
			list.Errorf(p.Column.Pos, "bad-partition", "the folder level %s=… hides the column %s of the files", name, name).
				WithHint("leave partition out, or rename the level")
			return false
		}
	}
	return true
}

// patterns name files one by one.
func patterns(files []compiler.File) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = sqlast.FileName(f.Path)
	}
	return out
}

// filePatterns are the patterns that match the files of these names alone.
func filePatterns(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = sqlast.FileName(name)
	}
	return out
}

func totals(files []compiler.File) (rows, bytes int64) {
	for _, f := range files {
		rows += f.Rows
		bytes += f.Bytes
	}
	return rows, bytes
}
