package compiler

import (
	"math/big"

	"github.com/metricsjob/metricsjob/metrics"
)

// maxWhole is the largest absolute whole number of 10^-decimals that a row or
// a unit may have; beyond it the metric overflows.
var maxWhole = pow10(15)

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// fractionDigits is the number of digits behind the point that a decimal number needs.
func fractionDigits(n metrics.Number) int {
	digits := 0
	for r := n.Rat(); !r.IsInt(); digits++ {
		r = new(big.Rat).Mul(r, big.NewRat(10, 1))
	}
	return digits
}

// roundHalfAway rounds to a whole number, half away from zero.
func roundHalfAway(r *big.Rat) *big.Int {
	num := new(big.Int).Abs(r.Num())
	num.Mul(num, big.NewInt(2)).Add(num, r.Denom())
	q := num.Quo(num, new(big.Int).Mul(r.Denom(), big.NewInt(2)))
	if r.Sign() < 0 {
		q.Neg(q)
	}
	return q
}

// clamped is a whole number, or where it is beyond ±most, that.
func clamped(k, most *big.Int) *big.Int {
	if k.CmpAbs(most) <= 0 {
		return k
	}
	if k.Sign() < 0 {
		return new(big.Int).Neg(most)
	}
	return most
}

// decimalText is a whole number of 10^-digits as plain decimal text.
func decimalText(whole *big.Int, digits int) string {
	return new(big.Rat).SetFrac(whole, pow10(digits)).FloatString(digits)
}
