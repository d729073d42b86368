package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// runGroup meets the boundaries of a case of spotify/confidence. Their integrals
// are on a coarse grid: boundaries after the first are good to 1e-4.
func (c confidenceCase) runGroup(t *testing.T) {
	var input struct {
		Shares []float64 `json:"information_ratios"`
		Alpha  float64
		Sides  int
	}
	var want struct {
		Bounds []float64 `json:"z_bounds"`
	}
	if err := json.Unmarshal(c.Input, &input); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(c.Output, &want); err != nil || len(want.Bounds) != len(input.Shares) {
		t.Fatalf("%d boundaries: %v", len(want.Bounds), err)
	}
	d := GroupDesign{PowerSpending, 2, input.Alpha, map[int]Alternative{1: Greater, 2: TwoSided}[input.Sides]}
	got := mustBoundaries(t, d, input.Shares)
	near(t, "first boundary", &got[0], want.Bounds[0], 1e-12)
	for i := range got {
		if math.Abs(got[i]-want.Bounds[i]) > 1e-4 {
			t.Errorf("boundary %d: %v, want %v", i, got[i], want.Bounds[i])
		}
	}
}

func mustBoundaries(t *testing.T, d GroupDesign, shares []float64) []float64 {
	t.Helper()
	b, err := d.Boundaries(shares)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// runSequential meets a comparison of spotify/confidence at its first look.
func (c confidenceCase) runSequential(t *testing.T) {
	var input struct {
		Data []struct {
			Count int64
			Sum   float64
			SumSq float64 `json:"sum_of_squares"`
		}
		Expected float64     `json:"final_expected_sample_size"`
		Size     json.Number `json:"interval_size"`
		NIM      []any
	}
	var want []struct {
		Difference float64
		Low        expected `json:"adjusted ci_lower"`
		High       expected `json:"adjusted ci_upper"`
	}
	if err := json.Unmarshal(c.Input, &input); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(c.Output), "+inf", "Inf")), &want); err != nil || len(input.Data) != 2 {
		t.Fatalf("%d groups: %v", len(input.Data), err)
	}
	a, b := input.Data[0], input.Data[1]
	opt := Options{Test: Z, Alternative: TwoSided, Alpha: oneLess(t, input.Size), Relative: Delta}
	if input.NIM != nil {
		opt.Alternative = Greater
	}
	look, err := NewGroupLook(GroupDesign{Spending: PowerSpending, Exponent: 2, Alpha: opt.Alpha, Alternative: opt.Alternative},
		[]float64{float64(a.Count+b.Count) / input.Expected})
	if err != nil {
		t.Fatal(err)
	}
	opt.Look = look
	e := Compare(Mean, confidenceArm{a.Count, a.Sum, a.SumSq}.moments(), confidenceArm{b.Count, b.Sum, b.SumSq}.moments(), opt)
	near(t, "difference", e.Absolute, want[0].Difference, 1e-12)
	meets(t, "low", e.AbsoluteLow, want[0].Low, 1e-9)
	meets(t, "high", e.AbsoluteHigh, want[0].High, 1e-9)
}

// Boundaries by dense integration with numpy: testdata/group.py.
func TestBoundariesAgainstReference(t *testing.T) {
	file := readJSON[struct {
		Cases []struct {
			Spending    Spending
			Exponent    float64
			Alpha       float64
			Alternative Alternative
			Shares      []float64
			Times       []float64 // that alpha is spent by
			Boundaries  []float64
		}
		PValues []struct {
			Spending    Spending
			Exponent    float64
			Alternative Alternative
			Shares      []float64
			Statistic   float64
			PValue      float64 `json:"p_value"`
		} `json:"p_values"`
	}](t, "testdata/group.json")
	cases := file.Cases
	if len(cases) < 11 {
		t.Fatalf("the reference holds only %d designs", len(cases))
	}
	for _, c := range cases {
		if err := ascending(c.Shares); err != nil {
			t.Fatal(err)
		}
		b := GroupDesign{c.Spending, c.Exponent, c.Alpha, c.Alternative}.boundaries(c.Shares, c.Times)
		for i := range b {
			near(t, fmt.Sprintf("%s %v %s: boundary %d", c.Spending, c.Alpha, c.Alternative, i), &b[i], c.Boundaries[i], 1e-11)
		}
	}
	if len(file.PValues) < 10 {
		t.Fatalf("the reference holds only %d p-values", len(file.PValues))
	}
	for _, c := range file.PValues {
		look, err := NewGroupLook(GroupDesign{Spending: c.Spending, Exponent: c.Exponent}, c.Shares)
		if err != nil {
			t.Fatal(err)
		}
		p := pValue(c.Statistic, look.under(Options{Alternative: c.Alternative}), c.Alternative)
		near(t, fmt.Sprintf("%s %s: p-value of %v", c.Spending, c.Alternative, c.Statistic), &p, c.PValue, 1e-10)
	}
}

// Looks by the calendar take counts of units. Those that add none have a last look
// that ends the experiment still.
func TestLooksByTheCalendar(t *testing.T) {
	design := GroupDesign{Spending: OBrienFleming, Alpha: 0.05, Alternative: TwoSided}
	opt := Options{Test: Z, Alternative: TwoSided, Alpha: 0.05, Relative: Delta}
	boundary := func(units []int64, times []float64) float64 {
		look, err := NewGroupLookAt(design, units, times)
		if err != nil {
			t.Fatal(err)
		}
		return quantileOf(look.under(opt), opt)
	}
	// The case of testdata/group.json, in units.
	got := boundary([]int64{4000, 7000, 10_000}, []float64{0.25, 0.5, 0.75})
	near(t, "boundary", &got, 2.3561089176583607, 1e-8)
	// Nobody was there at the first two looks: the third is the first.
	if got := boundary([]int64{0, 0, 10}, []float64{0.25, 0.5, 1}); math.Abs(got-(normal{}).quantile(0.025)) > 1e-9 {
		t.Errorf("boundary %v of the only look with units", got)
	}
	// Nobody came after the second: between the boundary of a design with the same
	// information, and that of all alpha at once.
	late := boundary([]int64{50, 100, 100}, []float64{1.0 / 3, 2.0 / 3, 1})
	before := boundary([]int64{50, 100}, []float64{1.0 / 3, 2.0 / 3})
	if late > before || late < (normal{}).quantile(0.025) {
		t.Errorf("boundary %v of a last look without new units", late)
	}
	for _, bad := range []struct {
		units []int64
		times []float64
	}{{nil, nil}, {[]int64{1}, []float64{0.5, 1}}, {[]int64{2, 1}, []float64{0.5, 1}}, {[]int64{-1}, []float64{1}}, {[]int64{1}, []float64{1.5}}} {
		if _, err := NewGroupLookAt(design, bad.units, bad.times); err == nil {
			t.Errorf("looks at %v, %v", bad.units, bad.times)
		}
	}
}

func TestBoundariesRefuse(t *testing.T) {
	for _, shares := range [][]float64{{0, 1}, {0.5, 0.4}, {0.5, 1.1}, {math.NaN()}} {
		if _, err := (GroupDesign{OBrienFleming, 0, 0.05, TwoSided}).Boundaries(shares); err == nil {
			t.Errorf("looks at %v", shares)
		}
	}
	if _, err := NewGroupLook(GroupDesign{Spending: Pocock, Alpha: 0.05, Alternative: Greater}, nil); err == nil {
		t.Error("a look at nothing")
	}
	// A look at nothing new spends nothing.
	b := mustBoundaries(t, GroupDesign{Pocock, 0, 0.05, TwoSided}, []float64{0.5, 0.5, 1})
	c := mustBoundaries(t, GroupDesign{Pocock, 0, 0.05, TwoSided}, []float64{0.5, 1})
	if b[1] != widest || math.Abs(b[2]-c[1]) > 1e-9 {
		t.Errorf("boundaries %v, without the repeated look %v", b, c)
	}
}

// Without an effect, a design crosses a boundary in alpha of the experiments.
func TestGroupFalsePositives(t *testing.T) {
	const experiments, looks, alpha = 20_000, 20, 0.05
	random := rand.New(rand.NewPCG(20261121, 5))
	shares := make([]float64, looks)
	for i := range shares {
		shares[i] = float64(i+1) / looks
	}
	for _, alt := range []Alternative{TwoSided, Greater} {
		for _, spending := range []Spending{OBrienFleming, Pocock} {
			b := mustBoundaries(t, GroupDesign{spending, 0, alpha, alt}, shares)
			found := 0
			for range experiments {
				sum := 0.0
				for i := range b {
					sum += random.NormFloat64()
					z := sum / math.Sqrt(float64(i+1))
					if z > b[i] || alt == TwoSided && z < -b[i] {
						found++
						break
					}
				}
			}
			rate, limit := float64(found)/experiments, 3*math.Sqrt(alpha*(1-alpha)/experiments)
			if math.Abs(rate-alpha) > limit {
				t.Errorf("%s %s: %.4f of the experiments, want %v ± %.4f", spending, alt, rate, alpha, limit)
			}
		}
	}
}

// p-value and interval of a look are one test, at any alpha.
func TestGroupPValue(t *testing.T) {
	for _, alt := range []Alternative{TwoSided, Greater, Less} {
		look, err := NewGroupLook(GroupDesign{Spending: OBrienFleming, Alpha: 0.05, Alternative: alt}, []float64{0.3, 0.6, 0.8})
		if err != nil {
			t.Fatal(err)
		}
		for _, variation := range []int64{140, 165, 190, 205, 223, 320} {
			opt := Options{Test: Welch, Alternative: alt, Alpha: 0.05, Relative: Delta, Look: look}
			e := Compare(Mean, counts(163, 3304), counts(variation, 3329), opt)
			if e.PValue == nil || *e.PValue < 0 || *e.PValue > 1 {
				t.Fatalf("%s %d: p-value %v", alt, variation, e.PValue)
			}
			for _, alpha := range []float64{0.05, *e.PValue * 1.001, *e.PValue * 0.999} {
				if alpha > 0 && alpha < 0.99 {
					opt.Alpha = alpha
					checkAgreement(t, Compare(Mean, counts(163, 3304), counts(variation, 3329), opt), opt)
				}
			}
		}
	}
}

func TestDocsOfBoundaries(t *testing.T) {
	text, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```boundaries\n")
	block, _, _ := strings.Cut(rest, "\n```")
	lines := strings.Split(block, "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines, want the shares and three designs", len(lines))
	}
	var shares []float64
	for i, line := range lines {
		words := strings.Fields(line)
		if i == 0 {
			for _, word := range words[1:] {
				shares = append(shares, parseFloat(t, word))
			}
			continue
		}
		var numbers []*float64
		for _, b := range mustBoundaries(t, GroupDesign{Spending(words[0]), 2, 0.05, TwoSided}, shares) {
			numbers = append(numbers, &b)
		}
		printed(t, words[0], words[1:], numbers)
	}
}

// 200 looks; the design is to be computed once for all metrics.
func BenchmarkBoundaries(b *testing.B) {
	shares := make([]float64, 200)
	for i := range shares {
		shares[i] = float64(i+1) / 200
	}
	for _, alt := range []Alternative{TwoSided, Greater} {
		b.Run(string(alt), func(b *testing.B) {
			for b.Loop() {
				if _, err := (GroupDesign{OBrienFleming, 0, 0.05, alt}).Boundaries(shares); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
