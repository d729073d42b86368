package sqlast

import (
	"fmt"
	"strconv"
	"strings"
)

// Print gives a statement as text that runs as it stands, without a
// semicolon: one item and one condition a line, a CTE for each step, the
// reasons as comments.
func Print(d *Dialect, s Statement) (string, error) {
	p := &printer{d: d}
	switch s := s.(type) {
	case CreateTable:
		p.write(d.TempTable + " " + d.identifier(s.Name) + " AS\n")
		p.selection(s.Query, 0)
	case InsertInto:
		p.write("INSERT INTO " + d.identifier(s.Name) + "\n")
		p.selection(s.Query, 0)
	case DropTable:
		p.write("DROP TABLE ")
		if s.IfExists {
			p.write("IF EXISTS ")
		}
		p.write(d.identifier(s.Name))
	case Attach:
		if d.Attach == "" {
			p.fail(d.Name + " cannot attach database files")
			break
		}
		p.write(strings.NewReplacer("{1}", d.text(s.File), "{2}", d.identifier(s.Name)).Replace(d.Attach))
	case Select:
		p.selection(s, 0)
	default:
		panic(fmt.Sprintf("sqlast: no case for %T", s))
	}
	return p.b.String(), p.err
}

func (p *printer) query(q Query, indent int) {
	switch q := q.(type) {
	case Select:
		p.selection(q, indent)
	case Union:
		for i, s := range q {
			if i > 0 {
				p.line(indent)
				p.write("UNION ALL")
				p.line(indent)
			}
			if len(s.With) > 0 || len(s.OrderBy) > 0 || s.Limit > 0 {
				p.parenthesised(s, indent)
			} else {
				p.selection(s, indent)
			}
		}
	case Values:
		p.write("VALUES")
		for i, row := range q {
			if i > 0 {
				p.write(",")
			}
			p.line(indent + 2)
			p.tuple(row, indent+2)
		}
	default:
		panic(fmt.Sprintf("sqlast: no case for %T", q))
	}
}

// parenthesised writes a query in parentheses, indented.
func (p *printer) parenthesised(q Query, indent int) {
	p.write("(")
	p.line(indent + 2)
	p.query(q, indent+2)
	p.line(indent)
	p.write(")")
}

func (p *printer) tuple(row []Expr, indent int) {
	p.write("(")
	p.fill(row, indent+2)
	p.write(")")
}

func (p *printer) selection(s Select, indent int) {
	if len(s.Items) == 0 {
		panic("sqlast: SELECT without items")
	}
	if len(s.With) > 0 {
		p.with(s.With, indent)
	}
	p.comment(s.Why, indent)
	p.write("SELECT")
	if s.Distinct {
		p.write(" DISTINCT")
	}
	for i, item := range s.Items {
		p.line(indent + 2)
		p.item(item, i == len(s.Items)-1, indent+2)
	}
	p.apart(s.Items)
	if s.From != nil {
		p.line(indent)
		p.write("FROM ")
		p.from(s.From, indent)
	}
	p.condition("WHERE ", s.Where, indent)
	p.groups(s, indent)
	p.condition("HAVING ", s.Having, indent)
	if len(s.OrderBy) > 0 {
		p.line(indent)
		p.orders(s.OrderBy, indent+2)
	}
	if s.Limit > 0 {
		p.line(indent)
		p.write("LIMIT " + strconv.Itoa(s.Limit))
	}
}

// apart refuses columns that are called alike: engines give another name to one of
// them, or read one where the other is meant, and say nothing.
func (p *printer) apart(items []Item) {
	seen := Names{}
	for _, item := range items {
		name := item.As
		if c, ok := item.X.(Column); ok && name == "" {
			name = c.Name
		}
		if name != "" && !seen.Add(name) {
			p.fail(fmt.Sprintf("two columns are called %q", name))
		}
	}
}

// Names are names of columns or of tables, each once: those that differ only in case are
// one, as they are for engines.
type Names map[string]bool

// Add adds a name, and reports whether it is new.
func (n Names) Add(name string) bool {
	have := n[Fold(name)]
	n[Fold(name)] = true
	return !have
}

// Remove takes a name out.
func (n Names) Remove(name string) { delete(n, Fold(name)) }

// Fold makes small letters of capital ones, as engines do to compare names.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, name)
}

func (p *printer) with(list []CTE, indent int) {
	p.write("WITH ")
	for i, c := range list {
		if i > 0 {
			p.write(",")
			p.line(indent)
		}
		p.write(p.d.identifier(c.Name))
		if len(c.Columns) > 0 {
			columns := make([]Expr, len(c.Columns))
			for j, name := range c.Columns {
				columns[j] = Column{Name: name}
			}
			p.write(" ")
			p.tuple(columns, indent)
		}
		p.write(" AS ")
		switch {
		case c.Materialized:
			p.write("MATERIALIZED ")
		case p.d.CTEHint != "":
			p.write(p.d.CTEHint + " ")
		}
		p.parenthesised(c.Query, indent)
	}
	p.line(indent)
}

// comment writes a text as comment lines above what follows.
func (p *printer) comment(why string, indent int) {
	if why == "" {
		return
	}
	for l := range strings.SplitSeq(why, "\n") {
		p.write(strings.TrimRight("-- "+oneLine(l), " "))
		p.line(indent)
	}
}

// oneLine keeps a comment from ending before its end.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (p *printer) item(item Item, last bool, indent int) {
	p.expr(item.X, 0, indent)
	if c, ok := item.X.(Column); item.As != "" && (!ok || c.Name != item.As) {
		p.write(" AS " + p.d.identifier(item.As))
	}
	if !last {
		p.write(",")
	}
	if item.Why != "" {
		p.write(" -- " + oneLine(item.Why))
	}
}

func (p *printer) condition(word string, e Expr, indent int) {
	if e == nil {
		return
	}
	p.line(indent)
	p.write(word)
	p.conjunction(e, indent+2)
}

// conjunction writes a condition of several parts with one a line, even
// where they would fit on one, so that a line more is a line more.
func (p *printer) conjunction(e Expr, indent int) {
	and, ok := e.(And)
	if !ok || len(and) < 2 {
		p.expr(e, 0, indent)
		return
	}
	p.node(and, indent)
}

func (p *printer) groups(s Select, indent int) {
	if len(s.GroupBy) == 0 {
		return
	}
	p.line(indent)
	p.write("GROUP BY ")
	if len(s.Sets) == 0 {
		p.fill(s.GroupBy, indent+2)
		return
	}
	p.write("GROUPING SETS (")
	for i, set := range s.Sets {
		if i > 0 {
			p.write(",")
		}
		p.line(indent + 2)
		row := make([]Expr, len(set))
		for j, k := range set {
			row[j] = s.GroupBy[k]
		}
		p.tuple(row, indent+2)
	}
	p.line(indent)
	p.write(")")
}

func (p *printer) from(f From, indent int) {
	switch f := f.(type) {
	case Table:
		p.write(p.d.identifier(f.Name))
		p.alias(f.Alias)
	case StoredTable:
		p.write(p.d.identifier(f.Database))
		for _, name := range f.Path {
			p.write("." + p.d.identifier(name))
		}
		p.alias(f.Alias)
	case RawQuery:
		p.write("(")
		for l := range strings.SplitSeq(f.SQL, "\n") {
			p.write("\n" + l) // as it stands: it may hold texts of several lines
		}
		p.line(indent)
		p.write(")")
		p.alias(f.Alias)
	case Subquery:
		p.parenthesised(f.Query, indent)
		p.alias(f.Alias)
	case Join:
		p.join(f, indent)
	case ReadParquet:
		p.readParquet(f, indent)
	case ReadNDJSON:
		p.readNDJSON(f, indent)
	case ReadCSV:
		p.readCSV(f, indent)
	default:
		panic(fmt.Sprintf("sqlast: no case for %T", f))
	}
}

func (p *printer) alias(name string) {
	if name != "" {
		p.write(" AS " + p.d.identifier(name))
	}
}

var joins = [...]string{InnerJoin: "JOIN", LeftJoin: "LEFT JOIN", CrossJoin: "CROSS JOIN"}

func (p *printer) join(j Join, indent int) {
	p.from(j.L, indent)
	p.line(indent)
	p.write(joins[j.Kind] + " ")
	if _, nested := j.R.(Join); nested {
		p.write("(")
		p.line(indent + 2)
		p.from(j.R, indent+2)
		p.line(indent)
		p.write(")")
	} else {
		p.from(j.R, indent)
	}
	if j.Kind == CrossJoin {
		return
	}
	p.line(indent + 2)
	p.write("ON ")
	p.conjunction(j.On, indent+2)
}
