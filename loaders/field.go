package loaders

import (
	"fmt"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// cannot says why a column cannot be read as wanted; its text follows "the
// column is TYPE, " in a message.
type cannot struct{ why, hint string }

// stored is a column as CompileColumn gives it: a value and its stored type.
type stored struct {
	sql sqlast.Expr
	typ compiler.ColumnType
}

var (
	varchar   = sqlast.Type{Kind: sqlast.Varchar}
	double    = sqlast.Type{Kind: sqlast.Double}
	bigint    = sqlast.Type{Kind: sqlast.Bigint}
	timestamp = sqlast.Type{Kind: sqlast.TimestampType}
)

func cast(x sqlast.Expr, to sqlast.Type) sqlast.Expr { return sqlast.Cast{X: x, To: to} }

func call(fn sqlast.Fn, args ...sqlast.Expr) sqlast.Expr { return sqlast.Call{Fn: fn, Args: args} }

func binary(op sqlast.Op, l, r sqlast.Expr) sqlast.Expr { return sqlast.Binary{Op: op, L: l, R: r} }

// onlyIf is x where the condition holds, else NULL.
func onlyIf(condition, x sqlast.Expr) sqlast.Expr {
	return sqlast.Case{Whens: []sqlast.When{{If: condition, Then: x}}}
}

// within is x between two bounds, both included.
func within(x, low, high sqlast.Expr) sqlast.Expr {
	return sqlast.And{binary(sqlast.GreaterEq, x, low), binary(sqlast.LessEq, x, high)}
}

// plain is a value of JSON as its text; any other column is as it is.
func plain(c stored) stored {
	if c.typ.Kind != compiler.ColumnJSON {
		return c
	}
	return stored{compiler.JSONText(c.sql), compiler.ColumnType{Kind: compiler.ColumnText, Name: c.typ.Name}}
}

// text reads a column as text: numbers in plain decimal, times as RFC 3339,
// everything else as its text. NaN and the infinities are missing.
func text(c stored) (compiler.Field, *cannot) {
	field := compiler.Field{Type: compiler.FieldType{Kind: compiler.FieldText}}
	switch c.typ.Kind {
	case compiler.ColumnText:
		field.SQL = c.sql
	case compiler.ColumnJSON:
		field.SQL = compiler.JSONText(c.sql)
	case compiler.ColumnUUID:
		field.SQL = cast(c.sql, varchar)
	case compiler.ColumnInteger, compiler.ColumnDecimal, compiler.ColumnFloat, compiler.ColumnBoolean,
		compiler.ColumnTimestamp, compiler.ColumnTimestampNS, compiler.ColumnTimestampTZ, compiler.ColumnDate:
		typed, err := property(c)
		if err != nil {
			return field, err
		}
		field.SQL = typed.Text()
	case compiler.ColumnStruct, compiler.ColumnMap, compiler.ColumnList, compiler.ColumnOther:
		return field, &cannot{why: "which has no plain text", hint: "name a part of it, or a column of text"}
	default:
		panic(fmt.Sprintf("loaders: no case for %v", c.typ.Kind))
	}
	return field, nil
}

// rowID is text of which floating numbers that are no ids are missing. Whole
// numbers have no point, whatever the type of the column.
func rowID(c stored) (compiler.Field, *cannot) {
	field, err := text(c)
	switch {
	case err != nil:
	case c.typ.Kind == compiler.ColumnFloat:
		field.SQL = onlyIf(canBeID(c), cast(cast(c.sql, bigint), varchar))
	case c.typ.Kind == compiler.ColumnDecimal && c.typ.Scale > 0:
		field.SQL = compiler.PlainDecimal(c.sql)
	}
	return field, err
}

// idBits is the power of two below which every whole number is one of a floating
// column: beyond it, the numbers of several ids are one.
func idBits(t compiler.ColumnType) int {
	if floating(t).Single {
		return 24
	}
	return 53
}

// canBeID holds for the floating numbers of a column that can be ids.
func canBeID(c stored) sqlast.Expr { return isWholeBelow(c.sql, idBits(c.typ)) }

// isWhole holds for floating numbers that have an exact plain decimal.
func isWhole(x sqlast.Expr) sqlast.Expr { return isWholeBelow(x, 53) }

// isWholeBelow holds for whole floating numbers below a power of two.
func isWholeBelow(x sqlast.Expr, bits int) sqlast.Expr {
	return sqlast.And{
		binary(sqlast.Eq, call(sqlast.Floor, x), x),
		binary(sqlast.Less, call(sqlast.Abs, x), sqlast.Float(float64(int64(1)<<bits))),
	}
}

// identifier is the id of a unit: as that of a row, but missing where empty.
func identifier(c stored) (compiler.Field, *cannot) {
	field, err := rowID(c)
	if err != nil {
		return field, err
	}
	if c.typ.Kind == compiler.ColumnText || c.typ.Kind == compiler.ColumnJSON {
		field.SQL = call(sqlast.NullIf, field.SQL, sqlast.Text(""))
	}
	return field, nil
}

// variation is text; of JSON, the text of the value, which is JSON but for
// strings.
func variation(c stored) (compiler.Field, *cannot) {
	field, err := text(c)
	if c.typ.Kind == compiler.ColumnJSON {
		field.Type.Kind = compiler.FieldJSON
	}
	return field, err
}

// number is exact where the column is; text is read by the grammar of
// number(). NaN and infinities are missing.
func number(c stored) (compiler.Field, *cannot) {
	c = plain(c)
	switch c.typ.Kind {
	case compiler.ColumnInteger:
		return compiler.Field{SQL: c.sql, Type: compiler.FieldType{Kind: compiler.FieldInteger}}, nil
	case compiler.ColumnDecimal:
		return compiler.Field{SQL: c.sql, Type: decimal(c.typ)}, nil
	case compiler.ColumnFloat:
		return compiler.Field{SQL: call(sqlast.Finite, cast(c.sql, double)), Type: floating(c.typ)}, nil
	case compiler.ColumnText:
		return compiler.Field{SQL: call(sqlast.ParseNumber, c.sql), Type: compiler.FieldType{Kind: compiler.FieldFloat}}, nil
	default:
		return compiler.Field{}, &cannot{why: "which is no number"}
	}
}

func decimal(t compiler.ColumnType) compiler.FieldType {
	return compiler.FieldType{Kind: compiler.FieldDecimal, Scale: t.Scale, Width: t.Width}
}

// floating is the type of a floating column.
func floating(t compiler.ColumnType) compiler.FieldType {
	return compiler.FieldType{Kind: compiler.FieldFloat, Single: t.Name == "FLOAT"}
}

// weight is a whole number; what is none is missing.
func weight(c stored) (compiler.Field, *cannot) {
	c = plain(c)
	field := compiler.Field{Type: compiler.FieldType{Kind: compiler.FieldInteger}}
	x := c.sql
	switch c.typ.Kind {
	case compiler.ColumnInteger:
		field.SQL = sqlast.Cast{X: x, To: bigint, Try: true}
		return field, nil
	case compiler.ColumnDecimal, compiler.ColumnFloat:
		x = cast(x, double)
	case compiler.ColumnText:
		x = call(sqlast.ParseNumber, x)
	default:
		return field, &cannot{why: "which is no number"}
	}
	field.SQL = onlyIf(isWhole(x), cast(x, bigint))
	return field, nil
}

// boolean also reads the integers 1 and 0 and the words true and false.
func boolean(c stored) (compiler.Field, *cannot) {
	c = plain(c)
	field := compiler.Field{Type: compiler.FieldType{Kind: compiler.FieldBoolean}}
	switch c.typ.Kind {
	case compiler.ColumnBoolean:
		field.SQL = c.sql
	case compiler.ColumnText:
		field.SQL = call(sqlast.ParseBoolean, c.sql)
	case compiler.ColumnInteger:
		field.SQL = sqlast.Case{Whens: []sqlast.When{
			{If: binary(sqlast.Eq, c.sql, sqlast.Int(1)), Then: sqlast.Bool(true)},
			{If: binary(sqlast.Eq, c.sql, sqlast.Int(0)), Then: sqlast.Bool(false)},
		}}
	default:
		return field, &cannot{why: "which is not true or false", hint: `compare it with something, as in 'bucket == "holdback"'`}
	}
	return field, nil
}

// property is a value with the type that the column has.
func property(c stored) (compiler.Field, *cannot) {
	switch c.typ.Kind {
	case compiler.ColumnText, compiler.ColumnUUID, compiler.ColumnJSON:
		return text(c)
	case compiler.ColumnInteger, compiler.ColumnDecimal, compiler.ColumnFloat:
		return number(c)
	case compiler.ColumnBoolean:
		return boolean(c)
	case compiler.ColumnTimestamp, compiler.ColumnTimestampNS, compiler.ColumnTimestampTZ, compiler.ColumnDate:
		return instant(c, "")
	case compiler.ColumnStruct, compiler.ColumnMap, compiler.ColumnList, compiler.ColumnOther:
		return compiler.Field{}, &cannot{why: "which is not one value", hint: "name a part of it, as in context.key"}
	default:
		panic(fmt.Sprintf("loaders: no case for %v", c.typ.Kind))
	}
}

// bag reads a column of named values.
func bag(c stored) (compiler.Bag, *cannot) {
	pairs, pairValues, isPairs := compiler.NamedValues(c.sql, c.typ)
	switch {
	case isPairs:
		if values, ok := valueType(pairValues); ok {
			return compiler.Bag{Form: compiler.BagPairs, From: pairs, Values: values}, nil
		}
	case c.typ.Kind == compiler.ColumnMap:
		if values, ok := valueType(*c.typ.Elem); ok {
			return compiler.Bag{Form: compiler.BagMap, From: c.sql, Values: values}, nil
		}
	case c.typ.Kind == compiler.ColumnText, c.typ.Kind == compiler.ColumnJSON:
		form := compiler.BagJSON
		if c.typ.Pairs {
			form = compiler.BagJSONPairs
		}
		return compiler.Bag{Form: form, From: c.sql}, nil
	case c.typ.Kind == compiler.ColumnStruct:
		fields := map[string]compiler.Field{}
		structFields(c, "", fields)
		return compiler.Bag{Form: compiler.BagStruct, From: c.sql, Fields: fields}, nil
	}
	return compiler.Bag{}, &cannot{why: "which holds no named values", hint: "a MAP, a STRUCT, JSON text, a list of {name, value} or {key, value}, or name single columns: {price: price}"}
}

// structFields adds the fields of a STRUCT, those of a STRUCT inside it with
// their path (context.key). Lists and maps inside are left out.
func structFields(c stored, prefix string, into map[string]compiler.Field) {
	var inner []compiler.Column
	for _, f := range c.typ.Fields {
		if f.Type.Kind == compiler.ColumnStruct {
			inner = append(inner, f)
			continue
		}
		value, err := property(stored{sqlast.Field{X: c.sql, Name: f.Name}, f.Type})
		if _, taken := into[prefix+f.Name]; err == nil && !taken {
			into[prefix+f.Name] = value
		}
	}
	for _, f := range inner {
		structFields(stored{sqlast.Field{X: c.sql, Name: f.Name}, f.Type}, prefix+f.Name+".", into)
	}
}

// valueType is the type of the values of a map or list, where the compiler
// can read them as they are.
func valueType(t compiler.ColumnType) (compiler.FieldType, bool) {
	switch t.Kind {
	case compiler.ColumnText:
		return compiler.FieldType{Kind: compiler.FieldText}, true
	case compiler.ColumnInteger:
		return compiler.FieldType{Kind: compiler.FieldInteger}, true
	case compiler.ColumnDecimal:
		return decimal(t), true
	case compiler.ColumnFloat:
		return floating(t), true
	case compiler.ColumnBoolean:
		return compiler.FieldType{Kind: compiler.FieldBoolean}, true
	default:
		return compiler.FieldType{}, false
	}
}
