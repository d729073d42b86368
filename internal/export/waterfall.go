package export

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/metricsjob/metricsjob/metrics"
)

// WaterfallFormats are the formats of [WriteWaterfall], the default first.
var WaterfallFormats = []Format{Text, CSV, JSON}

// WriteWaterfall writes where the rows of a metric are lost: Text as tables for
// people with the numbers that come of the rest, CSV the table waterfall, JSON
// its rows as one object a line.
func WriteWaterfall(w io.Writer, f Format, t *metrics.Tables, o StdoutOptions) error {
	if o.Width == 0 {
		o.Width = 100
	}
	all := t.All()
	table := all[slices.IndexFunc(all, func(t metrics.Table) bool { return t.Name == "waterfall" })]
	var err error
	switch f {
	case Text:
		p := page{bufio.NewWriter(w), o.Width, o.Color}
		p.waterfall(t)
		err = p.w.Flush()
	case CSV:
		err = writeCSV(w, table)
	case JSON:
		err = writeJSONL(w, table)
	default:
		panic(fmt.Sprintf("export: %q is no format of a waterfall", f))
	}
	if err != nil {
		return fmt.Errorf("write the waterfall as %s: %w", f, err)
	}
	return nil
}

// waterfall writes the parts of the waterfall of one metric, then the numbers.
func (p page) waterfall(t *metrics.Tables) {
	if len(t.Waterfall) == 0 {
		return
	}
	first := t.Waterfall[0]
	p.paragraph("", fmt.Sprintf("%s in %s%s · as of %s", first.Metric, first.Experiment, sliceText(t), instant(first.AsOf)), bold)
	for rest := t.Waterfall; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(r metrics.WaterfallRow) bool { return r.Part != rest[0].Part })
		if n < 0 {
			n = len(rest)
		}
		p.waterfallPart(rest[:n])
		rest = rest[n:]
	}
	p.section("numbers")
	p.grid(numbersGrid(t))
	for _, e := range t.Errors {
		p.paragraph("  ", subject(e)+": "+e.Code+": "+e.Message, bad)
	}
}

// sliceText says which part of the results is explained; nothing of everybody.
func sliceText(t *metrics.Tables) string {
	text := ""
	if len(t.Results) == 0 {
		return text
	}
	if r := t.Results[0]; r.Segment != metrics.Overall {
		text += fmt.Sprintf(", %s %s", clean(r.Segment), valueText(r.SegmentValue))
	}
	if split := t.Results[0].Split; split != nil {
		text += ", split " + valueText(*split)
	}
	return text
}

// longestDetail is the most columns that the text of a step takes.
const longestDetail = 60

func (p page) waterfallPart(rows []metrics.WaterfallRow) {
	p.section(rows[0].Part)
	known := slices.IndexFunc(rows, func(r metrics.WaterfallRow) bool { return r.Variation != nil })
	if known < 0 {
		known = len(rows)
	}
	g := new(grid)
	g.left("")
	g.right("rows", "lost", "units")
	for i, r := range rows[:known] {
		var row gridRow
		row.put(shorten(clean(r.Detail), longestDetail), plain)
		row.put(count(r.Rows), plain)
		lost := ""
		if i > 0 && rows[i-1].Rows > r.Rows {
			lost = count(rows[i-1].Rows - r.Rows)
		}
		row.put(lost, plain)
		row.put(units(r.Units), plain)
		g.rows = append(g.rows, row)
	}
	p.grid(g)
	if known == len(rows) {
		return
	}
	p.line("")
	variations := variationsOf(rows[known:])
	for _, together := range []bool{false, true} {
		if g := variationGrid(rows[known:], variations, together); p.fits(g) {
			p.grid(g)
			return
		}
	}
	for _, v := range variations {
		p.grid(variationGrid(rows[known:], []string{v}, false))
	}
}

func units(n *int64) string {
	if n == nil {
		return "–"
	}
	return count(*n)
}

// variationsOf are the variations of the rows, in their order.
func variationsOf(rows []metrics.WaterfallRow) []string {
	var out []string
	for _, r := range rows {
		if !slices.Contains(out, *r.Variation) {
			out = append(out, *r.Variation)
		}
	}
	return out
}

// variationGrid has a line for each step, and for each variation a column of rows
// and one of units, or one of both together.
func variationGrid(rows []metrics.WaterfallRow, variations []string, together bool) *grid {
	g := new(grid)
	if together {
		g.left("rows / units")
	} else {
		g.left("")
	}
	for _, v := range variations {
		if v := shorten(clean(v), 20); together {
			g.right(v)
		} else {
			g.right(v+" rows", "units")
		}
	}
	place := int64(0)
	for _, r := range rows {
		if !slices.Contains(variations, *r.Variation) {
			continue
		}
		if r.Place != place {
			place = r.Place
			var row gridRow
			row.put(shorten(clean(r.Detail), longestDetail), plain)
			g.rows = append(g.rows, row)
		}
		row := gridRow(g.rows[len(g.rows)-1])
		if together {
			row.put(count(r.Rows)+" / "+units(r.Units), plain)
		} else {
			row.put(count(r.Rows), plain)
			row.put(units(r.Units), plain)
		}
		g.rows[len(g.rows)-1] = row
	}
	return g
}

// numbersGrid are the numbers of each variation.
func numbersGrid(t *metrics.Tables) *grid {
	g := new(grid)
	stepped := slices.ContainsFunc(t.Results, func(r metrics.ResultRow) bool { return r.Step != nil })
	if stepped {
		g.right("step")
	}
	g.left("variation")
	g.right("exposed", "units", "with events", "events", "total", "mean")
	seen := map[string]bool{}
	for _, r := range t.Results {
		step := ""
		if r.Step != nil {
			step = count(*r.Step)
		}
		if key := r.Variation + "\x00" + step; seen[key] {
			continue
		} else {
			seen[key] = true
		}
		var row gridRow
		if stepped {
			row.put(step, plain)
		}
		row.put(r.Variation, plain)
		for _, n := range []int64{r.Exposed, r.Units, r.UnitsWithEvent, r.Events} {
			row.put(count(n), plain)
		}
		total := exactText(r.Total)
		if r.Denominator != nil {
			total += " / " + exactText(r.Denominator)
		}
		row.put(total, plain)
		row.put(exactText(r.Mean), plain)
		g.rows = append(g.rows, row)
	}
	return g
}

// exactText spells a number with all of its digits.
func exactText(x *float64) string {
	switch {
	case x == nil:
		return "–"
	case math.Abs(*x) >= 1e15:
		return strconv.FormatFloat(*x, 'g', -1, 64)
	default:
		return group(strconv.FormatFloat(*x, 'f', -1, 64))
	}
}
