package compiler

import (
	"fmt"
	"math"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// Condition gives the SQL of an expression of BooleanType as a condition:
// where it is NULL, it is false. So it stands in a WHERE, behind WHEN, and
// under AND and OR, and nowhere else.
func (e *Expression) Condition(scope Scope) sqlast.Expr {
	return sqlWriter{scope}.condition(e.Tree).x
}

// Value gives the SQL of an expression as a value: NULL where it is missing;
// a number is a double and never NaN or infinite; a comparison is never NULL.
func (e *Expression) Value(scope Scope) sqlast.Expr {
	return sqlWriter{scope}.value(e.Tree).finite().x
}

// Unguarded gives Value without the guard against NaN and infinities around
// the whole, and whether it needs one. A reader that puts the value into a
// column first can guard the column, which is shorter and does the work once.
func (e *Expression) Unguarded(scope Scope) (x sqlast.Expr, guard bool) {
	v := sqlWriter{scope}.value(e.Tree)
	return v.x, v.wild
}

// sqlWriter turns nodes into SQL.
//
// Numbers are guarded late. A sum, difference or product is NaN or infinite
// as soon as one operand is, so that a chain of them is guarded once, where
// something reads it that could turn an infinity into a number again: a
// divisor, a comparison, ??, the value of the whole.
type sqlWriter struct{ scope Scope }

// sqlValue is a piece of SQL and what is known of it.
type sqlValue struct {
	x    sqlast.Expr
	null bool // it may be NULL
	wild bool // it may be NaN or infinite where it is to be missing
}

// finite guards a number where that is needed.
func (v sqlValue) finite() sqlValue {
	if v.wild {
		return sqlValue{x: sqlast.Call{Fn: sqlast.Finite, Args: []sqlast.Expr{v.x}}, null: true}
	}
	return v
}

// never gives a condition that is FALSE where v is NULL.
func (v sqlValue) never() sqlValue {
	if !v.null {
		return v
	}
	return sqlValue{x: sqlCall(sqlast.Coalesce, v.x, sqlast.Bool(false))}
}

func sqlCall(fn sqlast.Fn, args ...sqlast.Expr) sqlast.Expr {
	return sqlast.Call{Fn: fn, Args: args}
}

// condition gives a condition that is true exactly where the node is; where
// the node is false or missing it is FALSE or NULL.
func (w sqlWriter) condition(n Node) sqlValue {
	switch n := n.(type) {
	case BooleanNode, NameNode, NilNode, CallNode:
		return w.value(n)
	case NotNode:
		return w.not(n.X)
	case BinaryNode:
		return w.conditionOf(n)
	case InNode:
		return w.in(n)
	case ChoiceNode:
		return w.choice(n, w.condition)
	}
	panic(fmt.Sprintf("compiler: no case for the condition %T", n))
}

func (w sqlWriter) conditionOf(n BinaryNode) sqlValue {
	switch n.Op {
	case And, Or:
		parts, null := w.parts(n, n.Op)
		if n.Op == And {
			return sqlValue{x: sqlast.And(parts), null: null}
		}
		return sqlValue{x: sqlast.Or(parts), null: null}
	case Equal:
		return w.equal(n, false)
	case NotEqual:
		return w.notEqual(n)
	case Less, LessEqual, Greater, GreaterEqual:
		l, r := w.value(n.L).finite(), w.value(n.R).finite()
		return sqlValue{x: sqlast.Binary{Op: orderOps[n.Op], L: l.x, R: r.x}, null: l.null || r.null}
	case Contains, StartsWith, EndsWith, Matches:
		l, r := w.value(n.L), w.value(n.R)
		return sqlValue{x: sqlCall(textTests[n.Op], l.x, r.x), null: l.null || r.null}
	case Otherwise:
		l := w.value(n.L)
		switch {
		case isNil(n.L):
			return w.condition(n.R)
		case isNil(n.R), !l.null:
			return l
		}
		r := w.condition(n.R)
		return sqlValue{x: sqlCall(sqlast.Coalesce, l.x, r.x), null: r.null}
	}
	panic("compiler: no case for the condition " + string(n.Op))
}

var orderOps = map[Operator]sqlast.Op{
	Less: sqlast.Less, LessEqual: sqlast.LessEq, Greater: sqlast.Greater, GreaterEqual: sqlast.GreaterEq,
}

var textTests = map[Operator]sqlast.Fn{
	Contains: sqlast.Contains, StartsWith: sqlast.StartsWith, EndsWith: sqlast.EndsWith, Matches: sqlast.RegexMatch,
}

// parts gives the conditions that stand beside each other with one operator.
func (w sqlWriter) parts(n Node, op Operator) (parts []sqlast.Expr, null bool) {
	if b, ok := n.(BinaryNode); ok && b.Op == op {
		l, lnull := w.parts(b.L, op)
		r, rnull := w.parts(b.R, op)
		return append(l, r...), lnull || rnull
	}
	c := w.condition(n)
	return []sqlast.Expr{c.x}, c.null
}

// not gives the exact negation of a condition; it is never NULL.
func (w sqlWriter) not(n Node) sqlValue {
	switch n := n.(type) {
	case NotNode:
		return w.condition(n.X).never()
	case BinaryNode:
		switch n.Op {
		case Equal:
			return w.notEqual(n)
		case NotEqual:
			return w.equal(n, true)
		}
	}
	return sqlValue{x: sqlast.Not{X: w.condition(n).never().x}}
}

// equal compares with ==. With exact it is never NULL.
func (w sqlWriter) equal(n BinaryNode, exact bool) sqlValue {
	l, r := w.value(n.L).finite(), w.value(n.R).finite()
	switch {
	case isNil(n.R):
		return sqlValue{x: sqlast.IsNull{X: l.x}}
	case isNil(n.L):
		return sqlValue{x: sqlast.IsNull{X: r.x}}
	case l.null && r.null, exact && (l.null || r.null):
		return sqlValue{x: sqlast.Binary{Op: sqlast.NotDistinct, L: l.x, R: r.x}}
	}
	return sqlValue{x: sqlast.Binary{Op: sqlast.Eq, L: l.x, R: r.x}, null: l.null || r.null}
}

// notEqual is the exact negation of ==; it is never NULL.
func (w sqlWriter) notEqual(n BinaryNode) sqlValue {
	l, r := w.value(n.L).finite(), w.value(n.R).finite()
	switch {
	case isNil(n.R):
		return sqlValue{x: sqlast.IsNull{X: l.x, Not: true}}
	case isNil(n.L):
		return sqlValue{x: sqlast.IsNull{X: r.x, Not: true}}
	case l.null || r.null:
		return sqlValue{x: sqlast.Binary{Op: sqlast.Distinct, L: l.x, R: r.x}}
	}
	return sqlValue{x: sqlast.Binary{Op: sqlast.NotEq, L: l.x, R: r.x}}
}

func isNil(n Node) bool {
	_, ok := n.(NilNode)
	return ok
}

func (w sqlWriter) in(n InNode) sqlValue {
	x := w.value(n.X).finite()
	out := sqlast.In{X: x.x}
	null := x.null
	for _, m := range n.List {
		v := w.value(m).finite()
		out.List = append(out.List, v.x)
		null = null || v.null
	}
	return sqlValue{x: out, null: null}
}

func (w sqlWriter) choice(n ChoiceNode, branch func(Node) sqlValue) sqlValue {
	then, otherwise := branch(n.Then), branch(n.Else)
	// A NULL without its type would make a text of the other branch.
	typ := sqlType(typeOf(n))
	if isNil(n.Then) {
		then.x = sqlast.Null{Type: typ}
	}
	if isNil(n.Else) {
		otherwise.x = sqlast.Null{Type: typ}
	}
	return sqlValue{
		x: sqlast.Case{
			Whens: []sqlast.When{{If: w.condition(n.If).x, Then: then.x}},
			Else:  otherwise.x,
		},
		null: then.null || otherwise.null,
		wild: then.wild || otherwise.wild,
	}
}

// value gives the value of a node, NULL where it is missing, or with wild,
// NaN or infinite.
func (w sqlWriter) value(n Node) sqlValue {
	switch n := n.(type) {
	case TextNode:
		return sqlValue{x: sqlast.Text(n.Value)}
	case NumberNode:
		return sqlValue{x: sqlast.Float(n.Value)}
	case BooleanNode:
		return sqlValue{x: sqlast.Bool(n.Value)}
	case TimeNode:
		return sqlValue{x: sqlast.Timestamp(n.Value)}
	case NilNode:
		return sqlValue{x: sqlast.Null{Type: sqlast.Type{Kind: sqlast.Varchar}}, null: true}
	case NameNode:
		return sqlValue{x: w.scope.SQL(n.Ref), null: true}
	case NotNode, InNode:
		return w.condition(n).never()
	case MinusNode:
		v := w.value(n.X)
		return sqlValue{x: sqlast.Negative{X: v.x}, null: v.null, wild: v.wild}
	case BinaryNode:
		return w.valueOf(n)
	case ChoiceNode:
		return w.choice(n, w.value)
	case CallNode:
		return w.call(n)
	case VWOUUIDNode:
		return w.vwoUUID(n)
	}
	panic(fmt.Sprintf("compiler: no case for %T", n))
}

func (w sqlWriter) valueOf(n BinaryNode) sqlValue {
	switch n.Op {
	case Equal:
		return w.equal(n, true)
	case Plus, Minus, Times:
		l, r := w.value(n.L), w.value(n.R)
		wild := l.wild || r.wild || n.Op != Times || !shrinks(n.L) && !shrinks(n.R)
		return sqlValue{x: sqlast.Binary{Op: arithmeticOps[n.Op], L: l.x, R: r.x}, null: l.null || r.null, wild: wild}
	case Divide:
		l, r := w.value(n.L), w.divisor(n.R)
		lit, ok := n.R.(NumberNode)
		wild := l.wild || !ok || math.Abs(lit.Value) < 1
		return sqlValue{x: sqlast.Binary{Op: sqlast.Div, L: l.x, R: r.x}, null: l.null || r.null, wild: wild}
	case Remainder:
		l, r := w.value(n.L), w.divisor(n.R)
		return sqlValue{x: sqlCall(sqlast.Mod, l.x, r.x), null: l.null || r.null, wild: l.wild}
	case Otherwise:
		l := w.value(n.L).finite()
		switch {
		case isNil(n.L):
			return w.value(n.R)
		case isNil(n.R), !l.null:
			return l
		}
		r := w.value(n.R)
		return sqlValue{x: sqlCall(sqlast.Coalesce, l.x, r.x), null: r.null, wild: r.wild}
	}
	return w.conditionOf(n).never()
}

var arithmeticOps = map[Operator]sqlast.Op{Plus: sqlast.Add, Minus: sqlast.Sub, Times: sqlast.Mul}

// shrinks reports whether a product with the node cannot overflow.
func shrinks(n Node) bool {
	lit, ok := n.(NumberNode)
	return ok && math.Abs(lit.Value) <= 1
}

// divisor gives a number by which can be divided: NULL instead of zero, and
// no infinity, which would make zero of any dividend.
func (w sqlWriter) divisor(n Node) sqlValue {
	if lit, ok := n.(NumberNode); ok && lit.Value != 0 {
		return w.value(n)
	}
	v := w.value(n).finite()
	return sqlValue{x: sqlCall(sqlast.NullIf, v.x, sqlast.Float(0)), null: true}
}

// call gives the value of a function. Those of numbers leave NaN and
// infinities as they are.
func (w sqlWriter) call(n CallNode) sqlValue {
	v := w.value(n.X)
	keep := func(fn sqlast.Fn) sqlValue {
		return sqlValue{x: sqlCall(fn, v.x), null: v.null, wild: v.wild}
	}
	switch n.Function {
	case "lower":
		return keep(sqlast.LowerASCII)
	case "upper":
		return keep(sqlast.UpperASCII)
	case "trim":
		return keep(sqlast.TrimUnicode)
	case "abs":
		return keep(sqlast.Abs)
	case "ceil":
		return keep(sqlast.Ceil)
	case "floor":
		return keep(sqlast.Floor)
	case "round":
		return keep(sqlast.Round)
	case "int":
		return keep(sqlast.Trunc)
	case "len":
		length := sqlast.Cast{X: sqlCall(sqlast.Length, v.x), To: sqlast.Type{Kind: sqlast.Double}}
		return sqlValue{x: length, null: v.null}
	case "number":
		if n.Of == TextType {
			return sqlValue{x: sqlCall(sqlast.ParseNumber, v.x), null: true}
		}
		return v
	case "text":
		switch n.Of {
		case NumberType:
			return sqlValue{x: sqlCall(sqlast.IntegerText, v.x), null: true}
		case BooleanType:
			yes := sqlast.When{If: v.x, Then: sqlast.Text("true")}
			no := sqlast.When{If: sqlast.Not{X: v.x}, Then: sqlast.Text("false")}
			if v.null {
				return sqlValue{x: sqlast.Case{Whens: []sqlast.When{yes, no}}, null: true}
			}
			return sqlValue{x: sqlast.Case{Whens: []sqlast.When{yes}, Else: sqlast.Text("false")}}
		}
		return v
	}
	if c, ok := conversions[n.Function]; ok {
		return sqlValue{x: sqlCall(c.read, v.x), null: true}
	}
	panic("compiler: no case for the function " + n.Function)
}

// sqlType gives the SQL type of values of a type.
func sqlType(t Type) sqlast.Type {
	switch t {
	case NilType, TextType, JSONType:
		return sqlast.Type{Kind: sqlast.Varchar}
	case NumberType:
		return sqlast.Type{Kind: sqlast.Double}
	case BooleanType:
		return sqlast.Type{Kind: sqlast.Boolean}
	case TimeType:
		return sqlast.Type{Kind: sqlast.TimestampType}
	}
	panic(fmt.Sprintf("compiler: no case for the type %d", int(t)))
}
