package job

import (
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// Slice is the part of the results of a metric that is explained; the zero Slice is
// everybody and all rows.
type Slice struct {
	// Segment is the key of a segment and Value one of its values; both empty: everybody.
	Segment, Value string
	// Split is a value of the property that the metric is split by; nil: all rows.
	Split *string
}

// part is the part of results that the slice is.
func (s Slice) part() part {
	q := part{segment: metrics.Overall, value: metrics.All}
	if s.Segment != "" {
		q.segment, q.value = s.Segment, s.Value
	}
	if s.Split != nil {
		q.split = splitValue{set: true, value: *s.Split}
	}
	return q
}

// is reports whether a row of results is of the part.
func (q part) is(row metrics.ResultRow) bool {
	split := splitValue{}
	if row.Split != nil {
		split = splitValue{set: true, value: *row.Split}
	}
	return q == part{segment: row.Segment, value: row.SegmentValue, split: split}
}

// check finds what the definitions do not have of a slice.
func (s Slice) check(e *metrics.Experiment, m *metrics.Metric) (list diag.List) {
	if s.Segment != "" {
		var keys []string
		for _, seg := range e.Segments {
			keys = append(keys, seg.Key.V)
		}
		switch i := slices.Index(keys, s.Segment); {
		case len(keys) == 0:
			list.Errorf(e.Key.Pos, "unknown-segment", "experiment %s has no segments", e.Key.V).
				WithHint("segments: [%s] in the experiment", s.Segment)
		case i < 0:
			list.Errorf(e.Key.Pos, "unknown-segment", "experiment %s has no segment %q", e.Key.V, s.Segment).
				Hint = diag.Suggest("segments", s.Segment, keys)
		}
	}
	if s.Split != nil && !m.SplitBy.Set {
		list.Errorf(m.Key.Pos, "unknown-split", "metric %s is not split", m.Key.V).WithHint("split_by: and a property in the metric")
	}
	return list
}

// choices are the slice in the words of the compiler, with the values that results
// have, as far as they are known: before a run they are not.
func (s Slice) choices(m *metrics.Metric, c *collected) compiler.Slice {
	var out compiler.Slice
	if s.Segment != "" {
		out.Segment = &compiler.Choice{Key: s.Segment, Value: s.Value}
		if c != nil {
			units := []*unitCounts{&c.unitCounts}
			for _, parts := range c.parts {
				units = append(units, parts)
			}
			for _, u := range units {
				for k := range u.exposed {
					if k.segment == s.Segment {
						out.Segment.Known = add(out.Segment.Known, k.value)
					}
				}
			}
		}
	}
	if s.Split != nil {
		out.Split = &compiler.Choice{Key: m.SplitBy.V, Value: *s.Split}
		if c != nil {
			for _, byCell := range c.sums {
				for k := range byCell {
					if k.split.set {
						out.Split.Known = add(out.Split.Known, k.split.value)
					}
				}
			}
		}
	}
	return out
}

// add adds a value to a sorted list, once.
func add(list []string, v string) []string {
	i, have := slices.BinarySearch(list, v)
	if have {
		return list
	}
	return slices.Insert(list, i, v)
}

// known checks that results have the values.
func known(s compiler.Slice) error {
	var list diag.List
	for _, c := range []*compiler.Choice{s.Segment, s.Split} {
		if c == nil || slices.Contains(c.Known, c.Value) {
			continue
		}
		d := list.Errorf(diag.Pos{}, "unknown-value", "no results have the %s %q", c.Key, c.Value)
		if len(c.Known) == 0 {
			d.WithHint("there are none at all")
			continue
		}
		d.Hint = diag.Suggest("values", c.Value, c.Known)
	}
	return list.Err()
}
