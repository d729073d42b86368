package export

import (
	"bufio"
	"io"
	"strings"
	"unicode"

	"github.com/metricsjob/metricsjob/metrics"
)

// writeMarkdown writes the report as GitHub Markdown, for pull requests and
// wikis. It says what the terminal report says, in its words.
func writeMarkdown(w io.Writer, r report) error {
	m := markdown{bufio.NewWriter(w)}
	for _, e := range r.experiments {
		m.experiment(e)
	}
	if len(r.sources) > 0 {
		m.paragraph("## Sources")
		m.findings(r.sources)
	}
	if legend := r.legend(); legend != "" {
		m.paragraph(escape(legend))
	}
	m.w.WriteString(escape(r.footer()) + "\n")
	return m.w.Flush()
}

type markdown struct{ w *bufio.Writer }

// paragraph writes text that is Markdown already, and an empty line.
func (m markdown) paragraph(text string) { m.w.WriteString(text + "\n\n") }

func (m markdown) experiment(e experimentReport) {
	m.paragraph("## " + escape(e.title()))
	if facts := e.facts(); facts != "" {
		m.paragraph(escape(facts))
	}
	if len(e.arms) > 0 {
		m.grid(armsGrid(e.arms))
	}
	for _, s := range e.split() {
		text := escape(s.text)
		if s.tone == loud {
			text = "**" + text + "**"
		}
		m.paragraph(text)
	}
	if decisions := e.decisions(); len(decisions) > 0 {
		m.paragraph("### Verdict")
		for _, d := range decisions {
			m.paragraph("**" + escape(d.headline) + "**")
			for _, r := range d.reasons {
				m.w.WriteString("- " + escape(r) + "\n")
			}
			m.w.WriteString("\n")
		}
	}
	for _, b := range e.blocks {
		m.block(capital(b.role)+" metric: ", b, "")
	}
	for _, s := range e.segments {
		for _, b := range s.blocks {
			m.block("By "+s.attribute+": ", b, s.attribute)
		}
		if s.more > 0 {
			m.paragraph(escape(s.moreText()))
		}
	}
	if len(e.findings) > 0 {
		m.paragraph("### Health")
		m.findings(e.findings)
	}
	if len(e.errors) > 0 {
		m.paragraph("### Errors")
		for _, x := range e.errors {
			text := subject(x) + ": " + x.Code + ": " + x.Message
			if x.Hint != nil {
				text += " (hint: " + *x.Hint + ")"
			}
			m.w.WriteString("- " + escape(text) + "\n")
		}
		m.w.WriteByte('\n')
	}
}

func (m markdown) block(prefix string, b block, attribute string) {
	m.paragraph("### " + escape(prefix+b.title()))
	m.grid(wide.grid(b, attribute))
	for _, n := range b.notes() {
		m.paragraph(escape(n.String()))
	}
}

func (m markdown) findings(rows []metrics.HealthRow) {
	for _, h := range rows {
		m.w.WriteString("- " + string(h.Status) + ": " + escape(findingText(h)) + "\n")
	}
	m.w.WriteByte('\n')
}

func (m markdown) grid(g *grid) {
	row := func(cells []string) {
		m.w.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	head, rule := make([]string, len(g.columns)), make([]string, len(g.columns))
	for i, c := range g.columns {
		head[i], rule[i] = escape(c.head), "---"
		if c.right {
			rule[i] = "--:"
		}
	}
	row(head)
	row(rule)
	for _, r := range g.rows {
		cells := make([]string, len(r))
		for i, c := range r {
			cells[i] = escape(c.text)
			if c.tone == good || c.tone == bad {
				cells[i] = "**" + cells[i] + "**"
			}
		}
		row(cells)
	}
	m.w.WriteByte('\n')
}

// escape makes text stand for itself in Markdown, in a table too. An
// underscore inside a word needs nothing.
func escape(s string) string {
	var b strings.Builder
	runes := []rune(clean(s))
	word := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
	}
	for i, r := range runes {
		if strings.ContainsRune("\\`*|<>[]~#", r) || r == '_' && !(word(i-1) && word(i+1)) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
