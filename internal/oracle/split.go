package oracle

import (
	"slices"

	"github.com/metricsjob/metricsjob/metrics"
)

// splitValues is how many values of a split are shown by name (5.11).
const splitValues = 20

// parts are the ways of looking at a metric: the whole, or each step of a
// funnel, then each value of a split.
func (m *measured) parts() []part {
	if m.Funnel == nil {
		return append([]part{{}}, m.splits(0)...)
	}
	var out []part
	for i := range m.Funnel.Steps {
		out = append(out, part{step: i + 1})
		out = append(out, m.splits(i+1)...)
	}
	return out
}

// look makes a funnel's numbers those of the part's step.
func (m *measured) look(p part) {
	if p.step > 0 {
		m.sides[0].step = p.step - 1
	}
}

// splits are the parts of the values of split_by: the 20 with most counted
// rows over all variations, ties by text, the others together as (other),
// missing ones as (none) (5.11).
//
// Reading: the rows of a ratio are those of both sides; those of a funnel are
// the rows that fit a step, reached or not, once for each step; with
// numerator_within those of the numerator, whenever; and with exclude those of
// units that are left out, too.
func (m *measured) splits(step int) []part {
	if !m.SplitBy.Set {
		return nil
	}
	rows := map[string]int{}
	missing := false
	for _, r := range m.fittingRows() {
		if value, ok := splitOf(m.SplitBy.V, r.row); ok {
			rows[value]++
		} else {
			missing = true
		}
	}
	kept := mostFirst(rows, splitValues)
	var out []part
	add := func(name string, has func(value string, ok bool) bool) {
		out = append(out, part{step: step, split: &name, keep: func(r Event) bool { return has(splitOf(m.SplitBy.V, r)) }})
	}
	for _, name := range kept {
		add(name, func(value string, ok bool) bool { return ok && value == name })
	}
	if len(rows) > len(kept) {
		add(metrics.Other, func(value string, ok bool) bool { return ok && !slices.Contains(kept, value) })
	}
	if missing {
		add(metrics.None, func(_ string, ok bool) bool { return !ok })
	}
	return out
}

// fittingRows are the rows that fit the metric, over all variations, of units
// that need not be waited for.
func (m *measured) fittingRows() []counted {
	var out []counted
	for _, u := range m.x.units {
		out = append(out, m.fitting(u)...)
	}
	return out
}

// fitting are the rows of one unit that fit the sides of the metric, or the
// steps of its funnel. Whether they are too large, those tell that count (5.1).
func (m *measured) fitting(u *unit) []counted {
	var out []counted
	for _, s := range m.sides {
		defer func(before bool) { s.overflow = before }(s.overflow)
		start, ok := s.start(u)
		if !ok || !s.windowOver(start) {
			return nil
		}
		if m.Over.Set {
			var n unitNumber
			m.addGroups(&n, s, u, start, nil)
			out = append(out, n.met...)
			continue
		}
		from, to := s.window(start)
		of := s.steps
		if of == nil {
			of = []*side{s}
		}
		for _, one := range of {
			for _, r := range one.candidatesIn(u, from, to, nil) {
				if c, ok := one.count(u, from, r); ok {
					out = append(out, c)
				}
			}
		}
	}
	return out
}

// splitOf is the text of the property that a metric is split by.
func splitOf(property string, r Event) (text string, ok bool) {
	return plain(absent(r.Properties, property))
}
