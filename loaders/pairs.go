package loaders

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// pairSample is in how many rows of a source lists of named values are looked for.
const pairSample = 10_000

// findPairs looks for lists of named values in columns of JSON text: exports that
// keep parameters as such lists become text where a warehouse has no lists, or
// was loaded with JSON. Lists that are members of NDJSON are known already.
func (in *inspector) findPairs(ctx context.Context, engine *Engine) error {
	var items []sqlast.Item
	var names, tests []string
	for _, c := range in.columns {
		text := c.Type.Kind == compiler.ColumnText || c.Type.Kind == compiler.ColumnJSON && in.schema.members == nil
		disputed := slices.ContainsFunc(in.schema.conflicts, func(o conflict) bool { return strings.EqualFold(o.path[0], c.Name) })
		if !text || disputed || in.inPath(c.Name) || !in.holdsNamed(c.Name) {
			continue
		}
		name := fmt.Sprint("c", len(items))
		names = append(names, c.Name)
		tests = append(tests, strings.ReplaceAll("coalesce(bool_or("+holdsPairs+"), false)", "{1}", "TRY(json("+name+"))"))
		items = append(items, sqlast.Item{X: sqlast.Column{Name: c.Name}, As: name})
	}
	if len(items) == 0 {
		return nil
	}
	read := in.reading(names)
	sample, err := sqlast.Print(sqlast.DuckDB, sqlast.Select{Items: items, From: read, Limit: pairSample})
	if err != nil {
		return err
	}
	rows, err := engine.Query(ctx, "SELECT "+strings.Join(tests, ", ")+" FROM ("+sample+")")
	if err != nil {
		return fmt.Errorf("look for lists of named values: %w", err)
	}
	in.columns = slices.Clone(in.columns)
	for i, name := range names {
		at := slices.IndexFunc(in.columns, func(c compiler.Column) bool { return c.Name == name })
		in.columns[at].Type.Pairs = rows.Cells[0][i] == true
	}
	return nil
}

// reading is the relation of what stands in the files with these columns; members
// of JSON are read as text.
func (in *inspector) reading(columns []string) sqlast.From {
	from := in.records()
	switch read := from.(type) {
	case sqlast.ReadParquet:
		read.Unread = in.schema.unread(columns)
		return read
	case sqlast.ReadCSV:
		read.Columns = columns
		return read
	case sqlast.ReadNDJSON:
		read.Columns = nil
		for _, name := range columns {
			read.Columns = append(read.Columns, sqlast.NamedColumn{Name: name, Type: varchar})
		}
		return read
	}
	return from
}

// holdsNamed reports whether the definitions read values by name from a column.
func (in *inspector) holdsNamed(column string) bool {
	c := &in.def.Columns
	for _, e := range mapped(c) {
		name := strings.TrimSpace(e.Src)
		if strings.EqualFold(name, column) && (e == &c.Properties.From || e == &c.Attributes.From) {
			return true
		}
		if len(name) > len(column) && strings.EqualFold(name[:len(column)], column) && strings.ContainsAny(name[len(column):len(column)+1], ".[") {
			return true
		}
	}
	return false
}
