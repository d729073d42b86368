package stats

import "math"

// Status says whether the numbers of a result could all be given, or what
// stood in the way. The codes are part of the result tables' contract.
type Status string

// The statuses.
const (
	// OK: every number that the method has is there.
	OK Status = "ok"
	// NoUnits: there are no units to say anything about.
	NoUnits Status = "no_units"
	// OneUnit: a variance needs two units.
	OneUnit Status = "one_unit"
	// ZeroVariance: all units of both variations have the same value, so there
	// is nothing to measure chance by.
	ZeroVariance Status = "zero_variance"
	// ZeroBaseline: the baseline is zero, so there is no relative effect.
	ZeroBaseline Status = "zero_baseline"
	// NoLogRatio: means of different signs have no logarithm of their ratio.
	NoLogRatio Status = "no_log_ratio"
	// UnboundedRelative: the baseline may be zero, so that Fieller's relative
	// interval has no ends.
	UnboundedRelative Status = "unbounded_relative"
	// ZeroDenominator: the denominators of a ratio add up to zero.
	ZeroDenominator Status = "zero_denominator"
	// InconsistentSums: no set of units has these sums (a negative variance).
	InconsistentSums Status = "inconsistent_sums"
	// OutOfRange: a number is too large or too small for a float64.
	OutOfRange Status = "out_of_range"
	// BetweenLooks: a group-sequential design has no look now, so nothing is tested.
	BetweenLooks Status = "between_looks"
	// EarlyLook: an always-valid test says nothing yet of so few units.
	EarlyLook Status = "early_look"
	// NoWeights: a sample ratio without planned weights is not tested.
	NoWeights Status = "no_weights"
	// OneVariation: a sample ratio needs two variations that may have units.
	OneVariation Status = "one_variation"
	// UnitsAtZeroWeight: a variation that was to have no units has some.
	UnitsAtZeroWeight Status = "units_at_zero_weight"
)

// verdict collects what stood in the way: the first status counts, every
// reason is told.
type verdict struct {
	status     Status
	reason     string
	outOfRange bool
}

func (v *verdict) add(s Status, reason string) {
	if v.status == "" {
		v.status, v.reason = s, reason
		return
	}
	v.reason += "; " + reason
}

// settle gives the status and the reason, OK if nothing was added.
func (v *verdict) settle() (Status, string) {
	if v.status == "" {
		return OK, ""
	}
	return v.status, v.reason
}

// number is a pointer to f if f is finite. What is not is added to v, once.
func (v *verdict) number(f float64) *float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		if !v.outOfRange {
			v.outOfRange = true
			v.add(OutOfRange, "a number is beyond the range of float64")
		}
		return nil
	}
	return &f
}
