package main

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/loaders"
)

// tiny is an export that is made in a second.
var tiny = size{events: 28_000, users: 400}

func generateTiny(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "tiny")
	if err := ensure(t.Context(), folder, tiny, io.Discard); err != nil {
		t.Fatal(err)
	}
	return folder
}

func open(t *testing.T, allowed ...string) *loaders.Engine {
	t.Helper()
	engine, err := loaders.Open(t.Context(), loaders.Options{AllowedPaths: allowed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return engine
}

// tableOf runs a file of SQL over an export and gives the moments it leaves behind.
func tableOf(t *testing.T, folder, file string) moments {
	t.Helper()
	sql, err := readScript(file)
	if err != nil {
		t.Fatal(err)
	}
	engine := open(t, folder)
	if err := sql.execAll(t.Context(), engine, values{"data": folder}); err != nil {
		t.Fatal(err)
	}
	found, err := query(t.Context(), engine, "digits", "FROM moments")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func cells(t *testing.T, engine *loaders.Engine, sql string) [][]any {
	t.Helper()
	rows, err := engine.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	return rows.Cells
}

func TestExportIsTheSameEachTime(t *testing.T) {
	first, second := generateTiny(t), generateTiny(t)
	engine := open(t, first, second)
	for _, source := range []string{"impressions", "events"} {
		digest := func(folder string) [][]any {
			return cells(t, engine, fmt.Sprintf("SELECT ds, COUNT(*), CAST(SUM(hash(r)) AS VARCHAR) FROM read_parquet('%s/%s/*/*.parquet', hive_partitioning = true) AS r GROUP BY ds ORDER BY ds", folder, source))
		}
		want := digest(first)
		if len(want) != days {
			t.Errorf("%s: %d days, want %d", source, len(want), days)
		}
		if diff := cmp.Diff(want, digest(second)); diff != "" {
			t.Errorf("%s differ (-first +second):\n%s", source, diff)
		}
	}
}

func TestExportHoldsWhatIsMeasured(t *testing.T) {
	folder := generateTiny(t)
	engine := open(t, folder)
	for _, fact := range []struct{ name, sql string }{
		{"every event counts at least once", "SELECT COUNT(DISTINCT event_id) = 28000 FROM '{events}'"},
		{"some events were delivered twice", "SELECT COUNT(*) BETWEEN 28050 AND 28300 FROM '{events}'"},
		{"copies lie on one date", "SELECT COUNT(DISTINCT (event_id, CAST(ts AS DATE))) = 28000 FROM '{events}'"},
		{"some copies differ", "SELECT COUNT(DISTINCT (event_id, amount)) > 28000 FROM '{events}'"},
		{"dates are those of the partitions", "SELECT bool_and(CAST(ts AS DATE) = ds) FROM '{events}'"},
		{"page views are 58 in 100", "SELECT abs(COUNT(*) FILTER (event_name = 'page_view') / COUNT(*) - 0.58) < 0.02 FROM '{events}'"},
		{"there are ten event keys", "SELECT COUNT(DISTINCT event_name) = 10 FROM '{events}'"},
		{"the busiest user has ten times the rows of the middle one", "SELECT max(n) > 10 * median(n) FROM (SELECT COUNT(*) AS n FROM '{events}' GROUP BY user_id)"},
		{"units come back", "SELECT COUNT(*) > 2 * COUNT(DISTINCT (user_id, flag_key)) FROM '{impressions}'"},
		{"some units see two variations", "SELECT COUNT(*) > 0 FROM (SELECT 1 FROM '{impressions}' GROUP BY user_id, flag_key HAVING COUNT(DISTINCT variation) > 1)"},
		{"some impressions were delivered twice", "SELECT COUNT(*) > COUNT(DISTINCT impression_id) FROM '{impressions}'"},
	} {
		sql := strings.NewReplacer("{events}", folder+"/events/*/*.parquet", "{impressions}", folder+"/impressions/*/*.parquet").Replace(fact.sql)
		if diff := cmp.Diff([][]any{{true}}, cells(t, engine, sql)); diff != "" {
			t.Errorf("not so: %s", fact.name)
		}
	}
}

// TestHandWrittenWaysAgree takes the copies out of an export the slow way and
// wants hand.sql to find there what hand_ids.sql finds in the export itself.
func TestHandWrittenWaysAgree(t *testing.T) {
	folder, single := generateTiny(t), t.TempDir()
	engine := open(t, folder, single)
	const copySQL = `COPY (
		SELECT %[1]s, user_id, %[2]s, CAST(ts AS DATE) AS ds, MIN(ts) AS ts, %[3]s
		FROM '%[4]s/%[5]s/*/*.parquet' GROUP BY %[1]s, user_id, %[2]s, CAST(ts AS DATE)
	) TO '%[6]s/%[5]s' (FORMAT parquet, PARTITION_BY ds)`
	// Copies have the same properties, so that any one will do.
	for _, sql := range []string{
		fmt.Sprintf(copySQL, "impression_id", "experiment_key", "MIN(variation) AS variation", folder, "impressions", single),
		fmt.Sprintf(copySQL, "event_id", "event_name", "MIN(amount) AS amount, MIN(amount_cents) AS amount_cents, ANY_VALUE(props) AS props", folder, "events", single),
	} {
		if err := engine.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	want := tableOf(t, single, "hand.sql")
	if len(want) != 9*16 {
		t.Fatalf("%d rows, want those of 9 variations and 16 metrics", len(want))
	}
	if found := differences(want, tableOf(t, folder, "hand_ids.sql")); len(found) > 0 {
		t.Errorf("with ids (the program, here) copies count otherwise:\n%s", strings.Join(found, "\n"))
	}
	if found := differences(want, tableOf(t, folder, "hand.sql")); len(found) == 0 {
		t.Error("copies make no difference: the export does not test them")
	}
}

func TestScanRuns(t *testing.T) {
	folder := generateTiny(t)
	for _, file := range []string{"scan.sql", "scan_ids.sql"} {
		sql, err := readScript(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := sql.execAll(t.Context(), open(t, folder), values{"data": folder}); err != nil {
			t.Error(err)
		}
	}
}

func TestFillWantsEveryWord(t *testing.T) {
	st := statement{name: "one", text: "SELECT {a}, '{b}', {'struct': 1}"}
	got, err := st.fill(values{"a": 1, "b": "x"})
	if err != nil || got != "SELECT 1, 'x', {'struct': 1}" {
		t.Errorf("fill gave %q, %v", got, err)
	}
	if _, err := st.fill(values{"a": 1}); err == nil {
		t.Error("a word without a value is taken")
	}
}

func TestDifferences(t *testing.T) {
	row := func(sum string) []*big.Rat {
		numbers := make([]*big.Rat, len(columns))
		for i := range 4 {
			numbers[i] = big.NewRat(7, 1)
		}
		var err error
		if numbers[4], err = number(sum, 2); err != nil {
			t.Fatal(err)
		}
		return numbers
	}
	hand := moments{"e a m": row("1250"), "e b m": row("100")}
	if found := differences(hand, moments{"e a m": row("1250.0"), "e b m": row("100")}); len(found) > 0 {
		t.Errorf("equal numbers differ: %s", found)
	}
	got := differences(hand, moments{"e a m": row("1251"), "e c m": row("1")})
	want := []string{
		"e a m: sum is 12.5 by hand and 12.51 by the program",
		"e b m: the program has no such row",
		"e c m: the hand-written SQL has no such row",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
}

func TestMedian(t *testing.T) {
	got := median([]cost{{wall: 5, cpu: 1, peak: 9}, {wall: 1, cpu: 2, peak: 9}, {wall: 3, cpu: 3, peak: 1}, {wall: 4, cpu: 8, peak: 2}})
	if want := (cost{wall: 3, cpu: 2, peak: 5}); got != want {
		t.Errorf("median is %+v, want %+v", got, want)
	}
}

func TestRunRefuses(t *testing.T) {
	for _, args := range [][]string{{"-size", "7m"}, {"-ids", "maybe"}, {"-rounds", "0"}, {"dance"}} {
		if err := run(context.Background(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("bench %s is taken", strings.Join(args, " "))
		}
	}
}

// The many metrics are different, and all of them are in every experiment.
func TestManyDefinitions(t *testing.T) {
	text, err := os.ReadFile("metrics.yaml")
	if err != nil {
		t.Fatal(err)
	}
	many, err := manyDefinitions(string(text))
	if err != nil {
		t.Fatal(err)
	}
	metrics, rest, _ := strings.Cut(many[strings.Index(many, "\nmetrics:\n"):], "\nmetric_groups:")
	bodies := map[string]bool{}
	for line := range strings.Lines(metrics) {
		if key, body, ok := strings.Cut(strings.TrimPrefix(line, "  - {key: "), ", "); ok {
			bodies[body] = true
			if !strings.Contains(rest, key) {
				t.Errorf("%s is not in the group", key)
			}
		}
	}
	if len(bodies) != 300 {
		t.Errorf("%d different metrics, want 300", len(bodies))
	}
	if n := strings.Count(rest, "metrics: {primary: [all]}"); n != 4 {
		t.Errorf("%d experiments have them, want 4", n)
	}
}

// The lines that the conversions read are the events of the export, each once, with the
// same values, in either order, and are written once.
func TestLinesAreTheEvents(t *testing.T) {
	b := bench{folder: t.TempDir(), size: "tiny"}
	if err := ensure(t.Context(), b.data(), tiny, io.Discard); err != nil {
		t.Fatal(err)
	}
	engine := open(t, b.folder)
	// Of times and amounts, texts of one form.
	const digest = "SELECT count(*), CAST(sum(hash(event_id, user_id, event_name, CAST(ts AS TIMESTAMP), CAST(amount AS DOUBLE), CAST(amount_cents AS BIGINT), props.session, props.price)) AS VARCHAR) FROM "
	want := cells(t, engine, digest+"read_parquet('"+b.data()+"/events/*/*.parquet')")
	for _, order := range []string{inOrder, mixed} {
		if err := b.writeLines(t.Context(), order); err != nil {
			t.Fatal(err)
		}
		if got := cells(t, engine, digest+"read_json('"+b.lines(order)+"', sample_size = -1)"); !cmp.Equal(want, got) {
			t.Errorf("the lines %s hold %v, the export %v", order, got, want)
		}
		if err := b.copyLines(t.Context(), order); err != nil {
			t.Errorf("copy of lines %s: %v", order, err)
		}
		if err := os.WriteFile(b.lines(order), []byte("{}\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := b.writeLines(t.Context(), order); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(b.lines(order)); err != nil || string(text) != "{}\n" {
			t.Errorf("lines %s that are there are written again: %d bytes, %v", order, len(text), err)
		}
	}
}
