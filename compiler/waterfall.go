package compiler

import (
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// A waterfall says where the rows of sources are lost on their way to the
// numbers of a metric (semantics 9): each row is lost at the first step whose
// condition it does not fulfil, or counts. It is asked of the tables that the
// statements of a run leave, and of the sources themselves, apart from the run,
// so that it does not slow the run's own pass.

// WaterfallPart is one way of rows: of impressions to exposures, or of the
// events of a metric, of a side of a ratio, or of a step of a funnel.
type WaterfallPart struct {
	// Name is exposures, events, numerator, denominator or step N.
	Name string
	// Sources are those whose rows it is about.
	Sources []*Source
	// Files is the number of rows in the files, and NotRead of those in files that
	// a run does not read, both from footers.
	Files, NotRead int64
	// Steps are in the order in which rows are lost. Those from ByVariation on
	// are known by variation.
	Steps       []WaterfallStep
	ByVariation int
	// Counted says what the rows are that the metric counts, of those that come
	// past the last step; empty where these are the ones.
	Counted string
	// Derived finds those rows, by the rows that count in the part of the step
	// before, or of the denominator; nil where nothing has to be found.
	Derived *Derived
	// Grouping is what makes groups of the rows; nil where the unit is the group.
	Grouping *Grouping
	// Groups gives variation, group, rows that count, number (a whole number of
	// 10^-GroupDigits, NULL where the group is left out) of the groups of the unit that
	// is asked for; nil where they are not made by a property.
	Groups      *sqlast.Select
	GroupDigits int
	// Digits are those of the values of rows, which are whole numbers of
	// 10^-Digits; negative where they are not numbers, or there are none.
	Digits int
	// Tally is the tally of the run that counts them; nil for exposures and for
	// denominators, whose rows a run does not count.
	Tally *Tally
	// Capped is the tally whose numbers of units are capped on the side Side, at the
	// caps of the tally Caps; nil where none are.
	Capped, Caps *Tally
	Side         stats.Term
	// Query gives variation (NULL: over all), place, rows, units: how many rows
	// are lost at step Steps[place-1], or at place len(Steps)+1 at none; and of
	// how many units no row comes further.
	Query sqlast.Select
}

// OfImpressions reports whether its rows are the impressions of the experiment, which
// an event of the metric is: they are read from what the run kept of them.
func (p *WaterfallPart) OfImpressions() bool {
	return slices.ContainsFunc(p.Sources, func(s *Source) bool { return s.Kept != "" })
}

// WaterfallStep is a condition that rows must fulfil.
type WaterfallStep struct {
	// Code is the reason of the rows that are lost, a word of semantics 9.
	Code string
	// Text says what the rows are that are not lost; empty where none can be.
	Text string
}

// Waterfall writes the queries about a metric in an experiment: steps are its
// parts, several for a funnel. From the step on at which the unit is known only
// rows of the slice are left. They need the tables that Exposures makes.
func (u *UnitProgram) Waterfall(x *ExperimentPlan, steps []*MetricPlan, slice Slice) []WaterfallPart {
	return u.waterfall(x, steps, slice, nil)
}

// RowsOfUnit writes the queries for the rows of one unit in place of their
// numbers: for exposures time, source, shown, variation, copies, place; else
// time, source, event, value, group, variation, copies, place.
func (u *UnitProgram) RowsOfUnit(x *ExperimentPlan, steps []*MetricPlan, unit string) []WaterfallPart {
	return u.waterfall(x, steps, Slice{}, &unit)
}

func (u *UnitProgram) waterfall(x *ExperimentPlan, steps []*MetricPlan, slice Slice, unit *string) []WaterfallPart {
	t := steps[0].Tally
	shown := &exposureWaterfall{builder: u.b, x: x, waits: t.Waits, slice: slice, unit: unit}
	parts := []WaterfallPart{shown.part()}
	add := func(name string, t *Tally, v *UnitValue) *WaterfallPart {
		w := &eventWaterfall{builder: u.b, x: x, measure: u.Plan.RowsOf(v.Measure), waits: t.Waits, slice: slice, unit: unit}
		part := w.part()
		part.Name = name
		parts = append(parts, part)
		return &parts[len(parts)-1]
	}
	capped := func(part *WaterfallPart, m *MetricPlan, side stats.Term) {
		if m.Tally.Side(side).Caps != nil {
			part.Capped, part.Caps, part.Side = m.Tally, m.Caps(), side
		}
	}
	counted := func(part *WaterfallPart, m *MetricPlan) {
		of := slice.of(m)
		part.Tally, part.Counted, part.Derived = of.Tally, u.Plan.countedText(m.Tally), u.Plan.chainOf(m.Tally)
		capped(part, of, stats.X)
	}
	for _, m := range steps {
		switch {
		case m.Step > 0:
			counted(add(fmt.Sprintf("step %d", m.Step), m.Tally, m.Tally.X), m)
		case m.Tally.Y == nil || u.Plan.RowsOf(m.Tally.X.Measure) == u.Plan.RowsOf(m.Tally.Y.Measure) && m.Tally.Y.Op == OpGroups:
			counted(add("events", m.Tally, m.Tally.X), m)
		default:
			counted(add("numerator", m.Tally, m.Tally.X), m)
			capped(add("denominator", m.Tally, m.Tally.Y), slice.of(m), stats.Y)
		}
	}
	return parts
}

// countedText says what rows a tally counts beyond the conditions of its measure;
// empty where there is nothing more.
func (u *UnitPlan) countedText(t *Tally) string {
	var parts []string
	switch d := u.chainOf(t); {
	case d == nil:
	case d.Funnel == nil:
		parts = append(parts, "within "+durationText(d.Within)+" after one of the denominator")
	default:
		parts = append(parts, "at which the step is reached")
	}
	if t.Y != nil && t.Exclude {
		parts = append(parts, "of units with a denominator")
	}
	return strings.Join(parts, ", ")
}

// chainOf is what finds the rows that a tally counts by other rows of the unit: those
// at which a step of a funnel behind the first is reached, and those of a numerator
// within some time; nil for all else.
func (u *UnitPlan) chainOf(t *Tally) *Derived {
	for _, d := range u.Derived {
		i := slices.Index(d.Measures, t.X.Measure)
		if i >= 0 && d.Groups == nil && (i > 0 || d.Funnel == nil) {
			return d
		}
	}
	return nil
}

// RowsOf is the measure whose rows a measure is of: itself, or the one that it
// is derived from.
func (u *UnitPlan) RowsOf(n *Measure) *Measure {
	for _, d := range u.Derived {
		i := slices.Index(d.Measures, n)
		switch {
		case i < 0:
		case d.Groups != nil:
			return d.From[0]
		default:
			return d.From[i]
		}
	}
	return n
}

// groupsOf are the numbers of the groups of the rows of a measure; nil where there
// are none, or the mean over them is that of the rows.
func (u *UnitPlan) groupsOf(n *Measure) *GroupValue {
	for _, d := range u.Derived {
		if d.Groups != nil && d.From[0] == n {
			return d.Groups
		}
	}
	return nil
}

// FirstEvent is an event that windows are counted from.
type FirstEvent struct {
	// Words say what it is, and Column names its instant in ExposuresOfUnit.
	Words, Column string
}

// FirstEvents are the events that windows of metrics are counted from.
func (u *UnitProgram) FirstEvents() []FirstEvent {
	var out []FirstEvent
	if u.Plan.Following != nil {
		for _, a := range u.Plan.Following.Events {
			out = append(out, FirstEvent{a.words(), a.column()})
		}
	}
	return out
}

// ExposuresOfUnit asks for the exposures of a unit in an experiment: variation,
// first_shown_at, exposed_at (with activation that of the activation),
// impressions, dropped, and the instants of FirstEvents.
func (u *UnitProgram) ExposuresOfUnit(x *ExperimentPlan, unit string) sqlast.Select {
	c := func(name string) sqlast.Expr { return col("x", name) }
	var first []sqlast.Item
	for _, e := range u.FirstEvents() {
		first = append(first, item(c(e.Column), e.Column))
	}
	return sqlast.Select{
		Why: "what became of the unit",
		Items: append([]sqlast.Item{item(c(colVariation), colVariation), item(c(u.b.shownAt()), colFirstShown), item(c(colExposedAt), colExposedAt),
			item(c(colImpressions), colImpressions), item(c(colDropped), colDropped)}, first...),
		From:    sqlast.Table{Name: u.b.table("exposure"), Alias: "x"},
		Where:   sqlast.And{compare(sqlast.Eq, c(colUnitID), sqlast.Text(unit)), compare(sqlast.Eq, c(colExperiment), sqlast.Text(x.Def.Key.V))},
		OrderBy: []sqlast.Order{{X: c(u.b.shownAt())}, {X: c(colVariation)}},
	}
}

// ordered is the query that puts rows of a unit in the order of time.
func ordered(with []sqlast.CTE, rows sqlast.Union) sqlast.Select {
	items := named(rows[0].Items)
	var order []sqlast.Order
	for _, it := range items {
		order = append(order, sqlast.Order{X: it.X})
	}
	return sqlast.Select{Why: "the rows of the unit, and how far each comes",
		With: append(with, sqlast.CTE{Name: "row of unit", Query: unionOf(rows)}), Items: items, From: sqlast.Table{Name: "row of unit"}, OrderBy: order}
}

// ladder is a list of steps with the conditions under which a row is lost.
type ladder struct {
	steps []WaterfallStep
	lost  []sqlast.Expr
}

// keep adds a step that loses the rows for which a condition does not hold.
func (l *ladder) keep(code, text string, cond sqlast.Expr) {
	l.lose(code, text, sqlast.Not{X: call(sqlast.Coalesce, cond, sqlast.Bool(false))})
}

// lose adds a step that loses the rows for which a condition holds.
func (l *ladder) lose(code, text string, cond sqlast.Expr) {
	l.steps = append(l.steps, WaterfallStep{code, text})
	l.lost = append(l.lost, cond)
}

// place is the number of the first step that loses a row, after so many others;
// past the last where none does.
func (l *ladder) place(after int) sqlast.Expr {
	c := sqlast.Case{Else: sqlast.Int(int64(after + len(l.lost) + 1))}
	for i, cond := range l.lost {
		c.Whens = append(c.Whens, sqlast.When{If: cond, Then: sqlast.Int(int64(after + i + 1))})
	}
	return c
}

// together are the steps of several sources: a step that only some have keeps
// its text.
func together(have, next []WaterfallStep) []WaterfallStep {
	if have == nil {
		return next
	}
	for i, s := range next {
		if have[i].Text == "" {
			have[i].Text = s.Text
		}
	}
	return have
}

// exists adds the steps of rows of a source that exist (semantics 2), and are
// of a unit. The same steps are added for every source, so that those of
// several can be put side by side; where a source cannot lose rows at one, or
// no source can, it has no text. The id is that of the unit.
func (l *ladder) exists(b *builder, s *Source, among sqlast.And, id sqlast.Expr) {
	step := func(is bool, code, text string, cond sqlast.Expr) {
		if !is {
			text, cond = "", sqlast.Bool(true)
		}
		l.keep(code, text, cond)
	}
	at := inRow(s.Time.SQL)
	var where sqlast.Expr
	if s.Where != nil {
		where = inRow(s.Where)
	}
	step(s.Where != nil, "source_where", "where of the source", where)
	step(true, "no_timestamp", "with a timestamp", notNull(at))
	step(true, "as_of", "before "+stamp(b.plan.AsOf), compare(sqlast.Less, at, sqlast.Timestamp(b.plan.AsOf)))
	var near sqlast.Expr
	if s.PartitionDay != nil {
		near = s.nearPartition(at)
	}
	step(s.PartitionDay != nil, "partition", "near the day of the partition", near)
	if s.Event.SQL != nil {
		step(true, "no_event", "with an event key", notNull(inRow(s.Event.SQL)))
	}
	with := "with an id of the " + b.plan.Kind
	if b.plan.JoinsIDs(s) {
		with = "with an id that leads to a " + b.plan.Kind
	}
	step(true, "no_unit", with, notNull(id))
	step(len(among) > 0, "excluded_unit", "not of an excluded unit", all(among...))
}

// byVariationText is of the first step that is known by variation.
const byVariationText = "by variation of the unit's exposure"

// drop adds a step that loses the units that are left out of an experiment for a
// reason, by the column dropped of the exposure.
func (l *ladder) drop(code, text string, dropped sqlast.Expr) {
	l.lose(code, text, call(sqlast.Coalesce, compare(sqlast.Eq, dropped, sqlast.Text(code)), sqlast.Bool(false)))
}

// dropSteps adds the steps at which whole units are left out of an experiment,
// but for those that are not activated: these count as exposed.
func (l *ladder) dropSteps(x *ExperimentPlan, dropped sqlast.Expr) {
	drop := func(code, text string) { l.drop(code, text, dropped) }
	switch {
	case keepsEach(x):
	case keepsFirst(x):
		drop("several_variations", "unit not first seen in several variations")
	default:
		drop("several_variations", "unit not seen in several variations")
	}
	if excludesUnits(x) {
		drop("other_experiment", "unit not in "+joinTexts(x.Def.ExcludeUnitsIn))
	}
	if x.Audience != nil {
		drop("audience", "unit in the audience: "+x.Audience.String())
	}
	if last := x.Def.LastPhase(); last != nil {
		drop("phase", "unit of the last phase, from "+stamp(last.Start.V))
	}
}

// activatedStep adds the step at which units without activation are left out.
func (l *ladder) activatedStep(x *ExperimentPlan, dropped sqlast.Expr) {
	if x.Def.Activation != nil {
		l.drop(notActivated, "unit activated", dropped)
	}
}

// waitSteps adds the steps at which units are left out because it is not yet
// time for them, or because they did not do what a window is counted from;
// known are those of an event that is looked at already.
func (l *ladder) waitSteps(waits []Wait, table string, known *After) {
	var over []string
	for _, w := range waits {
		if w.After != nil && w.After != known {
			l.keep("not_followed", "unit with "+w.After.words()+" after the exposure", notNull(col(table, w.After.column())))
		}
		if w.Over {
			over = append(over, windowWords(w.After, w.Window))
		}
	}
	if len(over) > 0 {
		l.keep("immature", "unit whose "+strings.Join(over, " and ")+" is over", allOver(waits, table))
	}
}

// words say what the event is, without the name that tells it from others of the
// same key.
func (a *After) words() string {
	if a.Measure.Where != nil {
		return a.Measure.EventsText() + " where " + a.Measure.Where.String()
	}
	return a.Measure.EventsText()
}

// windowWords say what a window is, and what it is counted from.
func windowWords(after *After, w metrics.Window) string {
	if after == nil {
		return windowText(w)
	}
	return windowText(w) + " after " + after.words()
}

// counts are the queries that count rows and units by place, over all or by
// variation, of queries that give unit, place and rows, and by variation.
func counts(name string, query sqlast.Query, byVariation bool) ([]sqlast.CTE, sqlast.Union) {
	variation := sqlast.Expr(sqlast.Null{Type: varchar})
	keys := []sqlast.Expr{col("", colUnit)}
	items := []sqlast.Item{item(col("", colUnit), colUnit)}
	group := []sqlast.Expr{col("", "place")}
	if byVariation {
		variation = col("", colVariation)
		keys = append(keys, variation)
		items = append(items, item(variation, colVariation))
		group = append(group, variation)
	}
	far := sqlast.Select{
		Why:     "how far each unit comes",
		Items:   append(slices.Clone(items), item(aggregate(sqlast.Max, col("", "place")), "place")),
		From:    sqlast.Table{Name: name},
		Where:   notNull(col("", colUnit)),
		GroupBy: keys,
	}
	of := func(table string, rows, units sqlast.Expr) sqlast.Select {
		return sqlast.Select{
			Items:   []sqlast.Item{item(variation, colVariation), item(col("", "place"), "place"), item(rows, "rows"), item(units, "units")},
			From:    sqlast.Table{Name: table},
			GroupBy: group,
		}
	}
	zero := sqlast.Cast{X: sqlast.Int(0), To: hugeint}
	return []sqlast.CTE{{Name: name, Query: query}, {Name: "furthest " + name, Query: far}},
		sqlast.Union{of(name, aggregate(sqlast.Sum, col("", "rows")), sqlast.Int(0)), of("furthest "+name, zero, countStar())}
}
