package stats

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/metrics"
)

// No sums make a margin, a posterior, a mixture or strata panic, or give NaN or
// infinity; chances are chances.
func FuzzComparison(f *testing.F) {
	f.Add(int64(3), "6", "14", int64(3), "9", "29", uint8(0), uint8(0))
	f.Add(int64(10), "7", "7", int64(12), "2", "2", uint8(5), uint8(3))
	f.Add(int64(0), "0", "0", int64(1), "1", "1", uint8(1), uint8(255))
	f.Add(int64(2), "1e300", "1e600", int64(1)<<62, "-1e-300", "1e-600", uint8(2), uint8(7))
	f.Add(int64(-1), "1", "-1", int64(2), "3", "5", uint8(3), uint8(90))
	f.Fuzz(func(t *testing.T, na int64, xa, xxa string, nb int64, xb, xxb string, choice, more uint8) {
		read := func(units int64, texts ...string) Moments {
			m := Moments{Units: units}
			for i, text := range texts {
				s, err := ParseSum(text)
				if err != nil {
					t.Skip("not sums")
				}
				m.Set([]Term{X, XX}[i], s)
			}
			return m
		}
		a, b := read(na, xa, xxa), read(nb, xb, xxb)
		opt := DefaultOptions()
		opt.Test = []Test{Welch, Z, Student, Pearson, G}[choice%5]
		opt.Alternative = []Alternative{TwoSided, Greater, Less}[choice/5%3]
		opt.Better = []metrics.Better{metrics.Higher, metrics.Lower}[choice/15%2]
		opt.MSPRT = choice/30%2 == 1
		opt.Prior = []*Prior{{Flat: true}, {SD: 0.3}, {Mean: 0.1, SD: 1e-9, Relative: true}, nil}[choice/60%4]
		kind := []Kind{Mean, Proportion}[more%2]
		margin := Margin{SumOf(int64(more / 2 % 4)), more/8%2 == 1}
		comparisons := []Comparison{NewComparison(kind, a, b, opt)}
		if na >= 0 && nb >= 0 && na < 1<<40 && nb < 1<<40 {
			comparisons = append(comparisons, NewStratified(kind, []Stratum{{a, b}, {b, a}, {a, a}}, opt))
		}
		for _, c := range comparisons {
			e, p, r := c.Effect(), c.Posterior(), c.WithMargin(margin, opt.Better)
			for i, n := range []*float64{
				e.Absolute, e.AbsoluteLow, e.AbsoluteHigh, e.Relative, e.RelativeLow, e.RelativeHigh, e.PValue, e.Detectable, e.VarianceReduction,
				p.ChanceToWin, p.ExpectedLoss, p.Low, p.High, r.Bound, r.Limit, r.PValue,
			} {
				if n != nil && (math.IsNaN(*n) || math.IsInf(*n, 0)) {
					t.Errorf("number %d is %v", i, *n)
				}
			}
			for _, chance := range []*float64{e.PValue, p.ChanceToWin, r.PValue} {
				if chance != nil && (*chance < -1e-12 || *chance > 1+1e-12) {
					t.Errorf("a chance of %v", *chance)
				}
			}
			if p.Low != nil && *p.Low > *p.High || p.ExpectedLoss != nil && *p.ExpectedLoss < 0 {
				t.Errorf("posterior from %v to %v, loss %v", *p.Low, *p.High, *p.ExpectedLoss)
			}
			if (e.Status == OK) != (e.Reason == "") || (r.Status == OK) != (r.Reason == "") {
				t.Errorf("statuses %s, %s with reasons %q, %q", e.Status, r.Status, e.Reason, r.Reason)
			}
		}
	})
}

// One of the two wins: the chance of the other is the rest, and what is gained on
// average by one is lost by the other.
func TestPosteriorOfSwappedArms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind, opt := kinds.Draw(t, "kind"), DefaultOptions()
		opt.Alpha = rapid.SampledFrom([]float64{0.1, 0.05, 0.01}).Draw(t, "alpha")
		if rapid.Bool().Draw(t, "prior") {
			opt.Prior = &Prior{SD: 10}
		}
		a, b := momentsOf(drawUnits(t, "a")), momentsOf(drawUnits(t, "b"))
		p, q := NewComparison(kind, a, b, opt).Posterior(), NewComparison(kind, b, a, opt).Posterior()
		if p.ChanceToWin == nil {
			return
		}
		same(t, "chance", p.ChanceToWin, new(1-*q.ChanceToWin), 1)
		same(t, "low", p.Low, scaled(q.High, -1), 1e-3)
		size, mean := math.Abs(*p.Low)+math.Abs(*p.High), (*p.Low+*p.High)/2
		if r := NewComparison(kind, a, b, opt).rates; r != nil && opt.Prior.Flat { // of rates it leans to one side, and Beta(x + 1, n − x + 1) has the mean (x + 1) / (n + 2)
			mean = float64(r.xb+1)/float64(r.nb+2) - float64(r.xa+1)/float64(r.na+2)
		}
		same(t, "gain less loss", new(*q.ExpectedLoss-*p.ExpectedLoss), &mean, size)
	})
}
