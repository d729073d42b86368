package metrics

import (
	"math/big"
	"time"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// At is a value together with the place where the file says it. The zero At
// is "not given".
type At[T any] struct {
	V   T
	Pos diag.Pos
	// Set reports whether the value was given in a file (or taken over from
	// defaults, like or a preset), as opposed to built in.
	Set bool
}

// Text is a scalar taken as written.
type Text = At[string]

// Number is a decimal number, kept as the text that was written.
type Number string

// Rat gives the exact value. It panics on text that the decoder would not have accepted.
func (n Number) Rat() *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic("metrics: not a number: " + string(n))
	}
	return r
}

// Float gives the nearest float64.
func (n Number) Float() float64 {
	f, _ := n.Rat().Float64()
	return f
}

// Expr is the source of an expression and where each of its bytes stands in
// the file. What it means is the compiler's affair.
type Expr struct {
	Src string
	Pos diag.Pos
	// Places maps byte offsets of Src to places, one entry for each run of
	// bytes that stand beside each other in the file, in ascending order. Empty:
	// Src stands at Pos, byte for byte, on one line.
	Places []ExprPlace
	// Tolerant expressions, which those of presets are, may name what the data
	// lacks: it is a missing value.
	Tolerant bool
}

// ExprPlace says that Src[Offset:] starts at Pos (until the next entry).
type ExprPlace struct {
	Offset int
	Pos    diag.Pos
}

// IsSet reports whether an expression was given.
func (e Expr) IsSet() bool { return e.Src != "" }

// At gives the place of a byte offset of Src.
func (e Expr) At(offset int) diag.Pos {
	base := ExprPlace{Pos: e.Pos}
	for _, p := range e.Places {
		if p.Offset > offset {
			break
		}
		base = p
	}
	pos := base.Pos
	if offset > len(e.Src) {
		offset = len(e.Src)
	}
	if offset > base.Offset {
		pos.Col += len([]rune(e.Src[base.Offset:offset]))
	}
	return pos
}

// Duration is a length of time in whole seconds; a day is 24 hours.
type Duration = time.Duration
