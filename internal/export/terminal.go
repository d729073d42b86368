package export

import (
	"bufio"
	"io"
	"strings"

	"github.com/metricsjob/metricsjob/metrics"
)

// writeText writes the report for a terminal of the width. Text that is too
// long is folded, tables that are too wide lose columns.
func writeText(w io.Writer, r report, width int, color bool) error {
	p := page{bufio.NewWriter(w), width, color}
	for _, e := range r.experiments {
		p.experiment(e)
		p.line("")
	}
	if len(r.sources) > 0 {
		p.line(p.paint("SOURCES", bold))
		p.findings(r.sources)
		p.line("")
	}
	if legend := r.legend(); legend != "" {
		p.paragraph("", legend, dim)
	}
	p.paragraph("", r.footer(), dim)
	return p.w.Flush()
}

// page is text in the making.
type page struct {
	w     *bufio.Writer
	width int
	color bool
}

func (p page) experiment(e experimentReport) {
	title := clean(e.title())
	p.paragraph("", title, bold)
	p.line(strings.Repeat("─", min(textWidth(title), p.width)))
	if facts := e.facts(); facts != "" {
		p.paragraph("", facts, plain)
	}
	if len(e.arms) > 0 {
		p.line("")
		p.grid(armsGrid(e.arms))
	}
	if said := e.split(); len(said) > 0 {
		p.line("")
		for _, s := range said {
			p.paragraph("  "+s.lead, s.text, s.tone)
		}
	}
	if decisions := e.decisions(); len(decisions) > 0 {
		p.section("Verdict")
		for _, d := range decisions {
			p.paragraph("  ", d.headline, d.tone)
			for _, r := range d.reasons {
				p.paragraph("    - ", r, plain)
			}
		}
	}
	role := ""
	for _, b := range e.blocks {
		if b.role != role {
			role = b.role
			p.section(roleTitles[role])
		}
		p.block(b, "")
	}
	for _, s := range e.segments {
		p.section("By " + s.attribute)
		for _, b := range s.blocks {
			p.block(b, s.attribute)
		}
		if s.more > 0 {
			p.line("")
			p.paragraph("  ", s.moreText(), dim)
		}
	}
	if len(e.findings) > 0 {
		p.section("Health")
		p.findings(e.findings)
	}
	if len(e.errors) > 0 {
		p.section("Errors")
		for _, x := range e.errors {
			p.paragraph("  ", subject(x)+": "+x.Code+": "+x.Message, bad)
			if x.Hint != nil {
				p.paragraph("  hint: ", *x.Hint, plain)
			}
		}
	}
}

// block writes a block in the widest layout that fits.
func (p page) block(b block, attribute string) {
	p.line("")
	p.paragraph("  ", b.title(), bold)
	g := wide.grid(b, attribute)
	for _, l := range narrower(b, attribute) {
		if p.fits(g) {
			break
		}
		g = l.grid(b, attribute)
	}
	p.grid(g)
	for _, n := range b.notes() {
		p.paragraph("  ", n.String(), amber)
	}
}

func (p page) findings(rows []metrics.HealthRow) {
	for _, h := range rows {
		t := amber
		if h.Status == metrics.Fail {
			t = bad
		}
		p.paragraph("  "+string(h.Status)+"  ", findingText(h), t)
	}
}

func (p page) section(title string) {
	p.line("")
	p.line(p.paint(strings.ToUpper(clean(title)), bold))
}

// gridIndent and gridGap are the blanks before a grid and between its columns.
const (
	gridIndent = "  "
	gridGap    = "  "
)

func (p page) fits(g *grid) bool {
	n := len(gridIndent) - len(gridGap)
	for _, w := range g.widths() {
		n += len(gridGap) + w
	}
	return n <= p.width
}

func (p page) grid(g *grid) {
	widths := g.widths()
	line := func(cells []cell) {
		var b strings.Builder
		b.WriteString(gridIndent)
		for i, c := range cells {
			if i > 0 {
				b.WriteString(gridGap)
			}
			blanks := strings.Repeat(" ", widths[i]-textWidth(c.text))
			if g.columns[i].right {
				b.WriteString(blanks + p.paint(c.text, c.tone))
			} else {
				b.WriteString(p.paint(c.text, c.tone) + blanks)
			}
		}
		p.line(b.String())
	}
	head := make([]cell, len(g.columns))
	for i, c := range g.columns {
		head[i] = cell{c.head, dim}
	}
	line(head)
	for _, r := range g.rows {
		line(r)
	}
}

// paragraph writes text folded at the width, with lead before its first line
// and as many blanks before the others.
func (p page) paragraph(lead, text string, t tone) {
	var line strings.Builder
	room := p.width - textWidth(lead)
	flush := func() {
		p.line(lead + p.paint(line.String(), t))
		lead = strings.Repeat(" ", textWidth(lead))
		line.Reset()
	}
	for _, word := range strings.Fields(clean(text)) {
		if line.Len() > 0 && textWidth(line.String())+1+textWidth(word) > room {
			flush()
		}
		if line.Len() > 0 {
			line.WriteByte(' ')
		}
		line.WriteString(word)
	}
	flush()
}

func (p page) line(s string) {
	p.w.WriteString(strings.TrimRight(s, " "))
	p.w.WriteByte('\n')
}

// paint gives s in the tone.
func (p page) paint(s string, t tone) string {
	if !p.color || t == plain || s == "" {
		return s
	}
	return "\x1b[" + string(t) + "m" + s + "\x1b[0m"
}
