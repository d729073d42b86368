package compiler

import (
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// byProperty reports whether the rows of the unit that is asked for are in groups by
// a property.
func (w *eventWaterfall) byProperty() bool {
	return w.unit != nil && w.measure.Group != nil && w.measure.Group.Property != ""
}

// groups are the numbers of the groups that are told of the unit; nil: none are.
func (w *eventWaterfall) groups() *GroupValue {
	if !w.byProperty() {
		return nil
	}
	return w.plan.groupsOf(w.measure)
}

// ofGroups are the columns that groups need of the rows of a source.
func (w *eventWaterfall) ofGroups(scope *rowScope) []sqlast.Item {
	if !w.byProperty() {
		return nil
	}
	out := []sqlast.Item{item(scope.text(Ref{Kind: RefProperty, Name: w.measure.Group.Property}), "group")}
	if w.measure.weighted() {
		weight := sqlast.Expr(sqlast.Int(1))
		if scope.scan.src.Weight != nil {
			weight = scope.scan.weightOf()
		}
		out = append(out, item(sqlast.Cast{X: weight, To: bigint}, colWeight))
	}
	return out
}

// groupedRows are the rows of a source that are in groups: those in the window,
// whether they count or not. The steps are those of a query, after so many others.
func (w *eventWaterfall) groupedRows(query string, after int, steps []WaterfallStep) sqlast.Select {
	n, place := w.measure, col("", "place")
	window := slices.IndexFunc(steps, func(s WaterfallStep) bool { return s.Code == "outside_window" })
	counts := compare(sqlast.Greater, place, sqlast.Int(int64(after+len(steps))))
	items := []sqlast.Item{item(col("", colUnit), colUnit), item(col("", colVariation), colVariation), item(col("", colTime), colTime),
		item(when(counts, col("", "value")), n.Name), item(col("", "group"), "group")}
	if n.weighted() {
		items = append(items, item(col("", colWeight), colWeight))
	}
	return sqlast.Select{Items: items, From: sqlast.Table{Name: query},
		Where: sqlast.And{compare(sqlast.Greater, place, sqlast.Int(int64(after+window+1))), notNull(col("", "group"))}}
}

// groupsOfUnit is the query for the groups of the unit, from its rows.
func (w *eventWaterfall) groupsOfUnit(g *GroupValue, with []sqlast.CTE, rows sqlast.Union) sqlast.Select {
	each := g.ofTable("row in a group")
	each.Items = append(each.Items, item(aggregate(sqlast.Min, col("", colVariation)), colVariation), item(col("", "group"), "group"))
	c := func(name string) sqlast.Expr { return col("", name) }
	return sqlast.Select{
		Why: "the groups of the unit, and their numbers",
		With: append(slices.Clone(with), sqlast.CTE{Name: "row in a group", Query: unionOf(rows)}, sqlast.CTE{Name: "group", Query: each},
			sqlast.CTE{Name: "number of group", Query: w.groupNumber(g, colVariation, "group")}),
		Items:   []sqlast.Item{item(c(colVariation), colVariation), item(c("group"), "group"), item(c("rows"), "rows"), item(sqlast.Cast{X: c("x"), To: varchar}, "number")},
		From:    sqlast.Table{Name: "number of group"},
		OrderBy: []sqlast.Order{{X: c(colVariation)}, {X: c("group")}},
	}
}
