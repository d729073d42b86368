package stats

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Sum is an exact decimal number: a whole number of 10^-scale. Sums are
// values, and no operation changes its operands. The zero Sum is 0.
type Sum struct {
	unscaled *big.Int // never changed once set; nil is 0
	scale    int      // not negative
}

// maxExponent bounds the exponent of a sum read from text, so that a few
// characters cannot ask for gigabytes.
const maxExponent = 1000

// NewSum gives unscaled / 10^scale. The sum keeps unscaled, which must not be
// changed afterwards.
func NewSum(unscaled *big.Int, scale int) Sum {
	if scale < 0 {
		return Sum{new(big.Int).Mul(unscaled, pow10(-scale)), 0}
	}
	return Sum{unscaled, scale}
}

// SumOf gives the whole number n.
func SumOf(n int64) Sum { return Sum{big.NewInt(n), 0} }

// ParseSum reads decimal text: an optional sign, digits with at most one
// point, and an optional exponent.
func ParseSum(text string) (Sum, error) {
	bad := func() (Sum, error) { return Sum{}, fmt.Errorf("read sum %q: not a decimal number", text) }
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		e, err := strconv.Atoi(text[i+1:])
		if err != nil {
			return bad()
		}
		if e < -maxExponent || e > maxExponent {
			return Sum{}, fmt.Errorf("read sum %q: exponent beyond ±%d", text, maxExponent)
		}
		mantissa, exponent = text[:i], e
	}
	digits := strings.TrimLeft(mantissa, "+-")
	if len(mantissa)-len(digits) > 1 {
		return bad()
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return bad()
	}
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		return bad()
	}
	if mantissa[0] == '-' {
		n.Neg(n)
	}
	return NewSum(n, len(fraction)-exponent), nil
}

// String gives the shortest plain decimal text, without an exponent.
func (s Sum) String() string {
	digits := s.int().String()
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	if len(digits) <= s.scale {
		digits = strings.Repeat("0", s.scale-len(digits)+1) + digits
	}
	point := len(digits) - s.scale
	whole, fraction := digits[:point], strings.TrimRight(digits[point:], "0")
	if fraction == "" {
		return sign + whole
	}
	return sign + whole + "." + fraction
}

// Float64 gives the nearest float64, an infinity beyond its range.
func (s Sum) Float64() float64 { return fraction{s, SumOf(1)}.float64() }

// Rat gives the sum as a fraction.
func (s Sum) Rat() *big.Rat { return new(big.Rat).SetFrac(s.int(), pow10(s.scale)) }

// Add gives s + o.
func (s Sum) Add(o Sum) Sum {
	a, b, scale := align(s, o)
	return Sum{newInt().Add(a, b), scale}
}

// Sub gives s − o.
func (s Sum) Sub(o Sum) Sum {
	a, b, scale := align(s, o)
	return Sum{newInt().Sub(a, b), scale}
}

// Mul gives s · o.
func (s Sum) Mul(o Sum) Sum {
	return Sum{newInt().Mul(s.int(), o.int()), s.scale + o.scale}
}

// addProducts gives a·b + c·d.
func addProducts(a, b, c, d Sum) Sum {
	sum := a.Mul(b)
	if sum.scale != c.scale+d.scale {
		return sum.Add(c.Mul(d))
	}
	var product big.Int
	sum.unscaled.Add(sum.unscaled, product.Mul(c.int(), d.int()))
	return sum
}

// subProducts gives a·b − c·d.
func subProducts(a, b, c, d Sum) Sum {
	difference := a.Mul(b)
	if difference.scale != c.scale+d.scale {
		return difference.Sub(c.Mul(d))
	}
	var product big.Int
	difference.unscaled.Sub(difference.unscaled, product.Mul(c.int(), d.int()))
	return difference
}

// whole gives the sum as a whole number, if it is one and fits.
func (s Sum) whole() (n int64, ok bool) {
	q, rest := new(big.Int).QuoRem(s.int(), pow10(s.scale), new(big.Int))
	return q.Int64(), rest.Sign() == 0 && q.IsInt64()
}

// Abs gives |s|.
func (s Sum) Abs() Sum { return Sum{newInt().Abs(s.int()), s.scale} }

// Sign gives −1, 0 or 1.
func (s Sum) Sign() int { return s.int().Sign() }

// Cmp gives −1, 0 or 1, as s is less than, equal to or greater than o.
func (s Sum) Cmp(o Sum) int {
	a, b, _ := align(s, o)
	return a.Cmp(b)
}

// same reports whether two sums are written alike, and so are equal.
func (s Sum) same(o Sum) bool { return s.scale == o.scale && s.int().Cmp(o.int()) == 0 }

var zero = new(big.Int)

func (s Sum) int() *big.Int {
	if s.unscaled == nil {
		return zero
	}
	return s.unscaled
}

// newInt gives a 0 that has room, in the same piece of memory, for most of the numbers
// that a comparison comes to: it is the allocations that exact arithmetic costs.
func newInt() *big.Int {
	n := new(struct {
		big.Int
		room [8]big.Word
	})
	return n.SetBits(n.room[:0])
}

// align gives both numbers as whole numbers of the same power of ten.
func align(a, b Sum) (x, y *big.Int, scale int) {
	x, y = a.int(), b.int()
	switch {
	case a.scale < b.scale:
		return newInt().Mul(x, pow10(b.scale-a.scale)), y, b.scale
	case a.scale > b.scale:
		return x, newInt().Mul(y, pow10(a.scale-b.scale)), a.scale
	}
	return x, y, a.scale
}

// powers holds the powers of ten that sums of a few decimals need.
var powers = func() (p [40]*big.Int) {
	for n := range p {
		p[n] = new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
	}
	return p
}()

// pow10 gives 10^n, which the caller must not change.
func pow10(n int) *big.Int {
	if n < len(powers) {
		return powers[n]
	}
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}
