package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Correction is how the p-values of a family of comparisons are adjusted, so
// that looking at many does not find effects by chance.
type Correction string

// The corrections. The last two hold the share of false ones among the
// discoveries, all others the chance of a single false discovery.
const (
	NoCorrection       Correction = "none"
	Bonferroni         Correction = "bonferroni"
	Sidak              Correction = "sidak"
	Holm               Correction = "holm"
	HolmSidak          Correction = "holm_sidak"
	Hochberg           Correction = "hochberg"
	Hommel             Correction = "hommel"
	BenjaminiHochberg  Correction = "benjamini_hochberg"
	BenjaminiYekutieli Correction = "benjamini_yekutieli"
)

// Adjust gives the adjusted p-values of a family, in the order of p: to compare
// one with alpha is the corrected decision. Every p must be between 0 and 1;
// comparisons without a p-value do not belong to the family.
func (c Correction) Adjust(p []float64) []float64 {
	m := len(p)
	order := make([]int, m) // from the smallest p to the largest
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	sorted := make([]float64, m)
	for rank, i := range order {
		sorted[rank] = p[i]
	}
	c.adjustSorted(sorted)
	adjusted := make([]float64, m)
	for rank, i := range order {
		adjusted[i] = math.Min(1, sorted[rank])
	}
	return adjusted
}

// adjustSorted adjusts ascending p-values in place.
func (c Correction) adjustSorted(p []float64) {
	m := float64(len(p))
	switch c {
	case NoCorrection:
	case Bonferroni:
		scale(p, func(int) float64 { return m })
	case Sidak:
		for i := range p {
			p[i] = atLeastOne(p[i], m)
		}
	case Holm:
		scale(p, func(i int) float64 { return m - float64(i) })
		stepDown(p)
	case HolmSidak:
		for i := range p {
			p[i] = atLeastOne(p[i], m-float64(i))
		}
		stepDown(p)
	case Hochberg:
		scale(p, func(i int) float64 { return m - float64(i) })
		stepUp(p)
	case Hommel:
		hommel(p)
	case BenjaminiHochberg:
		scale(p, func(i int) float64 { return m / float64(i+1) })
		stepUp(p)
	case BenjaminiYekutieli:
		harmonic := 0.0
		for i := len(p); i > 0; i-- {
			harmonic += 1 / float64(i)
		}
		scale(p, func(i int) float64 { return m * harmonic / float64(i+1) })
		stepUp(p)
	default:
		panic(fmt.Sprintf("stats: no case for correction %q", c))
	}
}

// AlphaOf is the alpha of each of m intervals that together cover with 1 − alpha.
// Only Bonferroni and Šidák have intervals that belong to their p-values, and
// NoCorrection leaves alpha as it is; ok is false for the others.
func (c Correction) AlphaOf(alpha float64, m int) (each float64, ok bool) {
	switch c {
	case NoCorrection:
		return alpha, true
	case Bonferroni:
		return alpha / float64(max(m, 1)), true
	case Sidak:
		return -math.Expm1(math.Log1p(-alpha) / float64(max(m, 1))), true
	case Holm, HolmSidak, Hochberg, Hommel, BenjaminiHochberg, BenjaminiYekutieli:
		return 0, false
	}
	panic(fmt.Sprintf("stats: no case for correction %q", c))
}

// atLeastOne is 1 − (1−p)^m, the chance that at least one of m independent
// p-values is below p, without the loss of a small p's digits.
func atLeastOne(p, m float64) float64 { return -math.Expm1(m * math.Log1p(-p)) }

func scale(p []float64, factor func(i int) float64) {
	for i := range p {
		p[i] *= factor(i)
	}
}

// stepDown makes no value smaller than one before it.
func stepDown(p []float64) {
	for i := 1; i < len(p); i++ {
		p[i] = math.Max(p[i], p[i-1])
	}
}

// stepUp makes no value larger than one after it.
func stepUp(p []float64) {
	for i := len(p) - 2; i >= 0; i-- {
		p[i] = math.Min(p[i], p[i+1])
	}
}

// hommel adjusts ascending p-values by Hommel's closed test, with Wright's
// (1992) algorithm: for every size k of an intersection, its Simes p-value is
// a lower bound of the adjusted ones.
func hommel(p []float64) {
	m := len(p)
	adjusted := slices.Clone(p)
	for k := m; k > 1; k-- {
		// Of the k−1 largest, the smallest of k·p/rank within k.
		simes := math.Inf(1)
		for rank := 2; rank <= k; rank++ {
			simes = math.Min(simes, float64(k)*p[m-k+rank-1]/float64(rank))
		}
		for i := range p {
			bound := simes
			if i < m-k+1 {
				bound = math.Min(simes, float64(k)*p[i])
			}
			adjusted[i] = math.Max(adjusted[i], bound)
		}
	}
	copy(p, adjusted)
}
