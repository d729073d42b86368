package job_test

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metricsjob/metricsjob/internal/export"
	"github.com/metricsjob/metricsjob/internal/job"
)

// From a file of sums to results and verdicts: 10,000 metrics of one experiment, and 5,000
// experiments of one metric, with covariates and a correction.
func BenchmarkTenThousandSums(b *testing.B) {
	for _, shape := range []struct {
		name                 string
		experiments, metrics int
	}{
		{"10000 metrics", 1, 10_000},
		{"5000 experiments", 5_000, 1},
	} {
		b.Run(shape.name, func(b *testing.B) {
			dir := b.TempDir()
			opts := job.StatsOptions{Moments: filepath.Join(dir, "sums.csv"), Analysis: filepath.Join(dir, "analysis.yaml")}
			writeFile(b, opts.Moments, manySums(shape.experiments, shape.metrics))
			writeFile(b, opts.Analysis, "analysis: {cuped: {days: 14}, correction: {method: holm}}\n")
			for b.Loop() {
				tables, err := job.Stats(b.Context(), opts)
				if err != nil {
					b.Fatal(err)
				}
				if err := export.WriteStdout(io.Discard, export.CSV, tables, export.StdoutOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// manySums are two variations of so many metrics in so many experiments.
func manySums(experiments, metrics int) string {
	var sums strings.Builder
	sums.WriteString("experiment,metric,variation,baseline,weight,units,sum,sum_sq,pre_sum,pre_sum_sq,sum_pre\n")
	for e := range experiments {
		for m := range metrics {
			for v, variation := range []string{"control,true", "green,false"} {
				sum, before := 1000+(e+m)%997+v*40, 1000+(e+m)%499
				fmt.Fprintf(&sums, "e%d,m%d,%s,1,%d,%d,%d,%d,%d,%d\n", e, m, variation, 5000+(e+m)%7*v, sum, 9*sum, before, 9*before, 4*(sum+before))
			}
		}
	}
	return sums.String()
}
