package stats

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// A pile comes to what adding the parts one by one does, whatever their signs, decimals
// and lengths: those that 128 bits do not hold too.
func TestPileAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		longest := rapid.SampledFrom([]int{3, 40, 64, 100, 140}).Draw(t, "longest")
		number := rapid.Custom(func(t *rapid.T) Sum {
			n := new(big.Int).Lsh(big.NewInt(rapid.Int64().Draw(t, "n")), uint(rapid.IntRange(0, longest).Draw(t, "bits")))
			return NewSum(n, rapid.IntRange(0, 3).Draw(t, "decimals"))
		})
		var parts []Moments
		for range rapid.IntRange(1, 8).Draw(t, "parts") {
			m := NewMoments(rapid.Int64Range(0, 1<<40).Draw(t, "units"), nil)
			if m.Units > 0 || rapid.Bool().Draw(t, "zeros") {
				m.Set(X, number.Draw(t, "x"))
				m.Set(XX, number.Draw(t, "xx"))
			}
			parts = append(parts, m)
		}
		places := rapid.SliceOfDistinct(rapid.IntRange(0, len(parts)-1), func(i int) int { return i }).Draw(t, "places")
		var want Moments
		for _, i := range places {
			want = want.Add(parts[i])
		}
		got := NewPile(parts).Of(places)
		if got.Units != want.Units || got.sums[X].Cmp(want.sums[X]) != 0 || got.sums[XX].Cmp(want.sums[XX]) != 0 {
			t.Fatalf("%v %v %v, want %v %v %v", got.Units, got.sums[X], got.sums[XX], want.Units, want.sums[X], want.sums[XX])
		}
	})
}
