package metrictest

import (
	"math/big"
	"testing"

	"github.com/metricsjob/metricsjob/metrics"
)

// TestNumber says which numbers are as expected.
func TestNumber(t *testing.T) {
	for _, c := range []struct {
		want   metrics.Number
		got    string
		differ string // what is shown; empty: as expected
	}{
		{"1", "1", ""},
		{"1.0", "1", ""},
		{"-2.50", "-5/2", ""},
		{"1e2", "100", ""},
		{"0.3333", "1/3", ""},
		{"0.33333", "1/3", ""},
		{"0.333", "1/3", "0.333333…"},
		{"0.3334", "1/3", "0.333333…"},
		{"0.6667", "2/3", ""},
		{"10", "104/10", "10.4"},
		{"10.0000", "10000004/1000000", ""},
		{"10.00", "10000004/1000000", "10.000004"},
	} {
		r, _ := new(big.Rat).SetString(c.got)
		var list comparison
		list.number(&metrics.Expectation{}, "", metrics.At[metrics.Number]{V: c.want, Set: true}, r)
		shown := ""
		if len(list.out) > 0 {
			shown = list.out[0].Got
		}
		if shown != c.differ {
			t.Errorf("%s expected of %s: shown %q, want %q", c.want, c.got, shown, c.differ)
		}
	}
}
