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
	// Ratio tells that the cells have y.
	Ratio bool
	// Cells are one for each segment value × variation: overall first, then the
	// segments in the order of the experiment, values by text, variations in the
	// order of the experiment. A segment value is there if a unit has it.
	Cells []Cell
	// Units are the units that the cells are over, by id, for debugging.
	Units []UnitNumber
}

// Cell is the exact sums over the units of a segment value and variation.
type Cell struct {
	Segment, SegmentValue, Variation string

	Exposed        int64 // exposed units
	Units          int64 // units that the sums are over
	UnitsWithEvent int64 // of these, units with at least one row that counts (a ratio: of its numerator)
	Events         int64 // rows that count of these units (a ratio: of its numerator)

	X, XX     *big.Rat // Σx, Σx²
	Y, YY, XY *big.Rat // Σy, Σy², Σxy; nil but for ratios
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
			result.Metrics = append(result.Metrics, x.result(em.Metric, segmentations))
		}
		result.Counts = x.counts
		out.Experiments = append(out.Experiments, result)
	}
	return out
}

// result sums a metric's numbers by segment value and variation.
func (x *experiment) result(m *metrics.Metric, segmentations []segmentation) MetricResult {
	result := MetricResult{Key: m.Key.V, Ratio: m.Ratio != nil}
	numbers, overflow := x.numbers(m)
	if overflow {
		result.Overflow = true
		return result
	}
	for _, n := range numbers {
		result.Units = append(result.Units, UnitNumber{n.u.id, n.u.variation, n.x, n.y, int64(n.rows)})
	}
	for _, sg := range segmentations {
		for _, value := range sg.values {
			for _, v := range x.Variations {
				result.Cells = append(result.Cells, x.cell(sg, value, v.Key.V, numbers, result.Ratio))
			}
		}
	}
	return result
}

func (x *experiment) cell(sg segmentation, value, variation string, numbers []*unitNumber, ratio bool) Cell {
	c := Cell{Segment: sg.name, SegmentValue: value, Variation: variation, X: new(big.Rat), XX: new(big.Rat)}
	if ratio {
		c.Y, c.YY, c.XY = new(big.Rat), new(big.Rat), new(big.Rat)
	}
	in := func(u *unit) bool { return u.variation == variation && sg.value(u) == value }
	for _, u := range x.exposures {
		if in(u) {
			c.Exposed++
		}
	}
	for _, n := range numbers {
		if !in(n.u) {
			continue
		}
		c.Units++
		c.Events += int64(n.rows)
		if n.rows > 0 {
			c.UnitsWithEvent++
		}
		c.X.Add(c.X, n.x)
		c.XX.Add(c.XX, product(n.x, n.x))
		if ratio {
			c.Y.Add(c.Y, n.y)
			c.YY.Add(c.YY, product(n.y, n.y))
			c.XY.Add(c.XY, product(n.x, n.y))
		}
	}
	return c
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
