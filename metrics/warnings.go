package metrics

// The warnings that rows of results carry. They are codes in the tables, and
// sentences on the terminal.
const (
	WarnSampleRatio       = "sample_ratio"
	WarnSeveralVariations = "several_variations"
	WarnFailedCheck       = "failed_check"
	WarnInterim           = "interim"
	WarnSampled           = "sampled"
	WarnAfterExposure     = "after_exposure_group"
	WarnSharedUnits       = "shared_units"
	WarnNoCUPED           = "cuped_not_possible"
	WarnNoStrata          = "stratify_not_possible"
	WarnSomeStrata        = "stratify_partly"
	WarnPhasesPooled      = "phases_pooled"
	WarnNotInSums         = "not_in_sums"
	WarnOtherSide         = "tested_on_other_side"
	WarnFractionalSum     = "fractional_sum"
)

// Warning is a code with what it says.
type Warning struct{ Code, Text string }

// Warnings are all of them.
var Warnings = []Warning{
	{WarnSampleRatio, "units did not come in the planned ratio: no number of this experiment can be trusted"},
	{WarnSeveralVariations, "more units than the limit saw several variations"},
	{WarnFailedCheck, "a check of the data failed (see the table health): no number of this experiment can be trusted"},
	{WarnInterim, "the experiment goes on, and the test holds for one look, after its end: significant is no result yet"},
	{WarnSampled, "rows of a sample stand for several, which the intervals do not account for"},
	{WarnAfterExposure, "who is in the group was decided after the exposure, which the variation may have changed"},
	{WarnSharedUnits, "a unit may be in both variations, so the interval is approximate"},
	{WarnNoCUPED, "cuped is not possible for this metric, and was not applied"},
	{WarnNoStrata, "strata are not possible for this metric, and were not applied"},
	{WarnSomeStrata, "the experiment lacks some of the segments to stratify by, and the effect is stratified by the others"},
	{WarnPhasesPooled, "a percentile is of all phases together"},
	{WarnOtherSide, "alternative looks for a change for the worse alone, so that no variation can be found better"},
	{WarnFractionalSum, "the sum of a proportion is no whole number, though it counts units: it was rounded, or is of other values than 0 and 1"},
	{WarnNotInSums, "the run that wrote the sums has intervals by bootstrap, for which it drew units"},
}

// WarningText is what a code says; of one that is not known, the code.
func WarningText(code string) string {
	for _, w := range Warnings {
		if w.Code == code {
			return w.Text
		}
	}
	return code
}
