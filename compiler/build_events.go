package compiler

import (
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// pass writes the statements of pass i of n over the events.
func (b *builder) pass(i, n int) []Statement {
	if len(b.plan.Bundles) > 0 {
		return b.passInBundles(i, n)
	}
	var out []Statement
	var tables []string
	for _, s := range b.plan.Scans {
		name := b.eventsTable(s)
		sc := newScanBuilder(b, s)
		if len(s.Source.ID) > 0 {
			out = append(out, sc.rows(i, n)...)
		}
		tables = append(tables, name)
		out = append(out, Statement{Name: name, Why: "the rows that count of each exposed unit, from one pass over " + sourceNames([]*Source{s.Source}),
			SQL: sqlast.CreateTable{Name: name, Query: sc.query(i, n)}})
		out = append(out, dropped(sc.dropped()...)...)
		if met := sc.met(name); met != nil {
			out = append(out, *met)
		}
	}
	return append(out, b.numbers(tables, i)...)
}

// eventsTable is the table of the rows of a source that count of each unit.
func (b *builder) eventsTable(s *Scan) string {
	if len(b.plan.Scans) > 1 {
		return b.table("unit_events of " + s.Source.spelled())
	}
	return b.table("unit_events")
}

// numbers writes the statements of pass i that make sums of the tables of the
// sources over units, and drop them.
func (b *builder) numbers(tables []string, i int) []Statement {
	var out []Statement
	values := tables[0]
	if len(tables) > 1 {
		values = b.table("unit_events")
		out = append(out, Statement{Name: values, Why: "the sources together",
			SQL: sqlast.CreateTable{Name: values, Query: b.together(tables)}})
		tables = append(tables, values)
	}
	out = append(out, b.keepSplits(values, i)...)
	values, derived, more := b.derive(values)
	out, tables = append(out, derived...), append(tables, more...)
	out = append(out, b.sums(values)...)
	out = append(append(out, b.keep(values, i)...), b.keepGroups(i)...)
	return append(out, dropped(tables...)...)
}

// dropped drops tables that are no longer needed.
func dropped(tables ...string) []Statement {
	var out []Statement
	for _, t := range tables {
		out = append(out, Statement{Name: t, Why: "no longer needed", SQL: sqlast.DropTable{Name: t}})
	}
	return out
}

func rowsColumn(n *Measure) string { return n.Name + " rows" }

func sumColumn(n *Measure) string { return aggSum.column(n) }

// measures are the measures of all scans, each once.
func (b *builder) measures() []*Measure { return b.plan.measures() }

// measures are the measures of all scans, each once.
func (u *UnitPlan) measures() []*Measure {
	if len(u.Scans) == 1 { // a scan has each measure once
		return slices.Clip(u.Scans[0].Measures)
	}
	var out []*Measure
	seen := map[*Measure]bool{}
	for _, s := range u.Scans {
		for _, n := range s.Measures {
			if !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	return out
}

// together adds up what the sources say of each unit.
func (b *builder) together(tables []string) sqlast.Select {
	var parts sqlast.Union
	for i, s := range b.plan.Scans {
		sel := sqlast.Select{Items: []sqlast.Item{item(col("", "unit"), "unit")}, From: sqlast.Table{Name: tables[i]}}
		for _, n := range b.measures() {
			here := slices.Contains(s.Measures, n)
			rows := sqlast.Expr(sqlast.Null{Type: bigint})
			if here {
				rows = col("", rowsColumn(n))
			}
			sel.Items = append(sel.Items, item(rows, rowsColumn(n)))
			for _, a := range b.aggregates(n) {
				x := a.absent(n)
				if here {
					x = col("", a.column(n))
				}
				sel.Items = append(sel.Items, item(x, a.column(n)))
			}
		}
		parts = append(parts, sel)
	}
	out := sqlast.Select{
		Why:     "what the sources say of each unit, together",
		With:    []sqlast.CTE{{Name: "of sources", Query: unionOf(parts)}},
		Items:   []sqlast.Item{item(col("", "unit"), "unit")},
		From:    sqlast.Table{Name: "of sources"},
		GroupBy: []sqlast.Expr{col("", "unit")},
	}
	for _, n := range b.measures() {
		sum := call(sqlast.Coalesce, aggregate(sqlast.Sum, col("", rowsColumn(n))), sqlast.Int(0))
		out.Items = append(out.Items, item(sqlast.Cast{X: sum, To: bigint}, rowsColumn(n)))
		for _, a := range b.aggregates(n) {
			out.Items = append(out.Items, item(a.ofSources(n), a.column(n)))
		}
	}
	return out
}

// scanBuilder writes the pass over one event source, as a chain of queries:
// matched (rows of exposed units, with the columns that metrics need), for
// sources with ids distinct events (copies made one), typed (text made numbers, once for each row), computed
// (values of expressions, once for each row), counted (a column for each
// measure: its value where the row counts), and the sums of each unit.
type scanBuilder struct {
	*builder
	scan *Scan
	src  *Source
	// columns of matched behind the fixed ones; of typed; and of computed.
	rawColumns      []rawColumn
	raw             []sqlast.Item
	typed, computed []sqlast.Item
	suspicious      []sqlast.Expr // conditions of rows with a value that is no number
	taken           map[string]bool
	countedOnce     *sqlast.Select
	// weight is the column of counted with the weights of rows, where they have
	// some, and marks say what was met in a row.
	weight, marks []sqlast.Item
	shares        map[*Bundle]scanShare // of the bundles, as far as they were asked for
}

func newScanBuilder(b *builder, s *Scan) *scanBuilder {
	return &scanBuilder{builder: b, scan: s, src: s.Source, taken: map[string]bool{}, shares: map[*Bundle]scanShare{}}
}

// events are all event keys that the scan needs.
func (sc *scanBuilder) events() []string {
	var out []string
	for _, n := range sc.scan.Measures {
		for _, e := range n.Events {
			out = appendNew(out, e)
		}
	}
	slices.Sort(out)
	return out
}

// isNeeded says whether some measure counts events with a key.
func (sc *scanBuilder) isNeeded(key sqlast.Expr) sqlast.Expr {
	if slices.ContainsFunc(sc.scan.Measures, func(n *Measure) bool { return n.Any }) {
		return notNull(key)
	}
	return oneOf(key, sc.events())
}

// The columns of matched.
const (
	colUnit  = "unit"
	colTime  = "ts"
	colEvent = "event"
)

// query sums the rows of each unit, in pass i of n.
func (sc *scanBuilder) query(i, n int) sqlast.Select {
	sc.counted()
	return sc.summed(sc.readable(i, n))
}

// readable are the queries that make rows of exposed units in which all that
// measures need can be read, the last of them, and its columns.
func (sc *scanBuilder) readable(i, n int) (with []sqlast.CTE, last string, passed []sqlast.Item) {
	with = []sqlast.CTE{{Name: "matched", Query: sc.matched(i, n)}}
	last = "matched"
	if len(sc.src.ID) > 0 {
		with = []sqlast.CTE{{Name: "merged", Query: sc.merged()}, {Name: "distinct events", Query: sc.distinct()}}
		last = "distinct events"
	}
	passed = sc.passedOn()
	if len(sc.typed) > 0 {
		with = append(with, sqlast.CTE{Name: "typed", Query: sqlast.Select{
			Why:   "text read as numbers, once for each row",
			Items: append(slices.Clone(passed), sc.typed...),
			From:  sqlast.Table{Name: last},
		}})
		last = "typed"
		passed = append(passed, named(sc.typed)...)
	}
	return with, last, passed
}

// summed sums the rows of each unit that count, from rows with some columns.
func (sc *scanBuilder) summed(with []sqlast.CTE, last string, passed []sqlast.Item) sqlast.Select {
	counted := sc.counted()
	if len(sc.computed) > 0 {
		with = append(with, sqlast.CTE{Name: "computed", Query: sqlast.Select{
			Why:   "values computed, once for each row",
			Items: append(slices.Clone(passed), sc.computed...),
			From:  sqlast.Table{Name: last},
		}})
		last = "computed"
	}
	counted.From = sqlast.Table{Name: last}
	with = append(with, sqlast.CTE{Name: "counted", Query: counted})
	out := sqlast.Select{
		Why:     "one row for each exposed unit with events",
		With:    with,
		Items:   []sqlast.Item{item(col("", colUnit), colUnit)},
		From:    sqlast.Table{Name: "counted"},
		GroupBy: []sqlast.Expr{col("", colUnit)},
	}
	for _, n := range sc.scan.Measures {
		out.Items = append(out.Items, item(aggregate(sqlast.Count, col("", n.Name)), rowsColumn(n)))
		for _, a := range sc.aggregates(n) {
			out.Items = append(out.Items, item(a.ofRows(n, sc.weighs()), a.column(n)))
		}
	}
	for _, mark := range sc.marks {
		fn := sqlast.Count // of rows with the mark, faster than a sum
		if mark.As == reasonDuplicate {
			fn = sqlast.Sum
		}
		out.Items = append(out.Items, item(aggregate(fn, col("", mark.As)), mark.As))
	}
	return out
}

// reasonDuplicate is the reason of copies, of which one row can have many.
const reasonDuplicate = "duplicate"

// met asks what was met among the rows read; nil where nothing can be.
func (sc *scanBuilder) met(table string) *Statement {
	var items []sqlast.Item
	var outputs []Output
	var met []sqlast.Expr
	add := func(reason string) {
		items = append(items, item(aggregate(sqlast.Sum, col("u", reason)), reason))
		met = append(met, compare(sqlast.Greater, col("u", reason), sqlast.Int(0)))
		outputs = append(outputs, Output{Column: reason, Role: RoleReason, Reason: reason})
	}
	if len(sc.src.ID) > 0 {
		add(reasonDuplicate)
	}
	if len(sc.suspicious) > 0 {
		add("not_a_number")
	}
	if sc.weighs() {
		add("no_weight")
	}
	if len(items) == 0 {
		return nil
	}
	sel := sqlast.Select{
		Items:   append([]sqlast.Item{item(col("x", colExperiment), colExperiment)}, items...),
		From:    sc.joined(table),
		Where:   sqlast.Or(met),
		GroupBy: []sqlast.Expr{col("x", colExperiment)},
		OrderBy: []sqlast.Order{{X: col("x", colExperiment)}},
	}
	var experiments []string
	for _, x := range sc.plan.Experiments {
		experiments = append(experiments, x.Def.Key.V)
	}
	return &Statement{Name: "met in " + sc.src.Def.Name.V, Why: "what was met among the rows read", SQL: sel, Result: ResultRows, Outputs: outputs, Experiments: experiments}
}

// joined joins a table over units with their exposures.
func (b *builder) joined(table string) sqlast.From {
	return sqlast.Join{L: sqlast.Table{Name: table, Alias: "u"}, R: sqlast.Table{Name: b.table("exposure"), Alias: "x"},
		On: compare(sqlast.Eq, rowID(), col("u", colUnit))}
}

// rowID is the row number of the exposure x, the unit's number in other tables.
func rowID() sqlast.Expr { return call(sqlast.RowID, sqlast.Column{Table: "x"}) }

// passedOn are the columns of matched that typed hands on.
func (sc *scanBuilder) passedOn() []sqlast.Item {
	out := []sqlast.Item{item(col("", colUnit), colUnit), item(col("", colEvent), colEvent)}
	out = append(append(out, named(sc.timed(nil))...), named(sc.raw)...)
	if len(sc.src.ID) > 0 {
		out = append(out, item(col("", "copies"), "copies"))
	}
	return out
}

// named are the columns of the items by their names.
func named(items []sqlast.Item) []sqlast.Item {
	var out []sqlast.Item
	for _, it := range items {
		out = append(out, item(col("", it.As), it.As))
	}
	return out
}

// exposureColumns are the columns of the exposure that metrics need in rows.
func (sc *scanBuilder) exposureColumns() []string {
	var out []string
	for _, n := range sc.scan.Measures {
		if !n.refersTo(func(r Ref) bool { return r.Kind == RefElapsed }) {
			continue
		}
		out = appendNew(out, n.After.start())
		if n.Window.HasLookback {
			out = appendNew(out, lookbackColumn(n.Window.Lookback))
		}
	}
	for _, a := range sc.plan.Attributes {
		if sc.refersTo(func(r Ref) bool { return r.Kind == RefExposure && r.Name == a }) {
			out = append(out, attributeColumn(a))
		}
	}
	for _, name := range sc.plan.Traits {
		if sc.refersTo(func(r Ref) bool { return r.Kind == RefUnit && r.Name == name }) {
			out = append(out, traitColumn(name))
		}
	}
	return out
}

func (sc *scanBuilder) refersTo(is func(Ref) bool) bool {
	return slices.ContainsFunc(sc.scan.Measures, func(n *Measure) bool { return n.refersTo(is) })
}

func (n *Measure) refersTo(is func(Ref) bool) bool {
	for _, e := range []*Expression{n.Where, n.Value} {
		if e != nil && slices.ContainsFunc(e.Refs, is) {
			return true
		}
	}
	return false
}

// instants bound the rows of all units: for pruning files and row groups.
func (sc *scanBuilder) instants() (from, to time.Time) {
	for i, x := range sc.plan.Experiments {
		lo, hi := x.Starts.Add(-sc.before()), x.ObserveUntil
		last := x.Ends // of the instants that windows are counted from
		if x.Def.Activation != nil {
			last = later(last, x.ObserveUntil)
		}
		if to := sc.longestTo(nil); to > 0 {
			hi = later(hi, earlier(last.Add(to), x.WindowsUntil))
		}
		if sc.lateBefore() {
			hi = later(hi, x.Ends)
		}
		for _, a := range sc.afters() {
			hi = later(hi, earlier(x.ObserveUntil.Add(sc.longestTo(a)), x.WindowsUntil))
		}
		if i == 0 || lo.Before(from) {
			from = lo
		}
		if i == 0 || hi.After(to) {
			to = hi
		}
	}
	return from, earlier(to, sc.plan.AsOf)
}

// windows are the windows that need a condition of their own, each once.
func (sc *scanBuilder) windows() []unitWindow {
	var out, seen []unitWindow
	for _, n := range sc.scan.Measures {
		w := n.window()
		if slices.Contains(seen, w) {
			continue
		}
		seen = append(seen, w)
		if sc.inWindow(w, sqlast.Null{}) != nil {
			out = append(out, w)
		}
	}
	return out
}

// flags are columns that say whether an instant is in each window.
func (sc *scanBuilder) flags(at sqlast.Expr) []sqlast.Item {
	var out []sqlast.Item
	for _, w := range sc.windows() {
		out = append(out, item(sc.inWindow(w, at), flagColumn(w)))
	}
	return out
}

// reach are the conditions of the join of a row at an instant with the
// exposure x: not before any window begins, and before all have ended.
func (sc *scanBuilder) reach() (start, end sqlast.Expr) {
	return col("x", offsetColumn(sc.reachStart(), -sc.before())), col("x", sc.untilColumn())
}

// matched joins the rows of the source with the exposures of their units.
func (sc *scanBuilder) matched(i, n int) sqlast.Select {
	from, to := sc.instants()
	at := inRow(sc.src.Time.SQL)
	start, end := sc.reach()
	if len(sc.src.ID) > 0 {
		// Whole days are read, so that every copy of a row is there.
		from, to = dayOf(from), earlier(nextDay(to), sc.plan.AsOf)
	}
	files, where := sc.rowsOf(from, to)
	joining, files, on := sc.owned(files)
	items := []sqlast.Item{
		{X: rowID(), As: colUnit, Why: "the row number of the unit's exposure"},
		item(inRow(sc.src.Event.SQL), colEvent),
	}
	items = append(items, sc.timed(at)...)
	if len(sc.src.ID) > 0 {
		on = append(on, compare(sqlast.GreaterEq, at, col("x", colFirstDay)), compare(sqlast.Less, at, col("x", colLastDay)))
		items = append(items, item(sqlast.And{compare(sqlast.GreaterEq, at, start), compare(sqlast.Less, at, end)}, colInReach))
		if !sc.needsTime() {
			items = append(items, item(at, colTime))
		}
		items = append(items, sc.idKey()...)
		items = append(items, item(sc.src.hash(rowID()), colHash))
	} else {
		on = append(on, compare(sqlast.GreaterEq, at, start), compare(sqlast.Less, at, end))
	}
	if sc.src.Kept != "" {
		on = append(on, compare(sqlast.Eq, col("x", colExperiment), col(rowAlias, colExperiment)))
	}
	if len(sc.only) > 0 && len(sc.only) < len(sc.plan.Experiments) {
		where = append(where, oneOf(col("x", colExperiment), sc.only))
	}
	if n > 1 {
		where = append(where, compare(sqlast.Eq, call(sqlast.Mod, rowID(), sqlast.Int(int64(n))), sqlast.Int(int64(i))))
	}
	return sqlast.Select{
		Why:   "events of exposed units",
		With:  joining,
		Items: append(items, sc.raw...),
		From:  sqlast.Join{L: files, R: sqlast.Table{Name: sc.table("exposure"), Alias: "x"}, On: on},
		Where: where,
	}
}

// rowsOf is the relation that holds the rows of the source with an instant in
// [from, to), and the conditions under which a row of it exists and its unit
// counts.
func (sc *scanBuilder) rowsOf(from, to time.Time) (files sqlast.From, where sqlast.And) {
	where = append(sc.src.exists(from, to), sc.isNeeded(inRow(sc.src.Event.SQL)), isNull(col("x", colDropped)))
	if sc.src.Kept != "" {
		return sqlast.Table{Name: sc.table(sc.src.Kept), Alias: rowAlias}, append(where, notNull(col(rowAlias, "position")))
	}
	files, among := sc.src.withExcluded(sc.src.read(from, to))
	return files, append(where, among...)
}

// timed are the columns of a row at an instant that depend on the exposure.
func (sc *scanBuilder) timed(at sqlast.Expr) []sqlast.Item {
	var out []sqlast.Item
	if sc.needsTime() {
		out = append(out, item(at, colTime))
	}
	for _, name := range sc.exposureColumns() {
		out = append(out, item(col("x", name), name))
	}
	return append(out, sc.flags(at)...)
}

// needsTime reports whether an expression needs the instant of the row.
func (sc *scanBuilder) needsTime() bool {
	return sc.refersTo(func(r Ref) bool { return r.Kind == RefElapsed }) || sc.aggregatesTime()
}

// aggregatesTime reports whether the number of some unit needs the instants of
// the rows that count.
func (sc *scanBuilder) aggregatesTime() bool {
	return slices.ContainsFunc(sc.scan.Measures, func(n *Measure) bool {
		return slices.ContainsFunc(sc.aggregates(n), unitAggregate.needsTime)
	})
}

// weighs reports whether the number of some unit needs the weights of rows.
func (sc *scanBuilder) weighs() bool {
	return sc.src.Weight != nil && slices.ContainsFunc(sc.scan.Measures, func(n *Measure) bool {
		as := sc.aggregates(n)
		return slices.Contains(as, aggWeights) || slices.Contains(as, aggRows)
	})
}

// counted has a column for each measure: where the row counts, its value (1
// for counts), else NULL. Building it finds out which columns are needed.
func (sc *scanBuilder) counted() sqlast.Select {
	if sc.countedOnce != nil {
		return *sc.countedOnce
	}
	bad := sqlast.Expr(nil)
	if sc.weighs() {
		w := sc.weightAsIs()
		bad = sqlast.Or{isNull(w), compare(sqlast.Less, w, sqlast.Int(1))}
		sc.weight = []sqlast.Item{item(sc.weightOf(), colWeight)}
	}
	items, windows := append(sc.ofAll(), sc.weight...), sc.windows()
	for _, n := range sc.scan.Measures {
		items = append(items, sc.ofMeasure(n, n.isEvent(col("", colEvent)), windows)...)
	}
	mark := func(x sqlast.Expr, name string) { sc.marks = append(sc.marks, item(x, name)) }
	if len(sc.src.ID) > 0 {
		mark(compare(sqlast.Sub, col("", "copies"), sqlast.Int(1)), reasonDuplicate)
	}
	if len(sc.suspicious) > 0 {
		odd := sqlast.Expr(sqlast.Or(sc.suspicious))
		if len(sc.suspicious) == 1 {
			odd = sc.suspicious[0]
		}
		mark(when(odd, sqlast.Int(1)), "not_a_number")
	}
	if bad != nil {
		mark(when(bad, sqlast.Int(1)), "no_weight")
	}
	sc.raw = sc.rawItems()
	sc.countedOnce = &sqlast.Select{Why: "for each metric the rows that count", Items: append(items, sc.marks...)}
	return *sc.countedOnce
}

// weightAsIs is the weight of a row as it is stored, and weightOf how many rows it
// stands for, at least one.
func (sc *scanBuilder) weightAsIs() sqlast.Expr {
	return (&rowScope{scan: sc, measure: &Measure{Any: true}}).raw(colWeight, inRow(sc.src.Weight.SQL), false)
}

func (sc *scanBuilder) weightOf() sqlast.Expr {
	w := sc.weightAsIs()
	return sqlast.Case{Whens: []sqlast.When{{If: compare(sqlast.Greater, w, sqlast.Int(1)), Then: w}}, Else: sqlast.Int(1)}
}

// ofMeasure are the columns of counted that belong to a measure, whose rows are those
// with some event (nil: all). The windows are those of the scan.
func (sc *scanBuilder) ofMeasure(n *Measure, isEvent sqlast.Expr, windows []unitWindow) []sqlast.Item {
	scope := &rowScope{scan: sc, measure: n}
	value := scope.value()
	in := []sqlast.Expr{isEvent}
	if slices.Contains(windows, n.window()) {
		in = append(in, col("", flagColumn(n.window())))
	}
	conds := in
	if n.Where != nil {
		conds = slices.Insert(slices.Clone(in), 1, n.Where.Condition(scope))
	}
	if cond := all(conds...); cond != nil {
		value = when(cond, value)
	}
	out := []sqlast.Item{{X: value, As: n.Name, Why: n.describe()}}
	if n.Group != nil {
		out = append(out, item(scope.group(all(in...), value), groupColumn(n)))
	}
	if n.SplitBy != "" {
		out = append(out, item(scope.text(Ref{Kind: RefProperty, Name: n.SplitBy}), splitColumn(n)))
	}
	if n.SegmentBy != "" {
		out = append(out, item(scope.text(Ref{Kind: RefAttribute, Name: n.SegmentBy}), partOf(n)))
	}
	return out
}

// ofAll are the columns of counted for whatever measure.
func (sc *scanBuilder) ofAll() []sqlast.Item {
	items := []sqlast.Item{item(col("", colUnit), colUnit)}
	if sc.aggregatesTime() {
		items = append(items, item(col("", colTime), colTime))
	}
	return items
}
