package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"
)

// runPower meets a case of tea-tasting, from the variance that it had.
func (f teaFile) runPower(t *testing.T, c teaCase) {
	p := c.Params
	mean, variance := 0.47, 0.6556565656565657 // orders of power_users_n100_seed42
	if v, ok := c.FullPrecision["var"]; ok {
		mean, variance = c.FullPrecision["mean"].(float64), v.(float64)
	}
	alternative := map[string]Alternative{"": TwoSided, "two-sided": TwoSided, "greater": Greater, "less": Less}[p.Alternative]
	d := PowerDesign{StdDev: math.Sqrt(variance), Ratio: 1, Alpha: p.Alpha, Alternative: alternative, Test: Student}
	want := map[string]any{}
	for _, source := range []map[string]any{decodeMap(t, c.Expected), c.FullPrecision} {
		for name, v := range source {
			want[name] = v
		}
	}
	delete(want, "display")
	delete(want, "columns")
	delete(want, "mean")
	delete(want, "var")
	delete(want, "n_obs_exact")
	effect := 0.0
	switch p.Solve {
	case "power":
		effect = p.RelEffect * mean
	case "n_obs":
		effect = p.Effect
	default:
		effect = d.DetectableEffect(p.Power, p.NObs)
	}
	for name, v := range want {
		switch name {
		case "power":
			near(t, name, new(d.Power(effect, p.NObs)), v.(float64), 1e-9)
		case "effect_size":
			near(t, name, &effect, v.(float64), 1e-7) // their root is found to so many digits
		case "rel_effect_size":
			near(t, name, new(effect/mean), v.(float64), 1e-7)
		case "n_obs":
			near(t, name, new(math.Ceil(d.Units(p.Effect, p.Power))), v.(float64), 0)
			near(t, "exact units", new(d.Units(p.Effect, p.Power)), c.FullPrecision["n_obs_exact"].(float64), 1e-9)
		default:
			t.Errorf("%s is not compared", name)
		}
	}
}

// runPower meets a case of spotify/confidence: by the normal, with the variance of
// the control.
func (c confidenceCase) runPower(t *testing.T) {
	var input struct {
		MDE      float64
		Variance float64 `json:"baseline_var"`
		Alpha    float64
		N1, N2   float64
		Level1   map[string]float64 `json:"level_1"`
		Level2   map[string]float64 `json:"level_2"`
		Control  confidenceArm
		Arm      confidenceArm `json:"treatment"`
		Relative float64       `json:"mde_relative"`
		Power    float64
		Size     json.Number `json:"interval_size"`
	}
	if err := json.Unmarshal(c.Input, &input); err != nil {
		t.Fatal(err)
	}
	if input.Level1 != nil {
		// The variance is the pooled one of both variations.
		pooled, units := 0.0, 0.0
		for _, arm := range []map[string]float64{input.Level1, input.Level2} {
			n, sum := arm["users"], arm["nr_of_items"]
			pooled += arm["nr_of_items_sumsq"] - sum*sum/n
			units += n
		}
		input.N1, input.N2, input.Variance = input.Level1["users"], input.Level2["users"], pooled/(units-2)
	}
	if input.N1 > 0 {
		var want struct{ Power float64 }
		if err := json.Unmarshal(c.Output, &want); err != nil {
			t.Fatal(err)
		}
		d := PowerDesign{StdDev: math.Sqrt(input.Variance), Ratio: input.N2 / input.N1, Alpha: input.Alpha, Alternative: TwoSided, Test: Z}
		near(t, "power", new(d.Power(input.MDE, input.N1+input.N2)), want.Power, 1e-6)
		return
	}
	var want []struct {
		Effect float64 `json:"powered_effect"`
		Units  float64 `json:"required_sample_size"`
	}
	if err := json.Unmarshal(c.Output, &want); err != nil || len(want) != 1 {
		t.Fatalf("%d rows: %v", len(want), err)
	}
	opt := DefaultOptions()
	opt.Test, opt.Alpha = Z, oneLess(t, input.Size)
	m := input.Control.moments()
	d, _ := PowerDesignOf(Mean, m, float64(input.Arm.N)/float64(input.Control.N), opt)
	near(t, "powered effect", new(d.DetectableEffect(input.Power, float64(input.Control.N+input.Arm.N))), want[0].Effect, 1e-4)
	mde := input.Relative * *Describe(Mean, m).Mean
	baseline := d.Units(mde, input.Power) / (1 + d.Ratio)
	near(t, "units", new(math.Ceil(baseline)+math.Ceil(baseline*d.Ratio)), want[0].Units, 0) // they round each up
}

// Effect, units and power are one relation, whichever is asked for.
func TestPowerInverts(t *testing.T) {
	for _, test := range []Test{Welch, Z} {
		for _, alt := range []Alternative{TwoSided, Greater, Less} {
			for _, ratio := range []float64{1, 0.25, 9} {
				for _, units := range []float64{10, 500, 1e8} {
					d := PowerDesign{StdDev: 3, Ratio: ratio, Alpha: 0.05, Alternative: alt, Test: test}
					effect := d.DetectableEffect(0.8, units)
					what := fmt.Sprintf("%s %s 1:%v %v units", test, alt, ratio, units)
					near(t, what+": power", new(d.Power(effect, units)), 0.8, 1e-10)
					near(t, what+": units", new(d.Units(effect, 0.8)), units, 1e-8)
					near(t, what+": no effect", new(d.Power(0, units)), 0.05, 1e-10)
				}
			}
		}
	}
	if u := (PowerDesign{StdDev: 3, Ratio: 1, Alpha: 0.05, Alternative: Greater, Test: Z}).Units(-1, 0.8); !math.IsInf(u, 1) {
		t.Errorf("%v units find an effect on the other side", u)
	}
}

// The effect that is found with a power has that power, however few units there are and
// however small alpha is.
func TestDetectableEffectHasItsPower(t *testing.T) {
	for _, test := range []Test{Z, Welch} {
		for _, alt := range []Alternative{TwoSided, Greater, Less} {
			for _, alpha := range []float64{1e-6, 0.001, 0.05, 0.5} {
				for _, power := range []float64{alpha * 1.001, alpha + 0.01, 0.6, 0.8, 0.999999} {
					for _, units := range []float64{3, 3.5, 4, 8, 102, 1e8} {
						for _, ratio := range []float64{0.01, 1, 50} {
							d := PowerDesign{StdDev: 2, Ratio: ratio, Alpha: alpha, Alternative: alt, Test: test}
							what := fmt.Sprintf("%s %s at %v, 1:%v, %v units", test, alt, alpha, ratio, units)
							near(t, what, new(d.Power(d.DetectableEffect(power, units), units)), power, 1e-10)
						}
					}
				}
			}
		}
	}
}

func TestDocsOfPower(t *testing.T) {
	text, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```power\n")
	block, _, _ := strings.Cut(rest, "\n```")
	lines := strings.Split(block, "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines, want 4", len(lines))
	}
	for _, line := range lines[1:] { // std_dev effect units power of lines like: 1 0.1 2000 0.6086898
		w := strings.Fields(line)
		d := PowerDesign{StdDev: parseFloat(t, w[0]), Ratio: 1, Alpha: 0.05, Alternative: TwoSided, Test: Welch}
		effect, units := parseFloat(t, w[1]), parseFloat(t, w[2])
		printed(t, line, w[3:], []*float64{new(d.Power(effect, units)), new(d.DetectableEffect(0.8, units)), new(math.Ceil(d.Units(effect, 0.8)))})
	}
	_, rest, _ = strings.Cut(string(text), "```power_of_rates\n")
	block, _, _ = strings.Cut(rest, "\n```")
	lines = strings.Split(block, "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines of rates, want 4", len(lines))
	}
	for _, line := range lines[1:] {
		w := strings.Fields(line)
		rate, effect, units := parseFloat(t, w[0]), parseFloat(t, w[1]), parseFloat(t, w[2])
		d := PowerDesign{StdDev: math.Sqrt(rate * (1 - rate)), Rate: rate, Ratio: parseFloat(t, w[3]), Alpha: 0.05, Alternative: TwoSided, Test: Welch}
		printed(t, line, w[4:], []*float64{new(d.Power(effect, units)), new(d.DetectableEffect(0.8, units)), new(math.Ceil(d.Units(effect, 0.8)))})
	}
}

// The detectable effect of a comparison: scipy 1.14.1, brentq on stats.nct with
// Welch's degrees of freedom, or stats.norm on both sides, as a share of the baseline's mean. The sums are
// those of docs/statistics.md.
func TestDetectableEffectOfAComparison(t *testing.T) {
	purchases := [2]Moments{counts(163, 3304), counts(223, 3329)}
	few := [2]Moments{
		NewMoments(5, map[Term]Sum{X: SumOf(30), XX: SumOf(266)}),
		NewMoments(5, map[Term]Sum{X: SumOf(42), XX: SumOf(438)}),
	}
	for _, c := range []struct {
		arms  [2]Moments
		test  Test
		alt   Alternative
		power float64
		want  float64
	}{
		{purchases, Welch, TwoSided, 0.8, 0.32616732391637837},
		{purchases, Z, TwoSided, 0.8, 0.3261192200134077},
		{few, Welch, TwoSided, 0.8, 1.5608522605490123},
		{few, Welch, Greater, 0.9, 1.567175931689545},
		{few, Welch, Less, 0.9, -1.567175931689545},
	} {
		opt := Options{Test: c.test, Alternative: c.alt, Alpha: 0.05, Relative: Delta, Power: c.power}
		near(t, fmt.Sprintf("%s %s", c.test, c.alt), Compare(Mean, c.arms[0], c.arms[1], opt).Detectable, c.want, 1e-10)
	}
	opt := DefaultOptions()
	opt.Power = 0
	if e := Compare(Mean, few[0], few[1], opt); e.Detectable != nil {
		t.Errorf("detectable effect %v, and no power was asked for", *e.Detectable)
	}
}

// With many degrees of freedom the closed form is the integral.
func TestNearlyNormalTail(t *testing.T) {
	for _, nu := range []float64{1e5, 3e6, 1e9} {
		for _, q := range []float64{1.6, 1.96, 4.5} {
			for _, shift := range []float64{-2, 0.5, 2.8, 6} {
				if got, want := nearlyNormalTail(q, nu, shift), chiOf(nu).tail(q, shift); math.Abs(got-want) > 1e-10 {
					t.Errorf("ν %v, q %v, shift %v: %v, want %v", nu, q, shift, got, want)
				}
			}
		}
	}
}

// The 95th percentile of 36,000 load times of 1800 units. By numpy 2.1 and scipy 1.14.1 it is
// 181.1 with a standard error of 1.0881356249117882, that of its share being the one of a
// ratio over units, and 5% of it are found by 4·se²·1800·(isf(.025) + isf(.2))²/(.05·181.1)²
// = 816.07 units; the other side adds less than a millionth.
func TestPowerDesignOfPercentileOfEvents(t *testing.T) {
	z := PercentileZ(0.05)
	m := Moments{Units: 1800, Quantiles: &Quantiles{
		Value: big.NewRat(1811, 10), Lower: 181.1 - z*1.0881356249117882, Upper: 181.1 + z*1.0881356249117882, Z: z, N: 36_000,
	}}
	d, ok := PowerDesignOf(Percentile, m, 1, DefaultOptions())
	if !ok {
		t.Fatal("no design")
	}
	units := d.Units(0.05*181.1, 0.8)
	near(t, "units", &units, 816.0735835137237, 1e-5)
}

// By mpmath 1.3.0, the mean over u = s^nu of the normal's tails, by quad and findroot at 25
// digits; scipy 1.14.1 has the same by nct.sf + nct.cdf, where it is to be had.
func TestNoncentralShiftOfFewDegrees(t *testing.T) {
	for _, c := range []struct{ nu, want float64 }{
		{1.019, 15.64242517988761}, {1.134, 12.46245579356804}, {2.2, 5.208364999884982}, {5, 3.513902729171092}, {30, 2.895358300153196},
	} {
		got := noncentralShift(c.nu, student{c.nu}.quantile(0.025), TwoSided, 0.8)
		near(t, fmt.Sprintf("shift with %v degrees of freedom", c.nu), &got, c.want, 1e-9)
	}
}

// By scipy 1.14.1, the root of norm.sf(norm.isf(a/2) - x) + norm.cdf(-norm.isf(a/2) - x) = 0.8,
// with a standard error of 1. An alpha above the power finds no effect at all as often.
func TestDetectableOfBothTails(t *testing.T) {
	for _, c := range []struct{ alpha, want float64 }{{0.05, 2.8015817870135793}, {0.5, 1.4587150359079042}, {0.999999, 0}} {
		opt := DefaultOptions()
		opt.Alpha, opt.Power = c.alpha, 0.8
		for _, reference := range []distribution{normal{}, student{1e9}} {
			s := spread{baseline: 0.5, variation: 0.5, reference: reference}
			got := s.detectable(quantileOf(reference, opt), opt)
			near(t, fmt.Sprintf("%T at alpha %v", reference, c.alpha), &got, c.want, 1e-8)
		}
	}
}

// The variance of a rate follows from it, in the variation too. By scipy 1.17.1: stats.nct with
// n − 2 degrees of freedom and the shift effect/√(p(1 − p)/nₐ + q(1 − q)/n_b), and root finding.
// 400,000 Welch tests of the first found the effect in 76.2% of them.
func TestPowerOfRates(t *testing.T) {
	for _, c := range []struct{ rate, effect, units, ratio, power, detectable, needed float64 }{
		{0.1, 0.02, 8000, 0.5, 0.758370908, 0.021115469, 8867.2091},
		{0.1, 0.02, 8000, 1, 0.815875490, 0.019577298, 7678.1068},
		{0.02, 0.002, 50000, 1, 0.344624734, 0.003661543, 161358.7951},
		{0.5, 0.05, 2000, 2, 0.559928488, 0.066282314, 3522.1357},
		{0.9, 0.03, 1500, 1, 0.549705295, 0.039254696, 2707.1627},
	} {
		d := PowerDesign{StdDev: math.Sqrt(c.rate * (1 - c.rate)), Rate: c.rate, Ratio: c.ratio, Alpha: 0.05, Alternative: TwoSided, Test: Welch}
		close := func(what string, got, want, digits float64) {
			if !(math.Abs(got-want) <= digits) {
				t.Errorf("%v: %s %v, want %v", c, what, got, want)
			}
		}
		close("power", d.Power(c.effect, c.units), c.power, 1e-8)
		close("detectable effect", d.DetectableEffect(0.8, c.units), c.detectable, 1e-8)
		close("units", d.Units(c.effect, 0.8), c.needed, 1e-3)
		// To lose so many of those that have it is to win as many of those that do not.
		d.Alternative = Less
		other := d
		other.Rate, other.Alternative = 1-c.rate, Greater
		close("power for less", d.Power(-c.effect, c.units), other.Power(c.effect, c.units), 1e-12)
		close("detectable effect for less", d.DetectableEffect(0.8, c.units), -other.DetectableEffect(0.8, c.units), 1e-12)
	}
	d := PowerDesign{StdDev: 0.3, Rate: 0.1, Ratio: 0.5, Alpha: 0.05, Alternative: Less, Test: Student}
	if got := d.Power(-0.02, 8000); math.Abs(got-0.912109798) > 1e-8 {
		t.Errorf("power for less: %v", got)
	}
}
