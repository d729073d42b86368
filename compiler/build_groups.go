package compiler

import (
	"math/big"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// groupColumn is the column of the group that a row is in, NULL where it is in
// none.
func groupColumn(n *Measure) string { return n.Name + " group" }

// group is the group of a row: the text of the property, or where each row is
// a group, whether it is one.
func (s *rowScope) group(in, counted sqlast.Expr) sqlast.Expr {
	g := s.measure.Group
	switch {
	case g.Property != "":
		text := s.text(Ref{Kind: RefProperty, Name: g.Property})
		if in != nil {
			return when(in, text)
		}
		return text
	case g.OnlyCounted:
		return when(notNull(counted), sqlast.Bool(true))
	case in == nil:
		return sqlast.Bool(true)
	}
	return when(in, sqlast.Bool(true))
}

// text is what is stored under a name as text, whatever type is declared.
func (s *rowScope) text(r Ref) sqlast.Expr {
	field, name, ok := s.stored(r)
	if !ok {
		return sqlast.Null{Type: sqlast.Type{Kind: sqlast.Varchar}}
	}
	stored, _ := beforeReading(field.SQL)
	return asText(s.raw(name, inRow(stored), extracted(stored)), field)
}

// groupsOfUnits sums the numbers of the groups of each unit.
func (b *builder) groupsOfUnits(d *Derived, values string) sqlast.Select {
	g := d.Groups
	unit := item(col("", colUnit), colUnit)
	sum, groups := d.Measures[0], d.Measures[1]
	from := "number"
	var with []sqlast.CTE
	if d.Kept {
		from = b.groupTable(d)
	} else {
		with = append(b.groupNumbers(g, values), sqlast.CTE{Name: from, Query: b.groupNumber(g)})
	}
	x := sqlast.Expr(col("", "x"))
	items := []sqlast.Item{unit,
		item(sqlast.Cast{X: aggregate(sqlast.Sum, col("", "rows")), To: bigint}, rowsColumn(sum)),
		item(aggregate(sqlast.Count, x), rowsColumn(groups)),
	}
	if !sum.weighted() {
		items = append(items, item(aggregate(sqlast.Sum, x), sumColumn(sum)))
	} else {
		items = append(items, item(aggregate(sqlast.Sum, col("", colWeight)), aggWeights.column(sum)))
		if groups.weighted() {
			times := col("", colTimes)
			items = append(items, item(aggregate(sqlast.Sum, when(notNull(x), times)), aggWeights.column(groups)))
			x = sqlast.Case{Whens: []sqlast.When{{If: fits(x), Then: compare(sqlast.Mul, sqlast.Cast{X: x, To: hugeint}, times)}}, Else: x}
		}
		items = append(items, item(aggregate(sqlast.Sum, x), aggWeightedSum.column(sum)))
	}
	return sqlast.Select{
		Why:     d.describe(),
		With:    with,
		Items:   items,
		From:    sqlast.Table{Name: from},
		GroupBy: []sqlast.Expr{col("", colUnit)},
	}
}

// colTimes is how many groups a group stands for.
const colTimes = "times"

// eachGroup is the number of each group, as a table.
func (b *builder) eachGroup(d *Derived, values string) sqlast.Select {
	out := b.groupNumber(d.Groups)
	out.Why, out.With = d.describe(), b.groupNumbers(d.Groups, values)
	return out
}

// groupNumbers aggregates the kept rows by group.
func (b *builder) groupNumbers(g *GroupValue, values string) []sqlast.CTE {
	n := g.ofRows().Measure
	unit := item(col("", colUnit), colUnit)
	rows := []sqlast.Item{unit, item(ofListed(colTime), colTime), item(ofListed("value"), n.Name)}
	weighted := g.Measure.weighted()
	if weighted {
		rows = append(rows, item(ofListed(colWeight), colWeight))
	}
	group := ofListed("group")
	if g.byRow() {
		group = sqlast.RowNumber{PartitionBy: []sqlast.Expr{col("", colUnit)}, OrderBy: []sqlast.Order{{X: ofListed(colTime)}}}
	}
	rows = append(rows, item(group, "group"))
	return []sqlast.CTE{
		{Name: "kept", Query: listed(g.Measure, values)},
		{Name: "rows", Query: sqlast.Select{Items: rows, From: sqlast.Table{Name: "kept"}}},
		{Name: "group", Query: g.ofTable("rows")},
	}
}

// ofTable aggregates the rows of a table by unit and group.
func (g *GroupValue) ofTable(rows string) sqlast.Select {
	n := g.ofRows().Measure
	weighted := g.Measure.weighted()
	unit := item(col("", colUnit), colUnit)
	each := sqlast.Select{Items: []sqlast.Item{unit}, From: sqlast.Table{Name: rows}, GroupBy: []sqlast.Expr{col("", colUnit), col("", "group")}}
	each.Items = append(each.Items, item(aggregate(sqlast.Count, col("", n.Name)), rowsColumn(n)))
	if weighted {
		each.Items = append(each.Items, item(aggWeights.ofRows(n, true), colWeight))
		if g.byRow() {
			each.Items = append(each.Items, item(aggregate(sqlast.Max, col("", colWeight)), colTimes))
		}
	}
	for _, a := range aggregatesOf(g.Op, n) {
		each.Items = append(each.Items, item(a.ofRows(n, n.weighted()), a.column(n)))
	}
	return each
}

// groupNumber is the number of each group, and how many rows it is of: NULL for
// groups that are left out, and as large as a row that is too large. Further columns
// of the groups are handed on.
func (b *builder) groupNumber(g *GroupValue, handed ...string) sqlast.Select {
	s := emptySums(b)
	of := s.side(g.ofRows())
	x := of.x
	if of.whole != nil {
		if g.Op == OpSum && g.Threshold == nil || g.Op == OpCount && g.Threshold == nil {
			x = of.whole
		} else {
			x = sqlast.Case{Whens: []sqlast.When{{If: notNull(of.x), Then: of.x}, {If: notNull(of.whole), Then: tooLarge}}}
		}
	}
	if g.Zero {
		x = call(sqlast.Coalesce, x, literal(g.without(new(big.Int))))
	}
	inner := sqlast.Select{Items: append([]sqlast.Item{item(col("u", colUnit), colUnit)}, s.numbers...), From: b.joined("group")}
	out := []sqlast.Item{item(col("", colUnit), colUnit), item(of.rows, "rows"), item(x, "x")}
	if g.Measure.weighted() {
		handed = append(handed, colWeight)
		if g.byRow() {
			handed = append(handed, colTimes)
		}
	}
	for _, name := range handed {
		inner.Items = append(inner.Items, item(col("u", name), name))
		out = append(out, item(col("", name), name))
	}
	return sqlast.Select{Items: out, From: sqlast.Subquery{Query: inner, Alias: "number"}}
}
