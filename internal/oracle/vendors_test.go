package oracle

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/metricsjob/metricsjob/metrics"
)

// mean is the mean of the metric's unit numbers in control.
func mean(t *testing.T, m *metrics.Metric, in Input) string {
	t.Helper()
	c := run(t, definitions(m), in).Metrics[0].Cells[0]
	return new(big.Rat).Quo(c.X, ratOf(c.Units)).FloatString(2)
}

// buyers are exposed units with the values of their purchases.
func buyers(values ...[]float64) Input {
	var impressions []Impression
	var rows []Event
	for i, of := range values {
		user := fmt.Sprint("u", i)
		impressions = append(impressions, shows(user, "control", 0))
		for _, v := range of {
			rows = append(rows, bought(user, 1, v))
		}
	}
	return input(impressions, rows)
}

// The numbers that LaunchDarkly and FlagSync print on the pages about their metrics.
func TestVendors(t *testing.T) {
	value := func(perUnit metrics.PerUnit, without metrics.UnitsWithoutEvents) *metrics.Metric {
		m := metric("m", metrics.Value)
		m.PerUnit, m.WithoutEvents = set(perUnit), without
		return m
	}
	zero, exclude := metrics.UnitsWithoutEvents{Number: "0", Set: true}, metrics.UnitsWithoutEvents{Exclude: true, Set: true}
	three := buyers([]float64{1, 1, 1}, nil, []float64{1, 1}) // purchases A: 3, B: 0, C: 2
	prices := buyers([]float64{10}, []float64{8}, []float64{9}, nil)
	for _, tt := range []struct {
		what   string
		metric *metrics.Metric
		in     Input
		want   string
	}{
		{"LaunchDarkly, count of purchases", metric("m", metrics.Count), three, "1.67"},
		{"LaunchDarkly, sum of purchases", value(metrics.Sum, zero), three, "1.67"},
		{"LaunchDarkly, conversion", metric("m", metrics.Occurrence), three, "0.67"},
		{"LaunchDarkly, average price, units without events excluded", value(metrics.Average, exclude), prices, "9.00"},
		{"LaunchDarkly, average price, units without events included", value(metrics.Average, zero), prices, "6.75"},
		{"FlagSync, count", metric("m", metrics.Count), buyers([]float64{1, 1, 1}, []float64{1}), "2.00"},
		{"FlagSync, sum", value(metrics.Sum, zero), buyers([]float64{60, 40}, []float64{50}), "75.00"},
		{"FlagSync, average of averages", value(metrics.Average, exclude), buyers([]float64{30, 50}, []float64{60}), "50.00"},
	} {
		if got := mean(t, tt.metric, tt.in); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, got, tt.want)
		}
	}
}

// LaunchDarkly's example of winsorizing: with the upper 90th percentile 950
// becomes 170, with the lower 10th as well 5 becomes 120.
func TestVendorsWinsorizing(t *testing.T) {
	var values [][]float64
	for _, v := range []float64{5, 120, 135, 140, 145, 150, 155, 160, 170, 950} {
		values = append(values, []float64{v})
	}
	upper, lower := set(metrics.Number("0.9")), set(metrics.Number("0.1"))
	for _, tt := range []struct {
		w    metrics.Winsorize
		want string // sum of 120 + … + 170 = 1175, and the ends
	}{
		{metrics.Winsorize{Upper: upper}, "1350"},               // + 5 + 170
		{metrics.Winsorize{Upper: upper, Lower: lower}, "1465"}, // + 120 + 170
	} {
		m := metric("m", metrics.Value)
		m.Winsorize = &tt.w
		if got := run(t, definitions(m), buyers(values...)).Metrics[0].Cells[0].X.RatString(); got != tt.want {
			t.Errorf("%+v: sum %s, want %s", tt.w, got, tt.want)
		}
	}
}
