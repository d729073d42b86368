package compiler

import (
	"fmt"
	"slices"
)

// UnitConditions are the names in those of the conditions joined by and that are
// about the unit alone, whatever the row: exposure.country == "NL".
func (e *Expression) UnitConditions() []Ref {
	var out []Ref
	for _, condition := range conjuncts(e.Tree) {
		refs := refsIn(condition)
		if !slices.ContainsFunc(refs, func(r Ref) bool { return r.Kind != RefExposure && r.Kind != RefUnit && r.Kind != RefUnitID }) {
			out = append(out, refs...)
		}
	}
	return out
}

// Needed are the names without any of which a condition is false, or a value
// missing: value and kind in value > 10 and properties.kind == "gift", and none in
// properties.kind != "gift", which is true where the kind is missing.
func (e *Expression) Needed() []Ref { return neededBy(e.Tree) }

func neededBy(n Node) []Ref {
	switch n := n.(type) {
	case NameNode, MinusNode, CallNode, VWOUUIDNode:
		return refsIn(n)
	case InNode:
		return neededBy(n.X)
	case BinaryNode:
		l, r := neededBy(n.L), neededBy(n.R)
		switch n.Op {
		case Or, Otherwise, NotEqual:
			return nil
		case Equal:
			if !isLiteral(n.L) && !isLiteral(n.R) || n.L == (NilNode{}) || n.R == (NilNode{}) {
				return nil // two missing values are equal
			}
		}
		return append(l, r...)
	default:
		return nil
	}
}

func isLiteral(n Node) bool {
	switch n.(type) {
	case TextNode, NumberNode, BooleanNode, TimeNode:
		return true
	}
	return false
}

func conjuncts(n Node) []Node {
	if b, ok := n.(BinaryNode); ok && b.Op == And {
		return append(conjuncts(b.L), conjuncts(b.R)...)
	}
	return []Node{n}
}

// refsIn are the names in a tree.
func refsIn(n Node) []Ref {
	switch n := n.(type) {
	case TextNode, NumberNode, BooleanNode, NilNode, TimeNode:
		return nil
	case NameNode:
		return []Ref{n.Ref}
	case NotNode:
		return refsIn(n.X)
	case MinusNode:
		return refsIn(n.X)
	case BinaryNode:
		return append(refsIn(n.L), refsIn(n.R)...)
	case InNode:
		out := refsIn(n.X)
		for _, x := range n.List {
			out = append(out, refsIn(x)...)
		}
		return out
	case ChoiceNode:
		return append(append(refsIn(n.If), refsIn(n.Then)...), refsIn(n.Else)...)
	case CallNode:
		return refsIn(n.X)
	case VWOUUIDNode:
		return append(refsIn(n.User), refsIn(n.Account)...)
	default:
		panic(fmt.Sprintf("compiler: no case for %T", n))
	}
}
