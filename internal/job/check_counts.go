package job

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// counts warns of metrics that overflow, and of metrics whose events occur but
// of which no row counts.
func (c *checker) counts(ctx context.Context, u *compiler.UnitPlan, x *compiler.ExperimentPlan, got *collected) error {
	exposed := got.exposedUnits(x)
	var silent []*compiler.MetricPlan
	for i, m := range x.Metrics {
		def := m.Def.Metric
		if got.overflow(x, m) {
			why, hint, err := c.overflowText(ctx, x, m)
			if err != nil {
				return err
			}
			c.foundIn(x, def.Pos, "overflow", "metric %s overflows in experiment %s: %s", def.Key.V, x.Def.Key.V, why).hint = hint
			continue
		}
		n := m.Tally.X.Measure
		// That a source has no event of an exposed unit is said of the source.
		occurs := slices.ContainsFunc(n.Sources, func(s *compiler.Source) bool { return c.occursIn(n, s) && !c.strangers[s] })
		unreached := m.Step > 1 && got.counted(x, x.Metrics[i-1]) == 0 // which is said of the step before
		if got.counted(x, m) == 0 && exposed > 0 && occurs && !c.doubted[u.RowsOf(n)] && !unreached && !c.waitsInVain(u, x, n) {
			silent = append(silent, m)
		}
		if err := c.vanishing(ctx, x, m, got); err != nil {
			return err
		}
	}
	return c.silent(ctx, x, silent)
}

// waitsInVain reports whether something was said already of the event that a measure is
// counted after, or that activates the units of its experiment.
func (c *checker) waitsInVain(u *compiler.UnitPlan, x *compiler.ExperimentPlan, n *compiler.Measure) bool {
	return n.After != nil && c.doubted[n.After.Measure] || u.Activation != nil && c.doubted[u.Activation.Measures[x.Def.Key.V]]
}

// counted are the rows that count for a metric in any variation of an experiment.
func (c *collected) counted(x *compiler.ExperimentPlan, m *compiler.MetricPlan) int64 {
	n := int64(0)
	for k, s := range c.sums[m.Tally] {
		if k.experiment == x.Def.Key.V && k.segment == metrics.Overall {
			n += s.events
		}
	}
	return n
}

// The ways to ask less of an event than a metric does, each less than the one
// before.
const (
	anyValue = iota // a missing value will do
	anyRow          // whatever where says
	anyTime         // whenever it was
	leniences
)

// silent says of metrics for which no row counts at which condition the last
// rows are lost. It computes the metrics again with less and less asked.
func (c *checker) silent(ctx context.Context, x *compiler.ExperimentPlan, list []*compiler.MetricPlan) error {
	var with []*metrics.ExperimentMetric
	for i, m := range list {
		for lenience := range leniences {
			of := lenient(m.Tally.X.Measure.Metric, lenience)
			of.Key.V = fmt.Sprintf("silent_%d_%d", i, lenience)
			with = append(with, &metrics.ExperimentMetric{Metric: of, Role: metrics.Secondary, Analysis: x.Def.Analysis})
		}
	}
	if len(with) == 0 {
		return nil
	}
	planned, got, err := c.try(ctx, x, with)
	if err != nil {
		return fmt.Errorf("find why no row counts in experiment %s: %w", x.Def.Key.V, err)
	}
	for i, m := range list {
		var rows [leniences]int64
		for lenience := range leniences {
			rows[lenience] = got.counted(planned, planned.Metrics[i*leniences+lenience])
		}
		c.noRow(x, m, rows)
	}
	return nil
}

// lenient is a count of the events of a metric of which less is asked.
func lenient(m *metrics.Metric, lenience int) *metrics.Metric {
	out := &metrics.Metric{
		Event: m.Event, Source: m.Source, Where: m.Where, Window: m.Window, After: m.After, Pos: m.Pos,
		Measure: metrics.At[metrics.Measure]{V: metrics.Count, Set: true}, Statistic: metrics.At[string]{V: "mean"},
		PerUnit: metrics.At[metrics.PerUnit]{V: metrics.Sum}, WithoutEvents: metrics.UnitsWithoutEvents{Number: "0"},
	}
	if lenience >= anyRow {
		out.Where = metrics.Expr{}
	}
	if lenience >= anyTime {
		const ever = 100 * 365 * 24 * time.Hour
		out.Window = metrics.Window{From: -ever, To: ever, HasFrom: true, HasTo: true, Set: true}
	}
	return out
}

// noRow says why no row counts for a metric.
func (c *checker) noRow(x *compiler.ExperimentPlan, m *compiler.MetricPlan, rows [leniences]int64) {
	n := m.Tally.X.Measure
	pos, why, hint := m.Def.Metric.Pos, "", ""
	at := func(p diag.Pos) {
		if p.IsValid() {
			pos = p
		}
	}
	switch {
	case rows[anyTime] == 0:
		why = "none is of an exposed unit"
		hint = "see whether the units' ids are the same in both exports"
		if x.Def.Activation != nil {
			why = "none is of a unit that was exposed and activated"
			hint = "see which units the activating event is of, and whether the units' ids are the same in both exports"
		}
		if n.After != nil {
			why = "none is of an exposed unit that did " + n.After.Name
			hint = ""
		}
	case rows[anyRow] == 0:
		when := "after the exposure"
		if w := n.Metric.Window; w.Set {
			at(w.Pos)
			when = "in the window"
		}
		why = fmt.Sprintf("%s of exposed units, but none %s", are(rows[anyTime]), when)
		hint = fmt.Sprintf("units are exposed from %s on, and events without a window count until %s; all times are taken as UTC unless they name a zone", minute(x.Starts), minute(x.ObserveUntil))
	case rows[anyValue] == 0:
		at(n.Metric.Where.Pos)
		why = fmt.Sprintf("%s of exposed units and in time, but where is true for none of them", are(rows[anyRow]))
	case n.Value != nil:
		at(n.Metric.Value.Pos)
		why = fmt.Sprintf("%s of exposed units, in time and as where asks, but the value is missing, or no number, in all of them", are(rows[anyValue]))
		hint = "see what the events have in the column that value is mapped to, or write value: for a property"
	case m.Step > 1:
		at(n.Metric.Pos)
		step := m.Def.Metric.Funnel.Steps[m.Step-1]
		why = fmt.Sprintf("%s of exposed units and in time, but none of a unit that did step %d", are(rows[anyValue]), m.Step-1)
		if !m.Def.Metric.Funnel.AnyTime {
			why = fmt.Sprintf("%s of exposed units and in time, but none after step %d", are(rows[anyValue]), m.Step-1)
			hint = "a step counts after the step before it: write the steps as they follow each other, or order: any"
		}
		if step.Within.Set {
			why += ", and as soon after it as within asks"
		}
	default:
		why = fmt.Sprintf("%s of exposed units and in time, but none counts", are(rows[anyValue]))
	}
	c.found.Warnf(pos, "no-events-after-exposure", "%s occurs, but no row of it counts for metric %s in experiment %s: %s",
		n.EventsText(), m.Def.Metric.Key.V, x.Def.Key.V, why).Hint = hint
}

// are is a number of rows with its verb.
func are(n int64) string {
	if n == 1 {
		return "1 row is"
	}
	return grouped(n) + " rows are"
}

func minute(t time.Time) string { return t.Format("2006-01-02 15:04") }
