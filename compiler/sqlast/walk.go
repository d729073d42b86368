package sqlast

import "fmt"

// Map gives e with f applied to each of its immediate parts.
func Map(e Expr, f func(Expr) Expr) Expr {
	each := func(list []Expr) []Expr {
		if list == nil {
			return nil
		}
		out := make([]Expr, len(list))
		for i, x := range list {
			out[i] = f(x)
		}
		return out
	}
	orders := func(list []Order) []Order {
		out := make([]Order, len(list))
		for i, o := range list {
			out[i] = Order{X: f(o.X), Desc: o.Desc}
		}
		return out
	}
	switch e := e.(type) {
	case Text, Int, Float, Bool, Null, Timestamp, Interval, Date, Column:
		return e
	case Field:
		return Field{X: f(e.X), Name: e.Name}
	case Call:
		return Call{Fn: e.Fn, Args: each(e.Args)}
	case Lambda:
		return Lambda{Param: e.Param, Body: f(e.Body)}
	case Aggregate:
		if e.X == nil {
			return e
		}
		out := Aggregate{Fn: e.Fn, X: f(e.X), Distinct: e.Distinct}
		if e.Where != nil {
			out.Where = f(e.Where)
		}
		return out
	case Running:
		return Running{Fn: e.Fn, X: f(e.X), PartitionBy: each(e.PartitionBy), OrderBy: orders(e.OrderBy), Before: e.Before}
	case RowNumber:
		return RowNumber{PartitionBy: each(e.PartitionBy), OrderBy: orders(e.OrderBy)}
	case Binary:
		return Binary{Op: e.Op, L: f(e.L), R: f(e.R)}
	case And:
		return And(each(e))
	case Or:
		return Or(each(e))
	case Not:
		return Not{X: f(e.X)}
	case Negative:
		return Negative{X: f(e.X)}
	case IsNull:
		return IsNull{X: f(e.X), Not: e.Not}
	case In:
		return In{X: f(e.X), List: each(e.List)}
	case Case:
		out := Case{Whens: make([]When, len(e.Whens))}
		for i, w := range e.Whens {
			out.Whens[i] = When{If: f(w.If), Then: f(w.Then)}
		}
		if e.Else != nil {
			out.Else = f(e.Else)
		}
		return out
	case Cast:
		return Cast{X: f(e.X), To: e.To, Try: e.Try}
	case Struct:
		out := make(Struct, len(e))
		for i, n := range e {
			out[i] = NamedExpr{Name: n.Name, X: f(n.X)}
		}
		return out
	}
	panic(fmt.Sprintf("sqlast: no case for %T", e))
}

// Qualify gives e with its unqualified columns read from a relation. The
// parameters of lambdas are not columns.
func Qualify(e Expr, table string) Expr {
	return replaceColumns(e, func(c Column) Expr { return Column{Table: table, Name: c.Name} })
}

// Columns gives the names of the unqualified columns of e, each once, in the
// order of first use.
func Columns(e Expr) []string {
	var names []string
	seen := map[string]bool{}
	replaceColumns(e, func(c Column) Expr {
		if !seen[c.Name] {
			seen[c.Name] = true
			names = append(names, c.Name)
		}
		return c
	})
	return names
}

// replaceColumns puts something in the place of each unqualified column that
// is no parameter of a lambda.
func replaceColumns(e Expr, f func(Column) Expr) Expr {
	params := map[string]int{}
	var walk func(Expr) Expr
	walk = func(e Expr) Expr {
		switch e := e.(type) {
		case Column:
			if e.Table == "" && params[e.Name] == 0 {
				return f(e)
			}
			return e
		case Lambda:
			params[e.Param]++
			defer func() { params[e.Param]-- }()
			return Map(e, walk)
		}
		return Map(e, walk)
	}
	return walk(e)
}
