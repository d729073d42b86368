package metrics

import "github.com/metricsjob/metricsjob/internal/diag"

// Analysis is the block of statistical options (statistics in the docs). A
// field that is not Set was not given; Effective values come from Merge over
// DefaultAnalysis.
type Analysis struct {
	Test              At[string] // welch, z, student, pearson, g
	Exact             At[string] // barnard, fisher, boschloo
	ExactBelow        At[int]
	Alternative       At[string] // two_sided, greater, less
	Alpha             At[Number]
	Power             At[Number]
	RelativeInterval  At[string] // delta, log, fieller
	Peeking           At[Peeking]
	Bayesian          At[Bayesian]
	Correction        At[Correction]
	SampleRatioAlarm  At[Number]
	SeveralVariations At[Number] // alarm, a share
	Stratify          At[[]string]
	CUPED             At[CUPED]
	MinimumEffect     At[Number] // a share
	Bootstrap         At[Bootstrap]
	Pos               diag.Pos
}

// Peeking is how often results may be looked at.
type Peeking struct {
	Method   string // fixed, always_valid, msprt, group
	TunedAt  int
	Looks    int
	Spending string // obrien_fleming, pocock, power
	Power    Number // k of α·tᵏ
}

// Bayesian is a prior; Off means no Bayesian columns.
type Bayesian struct {
	Off      bool
	Flat     bool
	Mean, SD Number
	Relative bool
}

// Correction is for several comparisons.
type Correction struct {
	Method string
	Over   []string
	Roles  []Role
}

// CUPED is the covariate adjustment; Days 0 is off.
type CUPED struct {
	Days int
}

// Bootstrap asks for resampling.
type Bootstrap struct {
	Resamples int
	Seed      int
}

// DefaultAnalysis is what holds where no file says anything.
func DefaultAnalysis() Analysis {
	return Analysis{
		Test:              At[string]{V: "welch"},
		Exact:             At[string]{V: "barnard"},
		Alternative:       At[string]{V: "two_sided"},
		Alpha:             At[Number]{V: "0.05"},
		Power:             At[Number]{V: "0.8"},
		RelativeInterval:  At[string]{V: "delta"},
		Peeking:           At[Peeking]{V: Peeking{Method: "fixed"}},
		Bayesian:          At[Bayesian]{V: Bayesian{Flat: true}},
		Correction:        At[Correction]{V: Correction{Method: "none"}},
		SampleRatioAlarm:  At[Number]{V: "0.001"},
		SeveralVariations: At[Number]{V: "0.01"},
		MinimumEffect:     At[Number]{V: "0.01"},
	}
}

// Merge returns a with every option that over gives put in its place.
func (a Analysis) Merge(over Analysis) Analysis {
	take(&a.Test, over.Test)
	take(&a.Exact, over.Exact)
	take(&a.ExactBelow, over.ExactBelow)
	take(&a.Alternative, over.Alternative)
	take(&a.Alpha, over.Alpha)
	take(&a.Power, over.Power)
	take(&a.RelativeInterval, over.RelativeInterval)
	take(&a.Peeking, over.Peeking)
	take(&a.Bayesian, over.Bayesian)
	take(&a.Correction, over.Correction)
	take(&a.SampleRatioAlarm, over.SampleRatioAlarm)
	take(&a.SeveralVariations, over.SeveralVariations)
	take(&a.Stratify, over.Stratify)
	take(&a.CUPED, over.CUPED)
	take(&a.MinimumEffect, over.MinimumEffect)
	take(&a.Bootstrap, over.Bootstrap)
	return a
}

func take[T any](dst *At[T], over At[T]) {
	if over.Set {
		*dst = over
	}
}
