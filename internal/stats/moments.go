package stats

import "fmt"

// Kind is what a metric is the statistic of.
type Kind int

const (
	// Mean is the mean of the per-unit values.
	Mean Kind = iota
	// Ratio is the sum of the numerators over the sum of the denominators.
	Ratio
	// Proportion is the share of the units that have something. Its unit variance
	// is p(1−p), as other tools have it. It is for sums from elsewhere: a run takes
	// an occurrence as a mean of 0 and 1.
	Proportion
	// Percentile is an order statistic of the per-unit values, or of those of groups.
	Percentile
)

// String gives the kind as the table moments spells it.
func (k Kind) String() string {
	switch k {
	case Mean:
		return "mean"
	case Ratio:
		return "ratio"
	case Proportion:
		return "proportion"
	case Percentile:
		return "quantile"
	}
	panic(fmt.Sprintf("stats: no case for kind %d", int(k)))
}

// Moments are the exact sums over a set of units. The zero Moments are those of
// no units.
type Moments struct {
	// Units is the number of units, the term N.
	Units int64
	// Quantiles are the order statistics of a percentile; else nil.
	Quantiles *Quantiles
	sums      [termCount]Sum
	have      Need
}

// NewMoments gives the moments of so many units with these sums. N may be left
// out of the sums; Units stands for it.
func NewMoments(units int64, sums map[Term]Sum) Moments {
	m := Moments{Units: units}
	for t, s := range sums {
		m.Set(t, s)
	}
	return m
}

// Set puts the sum of one term in place.
func (m *Moments) Set(t Term, s Sum) {
	t.row()
	if t == N {
		return
	}
	m.sums[t] = s
	m.have |= 1 << t
}

// Sum gives the sum of one term. It panics if the term was never set and there
// are units: an estimator asked for a sum that its Need does not name.
func (m Moments) Sum(t Term) Sum {
	if t == N {
		return SumOf(m.Units)
	}
	if m.Units != 0 && !m.Has(t) {
		panic(fmt.Sprintf("stats: the moments lack the sum of %s", t))
	}
	return m.sums[t]
}

// Has reports whether the sum of the term was set.
func (m Moments) Has(t Term) bool { return t == N || m.have.Has(1<<t) }

// Add gives the moments of two disjoint sets of units together, with the sums
// that both have. Sums of overlapping sets must not be added: a unit that is
// active on two days is one unit.
func (m Moments) Add(o Moments) Moments {
	switch {
	case m.Units == 0 && m.have == 0:
		return o
	case o.Units == 0 && o.have == 0:
		return m
	}
	sum := Moments{Units: m.Units + o.Units}
	for t := X; t < termCount; t++ {
		if m.Has(t) && o.Has(t) {
			sum.Set(t, m.sums[t].Add(o.sums[t]))
		}
	}
	return sum
}

// Sub gives the moments of the units that are in m and not in o, which must be some
// of its units, with the sums that both have.
func (m Moments) Sub(o Moments) Moments {
	if o.Units == 0 && o.have == 0 {
		return m
	}
	rest := Moments{Units: m.Units - o.Units}
	for t := X; t < termCount; t++ {
		if m.Has(t) && o.Has(t) {
			rest.Set(t, m.sums[t].Sub(o.sums[t]))
		}
	}
	return rest
}

// spread gives n·Σuv − Σu·Σv, which is n·(n−1) times the covariance of u and v.
func (m Moments) spread(u, v, uv Term) Sum {
	return subProducts(SumOf(m.Units), m.Sum(uv), m.Sum(u), m.Sum(v))
}
