package export

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/metricsjob/metricsjob/metrics"
)

// What the report says, in the words that a terminal and Markdown share.

// legend explains the marks, where there are any.
func (r report) legend() string {
	marks, interim := false, false
	for _, e := range r.experiments {
		for _, b := range e.blocks {
			for _, row := range b.rows {
				m := markOf(row, b.metric)
				marks = marks || m != ""
				interim = interim || strings.HasSuffix(string(m), soFar)
			}
		}
	}
	if !marks {
		return ""
	}
	text := fmt.Sprintf("%s, %s: the difference is significant (p below alpha). %s: it is not, which does not say that there is none.", better, worse, unclear)
	if interim {
		text += fmt.Sprintf(" %s: the experiment goes on, and the test holds for one look, after its end.", strings.TrimSpace(soFar))
	}
	return text
}

// footer says what the run was.
func (r report) footer() string {
	if r.run.Engine == "" { // statistics on sums: nothing was read but them
		return "run " + r.run.RunID + " · metricsjob " + r.run.Version
	}
	return strings.Join([]string{
		"run " + r.run.RunID,
		strings.ReplaceAll(r.run.Outcome, "_", " "),
		figure(r.run.Seconds) + " s",
		fmt.Sprintf("%s files, %s rows, %s read", count(r.run.InputFiles), count(r.run.InputRows), size(r.run.InputBytes)),
		"peak memory " + size(r.run.PeakMemory),
		r.run.Engine,
		"metricsjob " + r.run.Version,
	}, " · ")
}

func (e experimentReport) title() string {
	if e.def.Name == nil {
		return e.def.Key
	}
	return e.def.Key + " — " + *e.def.Name
}

// facts says in a line what the experiment is.
func (e experimentReport) facts() string {
	var parts []string
	if e.def.Flag != "" {
		when := "since " + instant(e.def.Start)
		if e.def.End != nil {
			when = instant(e.def.Start) + " to " + instant(*e.def.End)
		}
		parts = append(parts, "flag "+e.def.Flag, e.def.Rule, "by "+e.def.Unit, when)
	}
	if e.def.AsOf.Unix() != 0 { // sums from elsewhere need not say when they were made
		parts = append(parts, "as of "+instant(e.def.AsOf))
	}
	return strings.Join(parts, " · ")
}

// plannedShare is the share by weight.
func (a arm) plannedShare() string {
	if a.planned == nil {
		return "–"
	}
	return percent(*a.planned)
}

// remark says whether the variation is the baseline, and its name.
func (a arm) remark() string {
	var parts []string
	if a.def.Baseline {
		parts = append(parts, "baseline")
	}
	if a.def.Name != nil {
		parts = append(parts, *a.def.Name)
	}
	return strings.Join(parts, ": ")
}

// remark is a sentence of the report.
type remark struct {
	// lead is a sign before the text that catches the eye, or blanks.
	lead, text string
	tone       tone
}

// split says whether the units are split as planned, and what else was
// checked and found in order.
func (e experimentReport) split() []remark {
	var said []remark
	switch {
	case e.ratio == nil && len(e.arms) == 0:
	case e.ratio == nil:
		said = append(said, remark{text: "sample ratio not tested"})
	case e.ratio.Status == metrics.Fail:
		said = append(said,
			remark{"!! ", "SAMPLE RATIO FAILED: " + e.ratioFigures(), loud},
			remark{"   ", capital(e.ratio.Detail) + ". Find the cause before you trust any effect below.", loud})
	case e.ratio.Status == metrics.Warn:
		said = append(said, remark{"! ", "sample ratio: " + e.ratio.Detail, amber})
	case e.ratio.PValue == nil:
		said = append(said, remark{text: "sample ratio: " + e.ratio.Detail})
	default:
		said = append(said, remark{text: "sample ratio passed: " + e.ratioFigures()})
	}
	if e.several > 0 {
		said = append(said, remark{text: count(e.several) + " units saw several variations"})
	}
	switch {
	case e.passed == 1:
		said = append(said, remark{text: "1 other check passed"})
	case e.passed > 1:
		said = append(said, remark{text: count(e.passed) + " other checks passed"})
	}
	return said
}

// ratioFigures spells the numbers of the sample-ratio check that there are.
func (e experimentReport) ratioFigures() string {
	var parts []string
	for _, x := range []struct {
		before string
		value  *float64
	}{{"p = ", e.ratio.PValue}, {"χ² = ", e.ratio.Statistic}, {"fails below ", e.ratio.Threshold}} {
		if x.value != nil {
			parts = append(parts, x.before+figure(*x.value))
		}
	}
	return strings.Join(parts, ", ")
}

// title names a block: the metric, its step or split, its name and direction.
func (b block) title() string {
	s := b.metric.Key
	if b.step != nil {
		s += fmt.Sprintf(", step %d", *b.step)
	}
	if b.split != nil {
		s += ", " + valueText(*b.split)
	}
	if b.metric.Name != nil {
		s += " — " + *b.metric.Name
	}
	if b.metric.UnitLabel != nil {
		s += " (" + *b.metric.UnitLabel + ")"
	}
	if b.metric.Better != "" {
		s += " · " + b.metric.Better + " is better"
	}
	return s
}

// line is a row of a block in words.
type line struct {
	value, variation, against      string
	units, total, mean             string
	effect, effectInterval         string
	difference, differenceInterval string
	p, adjusted                    string
	mark                           mark
}

func (b block) lines() []line {
	s := spellingOf(b)
	lines := make([]line, len(b.rows))
	for i, r := range b.rows {
		l := line{
			value: valueText(r.SegmentValue), variation: r.Variation,
			units: count(r.Units), total: s.total(r.Total), mean: s.mean(r.Mean),
			effect: s.effect(r.RelativeEffect), effectInterval: interval(r.RelativeLow, r.RelativeHigh, s.effect),
			difference: s.difference(r.AbsoluteEffect), differenceInterval: interval(r.AbsoluteLow, r.AbsoluteHigh, s.difference),
			p: pValue(r.PValue), adjusted: pValue(r.PValueAdjusted), mark: markOf(r, b.metric),
		}
		if r.Numerator != nil && r.Denominator != nil {
			l.total = s.total(r.Numerator) + " / " + s.total(r.Denominator)
		}
		if r.ComparedTo != nil {
			l.against = *r.ComparedTo
		}
		lines[i] = l
	}
	return lines
}

// level is the confidence level of the block's intervals.
func (b block) level() string { return confidence(b.rows[0].Alpha) }

// adjusted reports whether a p-value was corrected for several comparisons.
func (b block) adjusted() bool {
	return slices.ContainsFunc(b.rows, func(r metrics.ResultRow) bool { return r.PValueAdjusted != nil })
}

func (n note) String() string {
	if len(n.about) == 0 {
		return n.text
	}
	return strings.Join(n.about, ", ") + " – " + n.text
}

func (s segment) moreText() string {
	return fmt.Sprintf("values of %s left out: %d (the table results has them all)", s.attribute, s.more)
}

// findingText says what was checked, where, and what was found.
func findingText(h metrics.HealthRow) string {
	where := ""
	switch h.Segment {
	case metrics.Overall:
	case "source":
		where = " of " + h.SegmentValue
	default:
		where = " in " + h.Segment + " " + valueText(h.SegmentValue)
	}
	return h.Check + where + ": " + h.Detail
}

// subject is what an error is about.
func subject(x metrics.ErrorRow) string {
	if x.Metric == nil {
		return "the experiment"
	}
	return *x.Metric
}

// valueText is a value of a split or segment for people: a text without
// characters would not be seen.
func valueText(s string) string {
	if s == "" {
		return `""`
	}
	return clean(s)
}

// clean makes text from definitions and data safe to print on a terminal: it
// has no control characters, nor those that turn the direction of writing.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		default:
			return r
		}
	}, s)
}

// capital is s with its first letter in upper case.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}
