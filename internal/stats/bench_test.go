package stats

import "testing"

// A comparison of a mean and one of a ratio, of sums as large as those of a
// busy site.
func BenchmarkCompare(b *testing.B) {
	sums := func(x, xx, y, yy, xy int64) Moments {
		return NewMoments(1_000_000, map[Term]Sum{
			X: NewSum(SumOf(x).int(), 6), XX: NewSum(SumOf(xx).int(), 6),
			Y: SumOf(y), YY: SumOf(yy), XY: NewSum(SumOf(xy).int(), 6),
		})
	}
	one := sums(5_230_000_000_000, 98_000_000_000_000, 4_100_000, 25_000_000, 23_000_000_000_000)
	two := sums(5_260_000_000_000, 99_000_000_000_000, 4_110_000, 25_100_000, 23_100_000_000_000)
	opt := DefaultOptions()
	for _, kind := range []Kind{Mean, Ratio} {
		b.Run(kind.String(), func(b *testing.B) {
			for b.Loop() {
				if e := Compare(kind, one, two, opt); e.Status != OK {
					b.Fatal(e.Reason)
				}
			}
		})
	}
}
