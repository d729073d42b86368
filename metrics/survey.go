package metrics

import "time"

// Survey is what looking at an export tells about it: the sources that were
// recognised, and what their rows hold. A starter file is written from it.
type Survey struct {
	// Sources are those of impressions, then those of events, each sorted by name.
	Sources []*SurveyedSource
	// Events are the event keys, those with most rows first.
	Events []*SurveyedEvent
	// Experiments are those with most units first.
	Experiments []*SurveyedExperiment
	// Units are the unit kinds that impressions have ids of, first that of the experiments.
	Units []SurveyedUnit
	// Attributes are those of impressions, sorted by name.
	Attributes []SurveyedAttribute
	// Others are the files that are neither impressions nor events.
	Others []UnknownTable
	// NotRead are files that were not looked at, because Parquet files hold what they may.
	NotRead []string
}

// SurveyedSource is a source with what it holds.
type SurveyedSource struct {
	// Def has the role, the name, the paths as seen from the working folder,
	// the preset or else the columns, and the partition.
	Def   *Source
	Files int
	Rows  int64
	// Unmapped are the columns that mean nothing to the definitions, with
	// their types; none are listed where a preset says what there is.
	Unmapped []string
	// Notes say what was found out about the rows, and why something was not mapped.
	Notes []string
	// EqualAreOne: rows that are equal in all that is mapped are taken for one.
	EqualAreOne bool
	// Environments are the columns by which the rows are of several environments,
	// projects or accounts.
	Environments []SurveyedEnvironments
}

// SurveyedEnvironments is a column that tells rows of several environments, projects
// or accounts, with its values, those of most rows first.
type SurveyedEnvironments struct {
	Column string
	Values []SurveyedEnvironment
}

// Rows are those of all values that are told.
func (e SurveyedEnvironments) Rows() int64 {
	var n int64
	for _, v := range e.Values {
		n += v.Rows
	}
	return n
}

// SurveyedEnvironment is one environment, project or account.
type SurveyedEnvironment struct {
	// Name is empty for rows that tell none.
	Name string
	// Literal is the name as an expression has it.
	Literal string
	Rows    int64
}

// SurveyedEvent is an event key.
type SurveyedEvent struct {
	Key  string
	Rows int64
	// Sources are the names of the event sources in which the key occurs.
	Sources []string
	// Values is the number of rows with a value that is not zero.
	Values     int64
	Properties []SurveyedProperty // sorted by name
}

// Property returns the property with the name, or nil.
func (e *SurveyedEvent) Property(name string) *SurveyedProperty {
	for i := range e.Properties {
		if e.Properties[i].Name == name {
			return &e.Properties[i]
		}
	}
	return nil
}

// SurveyedProperty is a property of one event key.
type SurveyedProperty struct {
	Name string
	// Type is the type that fits every value, in all events that have the property.
	Type PropertyType
	// Rows is the number of rows that have it.
	Rows int64
	// NumberLike reports whether the values are text, and each of them a number.
	// Type is string nevertheless where the name is that of an id.
	NumberLike bool
}

// SurveyedExperiment is what the impressions of one experiment show.
type SurveyedExperiment struct {
	// Experiment is the value of the mapped experiment, empty where none is mapped.
	Experiment string
	// Flag is the value of the mapped flag, that of most units, empty where
	// none is mapped.
	Flag string
	// Unit is the unit kind with which Units were counted.
	Unit  string
	First time.Time
	// Rows and Units are those of all variations; a unit that saw several is one.
	Rows, Units int64
	// Holdback is the number of rows that were held back; they are among Rows.
	Holdback   int64
	Variations []SurveyedVariation // sorted by value
}

// SurveyedUnit is a unit kind that impressions have ids of.
type SurveyedUnit struct {
	Kind string
	// InEvents reports whether events have ids of it too.
	InEvents bool
	// Units are those of all experiments, one of two experiments counting twice, and
	// Several those of them that saw several variations of the experiment. They are
	// counted where there are several kinds.
	Units, Several int64
}

// Share is the share of the units that saw several variations.
func (u SurveyedUnit) Share() float64 {
	if u.Units == 0 {
		return 0
	}
	return float64(u.Several) / float64(u.Units)
}

// SurveyedVariation is a value that the impressions of an experiment show.
type SurveyedVariation struct {
	Value MatchValue
	Rows  int64
	Units int64
}

// SurveyedAttribute is an attribute of impressions with the number of its
// distinct values.
type SurveyedAttribute struct {
	Name   string
	Values int64
}

// UnknownTable is a set of files that was not recognised.
type UnknownTable struct {
	Paths   []string
	Files   int
	Columns []string // with their types
	// NoImpressions and NoEvents say why the files are neither the one nor the other.
	NoImpressions, NoEvents string
	// About maps the columns as those of a source of units, where the rows may be about
	// units; nil where they are not. Ids alone may be those of units to leave out.
	About *Columns
	// OneEach reports whether each row may be one event, whose key no column tells.
	OneEach bool
}
