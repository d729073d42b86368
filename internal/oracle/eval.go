package oracle

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A scope gives the names of an expression their values for one row.
type scope struct {
	name   func(ident string) Value
	member func(bag, key string) Value
}

// evaluate gives the value of an expression for a row. Only a bare reference
// to an exact column stays exact; everything else is float64 (5.1).
func evaluate(n node, s scope) Value {
	switch n := n.(type) {
	case *name:
		return s.name(n.ident)
	case *member:
		return s.member(n.bag, n.key)
	}
	return inexact(s.eval(n))
}

// holds evaluates a condition; a missing one does not hold.
func holds(n node, s scope) bool { return truth(s.eval(n)) }

// inexact makes a number the nearest float64 and leaves all else.
func inexact(v Value) Value {
	if f, ok := float(v); ok {
		return finite(f)
	}
	return v
}

// truth is a value as a condition: nil is false.
func truth(v Value) bool {
	if v == nil {
		return false
	}
	return v.(bool)
}

func (s scope) eval(n node) Value {
	switch n := n.(type) {
	case *literal:
		return n.value
	case *name:
		return s.name(n.ident)
	case *member:
		return s.member(n.bag, n.key)
	case *unary:
		return s.evalUnary(n)
	case *binary:
		return s.evalBinary(n)
	case *conditional:
		if truth(s.eval(n.cond)) {
			return inexact(s.eval(n.then))
		}
		return inexact(s.eval(n.otherwise))
	case *call:
		return s.evalCall(n)
	}
	panic(fmt.Sprintf("oracle: no case for %T", n))
}

func (s scope) evalUnary(n *unary) Value {
	x := s.eval(n.x)
	if n.op == "not" {
		return !truth(x)
	}
	f, ok := float(x)
	switch {
	case x == nil:
		return nil
	case !ok:
		panic(fmt.Sprintf("oracle: %s of %T", n.op, x))
	case n.op == "-":
		return finite(-f)
	}
	return finite(f)
}

func (s scope) evalBinary(n *binary) Value {
	switch n.op {
	case "and":
		return truth(s.eval(n.l)) && truth(s.eval(n.r))
	case "or":
		return truth(s.eval(n.l)) || truth(s.eval(n.r))
	case "??":
		if l := s.eval(n.l); l != nil {
			return inexact(l)
		}
		return inexact(s.eval(n.r))
	case "in":
		l := s.eval(n.l)
		for _, item := range n.r.(*list).items {
			if equal(l, s.eval(item)) {
				return true
			}
		}
		return false
	}
	l, r := s.eval(n.l), s.eval(n.r)
	switch n.op {
	case "==":
		return l == nil && r == nil || equal(l, r)
	case "!=":
		return !(l == nil && r == nil || equal(l, r))
	case "<", "<=", ">", ">=":
		c, ok := compare(l, r)
		if !ok {
			return false
		}
		return map[string]bool{"<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}[n.op]
	case "contains", "startsWith", "endsWith", "matches":
		if l == nil || r == nil {
			return false
		}
		switch text, part := l.(string), r.(string); n.op {
		case "contains":
			return strings.Contains(text, part)
		case "startsWith":
			return strings.HasPrefix(text, part)
		case "endsWith":
			return strings.HasSuffix(text, part)
		default:
			return regexp.MustCompile(part).MatchString(text)
		}
	case "+", "-", "*", "/", "%":
		return arithmetic(n.op, l, r)
	}
	panic(fmt.Sprintf("oracle: no case for operator %q", n.op))
}

// equal reports whether two values are there and equal.
func equal(l, r Value) bool {
	c, ok := compare(l, r)
	return ok && c == 0
}

// compare orders two values of one type: numbers as float64, text by bytes,
// times as times, text beside a time as a time. ok is false if one is missing.
func compare(l, r Value) (c int, ok bool) {
	if l == nil || r == nil {
		return 0, false
	}
	if x, ok := float(l); ok {
		y, ok := float(r)
		if !ok {
			panic(fmt.Sprintf("oracle: %T compared with %T", l, r))
		}
		return cmp.Compare(x, y), true
	}
	switch x := l.(type) {
	case string:
		if _, ok := r.(time.Time); ok {
			return compare(parseTime(x), r)
		}
		return cmp.Compare(x, r.(string)), true
	case time.Time:
		if text, ok := r.(string); ok {
			return compare(l, parseTime(text))
		}
		return x.Compare(r.(time.Time)), true
	case bool:
		return cmp.Compare(boolRank(x), boolRank(r.(bool))), true
	}
	panic(fmt.Sprintf("oracle: no case for %T", l))
}

// arithmetic works on the nearest float64 of both operands. Missing operands,
// zero divisors, overflow and NaN give nil; % takes the dividend's sign.
func arithmetic(op string, l, r Value) Value {
	if l == nil || r == nil {
		return nil
	}
	x, xIsNumber := float(l)
	y, yIsNumber := float(r)
	if !xIsNumber || !yIsNumber {
		panic(fmt.Sprintf("oracle: %T %s %T", l, op, r))
	}
	switch op {
	case "+":
		return finite(x + y)
	case "-":
		return finite(x - y)
	case "*":
		return finite(x * y)
	case "/":
		return finite(x / y) // ±Inf or NaN, so nil, where y is 0
	case "%":
		return finite(math.Mod(x, y)) // NaN, so nil, where y is 0
	}
	panic(fmt.Sprintf("oracle: no case for operator %q", op))
}

func (s scope) evalCall(n *call) Value {
	if len(n.args) != 1 {
		panic(fmt.Sprintf("oracle: %s of %d values", n.function, len(n.args)))
	}
	x := s.eval(n.args[0])
	if x == nil {
		return nil
	}
	switch n.function {
	case "lower":
		return asciiLower(x.(string))
	case "upper":
		return asciiUpper(x.(string))
	case "trim":
		return strings.TrimSpace(x.(string))
	case "len":
		return float64(utf8.RuneCountInString(x.(string)))
	case "number":
		if text, ok := x.(string); ok {
			return parseNumber(text)
		}
	case "text":
		return integerText(x)
	}
	f, ok := float(x)
	if !ok {
		panic(fmt.Sprintf("oracle: %s of %T", n.function, x))
	}
	switch n.function {
	case "abs":
		return finite(math.Abs(f))
	case "ceil":
		return finite(math.Ceil(f))
	case "floor":
		return finite(math.Floor(f))
	case "round": // Reading: halves away from zero, as everywhere in 5.1.
		return finite(math.Round(f))
	case "int": // Reading: int truncates and stays a float64, however large.
		return finite(math.Trunc(f))
	case "float", "number":
		return finite(f)
	}
	panic(fmt.Sprintf("oracle: no case for function %q", n.function))
}

// integerText is text(x), of integers and booleans only.
//
// Reading: a number is a float64 before any function sees it (5.1), so the
// rule for floating ids (2.2) holds: whole numbers below 2^53 in plain decimal,
// anything else is missing.
func integerText(x Value) Value {
	if b, ok := x.(bool); ok {
		return strconv.FormatBool(b)
	}
	f, ok := float(x)
	if !ok {
		panic(fmt.Sprintf("oracle: text of a %T", x))
	}
	if f != math.Trunc(f) || math.Abs(f) >= 1<<53 {
		return nil
	}
	return strconv.FormatInt(int64(f), 10)
}
