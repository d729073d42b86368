package stats

import (
	"fmt"
	"math"
)

// countTest is a test of two counts of units, which gives the p-value of a 0/1
// metric in place of the test of means. The interval stays that of the means.
type countTest string

const (
	noCountTest countTest = ""
	pearson     countTest = countTest(Pearson)
	gTest       countTest = countTest(G)
	barnard     countTest = countTest(Barnard)
	fisher      countTest = countTest(Fisher)
	boschloo    countTest = countTest(Boschloo)
)

// exactLimit is the number of units of a variation up to which exact tests are
// done: their work grows with its square.
const exactLimit = 10_000

// String names the test in the column method.
func (c countTest) String() string {
	switch c {
	case pearson:
		return "Pearson chi-squared"
	case gTest:
		return "G"
	case barnard:
		return "Barnard exact"
	case fisher:
		return "Fisher exact"
	case boschloo:
		return "Boschloo exact"
	}
	panic(fmt.Sprintf("stats: no case for the test %q of counts", string(c)))
}

// table counts the units of two variations that have something, among all.
type table struct {
	xa, na int64 // of the baseline
	xb, nb int64 // of the variation
}

// tableOf gives the counts behind the moments of a 0/1 metric: its sum is a whole
// number from 0 to n, and equal to its sum of squares.
func tableOf(kind Kind, a, b Moments) (t table, ok bool) {
	count := func(m Moments) (int64, bool) {
		if m.Units <= 0 || kind != Mean && kind != Proportion || kind == Mean && m.Sum(X).Cmp(m.Sum(XX)) != 0 {
			return 0, false
		}
		n, whole := m.Sum(X).whole()
		return n, whole && 0 <= n && n <= m.Units
	}
	xa, okA := count(a)
	xb, okB := count(b)
	return table{xa, a.Units, xb, b.Units}, okA && okB
}

// isRate reports whether moments are those of a metric of 0 and 1.
func isRate(kind Kind, m Moments) bool {
	_, ok := tableOf(kind, m, m)
	return kind == Proportion || ok
}

// countTestOf resolves the options for these counts, nil of a metric that is not
// one of 0 and 1: which test of counts gives the p-value, if any, and which test of
// means everything else. Pearson's and the G test stand on z, and on Welch where
// there are no counts.
func countTestOf(t *table, opt Options) (countTest, Test) {
	means := opt.Test
	if opt.Test == Pearson || opt.Test == G {
		means = Welch
		if t != nil {
			means = Z
		}
	}
	switch {
	case t == nil || opt.TunedAt > 0 || opt.MSPRT || opt.Look != nil || opt.Untested != "" || opt.CUPED:
		// Looking early and covariates have p-values of their own.
		return noCountTest, means
	case max(t.na, t.nb) < int64(opt.ExactBelow) && max(t.na, t.nb) <= exactLimit:
		return countTest(opt.Exact), means
	case opt.Test == Pearson || opt.Test == G:
		return countTest(opt.Test), means
	}
	return noCountTest, means
}

// pValue is the test's p-value; ok is false where it has none: nobody has
// anything, or everybody.
func (c countTest) pValue(t table, alt Alternative) (p float64, ok bool) {
	if t.constant() && (c == pearson || c == gTest) {
		return 0, false
	}
	switch c {
	case pearson:
		return pValue(t.signed(t.pearson()), normal{}, alt), true
	case gTest:
		return pValue(t.signed(t.g()), normal{}, alt), true
	case barnard:
		return t.barnard(alt), true
	case fisher:
		return t.fisher(alt), true
	case boschloo:
		return t.boschloo(alt), true
	}
	panic(fmt.Sprintf("stats: no case for the test %q of counts", string(c)))
}

// constant reports whether all units are alike.
func (t table) constant() bool {
	s := t.xa + t.xb
	return s == 0 || s == t.na+t.nb
}

// difference is (pb − pa)·na·nb.
func (t table) difference() Sum {
	return SumOf(t.xb).Mul(SumOf(t.na)).Sub(SumOf(t.xa).Mul(SumOf(t.nb)))
}

// signed is the root of a χ² with one degree of freedom, with the sign of the
// difference: a standard normal if there is none.
func (t table) signed(chi2 float64) float64 {
	return float64(t.difference().Sign()) * math.Sqrt(chi2)
}

// pearson is Pearson's χ², without a correction for continuity.
func (t table) pearson() float64 {
	s, n := t.xa+t.xb, t.na+t.nb
	d := t.difference()
	return fraction{
		SumOf(n).Mul(d).Mul(d),
		SumOf(t.na).Mul(SumOf(t.nb)).Mul(SumOf(s)).Mul(SumOf(n - s)),
	}.float64()
}

// g is the G statistic 2·Σ O·log(O/E). As the deviations add up to zero, it is
// 2·ΣE·((1+δ)·log(1+δ) − δ) with δ = (O−E)/E, where nothing cancels.
func (t table) g() float64 {
	s, n := t.xa+t.xb, t.na+t.nb
	d := t.difference()
	total := 0.0
	for _, cell := range []struct {
		row, column int64 // of which the expected count is the product by n
		sign        int64
	}{{t.na, s, -1}, {t.na, n - s, 1}, {t.nb, s, 1}, {t.nb, n - s, -1}} {
		// O − E is ±d/n in all four cells.
		expected := fraction{SumOf(cell.row).Mul(SumOf(cell.column)), SumOf(n)}.float64()
		deviation := fraction{SumOf(cell.sign).Mul(d), SumOf(cell.row).Mul(SumOf(cell.column))}.float64()
		total += expected * entropy(deviation)
	}
	return 2 * total
}

// entropy is (1+x)·log(1+x) − x for x ≥ −1, for small x by its series.
func entropy(x float64) float64 {
	if x == -1 {
		return 1
	}
	if math.Abs(x) > 0.1 {
		return (1+x)*math.Log1p(x) - x
	}
	sum, power := 0.0, x*x
	for k := 2.0; math.Abs(power) > 1e-18*math.Abs(sum); k++ {
		sum += power / (k * (k - 1))
		power *= -x
	}
	return sum
}
