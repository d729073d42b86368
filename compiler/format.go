package compiler

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The binding strengths of the language's operators, weakest first.
const (
	bindChoice = iota
	bindOr
	bindAnd
	bindNot
	bindCompare
	bindAdd
	bindMultiply
	bindPrefix
	bindName
)

// Format gives the canonical text of a tree. It has the parentheses that the
// parser needs and those that it asks for, no others.
func Format(n Node) string {
	var b strings.Builder
	format(&b, n, bindChoice)
	return b.String()
}

func nodeBinding(n Node) int {
	switch n := n.(type) {
	case ChoiceNode:
		return bindChoice
	case InNode:
		return bindCompare
	case NotNode:
		if infix(n.X) {
			return bindCompare
		}
		return bindNot
	case MinusNode:
		return bindPrefix
	case NumberNode:
		if math.Signbit(n.Value) {
			return bindPrefix
		}
		return bindName
	case TextNode, BooleanNode, NilNode, TimeNode, NameNode, CallNode, VWOUUIDNode:
		return bindName
	case BinaryNode:
		switch n.Op {
		case Or:
			return bindOr
		case And:
			return bindAnd
		case Plus, Minus:
			return bindAdd
		case Times, Divide, Remainder:
			return bindMultiply
		case Otherwise:
			return bindChoice // in parentheses wherever it is an operand
		}
		return bindCompare
	}
	panic(fmt.Sprintf("compiler: no case for %T", n))
}

// infix reports whether a not is written inside of the comparison.
func infix(n Node) bool {
	switch n := n.(type) {
	case InNode:
		return true
	case BinaryNode:
		return n.Op == Contains || n.Op == StartsWith || n.Op == EndsWith || n.Op == Matches
	}
	return false
}

// format writes a node, in parentheses where it binds weaker than least.
func format(b *strings.Builder, n Node, least int) {
	if nodeBinding(n) < least {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	switch n := n.(type) {
	case TextNode:
		b.WriteString(strconv.Quote(n.Value))
	case NumberNode:
		b.WriteString(formatNumber(n.Value))
	case BooleanNode:
		b.WriteString(strconv.FormatBool(n.Value))
	case NilNode:
		b.WriteString("nil")
	case TimeNode:
		b.WriteString(strconv.Quote(n.Value.UTC().Format("2006-01-02T15:04:05.999999Z")))
	case NameNode:
		b.WriteString(formatRef(n.Ref))
	case NotNode:
		formatNot(b, n)
	case MinusNode:
		b.WriteByte('-')
		format(b, n.X, bindName)
	case BinaryNode:
		formatBinary(b, n)
	case InNode:
		formatIn(b, n, "in")
	case ChoiceNode:
		format(b, n.If, bindOr)
		b.WriteString(" ? ")
		format(b, n.Then, bindOr)
		b.WriteString(" : ")
		format(b, n.Else, bindChoice)
	case CallNode:
		b.WriteString(n.Function + "(")
		format(b, n.X, bindChoice)
		b.WriteByte(')')
	case VWOUUIDNode:
		b.WriteString("vwo_uuid(")
		format(b, n.User, bindChoice)
		b.WriteString(", ")
		format(b, n.Account, bindChoice)
		b.WriteByte(')')
	default:
		panic(fmt.Sprintf("compiler: no case for %T", n))
	}
}

func formatNot(b *strings.Builder, n NotNode) {
	switch x := n.X.(type) {
	case InNode:
		formatIn(b, x, "not in")
	case BinaryNode:
		if infix(x) {
			x.Op = "not " + x.Op
			formatBinary(b, x)
			return
		}
		b.WriteString("not ")
		format(b, x, bindName)
	default:
		b.WriteString("not ")
		format(b, x, bindName)
	}
}

func formatIn(b *strings.Builder, n InNode, word string) {
	format(b, n.X, bindAdd)
	b.WriteString(" " + word + " [")
	for i, m := range n.List {
		if i > 0 {
			b.WriteString(", ")
		}
		format(b, m, bindChoice)
	}
	b.WriteByte(']')
}

func formatBinary(b *strings.Builder, n BinaryNode) {
	left, right := nodeBinding(n), nodeBinding(n)+1
	switch {
	case n.Op == Otherwise:
		left, right = bindName, bindName
		if l, ok := n.L.(BinaryNode); ok && l.Op == Otherwise {
			left = bindChoice
		}
	case left == bindCompare:
		left = bindAdd // comparisons do not chain
	}
	format(b, n.L, left)
	b.WriteString(" " + string(n.Op) + " ")
	format(b, n.R, right)
}

// formatNumber writes a number so that it is read back: a whole number
// without a point only where it is in expr's range.
func formatNumber(f float64) string {
	if math.Abs(f) < 1e15 {
		if s := strconv.FormatFloat(f, 'f', -1, 64); len(s) < 20 {
			return s
		}
	}
	return strconv.FormatFloat(f, 'e', -1, 64)
}

func formatRef(r Ref) string {
	prefix := map[RefKind]string{
		RefProperty: "properties", RefAttribute: "attributes", RefExposure: "exposure", RefUnit: "unit", RefUnitID: "units",
	}[r.Kind]
	switch r.Kind {
	case RefValue:
		return "value"
	case RefEvent:
		return "event"
	case RefElapsed:
		return "elapsed"
	case RefColumn:
		return r.Name
	case RefProperty, RefAttribute, RefExposure, RefUnit, RefUnitID:
		return prefix + member(r.Name)
	}
	panic(fmt.Sprintf("compiler: no case for the kind of name %d", r.Kind))
}

// member writes a name behind another one.
func member(name string) string {
	if isWord(name) {
		return "." + name
	}
	return "[" + strconv.Quote(name) + "]"
}
