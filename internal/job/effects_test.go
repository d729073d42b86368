package job

import (
	"fmt"
	"testing"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// 10,000 rows of results by the default methods, with covariates and a correction,
// from sums as large as those of a busy site: to take less than a second on one
// core.
func BenchmarkTenThousandRows(b *testing.B) {
	const rows = 10_000
	sums := func(shift int64) stats.Moments {
		six, twelve := func(n int64) stats.Sum { return stats.SumOf(n).Mul(mustSum("0.000001")) }, func(n int64) stats.Sum { return stats.SumOf(n).Mul(mustSum("0.000000000001")) }
		return stats.NewMoments(1_000_000, map[stats.Term]stats.Sum{
			stats.X: six(5_230_000_000_000 + shift), stats.XX: twelve(9_000_000_000_000_000_000).Mul(stats.SumOf(11)),
			stats.P: six(5_100_000_000_000), stats.PP: twelve(9_000_000_000_000_000_000).Mul(stats.SumOf(10)), stats.XP: twelve(8_000_000_000_000_000_000).Mul(stats.SumOf(10)),
		})
	}
	baseline := sums(0)
	opt := stats.DefaultOptions()
	opt.CUPED = true
	s := subject{kind: stats.Mean, opt: opt, better: metrics.Higher, correction: metrics.Correction{Method: "holm"}, value: true}
	var variations []stats.Moments
	for i := range int64(100) {
		variations = append(variations, sums(i*100_000_000))
	}
	for b.Loop() {
		var t effects
		for i := range rows {
			row := metrics.ResultRow{Experiment: "e", Metric: fmt.Sprint(i), Role: "secondary", Segment: metrics.Overall, SegmentValue: metrics.All, Variation: "b", Alpha: 0.05}
			own := variations[i%len(variations)]
			s.describe(&row, own)
			t.compare(row, s, "a", arms{all: stats.Stratum{Baseline: baseline, Variation: own}})
		}
		t.correct()
		if row := t.rows[50]; row.Status != "ok" || row.PValueAdjusted == nil || row.VarianceReduction == nil {
			b.Fatalf("%+v", row)
		}
	}
}

func mustSum(text string) stats.Sum {
	s, err := stats.ParseSum(text)
	if err != nil {
		panic(err)
	}
	return s
}
