package oracle

import (
	"fmt"
	"slices"
	"strconv"
)

// A node is a part of an expression: *literal, *name, *member, *unary,
// *binary, *conditional, *list or *call.
type node interface{}

type (
	literal struct{ value Value }
	name    struct{ ident string }
	member  struct{ bag, key string } // attributes.country, properties["sku"]
	unary   struct {
		op string // not, -, +
		x  node
	}
	binary struct {
		op   string
		l, r node
	}
	conditional struct{ cond, then, otherwise node }
	list        struct{ items []node }
	call        struct {
		function string
		args     []node
	}
)

// How tightly the operators bind (language, section 3: as in expr, `not`
// binds tighter than comparisons, and `??` tightest of all).
var (
	binds = map[string]int{
		"or": 10, "and": 15,
		"==": 20, "!=": 20, "<": 20, "<=": 20, ">": 20, ">=": 20,
		"in": 20, "contains": 20, "startsWith": 20, "endsWith": 20, "matches": 20,
		"+": 30, "-": 30,
		"*": 60, "/": 60, "%": 60,
		"??": 500,
	}
	unaryBinds = map[string]int{"not": 50, "-": 90, "+": 90}
	spellings  = map[string]string{"&&": "and", "||": "or", "!": "not"}
	// What may follow `not` to make one operator of the two.
	negatable = []string{"in", "contains", "startsWith", "endsWith", "matches"}
	orderings = []string{"<", "<=", ">", ">="}
)

// parse reads an expression (language, section 3).
func parse(src string) (n node, err error) {
	tokens, err := lex(src)
	if err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			se, ok := r.(syntaxError)
			if !ok {
				panic(r)
			}
			n, err = nil, fmt.Errorf("%q: %s", src, string(se))
		}
	}()
	p := &parser{tokens: tokens}
	n = p.expression(0)
	if t := p.peek(); t.kind != tokenEnd {
		p.failf("unexpected %q", t.text)
	}
	return n, nil
}

type syntaxError string

type parser struct{ tokens []token }

func (p *parser) failf(format string, args ...any) {
	panic(syntaxError(fmt.Sprintf(format, args...)))
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() token {
	t := p.tokens[0]
	if t.kind != tokenEnd {
		p.tokens = p.tokens[1:]
	}
	return t
}

// sign gives the sign that comes next, in its usual spelling, or "".
func (p *parser) sign() string {
	t := p.peek()
	if t.kind != tokenSign {
		return ""
	}
	if s, ok := spellings[t.text]; ok {
		return s
	}
	return t.text
}

func (p *parser) take(sign string) bool {
	if p.sign() != sign {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(sign string) {
	if !p.take(sign) {
		p.failf("%q expected, not %q", sign, p.peek().text)
	}
}

// expression reads operators that bind at least as tightly as floor.
func (p *parser) expression(floor int) node {
	left := p.operand()
	compared := false
	for {
		op, negate := p.sign(), false
		if op == "not" && len(p.tokens) > 1 && slices.Contains(negatable, p.tokens[1].text) {
			op, negate = p.tokens[1].text, true
		}
		bind, ok := binds[op]
		if !ok || bind < floor {
			break
		}
		if negate {
			p.next()
		}
		p.next()
		if slices.Contains(orderings, op) {
			if compared {
				p.failf("chained comparison")
			}
			compared = true
		}
		left = &binary{op, left, p.expression(bind + 1)}
		if negate {
			left = &unary{"not", left}
		}
	}
	if floor == 0 && p.take("?") {
		then := p.expression(0)
		p.expect(":")
		return &conditional{left, then, p.expression(0)}
	}
	return left
}

// operand reads what stands between operators.
func (p *parser) operand() node {
	if bind, ok := unaryBinds[p.sign()]; ok {
		op := p.sign()
		p.next()
		return &unary{op, p.expression(bind)}
	}
	switch t := p.next(); {
	case t.kind == tokenText:
		return &literal{t.text}
	case t.kind == tokenNumber:
		v, _ := strconv.ParseFloat(t.text, 64)
		return &literal{finite(v)}
	case t.kind == tokenName:
		return p.named(t.text)
	case t.text == "(" && t.kind == tokenSign:
		n := p.expression(0)
		p.expect(")")
		return n
	case t.text == "[" && t.kind == tokenSign:
		items := []node{p.expression(0)}
		for p.take(",") {
			items = append(items, p.expression(0))
		}
		p.expect("]")
		return &list{items}
	default:
		p.failf("operand expected, not %q", t.text)
		return nil
	}
}

// named reads what begins with a name: a constant, a call, a member or the name itself.
func (p *parser) named(ident string) node {
	switch ident {
	case "nil":
		return &literal{nil}
	case "true", "false":
		return &literal{ident == "true"}
	}
	switch {
	case p.take("("):
		c := &call{function: ident}
		for !p.take(")") {
			if len(c.args) > 0 {
				p.expect(",")
			}
			c.args = append(c.args, p.expression(0))
		}
		return c
	case p.take("."):
		t := p.next()
		if t.kind != tokenName && !slices.Contains(wordSigns, t.text) {
			p.failf("name expected, not %q", t.text)
		}
		return &member{ident, t.text}
	case p.take("["):
		t := p.next()
		if t.kind != tokenText {
			p.failf("text expected, not %q", t.text)
		}
		p.expect("]")
		return &member{ident, t.text}
	}
	return &name{ident}
}
