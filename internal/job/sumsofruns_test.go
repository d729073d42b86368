package job_test

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/metricsjob/metricsjob/internal/export"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/metrics"
)

// statsAgain hands each table moments of a run to metricsjob stats, which has to give the
// results and verdicts of the run, row by row.
func statsAgain(t *testing.T, run *metrics.Tables, formats ...export.Format) {
	t.Helper()
	dir := t.TempDir()
	if _, err := export.WriteFolder(t.Context(), dir, run, formats); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "moments", "*", "*", "moments.*"))
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, file := range files {
		got, err := job.Stats(t.Context(), job.StatsOptions{Moments: file})
		if err != nil {
			if !slices.ContainsFunc(run.Moments, func(m metrics.MomentRow) bool { return strings.Contains(file, "="+m.Experiment+"/") }) {
				continue // nothing could be computed
			}
			t.Errorf("%s: %v", file, err)
			continue
		}
		key := got.Results[0].Experiment
		want := slices.DeleteFunc(slices.Clone(run.Results), func(r metrics.ResultRow) bool {
			return r.Experiment != key || r.Status == "overflow"
		})
		for i := range got.Results {
			r := &got.Results[i]
			r.Warnings = slices.DeleteFunc(r.Warnings, func(w string) bool { return w == metrics.WarnNotInSums })
		}
		if d := cmp.Diff(want, got.Results, cmpopts.IgnoreFields(metrics.ResultRow{},
			"RunID", "Flag", "Rule", "BootstrapLow", "BootstrapHigh", "BootstrapRelativeLow", "BootstrapRelativeHigh")); d != "" {
			t.Errorf("results of %s (-run +its sums):\n%s", file, d)
		}
		if d := cmp.Diff(verdictCodes(run.Verdicts, key), verdictCodes(got.Verdicts, key)); d != "" {
			t.Errorf("verdicts of %s (-run +its sums):\n%s", file, d)
		}
		compared += len(want)
	}
	if compared == 0 && len(run.Moments) > 0 {
		t.Error("no row was compared")
	}
}

// verdictCodes are the verdicts of an experiment, with the codes of their reasons.
func verdictCodes(rows []metrics.VerdictRow, experiment string) []string {
	var out []string
	for _, v := range rows {
		if v.Experiment != experiment {
			continue
		}
		line := v.Variation + " against " + v.ComparedTo + ": " + string(v.Verdict)
		for _, r := range v.Reasons {
			line += " " + r.Code
		}
		out = append(out, line)
	}
	return out
}

// stratify: [] adds up the devices of a run's strata and leaves its phases, which are no
// option: the units of phases_stratified.txtar by device have the effect of that case, and
// by device and phase another one.
func TestPhasesOfSumsStay(t *testing.T) {
	dir := t.TempDir()
	sums, plain := filepath.Join(dir, "sums.jsonl"), filepath.Join(dir, "plain.yaml")
	writeFile(t, plain, "stratify: []\n")
	part := func(phase int, device, weight string, units int, sum, squares string) metrics.MomentStratum {
		return metrics.MomentStratum{Phase: phase, Name: device, Weight: weight, Exposed: int64(units), Units: int64(units), Sums: map[string]string{"sum": sum, "sum_sq": squares}}
	}
	var text strings.Builder
	for _, v := range []struct {
		key          string
		baseline     bool
		units        int
		sum, squares string
		strata       []metrics.MomentStratum
	}{
		{"control", true, 9, "48", "468", []metrics.MomentStratum{
			part(1, "ios", "3", 5, "9", "19"), part(1, "web", "3", 1, "3", "9"), part(2, "ios", "1", 1, "14", "196"), part(2, "web", "1", 2, "22", "244"), part(3, "ios", "0", 0, "0", "0"),
		}},
		{"green", false, 7, "253", "20717", []metrics.MomentStratum{
			part(1, "ios", "1", 2, "8", "34"), part(2, "ios", "1", 1, "17", "289"), part(2, "web", "1", 2, "28", "394"), part(3, "ios", "1", 2, "200", "20000"),
		}},
	} {
		strata, err := json.Marshal(v.strata)
		if err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(map[string]any{"metric": "spend", "variation": v.key, "baseline": v.baseline, "units": v.units, "sum": v.sum, "sum_sq": v.squares, "strata": string(strata)})
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(line, '\n'))
	}
	writeFile(t, sums, text.String())
	got, err := job.Stats(t.Context(), job.StatsOptions{Moments: sums, Analysis: plain})
	if err != nil {
		t.Fatal(err)
	}
	r := got.Results[1]
	want := []float64{2.428571428571429, 0.2918048389151151, 4.5653380182277425, 0.030589003728344596}
	for i, x := range []*float64{r.AbsoluteEffect, r.AbsoluteLow, r.AbsoluteHigh, r.PValue} {
		if x == nil || math.Abs(*x-want[i]) > 1e-9*math.Abs(want[i]) {
			t.Errorf("number %d of %s: %v, want %v", i, r.Method, x, want[i])
		}
	}
	if !strings.Contains(r.Method, "post-stratified") {
		t.Errorf("%s is not stratified by phase", r.Method)
	}
	byDevice, err := job.Stats(t.Context(), job.StatsOptions{Moments: sums})
	if err != nil || *byDevice.Results[1].AbsoluteEffect == 2.428571428571429 {
		t.Errorf("the strata of the sums play no part: %v", err)
	}
	for _, h := range byDevice.Health {
		if h.Check == metrics.CheckSampleRatio && (h.Status != metrics.Pass || *h.PValue != 1) {
			t.Errorf("the sample ratio is not tested by phase: %+v", h)
		}
	}
}
