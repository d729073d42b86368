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
				for _, alpha := range []float64{1e-12, 3e-7, 0.001, 0.04, 0.05, 0.3, 0.7, 0.9} {
					// A statistic less than zero is never significant on one side.
					statistic := of.boundary(alpha)
					if statistic >= widest || statistic < 0 {
						continue
					}
					p := pValue(statistic, of, alternative)
					near(t, fmt.Sprintf("%s %s %v at %v", spending, alternative, shares, alpha), &p, alpha, 1e-10)
				}
			}
		}
	}
}
