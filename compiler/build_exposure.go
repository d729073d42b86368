package compiler

import (
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// maxSegmentValues is how many values of a segment are kept; the rest is (other).
const maxSegmentValues = 50

// exposures are the statements that find who was exposed to what and when.
func (b *builder) exposures() []Statement {
	var out, after []Statement
	for _, s := range b.plan.Impressions {
		if len(s.ID) == 0 {
			continue
		}
		rows, twins := b.impressionTables(s)
		out = append(out,
			Statement{Name: rows, Why: "impressions that can match, kept to find copies among them",
				SQL: sqlast.CreateTable{Name: rows, Query: b.impressionRows(s)}},
			Statement{Name: twins, Why: "which of them may be copies of each other",
				SQL: sqlast.CreateTable{Name: twins, Query: copies(rows)}})
		for _, t := range []string{rows, twins} {
			after = append(after, Statement{Name: t, Why: "no longer needed", SQL: sqlast.DropTable{Name: t}})
		}
	}
	out = append(out, Statement{Name: b.table("exposure"), Why: "one row for each unit and experiment, from one pass over the impressions",
		SQL: sqlast.CreateTable{Name: b.table("exposure"), Query: b.exposureQuery()}})
	out = append(out, after...)
	if len(b.segments()) > 0 {
		out = append(out, Statement{Name: b.table("segment_value"), Why: "the most frequent values of each segment; the others are (other)",
			SQL: sqlast.CreateTable{Name: b.table("segment_value"), Query: b.segmentValues()}})
	}
	out = append(out, Statement{Name: b.table("exposure_cell"), Why: "units by experiment, variation, day of exposure and segment values",
		SQL: sqlast.CreateTable{Name: b.table("exposure_cell"), Query: b.exposureCells()}})
	return append(out, b.exposureResults()...)
}

// instants gives the earliest start and the latest end of impressions.
func (b *builder) instants(s *Source) (from, to time.Time) {
	for _, x := range b.plan.Experiments {
		if !slices.Contains(x.Sources, s) {
			continue
		}
		if from.IsZero() || x.Starts.Before(from) {
			from = x.Starts
		}
		if to.IsZero() || x.Ends.After(to) {
			to = x.Ends
		}
	}
	return from, to
}

// uses reports whether some experiment does.
func (b *builder) uses(f func(*ExperimentPlan) bool) bool {
	return slices.ContainsFunc(b.plan.Experiments, f)
}

func keepsFirst(x *ExperimentPlan) bool { return x.Def.Multiple.V == metrics.MultipleFirst }

func (b *builder) exposureQuery() sqlast.Select {
	var with []sqlast.CTE
	var shown sqlast.Union
	for _, s := range b.plan.Impressions {
		name := ""
		if len(b.plan.Impressions) > 1 {
			name = " of " + s.Def.Name.V
		}
		m := b.matching(s)
		with = append(with, sqlast.CTE{Name: "match" + name, Columns: m.columns, Query: m.rows})
		from := sqlast.From(nil)
		if len(s.ID) > 0 {
			with = append(with, sqlast.CTE{Name: "distinct impressions" + name, Query: b.distinctImpressions(s)})
			from = sqlast.Table{Name: "distinct impressions" + name, Alias: rowAlias}
		}
		shown = append(shown, b.shown(s, m, "match"+name, from))
	}
	with = append(with,
		sqlast.CTE{Name: "variation", Columns: []string{colExperiment, "shown", "position", "ignored"}, Query: b.variations()},
		sqlast.CTE{Name: "shown", Query: unionOf(shown)},
		sqlast.CTE{Name: "unit", Query: b.unitsShown()},
		sqlast.CTE{Name: "period", Columns: []string{colExperiment, colObserveUntil, colWindowsUntil}, Query: b.periods()},
		sqlast.CTE{Name: "name", Columns: []string{colExperiment, "position", colVariation}, Query: b.names()},
	)
	unit := func(name string) sqlast.Expr { return col("u", name) }
	items := []sqlast.Item{
		item(unit(colUnitID), colUnitID),
		item(unit(colExperiment), colExperiment),
		item(col("n", colVariation), colVariation),
		item(b.firstTime(), colExposedAt),
		item(col("p", colObserveUntil), colObserveUntil),
		item(col("p", colWindowsUntil), colWindowsUntil),
		item(unit(colImpressions), colImpressions),
		item(unit("unknown_variation"), "unknown_variation"),
		item(compare(sqlast.NotEq, unit("smallest"), unit("largest")), colSeveral),
	}
	for _, name := range b.lostColumns() {
		items = append(items, item(unit(name), name))
	}
	items = append(items, b.windowColumns()...)
	for _, a := range b.plan.Attributes {
		items = append(items, item(b.exposedAttribute(a), attributeColumn(a)))
	}
	items = append(items, sqlast.Item{X: b.dropped(), As: colDropped, Why: "why the unit is left out; NULL where it is not"})
	return sqlast.Select{
		Why:   "the exposure of a unit is its first impression in the experiment",
		With:  with,
		Items: items,
		From: sqlast.Join{Kind: sqlast.LeftJoin,
			L: sqlast.Join{L: sqlast.Table{Name: "unit", Alias: "u"}, R: sqlast.Table{Name: "period", Alias: "p"},
				On: compare(sqlast.Eq, col("p", colExperiment), unit(colExperiment))},
			R: sqlast.Table{Name: "name", Alias: "n"},
			On: sqlast.And{compare(sqlast.Eq, col("n", colExperiment), unit(colExperiment)),
				compare(sqlast.Eq, col("n", "position"), b.positionIn("first"))}},
	}
}

// lostColumns are the counts of impressions that some sources can lose.
func (b *builder) lostColumns() []string {
	var out []string
	if b.someHoldback() {
		out = append(out, "holdback")
	}
	if b.someID() {
		out = append(out, "duplicate")
	}
	return out
}

func unionOf(list sqlast.Union) sqlast.Query {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func (b *builder) exposedAttribute(name string) sqlast.Expr {
	return sqlast.Field{X: col("u", attributeColumn(name)), Name: "value"}
}

// dropped is the reason why a unit is left out, in the order of semantics 3.
func (b *builder) dropped() sqlast.Expr {
	several := compare(sqlast.NotEq, col("u", "smallest"), col("u", "largest"))
	c := sqlast.Case{Whens: []sqlast.When{
		{If: compare(sqlast.Eq, col("u", colImpressions), sqlast.Int(0)), Then: sqlast.Text("no_impression")},
	}}
	for _, x := range b.plan.Experiments {
		cond := several
		if keepsFirst(x) {
			// first keeps the exposure's variation, unless the first instant itself shows two.
			cond = compare(sqlast.NotEq, compare(sqlast.Add, b.positionIn("first"), b.positionIn("tied")), sqlast.Int(b.positions()-1))
		}
		c.Whens = append(c.Whens, sqlast.When{If: all(b.isExperiment(x), cond), Then: sqlast.Text("several_variations")})
	}
	for _, x := range b.plan.Experiments {
		if x.Audience == nil {
			continue
		}
		scope := &audienceScope{sources: x.Sources, column: b.exposedAttribute}
		in := call(sqlast.Coalesce, x.Audience.Condition(scope), sqlast.Bool(false))
		c.Whens = append(c.Whens, sqlast.When{If: all(b.isExperiment(x), sqlast.Not{X: in}), Then: sqlast.Text("audience")})
	}
	if !b.uses(keepsFirst) {
		// Every experiment leaves units in several variations out: one condition says it.
		c.Whens = append(append(slices.Clone(c.Whens[:1]), sqlast.When{If: several, Then: sqlast.Text("several_variations")}),
			c.Whens[1+len(b.plan.Experiments):]...)
	}
	return c
}

func (b *builder) isExperiment(x *ExperimentPlan) sqlast.Expr {
	if len(b.plan.Experiments) == 1 {
		return nil
	}
	return compare(sqlast.Eq, col("u", colExperiment), sqlast.Text(x.Def.Key.V))
}

// matching says which impressions of a source belong to which experiment.
type matching struct {
	columns []string
	rows    sqlast.Values
	on      sqlast.And // over the row and the alias m
}

// matching builds the constant relation that impressions are matched with:
// one row for each experiment and value that it matches.
func (b *builder) matching(s *Source) matching {
	m := matching{columns: []string{colExperiment, "match_experiment", "match_flag", "starts", "ends", "holdback_position"}}
	someExperiment, allExperiment, someFlag, allFlag := false, true, false, true
	for _, x := range b.plan.Experiments {
		if !slices.Contains(x.Sources, s) {
			continue
		}
		exps, flags := x.matches(s)
		someExperiment, allExperiment = someExperiment || exps[0] != nil, allExperiment && exps[0] != nil
		someFlag, allFlag = someFlag || flags[0] != nil, allFlag && flags[0] != nil
		for _, e := range exps {
			for _, f := range flags {
				m.rows = append(m.rows, []sqlast.Expr{sqlast.Text(x.Def.Key.V), orNull(e), orNull(f),
					sqlast.Timestamp(x.Starts), sqlast.Timestamp(x.Ends), x.holdbackPosition()})
			}
		}
	}
	condition := func(some, every bool, field *Field, column string) {
		if !some {
			return
		}
		same := compare(sqlast.Eq, inRow(field.SQL), col("m", column))
		if every {
			m.on = append(m.on, same)
			return
		}
		m.on = append(m.on, sqlast.Or{isNull(col("m", column)), same})
	}
	condition(someExperiment, allExperiment, s.Experiment, "match_experiment")
	condition(someFlag, allFlag, s.Flag, "match_flag")
	return m
}

// matches gives the values of experiment and flag that an experiment matches
// in a source; a nil entry: any.
func (x *ExperimentPlan) matches(s *Source) (experiments, flags []*string) {
	e := x.Def
	values := func(list []metrics.Text) []*string {
		if len(list) == 0 {
			return []*string{nil}
		}
		var out []*string
		for _, t := range list {
			out = appendNewText(out, t.V)
		}
		return out
	}
	switch {
	case e.Match.Set:
		return values(e.Match.Experiment), values(e.Match.Flag)
	case s.Experiment != nil:
		return []*string{&e.Key.V}, []*string{nil}
	default:
		return []*string{nil}, []*string{&e.Flag.V}
	}
}

func appendNewText(list []*string, v string) []*string {
	for _, have := range list {
		if *have == v {
			return list
		}
	}
	return append(list, &v)
}

func orNull(v *string) sqlast.Expr {
	if v == nil {
		return sqlast.Null{Type: sqlast.Type{Kind: sqlast.Varchar}}
	}
	return sqlast.Text(*v)
}

// holdbackPosition is the position of the variation that holdback rows become.
func (x *ExperimentPlan) holdbackPosition() sqlast.Expr {
	if !x.Def.HoldbackAs.Set {
		return noPosition
	}
	return sqlast.Int(int64(positionOf(x.Def, x.Def.HoldbackAs.V)))
}

// impressionTables name the tables of a source with ids: its impressions, and
// the hashes that several of them have.
func (b *builder) impressionTables(s *Source) (rows, copies string) {
	of := " of " + s.Def.Name.V + b.suffix
	return "impression_rows" + of, "impression_copies" + of
}

// impressionKey are the columns in which copies of an impression agree, its id
// and other units apart.
func (s *Source) impressionKey() []string {
	key := []string{colUnitID}
	if s.Experiment != nil {
		key = append(key, "match_experiment")
	}
	if s.Flag != nil {
		key = append(key, "match_flag")
	}
	return key
}

// impressionColumns are the other columns that exposures need.
func (b *builder) impressionColumns(s *Source) []sqlast.Item {
	out := []sqlast.Item{item(inRow(s.Time.SQL), colTime), item(inRow(s.Variation.SQL), "shown")}
	if s.Holdback != nil {
		out = append(out, item(inRow(s.Holdback.SQL), "is_holdback"))
	}
	for _, a := range b.plan.Attributes {
		if f, ok := s.Attributes.Lookup(a); ok {
			out = append(out, item(inRow(f.SQL), attributeColumn(a)))
		}
	}
	return out
}

// impressionRows are the impressions of a source with ids that can match, of
// whole days.
func (b *builder) impressionRows(s *Source) sqlast.Select {
	from, to := b.instants(s)
	from, to = dayOf(from), earlier(nextDay(to), b.plan.AsOf)
	files := s.read(from, to)
	id, present := s.unit(b.plan.Kind).present()
	items := []sqlast.Item{item(id, colUnitID)}
	conds := append(s.exists(from, to), present)
	m := b.matching(s)
	for i, f := range []*Field{s.Experiment, s.Flag} {
		if f == nil {
			continue
		}
		items = append(items, item(inRow(f.SQL), m.columns[1+i]))
		if keys := m.keys(1 + i); len(keys) > 0 {
			conds = append(conds, sqlast.In{X: inRow(f.SQL), List: keys})
		}
	}
	items = append(items, b.impressionColumns(s)...)
	items = append(items, s.idKey(b.plan.Kind)...)
	return sqlast.Select{
		Why:   "impressions that can match, of whole days",
		Items: append(items, item(s.hash(id), colHash)),
		From:  files,
		Where: conds,
	}
}

// distinctImpressions makes impressions with the same id, unit, experiment (or
// flag) and day one row, with the smallest value of each column on its own.
func (b *builder) distinctImpressions(s *Source) sqlast.Union {
	rows, twins := b.impressionTables(s)
	columns := itemNames(b.impressionColumns(s))
	return sqlast.Union{
		single(rows, twins, kept(append(s.impressionKey(), columns...)), nil),
		merged(rows, twins, s.impressionKey(), itemNames(s.idKey(b.plan.Kind)), columns),
	}
}

// keys are the values of a column of the matching that can match at all; none
// where some experiment matches any.
func (m matching) keys(column int) []sqlast.Expr {
	var out []sqlast.Expr
	for _, row := range m.rows {
		if _, null := row[column].(sqlast.Null); null {
			return nil
		}
		if !slices.Contains(out, row[column]) {
			out = append(out, row[column])
		}
	}
	return out
}

// shown gives the impressions of the experiments, one row each: unit,
// experiment, instant, variation (NULL for unknown ones and dropped
// holdbacks) and attributes. from is the relation of distinct impressions, nil
// where the files are read as they are.
func (b *builder) shown(s *Source, m matching, match string, from sqlast.From) sqlast.Select {
	field := func(f *Field, name string) sqlast.Expr {
		if from != nil {
			return col(rowAlias, name)
		}
		return inRow(f.SQL)
	}
	ts, shown := field(&s.Time, "ts"), field(&s.Variation, "shown")
	on := sqlast.And{}
	var where sqlast.And
	rows := from
	unitID, present := sqlast.Expr(col(rowAlias, colUnitID)), sqlast.Expr(nil)
	if from == nil {
		unitID, present = s.unit(b.plan.Kind).present()
		lo, hi := b.instants(s)
		files := s.read(lo, hi)
		rows = files
		where = append(s.exists(lo, hi), present)
		on = append(on, m.on...)
	} else {
		on = append(on, m.onDistinct()...)
	}
	where = append(where, notNull(shown))
	on = append(on, compare(sqlast.GreaterEq, ts, col("m", "starts")), compare(sqlast.Less, ts, col("m", "ends")))
	position := sqlast.Expr(col("v", "position"))
	holdback := sqlast.Expr(sqlast.Bool(false))
	if s.Holdback != nil {
		holdback = call(sqlast.Coalesce, field(s.Holdback, "is_holdback"), sqlast.Bool(false))
		position = sqlast.Case{Whens: []sqlast.When{{If: holdback, Then: col("m", "holdback_position")}}, Else: position}
	}
	if b.uses(func(x *ExperimentPlan) bool { return len(x.Def.IgnoreVariations) > 0 }) {
		where = append(where, sqlast.Not{X: call(sqlast.Coalesce, col("v", "ignored"), sqlast.Bool(false))})
	}
	sel := sqlast.Select{
		Why: "impressions of the experiments",
		Items: []sqlast.Item{
			item(unitID, colUnitID),
			item(col("m", colExperiment), colExperiment),
			item(ts, "ts"),
			{X: position, As: "position", Why: "of the variation, by its key; NULL where it is not in the file"},
		},
		Where: where,
	}
	if b.someHoldback() {
		sel.Items = append(sel.Items, item(holdback, "is_holdback"))
	}
	if b.someID() {
		copies := sqlast.Expr(sqlast.Int(1))
		if from != nil {
			copies = col(rowAlias, "copies")
		}
		sel.Items = append(sel.Items, item(copies, "copies"))
	}
	for _, a := range b.plan.Attributes {
		x := sqlast.Expr(sqlast.Null{Type: sqlast.Type{Kind: sqlast.Varchar}})
		if f, ok := s.Attributes.Lookup(a); ok {
			x = field(&f, attributeColumn(a))
		}
		sel.Items = append(sel.Items, item(x, attributeColumn(a)))
	}
	sel.From = sqlast.Join{Kind: sqlast.LeftJoin,
		L: sqlast.Join{L: rows, R: sqlast.Table{Name: match, Alias: "m"}, On: on},
		R: sqlast.Table{Name: "variation", Alias: "v"},
		On: sqlast.And{compare(sqlast.Eq, col("v", colExperiment), col("m", colExperiment)),
			compare(sqlast.Eq, col("v", "shown"), shown)}}
	return sel
}

// onDistinct is the match condition over distinct impressions, whose
// experiment and flag are columns of their own.
func (m matching) onDistinct() sqlast.And {
	renamed := func(c sqlast.Binary) sqlast.Binary {
		c.L = col(rowAlias, c.R.(sqlast.Column).Name)
		return c
	}
	var out sqlast.And
	for _, c := range m.on {
		switch c := c.(type) {
		case sqlast.Binary:
			out = append(out, renamed(c))
		case sqlast.Or:
			out = append(out, sqlast.Or{c[0], renamed(c[1].(sqlast.Binary))})
		}
	}
	return out
}

func sameExpr(a, b sqlast.Expr) bool { return sqlast.Equal(a, b) }

// positionOf is the rank of a variation's key by bytes, from 1.
func positionOf(e *metrics.Experiment, key string) int {
	n := 1
	for _, v := range e.Variations {
		if v.Key.V < key {
			n++
		}
	}
	return n
}

// noPosition is the position of no variation.
var noPosition = sqlast.Null{Type: sqlast.Type{Kind: sqlast.Integer}}

// variations maps what impressions show to the positions of variations.
func (b *builder) variations() sqlast.Values {
	var rows sqlast.Values
	for _, x := range b.plan.Experiments {
		e := x.Def
		for _, v := range e.Variations {
			for _, m := range v.Match {
				rows = append(rows, []sqlast.Expr{sqlast.Text(e.Key.V), sqlast.Text(m.Text), sqlast.Int(int64(positionOf(e, v.Key.V))), sqlast.Bool(false)})
			}
		}
		for _, v := range e.IgnoreVariations {
			rows = append(rows, []sqlast.Expr{sqlast.Text(e.Key.V), sqlast.Text(v.V), noPosition, sqlast.Bool(true)})
		}
	}
	return rows
}

func (b *builder) periods() sqlast.Values {
	var rows sqlast.Values
	for _, x := range b.plan.Experiments {
		rows = append(rows, []sqlast.Expr{sqlast.Text(x.Def.Key.V), sqlast.Timestamp(x.ObserveUntil), sqlast.Timestamp(x.WindowsUntil)})
	}
	return rows
}

// An instant and the position of a variation are kept as one whole number,
// microseconds times positions() plus the position: the smallest is the first
// instant and, of several variations there, the one with the smallest key.

// positions is more than the number of variations of any experiment, a power of ten.
func (b *builder) positions() int64 {
	n := int64(10)
	for _, x := range b.plan.Experiments {
		for int64(len(x.Def.Variations)) >= n {
			n *= 10
		}
	}
	return n
}

func (b *builder) packed(position sqlast.Expr) sqlast.Expr {
	micros := compare(sqlast.Mul, call(sqlast.TimeToMicros, col("", "ts")), sqlast.Int(b.positions()))
	return compare(sqlast.Add, micros, position)
}

// firstTime and firstPosition take the number apart again.
func (b *builder) firstTime() sqlast.Expr {
	return call(sqlast.MicrosToTime, compare(sqlast.IntDiv, col("u", "first"), sqlast.Int(b.positions())))
}

func (b *builder) positionIn(column string) sqlast.Expr {
	return call(sqlast.Mod, col("u", column), sqlast.Int(b.positions()))
}

// unitsShown groups impressions by unit and experiment. Each attribute is the
// smallest of {first, value}, which puts missing values last.
func (b *builder) unitsShown() sqlast.Select {
	c := func(name string) sqlast.Expr { return col("", name) }
	first := b.packed(c("position"))
	items := []sqlast.Item{
		item(c(colUnitID), colUnitID),
		item(c(colExperiment), colExperiment),
		{X: aggregate(sqlast.Min, first), As: "first", Why: "the first instant, and the variation there"},
	}
	if b.uses(keepsFirst) {
		last := b.packed(compare(sqlast.Sub, sqlast.Int(b.positions()-1), c("position")))
		items = append(items, sqlast.Item{X: aggregate(sqlast.Min, last), As: "tied", Why: "the first instant, and the last variation there"})
	}
	items = append(items,
		item(aggregate(sqlast.Min, c("position")), "smallest"),
		item(aggregate(sqlast.Max, c("position")), "largest"),
		item(aggregate(sqlast.Count, c("position")), colImpressions),
	)
	unknown := compare(sqlast.Sub, countStar(), aggregate(sqlast.Count, c("position")))
	if b.someHoldback() {
		holdback := aggregate(sqlast.Count, when(all(isNull(c("position")), c("is_holdback")), sqlast.Int(1)))
		unknown = compare(sqlast.Sub, unknown, holdback)
		items = append(items, item(holdback, "holdback"))
	}
	items = append(items, item(unknown, "unknown_variation"))
	if b.someID() {
		items = append(items, item(compare(sqlast.Sub, aggregate(sqlast.Sum, c("copies")), countStar()), "duplicate"))
	}
	for _, a := range b.plan.Attributes {
		v := sqlast.Struct{{Name: "first", X: first}, {Name: "value", X: c(attributeColumn(a))}}
		items = append(items, item(aggregate(sqlast.Min, when(notNull(c("position")), v)), attributeColumn(a)))
	}
	return sqlast.Select{
		Why:     "one row for each unit and experiment",
		Items:   items,
		From:    sqlast.Table{Name: "shown"},
		GroupBy: []sqlast.Expr{c(colUnitID), c(colExperiment)},
	}
}

func (b *builder) someHoldback() bool {
	return slices.ContainsFunc(b.plan.Impressions, func(s *Source) bool { return s.Holdback != nil })
}

func (b *builder) someID() bool {
	return slices.ContainsFunc(b.plan.Impressions, func(s *Source) bool { return len(s.ID) > 0 })
}

// names gives the keys of variations by their positions.
func (b *builder) names() sqlast.Values {
	var rows sqlast.Values
	for _, x := range b.plan.Experiments {
		for _, v := range x.Def.Variations {
			rows = append(rows, []sqlast.Expr{sqlast.Text(x.Def.Key.V), sqlast.Int(int64(positionOf(x.Def, v.Key.V))), sqlast.Text(v.Key.V)})
		}
	}
	return rows
}
