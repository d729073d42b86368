package compiler

import (
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// JSONText is the text of a value of JSON: of a column of JSON, or of what a
// path in one leads to, which is its text already. A string of JSON is its own
// text, without quotes; null is missing.
func JSONText(x sqlast.Expr) sqlast.Expr {
	if isJSONText(x) {
		return x
	}
	return jsonText(x)
}

// jsonText is the text of what the names lead to. A path in a path is one path,
// so that JSON is read once for each value.
func jsonText(x sqlast.Expr, names ...string) sqlast.Expr {
	args := []sqlast.Expr{x}
	if isJSONText(x) {
		args = slices.Clone(x.(sqlast.Call).Args)
	}
	for _, name := range names {
		args = append(args, sqlast.Text(name))
	}
	return sqlast.Call{Fn: sqlast.JSONText, Args: args}
}

func isJSONText(x sqlast.Expr) bool {
	c, ok := x.(sqlast.Call)
	return ok && c.Fn == sqlast.JSONText
}

// conversions are the functions that read a value of JSON as a type, by their
// names in trees; they cannot be written.
var conversions = map[string]struct {
	gives Type
	read  sqlast.Fn
}{
	"number of JSON":    {NumberType, sqlast.ParseNumber},
	"condition of JSON": {BooleanType, sqlast.ParseBoolean},
	"time of JSON":      {TimeType, sqlast.ParseTime},
}

// as is a value of JSON read as a type; any other value is as it is.
func (x checked) as(want Type) checked {
	if x.typ != JSONType {
		return x
	}
	read := func(function string) checked {
		x.node, x.typ = CallNode{Function: function, X: x.node, Of: TextType}, want
		return x
	}
	switch want {
	case NilType, JSONType:
		return x
	case TextType:
		return read("text")
	case NumberType:
		return read("number of JSON")
	case BooleanType:
		return read("condition of JSON")
	case TimeType:
		return read("time of JSON")
	}
	panic("compiler: no case for " + want.String())
}

// beside is a value of JSON read as the type of what it stands beside.
func (x checked) beside(other checked) checked {
	if !other.ok {
		return x
	}
	return x.as(other.typ)
}
