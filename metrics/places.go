package metrics

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// longestExpression is how long the source of an expression may be, in bytes.
const longestExpression = 8 << 10

// expression is the source of an expression, with the place of every byte.
var expression = kind[Expr]{
	want: "an expression",
	decode: func(d *decoder, n *yaml.Node) (Expr, bool) {
		if d.spoilt[n] {
			return Expr{}, false
		}
		if isEmpty(n) || n.Kind == yaml.ScalarNode && strings.TrimSpace(n.Value) == "" {
			d.errorf(n, "empty-expression", "%s is empty", d.subject()).WithHint("write an expression, or leave it out")
			return Expr{}, false
		}
		if n.Kind != yaml.ScalarNode {
			said := d.wrongKind(n, "an expression")
			if n.Kind == yaml.MappingNode {
				said.WithHint(`write a condition as text, such as 'country == "DE"'`)
			} else {
				said.WithHint("put single quotes around the whole, and no brackets around them")
			}
			return Expr{}, false
		}
		e := d.exprAt(n, strings.TrimRight(n.Value, " \t\r\n"))
		if len(e.Src) > longestExpression {
			d.errorf(n, "long-expression", "%s has %d bytes, more than %d", d.subject(), len(e.Src), longestExpression).
				WithHint("split it: a long list of values is better a property of the export")
			return Expr{}, false
		}
		return e, !d.cut(n)
	},
	schema: func(*schemaBuilder) schema {
		return schema{{"title", "an expression"}, {"type", []string{"string", "number", "boolean"}}}
	},
	canon: quotedUnless(regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)),
}

// cut reports an expression that YAML ended early: at a blank with a #, or
// between brackets at a comma.
func (d *decoder) cut(n *yaml.Node) bool {
	if n.Style != 0 || !unfinished(n.Value) {
		return false
	}
	rest, _ := strings.CutPrefix(d.rawScalar(n), n.Value)
	mark := ""
	switch {
	case strings.HasPrefix(n.LineComment, "#"):
		mark = "#"
	case strings.HasPrefix(strings.TrimSpace(rest), ","):
		mark = "comma"
		d.cutAtComma = n
	default:
		return false
	}
	d.errorf(n, "cut-expression", "YAML ends %s at the %s: what is left is %s", d.subject(), mark, quoted(n.Value)).
		WithHint("put single quotes around the whole expression")
	return true
}

var endsInOperator = regexp.MustCompile(`(?:^|[^\w.])(and|or|not|in|contains|startsWith|endsWith|matches)$`)

// unfinished reports whether a quote or bracket of an expression is open at
// its end, or an operator stands there.
func unfinished(src string) bool {
	var quote byte
	depth := 0
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		}
	}
	return quote != 0 || depth > 0 || strings.ContainsAny(src[len(src)-1:], "=<>&|+-*/%?:,!") || endsInOperator.MatchString(src)
}

// exprAt finds where the bytes of src, the value of the scalar n, stand in
// the file. YAML tells only where a scalar starts, so the text is read again
// beside the value.
func (d *decoder) exprAt(n *yaml.Node, src string) Expr {
	e := Expr{Src: src, Pos: d.pos(n)}
	c := &cursor{lines: d.lines, line: n.Line - 1, col: n.Column - 1}
	t := &tracer{file: d.file, c: c, src: src}
	ok := false
	switch {
	case !c.valid():
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		ok = t.block()
	case n.Style&yaml.DoubleQuotedStyle != 0:
		c.col++
		ok = t.flow(doubleQuoted)
	case n.Style&yaml.SingleQuotedStyle != 0:
		c.col++
		ok = t.flow(singleQuoted)
	default:
		ok = t.flow(plainScalar)
	}
	if !ok {
		return e
	}
	e.Places = t.places
	if len(e.Places) > 0 {
		e.Pos = e.Places[0].Pos
	}
	if len(e.Places) == 1 && n.Style == 0 {
		e.Places = nil
	}
	return e
}

// cursor is a place in the text: col counts code points from 0.
type cursor struct {
	lines     []string
	line, col int
	text      []rune // of the line that was asked for last
	textLine  int
}

func (c *cursor) valid() bool { return c.line >= 0 && c.line < len(c.lines) }

func (c *cursor) runes() []rune {
	if c.text == nil || c.textLine != c.line {
		c.text, c.textLine = []rune(c.lines[c.line]), c.line
	}
	return c.text
}

// peek gives the code point i places on in the line, or 0 at its end.
func (c *cursor) peek(i int) rune {
	if r := c.runes(); c.col+i < len(r) {
		return r[c.col+i]
	}
	return 0
}

// atFold reports whether nothing but blanks is left in the line.
func (c *cursor) atFold() bool {
	r := c.runes()
	return c.col >= len(r) || strings.TrimSpace(string(r[c.col:])) == ""
}

// tracer walks the text and the value side by side.
type tracer struct {
	file   string
	c      *cursor
	src    string
	off    int
	places []ExprPlace
	joined bool // the next byte stands beside the one before
}

// here notes that src[off:] starts at the cursor.
func (t *tracer) here() {
	if t.joined {
		return
	}
	pos := diag.Pos{File: t.file, Line: t.c.line + 1, Col: t.c.col + 1}
	if last := len(t.places) - 1; last >= 0 && t.places[last].Offset == t.off {
		t.places[last].Pos = pos
	} else {
		t.places = append(t.places, ExprPlace{Offset: t.off, Pos: pos})
	}
	t.joined = true
}

// one steps over one code point of the value that stands as itself.
func (t *tracer) one() bool {
	r, size := utf8.DecodeRuneInString(t.src[t.off:])
	if t.c.peek(0) != r {
		return false
	}
	t.here()
	t.c.col++
	t.off += size
	return true
}

// flowStyle is a way of writing a scalar that may go over lines by folding.
type flowStyle int

const (
	plainScalar flowStyle = iota
	singleQuoted
	doubleQuoted
)

func (t *tracer) flow(style flowStyle) bool {
	for t.off < len(t.src) {
		switch {
		case !t.c.valid():
			return false
		case t.c.atFold():
			if !t.fold() {
				return false
			}
		case style == singleQuoted && t.c.peek(0) == '\'':
			if t.src[t.off] != '\'' || t.c.peek(1) != '\'' {
				return false
			}
			t.here()
			t.c.col += 2
			t.off++
			t.joined = false
		case style == doubleQuoted && t.c.peek(0) == '\\':
			t.escape()
		default:
			if !t.one() {
				return false
			}
		}
	}
	return true
}

// fold steps over the end of a line and the blanks around it, which are a
// blank in the value, or as many line ends as there are empty lines.
func (t *tracer) fold() bool {
	t.joined = false
	t.here()
	empty := -1
	for t.c.valid() && t.c.atFold() {
		t.c.line++
		t.c.col = 0
		empty++
	}
	if !t.c.valid() {
		return false
	}
	for r := t.c.peek(0); r == ' ' || r == '\t'; r = t.c.peek(0) {
		t.c.col++
	}
	t.joined = false
	if empty == 0 {
		if t.src[t.off] != ' ' {
			return false
		}
		t.off++
		return true
	}
	for ; empty > 0 && t.off < len(t.src); empty-- {
		if t.src[t.off] != '\n' {
			return false
		}
		t.off++
	}
	return true
}

// escape steps over an escape of a double-quoted scalar.
func (t *tracer) escape() {
	t.joined = false
	if t.c.col+1 >= len(t.c.runes()) { // the line goes on in the next one
		t.c.line++
		t.c.col = 0
		for t.c.valid() && (t.c.peek(0) == ' ' || t.c.peek(0) == '\t') {
			t.c.col++
		}
		return
	}
	t.here()
	switch t.c.peek(1) {
	case 'x':
		t.c.col += 4
	case 'u':
		t.c.col += 6
	case 'U':
		t.c.col += 10
	default:
		t.c.col += 2
	}
	_, size := utf8.DecodeRuneInString(t.src[t.off:])
	t.off += size
	t.joined = false
}

// block walks a scalar after | or >, whose lines start in the line below.
func (t *tracer) block() bool {
	t.c.line++
	indent := t.blockIndent()
	for t.off < len(t.src) {
		if !t.c.valid() {
			return false
		}
		t.joined = false
		t.c.col = indent
		if len(t.c.runes()) <= indent {
			if t.src[t.off] == '\n' {
				t.c.col = 0
				t.here()
				t.off++
			}
			t.c.line++
			continue
		}
		for t.c.col < len(t.c.runes()) {
			if t.off >= len(t.src) {
				return true
			}
			if !t.one() {
				return false
			}
		}
		if t.off < len(t.src) {
			if t.src[t.off] != '\n' && t.src[t.off] != ' ' {
				return false
			}
			t.here()
			t.off++
		}
		t.c.line++
	}
	return true
}

// blockIndent is the number of blanks before the lines of a block scalar. The
// value starts with the first line that is not empty, or with blanks where the
// header gives the indentation as a digit; either way the value's first line
// ends that line.
func (t *tracer) blockIndent() int {
	first := strings.TrimLeft(t.src, "\n")
	if i := strings.IndexByte(first, '\n'); i >= 0 {
		first = first[:i]
	}
	for line := t.c.line; line < len(t.c.lines); line++ {
		text := t.c.lines[line]
		if strings.TrimSpace(text) == "" {
			continue
		}
		body := strings.TrimLeft(text, " ")
		blanks := len(text) - len(body)
		leading := len(first) - len(strings.TrimLeft(first, " "))
		return max(0, blanks-leading)
	}
	return 0
}

// linesOf splits a text as YAML counts lines.
func linesOf(text string) []string {
	text = strings.TrimPrefix(text, "\ufeff")
	var out []string
	start := 0
	for i, r := range text {
		switch r {
		case '\n':
			if i > 0 && text[i-1] == '\r' {
				start = i + 1
				continue
			}
			out = append(out, text[start:i])
			start = i + 1
		case '\r', '\u0085', '\u2028', '\u2029':
			out = append(out, text[start:i])
			start = i + utf8.RuneLen(r)
		}
	}
	return append(out, text[start:])
}
