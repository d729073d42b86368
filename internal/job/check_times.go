package job

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/loaders"
)

// span is from when to when the rows of a source are.
type span struct {
	rows, midnights int64
	first, last     time.Time
}

// times warns of times that are read in the wrong unit, that are dates beside times, or
// that end before the impressions do, and of events that are there twice.
func (c *checker) times(ctx context.Context) error {
	spans := map[*compiler.Source]span{}
	for _, s := range slices.Concat(c.catalog.Impressions, c.catalog.Events) {
		if s.Rows == 0 {
			continue
		}
		rows, err := c.query(ctx, compiler.ProbeTimes(s))
		if err != nil {
			return err
		}
		first, last := wholeOrNone(rows[0][2]), wholeOrNone(rows[0][3])
		if first == nil {
			continue // of rows without a time it is said
		}
		spans[s] = span{whole(rows[0][0]).Int64(), whole(rows[0][1]).Int64(), time.UnixMicro(first.Int64()).UTC(), time.UnixMicro(last.Int64()).UTC()}
		c.epoch(s, spans[s])
	}
	var impressions span
	for _, s := range c.catalog.Impressions {
		in := spans[s]
		impressions.rows += in.rows
		impressions.midnights += in.midnights
		if in.last.After(impressions.last) {
			impressions.last = in.last
		}
	}
	if impressions.last.After(c.asOf) {
		impressions.last = c.asOf
	}
	for _, s := range c.catalog.Events {
		if in, ok := spans[s]; ok {
			c.dated(s, in, impressions)
			c.endsEarly(s, in, impressions)
		}
		if err := c.twice(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// epoch warns of numbers that are taken for times near 1970 or far in the future.
func (c *checker) epoch(s *compiler.Source, in span) {
	mapped := s.Def.Columns.Timestamp
	perMicrosecond := map[string]float64{"s": 1e-6, "ms": 1e-3, "us": 1, "ns": 1e3}[mapped.Epoch]
	if perMicrosecond == 0 || in.last.Year() >= 1973 && in.first.Year() <= 2200 {
		return
	}
	if unit := loaders.EpochOf(float64(in.last.UnixMicro()) * perMicrosecond); unit != "" && unit != mapped.Epoch {
		c.found.Warnf(mapped.Column.Pos, "epoch", "source %s: with epoch: %s its times are from %s to %s", s.Def.Name.V, mapped.Epoch, minute(in.first), minute(in.last)).
			WithHint("write {column: %s, epoch: %s}", mapped.Column.Src, unit)
	}
}

// dated warns of events that have dates alone where impressions have times.
func (c *checker) dated(s *compiler.Source, in, impressions span) {
	if in.rows < 2 || in.midnights < in.rows || 2*impressions.midnights >= impressions.rows {
		return
	}
	c.found.Warnf(s.Def.Columns.Timestamp.Column.Pos, "dates-alone", "source %s: every time is a midnight, and those of impressions are not, so that events of the day of the exposure come before it and do not count", s.Def.Name.V).
		WithHint("map a column with the time of day; where there is none, window: {from: -1d} counts the events of that day too, with those before the exposure")
}

// endsEarly warns of events that end before the impressions do, by more than the quiet
// times between them.
func (c *checker) endsEarly(s *compiler.Source, in, impressions span) {
	gap := impressions.last.Sub(in.last)
	if quiet := 10 * in.last.Sub(in.first) / time.Duration(in.rows); gap <= max(2*day, quiet) {
		return
	}
	hint := "see whether the export is complete, or compute as of then: --as-of " + in.last.Add(day).Format(time.DateOnly)
	if s.Def.Where.IsSet() {
		hint = "nothing is amiss if where of the source leaves later rows out; else " + hint
	}
	c.found.Warnf(s.Def.Pos, "events-end-early", "the last event of source %s is of %s, and impressions go on until %s: units exposed since then have no events", s.Def.Name.V, minute(in.last), minute(impressions.last)).
		Hint = hint
}

// twice warns of events that are there twice, or more often.
func (c *checker) twice(ctx context.Context, s *compiler.Source) error {
	probe, ok := compiler.ProbeEqualRows(s)
	if !ok || s.Rows == 0 {
		return nil
	}
	rows, err := c.query(ctx, probe)
	if err != nil {
		return err
	}
	all, contents := wholeOrNone(rows[0][0]), whole(rows[0][1]).Int64()
	if all == nil || !compiler.LooksTwice(all.Int64(), contents) {
		return nil
	}
	c.found.Warnf(s.Def.Pos, "rows-twice", "source %s: of %s only %s differ in anything that is mapped, and equal ones count each", s.Def.Name.V, amount(all.Int64(), "row"), grouped(contents)).
		WithHint("if the export was loaded twice, write dedupe: row, or map an id that tells rows apart: columns: {id: event_id}")
	return nil
}

// without warns of variations of whose units none has an event, where that is no chance.
func (c *checker) without(x *compiler.ExperimentPlan, got *collected) {
	for _, v := range x.Def.Variations {
		var here, others int64 // the units with events of any one metric, at most
		for _, m := range x.Metrics {
			var in, out int64
			for k, s := range got.sums[m.Tally] {
				switch {
				case k != overall(x.Def.Key.V, k.variation):
				case k.variation == v.Key.V:
					in += s.withEvents
				default:
					out += s.withEvents
				}
			}
			here, others = max(here, in), max(others, out)
		}
		units := got.exposed[overall(x.Def.Key.V, v.Key.V)]
		rest := got.exposedUnits(x) - units
		if here > 0 || rest == 0 {
			continue
		}
		// Had they events as often as the others; few others say little of that.
		if chance := math.Pow(1-float64(others)/float64(rest+1), float64(units)); chance < 1e-6 {
			c.found.Warnf(v.Pos, "variation-without-events", "none of %s of variation %s of experiment %s has an event, and %s of %s of the others have", amount(units, "unit"), v.Key.V, x.Def.Key.V, grouped(others), amount(rest, "unit")).
				WithHint("see whether events of this variation are exported, with the same ids")
		}
	}
}
