package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/metrics"
)

// TestExamples runs the tests of examples/, and wants one for every metric there.
func TestExamples(t *testing.T) {
	var stdout, stderr strings.Builder
	if code := run(context.Background(), []string{"test", "../../examples"}, &stdout, &stderr); code != exitDone {
		t.Errorf("exit code %d:\n%s%s", code, stdout.String(), stderr.String())
	}
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, file := range files {
		if metrics.IsTestFile(file) {
			continue
		}
		defs, list, err := job.Load(job.Options{Paths: []string{file}})
		if err != nil || list.HasErrors() {
			t.Errorf("%s: %v %v", file, err, list)
			continue
		}
		tested := testedMetrics(t, strings.TrimSuffix(file, ".yaml")+"_test.yaml")
		for _, m := range defs.Metrics {
			known[m.Key.V] = true
			if !tested[m.Key.V] {
				t.Errorf("%s: metric %s has no test", file, m.Key.V)
			}
		}
	}
	for _, key := range []string{
		"error_rate_per_request", "bounce_rate", "trial_to_paid_14d", "cart_abandonment", "hours_to_first_purchase", "revenue_less_refunds",
		"distinct_products_viewed", "latency_p95", "week_one_retention", "average_order_value", "checkout_funnel", "capped_revenue",
		"average_page_load_time", "average_purchase_price_per_user", "count_of_discounts", // named in FlagSync's pages
		"customers_who_submitted_a_form", "customers_who_made_a_payment", "customers_who_met_an_error", // in LaunchDarkly's
	} {
		if !known[key] {
			t.Errorf("no example has the metric %s", key)
		}
	}
}

// TestComingFrom holds the metrics of docs/coming-from.md to the tests in
// testdata/comingfrom, and wants at least five of each tool, and a test for each.
func TestComingFrom(t *testing.T) {
	text, err := os.ReadFile("../../docs/coming-from.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeBlocks(t, dir, string(text))
	if err := os.CopyFS(dir, os.DirFS("testdata/comingfrom")); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	if code := run(context.Background(), []string{"test", dir}, &stdout, &stderr); code != exitDone {
		t.Errorf("exit code %d:\n%s%s", code, stdout.String(), stderr.String())
	}
	for _, tool := range []string{"launchdarkly", "optimizely", "vwo", "flagsync", "growthbook", "eppo", "statsig"} {
		defs, list, err := job.Load(job.Options{Paths: []string{filepath.Join(dir, tool+".yaml")}})
		if err != nil || list.HasErrors() {
			t.Errorf("%s: %v %v", tool, err, list)
			continue
		}
		if len(defs.Metrics) < 5 {
			t.Errorf("%s has %d metrics", tool, len(defs.Metrics))
		}
		tested := testedMetrics(t, filepath.Join(dir, tool+"_test.yaml"))
		for _, m := range defs.Metrics {
			if !tested[m.Key.V] {
				t.Errorf("metric %s of %s has no test", m.Key.V, tool)
			}
		}
	}
}

// testedMetrics are the metrics of which a file of tests expects something.
func testedMetrics(t *testing.T, file string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tests, list := metrics.DecodeTests(file, text)
	if len(list) > 0 {
		t.Fatal(list)
	}
	out := map[string]bool{}
	for _, one := range tests.Tests {
		for _, x := range one.Expect {
			out[x.Metric.V] = out[x.Metric.V] || len(x.Units) > 0 || len(x.Variations) > 0
		}
	}
	return out
}
