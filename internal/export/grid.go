package export

import (
	"slices"
	"unicode"

	"github.com/metricsjob/metricsjob/metrics"
)

// tone is how text is coloured where colours are wanted. Nothing is said by
// colour alone.
type tone string

// The tones, as ANSI parameters.
const (
	plain tone = ""
	bold  tone = "1"
	dim   tone = "2"
	bad   tone = "31"
	good  tone = "32"
	loud  tone = "1;31"
	amber tone = "33"
)

// grid is a table of cells.
type grid struct {
	columns []gridColumn
	rows    [][]cell
}

type gridColumn struct {
	head string
	// right says that the cells are aligned to the right.
	right bool
}

type cell struct {
	text string
	tone tone
}

func (g *grid) left(heads ...string)  { g.column(false, heads) }
func (g *grid) right(heads ...string) { g.column(true, heads) }

func (g *grid) column(right bool, heads []string) {
	for _, h := range heads {
		g.columns = append(g.columns, gridColumn{h, right})
	}
}

// widths are those of the widest cells.
func (g *grid) widths() []int {
	widths := make([]int, len(g.columns))
	for i, c := range g.columns {
		widths[i] = textWidth(c.head)
	}
	for _, r := range g.rows {
		for i, c := range r {
			widths[i] = max(widths[i], textWidth(c.text))
		}
	}
	return widths
}

// armsGrid shows how the exposed units are split.
func armsGrid(arms []arm) *grid {
	g := new(grid)
	g.left("variation")
	g.right("exposed", "share", "planned")
	g.left("")
	for _, a := range arms {
		var r gridRow
		r.put(a.def.Key, plain)
		r.put(count(a.exposed), plain)
		r.put(percent(a.share), plain)
		r.put(a.plannedShare(), plain)
		r.put(a.remark(), plain)
		g.rows = append(g.rows, r)
	}
	return g
}

// gridRow collects the cells of a row.
type gridRow []cell

func (r *gridRow) put(text string, t tone) { *r = append(*r, cell{clean(text), t}) }

// layout is a choice of columns for a block. In a stacked one the absolute
// effect stands on a line of its own below the relative one.
type layout struct{ stacked, noTotal, noUnits bool }

// wide has every column.
var wide = layout{}

// narrower gives the layouts to try one after the other where wide is too
// wide. Units go before the total if the exposed units, which the report
// shows above, are the same.
func narrower(b block, attribute string) []layout {
	allExposed := attribute == "" && !slices.ContainsFunc(b.rows, func(r metrics.ResultRow) bool { return r.Units != r.Exposed })
	return []layout{
		{stacked: true},
		{stacked: true, noUnits: allExposed, noTotal: !allExposed},
		{stacked: true, noUnits: true, noTotal: true},
	}
}

// grid lays out a block, with the values of an attribute in the first column
// if one is given.
func (l layout) grid(b block, attribute string) *grid {
	several := len(b.comparedTo()) > 1
	adjusted := b.adjusted()
	g := l.head(b, attribute)
	last := ""
	for i, x := range b.lines() {
		var row, below gridRow
		put := func(text, second string, t tone) {
			row.put(text, t)
			below.put(second, plain)
		}
		if attribute != "" {
			value := shorten(x.value, 20)
			if i > 0 && x.value == last {
				value = ""
			}
			last = x.value
			put(value, "", plain)
		}
		if l.noUnits && l.noTotal {
			x.variation = shorten(x.variation, 16)
		}
		put(x.variation, "", plain)
		if several {
			put(x.against, "", plain)
		}
		if !l.noUnits {
			put(x.units, "", plain)
		}
		if !l.noTotal {
			put(x.total, "", plain)
		}
		put(x.mean, "", plain)
		put(x.effect, x.difference, x.mark.tone())
		put(x.effectInterval, x.differenceInterval, plain)
		if !l.stacked {
			put(x.difference, "", plain)
			put(x.differenceInterval, "", plain)
		}
		put(x.p, "", plain)
		if adjusted {
			put(x.adjusted, "", plain)
		}
		put(string(x.mark), "", x.mark.tone())
		g.rows = append(g.rows, row)
		if l.stacked && x.difference != "" {
			g.rows = append(g.rows, below)
		}
	}
	return g
}

func (l layout) head(b block, attribute string) *grid {
	g := new(grid)
	if attribute != "" {
		g.left(clean(attribute))
	}
	g.left("variation")
	effect := "effect"
	switch to := b.comparedTo(); len(to) {
	case 0:
	case 1:
		effect = "vs " + shorten(clean(to[0]), 12)
	default:
		g.left("against")
	}
	if !l.noUnits {
		g.right("units")
	}
	if !l.noTotal {
		g.right("total")
	}
	interval := b.level() + " interval"
	g.right("mean", effect, interval)
	if !l.stacked {
		g.right("difference", interval)
	}
	g.right("p")
	if b.adjusted() {
		g.right("adjusted p")
	}
	g.left("")
	return g
}

func (m mark) tone() tone {
	switch m {
	case better:
		return good
	case worse:
		return bad
	default:
		return plain
	}
}

// shorten cuts s to a width, with an ellipsis in place of the rest.
func shorten(s string, width int) string {
	if textWidth(s) <= width {
		return s
	}
	n := 0
	for i, r := range s {
		if n += runeWidth(r); n > width-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// textWidth is the number of terminal columns that s takes.
func textWidth(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul),
		0xFF01 <= r && r <= 0xFF60, 0x1F300 <= r && r <= 0x1FAFF:
		return 2
	default:
		return 1
	}
}
