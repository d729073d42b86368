package job_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/metrics"
)

// engineCase is what another engine makes of sums: testdata/engines/engines.py.
type engineCase struct {
	Name, Call string
	// Analysis is a block of options, as YAML.
	Analysis string
	Rows     []json.RawMessage
	// Information are the shares at the looks so far of a group-sequential design.
	Information []float64
	// Expected has numbers by the column of the table results, or by metric and
	// column where there are several; null is an open end. SampleRatio is the p-value
	// of that check.
	Expected map[string]*float64
}

// Sums that go through GrowthBook's gbstats, statsmodels, tea-tasting, expan,
// spotify-confidence and ambrosia give the same numbers here, wherever the definitions agree.
func TestStatsAgreeWithOtherEngines(t *testing.T) {
	text, err := os.ReadFile("testdata/engines/engines.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []engineCase }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 280 {
		t.Fatalf("only %d cases", len(file.Cases))
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) { c.run(t) })
	}
}

func (c engineCase) run(t *testing.T) {
	folder := t.TempDir()
	sums, analysis := filepath.Join(folder, "sums.jsonl"), filepath.Join(folder, "analysis.yaml")
	var lines bytes.Buffer
	for _, row := range c.Rows {
		lines.Write(row)
		lines.WriteByte('\n')
	}
	for path, text := range map[string][]byte{sums: lines.Bytes(), analysis: []byte("analysis: " + c.Analysis + "\n")} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tables, err := job.Stats(t.Context(), job.StatsOptions{Moments: sums, Analysis: analysis, Information: c.Information})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range c.Expected {
		got := engineNumber(t, tables, name)
		switch {
		case want == nil && got != nil:
			t.Errorf("%s: %v, want an open end", name, *got)
		case want != nil && (got == nil || math.Abs(*got-*want) > 1e-9*math.Max(1e-9, math.Abs(*want))):
			t.Errorf("%s: %v, %s has %v", name, deref(got), c.Call, *want)
		}
	}
}

// engineNumber is the number of that name of the row that is compared with the
// baseline, of the metric named before it if there is one.
func engineNumber(t *testing.T, tables *metrics.Tables, name string) *float64 {
	t.Helper()
	if name == "sample_ratio" {
		for _, h := range tables.Health {
			if h.Check == metrics.CheckSampleRatio {
				return h.PValue
			}
		}
		t.Fatal("the sample ratio was not checked")
	}
	metric, column, several := strings.Cut(name, " ")
	if !several {
		metric, column = "m", name
	}
	for _, r := range tables.Results {
		if r.Metric == metric && r.ComparedTo != nil {
			return map[string]*float64{
				"absolute_effect": r.AbsoluteEffect, "absolute_low": r.AbsoluteLow, "absolute_high": r.AbsoluteHigh,
				"relative_effect": r.RelativeEffect, "relative_low": r.RelativeLow, "relative_high": r.RelativeHigh,
				"p_value": r.PValue, "p_value_adjusted": r.PValueAdjusted, "chance_to_win": r.ChanceToWin, "expected_loss": r.ExpectedLoss,
				"credible_low": r.CredibleLow, "credible_high": r.CredibleHigh, "absolute_low_adjusted": r.AbsoluteLowAdjusted, "absolute_high_adjusted": r.AbsoluteHighAdjusted,
			}[column]
		}
	}
	t.Fatalf("no effect on metric %s", metric)
	return nil
}

func deref(f *float64) any {
	if f == nil {
		return "nothing"
	}
	return *f
}
