package stats

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"sort"
)

// Number is one that a percentile is of, and how often a unit, or the units of a
// part, have it.
type Number struct {
	Value float64
	Part  int // of disjoint parts of units, from 0
	// Unit is whose number it is, from 0, where numbers of one unit are alike; a unit
	// is in one part.
	Unit  int
	Count int64
}

// Numbers are those of one or several variations that a percentile is of, in parts of
// units: the percentile of any of the parts together, each as often as one likes, is
// found in them again and again.
type Numbers struct {
	share *big.Rat
	list  []Number // ascending
	parts []numbersPart
	units []numbersUnit // nil: each number is a unit's own
	// from is where the search begins: what is below is summed up in the parts. It is
	// so far down that the place is hardly ever there.
	from int
}

// numbersPart sums a part: all numbers, those before the beginning of the search and,
// over units with n numbers, i of them before it, the squares and products.
type numbersPart struct {
	count, before     int64
	units, nn, in, ii float64
}

// numbersUnit counts the numbers of a unit: all, those before the beginning of the
// search, and those that a search has found.
type numbersUnit struct{ n, before, found int64 }

// NewNumbers makes ready the numbers that a percentile with this share below it is
// of, in so many parts. Clustered: numbers of a unit are alike.
func NewNumbers(list []Number, parts int, share *big.Rat, clustered bool) *Numbers {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Number) int { return cmp.Compare(a.Value, b.Value) })
	n := &Numbers{share: share, list: list, parts: make([]numbersPart, parts)}
	units := 0
	for _, x := range list {
		n.parts[x.Part].count += x.Count
		units = max(units, x.Unit+1)
	}
	if clustered {
		n.units = make([]numbersUnit, units)
		of := make([]int, units)
		for _, x := range list {
			n.units[x.Unit].n += x.Count
			of[x.Unit] = x.Part
		}
		for i, u := range n.units {
			if u.n > 0 {
				p := &n.parts[of[i]]
				p.units++
				p.nn += float64(u.n) * float64(u.n)
			}
		}
	}
	n.begin()
	return n
}

// begin puts the beginning of the search far below the percentile of all parts: by ten
// standard errors, as they are between parts.
func (n *Numbers) begin() {
	share, _ := n.share.Float64()
	var all float64
	for _, p := range n.parts {
		all += float64(p.count)
	}
	upto, at := make([]float64, len(n.parts)), 0.0
	for _, x := range n.list {
		if at >= share*all {
			break
		}
		at += float64(x.Count)
		upto[x.Part] += float64(x.Count)
	}
	variance := 0.0
	for i, p := range n.parts {
		d := upto[i] - at/all*float64(p.count)
		variance += d * d
	}
	low, before := share*all-10*math.Sqrt(variance)-100, 0.0
	for ; n.from < len(n.list); n.from++ {
		x := n.list[n.from]
		if before += float64(x.Count); before > low {
			return
		}
		p := &n.parts[x.Part]
		p.before += x.Count
		if n.units != nil {
			u := &n.units[x.Unit]
			p.ii += float64(x.Count) * float64(2*u.before+x.Count)
			p.in += float64(x.Count) * float64(u.n)
			u.before += x.Count
		}
	}
}

// count is how many numbers there are, with each part so often.
func (n *Numbers) count(weights []int64) int64 {
	var all int64
	for i, w := range weights {
		all += w * n.parts[i].count
	}
	return all
}

// search goes through the numbers in their order, each part so often.
type search struct {
	*Numbers
	weights []int64
	next    int   // in the list
	upto    int64 // how many numbers there are before
}

func (n *Numbers) search(weights []int64) *search {
	s := &search{Numbers: n, weights: weights}
	for i, w := range weights {
		s.upto += w * n.parts[i].before
	}
	s.next = n.from
	return s
}

// find goes on to the number at a place from 0, which ascends from call to call.
func (s *search) find(place int64) float64 {
	if s.next == s.from && s.upto > place { // seldom: it is further down
		s.next, s.upto = 0, 0
	}
	for ; s.next < len(s.list); s.next++ {
		x := s.list[s.next]
		if w := s.weights[x.Part]; w > 0 {
			if s.upto+w*x.Count > place {
				return x.Value
			}
			s.upto += w * x.Count
		}
	}
	return math.NaN()
}

// between interpolates between the numbers at a place and the next one.
func (s *search) between(place int64, rest float64) float64 {
	below := s.find(place)
	if rest == 0 {
		return below
	}
	return below + (s.find(place+1)-below)*rest
}

// place is where the percentile of n numbers is: at a place and a rest.
func (n *Numbers) place(count int64) (place int64, rest float64) {
	at := new(big.Int).Mul(big.NewInt(count-1), n.share.Num())
	whole, over := at.QuoRem(at, n.share.Denom(), new(big.Int))
	rest, _ = new(big.Rat).SetFrac(over, n.share.Denom()).Float64()
	return whole.Int64(), rest
}

// Percentile is that of the parts, each so often; NaN where there is no number.
func (n *Numbers) Percentile(weights []int64) float64 {
	count := n.count(weights)
	if count == 0 {
		return math.NaN()
	}
	return n.search(weights).between(n.place(count))
}

// Moments are those of a percentile of the parts whose weight is 1, others having 0,
// with bounds at so many standard errors.
func (n *Numbers) Moments(weights []int64, z float64) Moments {
	count := n.count(weights)
	if count == 0 {
		return Moments{}
	}
	place, rest := n.place(count)
	share, _ := n.share.Float64()
	spread := math.Sqrt(share * (1 - share) / float64(count))
	if n.units != nil {
		spread = n.clusterSpread(weights, n.search(weights).find(place))
	}
	bound := func(share float64) float64 {
		at := float64(count-1) * math.Min(1, math.Max(0, share))
		whole := math.Floor(at)
		return n.search(weights).between(int64(whole), at-whole)
	}
	value := n.search(weights).between(place, rest)
	return Moments{Units: count, Quantiles: &Quantiles{
		Value: new(big.Rat).SetFloat64(value), Lower: bound(share - z*spread), Upper: bound(share + z*spread), Z: z, N: count,
	}}
}

// clusterSpread is the standard error of the share of the numbers up to the
// percentile, as that of a ratio over units.
func (n *Numbers) clusterSpread(weights []int64, percentile float64) float64 {
	var units, all, upto, nn, in, ii float64
	from := 0
	if n.from < len(n.list) && percentile >= n.list[n.from].Value {
		from = n.from
	}
	for i, p := range n.parts {
		if weights[i] == 0 {
			continue
		}
		units, all, nn = units+p.units, all+float64(p.count), nn+p.nn
		if from > 0 {
			upto, in, ii = upto+float64(p.before), in+p.in, ii+p.ii
		}
	}
	found := n.list[from:]
	found = found[:sort.Search(len(found), func(i int) bool { return found[i].Value > percentile })]
	for _, x := range found {
		if weights[x.Part] == 0 {
			continue
		}
		u := &n.units[x.Unit]
		i := u.found
		if from > 0 {
			i += u.before
		}
		ii += float64(x.Count) * float64(2*i+x.Count)
		in += float64(x.Count) * float64(u.n)
		upto += float64(x.Count)
		u.found += x.Count
	}
	for _, x := range found {
		n.units[x.Unit].found = 0
	}
	if units < 2 {
		return 0
	}
	share := upto / all
	return math.Sqrt(units/(units-1)*math.Max(0, ii-2*share*in+share*share*nn)) / all
}

// BootstrapPercentile resamples the difference of the percentiles of two variations,
// parts by weights of Poisson's distribution.
func BootstrapPercentile(baseline, variation *Numbers, opt Options, how Resampling) Resampled {
	if baseline.count(ones(len(baseline.parts))) < 2 || variation.count(ones(len(variation.parts))) < 2 {
		return Resampled{}
	}
	random := newPoisson(how.Seed)
	absolute, relative := make([]float64, 0, how.Resamples), make([]float64, 0, how.Resamples)
	draw := func(n *Numbers) float64 {
		weights := make([]int64, len(n.parts))
		for i := range weights {
			weights[i] = int64(random.next())
		}
		return n.Percentile(weights)
	}
	for range how.Resamples {
		a, b := draw(baseline), draw(variation)
		absolute, relative = append(absolute, b-a), append(relative, (b-a)/math.Abs(a))
	}
	return resampledOf(absolute, relative, opt)
}

func ones(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}
