package job_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/internal/oracle/gen"
	"github.com/metricsjob/metricsjob/metrics"
)

// computed are the experiments and metrics of a run, each pair once.
func computed(run *job.Result) [][2]string {
	var out [][2]string
	seen := map[[2]string]bool{}
	for _, r := range run.Tables.Results {
		if k := [2]string{r.Experiment, r.Metric}; !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	return out
}

// TestExplain asks of every case in which something is computed all that can be
// asked of a run: every metric is explained, the numbers of the units add up, and
// the story of a unit ends at its number.
func TestExplain(t *testing.T) {
	eachCase(t, "testdata/cases", func(c *testCase) {
		if _, refused := c.section("refused"); refused {
			return // there is nothing to explain
		}
		opts := c.options()
		opts.Waterfall = true
		run, err := job.Run(c.t.Context(), opts)
		if err != nil {
			c.t.Fatal(err)
		}
		// As-of does not depend on what is selected.
		opts.AsOf, opts.Experiments, opts.Metrics = run.AsOf, nil, nil
		opts.Use(openEngine(c.t, c.dir)) // once, for all the questions
		explainAll(c.t, opts, run)
		units, err := job.UnitNumbers(c.t.Context(), opts)
		if err != nil {
			c.t.Fatal(err)
		}
		compareSums(c.t, &run.Tables, units.Numbers)
		explainOneOf(c.t, opts, units.Numbers)
	})
}

var explainCases = flag.Int("explain.cases", 4, "how many random cases to explain, from seed soak.first")

// TestExplainDrawnCases explains every metric of random cases, which TestOracle
// computes in another way.
func TestExplainDrawnCases(t *testing.T) {
	draw := rapid.Custom(gen.Draw)
	for seed := *soakFirst; seed < *soakFirst+*explainCases; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			b := newBench(t, t.TempDir())
			defer b.close()
			c := draw.Example(seed)
			opts := job.Options{Paths: []string{writeFiles(t, b.engine, b.dir, c)}, Now: c.Input.Now, Version: "test", Threads: 2, TempDir: b.dir}
			if c.Input.AsOf != nil {
				opts.AsOf = *c.Input.AsOf
			}
			opts.Waterfall = true
			run, err := job.Run(t.Context(), opts)
			if refused := (diag.List{}); errors.As(err, &refused) {
				return // asks for what the sources do not have
			}
			if err != nil {
				t.Fatalf("run: %v\n%s", err, c)
			}
			opts.AsOf = run.AsOf
			opts.Use(b.engine)
			explainAll(t, opts, run)
			if t.Failed() {
				t.Logf("%s", c)
			}
		})
	}
}

// explainAll wants of every metric of a run a waterfall that never rises and ends
// at the numbers of the run, and a stand-alone query that gives these numbers, for
// everybody and for slices. The last metric is explained alone as well, and its
// last slice.
func explainAll(t *testing.T, opts job.Options, run *job.Result) {
	all := computed(run)
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i, k := range all {
		experiment, metric := k[0], k[1]
		rows := waterfallOf(run, experiment, metric)
		checkWaterfall(t, rows, run, experiment, metric, job.Slice{})
		var last job.Slice
		for _, slice := range slicesOf(run, experiment, metric) {
			text, err := job.ExplainSQL(t.Context(), opts, experiment, metric, slice)
			if err != nil {
				t.Fatalf("%s of %s, %v: %v", metric, experiment, slice, err)
			}
			checkQuery(t, db, text, run, experiment, metric, slice)
			last = slice
		}
		if i < len(all)-1 {
			continue
		}
		if last != (job.Slice{}) {
			part, err := job.Explain(t.Context(), opts, experiment, metric, last)
			if err != nil {
				t.Fatalf("%s of %s, %v: %v", metric, experiment, last, err)
			}
			checkWaterfall(t, part.Tables.Waterfall, run, experiment, metric, last)
		}
		alone, err := job.Explain(t.Context(), opts, experiment, metric, job.Slice{})
		if err != nil {
			t.Fatalf("%s of %s: %v", metric, experiment, err)
		}
		checkWaterfall(t, alone.Tables.Waterfall, run, experiment, metric, job.Slice{})
		if d := cmp.Diff(byVariation(rows), byVariation(alone.Tables.Waterfall)); d != "" {
			t.Errorf("%s of %s (-run +explain):\n%s", metric, experiment, d)
		}
	}
}

// TestExplainSegmentFromEvents counts by hand how far rows of the case
// segment_events come in the values of a segment from events.
func TestExplainSegmentFromEvents(t *testing.T) {
	c := openCase(t, "testdata/cases/segment_events.txtar")
	for value, want := range map[string]string{
		// Of control u1, who bought on web and on ios; of green u3, exposed on web, whose
		// purchase is too early, and u4, who bought on web.
		"web": "exposures exposed: control 1 1, green 2 2; events by_variation: control 3 2, green 2 2; " +
			"events outside_window: control 3 2, green 1 1; events segment: control 1 1, green 1 1; events counted: control 1 1, green 1 1; ",
		// u2 alone has no device anywhere.
		metrics.None: "exposures exposed: control 1 1, green 0 0; events by_variation: control 3 2, green 2 2; " +
			"events outside_window: control 3 2, green 1 1; events segment: control 1 1, green 0 0; events counted: control 1 1, green 0 0; ",
	} {
		r, err := job.Explain(t.Context(), c.options(), "button", "spend", job.Slice{Segment: "device", Value: value})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, row := range r.Tables.Waterfall {
			shown := slices.Contains([]string{"exposed", "by_variation", "outside_window", "segment", "counted"}, row.Step)
			switch {
			case row.Variation == nil || !shown || row.Part == "exposures" && row.Step != "exposed":
			case *row.Variation == "control":
				got += fmt.Sprintf("%s %s: control %d %d, ", row.Part, row.Step, row.Rows, *row.Units)
			default:
				got += fmt.Sprintf("green %d %d; ", row.Rows, *row.Units)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("device %s (-want +got):\n%s", value, d)
		}
	}
}

// slicesOf are slices of the results of a metric, from everybody on: some of them
// where there are many, (other) and (none) among them.
func slicesOf(run *job.Result, experiment, metric string) []job.Slice {
	var all []job.Slice
	for _, r := range run.Tables.Results {
		s := job.Slice{}
		if r.Segment != metrics.Overall {
			s.Segment, s.Value = r.Segment, r.SegmentValue
		}
		s.Split = r.Split
		known := slices.ContainsFunc(all, func(have job.Slice) bool { return ofSlice(have, r.Segment, r.SegmentValue, r.Split) })
		if r.Experiment == experiment && r.Metric == metric && !known {
			all = append(all, s)
		}
	}
	const most = 2
	out := all[:1]
	for i, s := range all[1:] {
		odd := s.Value == metrics.None || s.Value == metrics.Other || s.Split != nil && (*s.Split == metrics.None || *s.Split == metrics.Other)
		if odd || i%(len(all)/most+1) == 0 {
			out = append(out, s)
		}
	}
	return out
}

// ofSlice reports whether a row with such a segment and split is of the slice.
func ofSlice(s job.Slice, segment, value string, split *string) bool {
	if s.Segment == "" {
		s.Segment, s.Value = metrics.Overall, metrics.All
	}
	if s.Segment != segment || s.Value != value || (s.Split == nil) != (split == nil) {
		return false
	}
	return split == nil || *s.Split == *split
}

// waterfallOf are the rows of a metric in the waterfall of a run.
func waterfallOf(run *job.Result, experiment, metric string) []metrics.WaterfallRow {
	return slices.DeleteFunc(slices.Clone(run.Tables.Waterfall), func(r metrics.WaterfallRow) bool {
		return r.Experiment != experiment || r.Metric != metric
	})
}

// byVariation are the rows of a waterfall that are told by variation. Which files
// are read, and so the first rows, depends on the other metrics of a run.
func byVariation(rows []metrics.WaterfallRow) string {
	return waterfallText(slices.DeleteFunc(slices.Clone(rows), func(r metrics.WaterfallRow) bool { return r.Variation == nil }))
}

// checkQuery executes a stand-alone query in a database with nothing else in it and
// with the settings that a session has without being asked.
func checkQuery(t *testing.T, db *sql.DB, query string, run *job.Result, experiment, metric string, slice job.Slice) {
	t.Helper()
	want, got := wantedNumbers(run, experiment, metric, slice), queried(t, db, query)
	if want == nil { // the run says overflow, so no sum can be compared
		if !slices.ContainsFunc(got, func(row map[string]string) bool { return row["too_large"] != "0" }) {
			t.Errorf("%s of %s: the query has no units whose number is too large", metric, experiment)
		}
		return
	}
	for _, row := range got {
		if row["too_large"] == "0" {
			delete(row, "too_large")
		}
	}
	if d := cmp.Diff(want, got, nearlyEqual); d != "" {
		t.Errorf("%s of %s, %v (-run +query):\n%s\n%s", metric, experiment, slice, d, query)
	}
}

// queried executes a query and gives its rows by column, exact sums as they are in
// the table moments.
func queried(t *testing.T, db *sql.DB, query string) []map[string]string {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for rows.Next() {
		cells, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			places[i] = &cells[i]
		}
		if err := rows.Scan(places...); err != nil {
			t.Fatal(err)
		}
		row := map[string]string{}
		for i, name := range columns {
			term, digits, scaled := strings.Cut(name, " × 10^")
			if n, ok := cells[i].(*big.Int); ok && scaled {
				var d int
				if _, err := fmt.Sscan(digits, &d); err != nil {
					t.Fatal(err)
				}
				unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d)), nil)
				row[term] = ratText(new(big.Rat).SetFrac(n, unit))
				continue
			}
			if cells[i] == 0.0 { // 0 divided by a negative number is -0
				cells[i] = 0.0
			}
			row[name] = cellText(cells[i])
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// wantedNumbers are the numbers of a run that a stand-alone query gives; nil
// where the metric is too large to be computed.
func wantedNumbers(run *job.Result, experiment, metric string, slice job.Slice) []map[string]string {
	var out []map[string]string
	optional := func(row map[string]string, name string, v *string) {
		if v != nil {
			row[name] = *v
		}
	}
	number := func(v *float64) string {
		if v == nil {
			return ""
		}
		return cellText(*v)
	}
	seen := map[string]bool{}
	for _, r := range run.Tables.Results {
		if r.Experiment != experiment || r.Metric != metric || !ofSlice(slice, r.Segment, r.SegmentValue, r.Split) || r.Status == "overflow" {
			continue
		}
		step := int64(0)
		if r.Step != nil {
			step = *r.Step
		}
		if key := fmt.Sprint(r.Variation, step); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		row := map[string]string{
			"variation": r.Variation, "exposed": fmt.Sprint(r.Exposed), "units": fmt.Sprint(r.Units),
			"units_with_event": fmt.Sprint(r.UnitsWithEvent), "events": fmt.Sprint(r.Events), "total": number(r.Total), "mean": number(r.Mean),
		}
		if step > 0 {
			row["step"] = fmt.Sprint(step)
		}
		for _, m := range run.Tables.Moments {
			if m.Experiment != experiment || m.Metric != metric || !ofSlice(slice, m.Segment, m.SegmentValue, m.Split) || m.Variation != r.Variation || r.Step != nil && *m.Step != step {
				continue
			}
			if m.QuantileN != nil {
				row["quantile_n"] = fmt.Sprint(*m.QuantileN)
				row["quantile_lower"], row["quantile_upper"] = "", ""
				optional(row, "quantile_lower", m.QuantileLower)
				optional(row, "quantile_upper", m.QuantileUpper)
				continue
			}
			row["sum"], row["sum_sq"] = m.Sum, m.SumSq
			for name, v := range map[string]*string{
				"den_sum": m.DenSum, "den_sum_sq": m.DenSumSq, "sum_den": m.SumDen, "pre_sum": m.PreSum, "pre_sum_sq": m.PreSumSq, "sum_pre": m.SumPre,
				"pre_den_sum": m.PreDenSum, "pre_den_sum_sq": m.PreDenSumSq, "sum_pre_den": m.SumPreDen, "den_sum_pre": m.DenSumPre,
				"den_sum_pre_den": m.DenSumPreDen, "pre_sum_pre_den": m.PreSumPreDen,
			} {
				optional(row, name, v)
			}
		}
		if r.Numerator != nil {
			row["numerator"], row["denominator"] = number(r.Numerator), number(r.Denominator)
		}
		out = append(out, row)
	}
	return out
}

// checkWaterfall compares the ends of a waterfall with the numbers of a run.
func checkWaterfall(t *testing.T, rows []metrics.WaterfallRow, run *job.Result, experiment, metric string, slice job.Slice) {
	t.Helper()
	type line struct{ part, variation string }
	last := map[line]metrics.WaterfallRow{}
	for _, row := range rows {
		k := line{part: row.Part}
		if row.Variation != nil {
			k.variation = *row.Variation
		}
		before, ok := last[k]
		if ok && (row.Rows > before.Rows || before.Units != nil && *row.Units > *before.Units) {
			t.Errorf("%s of %s: %s rises from %s to %s:\n%s", metric, experiment, row.Part, before.Step, row.Step, waterfallText(rows))
		}
		last[k] = row
	}
	seen := map[string]bool{}
	for _, r := range run.Tables.Results {
		if r.Experiment != experiment || r.Metric != metric || !ofSlice(slice, r.Segment, r.SegmentValue, r.Split) {
			continue
		}
		part := ""
		for _, name := range []string{"events", "numerator"} {
			if _, ok := last[line{name, r.Variation}]; ok {
				part = name
			}
		}
		if r.Step != nil {
			part = fmt.Sprintf("step %d", *r.Step)
		}
		if key := part + " " + r.Variation; seen[key] {
			continue
		} else {
			seen[key] = true
		}
		var steps []metrics.WaterfallRow
		exposed := int64(-1)
		for _, row := range rows {
			switch {
			case row.Variation != nil && *row.Variation != r.Variation:
			case row.Part == part:
				steps = append(steps, row)
			case row.Part == "exposures" && !slices.Contains([]string{"not_activated", "not_followed", "immature"}, row.Step) && row.Variation != nil:
				exposed = *row.Units
			}
		}
		steps = slices.DeleteFunc(steps, func(row metrics.WaterfallRow) bool { return row.Step == "capped" })
		counted, before := steps[len(steps)-1], steps[len(steps)-2]
		if counted.Step != "counted" || counted.Rows != r.Events || *counted.Units != r.UnitsWithEvent {
			t.Errorf("%s of %s in %s: counted %d rows of %d units, want %d of %d", metric, experiment, r.Variation, counted.Rows, *counted.Units, r.Events, r.UnitsWithEvent)
		}
		if counted.Detail == "counted" && (before.Rows != r.Events || *before.Units != r.UnitsWithEvent) {
			t.Errorf("%s of %s in %s: the steps end at %d rows of %d units, want %d of %d:\n%s", metric, experiment, r.Variation,
				before.Rows, *before.Units, r.Events, r.UnitsWithEvent, waterfallText(rows))
		}
		if exposed != r.Exposed {
			t.Errorf("%s of %s in %s: %d exposed units, want %d:\n%s", metric, experiment, r.Variation, exposed, r.Exposed, waterfallText(rows))
		}
		if end, ok := last[line{"exposures", r.Variation}]; ok && *end.Units < r.Units {
			t.Errorf("%s of %s in %s: %d units of exposures, want at least %d:\n%s", metric, experiment, r.Variation, *end.Units, r.Units, waterfallText(rows))
		}
	}
}

func waterfallText(rows []metrics.WaterfallRow) string {
	var b strings.Builder
	for _, row := range rows {
		variation, units := "", ""
		if row.Variation != nil {
			variation = *row.Variation
		}
		if row.Units != nil {
			units = fmt.Sprint(*row.Units)
		}
		fmt.Fprintf(&b, "%-12s %2d %-18s %-10s %6d %6s  %s\n", row.Part, row.Place, row.Step, variation, row.Rows, units, row.Detail)
	}
	return b.String()
}
