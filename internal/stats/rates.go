package stats

import (
	"math"
	"slices"
	"sync"
)

// beta is the Beta distribution of a rate after x of n, from a uniform prior.
type beta struct{ a, b float64 }

func betaOf(x, n int64) beta { return beta{float64(x) + 1, float64(n-x) + 1} }

func (d beta) mean() float64 { return d.a / (d.a + d.b) }

func (d beta) sd() float64 {
	n := d.a + d.b
	return math.Sqrt(d.a*d.b/(n+1)) / n
}

// chances are those that the variation's rate is above the baseline's and below it,
// and by how much it is expected to be above and below, counting 0 elsewhere.
//
// With uniform priors the rates are as order statistics of uniform numbers: that of
// the baseline the (xa+1)th of na+1, that of the variation the (xb+1)th of nb+1. The
// former is the smaller one exactly if no more than xb of the smallest xa+xb+1 of all
// are the variation's, which are as many as a hypergeometric distribution says. So no
// integral is needed, and small chances keep their digits.
func (t table) chances() (win, lose, gain, loss float64) {
	h := hypergeometrics.Get().(*hypergeometric)
	defer hypergeometrics.Put(h)
	h.fill(t.na+1, t.nb+1, t.xa+t.xb+1)
	win, lose = h.upTo(t.xb), h.from(t.xb+1)
	a, b := betaOf(t.xa, t.na), betaOf(t.xb, t.nb)
	// Of A above B, the mean of A is E(A)·P(A' > B), where A' is A after one more
	// success, which is k/a above P(A > B); and likewise that of B.
	k := a.a * b.b * h.weight(t.xb) / h.total / float64(t.na+t.nb+3)
	edge := k * (1/(a.a+a.b) + 1/(b.a+b.b))
	difference := b.mean() - a.mean()
	return win, lose, math.Max(0, difference*win+edge), math.Max(0, edge-difference*lose)
}

// The density of a rate is tabled as Taylor series, of so many terms, around points
// half a standard deviation apart.
const taylorTerms = 16

// rateTable is the distribution of a rate, quick to look up.
type rateTable struct {
	from, to float64 // beyond them the chance is below 1e-16
	width    float64 // of a piece
	pieces   []ratePiece
}

// ratePiece is a part of a distribution: the chance of less than its middle, and the
// series of the density and of its integral, by widths from there.
type ratePiece struct {
	below         float64
	density, mass [taylorTerms]float64
	// What the series is computed from.
	slope, bend, scale float64
}

// fill makes the table that of the distribution. Where there was one before, the new one
// takes its place in memory.
func (t *rateTable) fill(d beta) {
	// After a few successes the tail falls by e with each more, not as a normal one.
	wide := d.sd() * (8.5 + 30/(d.sd()*(d.a+d.b)))
	t.from, t.to = math.Max(0, d.mean()-wide), math.Min(1, d.mean()+wide)
	count := int(math.Ceil((t.to - t.from) / d.sd() * 2))
	t.pieces = slices.Grow(t.pieces[:0], count)[:count]
	t.width = (t.to - t.from) / float64(count)
	t.expand(d)
	all := 0.0
	for i := range t.pieces {
		p := &t.pieces[i]
		for k, c := range p.density {
			p.mass[k] = c * t.width / float64(k+1)
		}
		left := p.massTo(-0.5)
		p.below = all - left
		all += p.massTo(0.5) - left
	}
	for i := range t.pieces {
		p := &t.pieces[i]
		p.below /= all
		for k := range p.mass {
			p.density[k] /= all
			p.mass[k] /= all
		}
	}
}

// expand puts the Taylor series of the density around the middles of the pieces in place,
// by widths from there, up to a factor. With f = pᵅ(1−p)ᵝ, p(1−p)·f′ = (α − (α+β)p)·f
// gives each term from the two before: of all pieces in turn, so that none waits for the
// one before.
func (t *rateTable) expand(d beta) {
	up, down := d.a-1, d.b-1
	for i := range t.pieces {
		p, at := &t.pieces[i], t.from+(float64(i)+0.5)*t.width
		p.density[0] = math.Exp(up*math.Log(at/d.mean()) + down*math.Log((1-at)/(1-d.mean())))
		p.slope, p.bend, p.scale = up-(up+down)*at, 1-2*at, t.width/(at*(1-at))
	}
	for k := range taylorTerms - 1 {
		fall := float64(k-1) - up - down
		for i := range t.pieces {
			p, before := &t.pieces[i], 0.0
			if k > 0 {
				before = p.density[k-1]
			}
			p.density[k+1] = ((p.slope-p.bend*float64(k))*p.density[k] + fall*before*t.width) * p.scale / float64(k+1)
		}
	}
}

// massTo is the chance of a rate between the middle and so many widths from it.
func (p *ratePiece) massTo(x float64) float64 {
	sum := p.mass[taylorTerms-1]
	for k := taylorTerms - 2; k >= 0; k-- {
		sum = sum*x + p.mass[k]
	}
	return sum * x
}

// piece finds where a rate between from and to is.
func (t *rateTable) piece(p float64) (*ratePiece, float64) {
	x := (p - t.from) / t.width
	i := min(max(int(x), 0), len(t.pieces)-1)
	return &t.pieces[i], x - float64(i) - 0.5
}

// below is the chance of a rate below p.
func (t *rateTable) below(p float64) float64 {
	switch {
	case p <= t.from:
		return 0
	case p >= t.to:
		return 1
	}
	at, x := t.piece(p)
	return at.below + at.massTo(x)
}

// rateDifference is the distribution of b − a.
type rateDifference struct {
	a, b     rateTable
	mean, sd float64
	narrow   float64 // the standard deviation of a
}

// rateDifferences are at hand to be used again: their tables are large.
var rateDifferences = sync.Pool{New: func() any { return new(rateDifference) }}

func (d *rateDifference) fill(a, b beta) {
	d.a.fill(a)
	d.b.fill(b)
	d.mean, d.sd, d.narrow = b.mean()-a.mean(), math.Hypot(a.sd(), b.sd()), a.sd()
}

// at gives the chance that b is less than x above a, and its density, by an integral
// over a where b is neither certain to be less nor certain to be more.
func (d *rateDifference) at(x float64) (below, density float64) {
	from, to := math.Max(d.a.from, d.b.from-x), math.Min(d.a.to, d.b.to-x)
	below = 1 - d.a.below(d.b.to-x)
	if from >= to {
		return below, 0
	}
	panels := int(math.Ceil((to - from) / d.narrow / 3))
	half := (to - from) / float64(panels) / 2
	for i := range panels {
		middle := from + float64(2*i+1)*half
		for _, g := range gauss {
			p := middle + g.x*half
			a, atA := d.a.piece(p)
			b, atB := d.b.piece(p + x)
			// Three polynomials by Horner's rule, side by side: none waits for another.
			densityA, densityB, massB := a.density[taylorTerms-1], b.density[taylorTerms-1], b.mass[taylorTerms-1]
			for k := taylorTerms - 2; k >= 0; k-- {
				densityA = densityA*atA + a.density[k]
				densityB = densityB*atB + b.density[k]
				massB = massB*atB + b.mass[k]
			}
			w := g.w * half * densityA
			below += w * (b.below + massB*atB)
			density += w * densityB
		}
	}
	return below, density
}

// quantile is Newton's method between ends that close in.
func (d *rateDifference) quantile(p float64) float64 {
	low, high := d.b.from-d.a.to, d.b.to-d.a.from
	x := math.Min(math.Max(d.mean-d.sd*normal{}.quantile(p), low), high)
	for range 100 {
		below, density := d.at(x)
		if below < p {
			low = x
		} else {
			high = x
		}
		next := x + (p-below)/density
		if !(next > low && next < high) {
			next = low + (high-low)/2
		}
		step := next - x
		x = next
		if math.Abs(step) < 1e-5*d.sd {
			break
		}
	}
	return x
}

// credible are the ends of the interval of the variation's rate less the baseline's,
// with alpha/2 beyond each. Of the two, the rate that is known better is integrated over.
func (t table) credible(alpha float64) (low, high float64) {
	d := rateDifferences.Get().(*rateDifference)
	defer rateDifferences.Put(d)
	a, b := betaOf(t.xa, t.na), betaOf(t.xb, t.nb)
	if a.sd() <= b.sd() {
		d.fill(a, b)
		return d.quantile(alpha / 2), d.quantile(1 - alpha/2)
	}
	d.fill(b, a)
	return -d.quantile(1 - alpha/2), -d.quantile(alpha / 2)
}
