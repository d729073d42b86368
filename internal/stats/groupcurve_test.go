package stats

import (
	"fmt"
	"testing"
)

// The p-value of a look is the alpha at which the boundary goes through the statistic:
// for the boundary of any alpha it is that alpha, whatever was asked before.
func TestGroupPValuesAreOnTheBoundary(t *testing.T) {
	for _, spending := range []Spending{OBrienFleming, Pocock, PowerSpending} {
		for _, alternative := range []Alternative{TwoSided, Greater} {
			for _, shares := range [][]float64{{1}, {0.3}, {0.25, 0.5, 0.75, 1}, {0.01, 0.02, 0.9}} {
				look, err := NewGroupLook(GroupDesign{spending, 2, 0.05, alternative}, shares)
				if err != nil {
					t.Fatal(err)
				}
				opt := DefaultOptions()
				opt.Alternative = alternative
				of := look.under(opt)
				// The nodes of the integrals are others where boundaries are, which is a
				// noise of 1e-8 in these.
				for alpha, tolerance := range map[float64]float64{1e-12: 1e-4, 3e-7: 1e-6, 0.001: 1e-7, 0.04: 2e-8, 0.05: 2e-8, 0.3: 2e-8, 0.9: 2e-4} {
					// A statistic less than zero is never significant on one side.
					statistic := of.boundary(alpha)
					if statistic >= widest || statistic < 0 {
						continue
					}
					p := pValue(statistic, of, alternative)
					near(t, fmt.Sprintf("%s %s %v at %v", spending, alternative, shares, alpha), &p, alpha, tolerance)
				}
			}
		}
	}
}
