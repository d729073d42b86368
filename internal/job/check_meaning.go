package job

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// unitConditions warns of metrics whose where is about the unit: the units for
// which it is not true stay in the metric, with no events.
func (c *checker) unitConditions(u *compiler.UnitPlan, x *compiler.ExperimentPlan) {
	for _, m := range x.Metrics {
		n, def := m.Tally.X.Measure, m.Def.Metric
		if def.Over.V != "" || def.Ratio != nil && def.Ratio.NumeratorWithin.Set {
			n = u.RowsOf(n)
		}
		if n.Where == nil {
			continue
		}
		refs, where, stay := n.Where.UnitConditions(), "where of metric "+def.Key.V, "stay in the metric, without events"
		switch {
		case def.Ratio != nil:
			where, stay = "where of the numerator of metric "+def.Key.V, "stay in the denominator"
			if below := m.Tally.Y.Measure.Where; below != nil {
				said := below.UnitConditions()
				refs = slices.DeleteFunc(refs, func(r compiler.Ref) bool { return slices.Contains(said, r) })
			}
		case def.Over.V != "" && (n.Group == nil || n.Group.OnlyCounted):
			continue // only rows that count make groups
		case def.Over.V != "":
			stay = "stay in the metric, with groups that are 0"
		case def.WithoutEvents.Exclude:
			continue
		}
		if len(refs) == 0 {
			continue
		}
		said := c.found.Warnf(n.Where.Place(refs[0]), "where-about-units", "%s is about the unit: units for which it is not true %s", where, stay)
		if refs[0].Kind == compiler.RefUnitID {
			said.WithHint("to leave units out by their ids, list them in a file of sources: exclude_units")
			continue
		}
		segment := refs[0].Name
		if refs[0].Kind == compiler.RefUnit {
			segment = "unit." + segment
		}
		said.WithHint("to leave them out, write it as where of the experiment; to compare such units with the others, write segments: [%s]", segment)
	}
}

// otherSides warns of metrics whose test looks for a change for the worse alone: no
// variation can be found better by them. Of a guardrail that may be what is wanted.
func (c *checker) otherSides(x *compiler.ExperimentPlan) {
	var sides []metrics.At[string]
	tested := map[metrics.At[string]][]string{}
	for _, m := range x.Metrics {
		s := m.Def.Analysis.Alternative
		if m.Step > 1 || m.Def.Role == metrics.Guardrail || !onOtherSide(stats.Alternative(s.V), m.Def.Metric.Better.V) {
			continue
		}
		if tested[s] == nil {
			sides = append(sides, s)
		}
		tested[s] = append(tested[s], m.Def.Metric.Key.V)
	}
	for _, s := range sides {
		c.foundIn(x, s.Pos, "tested-on-other-side", "alternative: %s looks for a change for the worse alone in %s: no variation can be found better",
			s.V, fewOf(tested[s], 3)).hint = "where lower is better write alternative: less, where higher is alternative: greater, with the entry of the metric if they differ; or leave it out to test both sides"
	}
}

// currency is the code of a currency with a hundredth.
var currency = regexp.MustCompile(`^[A-Z]{3}$`)

// withoutHundredths are the common currencies that have none.
var withoutHundredths = []string{"JPY", "KRW", "VND", "CLP", "ISK", "UGX", "XAF", "XOF", "PYG"}

// minorUnits are what a column of amounts in hundredths is called.
var minorUnits = []string{"cent", "minor", "pence"}

// amounts warns of amounts of money that look like hundredths, and have no scale.
func (c *checker) amounts(ctx context.Context) error {
	said := map[string]bool{}
	for _, n := range c.measures {
		if n.Value == nil || !slices.ContainsFunc(n.Value.Refs, func(r compiler.Ref) bool { return r.Kind == compiler.RefValue }) {
			continue
		}
		for _, event := range n.Events {
			if said[event] {
				continue
			}
			said[event] = true
			for _, s := range n.Sources {
				if err := c.amount(ctx, n, s, event); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *checker) amount(ctx context.Context, n *compiler.Measure, s *compiler.Source, event string) error {
	unit := n.Metric.UnitLabel.V
	pos := n.Metric.Key.Pos
	if t := c.defs.Registry.Event(event); t != nil {
		if t.ValueScale.Set {
			return nil
		}
		if t.ValueUnit.V != "" {
			unit, pos = t.ValueUnit.V, t.ValueUnit.Pos
		}
	}
	column := s.Def.Columns.Value.Src
	isMinor := slices.ContainsFunc(minorUnits, func(word string) bool { return strings.Contains(strings.ToLower(column), word) })
	isMoney := n.Metric.Format.V == "currency" || currency.MatchString(unit) && !slices.Contains(withoutHundredths, unit)
	if !isMinor && !isMoney {
		return nil
	}
	probe, ok := compiler.ProbeWholeValues(s, event)
	if !ok {
		return nil
	}
	rows, err := c.query(ctx, probe)
	if err != nil {
		return err
	}
	all, exact, large := whole(rows[0][0]).Int64(), whole(rows[0][1]).Int64(), whole(rows[0][2]).Int64()
	if all == 0 || exact < all || 2*large < all && !isMinor {
		return nil
	}
	if unit == "" {
		unit = "USD"
	}
	c.found.Warnf(pos, "looks-like-cents", "%s of %s in source %s is a whole number in every row (%s), so it may be hundredths", column, event, s.Def.Name.V, amount(all, "row")).
		WithHint("if so, say it once for all metrics: events: list: [{key: %s, value: {scale: 0.01, unit: %s}}]; if not, write scale: 1", event, unit)
	return nil
}
