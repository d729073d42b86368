package export

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// WriteUnitStory writes what happened to one unit: Text as tables for people, CSV
// and JSON its rows.
func WriteUnitStory(w io.Writer, f Format, s *metrics.UnitStory, o StdoutOptions) error {
	if o.Width == 0 {
		o.Width = 100
	}
	var err error
	switch f {
	case Text:
		p := page{bufio.NewWriter(w), o.Width, o.Color}
		p.unitStory(s)
		err = p.w.Flush()
	case CSV:
		err = writeCSV(w, s.Table())
	case JSON:
		err = writeJSONL(w, s.Table())
	default:
		panic(fmt.Sprintf("export: %q is no format of a unit", f))
	}
	if err != nil {
		return fmt.Errorf("write the rows of the unit as %s: %w", f, err)
	}
	return nil
}

func (p page) unitStory(s *metrics.UnitStory) {
	p.paragraph("", fmt.Sprintf("%s in %s · unit %s · as of %s", s.Metric, s.Experiment, s.Unit, instant(s.AsOf)), bold)
	if s.Unknown != "" {
		p.line("")
		p.paragraph("  ", s.Unknown, plain)
		return
	}
	shown := slices.IndexFunc(s.Rows, func(r metrics.UnitRow) bool { return r.Part != "exposures" })
	if shown < 0 {
		shown = len(s.Rows)
	}
	p.section("impressions")
	p.unitRows(s.Rows[:shown], "shows", "")
	p.section("exposure")
	if len(s.Exposures) == 0 {
		p.line("  none: no impression of the unit counts")
	}
	for _, e := range s.Exposures {
		p.paragraph("  ", exposureText(e), plain)
	}
	for rest := s.Rows[shown:]; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(r metrics.UnitRow) bool { return r.Part != rest[0].Part })
		if n < 0 {
			n = len(rest)
		}
		p.section(rest[0].Part)
		if len(s.Exposures) > 1 {
			p.unitRowsOfEach(rest[:n], s.Exposures, s.GroupBy)
		} else {
			p.unitRows(rest[:n], "event", s.GroupBy)
		}
		rest = rest[n:]
	}
	p.unitGroups(s)
	p.section("number")
	if len(s.Numbers) == 0 {
		p.line("  none: the unit does not count in the experiment")
	}
	for _, n := range s.Numbers {
		p.paragraph("  ", numberText(n), plain)
	}
}

// exposureText says what an exposure is.
func exposureText(e metrics.UnitExposure) string {
	text := fmt.Sprintf("%s, at %s, with %s impressions", e.Variation, moment(e.Shown), count(e.Impressions))
	if e.Impressions == 1 {
		text = fmt.Sprintf("%s, at %s, with 1 impression", e.Variation, moment(e.Shown))
	}
	if e.Activated != nil {
		text += ", activated at " + moment(*e.Activated)
	}
	if e.Dropped != "" {
		return text + "; left out: " + e.Because
	}
	for _, f := range e.First {
		if f.At == nil {
			text += fmt.Sprintf(", no %s before %s", f.What, moment(f.Until))
		} else {
			text += fmt.Sprintf(", first %s at %s", f.What, moment(*f.At))
		}
	}
	return text
}

// numberText says what the number of a unit is.
func numberText(n metrics.UnitResult) string {
	text := n.Variation + ": " + n.Number
	if n.Denominator != "" {
		text += " / " + n.Denominator
	}
	if n.Step > 0 {
		text = fmt.Sprintf("step %d, %s", n.Step, text)
	}
	switch {
	case !n.Counted:
		return n.Variation + ": none, the metric is not over the unit"
	case n.Percentile:
		return n.Variation + ": a percentile over groups has no number for a unit; its groups are one for " + n.Over
	case n.Over != "":
		text += " (the sum over its groups / how many they are, one for " + n.Over + ")"
	}
	for _, c := range n.Capped {
		text += "; " + strings.TrimPrefix(c.Side+" ", " ") + c.Before + " before it was capped (" + c.Caps + ")"
	}
	if n.Covariate != "" {
		text += "; covariate " + n.Covariate
		if n.CovariateDenominator != "" {
			text += " / " + n.CovariateDenominator
		}
		text += ", the same in the " + n.CovariateWindow
	}
	return text
}

// moment spells an instant to the microsecond where it has some.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999999") }

// otherEvent is the step at which events are lost that the metric is not about.
const otherEvent = "other_event"

// unitRowsOfEach writes rows by the exposure that they are judged for: the same row
// may count for one and not for another. Those that are lost before are told once.
func (p page) unitRowsOfEach(rows []metrics.UnitRow, exposures []metrics.UnitExposure, groupBy string) {
	rest := rows
	for i, e := range exposures {
		var own, others []metrics.UnitRow
		for _, r := range rest {
			if r.Variation != nil && *r.Variation == e.Variation {
				own = append(own, r)
			} else {
				others = append(others, r)
			}
		}
		if i > 0 {
			p.line("")
		}
		p.line("  for " + clean(e.Variation))
		p.unitRows(own, "event", groupBy)
		rest = others
	}
	if len(rest) == 0 {
		return
	}
	p.line("")
	p.line("  for none of them")
	if slices.ContainsFunc(rest, func(r metrics.UnitRow) bool { return r.Step != otherEvent }) {
		p.unitRows(rest, "event", groupBy)
	} else {
		p.line("  " + otherEvents(len(rest)))
	}
}

// otherEvents says how many rows are of events that the metric is not about.
func otherEvents(n int) string {
	if n == 1 {
		return "1 row of another event"
	}
	return count(int64(n)) + " rows of other events"
}

// unitGroups writes the groups of the rows that count.
func (p page) unitGroups(s *metrics.UnitStory) {
	if len(s.Groups) == 0 {
		return
	}
	p.section("groups")
	g := new(grid)
	if len(s.Exposures) > 1 {
		g.left("for")
	}
	g.left(clean(s.GroupBy))
	g.right("rows", "number")
	for _, of := range s.Groups {
		var row gridRow
		if len(s.Exposures) > 1 {
			row.put(of.Variation, plain)
		}
		row.put(orDash(&of.Group), plain)
		row.put(count(of.Rows), plain)
		number := "left out"
		if of.Number != nil {
			number = *of.Number
		}
		row.put(number, plain)
		g.rows = append(g.rows, row)
	}
	p.grid(g)
}

// unitRows writes rows, but for events that the metric is not about, with their
// groups if a property makes some.
func (p page) unitRows(rows []metrics.UnitRow, what, groupBy string) {
	g := new(grid)
	g.left("time", "source", what)
	if groupBy != "" {
		g.left(clean(groupBy))
	}
	values := slices.ContainsFunc(rows, func(r metrics.UnitRow) bool { return r.Value != nil })
	if values {
		g.right("value")
	}
	g.left("counts", "")
	others := 0
	for _, r := range rows {
		if r.Step == otherEvent {
			others++
			continue
		}
		var row gridRow
		at := "–"
		if r.Time != nil {
			at = moment(*r.Time)
		}
		row.put(at, plain)
		row.put(r.Source, plain)
		row.put(orDash(r.What), plain)
		if groupBy != "" {
			row.put(orDash(r.Group), plain)
		}
		if values {
			row.put(orDash(r.Value), plain)
		}
		counts, because := "no", r.Because
		if r.Counts {
			counts = "yes"
		}
		if r.Copies > 1 {
			because = fmt.Sprintf("%d copies, with the smallest of their values; %s", r.Copies, because)
		}
		row.put(counts, plain)
		row.put(because, plain)
		g.rows = append(g.rows, row)
	}
	switch {
	case len(g.rows) > 0:
		p.grid(g)
		if others > 0 {
			p.line("  and " + otherEvents(others))
		}
	case others > 0:
		p.line("  none, beside " + otherEvents(others))
	default:
		p.line("  none")
	}
}

func orDash(s *string) string {
	if s == nil {
		return "–"
	}
	return shorten(clean(*s), 40)
}
