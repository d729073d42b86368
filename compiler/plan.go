package compiler

import (
	"math/big"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// Plan says in experiment words what is computed: for each unit kind the
// exposures, the rows of each event source that count, the numbers of each
// unit, and the sums over units. It is plain data; String prints it.
type Plan struct {
	// AsOf: rows at or after this instant do not exist.
	AsOf  time.Time
	Units []*UnitPlan
	// Excluded are the lists of units whose rows do not exist.
	Excluded []*Source
}

// UnitPlan is the work for the experiments of one unit kind. Impressions and
// each event source are read once for all of them.
type UnitPlan struct {
	Kind        string
	AsOf        time.Time
	Registry    metrics.Registry
	Impressions []*Source
	Experiments []*ExperimentPlan
	// Others are experiments that are not computed, whose impressions say
	// which units others leave out, or are the segments of.
	Others []*ExperimentPlan
	// Activation is what units must do to count; nil where no experiment asks.
	Activation *Activation
	// Following are the events that the windows of some metrics are counted
	// from; nil where there are none.
	Following *Following
	// Attributes are the attributes of the exposure that segments, audiences
	// or metrics need, in alphabetical order.
	Attributes []string
	// Traits are the attributes of units that they need, in alphabetical
	// order, from TraitSources.
	Traits       []string
	TraitSources []*Source
	// Assigned are the experiments whose variations are segments of others, in
	// alphabetical order.
	Assigned []string
	// Identity joins events by ids of other unit kinds; nil where no experiment asks.
	Identity *Identity
	Scans    []*Scan
	// Kept are the matched impressions as a source of rows, where a metric
	// counts them; else nil.
	Kept *Source
	// Derived are measures made of the rows of others.
	Derived []*Derived
	Values  []*UnitValue
	Tallies []*Tally
	// Phased: some experiment has strata, and sums are by phase too.
	Phased bool
	// Unstratified: no sums by several segments together are wanted.
	Unstratified bool
	// Splits are the metrics that are broken down by the values of a property.
	Splits []*Split
	// EventSegments are the metrics that are broken down by an attribute of events.
	EventSegments []*EventSegment
	// Bundles are the sums in shares that are made one after the other, where there
	// are many measures; nil: all are made at once.
	Bundles []*Bundle
	// Waterfall: the sums also say which numbers are capped.
	Waterfall bool
}

// ExperimentPlan is one experiment.
type ExperimentPlan struct {
	Def     *metrics.Experiment
	Sources []*Source // impression sources
	// Impressions count in [Starts, Ends); events without a window until
	// ObserveUntil; events with one until WindowsUntil.
	Starts, Ends, ObserveUntil, WindowsUntil time.Time
	Audience                                 *Expression // nil: everybody
	Segments                                 []Segment
	// EventSegments are the segments whose values events have too.
	EventSegments []Segment
	Metrics       []*MetricPlan
}

// Strata are the phases by which statistics are post-stratified; nil where there
// are not several.
func (x *ExperimentPlan) Strata() []*metrics.Phase {
	if len(x.Def.Phases) > 1 && x.Def.LastPhase() == nil {
		return x.Def.Phases
	}
	return nil
}

// MetricPlan is one metric in one experiment.
type MetricPlan struct {
	Def   *metrics.ExperimentMetric
	Kind  stats.Kind
	Tally *Tally
	// Split is the sums by the values of a property; nil where there are none.
	Split *Tally
	// BySegment are the sums by segments from events, one for each.
	BySegment []SegmentSums
	// whole is the tally of whole units, where Tally is of parts of them.
	whole *Tally
	// Step is the step of a funnel, from 1; 0 elsewhere.
	Step int
}

// IsValue reports whether this is the value of the metric: of the steps of a
// funnel the last.
func (m *MetricPlan) IsValue() bool {
	return m.Step == 0 || m.Step == len(m.Def.Metric.Funnel.Steps)
}

// Scan is one pass over one event source.
type Scan struct {
	Source *Source
	// Measures are the measures that read the source.
	Measures []*Measure
}

// Measure is a set of rows that count, with a value for each: the part of
// metrics that needs the event rows. Metrics with the same rows and values
// share one.
type Measure struct {
	// Name is the key of the first metric that needs it; it names columns.
	Name   string
	Metric *metrics.Metric
	// Events are the keys of the rows that count. With Any rows of all others
	// count too, and Events are those that the registry knows.
	Events []string
	Any    bool
	Where  *Expression // nil: every row
	// Value is the expression for the value; nil for counts.
	Value    *Expression
	Decimals int // digits of the values
	// Averaged: the values want digits even where they have none, because
	// averages are rounded to them.
	Averaged bool
	Window   metrics.Window
	// After is the event that the window is counted from; nil: the exposure.
	After *After
	// Sources are the event sources that it reads.
	Sources []*Source
	// Covariate: its rows are those before the exposure, whatever activates units.
	Covariate bool
	// Group makes groups of rows (semantics 5.8); nil: the unit is the group.
	Group *Grouping
	// SplitBy is the property by whose values rows are counted apart, and its
	// rows are only kept for that; "": they are not.
	SplitBy string
	// SegmentBy is likewise the attribute of rows whose values are a segment.
	SegmentBy string
	// derived: its rows are found among the rows of other measures.
	derived bool
	// unweighted: its rows do not count as several.
	unweighted bool
	id         string
}

// isEvent says whether an event key is among those of the measure; nil: every
// key is.
func (n *Measure) isEvent(key sqlast.Expr) sqlast.Expr {
	if n.Any {
		return nil
	}
	return oneOf(key, n.Events)
}

// EventsText names the events that the measure counts.
func (n *Measure) EventsText() string {
	return eventsText(n.Events, n.Any)
}

// Grouping says which rows are evaluated together.
type Grouping struct {
	// Property is what the rows of a group have in common; "": each row is a
	// group of its own.
	Property string
	// OnlyCounted: rows that do not count are in no group.
	OnlyCounted bool
}

func (g *Grouping) text() string {
	switch {
	case g.Property != "":
		return "by " + g.Property
	case g.OnlyCounted:
		return "each row that counts"
	}
	return "each row"
}

// Each says what a group is.
func (g *Grouping) Each() string {
	if g.Property != "" {
		return "each " + g.Property
	}
	return g.text()
}

// UnitOp is how the rows of a unit become one number.
type UnitOp string

// The ways to one number.
const (
	OpOccurrence UnitOp = "occurrence"
	OpCount      UnitOp = "count"
	OpSum        UnitOp = "sum"
	OpAverage    UnitOp = "average"
	OpMin        UnitOp = "min"
	OpMax        UnitOp = "max"
	// OpFirst and OpLast are the values of the smallest and the largest
	// (instant, value).
	OpFirst         UnitOp = "first"
	OpLast          UnitOp = "last"
	OpDistinct      UnitOp = "count_distinct"
	OpActiveDays    UnitOp = "active_days"   // distinct dates
	OpParticipation UnitOp = "participation" // active days as a share of the days observed
	OpGroups        UnitOp = "groups"        // how many groups there are
)

// UnitValue is the number of each unit, for one side of one or more metrics.
type UnitValue struct {
	Name    string
	Measure *Measure
	Op      UnitOp
	// Threshold turns the number into 1 or 0; nil: it stays.
	Threshold *Threshold
	// Caps bound the number; nil: it stays.
	Caps *Caps
	id   string
}

// Wait is what must have come for a unit to be counted: the event After, where
// there is one, and with Over the end of the window.
type Wait struct {
	After  *After
	Window metrics.Window
	Over   bool
}

func (w Wait) text() string {
	if !w.Over {
		return "after " + w.After.Name
	}
	return unitWindow{After: w.After, Window: w.Window}.text()
}

// Threshold is 1 for the numbers from Least to Most, both included, as whole
// numbers of 10^-digits of the number; nil: no bound.
type Threshold struct {
	Least, Most *big.Int
	text        string
}

// Of is the number k after the threshold.
func (t *Threshold) Of(k *big.Int) *big.Int {
	if t.Least != nil && k.Cmp(t.Least) < 0 || t.Most != nil && k.Cmp(t.Most) > 0 {
		return new(big.Int)
	}
	return big.NewInt(1)
}

// participationDigits are the digits that a participation is rounded to.
const participationDigits = 9

// Decimals is the number of digits after the point of the unit's number.
func (v *UnitValue) Decimals() int {
	if v.Threshold != nil {
		return 0
	}
	return v.digits()
}

// digits are those of the number before its threshold.
func (v *UnitValue) digits() int {
	if v.Caps != nil {
		return v.ownDigits() + v.Caps.Digits
	}
	return v.ownDigits()
}

// ownDigits are those of the number before its caps.
func (v *UnitValue) ownDigits() int {
	switch v.Op {
	case OpSum, OpAverage, OpMin, OpMax, OpFirst, OpLast:
		return v.Measure.Decimals
	case OpParticipation:
		return participationDigits
	}
	return 0
}

// Tally is the sums over units for one or more metrics.
type Tally struct {
	Name string
	X    *UnitValue
	Y    *UnitValue // ratios; else nil
	// Waits say for which units it is time to be counted.
	Waits []Wait
	// Exclude leaves out units without rows; of a ratio, those without a
	// denominator.
	Exclude bool
	// KeepsAbsent is for ratios: with Exclude, whether a unit without rows of the
	// denominator has one that is not zero before caps, by its threshold.
	KeepsAbsent bool
	// WithoutX and WithoutY are what a unit without rows is on that side, as
	// whole numbers of 10^-Decimals() of the side. Of a ratio they are 0, or
	// what a threshold makes of 0.
	WithoutX, WithoutY *big.Int
	// Percentile is of which the tally is, instead of the mean; nil: the mean.
	Percentile *Percentile
	// uncapped is what a unit without rows is as X, before caps; only of means.
	uncapped *big.Int
	// P and Q are the same numbers from before the exposure; nil without
	// covariates.
	P, Q *UnitValue
	Need stats.Need
	id   string
}

// Follows reports whether units are counted by what they did after the exposure.
func (t *Tally) Follows() bool {
	return slices.ContainsFunc(t.Waits, func(w Wait) bool { return w.After != nil })
}

// Percentile is an order statistic of the numbers of units, or of their groups.
type Percentile struct {
	Share *big.Rat // between 0 and 1
	// Z is where the bounds of its interval are, in standard errors of the share.
	Z float64
	// Groups are those whose numbers it is of; nil: the units.
	Groups *Derived
}

// Side is the number that a term is of: X, Y, or their covariates P, Q.
func (t *Tally) Side(term stats.Term) *UnitValue {
	switch term {
	case stats.X:
		return t.X
	case stats.Y:
		return t.Y
	case stats.P:
		return t.P
	case stats.Q:
		return t.Q
	}
	panic("compiler: no side for the term " + term.String())
}

// Without is what a unit without rows is on a side.
func (t *Tally) Without(term stats.Term) *big.Int {
	switch term {
	case stats.X:
		return t.WithoutX
	case stats.Y:
		return t.WithoutY
	case stats.P, stats.Q:
		return t.Side(term).without(new(big.Int))
	}
	panic("compiler: no side for the term " + term.String())
}

// Digits is the larger number of digits of the two sides, before thresholds.
func (t *Tally) Digits() int {
	if t.Y == nil {
		return t.X.digits()
	}
	return max(t.X.digits(), t.Y.digits())
}
