package stats

import (
	"fmt"
	"testing"
)

// A comparison of a mean and one of a ratio, with covariates and without, of
// sums as large as those of a busy site.
func BenchmarkCompare(b *testing.B) {
	sums := func(x, xx, y, yy, xy int64) Moments {
		return NewMoments(1_000_000, map[Term]Sum{
			X: NewSum(SumOf(x).int(), 6), XX: NewSum(SumOf(xx).int(), 6),
			Y: SumOf(y), YY: SumOf(yy), XY: NewSum(SumOf(xy).int(), 6),
		})
	}
	one := sums(5_230_000_000_000, 98_000_000_000_000, 4_100_000, 25_000_000, 23_000_000_000_000)
	two := sums(5_260_000_000_000, 99_000_000_000_000, 4_110_000, 25_100_000, 23_100_000_000_000)
	// Covariates that are nearly the values.
	for _, m := range []*Moments{&one, &two} {
		for term, like := range map[Term]Term{P: X, PP: XX, XP: XX, Q: Y, QQ: YY, XQ: XY, YP: XY, YQ: YY, PQ: XY} {
			m.Set(term, m.Sum(like))
		}
		m.Set(PP, m.Sum(XX).Add(SumOf(1_000_000)))
		m.Set(QQ, m.Sum(YY).Add(SumOf(10_000)))
	}
	for _, kind := range []Kind{Mean, Ratio} {
		for _, cuped := range []bool{false, true} {
			opt := DefaultOptions()
			opt.CUPED = cuped
			b.Run(fmt.Sprintf("%s cuped %v", kind, cuped), func(b *testing.B) {
				for b.Loop() {
					if e := Compare(kind, one, two, opt); e.Status != OK {
						b.Fatal(e.Reason)
					}
				}
			})
		}
	}
}
