package compiler

import (
	"cmp"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// The instants at which the windows of a unit begin and end are columns of the
// exposure: adding an interval to a timestamp in every row for every metric
// costs more than the rest of the condition.

// colUntil is the instant from which on no row of a unit counts for any
// metric, where that is not observe_until.
const colUntil = "until"

// unitWindow is a window, and where it starts: at the exposure, or with After
// at the instant of that event.
type unitWindow struct {
	After *After
	// Shown: it is counted from the exposure even where events activate units.
	Shown bool
	metrics.Window
}

func (n *Measure) window() unitWindow { return unitWindow{n.After, n.Covariate, n.Window} }

// WindowText says which rows are in the window of a measure.
func (n *Measure) WindowText() string { return n.window().text() }

// start names the column of the exposure that a window is counted from.
func (b *builder) start(w unitWindow) string {
	if w.Shown {
		return b.shownAt()
	}
	return w.After.start()
}

// reachStart is the column from which windows reach back: activations are not
// before exposures.
func (b *builder) reachStart() string {
	if slices.ContainsFunc(b.measures(), func(n *Measure) bool { return n.Covariate }) {
		return b.shownAt()
	}
	return colExposedAt
}

// start names the column of the exposure that windows are counted from.
func (a *After) start() string {
	if a == nil {
		return colExposedAt
	}
	return a.column()
}

// offsetColumn names the instant so long after (or before) another.
func offsetColumn(start string, d time.Duration) string {
	switch {
	case d == 0:
		return start
	case d < 0:
		return start + " - " + durationText(-d)
	}
	return start + " + " + durationText(d)
}

// offset is an instant that windows begin or end at.
type offset struct {
	start string
	by    time.Duration
}

// offsets are those that are not the start itself.
func (b *builder) offsets() []offset {
	var out []offset
	add := func(o offset) {
		if o.by != 0 {
			out = appendNew(out, o)
		}
	}
	add(offset{b.reachStart(), -b.before()}) // where the join begins
	for _, n := range b.measures() {
		add(offset{b.start(n.window()), n.Window.From})
		if n.Window.HasTo {
			add(offset{b.start(n.window()), n.Window.To})
		}
	}
	slices.SortFunc(out, func(a, b offset) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.by, b.by))
	})
	return out
}

// lookbackColumn names the instant so long before the end of observation.
func lookbackColumn(d time.Duration) string { return colObserveUntil + " - " + durationText(d) }

// lookbacks are the lengths of the windows that look back, each once.
func (b *builder) lookbacks() []time.Duration {
	var out []time.Duration
	for _, n := range b.measures() {
		if n.Window.HasLookback {
			out = appendNew(out, n.Window.Lookback)
		}
	}
	slices.Sort(out)
	return out
}

// before is how far before the exposure windows reach.
func (b *builder) before() time.Duration {
	out := time.Duration(0)
	for _, n := range b.measures() {
		out = max(out, -n.Window.From)
	}
	return out
}

// longestTo is the largest end of a window that is counted from the exposure
// (nil) or from an event after it, zero where none has one.
func (b *builder) longestTo(after *After) time.Duration {
	var out time.Duration
	for _, n := range b.measures() {
		if n.After == after && n.Window.HasTo {
			out = max(out, n.Window.To)
		}
	}
	return out
}

// afters are the events that windows are counted from, each once.
func (b *builder) afters() []*After {
	var out []*After
	for _, n := range b.measures() {
		if n.After != nil {
			out = appendNew(out, n.After)
		}
	}
	return out
}

// longest is the largest end of a window from its start.
func (b *builder) longest() time.Duration {
	out := b.longestTo(nil)
	for _, a := range b.afters() {
		out = max(out, b.longestTo(a))
	}
	return out
}

// someOpen reports whether some window has no end of its own.
func (b *builder) someOpen() bool {
	return slices.ContainsFunc(b.measures(), func(n *Measure) bool { return !n.Window.HasTo })
}

// windowsPass reports whether windows may pass the end of observation.
func (b *builder) windowsPass() bool {
	return b.longest() > 0 && b.uses(func(x *ExperimentPlan) bool { return x.WindowsUntil.After(x.ObserveUntil) })
}

// lateBefore reports whether rows before an exposure may count that is later than
// the end of observation: those of covariates, and of windows that end before it.
func (b *builder) lateBefore() bool {
	return b.uses(func(x *ExperimentPlan) bool { return x.Ends.After(x.ObserveUntil) }) &&
		slices.ContainsFunc(b.measures(), func(n *Measure) bool { return n.Window.HasTo && n.Window.To <= 0 })
}

// untilColumn is the column from which on no row of a unit counts.
func (b *builder) untilColumn() string {
	if b.until(sqlast.Null{}) == nil {
		return colObserveUntil
	}
	return colUntil
}

// until computes colUntil from the columns of the exposure; nil where
// observe_until is the same, or no later than any other end.
func (b *builder) until(exposed sqlast.Expr) sqlast.Expr {
	late := b.lateBefore()
	if !late && (b.longest() == 0 || b.someOpen() && !b.windowsPass()) {
		return nil
	}
	var ends []sqlast.Expr
	if late {
		ends = append(ends, exposed)
	}
	if b.someOpen() || late {
		ends = append(ends, col("p", colObserveUntil))
	}
	add := func(start sqlast.Expr, to time.Duration) {
		ends = append(ends, call(sqlast.Least, plus(start, to), col("p", colWindowsUntil)))
	}
	if to := b.longestTo(nil); to > 0 {
		add(exposed, to)
	}
	for _, a := range b.afters() { // also a window up to its event ends behind the exposure
		add(call(sqlast.Coalesce, col("p", a.column()), exposed), b.longestTo(a))
	}
	if len(ends) == 1 {
		return ends[0]
	}
	return call(sqlast.Greatest, ends...)
}

// windowColumns are the instants of windows as columns of the exposure, which
// is at an instant.
func (b *builder) windowColumns(exposed sqlast.Expr) []sqlast.Item {
	var out []sqlast.Item
	for _, o := range b.offsets() {
		start := exposed
		if o.start != colExposedAt {
			start = col("p", o.start)
		}
		out = append(out, item(plus(start, o.by), offsetColumn(o.start, o.by)))
	}
	for _, d := range b.lookbacks() {
		out = append(out, item(plus(col("p", colObserveUntil), -d), lookbackColumn(d)))
	}
	until := b.until(exposed)
	if until != nil {
		out = append(out, sqlast.Item{X: until, As: colUntil, Why: "from here on no event counts for any metric"})
	} else {
		until = col("p", colObserveUntil)
	}
	if slices.ContainsFunc(b.plan.Scans, func(s *Scan) bool { return len(s.Source.ID) > 0 }) {
		reach := exposed
		if b.reachStart() != colExposedAt {
			reach = col("p", b.reachStart())
		}
		timestamp := sqlast.Type{Kind: sqlast.TimestampType}
		midnight := func(x sqlast.Expr) sqlast.Expr { return sqlast.Cast{X: call(sqlast.DateOf, x), To: timestamp} }
		out = append(out,
			sqlast.Item{X: midnight(plus(reach, -b.before())), As: colFirstDay, Why: "copies of events are looked for in whole days"},
			item(plus(midnight(until), day), colLastDay))
	}
	return out
}

// The whole days around the time that matters for a unit, where events have
// ids: [first_day, last_day).
const (
	colFirstDay = "first_day"
	colLastDay  = "last_day"
)

// inWindow is the condition of a window over an instant and the exposure x,
// as far as the join of events and exposures does not say it already; nil
// where it says everything.
func (b *builder) inWindow(w unitWindow, at sqlast.Expr) sqlast.Expr {
	var conds []sqlast.Expr
	start := b.start(w)
	if start != b.reachStart() || w.From > -b.before() {
		conds = append(conds, compare(sqlast.GreaterEq, at, col("x", offsetColumn(start, w.From))))
	}
	if w.HasLookback {
		conds = append(conds, compare(sqlast.GreaterEq, at, col("x", lookbackColumn(w.Lookback))))
	}
	switch {
	case w.HasTo:
		// Where every window ends so long after the exposure, and no row counts
		// until another end, the join says so.
		longest := b.longestTo(nil)
		if w.After != nil || b.someOpen() || b.lateBefore() || len(b.afters()) > 0 || w.To < longest || longest == 0 {
			conds = append(conds, compare(sqlast.Less, at, col("x", offsetColumn(start, w.To))))
		}
		if b.lateBefore() && !w.Shown {
			conds = append(conds, compare(sqlast.Less, at, col("x", colWindowsUntil)))
		}
	case b.windowsPass() || b.lateBefore():
		conds = append(conds, compare(sqlast.Less, at, col("x", colObserveUntil)))
	}
	return all(conds...)
}

// flagColumn names the column that says whether a row is in a window.
func flagColumn(w unitWindow) string { return "in " + w.text() }

// text names the window. Windows of covariates are apart from those of metrics that
// are as long: where events activate units, they are counted from elsewhere.
func (w unitWindow) text() string {
	text := windowText(w.Window)
	if w.After != nil {
		text += " after " + w.After.Name
	}
	if w.Shown {
		text += " counted from the exposure"
	}
	return text
}
