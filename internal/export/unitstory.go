package export

import (
	"bufio"
	"fmt"
	"io"
	"slices"
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
	shown := slices.IndexFunc(s.Rows, func(r metrics.UnitRow) bool { return r.Part != "exposures" })
	if shown < 0 {
		shown = len(s.Rows)
	}
	p.section("impressions")
	p.unitRows(s.Rows[:shown], "shows")
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
		p.unitRows(rest[:n], "event")
		rest = rest[n:]
	}
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
		text += "; left out: " + e.Dropped
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
	if !n.Counted {
		return n.Variation + ": none, the metric is not over the unit"
	}
	return text
}

// moment spells an instant to the microsecond where it has some.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999999") }

// otherEvent is the step at which events are lost that the metric is not about.
const otherEvent = "other_event"

// unitRows writes rows, but for events that the metric is not about.
func (p page) unitRows(rows []metrics.UnitRow, what string) {
	g := new(grid)
	g.left("time", "source", what)
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
	if len(g.rows) > 0 {
		p.grid(g)
	}
	switch {
	case others == 1:
		p.line("  and 1 row of another event")
	case others > 1:
		p.line("  and " + count(int64(others)) + " rows of other events")
	case len(rows) == 0:
		p.line("  none")
	}
}

func orDash(s *string) string {
	if s == nil {
		return "–"
	}
	return shorten(clean(*s), 40)
}
