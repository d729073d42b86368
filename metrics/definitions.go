package metrics

import "github.com/metricsjob/metricsjob/internal/diag"

// Definitions is everything that the files say, resolved: defaults, like,
// groups and inline bodies are expanded, names are checked, presets are not
// yet filled in (they belong to the loaders).
type Definitions struct {
	Files       []SourceFile
	Sources     Sources
	Registry    Registry
	Metrics     []*Metric
	Groups      []*Group
	Experiments []*Experiment
	Output      []Text
	State       Text
}

// SourceFile is one file that was read.
type SourceFile struct {
	Path   string
	Text   []byte
	Digest string // SHA-256 of Text, in hexadecimal
}

// Metric returns the metric with the key, or nil.
func (d *Definitions) Metric(key string) *Metric {
	for _, m := range d.Metrics {
		if m.Key.V == key {
			return m
		}
	}
	return nil
}

// Experiment returns the experiment with the key, or nil.
func (d *Definitions) Experiment(key string) *Experiment {
	for _, e := range d.Experiments {
		if e.Key.V == key {
			return e
		}
	}
	return nil
}

// Sources are the exports to read.
type Sources struct {
	Impressions  []*Source
	Events       []*Source
	Units        []*Source
	ExcludeUnits []*Source // path and columns.units only
}

// SourceRole says what the rows of a source are.
type SourceRole string

// The roles of sources.
const (
	RoleImpressions SourceRole = "impressions"
	RoleEvents      SourceRole = "events"
	RoleUnits       SourceRole = "units"
	RoleExclude     SourceRole = "exclude_units"
)

// Source is one export: where its rows are and which column means what.
type Source struct {
	Role  SourceRole
	Name  Text
	Paths []Text // as written, environment replaced; relative ones start at Dir
	Dir   string // the folder of the file that names the source
	Table Text
	SQL   Text
	// Format is that of the files of Paths; not Set: each file tells.
	Format At[FileFormat]
	// Rows is the path of a list in each record the elements of which are the
	// rows; not Set: the records are.
	Rows Text
	// Preset names a set of columns that the loaders fill in where Columns says nothing.
	Preset  Text
	Columns Columns
	Where   Expr
	// PresetWhere is what the preset says of rows beside Where; both must hold.
	PresetWhere Expr
	Partition   *Partition
	Dedupe      At[Dedupe] // not Set: id where an id is mapped, else none
	Pos         diag.Pos
}

// Columns maps the meanings that metricsjob knows to columns of the source.
type Columns struct {
	Units      []UnitColumn // in the order written
	Experiment Expr
	Flag       Expr
	Variation  Expr
	Event      Expr
	Timestamp  TimestampColumn
	Value      Expr
	Properties Bag
	Attributes Bag
	ID         []Expr
	Holdback   Expr
	Weight     Expr
	Pos        diag.Pos
}

// UnitColumn maps a unit kind (user, device, …) to the column with its id.
type UnitColumn struct {
	Kind   Text
	Column Expr
}

// TimestampColumn is a column of instants; Epoch is "", "s", "ms", "us" or
// "ns", the unit of a number of them since 1970.
type TimestampColumn struct {
	Column Expr
	Epoch  string
}

// Bag is a set of named values of a row: the properties of an event or the
// attributes of a unit. A name in Named wins over the same name in From.
type Bag struct {
	From  Expr // a MAP, STRUCT, JSON text or list of named values
	Named []NamedColumn
	// Internal are names in From that a vendor's software writes for itself, and
	// that are no values of the row; only presets say so.
	Internal []string
}

// IsSet reports whether the bag is mapped at all.
func (b Bag) IsSet() bool { return b.From.IsSet() || len(b.Named) > 0 }

// NamedColumn is one entry of a bag with a column of its own.
type NamedColumn struct {
	Name   Text
	Column Expr
}

// Partition says that a hive partition column holds days, and how far before
// and after that day the UTC date of a row may lie.
type Partition struct {
	Column Text
	Early  Duration
	Late   Duration
	Pos    diag.Pos
}

// Dedupe says which rows of a source are one.
type Dedupe string

// The ways of removing duplicates.
const (
	DedupeID   Dedupe = "id"
	DedupeRow  Dedupe = "row"
	DedupeNone Dedupe = "none"
)

// Registry is the list of known events.
type Registry struct {
	Closed bool
	Events []*EventType
	Pos    diag.Pos
}

// Event returns the registered event with the key, or nil.
func (r Registry) Event(key string) *EventType {
	for _, e := range r.Events {
		if e.Key.V == key {
			return e
		}
	}
	return nil
}

// EventType is one registered event.
type EventType struct {
	Key         Text
	Description Text
	ValueScale  At[Number] // not Set: 1
	ValueUnit   Text
	Properties  []*Property
	Pos         diag.Pos
}

// Property returns the declared property with the name, or nil.
func (e *EventType) Property(name string) *Property {
	for _, p := range e.Properties {
		if p.Name.V == name {
			return p
		}
	}
	return nil
}

// Property is a declared property of an event.
type Property struct {
	Name        Text
	Type        At[PropertyType]
	Scale       At[Number] // not Set: 1
	Description Text
}

// PropertyType is the declared type of a property; what does not fit it is missing.
type PropertyType string

// The types of properties.
const (
	TypeString    PropertyType = "string"
	TypeNumber    PropertyType = "number"
	TypeInteger   PropertyType = "integer"
	TypeBoolean   PropertyType = "boolean"
	TypeTimestamp PropertyType = "timestamp"
)

// Metric is one metric, or one inline side of a ratio (then Key is empty).
// Exactly one of Measure, Ratio and Funnel is given.
type Metric struct {
	Key         Text
	Name        Text
	Description Text
	Tags        []Text
	Maintainer  Text
	UnitLabel   Text
	Format      Text
	Better      At[Better]

	Event   EventSelector
	Source  []Text // names of event sources; empty: all
	Measure At[Measure]
	Value   Expr
	Where   Expr
	PerUnit At[PerUnit] // default sum

	Threshold     *Threshold
	WithoutEvents UnitsWithoutEvents // default zero
	Statistic     At[string]         // "mean" (default), or pNN
	Over          Text               // a property, or "events"
	After         *EventFilter
	Window        Window
	WaitForWindow At[bool] // resolved: not given means From > 0
	Winsorize     *Winsorize
	Decimals      At[int] // not Set: by the columns

	RandomizationUnits []Text
	SplitBy            Text
	Like               Text
	Analysis           Analysis

	Ratio  *Ratio
	Funnel *Funnel

	// Version is the fingerprint of the metric's meaning: equal for equal
	// meaning, whatever the spelling, the texts and the order of keys.
	Version string
	// Definition is the metric as canonical YAML.
	Definition string
	Pos        diag.Pos
}

// IsPercentile reports whether the statistic is a percentile, and not the mean.
func (m *Metric) IsPercentile() bool { return m.Statistic.V != "" && m.Statistic.V != "mean" }

// Label is the key, or for an inline side a word for messages.
func (m *Metric) Label() string {
	if m.Key.V != "" {
		return m.Key.V
	}
	return "inline metric"
}

// Better says which direction is good.
type Better string

// The good directions.
const (
	Higher Better = "higher"
	Lower  Better = "lower"
)

// EventSelector says which rows a metric is about.
type EventSelector struct {
	Keys       []Text // one or more event keys, unless Any or Impression
	Any        bool
	Impression bool
	Pos        diag.Pos
}

// Measure is what is taken from the rows that count.
type Measure string

// The measures.
const (
	Occurrence    Measure = "occurrence"
	Count         Measure = "count"
	Value         Measure = "value"
	ActiveDays    Measure = "active_days"
	Participation Measure = "participation"
)

// PerUnit is how the values of a unit become one number.
type PerUnit string

// The ways to one number for each unit.
const (
	Sum           PerUnit = "sum"
	Average       PerUnit = "average"
	Min           PerUnit = "min"
	Max           PerUnit = "max"
	First         PerUnit = "first"
	Last          PerUnit = "last"
	CountDistinct PerUnit = "count_distinct"
)

// Threshold turns the per-unit number into 1 or 0. One or two limits are Set.
type Threshold struct {
	AtLeast, AtMost, MoreThan, LessThan At[Number]
	Pos                                 diag.Pos
}

// UnitsWithoutEvents says what a unit without rows that count is.
type UnitsWithoutEvents struct {
	Exclude bool
	Number  Number // "0" for zero; meaningless with Exclude
	Pos     diag.Pos
	Set     bool
}

// EventFilter is an event with a condition.
type EventFilter struct {
	Event EventSelector
	Where Expr
	Pos   diag.Pos
}

// Window says when events count, relative to the exposure.
// The zero Window is open: from the exposure until observe_until.
type Window struct {
	From, To    Duration
	HasFrom     bool // From was given (a bare duration means From 0)
	HasTo       bool
	Lookback    Duration
	HasLookback bool
	Pos         diag.Pos
	Set         bool
}

// Open reports whether the window is [exposure, observe_until).
func (w Window) Open() bool { return !w.HasFrom && !w.HasTo && !w.HasLookback }

// Winsorize caps the per-unit numbers.
type Winsorize struct {
	Upper, Lower           At[Number] // percentiles between 0 and 1
	UpperValue, LowerValue At[Number]
	IgnoreZeros            bool
	Linear                 bool
	Pos                    diag.Pos
}

// Ratio is the sum of one metric over the sum of another.
type Ratio struct {
	Numerator, Denominator *Metric // referenced (Key set) or inline
	NumeratorWithin        At[Duration]
	Pos                    diag.Pos
}

// Funnel is a sequence of steps.
type Funnel struct {
	Steps   []*FunnelStep
	AnyTime bool // order: any
	Pos     diag.Pos
}

// FunnelStep is one step of a funnel.
type FunnelStep struct {
	Name   Text
	Event  EventSelector
	Where  Expr
	Within At[Duration]
	Pos    diag.Pos
}

// Group is a named list of metrics.
type Group struct {
	Key     Text
	Metrics []Text
}
