package export

import (
	"fmt"
	"slices"

	"github.com/metricsjob/metricsjob/metrics"
)

// reasonsShown is how many reasons of a verdict a report has.
const reasonsShown = 6

// decision is a verdict in words.
type decision struct {
	headline string
	tone     tone
	reasons  []string
}

// decisions are the verdicts of an experiment, as one would say them.
func (e experimentReport) decisions() []decision {
	var out []decision
	for _, v := range e.verdicts {
		words, t := verdictWords(v.Verdict, v.Reasons)
		d := decision{headline: fmt.Sprintf("%s against %s: %s", v.Variation, v.ComparedTo, words), tone: t}
		for i, r := range v.Reasons {
			if i == reasonsShown {
				d.reasons = append(d.reasons, fmt.Sprintf("%d more (the table verdicts has them all)", len(v.Reasons)-i))
				break
			}
			d.reasons = append(d.reasons, r.Text)
		}
		out = append(out, d)
	}
	return out
}

// verdictWords says a verdict to somebody who has to decide.
func verdictWords(v metrics.Verdict, reasons metrics.Reasons) (string, tone) {
	switch v {
	case metrics.Ship:
		return "SHIP", bold
	case metrics.DoNotShip:
		return "DO NOT SHIP", bad
	case metrics.KeepRunning:
		return "KEEP RUNNING, it is too early to tell", bold
	case metrics.Inconclusive:
		if slices.ContainsFunc(reasons, func(r metrics.Reason) bool { return r.Code == "primary_better" }) {
			return "INCONCLUSIVE, a primary metric is better, but harm is not ruled out", bold
		}
		return "INCONCLUSIVE, nobody can say from this data whether it helps", bold
	case metrics.Invalid:
		return "INVALID, decide nothing on these numbers", loud
	}
	panic(fmt.Sprintf("export: no words for the verdict %q", v))
}
