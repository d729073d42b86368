package stats

import (
	"fmt"
	"testing"
)

// scipy 1.14.1: binomtest(x, n).proportion_ci(1 - alpha, method="exact").
func TestRateInterval(t *testing.T) {
	for _, c := range []struct {
		x, n             int64
		alpha, low, high float64
	}{
		{52, 1000, 0.01, 0.03558552818292883, 0.07282306550872009},
		{0, 200, 0.05, 0, 0.0182753403551488},
		{200, 200, 0.05, 0.9817246596448512, 1},
		{7, 200, 0.001, 0.00682152651033547, 0.09979535150488399},
	} {
		low, high := RateInterval(c.x, c.n, c.alpha)
		what := fmt.Sprintf("%d of %d", c.x, c.n)
		near(t, what+": low", &low, c.low, 1e-9)
		near(t, what+": high", &high, c.high, 1e-9)
	}
}
