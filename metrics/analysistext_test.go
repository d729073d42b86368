package metrics

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// TestAnalysisText: what is written is what differs from the defaults, on one line, and
// means the same when it is read.
func TestAnalysisText(t *testing.T) {
	for _, text := range []string{
		"{}",
		"{test: z, exact: fisher, exact_below: 200, alternative: greater, alpha: 0.01, power: 0.9, relative_interval: fieller}",
		"{peeking: {method: always_valid, tuned_at: 800}, bayesian: off, correction: {method: holm, over: [metrics, segments], roles: [primary, guardrails]}}",
		"{peeking: {method: group, looks: 4, spending: power, power: 2}, bayesian: {prior: {mean: 0, sd: 0.3}}, cuped: {days: 14}, minimum_effect: 0.02}",
		"{bayesian: {prior: {mean: -0.1, sd: 2.5, of: absolute}}, correction: {method: sidak}, sample_ratio: {alarm: 0.01}, several_variations: {alarm: 0.05}}",
		`{stratify: [country, "1", 'a, b', a_name_that_is_so_long_that_an_encoder_may_break_the_line_behind_it], bootstrap: {resamples: 400, seed: 0}}`,
	} {
		a, list := DecodeAnalysis("a.yaml", []byte(text))
		if err := list.Err(); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if a.Text() != text {
			t.Errorf("%s\nis written as\n%s", text, a.Text())
		}
		again, list := DecodeAnalysis("b.yaml", []byte(a.Text()))
		if d := cmp.Diff(a, again, cmpopts.IgnoreTypes(diag.Pos{})); d != "" || list.Err() != nil {
			t.Errorf("%s: %v, and (-want +got):\n%s", text, list.Err(), d)
		}
	}
}
