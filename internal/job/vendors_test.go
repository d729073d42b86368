package job_test

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/metrics"
)

const vendorFolder = "../../testdata/vendors"

// TestVendorExports runs the examples of testdata/vendors, each over the raw
// export of a vendor. All exports tell the same story, so that all have the
// results that expected.sql counts from the story.
func TestVendorExports(t *testing.T) {
	want := counted(t, "expected.sql")
	for _, name := range []string{"optimizely", "launchdarkly_warehouse", "launchdarkly_stream", "vwo", "flagsync"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := runVendor(t, name, nil)
			got := map[string][]string{}
			for _, m := range r.Tables.Moments {
				key := m.SegmentValue + " " + m.Variation
				if got[key] == nil {
					got[key] = make([]string, 6)
				}
				switch m.Metric {
				case "conversion":
					got[key][0], got[key][1] = fmt.Sprint(m.Units), m.Sum
				case "average_order":
					got[key][2], got[key][4] = *m.DenSum, m.Sum
				case "with_coupon":
					got[key][3] = m.Sum
				case "page_views":
					got[key][5] = m.Sum
				case "revenue":
					if want := want[key][4]; m.Sum != want {
						t.Errorf("revenue of %s is %s, want %s", key, m.Sum, want)
					}
				default:
					t.Errorf("nothing is expected of %s", m.Metric)
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("units, buyers, purchases, purchases with a coupon, revenue and page views (-want +got):\n%s", d)
			}
		})
	}
}

// TestVendorIdentities reads the orders of a shop beside VWO's payloads: by the
// shop's own ids of users where it knows them, else by cookies, some of which
// two users share. Impressions carry no plan; it is in the shop's profiles.
func TestVendorIdentities(t *testing.T) {
	want := counted(t, "expected_shop.sql")
	for i, identity := range []string{"strict", "first_touch"} {
		r := runVendor(t, "vwo_shop", strings.NewReplacer("identity: strict", "identity: "+identity))
		for _, m := range r.Tables.Moments {
			key := m.SegmentValue + " " + m.Variation
			got := []string{fmt.Sprint(m.Units), m.Sum}
			if d := cmp.Diff([]string{want[key][0], want[key][1+i]}, got); d != "" {
				t.Errorf("%s: units and revenue of %s (-want +got):\n%s", identity, key, d)
			}
		}
		if len(r.Tables.Moments) != len(want) {
			t.Errorf("%s: %d parts, want %d", identity, len(r.Tables.Moments), len(want))
		}
		at := slices.IndexFunc(r.Tables.Health, func(h metrics.HealthRow) bool { return h.Check == "ambiguous_id" })
		if at < 0 || *r.Tables.Health[at].Statistic != 9 { // every fifth person from the fourth of 48 on shares a cookie
			t.Errorf("%s: not 9 ambiguous cookies, but %v", identity, r.Tables.Health)
		}
	}
}

// TestVendorAttributes reads from VWO's payloads the plans that were set for visitors
// before they saw the checkout, and neither those of later nor what else was set.
func TestVendorAttributes(t *testing.T) {
	want, got := counted(t, "expected_attributes.sql"), map[string][]string{}
	for _, m := range runVendor(t, "vwo_attributes", nil).Tables.Moments {
		got[m.SegmentValue+" "+m.Variation] = []string{fmt.Sprint(m.Units), m.Sum}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("units and revenue (-want +got):\n%s", d)
	}
}

// TestVendorExamplesAreShort: an analyst copies one of these files to begin.
func TestVendorExamplesAreShort(t *testing.T) {
	files, err := filepath.Glob(vendorFolder + "/*.yaml")
	if err != nil || len(files) != 7 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n > 25 {
			t.Errorf("%s has %d lines", filepath.Base(file), n)
		}
	}
}

// TestVendorChecks: a check finds nothing wrong in the examples, but for what the
// story has: people who see both variations, and rows about a device or a cookie.
func TestVendorChecks(t *testing.T) {
	for _, name := range []string{"optimizely", "launchdarkly_warehouse", "launchdarkly_stream", "vwo", "vwo_attributes", "vwo_shop", "flagsync"} {
		report, err := job.Check(t.Context(), vendorOptions(filepath.Join(vendorFolder, name+".yaml")))
		if err != nil {
			t.Fatal(name, err)
		}
		for _, d := range report.Diagnostics {
			if d.Severity == diag.Error || !slices.Contains([]string{"several-variations", "no-unit"}, d.Code) {
				t.Errorf("%s: %s: %s", name, d.Code, d.Message)
			}
		}
	}
}

func vendorOptions(file string) job.Options {
	return job.Options{Paths: []string{file}, Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Version: "test", Threads: 2}
}

// runVendor runs an example, with some of its text replaced if that is asked for.
func runVendor(t *testing.T, name string, replace *strings.Replacer) *job.Result {
	t.Helper()
	file := filepath.Join(vendorFolder, name+".yaml")
	if replace != nil {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		folder, err := filepath.Abs(vendorFolder)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.NewReplacer("path: vwo/", "path: "+folder+"/vwo/", "path: 'vwo/", "path: '"+folder+"/vwo/").Replace(replace.Replace(string(text)))
		file = filepath.Join(t.TempDir(), "metrics.yaml")
		writeFile(t, file, changed)
	}
	r, err := job.Run(t.Context(), vendorOptions(file))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// counted are the rows that a query over the story gives, by their first two
// columns, a part of the people and a variation.
func counted(t *testing.T, query string) map[string][]string {
	t.Helper()
	folder, err := filepath.Abs(vendorFolder)
	if err != nil {
		t.Fatal(err)
	}
	sql, err := os.ReadFile(filepath.Join(folder, query))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := openEngine(t, folder).Query(t.Context(), strings.ReplaceAll(string(sql), "read_csv('", "read_csv('"+folder+"/"))
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	out := map[string][]string{}
	for _, row := range rows.Cells {
		var numbers []string
		for _, v := range row[2:] {
			if r, ok := v.(*big.Rat); ok {
				v = strings.TrimSuffix(strings.TrimRight(r.FloatString(2), "0"), ".")
			}
			numbers = append(numbers, fmt.Sprint(v))
		}
		out[fmt.Sprint(row[0], " ", row[1])] = numbers
	}
	return out
}
