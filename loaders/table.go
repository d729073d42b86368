package loaders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// table is a set of files that one source can read: they lie in folders that
// differ in their partitions alone, and their columns mean the same.
type table struct {
	// paths are the patterns that match the files, as seen from the working folder.
	paths []string
	files []string
	// data are the same files with their columns.
	data []dataFile
	// columns are those of all files, the first of each name, but for those in clashes.
	columns []compiler.Column
	// clashes are, by lower-case name, the columns that are one thing in one file
	// and another in another, with what is to be said of that.
	clashes map[string]string
	meaning recognised
	// levels is the folder below the root as a pattern, one entry for each level.
	levels []string
	// name is what the levels of the path call the table.
	name string
}

// dataFile is a file with what its columns mean.
type dataFile struct {
	path string
	// levels are the names of the folders between the root and the file.
	levels []string
	format metrics.FileFormat
	// delimiter stands between the fields of CSV.
	delimiter string
	// columns are shared by files of the same schema.
	columns *[]compiler.Column
	// inPath are the names of the columns that stand in the path alone.
	inPath  []string
	meaning recognised
}

// findTables sorts the data files of an export into tables.
func findTables(ctx context.Context, engine *Engine, x *exported) ([]*table, error) {
	for _, p := range x.files {
		if what := irregular(p); what != "" {
			return nil, &UnreachableError{Path: p, Err: errors.New("it is " + what)}
		}
	}
	files, err := readDataFiles(ctx, engine, x)
	if err != nil {
		return nil, err
	}
	tellParts(files)
	byFolder := map[string][]dataFile{}
	var order []string
	for _, f := range files {
		key := strings.Join(append(partitionPatterns(f.levels), string(f.format), f.delimiter), "/")
		if byFolder[key] == nil {
			order = append(order, key)
		}
		byFolder[key] = append(byFolder[key], f)
	}
	var tables []*table
	for _, key := range order {
		for _, part := range separate(byFolder[key]) {
			t, err := newTable(x, part)
			if err != nil {
				return nil, err
			}
			tables = append(tables, t)
		}
	}
	if tables, err = mergeTables(x, tables); err != nil {
		return nil, err
	}
	for _, t := range tables {
		if err := t.typeMembers(ctx, engine); err != nil {
			return nil, err
		}
	}
	return tables, nil
}

// counted is a folder that is one of many: a date, or a number.
var countedFolder = regexp.MustCompile(`^[0-9][0-9_.:TZ-]*$`)

// partitionPatterns are levels with a wildcard in place of what differs from
// partition to partition.
func partitionPatterns(levels []string) []string {
	out := slices.Clone(levels)
	for i, level := range levels {
		name, _, isHive := strings.Cut(level, "=")
		switch {
		case isHive && name != "":
			out[i] = name + "=*"
		case countedFolder.MatchString(level):
			out[i] = "*"
		}
	}
	return out
}

// separate splits files of the same folders, partitions apart, by what they
// mean. Where the values of one partition level tell the meanings apart, as
// those of type=decisions and type=events do, the files are split by them.
func separate(files []dataFile) [][]dataFile {
	if sameMeaning(files) {
		return byEvent(files)
	}
	for level := range files[0].levels {
		parts := partsBy(files, func(f dataFile) string { return f.levels[level] })
		if !slices.ContainsFunc(parts, func(part []dataFile) bool { return !sameMeaning(part) }) {
			return parts
		}
	}
	var parts [][]dataFile
	for _, part := range partsBy(files, func(f dataFile) string { return f.meaning.key }) {
		parts = append(parts, byEvent(part)...)
	}
	return parts
}

// byEvent splits files whose name alone tells the event, as purchases.parquet and
// refunds.parquet do, by that name.
func byEvent(files []dataFile) [][]dataFile {
	if files[0].meaning.facts == nil || lastNamed(partitionPatterns(files[0].levels)) >= 0 {
		return [][]dataFile{files}
	}
	return partsBy(files, func(f dataFile) string { return commonStem([]string{f.path}) })
}

func sameMeaning(files []dataFile) bool {
	return !slices.ContainsFunc(files, func(f dataFile) bool { return f.meaning.key != files[0].meaning.key })
}

// partsBy groups files by a text, in the order in which the texts first occur.
func partsBy(files []dataFile, by func(dataFile) string) [][]dataFile {
	var parts [][]dataFile
	at := map[string]int{}
	for _, f := range files {
		i, ok := at[by(f)]
		if !ok {
			i = len(parts)
			at[by(f)] = i
			parts = append(parts, nil)
		}
		parts[i] = append(parts[i], f)
	}
	return parts
}

// newTable makes a table of files of one meaning.
func newTable(x *exported, files []dataFile) (*table, error) {
	t := &table{data: files, meaning: files[0].meaning, levels: partitionPatterns(files[0].levels), clashes: map[string]string{}}
	wide := slices.Clone(t.levels)
	for i, level := range files[0].levels {
		_, value, _ := strings.Cut(level, "=")
		one := !slices.ContainsFunc(files, func(f dataFile) bool { return f.levels[i] != level })
		if !one || countedFolder.MatchString(cmp.Or(value, level)) {
			continue
		}
		t.levels[i] = level
		if !namesPartition(level) {
			wide[i] = level
		}
	}
	var seen []*[]compiler.Column
	for _, f := range files {
		t.files = append(t.files, f.path)
		if !slices.Contains(seen, f.columns) { // files of one schema share their columns
			seen = append(seen, f.columns)
			t.addColumns(*f.columns)
		}
	}
	if ok, err := x.match(t.files, x.patterns(t.files, path.Join(wide...), "")...); err != nil {
		return nil, err
	} else if ok {
		t.levels = wide
	}
	t.name = tableName(t.levels, t.files)
	folder := path.Join(t.levels...)
	candidates := [][]string{x.patterns(t.files, folder, ""), x.patterns(t.files, folder, commonStem(t.files))}
	if len(t.files) == 1 {
		candidates = candidates[:min(1, len(t.levels))] // a file of its own is called by its name
	}
	var err error
	t.paths, err = x.matching(t.files, candidates...)
	return t, err
}

// namesPartition reports whether a level like event=buy is one of many, though
// there is but one yet: its name is that of a column which rows are told by.
func namesPartition(level string) bool {
	name, _, isHive := strings.Cut(level, "=")
	words := slices.Concat(timeWords, eventWords, experimentWords, flagWords, variationWords)
	return isHive && slices.Contains(words, plainWord(name))
}

// addColumns adds the columns of further files, and maps those that are new.
// What has another type there is not mapped at all, unless it is needed.
func (t *table) addColumns(columns []compiler.Column) {
	all, clashes := slices.Clone(t.columns), maps.Clone(t.clashes)
	for _, c := range columns {
		name := strings.ToLower(c.Name)
		i := slices.IndexFunc(all, func(known compiler.Column) bool { return strings.ToLower(known.Name) == name })
		switch {
		case clashes[name] != "":
		case i < 0:
			all = append(all, c)
		case t.data[0].format == metrics.FormatNDJSON: // its type is that of all lines
		case family(all[i].Type.Kind) != family(c.Type.Kind):
			clashes[name] = fmt.Sprintf("%s is not mapped: it is %s in some files, and %s in others", c.Name, typeName(all[i].Type), typeName(c.Type))
			all = slices.Delete(all, i, i+1)
		}
	}
	if meaning := recognise(all, t.data[0].inPath).as(t.meaning.part); meaning.key == t.meaning.key {
		t.columns, t.clashes, t.meaning = all, clashes, meaning
	}
}

// typeMembers gives the members of lines the types that they have in all files
// of the table.
func (t *table) typeMembers(ctx context.Context, engine *Engine) error {
	one := !slices.ContainsFunc(t.data, func(f dataFile) bool { return f.columns != t.data[0].columns })
	if one || t.data[0].format != metrics.FormatNDJSON {
		return nil
	}
	return lineTypes(ctx, engine, t.files, t.columns)
}

// read is the relation of the rows.
func (t *table) read() sqlast.From {
	names := filePatterns(t.files)
	switch t.data[0].format {
	case metrics.FormatParquet:
		return sqlast.ReadParquet{Files: names, UnionByName: len(names) > 1}
	case metrics.FormatNDJSON:
		read := sqlast.ReadNDJSON{Files: names}
		for _, c := range t.columns {
			read.Columns = append(read.Columns, sqlast.NamedColumn{Name: c.Name, Type: columnType(c.Type)})
		}
		return read
	case metrics.FormatCSV:
		read := sqlast.ReadCSV{Delimiter: t.data[0].delimiter, Columns: columnNames(t.columns)}
		at := map[*[]compiler.Column]int{}
		for _, f := range t.data {
			i, known := at[f.columns]
			if !known {
				i = len(read.Groups)
				at[f.columns] = i
				read.Groups = append(read.Groups, sqlast.CSVGroup{Header: columnNames(*f.columns)})
			}
			read.Groups[i].Files = append(read.Groups[i].Files, sqlast.FileName(f.path))
		}
		return read
	default:
		panic("loaders: no case for " + string(t.data[0].format))
	}
}

func columnNames(columns []compiler.Column) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

// commonStem is what the names of all files begin with, up to where numbers
// begin to tell them apart.
func commonStem(files []string) string {
	stem := path.Base(files[0])
	for _, f := range files[1:] {
		for !strings.HasPrefix(path.Base(f), stem) {
			stem = stem[:len(stem)-1]
		}
	}
	return strings.TrimRight(strings.TrimSuffix(strings.ToValidUTF8(stem, ""), ending(files[0])), "0123456789")
}

// tableName is what people call the files: their innermost folder that is not
// counted, the value of a partition without its name, else the files' own name.
func tableName(levels, files []string) string {
	for _, level := range slices.Backward(levels) {
		if strings.Contains(level, "*") {
			continue
		}
		_, value, isHive := strings.Cut(level, "=")
		if !isHive {
			value = level
		}
		if value != "" {
			return value
		}
	}
	return strings.TrimRight(commonStem(files), "-_. 0123456789")
}
