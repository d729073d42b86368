package compiler

import (
	"errors"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/parser/lexer"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// Parse reads and checks an expression of the metric language in a scope.
// With want NilType any type will do. All mistakes are added to the list with
// their places.
func Parse(src metrics.Expr, scope Scope, want Type, list *diag.List) (*Expression, bool) {
	s, ok := scan(src, scope, list)
	if !ok {
		return nil, false
	}
	tree, err := parser.Parse(src.Src)
	if err != nil {
		s.parseError(err)
		return nil, false
	}
	if !s.ambiguities() {
		return nil, false
	}
	c := &checker{source: s, scope: scope, expression: &Expression{}}
	got := c.check(tree.Node)
	got = c.wanted(got, want)
	if c.failed {
		return nil, false
	}
	c.expression.Type, c.expression.Tree = got.typ, got.node
	return c.expression, true
}

// parseError says in our words what expr's parser could not read.
func (s *source) parseError(err error) {
	var e *file.Error
	if !errors.As(err, &e) {
		panic("compiler: an error of the parser without a place: " + err.Error())
	}
	switch {
	case strings.Contains(e.Message, "coalesce"):
		s.errorf(e.From, "expression-parentheses", "?? belongs to the values right beside it alone").
			WithHint("write (a ?? b) + c or a ?? (b + c)")
	case strings.Contains(e.Message, "maximum allowed nodes"):
		s.errorf(0, "expression-size", "the expression is too large").
			WithHint("split it: a long list of values is better a property of the export")
	case strings.HasSuffix(e.Message, "EOF"), strings.Contains(e.Message, "end of expression"):
		s.unfinished()
	default:
		s.unexpected(s.tokenAt(e.From))
	}
}

// unfinished tells what is missing at the end.
func (s *source) unfinished() {
	var open []lexer.Token
	for _, t := range s.tokens {
		switch {
		case t.Is(lexer.Bracket, "(", "["):
			open = append(open, t)
		case t.Is(lexer.Bracket, ")", "]") && len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		last := open[len(open)-1]
		s.errorf(last.From, "expression-syntax", "%s is not closed", last.Value).
			WithHint("write %s where it ends", map[string]string{"(": ")", "[": "]"}[last.Value])
		return
	}
	last := s.tokens[max(len(s.tokens)-2, 0)]
	if last.Is(lexer.Operator) {
		d := s.errorf(last.From, "expression-syntax", "something is missing behind %s", last.Value)
		if last.Value == "%" {
			d.WithHint("a share is written without a percent sign: 0.03 for 3%%")
		} else {
			d.WithHint("write what belongs there, or leave %s out", last.Value)
		}
		return
	}
	for i := len(s.tokens) - 1; i >= 0; i-- {
		if t := s.tokens[i]; t.Is(lexer.Operator, "?") {
			s.errorf(t.From, "expression-syntax", "? without :").WithHint("write condition ? a : b")
			return
		}
	}
	s.errorf(last.To, "expression-syntax", "the expression is not finished").
		WithHint("write what is missing at its end")
}

// unexpected tells of a token that cannot stand where it stands.
func (s *source) unexpected(i int) {
	t := s.tokens[i]
	d := s.errorf(t.From, "expression-syntax", "%s is not expected here", s.text(t))
	if i == 0 {
		d.WithHint("an expression begins with a name, a number, a text or an opening bracket")
		return
	}
	d.WithHint("leave it out, or write what is missing before it")
	prev := s.tokens[i-1]
	switch {
	case t.Is(lexer.Operator, ","):
		if prev.Kind == lexer.Number {
			d.WithHint("the decimal mark is a point: 3.5")
		} else {
			d.WithHint(`commas stand in lists between brackets alone: country in ["NL", "BE"]`)
		}
	case t.Is(lexer.Bracket, ")", "]"):
		if s.operandEndsAt(i - 1) {
			d.WithHint("there is no bracket that it closes")
		}
	case s.operandEndsAt(i-1) && (t.Kind == lexer.Identifier || t.Kind == lexer.Number || t.Kind == lexer.String || t.Is(lexer.Bracket, "(")):
		d.WithHint("put an operator between %s and %s", s.text(prev), s.text(t))
	case prev.Kind == lexer.Operator && t.Kind == lexer.Operator:
		d.WithHint("there is nothing between %s and %s", s.text(prev), s.text(t))
	}
}

// text gives a token as it is written.
func (s *source) text(t lexer.Token) string {
	return s.Src[s.offset(t.From):s.offset(t.To)]
}

// tokenAt gives the index of the token at a character.
func (s *source) tokenAt(char int) int {
	for i, t := range s.tokens {
		if t.Kind == lexer.EOF || t.From >= char {
			return i
		}
	}
	return len(s.tokens) - 1
}

// start gives the first character of a node, parentheses around it apart.
func start(n ast.Node) int {
	first := n.Location().From
	consider := func(nodes ...ast.Node) {
		for _, m := range nodes {
			if m != nil {
				first = min(first, start(m))
			}
		}
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		consider(n.Node)
	case *ast.BinaryNode:
		consider(n.Left)
	case *ast.MemberNode:
		consider(n.Node)
	case *ast.SliceNode:
		consider(n.Node)
	case *ast.ChainNode:
		consider(n.Node)
	case *ast.CallNode:
		consider(n.Callee)
	case *ast.ConditionalNode:
		first = start(n.Cond)
	}
	return first
}
