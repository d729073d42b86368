package loaders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
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
	// columns are shared by files of the same schema.
	columns *[]compiler.Column
	meaning recognised
}

// findTables sorts the Parquet files below a folder into tables.
func findTables(ctx context.Context, engine *Engine, root string) ([]*table, error) {
	paths, err := below(root)
	paths = slices.DeleteFunc(paths, func(p string) bool { return endingFormat(p) != metrics.FormatParquet })
	if err != nil || len(paths) == 0 {
		return nil, err
	}
	slices.Sort(paths)
	for _, p := range paths {
		if what := irregular(p); what != "" {
			return nil, &UnreachableError{Path: p, Err: errors.New("it is " + what)}
		}
	}
	files, err := readDataFiles(ctx, engine, root, paths)
	if err != nil {
		return nil, err
	}
	byFolder := map[string][]dataFile{}
	var order []string
	for _, f := range files {
		key := strings.Join(partitionPatterns(f.levels), "/")
		if byFolder[key] == nil {
			order = append(order, key)
		}
		byFolder[key] = append(byFolder[key], f)
	}
	var tables []*table
	for _, key := range order {
		for _, part := range separate(byFolder[key]) {
			t, err := newTable(root, part)
			if err != nil {
				return nil, err
			}
			tables = append(tables, t)
		}
	}
	return mergeSiblings(root, tables)
}

// readDataFiles reads the columns of the files, once for each schema.
func readDataFiles(ctx context.Context, engine *Engine, root string, paths []string) ([]dataFile, error) {
	digests, err := schemaDigests(ctx, engine, paths)
	if err != nil {
		return nil, unreadableOf(ctx, engine, paths, err)
	}
	known := map[string]dataFile{}
	var files []dataFile
	for _, p := range paths {
		f, ok := known[digests[p]]
		if !ok {
			columns, err := describe(ctx, engine, quoteText(sqlast.FileName(p)))
			if err != nil {
				return nil, unreadableOf(ctx, engine, paths, err)
			}
			f.columns, f.meaning = &columns, recognise(columns)
			known[digests[p]] = f
		}
		f.path, f.levels = p, folderLevels(root, p)
		files = append(files, f)
	}
	return files, nil
}

// unreadableOf names the first of the files that cannot be read.
func unreadableOf(ctx context.Context, engine *Engine, paths []string, err error) error {
	broken, err := brokenFiles(ctx, engine, paths, err)
	if len(broken) > 0 {
		return &UnreachableError{Path: broken[0].file, Err: errors.New("it " + broken[0].why)}
	}
	return err
}

// folderLevels are the names of the folders between the root and the file.
func folderLevels(root, file string) []string {
	rel, err := filepath.Rel(root, filepath.Dir(file))
	if err != nil || rel == "." {
		return nil
	}
	return strings.Split(filepath.ToSlash(rel), "/")
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
		return [][]dataFile{files}
	}
	for level := range files[0].levels {
		parts := partsBy(files, func(f dataFile) string { return f.levels[level] })
		if !slices.ContainsFunc(parts, func(part []dataFile) bool { return !sameMeaning(part) }) {
			return parts
		}
	}
	return partsBy(files, func(f dataFile) string { return f.meaning.key })
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
func newTable(root string, files []dataFile) (*table, error) {
	t := &table{meaning: files[0].meaning, levels: partitionPatterns(files[0].levels), clashes: map[string]string{}}
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
	if ok, err := matchExactly(t.files, path.Join(root, path.Join(wide...), "*.parquet")); err != nil {
		return nil, err
	} else if ok {
		t.levels = wide
	}
	t.name = tableName(t.levels, t.files)
	folder := path.Join(root, path.Join(t.levels...))
	candidates := [][]string{{path.Join(folder, "*.parquet")}, {path.Join(folder, commonStem(t.files)+"*.parquet")}}
	if len(t.files) == 1 {
		candidates = candidates[:min(1, len(t.levels))] // a file of its own is called by its name
	}
	var err error
	t.paths, err = matching(t.files, candidates...)
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
		case family(all[i].Type.Kind) != family(c.Type.Kind):
			clashes[name] = fmt.Sprintf("%s is not mapped: it is %s in some files, and %s in others", c.Name, typeName(all[i].Type), typeName(c.Type))
			all = slices.Delete(all, i, i+1)
		}
	}
	if meaning := recognise(all); meaning.key == t.meaning.key {
		t.columns, t.clashes, t.meaning = all, clashes, meaning
	}
}

// matching gives the first patterns that match exactly the files, else the
// files themselves.
func matching(files []string, candidates ...[]string) ([]string, error) {
	for _, patterns := range candidates {
		if ok, err := matchExactly(files, patterns...); err != nil || ok {
			return patterns, err
		}
	}
	return files, nil
}

// matchExactly reports whether the patterns match the files, which are sorted,
// and no others.
func matchExactly(files []string, patterns ...string) (bool, error) {
	var found []string
	for _, p := range patterns {
		more, err := expand(p)
		if err != nil {
			return false, err
		}
		found = append(found, more...)
	}
	slices.Sort(found)
	return slices.Equal(found, files), nil
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
	return strings.TrimRight(strings.TrimSuffix(strings.ToValidUTF8(stem, ""), ".parquet"), "0123456789")
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

// mergeSiblings makes one table of tables whose folders stand beside each
// other and whose files have the same meaning: events of several apps, or a
// folder for each event.
func mergeSiblings(root string, tables []*table) ([]*table, error) {
	var out []*table
	at := map[string]int{}
	for _, t := range tables {
		level := lastNamed(t.levels)
		if level < 0 || t.meaning.role() == "" {
			out = append(out, t)
			continue
		}
		beside := slices.Clone(t.levels)
		beside[level] = "*"
		key := strings.Join(append(beside, t.meaning.key), "/")
		i, known := at[key]
		if !known {
			at[key] = len(out)
			out = append(out, t)
			continue
		}
		first := out[i]
		files := slices.Sorted(slices.Values(slices.Concat(first.files, t.files)))
		wide := path.Join(root, path.Join(beside...))
		paths, err := matching(files, []string{path.Join(wide, "*.parquet")}, slices.Concat(first.paths, t.paths))
		if err != nil {
			return nil, err
		}
		merged := &table{paths: paths, files: files, meaning: first.meaning, levels: first.levels, columns: first.columns, clashes: maps.Clone(first.clashes), name: first.name}
		maps.Copy(merged.clashes, t.clashes)
		merged.addColumns(t.columns)
		if above := beside[:level]; lastNamed(above) >= 0 {
			merged.name = tableName(above, files)
		}
		out[i] = merged
	}
	return out, nil
}

// lastNamed is the index of the innermost level without a wildcard, or -1.
func lastNamed(levels []string) int {
	for i, level := range slices.Backward(levels) {
		if !strings.Contains(level, "*") {
			return i
		}
	}
	return -1
}
