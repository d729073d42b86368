package compiler

import (
	"fmt"
	"time"
)

// Node is a node of the typed tree of an expression. Trees are plain data;
// places are not part of them, so that equal expressions are equal.
type Node interface{ node() }

// The nodes.
type (
	// TextNode is a text literal.
	TextNode struct{ Value string }
	// NumberNode is a number literal, with its sign.
	NumberNode struct{ Value float64 }
	// BooleanNode is true or false.
	BooleanNode struct{ Value bool }
	// NilNode is the missing value.
	NilNode struct{}
	// TimeNode is a text literal that is compared with a time.
	TimeNode struct{ Value time.Time }
	// NameNode reads a name.
	NameNode struct {
		Ref  Ref
		Type Type
	}
	// NotNode is the negation of a condition.
	NotNode struct{ X Node }
	// MinusNode is the negation of a number.
	MinusNode struct{ X Node }
	// BinaryNode is an operator between two operands.
	BinaryNode struct {
		Op   Operator
		L, R Node
	}
	// InNode is X in [List].
	InNode struct {
		X    Node
		List []Node
	}
	// ChoiceNode is If ? Then : Else.
	ChoiceNode struct{ If, Then, Else Node }
	// CallNode is a function of one argument.
	CallNode struct {
		Function string
		X        Node
		Of       Type // the type of the argument
	}
	// VWOUUIDNode is the UUID by which VWO knows a user of an account.
	VWOUUIDNode struct{ User, Account Node }
)

func (TextNode) node()    {}
func (NumberNode) node()  {}
func (BooleanNode) node() {}
func (NilNode) node()     {}
func (TimeNode) node()    {}
func (NameNode) node()    {}
func (NotNode) node()     {}
func (MinusNode) node()   {}
func (BinaryNode) node()  {}
func (InNode) node()      {}
func (ChoiceNode) node()  {}
func (CallNode) node()    {}
func (VWOUUIDNode) node() {}

// Operator is an operator between two operands, as it is written.
type Operator string

// The operators, without their other spellings.
const (
	Or           Operator = "or"
	And          Operator = "and"
	Equal        Operator = "=="
	NotEqual     Operator = "!="
	Less         Operator = "<"
	LessEqual    Operator = "<="
	Greater      Operator = ">"
	GreaterEqual Operator = ">="
	Contains     Operator = "contains"
	StartsWith   Operator = "startsWith"
	EndsWith     Operator = "endsWith"
	Matches      Operator = "matches"
	Plus         Operator = "+"
	Minus        Operator = "-"
	Times        Operator = "*"
	Divide       Operator = "/"
	Remainder    Operator = "%"
	Otherwise    Operator = "??"
)

// typeOf gives the type of a checked node.
func typeOf(n Node) Type {
	switch n := n.(type) {
	case NilNode:
		return NilType
	case TextNode, VWOUUIDNode:
		return TextType
	case NumberNode, MinusNode:
		return NumberType
	case BooleanNode, NotNode, InNode:
		return BooleanType
	case TimeNode:
		return TimeType
	case NameNode:
		return n.Type
	case CallNode:
		if read, ok := conversions[n.Function]; ok {
			return read.gives
		}
		return functions[n.Function].gives
	case ChoiceNode:
		if t := typeOf(n.Then); t != NilType {
			return t
		}
		return typeOf(n.Else)
	case BinaryNode:
		switch n.Op {
		case Plus, Minus, Times, Divide, Remainder:
			return NumberType
		case Otherwise:
			if t := typeOf(n.L); t != NilType {
				return t
			}
			return typeOf(n.R)
		}
		return BooleanType
	}
	panic(fmt.Sprintf("compiler: no case for %T", n))
}
