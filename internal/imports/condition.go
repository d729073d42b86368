package imports

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// property is a property of an event in an expression.
func property(name string) string { return "properties[" + strconv.Quote(name) + "]" }

// numberOf is a property as a number.
func numberOf(name string) string { return "number(" + property(name) + ")" }

var bare = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// attribute is an attribute of the event's row; false where its name cannot stand in
// an expression.
func attribute(name string) (string, bool) { return "attributes." + name, bare.MatchString(name) }

// condition writes what a filter says about a text as an expression; false where the
// language has no such thing. op is a word of ours.
func condition(of, op string, values []string) (string, bool) {
	texts := func() string {
		var out []string
		for _, v := range values {
			out = append(out, strconv.Quote(v))
		}
		return strings.Join(out, ", ")
	}
	each := func(word string) (string, bool) {
		var out []string
		for _, v := range values {
			out = append(out, of+" "+word+" "+strconv.Quote(v))
		}
		return strings.Join(out, " or "), len(out) > 0
	}
	switch op {
	case "== nil", "!= nil":
		return of + " " + op, true
	case "in", "not in":
		if len(values) == 1 {
			return of + " " + map[string]string{"in": "==", "not in": "!="}[op] + " " + texts(), true
		}
		return of + " " + op + " [" + texts() + "]", len(values) > 0
	case "contains", "startsWith", "endsWith", "matches":
		return each(op)
	case "not contains":
		cond, ok := each("contains")
		return negated(cond), ok
	case "<", "<=", ">", ">=":
		if len(values) != 1 || !isLiteral(values[0]) {
			return "", false
		}
		return "number(" + of + ") " + op + " " + values[0], true
	}
	return "", false
}

// isLiteral reports whether a text is a number as expressions write it.
func isLiteral(text string) bool {
	_, ok := new(big.Rat).SetString(text)
	return ok && !strings.ContainsAny(text, "/_xX")
}

// negated is the opposite of a condition.
func negated(cond string) string { return "not (" + cond + ")" }

// both joins conditions; there may be none.
func both(conds []string) string { return joined(conds, " and ") }

// joined joins conditions by a word, each that is made of several in parentheses.
func joined(conds []string, word string) string {
	if len(conds) == 1 {
		return conds[0]
	}
	var out []string
	for _, c := range conds {
		if strings.Contains(c, " or ") || strings.Contains(c, " and ") {
			c = "(" + c + ")"
		}
		out = append(out, c)
	}
	return strings.Join(out, word)
}
