package stats

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// A quotient is rounded as big.Rat rounds it, whether leading bits tell or not.
func TestFractionFloat64(t *testing.T) {
	number := rapid.Custom(func(t *rapid.T) Sum {
		words := rapid.SliceOfN(rapid.Uint64(), 1, 8).Draw(t, "words")
		n := new(big.Int)
		for _, w := range words {
			n.Add(n.Lsh(n, 64), new(big.Int).SetUint64(w))
		}
		n.Rsh(n, rapid.UintRange(0, 63).Draw(t, "fewer bits"))
		if n.Sign() == 0 {
			n.SetInt64(1)
		}
		if rapid.Bool().Draw(t, "negative") {
			n.Neg(n)
		}
		return NewSum(n, rapid.IntRange(0, 40).Draw(t, "scale"))
	})
	rapid.Check(t, func(t *rapid.T) {
		f := fraction{number.Draw(t, "numerator"), number.Draw(t, "denominator")}
		if rapid.Bool().Draw(t, "near halfway") {
			// An odd number of 54 bits is halfway between two float64s.
			odd := rapid.Int64Range(1<<53, 1<<54-1).Draw(t, "odd") | 1
			f.num = f.den.Mul(SumOf(odd)).Add(NewSum(big.NewInt(rapid.Int64Range(-3, 3).Draw(t, "beside")), f.den.scale))
		}
		want, _ := new(big.Rat).Quo(f.num.Rat(), f.den.Rat()).Float64()
		if got := f.float64(); got != want {
			t.Errorf("%v / %v = %v, want %v", f.num, f.den, got, want)
		}
	})
}

// Leading bits tell of all but a few quotients, and never where it is halfway.
func TestFractionNearest(t *testing.T) {
	sure := 0
	for n := range int64(1000) {
		if _, ok := (fraction{NewSum(big.NewInt(7*n+1), 3), SumOf(n + 11)}).nearest(); ok {
			sure++
		}
	}
	if sure < 980 {
		t.Errorf("of 1000 quotients the leading bits of %d tell", sure)
	}
	for _, odd := range []int64{1<<53 + 1, 1<<54 - 1, -(1<<53 + 3)} {
		if v, ok := (fraction{SumOf(odd), SumOf(1)}).nearest(); ok {
			t.Errorf("%d is %v, and halfway", odd, v)
		}
	}
}
