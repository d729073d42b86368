package loaders

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/metrics"
)

// read makes the relation of the rows. It names the files by the pattern of
// the definitions, which people can read, where DuckDB finds the same ones by
// it, else one by one.
func (in *inspector) read(ctx context.Context, engine *Engine, files []string) {
	in.out.Read = in.settled(in.records())
	if in.rows != nil {
		in.out.Read = in.rows.of(in.out.Read, in.used(), in.column)
	}
	if len(in.def.Paths) != 1 || len(files) <= 1 || len(in.schema.headers) > 1 || len(in.schema.unread(in.needed())) > 0 {
		return
	}
	pattern := located(in.def, in.def.Paths[0].V)
	if objectstore.IsURL(pattern) {
		return // to name them saves listing them again, and none is read that came since
	}
	if isFolder(pattern) {
		pattern = sqlast.FileName(pattern) + "/**/*" + ending(files[0])
	}
	rows, err := engine.Query(ctx, "SELECT file FROM glob("+quoteText(pattern)+") ORDER BY file")
	if err != nil {
		return
	}
	var found []string
	for _, r := range rows.Cells {
		found = append(found, r[0].(string))
	}
	slices.Sort(found)
	if slices.Equal(found, files) {
		in.out.Read = sqlast.OfFiles(in.out.Read, []string{pattern})
	}
}

// records is the relation of what stands in the files.
func (in *inspector) records() sqlast.From {
	if in.from != nil {
		return in.from
	}
	var hive []sqlast.HiveColumn
	if p := in.def.Partition; p != nil {
		typ := sqlast.Type{Kind: sqlast.DateType}
		if _, plain := in.out.PartitionDay.(sqlast.Column); !plain {
			typ = varchar
		}
		hive = []sqlast.HiveColumn{{Name: p.Column.V, Type: typ}}
	}
	for _, level := range in.usedLevels() {
		hive = append(hive, sqlast.HiveColumn{Name: level, Type: varchar})
	}
	files := patterns(in.out.Files)
	switch in.format {
	case metrics.FormatParquet:
		in.out.Differs = in.schema.differs
		return sqlast.ReadParquet{Files: files, UnionByName: in.schema.differs, Unread: in.schema.unread(in.needed()), Hive: hive}
	case metrics.FormatNDJSON:
		read := sqlast.ReadNDJSON{Files: files, Hive: hive}
		for _, c := range in.schema.columns {
			if slices.Contains(in.needed(), c.Name) && !in.isPartition(c.Name) {
				read.Columns = append(read.Columns, sqlast.NamedColumn{Name: c.Name, Type: columnType(c.Type)})
			}
		}
		for _, name := range in.absent {
			read.Columns = append(read.Columns, sqlast.NamedColumn{Name: name, Type: sqlast.Type{Kind: sqlast.JSONType}})
		}
		return read
	case metrics.FormatCSV:
		read := sqlast.ReadCSV{Delimiter: in.schema.delimiter, Hive: hive}
		for _, h := range in.schema.headers {
			read.Groups = append(read.Groups, sqlast.CSVGroup{Files: filePatterns(h.files), Header: h.names})
		}
		for _, c := range in.schema.columns {
			if slices.Contains(in.needed(), c.Name) && !in.isPartition(c.Name) {
				read.Columns = append(read.Columns, c.Name)
			}
		}
		return read
	default:
		panic("loaders: no case for " + string(in.format))
	}
}

// settled is the relation of what stands in files whose types differ, with those
// columns behind a call that changes nothing: DuckDB compares a column with a
// constant in each file by the type that the file has, to which it rounds the
// constant, so that of 1, 2 and 3 in a file of integers only 1 is below 2.4
// where other files have floating numbers. So are columns of queries and views of
// which parts of parts are read.
func (in *inspector) settled(records sqlast.From) sqlast.From {
	var items []sqlast.Item
	around, why := false, ""
	for _, name := range in.needed() {
		if in.rows.is(name) && !slices.Contains(sqlast.Columns(in.rows.list), name) {
			continue // it is no column yet
		}
		item := in.column(name)
		if !in.isPartition(name) && in.schema.rounds(name) {
			item.X, around, why = itself(name), true, "columns of several types are compared by the widest one"
		}
		around = around || in.from != nil && in.readsInside(name)
		items = append(items, item)
	}
	if !around {
		return records
	}
	return sqlast.Subquery{Query: sqlast.Select{Why: why, Items: items, From: records}}
}

// itself is a column behind a call that changes nothing.
func itself(name string) sqlast.Expr {
	c := sqlast.Column{Name: name}
	return call(sqlast.Coalesce, c, c)
}

// column is a column of a relation as one around it has it. One of which a STRUCT
// inside is read, and so perhaps fields of that, is behind a call that changes nothing:
// DuckDB 1.5 fails with an internal error where a query reads a.b.c and then a.b
// of a query inside.
func (in *inspector) column(name string) sqlast.Item {
	item := sqlast.Item{X: sqlast.Column{Name: name}, As: name}
	if in.readsInside(name) {
		item.X = itself(name)
	}
	return item
}

// readsInside reports whether a STRUCT inside of a column is read.
func (in *inspector) readsInside(column string) bool {
	var read []sqlast.Expr
	for _, s := range in.stored {
		read = append(read, s.sql)
	}
	if in.out.Where != nil {
		read = append(read, in.out.Where)
	}
	return slices.ContainsFunc(read, func(x sqlast.Expr) bool {
		return slices.ContainsFunc(readPaths(x), func(path []string) bool {
			t, known := typeAt(in.columns, path)
			return known && path[0] == column && len(path) > 1 && t.Kind == compiler.ColumnStruct
		})
	})
}

// columnType is the type that a member of JSON is read as.
func columnType(t compiler.ColumnType) sqlast.Type {
	kinds := map[string]sqlast.Kind{
		"VARCHAR": sqlast.Varchar, "BOOLEAN": sqlast.Boolean, "BIGINT": sqlast.Bigint, "HUGEINT": sqlast.Hugeint, "DOUBLE": sqlast.Double, "JSON": sqlast.JSONType,
	}
	kind, ok := kinds[t.Name]
	if !ok {
		panic("loaders: no case for " + t.Name)
	}
	return sqlast.Type{Kind: kind}
}

// used are the names of the columns that the mapped expressions and where
// read, in the order of the columns.
func (in *inspector) used() []string {
	var read []sqlast.Expr
	for _, s := range in.stored {
		read = append(read, s.sql)
	}
	if in.out.Where != nil {
		read = append(read, in.out.Where)
	}
	var names []string
	for _, x := range read {
		names = append(names, sqlast.Columns(x)...)
	}
	if in.out.PartitionDay != nil {
		names = append(names, sqlast.Columns(in.out.PartitionDay)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// needed are the names of the columns of the records that are read.
func (in *inspector) needed() []string {
	names := in.used()
	if in.rows != nil {
		names = append(names, sqlast.Columns(in.rows.list)...)
	}
	return names
}

// elements are the elements of a list in each record, which are the rows.
type elements struct {
	name string      // of the column that is an element
	list sqlast.Expr // over the columns of the records
	// there holds for records that have the list.
	there sqlast.Expr
}

// is reports whether a column is an element.
func (e *elements) is(column string) bool { return e != nil && e.name == column }

// of is the relation of the elements, with other columns of their records.
func (e *elements) of(records sqlast.From, columns []string, column func(name string) sqlast.Item) sqlast.From {
	var items []sqlast.Item
	for _, name := range columns {
		if name != e.name {
			items = append(items, column(name))
		}
	}
	items = append(items, sqlast.Item{X: call(sqlast.Unnest, e.list), As: e.name})
	return sqlast.Subquery{Query: sqlast.Select{Why: "a row for each element of the list; a record without the list is a row", Items: items, From: records}}
}

// takeApart makes the elements of the list that the definitions name the rows.
func (in *inspector) takeApart() bool {
	path := metrics.Expr{Src: in.def.Rows.V, Pos: in.def.Rows.Pos}
	x, typ, ok := compiler.CompileColumn(path, in.open(path), in.list)
	if !ok || !in.agreed(&path, x) {
		return false
	}
	element := compiler.Column{Name: path.Src}
	in.rows = &elements{name: path.Src}
	switch typ.Kind {
	case compiler.ColumnList:
		element.Type, in.rows.list, in.rows.there = *typ.Elem, call(sqlast.ListElements, x), present(x)
	case compiler.ColumnJSON, compiler.ColumnText:
		element.Type, in.rows.list = parseType("JSON"), call(sqlast.JSONElements, x)
		in.rows.there = binary(sqlast.Eq, call(sqlast.JSONKind, x), sqlast.Text("ARRAY"))
	default:
		in.list.Errorf(path.Pos, "column-type", "%s of source %q is %s, which is no list", path.Src, in.def.Name.V, typeName(typ)).
			WithHint("rows names a list in each record; leave rows out where each record is a row")
		return false
	}
	in.columns = append(slices.DeleteFunc(slices.Clone(in.columns), func(c compiler.Column) bool { return c.Name == element.Name }), element)
	return true
}

// countElements counts the rows of the files, where those are elements, and
// warns where no record has the list.
func (in *inspector) countElements(ctx context.Context, engine *Engine) error {
	if in.rows == nil {
		return nil
	}
	if in.from != nil {
		return in.countAllElements(ctx, engine)
	}
	length := sqlast.Item{X: sqlast.Aggregate{Fn: sqlast.Sum, X: call(sqlast.ListLength, in.rows.list)}, As: "rows"}
	lists := tally(in.rows.there, "lists")
	some := int64(0)
	for chunk := range slices.Chunk(in.out.Files, footerChunk) {
		name := sqlast.Column{Name: "filename"}
		query, err := sqlast.Print(sqlast.DuckDB, sqlast.Select{
			Items:   []sqlast.Item{{X: name, As: "filename"}, {X: cast(length.X, bigint), As: length.As}, lists},
			From:    withNames(sqlast.OfFiles(in.records(), patterns(chunk))),
			GroupBy: []sqlast.Expr{name},
		})
		if err != nil {
			return fmt.Errorf("count the elements of lists: %w", err)
		}
		rows, err := engine.Query(ctx, query)
		if err != nil {
			return fmt.Errorf("count the elements of lists: %w", err)
		}
		for _, r := range rows.Cells {
			in.footers[fileCalled(r[0])].rows = r[1].(int64)
			some += r[2].(int64)
		}
	}
	if some == 0 && !in.ofPreset(in.def.Rows.Pos) {
		in.list.Warnf(in.def.Rows.Pos, "no-list", "no record of source %q has a list %s, so each record is a row", in.def.Name.V, in.rows.name).
			WithHint("see whether it is spelt as in the export")
	}
	return nil
}

// countAllElements counts the rows of a table or query.
func (in *inspector) countAllElements(ctx context.Context, engine *Engine) error {
	rows, err := scan(ctx, engine, in.out.Read, sqlast.Item{X: sqlast.Aggregate{Fn: sqlast.Count}, As: "rows"})
	if err != nil {
		return fmt.Errorf("count the elements of lists: %w", err)
	}
	in.footers[in.out.Files[0].Path].rows = rows.Cells[0][0].(int64)
	return nil
}

// withNames is a relation of files with the names of the files.
func withNames(records sqlast.From) sqlast.From {
	switch r := records.(type) {
	case sqlast.ReadParquet:
		r.Filename = true
		return r
	case sqlast.ReadNDJSON:
		r.Filename = true
		return r
	case sqlast.ReadCSV:
		r.Filename = true
		return r
	}
	panic(fmt.Sprintf("loaders: no case for %T", records))
}

// ending is the end of a file's name from which its format is known.
func ending(file string) string {
	base := file[strings.LastIndexByte(file, '/')+1:]
	lower := strings.ToLower(base)
	for format := range endings {
		for _, c := range append([]string{""}, compressions...) {
			if strings.HasSuffix(lower, format+c) {
				return base[len(base)-len(format+c):]
			}
		}
	}
	return ""
}
