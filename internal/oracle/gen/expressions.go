package gen

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// names are what an expression may refer to, by type.
type names struct {
	numbers, texts, booleans, times []string
	integers                        []string // that text() takes
}

// An expr is the text of an expression and how tightly its outermost operator binds.
type expr struct {
	text string
	bind int
}

// How tightly operators bind; operands bind tightest. `??` and `not` are
// always written in parentheses where they are operands, as the checker asks.
const (
	bindChoice = iota // ? :
	bindOr
	bindAnd
	bindCompare
	bindSum
	bindProduct
	bindSign
	bindOperand
)

// within writes e as an operand of something that binds so tightly.
func (e expr) within(bind int) string {
	if e.bind < bind {
		return "(" + e.text + ")"
	}
	return e.text
}

func operand(text string) expr { return expr{text, bindOperand} }

// Literals: plain ones, and those at which functions and comparisons turn.
var (
	numberLiterals = []string{"0", "1", "2", "2.5", "0.1", "10", "1e3", "3.0"}
	textLiterals   = []string{`"electronics"`, `"a"`, `""`, `"É"`, `"e"`, `" "`, `"10"`, `"9"`, `"DE"`, `"web"`, `'it\'s'`, `"\u00a0x"`, `"_"`, `"%"`, `"100%"`}
	patterns       = []string{`"^e"`, `"s$"`, `"[A-Z]+"`, `"^$"`, `"a.c|\\d"`, `"(?i)ELEC"`, `"\\.5"`, `"é"`}
	timeLiterals   = []string{`"2026-03-02T00:00:00Z"`, `"2026-03-03T12:00:00+02:00"`, `"2026-03-02T10:00:00.000001Z"`}
	listedTexts    = []string{`"electronics"`, `"a"`, `"É"`, `"10"`, `"DE"`, `"web"`}
	listedNumbers  = []string{"0", "1", "2", "2.5", "-3", "7"}
)

func (n names) number(t *rapid.T, depth int) expr {
	if depth == 0 || chance(t, 30) {
		if chance(t, 20) {
			return operand(pick(t, "number", numberLiterals...))
		}
		return operand(pick(t, "name", n.numbers...))
	}
	switch pick(t, "number form", "sum", "product", "function", "negative", "coalesce", "choice", "len", "number") {
	case "sum":
		return expr{n.number(t, depth-1).within(bindSum) + pick(t, "sign", " + ", " - ") + n.number(t, depth-1).within(bindProduct), bindSum}
	case "product":
		return expr{n.number(t, depth-1).within(bindProduct) + pick(t, "sign", " * ", " / ", " % ") + n.number(t, depth-1).within(bindSign), bindProduct}
	case "function":
		return operand(pick(t, "function", "abs", "ceil", "floor", "round", "int", "float") + "(" + n.number(t, depth-1).text + ")")
	case "negative":
		return expr{"-" + n.number(t, depth-1).within(bindOperand), bindSign}
	case "coalesce":
		return expr{n.number(t, depth-1).within(bindOperand) + " ?? " + n.number(t, depth-1).within(bindOperand), bindChoice}
	case "choice":
		return expr{n.boolean(t, depth-1).within(bindOr) + " ? " + n.number(t, depth-1).within(bindOr) + " : " + n.number(t, depth-1).within(bindOr), bindChoice}
	case "len":
		return operand("len(" + n.text(t, depth-1).text + ")")
	default:
		return operand("number(" + n.text(t, depth-1).text + ")")
	}
}

func (n names) text(t *rapid.T, depth int) expr {
	if depth == 0 || chance(t, 30) {
		return operand(pick(t, "name", n.texts...))
	}
	switch pick(t, "text form", "function", "coalesce", "choice", "text", "literal") {
	case "function":
		return operand(pick(t, "function", "lower", "upper", "trim") + "(" + n.text(t, depth-1).text + ")")
	case "coalesce":
		return expr{n.text(t, depth-1).within(bindOperand) + " ?? " + n.text(t, depth-1).within(bindOperand), bindChoice}
	case "choice":
		return expr{n.boolean(t, depth-1).within(bindOr) + " ? " + n.text(t, depth-1).within(bindOr) + " : " + pick(t, "text", textLiterals...), bindChoice}
	case "text":
		if of := append(n.integers, n.booleans...); len(of) > 0 {
			return operand("text(" + pick(t, "name", of...) + ")")
		}
	}
	return operand(pick(t, "text", textLiterals...))
}

func (n names) boolean(t *rapid.T, depth int) expr {
	if depth > 0 && chance(t, 45) {
		switch pick(t, "condition form", "and", "or", "not", "choice") {
		case "and":
			return expr{n.boolean(t, depth-1).within(bindAnd) + pick(t, "and", " and ", " && ") + n.boolean(t, depth-1).within(bindCompare), bindAnd}
		case "or":
			return expr{n.boolean(t, depth-1).within(bindOr) + pick(t, "or", " or ", " || ") + n.boolean(t, depth-1).within(bindAnd), bindOr}
		case "not":
			return expr{pick(t, "not", "not ", "!") + "(" + n.boolean(t, depth-1).text + ")", bindOr}
		default:
			return expr{n.boolean(t, depth-1).within(bindOr) + " ? " + n.boolean(t, depth-1).within(bindOr) + " : " + n.boolean(t, depth-1).within(bindOr), bindChoice}
		}
	}
	depth = max(0, depth-1)
	compare := func(l, op, r string) expr { return expr{l + " " + op + " " + r, bindCompare} }
	comparison := pick(t, "comparison", "==", "!=", "<", "<=", ">", ">=")
	switch pick(t, "condition", "numbers", "texts", "in", "part", "nil", "boolean", "time") {
	case "numbers":
		return compare(n.number(t, depth).within(bindSum), comparison, n.number(t, depth).within(bindSum))
	case "texts":
		return compare(n.text(t, depth).within(bindSum), comparison, pick(t, "text", textLiterals...))
	case "in":
		in := pick(t, "in", "in", "not in")
		if chance(t, 50) {
			return compare(n.number(t, depth).within(bindSum), in, drawList(t, listedNumbers))
		}
		return compare(n.text(t, depth).within(bindSum), in, drawList(t, listedTexts))
	case "part":
		text := n.text(t, depth).within(bindSum)
		if chance(t, 30) {
			return compare(text, "matches", pick(t, "pattern", patterns...))
		}
		return compare(text, pick(t, "part of", "contains", "startsWith", "endsWith"), pick(t, "text", textLiterals...))
	case "nil":
		return compare(pick(t, "name", append(append(append(append([]string{}, n.numbers...), n.texts...), n.booleans...), n.times...)...), pick(t, "is", "==", "!="), "nil")
	case "boolean":
		if len(n.booleans) > 0 {
			if name := pick(t, "name", n.booleans...); chance(t, 50) {
				return operand(name)
			} else {
				return compare(name, pick(t, "is", "==", "!="), pick(t, "truth", "true", "false"))
			}
		}
	case "time":
		if len(n.times) > 0 {
			return compare(pick(t, "name", n.times...), comparison, pick(t, "time", timeLiterals...))
		}
	}
	return compare(pick(t, "name", n.texts...), "==", pick(t, "text", textLiterals...))
}

func drawList(t *rapid.T, of []string) string {
	n := between(t, "entries", 1, len(of))
	return "[" + strings.Join(of[:n], ", ") + "]"
}

// audience draws a condition over attributes of the exposure and the unit.
func (w *world) audience(t *rapid.T) string {
	n := names{numbers: []string{"number(exposure.age)"}, texts: []string{"exposure.country", "exposure.platform", "exposure.age"}}
	if w.hasUnitAttributes {
		n.texts = append(n.texts, "unit.plan", "unit.region")
	}
	return n.boolean(t, 2).text
}

// quoted writes text as a YAML scalar in single quotes.
func quoted(s string) string { return fmt.Sprintf("'%s'", strings.ReplaceAll(s, "'", "''")) }
