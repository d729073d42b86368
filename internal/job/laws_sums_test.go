package job_test

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLawRelabelling: variations by other names have the same numbers.
func TestLawRelabelling(t *testing.T) {
	dir := t.TempDir()
	writeLawful(t, dir, 500, 5000)
	execute(t, dir, `COPY (
		SELECT * REPLACE (CASE variation WHEN 'control' THEN 'green' ELSE 'control' END AS variation) FROM 'DIR/decisions.parquet'
	) TO 'DIR/relabelled.parquet' (FORMAT parquet)`)
	other := map[string]string{"control": "green", "green": "control"}
	want := map[cellKey]numbers{}
	for k, n := range momentsOf(runLawful(t, dir, nil)) {
		k.variation = other[k.variation]
		want[k] = n
	}
	got := momentsOf(runLawful(t, dir, nil, "decisions.parquet", "relabelled.parquet"))
	if d := cmp.Diff(momentRows(want), momentRows(got)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestLawScaling: values a thousand times as large have totals a thousand
// times as large, and squares a million times, to the digit. Averages are
// rounded, so they are apart.
func TestLawScaling(t *testing.T) {
	dir := t.TempDir()
	writeLawful(t, dir, 500, 5000)
	execute(t, dir, `COPY (
		SELECT * REPLACE (amount * 1000 AS amount) FROM read_parquet('DIR/orders/*/*.parquet', hive_partitioning = true)
	) TO 'DIR/scaled' (FORMAT parquet, PARTITION_BY (ds))`)
	power := map[string]int64{"sum": 1000, "sum_sq": 1_000_000, "sum_den": 1000}
	inValues := func(metric string) bool {
		return !slices.Contains([]string{"purchase_rate", "contacts", "regulars", "days", "present", "shown"}, metric)
	}
	want, got := momentsOf(runLawful(t, dir, nil)), momentsOf(runLawful(t, dir, nil, "'orders/ds=", "'scaled/ds="))
	for k, n := range want {
		if k.metric == "average" {
			delete(want, k)
			delete(got, k)
			continue
		}
		for name, by := range power {
			if n[name] != nil && inValues(k.metric) {
				n[name].Mul(n[name], new(big.Rat).SetInt64(by))
			}
		}
	}
	if d := cmp.Diff(momentRows(want), momentRows(got)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestLawDisjointUnits: the sums of three parts of the units add up to the
// sums of all.
func TestLawDisjointUnits(t *testing.T) {
	dir := t.TempDir()
	writeLawful(t, dir, 500, 5000)
	want := momentsOf(runLawful(t, dir, nil))
	got := map[cellKey]numbers{}
	for part := range 3 {
		name := fmt.Sprintf("part%d.parquet", part)
		execute(t, dir, fmt.Sprintf(`COPY (FROM 'DIR/decisions.parquet' WHERE hash(user_id) %% 3 = %d) TO 'DIR/%s' (FORMAT parquet)`, part, name))
		for k, n := range momentsOf(runLawful(t, dir, nil, "decisions.parquet", name)) {
			if got[k] == nil {
				got[k] = n
				continue
			}
			for column, v := range n {
				got[k][column].Add(got[k][column], v)
			}
		}
	}
	if d := cmp.Diff(momentRows(want), momentRows(got)); d != "" {
		t.Errorf("(-all +parts):\n%s", d)
	}
}

// TestLawWiderWindows: for each unit, which is a segment of its own here, a
// wider window never has fewer rows, a smaller sum, or no occurrence where the
// narrower one has.
func TestLawWiderWindows(t *testing.T) {
	dir := t.TempDir()
	writeLawful(t, dir, 40, 400)
	windows := []string{"1h", "12h", "3d", "{from: -1d, to: 3d}", "{from: -2d, to: 5d}"}
	var defs, group strings.Builder
	for i, w := range windows {
		fmt.Fprintf(&defs, "  - {key: occurrence_%d, event: purchase, measure: occurrence, window: %s, better: higher}\n", i, w)
		fmt.Fprintf(&defs, "  - {key: count_%d, event: purchase, measure: count, window: %s, better: higher}\n", i, w)
		fmt.Fprintf(&defs, "  - {key: sum_%d, event: purchase, measure: value, window: %s, better: higher}\n", i, w)
		fmt.Fprintf(&group, ", occurrence_%d, count_%d, sum_%d", i, i, i)
	}
	cells := momentsOf(runLawful(t, dir, nil, "metric_groups:", defs.String()+"metric_groups:", "present, shown]}",
		"present, shown"+group.String()+"]}", "segments: [country]", "segments: [who]"))
	grew := 0
	for k, n := range cells {
		kind, number, _ := strings.Cut(k.metric, "_")
		i, err := strconv.Atoi(number)
		if err != nil || i == 0 {
			continue
		}
		narrower := k
		narrower.metric = fmt.Sprintf("%s_%d", kind, i-1)
		switch n["sum"].Cmp(cells[narrower]["sum"]) {
		case -1:
			t.Errorf("%v: %s in the window %s, but %s in %s", k, n["sum"].RatString(), windows[i], cells[narrower]["sum"].RatString(), windows[i-1])
		case 1:
			grew++
		}
	}
	if grew < len(windows) {
		t.Errorf("only %d cells grew with the window, so the test shows nothing", grew)
	}
}
