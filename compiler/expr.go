package compiler

import (
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
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
)

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
	RefColumn                   // a column of a source
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
	// Words are the plain words for did-you-mean.
	Words() []string
}

// Expression is a checked expression.
type Expression struct {
	Type Type
	Tree Node
	Refs []Ref // each once, in the order of first use
}

// Parse reads and checks an expression of the metric language in a scope.
// All mistakes are added to the list with their places.
func Parse(src metrics.Expr, scope Scope, want Type, list *diag.List) (*Expression, bool) {
	panic("compiler: Parse is not written")
}
