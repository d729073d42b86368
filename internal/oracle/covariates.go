package oracle

import (
	"math/big"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// takesCovariates reports whether a metric of the experiment may have
// covariates; where it may not, an inherited setting is not applied (section 7).
func (x *experiment) takesCovariates(m *metrics.Metric) bool {
	fromEvents := slices.ContainsFunc(x.Segments, func(sg *metrics.Segment) bool { return sg.FromEvents })
	return m.NoCUPED() == "" && !fromEvents
}

// addCovariates gives the units the number of the same metric over the rows
// in [f−D, f), f = e + min(from, 0), e the exposure (section 7). Caps are those
// that changed a number of the outcome; without rows the number is 0.
//
// Readings: each cap is judged by itself, a given value as well as a percentile;
// a row that is too large is overflow even if its unit is left out, as in 5.1.
func (m *measured) addCovariates(numbers []*unitNumber, keep keepRow) {
	of := map[*unit]*unitNumber{}
	for _, n := range numbers {
		of[n.u] = n
	}
	for _, u := range m.x.units {
		for i, s := range m.sides {
			f := u.exposed.Add(min(s.Window.From, 0))
			rows := s.rowsIn(u, f.Add(-time.Duration(m.days)*24*time.Hour), f, keep)
			n := of[u]
			if n == nil { // left out
				continue
			}
			p := s.reduce(rows, u.exposed)
			if len(rows) == 0 {
				p = new(big.Rat)
			}
			*covariates(i)(n)[0] = s.limited(p)
		}
	}
	for i, s := range m.sides {
		var upper, lower *big.Rat
		if s.changedUpper {
			upper = s.upper
		}
		if s.changedLower {
			lower = s.lower
		}
		s.capFitting(numbers, covariates(i), func(x *big.Rat) *big.Rat { return s.within(x, upper, lower) })
	}
}
