package export

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/metrics"
)

// TestUnitStoryText reads a story in which every sentence about a unit is told.
func TestUnitStoryText(t *testing.T) {
	at := func(hour, minute int) *time.Time {
		return new(time.Date(2026, 3, 2, hour, minute, 0, 0, time.UTC))
	}
	text := func(s string) *string { return &s }
	row := func(part string, when *time.Time, what, variation string) metrics.UnitRow {
		r := metrics.UnitRow{Part: part, Time: when, Source: "clicks", What: &what, Copies: 1, Counts: true, Step: "counted"}
		if variation != "" {
			r.Variation = &variation
		}
		return r
	}
	lost := func(r metrics.UnitRow, step, because string) metrics.UnitRow {
		r.Counts, r.Step, r.Because = false, step, because
		return r
	}
	inGroup := func(r metrics.UnitRow, group string) metrics.UnitRow {
		r.Group = &group
		return r
	}
	other := func(part string) metrics.UnitRow {
		return lost(row(part, at(9, 0), "scroll", ""), "other_event", "it is another event")
	}
	shown := row("exposures", at(10, 0), "a", "control")
	shown.Because = "of control"
	control := metrics.UnitExposure{Variation: "control", Shown: *at(10, 0), Impressions: 1}
	story := func(s metrics.UnitStory) metrics.UnitStory {
		s.Experiment, s.Metric, s.Unit, s.AsOf = "button", "m", "u1", *at(23, 0)
		return s
	}
	for _, c := range []struct {
		name  string
		story metrics.UnitStory
		want  string
	}{
		{"an id that no row has", story(metrics.UnitStory{Unknown: "No row has this id."}), `
m in button · unit u1 · as of 2026-03-02 23:00:00 UTC

  No row has this id.
`},
		{"left out, and a part with other events alone", story(metrics.UnitStory{
			Exposures: []metrics.UnitExposure{{Variation: "control", Shown: *at(10, 0), Impressions: 2, Dropped: "several_variations", Because: "the unit saw several variations"}},
			Rows:      []metrics.UnitRow{shown, other("step 1"), other("step 2"), other("step 2")},
		}), `
m in button · unit u1 · as of 2026-03-02 23:00:00 UTC

IMPRESSIONS
  time                 source  shows  counts
  2026-03-02 10:00:00  clicks  a      yes     of control

EXPOSURE
  control, at 2026-03-02 10:00:00, with 2 impressions; left out: the unit saw several variations

STEP 1
  none, beside 1 row of another event

STEP 2
  none, beside 2 rows of other events

NUMBER
  none: the unit does not count in the experiment
`},
		{"after an event, over groups", story(metrics.UnitStory{
			Exposures: []metrics.UnitExposure{{Variation: "control", Shown: *at(10, 0), Impressions: 1, First: []metrics.UnitFirst{
				{What: "trial", At: at(11, 0), Until: *at(22, 0)}, {What: "visit", Until: *at(22, 0)}}}},
			Rows: []metrics.UnitRow{shown,
				inGroup(lost(row("events", at(10, 30), "view", "control"), "before_exposure", "it lies before the first trial"), "a"),
				inGroup(row("events", at(12, 0), "view", "control"), "a"), row("events", at(12, 0), "view", "control"), other("events")},
			GroupBy: "session_id",
			Groups:  []metrics.UnitGroup{{Variation: "control", Group: "a", Rows: 1, Number: text("1")}, {Variation: "control", Group: "b"}},
			Numbers: []metrics.UnitResult{{Variation: "control", Counted: true, Number: "1", Denominator: "1", Over: "each session_id"}},
		}), `
m in button · unit u1 · as of 2026-03-02 23:00:00 UTC

IMPRESSIONS
  time                 source  shows  counts
  2026-03-02 10:00:00  clicks  a      yes     of control

EXPOSURE
  control, at 2026-03-02 10:00:00, with 1 impression, first trial at 2026-03-02 11:00:00, no visit
  before 2026-03-02 22:00:00

EVENTS
  time                 source  event  session_id  counts
  2026-03-02 10:30:00  clicks  view   a           no      it lies before the first trial
  2026-03-02 12:00:00  clicks  view   a           yes
  2026-03-02 12:00:00  clicks  view   –           yes
  and 1 row of another event

GROUPS
  session_id  rows    number
  a              1         1
  b              0  left out

NUMBER
  control: 1 / 1 (the sum over its groups / how many they are, one for each session_id)
`},
		{"an exposure for each variation", story(metrics.UnitStory{
			Exposures: []metrics.UnitExposure{control, {Variation: "green", Shown: *at(12, 0), Impressions: 1}},
			Rows: []metrics.UnitRow{shown, row("events", at(11, 0), "view", "control"),
				lost(row("events", at(11, 0), "view", "green"), "before_exposure", "it lies before the exposure"), other("events"), other("events"),
				row("denominator", at(13, 0), "visit", "control"), row("denominator", at(13, 0), "visit", "green"),
				lost(row("denominator", nil, "visit", ""), "no_timestamp", "it has no timestamp that can be read"), other("denominator")},
			Numbers: []metrics.UnitResult{
				{Variation: "control", Counted: true, Number: "1", Denominator: "1", Covariate: "3", CovariateDenominator: "2", CovariateWindow: "window from -1w to 0s counted from the exposure"},
				{Variation: "green", Counted: true, Number: "0", Denominator: "1", Capped: []metrics.UnitCapped{{Side: "denominator", Before: "5", Caps: "at most 1"}}},
			},
		}), `
m in button · unit u1 · as of 2026-03-02 23:00:00 UTC

IMPRESSIONS
  time                 source  shows  counts
  2026-03-02 10:00:00  clicks  a      yes     of control

EXPOSURE
  control, at 2026-03-02 10:00:00, with 1 impression
  green, at 2026-03-02 12:00:00, with 1 impression

EVENTS
  for control
  time                 source  event  counts
  2026-03-02 11:00:00  clicks  view   yes

  for green
  time                 source  event  counts
  2026-03-02 11:00:00  clicks  view   no      it lies before the exposure

  for none of them
  2 rows of other events

DENOMINATOR
  for control
  time                 source  event  counts
  2026-03-02 13:00:00  clicks  visit  yes

  for green
  time                 source  event  counts
  2026-03-02 13:00:00  clicks  visit  yes

  for none of them
  time  source  event  counts
  –     clicks  visit  no      it has no timestamp that can be read
  and 1 row of another event

NUMBER
  control: 1 / 1; covariate 3 / 2, the same in the window from -1w to 0s counted from the exposure
  green: 0 / 1; denominator 5 before it was capped (at most 1)
`},
		{"a percentile over groups", story(metrics.UnitStory{
			Exposures: []metrics.UnitExposure{control}, Rows: []metrics.UnitRow{shown},
			Numbers: []metrics.UnitResult{{Variation: "control", Counted: true, Over: "each row that counts", Percentile: true}, {Variation: "green", Percentile: true}},
		}), `
m in button · unit u1 · as of 2026-03-02 23:00:00 UTC

IMPRESSIONS
  time                 source  shows  counts
  2026-03-02 10:00:00  clicks  a      yes     of control

EXPOSURE
  control, at 2026-03-02 10:00:00, with 1 impression

NUMBER
  control: a percentile over groups has no number for a unit; its groups are one for each row that
  counts
  green: none, the metric is not over the unit
`},
		{"a number that was capped", story(metrics.UnitStory{
			Exposures: []metrics.UnitExposure{control}, Rows: []metrics.UnitRow{shown},
			Numbers: []metrics.UnitResult{{Variation: "control", Counted: true, Number: "40", Capped: []metrics.UnitCapped{{Before: "105", Caps: "at least 4, at most 40"}}}},
		}), `
m in button · unit u1 · as of 2026-03-02 23:00:00 UTC

IMPRESSIONS
  time                 source  shows  counts
  2026-03-02 10:00:00  clicks  a      yes     of control

EXPOSURE
  control, at 2026-03-02 10:00:00, with 1 impression

NUMBER
  control: 40; 105 before it was capped (at least 4, at most 40)
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			if err := WriteUnitStory(&b, Text, &c.story, StdoutOptions{Width: 100}); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(strings.TrimPrefix(c.want, "\n"), b.String()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
