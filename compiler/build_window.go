package compiler

import (
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

// offsetColumn names the instant so long after (or before) the exposure.
func offsetColumn(d time.Duration) string {
	switch {
	case d == 0:
		return colExposedAt
	case d < 0:
		return colExposedAt + " - " + durationText(-d)
	}
	return colExposedAt + " + " + durationText(d)
}

// offsets are the durations that windows begin and end at, but for 0.
func (b *builder) offsets() []time.Duration {
	var out []time.Duration
	add := func(d time.Duration) {
		if d != 0 {
			out = appendNew(out, d)
		}
	}
	for _, n := range b.measures() {
		add(n.Window.From)
		if n.Window.HasTo {
			add(n.Window.To)
		}
	}
	slices.Sort(out)
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

// longestTo is the largest end of a window, zero where none has one.
func (b *builder) longestTo() time.Duration {
	var out time.Duration
	for _, n := range b.measures() {
		if n.Window.HasTo {
			out = max(out, n.Window.To)
		}
	}
	return out
}

// someOpen reports whether some window has no end of its own.
func (b *builder) someOpen() bool {
	return slices.ContainsFunc(b.measures(), func(n *Measure) bool { return !n.Window.HasTo })
}

// windowsPass reports whether windows may pass the end of observation.
func (b *builder) windowsPass() bool {
	return b.longestTo() > 0 && b.uses(func(x *ExperimentPlan) bool { return x.WindowsUntil.After(x.ObserveUntil) })
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
	last := call(sqlast.Least, plus(exposed, b.longestTo()), col("p", colWindowsUntil))
	switch {
	case b.someOpen() && b.windowsPass():
		return call(sqlast.Greatest, col("p", colObserveUntil), last)
	case b.someOpen() || b.longestTo() == 0:
		return nil
	}
	return last
}

// windowColumns are the instants of windows as columns of the exposure, which
// is at an instant.
func (b *builder) windowColumns(exposed sqlast.Expr) []sqlast.Item {
	var out []sqlast.Item
	for _, d := range b.offsets() {
		out = append(out, item(plus(exposed, d), offsetColumn(d)))
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
		timestamp := sqlast.Type{Kind: sqlast.TimestampType}
		midnight := func(x sqlast.Expr) sqlast.Expr { return sqlast.Cast{X: call(sqlast.DateOf, x), To: timestamp} }
		out = append(out,
			sqlast.Item{X: midnight(plus(exposed, -b.before())), As: colFirstDay, Why: "copies of events are looked for in whole days"},
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
func (b *builder) inWindow(w metrics.Window, at sqlast.Expr) sqlast.Expr {
	var conds []sqlast.Expr
	if w.From > -b.before() {
		conds = append(conds, compare(sqlast.GreaterEq, at, col("x", offsetColumn(w.From))))
	}
	if w.HasLookback {
		conds = append(conds, compare(sqlast.GreaterEq, at, col("x", lookbackColumn(w.Lookback))))
	}
	switch {
	case w.HasTo:
		// Where every window ends so long after the exposure, the join says so.
		if b.someOpen() || w.To < b.longestTo() {
			conds = append(conds, compare(sqlast.Less, at, col("x", offsetColumn(w.To))))
		}
	case b.windowsPass():
		conds = append(conds, compare(sqlast.Less, at, col("x", colObserveUntil)))
	}
	return all(conds...)
}

// flagColumn names the column that says whether a row is in a window.
func flagColumn(w metrics.Window) string { return "in " + windowText(w) }
