package compiler

import (
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// exposureWaterfall asks how far the impressions of an experiment come.
type exposureWaterfall struct {
	*builder
	x     *ExperimentPlan
	waits []Wait
	slice Slice
	// unit is the only unit whose rows are asked for; nil: all.
	unit *string
}

func (w *exposureWaterfall) part() WaterfallPart {
	part := WaterfallPart{Name: "exposures", Sources: w.x.Sources}
	var with []sqlast.CTE
	var all, rowsOfUnit sqlast.Union
	for _, s := range w.x.Sources {
		of := w.of(s)
		rows, l := w.everyRow(s)
		part.Steps = together(part.Steps, l.steps)
		with = append(with, sqlast.CTE{Name: "every row" + of, Query: rows})
		before := byPlace("every row"+of, countStar(), nil)
		before.Where = compare(sqlast.LessEq, col("", "place"), sqlast.Int(int64(len(l.steps))))
		all = append(all, before)
		lost := w.rowsOfUnit("every row"+of, sqlast.Text(s.Def.Name.V), sqlast.Null{Type: varchar}, sqlast.Int(1))
		lost.Where = before.Where
		rowsOfUnit = append(rowsOfUnit, lost)
		files, notRead := filesOf(s, w.readFrom(s))
		part.Files, part.NotRead = part.Files+files, part.NotRead+notRead
	}
	before := len(part.Steps)
	queries, l, varied := w.judged(before)
	with = append(with, queries...)
	part.Steps, part.ByVariation = append(part.Steps, l.steps...), before+varied
	if w.unit != nil {
		part.Query = ordered(with, append(rowsOfUnit, w.rowsOfUnit("judged", col("", "source"), col("", "of"), col("", "copies"))))
		return part
	}
	known := compare(sqlast.Greater, col("", "place"), sqlast.Int(int64(part.ByVariation)))
	kept := byPlace("judged", countStar(), []sqlast.Expr{col("", colVariation)})
	kept.Where = known
	all = append(all, byPlace("judged", countStar(), nil))
	if w.someCopies() {
		all = append(all, sqlast.Select{
			Items: []sqlast.Item{item(col("", colUnit), colUnit), item(sqlast.Int(int64(before+1)), "place"),
				item(aggregate(sqlast.Sum, compare(sqlast.Sub, col("", "copies"), sqlast.Int(1))), "rows")},
			From:    sqlast.Table{Name: "judged"},
			GroupBy: []sqlast.Expr{col("", colUnit)},
		})
	}
	total, totals := counts("total", unionOf(all), false)
	byVariation, variations := counts("of variations", kept, true)
	part.Query = placed(append(append(with, total...), byVariation...), append(totals, variations...))
	return part
}

// rowsOfUnit are the rows of a query.
func (w *exposureWaterfall) rowsOfUnit(query string, source, variation, copies sqlast.Expr) sqlast.Select {
	return sqlast.Select{
		Items: []sqlast.Item{
			item(col("", colTime), colTime), item(source, "source"), item(col("", "shown"), "shown"),
			item(variation, colVariation), item(copies, "copies"), item(col("", "place"), "place"),
		},
		From: sqlast.Table{Name: query},
	}
}

// of tells the queries of several sources apart.
func (w *exposureWaterfall) of(s *Source) string {
	if len(w.x.Sources) == 1 {
		return ""
	}
	return " of " + s.spelled()
}

func (w *exposureWaterfall) someCopies() bool {
	return slices.ContainsFunc(w.x.Sources, func(s *Source) bool { return len(s.ID) > 0 })
}

func (w *exposureWaterfall) someHoldback() bool {
	return slices.ContainsFunc(w.x.Sources, func(s *Source) bool { return s.Holdback != nil })
}

// readFrom is the source with the files that a run reads.
func (w *exposureWaterfall) readFrom(s *Source) *Source {
	from, to := w.instants(s)
	if len(s.ID) > 0 {
		from, to = dayOf(from), earlier(nextDay(to), w.plan.AsOf)
	}
	return s.Between(from, to)
}

func (w *exposureWaterfall) read(s *Source) (sqlast.From, sqlast.And) {
	return s.withExcluded(w.readFrom(s).whole())
}

func (w *exposureWaterfall) exist(s *Source, among sqlast.And) *ladder {
	l := &ladder{}
	l.exists(w.builder, s, among, inRow(s.unit(w.plan.Kind).SQL))
	experiments, flags := w.x.matches(s)
	l.keep("other_impression", matchedText(experiments, flags), all(matched(s.Experiment, experiments), matched(s.Flag, flags)))
	return l
}

// matchedText says which values an impression of the experiment has.
func matchedText(experiments, flags []*string) string {
	var parts []string
	for i, values := range [][]*string{experiments, flags} {
		var names []string
		for _, v := range values {
			if v != nil {
				names = append(names, *v)
			}
		}
		if len(names) > 0 {
			parts = append(parts, "of "+[]string{"experiment", "flag"}[i]+" "+strings.Join(names, " or "))
		}
	}
	return strings.Join(parts, " and ")
}

// matched says that a field has one of the values; nil where any will do.
func matched(field *Field, values []*string) sqlast.Expr {
	var list []string
	for _, v := range values {
		if v == nil {
			return nil
		}
		list = append(list, *v)
	}
	return oneOf(inRow(field.SQL), list)
}

func (w *exposureWaterfall) ofUnit(s *Source) sqlast.Expr {
	if w.unit == nil {
		return nil
	}
	return compare(sqlast.Eq, inRow(s.unit(w.plan.Kind).SQL), sqlast.Text(*w.unit))
}

// everyRow gives unit, ts and place of every row of a source, as far as the
// experiment does not matter.
func (w *exposureWaterfall) everyRow(s *Source) (sqlast.Select, *ladder) {
	from, among := w.read(s)
	l := w.exist(s, among)
	return sqlast.Select{
		Why: "how far each row comes, up to those that match the experiment",
		Items: []sqlast.Item{item(inRow(s.unit(w.plan.Kind).SQL), colUnit), item(inRow(s.Time.SQL), colTime),
			item(inRow(s.Variation.SQL), "shown"), item(l.place(0), "place")},
		From:  from,
		Where: w.ofUnit(s),
	}, l
}

// matchedRows are the queries that end with the rows of a source that match the
// experiment, copies made one.
func (w *exposureWaterfall) matchedRows(s *Source) (with []sqlast.CTE, last string) {
	from, among := w.read(s)
	l := w.exist(s, among)
	id, _ := s.unit(w.plan.Kind).present()
	holdback := sqlast.Expr(sqlast.Bool(false))
	if s.Holdback != nil {
		holdback = inRow(s.Holdback.SQL)
	}
	columns := []sqlast.Item{item(inRow(s.Time.SQL), colTime), item(inRow(s.Variation.SQL), "shown"), item(holdback, "is_holdback")}
	rows := sqlast.Select{
		Why:   "impressions that match the experiment",
		Items: append([]sqlast.Item{item(id, colUnitID)}, columns...),
		From:  from,
		Where: all(compare(sqlast.Eq, l.place(0), sqlast.Int(int64(len(l.steps)+1))), w.ofUnit(s)),
	}
	of := w.of(s)
	last = "impression row" + of
	if len(s.ID) == 0 {
		rows.Items = append(rows.Items, item(sqlast.Int(1), "copies"))
		return []sqlast.CTE{{Name: last, Query: rows}}, last
	}
	for i, f := range []*Field{s.Experiment, s.Flag} {
		if f != nil {
			rows.Items = append(rows.Items, item(inRow(f.SQL), []string{"match_experiment", "match_flag"}[i]))
		}
	}
	rows.Items = append(append(rows.Items, s.idKey(w.plan.Kind)...), item(s.hash(id), colHash))
	names := itemNames(columns)
	one := merged(last, "impression copy"+of, s.impressionKey(), itemNames(s.idKey(w.plan.Kind)), names)
	one.Items = slices.DeleteFunc(one.Items, func(it sqlast.Item) bool { return it.As == "match_experiment" || it.As == "match_flag" })
	with = []sqlast.CTE{
		{Name: last, Query: rows},
		{Name: "impression copy" + of, Query: copies(last)},
		{Name: "distinct impression" + of, Query: sqlast.Union{
			single(last, "impression copy"+of, kept(append([]string{colUnitID}, names...)), nil), one}},
	}
	return with, "distinct impression" + of
}

// judged are the queries that end with unit, ts, shown, variation, copies and
// place of the rows that match. The first varied steps are known before the
// variation is.
func (w *exposureWaterfall) judged(after int) (with []sqlast.CTE, l *ladder, varied int) {
	var rows sqlast.Union
	columns := []string{colUnitID, colTime, "shown", "is_holdback", "copies"}
	for _, s := range w.x.Sources {
		queries, last := w.matchedRows(s)
		with = append(with, queries...)
		var items []sqlast.Item
		for _, name := range columns {
			items = append(items, item(col("", name), name))
		}
		items = append(items, item(sqlast.Text(s.Def.Name.V), "source"))
		rows = append(rows, sqlast.Select{Items: items, From: sqlast.Table{Name: last}})
	}
	key := sqlast.Text(w.x.Def.Key.V)
	alone := *w.plan
	alone.Experiments, alone.Others = []*ExperimentPlan{w.x}, nil
	b := &builder{plan: &alone, suffix: w.suffix}
	with = append(with, sqlast.CTE{Name: "matching", Query: unionOf(rows)},
		sqlast.CTE{Name: "variation", Columns: []string{colExperiment, "shown", "position", "ignored"}, Query: b.variations()})
	holdback := call(sqlast.Coalesce, col("d", "is_holdback"), sqlast.Bool(false))
	position := sqlast.Case{Whens: []sqlast.When{{If: holdback, Then: w.x.holdbackPosition()}}, Else: col("v", "position")}
	columns = append(columns, "source")
	query := sqlast.Select{
		Items: append(kept(columns), item(key, colExperiment), item(position, "position"),
			item(call(sqlast.Coalesce, col("v", "ignored"), sqlast.Bool(false)), "is_ignored")),
		From: sqlast.Join{Kind: sqlast.LeftJoin, L: sqlast.Table{Name: "matching", Alias: "d"}, R: sqlast.Table{Name: "variation", Alias: "v"},
			On: compare(sqlast.Eq, col("v", "shown"), col("d", "shown"))},
	}
	if b.matchesByValue() {
		query.Items = append(query.Items, item(when(sqlast.And{sqlast.Not{X: holdback}, isNull(col("v", "position"))}, col("d", "shown")), colStored))
		with = append(with, b.matchedByValue(query, itemNames(query.Items))...)
	} else {
		with = append(with, sqlast.CTE{Name: "shown", Query: query})
	}
	l, varied = w.steps()
	with = append(with, sqlast.CTE{Name: "name", Columns: []string{colExperiment, "position", colVariation}, Query: b.names()})
	on := sqlast.And{compare(sqlast.Eq, col("x", colUnitID), col("s", colUnitID)), compare(sqlast.Eq, col("x", colExperiment), key)}
	if keepsEach(w.x) {
		on = append(on, compare(sqlast.Eq, col("x", colVariation), col("n", colVariation)))
	}
	items := []sqlast.Item{item(col("s", colUnitID), colUnit), item(col("s", colTime), colTime), item(col("s", "shown"), "shown"),
		item(col("s", "source"), "source"), item(col("n", colVariation), "of"), item(col("x", colVariation), colVariation), item(col("s", "copies"), "copies"), item(l.place(after), "place")}
	from := sqlast.Join{Kind: sqlast.LeftJoin, L: sqlast.Table{Name: "shown", Alias: "s"}, R: sqlast.Table{Name: "name", Alias: "n"},
		On: compare(sqlast.Eq, col("n", "position"), col("s", "position"))}
	exposed := sqlast.From(sqlast.Join{Kind: sqlast.LeftJoin, L: from, R: sqlast.Table{Name: w.table("exposure"), Alias: "x"}, On: on})
	if s := w.slice.fromEvents(w.plan); s != nil {
		exposed = w.besideMembers(exposed, s, w.slice.Segment)
	}
	with = append(with, sqlast.CTE{Name: "judged", Query: sqlast.Select{Why: "how far each impression comes", Items: items, From: exposed}})
	return with, l, varied
}

// steps are those of rows that match; the first varied of them do not need the
// variation.
func (w *exposureWaterfall) steps() (l *ladder, varied int) {
	l = &ladder{}
	ends := stamp(w.x.Ends)
	l.lose("duplicate", textIf(w.someCopies(), "copies by id counted once"), sqlast.Bool(false))
	l.keep("outside_dates", fmt.Sprintf("from %s until %s", stamp(w.x.Starts), ends), sqlast.And{
		compare(sqlast.GreaterEq, col("s", colTime), sqlast.Timestamp(w.x.Starts)), compare(sqlast.Less, col("s", colTime), sqlast.Timestamp(w.x.Ends))})
	l.keep("no_variation", "with a variation", notNull(col("s", "shown")))
	l.lose("ignored_variation", textIf(len(w.x.Def.IgnoreVariations) > 0, "not of "+joinTexts(w.x.Def.IgnoreVariations)), col("s", "is_ignored"))
	l.lose("holdback", textIf(w.someHoldback(), "no holdback"), sqlast.And{
		isNull(col("s", "position")), call(sqlast.Coalesce, col("s", "is_holdback"), sqlast.Bool(false))})
	l.keep("unknown_variation", "of a variation of the file", notNull(col("s", "position")))
	varied = len(l.steps)
	l.lose("by_variation", byVariationText, sqlast.Bool(false))
	s, dropped := w.slice.Segment, col("x", colDropped)
	of := w.slice.fromEvents(w.plan)
	if s != nil && of == nil {
		l.keep("segment", "unit "+s.text(), s.holds(w.slice.segmentColumn(w.x, "x")))
	}
	l.dropSteps(w.x, dropped)
	if of != nil {
		l.keep("segment", "unit "+s.text()+", at its exposure or in an event of "+of.Name, s.isMember(col("h", colUnit)))
	}
	l.lose("exposed", "exposed unit", sqlast.Bool(false)) // those without activation are too
	l.activatedStep(w.x, dropped)
	l.waitSteps(w.waits, "x", nil)
	return l, varied
}
