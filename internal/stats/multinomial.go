package stats

import "math"

// exactOutcomes is the number of outcomes up to which a sample ratio is tested
// exactly, by going through all of them.
const exactOutcomes = 1_000_000

// sameLikelihood is how much likelier an outcome may be that counts as equally
// likely, for rounding.
const sameLikelihood = 1 + 1e-7

// outcomes is the number of ways to spread n units over so many variations, or
// something larger than exactOutcomes.
func outcomes(n int64, variations int) float64 {
	count := 1.0
	for i := range variations - 1 {
		count *= float64(n+int64(i)+1) / float64(i+1)
	}
	return math.Round(count)
}

// multinomial is the exact p-value of counts with the given shares: the chance of
// an outcome that is not more likely.
func multinomial(counts []int64, shares []float64) float64 {
	n := int64(0)
	for _, c := range counts {
		n += c
	}
	if len(counts) == 2 {
		return unlikely(binomial(n, shares[0], shares[1]), counts[0])
	}
	// The logarithm of each factor share^k/k!, for every count; n! goes with the
	// first.
	factors := make([][]float64, len(counts))
	observed := 0.0
	for i, share := range shares {
		factors[i] = make([]float64, n+1)
		for k := range factors[i] {
			factors[i][k] = float64(k)*math.Log(share) - logFactorial(int64(k))
			if i == 0 {
				factors[i][k] += logFactorial(n)
			}
		}
		observed += factors[i][counts[i]]
	}
	limit := observed + math.Log(sameLikelihood)
	sum := 0.0
	var spread func(variation int, left int64, log float64)
	spread = func(variation int, left int64, log float64) {
		if variation == len(counts)-1 {
			if log += factors[variation][left]; log <= limit {
				sum += math.Exp(log)
			}
			return
		}
		for k := range left + 1 {
			spread(variation+1, left-k, log+factors[variation][k])
		}
	}
	spread(0, n, 0)
	return math.Min(1, sum)
}

func logFactorial(n int64) float64 {
	log, _ := math.Lgamma(float64(n) + 1)
	return log
}

// unlikely is the chance of an outcome that is not more likely than the observed
// one.
func unlikely(p []float64, observed int64) float64 {
	sum := 0.0
	for _, q := range p {
		if q <= p[observed]*sameLikelihood {
			sum += q
		}
	}
	return math.Min(1, sum)
}
