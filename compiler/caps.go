package compiler

import (
	"fmt"
	"math/big"

	"github.com/metricsjob/metricsjob/metrics"
)

// Caps are how the numbers of units are winsorized (semantics 5.6). A bound is
// a fixed number, or a share of the units.
type Caps struct {
	// Upper and Lower are fixed, as whole numbers of 10^-digits; nil: not so.
	Upper, Lower *big.Int
	// UpperShare and LowerShare are between 0 and 1; nil: not so.
	UpperShare, LowerShare *big.Rat
	// Linear interpolates between order statistics; else the numbers beyond a
	// bound become the next one within.
	Linear bool
	// IgnoreZeros neither counts nor changes zeros.
	IgnoreZeros bool
	// Digits are those that the fixed bounds have beyond the number's own,
	// which the number then has too.
	Digits int
	// covariate: the bounds are those of the outcome, where they changed it.
	covariate bool
	text      string
}

// Bounds are what winsorizing came to, as whole numbers; nil: no bound. Those
// of covariates are bounds that changed a number of the outcome.
type Bounds struct{ Upper, Lower, CovariateUpper, CovariateLower *big.Int }

// capsOf plans the caps of a number with so many digits; nil where there are none.
func capsOf(w *metrics.Winsorize, digits int) *Caps {
	if w == nil {
		return nil
	}
	c := &Caps{Linear: w.Linear, IgnoreZeros: w.IgnoreZeros, text: "winsorized"}
	for _, n := range []metrics.At[metrics.Number]{w.UpperValue, w.LowerValue} {
		if n.Set {
			c.Digits = max(c.Digits, fractionDigits(n.V)-digits)
		}
	}
	digits += c.Digits
	fixed := func(n metrics.At[metrics.Number], word string) *big.Int {
		if !n.Set {
			return nil
		}
		c.text += fmt.Sprintf(" %s %s", word, n.V)
		k := roundHalfAway(new(big.Rat).Mul(n.V.Rat(), new(big.Rat).SetInt(pow10(digits))))
		return clamped(k, new(big.Int).Add(c.limit(), big.NewInt(1)))
	}
	share := func(n metrics.At[metrics.Number], word string) *big.Rat {
		if !n.Set {
			return nil
		}
		c.text += fmt.Sprintf(" %s the percentile %s", word, n.V)
		return n.V.Rat()
	}
	c.Upper, c.UpperShare = fixed(w.UpperValue, "at most"), share(w.Upper, "at most")
	c.Lower, c.LowerShare = fixed(w.LowerValue, "at least"), share(w.Lower, "at least")
	if c.Linear {
		c.text += ", interpolated"
	}
	if c.IgnoreZeros {
		c.text += ", zeros apart"
	}
	return c
}

// limit is the largest whole number that a unit may have, with the digits of
// the caps. All caps beyond it are the same.
func (c *Caps) limit() *big.Int { return new(big.Int).Mul(maxWhole, pow10(c.Digits)) }

// distributed reports whether the bounds depend on the numbers of all units.
func (c *Caps) distributed() bool {
	return c != nil && (c.UpperShare != nil || c.LowerShare != nil)
}

// capped reports whether the sums need the numbers of all units first.
func (t *Tally) capped() bool {
	needs := func(v *UnitValue) bool { return v != nil && (v.Caps.distributed() || t.P != nil && v.Caps != nil) }
	return needs(t.X) || needs(t.Y)
}

// kept reports whether the numbers of all units are kept before they are summed.
func (t *Tally) kept() bool { return t.capped() || t.Percentile != nil && t.Percentile.Groups == nil }

// Within is a number after the fixed caps and the bounds that were found.
func (v *UnitValue) Within(k *big.Int, found Bounds) *big.Int {
	if v.Caps != nil && v.Caps.covariate {
		found = Bounds{Upper: found.CovariateUpper, Lower: found.CovariateLower}
	}
	if v.Caps == nil || v.Caps.IgnoreZeros && k.Sign() == 0 {
		return k
	}
	upper, lower := v.Caps.Upper, v.Caps.Lower
	if found.Upper != nil {
		upper = found.Upper
	}
	if found.Lower != nil {
		lower = found.Lower
	}
	if upper != nil && k.Cmp(upper) > 0 {
		k = upper
	}
	if lower != nil && k.Cmp(lower) < 0 {
		k = lower
	}
	return k
}
