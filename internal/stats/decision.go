package stats

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/metricsjob/metricsjob/metrics"
)

// Evidence is what an experiment has against and for a variation.
type Evidence struct {
	// Invalid are the reasons not to believe any number of the experiment.
	Invalid metrics.Reasons
	// Judged are the metrics, compared over everybody with the baseline.
	Judged []Judged
	// Anytime reports that the method may be looked at before the end.
	Anytime bool
	// Ended reports that the planned end has come, where there is one; End is when,
	// as text, and empty where the experiment has no end. It has come, too, once
	// the units that MinimumEffect needs are there.
	Ended         bool
	End           string
	MinimumEffect float64
	// Days are how many days the units so far took to come; 0 where that is not known.
	Days float64
	// Notes are told with every verdict, and change none.
	Notes metrics.Reasons
}

// Judged is a metric as a verdict sees it.
type Judged struct {
	Row    *metrics.ResultRow
	Better metrics.Better
	// Corrected reports that the row's own correction for several comparisons
	// holds for it; else Holm's over the primary metrics does.
	Corrected bool
	// Harm is the p-value of the one-sided test for harm, where the row's own test
	// looks at the other side alone; nil where that sees harm, too.
	Harm *float64
	// Margin is the test of a guardrail's margin; nil where it has none.
	Margin *NonInferiority
	// Missing reports that the experiment plans the metric, and that nothing was
	// computed of it: see [NotComputed].
	Missing bool
}

// NotComputed is a metric that an experiment plans and that has no comparison. It
// stays one of the metrics that a verdict goes by: a guardrail guards nothing then,
// and a primary metric still counts in Holm's method.
func NotComputed(role metrics.Role, metric, why string) Judged {
	return Judged{Row: &metrics.ResultRow{Role: string(role), Metric: metric, Reason: &why}, Missing: true}
}

// Decide gives the verdict on a variation and its reasons (docs/statistics.md), the
// first of these that holds: invalid, do not ship, ship, keep running,
// inconclusive.
func Decide(e Evidence) (metrics.Verdict, metrics.Reasons) {
	verdict, reasons := e.decide()
	return verdict, append(reasons[:len(reasons):len(reasons)], e.Notes...)
}

func (e Evidence) decide() (metrics.Verdict, metrics.Reasons) {
	if len(e.Invalid) > 0 {
		return metrics.Invalid, e.Invalid
	}
	var primaries, guardrails []judged
	for _, j := range e.Judged {
		switch metrics.Role(j.Row.Role) {
		case metrics.Primary:
			primaries = append(primaries, judged{Judged: j})
		case metrics.Guardrail:
			guardrails = append(guardrails, judged{Judged: j})
		case metrics.Secondary:
		default:
			panic(fmt.Sprintf("stats: no case for role %q", j.Row.Role))
		}
	}
	holm(primaries)
	var worse, better, blocked, unclear, missing, within metrics.Reasons
	for _, j := range guardrails {
		switch code := j.guardrail(); code {
		case "guardrail_worse", "guardrail_beyond_margin":
			worse = append(worse, j.reason(code))
		case "guardrail_not_shown", "guardrail_not_computed":
			if j.Margin != nil || j.looksWorse() {
				blocked = append(blocked, j.reason(code))
			} else {
				within = append(within, j.reason(code))
			}
		case "guardrail_within_margin", "guardrail_not_worse":
			within = append(within, j.reason(code))
		}
	}
	for _, j := range primaries {
		switch code := j.primary(); code {
		case "primary_worse":
			worse = append(worse, j.reason(code))
		case "primary_better":
			better = append(better, j.reason(code))
		default:
			unclear = append(unclear, j.reason(code))
			if j.p == nil {
				missing = append(missing, j.reason(code))
			}
		}
	}
	interim, waits := e.waits(primaries, guardrails)
	switch {
	case waits && !e.Anytime:
		// One look, after the end: what there is now is not the result.
		return metrics.KeepRunning, join(interim, worse, better, blocked, unclear, within)
	case len(worse) > 0:
		return metrics.DoNotShip, join(worse, better)
	case len(better) > 0 && len(blocked) == 0:
		return metrics.Ship, join(better, missing, within)
	case waits:
		return metrics.KeepRunning, join(interim, better, blocked, unclear, within)
	}
	return metrics.Inconclusive, join(better, blocked, unclear, within)
}

// join puts reasons one after another; there is always one.
func join(lists ...metrics.Reasons) metrics.Reasons {
	var all metrics.Reasons
	for _, l := range lists {
		all = append(all, l...)
	}
	if len(all) == 0 {
		all = append(all, metrics.Reason{Code: "no_primary", Text: "no metric of the experiment is primary, so that none can say that it is better"})
	}
	return all
}

// judged is a metric with the p-values that a verdict goes by.
type judged struct {
	Judged
	p, harm *float64
	// together is how many primary metrics Holm's method corrected them for.
	together int
}

// holm corrects the p-values of primary metrics that nothing else corrects, and those
// of harm among themselves.
func holm(list []judged) {
	var p, harm []*float64
	missing := 0
	for i := range list {
		j := &list[i]
		j.p, j.harm = j.Row.PValue, j.Harm
		if j.p == nil {
			missing++
		}
		if j.harm != nil {
			harm = append(harm, j.harm)
		}
		if j.Corrected {
			j.p = j.Row.PValueAdjusted
		} else if j.p != nil {
			p = append(p, j.p)
		}
	}
	for range missing { // of which there is no p-value: the family is that of the planned metrics
		p = append(p, new(1.0))
	}
	together := len(p)
	p, harm = adjusted(p), adjusted(harm)
	for i := range list {
		j := &list[i]
		if !j.Corrected && j.p != nil {
			j.p, p = p[0], p[1:]
			j.together = together
		}
		if j.harm != nil {
			j.harm, harm = harm[0], harm[1:]
		}
	}
}

// adjusted are p-values corrected by Holm's method.
func adjusted(p []*float64) []*float64 {
	values := make([]float64, len(p))
	for i := range p {
		values[i] = *p[i]
	}
	values = Holm.Adjust(values)
	out := make([]*float64, len(p))
	for i := range values {
		out[i] = &values[i]
	}
	return out
}

// harmful reports whether the test for harm alone found it.
func (j judged) harmful() bool { return j.harm != nil && *j.harm < j.Row.Alpha }

// looksWorse reports whether a metric that cannot be tested is worse as it stands, or
// not even that can be told.
func (j judged) looksWorse() bool {
	e := j.Row.AbsoluteEffect
	return e == nil || *e != 0 && (*e > 0) != (j.Better != metrics.Lower)
}

// primary says what a primary metric amounts to.
func (j judged) primary() string {
	row := j.Row
	switch {
	case row.Status == string(BetweenLooks):
		return "primary_between_looks"
	case j.p == nil || row.AbsoluteEffect == nil:
		return "primary_not_computed"
	case j.harmful():
		return "primary_worse"
	case !(*j.p < row.Alpha):
		return "primary_unclear"
	case (*row.AbsoluteEffect > 0) == (j.Better != metrics.Lower):
		return "primary_better"
	}
	return "primary_worse"
}

// guardrail says what a guardrail amounts to.
func (j judged) guardrail() string {
	row := j.Row
	switch {
	case j.Margin != nil && j.Margin.Inferior != nil && *j.Margin.Inferior:
		return "guardrail_beyond_margin"
	case j.Margin != nil && j.Margin.NonInferior != nil && *j.Margin.NonInferior:
		return "guardrail_within_margin"
	case j.Margin != nil && j.Margin.NonInferior != nil:
		return "guardrail_not_shown"
	case j.Margin != nil || row.Significant == nil || row.AbsoluteEffect == nil:
		return "guardrail_not_computed"
	case j.Harm != nil && *j.Harm < row.Alpha:
		return "guardrail_worse"
	case *row.Significant && (*row.AbsoluteEffect > 0) != (j.Better != metrics.Lower):
		return "guardrail_worse"
	}
	return "guardrail_not_worse"
}

// reason says it in words.
func (j judged) reason(code string) metrics.Reason {
	row := j.Row
	r := metrics.Reason{Code: code, Metric: &row.Metric}
	effect := effectText(row)
	byMargin := func() { r.Value, r.Threshold = j.Margin.Worst, j.Margin.Limit }
	byP := func(p *float64) { r.Value, r.Threshold = p, &row.Alpha }
	switch code {
	case "primary_better":
		byP(j.p)
		r.Text = fmt.Sprintf("%s is better: %s (%s, below %s)", row.Metric, effect, j.pText(), number(row.Alpha))
	case "primary_worse":
		p, text := j.p, j.pText()
		if j.harmful() {
			p, text = j.harm, pText(j.harm)+" for harm"
		}
		byP(p)
		r.Text = fmt.Sprintf("%s is worse: %s (%s, below %s)", row.Metric, effect, text, number(row.Alpha))
	case "primary_unclear":
		byP(j.p)
		r.Text = fmt.Sprintf("%s may be better or worse: %s, which may be chance (%s, not below %s)", row.Metric, effect, j.pText(), number(row.Alpha))
		if alone := row.PValue; alone != nil && *alone < row.Alpha {
			r.Text = fmt.Sprintf("%s is significant by itself, and may be chance among several comparisons: %s (%s, not below %s)", row.Metric, effect, j.pText(), number(row.Alpha))
		}
	case "primary_between_looks", "primary_not_computed", "guardrail_not_computed":
		why := row.Status
		if row.Reason != nil {
			why = *row.Reason
		}
		r.Text = fmt.Sprintf("%s cannot be judged now: %s", row.Metric, why)
		if code == "guardrail_not_computed" && row.AbsoluteEffect != nil {
			r.Text += "; as it stands it differs by " + effect
		}
	case "guardrail_worse":
		p, text := j.guardrailP()
		byP(p)
		r.Text = fmt.Sprintf("%s must not get worse, and did: %s (%s, below %s)", row.Metric, effect, text, number(row.Alpha))
	case "guardrail_not_worse":
		p, text := j.guardrailP()
		byP(p)
		r.Text = fmt.Sprintf("%s did not get worse that one could tell: %s (%s)", row.Metric, effect, text)
	case "guardrail_beyond_margin":
		byMargin()
		r.Text = fmt.Sprintf("%s is worse than its margin allows: %s, where %s is the limit", row.Metric, effect, change(*j.Margin.Limit))
	case "guardrail_within_margin":
		byMargin()
		r.Text = fmt.Sprintf("%s stays within its margin: at worst %s, where %s is the limit", row.Metric, boundText(j.Margin.Worst), change(*j.Margin.Limit))
	case "guardrail_not_shown":
		byMargin()
		r.Text = fmt.Sprintf("%s may be worse than its margin allows: at worst %s, where %s is the limit", row.Metric, boundText(j.Margin.Worst), change(*j.Margin.Limit))
	default:
		panic(fmt.Sprintf("stats: no case for the reason %q", code))
	}
	return r
}

// waits reports whether the planned end is still to come, and why.
func (e Evidence) waits(primaries, guardrails []judged) (metrics.Reasons, bool) {
	if e.Ended {
		return nil, false
	}
	if e.End != "" {
		text := "the experiment runs until " + e.End
		if !e.Anytime {
			text += ", and its result is read then: until there every number is interim"
		}
		return metrics.Reasons{{Code: "before_end", Text: text}}, true
	}
	if len(primaries) == 0 {
		primaries = guardrails
	}
	var reasons metrics.Reasons
	for _, j := range primaries {
		if j.Missing {
			continue // no units will do
		}
		units, needed := float64(j.Row.Units), math.Inf(1)
		if mde := j.Row.MinimumDetectableEffect; mde != nil && e.MinimumEffect > 0 {
			// The detectable effect falls with the root of the units.
			needed = units * (*mde / e.MinimumEffect) * (*mde / e.MinimumEffect)
		}
		if needed <= units {
			continue
		}
		r := metrics.Reason{Code: "units_needed", Metric: &j.Row.Metric, Value: &units}
		r.Text = fmt.Sprintf("%s cannot tell yet how many units it takes to see an effect of %s", j.Row.Metric, percentage(e.MinimumEffect))
		if !math.IsInf(needed, 1) {
			needed = math.Ceil(needed)
			r.Threshold = &needed
			r.Text = fmt.Sprintf("%s has %s units in the variation, of about %s that it takes to see an effect of %s",
				j.Row.Metric, whole(units), whole(roundUp(needed)), percentage(e.MinimumEffect)) + e.daysText(units, needed)
		}
		reasons = append(reasons, r)
	}
	return reasons, len(reasons) > 0
}

// daysText says how long the units that are still needed take to come, as they came so far.
func (e Evidence) daysText(units, needed float64) string {
	const longest = 3650
	if e.Days <= 0 || units == 0 {
		return ""
	}
	switch days := math.Ceil((needed - units) / units * e.Days); {
	case days > longest:
		return "; at the pace so far they would take more than ten years"
	case days == 1:
		return "; at the pace so far they are there in a day"
	default:
		return fmt.Sprintf("; at the pace so far they are there in about %s days", whole(roundUp(days)))
	}
}

// effectText is the relative effect with its interval, or the absolute one.
func effectText(row *metrics.ResultRow) string {
	point, low, high, spell := row.RelativeEffect, row.RelativeLow, row.RelativeHigh, percentChange
	if point == nil {
		point, low, high, spell = row.AbsoluteEffect, row.AbsoluteLow, row.AbsoluteHigh, change
	}
	if point == nil {
		return "an effect that cannot be given"
	}
	switch {
	case low != nil && high != nil:
		return fmt.Sprintf("%s, between %s and %s", spell(*point), spell(*low), spell(*high))
	case low != nil:
		return fmt.Sprintf("%s, at least %s", spell(*point), spell(*low))
	case high != nil:
		return fmt.Sprintf("%s, at most %s", spell(*point), spell(*high))
	}
	return spell(*point)
}

func boundText(bound *float64) string {
	if bound == nil {
		return "unknown"
	}
	return change(*bound)
}

// pText is the p-value of a primary metric as the results have it, and the one that the
// verdict goes by where that is another.
func (j judged) pText() string {
	switch {
	case j.Corrected:
		return fmt.Sprintf("%s; %s corrected", pText(j.Row.PValue), pText(j.p))
	case j.together > 1:
		return fmt.Sprintf("%s; %s by Holm's method for %d primary metrics", pText(j.Row.PValue), pText(j.p), j.together)
	}
	return pText(j.p)
}

// guardrailP is the p-value that a guardrail without a margin is judged by, and as text.
func (j judged) guardrailP() (*float64, string) {
	if j.Harm != nil {
		return j.Harm, pText(j.Harm) + " for harm"
	}
	return j.Row.PValue, pText(j.Row.PValue)
}

func pText(p *float64) string {
	switch {
	case p == nil:
		return "no p-value"
	case *p < 0.0001:
		return "p < 0.0001"
	}
	return "p = " + number(*p)
}

// number has three digits.
func number(x float64) string {
	if a := math.Abs(x); a >= 1000 && a < 1e15 {
		return whole(x)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

// roundUp leaves three digits.
func roundUp(x float64) float64 {
	unit := math.Pow(10, math.Max(0, math.Floor(math.Log10(math.Max(1, x)))-2))
	return math.Ceil(x/unit) * unit
}

// whole groups the digits of a number without decimals.
func whole(x float64) string {
	text := strconv.FormatFloat(math.Abs(x), 'f', 0, 64)
	var b strings.Builder
	if x < 0 {
		b.WriteByte('-')
	}
	for i, digit := range text {
		if i > 0 && (len(text)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String()
}

// change is a number with its sign.
func change(x float64) string {
	if x > 0 {
		return "+" + number(x)
	}
	return number(x)
}

func percentage(x float64) string { return number(x*100) + "%" }

func percentChange(x float64) string { return change(x*100) + "%" }
