package loaders

import (
	"regexp"
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

// nullLevel is the value of a level where the column of it is missing.
const nullLevel = "__HIVE_DEFAULT_PARTITION__"

// dayLevel is a day, as 2026-03-02 or 20260302, or an hour of one, as 2026-03-02-05. It is
// also what [sqlast.ParseDay] reads.
var dayLevel = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})(-([01][0-9]|2[0-3]))?$`)

// dayOfLevel is the day that the value of a level says.
func dayOfLevel(value string) (when time.Time, ok bool) {
	const digits = "20060102"
	if !dayLevel.MatchString(value) {
		return when, false
	}
	when, err := time.Parse(digits, strings.ReplaceAll(value, "-", "")[:len(digits)])
	return when, err == nil
}

// partitionDays reads the days of files from their paths, and checks what
// DuckDB needs for reading folder levels as columns. A file whose level is no day has
// none, and is always read; plain reports whether all others are written as 2026-03-02.
func partitionDays(p *metrics.Partition, files []compiler.File, columns []compiler.Column, list *diag.List) (plain, ok bool) {
	first, _ := hiveKeys(files[0].Path)
	var odd []string // the levels that are no days
	plain = true
	for i := range files {
		names, values := hiveKeys(files[i].Path)
		at := slices.Index(names, p.Column.V)
		if at < 0 {
			said := list.Errorf(p.Column.Pos, "no-partition", "the path of %s has no level %s=…", files[i].Path, p.Column.V)
			if said.Hint = diag.Suggest("levels", p.Column.V, names); said.Hint == "" {
				said.Hint = "its folders name no partitions; leave partition out"
			}
			return false, false
		}
		value := values[at]
		files[i].Day, files[i].HasDay = dayOfLevel(value)
		plain = plain && (value == nullLevel || files[i].HasDay && len(value) == len(time.DateOnly))
		if !files[i].HasDay {
			odd = append(odd, value)
		}
		if !slices.Equal(names, first) {
			list.Errorf(p.Column.Pos, "bad-partition", "the folders of %s and %s have different levels", files[0].Path, files[i].Path).
				WithHint("make them two sources, or leave partition out")
			return false, false
		}
	}
	unknown := slices.DeleteFunc(slices.Clone(odd), func(value string) bool { return value == nullLevel })
	switch {
	case len(odd) == len(files):
		list.Errorf(p.Column.Pos, "bad-partition", "%s=%s is not a day, in the path of %s, and no other is", p.Column.V, odd[0], files[0].Path).
			WithHint("days are written as 2026-03-02, 20260302, or with an hour, 2026-03-02-05; else leave partition out")
		return false, false
	case len(unknown) > 0:
		list.Warnf(p.Column.Pos, "partition-no-day", "%s=%s is not a day: of %d files %d are always read, and all of their rows count", p.Column.V, unknown[0], len(files), len(odd)).
			WithHint("days are written as 2026-03-02, 20260302, or with an hour, 2026-03-02-05")
	}
	for _, name := range first {
		hides := func(c compiler.Column) bool { return strings.EqualFold(c.Name, name) }
		if !strings.EqualFold(name, p.Column.V) && slices.ContainsFunc(columns, hides) {
			list.Errorf(p.Column.Pos, "bad-partition", "the folder level %s=… hides the column %s of the files", name, name).
				WithHint("leave partition out, or rename the level")
			return false, false
		}
	}
	return plain, true
}

// partition makes the day of the path a column.
func (in *inspector) partition() bool {
	p := in.def.Partition
	plain, ok := partitionDays(p, in.out.Files, in.schema.columns, in.list)
	if !ok {
		return false
	}
	in.columns = slices.DeleteFunc(slices.Clone(in.columns), func(c compiler.Column) bool {
		return strings.EqualFold(c.Name, p.Column.V)
	})
	typ := compiler.ColumnType{Kind: compiler.ColumnDate, Name: "DATE"}
	in.out.PartitionDay = sqlast.Column{Name: p.Column.V}
	if !plain {
		typ = parseType("VARCHAR")
		in.out.PartitionDay = call(sqlast.ParseDay, in.out.PartitionDay)
	}
	in.columns = append(in.columns, compiler.Column{Name: p.Column.V, Type: typ})
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
		if !slices.Equal(others, names) || slices.ContainsFunc(values, isNoLevel) {
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

// isNoLevel reports whether DuckDB does not take name=value for a level.
func isNoLevel(value string) bool { return value == "" || strings.Contains(value, "=") }

// columnsInPath are the levels of a file's path that a source could read as columns,
// none where one of them hides a column of the file.
func columnsInPath(file string, columns []compiler.Column) []string {
	names, values := hiveKeys(file)
	hides := func(name string) bool {
		return slices.ContainsFunc(columns, func(c compiler.Column) bool { return strings.EqualFold(c.Name, name) })
	}
	if slices.ContainsFunc(values, isNoLevel) || slices.ContainsFunc(names, hides) {
		return nil
	}
	return names
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
