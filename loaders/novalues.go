package loaders

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// forgive reads columns of Parquet, tables and queries as missing values that have none
// in any row, where their type is not one of what they are mapped to: of a column without
// values it is what its writer thought of. Rows can do without values, properties,
// attributes, weights and being held back.
func (in *inspector) forgive(ctx context.Context, engine *Engine, files []string) error {
	if in.format != metrics.FormatParquet && in.from == nil {
		return nil
	}
	type entry struct {
		column *metrics.Expr
		name   string
		read   stored
	}
	var unread []entry
	var names []string
	add := func(e *metrics.Expr, err *cannot, typ sqlast.Type, kind compiler.ColumnKind) {
		c, plain := in.stored[e].sql.(sqlast.Column)
		if err != nil && plain && !in.inPath(c.Name) && !in.rows.is(c.Name) {
			unread = append(unread, entry{e, strings.ToLower(c.Name), stored{sqlast.Null{Type: typ}, compiler.ColumnType{Kind: kind}}})
			names = append(names, strings.ToLower(c.Name))
		}
	}
	c := &in.def.Columns
	if c.Value.IsSet() {
		_, err := number(in.stored[&c.Value])
		add(&c.Value, err, double, compiler.ColumnFloat)
	}
	if c.Holdback.IsSet() {
		_, err := boolean(in.stored[&c.Holdback])
		add(&c.Holdback, err, sqlast.Type{Kind: sqlast.Boolean}, compiler.ColumnBoolean)
	}
	if c.Weight.IsSet() {
		_, err := weight(in.stored[&c.Weight])
		add(&c.Weight, err, bigint, compiler.ColumnInteger)
	}
	for _, b := range []*metrics.Bag{&c.Properties, &c.Attributes} {
		if b.From.IsSet() {
			_, err := bag(in.stored[&b.From])
			add(&b.From, err, varchar, compiler.ColumnText)
		}
		for i := range b.Named {
			e := &b.Named[i].Column
			_, err := property(in.stored[e])
			add(e, err, varchar, compiler.ColumnText)
		}
	}
	if in.from != nil && len(names) > 0 {
		var err error
		if names, err = in.valueless(ctx, engine, names); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(files, footerChunk) {
		if len(names) == 0 {
			break
		}
		valued, err := valuedColumns(ctx, engine, chunk, names)
		if err != nil {
			return err
		}
		for _, has := range valued {
			names = slices.DeleteFunc(names, func(name string) bool { return has[name] })
		}
	}
	place := "file"
	if in.from != nil {
		place = "row"
	}
	for _, u := range unread {
		if !slices.Contains(names, u.name) {
			continue
		}
		in.stored[u.column] = u.read
		in.list.Warnf(u.column.Pos, "no-values", "the column %s of source %q has no value in any %s, so that what it is mapped to is missing", u.column.Src, in.def.Name.V, place).
			WithHint("see whether the export has it under another name")
	}
	return nil
}

// valueless are those of the columns of a table or query that are null in all of its rows.
func (in *inspector) valueless(ctx context.Context, engine *Engine, names []string) ([]string, error) {
	var items []sqlast.Item
	for i, name := range names {
		items = append(items, sqlast.Item{X: sqlast.Aggregate{Fn: sqlast.Count, X: sqlast.Column{Name: name}}, As: fmt.Sprint("c", i)})
	}
	rows, err := scan(ctx, engine, in.from, items...)
	if err != nil {
		return nil, fmt.Errorf("look for columns without values: %w", err)
	}
	var out []string
	for i, name := range names {
		if rows.Cells[0][i].(int64) == 0 {
			out = append(out, name)
		}
	}
	return out, nil
}

// noRows says that a source has no rows, in place of the warnings that come of it, which are
// those from a place in the list on.
func (in *inspector) noRows(from int) {
	*in.list = append((*in.list)[:from:from], slices.DeleteFunc(slices.Clone((*in.list)[from:]), func(d diag.Diagnostic) bool {
		return d.Severity == diag.Warning
	})...)
	at, what := in.def.Name.Pos, fmt.Sprintf("none of its %d files has one", len(in.out.Files))
	switch {
	case len(in.def.Paths) > 0 && len(in.out.Files) == 1:
		at, what = in.def.Paths[0].Pos, in.out.Files[0].Path+" has none"
	case len(in.def.Paths) > 0:
		at = in.def.Paths[0].Pos
	case in.def.Table.Set:
		at, what = in.def.Table.Pos, "the table has none"
	case in.def.SQL.Set:
		at, what = in.def.SQL.Pos, "the query gives none"
	}
	said := in.list.Warnf(at, "no-rows", "source %q has no rows: %s", in.def.Name.V, what)
	if len(in.def.Paths) > 0 {
		said.WithHint("see whether the export was written to its end")
	}
}
