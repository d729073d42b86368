package loaders

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// refine holds guessed columns against the rows: in which unit numbers are
// times, and whether texts are times, numbers and JSON, and ids identify. What
// the rows do not bear out is left out of c; notes say why. It gives false
// where without it the rows have no time.
func refine(ctx context.Context, engine *Engine, t *table, c *metrics.Columns) (notes []string, ok bool, err error) {
	r := &refiner{columns: t.columns}
	r.probe(c)
	if len(r.items) == 0 {
		return nil, true, nil
	}
	rows, err := scan(ctx, engine, t.read(), r.items...)
	if err != nil {
		return nil, false, err
	}
	ok = true
	for _, judge := range r.judges {
		if !judge(rows.Cells[0]) {
			ok = false
		}
	}
	return r.notes, ok, nil
}

// refiner collects what to ask the rows, and what to do with the answers.
type refiner struct {
	columns []compiler.Column
	items   []sqlast.Item
	// judges read the answers; false means that the rows cannot be read at all.
	judges []func(cells []any) bool
	notes  []string
}

// ask adds an aggregate and gives its place among the answers.
func (r *refiner) ask(x sqlast.Expr) int {
	r.items = append(r.items, sqlast.Item{X: x, As: fmt.Sprint("a", len(r.items))})
	return len(r.items) - 1
}

// share asks how many values of an expression there are, and for how many of
// them reading gives something.
func (r *refiner) share(x, reading sqlast.Expr) (all, read int) {
	return r.ask(sqlast.Aggregate{Fn: sqlast.Count, X: x}), r.ask(sqlast.Aggregate{Fn: sqlast.Count, X: reading})
}

func (r *refiner) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func (r *refiner) stored(e metrics.Expr) stored {
	var list diag.List
	sql, typ, ok := compiler.CompileColumn(e, r.columns, &list)
	if !ok {
		panic("loaders: a guessed column is not there: " + e.Src)
	}
	return stored{sql, typ}
}

func (r *refiner) probe(c *metrics.Columns) {
	r.time(&c.Timestamp)
	if c.Holdback.IsSet() {
		r.holdback(c)
	}
	if c.Value.IsSet() {
		r.value(c)
	}
	if len(c.ID) > 0 {
		r.id(c)
	}
	for _, b := range []*metrics.Bag{&c.Properties, &c.Attributes} {
		if b.From.IsSet() {
			r.bag(b)
		}
	}
}

// time finds the unit of numbers by their size, and wants texts to be times or
// such numbers.
func (r *refiner) time(t *metrics.TimestampColumn) {
	s := plain(r.stored(t.Column))
	switch s.typ.Kind {
	case compiler.ColumnInteger, compiler.ColumnFloat:
		largest := r.ask(cast(sqlast.Aggregate{Fn: sqlast.Max, X: s.sql}, double))
		lacks := r.values(t.Column, s)
		r.judges = append(r.judges, func(cells []any) bool {
			if lacks(cells) {
				return false
			}
			last, _ := cells[largest].(float64)
			if t.Epoch = EpochOf(last); t.Epoch == "" {
				r.note("%s is no time: its largest value is %s", t.Column.Src, new(big.Float).SetFloat64(last).Text('f', 0))
				return false
			}
			return true
		})
	case compiler.ColumnText:
		all, read := r.share(s.sql, call(sqlast.ParseTime, s.sql))
		number := call(sqlast.ParseNumber, s.sql)
		numbers, largest := r.ask(sqlast.Aggregate{Fn: sqlast.Count, X: number}), r.ask(sqlast.Aggregate{Fn: sqlast.Max, X: number})
		lacks := r.values(t.Column, s)
		r.judges = append(r.judges, func(cells []any) bool {
			if lacks(cells) {
				return false
			}
			if last, _ := cells[largest].(float64); mostly(cells, all, numbers) {
				t.Epoch = EpochOf(last)
			}
			if !mostly(cells, all, read) && t.Epoch == "" {
				r.note("%s is no time: %d of its %d texts are, as 2026-03-02T10:00:00Z is", t.Column.Src, cells[read], cells[all])
				return false
			}
			return true
		})
	}
}

// values asks how many rows there are, and how many have a value; what it gives says of
// the answers that there are none.
func (r *refiner) values(e metrics.Expr, s stored) func(cells []any) bool {
	rows, values := r.ask(sqlast.Aggregate{Fn: sqlast.Count}), r.ask(sqlast.Aggregate{Fn: sqlast.Count, X: s.sql})
	return func(cells []any) bool {
		switch {
		case cells[rows].(int64) == 0:
			r.note("there are no rows")
		case cells[values].(int64) == 0:
			r.note("no row has a %s", e.Src)
		default:
			return false
		}
		return true
	}
}

// EpochOf tells the unit of a time since 1970 from its size; empty: it is none.
func EpochOf(last float64) string {
	switch { // the limits are in 1973 and 5138
	case last < 1e8:
		return ""
	case last < 1e11:
		return "s"
	case last < 1e14:
		return "ms"
	case last < 1e17:
		return "us"
	}
	return "ns"
}

// value wants texts to be numbers.
func (r *refiner) value(c *metrics.Columns) {
	s := plain(r.stored(c.Value))
	if s.typ.Kind != compiler.ColumnText {
		return
	}
	all, read := r.share(s.sql, call(sqlast.ParseNumber, s.sql))
	r.judges = append(r.judges, func(cells []any) bool {
		if mostly(cells, all, read) {
			r.note("%s is text; what is no number in it is missing", c.Value.Src)
		} else {
			r.note("%s is not mapped as value: %d of its %d texts are numbers", c.Value.Src, cells[read], cells[all])
			c.Value = metrics.Expr{}
		}
		return true
	})
}

// holdback wants texts to be true or false.
func (r *refiner) holdback(c *metrics.Columns) {
	s := r.stored(c.Holdback)
	if s.typ.Kind != compiler.ColumnText {
		return
	}
	all, read := r.share(s.sql, call(sqlast.ParseBoolean, s.sql))
	r.judges = append(r.judges, func(cells []any) bool {
		if !mostly(cells, all, read) {
			r.note("%s is not mapped as holdback: %d of its %d texts are true or false", c.Holdback.Src, cells[read], cells[all])
			c.Holdback = metrics.Expr{}
		}
		return true
	})
}

// id wants ids to tell rows apart, so that removing duplicates takes no rows that are
// none: most rows that have the id of another are the same in all else that is mapped.
func (r *refiner) id(c *metrics.Columns) {
	s := r.stored(c.ID[0])
	content := []sqlast.Expr{s.sql}
	for _, e := range append([]metrics.Expr{c.Timestamp.Column, c.Event, c.Experiment, c.Flag, c.Variation, c.Value}, unitColumns(c)...) {
		e.Tolerant = true // what stands in the paths of files alone is no column
		if e.IsSet() && !compiler.Absent(e, r.columns) {
			content = append(content, r.stored(e).sql)
		}
	}
	all := r.ask(sqlast.Aggregate{Fn: sqlast.Count, X: s.sql})
	different := r.ask(sqlast.Aggregate{Fn: sqlast.Count, X: s.sql, Distinct: true})
	contents := r.ask(sqlast.Aggregate{Fn: sqlast.Count, X: onlyIf(present(s.sql), call(sqlast.Hash, content...)), Distinct: true})
	r.judges = append(r.judges, func(cells []any) bool {
		rows, ids := cells[all].(int64), cells[different].(int64)
		copies, further := rows-ids, cells[contents].(int64)-ids
		switch {
		case rows == 0:
			r.note("%s is not mapped as id: no row has one", c.ID[0].Src)
			c.ID = nil
		case further > copies/2:
			r.note("%s is not mapped as id: %d rows have %d different ones, and rows with the same one differ", c.ID[0].Src, rows, ids)
			c.ID = nil
		case copies > 0:
			r.note("CHECK: %d rows have %d different values of %s; those with the same one are copies, and taken for one", rows, ids, c.ID[0].Src)
		}
		return true
	})
}

func unitColumns(c *metrics.Columns) []metrics.Expr {
	var out []metrics.Expr
	for _, u := range c.Units {
		out = append(out, u.Column)
	}
	return out
}

// bag wants texts, and values of JSON, to be JSON objects.
func (r *refiner) bag(b *metrics.Bag) {
	s := plain(r.stored(b.From))
	if s.typ.Kind != compiler.ColumnText {
		return
	}
	object := sqlast.And{call(sqlast.StartsWith, s.sql, sqlast.Text("{")), call(sqlast.JSONValid, s.sql)}
	all, read := r.share(s.sql, onlyIf(object, s.sql))
	r.judges = append(r.judges, func(cells []any) bool {
		if !mostly(cells, all, read) {
			if name := b.From.Src; isBare(name) {
				b.Named = append(b.Named, metrics.NamedColumn{Name: metrics.Text{V: name}, Column: b.From})
				slices.SortFunc(b.Named, byColumn)
			}
			b.From = metrics.Expr{}
		}
		return true
	})
}

func byColumn(a, b metrics.NamedColumn) int { return strings.Compare(a.Name.V, b.Name.V) }

// mostly reports whether at least nine in ten values could be read, and there
// are some.
func mostly(cells []any, all, read int) bool {
	n, good := cells[all].(int64), cells[read].(int64)
	return n > 0 && n-good <= n/10
}
