package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// runCounts meets a case of tea-tasting about 0/1 metrics.
func (f teaFile) runCounts(t *testing.T, c teaCase) {
	var a, b Moments
	if c.Params.Table != nil {
		counts := c.Params.Table // of the treatment and the control: some, none
		moments := func(i int) Moments {
			return NewMoments(counts[0][i]+counts[1][i], map[Term]Sum{X: SumOf(counts[0][i])})
		}
		b, a = moments(0), moments(1)
	} else {
		a, b = NewMoments(10, map[Term]Sum{X: {}}), NewMoments(10, map[Term]Sum{X: {}})
	}
	opt := DefaultOptions()
	if c.Params.Alternative != "" {
		opt.Alternative = map[string]Alternative{"two-sided": TwoSided, "greater": Greater, "less": Less}[c.Params.Alternative]
	}
	switch c.Params.Method {
	case "barnard", "fisher", "boschloo":
		opt.Exact, opt.ExactBelow = ExactTest(c.Params.Method), 100
	case "pearson":
		opt.Test = Pearson
	case "log-likelihood":
		opt.Test = G
	default:
		t.Fatalf("the method %s is neither run nor listed", c.Params.Method)
	}
	e := Compare(Proportion, a, b, opt)
	for name, raw := range decodeMap(t, c.Expected) {
		got, ok := map[string]*float64{
			"pvalue": e.PValue, "effect_size": e.Absolute, "rel_effect_size": e.Relative,
			"control": Describe(Proportion, a).Mean, "treatment": Describe(Proportion, b).Mean,
		}[name]
		switch {
		case !ok:
			t.Errorf("%s is not compared", name)
		case raw == "nan":
			if got != nil || e.Status != ZeroVariance {
				t.Errorf("%s: %v, status %s, want none", name, got, e.Status)
			}
		default:
			near(t, name, got, raw.(float64), 1e-9)
		}
	}
}

// runCounts meets a case of spotify/confidence: Pearson's χ², or z, of
// proportions, some with Bonferroni's correction.
func (c confidenceCase) runCounts(t *testing.T, opt Options) {
	var input struct {
		Level1 struct{ X, N int64 } `json:"level_1"`
		Level2 struct{ X, N int64 } `json:"level_2"`
		GB, US map[string]struct{ X, N int64 }
		Groups struct {
			Variation []string `json:"variation_name"`
			Success   []int64
			Total     []int64
			Country   []string
		}
	}
	if err := json.Unmarshal(c.Input, &input); err != nil {
		t.Fatal(err)
	}
	groups := map[string]Moments{}
	add := func(name string, x, n int64) { groups[name] = NewMoments(n, map[Term]Sum{X: SumOf(x)}) }
	for country, arms := range map[string]map[string]struct{ X, N int64 }{"gb": input.GB, "us": input.US} {
		for variation, counts := range arms {
			add(country+" "+variation, counts.X, counts.N)
		}
	}
	for i, variation := range input.Groups.Variation {
		add(input.Groups.Country[i]+" "+variation, input.Groups.Success[i], input.Groups.Total[i])
	}
	if input.Level1.N > 0 {
		add("us control", input.Level1.X, input.Level1.N)
		add("us test", input.Level2.X, input.Level2.N)
	}
	var rows []struct {
		Country       string
		Level1        any `json:"level_1"`
		Level2        any `json:"level_2"`
		Difference    float64
		Low           float64 `json:"ci_lower"`
		High          float64 `json:"ci_upper"`
		PValue        float64 `json:"p-value"`
		AdjustedLow   float64 `json:"adjusted ci_lower"`
		AdjustedHigh  float64 `json:"adjusted ci_upper"`
		AdjustedP     float64 `json:"adjusted p-value"`
		IsSignificant bool    `json:"is_significant"`
	}
	if err := json.Unmarshal(c.Output, &rows); err != nil || len(rows) == 0 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	group := func(country string, level any) Moments {
		name := country + " " + fmt.Sprint(level)
		if list, ok := level.([]any); ok {
			name = strings.Join([]string{fmt.Sprint(list[0]), fmt.Sprint(list[1])}, " ")
		}
		m, ok := groups[name]
		if !ok {
			t.Fatalf("no group %s", name)
		}
		return m
	}
	p := make([]float64, len(rows))
	for i, row := range rows {
		p[i] = *Compare(Proportion, group(row.Country, row.Level1), group(row.Country, row.Level2), opt).PValue
	}
	adjusted := Bonferroni.Adjust(p)
	each, _ := Bonferroni.AlphaOf(opt.Alpha, len(rows))
	corrected := opt
	corrected.Alpha = each
	for i, row := range rows {
		a, b := group(row.Country, row.Level1), group(row.Country, row.Level2)
		e, f := Compare(Proportion, a, b, opt), Compare(Proportion, a, b, corrected)
		near(t, "p-value", e.PValue, row.PValue, 1e-9)
		near(t, "adjusted p-value", &adjusted[i], row.AdjustedP, 1e-9)
		if (adjusted[i] < opt.Alpha) != row.IsSignificant {
			t.Errorf("adjusted p-value %v: significant there is %v", adjusted[i], row.IsSignificant)
		}
		if leftOut["confidence "+c.ID] != "" {
			near(t, "relative difference", e.Relative, row.Difference, 1e-12)
			continue
		}
		near(t, "difference", e.Absolute, row.Difference, 1e-12)
		near(t, "ci_lower", e.AbsoluteLow, row.Low, 1e-9)
		near(t, "ci_upper", e.AbsoluteHigh, row.High, 1e-9)
		near(t, "adjusted ci_lower", f.AbsoluteLow, row.AdjustedLow, 1e-9)
		near(t, "adjusted ci_upper", f.AbsoluteHigh, row.AdjustedHigh, 1e-9)
	}
}

// counts are those of a 0/1 metric as a run has them.
func counts(x, n int64) Moments { return NewMoments(n, map[Term]Sum{X: SumOf(x), XX: SumOf(x)}) }

func TestCountsAgainstReference(t *testing.T) {
	r := readJSON[struct {
		Exact []struct {
			Baseline, Variation [2]int64
			Alternative         Alternative
			PValues             map[ExactTest]float64 `json:"p_values"`
		}
		ChiSquared []struct {
			Baseline, Variation [2]int64
			Pearson, G          float64
		} `json:"chi_squared"`
		Multinomial []struct {
			Units   []int64
			Weights []string
			PValue  float64 `json:"p_value"`
		}
	}](t, "testdata/exact.json")
	for _, c := range r.Exact {
		a, b := counts(c.Baseline[0], c.Baseline[1]), counts(c.Variation[0], c.Variation[1])
		for name, want := range c.PValues {
			opt := DefaultOptions()
			opt.Exact, opt.ExactBelow, opt.Alternative = name, 1000, c.Alternative
			e := Compare(Mean, a, b, opt)
			near(t, fmt.Sprintf("%s of %v, %v %s", name, c.Baseline, c.Variation, c.Alternative), e.PValue, want, 1e-9)
		}
	}
	for _, c := range r.ChiSquared {
		a, b := counts(c.Baseline[0], c.Baseline[1]), counts(c.Variation[0], c.Variation[1])
		for test, want := range map[Test]float64{Pearson: c.Pearson, G: c.G} {
			opt := DefaultOptions()
			opt.Test = test
			near(t, fmt.Sprintf("%s of %v, %v", test, c.Baseline, c.Variation), Compare(Mean, a, b, opt).PValue, want, 1e-9)
		}
	}
	for _, c := range r.Multinomial {
		s := SampleRatio(c.Units, rats(c.Weights...), DefaultOptions())
		near(t, fmt.Sprintf("sample ratio of %v", c.Units), s.PValue, c.PValue, 1e-9)
		if s.Method != "exact multinomial" {
			t.Errorf("%v: by %s", c.Units, s.Method)
		}
	}
	if len(r.Exact) < 20 || len(r.ChiSquared) < 6 || len(r.Multinomial) < 6 {
		t.Error("the reference holds too few cases")
	}
}

// The tests of counts take the place of the p-value, where they can.
func TestCountTestsReplaceThePValue(t *testing.T) {
	zeroOne, money := counts(5, 20), arm(t, 20, "5", "12")
	for _, c := range []struct {
		what     string
		change   func(*Options)
		kind     Kind
		baseline Moments
		method   string
	}{
		{"Pearson", func(o *Options) { o.Test = Pearson }, Mean, zeroOne, "Pearson chi-squared, interval by z, relative by delta"},
		{"G", func(o *Options) { o.Test = G }, Mean, zeroOne, "G, interval by z, relative by delta"},
		{"Pearson of money", func(o *Options) { o.Test = Pearson }, Mean, money, "Welch t, relative by delta"},
		{"exact", func(o *Options) { o.ExactBelow = 21 }, Mean, zeroOne, "Barnard exact, interval by Welch t, relative by delta"},
		{"not below", func(o *Options) { o.ExactBelow = 20 }, Mean, zeroOne, "Welch t, relative by delta"},
		{"exact before Pearson", func(o *Options) { o.Test, o.Exact, o.ExactBelow = Pearson, Fisher, 21 }, Proportion, zeroOne,
			"Fisher exact, interval by z, relative by delta"},
		{"always valid", func(o *Options) { o.Test, o.TunedAt = Pearson, 5000 }, Mean, zeroOne, "always valid, tuned at 5000 units, relative by delta"},
	} {
		opt := DefaultOptions()
		c.change(&opt)
		e := Compare(c.kind, c.baseline, counts(9, 20), opt)
		if e.Method != c.method {
			t.Errorf("%s: %s, want %s", c.what, e.Method, c.method)
		}
		if e.PValue == nil || *e.Significant != (*e.PValue < opt.Alpha) {
			t.Errorf("%s: p-value %v, significant %v", c.what, e.PValue, e.Significant)
		}
	}
	// Nothing differs within the variations, but much between them.
	opt := DefaultOptions()
	opt.ExactBelow, opt.Exact = 100, Fisher
	e := Compare(Mean, counts(0, 10), counts(10, 10), opt)
	near(t, "p-value", e.PValue, 2.0/184756, 1e-12) // 20 over 10 tables, two as unlikely
	if e.Status != ZeroVariance || e.AbsoluteLow != nil {
		t.Errorf("status %s, low %v", e.Status, e.AbsoluteLow)
	}
	// Nobody has anything.
	for _, exact := range []ExactTest{Barnard, Fisher, Boschloo} {
		opt.Exact = exact
		if e := Compare(Mean, counts(0, 10), counts(0, 12), opt); e.PValue == nil || *e.PValue != 1 {
			t.Errorf("%s of nothing: %v", exact, e.PValue)
		}
	}
}

// Swapping variations turns the sides; on each, a test and its mirror leave out at
// most the table itself; exact tests are valid whatever the rate.
func TestCountTestsAreTests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		na, nb := rapid.Int64Range(1, 4).Draw(t, "na"), rapid.Int64Range(1, 5).Draw(t, "nb")
		c := table{rapid.Int64Range(0, na).Draw(t, "xa"), na, rapid.Int64Range(0, nb).Draw(t, "xb"), nb}
		swapped := table{c.xb, nb, c.xa, na}
		for _, test := range []countTest{pearson, gTest, barnard, fisher, boschloo} {
			for _, alt := range []Alternative{TwoSided, Greater, Less} {
				opposite := map[Alternative]Alternative{TwoSided: TwoSided, Greater: Less, Less: Greater}[alt]
				p, ok := test.pValue(c, alt)
				q, mirrored := test.pValue(swapped, opposite)
				if ok != mirrored || ok && (p <= 0 || p > 1 || math.Abs(p-q) > 1e-9) {
					t.Fatalf("%s %s of %+v: %v, swapped %v", test, alt, c, p, q)
				}
			}
		}
		rate := rapid.Float64Range(0.01, 0.99).Draw(t, "rate")
		a, b := binomial(na, rate, 1-rate), binomial(nb, rate, 1-rate)
		for _, test := range []countTest{barnard, fisher, boschloo} {
			const alpha = 0.1
			rejected := 0.0
			for xa := range na + 1 {
				for xb := range nb + 1 {
					if p, _ := test.pValue(table{xa, na, xb, nb}, TwoSided); p <= alpha {
						rejected += a[xa] * b[xb]
					}
				}
			}
			if rejected > alpha*(1+1e-9) {
				t.Fatalf("%s of %d and %d units rejects with the chance %v at the rate %v", test, na, nb, rejected, rate)
			}
		}
	})
}

func TestSampleRatiosAreCorrectedTogether(t *testing.T) {
	days := [][]int64{{510, 490}, {600, 400}, {0, 0}, {540, 460}}
	tests := SampleRatios(setsOf(days, rats("1", "1")), DefaultOptions())
	var p []float64
	for _, i := range []int{0, 1, 3} {
		single := SampleRatio(days[i], rats("1", "1"), DefaultOptions())
		p = append(p, *single.PValue)
	}
	want := Holm.Adjust(p)
	for i, j := range []int{0, 1, 3} {
		near(t, "adjusted p-value", tests[j].PValueAdjusted, want[i], 1e-15)
	}
	if tests[2].PValueAdjusted != nil || tests[2].Status != NoUnits {
		t.Errorf("a day without units: %+v", tests[2])
	}
	var alarms []int
	for i, r := range tests {
		if r.Alarm {
			alarms = append(alarms, i)
		}
	}
	if !slices.Equal(alarms, []int{1}) {
		t.Errorf("alarms on days %v, want on day 1", alarms)
	}
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		n          int64
		variations int
		want       float64
	}{{999_999, 2, 1_000_000}, {3, 3, 10}, {0, 4, 1}, {1412, 3, 998_991}} {
		if got := outcomes(c.n, c.variations); got != c.want {
			t.Errorf("%d units over %d variations: %v outcomes, want %v", c.n, c.variations, got, c.want)
		}
	}
}

// setsOf are sets of units with the same weights.
func setsOf(units [][]int64, weights []*big.Rat) []RatioSet {
	var out []RatioSet
	for _, u := range units {
		out = append(out, RatioSet{u, weights})
	}
	return out
}
