package stats

import (
	"math"

	"github.com/metricsjob/metricsjob/metrics"
)

// Peeking gives the design as it is planned by an analysis that looks before the end; mean
// is that of a unit, which a mixture of effects is relative to. The power of a
// group-sequential design is that to cross the boundary of any look; of what may be looked
// at any day it is that at the units planned, to which earlier looks only add.
func (d PowerDesign) Peeking(a metrics.Analysis, mean float64) PowerDesign {
	opt := OptionsOf(a)
	d.tunedAt, d.mixture, d.looks = opt.TunedAt, 0, nil
	if opt.MSPRT {
		d.mixture = opt.MinimumEffect * math.Abs(mean)
	}
	if design, ok := GroupDesignOf(a); ok {
		design.Alpha, design.Alternative = d.Alpha, d.Alternative
		if d.Alternative == Less {
			design.Alternative = Greater
		}
		d.looks = design.crossings(a.Peeking.V.Looks)
	}
	return d
}

// sequence is what a statistic of so many units is compared with, where it may be looked
// at any day.
func (d PowerDesign) sequence(units, variance float64) (s alwaysValid, ok bool) {
	opt := Options{Alpha: d.Alpha, Alternative: d.Alternative, TunedAt: d.tunedAt}
	switch {
	case d.tunedAt > 0:
		return alwaysValidOf(units, opt), true
	case d.mixture > 0:
		return alwaysValid{r: d.mixture * d.mixture / variance, oneSided: d.Alternative != TwoSided}, true
	}
	return alwaysValid{}, false
}

// crossings are the looks of a group-sequential design: where the walk of the estimate may
// be before each, without an effect, and the boundary that it may cross there.
type crossings struct {
	looks     []crossing
	symmetric bool
}

type crossing struct {
	height, sd, before, step float64
	nodes, weights           []float64
}

// crossings are those of so many looks at even shares of the information.
func (d GroupDesign) crossings(looks int) *crossings {
	shares := make([]float64, looks)
	for i := range shares {
		shares[i] = float64(i+1) / float64(looks)
	}
	c := &crossings{symmetric: d.Alternative == TwoSided}
	w := walk{symmetric: c.symmetric}
	last := 0.0
	for i, boundary := range d.boundaries(shares, shares) {
		t, step := shares[i], shares[i]-last
		c.looks = append(c.looks, crossing{boundary * math.Sqrt(t), math.Sqrt(step), last, step, w.nodes, w.weights})
		w.step(step, t, boundary, 1/float64(looks))
		last = t
	}
	return c
}

// chance is that to cross any boundary where the statistic is, at the end, so many
// standard errors from zero on average. With a drift the density of the walk at x and
// information t is that without, times exp(drift·x − drift²·t/2).
func (c *crossings) chance(shift float64) float64 {
	if c.symmetric {
		return math.Min(1, c.above(shift)+c.above(-shift))
	}
	return math.Min(1, c.above(shift))
}

func (c *crossings) above(drift float64) float64 {
	sum := 0.0
	for _, l := range c.looks {
		if l.nodes == nil {
			sum += normal{}.tail((l.height - drift*l.step) / l.sd)
			continue
		}
		for i, x := range l.nodes {
			density := l.weights[i] * math.Exp(drift*x-drift*drift*l.before/2)
			sum += density * normal{}.tail((l.height-x-drift*l.step)/l.sd)
		}
	}
	return sum
}

// sequentialPower is the power of a design that looks before the end; ok is false where
// it does not.
func (d PowerDesign) sequentialPower(shift, units, variance float64) (power float64, ok bool) {
	if d.Alternative == Less {
		shift = -shift
	}
	if d.looks != nil {
		return d.looks.chance(shift), true
	}
	s, ok := d.sequence(units, variance)
	if !ok {
		return 0, false
	}
	if d.Alternative != TwoSided {
		return normal{}.tail(s.quantile(d.Alpha) - shift), true
	}
	q := s.quantile(d.Alpha / 2)
	return math.Min(1, normal{}.tail(q-shift)+normal{}.tail(q+shift)), true
}
