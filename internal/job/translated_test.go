package job_test

import (
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/metrics"
)

// TestTranslated compares metrics of another tool, translated, with what SQL that was written
// by hand from their definitions computes.
func TestTranslated(t *testing.T) {
	folder, err := filepath.Abs("../../testdata/translated/eppo")
	if err != nil {
		t.Fatal(err)
	}
	r, err := job.Run(t.Context(), job.Options{Paths: []string{filepath.Join(folder, "metrics.yaml")}, Now: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]metrics.MomentRow{}
	for _, m := range r.Tables.Moments {
		key := m.Metric
		if m.Step != nil {
			key += fmt.Sprintf(" step %d", *m.Step)
		}
		have[m.Experiment+" "+key+" "+m.Variation] = m
	}

	sql, err := os.ReadFile(filepath.Join(folder, "expected.sql"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := openEngine(t, folder).Query(t.Context(), regexp.MustCompile(`'(\w+\.parquet)'`).ReplaceAllString(string(sql), "'"+folder+"/$1'"))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows.Cells) != len(have) || len(have) != 7*(17+3) {
		t.Errorf("%d rows of moments, %d expected: want 17 metrics and three steps in seven variations", len(have), len(rows.Cells))
	}
	numbers := 0
	for _, row := range rows.Cells {
		key := fmt.Sprint(row[0], " ", row[1], " ", row[2])
		m, ok := have[key]
		if !ok {
			t.Errorf("no moments of %s", key)
			continue
		}
		for i, got := range []string{fmt.Sprint(m.Units), m.Sum, m.SumSq, textOr(m.DenSum, "0"), textOr(m.DenSumSq, "0"), textOr(m.SumDen, "0"), textOr(m.UpperThreshold, ""), textOr(m.QuantileValue, ""), countOr(m.QuantileN)} {
			if want := row[3+i]; want != nil {
				numbers++
				if !near(got, want) {
					t.Errorf("%s: %s is %s, want %s", key, rows.Columns[3+i], got, cellText(want))
				}
			}
		}
	}
	t.Logf("%d numbers compared", numbers)
}

func textOr(s *string, or string) string {
	if s == nil {
		return or
	}
	return *s
}

func countOr(n *int64) string {
	if n == nil {
		return ""
	}
	return fmt.Sprint(*n)
}

// near reports whether a decimal is what was expected, but for the rounding of doubles.
func near(got string, want any) bool {
	g, err := strconv.ParseFloat(got, 64)
	if err != nil {
		return false
	}
	var w float64
	switch v := want.(type) {
	case float64:
		w = v
	case int64:
		w = float64(v)
	case *big.Rat:
		w, _ = v.Float64()
	default:
		return false
	}
	return math.Abs(g-w) <= 1e-12*math.Max(1, math.Abs(w))
}
