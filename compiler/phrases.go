package compiler

import (
	"strings"

	"github.com/expr-lang/expr/parser/lexer"
)

// phrase refuses what several words and marks of another language say
// together, so that one mistake gets one message, and gives the number of
// further tokens that belong to it.
func (s *source) phrase(i int, scope Scope) (more int, found bool) {
	if s.afterDot(i) {
		return 0, false
	}
	if t := s.tokens[i]; t.Kind == lexer.Identifier {
		if _, ok := scope.Bare(t.Value); ok {
			return 0, false
		}
	}
	switch {
	case s.said(i, "is", "not", "null"), s.said(i, "is", "not", "nil"):
		return s.phraseError(i, 2, "write %s != nil", s.before(i, "x"))
	case s.said(i, "is", "null"), s.said(i, "is", "nil"):
		return s.phraseError(i, 1, "write %s == nil", s.before(i, "x"))
	case s.said(i, "is", "not"):
		return s.phraseError(i, 1, "write !=")
	case s.said(i, "not", "in") && s.foreignWord(i, i+1):
		more = 1
		if end, ok := s.listInParentheses(i + 2); ok {
			more = end - i
		}
		return s.phraseError(i, more, `write not in, with a list: %s not in ["NL", "BE"]`, s.before(i, "country"))
	case s.said(i, "not", "like"), s.said(i, "not", "ilike"):
		return s.phraseError(i, 1, `write not (%s contains "…"), or startsWith, endsWith, matches`, s.before(i, "x"))
	case s.said(i, "not", "between"):
		lower, upper := s.bounds(i + 2)
		return s.phraseError(i, s.toAnd(i+2)-i, "write %[1]s < %[2]s or %[1]s > %[3]s", s.before(i, "x"), lower, upper)
	case s.said(i, "between"):
		lower, upper := s.bounds(i + 1)
		return s.phraseError(i, s.toAnd(i+1)-i, "write %[1]s >= %[2]s and %[1]s <= %[3]s", s.before(i, "x"), lower, upper)
	case s.said(i, "case", "when"):
		return s.phraseError(i, len(s.tokens)-i, "write condition ? a : b")
	case s.said(i, "cast", "("):
		d := s.errorf(s.tokens[i].From, "unknown-function", "%s is not a function of this language", s.text(s.tokens[i]))
		d.WithHint("write number(x), int(x) or text(x)")
		return s.closing(i+1) - i, true
	case s.tokens[i].Is(lexer.Operator, "let"), s.tokens[i].Is(lexer.Operator, "if"):
		s.operator(i)
		return len(s.tokens) - i, true
	case s.tokens[i].Value == "{" && s.tokens[i].Kind == lexer.Bracket:
		s.operator(i)
		return s.closing(i) - i, true
	case s.tokens[i].Is(lexer.Operator, "in"):
		if end, ok := s.listInParentheses(i + 1); ok {
			s.errorf(s.tokens[i+1].From, "expression-type", "in needs a list").
				WithHint(`write the entries between brackets: x in ["a", "b"]`)
			return end - i, true
		}
	}
	return 0, false
}

// phraseError refuses the token at i with the more tokens behind it that make
// a phrase; of long phrases the first word alone is named.
func (s *source) phraseError(i, more int, hint string, args ...any) (int, bool) {
	words := []string{s.text(s.tokens[i])}
	for j := i + 1; j <= i+more && j < len(s.tokens); j++ {
		t := s.tokens[j]
		if t.Kind != lexer.Identifier && t.Kind != lexer.Operator || len(words) == 3 {
			break
		}
		words = append(words, s.text(t))
	}
	if lower := strings.ToLower(words[0]); lower == "between" || lower == "case" {
		words = words[:1]
	}
	d := s.errorf(s.tokens[i].From, "expression-word", "%s is not in this language", strings.Join(words, " "))
	if len(words) == 1 {
		d.Message = words[0] + " is not a word of this language"
	}
	d.WithHint(hint, args...)
	return more, true
}

// said reports whether the tokens from i on are the words, in any case.
func (s *source) said(i int, words ...string) bool {
	for k, w := range words {
		if i+k >= len(s.tokens) {
			return false
		}
		t := s.tokens[i+k]
		switch t.Kind {
		case lexer.Identifier, lexer.Operator, lexer.Bracket:
		default:
			return false
		}
		if !strings.EqualFold(t.Value, w) {
			return false
		}
	}
	return true
}

// foreignWord reports whether one of the tokens is no operator of this
// language, as NOT or IN.
func (s *source) foreignWord(list ...int) bool {
	for _, i := range list {
		if s.tokens[i].Kind == lexer.Identifier {
			return true
		}
	}
	return false
}

// before is the name, or the function of one, before a token, for a hint.
func (s *source) before(i int, otherwise string) string {
	from := i - 1
	for from > 0 {
		if t := s.tokens[from]; t.Is(lexer.Bracket, ")", "]") {
			from = s.opening(from) - 1
			continue
		}
		if !s.afterDot(from) {
			break
		}
		from -= 2
	}
	if from < 0 || s.tokens[from].Kind != lexer.Identifier || from > 0 && s.tokens[from-1].Is(lexer.Operator, "+", "-", "*", "/", "%", "??") {
		return otherwise
	}
	return s.between(from, i, otherwise)
}

// bounds are the two values of a between whose first one begins at i.
func (s *source) bounds(i int) (lower, upper string) {
	and := s.toAnd(i)
	if and < i {
		return "1", "3"
	}
	end, depth := and+1, 0
	for ; end < len(s.tokens) && s.tokens[end].Kind != lexer.EOF; end++ {
		t := s.tokens[end]
		if depth == 0 && (t.Is(lexer.Bracket, ")", "]") || t.Is(lexer.Operator, "and", "or", "&&", "||", "?", ":", ",")) || t.Kind == lexer.Identifier && s.foreignAndOr(end) {
			break
		}
		switch {
		case t.Is(lexer.Bracket, "(", "["):
			depth++
		case t.Is(lexer.Bracket, ")", "]"):
			depth--
		}
	}
	return s.between(i, and, "1"), s.between(and+1, end, "3")
}

// foreignAndOr reports whether a token is an AND or OR of SQL.
func (s *source) foreignAndOr(i int) bool { return s.said(i, "and") || s.said(i, "or") }

// between gives the tokens from one to before another as they are written, or
// something else where that is nothing or long.
func (s *source) between(from, to int, otherwise string) string {
	if from >= to {
		return otherwise
	}
	text := s.Src[s.offset(s.tokens[from].From):s.offset(s.tokens[to-1].To)]
	if len(text) > 40 {
		return otherwise
	}
	return text
}

// opening is the index of the bracket that the one at i closes, or of the
// first token.
func (s *source) opening(i int) int {
	depth := 0
	for j := i; j >= 0; j-- {
		if t := s.tokens[j]; t.Is(lexer.Bracket, ")", "]", "}") {
			depth++
		} else if t.Is(lexer.Bracket, "(", "[", "{") {
			if depth--; depth == 0 {
				return j
			}
		}
	}
	return 0
}

// toAnd is the index of the and that belongs to a between.
func (s *source) toAnd(from int) int {
	depth := 0
	for i := from; i < len(s.tokens); i++ {
		switch t := s.tokens[i]; {
		case t.Is(lexer.Bracket, "(", "["):
			depth++
		case t.Is(lexer.Bracket, ")", "]"):
			depth--
		case depth == 0 && s.said(i, "and"):
			return i
		}
		if depth < 0 {
			return i - 1
		}
	}
	return from - 1
}

// closing is the index of the bracket that closes the one at i, or of the
// last token.
func (s *source) closing(i int) int {
	depth := 0
	for j := i; j < len(s.tokens); j++ {
		if t := s.tokens[j]; t.Kind == lexer.Bracket {
			if t.Is(lexer.Bracket, "(", "[", "{") {
				depth++
			} else if depth--; depth == 0 {
				return j
			}
		}
	}
	return len(s.tokens) - 1
}

// listInParentheses reports whether a list in parentheses, as in SQL, begins
// at i, and where it ends.
func (s *source) listInParentheses(i int) (end int, ok bool) {
	if i >= len(s.tokens) || !s.tokens[i].Is(lexer.Bracket, "(") {
		return 0, false
	}
	end = s.closing(i)
	depth := 0
	for j := i; j < end; j++ {
		switch t := s.tokens[j]; {
		case t.Is(lexer.Bracket, "(", "["):
			depth++
		case t.Is(lexer.Bracket, ")", "]"):
			depth--
		case depth == 1 && t.Is(lexer.Operator, ","):
			return end, true
		}
	}
	return 0, false
}
