package stats

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestDocsOfRates(t *testing.T) {
	text, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```rates\n")
	block, _, _ := strings.Cut(rest, "\n```")
	lines := strings.Split(block, "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines, want 4", len(lines))
	}
	for _, line := range lines[1:] {
		var x, n int64
		var low, high string
		if _, err := fmt.Sscan(line, &x, &n, &low, &high); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		from, to := RateIntervalOfParts(x, n, 0, 0.01)
		if got := fmt.Sprintf("%.6f %.6f", from, to); got != low+" "+high {
			t.Errorf("%d of %d: %s, the docs say %s %s", x, n, got, low, high)
		}
	}
}

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

// scipy 1.14.1, for the interval [lo, hi] of binomtest at alpha/2 and
// k = sqrt(1 + cutting*norm.isf(alpha/4)): 2*norm.sf(norm.isf(lo/2)*k) and
// 2*norm.sf(norm.isf(hi/2)/k).
func TestRateIntervalOfParts(t *testing.T) {
	for _, c := range []struct {
		x, n                      int64
		cutting, alpha, low, high float64
	}{
		{52, 1000, 0.02, 0.01, 0.029648058680963787, 0.08300531164392567},
		{0, 200, 0.05, 0.05, 0, 0.02945786951148436},
		{200, 200, 0.05, 0.05, 0.9771463231142119, 1},
		{52, 1000, 0, 0.01, 0.03558552818292883, 0.07282306550872009}, // nothing was cut
	} {
		low, high := RateIntervalOfParts(c.x, c.n, c.cutting, c.alpha)
		what := fmt.Sprintf("%d of %d, cut by %v", c.x, c.n, c.cutting)
		near(t, what+": low", &low, c.low, 1e-9)
		near(t, what+": high", &high, c.high, 1e-9)
	}
}
