package compiler

import (
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// Slice is the part of the results of a metric that is explained.
type Slice struct {
	Segment *Choice // nil: everybody
	Split   *Choice // nil: all rows
}

// Choice is one value of a segment, or of the property of a split.
type Choice struct {
	Key, Value string
	// Known are the values that results have; the rest is (other).
	Known []string
}

// holds says that something has the value, as results tell values apart.
func (c *Choice) holds(x sqlast.Expr) sqlast.Expr {
	switch c.Value {
	case metrics.None:
		return isNull(x)
	case metrics.Other:
		known := slices.DeleteFunc(slices.Clone(c.Known), func(v string) bool { return v == metrics.None || v == metrics.Other })
		return sqlast.And{notNull(x), sqlast.Not{X: oneOf(x, known)}}
	}
	return compare(sqlast.Eq, x, sqlast.Text(c.Value))
}

// text says what is left with the value.
func (c *Choice) text() string {
	switch c.Value {
	case metrics.None:
		return "without " + c.Key
	case metrics.Other:
		return "with another " + c.Key + " than results list"
	}
	return "with " + c.Key + " " + c.Value
}

// fromEvents is the chosen segment of the sums of a plan, where it is one from
// events; nil elsewhere.
func (s Slice) fromEvents(u *UnitPlan) *EventSegment {
	if s.Segment == nil {
		return nil
	}
	for _, e := range u.EventSegments {
		if e.Segment.Key == s.Segment.Key {
			return e
		}
	}
	return nil
}

// segmentColumn is the value of the chosen segment in the table of exposures.
func (s Slice) segmentColumn(x *ExperimentPlan, table string) sqlast.Expr {
	i := slices.IndexFunc(x.Segments, func(seg Segment) bool { return seg.Key == s.Segment.Key })
	if i < 0 {
		panic("compiler: " + x.Def.Key.V + " has no segment " + s.Segment.Key)
	}
	return x.Segments[i].column(table)
}

// of is the metric over the units and rows of the slice.
func (s Slice) of(m *MetricPlan) *MetricPlan {
	out := *m
	for _, sums := range m.BySegment {
		if s.Segment != nil && sums.Key == s.Segment.Key {
			out = *m.In(sums)
		}
	}
	if s.Split != nil {
		out.Tally, out.Split = out.Split, nil
	}
	return &out
}
