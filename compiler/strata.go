package compiler

import (
	"slices"
	"strings"
)

// jointSeparator stands between the segments of a joint stratum, and between their
// values. Where values have it too, two strata may become one, which is one, too.
const jointSeparator = " × "

// StrataOf are the segments of the experiment that a metric is post-stratified by:
// what its analysis names and the experiment has, but for those of which a unit may
// have several values.
func (x *ExperimentPlan) StrataOf(stratify []string) []string {
	var out []string
	for _, key := range stratify {
		if slices.ContainsFunc(x.Segments, func(s Segment) bool { return s.Key == key && !s.FromEvents }) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

// StrataSegment is the segment that sums by these strata have in results: itself if
// it is one, else the name of all of them together.
func StrataSegment(segments []string) string {
	if len(segments) == 1 {
		return segments[0]
	}
	return "strata of " + strings.Join(segments, jointSeparator)
}

// joint are several segments, by whose values together units are summed.
type joint struct {
	name        string
	segments    []string
	experiments []string
}

// jointStrata are the sets of several segments that metrics are post-stratified by,
// in alphabetical order; none where they are not wanted.
func (b *builder) jointStrata(wanted bool) []joint {
	var out []joint
	if !wanted || b.plan.Unstratified || b.parts != nil {
		return nil
	}
	for _, x := range b.plan.Experiments {
		for _, m := range x.Metrics {
			of := x.StrataOf(m.Def.Analysis.Stratify.V)
			if len(of) < 2 || m.Tally.Percentile != nil {
				continue
			}
			at := slices.IndexFunc(out, func(j joint) bool { return slices.Equal(j.segments, of) })
			if at < 0 {
				at = len(out)
				out = append(out, joint{name: StrataSegment(of), segments: of})
			}
			out[at].experiments = appendNew(out[at].experiments, x.Def.Key.V)
		}
	}
	slices.SortFunc(out, func(a, b joint) int { return strings.Compare(a.name, b.name) })
	return out
}
