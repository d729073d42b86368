package loaders

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/internal/objectstore/storetest"
	"github.com/metricsjob/metricsjob/metrics"
)

// storeEngine is an engine that can list, but not read: that takes an extension.
func storeEngine(t *testing.T) *Engine {
	t.Helper()
	store, err := objectstore.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &Engine{store: store, objects: map[string]objectstore.Object{}}
}

// matched lists what the patterns mean, without the bucket.
func matched(t *testing.T, src *metrics.Source, matters span) []string {
	t.Helper()
	var list diag.List
	files, err := findFiles(t.Context(), storeEngine(t), src, matters, &list)
	if err != nil || list.HasErrors() {
		t.Fatal(err, list)
	}
	var keys []string
	for _, f := range files {
		keys = append(keys, strings.TrimPrefix(f, "s3://"+storetest.Bucket+"/"))
	}
	return keys
}

// Patterns mean the same objects as they mean files: expand is asked about the
// same names in a folder.
func TestObjectPatterns(t *testing.T) {
	names := []string{
		"a/x.parquet", "a/y.parquet", "a/y.csv", "a/.hidden.parquet", "a/_SUCCESS", "a/part.parquet.crc",
		"a/ds=2026-03-01/x.parquet", "a/ds=2026-03-01/_temporary/0/x.parquet", "a/_day=1/x.parquet",
		"a/b/c/x.parquet", "a/b/c/deep/x.parquet", "ab/x.parquet", "b.parquet/part-0.parquet", "c d/ä%20.parquet", "x.parquet",
	}
	server := storetest.Start(t)
	folder := filepath.ToSlash(tree(t, names...))
	for _, name := range names {
		server.Put(t, name, nil)
	}
	server.Put(t, "a/marker/", nil) // of a folder, as some tools leave it
	for _, pattern := range []string{
		"", "a", "a/", "a/*.parquet", "a/*", "a/**", "a/**/*.parquet", "a/**/x.parquet", "**", "**/x.parquet", "*/x.parquet", "*/*/x.parquet",
		"a/ds=*/*.parquet", "a/ds=*/**", "a/_day=*/*.parquet", "a/_SUCCESS", "a/.hidden.parquet", "a/b/**/deep/*.parquet", "a/[xy].parquet", "a/?.parquet",
		"b.parquet", "c d/ä%20.parquet", "a/x.parquet", "nowhere", "nowhere/*.parquet", "*.parquet", "a*/x.parquet", "a/b/*", "**/c/**",
	} {
		want, err := expand(strings.TrimSuffix(folder+"/"+pattern, "/"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			want[i] = strings.TrimPrefix(want[i], folder+"/")
		}
		slices.Sort(want)
		objects, err := findObjects(t.Context(), storeEngine(t).store, "s3://"+storetest.Bucket+"/"+pattern, nil, span{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range objects {
			got = append(got, o.Key)
			if url := "s3://" + storetest.Bucket + "/"; !meansObject(url+pattern, url+o.Key) {
				t.Errorf("%q is not said to mean %q", pattern, o.Key)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(slices.Compact(want), got); diff != "" {
			t.Errorf("%q (-folder +store):\n%s", pattern, diff)
		}
	}
}

func dateOf(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at
}

// Of partitions, the days that a run needs are listed and no others, whatever
// stands before and behind them.
func TestObjectsOfDays(t *testing.T) {
	server := storetest.Start(t)
	const perDay = 100
	for d := range 365 {
		date := dateOf("2026-01-01").AddDate(0, 0, d).Format(time.DateOnly)
		for i := range perDay {
			server.Put(t, fmt.Sprintf("events/ds=%s/part-%02d.parquet", date, i), nil)
		}
		server.Put(t, fmt.Sprintf("apps/one/ds=%s/hour=07/part.parquet", date), nil)
		server.Put(t, fmt.Sprintf("apps/two/ds=%s/hour=07/part.parquet", date), nil)
	}
	server.Put(t, "apps/README.md", nil)
	// 2026-03-10 and the day before and the two after that a row may lie in.
	matters := span{dateOf("2026-03-10"), dateOf("2026-03-11")}
	days := []string{"2026-03-09", "2026-03-10", "2026-03-11", "2026-03-12"}
	of := func(format string) (keys []string) {
		for _, d := range days {
			keys = append(keys, strings.ReplaceAll(format, "DAY", d))
		}
		return keys
	}
	var parts []string
	for _, d := range days {
		for i := range perDay {
			parts = append(parts, fmt.Sprintf("events/ds=%s/part-%02d.parquet", d, i))
		}
	}
	one, two := of("apps/one/ds=DAY/hour=07/part.parquet"), of("apps/two/ds=DAY/hour=07/part.parquet")
	for _, c := range []struct {
		pattern  string
		want     []string
		requests []string
	}{
		// Of a folder first the names of the days, then what lies in those that matter.
		{"events/ds=*/*.parquet", parts, []string{"LIST events/ds=", "LIST events/ds="}},
		{"events/ds=*/**/*.parquet", parts, []string{"LIST events/ds=", "LIST events/ds="}},
		{"events/**/*.parquet", parts, []string{"LIST events/", "LIST events/ds=", "LIST events/ds="}},
		{"events", parts, []string{"LIST events", "LIST events/", "LIST events/ds=", "LIST events/ds="}},
		{"apps/*/ds=*/*/*.parquet", slices.Concat(one, two), []string{"LIST apps/", "LIST apps/one/ds=", "LIST apps/one/ds=", "LIST apps/two/ds=", "LIST apps/two/ds="}},
		{"apps/t*/ds=*/*/*.parquet", two, []string{"LIST apps/t", "LIST apps/two/ds=", "LIST apps/two/ds="}},
		{"apps/two/ds=*/hour=07", two, []string{"LIST apps/two/ds=", "LIST apps/two/ds="}},
		{"apps/one/ds=2026-03-1*/hour=07/*.parquet", one[1:], []string{"LIST apps/one/ds=", "LIST apps/one/ds="}},
		{"apps/one/ds=2026-03-10/**/*.parquet", one[1:2], []string{"LIST apps/one/ds=2026-03-10/"}},
	} {
		src := sourceOf("", "s3://"+storetest.Bucket+"/"+c.pattern)
		src.Partition = &metrics.Partition{Column: metrics.Text{V: "ds"}, Early: day, Late: 2 * day}
		server.Requests()
		if diff := cmp.Diff(c.want, matched(t, src, matters)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.pattern, diff)
		}
		if diff := cmp.Diff(c.requests, server.Requests()); diff != "" {
			t.Errorf("requests of %s (-want +got):\n%s", c.pattern, diff)
		}
		// Without a time that matters it is all of them.
		if got := matched(t, src, span{}); len(got) < len(c.want) {
			t.Errorf("%s means %d objects in all", c.pattern, len(got))
		}
	}
}

// Days that are written in other ways, with an hour or without signs, are found by what they
// are; what is no day is always listed.
func TestObjectsOfOtherDays(t *testing.T) {
	server := storetest.Start(t)
	for _, level := range []string{
		"2026-03-09-23", "2026-03-10-00", "2026-03-12-23", "2026-03-13-00", "20260308", "20260309", "20260312", "20260313",
		"2026-03-11", "2026-03-08", "latest", "10", "__HIVE_DEFAULT_PARTITION__", "2026-03-99", "2026-3-1",
	} {
		server.Put(t, "events/ds="+level+"/part.parquet", nil)
	}
	src := sourceOf("", "s3://"+storetest.Bucket+"/events/ds=*/*.parquet")
	src.Partition = &metrics.Partition{Column: metrics.Text{V: "ds"}, Early: day, Late: 2 * day}
	var want []string
	for _, level := range []string{
		"10", "2026-03-09-23", "2026-03-10-00", "2026-03-11", "2026-03-12-23", "2026-03-99", "2026-3-1", "20260309", "20260312",
		"__HIVE_DEFAULT_PARTITION__", "latest",
	} {
		want = append(want, "events/ds="+level+"/part.parquet")
	}
	got := matched(t, src, span{dateOf("2026-03-10"), dateOf("2026-03-11")})
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

// What is wrong with a path is said at its place, without anything secret.
func TestWrongObjectPaths(t *testing.T) {
	storetest.Start(t).Put(t, "exports/ds=2026-03-01/x.parquet", nil)
	for pattern, want := range map[string]string{
		"s3://exports/exports/*.csv":         `metrics.yaml:1:5: no files match "s3://exports/exports/*.csv"; s3://exports/exports/ holds ds=2026-03-01/`,
		"s3://exports/export/*.parquet":      `metrics.yaml:1:5: no files match "s3://exports/export/*.parquet"; nothing lies at s3://exports/export/`,
		"s3://elsewhere/*.parquet":           `metrics.yaml:1:5: s3://elsewhere/: there is no bucket "elsewhere" at`,
		"gs://exports/*.parquet":             `metrics.yaml:1:5: object stores are read by s3:// alone, not by gs://`,
		"s3:///x.parquet":                    `metrics.yaml:1:5: this is no path of an object store: it names no bucket`,
		"s3://key:s3cret@exports/*.parquet":  `metrics.yaml: line 1: credentials and settings do not belong into a path; they come from the environment`,
		"s3://exports/x?s3_session_token=s3": `metrics.yaml: line 1: credentials and settings do not belong into a path`,
	} {
		var list diag.List
		files, err := findFiles(t.Context(), storeEngine(t), sourceOf("", pattern), span{}, &list)
		if err != nil || len(files) > 0 || len(list) != 1 {
			t.Errorf("%s: %v, %v, %v", pattern, files, err, list)
			continue
		}
		if got := list[0].Error() + "; " + list[0].Hint; !strings.HasPrefix(got, want) || strings.Contains(got, "s3cret") {
			t.Errorf("%s is said to be:\n%s\nwant:\n%s", pattern, got, want)
		}
	}
}

// One path may lead nowhere where another leads to files.
func TestObjectsOfSeveralPaths(t *testing.T) {
	storetest.Start(t).Put(t, "a/x.parquet", nil)
	src := sourceOf("", "s3://exports/a/*.parquet", "s3://exports/b/*.parquet")
	var list diag.List
	files, err := findFiles(t.Context(), storeEngine(t), src, span{}, &list)
	if diff := cmp.Diff([]string{"s3://exports/a/x.parquet"}, files); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if len(list) != 1 || list[0].Severity != diag.Warning || list[0].Pos.Line != 2 {
		t.Errorf("%v", list)
	}
}

func TestRootsInStores(t *testing.T) {
	src := sourceOf("", "s3://exports/a/b*/**/*.parquet", "s3://exports/a/x.parquet", "s3://exports", "s3://k:s@exports/x")
	defs := &metrics.Definitions{}
	defs.Sources.Events = []*metrics.Source{src}
	if diff := cmp.Diff([]string{"s3://exports/", "s3://exports/a/", "s3://exports/a/x.parquet"}, Roots(defs)); diff != "" {
		t.Error(diff)
	}
}

// An export in a store has the same levels and patterns as one in a folder.
func TestExportsInStores(t *testing.T) {
	server := storetest.Start(t)
	for _, name := range []string{"e/type=a/ds=2026-03-01/1.csv.gz", "e/type=a/ds=2026-03-02/1.csv.gz", "e/type=b/2.ndjson", "e/_SUCCESS", "e2/3.csv"} {
		server.Put(t, name, nil)
	}
	root := "s3://" + storetest.Bucket + "/e"
	x, err := openExported(t.Context(), storeEngine(t), root+"/")
	if err != nil {
		t.Fatal(err)
	}
	of := func(names ...string) []string {
		for i := range names {
			names[i] = root + "/" + names[i]
		}
		return names
	}
	if diff := cmp.Diff(of("type=a/ds=2026-03-01/1.csv.gz", "type=a/ds=2026-03-02/1.csv.gz", "type=b/2.ndjson"), x.files); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff([]string{"type=a", "ds=2026-03-01"}, x.levels(x.files[0])); diff != "" {
		t.Error(diff)
	}
	pattern := x.path("type=a/ds=*", "*.csv.gz")
	if pattern != root+"/type=a/ds=*/*.csv.gz" {
		t.Error(pattern)
	}
	for _, n := range []int{1, 2, 3} {
		if ok, err := x.match(x.files[:n], pattern); err != nil || ok != (n == 2) {
			t.Errorf("the pattern matches the first %d: %v, %v", n, ok, err)
		}
	}
}
