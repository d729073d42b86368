package compiler

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// maxList is the most entries of a list.
const maxList = 1000

func (c *checker) in(n *ast.BinaryNode) checked {
	at := start(n)
	x := c.check(n.Left)
	list, ok := n.Right.(*ast.ArrayNode)
	if !ok {
		c.fail(start(n.Right), "expression-type", "in needs a list").WithHint(`write the entries between brackets: x in ["a", "b"]`)
		return checked{node: NilNode{}, at: at}
	}
	out := InNode{X: x.node}
	good := x.ok
	if x.ok && x.typ == NilType {
		c.fail(x.at, "expression-type", "nil is in no list").WithHint("nil can be compared with == and !=")
		good = false
	}
	switch {
	case len(list.Nodes) == 0:
		c.fail(list.Location().From, "expression-list", "the list is empty").
			WithHint(`write what may be there: country in ["NL", "BE"]`)
		good = false
	case len(list.Nodes) > maxList:
		c.fail(list.Location().From, "expression-list", "the list has %d entries; at most %d are allowed", len(list.Nodes), maxList).
			WithHint("write a condition on a property, or several lists joined with or")
		return checked{node: NilNode{}, at: at}
	}
	var entries []checked
	for _, m := range list.Nodes {
		entry := c.check(m)
		if entry.ok && entry.typ == NilType {
			c.fail(entry.at, "expression-list", "nil cannot be an entry of a list").WithHint("write x == nil or x in [...]")
			entry.ok = false
		}
		entries = append(entries, entry)
	}
	if len(entries) > 0 {
		x = x.beside(entries[0])
		out.X = x.node
	}
	good = c.oneType(entries, x) && good
	for _, entry := range entries {
		if good {
			entry, _ = c.asTime(entry, x)
			_, entry = c.alikeEntry(x, entry)
		}
		good = good && entry.ok
		out.List = append(out.List, entry.node)
	}
	if good {
		c.noteList(x, out.List)
	}
	return checked{out, BooleanType, at, good}
}

// oneType checks that the entries of a list have one type, and says it at the
// first that has not that of x, or of the first entry.
func (c *checker) oneType(entries []checked, x checked) bool {
	has := func(typ Type) bool {
		return slices.ContainsFunc(entries, func(e checked) bool { return e.ok && e.typ == typ })
	}
	first := slices.IndexFunc(entries, func(e checked) bool { return e.ok })
	if first < 0 {
		return true
	}
	want := entries[first]
	if x.ok && has(x.typ) {
		want = x
	}
	for _, e := range entries {
		if !e.ok || e.typ == want.typ {
			continue
		}
		d := c.fail(e.at, "expression-list", "the entries of a list have one type: this is %v, not %v", e.typ, want.typ)
		switch {
		case want.typ == TextType:
			d.WithHint("write it as a text: %q", Format(e.node))
		case want.typ == NumberType && e.typ == TextType:
			d.WithHint("%s", numberOf(e))
		default:
			d.WithHint("take it out of the list, and compare it on its own")
		}
		return false
	}
	return true
}

// alikeEntry checks an entry of a list against the value that is looked for.
func (c *checker) alikeEntry(x, entry checked) (checked, checked) {
	l, r := c.alike(x, entry, "in", entry.at)
	if !l.ok {
		r.ok = false
	}
	return l, r
}
