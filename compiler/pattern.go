package compiler

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
)

// maxPattern bounds the size of a compiled pattern: RE2 refuses one that
// needs more than its memory, and the engine would say so only then.
const maxPattern = 20_000

var classNames = regexp.MustCompile(`\\[pP]\{\^?([^}]*)\}`)

// checkPattern says what is wrong with a pattern: it must be one for Go's
// regexp and for RE2, and mean the same in both.
func checkPattern(pattern string) (problem, hint string) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		problem = "this is not a pattern: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		if e := new(syntax.Error); errors.As(err, &e) && e.Code == syntax.ErrInvalidPerlOp {
			hint = "patterns are RE2: it has no look-ahead, no look-behind and no back-references"
		}
		return problem, hint
	}
	if strings.Contains(withoutEscapes(pattern), "(?<") {
		return "a group cannot be named so", "write (…), or (?P<name>…)"
	}
	for _, m := range classNames.FindAllStringSubmatch(pattern, -1) {
		if !knownClass(m[1]) {
			return "RE2 has no characters of the class " + m[1], `write a category or a script: \pL, \p{Lu}, \p{Greek}`
		}
	}
	if patternSize(parsed.Simplify()) > maxPattern {
		return "the pattern is too large", "repeat less"
	}
	return "", ""
}

// withoutEscapes drops escaped characters and what stands between \Q and \E.
func withoutEscapes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if s[i] == 'Q' {
			end := strings.Index(s[i:], `\E`)
			if end < 0 {
				break
			}
			i += end + 1
		}
	}
	return b.String()
}

// knownClass reports whether RE2 knows a class of Unicode by the name.
func knownClass(name string) bool {
	if name == "Any" {
		return true
	}
	if _, ok := unicode.Scripts[name]; ok {
		return true
	}
	_, ok := unicode.Categories[name]
	return ok && len(name) <= 2 && name != "LC" && name != "Cn"
}

// patternSize estimates the instructions that RE2 needs.
func patternSize(r *syntax.Regexp) int {
	size := 1 + len(r.Rune)
	for _, s := range r.Sub {
		size += patternSize(s)
		if size > maxPattern {
			break
		}
	}
	if r.Op == syntax.OpRepeat {
		size *= max(r.Min, r.Max, 1)
	}
	return size
}
