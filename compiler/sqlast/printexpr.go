package sqlast

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// width is how long a line may be before it is broken, where it can be.
const width = 100

// The binding strengths of operators, weakest first. An operand that binds
// no stronger than it must stands in parentheses.
const (
	bindOr = iota
	bindAnd
	bindNot
	bindCompare // =, <, IS, IN: they do not associate
	bindAdd
	bindMul
	bindSign
	bindPostfix
	bindPrimary
)

// PrintExpr gives an expression on as many lines as it needs.
func PrintExpr(d *Dialect, e Expr) (string, error) {
	p := &printer{d: d}
	p.expr(e, 0, 0)
	return p.b.String(), p.err
}

// Equal reports whether two expressions are the same text.
func Equal(a, b Expr) bool { return Key(a) == Key(b) }

// Key is a text that equal expressions have in common, and no others.
func Key(e Expr) string { return flat(DuckDB, e) }

// flat gives an expression on one line, for a dialect that can say it.
func flat(d *Dialect, e Expr) string {
	p := &printer{d: d, flat: true}
	p.expr(e, 0, 0)
	if p.err != nil {
		panic(p.err)
	}
	return p.b.String()
}

// printer writes SQL. The first error is kept; what was written then is of
// no use.
type printer struct {
	d    *Dialect
	b    strings.Builder
	err  error
	flat bool // everything on one line
	col  int  // where the current line ends
}

func (p *printer) write(s string) {
	p.b.WriteString(s)
	if i := strings.LastIndexByte(s, '\n'); i >= 0 {
		p.col = utf8.RuneCountInString(s[i+1:])
	} else {
		p.col += utf8.RuneCountInString(s)
	}
}

// line begins a line with an indentation.
func (p *printer) line(indent int) { p.write("\n" + strings.Repeat(" ", indent)) }

// once gives what f writes, without writing it.
func (p *printer) once(f func(*printer)) string {
	q := &printer{d: p.d, flat: true}
	f(q)
	if p.err == nil {
		p.err = q.err
	}
	return q.b.String()
}

// expr writes an expression, on one line where that fits (with room for a
// comma), else broken, with its further lines at the indentation or deeper.
// Where it binds weaker than least it stands in parentheses.
func (p *printer) expr(e Expr, least, indent int) {
	open := binding(e) < least
	if !p.flat {
		s := p.once(func(q *printer) { q.expr(e, least, 0) })
		if p.col+utf8.RuneCountInString(s)+1 <= width || !breakable(e) {
			p.write(s)
			return
		}
		if open {
			p.write("(")
			p.line(indent + 2)
			p.node(e, indent+2)
			p.line(indent)
			p.write(")")
			return
		}
	}
	if open {
		p.write("(")
	}
	p.node(e, indent)
	if open {
		p.write(")")
	}
}

// gap is a place where a list or an operator may be broken: a new line, or a
// blank where everything stands on one.
func (p *printer) gap(indent int) {
	if p.flat {
		p.write(" ")
	} else {
		p.line(indent)
	}
}

// edge is a gap that leaves no blank.
func (p *printer) edge(indent int) {
	if !p.flat {
		p.line(indent)
	}
}

// breakable reports whether an expression has places to be broken at.
func breakable(e Expr) bool {
	switch e := e.(type) {
	case Text, Int, Float, Bool, Null, Timestamp, Interval, Date, Column, Field:
		return false
	case Aggregate:
		return e.X != nil
	case Negative:
		return breakable(e.X)
	case Call, Lambda, RowNumber, Running, Binary, And, Or, Not, IsNull, In, Case, Cast, Struct:
		return true
	}
	panic(fmt.Sprintf("sqlast: no case for %T", e))
}

// binding is how strongly the outermost operator of an expression binds.
func binding(e Expr) int {
	switch e := e.(type) {
	case Text, Float, Int, Bool, Null, Timestamp, Interval, Date, Column, Call, Aggregate, RowNumber, Running, Case, Cast, Struct:
		if negativeLiteral(e) {
			return bindSign
		}
		return bindPrimary
	case Field:
		return bindPostfix
	case Lambda:
		return bindOr
	case Or:
		switch len(e) {
		case 0:
			return bindPrimary
		case 1:
			return binding(e[0])
		}
		return bindOr
	case And:
		switch len(e) {
		case 0:
			return bindPrimary
		case 1:
			return binding(e[0])
		}
		return bindAnd
	case Not:
		if _, ok := e.X.(In); ok {
			return bindCompare
		}
		return bindNot
	case IsNull, In:
		return bindCompare
	case Negative:
		return bindSign
	case Binary:
		return operators[e.Op].binding
	}
	panic(fmt.Sprintf("sqlast: no case for %T", e))
}

func negativeLiteral(e Expr) bool {
	switch e := e.(type) {
	case Int:
		return e < 0
	case Float:
		return strings.HasPrefix(float(float64(e)), "-")
	}
	return false
}

var operators = [...]struct {
	text    string
	binding int
}{
	Eq:          {"=", bindCompare},
	NotEq:       {"<>", bindCompare},
	Less:        {"<", bindCompare},
	LessEq:      {"<=", bindCompare},
	Greater:     {">", bindCompare},
	GreaterEq:   {">=", bindCompare},
	Add:         {"+", bindAdd},
	Sub:         {"-", bindAdd},
	Mul:         {"*", bindMul},
	Div:         {"/", bindMul},
	IntDiv:      {"//", bindMul},
	Distinct:    {"IS DISTINCT FROM", bindCompare},
	NotDistinct: {"IS NOT DISTINCT FROM", bindCompare},
}

var aggregates = [...]string{Count: "COUNT", Sum: "SUM", Min: "MIN", Max: "MAX", List: "LIST"}

// node writes one node; indent is where its further lines begin.
func (p *printer) node(e Expr, indent int) {
	switch e := e.(type) {
	case Text:
		p.write(p.d.text(string(e)))
	case Int:
		p.write(strconv.FormatInt(int64(e), 10))
	case Float:
		p.write(float(float64(e)))
	case Bool:
		p.write(strings.ToUpper(strconv.FormatBool(bool(e))))
	case Null:
		if e.Type.Kind == Untyped {
			p.write("NULL")
			break
		}
		p.write("CAST(NULL AS " + p.d.typeName(e.Type) + ")")
	case Timestamp:
		p.write(timestamp(time.Time(e)))
	case Date:
		p.write(date(time.Time(e)))
	case Interval:
		p.write(interval(time.Duration(e)))
	case Column:
		p.write(p.column(e))
	case Field:
		p.field(e, indent)
	case Call:
		p.call(e, indent)
	case Lambda:
		p.write("lambda " + p.d.identifier(e.Param) + ": ")
		p.expr(e.Body, 0, indent)
	case Aggregate:
		p.aggregate(e, indent)
	case Running:
		p.running(e, indent)
	case RowNumber:
		p.rowNumber(e, indent)
	case Binary:
		p.binary(e, indent)
	case And:
		p.connected([]Expr(e), "AND", "TRUE", bindNot, indent)
	case Or:
		p.connected([]Expr(e), "OR", "FALSE", bindNot, indent)
	case Not:
		if in, ok := e.X.(In); ok {
			p.in(in, " NOT IN (", indent)
			break
		}
		p.write("NOT ")
		p.expr(e.X, bindAdd, indent)
	case Negative:
		p.write("-")
		p.expr(e.X, bindPostfix, indent)
	case IsNull:
		p.expr(e.X, bindAdd, indent)
		if e.Not {
			p.write(" IS NOT NULL")
		} else {
			p.write(" IS NULL")
		}
	case In:
		p.in(e, " IN (", indent)
	case Case:
		p.cases(e, indent)
	case Cast:
		p.cast(e, indent)
	case Struct:
		p.structure(e, indent)
	default:
		panic(fmt.Sprintf("sqlast: no case for %T", e))
	}
}

func (p *printer) column(c Column) string {
	switch {
	case c.Table == "":
		return p.d.identifier(c.Name)
	case c.Name == "":
		return p.d.identifier(c.Table)
	}
	return p.d.identifier(c.Table) + "." + p.d.identifier(c.Name)
}

// field keeps an unqualified column in parentheses: its name could be that
// of a relation.
func (p *printer) field(f Field, indent int) {
	if c, ok := f.X.(Column); ok && c.Table == "" {
		p.write("(" + p.column(c) + ")")
	} else {
		p.expr(f.X, bindPostfix, indent)
	}
	p.write("." + p.d.identifier(f.Name))
}

func (p *printer) binary(e Binary, indent int) {
	op := operators[e.Op]
	left, right := op.binding, op.binding+1
	if op.binding == bindCompare {
		left = bindAdd
	}
	p.expr(e.L, left, indent)
	if p.flat || !breakable(e.R) {
		p.write(" " + op.text + " ")
	} else {
		p.line(indent + 2)
		p.write(op.text + " ")
	}
	p.expr(e.R, right, indent+2)
}

// connected writes the parts of an AND or OR, one a line.
func (p *printer) connected(parts []Expr, word, none string, least, indent int) {
	switch len(parts) {
	case 0:
		p.write(none)
		return
	case 1:
		p.node(parts[0], indent)
		return
	}
	for i, x := range parts {
		if i > 0 {
			p.gap(indent)
			p.write(word + " ")
		}
		p.expr(x, least, indent)
	}
}

func (p *printer) aggregate(a Aggregate, indent int) {
	p.write(aggregates[a.Fn] + "(")
	if a.X == nil {
		p.write("*)")
		return
	}
	if a.Distinct {
		p.write("DISTINCT ")
	}
	p.edge(indent + 2)
	p.expr(a.X, 0, indent+2)
	p.edge(indent)
	p.write(")")
	if a.Where != nil {
		p.write(" FILTER (WHERE ")
		p.expr(a.Where, 0, indent+2)
		p.write(")")
	}
}

func (p *printer) rowNumber(r RowNumber, indent int) {
	p.write("ROW_NUMBER() OVER (")
	p.window(r.PartitionBy, r.OrderBy, "", indent)
}

func (p *printer) running(r Running, indent int) {
	p.write(aggregates[r.Fn] + "(")
	p.expr(r.X, 0, indent+2)
	p.write(") OVER (")
	frame := ""
	if r.Before {
		frame = "GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
	}
	p.window(r.PartitionBy, r.OrderBy, frame, indent)
}

// window writes what stands behind OVER, and its closing bracket.
func (p *printer) window(partition []Expr, order []Order, frame string, indent int) {
	if len(partition) > 0 {
		p.edge(indent + 2)
		p.write("PARTITION BY ")
		p.fill(partition, indent+4)
		if len(order) > 0 && p.flat {
			p.write(" ")
		}
	}
	if len(order) > 0 {
		p.edge(indent + 2)
		p.orders(order, indent+4)
	}
	if frame != "" {
		p.gap(indent + 2)
		p.write(frame)
	}
	p.edge(indent)
	p.write(")")
}

func (p *printer) orders(list []Order, indent int) {
	p.write("ORDER BY ")
	for i, o := range list {
		if i > 0 {
			p.write(", ")
		}
		p.expr(o.X, 0, indent)
		if o.Desc {
			p.write(" DESC")
		}
	}
}

// fill writes a list with as many entries on a line as fit.
func (p *printer) fill(list []Expr, indent int) {
	for i, x := range list {
		if i > 0 {
			p.write(",")
			s := p.once(func(q *printer) { q.expr(x, 0, 0) })
			if !p.flat && p.col+utf8.RuneCountInString(s)+2 > width {
				p.line(indent)
			} else {
				p.write(" ")
			}
		}
		p.expr(x, 0, indent)
	}
}

func (p *printer) in(e In, word string, indent int) {
	if len(e.List) == 0 {
		panic("sqlast: IN without a list")
	}
	p.expr(e.X, bindAdd, indent)
	p.write(word)
	p.edge(indent + 2)
	p.fill(e.List, indent+2)
	p.edge(indent)
	p.write(")")
}

func (p *printer) cases(c Case, indent int) {
	if len(c.Whens) == 0 {
		panic("sqlast: CASE without WHEN")
	}
	p.write("CASE")
	for _, w := range c.Whens {
		p.gap(indent + 2)
		p.write("WHEN ")
		start := p.b.Len()
		p.expr(w.If, 0, indent+4)
		if !p.flat && strings.Contains(p.b.String()[start:], "\n") {
			p.line(indent + 4)
		} else {
			p.write(" ")
		}
		p.write("THEN ")
		p.expr(w.Then, 0, indent+4)
	}
	if c.Else != nil {
		p.gap(indent + 2)
		p.write("ELSE ")
		p.expr(c.Else, 0, indent+4)
	}
	p.gap(indent)
	p.write("END")
}

func (p *printer) cast(c Cast, indent int) {
	if c.Try {
		p.write("TRY_")
	}
	p.write("CAST(")
	p.edge(indent + 2)
	p.expr(c.X, 0, indent+2)
	p.gap(indent + 2)
	p.write("AS " + p.d.typeName(c.To))
	p.edge(indent)
	p.write(")")
}

func (p *printer) structure(s Struct, indent int) {
	p.write("{")
	for i, f := range s {
		if i > 0 {
			p.write(",")
			p.gap(indent + 2)
		} else {
			p.edge(indent + 2)
		}
		p.write(p.d.text(f.Name) + ": ")
		p.expr(f.X, 0, indent+4)
	}
	p.edge(indent)
	p.write("}")
}
