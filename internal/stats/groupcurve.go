package stats

import (
	"math"
	"sync"
)

// smallestAlpha is the p-value that stands for smaller ones too.
const smallestAlpha = 1e-15

// alphaCurve is the boundary of a look as a function of the one that a single look
// would have with the alpha of the design: nearly a straight line, but for large alphas.
// It is computed at a few places of each piece where somebody asks, once, and found
// between them by the polynomial through them: the p-values of all rows of a run are on
// one curve.
type alphaCurve struct {
	boundary func(alpha float64) float64
	sides    float64 // of the test
	places   [curvePieces*(curvePlaces-1) + 1]float64
	mutex    sync.Mutex
	known    map[int]float64 // boundaries by place
}

// A curve has so many pieces, and each so many places: its ends and those between
// them, closer together towards the ends (Chebyshev's), of which neighbours share one.
// Pieces are about as wide near zero and widen in proportion to boundaries far above
// curveBend, where the curve is straighter.
const (
	curvePieces = 32
	curvePlaces = 10
	curveBend   = 0.3
)

// newAlphaCurve gives the curve of a boundary. At its places the boundary of a single
// look falls from that of smallestAlpha to next to none.
func newAlphaCurve(boundary func(alpha float64) float64, sides float64) *alphaCurve {
	c := &alphaCurve{boundary: boundary, sides: sides, known: map[int]float64{}}
	bent := func(alpha float64) float64 { return math.Asinh(normal{}.quantile(alpha/sides) / curveBend) }
	from, to := bent(smallestAlpha), bent(0.999)
	for place := range c.places {
		piece, i := place/(curvePlaces-1), place%(curvePlaces-1)
		share := (float64(piece) + (1-math.Cos(math.Pi*float64(i)/(curvePlaces-1)))/2) / curvePieces
		c.places[place] = curveBend * math.Sinh(from+(to-from)*share)
	}
	return c
}

// alphaOf is the alpha of a single look with this boundary.
func (c *alphaCurve) alphaOf(z float64) float64 { return c.sides * normal{}.tail(z) }

// value is the boundary at a place.
func (c *alphaCurve) value(place int) float64 {
	v, ok := c.known[place]
	if !ok {
		v = c.boundary(c.alphaOf(c.places[place]))
		c.known[place] = v
	}
	return v
}

// alpha is that at which the boundary goes through t, between smallestAlpha and 1.
func (c *alphaCurve) alpha(t float64) float64 {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	const last = curvePieces * (curvePlaces - 1)
	switch {
	case math.IsNaN(t):
		return t
	case t >= widest || c.value(0) <= t:
		return smallestAlpha
	case c.value(last) >= t:
		return 1
	}
	low, high := 0, curvePieces // the boundary is above t at low, and not at high
	for high-low > 1 {
		middle := (low + high) / 2
		if c.value(middle*(curvePlaces-1)) > t {
			low = middle
		} else {
			high = middle
		}
	}
	var x, y [curvePlaces]float64
	for i := range x {
		x[i], y[i] = c.places[low*(curvePlaces-1)+i], c.value(low*(curvePlaces-1)+i)
	}
	// Bisection and the secant in turns, which keep the root between from and to.
	from, to := x[0], x[curvePlaces-1]
	atFrom, atTo := y[0]-t, y[curvePlaces-1]-t
	for i := range 200 {
		middle := from + (to-from)/2
		if i%3 > 0 && atFrom != atTo {
			middle = (from*atTo - to*atFrom) / (atTo - atFrom)
		}
		at := through(x, y, middle) - t
		if at > 0 {
			from, atFrom = middle, at
		} else {
			to, atTo = middle, at
		}
		if at == 0 || math.Abs(to-from) < 1e-15*(1+math.Abs(from)) {
			return c.alphaOf(middle)
		}
	}
	return c.alphaOf(to)
}

// through is the polynomial through points at Chebyshev's places, by its barycentric
// form.
func through(x, y [curvePlaces]float64, at float64) float64 {
	above, below := 0.0, 0.0
	for i := range x {
		if at == x[i] {
			return y[i]
		}
		weight := 1 / (at - x[i])
		if i%2 == 1 {
			weight = -weight
		}
		if i == 0 || i == curvePlaces-1 {
			weight /= 2
		}
		above, below = above+weight*y[i], below+weight
	}
	return above / below
}

// tail is the alpha at which the boundary goes through t, or half of it where two
// sides are added up: the p-value of a design that is looked at again and again.
func (l GroupLook) tail(t float64) float64 {
	sides := 1.0
	if l.design.Alternative == TwoSided {
		sides = 2
	}
	type key struct{ curve Alternative }
	c, known := l.known.Load(key{l.design.Alternative})
	if !known {
		c, _ = l.known.LoadOrStore(key{l.design.Alternative}, newAlphaCurve(l.boundary, sides))
	}
	return c.(*alphaCurve).alpha(t) / sides
}
