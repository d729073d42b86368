package metrics

import (
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// comment is a comment, from its # on.
type comment struct {
	text string
	// blank means that an empty line stands above.
	blank bool
}

// entryTrivia is what stands around a pair of a mapping or an item of a list.
type entryTrivia struct {
	head []comment // above
	line []string  // behind, and below that in the same column
	// blank means that an empty line stands above, below the head.
	blank bool
}

// trivia is what a text has beside its nodes: comments and empty lines, and
// which nodes go over several lines. A comment belongs to the entry that it
// stands above or behind, or to the end of the block whose column it has.
type trivia struct {
	// entries are known by the key of a pair, or the item of a list.
	entries map[*yaml.Node]*entryTrivia
	// feet are the comments at the end of a mapping or list.
	feet map[*yaml.Node][]comment
	// top are the comments before the first entry of the file; gap means that
	// an empty line follows them.
	top []comment
	gap bool
	// long are the scalars and the bracketed collections over several lines;
	// with scalars their lines as written, without indentation and quotes.
	long map[*yaml.Node][]string
}

func (t *trivia) entry(n *yaml.Node) *entryTrivia {
	e := t.entries[n]
	if e == nil {
		e = new(entryTrivia)
		t.entries[n] = e
	}
	return e
}

// comments lists the texts of all comments, sorted.
func (t *trivia) comments() []string {
	var out []string
	add := func(cs []comment) {
		for _, c := range cs {
			out = append(out, c.text)
		}
	}
	add(t.top)
	for _, e := range t.entries {
		add(e.head)
		out = append(out, e.line...)
	}
	for _, cs := range t.feet {
		add(cs)
	}
	slices.Sort(out)
	return out
}

// block is a mapping or list by indentation.
type block struct {
	node *yaml.Node
	col  int // of its entries, from 0
}

// triviaScanner walks the text beside the tree. The parser tells where nodes
// begin; what stands between the end of one and the beginning of the next is
// indicators, brackets, blanks and comments.
type triviaScanner struct {
	*trivia
	root *yaml.Node
	c    *cursor

	// last is the entry that was begun last; nil: none yet.
	last *yaml.Node
	// lastLine is where the text of the last node ended.
	lastLine int
	// starting is the outermost entry that begins with the next node, in the
	// block within; nil: the next node is the value of a pair.
	starting *yaml.Node
	within   block
	// depth counts the open brackets, open the open blocks.
	depth int
	open  []block
	// closed are the blocks that ended since the last node.
	closed []block
	// indicated means that a dash, a colon or a question mark stands since the
	// last node; entryLine is the line of the first that begins an entry, or -1.
	indicated bool
	entryLine int
	// behind is the place of the last comment behind an entry.
	behind struct{ line, col int }
}

// scanTrivia finds what stands between the nodes of a file.
func scanTrivia(root *yaml.Node, lines []string) (*trivia, error) {
	s := &triviaScanner{
		trivia: &trivia{
			entries: map[*yaml.Node]*entryTrivia{},
			feet:    map[*yaml.Node][]comment{},
			long:    map[*yaml.Node][]string{},
		},
		root:      root,
		c:         &cursor{lines: lines},
		lastLine:  -1,
		entryLine: -1,
	}
	s.behind.line = -1
	if err := s.node(root, nil); err != nil {
		return nil, err
	}
	s.gap(func() bool { return false })
	return s.trivia, nil
}

// node walks over a node; owner is the entry that it belongs to.
func (s *triviaScanner) node(n, owner *yaml.Node) error {
	switch {
	case n.Kind == yaml.ScalarNode && isEmpty(n):
		return nil // nothing stands there
	case n.Kind == yaml.ScalarNode:
		if err := s.reach(n, owner); err != nil {
			return err
		}
		return s.scalar(n)
	case n.Style&yaml.FlowStyle == 0:
		s.open = append(s.open, block{n, n.Column - 1})
		err := s.children(n)
		s.closed = append(s.closed, s.open[len(s.open)-1])
		s.open = s.open[:len(s.open)-1]
		return err
	}
	if !s.bracketAt(n) { // a pair in a bracketed list: [a: b]
		err := s.children(n)
		if s.c.line != n.Line-1 {
			s.long[n] = nil
		}
		return err
	}
	if err := s.reach(n, owner); err != nil {
		return err
	}
	begin := s.c.line
	s.c.col++
	s.depth++
	if err := s.children(n); err != nil {
		return err
	}
	s.gap(func() bool { return s.c.peek(0) == ']' || s.c.peek(0) == '}' }, n)
	if !s.c.valid() {
		return unclear(n)
	}
	s.c.col++
	s.depth--
	if s.c.line != begin {
		s.long[n] = nil
	}
	s.passed(owner)
	return nil
}

// bracketAt reports whether a bracketed collection has brackets of its own.
func (s *triviaScanner) bracketAt(n *yaml.Node) bool {
	c := cursor{lines: s.c.lines, line: n.Line - 1, col: n.Column - 1}
	return c.valid() && (n.Kind == yaml.SequenceNode && c.peek(0) == '[' || n.Kind == yaml.MappingNode && c.peek(0) == '{')
}

func (s *triviaScanner) children(n *yaml.Node) error {
	for i, c := range n.Content {
		entry := c
		switch {
		case n.Kind == yaml.MappingNode && i%2 == 1:
			entry = n.Content[i-1]
		case s.starting == nil:
			s.starting, s.within = c, block{col: -1}
			if len(s.open) > 0 {
				s.within = s.open[len(s.open)-1]
			}
		}
		if err := s.node(c, entry); err != nil {
			return err
		}
	}
	return nil
}

// reach walks to the beginning of a node.
func (s *triviaScanner) reach(n, owner *yaml.Node) error {
	line, col := n.Line-1, n.Column-1
	first := s.last == nil
	s.gap(func() bool { return s.c.line == line && s.c.col == col }, owner)
	if !s.c.valid() {
		return unclear(n)
	}
	if s.starting != nil {
		at := line
		if s.entryLine >= 0 {
			at = s.entryLine
		}
		blank := at > s.lastLine && s.blankAbove(at)
		if first {
			s.trivia.gap = blank
		} else {
			s.entry(s.starting).blank = blank
		}
	}
	s.passed(owner)
	return nil
}

// passed notes that text of an entry was walked over, up to the cursor.
func (s *triviaScanner) passed(entry *yaml.Node) {
	s.last, s.lastLine = entry, s.c.line
	s.starting, s.closed, s.indicated, s.entryLine = nil, nil, false, -1
}

func (s *triviaScanner) blankAbove(line int) bool {
	return line > 0 && strings.TrimSpace(s.c.lines[line-1]) == ""
}

// gap walks between nodes until done, or to the end of the text. The owner is
// the entry or the bracketed collection that the next text belongs to.
func (s *triviaScanner) gap(done func() bool, owner ...*yaml.Node) {
	for ; s.c.valid(); s.c.line, s.c.col = s.c.line+1, 0 {
		marker := s.c.col == 0 && s.depth == 0
		if text := s.c.lines[s.c.line]; marker && (strings.HasPrefix(text, "---") || strings.HasPrefix(text, "...")) {
			s.c.col = 3
		} else if marker && s.last == nil && strings.HasPrefix(text, "%") {
			continue
		}
		for ; s.c.col < len(s.c.runes()); s.c.col++ {
			if done() {
				return
			}
			switch s.c.peek(0) {
			case '-', '?':
				s.indicated = true
				if s.entryLine < 0 {
					s.entryLine = s.c.line
				}
			case ':':
				s.indicated = true
			case '#':
				s.comment(owner)
				s.c.col = len(s.c.runes())
			}
		}
	}
}

// comment puts the comment at the cursor where it belongs.
func (s *triviaScanner) comment(owner []*yaml.Node) {
	line, col := s.c.line, s.c.col
	c := comment{
		text:  strings.TrimRightFunc(string(s.c.runes()[col:]), unicode.IsSpace),
		blank: s.blankAbove(line),
	}
	switch {
	case s.last == nil && s.lastLine < 0:
		s.top = append(s.top, c)
	case s.last != nil && (line == s.lastLine || s.behind.line == line-1 && s.behind.col == col):
		e := s.entry(s.last)
		e.line = append(e.line, c.text)
		s.behind.line, s.behind.col = line, col
	case s.depth > 0 && s.starting == nil && len(owner) > 0 && owner[0] != nil && owner[0].Kind != yaml.ScalarNode:
		s.feet[owner[0]] = append(s.feet[owner[0]], c) // before the closing bracket
	case s.starting == nil && len(owner) > 0:
		e := s.entry(s.last) // between a key and its value
		e.head = append(e.head, c)
	case s.depth == 0 && !s.indicated && s.foot(col) != nil:
		n := s.foot(col)
		s.feet[n] = append(s.feet[n], c)
	case s.starting != nil:
		e := s.entry(s.starting)
		e.head = append(e.head, c)
	default:
		s.feet[s.root] = append(s.feet[s.root], c)
	}
}

// foot gives the block that ended here and that a comment in the column is at
// the end of: the innermost that it is not left of. It is nil where the comment
// belongs to the entry below.
func (s *triviaScanner) foot(col int) *yaml.Node {
	if len(s.closed) == 0 {
		return nil
	}
	atEnd := s.starting == nil
	var best *block
	for i := range s.closed {
		b := &s.closed[i]
		if b.col <= col && (atEnd || b.col > s.within.col) && (best == nil || b.col >= best.col) {
			best = b
		}
	}
	switch {
	case best != nil:
		return best.node
	case atEnd:
		return s.closed[len(s.closed)-1].node // the whole file
	}
	return nil
}

// scalar walks over a scalar.
func (s *triviaScanner) scalar(n *yaml.Node) error {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return s.blockScalar(n)
	}
	begin, from, quotes := s.c.line, s.c.col, 0
	ok := false
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		ok, quotes = s.quoted('"'), 1
	case n.Style&yaml.SingleQuotedStyle != 0:
		ok, quotes = s.quoted('\''), 1
	default:
		ok = s.along(n.Value)
	}
	if !ok {
		return unclear(n)
	}
	if s.lastLine = s.c.line; s.lastLine != begin {
		s.long[n] = s.span(begin, from+quotes, s.c.col-quotes)
		if n.Style&yaml.SingleQuotedStyle != 0 {
			for i, l := range s.long[n] {
				s.long[n][i] = strings.ReplaceAll(l, "''", "'")
			}
		}
	}
	return nil
}

// span gives the text from a column of a line to a column of the cursor's line,
// each line without blanks around it.
func (s *triviaScanner) span(line, from, to int) []string {
	var out []string
	for at := line; at <= s.c.line; at++ {
		text := []rune(s.c.lines[at])
		if at == s.c.line {
			text = text[:to]
		}
		if at == line {
			text = text[from:]
		}
		out = append(out, strings.TrimSpace(string(text)))
	}
	return out
}

// quoted walks over a scalar in quotes.
func (s *triviaScanner) quoted(quote rune) bool {
	for s.c.col++; s.c.valid(); s.c.line, s.c.col = s.c.line+1, 0 {
		for ; s.c.col < len(s.c.runes()); s.c.col++ {
			switch r := s.c.peek(0); {
			case r == '\\' && quote == '"':
				s.c.col++
			case r == quote && quote == '\'' && s.c.peek(1) == quote:
				s.c.col++
			case r == quote:
				s.c.col++
				return true
			}
		}
	}
	return false
}

// along walks over text that has the same letters as the value, whatever the
// blanks and line ends between them.
func (s *triviaScanner) along(value string) bool {
	for _, r := range value {
		if unicode.IsSpace(r) {
			continue
		}
		for s.c.valid() && (s.c.col >= len(s.c.runes()) || unicode.IsSpace(s.c.peek(0))) {
			if s.c.col++; s.c.col >= len(s.c.runes()) {
				s.c.line, s.c.col = s.c.line+1, 0
			}
		}
		if !s.c.valid() || s.c.peek(0) != r {
			return false
		}
		s.c.col++
	}
	return true
}

// blockScalar walks over a scalar after | or >, with a comment in its first line.
func (s *triviaScanner) blockScalar(n *yaml.Node) error {
	begin := s.c.line
	for ; s.c.col < len(s.c.runes()); s.c.col++ {
		if s.c.peek(0) == '#' {
			s.lastLine = begin
			s.comment(nil)
			break
		}
	}
	s.behind.line = -1 // what stands below is not a comment
	s.c.line, s.c.col = begin+1, 0
	if !s.along(n.Value) {
		return unclear(n)
	}
	if strings.TrimSpace(n.Value) == "" {
		return nil // any line below is empty
	}
	t := &tracer{c: &cursor{lines: s.c.lines, line: begin + 1}, src: n.Value}
	indent := t.blockIndent()
	for _, l := range s.c.lines[begin+1 : s.c.line+1] {
		s.long[n] = append(s.long[n], l[min(indent, len(l)):])
	}
	s.c.line, s.c.col = s.c.line+1, 0
	return nil
}
