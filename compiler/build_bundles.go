package compiler

import (
	"fmt"
	"maps"
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// bundles are the builders of the bundles of the plan; of one without, its own.
func (b *builder) bundles() []*builder {
	if len(b.plan.Bundles) == 0 {
		return []*builder{b}
	}
	var out []*builder
	for i, p := range b.plan.Bundles {
		of := *b
		of.plan, of.bundle, of.ofBundles = p.Plan, fmt.Sprintf(" in bundle %d", i+1), b
		out = append(out, &of)
	}
	return out
}

// passInBundles writes the statements of pass i of n over the events, where the
// sums are made in bundles: each source is read once, and its rows are kept until
// every bundle has been made of them.
func (b *builder) passInBundles(i, n int) []Statement {
	var out []Statement
	var scans []*scanBuilder
	for _, s := range b.plan.Scans {
		sc := newScanBuilder(b, s)
		if len(s.Source.ID) > 0 {
			out = append(out, sc.rows(i, n)...)
		}
		out = append(out, Statement{Name: sc.keptTable(), Why: "events of exposed units, kept for all bundles, from one pass over " + sourceNames([]*Source{s.Source}),
			SQL: sqlast.CreateTable{Name: sc.keptTable(), Query: sc.kept(i, n)}})
		out = append(out, dropped(sc.dropped()...)...)
		if met := sc.met(sc.keptTable()); met != nil {
			out = append(out, *met)
		}
		scans = append(scans, sc)
	}
	for k, of := range b.bundles() {
		var tables []string
		for _, s := range of.plan.Scans {
			whole := scans[slices.IndexFunc(scans, func(sc *scanBuilder) bool { return sc.src == s.Source })]
			name := of.eventsTable(s)
			tables = append(tables, name)
			out = append(out, Statement{Name: name, Why: fmt.Sprintf("the rows that count of each exposed unit, bundle %d: %s", k+1, b.plan.Bundles[k].eventsText()),
				SQL: sqlast.CreateTable{Name: name, Query: whole.queryOfBundle(of, s, b.plan.Bundles[k])}})
		}
		out = append(out, of.numbers(tables, i)...)
	}
	for _, sc := range scans {
		out = append(out, dropped(sc.keptTable())...)
	}
	return out
}

func (sc *scanBuilder) keptTable() string {
	return "kept_events of " + sc.src.spelled() + sc.suffix
}

// kept are the rows of exposed units with all that any measure needs of them,
// and with what was met in them.
func (sc *scanBuilder) kept(i, n int) sqlast.Select {
	sc.counted()
	needed := map[string]bool{colUnit: true, colEvent: true}
	for k, b := range sc.bundles() {
		for _, s := range b.plan.Scans {
			if s.Source == sc.src {
				maps.Copy(needed, sc.shareOf(b, s, sc.plan.Bundles[k]).needed)
			}
		}
	}
	with, from, columns := sc.readable(i, n)
	columns = slices.DeleteFunc(columns, func(it sqlast.Item) bool { return !needed[it.As] })
	return sqlast.Select{Why: "events of exposed units, with all that some measure needs", With: with, Items: append(columns, sc.marks...), From: sqlast.Table{Name: from}}
}

// scanShare is what a bundle takes of a pass over a source: the columns that it
// counts, and those of the kept rows that it needs for them.
type scanShare struct {
	of      *scanBuilder
	counted []sqlast.Item
	needed  map[string]bool
}

// shareOf is the share of a bundle.
func (sc *scanBuilder) shareOf(b *builder, s *Scan, p *Bundle) scanShare {
	if _, known := sc.shares[p]; !known {
		sc.shares[p] = sc.newShare(b, s, p)
	}
	return sc.shares[p]
}

func (sc *scanBuilder) newShare(b *builder, s *Scan, p *Bundle) scanShare {
	of := newScanBuilder(b, s)
	items, windows := of.ofAll(), sc.windows()
	if of.weighs() {
		items = append(items, sc.weight...)
	}
	for _, n := range s.Measures {
		isEvent := n.isEvent(col("", colEvent))
		if p.ofOneEvent() { // and so are all rows
			isEvent = nil
		}
		items = append(items, sc.ofMeasure(n, isEvent, windows)...)
	}
	needed := map[string]bool{}
	need := func(items []sqlast.Item) {
		for _, it := range items {
			for _, name := range sqlast.Columns(it.X) {
				needed[name] = true
			}
		}
	}
	need(items)
	for _, it := range sc.computed {
		if needed[it.As] {
			of.computed = append(of.computed, it)
		}
	}
	need(of.computed)
	return scanShare{of, items, needed}
}

// queryOfBundle sums the kept rows of each unit for the measures of a bundle. The
// rows of its events are put side by side first: among all others every
// measure would cost as much for them as for all.
func (sc *scanBuilder) queryOfBundle(b *builder, s *Scan, p *Bundle) sqlast.Select {
	share := sc.shareOf(b, s, p)
	rows := sqlast.Select{Why: "the rows of " + p.eventsText(), From: sqlast.Table{Name: sc.keptTable()}}
	for _, it := range append(sc.passedOn(), named(sc.typed)...) {
		if share.needed[it.As] {
			rows.Items = append(rows.Items, it)
		}
	}
	if !p.Any {
		rows.Where = oneOf(col("", colEvent), p.Events)
	}
	share.of.countedOnce = &sqlast.Select{Why: "for each metric of the bundle the rows that count", Items: share.counted}
	return share.of.summed([]sqlast.CTE{{Name: "rows", Query: rows, Materialized: true}}, "rows", rows.Items)
}

// finishAll writes the statements that need the numbers of all units.
func (b *builder) finishAll() []Statement {
	var out []Statement
	for _, of := range b.bundles() {
		out = slices.Concat(out, of.finish(), of.finishGroups(), of.finishSplits(), of.finishEventSegments())
	}
	return out
}
