package job

import (
	"context"
	"fmt"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// waterfall adds where the rows of the metrics of an experiment are lost on their
// way to a part of the results.
func (r *reporter) waterfall(ctx context.Context, u *compiler.UnitProgram, x *compiler.ExperimentPlan, q part, slice compiler.Slice) error {
	r.tell("counting the rows of " + x.Def.Key.V + " step by step")
	for i := 0; i < len(x.Metrics); {
		n := i + 1
		for n < len(x.Metrics) && x.Metrics[n].Def == x.Metrics[i].Def {
			n++
		}
		for _, part := range u.Waterfall(x, x.Metrics[i:n], slice) {
			if err := r.waterfallPart(ctx, x, x.Metrics[i].Def.Metric, q, part); err != nil {
				return fmt.Errorf("count the rows of %s: %w", x.Metrics[i].Def.Metric.Key.V, err)
			}
		}
		i = n
	}
	return nil
}

// left are the rows and units that come at least so far.
type left struct{ rows, units int64 }

func (r *reporter) waterfallPart(ctx context.Context, x *compiler.ExperimentPlan, m *metrics.Metric, q part, part compiler.WaterfallPart) error {
	query, err := sqlast.Print(sqlast.DuckDB, part.Query)
	if err != nil {
		return fmt.Errorf("print the query: %w", err)
	}
	got, err := r.engine.Query(ctx, query)
	if err != nil {
		return err
	}
	// lost are the rows and units by place, over all ("") and by variation.
	type at struct {
		variation string
		place     int
	}
	lost := map[at]left{}
	for _, row := range got.Cells {
		lost[at{text(row[0]), int(whole(row[1]).Int64())}] = left{whole(row[2]).Int64(), whole(row[3]).Int64()}
	}
	past := len(part.Steps) + 1
	after := func(variation string, step int) (sum left) {
		for place := step + 1; place <= past; place++ {
			n := lost[at{variation, place}]
			sum.rows, sum.units = sum.rows+n.rows, sum.units+n.units
		}
		return sum
	}

	place := int64(0)
	add := func(step, detail string, variation *string, n left) *metrics.WaterfallRow {
		r.tables.Waterfall = append(r.tables.Waterfall, metrics.WaterfallRow{
			RunID: r.runID, AsOf: r.asOf, Experiment: x.Def.Key.V, Metric: m.Key.V, Part: part.Name,
			Place: place, Step: step, Variation: variation, Rows: n.rows, Units: &n.units, Detail: detail,
		})
		return &r.tables.Waterfall[len(r.tables.Waterfall)-1]
	}
	in := "in the files of " + sourceNames(part.Sources)
	if part.OfImpressions() { // what the run kept of them, not all that is in the files
		in = "impressions of the experiment in " + sourceNames(x.Sources) + ", in its dates"
	}
	place++
	if part.NotRead > 0 {
		add("in_files", in, nil, left{rows: part.Files}).Units = nil
		place++
		add("not_read", "in the files of the days that matter", nil, after("", 0))
	} else {
		add("in_files", in, nil, after("", 0))
	}
	for i, step := range part.Steps {
		if step.Text == "" {
			continue
		}
		place++
		if i < part.ByVariation {
			add(step.Code, step.Text, nil, after("", i+1))
			continue
		}
		for _, v := range x.Def.Variations {
			add(step.Code, step.Text, &v.Key.V, after(v.Key.V, i+1))
		}
	}
	if part.Name == exposuresPart {
		return nil
	}
	place++
	for _, v := range x.Def.Variations {
		n := after(v.Key.V, len(part.Steps))
		if part.Tally != nil {
			n = left{}
			if s := r.sums[part.Tally][q.of(x, v)]; s != nil {
				n = left{s.events, s.withEvents}
			}
		}
		add("counted", strings.TrimSpace("counted "+part.Counted), &v.Key.V, n)
	}
	if part.Capped == nil {
		return nil
	}
	place++
	for _, v := range x.Def.Variations {
		n := left{}
		if s := r.sums[part.Capped][q.of(x, v)]; s != nil {
			n = s.capped[part.Side]
		}
		add("capped", "of units whose number is capped: "+r.capsText(x, part.Caps, part.Side), &v.Key.V, n)
	}
	return nil
}

// capsText says what the numbers of a side of a tally are capped at.
func (r *reporter) capsText(x *compiler.ExperimentPlan, t *compiler.Tally, side stats.Term) string {
	upper, lower := r.thresholds(x, t, side)
	var caps []string
	if lower != nil {
		caps = append(caps, "at least "+*lower)
	}
	if upper != nil {
		caps = append(caps, "at most "+*upper)
	}
	if len(caps) == 0 {
		return "there is none"
	}
	return strings.Join(caps, ", ")
}

// exposuresPart is the part of a waterfall that is about impressions.
const exposuresPart = "exposures"

func sourceNames(list []*compiler.Source) string {
	var names []string
	for _, s := range list {
		names = append(names, s.Def.Name.V)
	}
	return strings.Join(names, ", ")
}
