package job_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/job"
)

// TestChecks runs the cases of testdata/checks. They are like those of
// testdata/cases, but have the section
//
//	want  the diagnostics, with their hints
func TestChecks(t *testing.T) {
	files, err := filepath.Glob("testdata/checks/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := &testCase{t: t, dir: t.TempDir(), archive: a}
			c.writeInputs()
			report, err := job.Check(t.Context(), c.options())
			if err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			if err := diag.Render(&said, report.Diagnostics, nil); err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(said.String(), c.dir+string(filepath.Separator), "")
			if d := cmp.Diff(c.mustSection("want"), got); d != "" {
				t.Errorf("diagnostics (-want +got):\n%s\n%s", d, got)
			}
		})
	}
}
