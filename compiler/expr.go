package compiler

import (
	"fmt"
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
)

// Type is the type of an expression of the metric language.
type Type int

// The types of expressions.
const (
	NilType Type = iota
	TextType
	NumberType
	BooleanType
	TimeType
	// JSONType is the type of a value inside JSON, of which each row decides what
	// it is. It is read as the type of what it stands beside: as a number where it
	// is compared with one, as a condition where one is wanted, else as its text.
	JSONType
)

var typeNames = [...]string{
	NilType: "nil", TextType: "a text", NumberType: "a number", BooleanType: "a condition", TimeType: "a time", JSONType: "a value of JSON",
}

// String gives the type as messages say it, with its article.
func (t Type) String() string {
	if t < 0 || int(t) >= len(typeNames) {
		panic(fmt.Sprintf("compiler: no type %d", int(t)))
	}
	return typeNames[t]
}

// Ref is a name in an expression, resolved by scope.
type Ref struct {
	Kind RefKind
	Name string
}

// RefKind is what a name refers to.
type RefKind int

// The kinds of names.
const (
	RefProperty  RefKind = iota // declared bare name, properties.x or properties["x"]
	RefValue                    // value
	RefEvent                    // event
	RefElapsed                  // elapsed
	RefAttribute                // attributes.x, of the event row
	RefExposure                 // exposure.x, of the exposure
	RefUnit                     // unit.x, from a units source
	RefUnitID                   // units.x
	RefColumn                   // a column of a source, or a path into one
)

// Scope says what names mean and how they are read.
type Scope interface {
	// Resolve gives the type of a name, or a diagnostic (without a place; the
	// caller sets it) where the name is not known here.
	Resolve(Ref) (Type, *diag.Diagnostic)
	// SQL gives the value of a name that Resolve has accepted. It is text,
	// double, boolean or timestamp by the name's type; never NaN or infinite.
	SQL(Ref) sqlast.Expr
	// Bare reports whether a plain word is a name here, and which (a declared
	// property, a column); value, event, elapsed and the prefixes are known to
	// the checker itself.
	Bare(word string) (Ref, bool)
	// Hint says what was probably meant by a plain word that is no name here.
	Hint(word string) string
}

// Expression is a checked expression.
type Expression struct {
	Type Type
	Tree Node
	Refs []Ref // each once, in the order of first use

	places   []diag.Pos // of the first use of each of Refs
	literals []Comparison
}

// Bare reports whether the whole expression is one name, and which: only
// such a value can be exact.
func (e *Expression) Bare() (Ref, bool) {
	n, ok := e.Tree.(NameNode)
	return n.Ref, ok
}

// String gives the canonical text: equal for equal trees, and parsed to the
// same tree again.
func (e *Expression) String() string { return Format(e.Tree) }

// Place gives the place where a name of Refs is used first.
func (e *Expression) Place(r Ref) diag.Pos { return e.places[slices.Index(e.Refs, r)] }

// Comparison is a name that is compared with text literals by ==, != or in.
type Comparison struct {
	Ref    Ref
	Values []string
	Pos    diag.Pos // of the name
}

// Literals gives the comparisons with text literals, in the order of their
// places, for a look at whether the data has such values.
func (e *Expression) Literals() []Comparison { return slices.Clone(e.literals) }
