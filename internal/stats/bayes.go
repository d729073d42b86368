package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/metricsjob/metricsjob/metrics"
)

// Prior is what is believed of an effect before the data: nothing (flat), or a
// normal distribution of the relative or of the absolute effect.
type Prior struct {
	Flat     bool
	Mean, SD float64
	Relative bool
}

func priorOf(b metrics.Bayesian) *Prior {
	switch {
	case b.Off:
		return nil
	case b.Flat:
		return &Prior{Flat: true}
	}
	return &Prior{Mean: b.Mean.Float(), SD: b.SD.Float(), Relative: b.Relative}
}

// Posterior is what is to be believed of an effect after the data. Numbers that
// cannot be given are nil.
type Posterior struct {
	// ChanceToWin is the probability that the variation is better than the baseline.
	ChanceToWin *float64
	// ExpectedLoss is by how much the variation is expected to be worse, counting
	// nothing where it is better: what is lost on average by choosing it.
	ExpectedLoss *float64
	// Low and High are the ends of the central credible interval of the absolute
	// effect, at 1 − alpha.
	Low, High *float64
}

// Posterior gives what is to be believed of the absolute effect, with opt.Prior. It
// does not depend on how often one looks. With a flat prior, a metric of 0 and 1
// of at most 10,000 units in each variation has rates that are Beta distributed,
// from uniform priors; all else is normal.
func (c Comparison) Posterior() Posterior {
	if c.opt.Prior == nil {
		return Posterior{}
	}
	if c.opt.Prior.Flat && c.rates != nil && !adjusts(c.kind, c.opt) && max(c.rates.na, c.rates.nb) <= exactLimit {
		return c.betaPosterior()
	}
	return c.normalPosterior()
}

func (c Comparison) normalPosterior() Posterior {
	if !c.a.hasVariance || !c.b.hasVariance {
		return Posterior{}
	}
	s := c.spread
	mean, variance := c.b.mean.sub(c.a.mean).float64(), s.baseline+s.variation
	if s.zero || variance == 0 || math.IsInf(variance, 0) {
		return Posterior{}
	}
	if p := c.opt.Prior; !p.Flat {
		size := 1.0
		if p.Relative {
			// The relative effect, by the delta method, times the baseline's mean.
			if c.a.mean.sign() == 0 {
				return Posterior{}
			}
			size = math.Abs(c.a.mean.float64())
			share := c.b.mean.quo(c.a.mean).float64()
			variance = s.variation + s.baseline*share*share
		}
		at, sd := p.Mean*size, p.SD*size
		weight := sd * sd / (sd*sd + variance)
		mean, variance = weight*mean+(1-weight)*at, weight*variance
	}
	sd := math.Sqrt(variance)
	gain := mean / sd // of the variation, in standard deviations
	if c.opt.Better == metrics.Lower {
		gain = -gain
	}
	d := normal{}.quantile(c.opt.Alpha/2) * sd
	var v verdict
	return Posterior{
		ChanceToWin:  v.number(normal{}.tail(-gain)),
		ExpectedLoss: v.number(sd * (bell(gain) - gain*normal{}.tail(gain))),
		Low:          v.number(mean - d),
		High:         v.number(mean + d),
	}
}

// beta is the Beta distribution of a rate after x of n, from a uniform prior.
type beta struct{ a, b float64 }

func betaOf(x, n int64) beta { return beta{float64(x) + 1, float64(n-x) + 1} }

func (d beta) mean() float64 { return d.a / (d.a + d.b) }

func (d beta) sd() float64 {
	n := d.a + d.b
	return math.Sqrt(d.a*d.b/(n+1)) / n
}

// below is the chance of a rate below p.
func (d beta) below(p float64) float64 {
	switch {
	case p <= 0:
		return 0
	case p >= 1:
		return 1
	}
	return mathext.RegIncBeta(d.a, d.b, p)
}

// above is the chance of a rate above p.
func (d beta) above(p float64) float64 { return beta{d.b, d.a}.below(1 - p) }

// nodes are points and weights over which the integral of a function under the
// distribution, from one rate to another and at most so many standard deviations
// from the mean, is a sum.
func (d beta) nodes(from, to, wide float64) chi {
	from, to = math.Max(from, d.mean()-wide*d.sd()), math.Min(to, d.mean()+wide*d.sd())
	panels := int(math.Ceil(wide * 2 / 3))
	if from >= to {
		return nil
	}
	logA, _ := math.Lgamma(d.a)
	logB, _ := math.Lgamma(d.b)
	logAll, _ := math.Lgamma(d.a + d.b)
	half := (to - from) / float64(panels) / 2
	out := make(chi, 0, panels*len(gauss))
	for i := range panels {
		middle := from + float64(2*i+1)*half
		for _, g := range gauss {
			p := middle + g.x*half
			density := math.Exp((d.a-1)*math.Log(p) + (d.b-1)*math.Log1p(-p) + logAll - logA - logB)
			out = append(out, node{p, g.w * half * density})
		}
	}
	return out
}

// The integrals go so many standard deviations of a rate from its mean.
const bulk = 12

// far is where nothing matters any more to chances that are tiny: the tail of a rate
// after a few successes falls by e with each more, not as a normal one.
func (d beta) far() float64 { return bulk + 60/(d.sd()*(d.a+d.b)) }

// betaPosterior integrates over the rate of the baseline.
func (c Comparison) betaPosterior() Posterior {
	a, b := betaOf(c.rates.xa, c.rates.na), betaOf(c.rates.xb, c.rates.nb)
	// below is the chance that the rate of the variation is less than x above that
	// of the baseline: for rates of the baseline above 1−x it is certain.
	below := func(x float64) float64 {
		sum := 1 - a.below(1-x)
		for _, n := range a.nodes(math.Max(0, -x), math.Min(1, 1-x), bulk) {
			sum += n.w * b.below(n.s+x)
		}
		return sum
	}
	difference := b.mean() - a.mean()
	// Both chances as sums of tails, so that small ones keep their digits.
	win, lose := 0.0, 0.0
	nodes := a.nodes(0, 1, a.far())
	for _, n := range nodes {
		win += n.w * b.above(n.s)
		lose += n.w * b.below(n.s)
	}
	win, lose = win/(win+lose), lose/(win+lose)
	// The expected loss is E max(0, A−B): of A at p, p·P(B<p) − E(B; B<p), where
	// the latter is b's mean times the chance below p with one more success.
	more := beta{b.a + 1, b.b}
	loss := 0.0
	for _, n := range nodes {
		loss += n.w * (n.s*b.below(n.s) - b.mean()*more.below(n.s))
	}
	if c.opt.Better == metrics.Lower {
		win, loss = lose, loss+difference // E max(0, B−A) = E(B−A) + E max(0, A−B)
	}
	sd := math.Hypot(a.sd(), b.sd())
	quantile := func(p float64) float64 {
		from, to := math.Max(-1, difference-bulk*sd), math.Min(1, difference+bulk*sd)
		return bisect(from, to, func(x float64) float64 { return below(x) - p })
	}
	var v verdict
	return Posterior{
		ChanceToWin:  v.number(win),
		ExpectedLoss: v.number(math.Max(0, loss)),
		Low:          v.number(quantile(c.opt.Alpha / 2)),
		High:         v.number(quantile(1 - c.opt.Alpha/2)),
	}
}

// bisect finds the root of a rising function by the Illinois method, which keeps
// it between its ends.
func bisect(low, high float64, f func(float64) float64) float64 {
	atLow, atHigh := f(low), f(high)
	for range 200 {
		if atLow >= 0 {
			return low
		}
		if atHigh <= 0 {
			return high
		}
		middle := (low*atHigh - high*atLow) / (atHigh - atLow)
		at := f(middle)
		if math.Abs(high-low) < 1e-13 || math.Abs(at) < 1e-14 {
			return middle
		}
		if at < 0 {
			low, atLow, atHigh = middle, at, atHigh/2
		} else {
			high, atHigh, atLow = middle, at, atLow/2
		}
	}
	return low + (high-low)/2
}
