package loaders

import (
	"context"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestQueryIsExact(t *testing.T) {
	rows, err := start(t).Query(t.Context(), `SELECT
  CAST('170141183460469231731687303715884105727' AS HUGEINT) AS huge,
  CAST('0.10' AS DECIMAL(18, 2)) AS dec, CAST(-5 AS BIGINT) AS big, 'x' AS text, NULL AS nothing,
  TIMESTAMP '2026-03-02 12:00:00.000001' AS at, TRUE AS yes, 0.5::DOUBLE AS half`)
	if err != nil {
		t.Fatal(err)
	}
	huge, _ := new(big.Int).SetString("170141183460469231731687303715884105727", 10)
	want := &Rows{
		Columns: []string{"huge", "dec", "big", "text", "nothing", "at", "yes", "half"},
		Cells: [][]any{{
			huge, big.NewRat(1, 10), int64(-5), "x", nil,
			time.Date(2026, 3, 2, 12, 0, 0, 1000, time.UTC), true, 0.5,
		}},
	}
	compare := cmp.Options{
		cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 }),
		cmp.Comparer(func(a, b *big.Rat) bool { return a.Cmp(b) == 0 }),
	}
	if diff := cmp.Diff(want, rows, compare); diff != "" {
		t.Error(diff)
	}
}

func TestTemporaryTablesStayInSight(t *testing.T) {
	engine := start(t)
	if err := engine.Exec(t.Context(), "CREATE TEMP TABLE unit AS SELECT 7 AS n"); err != nil {
		t.Fatal(err)
	}
	rows, err := engine.Query(t.Context(), "SELECT n FROM unit")
	if err != nil || rows.Cells[0][0] != int32(7) {
		t.Error(rows, err)
	}
}

func TestSession(t *testing.T) {
	t.Setenv("TZ", "Asia/Tokyo")
	engine := start(t)
	if err := engine.Exec(t.Context(), "CREATE TEMP TABLE unit AS SELECT 7 AS n"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // what one leaves, the next does not find
		session, err := engine.Session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rows, err := session.Query(t.Context(), "SELECT current_setting('TimeZone'), current_setting('preserve_insertion_order'), (SELECT count(*) FROM duckdb_tables())")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]any{"UTC", false, int64(0)}, rows.Cells[0]); diff != "" {
			t.Error(diff)
		}
		if err := session.Exec(t.Context(), "SET TimeZone = 'Asia/Tokyo'"); err == nil {
			t.Error("a session changes settings")
		}
		if err := session.Exec(t.Context(), "CREATE TEMP TABLE other AS SELECT 1 AS n"); err != nil {
			t.Fatal(err)
		}
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	}
	if rows, err := engine.Query(t.Context(), "SELECT n FROM unit"); err != nil || rows.Cells[0][0] != int32(7) {
		t.Error(rows, err)
	}
}

func TestEngineIsLockedDown(t *testing.T) {
	inside, outside := newWarehouse(t), newWarehouse(t)
	inside.write("in.parquet", "SELECT 1 AS a")
	outside.write("out.parquet", "SELECT 1 AS a")
	reading := func(w *warehouse, file string) string {
		return "SELECT * FROM read_parquet(" + quoteText(filepath.Join(w.dir, file)) + ")"
	}
	if _, err := inside.engine.Query(t.Context(), reading(inside, "in.parquet")); err != nil {
		t.Fatalf("an allowed file: %v", err)
	}
	for _, tc := range []struct{ name, statement, want string }{
		{"file outside", reading(outside, "out.parquet"), "disabled by configuration"},
		{"up and out", reading(inside, "../../"+filepath.Base(filepath.Dir(outside.dir))+"/"+filepath.Base(outside.dir)+"/out.parquet"), "disabled by configuration"},
		{"listing outside", "SELECT * FROM glob(" + quoteText(outside.dir+"/*") + ")", "disabled by configuration"},
		{"writing outside", "COPY (SELECT 1) TO " + quoteText(filepath.Join(outside.dir, "new.csv")), "disabled by configuration"},
		{"database outside", "ATTACH " + quoteText(filepath.Join(outside.dir, "new.db")), "disabled by configuration"},
		{"install", "INSTALL httpfs", "disabled"},
		{"load", "LOAD httpfs", "disabled"},
		{"autoload", "SELECT * FROM 's3://bucket/file.parquet'", ""},
		{"threads", "SET threads = 1", "locked"},
		{"memory", "SET memory_limit = '1TB'", "locked"},
		{"zone", "SET TimeZone = 'Europe/Madrid'", "locked"},
		{"access", "SET enable_external_access = true", "locked"},
		{"folders", "SET allowed_directories = ['/']", "locked"},
		{"unlock", "RESET lock_configuration", "locked"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := inside.engine.Query(t.Context(), tc.statement)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: %v", tc.statement, err)
			}
		})
	}
}

func TestAllowedFileAlone(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", "SELECT 1 AS a")
	w.write("b.parquet", "SELECT 1 AS a")
	engine := start(t, filepath.Join(w.dir, "a.parquet"))
	if _, err := engine.Query(t.Context(), "SELECT * FROM "+quoteText(filepath.Join(w.dir, "a.parquet"))); err != nil {
		t.Error(err)
	}
	if _, err := engine.Query(t.Context(), "SELECT * FROM "+quoteText(filepath.Join(w.dir, "b.parquet"))); err == nil {
		t.Error("the file beside the allowed one can be read")
	}
}

func TestTimesAreUTC(t *testing.T) {
	t.Setenv("TZ", "America/New_York")
	rows, err := start(t).Query(t.Context(), "SELECT current_setting('TimeZone'), CAST(TIMESTAMPTZ '2026-03-02 12:00:00+02' AS VARCHAR)")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{"UTC", "2026-03-02 10:00:00+00"}, rows.Cells[0]); diff != "" {
		t.Error(diff)
	}
}

// heavy is a statement that would run for hours.
const heavy = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE hash(a.range, b.range) % 7 = 3"

func TestCancelInterrupts(t *testing.T) {
	engine := start(t)
	for name, run := range map[string]func(context.Context) error{
		"query": func(ctx context.Context) error { _, err := engine.Query(ctx, heavy); return err },
		"exec":  func(ctx context.Context) error { return engine.Exec(ctx, "CREATE TEMP TABLE x AS "+heavy) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- run(ctx) }()
			time.Sleep(100 * time.Millisecond)
			cancel()
			select {
			case err := <-done:
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			case <-time.After(30 * time.Second): // it takes milliseconds; the statement would take hours
				t.Fatal("cancelling does not interrupt")
			}
			if _, err := engine.Query(t.Context(), "SELECT 1"); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestErrorsCanBeToldApart(t *testing.T) {
	w := newWarehouse(t)
	_, err := w.engine.Query(t.Context(), "SELECT * FROM "+quoteText(filepath.Join(w.dir, "gone.parquet")))
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) {
		t.Errorf("a file that is gone: %v", err)
	}
	_, err = w.engine.Query(t.Context(), "SELECT nothing")
	if err == nil || errors.As(err, &unreachable) {
		t.Errorf("a wrong statement: %v", err)
	}

	small, err := Open(t.Context(), Options{Threads: 1, Memory: 64 << 20, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	_, err = small.Query(t.Context(), "SELECT list(range::VARCHAR) FROM range(50000000)")
	var memory *MemoryError
	if !errors.As(err, &memory) || !strings.Contains(memory.Hint(), "--memory") || strings.ContainsAny(err.Error(), "\n*") {
		t.Errorf("too little memory: %v", err)
	}
}

func TestSpillGoesToOwnFolderAndAway(t *testing.T) {
	temp := t.TempDir()
	engine, err := Open(t.Context(), Options{Threads: 1, Memory: 160 << 20, TempDir: temp})
	if err != nil {
		t.Fatal(err)
	}
	// More than 100 MB of rows in 80 MiB of memory.
	if err := engine.Exec(t.Context(), "CREATE TEMP TABLE big AS SELECT range AS n, hash(range) AS a, md5(range::VARCHAR) AS b FROM range(1600000)"); err != nil {
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(filepath.Join(temp, "metricsjob-spill-*", "duckdb_temp_*")); len(files) == 0 {
		t.Error("nothing was spilled to the folder")
	}
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestEngineMemory(t *testing.T) {
	const gb = 1_000_000_000
	for _, tc := range []struct{ budget, want int64 }{
		{4 * gb, 3_600_000_000},      // a tenth stays
		{1 * gb, 1*gb - 268_435_456}, // 256 MiB stay
		{200_000_000, 100_000_000},   // never less than half
	} {
		if have := engineMemory(tc.budget); have != tc.want {
			t.Errorf("of %d: %d, want %d", tc.budget, have, tc.want)
		}
	}
}
