package compiler

import (
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

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
	for _, x := range b.everyExperiment() {
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
	of := " of " + s.spelled() + b.suffix
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
	if b.weighsImpressions() && s.Weight != nil {
		out = append(out, item(inRow(s.Weight.SQL), colWeight))
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
	files, among := s.withExcluded(s.read(from, to))
	id, present := s.unit(b.plan.Kind).present()
	items := []sqlast.Item{item(id, colUnitID)}
	conds := append(append(s.exists(from, to), present), among...)
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
		files, among := s.withExcluded(s.read(lo, hi))
		rows = files
		where = append(append(s.exists(lo, hi), present), among...)
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
	if slices.ContainsFunc(b.everyExperiment(), func(x *ExperimentPlan) bool { return len(x.Def.IgnoreVariations) > 0 }) {
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
	if b.matchesByValue() {
		sel.Items = append(sel.Items, b.toReadAsJSON(shown, holdback))
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
	if b.weighsImpressions() {
		weight := sqlast.Expr(sqlast.Cast{X: sqlast.Int(1), To: bigint})
		if s.Weight != nil {
			weight = field(s.Weight, colWeight)
		}
		sel.Items = append(sel.Items, item(weight, colWeight))
	}
	for _, a := range b.plan.Attributes {
		x := sqlast.Expr(sqlast.Null{Type: sqlast.Type{Kind: sqlast.Varchar}})
		if f, ok := s.Attributes.Lookup(a); ok {
			x = asText(field(&f, attributeColumn(a)), f)
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

// shownImpressions are the queries that end with the impressions of the
// experiments, one row each.
func (b *builder) shownImpressions() []sqlast.CTE {
	var with []sqlast.CTE
	var shown sqlast.Union
	for _, s := range b.plan.Impressions {
		name := ""
		if len(b.plan.Impressions) > 1 {
			name = " of " + s.spelled()
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
	with = append(with, sqlast.CTE{Name: "variation", Columns: []string{colExperiment, "shown", "position", "ignored"}, Query: b.variations()})
	if b.matchesByValue() {
		return append(with, b.matchedByValue(unionOf(shown), itemNames(shown[0].Items))...)
	}
	return append(with, sqlast.CTE{Name: "shown", Query: unionOf(shown)})
}

// impressionEvent is the event key of impressions, where a metric counts them.
const impressionEvent = "impression"

// shownTable is where the impressions of the experiments are.
func (b *builder) shownTable() string {
	if b.plan.Kept != nil {
		return b.table(b.plan.Kept.Kept)
	}
	return "shown"
}

// keptQuery keeps the impressions of the experiments.
func (b *builder) keptQuery() sqlast.Select {
	with := b.shownImpressions()
	names := []string{colUnitID, colExperiment, colTime, "position"}
	if b.someHoldback() {
		names = append(names, "is_holdback")
	}
	if b.someID() {
		names = append(names, "copies")
	}
	if b.weighsImpressions() {
		names = append(names, colWeight)
	}
	for _, a := range b.plan.Attributes {
		names = append(names, attributeColumn(a))
	}
	var items []sqlast.Item
	for _, name := range names {
		items = append(items, item(col("", name), name))
	}
	return sqlast.Select{Why: "the impressions of the experiments", With: with, Items: items, From: sqlast.Table{Name: "shown"}}
}

// keptImpressions is the source of the rows of event: impression.
func (u *UnitPlan) keptImpressions() *Source {
	if u.Kept == nil {
		u.Kept = &Source{
			Kept:  "shown_impression",
			Def:   &metrics.Source{Name: metrics.Text{V: "impressions"}},
			Time:  Field{SQL: sqlast.Column{Name: colTime}, Type: FieldType{Kind: FieldTime}, NeverNull: true},
			Event: Field{SQL: sqlast.Text(impressionEvent), Type: FieldType{Kind: FieldText}, NeverNull: true},
			Units: []UnitField{{Kind: u.Kind, Field: Field{SQL: sqlast.Column{Name: colUnitID}, Type: FieldType{Kind: FieldText}, NeverNull: true}}},
		}
		for _, s := range u.Impressions {
			u.Kept.Rows += s.Rows
			if s.Weight != nil {
				u.Kept.Weight = &Field{SQL: sqlast.Column{Name: colWeight}, Type: FieldType{Kind: FieldInteger}}
			}
		}
	}
	return u.Kept
}

// weighsImpressions reports whether impressions are counted, each as many times
// as its weight says.
func (b *builder) weighsImpressions() bool { return b.plan.Kept != nil && b.plan.Kept.Weight != nil }

// keepAttribute makes an attribute a column of the impressions that are kept.
func (u *UnitPlan) keepAttribute(name string) {
	u.Attributes = appendNew(u.Attributes, name)
	if u.Kept.Attributes.Named == nil {
		u.Kept.Attributes.Named = map[string]Field{}
	}
	u.Kept.Attributes.Named[name] = Field{SQL: sqlast.Column{Name: attributeColumn(name)}, Type: FieldType{Kind: FieldText}}
}

// ofImpressions makes what an expression over impressions names a column of
// the impressions that are kept; false where that is not possible.
func (p *planner) ofImpressions(u *UnitPlan, e *Expression, m *metrics.Metric) bool {
	for _, r := range e.Refs {
		switch {
		case r.Kind == RefAttribute:
			u.keepAttribute(r.Name)
		case r.Kind == RefUnitID && r.Name != u.Kind, r.Kind == RefProperty, r.Kind == RefValue:
			p.list.Errorf(m.Event.Pos, "unknown-name", "impressions have no %s", formatRef(r)).
				WithHint("attributes.<name> is an attribute of the impression, exposure.<name> of the first one")
			return false
		}
	}
	return true
}
