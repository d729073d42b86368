package export

import (
	"testing"

	"github.com/metricsjob/metricsjob/metrics"
)

// TestInconclusive has the words of a verdict that a guardrail alone keeps from
// being to ship: they must not say that nothing is known to be better.
func TestInconclusive(t *testing.T) {
	for code, want := range map[string]string{
		"primary_better":  "a primary metric is better, but harm is not ruled out",
		"primary_unclear": "nobody can say from this data whether it helps",
	} {
		reasons := metrics.Reasons{{Code: code}, {Code: "guardrail_not_shown"}}
		if got, _ := verdictWords(metrics.Inconclusive, reasons); got != "INCONCLUSIVE, "+want {
			t.Errorf("%s: %s", code, got)
		}
	}
}
