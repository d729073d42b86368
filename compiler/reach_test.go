package compiler

import (
	"testing"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// TestReach bounds the days that can matter by the windows of metrics, their
// covariates, the experiments that are selected and as-of. The expected days are
// added up by hand.
func TestReach(t *testing.T) {
	const head = `version: 1
sources:
  impressions: [{name: i, path: i.parquet, columns: {units: {user: u}, experiment: e, variation: v, timestamp: t}}]
  events: [{name: o, path: o.parquet, columns: {units: {user: u}, event: n, timestamp: t}}]
`
	const tail = `    flag: f
    unit: user
    variations: [{key: a, weight: 1, baseline: true}, {key: b, weight: 1}]
`
	plain := `metrics: [{key: m, event: x, measure: count, better: higher}]
experiments:
`
	one := "  - key: one\n    start: 2026-03-10\n    end: 2026-03-20\n    metrics: {primary: [m]}\n" + tail
	later := "  - key: later\n    start: 2026-04-01\n    end: 2026-04-05\n    metrics: {primary: [m]}\n" + tail
	for name, c := range map[string]struct {
		definitions string
		asOf        string
		selected    []string
		from, to    string // dates; empty: anything may matter
	}{
		"no as-of":                   {plain + one, "", nil, "", ""},
		"an experiment that is over": {plain + one, "2026-05-01", nil, "2026-03-10", "2026-03-20"},
		"an end within a day":        {plain + "  - key: one\n    start: 2026-03-10T12:00:00Z\n    end: 2026-03-20T12:00:00Z\n    metrics: {primary: [m]}\n" + tail, "2026-05-01", nil, "2026-03-10T12:00:00Z", "2026-03-21"},
		"as-of within it":            {plain + one, "2026-03-15", nil, "2026-03-10", "2026-03-15"},
		"as-of before it":            {plain + one, "2026-03-01", nil, "", ""},
		"one without an end":         {plain + "  - key: open\n    start: 2026-03-10\n    metrics: {primary: [m]}\n" + tail, "2026-05-01", nil, "2026-03-10", "2026-05-01"},
		"two experiments":            {plain + one + later, "2026-05-01", nil, "2026-03-10", "2026-04-05"},
		"one of two":                 {plain + one + later, "2026-05-01", []string{"later"}, "2026-04-01", "2026-04-05"},
		"one that leaves out the units of another": {
			plain + one + later + "    exclude_units_in: [one]\n", "2026-05-01", []string{"later"}, "2026-03-10", "2026-04-05",
		},
		"one that is broken down by another": {
			plain + one + later + "    segments: [{key: s, experiment: one}]\n", "2026-05-01", []string{"later"}, "2026-03-10", "2026-04-05",
		},
		"windows before and after": {
			"metrics: [{key: m, event: x, measure: count, better: higher, window: {from: -2d, to: 3d}}]\nexperiments:\n" + one, "2026-05-01", nil, "2026-03-08", "2026-03-23",
		},
		"windows of the sides of a ratio": {
			"metrics:\n  - {key: m, better: higher, ratio: {numerator: {event: x, measure: count, window: 7d}, denominator: {event: x, measure: count, window: {from: -1d, to: 1d}}}}\nexperiments:\n" + one,
			"2026-05-01", nil, "2026-03-09", "2026-03-27",
		},
		"covariates": {
			plain + "  - key: one\n    start: 2026-03-10\n    end: 2026-03-20\n    metrics: {primary: [{metric: m, cuped: {days: 5}}]}\n" + tail, "2026-05-01", nil, "2026-03-05", "2026-03-20",
		},
		"observed beyond the end": {plain + "  - key: one\n    start: 2026-03-10\n    end: 2026-03-20\n    observe_until: 2026-03-25\n    metrics: {primary: [m]}\n" + tail, "2026-05-01", nil, "2026-03-10", "2026-03-25"},
	} {
		t.Run(name, func(t *testing.T) {
			defs, list := metrics.Decode([]metrics.SourceFile{{Path: "metrics.yaml", Text: []byte(head + c.definitions)}}, metrics.LoadOptions{})
			if len(list) > 0 {
				t.Fatal(list)
			}
			date := func(text string) time.Time {
				if text == "" {
					return time.Time{}
				}
				at, err := time.Parse(time.DateOnly, text)
				if err != nil {
					at, err = time.Parse(time.RFC3339, text)
				}
				if err != nil {
					t.Fatal(err)
				}
				return at
			}
			from, to := Reach(defs, PlanOptions{AsOf: date(c.asOf), Experiments: c.selected})
			if !from.Equal(date(c.from)) || !to.Equal(date(c.to)) {
				t.Errorf("from %s to %s, want %s to %s", from.Format(time.DateOnly), to.Format(time.DateOnly), c.from, c.to)
			}
		})
	}
}
