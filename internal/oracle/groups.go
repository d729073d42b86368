package oracle

import (
	"fmt"
	"math/big"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// overEvents is the word for groups of one row each.
const overEvents = "events"

// addGroups evaluates a metric over groups for one unit (5.8): x is the sum
// over the groups, y is their number.
func (m *measured) addGroups(n *unitNumber, s *side, u *unit, start time.Time, keep keepRow) {
	n.x, n.y = new(big.Rat), new(big.Rat)
	from, to := s.window(start)
	var order []string
	groups := map[string][]Event{}
	for i, r := range s.candidatesIn(u, from, to, keep) {
		group := fmt.Sprint("row ", i)
		if m.Over.V != overEvents {
			text, ok := plain(absent(r.Properties, m.Over.V))
			if !ok { // a missing value is no group
				continue
			}
			group = text
		}
		if groups[group] == nil {
			order = append(order, group)
		}
		groups[group] = append(groups[group], r)
	}
	for _, group := range order {
		var counts []counted
		times := int64(1) // the group stands for so many
		for _, r := range groups[group] {
			c, ok := s.count(u, from, r)
			if m.Over.V == overEvents { // 2.6: each of them is of one row
				times, c.weight = r.stands(), 1
			}
			if ok {
				counts = append(counts, c)
			}
		}
		x := s.reduce(counts, start)
		if x == nil {
			if !s.zeroOfNothing(m.Over.V) {
				continue
			}
			x = new(big.Rat)
		}
		x = s.limited(x)
		n.rows += len(counts)
		n.met = append(n.met, counts...)
		for range times {
			n.groups = append(n.groups, x)
			n.x.Add(n.x, x)
			n.y.Add(n.y, ratOf(1))
		}
	}
}

// zeroOfNothing reports whether a group in which nothing counts is 0, and not left out.
func (s *side) zeroOfNothing(over string) bool {
	switch s.Measure.V {
	case metrics.Occurrence, metrics.Count:
		return true
	case metrics.Value:
		return over != overEvents && s.perUnit() == metrics.Sum
	}
	return false
}
