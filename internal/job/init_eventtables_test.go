package job_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInitReadsEachEventOnce starts from warehouses in which tracks has every event, and each
// event has a table with its properties too. Units u0 to u19 see variation 1, the even ones,
// or 2; those with a number below 10 complete an order of 1.50 times their number, and those
// below 4 sign up. The totals are computed by hand.
func TestInitReadsEachEventOnce(t *testing.T) {
	const common = "'c' || i AS anonymous_id, 'u' || i AS user_id, TIMESTAMPTZ '2026-03-02 12:00:00+00' AS received_at"
	row := func(id, hour, event, more string) string {
		return fmt.Sprintf("SELECT '%s' || i AS id, %s, TIMESTAMPTZ '2026-03-02 %s:00:00+00' AS timestamp, '%s' AS event, '%s' AS event_text%s FROM range(%%d) t(i)", id, common, hour, event, event, more)
	}
	viewed := fmt.Sprintf(row("v", "10", "experiment_viewed", ", 'e1' AS experiment_id, 1 + i %% 2 AS variation_id"), 20)
	orders := fmt.Sprintf(row("o", "11", "order_completed", ", 1.5 * i AS revenue, 'SAVE' AS coupon"), 10)
	signups := fmt.Sprintf(row("s", "11", "signed_up", ", 'mail' AS plan"), 4)
	tracks := strings.Join([]string{
		fmt.Sprintf(row("v", "10", "experiment_viewed", ""), 20), fmt.Sprintf(row("o", "11", "order_completed", ""), 10), fmt.Sprintf(row("s", "11", "signed_up", ""), 4),
	}, " UNION ALL ")
	all := map[string]string{"experiment_viewed": viewed, "order_completed": orders, "signed_up": signups, "tracks": tracks}
	users := "SELECT 'u' || i AS id, TIMESTAMPTZ '2026-03-02 12:00:00+00' AS received_at, 'a@b.c' AS email FROM range(20) t(i)"
	for name, c := range map[string]struct {
		file   string // of a table
		preset string
		tables map[string]string
		paths  []string // below the folder, of impressions and of events
	}{
		"folders": {"%s/1.parquet", "segment", all, []string{"experiment_viewed/*.parquet", "order_completed/*.parquet", "signed_up/*.parquet"}},
		"files":   {"%s.parquet", "segment", all, []string{"experiment_viewed.parquet", "order_completed.parquet", "signed_up.parquet"}},
		"an event without a table": {"%s/1.parquet", "segment", map[string]string{"experiment_viewed": viewed, "order_completed": orders, "tracks": tracks, "users": users},
			[]string{"experiment_viewed/*.parquet", "order_completed/*.parquet", "tracks/*.parquet"}},
		"RudderStack": {"%s/1.parquet", "rudderstack", all, []string{"experiment_viewed/*.parquet", "order_completed/*.parquet", "signed_up/*.parquet"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for table, query := range c.tables {
				path := "export/" + fmt.Sprintf(c.file, table)
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755); err != nil {
					t.Fatal(err)
				}
				if c.preset == "rudderstack" {
					query = "SELECT *, 'web' AS channel FROM (" + query + ")"
				}
				execute(t, dir, fmt.Sprintf("COPY (%s) TO 'DIR/%s' (FORMAT parquet)", query, path))
			}
			starter, result := initAndRun(t, dir, filepath.Join(dir, "export"))
			var paths []string
			for line := range strings.Lines(starter.Text) {
				if before, path, found := strings.Cut(line, dir+"/export/"); found && strings.HasPrefix(strings.TrimSpace(before), "path:") {
					paths = append(paths, strings.TrimSuffix(strings.TrimSpace(path), "'"))
				}
			}
			if diff := cmp.Diff(c.paths, paths); diff != "" || strings.Count(starter.Text, "preset: "+c.preset+"\n") < 2 {
				t.Errorf("paths (-want +have):\n%s\nof\n%s", diff, starter.Text)
			}
			var got []string
			for _, r := range result.Tables.Results {
				got = append(got, fmt.Sprintf("%s %s: %d units, %v", r.Metric, r.Variation, r.Units, *r.Total))
			}
			slices.Sort(got)
			if diff := cmp.Diff([]string{
				"order_completed_rate 1: 10 units, 5",
				"order_completed_rate 2: 10 units, 5",
				"order_completed_value 1: 10 units, 30",   // 1.5 (0 + 2 + 4 + 6 + 8)
				"order_completed_value 2: 10 units, 37.5", // 1.5 (1 + 3 + 5 + 7 + 9)
				"signed_up_rate 1: 10 units, 2",
				"signed_up_rate 2: 10 units, 2",
			}, got); diff != "" {
				t.Errorf("results (-want +have):\n%s\nof\n%s", diff, starter.Text)
			}
		})
	}
}

// TestInitTellsOfOtherTables: beside a table with event keys, one without may be of events or
// of users. The starter file says what is in it, and how it is read as events.
func TestInitTellsOfOtherTables(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "export"), 0o755); err != nil {
		t.Fatal(err)
	}
	for file, query := range map[string]string{
		"imps":     "SELECT 'u' || i AS user_id, 'nav' AS flag, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS variation, TIMESTAMP '2026-03-02 10:00:00' AS ts FROM range(20) t(i)",
		"events":   "SELECT 'u' || i AS user_id, 'opened' AS event, TIMESTAMP '2026-03-02 11:00:00' AS ts FROM range(20) t(i)",
		"payments": "SELECT 'u' || i AS user_id, TIMESTAMP '2026-03-02 12:00:00' AS ts, 1.5 * i AS amount FROM range(20) t(i)",
	} {
		execute(t, dir, fmt.Sprintf("COPY (%s) TO 'DIR/export/%s.parquet' (FORMAT parquet)", query, file))
	}
	starter, _ := initAndRun(t, dir, filepath.Join(dir, "export"))
	words := strings.Join(strings.Fields(strings.ReplaceAll(starter.Text, "\n#", "\n")), " ")
	for _, want := range []string{
		"Files that are neither impressions nor events: " + dir + "/export/payments.parquet, 1 file, with the columns user_id VARCHAR, ts TIMESTAMP",
		`Where each row is one event, such as an order, write a source of events with units, timestamp and event: '"order"'`,
	} {
		if !strings.Contains(words, want) {
			t.Errorf("want %s in\n%s", want, starter.Text)
		}
	}
}
