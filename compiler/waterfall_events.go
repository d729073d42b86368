package compiler

import (
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// eventWaterfall asks how far the rows come that a measure could count.
type eventWaterfall struct {
	*builder
	x       *ExperimentPlan
	measure *Measure
	waits   []Wait
	slice   Slice
	// unit is the only unit whose rows are asked for; nil: all.
	unit *string
}

func (w *eventWaterfall) part() WaterfallPart {
	part := WaterfallPart{Sources: w.measure.Sources, Grouping: w.measure.Group}
	var with []sqlast.CTE
	var all, kept, rowsOfUnit, grouped sqlast.Union
	var before, after []WaterfallStep
	with = append(append(with, w.identities()...), sqlast.CTE{Name: "shown unit", Query: w.shownUnits()})
	for _, s := range w.measure.Sources {
		of := ""
		if len(w.measure.Sources) > 1 {
			of = " of " + s.spelled()
		}
		rows, l := w.everyRow(s)
		before = together(before, l.steps)
		with = append(with, sqlast.CTE{Name: "every row" + of, Query: rows})
		all = append(all, byPlace("every row"+of, countStar(), nil))

		queries, l := w.judged(s, of, len(l.steps))
		after = together(after, l.steps)
		with = append(with, queries...)
		judged := "judged" + of
		kept = append(kept, byPlace(judged, countStar(), []sqlast.Expr{col("", colVariation)}))
		if len(s.ID) > 0 {
			copies := byPlace(judged, aggregate(sqlast.Sum, compare(sqlast.Sub, col("", "copies"), sqlast.Int(1))), []sqlast.Expr{col("", colVariation)})
			copies.Items[1].X, copies.GroupBy = sqlast.Int(int64(len(before)+2)), []sqlast.Expr{col("", colUnit), col("", colVariation)}
			kept = append(kept, copies)
		}
		rowsOfUnit = append(rowsOfUnit, w.rowsOfUnit(s, "every row"+of, len(before)), w.rowsOfUnit(s, judged, 0))
		if w.groups() != nil {
			grouped = append(grouped, w.groupedRows(judged, len(before), l.steps))
		}
		files, notRead := filesOf(s, w.scanOf(s).readFrom(s))
		part.Files, part.NotRead = part.Files+files, part.NotRead+notRead
	}
	part.Steps, part.ByVariation, part.Digits = append(before, after...), len(before), -1
	if w.measure.numeric() {
		part.Digits = w.measure.Decimals
	}
	if w.unit != nil {
		part.Query = ordered(with, rowsOfUnit)
		if g := w.groups(); g != nil {
			part.Groups, part.GroupDigits = new(w.groupsOfUnit(g, with, grouped)), g.Decimals()
		}
		return part
	}
	total, totals := counts("total", unionOf(all), false)
	varied, byVariation := counts("of variations", unionOf(kept), true)
	part.Query = placed(append(append(with, total...), varied...), append(totals, byVariation...))
	return part
}

// rowsOfUnit are the rows of a query over a source; of every row those that are
// lost at the first steps.
func (w *eventWaterfall) rowsOfUnit(s *Source, query string, steps int) sqlast.Select {
	null := sqlast.Expr(sqlast.Null{Type: varchar})
	value, group, variation, copies := null, null, null, sqlast.Expr(sqlast.Int(1))
	var where sqlast.Expr
	if steps > 0 {
		where = compare(sqlast.LessEq, col("", "place"), sqlast.Int(int64(steps)))
	} else {
		variation, copies = col("", colVariation), col("", "copies")
		if w.byProperty() {
			group = col("", "group")
		}
		if w.measure.Value != nil {
			value = sqlast.Cast{X: col("", "value"), To: varchar}
		}
	}
	return sqlast.Select{
		Items: []sqlast.Item{
			item(col("", colTime), colTime), item(sqlast.Text(w.nameOf(s)), "source"), item(col("", colEvent), colEvent), item(value, "value"),
			item(group, "group"), item(variation, colVariation), item(copies, "copies"), item(col("", "place"), "place"),
		},
		From:  sqlast.Table{Name: query},
		Where: where,
	}
}

// nameOf is the name of the source of a row. Of impressions that were kept it is not
// known from which of several a row is.
func (w *eventWaterfall) nameOf(s *Source) string {
	if s.Kept == "" {
		return s.Def.Name.V
	}
	var names []string
	for _, of := range w.x.Sources {
		names = append(names, of.Def.Name.V)
	}
	return strings.Join(names, " or ")
}

// placed is the query of a part.
func placed(with []sqlast.CTE, counted sqlast.Union) sqlast.Select {
	c := func(name string) sqlast.Expr { return col("", name) }
	return sqlast.Select{
		Why:  "how many rows and units come how far",
		With: append(with, sqlast.CTE{Name: "counted", Query: counted}),
		Items: []sqlast.Item{item(c(colVariation), colVariation), item(c("place"), "place"),
			item(aggregate(sqlast.Sum, c("rows")), "rows"), item(aggregate(sqlast.Sum, c("units")), "units")},
		From:    sqlast.Table{Name: "counted"},
		GroupBy: []sqlast.Expr{c(colVariation), c("place")},
		OrderBy: []sqlast.Order{{X: c(colVariation)}, {X: c("place")}},
	}
}

// byPlace counts the rows of a query by unit and place, and by further keys.
func byPlace(query string, rows sqlast.Expr, keys []sqlast.Expr) sqlast.Select {
	out := sqlast.Select{
		Items:   []sqlast.Item{item(col("", colUnit), colUnit), item(col("", "place"), "place"), item(rows, "rows")},
		From:    sqlast.Table{Name: query},
		GroupBy: append([]sqlast.Expr{col("", colUnit), col("", "place")}, keys...),
	}
	for _, k := range keys {
		out.Items = append(out.Items, item(k, k.(sqlast.Column).Name))
	}
	return out
}

// filesOf gives the rows in the files of a source, and in those that are not read.
func filesOf(s, read *Source) (files, notRead int64) { return s.Rows, s.Rows - read.Rows }

// ofExperiment are the exposures x of the experiment: units with an impression
// in it, whatever became of them. Where units have one for every variation that they
// saw, variations that are not in the file have one too, which nothing counts for.
func (w *eventWaterfall) ofExperiment() sqlast.Expr {
	return sqlast.And{compare(sqlast.Eq, col("x", colExperiment), sqlast.Text(w.x.Def.Key.V)),
		compare(sqlast.Greater, col("x", colImpressions), sqlast.Int(0)), notNull(col("x", colVariation))}
}

// shownUnits are the ids of the units with an impression.
func (w *eventWaterfall) shownUnits() sqlast.Select {
	return sqlast.Select{
		Why:      "units with an impression in the experiment",
		Distinct: true,
		Items:    []sqlast.Item{item(col("x", colUnitID), colUnitID), item(col("x", colExperiment), colExperiment)},
		From:     sqlast.Table{Name: w.table("exposure"), Alias: "x"},
		Where:    w.ofExperiment(),
	}
}

// scanOf is the scan of a run over a source.
func (w *eventWaterfall) scanOf(s *Source) *scanBuilder {
	i := slices.IndexFunc(w.plan.Scans, func(have *Scan) bool { return have.Source == s })
	return newScanBuilder(w.builder, w.plan.Scans[i])
}

// readFrom is the source with the files that the scan reads.
func (sc *scanBuilder) readFrom(s *Source) *Source {
	if s.Kept != "" {
		return s
	}
	from, to := sc.instants()
	if len(s.ID) > 0 {
		from, to = dayOf(from), earlier(nextDay(to), sc.plan.AsOf)
	}
	return s.Between(from, to)
}

// read reads the rows of a source that a run reads, or what it kept.
func (w *eventWaterfall) read(s *Source) (from sqlast.From, among sqlast.And) {
	if s.Kept != "" {
		return sqlast.Table{Name: w.table(s.Kept), Alias: rowAlias}, nil
	}
	return s.withExcluded(w.scanOf(s).readFrom(s).whole())
}

// owned are the rows of a source with what leads to their units.
type owned struct {
	with []sqlast.CTE
	from sqlast.From
	// on joins them with the exposures x of their units.
	on sqlast.And
	// id is that of the unit.
	id sqlast.Expr
}

// ofOwn is a builder for the experiment alone, which finds units by the ids that
// are joined in it.
func (w *eventWaterfall) ofOwn() *builder {
	plan := *w.plan
	if d := plan.Identity; d != nil {
		is := func(key string) bool { return key == w.x.Def.Key.V }
		only := func(keys []string) []string {
			return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !is(key) })
		}
		plan.Identity = &Identity{Strict: only(d.Strict), FirstTouch: only(d.FirstTouch), Sources: d.Sources}
		if len(plan.Identity.experiments()) == 0 {
			plan.Identity = nil
		}
	}
	return &builder{plan: &plan, suffix: w.suffix + " of " + w.x.Def.Key.V}
}

// identities are the queries for the ids that are joined in the experiment.
func (w *eventWaterfall) identities() []sqlast.CTE {
	var out []sqlast.CTE
	own := w.ofOwn()
	for _, kind := range own.plan.Identity.kinds(w.plan.Kind) {
		out = append(out, sqlast.CTE{Name: own.identityTable(kind), Query: sqlast.Select{
			Items: []sqlast.Item{item(col("", colExperiment), colExperiment), item(col("", "id"), "id"), item(col("", colUnitID), colUnitID)},
			From:  sqlast.Table{Name: w.identityTable(kind)},
			Where: compare(sqlast.Eq, col("", colExperiment), sqlast.Text(w.x.Def.Key.V)),
		}})
	}
	return out
}

// owned reads the rows of a source, and joins them by their ids.
func (w *eventWaterfall) owned(s *Source) (owned, sqlast.And) {
	from, among := w.read(s)
	sc := newScanBuilder(w.ofOwn(), &Scan{Source: s})
	switch {
	case sc.plan.JoinsIDs(s):
		var o owned
		o.with, o.from, o.on = sc.owned(from)
		o.id = o.on[0].(sqlast.Binary).L
		return o, among
	case s.unit(w.plan.Kind) == nil: // its rows are of units of other experiments
		return owned{from: from, on: sqlast.And{compare(sqlast.Eq, sc.ownID(), col("x", colUnitID))}, id: sc.ownID()}, among
	}
	return owned{from: from, on: sqlast.And{s.unit(w.plan.Kind).isUnit(col("x", colUnitID))}, id: sc.ownID()}, among
}

// exist adds the steps up to rows of a unit with an event of the measure.
func (w *eventWaterfall) exist(s *Source, among sqlast.And, id sqlast.Expr) *ladder {
	l := &ladder{}
	if s.Kept != "" {
		l.keep("unknown_variation", "of a variation", notNull(col(rowAlias, "position")))
		return l
	}
	own := w.ofOwn()
	l.exists(own, s, among, id)
	if key := w.measure.isEvent(inRow(s.Event.SQL)); key != nil {
		l.keep("other_event", "event "+w.measure.EventsText(), key)
	}
	return l
}

// ofKept limits the rows that were kept to those of the experiment.
func (w *eventWaterfall) ofKept(s *Source) sqlast.Expr {
	if s.Kept == "" {
		return nil
	}
	return compare(sqlast.Eq, col(rowAlias, colExperiment), sqlast.Text(w.x.Def.Key.V))
}

// ofUnit limits rows to those of the unit that is asked for.
func (w *eventWaterfall) ofUnit(id sqlast.Expr) sqlast.Expr {
	if w.unit == nil {
		return nil
	}
	return compare(sqlast.Eq, id, sqlast.Text(*w.unit))
}

// everyRow gives unit, ts, event and place of every row of a source, as far as
// that does not depend on the exposure.
func (w *eventWaterfall) everyRow(s *Source) (sqlast.Select, *ladder) {
	o, among := w.owned(s)
	l := w.exist(s, among, o.id)
	l.keep("not_exposed", "unit with an impression in "+w.x.Def.Key.V, notNull(col("x", colUnitID)))
	return sqlast.Select{
		Why:  "how far each row comes, up to the units of the experiment",
		With: o.with,
		Items: []sqlast.Item{
			item(o.id, colUnit), item(inRow(s.Time.SQL), colTime), item(inRow(s.Event.SQL), colEvent), item(l.place(0), "place"),
		},
		From:  sqlast.Join{Kind: sqlast.LeftJoin, L: o.from, R: sqlast.Table{Name: "shown unit", Alias: "x"}, On: o.on},
		Where: all(w.ofKept(s), w.ofUnit(o.id)),
	}, l
}

// judged are the queries that end with unit, variation, ts, event, value,
// copies and place of the rows of units with an exposure, copies made one.
func (w *eventWaterfall) judged(s *Source, of string, after int) ([]sqlast.CTE, *ladder) {
	n := w.measure
	plan := *w.plan
	plan.Scans, plan.Values, plan.Derived = []*Scan{{Source: s, Measures: []*Measure{n}}}, nil, nil
	sc := newScanBuilder(&builder{plan: &plan, suffix: w.suffix}, plan.Scans[0])

	// What the expressions need is known when they are written.
	scope := &rowScope{scan: sc, measure: n}
	value := scope.value()
	odd := slices.Clone(sc.suspicious)
	l := &ladder{}
	l.lose("by_variation", byVariationText, sqlast.Bool(false))
	segment, fromEvents := w.slice.Segment, w.slice.fromEvents(w.plan) != nil
	if segment != nil && !fromEvents {
		l.keep("segment", "unit "+segment.text(), col("", "in segment"))
	}
	l.lose("duplicate", textIf(len(s.ID) > 0, "copies by id counted once"), sqlast.Bool(false))
	l.dropSteps(w.x, col("", colDropped))
	l.activatedStep(w.x, col("", colDropped))
	if n.After != nil {
		l.keep("not_followed", "unit with "+n.After.words()+" after the exposure", col("", "started"))
	}
	l.lose("before_exposure", notBeforeText(w.x, n), sqlast.And{sqlast.Not{X: col("", "in window")}, col("", "early")})
	l.keep("outside_window", windowStepText(w.x, n), col("", "in window"))
	if fromEvents {
		own := segment.holds(scope.text(Ref{Kind: RefAttribute, Name: segment.Key}))
		if segment.Value == metrics.None {
			own = sqlast.And{own, col("", "in segment")}
		}
		l.keep("segment", segment.text(), own)
	}
	if n.Where != nil {
		l.keep("where", "where "+n.Where.String(), n.Where.Condition(scope))
	}
	if n.Group != nil && n.Group.Property != "" {
		l.keep("no_group", "with "+n.Group.Property, notNull(scope.text(Ref{Kind: RefProperty, Name: n.Group.Property})))
	}
	if n.Value != nil {
		l.lose("not_a_number", textIf(len(odd) > 0, "with a value that is a number, or none"),
			call(sqlast.Coalesce, sqlast.And{isNull(value), sqlast.Or(odd)}, sqlast.Bool(false)))
		l.keep("no_value", "with a value: "+n.Value.String(), notNull(value))
	}
	if s := w.slice.Split; s != nil {
		l.keep("split", s.text(), s.holds(scope.text(Ref{Kind: RefProperty, Name: s.Key})))
	}
	l.waitSteps(w.waits, "", n.After)
	beyond := w.ofGroups(scope)
	sc.raw = sc.rawItems()

	o, among := w.owned(s)
	existing := w.exist(s, among, o.id)
	idKey := newScanBuilder(w.ofOwn(), sc.scan).idKey()
	x := sqlast.Table{Name: w.table("exposure"), Alias: "x"}
	items := []sqlast.Item{item(rowID(), colUnit), item(inRow(s.Time.SQL), colTime), item(inRow(s.Event.SQL), colEvent)}
	rows := sqlast.Select{
		Why:   "events of units with an impression",
		With:  o.with,
		Items: append(items, sc.raw...),
		From:  sqlast.Join{L: o.from, R: x, On: append(o.on, w.ofExperiment())},
		Where: all(compare(sqlast.Eq, existing.place(0), sqlast.Int(int64(len(existing.steps)+1))), w.ofKept(s), w.ofUnit(o.id)),
	}
	var with []sqlast.CTE
	last := "event row" + of
	if len(s.ID) > 0 {
		rows.Items = append(append(rows.Items, idKey...), item(s.hash(rowID()), colHash))
		with = append(with, sqlast.CTE{Name: last, Query: rows}, sqlast.CTE{Name: "event copy" + of, Query: copies(last)})
		columns := append([]string{colUnit, colEvent, colTime}, itemNames(sc.raw)...)
		with = append(with, sqlast.CTE{Name: "distinct event" + of, Query: sqlast.Union{
			single(last, "event copy"+of, kept(columns), nil),
			merged(last, "event copy"+of, []string{colUnit, colEvent}, itemNames(idKey), columns[2:]),
		}})
		last = "distinct event" + of
	} else {
		rows.Items = append(rows.Items, item(sqlast.Int(1), "copies"))
		with = append(with, sqlast.CTE{Name: last, Query: rows})
	}
	beside := w.beside(sc, last, x)
	with = append(with, sqlast.CTE{Name: "beside exposure" + of, Query: beside})
	last = "beside exposure" + of
	passed := named(beside.Items)
	next := func(name, why string, more []sqlast.Item) {
		if len(more) == 0 {
			return
		}
		with = append(with, sqlast.CTE{Name: name + of, Query: sqlast.Select{Why: why, Items: append(slices.Clone(passed), more...), From: sqlast.Table{Name: last}}})
		last, passed = name+of, append(passed, named(more)...)
	}
	next("typed", "text read as numbers", sc.typed)
	next("computed", "values computed", sc.computed)
	out := []sqlast.Item{item(col("", colUnit), colUnit), item(col("", colVariation), colVariation), item(col("", colTime), colTime),
		item(col("", colEvent), colEvent), item(value, "value"), item(col("", "copies"), "copies"), item(l.place(after), "place")}
	out = append(out, beyond...)
	return append(with, sqlast.CTE{Name: "judged" + of, Query: sqlast.Select{
		Why: "how far each row of a unit comes", Items: out, From: sqlast.Table{Name: last}}}), l
}

func textIf(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

// startText names the instant that a window is counted from.
func startText(x *ExperimentPlan, n *Measure) string {
	switch {
	case n.After != nil:
		return "the first " + n.After.words()
	case x.Def.Activation != nil:
		return "the activation"
	}
	return "the exposure"
}

// notBeforeText says which rows are not before what a window is counted from, or
// not further before it than the window reaches.
func notBeforeText(x *ExperimentPlan, n *Measure) string {
	if n.Window.From < 0 {
		return "not more than " + durationText(-n.Window.From) + " before " + startText(x, n)
	}
	return "not before " + startText(x, n)
}

// windowStepText says which rows are in the window of a measure.
func windowStepText(x *ExperimentPlan, n *Measure) string {
	if n.Window.Open() {
		return "before " + stamp(x.ObserveUntil)
	}
	return "in the " + windowWords(n.After, n.Window)
}

// beside puts the exposures of their units beside rows: what expressions,
// windows and waits need of them.
func (w *eventWaterfall) beside(sc *scanBuilder, rows string, x sqlast.Table) sqlast.Select {
	n, at := w.measure, col("d", colTime)
	columns := append([]string{colUnit, colTime, colEvent, "copies"}, itemNames(sc.raw)...)
	items := kept(columns)
	add := func(name string) {
		if !slices.ContainsFunc(items, func(it sqlast.Item) bool { return it.As == name }) {
			items = append(items, item(col("x", name), name))
		}
	}
	add(colVariation)
	add(colDropped)
	for _, name := range sc.exposureColumns() {
		add(name)
	}
	for _, wait := range w.waits {
		for _, name := range wait.columns() {
			add(name)
		}
	}
	start := n.After.start()
	window := sqlast.And{compare(sqlast.GreaterEq, at, col("x", offsetColumn(start, n.Window.From)))}
	if n.Window.HasLookback {
		window = append(window, compare(sqlast.GreaterEq, at, col("x", lookbackColumn(n.Window.Lookback))))
	}
	if n.Window.HasTo {
		window = append(window, compare(sqlast.Less, at, col("x", offsetColumn(start, n.Window.To))), compare(sqlast.Less, at, col("x", colWindowsUntil)))
	} else {
		window = append(window, compare(sqlast.Less, at, col("x", colObserveUntil)))
	}
	never, reaches := sqlast.Bool(false), offsetColumn(start, min(n.Window.From, 0))
	items = append(items,
		item(call(sqlast.Coalesce, window, never), "in window"),
		item(call(sqlast.Coalesce, compare(sqlast.Less, at, col("x", reaches)), never), "early"),
		item(notNull(col("x", start)), "started"))
	from := sqlast.From(sqlast.Join{L: sqlast.Table{Name: rows, Alias: "d"}, R: x, On: compare(sqlast.Eq, rowID(), col("d", colUnit))})
	if s, of := w.slice.Segment, w.slice.fromEvents(w.plan); of != nil {
		from = w.besideMembers(from, of, s)
		items = append(items, item(s.isMember(col("h", colUnit)), "in segment"))
	} else if s != nil {
		items = append(items, item(s.holds(w.slice.segmentColumn(w.x, "x")), "in segment"))
	}
	return sqlast.Select{Why: "events beside the exposures of their units", Items: items, From: from}
}

// columns are those of the exposure that a wait needs.
func (w Wait) columns() []string {
	var out []string
	start := w.After.start()
	if w.After != nil {
		out = append(out, start)
	}
	switch {
	case !w.Over || w.Window.HasLookback:
	case w.Window.HasTo:
		out = append(out, offsetColumn(start, w.Window.To), colWindowsUntil)
	default:
		out = append(out, offsetColumn(start, w.Window.From), colObserveUntil)
	}
	return out
}
