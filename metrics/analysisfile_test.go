package metrics

import (
	"strings"
	"testing"
)

// An analysis file has the block, or its options at the top, or nothing.
func TestDecodeAnalysis(t *testing.T) {
	for _, text := range []string{"analysis: {alpha: 0.01}\n", "alpha: 0.01\n", "# strict\nalpha: 1%\ntest: welch\n"} {
		a, list := DecodeAnalysis("a.yaml", []byte(text))
		if list.HasErrors() || a.Alpha.V.Float() != 0.01 || a.Test.V != "welch" || a.Power.V != "0.8" {
			t.Errorf("%q: alpha %v, test %v, %v", text, a.Alpha.V, a.Test.V, list)
		}
	}
	for text, want := range map[string]string{
		"exact: fisher\n": "a.yaml:1:8: warning: exact changes nothing without exact_below: no metric has fewer than 0 units",
		"analysis: {exact: fisher, exact_below: 20}\n":                "",
		"analysis:\n  correction: {method: none, roles: [primary]}\n": "a.yaml:2:15: warning: over and roles change nothing in correction: its method is none",
	} {
		_, list := DecodeAnalysis("a.yaml", []byte(text))
		got := ""
		for _, d := range list {
			got += d.Error()
		}
		if got != want || list.HasErrors() {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"alpha: 0.95\n":               "a.yaml:1:8: an alpha of 0.95 is not below the power of 0.8",
		"{power: 0.1, alpha: 10%}\n":  "a.yaml:1:21: an alpha of 0.1 is not below the power of 0.1",
		"power: 0.05\n":               "a.yaml:1:8: an alpha of 0.05 is not below the power of 0.05",
		"{alpha: 0.9, power: 0.95}\n": "",
	} {
		_, list := DecodeAnalysis("a.yaml", []byte(text))
		if got := list.Error(); want == "" && list.HasErrors() || want != "" && !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{"analysis: {alfa: 0.01}\n", "alfa: 0.01\n", "- 1\n", "analysis: {}\nmetrics: []\n"} {
		if _, list := DecodeAnalysis("a.yaml", []byte(text)); !list.HasErrors() {
			t.Errorf("%q is taken", text)
		}
	}
}
