package job_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/internal/oracle"
	"github.com/metricsjob/metricsjob/metrics"
)

// oracleRows and resultRows bring both sides to the same lines of text.
func oracleRows(out oracle.Output) []string {
	rows := []string{"as of " + out.AsOf.Format("2006-01-02 15:04:05.999999")}
	for _, x := range out.Experiments {
		rows = append(rows, fmt.Sprintf("%s: unknown_variation %d", x.Key, x.Counts.UnknownVariation),
			fmt.Sprintf("%s: holdback %d", x.Key, x.Counts.Holdback), fmt.Sprintf("%s: several_variations %d", x.Key, x.Counts.SeveralVariations))
		for _, m := range x.Metrics {
			if m.Overflow {
				rows = append(rows, fmt.Sprintf("%s %s: overflow", x.Key, m.Key))
			}
			for _, c := range m.Cells {
				rows = append(rows, fmt.Sprintf("%s %s %s", x.Key, m.Key, cellLine(c)))
			}
		}
		for _, e := range x.Exposures {
			rows = append(rows, fmt.Sprintf("%s %s=%s %s on %s: units %d impressions %d several %d", x.Key, e.Segment, e.SegmentValue, e.Variation,
				e.Date.Format("2006-01-02"), e.Units, e.Impressions, e.SeveralVariations))
		}
	}
	slices.Sort(rows)
	return rows
}

func resultRows(r *job.Result) []string {
	rows := []string{"as of " + r.AsOf.Format("2006-01-02 15:04:05.999999")}
	statistic := func(experiment, check string) float64 {
		for _, h := range r.Tables.Health {
			if h.Experiment == experiment && h.Check == check {
				return *h.Statistic
			}
		}
		return -1
	}
	for _, x := range r.Tables.Experiments {
		several := int64(0)
		for _, e := range r.Tables.Exposures {
			if e.Experiment == x.Key && e.Segment == metrics.Overall {
				several += e.SeveralVariations
			}
		}
		rows = append(rows, fmt.Sprintf("%s: unknown_variation %.0f", x.Key, statistic(x.Key, "unknown_variation")),
			fmt.Sprintf("%s: holdback %.0f", x.Key, statistic(x.Key, "holdback")), fmt.Sprintf("%s: several_variations %d", x.Key, several))
		seen := map[string]bool{}
		for _, res := range r.Tables.Results {
			if res.Experiment != x.Key || seen[res.Metric] {
				continue
			}
			seen[res.Metric] = true
			if res.Status == "overflow" {
				rows = append(rows, fmt.Sprintf("%s %s: overflow", x.Key, res.Metric))
			}
			for _, m := range r.Tables.Moments {
				if m.Experiment != x.Key || m.Metric != res.Metric {
					continue
				}
				rows = append(rows, fmt.Sprintf("%s %s %s", m.Experiment, m.Metric, momentLine(m)))
			}
		}
		for _, e := range r.Tables.Exposures {
			if e.Experiment == x.Key {
				rows = append(rows, fmt.Sprintf("%s %s=%s %s on %s: units %d impressions %d several %d", e.Experiment, e.Segment, e.SegmentValue, e.Variation,
					e.Date, e.Units, e.Impressions, e.SeveralVariations))
			}
		}
	}
	slices.Sort(rows)
	return rows
}

// cellLine is a cell of the oracle, and momentLine the same of the table moments.
func cellLine(c oracle.Cell) string {
	line := fmt.Sprintf("%s%s=%s %s: exposed %d units %d with %d events %d", partText(int64(c.Step), c.Split), c.Segment, c.SegmentValue, c.Variation,
		c.Exposed, c.Units, c.UnitsWithEvent, c.Events)
	if c.QuantileN > 0 {
		return line + fmt.Sprintf(" quantile %s of %d", ratText(c.Quantile), c.QuantileN)
	}
	for _, sum := range []struct {
		name string
		of   *big.Rat
	}{
		{"x", c.X}, {"xx", c.XX}, {"y", c.Y}, {"yy", c.YY}, {"xy", c.XY}, {"p", c.P}, {"pp", c.PP}, {"xp", c.XP},
		{"q", c.Q}, {"qq", c.QQ}, {"xq", c.XQ}, {"yp", c.YP}, {"yq", c.YQ}, {"pq", c.PQ},
	} {
		if sum.of != nil {
			line += " " + sum.name + " " + ratText(sum.of)
		}
	}
	return line
}

func momentLine(m metrics.MomentRow) string {
	step := int64(0)
	if m.Step != nil {
		step = *m.Step
	}
	line := fmt.Sprintf("%s%s=%s %s: exposed %d units %d with %d events %d", partText(step, m.Split), m.Segment, m.SegmentValue, m.Variation,
		m.Exposed, m.Units, m.WithEvent, m.Events)
	if m.QuantileN != nil && *m.QuantileN > 0 {
		return line + fmt.Sprintf(" quantile %s of %d", *m.QuantileValue, *m.QuantileN)
	}
	for _, sum := range []struct {
		name string
		of   *string
	}{
		{"x", &m.Sum}, {"xx", &m.SumSq}, {"y", m.DenSum}, {"yy", m.DenSumSq}, {"xy", m.SumDen}, {"p", m.PreSum}, {"pp", m.PreSumSq}, {"xp", m.SumPre},
		{"q", m.PreDenSum}, {"qq", m.PreDenSumSq}, {"xq", m.SumPreDen}, {"yp", m.DenSumPre}, {"yq", m.DenSumPreDen}, {"pq", m.PreSumPreDen},
	} {
		if sum.of != nil {
			line += " " + sum.name + " " + *sum.of
		}
	}
	return line
}

func partText(step int64, split *string) string {
	text := ""
	if step > 0 {
		text = fmt.Sprintf("step %d ", step)
	}
	if split != nil {
		text += fmt.Sprintf("split %q ", *split)
	}
	return text
}

// ratText is an exact decimal in the form of the table moments.
func ratText(r *big.Rat) string {
	if r == nil {
		return "0"
	}
	s := r.FloatString(40)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}
