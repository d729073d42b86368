package stats

import (
	"math"

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
// from uniform priors; all else is normal. Where the test of a sequential method says
// nothing yet, neither does this: a chance to win there would be the number to stop at.
func (c Comparison) Posterior() Posterior {
	if c.opt.Prior == nil || c.opt.Untested != "" || tooEarly(c.a, c.b, c.opt) {
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

// betaPosterior is that of the difference of two rates.
func (c Comparison) betaPosterior() Posterior {
	win, lose, gain, loss := c.rates.chances()
	if c.opt.Better == metrics.Lower {
		win, loss = lose, gain
	}
	low, high := c.rates.credible(c.opt.Alpha)
	var v verdict
	return Posterior{
		ChanceToWin:  v.number(win),
		ExpectedLoss: v.number(loss),
		Low:          v.number(low),
		High:         v.number(high),
	}
}
