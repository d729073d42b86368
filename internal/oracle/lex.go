package oracle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A token is one word of an expression.
type token struct {
	kind tokenKind
	text string // the operator, the name, the number, or the text that a literal stands for
}

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenNumber
	tokenText
	tokenSign // operators, brackets, commas, and the operators that are words
)

// The signs of the language, longer ones before their beginnings.
var signs = []string{"==", "!=", "<=", ">=", "&&", "||", "??", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", "(", ")", "[", "]", ",", "."}

// The operators that are words.
var wordSigns = []string{"and", "or", "not", "in", "contains", "startsWith", "endsWith", "matches"}

// lex cuts an expression into tokens (language, section 3).
func lex(src string) ([]token, error) {
	var tokens []token
	for rest := src; ; {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		if rest == "" {
			return append(tokens, token{kind: tokenEnd}), nil
		}
		t, n, err := lexOne(rest)
		if err != nil {
			return nil, fmt.Errorf("at %q: %w", rest, err)
		}
		tokens = append(tokens, t)
		rest = rest[n:]
	}
}

// lexOne reads the token that src begins with and tells its length.
func lexOne(src string) (token, int, error) {
	first, _ := utf8.DecodeRuneInString(src)
	switch {
	case first == '"' || first == '\'' || first == '`':
		return lexText(src, byte(first))
	case isDigit(first):
		return lexNumber(src)
	case isLetter(first):
		n := strings.IndexFunc(src, func(r rune) bool { return !isLetter(r) && !unicode.IsDigit(r) })
		if n < 0 {
			n = len(src)
		}
		if slices.Contains(wordSigns, src[:n]) {
			return token{tokenSign, src[:n]}, n, nil
		}
		return token{tokenName, src[:n]}, n, nil
	}
	for _, s := range signs {
		if strings.HasPrefix(src, s) {
			return token{tokenSign, s}, len(s), nil
		}
	}
	return token{}, 0, fmt.Errorf("unknown character %q", first)
}

// lexNumber reads digits, optionally a point and digits, optionally an exponent.
func lexNumber(src string) (token, int, error) {
	n := digits(src)
	if n < len(src) && src[n] == '.' {
		d := digits(src[n+1:])
		if d == 0 {
			return token{}, 0, fmt.Errorf("digits must follow the point")
		}
		n += 1 + d
	}
	if n < len(src) && (src[n] == 'e' || src[n] == 'E') {
		m := n + 1
		if m < len(src) && (src[m] == '+' || src[m] == '-') {
			m++
		}
		d := digits(src[m:])
		if d == 0 {
			return token{}, 0, fmt.Errorf("digits must follow the exponent")
		}
		n = m + d
	}
	if r, _ := utf8.DecodeRuneInString(src[n:]); isLetter(r) {
		return token{}, 0, fmt.Errorf("malformed number")
	}
	return token{tokenNumber, src[:n]}, n, nil
}

// lexText reads a literal in single or double quotes, with escapes, or in backquotes, without.
func lexText(src string, quote byte) (token, int, error) {
	var b strings.Builder
	for rest := src[1:]; rest != ""; {
		switch {
		case rest[0] == quote:
			return token{tokenText, b.String()}, len(src) - len(rest) + 1, nil
		case quote == '`':
			b.WriteByte(rest[0])
			rest = rest[1:]
		case len(rest) > 1 && rest[0] == '\\' && strings.IndexByte(`'"`+"`", rest[1]) >= 0:
			b.WriteByte(rest[1])
			rest = rest[2:]
		default:
			r, multibyte, tail, err := strconv.UnquoteChar(rest, 0)
			if err != nil {
				return token{}, 0, fmt.Errorf("malformed text: %w", err)
			}
			if multibyte {
				b.WriteRune(r)
			} else {
				b.WriteByte(byte(r))
			}
			rest = tail
		}
	}
	return token{}, 0, fmt.Errorf("text without an end")
}

// digits counts the decimal digits that src begins with.
func digits(src string) int {
	n := 0
	for n < len(src) && isDigit(rune(src[n])) {
		n++
	}
	return n
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

func isLetter(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) }
