package metrics

import (
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// layout writes the tree of a file with what stood between its nodes.
type layout struct {
	*trivia
	// spaced are the collections in which an empty line stands beside each
	// entry that takes several lines.
	spaced map[*yaml.Node]bool
}

// textLine is one line of the canonical text.
type textLine struct {
	indent int
	text   string
	// tail are the comments behind the text; the second and further ones stand
	// below the first.
	tail []string
	// blank means that an empty line stands above.
	blank bool
	// remark means that the text is a comment.
	remark bool
}

// file writes a whole file.
func (p *layout) file(root *yaml.Node) string {
	p.spaced = map[*yaml.Node]bool{root: true}
	pairs(root, func(k, v *yaml.Node) {
		p.spaced[v] = slices.Contains([]string{"metrics", "experiments", "tests"}, k.Value)
	})
	lines := remarks(p.top)
	entries := p.collection(root)
	if len(lines) > 0 && len(entries) > 0 {
		entries[0].blank = p.gap
	}
	return joined(append(lines, entries...))
}

func remarks(cs []comment) []textLine {
	var out []textLine
	for _, c := range cs {
		out = append(out, textLine{text: c.text, blank: c.blank, remark: true})
	}
	return out
}

// collection writes a mapping or list over lines, from column 0.
func (p *layout) collection(n *yaml.Node) []textLine {
	var out []textLine
	before := 0
	add := func(sign string, e, v *yaml.Node) {
		lines, size := p.pair(sign, e, v)
		if p.spaced[n] && (size > 1 || before > 1) {
			lines[0].blank = true
		}
		before = size
		out = append(out, lines...)
	}
	if n.Kind == yaml.MappingNode {
		pairs(n, func(k, v *yaml.Node) { add(scalarText(k)+":", k, v) })
	} else {
		for _, item := range n.Content {
			add("-", item, item)
		}
	}
	out = append(out, remarks(p.feet[n])...)
	if len(out) > 0 {
		out[0].blank = false
	}
	return out
}

// pair writes a pair of a mapping, whose sign is its key and colon, or an item
// of a list, whose sign is a dash. The size is the number of lines without the
// comments above.
func (p *layout) pair(sign string, e, v *yaml.Node) (lines []textLine, size int) {
	around := p.entry(e)
	above, tail := remarks(around.head), around.line
	hoisted := len(above) // from here on the comments stood below the entry's beginning
	var body []textLine
	long, isLong := p.longScalar(v)
	switch {
	case isLong:
		// Below the first line a comment would be text.
		body = []textLine{{text: sign + " " + long[0], tail: tail[:min(1, len(tail))]}}
		for _, l := range long[1:] {
			body = append(body, textLine{indent: 2, text: l})
		}
		above = append(above, lineRemarks(tail[len(body[0].tail):])...)
	case !p.goesOverLines(v):
		body = []textLine{{text: sign + " " + inline(v), tail: tail}}
		above = append(above, remarks(p.feet[v])...)
	case sign == "-":
		body = p.collection(v)
		first := slices.IndexFunc(body, func(l textLine) bool { return !l.remark })
		above = append(append(above, lineRemarks(tail)...), body[:first]...)
		body = indented(body[first:])
		body[0].indent, body[0].text = 0, "- "+body[0].text
	default:
		body = append([]textLine{{text: sign, tail: tail}}, indented(p.collection(v))...)
	}
	lines = append(above, body...)
	if hoisted == len(above) || !lines[hoisted].blank {
		lines[hoisted].blank = around.blank
	}
	return lines, len(body)
}

func lineRemarks(texts []string) []textLine {
	var out []textLine
	for _, t := range texts {
		out = append(out, textLine{text: t, remark: true})
	}
	return out
}

func indented(lines []textLine) []textLine {
	for i := range lines {
		lines[i].indent += 2
	}
	return lines
}

// goesOverLines reports whether a value is written by indentation.
func (p *layout) goesOverLines(n *yaml.Node) bool {
	_, long := p.long[n]
	return n.Kind != yaml.ScalarNode && len(n.Content) > 0 && (long || n.Style&yaml.FlowStyle == 0)
}

// inline writes a value on one line.
func inline(n *yaml.Node) string {
	var parts []string
	switch n.Kind {
	case yaml.MappingNode:
		pairs(n, func(k, v *yaml.Node) { parts = append(parts, scalarText(k)+": "+inline(v)) })
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		for _, item := range n.Content {
			parts = append(parts, inline(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return scalarText(n)
	}
}

// longScalar writes a text after | or > that stood there, or that went over
// several lines in another way: its first line, with the sign, and the others.
// A text that cannot stand there as it was is not long.
func (p *layout) longScalar(n *yaml.Node) ([]string, bool) {
	lines, long := p.long[n]
	if n.Kind != yaml.ScalarNode || !long {
		return nil, false
	}
	sign := ">"
	if n.Style&yaml.LiteralStyle != 0 {
		sign = "|"
		lines = strings.Split(strings.TrimSuffix(n.Value, "\n"), "\n")
	}
	first := slices.IndexFunc(lines, func(l string) bool { return strings.TrimSpace(l) != "" })
	if first < 0 {
		return nil, false
	}
	if strings.HasPrefix(lines[first], " ") {
		sign += "2"
	}
	if !strings.HasSuffix(n.Value, "\n") {
		sign += "-"
	}
	again, ok := nodeAt("k: "+sign+"\n  "+strings.Join(lines, "\n  ")+"\n", []int{1})
	if !ok || again.Value != n.Value || again.Tag != n.Tag {
		return nil, false
	}
	return append([]string{sign}, lines...), true
}

// joined makes a text of lines. The comments behind lines that follow each
// other stand in one column.
func joined(lines []textLine) string {
	var b strings.Builder
	column := 0
	for i, l := range lines {
		if l.blank {
			b.WriteByte('\n')
		}
		if l.text != "" {
			b.WriteString(strings.Repeat(" ", l.indent) + l.text)
		}
		if len(l.tail) == 0 {
			b.WriteByte('\n')
			continue
		}
		if i == 0 || l.blank || len(lines[i-1].tail) == 0 {
			column = tailColumn(lines[i:])
		}
		b.WriteString(strings.Repeat(" ", column-l.width()) + l.tail[0] + "\n")
		for _, more := range l.tail[1:] {
			b.WriteString(strings.Repeat(" ", column) + more + "\n")
		}
	}
	return b.String()
}

func (l textLine) width() int { return l.indent + utf8.RuneCountInString(l.text) }

// tailColumn gives the column of the comments behind the first of the lines and
// those that follow it.
func tailColumn(lines []textLine) int {
	column := 0
	for i, l := range lines {
		if len(l.tail) == 0 || i > 0 && l.blank {
			break
		}
		column = max(column, l.width()+2)
	}
	return column
}
