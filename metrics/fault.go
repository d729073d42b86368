package metrics

import (
	"fmt"
	"regexp"
	"strings"
)

// fault is a mistake that is seen in one line of YAML alone.
type fault struct {
	col           int
	message, hint string
}

var (
	startOfValue      = regexp.MustCompile(`^( *(?:- +)*(?:[A-Za-z_][\w-]*: +)?)(.*)$`)
	colonWithoutBlank = regexp.MustCompile(`^ *(?:- +)?([a-z_]+):([^ :].*)$`)
	equalsForColon    = regexp.MustCompile(`^ *(?:- +)?([a-z_]+) *= *([^=].*)$`)
	blankForColon     = regexp.MustCompile(`^ *(?:- +)?([a-z_]+) +([^:=]+)$`)
	dashWithoutBlank  = regexp.MustCompile(`^ *-[a-z_]+:( |$)`)
)

// brokenKey reads a line that is a key and a value but for the colon, or for
// the blank behind it: the key, and the line as it should be.
func brokenKey(line string) (key, mended string) {
	for _, p := range []*regexp.Regexp{colonWithoutBlank, equalsForColon, blankForColon} {
		if m := p.FindStringSubmatch(line); m != nil {
			return m[1], m[1] + ": " + m[2]
		}
	}
	return "", ""
}

// entryWithoutDash finds the line among the entries of a list that has no
// dash, where the parser stops at the line at.
func entryWithoutDash(lines []string, at int) (int, bool) {
	if at >= len(lines) {
		return 0, false
	}
	indent := indentOf(lines[at])
	if indent == 0 {
		return 0, false
	}
	dash := strings.HasPrefix(lines[at][indent:], "- ")
	for i := at - 1; i >= 0; i-- {
		line := strings.TrimSpace(lines[i])
		switch {
		case line == "" || strings.HasPrefix(line, "#") || indentOf(lines[i]) > indent:
			continue
		case indentOf(lines[i]) < indent:
			return 0, false
		case dash && !strings.HasPrefix(line, "- "):
			return i, true
		case !dash && strings.HasPrefix(line, "- ") && plainKey.MatchString(lines[at]):
			return at, true
		}
		return 0, false
	}
	return 0, false
}

var plainKey = regexp.MustCompile(`^ *[A-Za-z_][\w-]*:( |$)`)

// faultOf looks for a quote or bracket that is not closed, for what stands
// behind a closed one, and for values that cannot start as they do.
func faultOf(line string) (fault, bool) {
	m := startOfValue.FindStringSubmatch(line)
	if m == nil || m[2] == "" {
		return fault{}, false
	}
	r := []rune(line)
	start := len([]rune(m[1]))
	switch r[start] {
	case '\'', '"':
		end, closed := endOfQuote(r, start)
		if !closed {
			return unclosed(r, start), true
		}
		if after, ok := somethingAt(r, end+1); ok {
			return fault{after + 1, "there is something after the closing quote", "put single quotes around the whole value; inside, a single quote is written twice"}, true
		}
	case '[', '{':
		return flowFault(r, start)
	case '@', '`', '%':
		return cannotStart(r, start), true
	}
	return fault{}, false
}

// isExpression reports whether the values of a key are expressions.
func isExpression(key string) bool { return key == "where" || key == "value" }

// quoteWhole is the hint to put quotes around what stands behind a key.
func quoteWhole(key string) string {
	if isExpression(key) {
		return "put single quotes around the whole expression"
	}
	return "put single quotes around the whole value"
}

func cannotStart(r []rune, at int) fault {
	return fault{at + 1, fmt.Sprintf("a value cannot start with %s", quoted(string(r[at]))), "put single quotes around the whole value"}
}

// endOfQuote is where the text that opens at start is closed.
func endOfQuote(r []rune, start int) (end int, closed bool) {
	for i := start + 1; i < len(r); i++ {
		switch {
		case r[start] == '"' && r[i] == '\\':
			i++
		case r[i] == r[start] && r[i] == '\'' && i+1 < len(r) && r[i+1] == '\'':
			i++
		case r[i] == r[start]:
			return i, true
		}
	}
	return 0, false
}

// somethingAt finds what stands from a place on, blanks and a comment apart.
func somethingAt(r []rune, from int) (at int, ok bool) {
	for i := from; i < len(r); i++ {
		switch {
		case r[i] == ' ' || r[i] == '\t' || r[i] == '\r':
		case r[i] == '#' && i > from:
			return 0, false
		default:
			return i, true
		}
	}
	return 0, false
}

// flowFault looks through brackets for what is missing or too much.
func flowFault(r []rune, start int) (fault, bool) {
	const commaHint = "entries are separated by a comma and a blank"
	type open struct {
		at     int
		colons int    // of the entry that is being read
		fresh  bool   // nothing of the entry was read yet
		key    string // of the entry, once it was read
	}
	var stack []open
	word := start // where the last word began
	for i := start; i < len(r); i++ {
		c := r[i]
		var top *open
		if len(stack) > 0 {
			top = &stack[len(stack)-1]
		}
		switch {
		case top == nil && i > start:
			if at, ok := somethingAt(r, i); ok {
				return fault{at + 1, "there is something after the closing bracket", "put single quotes around the whole value, or take out what is too much"}, true
			}
			return fault{}, false
		case c == '[' || c == '{':
			if top != nil && !top.fresh {
				return fault{i + 1, fmt.Sprintf("between brackets YAML takes a %c as the beginning of a value", c), quoteWhole(top.key)}, true
			}
			if top != nil {
				top.fresh = false
			}
			stack = append(stack, open{at: i, fresh: true})
		case c == ']' || c == '}':
			if (r[top.at] == '[') != (c == ']') {
				return fault{i + 1, fmt.Sprintf("%c does not close the %c of column %d", c, r[top.at], top.at+1), "close brackets in the order in which they are opened"}, true
			}
			stack = stack[:len(stack)-1]
		case c == ',':
			top.colons, top.fresh, top.key = 0, true, ""
		case (c == '\'' || c == '"') && top.fresh:
			end, closed := endOfQuote(r, i)
			if !closed {
				return unclosed(r, i), true
			}
			top.fresh = false
			i = end
			if at, ok := somethingAt(r, end+1); ok && !strings.ContainsRune(",]}:", r[at]) {
				return fault{at + 1, "a comma is missing before this", commaHint}, true
			}
		case (c == '@' || c == '`' || c == '%') && top.fresh:
			return cannotStart(r, i), true
		case c == ':' && i+1 < len(r) && r[i+1] == ' ':
			before := strings.TrimSpace(string(r[word:i]))
			if top.colons++; top.colons == 1 {
				top.key = before
			}
			if top.colons > 1 && (r[i-1] == ' ' || isExpression(top.key) && metricObject.field(before) == nil) {
				return fault{i + 1, cutByColon, quoteWhole(top.key)}, true
			}
			if top.colons > 1 && r[top.at] == '{' {
				return fault{word + 1, "a comma is missing before this", commaHint}, true
			}
			top.fresh = true
		case c != ' ':
			if top.fresh || r[i-1] == ' ' {
				word = i
			}
			top.fresh = false
		}
	}
	if len(stack) > 0 {
		return fault{stack[len(stack)-1].at + 1, "a bracket is opened here and not closed", "close it"}, true
	}
	return fault{}, false
}

// unclosed is a quote at i that is never closed.
func unclosed(r []rune, i int) fault {
	inside := "close it; inside single quotes a single quote is written twice"
	if r[i] == '"' {
		inside = "close it, or write single quotes around the value"
	}
	return fault{i + 1, "a quote is opened here and not closed", inside}
}
