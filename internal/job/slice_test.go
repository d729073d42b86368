package job_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/job"
)

// The end of the waterfall of a split, counted by hand from the rows of the case:
// control bought a book (u1) and three toys (u1 twice, u2), of green u3 something
// without a category.
func TestExplainSplit(t *testing.T) {
	c := openCase(t, "testdata/cases/split_by.txtar")
	for _, test := range []struct{ split, want string }{
		{"toy", "split control 3 2 with category toy\nsplit green 0 0 with category toy\ncounted control 3 2 counted\ncounted green 0 0 counted\n"},
		{"book", "split control 1 1 with category book\nsplit green 0 0 with category book\ncounted control 1 1 counted\ncounted green 0 0 counted\n"},
		{"(none)", "split control 0 0 without category\nsplit green 1 1 without category\ncounted control 0 0 counted\ncounted green 1 1 counted\n"},
	} {
		got, err := job.Explain(t.Context(), c.options(), "button", "revenue", job.Slice{Split: &test.split})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, r := range got.Tables.Waterfall {
			if r.Part == "events" && (r.Step == "split" || r.Step == "counted") {
				fmt.Fprintln(&b, r.Step, *r.Variation, r.Rows, *r.Units, r.Detail)
			}
		}
		if d := cmp.Diff(test.want, b.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", test.split, d)
		}
	}
	unknown := "toys"
	if _, err := job.Explain(t.Context(), c.options(), "button", "revenue", job.Slice{Split: &unknown}); err == nil || !strings.Contains(err.Error(), `no results have the category "toys"`) || !strings.Contains(err.Error(), `did you mean "toy"?`) {
		t.Errorf("%v, want that no results have the value", err)
	}
}
