package oracle

import (
	"cmp"
	"slices"

	"github.com/metricsjob/metricsjob/metrics"
)

// A segmentation is one way to break results down: everybody, or a segment
// of the experiment (section 8).
type segmentation struct {
	name   string
	values []string // that exposed units have, by text
	value  func(*unit) string
}

// keptValues is how many values of a segment are shown by name.
const keptValues = 50

// segmentations are everybody, then the experiment's segments.
func (x *experiment) segmentations() []segmentation {
	out := []segmentation{{metrics.Overall, []string{metrics.All}, func(*unit) string { return metrics.All }}}
	for _, sg := range x.Segments {
		if sg.FromEvents || sg.Experiment.V != "" {
			panic("oracle: segments from events and experiments are not done yet")
		}
		out = append(out, x.byAttribute(sg.Key.V))
	}
	return out
}

// byAttribute is section 8: by attribute of the exposure; missing is (none);
// the 50 values with most exposed units over all variations, ties by text, are
// kept, the rest is (other).
func (x *experiment) byAttribute(attribute string) segmentation {
	units := map[string]int{}
	for _, u := range x.exposures {
		if value, ok := u.attributes[attribute]; ok {
			units[value]++
		}
	}
	kept := keysOf(units)
	slices.SortStableFunc(kept, func(a, b string) int { return cmp.Compare(units[b], units[a]) })
	kept = kept[:min(len(kept), keptValues)]

	sg := segmentation{name: attribute, value: func(u *unit) string {
		value, ok := u.attributes[attribute]
		switch {
		case !ok:
			return metrics.None
		case !slices.Contains(kept, value):
			return metrics.Other
		}
		return value
	}}
	seen := map[string]bool{}
	for _, u := range x.exposures {
		seen[sg.value(u)] = true
	}
	sg.values = keysOf(seen)
	return sg
}
