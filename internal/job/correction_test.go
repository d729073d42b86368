package job_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metricsjob/metricsjob/internal/job"
)

// A row is significant exactly when its adjusted interval excludes zero, by whatever test:
// of sixty metrics whose effects rise from none in small steps some are just significant.
func TestAdjustedIntervalsAgree(t *testing.T) {
	dir := t.TempDir()
	sums, analysis := filepath.Join(dir, "sums.csv"), filepath.Join(dir, "analysis.yaml")
	var rows strings.Builder
	rows.WriteString("metric,variation,baseline,units,sum,sum_sq\n")
	for i := range 60 {
		fmt.Fprintf(&rows, "m%d,control,true,10000,1000,1000\nm%d,green,false,10000,%d,%[3]d\n", i, i, 1000+5*i)
	}
	writeFile(t, sums, rows.String())
	for _, peeking := range []string{"fixed", "always_valid", "{method: always_valid, tuned_at: 200}", "msprt", "{method: msprt, tuned_at: 50000}", "{method: group, looks: 2}"} {
		for _, method := range []string{"bonferroni", "sidak"} {
			for _, alternative := range []string{"two_sided", "greater"} {
				writeFile(t, analysis, fmt.Sprintf("peeking: %s\nminimum_effect: 5%%\nalternative: %s\ncorrection: {method: %s}\n", peeking, alternative, method))
				opts := job.StatsOptions{Moments: sums, Analysis: analysis}
				if strings.Contains(peeking, "group") {
					opts.Information = []float64{0.5}
				}
				tables, err := job.Stats(t.Context(), opts)
				if err != nil {
					t.Fatal(err)
				}
				significant, n := 0, 0
				for _, r := range tables.Results {
					if r.PValueAdjusted == nil {
						continue
					}
					n++
					excludes := *r.AbsoluteLowAdjusted > 0 || r.AbsoluteHighAdjusted != nil && *r.AbsoluteHighAdjusted < 0
					if *r.Significant != excludes || *r.Significant != (*r.PValueAdjusted < r.Alpha) {
						t.Errorf("peeking %s, %s, %s, %s: p %v, significant %t, interval from %v", peeking, method, alternative, r.Metric, *r.PValueAdjusted, *r.Significant, *r.AbsoluteLowAdjusted)
					}
					if *r.Significant {
						significant++
					}
				}
				if n != 60 || significant == 0 || significant == n {
					t.Errorf("peeking %s, %s, %s: %d of %d are significant: nothing is tested at the edge", peeking, method, alternative, significant, n)
				}
			}
		}
	}
}

// Shares of information without planned looks, or more of them than looks, are refused.
func TestInformationWithoutLooks(t *testing.T) {
	dir := t.TempDir()
	analysis, sums := filepath.Join(dir, "analysis.yaml"), filepath.Join(dir, "sums.csv")
	writeFile(t, sums, "metric,variation,baseline,units,sum,sum_sq\nm,a,true,10,10,20\nm,b,false,10,12,24\n")
	for peeking, want := range map[string]string{
		"always_valid":              "the analysis plans none",
		"{method: group, looks: 2}": "3 shares, and 2 looks are planned",
	} {
		writeFile(t, analysis, "peeking: "+peeking+"\n")
		_, err := job.Stats(t.Context(), job.StatsOptions{Moments: sums, Analysis: analysis, Information: []float64{0.1, 0.2, 0.3}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("peeking %s: %v, want %q", peeking, err, want)
		}
	}
}

// A family is as large as over and roles say: by Bonferroni's method a p-value becomes as
// many times as large. Of one primary metric, two secondary ones and a guardrail there are
// two variations against the baseline, over everybody and in one segment.
func TestFamilies(t *testing.T) {
	dir := t.TempDir()
	sums, analysis := filepath.Join(dir, "sums.csv"), filepath.Join(dir, "analysis.yaml")
	var rows strings.Builder
	rows.WriteString("metric,role,segment,segment_value,variation,baseline,units,sum,sum_sq\n")
	for i, metric := range []string{"buy,primary", "visit,secondary", "share,secondary", "error,guardrail"} {
		for j, segment := range []string{"overall,all", "country,DE"} {
			for k, variation := range []string{"a,true", "b,false", "c,false"} {
				fmt.Fprintf(&rows, "%s,%s,%s,10000,%d,%[4]d\n", metric, segment, variation, 1000+120*min(k, 1)+i+j+k)
			}
		}
	}
	writeFile(t, sums, rows.String())
	for correction, want := range map[string]map[string]float64{
		"bonferroni":                                                  {"secondary": 4},
		"{method: bonferroni, over: [metrics]}":                       {"secondary": 2},
		"{method: bonferroni, over: [variations]}":                    {"secondary": 2},
		"{method: bonferroni, over: [segments]}":                      {"secondary": 2},
		"{method: bonferroni, over: [metrics, variations, segments]}": {"secondary": 8},
		"{method: bonferroni, roles: [primary]}":                      {"primary": 2},
		"{method: bonferroni, roles: [primary, guardrails]}":          {"primary": 4, "guardrail": 4},
		"{method: bonferroni, over: [variations, metrics, segments], roles: [primary, secondary, guardrails]}": {"primary": 16, "secondary": 16, "guardrail": 16},
		"{method: bonferroni, over: [variations], roles: [primary, secondary, guardrails]}":                    {"primary": 2, "secondary": 2, "guardrail": 2},
	} {
		writeFile(t, analysis, "correction: "+correction+"\n")
		tables, err := job.Stats(t.Context(), job.StatsOptions{Moments: sums, Analysis: analysis})
		if err != nil {
			t.Fatal(err)
		}
		compared := 0
		for _, r := range tables.Results {
			if r.PValue == nil {
				continue
			}
			compared++
			size := 0.0 // outside
			if r.PValueAdjusted != nil {
				size = *r.PValueAdjusted / *r.PValue
			}
			if math.Abs(size-want[r.Role]) > 1e-9 {
				t.Errorf("%s: %s %s in %s: %v times the p-value, want %v", correction, r.Role, r.Metric, r.SegmentValue, size, want[r.Role])
			}
		}
		if compared != 16 {
			t.Errorf("%s: %d comparisons", correction, compared)
		}
	}
}
