package loaders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// Databases are the DuckDB files with the tables that the sources name, each
// once, with the names by which statements call them.
func Databases(defs *metrics.Definitions) []sqlast.Attach {
	var out []sqlast.Attach
	for _, src := range slices.Concat(defs.Sources.Impressions, defs.Sources.Events, defs.Sources.Units) {
		if !src.Table.Set {
			continue
		}
		file, _ := splitTable(src)
		if slices.ContainsFunc(out, func(a sqlast.Attach) bool { return a.File == file }) {
			continue
		}
		base := strings.TrimSuffix(path.Base(file), path.Ext(file))
		name := base
		for n := 2; reservedNames[strings.ToLower(name)] || slices.ContainsFunc(out, func(a sqlast.Attach) bool { return strings.EqualFold(a.Name, name) }); n++ {
			name = fmt.Sprint(base, "_", n)
		}
		out = append(out, sqlast.Attach{File: file, Name: name})
	}
	return out
}

// reservedNames are those of the databases that every engine has.
var reservedNames = map[string]bool{"memory": true, "system": true, "temp": true, "main": true}

// splitTable takes the file and the table of exports/warehouse.duckdb/main.orders.
// A name with a point of its own stands in double quotes.
func splitTable(src *metrics.Source) (file string, table []string) {
	folder, name := path.Split(filepath.ToSlash(src.Table.V))
	for rest := name; ; {
		part, behind, more := strings.Cut(rest, ".")
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			if inside, after, closed := strings.Cut(quoted, `"`); closed && (after == "" || after[0] == '.') {
				part, behind, more = inside, strings.TrimPrefix(after, "."), after != ""
			}
		}
		table = append(table, part)
		if !more {
			return located(src, strings.TrimSuffix(folder, "/")), table
		}
		rest = behind
	}
}

// tableText is a name as table: says it.
func tableText(name string) string {
	if strings.Contains(name, ".") {
		return `"` + name + `"`
	}
	return name
}

// attach opens the databases for reading. What fails is kept for Inspect to tell
// at its place.
func (e *Engine) attach(ctx context.Context, databases []sqlast.Attach) error {
	for _, d := range databases {
		statement, err := sqlast.Print(sqlast.DuckDB, d)
		if err != nil {
			return fmt.Errorf("attach %s: %w", d.File, err)
		}
		err = e.Exec(ctx, statement)
		if err != nil && ctx.Err() != nil {
			return err
		}
		e.databases = append(e.databases, database{d, err})
	}
	return nil
}

// database is an attached file, or why it could not be.
type database struct {
	sqlast.Attach
	err error
}

// relation inspects a source that is a table or a query: its columns and rows.
// It reports false where that is a mistake, now in the list.
func (in *inspector) relation(ctx context.Context, engine *Engine) (bool, error) {
	pos, what := in.def.SQL.Pos, "the query"
	var from sqlast.From = sqlast.RawQuery{SQL: strings.TrimRight(in.def.SQL.V, "; \t\r\n")}
	file := compiler.File{Path: "sql of " + in.def.Name.V}
	if in.def.Table.Set {
		path, table := splitTable(in.def)
		pos, what = in.def.Table.Pos, "the table"
		d, ok := in.attached(engine, path)
		if !ok {
			return false, nil
		}
		from = sqlast.StoredTable{Database: d.Name, Path: table}
		file.Path = path
		if info, err := os.Stat(filepath.FromSlash(path)); err == nil {
			file.Bytes = info.Size()
		}
	}
	read, err := sqlast.PrintFrom(sqlast.DuckDB, from)
	if err != nil {
		return false, fmt.Errorf("print the relation: %w", err)
	}
	in.schema.columns, err = describeQuery(ctx, engine, "SELECT * FROM "+read)
	if err != nil {
		return false, in.unfit(ctx, engine, pos, what, err)
	}
	rows, err := engine.Query(ctx, "SELECT count(*) FROM "+read)
	if err != nil {
		return false, in.unfit(ctx, engine, pos, what, err)
	}
	file.Rows = rows.Cells[0][0].(int64)
	in.out.Files = []compiler.File{file}
	in.footers = map[string]*footer{file.Path: {rows: file.Rows, bytes: file.Bytes}}
	in.stored, in.from = map[*metrics.Expr]stored{}, from
	return true, nil
}

// attached is the database of a file, or false after having said why there is none.
func (in *inspector) attached(engine *Engine, file string) (database, bool) {
	i := slices.IndexFunc(engine.databases, func(d database) bool { return d.File == file })
	if i < 0 {
		panic("loaders: the engine was opened without the database " + file)
	}
	d := engine.databases[i]
	if d.err == nil {
		return d, true
	}
	pos := in.def.Table.Pos
	if !isFile(file) {
		hint := cmp.Or(nearestPath(file), "a table is named behind its file: exports/warehouse.duckdb/main.orders")
		in.list.Errorf(pos, "no-files", "there is no file %q", file).Hint = hint
		return d, false
	}
	in.list.Errorf(pos, "bad-file", "%s cannot be opened as a DuckDB database: %s", file, firstLineOf(d.err)).
		WithHint("a table is named behind its file: exports/warehouse.duckdb/main.orders; a program that writes the file keeps it locked")
	return d, false
}

// unfit says that a table or query cannot be read; what the engine may manage
// another time is an error.
func (in *inspector) unfit(ctx context.Context, engine *Engine, pos diag.Pos, what string, err error) error {
	var unreachable *UnreachableError
	var memory *MemoryError
	if ctx.Err() != nil || errors.As(err, &memory) || errors.As(err, &unreachable) {
		return err
	}
	said := in.list.Errorf(pos, "bad-relation", "%s of source %q cannot be read: %s", what, in.def.Name.V, firstLineOf(err))
	if in.def.SQL.Set {
		said.WithHint("it is one SELECT in DuckDB's SQL, which reads files of the folder of the definitions, those of other sources, and tables of their databases")
		return nil
	}
	names, err := in.tables(ctx, engine)
	if err != nil {
		return err
	}
	_, table := splitTable(in.def)
	said.Hint = diag.Suggest("tables", strings.Join(table, "."), names)
	return nil
}

// tables are the names of the tables and views of the source's database.
func (in *inspector) tables(ctx context.Context, engine *Engine) ([]string, error) {
	file, _ := splitTable(in.def)
	d, _ := in.attached(engine, file)
	rows, err := engine.Query(ctx, `SELECT schema_name, table_name FROM (
  SELECT database_name, schema_name, table_name FROM duckdb_tables() UNION ALL SELECT database_name, schema_name, view_name FROM duckdb_views() WHERE NOT internal)
WHERE database_name = `+quoteText(d.Name)+" ORDER BY ALL")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range rows.Cells {
		name := tableText(r[1].(string))
		if schema := r[0].(string); schema != "main" {
			name = tableText(schema) + "." + name
		}
		names = append(names, name)
	}
	return names, nil
}

// firstLineOf is what the engine says first, without its own name before it.
func firstLineOf(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(first, "duckdb: ")
}
