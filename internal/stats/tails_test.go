package stats

import (
	"fmt"
	"math"
	"testing"

	"github.com/metricsjob/metricsjob/metrics"
)

// ratesJSON are two variations of a metric of 0 and 1: how many have it, of how many.
type ratesJSON struct{ Baseline, Variation [2]int64 }

func (r ratesJSON) moments() (a, b Moments) {
	return counts(r.Baseline[0], r.Baseline[1]), counts(r.Variation[0], r.Variation[1])
}

// Small p-values and chances keep their digits, down to the smallest float64: mpmath,
// testdata/tails.py.
func TestTailsAgainstReference(t *testing.T) {
	r := readJSON[struct {
		Z []struct {
			ratesJSON
			PValue string `json:"p_value"`
		}
		Counts []struct {
			ratesJSON
			Pearson, G string
		}
		AlwaysValid []struct {
			ratesJSON
			TunedAt int    `json:"tuned_at"`
			PValue  string `json:"p_value"`
		} `json:"always_valid"`
		Posteriors []struct {
			ratesJSON
			SD         *string
			Lose, Loss string
		}
		Betas []struct {
			ratesJSON
			Win, Lose string
		}
	}](t, "testdata/tails.json")
	if len(r.Z) < 8 || len(r.Counts) < 8 || len(r.AlwaysValid) < 24 || len(r.Posteriors) < 16 || len(r.Betas) < 7 {
		t.Fatal("the reference holds too few cases")
	}
	opt := DefaultOptions()
	opt.Test = Z
	// A p-value of z standard errors changes by z² times what they do, and these are
	// known to 1e-16.
	check := func(what string, arms ratesJSON, got *float64, want string) {
		t.Helper()
		p := parseFloat(t, want)
		near(t, fmt.Sprintf("%s of %v and %v", what, arms.Baseline, arms.Variation), got, p, 1e-13*math.Max(10, -math.Log(math.Max(p, 1e-320))))
	}
	for _, c := range r.Z {
		a, b := c.moments()
		check("z test", c.ratesJSON, Compare(Proportion, a, b, opt).PValue, c.PValue)
	}
	for _, c := range r.Counts {
		a, b := c.moments()
		for test, want := range map[Test]string{Pearson: c.Pearson, G: c.G} {
			opt := opt
			opt.Test = test
			check(string(test), c.ratesJSON, Compare(Proportion, a, b, opt).PValue, want)
		}
	}
	for _, c := range r.AlwaysValid {
		a, b := c.moments()
		opt := opt
		opt.TunedAt = c.TunedAt
		if min(a.Units, b.Units) < earliestLook {
			if e := Compare(Proportion, a, b, opt); e.Status != EarlyLook || e.PValue != nil {
				t.Errorf("always valid of %v and %v: %s", c.Baseline, c.Variation, e.Status)
			}
			continue
		}
		check(fmt.Sprintf("always valid at %d", c.TunedAt), c.ratesJSON, Compare(Proportion, a, b, opt).PValue, c.PValue)
	}
	for _, c := range r.Posteriors {
		a, b := c.moments()
		opt := opt
		opt.Prior, opt.Better = &Prior{Flat: true}, metrics.Higher
		if c.SD != nil {
			opt.Prior = &Prior{SD: parseFloat(t, *c.SD)}
		}
		loss := NewComparison(Proportion, a, b, opt).normalPosterior().ExpectedLoss
		p := parseFloat(t, c.Loss)
		near(t, fmt.Sprintf("loss of %v and %v", c.Baseline, c.Variation), loss, p, 1e-9)
		opt.Better = metrics.Lower // what is worse, then wins
		check("chance", c.ratesJSON, NewComparison(Proportion, a, b, opt).normalPosterior().ChanceToWin, c.Lose)
	}
	for _, c := range r.Betas {
		a, b := c.moments()
		for better, want := range map[metrics.Better]string{metrics.Higher: c.Win, metrics.Lower: c.Lose} {
			opt := opt
			opt.Prior, opt.Better = &Prior{Flat: true}, better
			near(t, fmt.Sprintf("chance of %v and %v, %s", c.Baseline, c.Variation, better), NewComparison(Proportion, a, b, opt).Posterior().ChanceToWin, parseFloat(t, want), 1e-12)
		}
	}
}
