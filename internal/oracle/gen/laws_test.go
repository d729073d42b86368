package gen_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/internal/oracle"
	"github.com/metricsjob/metricsjob/internal/oracle/gen"
	"github.com/metricsjob/metricsjob/metrics"
)

// place is what cells that belong together share.
type place struct{ step, split, segment, value, variation string }

// split is the value that a cell is of, in quotes, or "all".
func split(c oracle.Cell) string {
	if c.Split == nil {
		return "all"
	}
	return fmt.Sprintf("%q", *c.Split)
}

// TestLawsOfCells: what must hold between the cells of one result, whatever is drawn.
func TestLawsOfCells(t *testing.T) {
	met := map[string]int{}
	draw := rapid.Custom(gen.Draw)
	for seed := range 300 {
		c := draw.Example(seed)
		defs := decode(t, c.YAML)
		for i, x := range oracle.Run(defs, c.Input).Experiments {
			def := defs.Experiments[i]
			for j, m := range x.Metrics {
				fail := func(law string, got, want *big.Rat) {
					t.Errorf("seed %d, %s of %s: %s: %s and %s", seed, m.Key, x.Key, law, got.RatString(), want.RatString())
				}
				funnelLaw(m, met, fail)
				splitLaw(def.Metrics[j].Metric, m, met, fail)
				segmentLaw(def, m, met, fail)
				rateLaw(def.Metrics[j].Metric, m, met, fail)
				percentileLaw(m, met, fail)
			}
		}
		if t.Failed() {
			t.Fatal(c)
		}
	}
	for law, least := range map[string]int{"funnel": 100, "split": 5, "segment": 500, "rate": 500, "percentile": 20} {
		if met[law] < least {
			t.Errorf("the law of %s was met by %d cells, want at least %d", law, met[law], least)
		}
	}
}

type failure func(law string, got, want *big.Rat)

// funnelLaw: no more units reach a step than reached the one before.
func funnelLaw(m oracle.MetricResult, met map[string]int, fail failure) {
	reached := map[place]*big.Rat{}
	for _, c := range m.Cells {
		if c.Step == 0 {
			continue
		}
		p := place{fmt.Sprint(c.Step), split(c), c.Segment, c.SegmentValue, c.Variation}
		reached[p] = c.X
		if c.X.Sign() > 0 {
			met["funnel"]++
		}
		p.step = fmt.Sprint(c.Step - 1)
		// A value of a split restricts all steps alike.
		if before, ok := reached[p]; ok && c.X.Cmp(before) > 0 {
			fail("more units reach a step than the one before", c.X, before)
		}
	}
}

// splitLaw: counts and sums of the values of a split add up to the whole,
// where a unit without rows is 0 and no threshold is put on.
func splitLaw(def *metrics.Metric, m oracle.MetricResult, met map[string]int, fail failure) {
	adds := def.Measure.V == metrics.Count || def.Measure.V == metrics.Value && (def.PerUnit.V == "" || def.PerUnit.V == metrics.Sum)
	plain := def.Threshold == nil && def.Over.V == "" && !def.WithoutEvents.Exclude && (def.WithoutEvents.Number == "" || def.WithoutEvents.Number.Rat().Sign() == 0)
	if !def.SplitBy.Set || !adds || !plain {
		return
	}
	whole, parts := map[place]*big.Rat{}, map[place]*big.Rat{}
	for _, c := range m.Cells {
		p := place{"", "", c.Segment, c.SegmentValue, c.Variation}
		if c.Split == nil {
			whole[p], parts[p] = c.X, new(big.Rat)
			continue
		}
		met["split"]++
		parts[p].Add(parts[p], c.X)
	}
	for p, sum := range whole {
		if parts[p].Cmp(sum) != 0 && len(m.Cells) > len(whole) {
			fail("the values of a split do not add up", parts[p], sum)
		}
	}
}

// segmentLaw: the values of a segment add up to everybody, but from events.
func segmentLaw(def *metrics.Experiment, m oracle.MetricResult, met map[string]int, fail failure) {
	overlapping := map[string]bool{}
	for _, sg := range def.Segments {
		overlapping[sg.Key.V] = sg.FromEvents
	}
	sums := map[place]*big.Rat{}
	everybody := map[place]*big.Rat{}
	for _, c := range m.Cells {
		for name, v := range map[string]*big.Rat{"x": c.X, "xx": c.XX, "y": c.Y, "xy": c.XY, "p": c.P, "xp": c.XP, "units": ratOf(c.Units), "exposed": ratOf(c.Exposed), "events": ratOf(c.Events)} {
			p := place{fmt.Sprint(c.Step), split(c), c.Segment, name, c.Variation}
			switch {
			case v == nil:
			case c.Segment == metrics.Overall:
				p.segment = ""
				everybody[p] = v
			case !overlapping[c.Segment]:
				if sums[p] == nil {
					sums[p] = new(big.Rat)
				}
				sums[p].Add(sums[p], v)
			}
		}
	}
	for p, sum := range sums {
		met["segment"]++
		whole := p
		whole.segment = ""
		if sum.Cmp(everybody[whole]) != 0 {
			fail("the values of segment "+p.segment+" do not add up in "+p.value, sum, everybody[whole])
		}
	}
}

// rateLaw: an occurrence is 0 or 1 of each unit; over a property, it is of each group.
func rateLaw(def *metrics.Metric, m oracle.MetricResult, met map[string]int, fail failure) {
	if m.Ratio || def.Over.Set || def.Winsorize != nil || def.WithoutEvents.Number != "" && def.WithoutEvents.Number != "0" {
		return
	}
	if def.Measure.V != metrics.Occurrence && def.Funnel == nil && def.Threshold == nil {
		return
	}
	for _, c := range m.Cells {
		met["rate"]++
		if c.X.Cmp(c.XX) != 0 {
			fail("squares of 0 and 1", c.XX, c.X)
		}
		if c.X.Cmp(ratOf(c.Units)) > 0 {
			fail("more than one of each unit", c.X, ratOf(c.Units))
		}
	}
}

// percentileLaw: a percentile lies within its interval.
func percentileLaw(m oracle.MetricResult, met map[string]int, fail failure) {
	for _, c := range m.Cells {
		if c.Quantile == nil {
			continue
		}
		met["percentile"]++
		slack := new(big.Rat).SetFrac64(1, 1e6)
		low, high := new(big.Rat).SetFloat64(c.QuantileLow), new(big.Rat).SetFloat64(c.QuantileHigh)
		if new(big.Rat).Sub(low, slack).Cmp(c.Quantile) > 0 {
			fail("below its interval", c.Quantile, low)
		}
		if new(big.Rat).Add(high, slack).Cmp(c.Quantile) < 0 {
			fail("above its interval", c.Quantile, high)
		}
	}
}

func ratOf(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }

// A case over some of its rows keeps its definitions, and has files of those rows.
func TestWith(t *testing.T) {
	c := rapid.Custom(gen.Draw).Example(1)
	in := c.Input
	in.Impressions = in.Impressions[:1]
	fewer := c.With(in)
	if fewer.YAML != c.YAML || len(fewer.Tables) > len(c.Tables) {
		t.Errorf("%d tables of %d", len(fewer.Tables), len(c.Tables))
	}
	rows := 0
	for _, table := range fewer.Tables {
		if strings.HasPrefix(table.Path, "decisions") || strings.HasPrefix(table.Path, "flags") {
			rows += len(table.Rows)
		}
	}
	if rows != 1 {
		t.Errorf("%d impressions, want 1", rows)
	}
}
