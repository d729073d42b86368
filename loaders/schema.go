package loaders

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// schema is what the files of a source have in common.
type schema struct {
	columns []compiler.Column
	// differs reports whether the files' columns differ, so that they must be
	// matched by name.
	differs bool
	// first are the first files, by name, of each of the schemas that differ.
	first []string
	// kinds are the schemas that differ.
	kinds []fileColumns
	// conflicts are the columns, and parts of columns, whose types have nothing in
	// common.
	conflicts []conflict
	// members are, for files of which each row may have other columns, the files
	// that have a column in some row; nil for others.
	members map[string][]string
	files   []string
	// headers are those of files of CSV, whose fields are apart by the delimiter.
	headers   []header
	delimiter string
}

// fileColumns are files with the same columns.
type fileColumns struct {
	files   []string
	columns []compiler.Column
	// silent are those of the columns, in lower case, that have no value in any of
	// the files, so that their type means nothing.
	silent []string
}

// lacking counts the files without a column, and gives one of them.
func (s schema) lacking(column string) (files int, example string) {
	if s.members != nil {
		return s.without(column)
	}
	for _, k := range s.kinds {
		if slices.ContainsFunc(k.columns, func(c compiler.Column) bool { return strings.EqualFold(c.Name, column) }) {
			continue
		}
		if files == 0 {
			example = k.files[0]
		}
		files += len(k.files)
	}
	return files, example
}

func (s schema) without(member string) (files int, example string) {
	for _, file := range s.files {
		if slices.Contains(s.members[member], file) {
			continue
		}
		if files == 0 {
			example = file
		}
		files++
	}
	return files, example
}

// readSchema reads the schemas of all Parquet files and compares them. The
// entries of the list at the path rows, where there is one, are the rows.
func readSchema(ctx context.Context, engine *Engine, files []string, rows string) (schema, error) {
	first, err := distinctSchemas(ctx, engine, files)
	if err != nil {
		return schema{}, err
	}
	var all []fileColumns
	for _, f := range first {
		if f.columns, err = describe(ctx, engine, sqlast.ReadParquet{Files: filePatterns(f.files[:1])}); err != nil {
			return schema{}, err
		}
		i := slices.IndexFunc(all, func(other fileColumns) bool { return sameColumns(f.columns, other.columns) })
		if i < 0 {
			all = append(all, f)
			continue
		}
		all[i].files = append(all[i].files, f.files...)
	}
	if len(all) == 1 {
		return schema{columns: all[0].columns}, nil
	}
	if err := findSilent(ctx, engine, all, rows); err != nil {
		return schema{}, err
	}
	s := schema{columns: all[0].columns, differs: true, kinds: all, conflicts: conflicts(all)}
	var names []string
	for _, f := range all {
		s.first = append(s.first, f.files[0])
		names = append(names, f.silent...)
	}
	slices.Sort(names)
	s.columns, err = describe(ctx, engine, sqlast.ReadParquet{Files: filePatterns(s.first), UnionByName: true, Unread: s.unread(slices.Compact(names))})
	if err != nil && len(s.conflicts) > 0 { // DuckDB finds no common type; the conflicts say it better
		s.columns, err = all[0].columns, nil
	}
	return s, err
}

// distinctSchemas gives the files of each schema that occurs, sorted by name.
// Schemas that DuckDB reads alike may be told apart here.
func distinctSchemas(ctx context.Context, engine *Engine, files []string) ([]fileColumns, error) {
	digests, err := schemaDigests(ctx, engine, files)
	if err != nil {
		return nil, err
	}
	var first []fileColumns
	at := map[string]int{}
	for _, file := range slices.Sorted(maps.Keys(digests)) {
		i, seen := at[digests[file]]
		if !seen {
			i = len(first)
			at[digests[file]] = i
			first = append(first, fileColumns{})
		}
		first[i].files = append(first[i].files, file)
	}
	if len(first) == 0 {
		return nil, errNoColumns
	}
	return first, nil
}

// errNoColumns says that none of the files has a column.
var errNoColumns = errors.New("the files have no columns")

// schemaDigests gives for each file that has columns a text that files of the
// same schema share.
func schemaDigests(ctx context.Context, engine *Engine, files []string) (map[string]string, error) {
	digests := map[string]string{}
	for chunk := range slices.Chunk(files, footerChunk) {
		rows, err := engine.Query(ctx, `SELECT file_name, md5(string_agg(concat_ws('|', name, type, repetition_type, num_children, converted_type, scale, precision, logical_type), chr(10) ORDER BY column_id))
FROM parquet_schema(`+fileList(chunk)+`)
WHERE column_id > 0
GROUP BY file_name`)
		if err != nil {
			return nil, err
		}
		for _, r := range rows.Cells {
			digests[fileCalled(r[0])] = r[1].(string)
		}
	}
	return digests, nil
}

// describe gives the columns that reading has, in order.
func describe(ctx context.Context, engine *Engine, read sqlast.ReadParquet) ([]compiler.Column, error) {
	from, err := sqlast.PrintFrom(sqlast.DuckDB, read)
	if err != nil {
		return nil, err
	}
	return describeQuery(ctx, engine, "SELECT * FROM "+from)
}

// describeQuery gives the columns of a query, in order.
func describeQuery(ctx context.Context, engine *Engine, query string) ([]compiler.Column, error) {
	rows, err := engine.Query(ctx, "DESCRIBE "+query)
	if err != nil {
		return nil, err
	}
	var columns []compiler.Column
	for _, r := range rows.Cells {
		columns = append(columns, compiler.Column{Name: r[0].(string), Type: parseType(r[1].(string))})
	}
	inFiles(columns)
	return columns, nil
}

func sameColumns(a, b []compiler.Column) bool {
	return slices.EqualFunc(a, b, func(x, y compiler.Column) bool {
		return x.Name == y.Name && x.Type.Name == y.Type.Name
	})
}
