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
	// Numbers are what goes into the sums, one for each step of a funnel.
	Numbers []UnitResult
}

// UnitExposure is an exposure of a unit.
type UnitExposure struct {
	Variation string
	Shown     time.Time
	// Activated is the instant of the activation; nil where there is none.
	Activated   *time.Time
	Impressions int64
	// Dropped is the reason why the unit is left out, a word of semantics 9; empty
	// where it is not.
	Dropped string
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
}

// UnitResult is the number of a unit.
type UnitResult struct {
	Variation string
	Step      int
	// Counted reports whether the metric is over the unit.
	Counted bool
	// Number is decimal text; of a ratio Denominator is its other side, else empty.
	Number, Denominator string
}

// Table gives the rows as a table.
func (s *UnitStory) Table() Table {
	return tableOf("unit", "row of a source that is about the unit", s.Rows)
}
