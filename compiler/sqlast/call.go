package sqlast

import (
	"fmt"
	"slices"
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
// once: a column, or a little arithmetic.
func cheap(e Expr) bool { return weight(e) <= maxWeight }

const maxWeight = 5

// weight counts the columns and literals of a simple expression; anything
// that takes time has more than cheap allows.
func weight(e Expr) int {
	switch e := e.(type) {
	case Text, Int, Float, Bool, Null, Timestamp, Interval, Date, Column:
		return 1
	case Field:
		return weight(e.X)
	case Cast:
		return weight(e.X)
	case Negative:
		return weight(e.X)
	case Binary:
		return weight(e.L) + weight(e.R)
	case Call:
		switch e.Fn {
		case MapValue:
			return weight(e.Args[0])
		case NullIf, Coalesce, Abs, Ceil, Floor, Round, Trunc, Mod:
			sum := 0
			for _, x := range e.Args {
				sum += weight(x)
			}
			return sum
		}
		return maxWeight + 1
	case Lambda, Aggregate, RowNumber, Running, And, Or, Not, IsNull, In, Case, Struct:
		return maxWeight + 1
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
			p.write(p.d.text(string(Pointer(args[1:]))))
			text = rest[len("{2:pointer}"):]
		case strings.HasPrefix(rest, "{2:pointers}"):
			var all []string
			for _, one := range args[1:] {
				all = append(all, p.d.text(string(one.(Text))))
			}
			p.write("[" + strings.Join(all, ", ") + "]")
			text = rest[len("{2:pointers}"):]
		default:
			p.write("{")
			text = rest[1:]
		}
	}
}

// Pointer is the JSON pointer that the keys make, which are literals.
func Pointer(keys []Expr) Text {
	var b strings.Builder
	for _, key := range keys {
		text, ok := key.(Text)
		if !ok {
			panic("sqlast: the key of a JSON object is not a literal")
		}
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(string(text)))
	}
	return Text(b.String())
}

// enclosed reports whether nothing beside a place in a spelling could take a
// part of what is put there.
func enclosed(before, after string) bool {
	return suffixed(before, "(", "[", ", ", "THEN ", "ELSE ") && prefixed(after, ")", "]", ",", " AS ", " END", "\n")
}

func suffixed(s string, ends ...string) bool {
	return slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(s, end) })
}

func prefixed(s string, starts ...string) bool {
	return slices.ContainsFunc(starts, func(start string) bool { return strings.HasPrefix(s, start) })
}
