package compiler

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// maxSource is the most bytes that an expression may have.
const maxSource = 8 << 10

// source is an expression with its tokens and the way from expr's places,
// which count characters, to places in the file.
type source struct {
	metrics.Expr
	bytes  []int // the byte offset of each character
	tokens []lexer.Token
	list   *diag.List
}

// scan cuts an expression into tokens and refuses what expr would accept, or
// refuse without a helpful word.
func scan(src metrics.Expr, scope Scope, list *diag.List) (*source, bool) {
	s := &source{Expr: src, list: list}
	for i := range src.Src {
		s.bytes = append(s.bytes, i)
	}
	switch {
	case len(src.Src) > maxSource:
		s.errorf(0, "expression-size", "the expression has %d bytes; at most %d are allowed", len(src.Src), maxSource).
			WithHint("split it: a long list of values is better a property of the export")
		return nil, false
	case !utf8.ValidString(src.Src):
		s.errorf(0, "expression-syntax", "the expression is not valid UTF-8").
			WithHint("save the file as UTF-8")
		return nil, false
	case strings.TrimSpace(src.Src) == "":
		s.errorf(0, "expression-syntax", "the expression is empty").
			WithHint("write a condition or a value, or leave the key out")
		return nil, false
	}
	tokens, err := lexer.Lex(file.NewSource(src.Src))
	if err != nil {
		s.lexError(err)
		return nil, false
	}
	s.tokens = tokens
	before := len(*list)
	s.comments()
	s.foreign(scope)
	return s, len(*list) == before
}

// offset gives the byte offset of a character.
func (s *source) offset(char int) int {
	if char < len(s.bytes) {
		return s.bytes[char]
	}
	return len(s.Src)
}

// errorf adds an error at a character.
func (s *source) errorf(char int, code, format string, args ...any) *diag.Diagnostic {
	return s.list.Errorf(s.At(s.offset(char)), code, format, args...)
}

// durationWord is a duration in what expr says of a number that it cannot read.
var durationWord = regexp.MustCompile(`"([0-9]+)([smhdw])"`)

var secondsIn = map[string]int{"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

// lexError tells what expr's lexer could not read.
func (s *source) lexError(err error) {
	var e *file.Error
	if !errors.As(err, &e) {
		panic("compiler: an error of the lexer without a place: " + err.Error())
	}
	char := max(e.From, 0)
	switch {
	case strings.Contains(e.Message, "literal not terminated"):
		s.errorf(s.openQuote(), "expression-syntax", "the text is not closed").
			WithHint("end it with the quote that it begins with, on the same line")
	case strings.Contains(e.Message, "unclosed comment"):
		s.errorf(char, "expression-syntax", "comments are not allowed in expressions").
			WithHint("put the comment behind a # of YAML, outside of the quotes")
	case strings.Contains(e.Message, "escape"), strings.Contains(e.Message, "unable to unescape"):
		s.errorf(char, "expression-syntax", "unknown escape in a text").
			WithHint(`write \\ for a backslash, or put the text between backquotes`)
	case strings.HasPrefix(e.Message, "bad number syntax"):
		d := s.errorf(char, "expression-syntax", "a number or a name that begins with a digit cannot be read here")
		if m := durationWord.FindStringSubmatch(e.Message); m != nil {
			d.WithHint("elapsed is in seconds: write %s * %d for %s", m[1], secondsIn[m[2]], m[1]+m[2])
		} else {
			d.WithHint(`write a name that begins with a digit as properties["1st"], and a place in a list of a source as items[0]`)
		}
	case strings.HasPrefix(e.Message, "unrecognized character"):
		r := []rune(s.Src)[min(char, len(s.bytes)-1)]
		d := s.errorf(char, "expression-syntax", "%q means nothing here", string(r))
		switch {
		case strings.ContainsRune("“”„‘’«»", r):
			d.WithHint(`texts stand between straight quotes: "like this"`)
		case r == '~':
			d.WithHint(`write x matches "…" for a pattern`)
		default:
			d.WithHint(`write a name with special characters as properties["the name"]`)
		}
	default:
		s.errorf(char, "expression-syntax", "this cannot be read").
			WithHint("an expression has names, numbers, texts between double quotes, brackets and operators")
	}
}

// openQuote finds the quote that is not closed: the last one that begins a text.
func (s *source) openQuote() int {
	var quote rune
	start, escaped := 0, false
	for i, r := range []rune(s.Src) {
		switch {
		case escaped:
			escaped = false
		case quote == 0 && strings.ContainsRune("'\"`", r):
			quote, start = r, i
		case quote != 0 && quote != '`' && r == '\\':
			escaped = true
		case quote == r:
			quote = 0
		}
	}
	return start
}

// comments refuses what the lexer passes over without a word.
func (s *source) comments() {
	chars := []rune(s.Src)
	at := 0
	check := func(end int) {
		for i := at; i < end; i++ {
			if !unicode.IsSpace(chars[i]) {
				s.errorf(i, "expression-syntax", "comments are not allowed in expressions").
					WithHint("put the comment behind a # of YAML, outside of the quotes")
				return
			}
		}
	}
	for _, t := range s.tokens {
		if t.Kind == lexer.EOF {
			break
		}
		check(t.From)
		at = t.To
	}
	check(len(chars))
}

var plainNumber = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// inRange reports whether a number is one that expr reads and that is not
// lost in a double.
func inRange(text string) bool {
	if !strings.ContainsAny(text, ".eE") {
		_, err := strconv.ParseInt(text, 10, 64)
		return err == nil
	}
	f, err := strconv.ParseFloat(text, 64)
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	return err == nil && (f != 0 || strings.Trim(mantissa, "0.") == "")
}

// sqlWords are words of SQL and of other languages, with what is meant.
var sqlWords = map[string]string{
	"and": "write and", "or": "write or", "not": "write not", "in": `write in, with a list: country in ["NL", "BE"]`,
	"like":    "write contains, startsWith, endsWith or matches",
	"ilike":   "write contains, startsWith, endsWith or matches, over lower(…)",
	"rlike":   "write matches",
	"regexp":  "write matches",
	"null":    "write nil: coupon == nil",
	"none":    "write nil: coupon == nil",
	"is":      "write == nil or != nil",
	"between": "write x >= 1 and x <= 3",
	"true":    "write true", "false": "write false",
	"case": "write condition ? a : b", "when": "write condition ? a : b",
	"xor": "write a != b",
}

// operatorHints are the operators that are not in the language.
var operatorHints = map[string][2]string{
	"=":    {"= is not a comparison", "write =="},
	"<>":   {"<> is not an operator here", "write !="},
	"=<":   {"=< is not an operator here", "write <="},
	"=>":   {"=> is not an operator here", "write >="},
	"===":  {"=== is not an operator here", "write =="},
	"!==":  {"!== is not an operator here", "write !="},
	"&":    {"& is not an operator here", "write and"},
	"|":    {"pipes are not allowed", "write or for conditions, and lower(x) for x | lower()"},
	"**":   {"** is not allowed", "multiply instead: x * x"},
	"^":    {"^ is not allowed", "multiply instead: x * x"},
	"..":   {"ranges are not allowed", "write x >= 1 and x <= 3"},
	"?.":   {"?. is not needed", "write a dot: a missing value gives nil by itself"},
	"#":    {"closures are not allowed", "an expression sees one event; per_unit puts the events of a unit together"},
	"##":   {"closures are not allowed", "an expression sees one event; per_unit puts the events of a unit together"},
	"::":   {":: is not allowed", "write number(x) or text(x)"},
	";":    {"an expression is one value; ; is not allowed", "leave it out"},
	"let":  {"let is not allowed", "write the value where it is used"},
	"if":   {"if is not allowed", "write condition ? a : b"},
	"else": {"else is not allowed", "write condition ? a : b"},
	"{":    {"{ is not allowed", "a list stands between [ and ]"},
	"}":    {"} is not allowed", "a list stands between [ and ]"},
	"?:":   {"?: is not allowed", "write a ?? b for a value that may be missing, or condition ? a : b"},
	"!*":   {"!* is not an operator here", "write !="},
	"&=":   {"&= is not an operator here", "write =="},
}

var allowedOperators = map[string]bool{
	"==": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true, "and": true, "or": true, "not": true,
	"&&": true, "||": true, "!": true, "in": true, "+": true, "-": true, "*": true, "/": true, "%": true, "??": true,
	"?": true, ":": true, "contains": true, "startsWith": true, "endsWith": true, "matches": true, ",": true, ".": true,
}

// foreign refuses operators, words and numbers of other languages.
func (s *source) foreign(scope Scope) {
	for i := 0; i < len(s.tokens); i++ {
		if more, found := s.phrase(i, scope); found {
			i += more
			continue
		}
		t := s.tokens[i]
		switch t.Kind {
		case lexer.Number:
			if !plainNumber.MatchString(t.Value) {
				s.errorf(t.From, "expression-syntax", "%s is not a number as it is written here", t.Value).
					WithHint("digits, optionally a point and digits, optionally an exponent: 1000, 0.5, 1e6")
			} else if !inRange(t.Value) {
				s.errorf(t.From, "expression-range", "the number %s is out of range", t.Value).
					WithHint("whole numbers reach to 9223372036854775807, others from 5e-324 to 1.79e308")
			}
		case lexer.Bytes:
			s.errorf(t.From, "expression-syntax", "bytes are not allowed").WithHint("leave out the letter before the quote")
		case lexer.String:
			if !utf8.ValidString(t.Value) {
				s.errorf(t.From, "expression-syntax", "the text is not valid UTF-8").
					WithHint("save the file as UTF-8")
			}
		case lexer.Identifier:
			s.word(i, scope)
		case lexer.Operator, lexer.Bracket:
			i += s.operator(i)
		}
	}
}

// word refuses a word of another language, where it is not a name.
func (s *source) word(i int, scope Scope) {
	t := s.tokens[i]
	hint, ok := sqlWords[strings.ToLower(t.Value)]
	if !ok || t.Value == "true" || t.Value == "false" || i > 0 && s.tokens[i-1].Is(lexer.Operator, ".") {
		return
	}
	if _, ok := scope.Bare(t.Value); ok {
		return
	}
	s.errorf(t.From, "expression-word", "%s is not a word of this language", t.Value).WithHint("%s", hint)
}

// operator refuses an operator that is not in the language, and gives the
// number of further tokens that belong to it.
func (s *source) operator(i int) int {
	t := s.tokens[i]
	text, more := t.Value, 0
	for more = 0; more < 2 && i+more+1 < len(s.tokens); more++ {
		next := s.tokens[i+more+1]
		if next.From != s.tokens[i+more].To || operatorHints[text+next.Value] == [2]string{} || next.Kind != lexer.Operator {
			break
		}
		text += next.Value
	}
	if text == "?" && i+1 < len(s.tokens) && s.tokens[i+1].Is(lexer.Operator, ":") {
		text, more = "?:", 1
	}
	if t.Kind == lexer.Bracket && text != "{" && text != "}" || allowedOperators[text] {
		return 0
	}
	if hint, ok := operatorHints[text]; ok {
		s.errorf(t.From, "expression-operator", "%s", hint[0]).WithHint("%s", hint[1])
		return more
	}
	s.errorf(t.From, "expression-operator", "%s is not an operator here", text).
		WithHint("the operators are == != < <= > >= and or not in + - * / %% ?? ? : contains startsWith endsWith matches")
	return 0
}

var comparisons = map[string]bool{
	"==": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true, "in": true,
	"contains": true, "startsWith": true, "endsWith": true, "matches": true,
}

// group is what is known of the operands since the last bracket, comma,
// and, or, ? or : of the same depth; -1 is "none".
type group struct{ not, comparison, arithmetic int }

// ambiguities asks for parentheses where expr reads an expression in a way
// that looks unintended.
func (s *source) ambiguities() bool {
	fresh := group{-1, -1, -1}
	stack := []group{fresh}
	ok := true
	for i, t := range s.tokens {
		g := &stack[len(stack)-1]
		switch {
		case t.Is(lexer.Bracket, "(", "["):
			stack = append(stack, fresh)
		case t.Is(lexer.Bracket, ")", "]"):
			if len(stack) > 1 {
				stack = stack[:len(stack)-1]
			}
		case t.Is(lexer.Operator, ",", "and", "or", "&&", "||", "?", ":"):
			*g = fresh
		case t.Is(lexer.Operator, "not", "!"):
			if !s.operandEndsAt(i - 1) {
				g.not = t.From
			}
		case t.Kind == lexer.Operator && comparisons[t.Value] && !s.afterDot(i):
			switch {
			case g.not >= 0:
				s.errorf(g.not, "expression-parentheses", "not belongs to the value before %s, not to the comparison", t.Value).
					WithHint("write not (… %s …), or (not …) %s … if that is meant", t.Value, t.Value)
				ok = false
			case g.comparison >= 0:
				s.errorf(t.From, "expression-parentheses", "comparisons cannot be chained").
					WithHint("write 1 < x and x < 3")
				ok = false
			}
			g.comparison, g.not, g.arithmetic = t.From, -1, -1
		case t.Is(lexer.Operator, "+", "-", "*", "/", "%"):
			g.arithmetic = t.From
		case t.Is(lexer.Operator, "??"):
			if g.arithmetic >= 0 {
				s.errorf(t.From, "expression-parentheses", "?? belongs to the value right before it alone").
					WithHint("write (a + b) ?? c or a + (b ?? c)")
				ok = false
				g.arithmetic = -1
			}
		}
	}
	return ok
}

func (s *source) afterDot(i int) bool {
	return i > 0 && s.tokens[i-1].Is(lexer.Operator, ".")
}

// operandEndsAt reports whether a token is the last of an operand.
func (s *source) operandEndsAt(i int) bool {
	if i < 0 {
		return false
	}
	switch t := s.tokens[i]; t.Kind {
	case lexer.Identifier, lexer.Number, lexer.String:
		return true
	case lexer.Bracket:
		return t.Value == ")" || t.Value == "]"
	}
	return s.afterDot(i)
}
