package job_test

import (
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
