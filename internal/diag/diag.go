// Package diag holds what is said about the user's files: a place, a
// diagnostic at that place, lists of them, the search for the word that was
// probably meant, and the rendering with a snippet of the source.
//
// A diagnostic is about input. Failures of the program or of its surroundings
// are ordinary Go errors.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a file. Line and Col count from 1; Col counts Unicode
// code points. The zero Pos is "no place".
type Pos struct {
	File string
	Line int
	Col  int
}

// IsValid reports whether the place is known.
func (p Pos) IsValid() bool { return p.Line > 0 }

// String gives file:line:column, or the file alone where the place is not known.
func (p Pos) String() string {
	if !p.IsValid() {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Compare orders places by file, line and column.
func (p Pos) Compare(q Pos) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col))
}

// Severity says whether a diagnostic stops the run.
type Severity int

// Error stops the run; Warning does not.
const (
	Error Severity = iota
	Warning
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Diagnostic is one thing to say about one place.
type Diagnostic struct {
	Pos      Pos
	Severity Severity
	// Code is a stable word for the kind of mistake, e.g. "unknown-key".
	Code string
	// Message says what is wrong, in lower case, without a full stop.
	Message string
	// Hint says how to mend it; it may be empty.
	Hint string
}

// Error gives the diagnostic as one line, without the hint.
func (d Diagnostic) Error() string {
	msg := d.Message
	if d.Severity == Warning {
		msg = "warning: " + msg
	}
	if d.Pos.File == "" && !d.Pos.IsValid() {
		return msg
	}
	return d.Pos.String() + ": " + msg
}

// List is a collection of diagnostics. The zero List is empty and ready.
type List []Diagnostic

// Errorf adds an error and returns its address so that a hint can be attached.
func (l *List) Errorf(pos Pos, code, format string, args ...any) *Diagnostic {
	*l = append(*l, Diagnostic{Pos: pos, Code: code, Message: fmt.Sprintf(format, args...)})
	return &(*l)[len(*l)-1]
}

// Warnf adds a warning and returns its address so that a hint can be attached.
func (l *List) Warnf(pos Pos, code, format string, args ...any) *Diagnostic {
	d := l.Errorf(pos, code, format, args...)
	d.Severity = Warning
	return d
}

// WithHint sets the hint; it returns d so that calls chain.
func (d *Diagnostic) WithHint(format string, args ...any) *Diagnostic {
	d.Hint = fmt.Sprintf(format, args...)
	return d
}

// HasErrors reports whether one of the diagnostics is an error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Sorted returns the diagnostics in the order of their places, without
// repeats of the same message at the same place.
func (l List) Sorted() List {
	out := slices.Clone(l)
	slices.SortStableFunc(out, func(a, b Diagnostic) int {
		return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(out, func(a, b Diagnostic) bool { return a.Pos == b.Pos && a.Message == b.Message })
}

// Err returns the list as an error if it holds an error, else nil.
func (l List) Err() error {
	if !l.HasErrors() {
		return nil
	}
	return l.Sorted()
}

// Error joins the diagnostics, one a line, hints below.
func (l List) Error() string {
	var b strings.Builder
	for i, d := range l {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(d.Error())
		if d.Hint != "" {
			b.WriteString("\n    hint: " + d.Hint)
		}
	}
	return b.String()
}
