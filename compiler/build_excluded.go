package compiler

import (
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// Excluded units (semantics 2.3) are few, and are read once, into a table of
// ids for each unit kind. Rows that find one of their ids there do not exist.

func excludedTable(kind string) string { return "excluded_unit of " + kind }

func excludedAlias(kind string) string { return "excluded " + kind }

// excludedKinds are the unit kinds of which some source loses rows.
func (p *Plan) excludedKinds() []string {
	var out []string
	for _, u := range p.Units {
		sources := slices.Concat(u.Impressions, u.TraitSources)
		for _, s := range u.Scans {
			sources = append(sources, s.Source)
		}
		if u.Activation != nil {
			for _, s := range u.Activation.Plan.Scans {
				sources = append(sources, s.Source)
			}
		}
		for _, s := range sources {
			for _, kind := range s.Excluded {
				out = appendNew(out, kind)
			}
		}
	}
	slices.Sort(out)
	return out
}

// excludedUnits are the statements that read the ids of excluded units.
func (p *Plan) excludedUnits() []Statement {
	var out []Statement
	for _, kind := range p.excludedKinds() {
		var parts sqlast.Union
		for _, s := range p.Excluded {
			u := s.unit(kind)
			if u == nil {
				continue
			}
			read := s.whole()
			id, present := u.present()
			parts = append(parts, sqlast.Select{Items: []sqlast.Item{item(id, "id")}, From: read, Where: present})
		}
		query := sqlast.Select{
			Why:      "ids of excluded units, each once",
			With:     []sqlast.CTE{{Name: "listed", Query: unionOf(parts)}},
			Distinct: true,
			Items:    []sqlast.Item{item(col("", "id"), "id")},
			From:     sqlast.Table{Name: "listed"},
		}
		out = append(out, Statement{Name: excludedTable(kind), Why: "units whose rows do not exist",
			SQL: sqlast.CreateTable{Name: excludedTable(kind), Query: query}})
	}
	return out
}

// withExcluded joins rows of the source with the excluded units; among are the
// conditions of rows that are not of one.
func (s *Source) withExcluded(rows sqlast.From) (from sqlast.From, among sqlast.And) {
	from = rows
	for _, kind := range s.Excluded {
		alias := excludedAlias(kind)
		from = sqlast.Join{Kind: sqlast.LeftJoin, L: from, R: sqlast.Table{Name: excludedTable(kind), Alias: alias},
			On: s.unit(kind).isUnit(col(alias, "id"))}
		among = append(among, isNull(col(alias, "id")))
	}
	return from, among
}

// CountExcluded asks how many rows of a source carry an excluded id. It reads
// the tables of excluded units.
func CountExcluded(s *Source) sqlast.Select {
	read := s.whole()
	from, among := s.withExcluded(read)
	var filter sqlast.Expr
	if s.Where != nil {
		filter = inRow(s.Where)
	}
	return sqlast.Select{
		Why:   "how many rows are of excluded units",
		Items: []sqlast.Item{item(countStar(), "rows")},
		From:  from,
		Where: all(filter, sqlast.Not{X: all(among...)}),
	}
}

// Excludes reports whether the tables of excluded units hold what a source
// loses rows for.
func (p *Program) Excludes(s *Source) bool {
	if len(p.Units) == 0 {
		return false
	}
	return !slices.ContainsFunc(s.Excluded, func(kind string) bool {
		return !slices.ContainsFunc(p.Units[0].Exposures, func(st Statement) bool { return st.Name == excludedTable(kind) })
	})
}
