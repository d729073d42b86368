package metrics

import (
	"time"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// Experiment is one rule of one flag over one period.
type Experiment struct {
	Key         Text
	Name        Text
	Description Text
	Tags        []Text
	Maintainer  Text
	Flag        Text
	Rule        At[string] // test (default), rollout, personalize
	Status      At[string] // draft, running, stopped, archived; not Set: from the dates
	Unit        Text
	Source      []Text // names of impression sources; empty: all that have the kind
	Match       Match

	Start        At[time.Time]
	End          At[time.Time] // not Set: running
	ObserveUntil At[time.Time]
	CutWindows   At[bool] // cut_windows_at_end

	Variations       []*Variation
	IgnoreVariations []Text
	HoldbackAs       Text               // a variation's key; not Set: holdback rows are dropped
	Multiple         At[MultiplePolicy] // multiple_variations, default exclude
	Where            Expr               // audience
	ExcludeUnitsIn   []Text
	Activation       *EventFilter
	Identity         At[string] // strict, first_touch
	Phases           []*Phase
	PhasePool        At[string] // stratify, last
	Segments         []*Segment
	Metrics          []*ExperimentMetric // groups expanded; primary, secondary, guardrails in this order
	Compare          Compare
	Analysis         Analysis // effective for the experiment

	Version    string
	Definition string
	Pos        diag.Pos
}

// Baseline returns the baseline variation.
func (e *Experiment) Baseline() *Variation {
	for _, v := range e.Variations {
		if v.Baseline {
			return v
		}
	}
	return nil
}

// ComparedTo gives the variations that v is compared with. Over all variations
// these are the comparisons of the experiment: every variation with the
// baseline, or every pair once (a later one with those before it, the baseline
// before all), or the pairs that the file names. The only variation of a
// rollout need not be a baseline; it is compared with nothing.
func (e *Experiment) ComparedTo(v *Variation) []*Variation {
	switch {
	case e.Baseline() == nil:
		return nil
	case e.Compare.All:
		var before []*Variation
		if v == e.Baseline() {
			return nil
		}
		before = append(before, e.Baseline())
		for _, other := range e.Variations {
			if other == v {
				break
			}
			if !other.Baseline {
				before = append(before, other)
			}
		}
		return before
	case len(e.Compare.Pairs) > 0:
		var to []*Variation
		for _, p := range e.Compare.Pairs {
			if p.Variation.V == v.Key.V {
				to = append(to, e.variation(p.To.V))
			}
		}
		return to
	case v.Baseline:
		return nil
	}
	return []*Variation{e.Baseline()}
}

func (e *Experiment) variation(key string) *Variation {
	for _, v := range e.Variations {
		if v.Key.V == key {
			return v
		}
	}
	panic("metrics: no variation " + key)
}

// Match says which impressions are the experiment's. All that is given must
// hold; nothing given: experiment = key where the source maps one, else flag = flag.
type Match struct {
	Experiment []Text
	Flag       []Text
	Pos        diag.Pos
	Set        bool
}

// Variation is one arm.
type Variation struct {
	Key      Text
	Name     Text
	Weight   At[Number]
	Baseline bool
	// Match are the values in the data that mean this variation; resolved: the key where nothing is given.
	Match []MatchValue
	Pos   diag.Pos
}

// MatchValue is a value in the data: text, or with JSON a JSON value compared by value.
type MatchValue struct {
	Text string // text, or the canonical JSON text
	JSON bool
	Pos  diag.Pos
}

// MultiplePolicy says what becomes of units seen in several variations.
type MultiplePolicy string

// The policies for units in several variations.
const (
	MultipleExclude MultiplePolicy = "exclude"
	MultipleFirst   MultiplePolicy = "first"
	MultipleEach    MultiplePolicy = "each"
)

// Phase is a part of an experiment with its own weights.
type Phase struct {
	Start   At[time.Time]
	Weights []PhaseWeight
	Pos     diag.Pos
}

// LastPhase is the phase whose units alone count; nil where all do.
func (e *Experiment) LastPhase() *Phase {
	if n := len(e.Phases); n > 0 && e.PhasePool.V == "last" {
		return e.Phases[n-1]
	}
	return nil
}

// PhaseWeight is the weight of one variation in a phase.
type PhaseWeight struct {
	Variation Text
	Weight    Number
}

// The ways of joining events of another unit kind with units.
const (
	IdentityStrict     = "strict"
	IdentityFirstTouch = "first_touch"
)

// Segment is a way to break results down.
type Segment struct {
	Key        Text // the attribute, and the name in the results
	FromEvents bool
	Experiment Text // the other experiment whose variation is the segment's value
	Pos        diag.Pos
}

// Role is what a metric is for in an experiment.
type Role string

// The roles of metrics.
const (
	Primary   Role = "primary"
	Secondary Role = "secondary"
	Guardrail Role = "guardrail"
)

// ExperimentMetric is a metric in an experiment.
type ExperimentMetric struct {
	Metric   *Metric
	Role     Role
	Margin   *Margin
	Analysis Analysis // effective: built in < defaults < experiment < metric < entry
	Pos      diag.Pos
}

// MarginUnit is the unit of a guardrail's margin.
type MarginUnit string

// The units of margins.
const (
	MarginRelative MarginUnit = "%"  // of the baseline's mean
	MarginPoints   MarginUnit = "pp" // percentage points of a rate
	MarginAbsolute MarginUnit = ""   // the metric's own unit
)

// Margin is how much worse a guardrail may be.
type Margin struct {
	Value Number
	Unit  MarginUnit
	Pos   diag.Pos
}

// String gives the margin as [ParseMargin] reads it.
func (m Margin) String() string { return string(m.Value) + string(m.Unit) }

// Compare says which pairs are compared.
type Compare struct {
	All   bool
	Pairs []ComparePair // empty and not All: every variation with the baseline
	Pos   diag.Pos
}

// ComparePair compares Variation with To.
type ComparePair struct {
	Variation, To Text
}
