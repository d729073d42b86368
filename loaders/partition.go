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

// partition makes the day of the path a column.
func (in *inspector) partition() bool {
	p := in.def.Partition
	if !partitionDays(p, in.out.Files, in.schema.columns, in.list) {
		return false
	}
	in.columns = slices.DeleteFunc(slices.Clone(in.columns), func(c compiler.Column) bool {
		return strings.EqualFold(c.Name, p.Column.V)
	})
	in.columns = append(in.columns, compiler.Column{
		Name: p.Column.V,
		Type: compiler.ColumnType{Kind: compiler.ColumnDate, Name: "DATE"},
	})
	in.out.PartitionDay = sqlast.Column{Name: p.Column.V}
	return true
}

// offerLevels makes further levels of the folders columns of text: those that all
// files have in the same order, and by the names of which they have no column.
func (in *inspector) offerLevels() {
	if in.from != nil {
		return
	}
	names, _ := hiveKeys(in.out.Files[0].Path)
	for _, f := range in.out.Files {
		others, values := hiveKeys(f.Path)
		// what DuckDB does not take for a level
		odd := func(value string) bool { return value == "" || strings.Contains(value, "=") }
		if !slices.Equal(others, names) || slices.ContainsFunc(values, odd) {
			return
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(in.columns, func(c compiler.Column) bool { return strings.EqualFold(c.Name, name) }) {
			in.levels = append(in.levels, name)
			in.columns = append(slices.Clip(in.columns), compiler.Column{Name: name, Type: parseType("VARCHAR")})
		}
	}
}

// usedLevels are the levels that expressions read as columns.
func (in *inspector) usedLevels() []string {
	needed := in.needed()
	return slices.DeleteFunc(slices.Clone(in.levels), func(name string) bool { return !slices.Contains(needed, name) })
}

// hidden reports whether a column that is read would be hidden by a level of the
// same name, as it is where others are read, and says so.
func (in *inspector) hidden() bool {
	used := in.usedLevels()
	if len(used) == 0 {
		return false
	}
	names, _ := hiveKeys(in.out.Files[0].Path)
	for _, name := range names {
		for _, c := range in.needed() {
			if strings.EqualFold(c, name) && !in.inPath(c) {
				in.list.Errorf(pathTo(in.def, in.out.Files[0].Path), "bad-partition", "source %q reads %s=… of the folders, and the level %s=… hides the column %s of the files", in.def.Name.V, used[0], name, c).
					WithHint("rename the level, or leave one of them out of the columns")
				return true
			}
		}
	}
	return false
}

// inPath reports whether a column stands in the path of a file.
func (in *inspector) inPath(column string) bool { return in.isPartition(column) || in.isLevel(column) }

func (in *inspector) isLevel(column string) bool {
	return slices.ContainsFunc(in.levels, func(name string) bool { return strings.EqualFold(name, column) })
}

func (in *inspector) isPartition(column string) bool {
	return in.def.Partition != nil && strings.EqualFold(in.def.Partition.Column.V, column)
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
