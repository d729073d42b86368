package loaders

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"
)

// mergeTables makes one table of those that are parts of one: in folders beside
// each other, or at several depths of one folder.
func mergeTables(x *exported, tables []*table) ([]*table, error) {
	tables, err := mergeSiblings(x, tables)
	if err != nil {
		return nil, err
	}
	return mergeDepths(x, tables)
}

// mergeSiblings makes one table of tables whose folders stand beside each
// other and whose files have the same meaning: events of several apps, or a
// folder for each event.
func mergeSiblings(x *exported, tables []*table) ([]*table, error) {
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
		if name, _, isHive := strings.Cut(t.levels[level], "="); isHive {
			beside[level] = name + "=*"
		}
		key := strings.Join(append(slices.Clone(beside), t.kind()), "/")
		i, known := at[key]
		if !known {
			at[key] = len(out)
			out = append(out, t)
			continue
		}
		merged, err := out[i].merge(x, t, path.Join(beside...))
		if err != nil {
			return nil, err
		}
		if above := beside[:level]; lastNamed(above) >= 0 {
			merged.name = tableName(above, merged.files)
		}
		out[i] = merged
	}
	return out, nil
}

// mergeDepths makes one table of tables of one kind where the files of one lie in the
// folder of the other or below it: events/2026/01/a.ndjson and events/b.ndjson.
func mergeDepths(x *exported, tables []*table) ([]*table, error) {
	tables = slices.Clone(tables)
	slices.SortStableFunc(tables, func(a, b *table) int { return cmp.Compare(len(a.named()), len(b.named())) })
	var out []*table
	for _, t := range tables {
		i := slices.IndexFunc(out, func(o *table) bool {
			above := o.named()
			return t.meaning.role() != "" && o.kind() == t.kind() && slices.Equal(above, t.named()[:len(above)])
		})
		if i < 0 {
			out = append(out, t)
			continue
		}
		above := out[i].named()
		merged, err := out[i].merge(x, t, path.Join(append(slices.Clone(above), "**")...))
		if err != nil {
			return nil, err
		}
		merged.name, merged.levels = cmp.Or(tableName(above, merged.files), out[i].name), above
		out[i] = merged
	}
	return out, nil
}

// merge makes one table of two, with the files below a folder if there are no others.
func (t *table) merge(x *exported, other *table, folder string) (*table, error) {
	files := slices.Sorted(slices.Values(slices.Concat(t.files, other.files)))
	paths, err := x.matching(files, x.patterns(files, folder, ""), slices.Concat(t.paths, other.paths))
	if err != nil {
		return nil, err
	}
	merged := &table{paths: paths, files: files, data: slices.Concat(t.data, other.data), meaning: t.meaning, levels: t.levels, columns: t.columns, clashes: maps.Clone(t.clashes), name: t.name}
	maps.Copy(merged.clashes, other.clashes)
	merged.addColumns(other.columns)
	return merged, nil
}

// kind is equal for tables that one source can read: with the same meaning, format and
// names of partitions.
func (t *table) kind() string {
	names, _ := hiveKeys(t.files[0])
	return strings.Join(append(names, t.meaning.key, string(t.data[0].format), t.data[0].delimiter), "/")
}

// named are the first levels, up to the first one that is one of many.
func (t *table) named() []string {
	if i := slices.IndexFunc(t.levels, func(level string) bool { return strings.Contains(level, "*") }); i >= 0 {
		return t.levels[:i]
	}
	return t.levels
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
