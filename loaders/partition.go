package loaders

import (
	"slices"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
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
			list.Errorf(p.Column.Pos, "no-partition", "the path of %s has no level %s=…", files[i].Path, p.Column.V).
				Hint = diag.DidYouMean(p.Column.V, names)
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

// Prune gives the source without the files whose partition day cannot hold a
// row with from <= timestamp < to. Rows, Bytes and Files of the result are
// those of the files that are left. A zero from or to is no bound. A source
// without partition is returned as it is.
//
// Files that the schema needs stay, and so does the first file where none
// would: statements over the source remain valid, and give the same rows.
func Prune(src *compiler.Source, from, to time.Time) *compiler.Source {
	partition := src.Def.Partition
	if partition == nil {
		return src
	}
	pruned := *src
	pruned.Files = nil
	for _, f := range src.Files {
		early := !from.IsZero() && f.Day.Before(from.Truncate(day).Add(-partition.Early))
		late := !to.IsZero() && f.Day.After(to.Add(-time.Microsecond).Truncate(day).Add(partition.Late))
		if f.Anchor || !early && !late {
			pruned.Files = append(pruned.Files, f)
		}
	}
	switch len(pruned.Files) {
	case len(src.Files):
		return src
	case 0:
		pruned.Files = src.Files[:1:1]
	}
	pruned.Read.Files = paths(pruned.Files)
	pruned.Rows, pruned.Bytes = totals(pruned.Files)
	pruned.MaxTime = latest(pruned.Files)
	return &pruned
}

func paths(files []compiler.File) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = f.Path
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

// latest is the largest timestamp of the files, or zero where a footer does not tell.
func latest(files []compiler.File) time.Time {
	var max time.Time
	for _, f := range files {
		switch {
		case f.Rows == 0:
		case f.MaxTime.IsZero():
			return time.Time{}
		case f.MaxTime.After(max):
			max = f.MaxTime
		}
	}
	return max
}
