package oracle

import (
	"cmp"
	"slices"

	"github.com/metricsjob/metricsjob/metrics"
)

// A segmentation is one way to break results down: everybody, or a segment
// of the experiment (section 8).
type segmentation struct {
	name       string
	values     []string           // that exposed units have, by text
	value      func(*unit) string // nil from events
	fromEvents bool
}

// A slice is one value of a segmentation, for one metric.
type slice struct {
	value string
	has   func(*unit) bool
	keep  keepRow // the rows that count; nil: all
}

// keptValues is how many values of a segment are shown by name.
const keptValues = 50

// unitPrefix names a unit attribute where an attribute is wanted.
const unitPrefix = "unit."

// segmentations are everybody, then the experiment's segments.
func (x *experiment) segmentations() []segmentation {
	out := []segmentation{{name: metrics.Overall, values: []string{metrics.All}, value: func(*unit) string { return metrics.All }}}
	for _, sg := range x.Segments {
		switch {
		case sg.FromEvents:
			out = append(out, segmentation{name: sg.Key.V, fromEvents: true})
		case sg.Experiment.Set:
			out = append(out, x.byExperiment(sg))
		default:
			out = append(out, x.byAttribute(sg.Key.V))
		}
	}
	return out
}

// slices are the values of a segmentation for a metric.
func (x *experiment) slices(sg segmentation, m *measured) []slice {
	if sg.fromEvents {
		return x.fromEvents(sg.name, m)
	}
	var out []slice
	for _, value := range sg.values {
		out = append(out, slice{value: value, has: func(u *unit) bool { return sg.value(u) == value }})
	}
	return out
}

// byAttribute is section 8: by attribute of the exposure or unit attribute;
// missing is (none); the 50 values with most exposed units over all variations,
// ties by text, are kept, the rest is (other).
//
// Reading: an attribute of the exposure goes before a unit attribute of the
// same name; `unit.plan` is the unit attribute plan.
func (x *experiment) byAttribute(attribute string) segmentation {
	units := map[string]int{}
	for _, u := range x.exposures {
		if value, ok := u.attribute(attribute); ok {
			units[value]++
		}
	}
	kept := mostFirst(units, keptValues)
	return x.segmentation(attribute, func(u *unit) string {
		value, ok := u.attribute(attribute)
		switch {
		case !ok:
			return metrics.None
		case !slices.Contains(kept, value):
			return metrics.Other
		}
		return value
	})
}

// byExperiment is section 8: the unit's variation in another experiment after
// 3.3, (none) without.
func (x *experiment) byExperiment(sg *metrics.Segment) segmentation {
	other := newExperiment(x.defs, x.in, x.defs.Experiment(sg.Experiment.V))
	return x.segmentation(sg.Key.V, func(u *unit) string {
		if variation, ok := other.assigned[u.id]; ok {
			return variation
		}
		return metrics.None
	})
}

// segmentation collects the values that exposed units have.
func (x *experiment) segmentation(name string, value func(*unit) string) segmentation {
	seen := map[string]bool{}
	for _, u := range x.exposures {
		seen[value(u)] = true
	}
	return segmentation{name: name, values: keysOf(seen), value: value}
}

// fromEvents is Optimizely's rule (section 8): a unit is in the segment if its
// exposure, or any row of the metric's event keys, source and window, has the
// value; no value anywhere is (none).
//
// Reading: any row, whatever `where` says; of a ratio, of either side. A unit
// that was not activated, or left out by `after`, has no window.
func (x *experiment) fromEvents(attribute string, m *measured) []slice {
	has := map[*unit]map[string]bool{}
	units := map[string]int{}
	none := false
	for _, u := range x.exposures {
		values := x.valuesOf(attribute, m, u)
		has[u] = values
		none = none || len(values) == 0
		for value := range values {
			units[value]++
		}
	}
	kept := mostFirst(units, keptValues)
	var out []slice
	for _, value := range keysOf(units) {
		if slices.Contains(kept, value) {
			out = append(out, slice{value, func(u *unit) bool { return has[u][value] }, func(r Event) bool { return absent(r.Attributes, attribute) == value }})
		}
	}
	if len(units) > len(kept) {
		isOther := func(value string) bool { return !slices.Contains(kept, value) }
		out = append(out, slice{
			metrics.Other,
			func(u *unit) bool { return slices.ContainsFunc(keysOf(has[u]), isOther) },
			func(r Event) bool { value, ok := r.Attributes[attribute]; return ok && isOther(value) },
		})
	}
	if none {
		out = append(out, slice{
			metrics.None,
			func(u *unit) bool { return len(has[u]) == 0 },
			func(r Event) bool { _, ok := r.Attributes[attribute]; return !ok },
		})
	}
	return out
}

// valuesOf are the values of an attribute that a unit has at its exposure and
// in the metric's rows.
func (x *experiment) valuesOf(attribute string, m *measured, u *unit) map[string]bool {
	values := map[string]bool{}
	if value, ok := u.attributes[attribute]; ok {
		values[value] = true
	}
	if !slices.Contains(x.units, u) {
		return values
	}
	for _, s := range m.sides {
		start, ok := s.start(u)
		if !ok {
			continue
		}
		from, to := s.window(start)
		for _, r := range s.candidatesIn(u, from, to, nil) {
			if value, ok := r.Attributes[attribute]; ok {
				values[value] = true
			}
		}
	}
	return values
}

// attribute gives an attribute of the exposure or the unit.
func (u *unit) attribute(name string) (value string, ok bool) {
	if value, ok = u.attributes[name]; ok {
		return value, true
	}
	if len(name) > len(unitPrefix) && name[:len(unitPrefix)] == unitPrefix {
		name = name[len(unitPrefix):]
	}
	value, ok = u.traits[name]
	return value, ok
}

// mostFirst gives the keys with the largest numbers, at most so many, ties by text.
func mostFirst(numbers map[string]int, most int) []string {
	keys := keysOf(numbers)
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(numbers[b], numbers[a]) })
	return keys[:min(len(keys), most)]
}

// both keeps the rows that two keep.
func both(a, b keepRow) keepRow {
	if a == nil {
		return b
	}
	return func(r Event) bool { return a(r) && b(r) }
}
