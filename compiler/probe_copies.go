package compiler

import (
	"fmt"
	"maps"
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// mostProbedRows is how many rows, about, ProbeCopies looks at: those of as
// many ids as it takes, with all the copies of each.
const mostProbedRows = 20_000_000

// ProbeCopies asks about rows of a source with the same id, unit and event
// (impressions: experiment and flag): how many are copies of another on the same
// date, how many rows on one date have copies that differ in a mapped column, and
// how many occur on several dates, where they count once each. Of a large
// source it looks at one in every so many ids. It reports false for a source without ids.
func ProbeCopies(s *Source) (query sqlast.Select, every int64, ok bool) {
	if len(s.ID) == 0 {
		return sqlast.Select{}, 0, false
	}
	read := s.whole()
	where := sqlast.And{}
	if s.Where != nil {
		where = append(where, inRow(s.Where))
	}
	var ids, key []sqlast.Expr
	for _, f := range s.ID {
		ids = append(ids, inRow(f.SQL))
		where = append(where, notNull(inRow(f.SQL)))
	}
	for _, u := range s.Units {
		key = append(key, inRow(u.SQL))
	}
	for _, f := range []*Field{&s.Event, s.Experiment, s.Flag} {
		if f != nil && f.SQL != nil {
			key = append(key, inRow(f.SQL))
		}
	}
	time := inRow(s.Time.SQL)
	where = append(where, notNull(time))
	if every = s.Rows/mostProbedRows + 1; every > 1 {
		where = append(where, compare(sqlast.Eq, call(sqlast.Mod, call(sqlast.Hash, ids...), sqlast.Int(every)), sqlast.Int(0)))
	}
	rows := sqlast.Select{Items: []sqlast.Item{item(call(sqlast.Hash, s.content()...), "content")}, From: read, Where: where}
	var same []sqlast.Expr // what the copies of a row have in common, the date last
	for i, x := range slices.Concat(ids, key, []sqlast.Expr{call(sqlast.DateOf, time)}) {
		name := fmt.Sprintf("k%d", i)
		rows.Items = append(rows.Items, item(x, name))
		same = append(same, col("", name))
	}
	content := col("", "content")
	days := sqlast.Select{
		Items: []sqlast.Item{
			item(call(sqlast.Hash, same[:len(same)-1]...), colHash),
			item(countStar(), "rows"),
			item(compare(sqlast.NotEq, aggregate(sqlast.Min, content), aggregate(sqlast.Max, content)), "differs"),
		},
		From: sqlast.Table{Name: "rows"}, GroupBy: same,
	}
	dates := sqlast.Select{
		Items: []sqlast.Item{
			item(countStar(), "dates"),
			item(compare(sqlast.Sub, aggregate(sqlast.Sum, col("", "rows")), countStar()), "copies"),
			item(aggregate(sqlast.Count, when(col("", "differs"), sqlast.Int(1))), "differing"),
		},
		From: sqlast.Table{Name: "days"}, GroupBy: []sqlast.Expr{col("", colHash)},
	}
	several := compare(sqlast.Greater, col("", "dates"), sqlast.Int(1))
	return sqlast.Select{
		Why:  "which rows have copies, and whether they are alike",
		With: []sqlast.CTE{{Name: "rows", Query: rows}, {Name: "days", Query: days}, {Name: "dates", Query: dates}},
		Items: []sqlast.Item{
			item(sqlast.Cast{X: aggregate(sqlast.Sum, col("", "copies")), To: bigint}, "copies"),
			item(sqlast.Cast{X: aggregate(sqlast.Sum, col("", "differing")), To: bigint}, "differing"),
			item(aggregate(sqlast.Count, when(several, sqlast.Int(1))), "several dates"),
		},
		From: sqlast.Table{Name: "dates"},
	}, every, true
}

// content are the columns of a row in which copies can differ.
func (s *Source) content() []sqlast.Expr {
	out := []sqlast.Expr{inRow(s.Time.SQL)}
	for _, f := range []*Field{&s.Variation, s.Holdback, s.Value, s.Weight} {
		if f != nil && f.SQL != nil {
			out = append(out, inRow(f.SQL))
		}
	}
	for _, b := range []Bag{s.Properties, s.Attributes} {
		if b.From != nil {
			out = append(out, inRow(b.From))
		}
		for _, name := range slices.Sorted(maps.Keys(b.Named)) {
			out = append(out, inRow(b.Named[name].SQL))
		}
	}
	return out
}
