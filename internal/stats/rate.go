package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// RateInterval is the exact interval of Clopper and Pearson (1934) of a rate of which
// x of n were seen: it holds the rates under which neither so many nor so few would be
// rarer than half of alpha.
func RateInterval(x, n int64, alpha float64) (low, high float64) {
	high = 1
	end := func(a, b, p float64) float64 {
		d := beta{a, b}
		return bisect(0, 1, func(rate float64) float64 { return d.below(rate) - p })
	}
	if x > 0 {
		low = end(float64(x), float64(n-x)+1, alpha/2)
	}
	if x < n {
		high = end(float64(x)+1, float64(n-x), 1-alpha/2)
	}
	return low, high
}

// RateIntervalOfParts is an interval of the rate at which a two-sided test is significant
// where units are assigned one by one, of x in n where parts of them were: the variance of
// the statistic is then another, by a share with mean 0 and this standard deviation. Half
// of alpha is for either chance; without parts it is RateInterval.
func RateIntervalOfParts(x, n int64, cutting, alpha float64) (low, high float64) {
	if cutting == 0 {
		return RateInterval(x, n, alpha)
	}
	low, high = RateInterval(x, n, alpha/2)
	off := math.Sqrt(1 + cutting*normal{}.quantile(alpha/4))
	if low > 0 {
		low = 2 * normal{}.tail(normal{}.quantile(low/2)*off)
	}
	if high < 1 {
		high = 2 * normal{}.tail(normal{}.quantile(high/2)/off)
	}
	return low, high
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
