package job_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/job"
)

// TestEventsOfNobody has events whose ids are those of no unit: a run says so of a
// source from 100 units and 100 events on, if no metric counts any of them.
func TestEventsOfNobody(t *testing.T) {
	const definitions = `version: 1
sources:
  impressions:
    - {name: shown, path: shown.csv, columns: {units: {user: user}, flag: '"button"', variation: variation, timestamp: ts}}
  events:
    - {name: orders, path: orders.csv, columns: {units: {user: user, device: device}, event: event, timestamp: ts}}
    - {name: visits, path: visits.csv, columns: {units: {user: user}, event: event, timestamp: ts}}
  units:
    - {name: devices, path: devices.csv, columns: {units: {device: device, user: user}}}
metrics:
  - {key: buys, event: buy, source: orders, measure: count, better: higher}
  - {key: gifts, event: gift, source: orders, measure: occurrence, better: higher}
  - {key: views, event: view, source: visits, measure: count, better: higher}
experiments:
  - key: button
    unit: user
    flag: button
    IDENTITY
    start: 2026-03-02
    variations: [{key: old, weight: 1, baseline: true}, {key: new, weight: 1}]
    metrics: {primary: [buys], secondary: [gifts, views]}
`
	const hint = "do the ids mean the same users? "
	const spelt, paired = hint + "spelt otherwise", hint + "see whether sources of units pair them"
	for _, tc := range []struct {
		name          string
		units, orders int
		user, device  func(i int) string // of orders
		identity      string
		want          string // what is said of orders
	}{
		{"other capitals", 100, 100, upper, none, "", "none of 100 events in the time of the experiment is of a unit of it, so no metric has any: " + spelt},
		{"few units", 99, 100, upper, none, "", ""},
		{"few events", 100, 99, upper, none, "", ""},
		{"one event of a unit, of no metric", 100, 100, func(i int) string {
			if i == 99 { // a return, see below
				return "u7"
			}
			return upper(i)
		}, none, "", ""},
		{"devices that nobody asks about", 100, 100, none, lower, "", "none of 100 events"},
		{"devices that are paired", 100, 100, none, lower, "identity: strict", ""},
		{"devices that are not", 100, 100, none, upper, "identity: strict", "none of 100 events in the time of the experiment is of a unit of it, so no metric has any: " + paired},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			shown, visits, devices, orders := "user,variation,ts\n", "user,event,ts\nu0,view,2026-03-03\n", "device,user\n", "user,device,event,ts\nu0,,buy,2026-03-01\n"
			for i := range tc.units {
				shown += fmt.Sprintf("u%d,%s,2026-03-02\n", i, []string{"old", "new"}[i%2])
				devices += fmt.Sprintf("u%d,u%d\n", i, i)
			}
			for i := range tc.orders {
				event := "buy"
				if i == 99 {
					event = "return"
				}
				orders += fmt.Sprintf("%s,%s,%s,2026-03-03\n", tc.user(i), tc.device(i), event)
			}
			for name, text := range map[string]string{"shown.csv": shown, "visits.csv": visits, "devices.csv": devices, "orders.csv": orders,
				"metrics.yaml": strings.Replace(definitions, "IDENTITY", tc.identity, 1)} {
				writeFile(t, filepath.Join(dir, name), text)
			}
			result, err := job.Run(t.Context(), job.Options{Paths: []string{filepath.Join(dir, "metrics.yaml")}, Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Version: "test", Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, h := range result.Tables.Health {
				if h.Check == "units_never_match" {
					said = append(said, strings.Join([]string{h.Experiment, h.Segment, h.SegmentValue, string(h.Status)}, " "))
					if tc.want == "" || !strings.HasPrefix(h.Detail, tc.want) {
						t.Error(h.Detail)
					}
				}
			}
			var want []string
			if tc.want != "" {
				want = []string{"button source orders warn"}
			}
			if diff := cmp.Diff(want, said); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func upper(i int) string { return fmt.Sprint("U", i) }
func lower(i int) string { return fmt.Sprint("u", i) }
func none(int) string    { return "" }
