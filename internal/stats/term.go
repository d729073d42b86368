package stats

import (
	"fmt"
	"math/bits"
)

// Term is one sum over units. With x the per-unit value (of a ratio: its
// numerator), y the denominator, p and q the covariates of x and y from before
// the exposure, XY is the sum of x times y; N is the number of units.
type Term int

// The terms, in the order of the table moments.
const (
	N Term = iota
	X
	XX
	Y
	YY
	XY
	P
	PP
	XP
	Q
	QQ
	XQ
	YP
	YQ
	PQ
	termCount
)

var terms = [termCount]struct{ factors, column string }{
	N:  {"", "units"},
	X:  {"x", "sum"},
	XX: {"xx", "sum_sq"},
	Y:  {"y", "den_sum"},
	YY: {"yy", "den_sum_sq"},
	XY: {"xy", "sum_den"},
	P:  {"p", "pre_sum"},
	PP: {"pp", "pre_sum_sq"},
	XP: {"xp", "sum_pre"},
	Q:  {"q", "pre_den_sum"},
	QQ: {"qq", "pre_den_sum_sq"},
	XQ: {"xq", "sum_pre_den"},
	YP: {"yp", "den_sum_pre"},
	YQ: {"yq", "den_sum_pre_den"},
	PQ: {"pq", "pre_sum_pre_den"},
}

// Factors gives the letters of the per-unit values whose product is summed:
// "" for N, "x" for X, "xy" for XY.
func (t Term) Factors() string { return t.row().factors }

// Column gives the term's column in the table moments.
func (t Term) Column() string { return t.row().column }

// String gives the factors, and n for N.
func (t Term) String() string {
	if t == N {
		return "n"
	}
	return t.Factors()
}

func (t Term) row() struct{ factors, column string } {
	if t < 0 || t >= termCount {
		panic(fmt.Sprintf("stats: no case for term %d", int(t)))
	}
	return terms[t]
}

// Need is a set of terms. The zero Need is empty.
type Need uint32

// NeedTerms gives the set of the terms named.
func NeedTerms(ts ...Term) Need {
	var n Need
	for _, t := range ts {
		t.row()
		n |= 1 << t
	}
	return n
}

// NeedOf gives the terms that a comparison of the kind needs with these
// options.
func NeedOf(kind Kind, opt Options) Need {
	switch kind {
	case Proportion:
		if opt.CUPED {
			return NeedTerms(N, X, P, XP)
		}
		return NeedTerms(N, X)
	case Percentile:
		return NeedTerms(N, X, XX)
	case Mean:
		need := NeedTerms(N, X, XX)
		if opt.CUPED {
			need = need.Union(NeedTerms(P, PP, XP))
		}
		return need
	case Ratio:
		need := NeedTerms(N, X, XX, Y, YY, XY)
		if opt.CUPED {
			need = need.Union(NeedTerms(P, PP, XP, Q, QQ, XQ, YP, YQ, PQ))
		}
		return need
	}
	panic(fmt.Sprintf("stats: no case for kind %d", int(kind)))
}

// Union gives the terms that are in n or o.
func (n Need) Union(o Need) Need { return n | o }

// Has reports whether every term of o is in n.
func (n Need) Has(o Need) bool { return n&o == o }

// Terms gives the terms in order.
func (n Need) Terms() []Term {
	ts := make([]Term, 0, bits.OnesCount32(uint32(n)))
	for t := N; t < termCount; t++ {
		if n.Has(1 << t) {
			ts = append(ts, t)
		}
	}
	return ts
}
