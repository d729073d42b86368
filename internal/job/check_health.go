package job

import (
	"context"
	"fmt"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// losses warns of rows that a source loses, and of a holdback column that
// says nothing.
func (c *checker) losses(ctx context.Context) error {
	for _, s := range c.catalog.Sources() {
		d, err := loaders.Count(ctx, c.engine, s)
		if err != nil {
			return fmt.Errorf("count what source %s loses: %w", s.Def.Name.V, err)
		}
		for _, l := range c.prepared.losses(s, d) {
			if l.status != metrics.Pass {
				c.found.Warnf(l.pos, code(l.check), "source %s: %s", s.Def.Name.V, counted(l.detail, l.rows))
			}
		}
		if err := c.holdback(ctx, s); err != nil {
			return err
		}
	}
	return nil
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
		case h.Check == "sample_ratio" && h.Status == metrics.Fail, h.Check == "sample_ratio_activated" && h.PValue != nil:
			pos = x.Def.Variations[0].Pos
			hint = "look at how units were assigned, and whether the weights are right"
		case h.Check == "several_variations":
			if x.Def.Multiple.Pos.IsValid() {
				pos = x.Def.Multiple.Pos
			}
		case h.Check == "no_weight":
			pos = c.weightPlace(x)
		case h.Check == "not_a_number":
			pos = c.numberPlace(x)
			hint = "such a value is taken as missing"
		default:
			continue
		}
		c.found.Warnf(pos, code(h.Check), "experiment %s: %s", x.Def.Key.V, h.Detail).Hint = hint
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

// numberPlace is the first place where an experiment's metrics need a number
// of what may be none: the source's value, or a declared property.
func (c *checker) numberPlace(x *compiler.ExperimentPlan) diag.Pos {
	for _, m := range x.Metrics {
		values := []*compiler.UnitValue{m.Tally.X}
		if m.Tally.Y != nil {
			values = append(values, m.Tally.Y)
		}
		for _, v := range values {
			for _, e := range []*compiler.Expression{v.Measure.Value, v.Measure.Where} {
				if e == nil {
					continue
				}
				for _, r := range e.Refs {
					if pos := c.numberAt(v.Measure, e, r); pos.IsValid() {
						return pos
					}
				}
			}
		}
	}
	return x.Def.Pos
}

func (c *checker) numberAt(n *compiler.Measure, e *compiler.Expression, r compiler.Ref) diag.Pos {
	switch r.Kind {
	case compiler.RefValue:
		for _, s := range n.Sources {
			if s.Value != nil && !s.Value.Type.Exact() {
				return s.Def.Columns.Value.Pos
			}
		}
	case compiler.RefProperty:
		for _, key := range n.Events {
			t := c.defs.Registry.Event(key)
			if t == nil {
				continue
			}
			if p := t.Property(r.Name); p != nil && (p.Type.V == metrics.TypeNumber || p.Type.V == metrics.TypeInteger) {
				return e.Place(r)
			}
		}
	}
	return diag.Pos{}
}
