package loaders

import (
	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// rowKey are the fields in which rows agree that are one with dedupe: row
// (semantics 2.4): all mapped columns as they are read, but for those that
// rows with one id agree in as well. Missing values are equal.
//
// The order of the entries of a map or list is no difference, and neither is
// an entry that is there but missing. Values and texts of JSON are compared as
// they stand, an empty value as a missing one.
func (in *inspector) rowKey() []compiler.Field {
	var out []compiler.Field
	add := func(key sqlast.Expr) {
		if key != nil {
			out = append(out, compiler.Field{SQL: key, NeverNull: true})
		}
	}
	optional := func(f *compiler.Field) {
		if f != nil {
			add(f.SQL)
		}
	}
	src := in.out
	add(src.Time.SQL)
	add(src.Variation.SQL)
	optional(src.Holdback)
	if value := &in.def.Columns.Value; value.IsSet() {
		key := in.stored[value].sql
		if in.stored[value].typ.Kind == compiler.ColumnText {
			key = call(sqlast.NullIf, key, sqlast.Text(""))
		}
		add(key)
	}
	optional(src.Weight)
	for i := range in.def.Columns.ID {
		add(in.stored[&in.def.Columns.ID[i]].sql)
	}
	for _, b := range []compiler.Bag{src.Properties, src.Attributes} {
		for _, name := range b.Names() {
			if f, named := b.Named[name]; named {
				add(f.SQL)
			}
		}
		switch b.Form {
		case compiler.BagMap:
			add(call(sqlast.PresentEntries, call(sqlast.MapEntries, b.From)))
		case compiler.BagPairs:
			add(call(sqlast.PresentEntries, b.From))
		case compiler.BagNone:
		default:
			add(b.From)
		}
	}
	return out
}
