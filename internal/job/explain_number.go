package job

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// impressionsOfEach counts the impressions of each exposure, where a unit has one for
// every variation that it saw: a run needs only how many the unit has.
func (t *unitTeller) impressionsOfEach() {
	if t.x.Def.Multiple.V != metrics.MultipleEach {
		return
	}
	for i := range t.story.Exposures {
		e := &t.story.Exposures[i]
		e.Impressions = 0
		for _, r := range t.story.Rows {
			if r.Part == exposuresPart && r.Counts && *r.Variation == e.Variation {
				e.Impressions++
			}
		}
	}
}

// groups tells the groups of the unit's rows, where a property makes them.
func (t *unitTeller) groups(ctx context.Context, part compiler.WaterfallPart) error {
	if part.Groups == nil {
		return nil
	}
	t.story.GroupBy = part.Grouping.Property
	r, err := t.query(ctx, "the groups", *part.Groups)
	if err != nil {
		return err
	}
	for _, row := range r.rows {
		t.story.Groups = append(t.story.Groups, metrics.UnitGroup{
			Variation: *r.text(row, "variation"), Group: *r.text(row, "group"),
			Rows: whole(r.cell(row, "rows")).Int64(), Number: valueText(r.text(row, "number"), part.GroupDigits),
		})
	}
	return nil
}

// numbers tells what goes into the sums.
func (t *unitTeller) numbers(parts []compiler.WaterfallPart) {
	for k := range t.exposed {
		if k.experiment != t.x.Def.Key.V || k.segment != metrics.Overall || k.unit != t.story.Unit {
			continue
		}
		for _, m := range t.x.Metrics {
			t.story.Numbers = append(t.story.Numbers, t.number(m, k, overText(m, parts)))
		}
	}
	// Rows of a unit that the metric is not over make no groups.
	t.story.Groups = slices.DeleteFunc(t.story.Groups, func(g metrics.UnitGroup) bool {
		return !slices.ContainsFunc(t.story.Numbers, func(n metrics.UnitResult) bool { return n.Variation == g.Variation && n.Counted })
	})
	slices.SortFunc(t.story.Numbers, func(a, b metrics.UnitResult) int {
		return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(a.Variation, b.Variation))
	})
}

// overText says what a group is; empty where the metric is not over groups.
func overText(m *compiler.MetricPlan, parts []compiler.WaterfallPart) string {
	if !m.Def.Metric.Over.Set {
		return ""
	}
	for _, part := range parts {
		switch g := part.Grouping; {
		case g == nil:
		case g.Property == "" && !g.OnlyCounted:
			return "each row in its window"
		default:
			return g.Each()
		}
	}
	return "each row that counts" // a mean over rows needs no groups
}

// number is the number of the unit of a cell, and what it is made of beside rows.
func (t *unitTeller) number(m *compiler.MetricPlan, k cell, over string) metrics.UnitResult {
	n := t.unitNumber(m, k)
	out := metrics.UnitResult{Variation: n.Variation, Step: n.Step, Counted: n.Counted, Over: over, Percentile: n.Groups}
	if n.Groups {
		return out
	}
	out.Number, out.Denominator = n.Number, n.Denominator
	if !n.Counted {
		return out
	}
	sides := []stats.Term{stats.X}
	if m.Tally.Y != nil {
		sides = append(sides, stats.Y)
	}
	for _, side := range sides {
		if c, changed := t.capped(m, k, side); changed {
			out.Capped = append(out.Capped, c)
		}
	}
	if p := m.Tally.P; p != nil {
		own := t.moments(m, k)
		out.Covariate, out.CovariateWindow = own.Sum(stats.P).String(), p.Measure.WindowText()
		if m.Tally.Q != nil {
			out.CovariateDenominator = own.Sum(stats.Q).String()
		}
	}
	return out
}

// capped says what the number of a side was before caps, and whether they changed it.
func (t *unitTeller) capped(m *compiler.MetricPlan, k cell, side stats.Term) (metrics.UnitCapped, bool) {
	v := m.Tally.Side(side)
	if v.Caps == nil {
		return metrics.UnitCapped{}, false
	}
	before := m.Tally.BeforeCaps(side)
	if s := t.sums[m.Tally][k]; s != nil && s.uncapped[side] != nil {
		before = s.uncapped[side]
	}
	was := stats.NewSum(before, v.Decimals())
	c := metrics.UnitCapped{Before: was.String(), Caps: t.capsText(t.x, m.Caps(), side)}
	if m.Tally.Y != nil {
		c.Side = map[stats.Term]string{stats.X: "numerator", stats.Y: "denominator"}[side]
	}
	return c, was.Cmp(t.moments(m, k).Sum(side)) != 0
}

// unknown says where the id was looked for, where no row has it.
func (t *unitTeller) unknown(parts []compiler.WaterfallPart) {
	if len(t.story.Rows) > 0 {
		return
	}
	var events []string
	read := ""
	for _, part := range parts {
		if part.NotRead > 0 {
			read = ", on the days that matter"
		}
		for _, s := range part.Sources {
			if part.Name != exposuresPart && s.Kept == "" {
				events = add(events, s.Def.Name.V)
			}
		}
	}
	text := "No row has this id: it is in no impressions of " + sourceNames(t.x.Sources)
	if len(events) > 0 {
		text += ", and in no events of " + strings.Join(events, ", ")
	}
	t.story.Unknown = fmt.Sprintf("%s%s. The units of %s are of the kind %s: give the id of one as the sources have it.", text, read, t.x.Def.Key.V, t.x.Def.Unit.V)
}
