package compiler

import (
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// Variations that match a JSON value are found after those that match a text:
// only what no text matched is read as JSON, and each different text of it once.

// colStored is what an impression shows, where that is to be read as JSON.
const colStored = "stored"

func matchesJSON(x *ExperimentPlan) bool {
	return slices.ContainsFunc(x.Def.Variations, func(v *metrics.Variation) bool {
		return slices.ContainsFunc(v.Match, func(m metrics.MatchValue) bool { return m.JSON })
	})
}

// matchesByValue reports whether some variation matches a JSON value.
func (b *builder) matchesByValue() bool { return slices.ContainsFunc(b.everyExperiment(), matchesJSON) }

// withJSON are the experiments whose variations match JSON values.
func (b *builder) withJSON() []string {
	var out []string
	for _, x := range b.everyExperiment() {
		if matchesJSON(x) {
			out = append(out, x.Def.Key.V)
		}
	}
	return out
}

// toReadAsJSON is what an impression shows, where no variation matches its
// text and some match JSON; NULL elsewhere.
func (b *builder) toReadAsJSON(shown, holdback sqlast.Expr) sqlast.Item {
	cond := all(isNull(col("v", "position")), oneOf(col("m", colExperiment), b.withJSON()))
	if lit, constant := holdback.(sqlast.Bool); !constant || bool(lit) {
		cond = all(sqlast.Not{X: holdback}, cond)
	}
	return item(when(cond, shown), colStored)
}

// jsonVariations maps the JSON values to the positions of variations.
func (b *builder) jsonVariations() sqlast.Values {
	var rows sqlast.Values
	for _, x := range b.everyExperiment() {
		for _, v := range x.Def.Variations {
			for _, m := range v.Match {
				if m.JSON {
					rows = append(rows, []sqlast.Expr{sqlast.Text(x.Def.Key.V), sqlast.Text(m.Text), sqlast.Int(int64(positionOf(x.Def, v.Key.V)))})
				}
			}
		}
	}
	return rows
}

// matchedByValue are the queries that give the impressions of a query the
// variations whose JSON value they show. columns are those of the query.
func (b *builder) matchedByValue(query sqlast.Query, columns []string) []sqlast.CTE {
	canonical := func(table, name string) sqlast.Item {
		return item(call(sqlast.CanonicalJSON, col(table, name)), "value")
	}
	var with, items []sqlast.Item
	for _, name := range columns {
		with = append(with, item(col("s", name), name))
		switch name {
		case colStored:
		case "position":
			items = append(items, item(call(sqlast.Coalesce, col("s", name), col("j", name)), name))
		default:
			items = append(items, item(col("s", name), name))
		}
	}
	with = append(with, canonical("s", colStored))
	return []sqlast.CTE{
		{Name: "json match", Columns: []string{colExperiment, "json", "position"}, Query: b.jsonVariations()},
		{Name: "json variation", Query: sqlast.Select{
			Items: []sqlast.Item{item(col("j", colExperiment), colExperiment), canonical("j", "json"), item(col("j", "position"), "position")},
			From:  sqlast.Table{Name: "json match", Alias: "j"},
		}},
		{Name: "shown as stored", Query: query},
		{Name: "shown by value", Query: sqlast.Select{
			Why:   "members in the order of their names, numbers as numbers",
			Items: with,
			From:  sqlast.Table{Name: "shown as stored", Alias: "s"},
		}},
		{Name: "shown", Query: sqlast.Select{
			Why:   "impressions, with the variations that match by a JSON value",
			Items: items,
			From: sqlast.Join{Kind: sqlast.LeftJoin, L: sqlast.Table{Name: "shown by value", Alias: "s"}, R: sqlast.Table{Name: "json variation", Alias: "j"},
				On: sqlast.And{compare(sqlast.Eq, col("j", colExperiment), col("s", colExperiment)), compare(sqlast.Eq, col("j", "value"), col("s", "value"))}},
		}},
	}
}
