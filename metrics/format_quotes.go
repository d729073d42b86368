package metrics

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// quotedUnless is the canon of texts that are quoted by rule, even where YAML
// would do without, unless they match the pattern: expressions and paths, in
// which the next edit may bring a sign that YAML reads as its own.
func quotedUnless(bare *regexp.Regexp) func(n *yaml.Node) {
	const block = yaml.LiteralStyle | yaml.FoldedStyle
	return func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode && n.Tag == "!!str" && n.Style&block == 0 && !bare.MatchString(n.Value) {
			n.Style = yaml.SingleQuotedStyle
		}
	}
}

// plainQuotes takes the quotes off texts that are the same without. Brackets that
// go over several lines, those in long, will be none.
func plainQuotes(n *yaml.Node, bracketed bool, long map[*yaml.Node][]string) {
	const quotes = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle
	if n.Kind == yaml.ScalarNode && n.Style&quotes != 0 && plainFits(n.Value, bracketed) {
		n.Style = 0
	}
	_, overLines := long[n]
	for _, c := range n.Content {
		plainQuotes(c, bracketed || n.Style&yaml.FlowStyle != 0 && !overLines, long)
	}
}

var (
	plainStart = regexp.MustCompile(`^[\pL_/(.0-9]`)
	// otherElsewhere are texts that other readers of YAML take for something else.
	otherElsewhere = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|[0-9][0-9:.,_]*)$`)
)

// plainFits reports whether a text may stand without quotes, and is a text
// then too.
func plainFits(s string, bracketed bool) bool {
	if !plainStart.MatchString(s) || otherElsewhere.MatchString(s) || needsEscapes(s) || strings.ContainsRune(s, '\t') {
		return false
	}
	form, at := "k: %s\n", []int{1}
	if bracketed {
		form, at = "k: {k: [%s]}\n", []int{1, 1, 0}
	}
	n, ok := nodeAt(fmt.Sprintf(form, s), at)
	return ok && n.Kind == yaml.ScalarNode && n.Tag == "!!str" && n.Style == 0 && n.Value == s
}

// nodeAt reads YAML and follows the indices of children down from the root.
// Collections on the way have no other children than these.
func nodeAt(text string, at []int) (*yaml.Node, bool) {
	docs, err := documents(text)
	if err != nil || len(docs) != 1 {
		return nil, false
	}
	n := docs[0].Content[0]
	for _, i := range at {
		if len(n.Content) != i+1 {
			return nil, false
		}
		n = n.Content[i]
	}
	return n, true
}

// needsEscapes reports whether a text can stand between double quotes only.
func needsEscapes(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r != '\t' && unicode.IsControl(r) || slices.Contains([]rune{'\u2028', '\u2029', '\ufeff', utf8.RuneError}, r)
	})
}

// quotes writes a text between quotes: single ones, but where it has single
// quotes itself and nothing that double ones would need a backslash for.
func quotes(s string) string {
	switch {
	case needsEscapes(s):
		return escaped(s)
	case strings.Contains(s, "'") && !strings.ContainsAny(s, `"\`):
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// escaped writes a text between double quotes, on one line.
func escaped(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case needsEscapes(string(r)):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// scalarText writes a scalar on one line.
func scalarText(n *yaml.Node) string {
	switch {
	case n.Tag == "!!null" && n.Value == "":
		return "null"
	case n.Tag == "!!str" && (n.Style != 0 || needsEscapes(n.Value)):
		return quotes(n.Value)
	}
	return n.Value
}
