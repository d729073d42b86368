package metrictest

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// The columns of the files that rows are written to.
const (
	colTime       = "at"
	colExperiment = "experiment"
	colVariation  = "variation"
	colEvent      = "event"
	colValue      = "value"
	colProperties = "properties"
	colAttributes = "attributes"
	colID         = "id"
	colHoldback   = "holdback"
	colWeight     = "weight"
)

func unitColumn(kind string) string { return "unit " + kind }

// writeSources writes the rows of the test, and gives definitions whose sources
// are those files, under the names that they have.
func (c *testCase) writeSources(ctx context.Context, engine *loaders.Engine, dir string) (*metrics.Definitions, error) {
	defs := *c.defs
	defs.Sources = metrics.Sources{}
	defs.Output, defs.State = nil, metrics.Text{}
	write := func(sources []*metrics.Source, rows []*row, into *[]*metrics.Source) error {
		for i, src := range sources {
			f := &rowFile{source: src, columns: metrics.Columns{Pos: src.Pos}}
			for _, r := range rows {
				if r.source == src {
					f.rows = append(f.rows, r)
				}
			}
			f.addColumns()
			path := filepath.Join(dir, fmt.Sprintf("%s_%d.parquet", src.Role, i))
			if err := f.write(ctx, engine, path); err != nil {
				return err
			}
			*into = append(*into, &metrics.Source{
				Role: src.Role, Name: src.Name, Paths: []metrics.Text{{V: path, Pos: src.Pos, Set: true}}, Dir: dir, Columns: f.columns, Pos: src.Pos,
			})
		}
		return nil
	}
	if err := write(c.defs.Sources.Impressions, c.impressions, &defs.Sources.Impressions); err != nil {
		return nil, err
	}
	if err := write(c.defs.Sources.Events, c.events, &defs.Sources.Events); err != nil {
		return nil, err
	}
	if err := write(c.defs.Sources.Units, c.units, &defs.Sources.Units); err != nil {
		return nil, err
	}
	defs.Experiments = nil
	for _, e := range c.defs.Experiments {
		defs.Experiments = append(defs.Experiments, matchedByKey(e))
	}
	return &defs, nil
}

// matchedByKey is an experiment whose impressions say its key and the keys of
// its variations, as the rows of tests do.
func matchedByKey(e *metrics.Experiment) *metrics.Experiment {
	out := *e
	out.Match = metrics.Match{Experiment: []metrics.Text{e.Key}, Pos: e.Pos, Set: true}
	out.Variations = nil
	for _, v := range e.Variations {
		keyed := *v
		keyed.Match = []metrics.MatchValue{{Text: v.Key.V, Pos: v.Pos}}
		out.Variations = append(out.Variations, &keyed)
	}
	return &out
}

// rowFile is a file of rows of one source.
type rowFile struct {
	source  *metrics.Source
	rows    []*row
	columns metrics.Columns
	header  []loaders.NewColumn
	cells   []func(*row) loaders.NewCell
}

// add adds a column, and gives how definitions name it.
func (f *rowFile) add(name, typ string, cell func(*row) loaders.NewCell) metrics.Expr {
	f.header = append(f.header, loaders.NewColumn{Name: name, Type: typ})
	f.cells = append(f.cells, cell)
	return metrics.Expr{Src: name, Pos: f.source.Pos}
}

// addColumns adds the columns that every row of the role has, and those that some
// row has a value for.
func (f *rowFile) addColumns() {
	for _, kind := range kindsOf(f.source) {
		column := f.add(unitColumn(kind), "VARCHAR", func(r *row) loaders.NewCell { return textCell(r.units[kind]) })
		f.columns.Units = append(f.columns.Units, metrics.UnitColumn{Kind: metrics.Text{V: kind, Pos: f.source.Pos, Set: true}, Column: column})
	}
	if f.source.Role != metrics.RoleUnits || f.has(func(r *row) bool { return r.When.Set() }) {
		f.columns.Timestamp.Column = f.add(colTime, "TIMESTAMP", func(r *row) loaders.NewCell { return timeCell(r) })
	}
	f.columns.Attributes.From = f.add(colAttributes, "MAP(VARCHAR, VARCHAR)", func(r *row) loaders.NewCell { return pairs(r.Attributes) })
	if f.has(func(r *row) bool { return r.ID.Set }) {
		f.columns.ID = []metrics.Expr{f.add(colID, "VARCHAR", func(r *row) loaders.NewCell { return textCell(r.ID.V) })}
	}
	switch f.source.Role {
	case metrics.RoleImpressions:
		f.columns.Experiment = f.add(colExperiment, "VARCHAR", func(r *row) loaders.NewCell { return textCell(r.experiment) })
		f.columns.Variation = f.add(colVariation, "VARCHAR", func(r *row) loaders.NewCell { return textCell(r.variation) })
		if f.has(func(r *row) bool { return r.Holdback.Set }) {
			f.columns.Holdback = f.add(colHoldback, "BOOLEAN", func(r *row) loaders.NewCell { return fmt.Sprint(r.Holdback.V) })
		}
		f.addWeight()
	case metrics.RoleEvents:
		f.columns.Event = f.add(colEvent, "VARCHAR", func(r *row) loaders.NewCell { return textCell(r.Event.V) })
		f.columns.Properties.From = f.add(colProperties, "MAP(VARCHAR, VARCHAR)", func(r *row) loaders.NewCell { return pairs(r.properties) })
		f.columns.Value = f.addNumber(colValue, func(r *row) metrics.At[metrics.Number] { return r.Value })
		f.addWeight()
	case metrics.RoleUnits:
	default:
		panic("metrictest: no case for source role " + string(f.source.Role))
	}
}

func (f *rowFile) addWeight() {
	if f.has(func(r *row) bool { return r.Weight.Set }) {
		f.columns.Weight = f.addNumber(colWeight, func(r *row) metrics.At[metrics.Number] { return r.Weight })
	}
}

func (f *rowFile) has(value func(*row) bool) bool { return slices.ContainsFunc(f.rows, value) }

// addNumber adds a column of numbers that are exact as they are written.
func (f *rowFile) addNumber(name string, of func(*row) metrics.At[metrics.Number]) metrics.Expr {
	digits, width := 0, 1
	for _, r := range f.rows {
		if n := of(r); n.Set {
			after, _ := n.V.Rat().FloatPrec()
			digits = max(digits, after)
			width = max(width, len(n.V.Rat().FloatString(0)))
		}
	}
	typ := "BIGINT"
	switch {
	case digits+width > 38:
		typ = "DOUBLE"
	case digits > 0 || width > 18:
		typ = fmt.Sprintf("DECIMAL(%d, %d)", max(18, digits+width), digits)
	}
	return f.add(name, typ, func(r *row) loaders.NewCell {
		n := of(r)
		if !n.Set {
			return nil
		}
		return n.V.Rat().FloatString(digits)
	})
}

func (f *rowFile) write(ctx context.Context, engine *loaders.Engine, path string) error {
	var rows [][]loaders.NewCell
	for _, r := range f.rows {
		var cells []loaders.NewCell
		for _, of := range f.cells {
			cells = append(cells, of(r))
		}
		rows = append(rows, cells)
	}
	return engine.WriteParquet(ctx, path, f.header, rows)
}

func timeCell(r *row) loaders.NewCell {
	if !r.When.Set() {
		return nil
	}
	return r.at.UTC().Format("2006-01-02 15:04:05.999999")
}

// textCell is a text, missing where it is empty.
func textCell(s string) loaders.NewCell {
	if s == "" {
		return nil
	}
	return s
}

func pairs(values []metrics.TestValue) loaders.NewCell {
	out := loaders.Pairs{}
	for _, v := range values {
		out = append(out, [2]string{v.Name.V, v.Value.V})
	}
	return out
}
