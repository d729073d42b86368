package stats

import (
	"math"
	"testing"

	"github.com/metricsjob/metricsjob/metrics"
)

// Power of experiments that are looked at before the end. Of four looks the chance to leave
// the box of the boundaries is 1 − multivariate_normal.cdf(c, mean=shift·√t, cov=√(tᵢ/tⱼ),
// lower_limit=−c) of scipy 1.14.1, with the boundaries of testdata/group.py; of an
// always-valid sequence it is norm.sf(b − shift) + norm.sf(b + shift), b by its formula.
func TestPowerWithLooks(t *testing.T) {
	for _, c := range []struct {
		analysis     string
		units, shift float64
		want, within float64
	}{
		{"{peeking: {method: group, looks: 4, spending: obrien_fleming}}", 1000, 2.8, 0.79184, 2e-5},
		{"{peeking: {method: group, looks: 4, spending: obrien_fleming}}", 1000, 4, 0.97766, 2e-5},
		{"{peeking: {method: group, looks: 4, spending: obrien_fleming}}", 1000, 0, 0.05, 1e-9},
		{"{peeking: {method: group, looks: 4, spending: pocock}}", 1000, 1, 0.13882, 2e-5},
		{"{peeking: {method: group, looks: 4, spending: pocock}}", 1000, 2.8, 0.72134, 2e-5},
		{"{peeking: {method: group, looks: 4, spending: power, power: 2}}", 1000, -2.8, 0.7775, 2e-5},
		{"{peeking: {method: always_valid, tuned_at: 5000}}", 1000, 2.8, 0.2864152723038744, 1e-12},
		{"{peeking: {method: always_valid, tuned_at: 5000}}", 5000, 4, 0.8326752500737038, 1e-12},
		{"{peeking: {method: always_valid, tuned_at: 5000}}", 20000, -4, 0.8086373519008893, 1e-12},
	} {
		a, list := metrics.DecodeAnalysis("analysis.yaml", []byte(c.analysis))
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		// Halves of n units with a standard deviation of 1 differ by 2/√n.
		d := PowerDesign{StdDev: 1, Ratio: 1, Alpha: 0.05, Alternative: TwoSided, Test: Welch}.Peeking(a, 10)
		effect := c.shift * 2 / math.Sqrt(c.units)
		got := d.Power(effect, c.units)
		if math.Abs(got-c.want) > c.within {
			t.Errorf("%s, %g units, shift %g: power %.7f, want %.7f", c.analysis, c.units, c.shift, got, c.want)
		}
		if c.shift > 0 && got > 0.5 {
			if units := d.Units(effect, got); math.Abs(units-c.units) > 1e-6*c.units {
				t.Errorf("%s: %g units have the power of %g", c.analysis, units, c.units)
			}
		}
	}
}

// A mixture of effects of size τ is the always-valid sequence: of the difference of n/2 and
// n/2 units with a standard deviation of 1 the variance is 4/n, and τ²/V = 0.2²·n/4 = n/100 is
// what the sequence has that is tuned at 100·(−2 log α + log(1 − 2 log α)) = 793.6 units.
func TestPowerOfAMixture(t *testing.T) {
	d := PowerDesign{StdDev: 1, Ratio: 1, Alpha: 0.05, Alternative: Greater, Test: Z}
	mixture, sequence := d, d
	mixture.mixture = 0.2
	sequence.tunedAt = 794
	for _, effect := range []float64{0, 0.1, 0.2} {
		if a, b := mixture.Power(effect, 800), sequence.Power(effect, 800); math.Abs(a-b) > 1e-3 {
			t.Errorf("effect %g: %g by the mixture, %g by the sequence", effect, a, b)
		}
	}
}
