package metrics

import "time"

// UnitStory is what happened to one unit in an experiment, and what it is for a
// metric.
type UnitStory struct {
	Experiment, Metric, Unit string
	AsOf                     time.Time
	// Exposures are none where no impression counts, several where each
	// variation has one.
	Exposures []UnitExposure
	// Rows are the impressions of the unit and its events, each with why it counts
	// or does not.
	Rows []UnitRow
	// GroupBy is the property whose values make groups of the rows, and Groups are
	// those; empty where the metric is not over such groups.
	GroupBy string
	Groups  []UnitGroup
	// Numbers are what goes into the sums, one for each step of a funnel.
	Numbers []UnitResult
	// Unknown says where the id of the unit was looked for and not found; empty
	// where some row has it.
	Unknown string
}

// UnitExposure is an exposure of a unit.
type UnitExposure struct {
	Variation string
	Shown     time.Time
	// Activated is the instant of the activation; nil where there is none.
	Activated   *time.Time
	Impressions int64
	// Dropped is the reason why the unit is left out, a word of semantics 9, and
	// Because says it in words; empty where it is not.
	Dropped, Because string
	// First are the events that windows are counted from.
	First []UnitFirst
}

// UnitFirst is the first event of a unit, of those that a window is counted from.
type UnitFirst struct {
	What string
	// At is nil where there is none before Until.
	At    *time.Time
	Until time.Time
}

// UnitRow is a row of a source that is about a unit.
type UnitRow struct {
	Part    string     `col:"part" doc:"exposures, events, numerator, denominator, or step and its number"`
	Time    *time.Time `col:"ts" doc:"instant of the row"`
	Source  string     `col:"source" doc:"name of the source"`
	What    *string    `col:"what" doc:"the event key, or what the impression shows"`
	Value   *string    `col:"value" doc:"value of the row for the metric, where it has one"`
	Copies  int64      `col:"copies" doc:"copies by id that are this one row"`
	Counts  bool       `col:"counts" doc:"whether the row counts"`
	Step    string     `col:"step" doc:"counted, or the stable code of why the row does not count"`
	Because string     `col:"because" doc:"why the row does not count, in words"`
	// Variation is that of the impression, or of the exposure that an event counts for.
	Variation *string `col:"variation" doc:"variation of an impression, or of the exposure that an event counts for"`
	Group     *string `col:"group" doc:"the group that an event is in, of a metric over groups by a property"`
}

// UnitGroup is a group of rows of a unit.
type UnitGroup struct {
	Variation, Group string
	// Rows are those of the group that count.
	Rows int64
	// Number is decimal text; nil where the group is left out.
	Number *string
}

// UnitResult is the number of a unit.
type UnitResult struct {
	Variation string
	Step      int
	// Counted reports whether the metric is over the unit.
	Counted bool
	// Number is decimal text; of a ratio Denominator is its other side, else empty.
	Number, Denominator string
	// Over says what a group is, of a metric over groups: Number is then the sum over
	// the groups, and Denominator how many they are. Percentile: the metric is a
	// percentile over groups, which has no number for a unit.
	Over       string
	Percentile bool
	// Capped says of each side whose number caps have changed what it was before.
	Capped []UnitCapped
	// Covariate is the same number from before the exposure, of a ratio with that of
	// the denominator, and CovariateWindow says from when; empty where there is none.
	Covariate, CovariateDenominator, CovariateWindow string
}

// UnitCapped is a number before caps have changed it.
type UnitCapped struct {
	// Side is numerator or denominator; empty where there is one side.
	Side, Before string
	// Caps are what numbers are capped at, as "at least 4, at most 40".
	Caps string
}

// Table gives the rows as a table.
func (s *UnitStory) Table() Table {
	return tableOf("unit", "row of a source that is about the unit", s.Rows)
}
