package job_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/job"
)

// TestChecks runs the cases of testdata/checks. They are like those of
// testdata/cases, but have the section
//
//	want  the diagnostics, with their hints
func TestChecks(t *testing.T) {
	eachCase(t, "testdata/checks", func(c *testCase) {
		got := c.check()
		if d := cmp.Diff(c.mustSection("want"), got); d != "" {
			c.t.Errorf("diagnostics (-want +got):\n%s\n%s", d, got)
		}
	})
}

// check is what is said of the definitions of a case.
func (c *testCase) check() string {
	c.t.Helper()
	report, err := job.Check(c.t.Context(), c.options())
	if err != nil {
		c.t.Fatal(err)
	}
	var said strings.Builder
	if err := diag.Render(&said, report.Diagnostics, nil); err != nil {
		c.t.Fatal(err)
	}
	return strings.ReplaceAll(said.String(), c.dir+string(filepath.Separator), "")
}

// TestCheckCountsJoinedIDs takes the case of ids that are joined, of which it tells
// what leads where. Of the five orders one has a user, and the others four devices.
func TestCheckCountsJoinedIDs(t *testing.T) {
	c := openCase(t, "testdata/cases/identity.txtar")
	report, err := job.Check(t.Context(), c.options())
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, fact := range report.Facts {
		if strings.Contains(fact, "source orders are of") || strings.Contains(fact, "device") {
			said = append(said, fact)
		}
	}
	want := []string{
		"experiment first: 4 of 5 events in source orders are of its units",
		"experiment first: 3 of 4 ids of device in events of source orders without a user lead to one",
		"experiment strict: 2 of 5 events in source orders are of its units",
		"experiment strict: 1 of 4 ids of device in events of source orders without a user lead to one",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
}
