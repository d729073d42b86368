package stats

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// A bootstrap draws the units anew, with replacement, and looks how much the effect
// moves. It needs no formula for the variance, and so checks those of the others. What
// is drawn are disjoint parts of the units, all of a part with a weight of Poisson's
// distribution: many parts of few units each say what units one by one would, and
// one pass over the data sums them all.

// Resampling says how often a bootstrap draws, and from which numbers. The same gives
// the same result.
type Resampling struct {
	Resamples int
	Seed      uint64
}

// Parts are the units of both variations of a stratum, as disjoint parts.
type Parts struct{ Baseline, Variation []Moments }

func (p Parts) add(o Parts) Parts {
	return Parts{slices.Concat(p.Baseline, o.Baseline), slices.Concat(p.Variation, o.Variation)}
}

func (p Parts) units() (baseline, variation int64) {
	s := p.stratum()
	return s.Baseline.Units, s.Variation.Units
}

// stratum is what the parts add up to.
func (p Parts) stratum() Stratum {
	var s Stratum
	for _, m := range p.Baseline {
		s.Baseline = s.Baseline.Add(m)
	}
	for _, m := range p.Variation {
		s.Variation = s.Variation.Add(m)
	}
	return s
}

// Resampled are the intervals of a bootstrap: the central 1 − alpha of the effects of
// all resamples, one-sided up to the open end. They are nil where a variation has too
// few units or where more than one resample of a hundred has no effect.
type Resampled struct {
	AbsoluteLow, AbsoluteHigh *float64
	RelativeLow, RelativeHigh *float64
}

// Bootstrap resamples the effect that Stratified gives, of means, proportions and
// ratios. Covariates adjust every resample by the θ of the units at hand, and strata
// keep their weights.
func Bootstrap(kind Kind, strata []Parts, opt Options, how Resampling) Resampled {
	strata = pooled(strata, Parts.add, Parts.units)
	e, ok := newResampler(kind, strata, opt)
	if !ok {
		return Resampled{}
	}
	random := newPoisson(how.Seed)
	absolute, relative := make([]float64, 0, how.Resamples), make([]float64, 0, how.Resamples)
	for range how.Resamples {
		a := e.draw(0, random)
		b := e.draw(1, random)
		absolute, relative = append(absolute, b-a), append(relative, (b-a)/math.Abs(a))
	}
	return resampledOf(absolute, relative, opt)
}

// resampledOf are the intervals of the effects of all resamples; those that are not
// finite had none.
func resampledOf(absolute, relative []float64, opt Options) Resampled {
	var r Resampled
	r.AbsoluteLow, r.AbsoluteHigh = middle(absolute, opt)
	r.RelativeLow, r.RelativeHigh = middle(relative, opt)
	return r
}

// middle are the ends of the central part of a sample, one of them open if the test
// is one-sided.
func middle(sample []float64, opt Options) (low, high *float64) {
	all := len(sample)
	sample = slices.DeleteFunc(sample, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
	if len(sample) < 2 || 100*(all-len(sample)) > all {
		return nil, nil
	}
	slices.SortFunc(sample, cmp.Compare)
	tail := opt.Alpha
	if opt.Alternative == TwoSided {
		tail /= 2
	}
	at := func(share float64) *float64 {
		position := share * float64(len(sample)-1)
		i := int(position)
		x := sample[i]
		if i+1 < len(sample) {
			x += (sample[i+1] - x) * (position - float64(i))
		}
		return &x
	}
	if opt.Alternative != Less {
		low = at(tail)
	}
	if opt.Alternative != Greater {
		high = at(1 - tail)
	}
	return low, high
}

// The sides of a unit: value or numerator, denominator, and their covariates.
var sides = [4]Term{X, Y, P, Q}

// resampler is an effect, ready to be drawn again and again.
type resampler struct {
	kind   Kind
	strata []resampledStratum
	theta  float64 // of a ratio
	centre float64 // of the ratio of its covariates
}

type resampledStratum struct {
	weight, theta, centre float64 // θ and the mean of the covariate, of means
	arms                  [2]resampledArm
}

// resampledArm are the parts of a variation in a stratum. Sums are those of what is
// beyond the mean, so that no digit is lost where numbers are large and alike.
type resampledArm struct {
	means [4]float64
	units []float64
	sums  [4][]float64 // nil for sides that are not needed
}

func newResampler(kind Kind, strata []Parts, opt Options) (*resampler, bool) {
	r := &resampler{kind: kind}
	var sums []Stratum
	var all Stratum
	for _, p := range strata {
		s := p.stratum()
		sums, all = append(sums, s), all.add(s)
	}
	if len(sums) == 0 || slices.ContainsFunc(sums, func(s Stratum) bool { return s.Baseline.Units < 2 || s.Variation.Units < 2 }) {
		return nil, false
	}
	if kind == Ratio && opt.CUPED {
		if theta, centre, ok := ratioTheta(sums, all); ok {
			r.theta, r.centre = theta.float64(), centre.float64()
		}
	}
	need := NeedOf(kind, opt)
	for i, s := range sums {
		of := resampledStratum{weight: s.weight(SumOf(all.Baseline.Units + all.Variation.Units)).float64()}
		if kind != Ratio && opt.CUPED {
			both := s.Baseline.Add(s.Variation)
			if centre := estimateOf(kind, both.covariate()); centre.hasVariance && centre.variance.sign() != 0 {
				of.theta, of.centre = covariance(kind, both).quo(centre.variance).float64(), centre.mean.float64()
			}
		}
		of.arms[0] = newResampledArm(s.Baseline, strata[i].Baseline, need)
		of.arms[1] = newResampledArm(s.Variation, strata[i].Variation, need)
		r.strata = append(r.strata, of)
	}
	return r, true
}

func newResampledArm(all Moments, parts []Moments, need Need) resampledArm {
	var a resampledArm
	n := SumOf(all.Units)
	for _, m := range parts {
		a.units = append(a.units, float64(m.Units))
	}
	for i, side := range sides {
		if !need.Has(NeedTerms(side)) {
			continue
		}
		total := all.Sum(side)
		a.means[i] = fraction{total, n}.float64()
		for _, m := range parts {
			a.sums[i] = append(a.sums[i], fraction{m.Sum(side).Mul(n).Sub(total.Mul(SumOf(m.Units))), n}.float64())
		}
	}
	return a
}

// draw is the value of a variation in one resample; NaN where it has none.
func (r *resampler) draw(arm int, random *poisson) float64 {
	var means [4]float64
	value := 0.0
	for i := range r.strata {
		s := &r.strata[i]
		m := s.arms[arm].draw(random)
		value += s.weight * (m[0] - s.theta*(m[2]-s.centre))
		for side := range means {
			means[side] += s.weight * m[side]
		}
	}
	if r.kind != Ratio {
		return value
	}
	ratio := means[0] / means[1]
	if r.theta != 0 {
		ratio -= r.theta * (means[2]/means[3] - r.centre)
	}
	return ratio
}

// draw are the means of the sides in one resample; without units those at hand.
func (a *resampledArm) draw(random *poisson) [4]float64 {
	var units float64
	var sums [4]float64
	for k, n := range a.units {
		w := random.next()
		if w == 0 {
			continue
		}
		units += w * n
		for side, of := range a.sums {
			if of != nil {
				sums[side] += w * of[k]
			}
		}
	}
	means := a.means
	if units > 0 {
		for side := range sums {
			means[side] += sums[side] / units
		}
	}
	return means
}

// poisson draws from Poisson's distribution with mean 1.
type poisson struct {
	random *rand.PCG
	rest   uint64
	half   bool
}

func newPoisson(seed uint64) *poisson { return &poisson{random: rand.NewPCG(seed, 0)} }

// poissonBelow are the chances of at most 0, 1, 2 …, in units of 2^-32.
var poissonBelow = func() (below []uint32) {
	chance, sum := math.Exp(-1), 0.0
	for k := 1.0; ; k++ {
		sum += chance
		scaled := math.Round(sum * (1 << 32))
		if scaled >= 1<<32-1 {
			return below
		}
		below = append(below, uint32(scaled))
		chance /= k
	}
}()

func (p *poisson) next() float64 {
	if p.half = !p.half; p.half {
		p.rest = p.random.Uint64()
	} else {
		p.rest >>= 32
	}
	u := uint32(p.rest)
	for k, below := range poissonBelow {
		if u < below {
			return float64(k)
		}
	}
	return float64(len(poissonBelow))
}
