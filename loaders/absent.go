package loaders

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// Rows of JSON have the members that they have: what some rows lack may be in
// others, or come with tomorrow's. So an expression may name what is in no row
// at all, as long as something that it names is there, or as long as a preset
// names it, which knows what may come.

// open are the columns that an expression may name: in files of JSON, any.
func (in *inspector) open(e metrics.Expr) []compiler.Column {
	if in.schema.members == nil || e.Tolerant {
		return in.columns
	}
	columns := in.columns
	for _, name := range compiler.Names(e) {
		if slices.ContainsFunc(columns, func(c compiler.Column) bool { return c.Name == name || strings.HasPrefix(c.Name, name+".") }) {
			continue
		}
		columns = append(slices.Clip(columns), compiler.Column{Name: name, Type: parseType("JSON")})
		if !slices.Contains(in.absent, name) {
			in.absent = append(in.absent, name)
		}
	}
	return columns
}

// alternative reports whether an expression has another value where one is
// missing, so that files without it are meant.
func (in *inspector) alternative(e *metrics.Expr) bool {
	return in.schema.members != nil && (e.Tolerant || strings.Contains(e.Src, "??"))
}

// ofPreset reports whether what stands at a place is said by the preset.
func (in *inspector) ofPreset(pos diag.Pos) bool {
	return in.def.Preset.Set && pos == in.def.Preset.Pos
}

// place is where a value stands in rows of JSON: in a column, or under the keys
// in one.
type place struct {
	column string
	keys   []string
}

func (p place) key() string { return strings.Join(append([]string{p.column}, p.keys...), "\n") }

// kind is what stands there, NULL where nothing does.
func (p place) kind() sqlast.Expr {
	args := []sqlast.Expr{sqlast.Column{Name: p.column}}
	for _, k := range p.keys {
		args = append(args, sqlast.Text(k))
	}
	if len(p.keys) == 0 {
		return args[0]
	}
	return call(sqlast.JSONKind, args...)
}

// questions are counts of rows, which one scan answers.
type questions struct {
	items   []sqlast.Item
	at      map[string]int
	answers []any
}

// count asks how many values of an expression there are. A question that was
// asked already is not asked again.
func (q *questions) count(key string, x sqlast.Expr) {
	if _, known := q.at[key]; known {
		return
	}
	if q.at == nil {
		q.at = map[string]int{}
	}
	q.at[key] = len(q.items)
	q.items = append(q.items, sqlast.Item{X: sqlast.Aggregate{Fn: sqlast.Count, X: x}, As: fmt.Sprint("n", len(q.items))})
}

// ask puts the questions to the rows.
func (q *questions) ask(ctx context.Context, engine *Engine, read sqlast.From) error {
	if len(q.items) == 0 {
		return nil
	}
	rows, err := scan(ctx, engine, read, q.items...)
	if err != nil {
		return err
	}
	q.answers = rows.Cells[0]
	return nil
}

// some reports whether a question was asked, and the answer is not 0.
func (q *questions) some(key string) bool {
	_, asked := q.at[key]
	return asked && q.n(key) > 0
}

// n is the answer to a question.
func (q *questions) n(key string) int64 { return q.answers[q.at[key]].(int64) }

// placesOf are the places that an expression reads.
func placesOf(x sqlast.Expr) []place {
	var out []place
	add := func(p place) {
		if !slices.ContainsFunc(out, func(o place) bool { return o.key() == p.key() }) {
			out = append(out, p)
		}
	}
	var walk func(sqlast.Expr) sqlast.Expr
	walk = func(x sqlast.Expr) sqlast.Expr {
		switch x := x.(type) {
		case sqlast.Column:
			add(place{column: x.Name})
			return x
		case sqlast.Call:
			c, ok := x.Args[0].(sqlast.Column)
			if x.Fn != sqlast.JSONText || !ok {
				break
			}
			p := place{column: c.Name}
			for _, k := range x.Args[1:] {
				p.keys = append(p.keys, string(k.(sqlast.Text)))
			}
			add(p)
			return x
		}
		return sqlast.Map(x, walk)
	}
	walk(x)
	return out
}

// valueKey is the question how many rows have a value of an expression.
func valueKey(e *metrics.Expr) string { return "value\n" + e.Src }

// whereKey is the question for how many rows the source's where is true.
const whereKey = "where"

// mayLack reports whether rows have members of their own, so that what expressions
// name may be in none.
func (in *inspector) mayLack() bool { return in.schema.members != nil && in.out.Rows > 0 }

// askOccurring asks in how many rows of JSON there is what the expressions name.
func (in *inspector) askOccurring(q *questions) {
	if !in.mayLack() {
		return
	}
	for _, e := range mapped(&in.def.Columns) {
		q.count(valueKey(e), in.stored[e].sql)
		for _, p := range placesOf(in.stored[e].sql) {
			q.count(p.key(), p.kind())
		}
	}
	if in.out.Where != nil {
		q.count(whereKey, onlyIf(in.out.Where, sqlast.Int(1)))
		for _, p := range placesOf(in.out.Where) {
			q.count(p.key(), p.kind())
		}
	}
}

// occurring looks whether what the expressions name is in some row of JSON.
// Where nothing is, that is a mistake, and ok is false.
func (in *inspector) occurring(ctx context.Context, engine *Engine, q *questions) (ok bool, err error) {
	if !in.mayLack() {
		return true, nil
	}
	nowhere := func(x sqlast.Expr) (lost []place, all bool) {
		places := placesOf(x)
		for _, p := range places {
			if len(p.keys) > 0 && q.n(p.key()) == 0 || len(p.keys) == 0 && slices.Contains(in.absent, p.column) {
				lost = append(lost, p)
			}
		}
		return lost, len(lost) > 0 && len(lost) == len(places)
	}
	ok = true
	for _, e := range mapped(&in.def.Columns) {
		lost, all := nowhere(in.stored[e].sql)
		if len(lost) == 0 || !all && q.n(valueKey(e)) > 0 || e.Tolerant && !in.indispensable(e, func(e *metrics.Expr) bool { return q.n(valueKey(e)) > 0 }) {
			continue
		}
		ok = false
		if err := in.sayNowhere(ctx, engine, e, lost); err != nil {
			return false, err
		}
	}
	if in.def.Where.IsSet() {
		if lost, _ := nowhere(in.out.Where); len(lost) > 0 && q.n(whereKey) == 0 {
			return false, in.sayNowhere(ctx, engine, &in.def.Where, lost)
		}
	}
	return ok, nil
}

// indispensable reports whether rows without the value of an expression are of
// no use. Of several unit kinds, one will do.
func (in *inspector) indispensable(e *metrics.Expr, present func(*metrics.Expr) bool) bool {
	c := &in.def.Columns
	for i := range c.Units {
		if &c.Units[i].Column == e {
			return !slices.ContainsFunc(c.Units, func(u metrics.UnitColumn) bool { return u.Column.Src != e.Src && present(&u.Column) })
		}
	}
	return e == &c.Timestamp.Column || e == &c.Event || e == &c.Variation
}

// sayNowhere says that the places that an expression names are in no row, with
// names that are.
func (in *inspector) sayNowhere(ctx context.Context, engine *Engine, e *metrics.Expr, lost []place) error {
	for _, p := range lost {
		holder, name := "", p.column
		if len(p.keys) > 0 {
			holder, name = p.column, p.keys[len(p.keys)-1]
			for _, k := range p.keys[:len(p.keys)-1] {
				holder += "." + k
			}
		}
		said := in.list.Errorf(e.Pos, "unknown-column", "no row of source %q has %s", in.def.Name.V, p)
		names, err := in.namesBeside(ctx, engine, p)
		if err != nil {
			return err
		}
		if near := diag.DidYouMean(name, names); near != "" {
			said.Hint = near
		} else if len(names) > 0 {
			said.WithHint("%s has %s", cmp.Or(holder, "a row"), some(names, 8))
		} else if holder != "" {
			said.WithHint("%s has nothing by name; if it is a list, rows: %s makes rows of its elements", holder, holder)
		}
	}
	return nil
}

// String gives the place as an expression names it.
func (p place) String() string { return strings.Join(append([]string{p.column}, p.keys...), ".") }

// namesBeside are the names that stand where a place would stand.
func (in *inspector) namesBeside(ctx context.Context, engine *Engine, p place) ([]string, error) {
	if len(p.keys) == 0 {
		var names []string
		for _, c := range in.columns {
			names = append(names, c.Name)
		}
		return names, nil
	}
	const most = 1000
	holder := sqlast.Expr(sqlast.Column{Name: p.column})
	if above := p.keys[:len(p.keys)-1]; len(above) > 0 {
		args := []sqlast.Expr{holder}
		for _, k := range above {
			args = append(args, sqlast.Text(k))
		}
		holder = call(sqlast.JSONText, args...)
	}
	query, err := sqlast.Print(sqlast.DuckDB, sqlast.Select{
		Distinct: true,
		Items:    []sqlast.Item{{X: call(sqlast.Unnest, call(sqlast.JSONNames, holder)), As: "name"}},
		From:     in.out.Read,
		OrderBy:  []sqlast.Order{{X: sqlast.Column{Name: "name"}}},
		Limit:    most,
	})
	if err != nil {
		return nil, err
	}
	rows, err := engine.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("look for names in %s: %w", p.column, err)
	}
	var names []string
	for _, r := range rows.Cells {
		names = append(names, r[0].(string))
	}
	return names, nil
}
