package stats

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
)

// Spending is how a group-sequential design spends its alpha over the share t of
// the information that is there, or of the time that has passed, from 0 to 1.
type Spending string

// The spending functions.
const (
	// OBrienFleming spends like O'Brien and Fleming's boundaries, little at first:
	// 2 − 2Φ(z/√t) with z the quantile at 1 − α/2, and α that of one side.
	OBrienFleming Spending = "obrien_fleming"
	// Pocock spends like Pocock's, evenly: α·log(1 + (e−1)·t).
	Pocock Spending = "pocock"
	// PowerSpending spends α·tᵏ.
	PowerSpending Spending = "power"
)

// GroupDesign is a group-sequential design (Lan and DeMets 1983): looks at shares
// of the information, each of which may end the experiment.
type GroupDesign struct {
	Spending    Spending
	Exponent    float64 // k of PowerSpending
	Alpha       float64 // of the whole experiment
	Alternative Alternative
}

// spent is the alpha of one side that is spent up to the share t.
func (d GroupDesign) spent(t float64) float64 {
	alpha := d.sideAlpha()
	switch d.Spending {
	case OBrienFleming:
		return 2 * normal{}.tail(normal{}.quantile(alpha/2)/math.Sqrt(t))
	case Pocock:
		return alpha * math.Log1p((math.E-1)*t)
	case PowerSpending:
		return alpha * math.Pow(t, d.Exponent)
	}
	panic(fmt.Sprintf("stats: no case for spending %q", d.Spending))
}

func (d GroupDesign) sideAlpha() float64 {
	switch d.Alternative {
	case TwoSided:
		return d.Alpha / 2
	case Greater, Less:
		return d.Alpha
	}
	panic(fmt.Sprintf("stats: no case for alternative %q", d.Alternative))
}

// widest is the boundary where no alpha is spent that a float64 could tell from
// none.
const widest = 8

// Boundaries gives for each look how many standard errors the estimate must be from
// zero. The shares must ascend, above 0 and up to 1; a look at no more information
// than the one before spends nothing, and has the widest boundary.
func (d GroupDesign) Boundaries(shares []float64) ([]float64, error) {
	if err := ascending(shares); err != nil {
		return nil, err
	}
	return d.boundaries(shares, shares), nil
}

// ascending checks the shares at looks.
func ascending(shares []float64) error {
	before := 0.0
	for _, t := range shares {
		if !(t > 0 && t <= 1 && t >= before) {
			return fmt.Errorf("group-sequential looks at %v: shares ascend from above 0 to 1", shares)
		}
		before = t
	}
	return nil
}

// boundaries are those of looks with this information, of which only the ratios
// matter, that spend by these shares of the time.
func (d GroupDesign) boundaries(information, times []float64) []float64 {
	w := walk{symmetric: d.Alternative == TwoSided}
	boundaries := make([]float64, len(information))
	all := information[len(information)-1]
	last, spent := 0.0, 0.0
	for i := range information {
		t := information[i] / all
		boundaries[i] = widest
		if t-last < 1e-9 {
			continue
		}
		now := d.spent(times[i])
		boundaries[i] = w.boundary(t-last, t, now-spent)
		following := math.Inf(1)
		if j := slices.IndexFunc(information[i:], func(u float64) bool { return u/all-t >= 1e-9 }); j > 0 {
			following = information[i+j]/all - t
		}
		w.step(t-last, t, boundaries[i], following)
		last, spent = t, now
	}
	return boundaries
}

// GroupLook is the last of the looks that a design has had, as the distribution
// that a statistic is compared with there.
type GroupLook struct {
	design      GroupDesign
	information []float64
	times       []float64
	// known are boundaries that were asked for, by alpha and alternative: the rows
	// of a run ask for the same ones.
	known *sync.Map
}

// NewGroupLook gives the last of the looks at these shares of the information,
// by which alpha is spent. What the design's alpha and alternative are is told
// where it is used.
func NewGroupLook(design GroupDesign, shares []float64) (*GroupLook, error) {
	if len(shares) == 0 {
		return nil, errors.New("a group-sequential look without a share of the information")
	}
	if err := ascending(shares); err != nil {
		return nil, err
	}
	return &GroupLook{design, slices.Clone(shares), slices.Clone(shares), new(sync.Map)}, nil
}

// NewGroupLookAt gives the last of looks that were planned by the calendar (Lan and
// DeMets 1989): alpha is spent by the shares of the time, and the estimates of the
// looks hang together as the units that there were at each. Looks without units
// spend nothing; looks that add none count as adding 0.5%, of events that came later.
func NewGroupLookAt(design GroupDesign, units []int64, times []float64) (*GroupLook, error) {
	if len(units) == 0 || len(units) != len(times) {
		return nil, fmt.Errorf("group-sequential looks: %d counts of units at %d times", len(units), len(times))
	}
	if err := ascending(times); err != nil {
		return nil, err
	}
	information := make([]float64, len(units))
	for i, n := range units {
		if n < 0 || i > 0 && n < units[i-1] {
			return nil, fmt.Errorf("group-sequential looks at %v units: they must ascend", units)
		}
		information[i] = math.Max(float64(n), 1e-12)
		if i > 0 {
			information[i] = math.Max(information[i], 1.005*information[i-1])
		}
	}
	return &GroupLook{design, information, slices.Clone(times), new(sync.Map)}, nil
}

// Number is which look it is, from 1.
func (l GroupLook) Number() int { return len(l.times) }

// under gives the look for these options. One-sided tests ask for the upper side.
func (l GroupLook) under(opt Options) GroupLook {
	l.design.Alternative = opt.Alternative
	if opt.Alternative == Less {
		l.design.Alternative = Greater
	}
	return l
}

// boundary is that of the look if the whole design has this alpha.
func (l GroupLook) boundary(alpha float64) float64 {
	l.design.Alpha = alpha
	b := l.design.boundaries(l.information, l.times)
	return b[len(b)-1]
}

// quantile is the boundary, for an alpha of p on each side.
func (l GroupLook) quantile(p float64) float64 {
	if l.design.Alternative == TwoSided {
		p *= 2
	}
	key := struct {
		alpha       float64
		alternative Alternative
	}{p, l.design.Alternative}
	if b, ok := l.known.Load(key); ok {
		return b.(float64)
	}
	b := l.boundary(p)
	l.known.Store(key, b)
	return b
}

// walk is the density of the estimate times the root of its information, a
// Brownian motion, where no boundary has been crossed yet: weights at nodes, from
// which integrals are sums. Where both sides are alike the nodes are those above
// zero, and stand for their mirror images too.
type walk struct {
	symmetric bool
	nodes     []float64
	weights   []float64 // of the density: of its integral over the nodes' stretches
	width     float64   // of the pieces that the nodes are on
}

// A step goes at most so many standard deviations: kernel where densities are added
// up, farthest where the chance to cross a boundary is, which may be tiny.
const (
	kernel   = 7
	farthest = 10
)

// crossing is the chance to be above the height after a step with this standard
// deviation, having crossed nothing before, and how fast it falls with the height.
func (w *walk) crossing(height, sd float64) (chance, slope float64) {
	if w.nodes == nil {
		z := height / sd
		return normal{}.tail(z), bell(z) / sd
	}
	for i := len(w.nodes) - 1; i >= 0; i-- {
		z := (height - w.nodes[i]) / sd
		if z > farthest {
			break // the nodes ascend
		}
		chance += w.weights[i] * normal{}.tail(z)
		slope += w.weights[i] * bell(z)
	}
	if w.symmetric {
		for i, x := range w.nodes {
			z := (height + x) / sd
			if z > farthest {
				break
			}
			chance += w.weights[i] * normal{}.tail(z)
			slope += w.weights[i] * bell(z)
		}
	}
	return chance, slope / sd
}

// bell is the standard normal density.
func bell(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }

// boundary is the number of standard errors at which the chance to cross it, at
// information t after a step, is p.
func (w *walk) boundary(step, t, p float64) float64 {
	sd, root := math.Sqrt(step), math.Sqrt(t)
	if chance, _ := w.crossing(widest*root, sd); chance >= p {
		return widest
	}
	// Newton's method on the logarithm of the chance, which is nearly a parabola in
	// z, safeguarded by bisection.
	low, high := -float64(widest), float64(widest)
	z := normal{}.quantile(math.Min(math.Max(p, 1e-300), 0.5))
	for range 100 {
		chance, slope := w.crossing(z*root, sd)
		if chance > p {
			low = z
		} else {
			high = z
		}
		next := z + (math.Log(chance)-math.Log(p))*chance/(slope*root)
		if math.Abs(next-z) < 1e-9 {
			return next // each step doubles the digits
		}
		if !(next > low && next < high) {
			next = low + (high-low)/2
		}
		z = next
	}
	return z
}

// step moves the walk on to information t, below the boundary. The step after it
// has this variance: nodes must be fine enough for both.
func (w *walk) step(variance, t, boundary, following float64) {
	sd := math.Sqrt(variance)
	top := boundary * math.Sqrt(t)
	fine := math.Max(math.Min(sd, math.Sqrt(following)), math.Sqrt(t)/200)
	var panels int
	width := 4 * fine
	if w.symmetric {
		panels = max(1, int(math.Ceil(top/width)))
		width = top / float64(panels)
	} else {
		if math.Abs(width-w.width) < 1e-9*width {
			width = w.width
		}
		// From further below nothing comes back to matter.
		panels = max(1, int(math.Ceil((top+6*math.Sqrt(t))/width)))
	}
	bottom := top - float64(panels)*width
	nodes, weights := make([]float64, 0, panels*len(gauss)), make([]float64, 0, panels*len(gauss))
	for i := range panels {
		middle := bottom + (float64(i)+0.5)*width
		for _, g := range gauss {
			nodes = append(nodes, middle+g.x*width/2)
			weights = append(weights, g.w*width/2)
		}
	}
	if !w.symmetric && w.nodes != nil && width == w.width {
		w.onLattice(nodes, weights, sd)
	} else {
		for i, x := range nodes {
			weights[i] *= w.density(x, sd)
		}
	}
	w.nodes, w.weights, w.width = nodes, weights, width
}

// onLattice multiplies the weights by the density at the nodes, which are on pieces
// as wide as those of the walk: how far two nodes are apart depends on how many
// pieces lie between theirs, so that there are few distances.
func (w *walk) onLattice(nodes, weights []float64, sd float64) {
	const n = 12 // nodes of a piece
	shift := (nodes[0] - w.nodes[0]) / w.width
	reach := kernel*sd/w.width + 1
	scale, half := 1/(sd*math.Sqrt(2*math.Pi)), 0.5/(sd*sd)
	pieces := len(w.nodes) / n
	sums := make([]float64, len(nodes))
	// apart is how many pieces the new one is above the old one.
	for apart := -pieces; apart < len(nodes)/n; apart++ {
		distance := (float64(apart) + shift) * w.width
		if math.Abs(distance) > reach*w.width {
			continue
		}
		var chances [n][n]float64
		for i := range chances {
			for j := range chances[i] {
				d := distance + (gauss[i].x-gauss[j].x)*w.width/2
				chances[i][j] = math.Exp(-d * d * half)
			}
		}
		for old := max(0, -apart); old < pieces && old+apart < len(nodes)/n; old++ {
			from := (*[n]float64)(w.weights[old*n:])
			to := (*[n]float64)(sums[(old+apart)*n:])
			for i := range to {
				of, sum := &chances[i], 0.0
				for j, weight := range from {
					sum += weight * of[j]
				}
				to[i] += sum
			}
		}
	}
	for i := range weights {
		weights[i] *= scale * sums[i]
	}
}

// density is that of the walk at x after a step with this standard deviation.
func (w *walk) density(x, sd float64) float64 {
	scale := 1 / (sd * math.Sqrt(2*math.Pi))
	if w.nodes == nil {
		return scale * math.Exp(-x*x/(2*sd*sd))
	}
	sum := 0.0
	// The nodes ascend: only those near x matter.
	from, _ := slices.BinarySearch(w.nodes, x-kernel*sd)
	half := 0.5 / (sd * sd)
	for i := from; i < len(w.nodes) && w.nodes[i] <= x+kernel*sd; i++ {
		d := x - w.nodes[i]
		sum += w.weights[i] * math.Exp(-d*d*half)
	}
	if w.symmetric {
		for i := 0; i < len(w.nodes) && w.nodes[i] <= kernel*sd-x; i++ {
			d := x + w.nodes[i]
			sum += w.weights[i] * math.Exp(-d*d*half)
		}
	}
	return scale * sum
}

// gauss are the nodes and weights of Gauss and Legendre's rule on −1 to 1.
var gauss = legendre(12)

// legendre computes the rule with n nodes: the roots of Legendre's polynomial by
// Newton's method.
func legendre(n int) []struct{ x, w float64 } {
	rule := make([]struct{ x, w float64 }, n)
	for i := range rule {
		x := -math.Cos(math.Pi * (float64(i) + 0.75) / (float64(n) + 0.5))
		var slope float64
		for range 100 {
			p, before := 1.0, 0.0
			for k := 1; k <= n; k++ {
				p, before = (float64(2*k-1)*x*p-float64(k-1)*before)/float64(k), p
			}
			slope = float64(n) * (x*p - before) / (x*x - 1)
			d := p / slope
			x -= d
			if math.Abs(d) < 1e-16 {
				break
			}
		}
		rule[i].x, rule[i].w = x, 2/((1-x*x)*slope*slope)
	}
	return rule
}
