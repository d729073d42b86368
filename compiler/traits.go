package compiler

import (
	"fmt"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
)

// Attributes of units come from units sources (semantics 3.8): of the newest
// row at the exposure, ties by the smallest text, missing last. Of several
// sources the first in the file that has the attribute counts.

// traitColumn names the column of the exposure that holds a unit attribute.
func traitColumn(name string) string { return unitPrefix + spelled(name) }

// traitSources are the units sources that describe a unit kind.
func (c *Catalog) traitSources(kind string) []*Source {
	var out []*Source
	for _, s := range c.Units {
		if s.unit(kind) != nil && s.Def.Columns.Attributes.IsSet() {
			out = append(out, s)
		}
	}
	return out
}

// hasTrait checks that some source can hold the unit attribute.
func hasTrait(name string, sources []*Source) *diag.Diagnostic {
	if len(sources) == 0 {
		return &diag.Diagnostic{Code: "no-source", Message: formatRef(Ref{Kind: RefUnit, Name: name}) + ": no units source has attributes of this kind of unit",
			Hint: "add one under sources: units, with its units and attributes under columns; an attribute of the impression is " + formatRef(Ref{Kind: RefExposure, Name: name})}
	}
	s := metricScope{}
	return s.inBag("unit attribute", name, sources, func(src *Source) Bag { return src.Attributes })
}

// traitTable names what a units source says of the units.
func traitTable(s *Source) string { return "unit attributes of " + s.spelled() }

// traitTables are the sources that can hold one of the attributes needed.
func (b *builder) traitTables() []*Source {
	var out []*Source
	for _, s := range b.plan.TraitSources {
		if slices.ContainsFunc(b.plan.Traits, func(name string) bool { _, ok := s.Attributes.Lookup(name); return ok }) {
			out = append(out, s)
		}
	}
	return out
}

// traits finds the attributes of the units in one source.
func (b *builder) traits(s *Source) sqlast.Select {
	unit := func(name string) sqlast.Expr { return col("u", name) }
	keys := []sqlast.Item{item(unit(colUnitID), colUnitID), item(unit(colExperiment), colExperiment), item(unit("first"), "first")}
	sel := sqlast.Select{Why: "what source " + s.Def.Name.V + " says of each unit at its exposure", Items: slices.Clone(keys), GroupBy: expressions(keys)}
	files, among := s.withExcluded(s.whole())
	on := sqlast.And{s.unit(b.plan.Kind).isUnit(unit(colUnitID))}
	conds := append(s.existsBefore(b.plan.AsOf), among...)
	if s.timed() {
		conds = append(conds, compare(sqlast.LessEq, inRow(s.Time.SQL), b.firstTime()))
	}
	for _, name := range b.plan.Traits {
		f, ok := s.Attributes.Lookup(name)
		if !ok {
			continue
		}
		value := asText(inRow(f.SQL), f)
		if !s.timed() {
			sel.Items = append(sel.Items, item(aggregate(sqlast.Min, value), traitColumn(name)))
			continue
		}
		// The smallest of {how old, value} is of the newest row, missing values last.
		age := compare(sqlast.Sub, sqlast.Int(0), call(sqlast.TimeToMicros, inRow(s.Time.SQL)))
		newest := aggregate(sqlast.Min, sqlast.Struct{{Name: "age", X: age}, {Name: "value", X: value}})
		sel.Items = append(sel.Items, item(sqlast.Field{X: newest, Name: "value"}, traitColumn(name)))
	}
	sel.From = sqlast.Join{L: files, R: sqlast.Table{Name: "unit", Alias: "u"}, On: on}
	if cond := all(conds...); cond != nil {
		sel.Where = cond
	}
	return sel
}

// trait is a unit attribute, from the first source that has it.
func (b *builder) trait(name string) sqlast.Expr {
	var of []sqlast.Expr
	for i, s := range b.traitTables() {
		if _, ok := s.Attributes.Lookup(name); ok {
			of = append(of, col(traitAlias(i), traitColumn(name)))
		}
	}
	if len(of) == 1 {
		return of[0]
	}
	return call(sqlast.Coalesce, of...)
}

func traitAlias(i int) string { return fmt.Sprintf("t%d", i+1) }

// timed reports whether rows of the source have timestamps.
func (s *Source) timed() bool { return s.Time.SQL != nil }

// existsBefore are the conditions under which a row of a units source exists.
func (s *Source) existsBefore(asOf time.Time) sqlast.And {
	if s.timed() {
		return s.exists(time.Time{}, asOf)
	}
	if s.Where == nil {
		return nil
	}
	return sqlast.And{inRow(s.Where)}
}
