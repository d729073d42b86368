package stats

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
