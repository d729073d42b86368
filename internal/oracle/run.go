package oracle

import (
	"cmp"
	"math/big"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// Output is what was counted.
type Output struct {
	AsOf        time.Time
	Experiments []ExperimentResult // in the order of the definitions
}

// ExperimentResult is what was counted for one experiment.
type ExperimentResult struct {
	Key       string
	Counts    Counts
	Exposures []Exposure
	Metrics   []MetricResult // one for each of the experiment's metrics, in order
}

// Counts are what an experiment dropped on its way to its units (section 9).
type Counts struct {
	UnknownVariation  int64 // impressions
	Holdback          int64 // impressions
	SeveralVariations int64 // units, whether or not they were dropped for it
	OtherExperiment   int64 // units
	Audience          int64 // units
	NotActivated      int64 // units
}

// Exposure is a row of the table exposures: what the units first exposed on a
// date, in a variation and segment value, come to. There is a row where Units
// or SeveralVariations is not 0.
type Exposure struct {
	Segment, SegmentValue, Variation string
	Date                             time.Time
	Units                            int64 // after all exclusions
	Impressions                      int64 // of these units in the experiment
	SeveralVariations                int64 // units in two or more variations, whatever became of them
}

// MetricResult is what one metric of one experiment came to.
type MetricResult struct {
	Key string
	// Overflow tells that the metric has no numbers in this experiment (5.1); Cells is empty then.
	Overflow bool
	// Ratio tells that the cells have y: the metric is a ratio, or a mean over groups.
	Ratio bool
	// Percentile tells that the cells have a Quantile.
	Percentile bool
	// Covariates tells that the cells have p, and those of a ratio q (section 7).
	Covariates bool
	// Upper and Lower are the caps of winsorizing of x; nil where there are none.
	Upper, Lower *big.Rat
	// Cells are one for each step × split × segment value × variation: overall
	// first, then the segments in the order of the experiment, values by text,
	// variations in the order of the experiment. A segment value is there if a
	// unit has it.
	Cells []Cell
	// Units are the units that the cells are over, by id, for debugging; of a
	// funnel, of its last step.
	Units []UnitNumber
}

// Cell is the exact sums over the units of a segment value and variation.
type Cell struct {
	Step  int     // of a funnel, from 1; 0 elsewhere
	Split *string // value of the property of split_by; nil where all rows count

	Segment, SegmentValue, Variation string

	Exposed        int64 // exposed units
	Units          int64 // units that the sums are over
	UnitsWithEvent int64 // of these, units with at least one row that counts (a ratio: of its numerator)
	Events         int64 // rows that count of these units (a ratio: of its numerator)

	X, XX     *big.Rat // Σx, Σx²
	Y, YY, XY *big.Rat // Σy, Σy², Σxy; nil but for ratios

	P, PP, XP  *big.Rat // Σp, Σp², Σxp; nil without covariates
	Q, QQ, XQ  *big.Rat // Σq, Σq², Σxq; nil but for ratios with covariates
	YP, YQ, PQ *big.Rat // Σyp, Σyq, Σpq; nil but for ratios with covariates

	Quantile                  *big.Rat // nil but for percentiles, and where there are no values
	QuantileN                 int64    // values that it is of
	QuantileLow, QuantileHigh float64  // bounds of its interval (section 6), of units as if each value were one
}

// UnitNumber is one unit's number for a metric.
type UnitNumber struct {
	Unit, Variation string
	X, Y            *big.Rat // Y is nil but for ratios
	Rows            int64    // rows that count
}

// Run counts everything that the definitions ask for. Experiments that are
// draft or archived are left out.
func Run(defs *metrics.Definitions, in Input) Output {
	out := Output{AsOf: asOf(in)}
	for _, def := range defs.Experiments {
		if def.Status.V == "draft" || def.Status.V == "archived" {
			continue
		}
		x := newExperiment(defs, in, def)
		segmentations := x.segmentations()
		result := ExperimentResult{Key: def.Key.V, Exposures: x.exposureRows(segmentations)}
		for _, em := range def.Metrics {
			result.Metrics = append(result.Metrics, x.result(em, segmentations))
		}
		result.Counts = x.counts
		out.Experiments = append(out.Experiments, result)
	}
	return out
}

// A part is one way of looking at a metric: all of it, a step of a funnel, or a
// value of a split.
type part struct {
	step  int // from 1; 0 but for funnels
	split *string
	keep  keepRow
}

// result sums a metric's numbers by part, segment value and variation.
func (x *experiment) result(em *metrics.ExperimentMetric, segmentations []segmentation) MetricResult {
	m := x.measure(em)
	result := MetricResult{Key: m.Key.V, Ratio: m.isRatio(), Percentile: m.IsPercentile(), Covariates: m.days > 0}
	for _, p := range m.parts() {
		m.look(p)
		numbers := m.numbers(p.keep)
		if p.split == nil {
			result.Units = nil
			for _, n := range numbers {
				result.Units = append(result.Units, UnitNumber{n.u.id, n.u.variation, n.x, n.y, int64(n.rows)})
			}
		}
		for _, sg := range segmentations {
			for _, of := range x.slices(sg, m) {
				sliced := numbers
				if of.keep != nil {
					sliced = m.numbers(both(p.keep, of.keep))
				}
				for _, v := range x.Variations {
					c := Cell{Step: p.step, Split: p.split, Segment: sg.name, SegmentValue: of.value, Variation: v.Key.V}
					x.fill(&c, m, of, sliced)
					result.Cells = append(result.Cells, c)
				}
			}
		}
	}
	result.Upper, result.Lower = m.sides[0].upper, m.sides[0].lower
	if m.overflow() {
		return MetricResult{Key: m.Key.V, Ratio: result.Ratio, Overflow: true}
	}
	return result
}

// fill sums the numbers of a cell's units.
func (x *experiment) fill(c *Cell, m *measured, of slice, numbers []*unitNumber) {
	in := func(u *unit) bool { return u.variation == c.Variation && of.has(u) }
	for _, u := range x.exposures {
		if in(u) {
			c.Exposed++
		}
	}
	var values []*big.Rat
	var here []*unitNumber
	for _, n := range numbers {
		if !in(n.u) {
			continue
		}
		here = append(here, n)
		c.Units++
		c.Events += int64(n.rows)
		if n.rows > 0 {
			c.UnitsWithEvent++
		}
		if m.Over.Set {
			values = append(values, n.groups...)
		} else {
			values = append(values, n.x)
		}
	}
	sum := func(a, b func(*unitNumber) *big.Rat) *big.Rat {
		s := new(big.Rat)
		for _, n := range here {
			s.Add(s, product(a(n), b(n)))
		}
		return s
	}
	one := func(*unitNumber) *big.Rat { return ratOf(1) }
	X := func(n *unitNumber) *big.Rat { return n.x }
	Y := func(n *unitNumber) *big.Rat { return n.y }
	P := func(n *unitNumber) *big.Rat { return n.p }
	Q := func(n *unitNumber) *big.Rat { return n.q }
	c.X, c.XX = sum(X, one), sum(X, X)
	if m.isRatio() {
		c.Y, c.YY, c.XY = sum(Y, one), sum(Y, Y), sum(X, Y)
	}
	if m.days > 0 {
		c.P, c.PP, c.XP = sum(P, one), sum(P, P), sum(X, P)
		if m.isRatio() {
			c.Q, c.QQ, c.XQ = sum(Q, one), sum(Q, Q), sum(X, Q)
			c.YP, c.YQ, c.PQ = sum(Y, P), sum(Y, Q), sum(P, Q)
		}
	}
	if m.IsPercentile() {
		m.fillQuantile(c, values)
	}
}

func product(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }

// exposureRows counts the exposures by segment value, variation and date.
func (x *experiment) exposureRows(segmentations []segmentation) []Exposure {
	type place struct {
		value, variation string
		date             time.Time
	}
	var out []Exposure
	for _, sg := range segmentations {
		if sg.fromEvents {
			// Reading: what a unit is in depends on the metric, so the table
			// exposures has no rows of such a segment.
			continue
		}
		rows := map[place]*Exposure{}
		row := func(u *unit) *Exposure {
			p := place{sg.value(u), u.variation, dayOf(u.exposed)}
			if rows[p] == nil {
				rows[p] = &Exposure{Segment: sg.name, SegmentValue: p.value, Variation: p.variation, Date: p.date}
			}
			return rows[p]
		}
		for _, u := range x.exposures {
			row(u).Units++
			row(u).Impressions += int64(len(u.impressions))
		}
		for _, u := range x.several {
			row(u).SeveralVariations++
		}
		var of []Exposure
		for _, r := range rows {
			of = append(of, *r)
		}
		slices.SortFunc(of, func(a, b Exposure) int {
			return cmp.Or(cmp.Compare(a.SegmentValue, b.SegmentValue), cmp.Compare(a.Variation, b.Variation), a.Date.Compare(b.Date))
		})
		out = append(out, of...)
	}
	return out
}
