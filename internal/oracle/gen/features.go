package gen

import (
	"slices"

	"pgregory.net/rapid"
)

// The features of the language that a case may have beyond the plainest
// metric. The summary of many cases says how often each was met.
const (
	afterEvent        = "after"
	winsorizing       = "winsorize"
	splitting         = "split_by"
	percentiles       = "statistic: percentile"
	overProperty      = "over a property"
	overEvents        = "over: events"
	funnels           = "funnel"
	funnelsAny        = "funnel in any order"
	funnelSides       = "funnel as a side"
	numeratorWithin   = "numerator_within"
	sharedSides       = "ratios with one side the same"
	ofImpressions     = "event: impression"
	covariates        = "cuped"
	eachVariation     = "multiple_variations: each"
	excludeUnitsIn    = "exclude_units_in"
	activation        = "activation"
	identityStrict    = "identity: strict"
	identityFirst     = "identity: first_touch"
	phasesStratified  = "stratified phases"
	phasesLast        = "last phase"
	segmentEvents     = "segment from events"
	segmentExperiment = "segment by experiment"
	segmentUnit       = "segment by unit attribute"
	unitAttributes    = "unit attributes"
	matchJSON         = "match by JSON value"
	excludedUnits     = "exclude_units"
	dedupeRow         = "dedupe: row"
	weights           = "weight"
	thresholds        = "threshold"
	ratios            = "ratio"
	likes             = "like"
	waiting           = "wait_for_window"
	lookbacks         = "window: lookback"
	negativeWindows   = "window with negative from"
	conditions        = "where"
	audiences         = "audience"
	anyEvent          = "event: any"
	holdbacks         = "holdback: as"
	partitions        = "partition"
	sourceConditions  = "where of a source"
	comparisons       = "compare"
	extremes          = "values at the limit"
	crowds            = "more than 50 segment values"
	ndjsonFiles       = "files of NDJSON"
	csvFiles          = "files of CSV"
	columnNames       = "metrics called as columns are"
	alikeSources      = "sources whose names differ in case"
)

// pending are the features that are not drawn, because the compiler does not
// have them yet.
var pending = []string{}

// SetPending replaces the features that are not drawn, for tests of a compiler
// that has more or fewer of them.
func SetPending(features []string) { pending = features }

// Pending are the features that are not drawn.
func Pending() []string { return slices.Clone(pending) }

// use is true in so many of a hundred cases, and notes that the case has the
// feature; never for one that is pending.
func (w *world) use(t *rapid.T, feature string, percent int) bool {
	if slices.Contains(pending, feature) || !chance(t, percent) {
		return false
	}
	w.note(feature)
	return true
}

// note notes that the case has a feature.
func (w *world) note(feature string) {
	if !slices.Contains(w.features, feature) {
		w.features = append(w.features, feature)
	}
}
