package loaders

import (
	"context"
	"fmt"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// Ids are text (semantics 2.2). Whole floating numbers are their plain decimal,
// so that 7 and 7.0 are one unit, and others are an error.

// idField is an id of a source: how it is written, and how it is read.
type idField struct {
	column *metrics.Expr
	field  *compiler.Field
}

// ids are the ids of units, and those by which rows are told apart.
func (in *inspector) ids() []idField {
	c := &in.def.Columns
	var out []idField
	for i := range c.Units {
		out = append(out, idField{&c.Units[i].Column, &in.out.Units[i].Field})
	}
	if !in.def.Dedupe.Set || in.def.Dedupe.V == metrics.DedupeID {
		for i := range c.ID {
			out = append(out, idField{&c.ID[i], &in.out.ID[i]})
		}
	}
	return out
}

// brokenKey and floatingKey are the questions how many ids are floating numbers
// that are not whole, and how many values of JSON among them are floating ones;
// inexactKey, how many of those have a type that floating numbers have.
func (id idField) brokenKey() string   { return "broken\n" + id.column.Src }
func (id idField) floatingKey() string { return "floating\n" + id.column.Src }
func (id idField) inexactKey() string  { return "inexact\n" + id.column.Src }

// askIDs asks for floating numbers among the ids. Of values of JSON it asks for
// their type alone, which most ids do not have, and askFloating for the rest.
func (in *inspector) askIDs(q *questions) {
	for _, id := range in.ids() {
		s := in.stored[id.column]
		if s.typ.Kind == compiler.ColumnFloat {
			q.count(id.brokenKey(), onlyIf(sqlast.And{sqlast.IsNull{X: s.sql, Not: true}, sqlast.Not{X: canBeID(s)}}, sqlast.Int(1)))
			continue
		}
		var inexact sqlast.Or
		for _, text := range textsOfJSON(id.field.SQL) {
			inexact = append(inexact, isInexact(text))
		}
		if len(inexact) > 0 {
			q.count(id.inexactKey(), onlyIf(inexact, sqlast.Int(1)))
		}
	}
}

// askFloating asks of ids of an inexact type which are floating numbers, and not whole.
func (in *inspector) askFloating(q, asked *questions) {
	for _, id := range in.ids() {
		if !asked.some(id.inexactKey()) {
			continue
		}
		var floating, broken sqlast.Or
		for _, text := range textsOfJSON(id.field.SQL) {
			whole := call(sqlast.Coalesce, isWhole(call(sqlast.ParseNumber, text)), sqlast.Bool(false))
			floating = append(floating, isFloating(text))
			broken = append(broken, onlyIf(isFloating(text), sqlast.Not{X: whole}))
		}
		q.count(id.floatingKey(), onlyIf(floating, sqlast.Int(1)))
		q.count(id.brokenKey(), onlyIf(broken, sqlast.Int(1)))
	}
}

// settleIDs refuses ids that are floating numbers and not whole. Where values of
// JSON are such numbers, which takes longer to see than to read a text, it has
// them read as plain decimals.
func (in *inspector) settleIDs(ctx context.Context, engine *Engine, asked *questions) error {
	var q questions
	in.askFloating(&q, asked)
	if err := q.ask(ctx, engine, in.out.Read); err != nil {
		return fmt.Errorf("look through ids: %w", err)
	}
	for _, id := range in.ids() {
		for _, of := range []*questions{asked, &q} {
			if !of.some(id.brokenKey()) {
				continue
			}
			typ := in.stored[id.column].typ
			in.list.Errorf(id.column.Pos, "bad-id", "%s of source %q is %s, and %d of its values are not whole numbers below 2^%d",
				id.column.Src, in.def.Name.V, typeName(typ), of.n(id.brokenKey()), idBits(typ)).
				WithHint("write ids as text or integers")
		}
		if q.some(id.floatingKey()) {
			id.field.SQL = withPlainNumbers(id.field.SQL)
		}
	}
	return nil
}

// textsOfJSON are the values of JSON that an expression reads as texts.
func textsOfJSON(x sqlast.Expr) []sqlast.Call {
	var out []sqlast.Call
	var walk func(sqlast.Expr) sqlast.Expr
	walk = func(x sqlast.Expr) sqlast.Expr {
		if c, ok := x.(sqlast.Call); ok && c.Fn == sqlast.JSONText {
			out = append(out, c)
			return x
		}
		return sqlast.Map(x, walk)
	}
	walk(x)
	return out
}

// isFloating reports whether a text is that of a number of JSON with a point or
// an exponent.
func isFloating(text sqlast.Call) sqlast.Expr {
	return onlyIf(isInexact(text), sqlast.IsNull{X: call(sqlast.ParseInteger, text)})
}

// isInexact reports whether a text is that of a number of JSON which the engine
// holds as a floating one: of integers those beyond 64 bits.
func isInexact(text sqlast.Call) sqlast.Expr {
	return binary(sqlast.Eq, sqlast.Call{Fn: sqlast.JSONKind, Args: text.Args}, sqlast.Text("DOUBLE"))
}

// withPlainNumbers is an expression that reads numbers of JSON as plain decimals.
func withPlainNumbers(x sqlast.Expr) sqlast.Expr {
	if c, ok := x.(sqlast.Call); ok && c.Fn == sqlast.JSONText {
		return sqlast.Case{
			Whens: []sqlast.When{{If: isFloating(c), Then: cast(cast(call(sqlast.ParseNumber, c), bigint), varchar)}},
			Else:  c,
		}
	}
	return sqlast.Map(x, withPlainNumbers)
}
