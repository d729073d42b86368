package job

import (
	"fmt"
	"testing"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// rowsOf makes rows of results of so many variations against a baseline, with a
// correction over all of them.
func rowsOf(b *testing.B, kind stats.Kind, opt stats.Options, baseline stats.Moments, variations []stats.Moments, rows int) {
	s := subject{kind: kind, opt: opt, better: metrics.Higher, correction: metrics.Correction{Method: "holm"}, value: true}
	for b.Loop() {
		var t effects
		for i := range rows {
			row := metrics.ResultRow{Experiment: "e", Metric: fmt.Sprint(i), Role: "secondary", Segment: metrics.Overall, SegmentValue: metrics.All, Variation: "b", Alpha: 0.05}
			own := variations[i%len(variations)]
			s.describe(&row, own)
			t.compare(row, s, "a", arms{all: stats.Stratum{Baseline: baseline, Variation: own}})
		}
		t.correct()
		if row := t.rows[50]; row.Status != "ok" || row.PValueAdjusted == nil || opt.CUPED && row.VarianceReduction == nil {
			b.Fatalf("%+v", row)
		}
	}
}

// busySums are those of a metric of a busy site, with covariates: of a baseline and of
// 100 variations that are better and better, each of a few units more.
func busySums() (baseline stats.Moments, variations []stats.Moments) {
	sums := func(more int64) stats.Moments {
		six, twelve := func(n int64) stats.Sum { return stats.SumOf(n).Mul(mustSum("0.000001")) }, func(n int64) stats.Sum { return stats.SumOf(n).Mul(mustSum("0.000000000001")) }
		return stats.NewMoments(1_000_000+more, map[stats.Term]stats.Sum{
			stats.X: six(5_230_000_000_000 + more*100_000_000), stats.XX: twelve(9_000_000_000_000_000_000).Mul(stats.SumOf(11)),
			stats.P: six(5_100_000_000_000), stats.PP: twelve(9_000_000_000_000_000_000).Mul(stats.SumOf(10)), stats.XP: twelve(8_000_000_000_000_000_000).Mul(stats.SumOf(10)),
		})
	}
	for i := range int64(100) {
		variations = append(variations, sums(i))
	}
	return sums(0), variations
}

// 10,000 rows of results by the default methods, with covariates and a correction:
// to take less than a second on one core.
func BenchmarkTenThousandRows(b *testing.B) {
	baseline, variations := busySums()
	opt := stats.DefaultOptions()
	opt.CUPED = true
	rowsOf(b, stats.Mean, opt, baseline, variations, 10_000)
}

// The same of rates of 500 units in each variation, and of 10,000, whose posteriors are
// those of Beta distributions.
func BenchmarkTenThousandRateRows(b *testing.B) {
	for _, units := range []int64{500, 10_000} {
		baseline, variations := rates(units)
		b.Run(fmt.Sprint(units), func(b *testing.B) {
			rowsOf(b, stats.Mean, stats.DefaultOptions(), baseline, variations, 10_000)
		})
	}
}

// rates are a metric of 0 and 1 of so many units in a baseline, of which a tenth have
// it, and in each of 100 variations, of which from 8% to 18% have it.
func rates(units int64) (baseline stats.Moments, variations []stats.Moments) {
	rate := func(x int64) stats.Moments {
		return stats.NewMoments(units, map[stats.Term]stats.Sum{stats.X: stats.SumOf(x), stats.XX: stats.SumOf(x)})
	}
	for i := range int64(100) {
		variations = append(variations, rate(units*(80+i)/1000))
	}
	return rate(units / 10), variations
}

// The same by sequential methods. The boundaries of a design are computed once.
func BenchmarkTenThousandSequentialRows(b *testing.B) {
	baseline, variations := busySums()
	for _, method := range []struct {
		name   string
		change func(*stats.Options) error
	}{
		{"always valid", func(o *stats.Options) error { o.TunedAt = 5000; return nil }},
		{"msprt", func(o *stats.Options) error { o.MSPRT = true; return nil }},
		{"30 looks", func(o *stats.Options) (err error) {
			design, shares := stats.GroupDesign{Spending: stats.OBrienFleming, Alpha: o.Alpha, Alternative: o.Alternative}, make([]float64, 30)
			for i := range shares {
				shares[i] = float64(i+1) / 30
			}
			o.Look, err = stats.NewGroupLook(design, shares)
			return err
		}},
	} {
		opt := stats.DefaultOptions()
		opt.CUPED = true
		if err := method.change(&opt); err != nil {
			b.Fatal(err)
		}
		b.Run(method.name, func(b *testing.B) { rowsOf(b, stats.Mean, opt, baseline, variations, 10_000) })
	}
}

// 100 rows by each exact test of rates of 500 units in each variation.
func BenchmarkHundredExactRows(b *testing.B) {
	baseline, variations := rates(500)
	for _, test := range []stats.ExactTest{stats.Fisher, stats.Barnard, stats.Boschloo} {
		opt := stats.DefaultOptions()
		opt.Exact, opt.ExactBelow = test, 1000
		b.Run(string(test), func(b *testing.B) { rowsOf(b, stats.Mean, opt, baseline, variations, 100) })
	}
}

func mustSum(text string) stats.Sum {
	s, err := stats.ParseSum(text)
	if err != nil {
		panic(err)
	}
	return s
}
