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

// widest is the boundary that is told where so little alpha is spent that a wider one
// would say no more. Boundaries are computed up to highest, so that the p-values of a
// look are smooth.
const (
	widest  = 8
	highest = 37
)

// Boundaries gives for each look how many standard errors the estimate must be from
// zero. The shares must ascend, above 0 and up to 1; a look at no more information
// than the one before spends nothing, and has the widest boundary.
func (d GroupDesign) Boundaries(shares []float64) ([]float64, error) {
	if err := ascending(shares); err != nil {
		return nil, err
	}
	b := d.boundaries(shares, shares)
	for i := range b {
		b[i] = math.Min(b[i], widest)
	}
	return b, nil
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
// matter, that spend by these shares of the time. None is above highest.
func (d GroupDesign) boundaries(information, times []float64) []float64 {
	w := walk{symmetric: d.Alternative == TwoSided}
	boundaries := make([]float64, len(information))
	all := information[len(information)-1]
	last, spent, guess := 0.0, 0.0, 0.0
	for i := range information {
		t := information[i] / all
		boundaries[i] = highest
		if t-last < 1e-9 {
			continue
		}
		now := d.spent(times[i])
		newly := now - spent
		if last == 0 {
			guess = normal{}.quantile(math.Min(math.Max(newly, 1e-300), 0.5))
		}
		guess = w.boundary(t-last, t, newly, guess)
		boundaries[i] = guess
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
	b := math.Min(l.boundary(p), widest)
	l.known.Store(key, b)
	return b
}

// walk is the density of the estimate times the root of its information, a
// Brownian motion, where no boundary has been crossed yet: weights at nodes, from
// which integrals are sums. The nodes ascend, walkNodes on each piece of the line.
type walk struct {
	symmetric bool // both sides are alike
	pieces    []piece
	nodes     []float64
	weights   []float64 // of the density: of its integral over the nodes' stretches
	width     float64   // of the whole pieces
	bells     bells
}

// piece is a stretch of the line. Whole ones are all as wide, and zero is an end of one.
type piece struct {
	middle, half float64 // half of its width
	whole        bool
}

// A walk is followed up to farthest standard errors from zero: beyond there is no chance
// that a p-value could tell from none. From what leads to a place it strays at most kernel
// standard deviations of a step, and its pieces are as wide as so many.
const (
	farthest   = 10
	kernel     = 8
	pieceWidth = 5
)

// reach is how far a step with this standard deviation goes to information t. To a place
// that is z standard errors from zero it leads over z·sd²/√t on average.
func reach(z, sd, t float64) float64 { return kernel*sd + math.Abs(z)*sd*sd/math.Sqrt(t) }

// crossing is the chance to be above the height after a step with this standard
// deviation, having crossed nothing before, and how fast it falls with the height.
func (w *walk) crossing(height, sd float64) (chance, slope float64) {
	if w.nodes == nil {
		z := height / sd
		return normal{}.tail(z), bell(z) / sd
	}
	for i := len(w.nodes) - 1; i >= 0; i-- {
		z := (height - w.nodes[i]) / sd
		tail := normal{}.tail(z)
		chance += w.weights[i] * tail
		slope += w.weights[i] * bell(z)
		if tail <= 1e-17*chance {
			break // so have all nodes below
		}
	}
	return chance, slope / sd
}

// bell is the standard normal density.
func bell(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }

// boundary is the number of standard errors at which the chance to cross it, at
// information t after a step, is p; guess is about that.
func (w *walk) boundary(step, t, p, guess float64) float64 {
	sd, root := math.Sqrt(step), math.Sqrt(t)
	if p < (normal{}).tail(highest) {
		return highest
	}
	// Newton's method on the logarithm of the chance, which is nearly a parabola in
	// z, safeguarded by bisection.
	low, high := -float64(highest), float64(highest)
	z := guess
	for range 200 {
		chance, slope := w.crossing(z*root, sd)
		if chance > p {
			low = z
		} else {
			high = z
		}
		next := z + (math.Log(chance)-math.Log(p))*chance/(slope*root)
		if math.Abs(next-z) < 1e-8 {
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
	sd, root := math.Sqrt(variance), math.Sqrt(t)
	boundary = math.Min(boundary, farthest)
	width := pieceWidth * math.Max(math.Min(sd, math.Sqrt(following)), root/200)
	if math.Abs(width-w.width) < 1e-9*width {
		width = w.width // of looks at even distances
	}
	pieces := w.cut(boundary*root, root, width)
	nodes, weights := make([]float64, 0, len(pieces)*walkNodes), make([]float64, len(pieces)*walkNodes)
	for _, p := range pieces {
		for _, g := range walkRule {
			nodes = append(nodes, p.middle+g.x*p.half)
		}
	}
	limit := reach(boundary, sd, t)
	w.bells.prepare(sd, width)
	for i, p := range pieces {
		at := weights[i*walkNodes : (i+1)*walkNodes]
		if w.symmetric && p.middle < 0 {
			continue
		}
		w.densities((*[walkNodes]float64)(at), p, sd, limit, width == w.width)
		for j, g := range walkRule {
			at[j] *= g.w * p.half
		}
	}
	if w.symmetric {
		for i := range len(weights) / 2 {
			weights[i] = weights[len(weights)-1-i]
		}
	}
	w.pieces, w.nodes, w.weights, w.width = pieces, nodes, weights, width
}

// cut gives the pieces below the top: whole ones, and what is left up to it, mirrored
// where both sides are alike. From further below than seven standard errors nothing
// comes back to matter.
func (w *walk) cut(top, root, width float64) []piece {
	whole := int(math.Floor(top / width)) // of the pieces above zero the whole ones
	bottom := min(whole-1, int(math.Floor(-7*root/width)))
	if w.symmetric {
		bottom = -whole
	}
	half := (top - float64(whole)*width) / 2
	rest := piece{middle: top - half, half: half}
	var pieces []piece
	if w.symmetric {
		pieces = append(pieces, piece{middle: -rest.middle, half: half})
	}
	for i := bottom; i < whole; i++ {
		pieces = append(pieces, piece{(float64(i) + 0.5) * width, width / 2, true})
	}
	return append(pieces, rest)
}

// densities are those of the walk at the nodes of a piece after a step with this
// standard deviation, which goes at most as far as the limit; even reports that whole
// pieces are as wide as those of the walk.
func (w *walk) densities(at *[walkNodes]float64, to piece, sd, limit float64, even bool) {
	scale, half := 1/(sd*math.Sqrt(2*math.Pi)), 0.5/(sd*sd)
	if w.nodes == nil {
		for i, g := range walkRule {
			x := to.middle + g.x*to.half
			at[i] = scale * math.Exp(-x*x*half)
		}
		return
	}
	for k, from := range w.pieces {
		apart := to.middle - from.middle
		if math.Abs(apart) > limit+to.half+from.half {
			continue
		}
		weights := (*[walkNodes]float64)(w.weights[k*walkNodes:])
		if even && to.whole && from.whole {
			for i, row := range w.bells.apart(int(math.Round(apart / w.width))) {
				sum := 0.0
				for j, weight := range weights {
					sum += weight * row[j]
				}
				at[i] += scale * sum
			}
			continue
		}
		for i, g := range walkRule {
			sum := 0.0
			for j, weight := range weights {
				d := apart + g.x*to.half - walkRule[j].x*from.half
				sum += weight * math.Exp(-d*d*half)
			}
			at[i] += scale * sum
		}
	}
}

// bells are exp(−d²/2sd²) for the distances d between the nodes of two whole pieces, by
// how many pieces they are apart: there are few, and looks at even distances share them.
type bells struct {
	sd, width float64
	known     map[int]*[walkNodes][walkNodes]float64
}

// prepare makes them those of a standard deviation and a width of pieces.
func (b *bells) prepare(sd, width float64) {
	if b.known == nil || width != b.width || math.Abs(sd-b.sd) > 1e-13*sd {
		*b = bells{sd, width, map[int]*[walkNodes][walkNodes]float64{}}
	}
}

func (b *bells) apart(pieces int) *[walkNodes][walkNodes]float64 {
	if known := b.known[pieces]; known != nil {
		return known
	}
	half := 0.5 / (b.sd * b.sd)
	table := new([walkNodes][walkNodes]float64)
	for i, x := range walkRule {
		for j, y := range walkRule {
			d := (float64(pieces) + (x.x-y.x)/2) * b.width
			table[i][j] = math.Exp(-d * d * half)
		}
	}
	b.known[pieces] = table
	return table
}

// gauss are the nodes and weights of Gauss and Legendre's rule on −1 to 1, walkRule those
// of the rule on the pieces of a walk.
var (
	gauss    = legendre(12)
	walkRule = [walkNodes]abscissa(legendre(walkNodes))
)

// walkNodes is how many nodes a piece of a walk has.
const walkNodes = 16

// abscissa is a node of a rule with its weight.
type abscissa struct{ x, w float64 }

// legendre computes the rule with n nodes: the roots of Legendre's polynomial by
// Newton's method.
func legendre(n int) []abscissa {
	rule := make([]abscissa, n)
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
