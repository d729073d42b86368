package metrics

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// parse reads the YAML of a file. It returns nil where it has said that there
// is nothing to decode.
func (d *decoder) parse(text string) *yaml.Node {
	if at, ok := invalidText(text); ok {
		line, col := placeOf(text, at)
		d.diags.Errorf(diag.Pos{File: d.file, Line: line, Col: col}, "yaml-syntax", "the file is not plain UTF-8 text").
			WithHint("there is a byte or control character here that does not belong in text")
		return nil
	}
	docs, err := documents(text)
	if err != nil {
		d.syntaxError(err)
		return nil
	}
	if len(docs) == 0 || len(docs[0].Content) == 0 || isEmpty(docs[0].Content[0]) {
		d.diags.Errorf(diag.Pos{File: d.file, Line: 1, Col: 1}, "empty-file", "the file is empty").
			WithHint("a file starts with version: 1")
		return nil
	}
	root := docs[0].Content[0]
	if len(docs) > 1 {
		at := d.pos(docs[1])
		if len(docs[1].Content) > 0 {
			at = d.pos(docs[1].Content[0])
		}
		for line := min(at.Line, len(d.lines)); line > 0; line-- {
			if strings.HasPrefix(d.lines[line-1], "---") {
				at.Line, at.Col = line, 1
				break
			}
		}
		d.diags.Errorf(at, "second-document", "a second YAML document starts here").
			WithHint("a file has one document: leave out the line ---, or put the rest into a file of its own")
	}
	d.structure(root, aliasesOf(root))
	return root
}

// aliasesOf lists the aliases of each anchor below n.
func aliasesOf(n *yaml.Node) map[string][]*yaml.Node {
	out := map[string][]*yaml.Node{}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.AliasNode {
			out[n.Value] = append(out[n.Value], n)
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(n)
	return out
}

// invalidText finds the first byte that is no text.
func invalidText(s string) (int, bool) {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return i, true
			}
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return i, true
		}
	}
	return 0, false
}

// placeOf gives line and column of a byte of text.
func placeOf(text string, at int) (line, col int) {
	lines := linesOf(text[:at])
	return len(lines), utf8.RuneCountInString(lines[len(lines)-1]) + 1
}

// structure refuses what YAML has and definitions have not: anchors with their
// aliases, merge keys, tags, keys that are no scalars, and keys given twice.
func (d *decoder) structure(n *yaml.Node, aliases map[string][]*yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode:
		d.spoilt[n] = true // said at its anchor
		return
	case n.Anchor != "":
		said := d.errorf(n, "yaml-anchor", "YAML anchors (&%s) are not used here", n.Anchor)
		said.WithHint("metrics share fields through like and defaults; for text that starts with &, put single quotes around it")
		if uses := aliases[n.Anchor]; len(uses) > 0 {
			said.Message += fmt.Sprintf(", nor aliases of them (*%s in line %d)", n.Anchor, uses[0].Line)
			said.WithHint("metrics share fields through like and defaults")
		}
	case n.Style&yaml.TaggedStyle != 0:
		d.spoilt[n] = true
		d.errorf(n, "yaml-tag", "YAML takes %s as a tag", quoted(n.Tag)).
			WithHint("put single quotes around the whole: '%s'", strings.ReplaceAll(d.rawScalar(n), "'", "''"))
	}
	if n.Kind != yaml.MappingNode {
		for _, c := range n.Content {
			d.structure(c, aliases)
		}
		return
	}
	first := map[string]*yaml.Node{}
	grown := false // an entry without its dash was reported
	pairs(n, func(k, v *yaml.Node) {
		switch before := first[k.Value]; {
		case k.Kind == yaml.ScalarNode && k.Tag == "!!merge":
			d.spoilt[k] = true
			if v.Kind != yaml.AliasNode { // an alias is said at its anchor
				d.errorf(k, "yaml-merge", "YAML merge keys (<<) are not used here").
					WithHint("metrics share fields through like and defaults")
			}
			return
		case k.Kind != yaml.ScalarNode && k.Kind != yaml.AliasNode:
			d.spoilt[k] = true
			d.errorf(k, "wrong-kind", "a key must be a word, not %s", describe(k)).
				WithHint("write key: value, with a key of small letters, digits and _")
		case k.Kind == yaml.ScalarNode && before != nil:
			d.spoilt[k] = true
			if grown {
				break
			}
			said := d.errorf(k, "duplicate-key", "%s is given twice, first in line %d", quoted(k.Value), before.Line)
			if grown = before == n.Content[0] && n.Style&yaml.FlowStyle == 0 && n.Column > 1; grown {
				d.grown = true
				said.WithHint("if an entry of its own begins here, it wants a dash: - %s: …", k.Value)
			} else {
				said.WithHint("leave one of them out")
			}
		default:
			first[k.Value] = k
			d.structure(k, aliases)
		}
		d.structure(v, aliases)
	})
}

// rawScalar is what stands in the file from the node to the end of its line,
// without a comment.
func (d *decoder) rawScalar(n *yaml.Node) string {
	if n.Line > len(d.lines) {
		return n.Value
	}
	line := []rune(d.lines[n.Line-1])
	if n.Column > len(line) {
		return n.Value
	}
	raw := string(line[n.Column-1:])
	if i := strings.Index(raw, " #"); i >= 0 {
		raw = raw[:i]
	}
	return strings.TrimSpace(raw)
}

// documents reads every YAML document of a text.
func documents(text string) ([]*yaml.Node, error) {
	dec := yaml.NewDecoder(strings.NewReader(text))
	var out []*yaml.Node
	for {
		n := new(yaml.Node)
		switch err := dec.Decode(n); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		}
		out = append(out, n)
	}
}

// syntaxError says where the text stops being YAML. The parser's own line is
// often that of the block around the mistake, so the line is found by trial.
func (d *decoder) syntaxError(err error) {
	at := firstBadLine(d.lines)
	line := ""
	if at < len(d.lines) {
		line = d.lines[at]
	}
	if strings.Contains(err.Error(), "mapping values are not allowed") && at > 0 && keyWithoutColon(d.lines[at-1]) {
		at--
		line = d.lines[at]
	}
	if other, ok := entryWithoutDash(d.lines, at); ok {
		at = other
		d.diags.Errorf(diag.Pos{File: d.file, Line: at + 1, Col: indentOf(d.lines[at]) + 1}, "yaml-syntax", "this line stands among the entries of a list and has no dash").
			WithHint("an entry starts with a dash and a blank: - key: …")
		return
	}
	col := len([]rune(line)) - len([]rune(strings.TrimLeft(line, " \t"))) + 1
	message, hint := explainSyntax(err, line)
	if f, ok := faultOf(line); ok && !strings.Contains(err.Error(), "escape character") {
		col, message, hint = f.col, f.message, f.hint
	} else if c, ok := secondColon(line); ok && message == cutByColon {
		col = c
	} else if i := strings.Index(line, ": *"); i >= 0 && strings.Contains(err.Error(), "unknown anchor") {
		col = len([]rune(line[:i])) + 3
	}
	d.diags.Errorf(diag.Pos{File: d.file, Line: at + 1, Col: col}, "yaml-syntax", "%s", message).Hint = hint
}

var wordWithoutColon = regexp.MustCompile(`^ *(- +)?[a-z_]+( +[^:#"']*)?$`)

// keyWithoutColon reports whether a line is a key whose colon is missing, or
// has no blank behind it.
func keyWithoutColon(line string) bool {
	return wordWithoutColon.MatchString(line) || colonWithoutBlank.MatchString(line)
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

const cutByColon = `YAML takes a second ": " in one line as another key`

// explainSyntax turns the parser's complaint into one about the line.
func explainSyntax(err error, line string) (message, hint string) {
	said := strings.TrimPrefix(err.Error(), "yaml: ")
	said = regexp.MustCompile(`^line [0-9]+: `).ReplaceAllString(said, "")
	trimmed := strings.TrimLeft(line, " ")
	_, second := secondColon(line)
	_, broken := brokenKey(line)
	value := ""
	if i := strings.Index(trimmed, ": "); i >= 0 {
		value = strings.TrimSpace(trimmed[i+2:])
	}
	switch {
	case strings.HasPrefix(strings.TrimLeft(line, " "), "\t"):
		return "a tab in the indentation", "YAML is indented with blanks"
	case strings.HasPrefix(said, "unknown anchor"):
		return "YAML aliases are not used here", "for text that starts with *, put single quotes around it"
	case broken != "":
		return "a key without its colon", "write " + broken
	case dashWithoutBlank.MatchString(line):
		return "a dash without a blank behind it", "write - " + strings.TrimPrefix(trimmed, "-")
	case strings.Contains(said, "mapping values are not allowed") && second:
		return cutByColon, quotedLine(trimmed, value)
	case strings.Contains(said, "cannot start any token") && value != "":
		return fmt.Sprintf("a value cannot start with %s", quoted(string([]rune(value)[:1]))), "put single quotes around the whole value"
	case strings.Contains(said, "unexpected end of stream"):
		return "a quote is opened in this line and not closed", "inside single quotes a single quote is written twice"
	case strings.Contains(said, "escape character"):
		return "an escape that YAML does not know in double quotes", "put single quotes around the value, in which a backslash is a backslash"
	case strings.ContainsAny(trimmed, "{[") && second:
		return "the brackets of this line are not closed, or a value in them needs quotes", "put single quotes around an expression"
	case strings.ContainsAny(trimmed, "{["):
		return "a bracket is opened in this line and not closed, or a comma is missing", "close it"
	case strings.HasPrefix(value, `"`) || strings.HasPrefix(value, "'"):
		return "there is something after the closing quote", "put single quotes around the whole value; inside, a single quote is written twice"
	case strings.Contains(said, "could not find expected ':'"):
		return "a key without its colon", "write key: value"
	case strings.Contains(said, "did not find expected"):
		return "the indentation of this line fits none of the lines above", "keys of one mapping start in the same column"
	case strings.Contains(said, "mapping values are not allowed"):
		return "the indentation of this line fits none of the lines above", "keys of one mapping start in the same column"
	}
	return "this is not YAML: " + said, ""
}

// quotedLine is the hint to put quotes around the value of a line, shown where
// it is an expression.
func quotedLine(line, value string) string {
	key, _, _ := strings.Cut(strings.TrimLeft(line, "- "), ":")
	if !isExpression(key) {
		return quoteWhole(key)
	}
	if i := strings.Index(value, " #"); i >= 0 {
		value = strings.TrimSpace(value[:i])
	}
	return fmt.Sprintf("write %s: '%s'", key, strings.ReplaceAll(value, "'", "''"))
}

// secondColon finds the second ": " of a line, outside quotes. A quote is one
// to YAML only where a value begins.
func secondColon(line string) (col int, ok bool) {
	count := 0
	fresh := true // nothing of a key or value was read yet
	var quote rune
	r := []rune(line)
	for i, c := range r {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case fresh && (c == '"' || c == '\''):
			quote = c
		case c == ':' && (i+1 == len(r) || r[i+1] == ' '):
			if count++; count == 2 {
				return i + 1, true
			}
			fresh = true
			continue
		case c == ' ' || strings.ContainsRune("-{[,", c):
			continue
		}
		fresh = false
	}
	return 0, false
}

// firstBadLine is the index of the line at which the text stops being YAML.
// The file is tried in its parts, the entries of top-level lists, so that the
// time does not grow with the square of its length; in the part that fails, the
// line is the one after the longest beginning that parses.
func firstBadLine(lines []string) int {
	for _, p := range partsOf(lines) {
		good := func(end int) bool {
			text := strings.Join(append(slices.Clone(p.head), lines[p.start:end]...), "\n") + "\n"
			var doc yaml.Node
			if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
				return false
			}
			return len(doc.Content) == 0 || doc.Content[0].Kind == yaml.MappingNode
		}
		if good(p.end) {
			continue
		}
		step := 1 + (p.end-p.start)/200
		for end := p.end - 1; end > p.start; end -= step {
			if !good(end) {
				continue
			}
			for finer := min(end+step, p.end) - 1; finer > end; finer-- {
				if good(finer) {
					return finer
				}
			}
			return end
		}
		return p.start
	}
	return max(0, len(lines)-2)
}

// part is a piece of a file that is YAML by itself after its head.
type part struct {
	head       []string
	start, end int
}

var (
	topLevelKey = regexp.MustCompile(`^[^\s#-]`)
	bareKey     = regexp.MustCompile(`^[^\s#:]+: *(#.*)?$`)
	listEntry   = regexp.MustCompile(`^ *- `)
)

// partsOf cuts a file at its top-level keys, and a list below one at its entries.
func partsOf(lines []string) []part {
	var out []part
	var head []string // of the list that is being read
	entry := -1       // indentation of its entries; -1: none yet
	start := 0
	cut := func(at int, next []string) {
		out = append(out, part{head, start, at})
		start, head = at, next
	}
	for i, line := range lines {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		switch {
		case topLevelKey.MatchString(line):
			cut(i, nil)
			entry = -1
			if bareKey.MatchString(line) && i+1 < len(lines) && listEntry.MatchString(lines[i+1]) {
				entry = len(lines[i+1]) - len(strings.TrimLeft(lines[i+1], " "))
			}
		case entry >= 0 && indent == entry && listEntry.MatchString(line) && i > start+1:
			top := head
			if top == nil {
				top = lines[start : start+1]
			}
			cut(i, top)
		}
	}
	cut(len(lines), nil)
	return out
}
