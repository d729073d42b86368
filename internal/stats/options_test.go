package stats

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/metrics"
)

func TestOptionsOf(t *testing.T) {
	if diff := cmp.Diff(Options{Test: Welch, Alternative: TwoSided, Alpha: 0.05, Exact: Barnard, Relative: Delta, SampleRatioAlarm: 0.001, Power: 0.8, MinimumEffect: 0.01, Prior: &Prior{Flat: true}, Better: metrics.Higher}, DefaultOptions()); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	a := metrics.DefaultAnalysis()
	a.Test = metrics.Text{V: "student", Set: true}
	a.Alternative = metrics.Text{V: "greater", Set: true}
	a.Alpha = metrics.At[metrics.Number]{V: "0.01", Set: true}
	a.Peeking.Set = true
	a.Bayesian = metrics.At[metrics.Bayesian]{V: metrics.Bayesian{Off: true}, Set: true}
	a.CUPED.Set = true
	a.RelativeInterval = metrics.Text{V: "fieller", Set: true}
	a.Exact = metrics.Text{V: "fisher", Set: true}
	a.ExactBelow = metrics.At[int]{V: 20, Set: true}
	opt := OptionsOf(a)
	if diff := cmp.Diff(Options{Test: Student, Alternative: Greater, Alpha: 0.01, Exact: Fisher, ExactBelow: 20, Relative: Fieller, SampleRatioAlarm: 0.001, Power: 0.8, MinimumEffect: 0.01, Better: metrics.Higher}, opt); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOptionsOfAlwaysValid(t *testing.T) {
	for tunedAt, want := range map[int]int{0: 5000, 12000: 12000} {
		a := metrics.DefaultAnalysis()
		a.Peeking = metrics.At[metrics.Peeking]{V: metrics.Peeking{Method: "always_valid", TunedAt: tunedAt}, Set: true}
		opt := OptionsOf(a)
		if opt.TunedAt != want {
			t.Errorf("tuned at %d: %d", tunedAt, opt.TunedAt)
		}
	}
}

func TestGroupDesignOf(t *testing.T) {
	a := metrics.DefaultAnalysis()
	if _, ok := GroupDesignOf(a); ok {
		t.Error("a design where peeking is fixed")
	}
	for spending, want := range map[string]GroupDesign{
		"":               {OBrienFleming, 0, 0.05, TwoSided},
		"obrien_fleming": {OBrienFleming, 0, 0.05, TwoSided},
		"pocock":         {Pocock, 0, 0.05, TwoSided},
		"power":          {PowerSpending, 2.5, 0.05, TwoSided},
	} {
		a.Peeking.V = metrics.Peeking{Method: "group", Looks: 4, Spending: spending, Power: "2.5"}
		if got, ok := GroupDesignOf(a); !ok || got != want {
			t.Errorf("spending %q: %v, want %v", spending, got, want)
		}
		// Until a look is given, nothing is tested.
		opt := OptionsOf(a)
		e := Compare(Mean, counts(163, 3304), counts(223, 3329), opt)
		if e.Status != BetweenLooks || e.PValue != nil || e.AbsoluteLow != nil || e.Significant != nil || e.Absolute == nil {
			t.Errorf("spending %q: effect %+v", spending, e)
		}
	}
}

func TestOptionsOfMSPRT(t *testing.T) {
	a := metrics.DefaultAnalysis()
	for tunedAt, mixture := range map[int]bool{0: true, 12000: false} {
		a.Peeking.V = metrics.Peeking{Method: "msprt", TunedAt: tunedAt}
		opt := OptionsOf(a)
		if opt.MSPRT != mixture || opt.TunedAt != tunedAt {
			t.Errorf("tuned at %d: %+v", tunedAt, opt)
		}
	}
}

func TestPriorOf(t *testing.T) {
	a := metrics.DefaultAnalysis()
	a.Bayesian.V = metrics.Bayesian{Mean: "0.01", SD: "0.3", Relative: true}
	opt := OptionsOf(a)
	if want := (Prior{Mean: 0.01, SD: 0.3, Relative: true}); *opt.Prior != want {
		t.Errorf("prior %v, want %v", *opt.Prior, want)
	}
}
