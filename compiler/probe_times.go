package compiler

import (
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// ProbeTimes asks about the times of a source: in how many rows there is one, in how
// many it is a midnight, and for the first and the last in microseconds, missing where
// there is none.
func ProbeTimes(s *Source) sqlast.Select {
	micros := call(sqlast.TimeToMicros, inRow(s.Time.SQL))
	isMidnight := compare(sqlast.Eq, call(sqlast.Mod, micros, sqlast.Int(day.Microseconds())), sqlast.Int(0))
	var filter sqlast.Expr
	if s.Where != nil {
		filter = inRow(s.Where)
	}
	return sqlast.Select{
		Why: "from when to when the rows are",
		Items: []sqlast.Item{
			item(aggregate(sqlast.Count, micros), "rows"),
			item(aggregate(sqlast.Count, when(isMidnight, sqlast.Int(1))), "midnights"),
			item(aggregate(sqlast.Min, micros), "first"),
			item(aggregate(sqlast.Max, micros), "last"),
		},
		From: s.whole(), Where: filter,
	}
}

// LooksTwice reports whether so many rows, of which so few contents differ, are rather
// rows that were loaded twice than such as happen to be equal.
func LooksTwice(rows, contents int64) bool {
	const few = 10
	return rows >= few && float64(contents) <= 0.55*float64(rows)
}

// ProbeEqualRows asks how many rows a source of events has, and how many that differ in
// something that is mapped. Of a large source it looks at the rows of one in every so
// many units. It reports false where equal rows are told apart by an id, or are one.
func ProbeEqualRows(s *Source) (sqlast.Select, bool) {
	if len(s.ID) > 0 || s.Def.Dedupe.V == metrics.DedupeRow || len(s.Units) == 0 {
		return sqlast.Select{}, false
	}
	id := inRow(s.Units[0].SQL)
	filter := sqlast.And{notNull(id)}
	if s.Where != nil {
		filter = append(filter, inRow(s.Where))
	}
	if every := s.Rows/mostProbedRows + 1; every > 1 {
		filter = append(filter, compare(sqlast.Eq, call(sqlast.Mod, call(sqlast.Hash, id), sqlast.Int(every)), sqlast.Int(0)))
	}
	content := s.content()
	for _, u := range s.Units {
		content = append(content, inRow(u.SQL))
	}
	content = append(content, inRow(s.Event.SQL))
	return sqlast.Select{
		Why: "how many rows are equal",
		With: []sqlast.CTE{{Name: "contents", Query: sqlast.Select{
			Items: []sqlast.Item{item(call(sqlast.Hash, content...), "content"), item(countStar(), "rows")},
			From:  s.whole(), Where: filter, GroupBy: []sqlast.Expr{call(sqlast.Hash, content...)},
		}}},
		Items: []sqlast.Item{
			item(sqlast.Cast{X: aggregate(sqlast.Sum, col("", "rows")), To: bigint}, "rows"), item(countStar(), "contents"),
		},
		From: sqlast.Table{Name: "contents"},
	}, true
}
