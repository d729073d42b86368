package loaders

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// A column that has no value in a file has whatever type its writer thought of,
// as INTEGER for the nulls of data frames. It says nothing of the column, so
// that files of another type are not contradicted by it.

// findSilent finds the columns of a type of their own that have no value in any
// file of a kind, by the null counts of the footers. One kind at least keeps
// each column, and all keep the list at the path rows, whose entries are the rows:
// an empty one, which has no value either, is another thing than none.
func findSilent(ctx context.Context, engine *Engine, kinds []fileColumns, rows string) error {
	columns := slices.DeleteFunc(disputed(kinds), func(name string) bool {
		rest, leads := strings.CutPrefix(strings.ToLower(rows), name)
		return leads && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
	if len(columns) == 0 {
		return nil
	}
	var first []string
	for _, k := range kinds {
		first = append(first, k.files[0])
	}
	valued, err := valuedColumns(ctx, engine, first, columns)
	if err != nil {
		return err
	}
	for i := range kinds {
		k := &kinds[i]
		quiet := slices.DeleteFunc(k.among(columns), func(name string) bool { return valued[k.files[0]][name] })
		for chunk := range slices.Chunk(k.files[1:], footerChunk) {
			if len(quiet) == 0 {
				break
			}
			valued, err := valuedColumns(ctx, engine, chunk, quiet)
			if err != nil {
				return err
			}
			for _, has := range valued {
				quiet = slices.DeleteFunc(quiet, func(name string) bool { return has[name] })
			}
		}
		k.silent = quiet
	}
	for _, name := range columns {
		if !slices.ContainsFunc(kinds, func(k fileColumns) bool { return k.says(name) }) {
			i := slices.IndexFunc(kinds, func(k fileColumns) bool { return slices.Contains(k.silent, name) })
			kinds[i].silent = slices.DeleteFunc(kinds[i].silent, func(o string) bool { return o == name })
		}
	}
	return nil
}

// disputed are the columns, in lower case, whose type is another one in some
// kinds of files. STRUCTs come together from all files unless they conflict.
func disputed(kinds []fileColumns) []string {
	found := map[string]bool{}
	for _, c := range conflicts(kinds) {
		found[strings.ToLower(c.path[0])] = true
	}
	types := map[string]compiler.ColumnType{}
	for _, k := range kinds {
		for _, c := range k.columns {
			name := strings.ToLower(c.Name)
			t, known := types[name]
			switch {
			case !known:
				types[name] = c.Type
			case t.Name != c.Type.Name && (t.Kind != compiler.ColumnStruct || c.Type.Kind != compiler.ColumnStruct):
				found[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// among are those of the columns, in lower case, that the files have.
func (f fileColumns) among(names []string) []string {
	var out []string
	for _, name := range names {
		if slices.ContainsFunc(f.columns, func(c compiler.Column) bool { return strings.EqualFold(c.Name, name) }) {
			out = append(out, name)
		}
	}
	return out
}

// says reports whether the files have a column, in lower case, that is not silent.
func (f fileColumns) says(name string) bool {
	return len(f.among([]string{name})) > 0 && !slices.Contains(f.silent, name)
}

// speaking are the columns of the files whose types say something.
func (f fileColumns) speaking() []compiler.Column {
	return slices.DeleteFunc(slices.Clone(f.columns), func(c compiler.Column) bool { return slices.Contains(f.silent, strings.ToLower(c.Name)) })
}

// valuedColumns are, by file, those of the columns, in lower case, that may have a
// value there: a part of a column is behind its name in the footers.
func valuedColumns(ctx context.Context, engine *Engine, files, columns []string) (map[string]map[string]bool, error) {
	rows, err := engine.Query(ctx, `SELECT DISTINCT file_name, name
FROM parquet_metadata(`+fileList(files)+`), unnest(`+quoteList(columns)+`) AS c(name)
WHERE (lower(path_in_schema) = name OR starts_with(lower(path_in_schema), name || ', '))
  AND num_values > 0 AND stats_null_count IS DISTINCT FROM num_values`)
	if err != nil {
		return nil, err
	}
	valued := map[string]map[string]bool{}
	for _, r := range rows.Cells {
		file := fileCalled(r[0])
		if valued[file] == nil {
			valued[file] = map[string]bool{}
		}
		valued[file][r[1].(string)] = true
	}
	return valued, nil
}

// unread are the columns, among those that are needed, that are not read from
// the files in which they are silent.
func (s schema) unread(needed []string) []sqlast.UnreadColumns {
	var out []sqlast.UnreadColumns
	for _, k := range s.kinds {
		var columns []string
		for _, name := range needed {
			if slices.Contains(k.silent, strings.ToLower(name)) {
				columns = append(columns, name)
			}
		}
		if len(columns) > 0 {
			out = append(out, sqlast.UnreadColumns{Files: filePatterns(k.files), Columns: columns})
		}
	}
	return out
}
