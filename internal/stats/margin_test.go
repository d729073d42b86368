package stats

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/metrics"
)

// runMargin meets a case of spotify/confidence. Their relative margin takes the
// baseline's mean for a constant, which is an absolute margin of that size.
func (c confidenceCase) runMargin(t *testing.T, input confidenceInput, opt Options) {
	margin, err := ParseSum(input.NIM.Margin.String())
	if err != nil {
		t.Fatal(err)
	}
	a, b := input.Level1.moments(), input.Level2.moments()
	mean, err := ParseSum("2.0042") // 10021 of 5000
	if err != nil || mean.Mul(SumOf(a.Units)).Cmp(a.Sum(X)) != 0 {
		t.Fatal("another mean than that of the case")
	}
	better := map[string]metrics.Better{"increase": metrics.Higher, "decrease": metrics.Lower}[input.NIM.Preferred]
	r := CompareWithMargin(Mean, a, b, Margin{Size: margin.Mul(mean)}, better, opt)
	var rows []struct {
		Low         expected `json:"ci_lower"`
		High        expected `json:"ci_upper"`
		PValue      float64  `json:"p-value"`
		Significant bool     `json:"is_significant"`
	}
	if err := json.Unmarshal(c.Output, &rows); err != nil || len(rows) != 1 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	bound := rows[0].Low
	if better == metrics.Lower {
		bound = rows[0].High
	}
	near(t, "p-value", r.PValue, rows[0].PValue, 1e-9)
	meets(t, "bound", r.Bound, bound, 1e-10)
	if *r.NonInferior != rows[0].Significant {
		t.Errorf("non-inferior %v, there %v", *r.NonInferior, rows[0].Significant)
	}
}

func sumOf(t interface{ Fatal(...any) }, text string) Sum {
	s, err := ParseSum(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A margin of 2% is a comparison with 98% of the baseline, unit by unit (102% where
// less is better); one of 3 a comparison with a baseline that is worse by 3.
func TestMarginIsAComparisonWithAWorseBaseline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opt := drawOptions(t)
		opt.TunedAt = 0
		if opt.Test == Student {
			opt.Test = Welch // scaling one variation makes variances unequal
		}
		kind := kinds.Draw(t, "kind")
		better := rapid.SampledFrom([]metrics.Better{metrics.Higher, metrics.Lower}).Draw(t, "better")
		sign := map[metrics.Better]int64{metrics.Higher: -1, metrics.Lower: 1}[better]
		a, b := drawUnits(t, "a"), drawUnits(t, "b")
		total := int64(0)
		for _, u := range a {
			total += u.x
		}
		if total == 0 {
			return
		}
		opposite := opt
		opposite.Alternative = map[metrics.Better]Alternative{metrics.Higher: Greater, metrics.Lower: Less}[better]

		share := 100 + 2*sign
		if total < 0 {
			share = 100 - 2*sign
		}
		times := func(units []unit, by, plus int64) Moments {
			moved := make([]unit, len(units))
			for i, u := range units {
				moved[i] = unit{u.x*by + plus*u.y, u.y}
			}
			return momentsOf(moved)
		}
		r := CompareWithMargin(kind, momentsOf(a), momentsOf(b), Margin{sumOf(t, "0.02"), true}, better, opt)
		want := Compare(kind, times(a, share, 0), times(b, 100, 0), opposite)
		same(t, "relative margin", r.PValue, want.PValue, 1e-12)
		if r.NonInferior != nil && r.Worst != nil {
			// Worst is compared with the limit, and their difference is rounded.
			if within := (*r.Worst-*r.Limit)*float64(-sign) > 0; within != *r.NonInferior && math.Abs(*r.Worst-*r.Limit) > 1e-12*math.Abs(*r.Limit) {
				t.Fatalf("non-inferior %v, at worst %v with the limit %v", *r.NonInferior, *r.Worst, *r.Limit)
			}
		}

		if kind == Mean {
			for i := range a {
				a[i].y = 1
			}
		}
		r = CompareWithMargin(kind, momentsOf(a), momentsOf(b), Margin{Size: SumOf(3)}, better, opt)
		want = Compare(kind, times(a, 1, 3*sign), momentsOf(b), opposite)
		same(t, "absolute margin", r.PValue, want.PValue, 1e-12)
	})
}

// Non-inferior by a relative margin is to have Fieller's bound inside it.
func TestMarginAgreesWithFieller(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opt := drawOptions(t)
		opt.Test, opt.TunedAt, opt.Relative, opt.Alternative = Z, 0, Fieller, Greater
		a, b := momentsOf(drawUnits(t, "a")), momentsOf(drawUnits(t, "b"))
		e := Compare(Mean, a, b, opt)
		r := CompareWithMargin(Mean, a, b, Margin{sumOf(t, "0.1"), true}, metrics.Higher, opt)
		if r.PValue == nil || e.RelativeLow == nil {
			return
		}
		if d := *e.RelativeLow + 0.1; *r.NonInferior != (d > 0) && (d > 1e-9 || d < -1e-9) {
			t.Fatalf("non-inferior %v with the bound %v", *r.NonInferior, *e.RelativeLow)
		}
	})
}

func TestMarginDegenerate(t *testing.T) {
	few := arm(t, 3, "6", "14")
	for _, c := range []struct {
		what                string
		baseline, variation Moments
		margin              Margin
		status              Status
	}{
		{"ordinary", few, arm(t, 3, "9", "29"), Margin{SumOf(1), false}, OK},
		{"nobody", Moments{}, few, Margin{SumOf(1), false}, NoUnits},
		{"a share of zero", arm(t, 3, "0", "2"), few, Margin{sumOf(t, "0.02"), true}, OK},
		{"a share of zero, all alike", arm(t, 3, "0", "0"), arm(t, 3, "0", "0"), Margin{sumOf(t, "0.02"), true}, ZeroVariance},
		{"an absolute margin of zero", arm(t, 3, "0", "2"), few, Margin{SumOf(1), false}, OK},
		{"zero variance", arm(t, 3, "6", "12"), arm(t, 3, "6", "12"), Margin{SumOf(1), false}, ZeroVariance},
		{"one unit", few, arm(t, 1, "2", "4"), Margin{SumOf(1), false}, OneUnit},
	} {
		r := CompareWithMargin(Mean, c.baseline, c.variation, c.margin, metrics.Higher, DefaultOptions())
		if r.Status != c.status || (r.PValue != nil) != (c.status == OK) {
			t.Errorf("%s: status %s: %s, p-value %v", c.what, r.Status, r.Reason, r.PValue)
		}
	}
}

// A share of zero is zero: the guardrail may not get worse at all. Units of 0, 1 and 2 have
// the mean 1 with the variance 1/3, so that t is √3 with two degrees of freedom, whose tail
// is 1/2 − t/(2√(2 + t²)). With units of −1, 0 and 1 as baseline, and a margin of all of
// it, the variances are 4·1/3 and 1/3: Python 3.11, math.erfc(1/sqrt(5/3)/sqrt(2))/2.
func TestMarginOfAZeroBaseline(t *testing.T) {
	events := arm(t, 3, "3", "5")
	for _, c := range []struct {
		what     string
		baseline Moments
		margin   string
		better   metrics.Better
		test     Test
		p        float64
	}{
		{"all zero, more is better", arm(t, 3, "0", "0"), "0.02", metrics.Higher, Welch, 0.1127016653792583},
		{"all zero, less is better", arm(t, 3, "0", "0"), "0.02", metrics.Lower, Welch, 1 - 0.1127016653792583},
		{"zero on average, more is better", arm(t, 3, "0", "2"), "1", metrics.Higher, Z, 0.21928901304049994},
		{"zero on average, less is better", arm(t, 3, "0", "2"), "1", metrics.Lower, Z, 1 - 0.21928901304049994},
	} {
		opt := DefaultOptions()
		opt.Test = c.test
		r := CompareWithMargin(Mean, c.baseline, events, Margin{sumOf(t, c.margin), true}, c.better, opt)
		near(t, c.what, r.PValue, c.p, 1e-12)
		if r.Status != OK || r.Limit == nil || *r.Limit != 0 || r.Worst == nil || *r.NonInferior {
			t.Errorf("%s: %+v", c.what, r)
		}
	}
	opt := DefaultOptions()
	opt.MSPRT = true
	for _, margin := range []Margin{{sumOf(t, "0.02"), true}, {SumOf(1), false}} {
		r := CompareWithMargin(Mean, arm(t, 9, "0", "2"), arm(t, 9, "0", "3"), margin, metrics.Higher, opt)
		if r.Status != ZeroBaseline || r.PValue != nil || r.Limit == nil {
			t.Errorf("mixture with a baseline of zero: %+v", r)
		}
	}
}

func TestMarginOf(t *testing.T) {
	for _, c := range []struct {
		value metrics.Number
		unit  metrics.MarginUnit
		want  string
	}{{"2", metrics.MarginRelative, "0.02 true"}, {"2.5", metrics.MarginPoints, "0.025 false"}, {"20", metrics.MarginAbsolute, "20 false"}} {
		m := MarginOf(metrics.Margin{Value: c.value, Unit: c.unit})
		if got := m.Size.String() + map[bool]string{true: " true", false: " false"}[m.Relative]; got != c.want {
			t.Errorf("%s%s: %s, want %s", c.value, c.unit, got, c.want)
		}
	}
}
