package oracle

import (
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// newFunnel makes a side of a funnel, which is its last step (5.10). Each step
// is an occurrence of its own event and where; source, after and window are the funnel's.
func (x *experiment) newFunnel(m *metrics.Metric) *side {
	body := *m
	body.Funnel, body.Measure.V = nil, metrics.Occurrence
	s := x.newSide(&body)
	for _, step := range m.Funnel.Steps {
		of := body
		of.Event, of.Where = step.Event, step.Where
		s.steps = append(s.steps, x.newSide(&of))
	}
	restored := *m
	restored.Measure.V = metrics.Occurrence
	s.Metric = &restored
	s.step = len(s.steps) - 1
	return s
}

// reached gives the rows at which the funnel's step is reached: the last rows
// of all chains that fit; without order, the rows of the step, if each step
// before it has one.
func (s *side) reached(u *unit, from, to time.Time, keep keepRow) []counted {
	var ends []counted
	for i, step := range s.steps[:s.step+1] {
		rows := step.rowsIn(u, from, to, keep)
		switch {
		case i == 0:
			ends = rows
		case s.Funnel.AnyTime:
			if len(ends) == 0 {
				return nil
			}
			ends = rows
		default:
			ends = slices.DeleteFunc(rows, func(r counted) bool {
				return !slices.ContainsFunc(ends, func(before counted) bool { return s.follows(i, before.at, r.at) })
			})
		}
	}
	return ends
}

// follows reports whether a row of step i at t may come after one of the step
// before it at s: not earlier, later where the step shares an event key with an
// earlier step, and within its time.
func (s *side) follows(i int, before, t time.Time) bool {
	if t.Before(before) {
		return false
	}
	for _, earlier := range s.steps[:i] {
		if shareKey(earlier.Event, s.steps[i].Event) && t.Equal(before) {
			return false
		}
	}
	within := s.Funnel.Steps[i].Within
	return !within.Set || t.Before(before.Add(within.V))
}

// shareKey reports whether an event may fit both selectors.
func shareKey(a, b metrics.EventSelector) bool {
	switch {
	case a.Impression || b.Impression:
		return a.Impression && b.Impression
	case a.Any || b.Any:
		return true
	}
	return slices.ContainsFunc(a.Keys, func(key metrics.Text) bool {
		return slices.ContainsFunc(b.Keys, func(other metrics.Text) bool { return other.V == key.V })
	})
}
