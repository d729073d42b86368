package loaders

import (
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// member is what an expression reads of a column of JSON: the text or the kind of what
// lies there.
type member struct {
	fn     sqlast.Fn
	column string
}

// listsOf are the functions that read several members of JSON at once.
var listsOf = map[sqlast.Fn]sqlast.Fn{sqlast.JSONText: sqlast.JSONTexts, sqlast.JSONKind: sqlast.JSONKinds}

// readingOnce is a query over rows in which each value of JSON is read once for all of its
// members, and not for each of them: DuckDB parses the text anew for every call. Items that
// read parts of a STRUCT are left as they are.
func readingOnce(q sqlast.Select) sqlast.Select {
	pointers := map[member][]sqlast.Expr{}
	var order []member
	plain := true
	eachMember(q.Items, func(m member, keys []sqlast.Expr, e sqlast.Expr) sqlast.Expr {
		if pointers[m] == nil {
			order = append(order, m)
		}
		if pointer := sqlast.Pointer(keys); !slices.Contains(pointers[m], sqlast.Expr(pointer)) {
			pointers[m] = append(pointers[m], pointer)
		}
		return e
	}, &plain)
	order = slices.DeleteFunc(order, func(m member) bool { return len(pointers[m]) < 2 })
	if len(order) == 0 || !plain {
		return q
	}
	inner := sqlast.Select{From: q.From}
	var used []string
	for _, item := range q.Items {
		used = append(used, sqlast.Columns(item.X)...)
	}
	name := func(m member) string {
		name := m.column + " texts"
		if m.fn == sqlast.JSONKind {
			name = m.column + " kinds"
		}
		for slices.Contains(used, name) {
			name += "_"
		}
		return name
	}
	out := q
	out.Items = eachMember(q.Items, func(m member, keys []sqlast.Expr, e sqlast.Expr) sqlast.Expr {
		if !slices.Contains(order, m) {
			return e
		}
		at := slices.Index(pointers[m], sqlast.Expr(sqlast.Pointer(keys)))
		return call(sqlast.ListElement, sqlast.Column{Name: name(m)}, sqlast.Int(int64(at+1)))
	}, &plain)
	for _, m := range order {
		inner.Items = append(inner.Items, sqlast.Item{X: sqlast.Call{Fn: listsOf[m.fn], Args: append([]sqlast.Expr{sqlast.Column{Name: m.column}}, pointers[m]...)}, As: name(m)})
	}
	for _, item := range out.Items {
		for _, column := range sqlast.Columns(item.X) {
			if !slices.ContainsFunc(inner.Items, func(i sqlast.Item) bool { return i.As == column }) {
				inner.Items = append(inner.Items, sqlast.Item{X: sqlast.Column{Name: column}, As: column})
			}
		}
	}
	out.From = sqlast.Subquery{Query: inner, Alias: "members"}
	return out
}

// eachMember gives the items with what f makes of each member that is read of a column. It
// notes where a column is that of a table, or parts of a STRUCT are read.
func eachMember(items []sqlast.Item, f func(m member, keys []sqlast.Expr, e sqlast.Expr) sqlast.Expr, plain *bool) []sqlast.Item {
	params := map[string]int{}
	var walk func(sqlast.Expr) sqlast.Expr
	walk = func(e sqlast.Expr) sqlast.Expr {
		switch x := e.(type) {
		case sqlast.Column:
			*plain = *plain && x.Table == ""
		case sqlast.Field: // of a STRUCT that is read below, DuckDB 1.5 does not find all parts
			*plain = false
		case sqlast.Lambda:
			params[x.Param]++
			defer func() { params[x.Param]-- }()
		case sqlast.Call:
			if listsOf[x.Fn] == 0 || len(x.Args) < 2 {
				break
			}
			if c, ok := x.Args[0].(sqlast.Column); ok && c.Table == "" && params[c.Name] == 0 {
				return f(member{x.Fn, c.Name}, x.Args[1:], e)
			}
		}
		return sqlast.Map(e, walk)
	}
	out := slices.Clone(items)
	for i := range out {
		out[i].X = walk(out[i].X)
	}
	return out
}
