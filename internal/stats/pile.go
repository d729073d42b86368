package stats

import (
	"math/big"
	"math/bits"
)

// Pile is the moments of disjoint parts of units, ready to be added up in any selection,
// again and again: in whole numbers of 128 bits where all of them together fit these.
type Pile struct {
	parts []Moments
	have  Need
	sums  []pileSums // empty where Moments.Add is to do it
}

// pileSums is one sum of all parts.
type pileSums struct {
	term  Term
	scale int
	low   []uint64
	high  []uint64 // the signs too: two's complement
}

// pileBits is how long the sum of all absolute numbers may be.
const pileBits = 126

// NewPile makes parts ready to be added up.
func NewPile(parts []Moments) *Pile {
	p := &Pile{parts: parts, have: ^Need(0)}
	for _, m := range parts {
		if m.Units != 0 || m.have != 0 { // what is not there leaves all others as they are
			p.have &= m.have
		}
	}
	var all []pileSums
	for t := X; t < termCount; t++ {
		if !p.have.Has(1 << t) {
			continue
		}
		s, ok := pileOf(t, parts)
		if !ok {
			return p
		}
		all = append(all, s)
	}
	p.sums = all
	return p
}

// pileOf is the pile of a sum; ok is false where it does not fit.
func pileOf(t Term, parts []Moments) (s pileSums, ok bool) {
	s = pileSums{term: t, low: make([]uint64, len(parts)), high: make([]uint64, len(parts))}
	for _, m := range parts {
		s.scale = max(s.scale, m.sums[t].scale)
	}
	word, total := new(big.Int), new(big.Int)
	for i, m := range parts {
		n := new(big.Int).Mul(m.sums[t].int(), pow10(s.scale-m.sums[t].scale))
		if total.Add(total, word.Abs(n)).BitLen() > pileBits {
			return s, false
		}
		size := word.Abs(n)
		s.low[i] = new(big.Int).And(size, maxWord).Uint64()
		s.high[i] = size.Rsh(size, 64).Uint64()
		if n.Sign() < 0 {
			var borrow uint64
			s.low[i], borrow = bits.Sub64(0, s.low[i], 0)
			s.high[i], _ = bits.Sub64(0, s.high[i], borrow)
		}
	}
	return s, true
}

var maxWord = new(big.Int).SetUint64(1<<64 - 1)

// Of are the moments of some of the parts, by their places, together: what [Moments.Add]
// comes to.
func (p *Pile) Of(places []int) Moments {
	if p.sums == nil {
		var m Moments
		for _, i := range places {
			m = m.Add(p.parts[i])
		}
		return m
	}
	var m Moments
	for _, i := range places {
		m.Units += p.parts[i].Units
	}
	for _, s := range p.sums {
		m.Set(s.term, s.of(places))
	}
	return m
}

func (s *pileSums) of(places []int) Sum {
	var low, high, carry uint64
	for _, i := range places {
		low, carry = bits.Add64(low, s.low[i], 0)
		high, _ = bits.Add64(high, s.high[i], carry)
	}
	negative := high>>63 == 1
	if negative {
		low, carry = bits.Sub64(0, low, 0)
		high, _ = bits.Sub64(0, high, carry)
	}
	n := new(big.Int).SetUint64(high)
	n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(low))
	if negative {
		n.Neg(n)
	}
	return Sum{n, s.scale}
}
