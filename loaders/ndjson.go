package loaders

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// lineFile is what the lines of a file of NDJSON say.
type lineFile struct {
	rows int64
	// unreadable are the lines that are no JSON object.
	unreadable int64
}

// readLines reads the lines of NDJSON files. It counts rows and finds the names
// of members, which are the columns, and gives each the type that its values
// have in all files: with rows of several types, or objects and lists, JSON.
// What is told of a file is under its name; a file without lines is not in it.
func readLines(ctx context.Context, engine *Engine, files []string) (map[string]lineFile, schema, error) {
	lines, s, err := readMembers(ctx, engine, files)
	if err == nil {
		err = lineTypes(ctx, engine, files, s.columns)
	}
	return lines, s, err
}

// readMembers is readLines without the types.
func readMembers(ctx context.Context, engine *Engine, files []string) (map[string]lineFile, schema, error) {
	lines, s := map[string]lineFile{}, schema{}
	if err := checkTexts(ctx, engine, files, true); err != nil {
		return nil, s, err
	}
	names := map[string][]string{} // of the files that have a member
	for chunk := range slices.Chunk(files, footerChunk) {
		from := "read_ndjson_objects(" + fileList(chunk) + ", ignore_errors = true, filename = true, hive_partitioning = false)"
		rows, err := engine.Query(ctx, strings.ReplaceAll(membersSQL, "{1}", from))
		if err != nil {
			return nil, s, err
		}
		for _, r := range rows.Cells {
			if r[0] != nil {
				file := fileCalled(r[0])
				all, good := r[1].(int64), r[2].(int64)
				lines[file] = lineFile{rows: good, unreadable: all - good}
				continue
			}
			name := r[3].(string)
			if names[name] == nil {
				s.columns = append(s.columns, compiler.Column{Name: name})
			}
			for _, file := range r[4].([]any) {
				names[name] = append(names[name], fileCalled(file))
			}
		}
	}
	s.members, s.files = names, files
	return lines, s, nil
}

// membersSQL counts the lines of each file and those that are objects, and lists the
// members with the files that have them. The lines are read once, and few of
// them have other members than others.
const membersSQL = `WITH sets AS MATERIALIZED (
  SELECT filename, keys, count(*) AS n
  FROM (SELECT filename, CASE WHEN starts_with(json, '{') THEN json_keys(json) END AS keys FROM {1})
  GROUP BY filename, keys
)
SELECT filename, CAST(sum(n) AS BIGINT), CAST(coalesce(sum(n) FILTER (keys IS NOT NULL), 0) AS BIGINT), NULL AS name, NULL AS files, NULL AS place
FROM sets
GROUP BY filename
UNION ALL
SELECT NULL, NULL, NULL, name, list_sort(list(DISTINCT filename)), min(place)
FROM (SELECT filename, unnest(keys) AS name, generate_subscripts(keys, 1) AS place FROM sets)
GROUP BY name
ORDER BY place, name`

// typedColumns is how many columns one query about types is over.
const typedColumns = 100

// lineTypes gives columns the types that hold all their values.
func lineTypes(ctx context.Context, engine *Engine, files []string, columns []compiler.Column) error {
	read := sqlast.ReadNDJSON{Files: filePatterns(files), Alias: "r"}
	for chunk := range slices.Chunk(columns, typedColumns) {
		read.Columns = nil
		var items []string
		for i, c := range chunk {
			read.Columns = append(read.Columns, sqlast.NamedColumn{Name: c.Name, Type: sqlast.Type{Kind: sqlast.JSONType}})
			x, err := sqlast.PrintExpr(sqlast.DuckDB, sqlast.Column{Table: "r", Name: c.Name})
			if err != nil {
				return err
			}
			items = append(items, fmt.Sprintf("list(DISTINCT %s) AS t%d", strings.ReplaceAll(valueClass, "{1}", x), i))
		}
		from, err := sqlast.PrintFrom(sqlast.DuckDB, read)
		if err != nil {
			return err
		}
		rows, err := engine.Query(ctx, "SELECT "+strings.Join(items, ",\n  ")+"\nFROM "+from)
		if err != nil {
			return err
		}
		for i := range chunk {
			var classes []string
			for _, class := range rows.Cells[0][i].([]any) {
				if class != nil {
					classes = append(classes, class.(string))
				}
			}
			slices.Sort(classes)
			chunk[i].Type = parseType(memberType(classes))
			chunk[i].Type.Pairs = slices.Contains(classes, "pairs")
		}
	}
	return nil
}

// valueClass says what a value of JSON is, NULL where it is missing. Numbers are
// told apart by what holds them without loss.
var valueClass = `CASE json_type({1})
    WHEN 'UBIGINT' THEN CASE WHEN strlen(CAST({1} AS VARCHAR)) < 16 THEN 'short' WHEN strlen(CAST({1} AS VARCHAR)) < 19 THEN 'long' ELSE 'huge' END
    WHEN 'BIGINT' THEN CASE WHEN strlen(CAST({1} AS VARCHAR)) < 16 THEN 'short' WHEN strlen(CAST({1} AS VARCHAR)) < 19 THEN 'long' ELSE 'huge' END
    WHEN 'DOUBLE' THEN CASE WHEN NOT regexp_full_match(CAST({1} AS VARCHAR), '-?[0-9]+') THEN 'number' WHEN strlen(CAST({1} AS VARCHAR)) < 38 THEN 'huge' ELSE 'digits' END
    WHEN 'VARCHAR' THEN 'text'
    WHEN 'BOOLEAN' THEN 'boolean'
    ELSE CASE WHEN ` + holdsPairs + ` THEN 'pairs' WHEN json_type({1}) IN ('ARRAY', 'OBJECT') THEN 'nested' END
  END`

// holdsPairs holds for lists in JSON of named values, and for objects that have one
// as key_value, which BigQuery makes of maps.
var holdsPairs = `CASE json_type({1})
    WHEN 'ARRAY' THEN ` + isPairList + `
    WHEN 'OBJECT' THEN ` + strings.ReplaceAll(isPairList, "{1}", "json_extract({1}, '/key_value')") + `
  END`

// isPairList holds for lists in JSON of named values: all of {name, value}, or
// all of {key, value}, as warehouses write maps to JSON, and Google Analytics its
// parameters, of which the value has a member for its type.
const isPairList = `CASE WHEN len(json_extract({1}, '$[*].value')) = 0 THEN false
    WHEN len(json_extract({1}, '$[*].name')) = len(json_extract({1}, '$[*]')) THEN true
    ELSE len(json_extract({1}, '$[*].key')) = len(json_extract({1}, '$[*]'))
  END`

// memberType is the type that holds all values of the classes, which are sorted.
func memberType(classes []string) string {
	only := func(these ...string) bool {
		return len(classes) > 0 && !slices.ContainsFunc(classes, func(class string) bool { return !slices.Contains(these, class) })
	}
	switch {
	case only("text"):
		return "VARCHAR"
	case only("boolean"):
		return "BOOLEAN"
	case only("short", "long"):
		return "BIGINT"
	case only("short", "long", "huge"):
		return "HUGEINT"
	case only("short", "number"):
		return "DOUBLE"
	default:
		return "JSON"
	}
}
