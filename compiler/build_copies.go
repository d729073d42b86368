package compiler

import (
	"fmt"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// Copies of a row (semantics 2.4) are few. Grouping every row by its id costs
// more than everything else together, so that the rows are kept once, a hash
// of id and unit says which may have copies, and only those are grouped. The
// hash only chooses candidates: rows are made one by the id itself.

// colHash is the hash of the id and the unit of a row, NULL without an id.
const colHash = "h"

// idKey are the columns that make rows one by id, but for the unit and the
// event (or experiment): the id and the ids of other unit kinds.
func (s *Source) idKey(unitKind string) []sqlast.Item {
	var out []sqlast.Item
	for i, f := range s.ID {
		out = append(out, item(inRow(f.SQL), numbered("id", i, len(s.ID))))
	}
	for _, u := range s.Units {
		if u.Kind != unitKind {
			out = append(out, item(inRow(u.SQL), "id of "+u.Kind))
		}
	}
	return out
}

func numbered(name string, i, n int) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%s.%d", name, i+1)
}

// hash is the hash of a row's id and unit. A missing id equals nothing.
func (s *Source) hash(unit sqlast.Expr) sqlast.Expr {
	args := []sqlast.Expr{unit}
	var present []sqlast.Expr
	for _, f := range s.ID {
		args = append(args, inRow(f.SQL))
		if !f.NeverNull {
			present = append(present, notNull(inRow(f.SQL)))
		}
	}
	h := call(sqlast.Hash, args...)
	if cond := all(present...); cond != nil {
		h = when(cond, h)
	}
	return h
}

// copies finds the hashes that several rows of a table have.
func copies(rows string) sqlast.Select {
	h := col("", colHash)
	return sqlast.Select{
		Why:     "rows that may be copies of each other",
		Items:   []sqlast.Item{item(h, colHash)},
		From:    sqlast.Table{Name: rows},
		Where:   notNull(h),
		GroupBy: []sqlast.Expr{h},
		Having:  compare(sqlast.Greater, countStar(), sqlast.Int(1)),
	}
}

// single are the columns of the rows that have no copies.
func single(rows, copies string, items []sqlast.Item, where sqlast.Expr) sqlast.Select {
	return sqlast.Select{
		Items: append(items, item(sqlast.Int(1), "copies")),
		From: sqlast.Join{Kind: sqlast.LeftJoin, L: sqlast.Table{Name: rows, Alias: "d"}, R: sqlast.Table{Name: copies, Alias: "c"},
			On: compare(sqlast.Eq, col("c", colHash), col("d", colHash))},
		Where: all(isNull(col("c", colHash)), where),
	}
}

// merged makes the rows that may be copies one where they agree in the
// columns of key and in the day, with the smallest value of each other column.
func merged(rows, copies string, key, hidden, smallest []string) sqlast.Select {
	sel := sqlast.Select{
		Why: "copies are one row, with the smallest value of each column",
		From: sqlast.Join{L: sqlast.Table{Name: rows, Alias: "d"}, R: sqlast.Table{Name: copies, Alias: "c"},
			On: compare(sqlast.Eq, col("c", colHash), col("d", colHash))},
	}
	for _, name := range key {
		sel.Items = append(sel.Items, item(col("d", name), name))
		sel.GroupBy = append(sel.GroupBy, col("d", name))
	}
	for _, name := range hidden {
		sel.GroupBy = append(sel.GroupBy, col("d", name))
	}
	sel.GroupBy = append(sel.GroupBy, call(sqlast.DateOf, col("d", colTime)))
	for _, name := range smallest {
		sel.Items = append(sel.Items, item(aggregate(sqlast.Min, col("d", name)), name))
	}
	sel.Items = append(sel.Items, item(countStar(), "copies"))
	return sel
}

func itemNames(items []sqlast.Item) []string {
	var out []string
	for _, it := range items {
		out = append(out, it.As)
	}
	return out
}

// kept are columns of the table d.
func kept(names []string) []sqlast.Item {
	var out []sqlast.Item
	for _, name := range names {
		out = append(out, item(col("d", name), name))
	}
	return out
}

// rows are the statements that keep the matched rows of a source with ids, and
// find those that may have copies.
func (sc *scanBuilder) rows(i, n int) []Statement {
	sc.counted()
	return []Statement{
		{Name: sc.rowsTable(), Why: "events of exposed units, kept to find copies among them",
			SQL: sqlast.CreateTable{Name: sc.rowsTable(), Query: sc.matched(i, n)}},
		{Name: sc.copiesTable(), Why: "which of them may be copies of each other",
			SQL: sqlast.CreateTable{Name: sc.copiesTable(), Query: copies(sc.rowsTable())}},
	}
}

// dropped are the tables that only the sums of units needed.
func (sc *scanBuilder) dropped() []string {
	if len(sc.src.ID) == 0 {
		return nil
	}
	return []string{sc.rowsTable(), sc.copiesTable()}
}

func (sc *scanBuilder) rowsTable() string {
	return "event_rows" + sc.stage + " of " + sc.src.spelled() + sc.suffix
}

func (sc *scanBuilder) copiesTable() string {
	return "event_copies" + sc.stage + " of " + sc.src.spelled() + sc.suffix
}

// colInReach says whether the instant of a row is in the time that matters for
// its unit; rows of the whole first and last day are read.
const colInReach = "in reach"

// merged makes copies of events one.
func (sc *scanBuilder) merged() sqlast.Select {
	smallest := append([]string{colTime}, itemNames(sc.raw)...)
	return merged(sc.rowsTable(), sc.copiesTable(), []string{colUnit, colEvent}, itemNames(sc.idKey()), smallest)
}

// distinct are the events without copies, and merged ones; the instant of
// those is known only now, so that they meet their exposures again.
func (sc *scanBuilder) distinct() sqlast.Union {
	at := col("d", colTime)
	start, end := sc.reach()
	columns := append(append([]string{colUnit, colEvent}, itemNames(sc.timed(at))...), itemNames(sc.raw)...)
	again := kept([]string{colUnit, colEvent})
	again = append(append(again, sc.timed(at)...), kept(itemNames(sc.raw))...)
	return sqlast.Union{
		single(sc.rowsTable(), sc.copiesTable(), kept(columns), col("d", colInReach)),
		{
			Items: append(again, item(col("d", "copies"), "copies")),
			From: sqlast.Join{L: sqlast.Table{Name: "merged", Alias: "d"}, R: sqlast.Table{Name: sc.table("exposure"), Alias: "x"},
				On: sqlast.And{compare(sqlast.Eq, rowID(), col("d", colUnit)),
					compare(sqlast.GreaterEq, at, start), compare(sqlast.Less, at, end)}},
		},
	}
}
