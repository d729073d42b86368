package metrics

import "slices"

// The checks that stand in the table health.
const (
	// CheckSampleRatio compares the exposed units with the weights; over everybody it
	// decides whether an experiment is valid.
	CheckSampleRatio       = "sample_ratio"
	CheckSegmentRatio      = "sample_ratio_segments"
	CheckDayRatio          = "sample_ratio_days"
	CheckActivatedRatio    = "sample_ratio_activated"
	CheckSeveralVariations = "several_variations"
	CheckExposedUnits      = "exposed_units"
	// CheckCovariateImbalance compares covariates from before the exposure, where
	// nothing can have made a difference.
	CheckCovariateImbalance   = "covariate_imbalance"
	CheckNoEvents             = "no_events"
	CheckUnitsNeverMatch      = "units_never_match"
	CheckUnknownVariation     = "unknown_variation"
	CheckHoldback             = "holdback"
	CheckAudience             = "audience"
	CheckNotActivated         = "not_activated"
	CheckAmbiguousID          = "ambiguous_id"
	CheckPhase                = "phase"
	CheckOtherExperiment      = "other_experiment"
	CheckDuplicateImpressions = "duplicate_impressions"
	CheckDuplicateEvents      = "duplicate_events"
	CheckNoWeight             = "no_weight"
	CheckNotANumber           = "not_a_number"
	CheckExcludedUnit         = "excluded_unit"
	CheckUnreadable           = "unreadable"
	CheckPartition            = "partition"
	CheckFuture               = "future"
	CheckNoTimestamp          = "no_timestamp"
	CheckNoEvent              = "no_event"
	CheckNoUnit               = "no_unit"
	CheckWhere                = "where"
	CheckMalformed            = "malformed"
)

// Check is a check with what it is about, and whether it can fail; the others warn, or
// count what was left out.
type Check struct {
	Code, Text string
	Fails      bool
}

// Checks are all of them.
var Checks = []Check{
	{CheckSampleRatio, "whether units came in the planned ratio", true},
	{CheckSegmentRatio, "the same within the values of a segment; fails where sums have weights there alone", true},
	{CheckDayRatio, "the same on each day", false},
	{CheckActivatedRatio, "the same of the units that were activated", false},
	{CheckSeveralVariations, "the share of units that saw several variations; with `multiple_variations: each` their number, which raises no alarm", true},
	{CheckExposedUnits, "whether there are exposed units, in each variation", true},
	{CheckCovariateImbalance, "whether covariates differed before the exposure", false},
	{CheckNoEvents, "a metric for which no event counts in any variation", false},
	{CheckUnitsNeverMatch, "a source of events of which none is of a unit of the experiment", false},
	{CheckUnknownVariation, "impressions of variations that are not in the file", false},
	{CheckHoldback, "impressions that are holdbacks", false},
	{CheckAudience, "units that are not in the audience", false},
	{CheckNotActivated, "exposed units that were not activated", false},
	{CheckAmbiguousID, "ids that lead to several units", false},
	{CheckPhase, "units of phases before the last, with pool: last", false},
	{CheckOtherExperiment, "units that are left out for being in another experiment", false},
	{CheckDuplicateImpressions, "impressions that are copies of others", false},
	{CheckDuplicateEvents, "events that are copies of others", false},
	{CheckNoWeight, "events without a weight of 1 or more, in a source with weights", false},
	{CheckNotANumber, "values that are no finite number where one is needed", false},
	{CheckExcludedUnit, "rows of excluded units", false},
	{CheckUnreadable, "lines that are no record; fails if they are more than the records", true},
	{CheckPartition, "rows that lie too far from the day of their partition; fails if they are more than one in a thousand", true},
	{CheckFuture, "rows with a timestamp more than a day in the future", false},
	{CheckNoTimestamp, "rows without a timestamp that can be read", false},
	{CheckNoEvent, "events without a key", false},
	{CheckNoUnit, "rows without an id of a kind of unit", false},
	{CheckWhere, "rows that the where of a source leaves out", false},
	{CheckMalformed, "rows with properties or attributes that cannot be read", false},
}

// CheckCodes are the codes of all checks.
func CheckCodes() []string {
	var out []string
	for _, c := range Checks {
		out = append(out, c.Code)
	}
	return out
}

// CheckNamed is the check with the code.
func CheckNamed(code string) (c Check, ok bool) {
	i := slices.IndexFunc(Checks, func(c Check) bool { return c.Code == code })
	if i < 0 {
		return Check{}, false
	}
	return Checks[i], true
}
