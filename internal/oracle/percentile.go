package oracle

import (
	"math"
	"math/big"
	"slices"

	"github.com/metricsjob/metricsjob/metrics"
)

// fillQuantile is section 6: the order statistic at (n−1)·q, interpolated
// exactly, and for units the same at q ± z√(q(1−q)/n), between 0 and 1.
func (m *measured) fillQuantile(c *Cell, values []*big.Rat) {
	c.QuantileN = int64(len(values))
	if len(values) == 0 {
		return
	}
	slices.SortFunc(values, (*big.Rat).Cmp)
	q := share(m.Statistic.V)
	c.Quantile = quantile(values, q)
	f, _ := q.Float64()
	z := math.Sqrt2 * math.Erfinv(1-m.alpha)
	half := z * math.Sqrt(f*(1-f)/float64(len(values)))
	bound := func(at float64) float64 {
		r := new(big.Rat).SetFloat64(min(1, max(0, at)))
		v, _ := quantile(values, r).Float64()
		return v
	}
	c.QuantileLow, c.QuantileHigh = bound(f-half), bound(f+half)
}

// share is the q of a statistic pNN.
func share(statistic string) *big.Rat {
	percent, ok := new(big.Rat).SetString(statistic[1:])
	if !ok {
		panic("oracle: no percentile " + statistic)
	}
	return percent.Quo(percent, ratOf(100))
}

// alphaOf is the alpha of a metric in an experiment.
func alphaOf(a metrics.Analysis) float64 {
	if a.Alpha.V == "" {
		return 0.05
	}
	return a.Alpha.V.Float()
}
