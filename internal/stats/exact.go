package stats

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"sync"
)

// fisher is Fisher's exact p-value: the chance of the table, or of one that says
// more, among the tables with the same margins. On two sides, those say more that
// are not more likely.
func (t table) fisher(alt Alternative) float64 {
	h := hypergeometrics.Get().(*hypergeometric)
	defer hypergeometrics.Put(h)
	h.fill(t.na, t.nb, t.xa+t.xb)
	switch alt {
	case Less:
		return h.upTo(t.xb)
	case Greater:
		return h.from(t.xb)
	case TwoSided:
		// Equally likely tables are equal but for rounding.
		limit := h.weight(t.xb) * (1 + 1e-7)
		sum := 0.0
		for _, w := range h.weights {
			if w <= limit {
				sum += w
			}
		}
		return math.Min(1, sum/h.total)
	}
	panic(fmt.Sprintf("stats: no case for alternative %q", alt))
}

// hypergeometric is the distribution of the variation's count, given the margins
// of the table; the weights are its probabilities times the total.
type hypergeometric struct {
	low     int64     // the count of the first weight
	weights []float64 // all that are above 0, and perhaps one on either side
	total   float64
	room    []float64 // of the weights
}

// hypergeometrics are at hand to be used again: there may be thousands of weights.
var hypergeometrics = sync.Pool{New: func() any { return new(hypergeometric) }}

func (h *hypergeometric) fill(na, nb, s int64) {
	low, high := max(0, s-na), min(nb, s)
	h.room = slices.Grow(h.room[:0], int(high-low+1))[:high-low+1]
	mode := min(max((s+1)*(nb+1)/(na+nb+2), low), high)
	climb := func(k int64) float64 { // weight of k+1 by that of k
		return float64(s-k) * float64(nb-k) / (float64(k+1) * float64(na-s+k+1))
	}
	h.room[mode-low] = 1
	// Far from the mode weights are 0, and so are those beyond.
	first, last := mode, mode
	for ; last < high && h.room[last-low] > 0; last++ {
		h.room[last+1-low] = h.room[last-low] * climb(last)
	}
	for ; first > low && h.room[first-low] > 0; first-- {
		h.room[first-1-low] = h.room[first-low] / climb(first-1)
	}
	h.low, h.weights, h.total = first, h.room[first-low:last-low+1], 0
	for _, w := range h.weights {
		h.total += w
	}
}

// weight is 0 where it is too small to be kept.
func (h *hypergeometric) weight(k int64) float64 {
	if i := k - h.low; i >= 0 && i < int64(len(h.weights)) {
		return h.weights[i]
	}
	return 0
}

// upTo is the probability of at most k, from of at least k.
func (h *hypergeometric) upTo(k int64) float64 {
	sum := 0.0
	for i := range min(k-h.low+1, int64(len(h.weights))) {
		sum += h.weights[i]
	}
	return math.Min(1, sum/h.total)
}

func (h *hypergeometric) from(k int64) float64 {
	sum := 0.0
	for i := int64(len(h.weights)) - 1; i >= max(k-h.low, 0); i-- {
		sum += h.weights[i]
	}
	return math.Min(1, sum/h.total)
}

// barnard is Barnard's exact p-value: the largest chance, over all rates that both
// variations may have in common, of a difference at least as far from zero, in
// standard errors with the pooled rate.
func (t table) barnard(alt Alternative) float64 {
	if t.constant() {
		return 1
	}
	observed := t.score(t.xa, t.xb)
	r := newRegion(t)
	for xa := int64(0); xa <= t.na; xa++ {
		// The score climbs with xb. Equal scores are equal but for rounding.
		from := func(score float64) int64 {
			return int64(sort.Search(int(t.nb)+1, func(xb int) bool { return t.score(xa, int64(xb)) >= score-1e-12*math.Abs(score) }))
		}
		above := func(score float64) int64 {
			return int64(sort.Search(int(t.nb)+1, func(xb int) bool { return t.score(xa, int64(xb)) > score+1e-12*math.Abs(score) }))
		}
		switch alt {
		case TwoSided:
			size := math.Abs(observed)
			if size == 0 {
				return 1
			}
			r.below[xa], r.above[xa] = above(-size), from(size)
		case Greater:
			r.above[xa] = from(observed)
		case Less:
			r.below[xa] = above(observed)
		default:
			panic(fmt.Sprintf("stats: no case for alternative %q", alt))
		}
	}
	return r.worst()
}

// score is the difference of the rates in standard errors with the pooled rate, up
// to a factor that all tables have in common; 0 where all units are alike.
func (t table) score(xa, xb int64) float64 {
	s, n := xa+xb, t.na+t.nb
	if s == 0 || s == n {
		return 0
	}
	return float64(xb*t.na-xa*t.nb) / math.Sqrt(float64(s)*float64(n-s))
}

// boschloo is Boschloo's exact p-value: as Barnard's, with Fisher's one-sided
// p-value as the measure of how much a table says; on two sides twice the
// smaller one.
func (t table) boschloo(alt Alternative) float64 {
	if t.constant() {
		return 1
	}
	if alt == TwoSided {
		return math.Min(1, 2*math.Min(t.boschloo(Greater), t.boschloo(Less)))
	}
	if alt == Less {
		// Less of what some have is more of what they lack.
		return table{t.na - t.xa, t.na, t.nb - t.xb, t.nb}.boschloo(Greater)
	}
	limit := t.fisher(Greater) * (1 + 1e-10)
	r := newRegion(t)
	xb := int64(0)
	for xa := int64(0); xa <= t.na; xa++ {
		// With one more in the baseline, it takes as many in the variation, or more.
		for xb <= t.nb && (table{xa, t.na, xb, t.nb}).fisher(Greater) > limit {
			xb++
		}
		r.above[xa] = xb
	}
	return r.worst()
}

// region is a set of tables: for each count of the baseline, the counts of the
// variation that are less than below or at least above.
type region struct {
	na, nb       int64
	below, above []int64
}

// newRegion is the empty set.
func newRegion(t table) region {
	r := region{t.na, t.nb, make([]int64, t.na+1), make([]int64, t.na+1)}
	for i := range r.above {
		r.above[i] = t.nb + 1
	}
	return r
}

// worst is the largest probability of the set over the rate that both variations
// have in common. With rate = sin²θ the standard deviation of a count is the same
// everywhere in θ, so that an even grid sees every peak; the highest are then
// climbed.
func (r region) worst() float64 {
	grid := 100 + 16*int(math.Sqrt(float64(r.na+r.nb)))
	step := math.Pi / 2 / float64(grid)
	f := make([]float64, grid+1)
	best := 0.0
	for i := range f {
		f[i] = r.probability(float64(i) * step)
		best = math.Max(best, f[i])
	}
	found := best
	for i := range f {
		if f[i] >= 0.98*best && (i == 0 || f[i] >= f[i-1]) && (i == grid || f[i] >= f[i+1]) {
			found = math.Max(found, r.climb(math.Max(0, float64(i-1)*step), math.Min(math.Pi/2, float64(i+1)*step)))
		}
	}
	return math.Min(1, found)
}

// climb is the largest probability between two angles that have one peak between
// them, by golden section.
func (r region) climb(from, to float64) float64 {
	const golden = 0.6180339887498949
	u, v := to-golden*(to-from), from+golden*(to-from)
	fu, fv := r.probability(u), r.probability(v)
	for range 40 {
		if fu > fv {
			to, v, fv = v, u, fu
			u = to - golden*(to-from)
			fu = r.probability(u)
		} else {
			from, u, fu = u, v, fv
			v = from + golden*(to-from)
			fv = r.probability(v)
		}
	}
	return math.Max(fu, fv)
}

// probability is that of the set where both rates are sin²θ.
func (r region) probability(theta float64) float64 {
	sin, cos := math.Sincos(theta)
	a, b := binomial(r.na, sin*sin, cos*cos), binomial(r.nb, sin*sin, cos*cos)
	lower, upper := make([]float64, r.nb+2), make([]float64, r.nb+2) // less than k, at least k
	for k := range b {
		lower[k+1] = lower[k] + b[k]
	}
	for k := len(b) - 1; k >= 0; k-- {
		upper[k] = upper[k+1] + b[k]
	}
	sum := 0.0
	for k, p := range a {
		sum += p * (lower[r.below[k]] + upper[r.above[k]])
	}
	return sum
}

// binomial gives the probabilities of 0 to n of n, at the rate p = 1 − q.
func binomial(n int64, p, q float64) []float64 {
	w := make([]float64, n+1)
	mode := min(int64(float64(n+1)*p), n)
	w[mode] = 1
	total := 1.0
	for k := mode; k < n; k++ {
		w[k+1] = w[k] * float64(n-k) * p / (float64(k+1) * q)
		total += w[k+1]
	}
	for k := mode; k > 0; k-- {
		w[k-1] = w[k] * float64(k) * q / (float64(n-k+1) * p)
		total += w[k-1]
	}
	for k := range w {
		w[k] /= total
	}
	return w
}
