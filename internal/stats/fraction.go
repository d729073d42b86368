package stats

import (
	"math"
	"math/big"
	"math/bits"
)

// fraction is the exact quotient of two sums. The divisor is not zero.
type fraction struct{ num, den Sum }

func (f fraction) add(g fraction) fraction {
	if f.den.same(g.den) {
		return fraction{f.num.Add(g.num), f.den}
	}
	return fraction{addProducts(f.num, g.den, g.num, f.den), f.den.Mul(g.den)}
}

func (f fraction) sub(g fraction) fraction {
	if f.den.same(g.den) {
		return fraction{f.num.Sub(g.num), f.den}
	}
	return fraction{subProducts(f.num, g.den, g.num, f.den), f.den.Mul(g.den)}
}

func (f fraction) mul(g fraction) fraction {
	return fraction{f.num.Mul(g.num), f.den.Mul(g.den)}
}

func (f fraction) quo(g fraction) fraction {
	if f.den.same(g.den) {
		return fraction{f.num, g.num}
	}
	return fraction{f.num.Mul(g.den), f.den.Mul(g.num)}
}

func (f fraction) times(s Sum) fraction { return fraction{f.num.Mul(s), f.den} }

// timesLess gives f·s − g·t.
func (f fraction) timesLess(s Sum, g fraction, t Sum) fraction {
	if f.den.same(g.den) {
		return fraction{subProducts(f.num, s, g.num, t), f.den}
	}
	return f.times(s).sub(g.times(t))
}

func (f fraction) over(s Sum) fraction { return fraction{f.num, f.den.Mul(s)} }

func (f fraction) abs() fraction { return fraction{f.num.Abs(), f.den.Abs()} }

func (f fraction) sign() int { return f.num.Sign() * f.den.Sign() }

// float64 rounds the quotient, once.
func (f fraction) float64() float64 {
	if f.num.Sign() == 0 {
		return 0
	}
	if v, sure := f.nearest(); sure {
		return v
	}
	// big.Float divides exact operands with one rounding, and without the
	// greatest common divisor that big.Rat would look for.
	num, den, _ := align(f.num, f.den)
	q := new(big.Float).SetPrec(53)
	v, _ := q.Quo(new(big.Float).SetInt(num), new(big.Float).SetInt(den)).Float64()
	return v
}

// nearest is the float64 nearest to a quotient that is not zero, if the leading bits of
// both numbers are sure to tell: not where it is nearly halfway between two of them, or
// far out.
func (f fraction) nearest() (v float64, sure bool) {
	num, den := leadingOf(f.num.int()), leadingOf(f.den.int())
	powers := f.den.scale - f.num.scale
	if max(powers, -powers) >= len(leadingPowers) {
		return 0, false
	}
	if powers > 0 {
		num = num.times(leadingPowers[powers])
	} else if powers < 0 {
		den = den.times(leadingPowers[-powers])
	}
	q := num.over(den)
	const (
		beyond  = 1<<11 - 1 // the bits that a float64 has no room for
		halfway = 1 << 10
		doubt   = 8 // how far off the last bit may be
	)
	if d := int(q.bits&beyond) - halfway; max(d, -d) <= doubt || q.exponent < -1000 || q.exponent > 900 {
		return 0, false
	}
	v = math.Ldexp(float64(q.bits), q.exponent)
	if f.sign() < 0 {
		v = -v
	}
	return v, true
}

// leading are the first 64 bits of a number, the very first a 1, and the power of two
// that they count.
type leading struct {
	bits     uint64
	exponent int
}

// leadingOf cuts off what is less than 1 in the last bit of |n|, which is not 0.
func leadingOf(n *big.Int) leading {
	words, l := n.Bits(), leading{exponent: n.BitLen() - 64}
	for i := len(words) - 1; i >= 0; i-- {
		at := i*bits.UintSize - l.exponent // where the word goes
		if at < 0 {
			l.bits |= uint64(words[i]) >> -at
			break
		}
		l.bits |= uint64(words[i]) << at
	}
	return l
}

// leadingPowers are the powers of ten that 64 bits hold exactly.
var leadingPowers = func() (p [28]leading) {
	for n := range p {
		p[n] = leadingOf(pow10(n))
	}
	return p
}()

// times multiplies by a number that is exact. What is cut off is less than 3 in the last bit.
func (l leading) times(o leading) leading {
	high, low := bits.Mul64(l.bits, o.bits)
	exponent := l.exponent + o.exponent + 64
	if high>>63 == 0 {
		high, exponent = high<<1|low>>63, exponent-1
	}
	return leading{high, exponent}
}

// over divides. Where 3 are cut off from one number and 1 from the other one, the last
// bit is no more than 7 off.
func (l leading) over(o leading) leading {
	if l.bits < o.bits {
		q, _ := bits.Div64(l.bits, 0, o.bits)
		return leading{q, l.exponent - o.exponent - 64}
	}
	q, _ := bits.Div64(l.bits>>1, l.bits<<63, o.bits)
	return leading{q, l.exponent - o.exponent - 63}
}
