package sqlast

import (
	"fmt"
	"strings"
)

// call writes a function in the spelling of the dialect.
func (p *printer) call(c Call, indent int) {
	s, err := p.d.spelling(c.Fn)
	if err != nil {
		if p.err == nil {
			p.err = err
		}
		return
	}
	switch {
	case !strings.Contains(string(s), "{"):
		p.write(string(s) + "(")
		for i, x := range c.Args {
			if i > 0 {
				p.write(",")
				p.gap(indent + 2)
			} else {
				p.edge(indent + 2)
			}
			p.expr(x, 0, indent+2)
		}
		p.edge(indent)
		p.write(")")
	case s.repeats() && !cheap(c.Args[0]):
		p.bound(c, s, indent)
	default:
		p.spelled(s, c.Args, indent)
	}
}

// cheap reports whether an argument may be written and evaluated more than
// once.
func cheap(e Expr) bool {
	switch e := e.(type) {
	case Text, Int, Float, Bool, Null, Timestamp, Interval, Date, Column:
		return true
	case Field:
		return cheap(e.X)
	case Call:
		return e.Fn == MapValue && cheap(e.Args[0]) && cheap(e.Args[1])
	case Cast:
		return cheap(e.X)
	case Negative:
		return cheap(e.X)
	case Binary:
		l, _ := e.L.(Column)
		r, _ := e.R.(Column)
		return l.Name != "" && r.Name != ""
	case Lambda, Aggregate, RowNumber, And, Or, Not, IsNull, In, Case, Struct:
		return false
	}
	panic(fmt.Sprintf("sqlast: no case for %T", e))
}

// bound writes a spelling that repeats its first argument over a name for
// that argument, so that neither the text nor the work is doubled.
func (p *printer) bound(c Call, s Spelling, indent int) {
	before, rest, ok1 := strings.Cut(p.d.Bind, "{1}")
	between, after, ok2 := strings.Cut(rest, "{2}")
	if !ok1 || !ok2 {
		panic("sqlast: " + p.d.Name + " has no way to name a value")
	}
	name := strings.NewReplacer("{bound}", p.d.identifier(p.d.Bound))
	p.write(before)
	p.expr(c.Args[0], 0, indent+2)
	p.write(name.Replace(strings.TrimSuffix(between, " ")))
	p.gap(indent + 2)
	args := append([]Expr{Column{Name: p.d.Bound}}, c.Args[1:]...)
	p.spelled(s, args, indent+2)
	p.edge(indent)
	p.write(after)
}

// spelled writes a spelling with its arguments in their places.
func (p *printer) spelled(s Spelling, args []Expr, indent int) {
	text := string(s)
	for {
		i := strings.IndexAny(text, "{\n")
		if i < 0 {
			p.write(text)
			return
		}
		p.write(text[:i])
		rest := text[i:]
		switch {
		case rest[0] == '\n':
			trimmed := strings.TrimLeft(rest[1:], " ")
			deeper := len(rest) - 1 - len(trimmed)
			p.gap(indent + deeper)
			text = trimmed
		case len(rest) > 2 && rest[2] == '}' && rest[1] <= '9':
			least := bindPrimary
			if enclosed(text[:i], rest[3:]) {
				least = 0
			}
			if n := int(rest[1] - '1'); n < len(args) {
				p.expr(args[n], least, indent+2)
			} else {
				p.write(rest[:3]) // {4} of a pattern
			}
			text = rest[3:]
		case strings.HasPrefix(rest, "{2:pointer}"):
			key, ok := args[1].(Text)
			if !ok {
				panic("sqlast: the key of a JSON object is not a literal")
			}
			p.write(p.d.text("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(string(key))))
			text = rest[len("{2:pointer}"):]
		default:
			p.write("{")
			text = rest[1:]
		}
	}
}

// enclosed reports whether a place in a spelling is a whole argument.
func enclosed(before, after string) bool {
	return (strings.HasSuffix(before, "(") || strings.HasSuffix(before, "[") || strings.HasSuffix(before, ", ")) &&
		(strings.HasPrefix(after, ")") || strings.HasPrefix(after, "]") || strings.HasPrefix(after, ",") || strings.HasPrefix(after, " AS "))
}
