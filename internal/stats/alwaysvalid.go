package stats

import (
	"cmp"
	"math"
)

// defaultTunedAt is the number of units at which an always-valid interval is
// tightest where nothing was said.
const defaultTunedAt = 5000

// earliestLook is the number of units in each variation from which on always-valid tests
// are done: they hold asymptotically, and in simulations from there on (docs/statistics.md).
const earliestLook = 7

// tooEarly reports whether a test that may be looked at any day has too few units.
func tooEarly(a, b estimate, opt Options) bool {
	return (opt.TunedAt > 0 || opt.MSPRT) && min(a.units, b.units) < earliestLook
}

// notNow says why the peeking that is planned lets nothing be tested: there is no look
// now, the mixture has no size, or there are too few units. It is OK where none holds.
func notNow(a, b estimate, opt Options) (Status, string) {
	switch {
	case opt.Untested != "":
		return BetweenLooks, opt.Untested
	case opt.MSPRT && a.mean.sign() == 0:
		return ZeroBaseline, noMixtureText
	case tooEarly(a, b, opt):
		return EarlyLook, tooEarlyText
	}
	return OK, ""
}

// tooEarlyText says why such a test is not done.
const tooEarlyText = "a variation has fewer than 7 units, of which an always-valid test says nothing yet"

// noMixtureText says why a mixture that is a share of the baseline's mean may not be there.
const noMixtureText = "the baseline's mean is zero, and the mixture of the sequential test is a share of it"

// alwaysValid compares a statistic with the boundary of the asymptotic
// confidence sequence of Waudby-Smith et al. (2021), a normal mixture: the
// chance that the statistic crosses the boundary of alpha ever, at any look, is
// at most alpha. It stands where a distribution does, so that its tails and
// quantiles are those of a test that may be looked at any day.
type alwaysValid struct {
	// r is n·ρ²: the units so far times the variance of the mixture.
	r        float64
	oneSided bool
}

// alwaysValidOf is the sequence after so many units of both variations.
func alwaysValidOf(units float64, opt Options) alwaysValid {
	return alwaysValid{
		r:        units * mixtureVariance(cmp.Or(opt.TunedFor, opt.Alpha)) / float64(opt.TunedAt),
		oneSided: opt.Alternative != TwoSided,
	}
}

// mixtureOf is the mixture sequential probability ratio test (Johari et al. 2017)
// of a difference with this variance: against normal effects around zero with
// opt.MinimumEffect of the baseline's mean as standard deviation. Against a normal
// mixture that is fixed, the likelihood ratio has the form of the confidence
// sequence, whose mixture is as wide as its tuning says.
func mixtureOf(baseline estimate, variance float64, opt Options) alwaysValid {
	sd := opt.MinimumEffect * math.Abs(baseline.mean.float64())
	return alwaysValid{r: sd * sd / variance, oneSided: opt.Alternative != TwoSided}
}

// mixtureVariance is n·ρ² at the n where the sequence of alpha is tightest.
func mixtureVariance(alpha float64) float64 {
	l := -2 * math.Log(alpha)
	return l + math.Log1p(l)
}

// tail is the always-valid p-value of t, or half of it where two sides are
// added up: one over the mixture's likelihood ratio.
func (s alwaysValid) tail(t float64) float64 {
	if math.IsNaN(t) {
		return t
	}
	if t <= 0 {
		return s.sided(1)
	}
	u := t * s.shrink()
	logP := 0.5*math.Log1p(s.r) - u*u/2
	if s.oneSided {
		logP -= logTwiceCDF(u)
	}
	return s.sided(math.Min(1, math.Exp(logP)))
}

func (s alwaysValid) quantile(p float64) float64 {
	if !s.oneSided {
		p *= 2
	}
	l := 0.5*math.Log1p(s.r) - math.Log(p)
	high := math.Sqrt(2 * math.Max(0, l))
	if !s.oneSided {
		return high / s.shrink()
	}
	// u²/2 + log 2Φ(u) climbs from 0 at 0 to more than l at √2l.
	low := 0.0
	for range 100 {
		u := low + (high-low)/2
		if u*u/2+logTwiceCDF(u) < l {
			low = u
		} else {
			high = u
		}
	}
	return high / s.shrink()
}

// sided is p itself with one side, and half of p with two.
func (s alwaysValid) sided(p float64) float64 {
	if s.oneSided {
		return p
	}
	return p / 2
}

// shrink is what the mixture leaves of a statistic.
func (s alwaysValid) shrink() float64 { return math.Sqrt(s.r / (1 + s.r)) }

// logTwiceCDF is log 2Φ(u) for u ≥ 0.
func logTwiceCDF(u float64) float64 { return math.Log(2) + math.Log1p(-normal{}.tail(u)) }
