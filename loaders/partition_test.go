package loaders

import (
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// partitioned says that the folder level ds holds the day.
func partitioned(early, late int) func(*metrics.Source) {
	return func(s *metrics.Source) {
		s.Partition = &metrics.Partition{Column: metrics.Text{V: "ds", Pos: at(9)}, Early: time.Duration(early) * day, Late: time.Duration(late) * day}
	}
}

func TestPartitionDays(t *testing.T) {
	w := newWarehouse(t)
	w.write("kind=1/ds=2026-03-01/a.parquet", "SELECT 1 AS n, "+base)
	w.write("kind=1/ds=2026-03-02/a.parquet", "SELECT 2 AS n, 'hidden' AS ds, "+base)
	src := w.mustInspect(w.events("**/*.parquet", partitioned(1, 2)))
	var days []string
	for _, f := range src.Files {
		days = append(days, f.Day.Format(time.DateOnly))
	}
	if diff := cmp.Diff([]string{"2026-03-01", "2026-03-02"}, days); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"2026-03-01", "2026-03-02"}, w.values(src, src.PartitionDay)); diff != "" {
		t.Error(diff)
	}
}

func TestFolderLevelsAreNotColumnsWithoutPartition(t *testing.T) {
	w := newWarehouse(t)
	w.write("name=shadow/a.parquet", "SELECT 1 AS n, "+base)
	src := w.mustInspect(w.events("*/*.parquet", nil))
	if diff := cmp.Diff([]string{"buy"}, w.values(src, src.Event.SQL)); diff != "" {
		t.Error(diff)
	}
}

func TestPartitionsThatCannotBeRead(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files []string
		parts []string
	}{
		{"no such level", []string{"date=2026-03-01/a.parquet"}, []string{"no level ds=", "date=2026-03-01/a.parquet"}},
		{"no level at all", []string{"a.parquet"}, []string{"no level ds="}},
		{"no day", []string{"ds=last/a.parquet", "ds=latest/a.parquet"}, []string{"ds=last is not a day", "ds=last/a.parquet"}},
		{"no day in the calendar", []string{"ds=2026-02-30/a.parquet"}, []string{"ds=2026-02-30 is not a day"}},
		{"default partition", []string{"ds=__HIVE_DEFAULT_PARTITION__/a.parquet"}, []string{"is not a day"}},
		{"different levels", []string{"ds=2026-03-01/a.parquet", "ds=2026-03-02/hour=1/a.parquet"}, []string{"different levels"}},
		{"level that hides a column", []string{"name=buy/ds=2026-03-01/a.parquet"}, []string{"hides the column name"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWarehouse(t)
			for _, f := range tc.files {
				w.write(f, "SELECT 1 AS n, "+base)
			}
			_, list := w.inspect(w.events("**/*.parquet", partitioned(1, 2)))
			wantMessage(t, list, append(tc.parts, "metrics.yaml:9:5")...)
		})
	}
}

// TestDaysOfOtherForms: days without signs and hours prune as others do; what is no day is
// always read, and so is what has none. Rows that are late for their partition do not count, as
// far as it is known.
func TestDaysOfOtherForms(t *testing.T) {
	for name, test := range map[string]struct {
		levels []string
		// read are the levels that are read for 2026-03-04, of which all have a row: those of
		// the others are too far from their day.
		read   []string
		warned bool
	}{
		"plain and missing": {
			levels: []string{"2026-03-01", "2026-03-03", "2026-03-20", "__HIVE_DEFAULT_PARTITION__"},
			read:   []string{"2026-03-03", "__HIVE_DEFAULT_PARTITION__"},
		},
		"without signs": {levels: []string{"20260301", "20260303", "20260320"}, read: []string{"20260303"}},
		"hours":         {levels: []string{"2026-03-01-05", "2026-03-06-23", "2026-03-07-00", "20260305-11"}, read: []string{"2026-03-06-23", "20260305-11"}},
		"no days": {
			levels: []string{"2026-03-01", "2026-03-03", "latest", "20260230", "2026-3-4"},
			read:   []string{"2026-03-03", "2026-3-4", "20260230", "latest"}, warned: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWarehouse(t)
			for i, level := range test.levels {
				w.write("ds="+level+"/a.parquet", fmt.Sprintf("SELECT %d AS n, 'u' AS user_id, 'e' AS name, TIMESTAMP '2026-03-04 10:00:00' AS ts", i))
			}
			src, list := w.inspect(w.events("ds=*/*.parquet", partitioned(1, 2)))
			if src == nil || test.warned != (len(list) == 1 && list[0].Code == "partition-no-day") || !test.warned && len(list) > 0 {
				t.Fatalf("source %v, said %v", src != nil, list)
			}
			pruned := src.Between(instantOf(t, "2026-03-04T00:00:00Z"), instantOf(t, "2026-03-05T00:00:00Z"))
			var read []string
			for _, f := range pruned.Files {
				read = append(read, strings.TrimPrefix(path.Base(path.Dir(f.Path)), "ds="))
			}
			if diff := cmp.Diff(test.read, read); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
			dropped, err := Count(t.Context(), w.engine, src, endless)
			if want := int64(len(test.levels) - len(test.read)); err != nil || dropped.Partition != want {
				t.Errorf("%d rows are far from their day, want %d; %v", dropped.Partition, want, err)
			}
			if dropped, err := Count(t.Context(), w.engine, src, instantOf(t, "2026-03-04T10:00:00Z")); err != nil || dropped.Partition != 0 {
				t.Errorf("%d rows that do not exist yet are far from their day; %v", dropped.Partition, err)
			}
		})
	}
}

func TestBetween(t *testing.T) {
	w := newWarehouse(t)
	for d := 1; d <= 9; d++ {
		w.write(fmt.Sprintf("ds=2026-03-%02d/a.parquet", d), fmt.Sprintf("SELECT %d AS n, 'u' AS user_id, 'e' AS name, TIMESTAMP '2026-03-%02d 10:00:00' AS ts FROM range(%d)", d, d, d))
	}
	src := w.mustInspect(w.events("ds=*/*.parquet", partitioned(1, 2)))
	for _, tc := range []struct {
		name, from, to string
		first, last    int
	}{
		// A row of day D may lie in the partitions D-1 (early) to D+2 (late).
		{"one day", "2026-03-04T00:00:00Z", "2026-03-05T00:00:00Z", 3, 6},
		{"an instant more", "2026-03-04T00:00:00Z", "2026-03-05T00:00:00.000001Z", 3, 7},
		{"an instant less", "2026-03-03T23:59:59.999999Z", "2026-03-05T00:00:00Z", 2, 6},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pruned := src.Between(instantOf(t, tc.from), instantOf(t, tc.to))
			var want []string
			rows := int64(0)
			for d := tc.first; d <= tc.last; d++ {
				want = append(want, path.Join(w.dir, fmt.Sprintf("ds=2026-03-%02d/a.parquet", d)))
				rows += int64(d)
			}
			if diff := cmp.Diff(want, parquetOf(pruned).Files); diff != "" {
				t.Error(diff)
			}
			if pruned.Rows != rows {
				t.Errorf("%d rows", pruned.Rows)
			}
		})
	}
	if all := src.Between(time.Time{}, endless); all != src || len(parquetOf(all).Files) != 1 {
		t.Error("without bounds nothing is pruned")
	}
	if none := src.Between(instantOf(t, "2027-01-01T00:00:00Z"), endless); len(none.Files) != 1 {
		t.Error("one file stays, for its columns")
	}
}

func TestBetweenKeepsWhatTheSchemaNeeds(t *testing.T) {
	w := newWarehouse(t)
	w.write("ds=2026-03-01/a.parquet", "SELECT 1 AS n, 5::BIGINT AS x, "+base)
	w.write("ds=2026-03-20/a.parquet", "SELECT 2 AS n, "+base)
	w.write("ds=2026-03-21/a.parquet", "SELECT 3 AS n, "+base)
	src, list := w.inspect(w.events("ds=*/*.parquet", func(s *metrics.Source) {
		partitioned(1, 2)(s)
		s.Columns.Value = col("x")
	}))
	wantMessage(t, list, "the column x is missing in 2 of 3 files", "ds=2026-03-20/a.parquet")
	pruned := src.Between(instantOf(t, "2026-03-21T00:00:00Z"), endless)
	if diff := cmp.Diff([]string{"5", "-", "-"}, w.values(pruned, pruned.Value.SQL)); diff != "" {
		t.Error(diff)
	}
}

// TestPruningChangesNoRows writes rows into partitions at random distances
// from their day and compares the rows of a span with and without pruning.
func TestPruningChangesNoRows(t *testing.T) {
	shared := newWarehouse(t)
	rapid.Check(t, func(r *rapid.T) {
		w := shared.folder(t)
		early, late := rapid.IntRange(0, 2).Draw(r, "early"), rapid.IntRange(0, 3).Draw(r, "late")
		n := 0
		for _, d := range rapid.SliceOfNDistinct(rapid.IntRange(0, 15), 1, 6, rapid.ID).Draw(r, "days") {
			partition := time.Date(2026, 3, 1+d, 0, 0, 0, 0, time.UTC)
			rows := ""
			for _, hours := range rapid.SliceOfN(rapid.IntRange(-100, 100), 1, 4).Draw(r, "hours") {
				n++
				rows += fmt.Sprintf(", (%d, TIMESTAMP '%s')", n, partition.Add(time.Duration(hours)*time.Hour).Format(time.DateTime))
			}
			w.write("ds="+partition.Format(time.DateOnly)+"/a.parquet", "SELECT *, 'u' AS user_id, 'e' AS name FROM (VALUES "+rows[2:]+") AS v(n, ts)")
		}
		src := w.mustInspect(w.events("ds=*/*.parquet", partitioned(early, late)))
		from := time.Date(2026, 3, 1, rapid.IntRange(-48, 500).Draw(r, "from"), 0, 0, 0, time.UTC)
		to := from.Add(time.Duration(rapid.IntRange(1, 200).Draw(r, "length")) * time.Hour)
		all, pruned := existing(w, src, from, to), existing(w, src.Between(from, to), from, to)
		if diff := cmp.Diff(all, pruned); diff != "" {
			r.Fatal(diff)
		}
	})
}

// existing gives n of the rows that exist (semantics 2.1) with from <= ts < to.
func existing(w *warehouse, src *compiler.Source, from, to time.Time) [][]any {
	w.t.Helper()
	p := src.Def.Partition
	query, err := sqlast.Print(sqlast.DuckDB, sqlast.Select{Items: []sqlast.Item{
		{X: sqlast.Column{Name: "n"}, As: "n"}, {X: src.Time.SQL, As: "ts"}, {X: src.PartitionDay, As: "day"},
	}, From: src.Read, OrderBy: []sqlast.Order{{X: sqlast.Column{Name: "n"}}}})
	if err != nil {
		w.t.Fatal(err)
	}
	rows, err := w.engine.Query(w.t.Context(), query)
	if err != nil {
		w.t.Fatal(err)
	}
	var out [][]any
	for _, r := range rows.Cells {
		ts, partition := r[1].(time.Time), r[2].(time.Time)
		date := ts.Truncate(day)
		if !ts.Before(from) && ts.Before(to) && !partition.Before(date.Add(-p.Early)) && !partition.After(date.Add(p.Late)) {
			out = append(out, r)
		}
	}
	return out
}

// TestFolderLevelsAsColumns reads what stands in the folders alone, which is
// where writers put the columns that they divide files by: with percent signs,
// NULL under a name of its own.
func TestFolderLevelsAsColumns(t *testing.T) {
	shared := newWarehouse(t)
	levels := []string{"flag=check%20out", "flag=M%C3%BCnchen%2F1", "flag=007", "flag=__HIVE_DEFAULT_PARTITION__"}
	want := []string{"-", "007", "München/1", "check out"}
	for name, write := range map[string]func(w *warehouse, folder string, i int){
		"Parquet": func(w *warehouse, folder string, i int) {
			columns := base
			if i == 1 { // files that differ
				columns += ", 1 AS other"
			}
			w.write(folder+"/a.parquet", fmt.Sprint("SELECT ", i, " AS n, ", columns))
		},
		"NDJSON": func(w *warehouse, folder string, i int) {
			w.lines(folder+"/a.ndjson", fmt.Sprintf(`{"user_id": "u%d", "name": "buy", "ts": "2026-03-02"}`, i))
		},
		"CSV": func(w *warehouse, folder string, i int) {
			w.lines(folder+"/a.csv", "user_id,name,ts", fmt.Sprintf("u%d,buy,2026-03-02", i))
		},
	} {
		for _, days := range []bool{false, true} {
			t.Run(fmt.Sprint(name, days), func(t *testing.T) {
				w := shared.folder(t)
				for i, level := range levels {
					write(w, level+"/ds=2026-03-02", i)
				}
				src := w.mustInspect(w.events(".", func(s *metrics.Source) {
					s.Columns.Attributes.Named = []metrics.NamedColumn{{Name: metrics.Text{V: "flag"}, Column: col("flag")}}
					if days {
						partitioned(1, 2)(s)
					}
				}))
				if diff := cmp.Diff(want, w.sorted(src, src.Attributes.Named["flag"].SQL)); diff != "" {
					t.Error(diff)
				}
				src = w.mustInspect(w.events(".", func(s *metrics.Source) {
					s.Where = metrics.Expr{Src: `flag == "007"`, Pos: at(8)}
				}))
				query, err := sqlast.Print(sqlast.DuckDB, sqlast.Select{Items: []sqlast.Item{{X: sqlast.Aggregate{Fn: sqlast.Count}, As: "n"}}, From: src.Read, Where: src.Where})
				if err != nil {
					t.Fatal(err)
				}
				if rows, err := w.engine.Query(t.Context(), query); err != nil || rows.Cells[0][0] != int64(1) {
					t.Error(rows, err)
				}
			})
		}
	}
	w := newWarehouse(t)
	w.write("name=shadow/flag=a/a.parquet", "SELECT 1 AS n, "+base)
	byFlag := func(s *metrics.Source) { s.Columns.Value = col("number(flag)") }
	_, list := w.inspect(w.events(".", byFlag))
	wantMessage(t, list, "reads flag=… of the folders", "the level name=… hides the column name of the files")
	w.write("flag=b/name=shadow/a.parquet", "SELECT 1 AS n, "+base)
	_, list = w.inspect(w.events(".", byFlag))
	wantMessage(t, list, `there is no column "flag"`)
}
