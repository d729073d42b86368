package job

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/convert"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// losses warns of rows that a source loses, and of a holdback column that
// says nothing.
func (c *checker) losses(ctx context.Context) error {
	for _, s := range c.catalog.Sources() {
		d, err := loaders.Count(ctx, c.engine, s, c.asOf)
		if err != nil {
			return fmt.Errorf("count what source %s loses: %w", s.Def.Name.V, err)
		}
		for _, l := range c.prepared.losses(s, d) {
			if l.status == metrics.Pass {
				continue
			}
			hint, err := c.lossHint(ctx, s, l)
			if err != nil {
				return err
			}
			c.found.Warnf(l.pos, code(l.check), "source %s: %s", s.Def.Name.V, counted(l.detail, l.rows)).Hint = hint
		}
		if err := c.holdback(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// lossHint says what may be done about rows that a source loses; empty: nothing
// that the data shows.
func (c *checker) lossHint(ctx context.Context, s *compiler.Source, l loss) (string, error) {
	switch l.check {
	case metrics.CheckUnreadable:
		for _, f := range s.Files {
			if f.Unreadable > 0 {
				const all = "metricsjob convert writes each to _rejects.ndjson, with its line and what is wrong"
				line, reason, err := convert.FirstUnreadable(ctx, f.Path, s.Def.Format.V)
				if err != nil || line == 0 { // that there are some is said all the same
					return fmt.Sprintf("the first is in %s; %s", f.Path, all), ctx.Err()
				}
				return fmt.Sprintf("the first is %s:%d: %s; %s", f.Path, line, reason, all), nil
			}
		}
	case metrics.CheckNoTimestamp:
		probe, ok := compiler.ProbeUnreadTimes(s)
		if !ok {
			return "", nil
		}
		rows, err := c.query(ctx, probe)
		if err != nil || rows[0][0] == nil {
			return "", err
		}
		return timeHint(text(rows[0][0]), s.Def.Columns.Timestamp), nil
	}
	return "", nil
}

// timeHint says how a value would be a time that the mapping does not take for one.
func timeHint(value string, mapped metrics.TimestampColumn) string {
	const forms = "2026-03-02T10:00:00Z, 2026-03-02 10:00:00+00 or 2026-03-02"
	number, err := strconv.ParseFloat(value, 64)
	switch {
	case err == nil && loaders.EpochOf(number) != "" && loaders.EpochOf(number) != mapped.Epoch:
		return fmt.Sprintf("there are values such as %s: write {column: %s, epoch: %s}", value, mapped.Column.Src, loaders.EpochOf(number))
	case err != nil && mapped.Epoch != "":
		return fmt.Sprintf("there are values such as %q, and epoch: %s wants numbers: without epoch, texts are read as %s", value, mapped.Epoch, forms)
	}
	return fmt.Sprintf("there are values such as %q; texts are read as %s", value, forms)
}

// code is the name of a health check as the code of a diagnostic.
func code(check string) string { return strings.ReplaceAll(check, "_", "-") }

func (c *checker) holdback(ctx context.Context, s *compiler.Source) error {
	probe, ok := compiler.ProbeHoldback(s)
	if !ok || s.Rows == 0 {
		return nil
	}
	rows, err := c.query(ctx, probe)
	if err != nil {
		return err
	}
	pos := s.Def.Columns.Holdback.Pos
	switch known, held := whole(rows[0][0]).Int64(), whole(rows[0][1]).Int64(); {
	case known == 0:
		c.found.Warnf(pos, "holdback-unknown", "source %s: holdback is neither true nor false in any row, so no row is a holdback", s.Def.Name.V).
			WithHint("map a column of true and false, or compare one: 'bucket == \"holdback\"'")
	case held == known:
		c.found.Warnf(pos, "holdback-everywhere", "source %s: holdback is true in every row where it says something: %s", s.Def.Name.V, amount(held, "row"))
	}
	return nil
}

// health warns of the findings that a run would put into the table health for
// an experiment, but for those that are said in other words.
func (c *checker) health(x *compiler.ExperimentPlan, got *collected) {
	if got.exposedUnits(x) == 0 {
		return
	}
	r := &reporter{prepared: c.prepared, collected: got}
	r.health(x)
	for _, h := range r.tables.Health {
		pos, hint := x.Def.Pos, ""
		switch {
		case h.Status == metrics.Pass:
			continue
		case h.Check == metrics.CheckSampleRatio && h.Status == metrics.Fail, h.Check == metrics.CheckActivatedRatio && h.PValue != nil:
			pos = x.Def.Variations[0].Pos
			hint = "look at how units were assigned, and whether the weights are right"
		case h.Check == metrics.CheckSeveralVariations:
			if x.Def.Multiple.Pos.IsValid() {
				pos = x.Def.Multiple.Pos
			}
		case h.Check == metrics.CheckNoWeight:
			pos = c.weightPlace(x)
		case h.Check == metrics.CheckNotANumber:
			place, unsaid := c.numberPlace(x)
			if !unsaid {
				continue
			}
			pos, hint = place, "such a value is taken as missing"
		default:
			continue
		}
		c.foundIn(x, pos, code(h.Check), "experiment %s: %s", x.Def.Key.V, h.Detail).hint = hint
	}
}

// weightPlace is the first mapping of a weight among the sources of an
// experiment's metrics.
func (c *checker) weightPlace(x *compiler.ExperimentPlan) diag.Pos {
	for _, m := range x.Metrics {
		for _, s := range m.Tally.X.Measure.Sources {
			if s.Weight != nil {
				return s.Def.Columns.Weight.Pos
			}
		}
	}
	return x.Def.Pos
}

// numberPlace is the first mapping of a value that is no finite number in some
// row, among the sources of an experiment's metrics. Where there is none, and
// properties have values of another type, it reports false: of each of them it
// was said.
func (c *checker) numberPlace(x *compiler.ExperimentPlan) (diag.Pos, bool) {
	for _, m := range x.Metrics {
		values := []*compiler.UnitValue{m.Tally.X}
		if m.Tally.Y != nil {
			values = append(values, m.Tally.Y)
		}
		for _, v := range values {
			for _, s := range v.Measure.Sources {
				if c.oddValues[s] {
					return s.Def.Columns.Value.Pos, true
				}
			}
		}
	}
	return x.Def.Pos, !c.misfitting
}
