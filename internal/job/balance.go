package job

import (
	"fmt"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// balance is how the covariate of a metric differs between two variations before
// the exposure, over everybody.
type balance struct {
	metric, variation, against string
	difference                 stats.Effect
}

// covariateChecks compare the covariates of an experiment, one row for each metric
// with the difference that is least likely by chance. All comparisons of the
// experiment are corrected together by Holm's method.
func (t *effects) covariateChecks(experiment string, alarm float64) []metrics.HealthRow {
	var of []balance
	var p []float64
	for _, b := range t.experiment(experiment).balances {
		if b.difference.PValue != nil {
			of, p = append(of, b), append(p, *b.difference.PValue)
		}
	}
	worst := map[string]int{}
	var order []string
	for i, b := range of {
		at, known := worst[b.metric]
		if !known {
			order = append(order, b.metric)
		}
		if !known || p[i] < p[at] {
			worst[b.metric] = i
		}
	}
	adjusted := stats.Holm.Adjust(p)
	var out []metrics.HealthRow
	for _, metric := range order {
		b, p := of[worst[metric]], adjusted[worst[metric]]
		h := metrics.HealthRow{
			Experiment: experiment, Check: metrics.CheckCovariateImbalance, Segment: "metric", SegmentValue: metric,
			Status: metrics.Pass, Statistic: b.difference.Relative, PValue: &p, Threshold: &alarm,
			Detail: "the variations were alike before the exposure",
		}
		if h.Statistic == nil {
			h.Statistic = b.difference.Absolute
		}
		if p < alarm {
			h.Status = metrics.Warn
			h.Detail = fmt.Sprintf("%s and %s differed before the exposure already, by %s", b.variation, b.against, b.size())
		}
		out = append(out, h)
	}
	return out
}

// size is the difference in words.
func (b balance) size() string {
	if r := b.difference.Relative; r != nil {
		return fmt.Sprintf("%+.3g%% of %s's mean", *r*100, b.against)
	}
	return fmt.Sprintf("%+.3g", *b.difference.Absolute)
}

// reasonOf is a check as a reason of a verdict.
func reasonOf(h metrics.HealthRow) metrics.Reason {
	r := metrics.Reason{Code: h.Check, Text: h.Detail, Value: h.Statistic, Threshold: h.Threshold}
	if h.Segment == "metric" {
		r.Metric, r.Text = &h.SegmentValue, h.SegmentValue+": "+h.Detail
	}
	if h.PValue != nil {
		r.Value = h.PValue
		r.Text = fmt.Sprintf("%s (p = %.2g, alarm below %g)", r.Text, *h.PValue, *h.Threshold)
	}
	return r
}

// sampleRatioCheck is the test of the sample ratio over everybody as a check; within
// says of which units.
func sampleRatioCheck(t stats.SampleRatioTest, within string, opt stats.Options) metrics.HealthRow {
	status, detail := metrics.Pass, "units came in the planned ratio"+within
	switch {
	case t.Alarm:
		status, detail = metrics.Fail, "units did not come in the planned ratio"+within+": no number of this experiment can be trusted"
		if t.Status != stats.OK {
			detail = t.Reason
		}
	case t.Status != stats.OK:
		status, detail = metrics.Warn, t.Reason
	}
	return metrics.HealthRow{
		Check: metrics.CheckSampleRatio, Segment: metrics.Overall, SegmentValue: metrics.All, Status: status,
		Statistic: t.Statistic, PValue: t.PValue, Threshold: &opt.SampleRatioAlarm, Detail: detail,
	}
}
