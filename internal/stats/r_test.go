package stats

import (
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/metricsjob/metricsjob/metrics"
)

// rReference is what R has: testdata/r.R.
type rReference struct {
	Comparisons []struct {
		Name                string
		Test                Test
		Alternative         Alternative
		Baseline, Variation armJSON
		Effect              map[string]*string
	}
	Margins []struct {
		Name                string
		Better              metrics.Better
		Margin              string
		Baseline, Variation armJSON
		PValue              string `json:"p_value"`
		Bound               string
	}
	Adjustments []struct {
		Name                string
		Baseline, Variation armJSON
		Effect              map[string]*string
	}
	Counts []struct {
		Baseline, Variation [2]int64 // some, of all
		Alternative         Alternative
		Fisher, Pearson     string
	}
	SampleRatios []struct {
		Units, Weights []float64
		PValue         string `json:"p_value"`
	} `json:"sample_ratios"`
	Corrections []struct {
		Method      Correction
		P, Adjusted []float64
	}
	Powers []struct {
		Units, Effect float64
		StdDev        float64 `json:"std_dev"`
		Alternative   Alternative
		Power         string
		UnitsFor80    string `json:"units_for_80"`
	}
	Boundaries []struct {
		Spending           Spending
		Exponent           float64
		Alternative        Alternative
		Shares, Boundaries []float64
	}
}

func readR(t *testing.T) rReference {
	t.Helper()
	r := readJSON[rReference](t, "testdata/r.json")
	for what, n := range map[string][2]int{
		"comparisons": {len(r.Comparisons), 90}, "margins": {len(r.Margins), 30}, "adjustments": {len(r.Adjustments), 2}, "counts": {len(r.Counts), 15},
		"sample ratios": {len(r.SampleRatios), 7}, "corrections": {len(r.Corrections), 24}, "powers": {len(r.Powers), 8}, "boundaries": {len(r.Boundaries), 6},
	} {
		if n[0] < n[1] {
			t.Fatalf("the reference holds only %d %s", n[0], what)
		}
	}
	return r
}

// t.test with Welch's degrees of freedom and with pooled variances.
func TestComparisonsAgainstR(t *testing.T) {
	for _, c := range readR(t).Comparisons {
		t.Run(c.Name, func(t *testing.T) {
			e := Compare(Mean, c.Baseline.moments(t), c.Variation.moments(t), Options{
				Test: c.Test, Alternative: c.Alternative, Alpha: 0.05, Relative: Delta,
			})
			meetsEffect(t, e, c.Effect, 1e-9)
		})
	}
}

// t.test against the margin.
func TestMarginsAgainstR(t *testing.T) {
	for _, c := range readR(t).Margins {
		size, err := ParseSum(c.Margin)
		if err != nil {
			t.Fatal(err)
		}
		r := CompareWithMargin(Mean, c.Baseline.moments(t), c.Variation.moments(t), Margin{Size: size}, c.Better, DefaultOptions())
		near(t, c.Name+": p-value", r.PValue, parseFloat(t, c.PValue), 1e-9)
		near(t, c.Name+": bound", r.Bound, parseFloat(t, c.Bound), 1e-9)
	}
}

// t.test of what lm leaves of each unit.
func TestAdjustmentsAgainstR(t *testing.T) {
	for _, c := range readR(t).Adjustments {
		opt := DefaultOptions()
		opt.CUPED = true
		meetsEffect(t, Compare(Mean, c.Baseline.moments(t), c.Variation.moments(t), opt), c.Effect, 1e-9)
	}
}

// fisher.test, and prop.test without its correction.
func TestCountsAgainstR(t *testing.T) {
	for _, c := range readR(t).Counts {
		a, b := counts(c.Baseline[0], c.Baseline[1]), counts(c.Variation[0], c.Variation[1])
		what := fmt.Sprintf("%v %v %s", c.Baseline, c.Variation, c.Alternative)
		opt := DefaultOptions()
		opt.Alternative, opt.Test = c.Alternative, Pearson
		near(t, what+": Pearson", Compare(Mean, a, b, opt).PValue, parseFloat(t, c.Pearson), 1e-9)
		opt.Exact, opt.ExactBelow = Fisher, 10_000
		near(t, what+": Fisher", Compare(Mean, a, b, opt).PValue, parseFloat(t, c.Fisher), 1e-9)
	}
}

// binom.test where there are few outcomes, chisq.test where there are many.
func TestSampleRatiosAgainstR(t *testing.T) {
	for _, c := range readR(t).SampleRatios {
		var units []int64
		var weights []string
		for i, n := range c.Units {
			units, weights = append(units, int64(n)), append(weights, strconv.FormatFloat(c.Weights[i], 'f', -1, 64))
		}
		near(t, fmt.Sprint(units), SampleRatio(units, rats(weights...), DefaultOptions()).PValue, parseFloat(t, c.PValue), 1e-9)
	}
}

// p.adjust.
func TestCorrectionsAgainstR(t *testing.T) {
	for _, c := range readR(t).Corrections {
		for i, p := range c.Method.Adjust(c.P) {
			near(t, fmt.Sprintf("%s of %v: %d", c.Method, c.P, i), &p, c.Adjusted[i], 1e-13)
		}
	}
}

// power.t.test, strict: both sides count.
func TestPowersAgainstR(t *testing.T) {
	for _, c := range readR(t).Powers {
		d := PowerDesign{StdDev: c.StdDev, Ratio: 1, Alpha: 0.05, Alternative: c.Alternative, Test: Student}
		what := fmt.Sprintf("%v units, effect %v, %s", c.Units, c.Effect, c.Alternative)
		near(t, what+": power", new(d.Power(c.Effect, c.Units)), parseFloat(t, c.Power), 1e-9)
		near(t, what+": units for a power of 0.8", new(d.Units(c.Effect, 0.8)), parseFloat(t, c.UnitsFor80), 1e-7)
	}
}

// pmvnorm, with Miwa's integration.
func TestBoundariesAgainstR(t *testing.T) {
	for _, c := range readR(t).Boundaries {
		got := mustBoundaries(t, GroupDesign{c.Spending, c.Exponent, 0.05, c.Alternative}, c.Shares)
		for i := range got {
			if math.Abs(got[i]-c.Boundaries[i]) > 1e-6 {
				t.Errorf("%s %s: boundary %d is %v, want %v", c.Spending, c.Alternative, i, got[i], c.Boundaries[i])
			}
		}
	}
}
