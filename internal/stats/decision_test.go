package stats

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/metricsjob/metricsjob/metrics"
)

// evidenceRow is a metric with an effect of 10%, in the direction told.
func evidenceRow(role metrics.Role, metric string, effect, p float64) Judged {
	return Judged{Better: metrics.Higher, Row: &metrics.ResultRow{
		Role: string(role), Metric: metric, Units: 1000, Alpha: 0.05, Status: "ok",
		AbsoluteEffect: new(effect), RelativeEffect: new(effect), RelativeLow: new(effect - 0.05), RelativeHigh: new(effect + 0.05),
		PValue: new(p), Significant: new(p < 0.05), MinimumDetectableEffect: new(0.02),
	}}
}

func withMargin(j Judged, nonInferior, inferior bool) Judged {
	j.Margin = &NonInferiority{Worst: new(-0.2), Limit: new(-0.1), PValue: new(0.5), NonInferior: new(nonInferior), Inferior: new(inferior)}
	return j
}

// The verdicts of docs/statistics.md, rule by rule.
func TestDecide(t *testing.T) {
	primary := func(effect, p float64) Judged { return evidenceRow(metrics.Primary, "orders", effect, p) }
	second := func(effect, p float64) Judged { return evidenceRow(metrics.Primary, "visits", effect, p) }
	guardrail := func(effect, p float64) Judged { return evidenceRow(metrics.Guardrail, "speed", effect, p) }
	lower := func(j Judged) Judged {
		j.Better = metrics.Lower
		return j
	}
	lost := func(j Judged) Judged {
		j.Row.PValue, j.Row.Significant, j.Row.Status = nil, nil, "one_unit"
		return j
	}
	harmed := func(j Judged, p float64) Judged {
		j.Harm = new(p)
		return j
	}
	ended := func(judged ...Judged) Evidence {
		return Evidence{Judged: judged, End: "2026-04-15", Ended: true, MinimumEffect: 0.01}
	}
	running := func(judged ...Judged) Evidence {
		return Evidence{Judged: judged, End: "2026-04-15", MinimumEffect: 0.01}
	}
	anytime := func(judged ...Judged) Evidence {
		e := running(judged...)
		e.Anytime = true
		return e
	}
	open := func(effect float64, judged ...Judged) Evidence {
		return Evidence{Judged: judged, MinimumEffect: effect}
	}
	broken := ended(primary(0.1, 0.001))
	broken.Invalid = metrics.Reasons{{Code: "sample_ratio", Text: "units did not come in the planned ratio"}}
	for _, c := range []struct {
		name  string
		e     Evidence
		want  metrics.Verdict
		codes []string
	}{
		{"a broken sample ratio beats everything", broken, metrics.Invalid, []string{"sample_ratio"}},
		{"better", ended(primary(0.1, 0.001)), metrics.Ship, []string{"primary_better"}},
		{"better where less is better", ended(lower(primary(-0.1, 0.001))), metrics.Ship, []string{"primary_better"}},
		{"worse", ended(primary(-0.1, 0.001)), metrics.DoNotShip, []string{"primary_worse"}},
		{"one better, one worse", ended(primary(0.1, 0.001), second(-0.1, 0.001)), metrics.DoNotShip, []string{"primary_worse", "primary_better"}},
		{"one of two", ended(primary(0.1, 0.02), second(0.01, 0.6)), metrics.Ship, []string{"primary_better"}},
		{"one of two, not by Holm", ended(primary(0.1, 0.03), second(0.01, 0.6)), metrics.Inconclusive, []string{"primary_unclear", "primary_unclear"}},
		{"a guardrail got worse", ended(primary(0.1, 0.001), guardrail(-0.1, 0.01)), metrics.DoNotShip, []string{"guardrail_worse", "primary_better"}},
		{"a guardrail is as it was", ended(primary(0.1, 0.001), guardrail(-0.1, 0.2)), metrics.Ship, []string{"primary_better", "guardrail_not_worse"}},
		{"beyond the margin", ended(primary(0.1, 0.001), withMargin(guardrail(-0.1, 0.01), false, true)), metrics.DoNotShip, []string{"guardrail_beyond_margin", "primary_better"}},
		{"worse, but within the margin", ended(primary(0.1, 0.001), withMargin(guardrail(-0.1, 0.01), true, false)), metrics.Ship, []string{"primary_better", "guardrail_within_margin"}},
		{"perhaps beyond the margin", ended(primary(0.1, 0.001), withMargin(guardrail(-0.1, 0.3), false, false)), metrics.Inconclusive, []string{"primary_better", "guardrail_not_shown"}},
		{"a guardrail without a margin that cannot be computed, and looks worse", ended(primary(0.1, 0.001), lost(guardrail(-0.1, 0.3))), metrics.Inconclusive, []string{"primary_better", "guardrail_not_computed"}},
		{"a guardrail without a margin that cannot be computed, and is as it was", ended(primary(0.1, 0.001), lost(guardrail(0, 0.3))), metrics.Ship, []string{"primary_better", "guardrail_not_computed"}},
		{"a guardrail without a margin that cannot be computed, and looks better", ended(primary(0.1, 0.001), lost(lower(guardrail(-0.1, 0.3)))), metrics.Ship, []string{"primary_better", "guardrail_not_computed"}},
		{"harm that the test of a guardrail does not look for", ended(primary(0.1, 0.001), harmed(guardrail(-0.5, 1), 0.001)), metrics.DoNotShip, []string{"guardrail_worse", "primary_better"}},
		{"no harm by its own test", ended(primary(0.1, 0.001), harmed(guardrail(-0.01, 0.6), 0.4)), metrics.Ship, []string{"primary_better", "guardrail_not_worse"}},
		{"harm that the test of a primary metric does not look for", ended(harmed(primary(-0.5, 1), 0.001)), metrics.DoNotShip, []string{"primary_worse"}},
		{"harm to one of two, not by Holm", ended(harmed(primary(-0.5, 1), 0.03), harmed(second(0.01, 0.4), 0.6)), metrics.Inconclusive, []string{"primary_unclear", "primary_unclear"}},
		{"too early", running(primary(0.1, 0.001)), metrics.KeepRunning, []string{"before_end", "primary_better"}},
		{"too early to say that it is worse", running(primary(-0.1, 0.001)), metrics.KeepRunning, []string{"before_end", "primary_worse"}},
		{"at any time", anytime(primary(0.1, 0.001)), metrics.Ship, []string{"primary_better"}},
		{"at any time, unclear", anytime(primary(0.1, 0.3)), metrics.KeepRunning, []string{"before_end", "primary_unclear"}},
		{"unclear in the end", ended(primary(0.1, 0.3)), metrics.Inconclusive, []string{"primary_unclear"}},
		{"no p-value", ended(lost(primary(0.1, 0.3))), metrics.Inconclusive, []string{"primary_not_computed"}},
		{"no end, too few units", open(0.01, primary(0.1, 0.001)), metrics.KeepRunning, []string{"units_needed", "primary_better"}},
		{"no end, enough units", open(0.03, primary(0.1, 0.001)), metrics.Ship, []string{"primary_better"}},
		{"a guardrail that was not computed", ended(primary(0.1, 0.001), NotComputed(metrics.Guardrail, "speed", "too large")), metrics.Inconclusive, []string{"primary_better", "guardrail_not_computed"}},
		{"a second primary metric that was not computed", ended(primary(0.1, 0.02), NotComputed(metrics.Primary, "visits", "too large")), metrics.Ship, []string{"primary_better", "primary_not_computed"}},
		{"one of two, the other not computed, not by Holm", ended(primary(0.1, 0.03), NotComputed(metrics.Primary, "visits", "too large")), metrics.Inconclusive, []string{"primary_unclear", "primary_not_computed"}},
		{"a second primary metric without a p-value", ended(primary(0.1, 0.02), lost(second(0.1, 0.3))), metrics.Ship, []string{"primary_better", "primary_not_computed"}},
		{"one of two, the other without a p-value, not by Holm", ended(primary(0.1, 0.03), lost(second(0.1, 0.3))), metrics.Inconclusive, []string{"primary_unclear", "primary_not_computed"}},
		{"no units make up for what was not computed", open(0.03, NotComputed(metrics.Primary, "visits", "too large")), metrics.Inconclusive, []string{"primary_not_computed"}},
		{"nothing primary", ended(guardrail(0.1, 0.3)), metrics.Inconclusive, []string{"guardrail_not_worse"}},
		{"nothing at all", ended(), metrics.Inconclusive, []string{"no_primary"}},
	} {
		got, reasons := Decide(c.e)
		var codes []string
		for _, r := range reasons {
			codes = append(codes, r.Code)
			if r.Text == "" {
				t.Errorf("%s: %s has no text", c.name, r.Code)
			}
		}
		if got != c.want || !slices.Equal(codes, c.codes) {
			t.Errorf("%s: %s for %v, want %s for %v", c.name, got, codes, c.want, c.codes)
		}
	}
}

// Reasons name the metric, the number and what it was compared with.
func TestReasonsInWords(t *testing.T) {
	j := evidenceRow(metrics.Primary, "orders", 0.1, 0.00001)
	verdict, reasons := Decide(Evidence{Judged: []Judged{j}, MinimumEffect: 0.01})
	if verdict != metrics.KeepRunning {
		t.Errorf("verdict %s", verdict)
	}
	// A detectable effect of 2% with 1000 units makes 4000 for 1%.
	want := []string{
		"orders has 1,000 units in the variation, of about 4,000 that it takes to see an effect of 1%",
		"orders is better: +10%, between +5% and +15% (p < 0.0001, below 0.05)",
	}
	for i, r := range reasons {
		if r.Text != want[i] {
			t.Errorf("reason %d: %s\nwant: %s", i, r.Text, want[i])
		}
	}
	page, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	if example := "```verdict\n" + strings.Join(want, "\n") + "\n```"; !strings.Contains(string(page), example) {
		t.Errorf("docs/statistics.md has another example than\n%s", example)
	}
	for days, want := range map[float64]string{ // three times as many again
		10:     "; at the pace so far they are there in about 30 days",
		400.5:  "; at the pace so far they are there in about 1,210 days",
		0.25:   "; at the pace so far they are there in a day",
		10_000: "; at the pace so far they would take more than ten years",
	} {
		_, timed := Decide(Evidence{Judged: []Judged{j}, MinimumEffect: 0.01, Days: days})
		if got := strings.TrimPrefix(timed[0].Text, reasons[0].Text); got != want {
			t.Errorf("after %v days: %q, want %q", days, got, want)
		}
	}
	if r := reasons[0]; *r.Metric != "orders" || *r.Value != 1000 || *r.Threshold != 4000 {
		t.Errorf("the numbers of %+v", r)
	}
}

// Each number of a reason is named: p-values that are adjusted stand beside those of the
// results.
func TestAdjustedPValuesInWords(t *testing.T) {
	two := []Judged{evidenceRow(metrics.Primary, "orders", 0.1, 0.03), evidenceRow(metrics.Primary, "visits", 0.01, 0.6)}
	_, reasons := Decide(Evidence{Judged: two, Ended: true})
	// Holm: the smaller of two p-values doubles.
	if want := "orders is significant by itself, and may be chance among several comparisons: +10%, between +5% and +15% (p = 0.03; p = 0.06 by Holm's method for 2 primary metrics, not below 0.05)"; reasons[0].Text != want {
		t.Errorf("%s\nwant: %s", reasons[0].Text, want)
	}
	corrected := evidenceRow(metrics.Primary, "orders", 0.1, 0.01)
	corrected.Corrected, corrected.Row.PValueAdjusted = true, new(0.04)
	_, reasons = Decide(Evidence{Judged: []Judged{corrected}, Ended: true})
	if want := "(p = 0.01; p = 0.04 corrected, below 0.05)"; !strings.HasSuffix(reasons[0].Text, want) {
		t.Errorf("%s\nwant at the end: %s", reasons[0].Text, want)
	}
}
