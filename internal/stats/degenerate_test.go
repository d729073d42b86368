package stats

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// arm makes moments from decimal texts: Σx, Σxx, and for a ratio Σy, Σyy, Σxy.
func arm(t *testing.T, units int64, sums ...string) Moments {
	t.Helper()
	m := Moments{Units: units}
	for i, text := range sums {
		s, err := ParseSum(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Set([]Term{X, XX, Y, YY, XY}[i], s)
	}
	return m
}

// given lists the numbers of an effect that are there.
func given(e Effect) string {
	list := ""
	for _, n := range []struct {
		name string
		f    *float64
	}{
		{"a", e.Absolute}, {"al", e.AbsoluteLow}, {"ah", e.AbsoluteHigh},
		{"r", e.Relative}, {"rl", e.RelativeLow}, {"rh", e.RelativeHigh}, {"p", e.PValue},
	} {
		if n.f != nil {
			list += n.name + " "
		}
	}
	if e.Significant != nil {
		list += "s "
	}
	return list
}

func TestCompareDegenerate(t *testing.T) {
	all := "a al ah r rl rh p s "
	for _, c := range []struct {
		name                string
		kind                Kind
		baseline, variation Moments
		status              Status
		reason              string
		given               string
	}{
		{"ordinary", Mean, arm(t, 3, "6", "14"), arm(t, 3, "9", "29"), OK, "", all},
		{"nobody", Mean, Moments{}, Moments{}, NoUnits, "baseline and variation: there are no units", ""},
		{"no baseline", Mean, Moments{}, arm(t, 3, "9", "29"), NoUnits, "baseline: there are no units", ""},
		{"no variation", Mean, arm(t, 3, "6", "14"), Moments{}, NoUnits, "variation: there are no units", ""},
		{"one unit", Mean, arm(t, 3, "6", "14"), arm(t, 1, "5", "25"), OneUnit,
			"variation: there is only one unit, and a variance needs two", "a r "},
		{"one unit, zero baseline", Mean, arm(t, 1, "0", "0"), arm(t, 3, "6", "14"), OneUnit,
			"baseline: there is only one unit, and a variance needs two; the baseline's mean is zero, so there is no relative effect", "a "},
		{"nobody and one", Mean, Moments{}, arm(t, 1, "5", "25"), NoUnits,
			"baseline: there are no units; variation: there is only one unit, and a variance needs two", ""},
		{"zero variance", Mean, arm(t, 3, "6", "12"), arm(t, 4, "12", "36"), ZeroVariance,
			"no unit differs from another of its variation, so chance cannot be measured", "a r "},
		{"nothing happened", Mean, arm(t, 3, "0", "0"), arm(t, 4, "0", "0"), ZeroVariance,
			"no unit differs from another of its variation, so chance cannot be measured; the baseline's mean is zero, so there is no relative effect", "a "},
		{"zero variance in one", Mean, arm(t, 3, "6", "12"), arm(t, 3, "9", "29"), OK, "", all},
		{"zero baseline", Mean, arm(t, 3, "0", "0"), arm(t, 3, "9", "29"), ZeroBaseline,
			"the baseline's mean is zero, so there is no relative effect", "a al ah p s "},
		{"negative baseline", Mean, arm(t, 3, "-6", "14"), arm(t, 3, "-3", "5"), OK, "", all},
		{"negative variance", Mean, arm(t, 3, "6", "11"), arm(t, 3, "9", "29"), InconsistentSums,
			"baseline: the sums belong to no set of units: their variance is negative", "a r "},
		{"negative units", Mean, arm(t, -3, "6", "11"), arm(t, 3, "9", "29"), InconsistentSums,
			"baseline: the number of units is negative", ""},
		{"beyond float64", Mean, arm(t, 3, "6e400", "14e800"), arm(t, 3, "9", "29"), OutOfRange,
			"a number is beyond the range of float64", "r "},
		{"variance below float64", Mean, arm(t, 2, "3e-400", "5e-800"), arm(t, 2, "4e-400", "10e-800"), OutOfRange,
			"the variance is too small for a float64", "a r "},
		{"ratio", Ratio, arm(t, 3, "6", "14", "3", "5", "8"), arm(t, 3, "9", "29", "6", "14", "20"), OK, "", all},
		{"zero denominator", Ratio, arm(t, 3, "6", "14", "0", "0", "0"), arm(t, 3, "9", "29", "6", "14", "20"), ZeroDenominator,
			"baseline: the denominators add up to zero", ""},
		{"zero denominator of one unit", Ratio, arm(t, 3, "9", "29", "6", "14", "20"), arm(t, 1, "6", "36", "0", "0", "0"), ZeroDenominator,
			"variation: the denominators add up to zero", ""},
		{"zero numerator", Ratio, arm(t, 3, "0", "0", "6", "14", "0"), arm(t, 3, "9", "29", "6", "14", "20"), ZeroBaseline,
			"the baseline's mean is zero, so there is no relative effect", "a al ah p s "},
		{"proportional ratio", Ratio, arm(t, 3, "6", "14", "6", "14", "14"), arm(t, 3, "12", "56", "6", "14", "28"), ZeroVariance,
			"no unit differs from another of its variation, so chance cannot be measured", "a r "},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, test := range []Test{Welch, Z, Student} {
				opt := DefaultOptions()
				opt.Test = test
				e := Compare(c.kind, c.baseline, c.variation, opt)
				if e.Status != c.status || e.Reason != c.reason {
					t.Errorf("%s: status %s: %q, want %s: %q", test, e.Status, e.Reason, c.status, c.reason)
				}
				if got := given(e); got != c.given {
					t.Errorf("%s: given %q, want %q", test, got, c.given)
				}
			}
		})
	}
}

func TestRelativeDegenerate(t *testing.T) {
	few, turned := arm(t, 3, "6", "14"), arm(t, 3, "-9", "29")
	wide := arm(t, 3, "1", "29")
	for _, c := range []struct {
		way                 RelativeInterval
		baseline, variation Moments
		status              Status
	}{
		{Log, few, turned, NoLogRatio},
		{Log, few, arm(t, 3, "0", "2"), NoLogRatio},
		{Log, turned, turned, OK},
		{Log, arm(t, 3, "0", "2"), few, ZeroBaseline},
		{Fieller, wide, few, UnboundedRelative},
		{Fieller, few, wide, OK},
		{Fieller, arm(t, 3, "0", "2"), few, ZeroBaseline},
	} {
		opt := DefaultOptions()
		opt.Test, opt.Relative = Z, c.way
		e := Compare(Mean, c.baseline, c.variation, opt)
		if e.Status != c.status || (e.RelativeLow != nil) != (c.status == OK) || e.AbsoluteLow == nil {
			t.Errorf("%s: status %s, want %s; %s", c.way, e.Status, c.status, given(e))
		}
	}
}

func TestDescribe(t *testing.T) {
	f := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		name string
		kind Kind
		m    Moments
		want Summary
	}{
		// 1, 2, 3: variance 1.
		{"mean", Mean, arm(t, 3, "6", "14"), Summary{Total: f(6), Mean: f(2), StdDev: f(1), Status: OK}},
		{"zero variance", Mean, arm(t, 3, "6", "12"), Summary{Total: f(6), Mean: f(2), StdDev: f(0), Status: OK}},
		{"one unit", Mean, arm(t, 1, "5", "25"), Summary{Total: f(5), Mean: f(5), Status: OneUnit,
			Reason: "there is only one unit, and a variance needs two"}},
		{"no units", Mean, Moments{}, Summary{Total: f(0), Status: NoUnits, Reason: "there are no units"}},
		// x = 1, 3 over y = 1, 1: variance 2 of x alone.
		{"ratio over ones", Ratio, arm(t, 2, "4", "10", "2", "2", "4"),
			Summary{Total: f(4), Mean: f(2), StdDev: f(1.4142135623730951), Numerator: f(4), Denominator: f(2), Status: OK}},
		{"zero denominator", Ratio, arm(t, 2, "4", "10", "0", "0", "0"),
			Summary{Total: f(4), Numerator: f(4), Denominator: f(0), Status: ZeroDenominator, Reason: "the denominators add up to zero"}},
		// p = 1/4: variance 3/16.
		{"proportion", Proportion, arm(t, 4, "1"), Summary{Total: f(1), Mean: f(0.25), StdDev: f(0.4330127018922193), Status: OK}},
		{"no proportion", Proportion, arm(t, 4, "5"), Summary{Total: f(5), Mean: f(1.25), Status: InconsistentSums,
			Reason: "the sums belong to no set of units: their variance is negative"}},
		{"beyond float64", Mean, arm(t, 2, "4e400", "10e800"), Summary{Status: OutOfRange, Reason: "a number is beyond the range of float64"}},
	} {
		if diff := cmp.Diff(c.want, Describe(c.kind, c.m)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestSampleRatioDegenerate(t *testing.T) {
	for _, c := range []struct {
		name    string
		units   []int64
		weights []string
		status  Status
		alarm   bool
		reason  string
	}{
		{"no weights", []int64{5, 6}, []string{"", ""}, NoWeights, false, "not tested: no weights were planned"},
		{"one weight missing", []int64{5, 6}, []string{"50", ""}, NoWeights, false, "not tested: no weights were planned"},
		{"no units", []int64{0, 0}, []string{"1", "1"}, NoUnits, false, "not tested: there are no units"},
		{"one variation", []int64{7}, []string{"1"}, OneVariation, false, "not tested: only one variation may have units"},
		{"one with a weight", []int64{7, 0}, []string{"1", "0"}, OneVariation, false, "not tested: only one variation may have units"},
		{"units at zero weight", []int64{700, 1}, []string{"1", "0"}, UnitsAtZeroWeight, true,
			"units in variations that were planned to have none: 1"},
	} {
		r := SampleRatio(c.units, rats(c.weights...), DefaultOptions())
		if r.Status != c.status || r.Alarm != c.alarm || r.Reason != c.reason || r.PValue != nil || r.Statistic != nil {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

func TestMomentsLackSum(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a sum that was never set was taken for 0")
		}
	}()
	Compare(Ratio, arm(t, 3, "6", "14"), arm(t, 3, "9", "29"), DefaultOptions())
}

func TestNeed(t *testing.T) {
	mean, ratio := NeedOf(Mean, DefaultOptions()), NeedOf(Ratio, DefaultOptions())
	if diff := cmp.Diff([]Term{N, X, XX}, mean.Terms()); diff != "" {
		t.Error(diff)
	}
	if !mean.Union(ratio).Has(mean) || mean.Has(ratio) {
		t.Error("the needs of a mean are not among those of a ratio")
	}
	var names []string
	for _, term := range mean.Union(ratio).Union(NeedTerms(PQ)).Terms() {
		names = append(names, term.String()+" "+term.Column())
	}
	want := []string{"n units", "x sum", "xx sum_sq", "y den_sum", "yy den_sum_sq", "xy sum_den", "pq pre_sum_pre_den"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}
