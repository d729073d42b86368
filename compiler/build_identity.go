package compiler

import (
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// Events that lack an id of the experiment's unit kind are joined by their
// other ids (semantics 3.7), through units sources that pair ids. For each
// other kind there is one table of the units that its ids lead to, by
// experiment; the pass over the events looks ids up in it, so that the events
// are still read once.

// Identity says for which experiments of a unit kind ids are joined, and how.
type Identity struct {
	// Strict and FirstTouch are the keys of experiments.
	Strict, FirstTouch []string
	// Sources are the units sources with ids of the unit kind and of another.
	Sources []*Source
}

// identity plans the joining of ids for an experiment.
func (p *planner) identity(u *UnitPlan, x *ExperimentPlan) {
	if !x.Def.Identity.Set {
		return
	}
	if u.Identity == nil {
		u.Identity = &Identity{}
		for _, s := range p.cat.Units {
			if s.unit(u.Kind) != nil && len(s.Units) > 1 {
				u.Identity.Sources = append(u.Identity.Sources, s)
			}
		}
	}
	if len(u.Identity.Sources) == 0 {
		p.list.Errorf(x.Def.Identity.Pos, "no-source", "no units source pairs ids of %s with those of another unit kind", u.Kind).
			WithHint("map both kinds under columns: units of a source of units")
		return
	}
	if x.Def.Identity.V == metrics.IdentityStrict {
		u.Identity.Strict = append(u.Identity.Strict, x.Def.Key.V)
	} else {
		u.Identity.FirstTouch = append(u.Identity.FirstTouch, x.Def.Key.V)
	}
}

// experiments are the keys of the experiments that join ids.
func (d *Identity) experiments() []string { return slices.Concat(d.Strict, d.FirstTouch) }

// kinds are the unit kinds whose ids lead to units.
func (d *Identity) kinds(unitKind string) []string {
	if d == nil {
		return nil
	}
	var out []string
	for _, s := range d.Sources {
		for _, f := range s.Units {
			if f.Kind != unitKind {
				out = appendNew(out, f.Kind)
			}
		}
	}
	return out
}

// joins are the other unit kinds by whose ids rows of a source are joined, in
// the order of its columns.
func (u *UnitPlan) joins(s *Source) []string {
	var out []string
	for _, f := range s.Units {
		if f.Kind != u.Kind && slices.Contains(u.Identity.kinds(u.Kind), f.Kind) {
			out = append(out, f.Kind)
		}
	}
	return out
}

// JoinsIDs reports whether rows of a source may be joined by other ids.
func (u *UnitPlan) JoinsIDs(s *Source) bool { return len(u.joins(s)) > 0 }

// reaches reports whether rows of an event source can be of units of the kind.
func (u *UnitPlan) reaches(s *Source) bool { return s.unit(u.Kind) != nil || len(u.joins(s)) > 0 }

func (b *builder) identityTable(kind string) string { return b.table("identity of " + spelled(kind)) }

// identities are the statements that find which units the ids of other kinds
// lead to. They read the exposures of the first stage.
func (b *builder) identities(exposure string) []Statement {
	var out []Statement
	var ambiguous sqlast.Union
	for _, kind := range b.plan.Identity.kinds(b.plan.Kind) {
		pairs := "pairs of " + spelled(kind) + b.suffix
		name := b.identityTable(kind)
		out = append(out,
			Statement{Name: pairs, Why: "which " + kind + " goes with which " + b.plan.Kind, SQL: sqlast.CreateTable{Name: pairs, Query: b.pairs(kind)}},
			Statement{Name: name, Why: "the " + b.plan.Kind + " that each " + kind + " leads to", SQL: sqlast.CreateTable{Name: name, Query: b.partners(pairs, exposure)}})
		for _, key := range b.plan.Identity.experiments() {
			ambiguous = append(ambiguous, sqlast.Select{
				Items: []sqlast.Item{item(sqlast.Text(key), colExperiment), item(col("", "id"), "id")},
				From:  sqlast.Table{Name: pairs}, GroupBy: []sqlast.Expr{col("", "id")}, Having: compare(sqlast.Greater, countStar(), sqlast.Int(1)),
			})
		}
	}
	if len(ambiguous) > 0 {
		out = append(out, Statement{Name: "ambiguous ids" + b.suffix, Why: "ids that lead to several units", Result: ResultDropped,
			Outputs: []Output{{Column: reasonAmbiguous, Role: RoleReason, Reason: reasonAmbiguous}},
			SQL: sqlast.Select{
				With: []sqlast.CTE{{Name: "ambiguous", Query: unionOf(ambiguous)}},
				Items: []sqlast.Item{item(col("", colExperiment), colExperiment), item(sqlast.Text(""), colDropped),
					item(sqlast.Int(0), "units"), item(countStar(), reasonAmbiguous)},
				From: sqlast.Table{Name: "ambiguous"}, GroupBy: []sqlast.Expr{col("", colExperiment)}, OrderBy: []sqlast.Order{{X: col("", colExperiment)}},
			}})
	}
	for _, kind := range b.plan.Identity.kinds(b.plan.Kind) {
		out = append(out, dropped("pairs of "+spelled(kind)+b.suffix)...)
	}
	return out
}

// reasonAmbiguous is the reason of ids with several partners.
const reasonAmbiguous = "ambiguous_id"

// pairs are the ids of a kind with the units that they were met with.
func (b *builder) pairs(kind string) sqlast.Select {
	var met sqlast.Union
	for _, s := range b.plan.Identity.Sources {
		other := s.unit(kind)
		if other == nil {
			continue
		}
		files, among := s.withExcluded(s.whole())
		id, hasID := other.present()
		unit, hasUnit := s.unit(b.plan.Kind).present()
		met = append(met, sqlast.Select{
			Items: []sqlast.Item{item(id, "id"), item(unit, colUnitID)},
			From:  files,
			Where: append(append(s.existsBefore(b.plan.AsOf), hasID, hasUnit), among...),
		})
	}
	return sqlast.Select{
		Why: "pairs of ids, each once", With: []sqlast.CTE{{Name: "met", Query: unionOf(met)}}, Distinct: true,
		Items: []sqlast.Item{item(col("", "id"), "id"), item(col("", colUnitID), colUnitID)}, From: sqlast.Table{Name: "met"},
	}
}

// partners are the units that ids lead to: with strict the only partner, with
// first_touch the one that was exposed first, ties by id.
func (b *builder) partners(pairs, exposure string) sqlast.Select {
	var parts sqlast.Union
	d := b.plan.Identity
	if len(d.Strict) > 0 {
		var keys sqlast.Values
		for _, key := range d.Strict {
			keys = append(keys, []sqlast.Expr{sqlast.Text(key)})
		}
		only := sqlast.Select{
			Items: []sqlast.Item{item(col("", "id"), "id"), item(aggregate(sqlast.Min, col("", colUnitID)), colUnitID)},
			From:  sqlast.Table{Name: pairs}, GroupBy: []sqlast.Expr{col("", "id")}, Having: compare(sqlast.Eq, countStar(), sqlast.Int(1)),
		}
		parts = append(parts, sqlast.Select{
			With:  []sqlast.CTE{{Name: "strict", Columns: []string{colExperiment}, Query: keys}, {Name: "only", Query: only}},
			Items: []sqlast.Item{item(col("e", colExperiment), colExperiment), item(col("o", "id"), "id"), item(col("o", colUnitID), colUnitID)},
			From:  sqlast.Join{Kind: sqlast.CrossJoin, L: sqlast.Table{Name: "only", Alias: "o"}, R: sqlast.Table{Name: "strict", Alias: "e"}},
		})
	}
	if len(d.FirstTouch) > 0 {
		first := aggregate(sqlast.Min, sqlast.Struct{{Name: "at", X: col("x", colExposedAt)}, {Name: "unit", X: col("x", colUnitID)}})
		parts = append(parts, sqlast.Select{
			Items: []sqlast.Item{item(col("x", colExperiment), colExperiment), item(col("p", "id"), "id"), item(sqlast.Field{X: first, Name: "unit"}, colUnitID)},
			From: sqlast.Join{L: sqlast.Table{Name: pairs, Alias: "p"}, R: sqlast.Table{Name: exposure, Alias: "x"},
				On: compare(sqlast.Eq, col("x", colUnitID), col("p", colUnitID))},
			Where:   sqlast.And{oneOf(col("x", colExperiment), d.FirstTouch), compare(sqlast.Greater, col("x", colImpressions), sqlast.Int(0))},
			GroupBy: []sqlast.Expr{col("x", colExperiment), col("p", "id")},
		})
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return sqlast.Select{
		With:  []sqlast.CTE{{Name: "partner", Query: parts}},
		Items: []sqlast.Item{item(col("", colExperiment), colExperiment), item(col("", "id"), "id"), item(col("", colUnitID), colUnitID)},
		From:  sqlast.Table{Name: "partner"},
	}
}

// ownID is the row's own id of the unit kind, missing where the source has none.
func (sc *scanBuilder) ownID() sqlast.Expr {
	if own := sc.src.unit(sc.plan.Kind); own != nil {
		return inRow(own.SQL)
	}
	return sqlast.Null{Type: sqlast.Type{Kind: sqlast.Varchar}}
}

// owned joins the rows of the source with their units in the table of
// exposures: by their own ids, else by the first other id that leads to one.
// with is what the relation needs.
func (sc *scanBuilder) owned(rows sqlast.From) (with []sqlast.CTE, from sqlast.From, on sqlast.And) {
	kinds := sc.plan.joins(sc.src)
	if len(kinds) == 0 {
		return nil, rows, sqlast.And{sc.src.unit(sc.plan.Kind).isUnit(col("x", colUnitID))}
	}
	from = rows
	own := sc.ownID()
	experiment := ""
	if len(kinds) > 1 {
		// Each experiment looks for itself which id leads to a unit first.
		var keys sqlast.Values
		for _, key := range sc.plan.Identity.experiments() {
			keys = append(keys, []sqlast.Expr{sqlast.Text(key)})
		}
		experiment = "joined"
		with = []sqlast.CTE{{Name: "joining", Columns: []string{colExperiment}, Query: keys}}
		from = sqlast.Join{Kind: sqlast.LeftJoin, L: from, R: sqlast.Table{Name: "joining", Alias: experiment}, On: isNull(own)}
	}
	units := []sqlast.Expr{own}
	for _, kind := range kinds {
		alias := "by " + kind
		id := when(isNull(own), inRow(sc.src.unit(kind).SQL))
		cond := sqlast.And{compare(sqlast.Eq, col(alias, "id"), id)}
		if experiment != "" {
			cond = append(cond, compare(sqlast.Eq, col(alias, colExperiment), col(experiment, colExperiment)))
		}
		from = sqlast.Join{Kind: sqlast.LeftJoin, L: from, R: sqlast.Table{Name: sc.identityTable(kind), Alias: alias}, On: cond}
		units = append(units, col(alias, colUnitID))
	}
	if experiment == "" {
		experiment = "by " + kinds[0]
	}
	return with, from, sqlast.And{
		compare(sqlast.Eq, call(sqlast.Coalesce, units...), col("x", colUnitID)),
		sqlast.Or{isNull(col(experiment, colExperiment)), compare(sqlast.Eq, col(experiment, colExperiment), col("x", colExperiment))},
	}
}

// idKey are the columns that make rows of the source one by id, but for the
// unit and the event: with ids joined also the row's own id.
func (sc *scanBuilder) idKey() []sqlast.Item {
	key := sc.src.idKey(sc.plan.Kind)
	if len(sc.plan.joins(sc.src)) > 0 {
		key = append(key, item(sc.ownID(), "id of "+sc.plan.Kind))
	}
	return key
}

func (d *Identity) describe() string {
	var parts []string
	if len(d.Strict) > 0 {
		parts = append(parts, "strictly for "+strings.Join(d.Strict, ", "))
	}
	if len(d.FirstTouch) > 0 {
		parts = append(parts, "by first touch for "+strings.Join(d.FirstTouch, ", "))
	}
	return strings.Join(parts, ", ")
}
