package metrics

import (
	"math/big"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// checkIdle warns of what a metric says itself and what changes nothing, or makes all
// numbers alike. What it takes over may be meant for other metrics.
func (r *resolver) checkIdle(m *metricDraft) {
	own := func(name string) bool { return m.given.good(name) && m.given[name].via == "" }
	warn := func(name, why string) *diag.Diagnostic {
		return r.diags.Warnf(m.given[name].at, "no-effect", "%s changes nothing in %s: %s", name, m.called(), why)
	}
	if own("units_without_events") && m.inline && (m.WithoutEvents.Exclude || m.WithoutEvents.Number.Rat().Sign() != 0) {
		warn("units_without_events", "units without rows are 0 on a side of a ratio").
			WithHint("units_without_events: exclude beside ratio leaves out the units whose denominator is 0")
	}
	if own("wait_for_window") && m.WaitForWindow.V && m.given.clean("window") && m.waitsFor() != "" {
		warn("wait_for_window", m.waitsFor()).
			WithHint("write the time that each unit is to have, such as window: 7d, or leave it out")
	}
	if own("winsorize") && m.Measure.V == Occurrence && m.given.lacks("over") && m.given.lacks("threshold") {
		r.diags.Warnf(m.given["winsorize"].at, "no-effect", "winsorize caps large numbers, and those of %s are 1 and 0: it changes nothing, or makes all of them alike", m.called()).
			WithHint("leave it out, or write measure: count")
	}
	if own("winsorize") && (m.Winsorize.Upper.Set && m.Winsorize.Upper.V.Float() < 0.5 || m.Winsorize.Lower.Set && m.Winsorize.Lower.V.Float() > 0.5) {
		r.diags.Warnf(m.given["winsorize"].at, "likely-mistake", "winsorize of %s makes most numbers alike: upper is the share of units whose numbers stay below the cap", m.called()).
			WithHint("of the largest hundredth write upper: 0.99, of the smallest lower: 0.01")
	}
	if own("statistic") && m.IsPercentile() && Number(m.Statistic.V[1:]).Float() < 1 {
		r.diags.Warnf(m.given["statistic"].at, "likely-mistake", "%s of %s is below the first percentile", m.Statistic.V, m.called()).
			WithHint("percentiles are written in percent: the 95th is p95")
	}
	if own("after") && m.surelyAfter() {
		r.diags.Warnf(m.given["after"].at, "no-effect", "%s is 1 of every unit: the event that after waits for is one that it counts itself, at the same instant", m.called()).
			WithHint("to ask who did it again, write measure: count with threshold: {at_least: 2}; for another event, correct event or where")
	}
}

// checkIdleExact warns of exact tests that are done of no metric, for none is done
// without exact_below.
func (r *resolver) checkIdleExact() {
	done := map[diag.Pos]bool{} // by where exact stands, which may be above several metrics
	for _, e := range r.experiments {
		for _, m := range e.Metrics {
			if a := m.Analysis; a.Exact.Set {
				done[a.Exact.Pos] = done[a.Exact.Pos] || a.ExactBelow.V > 0
			}
		}
	}
	for pos, is := range done {
		if !is {
			warnIdleExact(r.diags, pos)
		}
	}
}

func warnIdleExact(diags *diag.List, pos diag.Pos) {
	diags.Warnf(pos, "no-effect", "exact changes nothing without exact_below: no metric has fewer than 0 units").
		WithHint("write exact_below: 200 beside it, to test variations of fewer units so, or leave it out")
}

// checkPowers refuses an alpha that is as large as the power, once where it stands.
func (r *resolver) checkPowers() {
	said := map[diag.Pos]bool{}
	for _, e := range r.experiments {
		for _, m := range e.Metrics {
			if at, wrong := m.Analysis.noPower(); wrong && !said[at] {
				said[at] = true
				m.Analysis.refusePower(r.diags, at)
			}
		}
	}
}

// noPower reports whether alpha is not below the power, and where either stands.
func (a Analysis) noPower() (at diag.Pos, wrong bool) {
	if a.Alpha.V == "" || a.Power.V == "" || a.Alpha.V.Float() < a.Power.V.Float() {
		return at, false
	}
	if a.Alpha.Set {
		return a.Alpha.Pos, true
	}
	return a.Power.Pos, true
}

// refusePower says that nothing can be planned with them, and that alpha may have been
// taken for the confidence.
func (a Analysis) refusePower(diags *diag.List, at diag.Pos) {
	said := diags.Errorf(at, "conflict", "an alpha of %s is not below the power of %s", a.Alpha.V, a.Power.V)
	if a.Alpha.V.Float() > 0.5 {
		said.WithHint("alpha is how often nothing is taken for an effect: for intervals of 95%% write 0.05")
		return
	}
	said.WithHint("with no effect at all, alpha of the experiments find one; the power is 0.8 unless told")
}

// checkIdleThreshold warns of a threshold that makes all units alike.
func (r *resolver) checkIdleThreshold(m *metricDraft) {
	why := m.idleThreshold()
	if why == "" || m.given["threshold"].via != "" {
		return
	}
	said := r.diags.Warnf(m.given["threshold"].at, "no-effect", "the threshold makes all units of %s alike: %s", m.called(), why)
	if m.Measure.V == Occurrence {
		said.WithHint("to ask who did it several times, write measure: count")
	} else {
		said.WithHint("to ask who did it, write {at_least: 1}")
	}
}

// idleThreshold says why all units meet the threshold, or none does; it is empty where
// that is not known.
func (m *metricDraft) idleThreshold() string {
	t, zero := m.Threshold, new(big.Rat)
	switch {
	case !m.given.good("measure") || m.Measure.V == Value || m.given.has("over"):
		return ""
	case m.Measure.V == Occurrence && t.meets(zero) == t.meets(big.NewRat(1, 1)):
		return "they are 1 or 0 before it, and it says the same of both"
	case m.Measure.V == Occurrence:
		return ""
	case t.AtMost.Set && t.AtMost.V.Rat().Sign() < 0, t.LessThan.Set && t.LessThan.V.Rat().Sign() <= 0:
		return "no number is below 0"
	case t.meets(zero) && !t.AtMost.Set && !t.LessThan.Set:
		return "each number is 0 or more"
	}
	return ""
}

// meets reports whether a number is within the limits.
func (t *Threshold) meets(x *big.Rat) bool {
	return (!t.AtLeast.Set || x.Cmp(t.AtLeast.V.Rat()) >= 0) && (!t.MoreThan.Set || x.Cmp(t.MoreThan.V.Rat()) > 0) &&
		(!t.AtMost.Set || x.Cmp(t.AtMost.V.Rat()) <= 0) && (!t.LessThan.Set || x.Cmp(t.LessThan.V.Rat()) < 0)
}

// surelyAfter reports whether the event of after fulfils an occurrence itself.
func (m *metricDraft) surelyAfter() bool {
	if m.Measure.V != Occurrence || !m.given.good("event") || m.Threshold != nil || m.given.has("over") || len(m.Source) > 0 || m.Window.HasFrom && m.Window.From > 0 {
		return false
	}
	if m.Where.IsSet() && strings.TrimSpace(m.Where.Src) != strings.TrimSpace(m.After.Where.Src) {
		return false
	}
	counts := func(key Text) bool {
		return slices.ContainsFunc(m.Event.Keys, func(k Text) bool { return k.V == key.V })
	}
	return m.Event.Any || len(m.After.Event.Keys) > 0 && !slices.ContainsFunc(m.After.Event.Keys, func(k Text) bool { return !counts(k) })
}

// waitsFor says why there is nothing to wait for; it is empty where there is.
func (m *metricDraft) waitsFor() string {
	switch w := m.Window; {
	case !m.given.has("window"):
		return "it has no window"
	case w.HasLookback:
		return "a lookback ends for all units at once"
	case !w.HasTo && w.From <= 0:
		return "its window has no end"
	}
	return ""
}
