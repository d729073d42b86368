package stats

import (
	"cmp"
	"sync"

	"github.com/metricsjob/metricsjob/metrics"
)

// Test is the test of an absolute difference, and the interval that belongs to
// it.
type Test string

// The tests.
const (
	Welch   Test = "welch"
	Z       Test = "z"
	Student Test = "student"
	// Pearson and G give the p-value of a 0/1 metric from its counts, by χ²; the
	// intervals are those of Z. For other metrics they are Welch.
	Pearson Test = "pearson"
	G       Test = "g"
)

// ExactTest is an exact test of the counts of a 0/1 metric. It gives the p-value;
// the intervals stay those of the test of means.
type ExactTest string

// The exact tests.
const (
	Barnard  ExactTest = "barnard"
	Fisher   ExactTest = "fisher"
	Boschloo ExactTest = "boschloo"
)

// Alternative is the side on which an effect counts. Greater means a greater
// value, not a better one.
type Alternative string

// The alternatives.
const (
	TwoSided Alternative = "two_sided"
	Greater  Alternative = "greater"
	Less     Alternative = "less"
)

// RelativeInterval is the way to the interval of a relative effect.
type RelativeInterval string

// The relative intervals.
const (
	Delta   RelativeInterval = "delta"
	Log     RelativeInterval = "log"
	Fieller RelativeInterval = "fieller"
)

// Options say how variations are compared. DefaultOptions are those where
// nothing was said.
type Options struct {
	Test        Test
	Alternative Alternative
	Alpha       float64 // between 0 and 1, both excluded
	// Exact takes the place of the test's p-value for 0/1 metrics where both
	// variations have fewer units than ExactBelow, and at most 10,000.
	Exact      ExactTest
	ExactBelow int
	// Relative is the way to the interval of the relative effect.
	Relative RelativeInterval
	// CUPED takes out of the effects of means and ratios what covariates from
	// before the exposure explain.
	CUPED bool
	// TunedAt is 0 for a fixed horizon: one look, after the planned end. Above,
	// intervals and p-values are always valid, and tightest when both variations
	// together have so many units.
	TunedAt int
	// TunedFor is the alpha that the mixture of TunedAt is tightest for; 0: Alpha. It
	// stays what it was where Alpha is corrected: a p-value is of one mixture.
	TunedFor float64
	// MSPRT is the mixture sequential probability ratio test: always valid too, for
	// effects of the size of MinimumEffect; TunedAt is 0 then.
	MSPRT bool
	// Look is the group-sequential look that this is, if any; TunedAt is 0 then.
	Look *GroupLook
	// Untested says why a group-sequential design has no look now: effects are
	// given, and no test of them. It is empty where there is a look, or no design.
	Untested string
	// Power is that of the effect that would be found.
	Power float64
	// MinimumEffect is the relative effect that matters.
	MinimumEffect float64
	// Prior is that of the effect for Bayesian answers; nil for none. Better says
	// which side wins.
	Prior  *Prior
	Better metrics.Better
	// SampleRatioAlarm is the p-value below which a sample ratio is an alarm.
	SampleRatioAlarm float64
}

// DefaultOptions are Welch's test, two-sided, at 0.05.
func DefaultOptions() Options { return defaultOptions() }

// defaultOptions are read once: each metric in each experiment asks for them.
var defaultOptions = sync.OnceValue(func() Options { return OptionsOf(metrics.DefaultAnalysis()) })

// OptionsOf reads the options of an analysis block, merged over the defaults.
func OptionsOf(a metrics.Analysis) Options {
	o := Options{
		Test:             Test(a.Test.V),
		Alternative:      Alternative(a.Alternative.V),
		Alpha:            a.Alpha.V.Float(),
		Exact:            ExactTest(a.Exact.V),
		ExactBelow:       a.ExactBelow.V,
		Relative:         RelativeInterval(a.RelativeInterval.V),
		CUPED:            a.CUPED.V.Days > 0,
		SampleRatioAlarm: a.SampleRatioAlarm.V.Float(),
		Power:            a.Power.V.Float(),
		MinimumEffect:    a.MinimumEffect.V.Float(),
		Prior:            priorOf(a.Bayesian.V),
		Better:           metrics.Higher,
	}
	if a.Peeking.V.Method == "group" {
		o.Untested = "peeking: group tests at its looks alone"
	}
	if a.Peeking.V.Method == "always_valid" {
		o.TunedAt = cmp.Or(a.Peeking.V.TunedAt, defaultTunedAt)
	}
	if a.Peeking.V.Method == "msprt" {
		// Tuned at a number of units, the mixture is that of the confidence sequence.
		o.TunedAt, o.MSPRT = a.Peeking.V.TunedAt, a.Peeking.V.TunedAt == 0
	}
	return o
}

// GroupDesignOf gives the group-sequential design of an analysis block; ok is false
// where it has none.
func GroupDesignOf(a metrics.Analysis) (design GroupDesign, ok bool) {
	p := a.Peeking.V
	if p.Method != "group" {
		return GroupDesign{}, false
	}
	design = GroupDesign{
		Spending:    cmp.Or(Spending(p.Spending), OBrienFleming),
		Alpha:       a.Alpha.V.Float(),
		Alternative: Alternative(a.Alternative.V),
	}
	if design.Spending == PowerSpending {
		design.Exponent = p.Power.Float()
	}
	return design, true
}
