package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"strconv"
	"testing"
)

// readJSON decodes a file of testdata into a T.
func readJSON[T any](t *testing.T, path string) T {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	return v
}

// armJSON is one variation as the fixtures hold it.
type armJSON struct {
	Units  int64
	Sums   map[string]string
	Mean   string
	StdDev string `json:"std_dev"`
}

func (a armJSON) moments(t *testing.T) Moments {
	t.Helper()
	m := Moments{Units: a.Units}
	for name, text := range a.Sums {
		s, err := ParseSum(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Set(termNamed(t, name), s)
	}
	return m
}

func termNamed(t *testing.T, name string) Term {
	t.Helper()
	for term := N; term < termCount; term++ {
		if term.String() == name {
			return term
		}
	}
	t.Fatalf("no term %q", name)
	return 0
}

func parseFloat(t *testing.T, text string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// near fails the test unless got is want within a relative tolerance. It is the
// one comparison of floats in these tests.
func near(t *testing.T, what string, got *float64, want, tolerance float64) {
	t.Helper()
	if got == nil {
		t.Errorf("%s: nothing, want %v", what, want)
		return
	}
	if math.IsNaN(*got) || math.Abs(*got-want) > tolerance*math.Abs(want) {
		t.Errorf("%s: %v, want %v (off by %.2g)", what, *got, want, math.Abs(*got-want)/math.Abs(want))
	}
}

type point struct{ Nu, T, X, P string }

func TestDistributionsAgainstReference(t *testing.T) {
	r := readJSON[struct {
		Distributions struct {
			StudentTail     []point `json:"student_tail"`
			StudentQuantile []point `json:"student_quantile"`
			NormalTail      []point `json:"normal_tail"`
			NormalQuantile  []point `json:"normal_quantile"`
			ChiSquaredTail  []struct {
				X, P string
				DF   float64
			} `json:"chi_squared_tail"`
		}
	}](t, "testdata/reference.json").Distributions
	check := func(what string, got float64, want string) {
		t.Helper()
		near(t, what, &got, parseFloat(t, want), 1e-12)
	}
	for _, p := range r.StudentTail {
		check(fmt.Sprintf("Student tail, nu %s, t %s", p.Nu, p.T), student{parseFloat(t, p.Nu)}.tail(parseFloat(t, p.T)), p.P)
	}
	for _, p := range r.StudentQuantile {
		check(fmt.Sprintf("Student quantile, nu %s, p %s", p.Nu, p.P), student{parseFloat(t, p.Nu)}.quantile(parseFloat(t, p.P)), p.T)
	}
	for _, p := range r.NormalTail {
		check("normal tail "+p.T, normal{}.tail(parseFloat(t, p.T)), p.P)
	}
	for _, p := range r.NormalQuantile {
		check("normal quantile "+p.P, normal{}.quantile(parseFloat(t, p.P)), p.T)
	}
	for _, p := range r.ChiSquaredTail {
		check(fmt.Sprintf("chi-squared tail, df %v, x %s", p.DF, p.X), chiSquaredTail(parseFloat(t, p.X), p.DF), p.P)
	}
	if n := len(r.StudentTail) + len(r.StudentQuantile); n < 250 {
		t.Errorf("the reference holds only %d points of Student's t", n)
	}
}

func TestComparisonsAgainstReference(t *testing.T) {
	cases := readJSON[struct {
		Comparisons []struct {
			Name, Kind, Test, Alternative string
			Alpha                         string
			Baseline, Variation           armJSON
			Effect                        map[string]*string
		}
	}](t, "testdata/reference.json").Comparisons
	if len(cases) < 100 {
		t.Fatalf("the reference holds only %d comparisons", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			kind := map[string]Kind{"mean": Mean, "ratio": Ratio}[c.Kind]
			for _, arm := range []armJSON{c.Baseline, c.Variation} {
				s := Describe(kind, arm.moments(t))
				near(t, "mean", s.Mean, parseFloat(t, arm.Mean), 1e-15)
				near(t, "standard deviation", s.StdDev, parseFloat(t, arm.StdDev), 1e-15)
			}
			e := Compare(kind, c.Baseline.moments(t), c.Variation.moments(t), Options{
				Test: Test(c.Test), Alternative: Alternative(c.Alternative), Alpha: parseFloat(t, c.Alpha), Relative: Delta,
			})
			if e.Status != OK {
				t.Fatalf("status %s: %s", e.Status, e.Reason)
			}
			meetsEffect(t, e, c.Effect, 1e-11)
		})
	}
}

// meetsEffect compares an effect with the reference; null is an open end there.
func meetsEffect(t *testing.T, e Effect, wanted map[string]*string, tolerance float64) {
	t.Helper()
	got := map[string]*float64{
		"absolute": e.Absolute, "absolute_low": e.AbsoluteLow, "absolute_high": e.AbsoluteHigh,
		"relative": e.Relative, "relative_low": e.RelativeLow, "relative_high": e.RelativeHigh,
		"p_value": e.PValue,
	}
	for name, want := range wanted {
		if want == nil {
			if got[name] != nil {
				t.Errorf("%s: %v, want an open end", name, *got[name])
			}
			continue
		}
		near(t, name, got[name], parseFloat(t, *want), tolerance)
	}
}

func TestAdjustmentsAgainstReference(t *testing.T) {
	cases := readJSON[struct {
		Adjustments []struct {
			Name, Kind, Test    string
			Baseline, Variation armJSON
			Reduction           string `json:"variance_reduction"`
			Effect              map[string]*string
		}
	}](t, "testdata/reference.json").Adjustments
	if len(cases) < 20 {
		t.Fatalf("the reference holds only %d adjustments", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			opt := DefaultOptions()
			opt.Test, opt.CUPED = Test(c.Test), true
			e := Compare(map[string]Kind{"mean": Mean, "ratio": Ratio}[c.Kind], c.Baseline.moments(t), c.Variation.moments(t), opt)
			near(t, "variance reduction", e.VarianceReduction, parseFloat(t, c.Reduction), 1e-13)
			meetsEffect(t, e, c.Effect, 1e-11)
		})
	}
}

func TestRelativeIntervalsAgainstReference(t *testing.T) {
	cases := readJSON[struct {
		RelativeIntervals []struct {
			Name, Kind, Test, Alternative, Alpha string
			Baseline, Variation                  armJSON
			Log, Fieller                         [2]*string // null is an open end
		} `json:"relative_intervals"`
	}](t, "testdata/reference.json").RelativeIntervals
	if len(cases) < 40 {
		t.Fatalf("the reference holds only %d relative intervals", len(cases))
	}
	for _, c := range cases {
		kind := map[string]Kind{"mean": Mean, "ratio": Ratio}[c.Kind]
		for way, want := range map[RelativeInterval][2]*string{Log: c.Log, Fieller: c.Fieller} {
			e := Compare(kind, c.Baseline.moments(t), c.Variation.moments(t), Options{
				Test: Test(c.Test), Alternative: Alternative(c.Alternative), Alpha: parseFloat(t, c.Alpha), Relative: way,
			})
			for i, got := range []*float64{e.RelativeLow, e.RelativeHigh} {
				what := fmt.Sprintf("%s: end %d of the %s interval", c.Name, i, way)
				if want[i] != nil {
					near(t, what, got, parseFloat(t, *want[i]), 1e-11)
				} else if got != nil {
					t.Errorf("%s: %v, want an open one", what, *got)
				}
			}
		}
	}
}

func TestSampleRatioAgainstReference(t *testing.T) {
	cases := readJSON[struct {
		SampleRatios []struct {
			Units     []int64
			Weights   []string
			Statistic string
			DF        int
			PValue    string `json:"p_value"`
		} `json:"sample_ratios"`
	}](t, "testdata/reference.json").SampleRatios
	if len(cases) < 8 {
		t.Fatalf("the reference holds only %d sample ratios", len(cases))
	}
	for _, c := range cases {
		r := SampleRatio(c.Units, rats(c.Weights...), DefaultOptions())
		if r.Status != OK || r.DegreesOfFreedom != c.DF {
			t.Errorf("%v: status %s, %d degrees of freedom, want %d", c.Units, r.Status, r.DegreesOfFreedom, c.DF)
		}
		near(t, fmt.Sprintf("statistic of %v", c.Units), r.Statistic, parseFloat(t, c.Statistic), 1e-15)
		p := parseFloat(t, c.PValue)
		chi2 := chiSquaredTail(*r.Statistic, float64(r.DegreesOfFreedom))
		near(t, fmt.Sprintf("p-value of %v", c.Units), &chi2, p, 1e-12)
		if r.Method == "chi-squared" {
			near(t, fmt.Sprintf("p-value of %v", c.Units), r.PValue, p, 1e-12)
		}
		if r.Alarm != (*r.PValue < 0.001) {
			t.Errorf("%v: alarm %v with p %v", c.Units, r.Alarm, p)
		}
	}
}

// rats reads weights; "" is none.
func rats(texts ...string) []*big.Rat {
	list := make([]*big.Rat, len(texts))
	for i, text := range texts {
		if text != "" {
			list[i], _ = new(big.Rat).SetString(text)
		}
	}
	return list
}
