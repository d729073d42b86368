package export

import (
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// sample gives the tables of a run over two experiments. The first is
// Optimizely's public export of experiment 18786493712: units, totals, means and
// deviations are those that Optimizely publishes; effects, intervals and
// p-values are Welch's, computed once from them with plain float64 sums (Simpson's
// rule for the tail of t, DuckDB 1.5.5 for the sums). The second is made up to show
// a broken split and a row without a result.
func sample() *metrics.Tables {
	asOf := time.Date(2020, 9, 14, 18, 38, 33, 933001000, time.UTC)
	const run = "3f1c0a9be27d"
	t := &metrics.Tables{}

	// variation, exposed, units with event, events, total, mean, deviation, then
	// absolute and relative effect with their ends, and p.
	type arm struct {
		variation                    string
		units, with, events, total   int64
		mean, dev                    float64
		abs, lo, hi, rel, rlo, rhi   float64
		p                            float64
		significant                  bool
		segment, value, role, metric string
	}
	arms := []arm{
		{"control", 3304, 163, 326, 163, 0.04933414043583535, 0.216597512270608, 0, 0, 0, 0, 0, 0, 0, false, "overall", "all", "primary", "purchase_rate"},
		{"message_1", 3367, 169, 338, 169, 0.05019305019305019, 0.218375527972534, 0.000858909757215, -0.00958107891837, 0.0112988984328, 0.0174100480849, -0.196060306853, 0.230880403023, 0.871879538329, false, "overall", "all", "primary", "purchase_rate"},
		{"message_2", 3329, 223, 446, 223, 0.06698708320817062, 0.25003718500172556, 0.0176529427723, 0.00639524790241, 0.0289106376423, 0.357824066993, 0.0913899837257, 0.62425815026, 0.00212120665551, true, "overall", "all", "primary", "purchase_rate"},
		{"control", 1651, 87, 174, 87, 0.052695336159903086, 0.22349226243007653, 0, 0, 0, 0, 0, 0, 0, false, "browser", "chrome", "primary", "purchase_rate"},
		{"message_1", 1723, 76, 152, 76, 0.04410911201392919, 0.20539713591453496, -0.00858622414597, -0.023092447027, 0.00591999873507, -0.16294087431, -0.414425508673, 0.0885437600524, 0.245918718792, false, "browser", "chrome", "primary", "purchase_rate"},
		{"message_2", 1695, 115, 230, 115, 0.06784660766961652, 0.2515567118771299, 0.0151512715097, -0.000967786918524, 0.031270329938, 0.287525853592, -0.0604937186738, 0.635545425859, 0.065423964324, false, "browser", "chrome", "primary", "purchase_rate"},
		{"control", 1094, 47, 94, 47, 0.04296160877513711, 0.20286331957654252, 0, 0, 0, 0, 0, 0, 0, false, "browser", "firefox", "primary", "purchase_rate"},
		{"message_1", 1085, 64, 128, 64, 0.05898617511520737, 0.23570747082202584, 0.0160245663401, -0.00245783322211, 0.0345069659022, 0.372997352682, -0.131439486609, 0.877434191972, 0.089222374983, false, "browser", "firefox", "primary", "purchase_rate"},
		{"message_2", 1121, 79, 158, 79, 0.0704727921498662, 0.2560563718279918, 0.0275111833747, 0.00828604897491, 0.0467363177745, 0.640366693871, 0.0634940788197, 1.21723930892, 0.00505695551666, true, "browser", "firefox", "primary", "purchase_rate"},
		{"control", 559, 29, 58, 29, 0.0518783542039356, 0.22198004256609405, 0, 0, 0, 0, 0, 0, 0, false, "browser", "safari", "primary", "purchase_rate"},
		{"message_1", 559, 29, 58, 29, 0.0518783542039356, 0.22198004256609405, 0, -0.0260520785408, 0.0260520785408, 0, -0.502176272562, 0.502176272562, 1, false, "browser", "safari", "primary", "purchase_rate"},
		{"message_2", 513, 29, 58, 29, 0.056530214424951264, 0.23116816027209877, 0.00465186022102, -0.0225599348529, 0.031863655295, 0.0896686159844, -0.456922801494, 0.636260033463, 0.737358781281, false, "browser", "safari", "primary", "purchase_rate"},
		{"control", 3304, 163, 163, 14499837, 4388.570520581114, 19393.91556467989, 0, 0, 0, 0, 0, 0, 0, false, "overall", "all", "secondary", "electronics_revenue"},
		{"message_1", 3367, 169, 169, 14959831, 4443.07425007425, 19457.14886078334, 54.5037294931, -877.993728618, 987.001187604, 0.0124194721806, -0.201395418219, 0.22623436258, 0.908782176631, false, "overall", "all", "secondary", "electronics_revenue"},
		{"message_2", 3329, 223, 223, 19899777, 5977.704115349955, 22461.27290372019, 1589.13359477, 579.25298077, 2599.01420877, 0.362107339353, 0.0930684599951, 0.63114621871, 0.00204581438611, true, "overall", "all", "secondary", "electronics_revenue"},
		{"control", 3304, 654, 1799, 1799, 0.5444915254237288, 1.112973578493795, 0, 0, 0, 0, 0, 0, 0, false, "overall", "all", "guardrail", "detail_views"},
		{"message_1", 3367, 861, 2414, 2414, 0.7169587169587169, 1.2397244505886384, 0.172467191535, 0.115944017427, 0.228990365643, 0.316749083286, 0.196989088719, 0.436509077853, 2.32756658392e-09, true, "overall", "all", "guardrail", "detail_views"},
		{"message_2", 3329, 1041, 2900, 2900, 0.871132472213878, 1.3118949876830304, 0.32664094679, 0.268096114516, 0.385185779064, 0.599900882821, 0.461551627524, 0.738250138117, 7.64e-28, true, "overall", "all", "guardrail", "detail_views"},
	}
	for _, a := range arms {
		r := metrics.ResultRow{
			RunID: run, AsOf: asOf, Experiment: "covid_test", Flag: "covid_banner", Rule: "test", Role: a.role,
			Metric: a.metric, Version: "v-" + a.metric, Segment: a.segment, SegmentValue: a.value, Variation: a.variation,
			Exposed: a.units, Units: a.units, UnitsWithEvent: a.with, Events: a.events,
			Total: new(float64(a.total)), Mean: new(a.mean), StdDev: new(a.dev),
			Method: "welch", Alpha: 0.05, Status: "ok", Warnings: []string{},
		}
		if a.variation != "control" {
			r.ComparedTo = new("control")
			r.AbsoluteEffect, r.AbsoluteLow, r.AbsoluteHigh = new(a.abs), new(a.lo), new(a.hi)
			r.RelativeEffect, r.RelativeLow, r.RelativeHigh = new(a.rel), new(a.rlo), new(a.rhi)
			r.PValue, r.Significant = new(a.p), new(a.significant)
		}
		t.Results = append(t.Results, r)
	}
	for _, v := range []struct {
		key   string
		units int64
		mean  float64
	}{{"off", 6000, 1}, {"on", 5400, 1}} {
		r := metrics.ResultRow{
			RunID: run, AsOf: asOf, Experiment: "slow_page", Flag: "slow_page", Rule: "rollout", Role: "guardrail",
			Metric: "visits", Version: "v-visits", Segment: "overall", SegmentValue: "all", Variation: v.key,
			Exposed: v.units, Units: v.units, UnitsWithEvent: v.units, Events: v.units,
			Total: new(float64(v.units)), Mean: new(v.mean), StdDev: new(0.0),
			Method: "welch", Alpha: 0.05, Status: "ok", Warnings: []string{"sampled"},
		}
		if v.key == "on" {
			r.ComparedTo = new("off")
			r.AbsoluteEffect, r.RelativeEffect = new(0.0), new(0.0)
			r.Status, r.Reason = "zero_variance", new("every unit has the same value")
		}
		t.Results = append(t.Results, r)
	}

	moment := func(metric, variation string, units, with, events int64, sum, sumSq string) metrics.MomentRow {
		return metrics.MomentRow{
			RunID: run, AsOf: asOf, Experiment: "covid_test", Metric: metric, Version: "v-" + metric, Kind: "mean",
			Segment: "overall", SegmentValue: "all", Variation: variation, Baseline: variation == "control", Weight: new(1.0),
			Exposed: units, Units: units, WithEvent: with, Events: events, Sum: sum, SumSq: sumSq,
			Role: "primary", Better: "higher", ComparedTo: []string{}, Analysis: "{}", ExperimentAnalysis: "{}", Warnings: []string{}, FailedChecks: []string{}, NotComputed: []string{},
		}
	}
	t.Moments = []metrics.MomentRow{
		moment("purchase_rate", "control", 3304, 163, 326, "163", "163"),
		moment("purchase_rate", "message_1", 3367, 169, 338, "169", "169"),
		moment("purchase_rate", "message_2", 3329, 223, 446, "223", "223"),
	}

	for _, e := range []struct {
		experiment, variation string
		units, several        int64
	}{
		{"covid_test", "control", 3304, 0}, {"covid_test", "message_1", 3367, 0}, {"covid_test", "message_2", 3329, 0},
		{"slow_page", "off", 6000, 9}, {"slow_page", "on", 5400, 3},
	} {
		t.Exposures = append(t.Exposures, metrics.ExposureRow{
			RunID: run, AsOf: asOf, Experiment: e.experiment, Variation: e.variation, Segment: "overall", SegmentValue: "all",
			Date:  metrics.Date{Time: time.Date(2020, 9, 14, 0, 0, 0, 0, time.UTC)},
			Units: e.units, CumulativeUnits: e.units, Impressions: e.units, SeveralVariations: e.several,
		})
	}

	health := func(experiment, check, segment, value string, status metrics.HealthStatus, statistic, p, threshold *float64, detail string) {
		t.Health = append(t.Health, metrics.HealthRow{
			RunID: run, AsOf: asOf, Experiment: experiment, Check: check, Segment: segment, SegmentValue: value,
			Status: status, Statistic: statistic, PValue: p, Threshold: threshold, Detail: detail,
		})
	}
	health("", "partition", "source", "events", metrics.Warn, new(12.0), nil, new(0.001), "12 rows lie outside their partition's days (0.03 %)")
	health("covid_test", "sample_ratio", "overall", "all", metrics.Pass, new(0.60380), new(0.73942), new(0.001), "the units are split as planned")
	health("covid_test", "several_variations", "overall", "all", metrics.Pass, new(0.0), nil, new(0.01), "no unit saw several variations")
	health("covid_test", "sample_ratio", "browser", "chrome", metrics.Pass, new(1.5680), new(0.45658), new(0.001), "the units are split as planned")
	health("slow_page", "sample_ratio", "overall", "all", metrics.Fail, new(31.5789), new(1.91e-08), new(0.001), "the units are not split as planned: 6000 and 5400 instead of 5700 and 5700")
	health("slow_page", "several_variations", "overall", "all", metrics.Warn, new(0.00105), nil, new(0.01), "12 units saw several variations (0.1 %)")

	t.Verdicts = []metrics.VerdictRow{
		{RunID: run, AsOf: asOf, Experiment: "covid_test", Variation: "message_1", ComparedTo: "control", Verdict: metrics.Inconclusive, Reasons: metrics.Reasons{
			{Code: "primary_unclear", Metric: new("purchase_rate"), Text: "purchase_rate may be better or worse: +1.74%, between -19.6% and +23.1%, which may be chance (p = 0.872, not below 0.05)", Value: new(0.872), Threshold: new(0.05)},
		}},
		{RunID: run, AsOf: asOf, Experiment: "covid_test", Variation: "message_2", ComparedTo: "control", Verdict: metrics.Ship, Reasons: metrics.Reasons{
			{Code: "primary_better", Metric: new("purchase_rate"), Text: "purchase_rate is better: +35.8%, between +9.14% and +62.4% (p = 0.00212, below 0.05)", Value: new(0.00212), Threshold: new(0.05)},
		}},
		{RunID: run, AsOf: asOf, Experiment: "slow_page", Variation: "on", ComparedTo: "off", Verdict: metrics.Invalid, Reasons: metrics.Reasons{
			{Code: "sample_ratio", Text: "the units are not split as planned", Value: new(1.91e-08), Threshold: new(0.001)},
		}},
	}

	t.Errors = []metrics.ErrorRow{{
		RunID: run, AsOf: asOf, Experiment: "covid_test", Metric: new("order_value"), Code: "overflow",
		Message: "a unit's value is larger than 10^15 at 9 decimals", Hint: new("set `decimals: 4` or less"),
	}}

	metric := func(key, name, kind, better string, unit, format *string) {
		t.Metrics = append(t.Metrics, metrics.MetricRow{
			RunID: run, AsOf: asOf, Key: key, Name: new(name), Tags: []string{"shop", "checkout"}, Event: new("purchase"),
			Kind: kind, Better: better, UnitLabel: unit, Format: format,
			Definition: "key: " + key + "\nbetter: " + better + "\n", Version: "v-" + key,
		})
	}
	metric("detail_views", "Detail page views", "count", "higher", nil, nil)
	metric("electronics_revenue", "Revenue of electronics", "value", "higher", new("cents"), new("number"))
	metric("purchase_rate", "Purchase rate", "occurrence", "higher", nil, new("percent"))
	metric("visits", "Visits", "count", "lower", nil, nil)

	experiment := func(key, name, flag, rule string, start time.Time, end *time.Time) {
		t.Experiments = append(t.Experiments, metrics.ExperimentRow{
			RunID: run, AsOf: asOf, Key: key, Name: new(name), Tags: []string{}, Flag: flag,
			Rule: rule, Unit: "user", Start: start, End: end, Definition: "key: " + key + "\n", Version: "v-" + key,
		})
	}
	experiment("covid_test", "Banner about delivery", "covid_banner", "test", time.Date(2020, 9, 14, 0, 0, 0, 0, time.UTC), new(time.Date(2020, 9, 15, 0, 0, 0, 0, time.UTC)))
	experiment("slow_page", "Slow page", "slow_page", "rollout", time.Date(2020, 9, 1, 6, 30, 0, 0, time.UTC), nil)

	variation := func(experiment, key string, name *string, weight float64, baseline bool) {
		t.Variations = append(t.Variations, metrics.VariationRow{
			RunID: run, AsOf: asOf, Experiment: experiment, Key: key, Name: name, Weight: new(weight), Baseline: baseline,
		})
	}
	variation("covid_test", "control", new("no banner"), 1, true)
	variation("covid_test", "message_1", nil, 1, false)
	variation("covid_test", "message_2", nil, 1, false)
	variation("slow_page", "off", nil, 50, true)
	variation("slow_page", "on", nil, 50, false)

	t.Runs = []metrics.RunRow{{
		RunID: run, AsOf: asOf, Version: "0.1.0", SchemaVersion: metrics.SchemaVersion,
		Started: time.Date(2020, 9, 15, 2, 0, 0, 0, time.UTC), Now: time.Date(2020, 9, 15, 2, 0, 0, 0, time.UTC), Seconds: 0.42,
		DefinitionDigest: "9d41", InputFiles: 5, InputRows: 48648, InputBytes: 3_100_000, PeakMemory: 210_000_000,
		Engine: "DuckDB 1.5.5", Outcome: "done_with_errors",
	}}
	return t
}
