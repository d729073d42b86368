package job_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/metrics"
)

// TestExplainUnit tells the stories of units whose rows are lost in every way.
// The stories are written by hand, from the rows of the case.
func TestExplainUnit(t *testing.T) {
	c := openCase(t, "testdata/cases/waterfall.txtar")
	for unit, want := range map[string]string{
		"u1": `
exposure control at 03-02 10:00, 1 impressions
exposures 03-02 10:00 control copies 2: counted, of control
events 03-02 09:00 purchase 5: before_exposure, it lies before the exposure
events 03-02 11:00 purchase 10 copies 2: counted
events 03-02 12:00 purchase 1: where, where is not true: properties.plan != "trial"
events 03-02 12:00 purchase: no_value, it has no value
events 03-02 12:00 purchase: source_where, the source's where leaves it out
events 03-02 12:00 view: other_event, it is another event
events 03-02 12:00 no event: no_event, it has no event key
events 03-04 10:00 purchase 5: outside_window, it lies not in the window of 2d
events 03-05 00:00 purchase: as_of, it lies at or after as-of
events no time purchase: no_timestamp, it has no timestamp that can be read
control counted 10
`,
		"u2": `
exposure green at 03-02 10:00, 1 impressions
exposures 03-02 10:00 green: counted, of green
events 03-02 10:00 purchase 30: counted
events 03-02 11:00 purchase: not_a_number, its value is no number
green counted 30
`,
		"u3": `
exposure control at 03-02 10:00, 2 impressions, several_variations: the unit saw several variations
exposures 03-02 10:00 control: counted, of control
exposures 03-02 11:00 green: counted, of green
events 03-02 12:00 purchase 1: several_variations, the unit saw several variations
`,
		"u5": `
exposure control at 03-03 12:00, 1 impressions
exposures 03-03 12:00 control: counted, of control
events 03-03 13:00 purchase 7: immature, the window of the unit is not over
control not counted
`,
		"u11": `
exposures 03-02 10:00 control: holdback, it is a holdback
`,
		"s1": `
exposures 03-02 10:00 control: excluded_unit, it is of an excluded unit
events 03-02 12:00 purchase: excluded_unit, it is of an excluded unit
`,
		"nobody": `
No row has this id: it is in no impressions of decisions, and in no events of orders. The units of button are of the kind user: give the id of one as the sources have it.
`,
	} {
		got, err := storyOf(t, c, "revenue", unit)
		if err != nil {
			t.Fatalf("%s: %v", unit, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", unit, d)
		}
	}
}

// TestExplainUnitNumbers tells what the numbers of units are made of beside their
// rows, worked out by hand from the rows of the cases.
func TestExplainUnitNumbers(t *testing.T) {
	for _, story := range []struct{ file, metric, unit, want string }{
		{"percentile", "latency", "u1", `
exposure control at 03-02 09:00, 1 impressions
exposures 03-02 09:00 control: counted, of control
events 03-02 10:00 load 100: counted
events 03-02 10:00 load 300: counted
events 03-02 11:00 load 200: counted
control counted over each row that counts, a percentile
`},
		{"over", "spend", "u1", `
exposure control at 03-02 09:00, 1 impressions
exposures 03-02 09:00 control: counted, of control
events 03-02 10:00 request: other_event, it is another event
events 03-02 10:00 request: other_event, it is another event
events 03-02 10:00 view of a: where, where is not true: event == "purchase"
events 03-02 10:01 view of a: where, where is not true: event == "purchase"
events 03-02 11:00 request: other_event, it is another event
events 03-02 12:00 view of b: where, where is not true: event == "purchase"
events 03-02 12:05 purchase 2.5 of b: counted
events 03-02 12:06 purchase 1 of b: counted
events 03-02 13:00 view: where, where is not true: event == "purchase"
group a of control: 0 rows, 0
group b of control: 2 rows, 3.5
control counted 3.5 / 2 over each session_id
`},
		{"over", "bounce_rate", "u2", `
exposure control at 03-02 09:00, 1 impressions
exposures 03-02 09:00 control: counted, of control
events 03-02 08:00 view of a: before_exposure, it lies before the exposure
events 03-02 10:00 view of a: counted
group a of control: 1 rows, 1
control counted 1 / 1 over each session_id
`},
		{"over", "error_rate", "u3", `
exposure green at 03-02 09:00, 1 impressions
exposures 03-02 09:00 green: counted, of green
events 03-02 11:00 request: counted
green counted 1 / 1 over each row in its window
`},
		{"over_wait", "pages", "u2", `
exposure control at 03-03 09:00, 1 impressions
exposures 03-03 09:00 control: counted, of control
events 03-03 10:00 view of a: immature, the window of the unit is not over
control not counted over each session_id
`},
		// Its first row stands for four.
		{"weight_over", "by_session", "u1", `
exposure control at 03-02 10:00, 1 impressions
exposures 03-02 10:00 control: counted, of control
events 03-02 11:00 request 100 of a: counted
events 03-02 12:00 request 300 of a: counted
group a of control: 2 rows, 700
control counted 700 / 1 over each session
`},
		{"after", "paid_any", "u1", `
exposure control at 03-02 10:00, 1 impressions, first trial where properties.plan != "team" at 03-02 11:00
exposures 03-02 10:00 control: counted, of control
events 03-02 09:00 trial: other_event, it is another event
events 03-02 10:30 paid: before_exposure, it lies before the first trial where properties.plan != "team"
events 03-02 11:00 trial: other_event, it is another event
events 03-04 10:59 paid: counted
events 03-04 11:00 paid: counted
control counted 2
`},
		{"after", "paid_2d", "u4", `
exposure control at 03-02 10:00, 1 impressions, no trial before 03-05 00:00
exposures 03-02 10:00 control: counted, of control
events 03-05 00:00 trial: other_event, it is another event
events 03-05 01:00 paid: not_followed, the unit did not do what is counted from
control not counted
`},
		{"waterfall_capped", "fixed", "a1", `
exposure control at 03-02 10:00, 1 impressions
exposures 03-02 10:00 control: counted, of control
events 03-02 11:00 purchase 5: counted
events 03-02 12:00 purchase 100: counted
control counted 40, 105 before at least 4, at most 40
`},
		{"waterfall_capped", "fixed", "b2", `
exposure green at 03-02 10:00, 1 impressions
exposures 03-02 10:00 green: counted, of green
green counted 4, 0 before at least 4, at most 40
`},
		{"waterfall_capped", "share", "b1", `
exposure green at 03-02 10:00, 1 impressions
exposures 03-02 10:00 green: counted, of green
events 03-02 11:00 purchase 50: counted
green counted 50
`},
		{"waterfall_capped", "per_order", "a1", `
exposure control at 03-02 10:00, 1 impressions
exposures 03-02 10:00 control: counted, of control
numerator 03-02 11:00 purchase 5: counted
numerator 03-02 12:00 purchase 100: counted
denominator 03-02 11:00 purchase: counted
denominator 03-02 12:00 purchase: counted
control counted 50 / 1, numerator 105 before at most 50, denominator 2 before at most 1
`},
		// Of 100, 5 and 2 before its exposure only 5 lies in the seven days; the cap of 4
		// lowers it to 4, because it lowers the outcome of u4.
		{"cuped", "capped", "u1", `
exposure control at 03-02 09:00, 1 impressions
exposures 03-02 09:00 control: counted, of control
events 02-23 08:59 purchase 100: before_exposure, it lies before the exposure
events 02-28 09:00 purchase 5: before_exposure, it lies before the exposure
events 03-02 09:00 purchase 2: counted
events 03-02 10:00 purchase 1: counted
control counted 3, covariate 4 of window from -1w to 0s counted from the exposure
`},
		{"cuped", "per_order", "u2", `
exposure control at 03-02 09:00, 1 impressions
exposures 03-02 09:00 control: counted, of control
numerator 02-23 09:00 purchase 3: before_exposure, it lies before the exposure
numerator 03-02 08:59 purchase 1: before_exposure, it lies before the exposure
numerator 03-02 10:00 sign_up: other_event, it is another event
denominator 02-23 09:00 purchase: before_exposure, it lies before the exposure
denominator 03-02 08:59 purchase: before_exposure, it lies before the exposure
denominator 03-02 10:00 sign_up: other_event, it is another event
control counted 0 / 0, covariate 4 / 2 of window from -1w to 0s counted from the exposure
`},
		{"several_variations_each", "revenue", "u1", `
exposure control at 03-02 10:00, 1 impressions
exposure green at 03-02 12:00, 1 impressions
exposures 03-02 09:00 red: unknown_variation, its variation is not in the file
exposures 03-02 10:00 control: counted, of control
exposures 03-02 12:00 green: counted, of green
events 03-02 11:00 purchase 1: counted
events 03-02 11:00 purchase 1: before_exposure, it lies before the exposure
events 03-02 13:00 purchase 10: counted
events 03-02 13:00 purchase 10: counted
control counted 11
green counted 10
`},
	} {
		t.Run(story.file+" "+story.metric+" "+story.unit, func(t *testing.T) {
			got, err := storyOf(t, openCase(t, "testdata/cases/"+story.file+".txtar"), story.metric, story.unit)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(story.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// groupsOf are the sum of the groups of a story in a variation, and how many they are.
func groupsOf(story *metrics.UnitStory, variation string) (sum *big.Rat, n int) {
	sum = new(big.Rat)
	for _, g := range story.Groups {
		if g.Variation != variation || g.Number == nil {
			continue
		}
		number, ok := new(big.Rat).SetString(*g.Number)
		if !ok {
			panic("no number: " + *g.Number)
		}
		sum, n = sum.Add(sum, number), n+1
	}
	return sum, n
}

// TestExplainImpressions reads the impressions that a metric counts from the source of
// the experiment: five in its dates, of which one shows no variation of the file.
func TestExplainImpressions(t *testing.T) {
	c := openCase(t, "testdata/cases/event_impression.txtar")
	story, err := job.ExplainUnit(t.Context(), c.options(), "button", "impressions", "u1")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range story.Rows {
		if r.Source != "decisions" {
			t.Errorf("a row of %s is from the source %s, want decisions", r.Part, r.Source)
		}
	}
	r, err := job.Explain(t.Context(), c.options(), "button", "impressions", job.Slice{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.Tables.Waterfall, func(r metrics.WaterfallRow) bool { return r.Part == "events" })
	if first := r.Tables.Waterfall[i]; first.Step != "in_files" || first.Detail != "impressions of the experiment in decisions, in its dates" || first.Rows != 5 {
		t.Errorf("the events begin at %s, %s: %d rows", first.Step, first.Detail, first.Rows)
	}
}

// explainOneOf wants of a unit out of many a story that ends at the number that the
// unit has among those of all.
func explainOneOf(t *testing.T, opts job.Options, all []job.UnitNumber) {
	t.Helper()
	if len(all) == 0 {
		return // nobody is exposed
	}
	of := all[len(all)/2]
	story, err := job.ExplainUnit(t.Context(), opts, of.Experiment, of.Metric, of.Unit)
	if err != nil {
		t.Fatalf("%s of %s for %s: %v", of.Metric, of.Experiment, of.Unit, err)
	}
	if len(story.Exposures) == 0 || !slices.ContainsFunc(story.Rows, func(r metrics.UnitRow) bool { return r.Part == "exposures" && r.Counts }) {
		t.Errorf("%s of %s for %s: no impression counts", of.Metric, of.Experiment, of.Unit)
	}
	if of.Groups {
		return
	}
	part := fmt.Sprintf("step %d", of.Step)
	if counts := slices.ContainsFunc(story.Rows, func(r metrics.UnitRow) bool {
		return r.Part == part && r.Counts && *r.Variation == of.Variation
	}); of.Step > 0 && counts != (of.Number == "1") {
		t.Errorf("%s of %s for %s: a row of %s counts: %v; its number is %s", of.Metric, of.Experiment, of.Unit, part, counts, of.Number)
	}
	if !slices.ContainsFunc(story.Numbers, func(n metrics.UnitResult) bool {
		return n.Variation == of.Variation && n.Step == of.Step && n.Counted == of.Counted && n.Number == of.Number && n.Denominator == of.Denominator
	}) {
		t.Errorf("%s of %s for %s: the numbers are %+v, want %+v among them", of.Metric, of.Experiment, of.Unit, story.Numbers, of)
	}
	if story.GroupBy == "" || !of.Counted {
		return
	}
	number := of.Number
	for _, n := range story.Numbers {
		if n.Variation == of.Variation && len(n.Capped) > 0 {
			number = n.Capped[0].Before
		}
	}
	if sum, n := groupsOf(story, of.Variation); ratText(sum) != number || fmt.Sprint(n) != of.Denominator {
		t.Errorf("%s of %s for %s: its %d groups are %s together, want %s / %s", of.Metric, of.Experiment, of.Unit, n, ratText(sum), number, of.Denominator)
	}
}

// storyOf is the story of a unit, a line for each thing that it says.
func storyOf(t *testing.T, c *testCase, metric, unit string) (string, error) {
	s, err := job.ExplainUnit(t.Context(), c.options(), "button", metric, unit)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("\n")
	const at = "01-02 15:04"
	if s.Unknown != "" {
		b.WriteString(s.Unknown + "\n")
	}
	for _, e := range s.Exposures {
		fmt.Fprintf(&b, "exposure %s at %s, %d impressions", e.Variation, e.Shown.Format(at), e.Impressions)
		if e.Dropped != "" {
			b.WriteString(", " + e.Dropped + ": " + e.Because)
		}
		for _, f := range e.First {
			if f.At == nil {
				fmt.Fprintf(&b, ", no %s before %s", f.What, f.Until.Format(at))
			} else {
				fmt.Fprintf(&b, ", first %s at %s", f.What, f.At.Format(at))
			}
		}
		b.WriteString("\n")
	}
	for _, r := range s.Rows {
		when, what := "no time", "no event"
		if r.Time != nil {
			when = r.Time.Format(at)
		}
		if r.What != nil {
			what = *r.What
		}
		fmt.Fprintf(&b, "%s %s %s", r.Part, when, what)
		if r.Value != nil {
			b.WriteString(" " + *r.Value)
		}
		if r.Group != nil {
			b.WriteString(" of " + *r.Group)
		}
		if r.Copies > 1 {
			fmt.Fprintf(&b, " copies %d", r.Copies)
		}
		b.WriteString(": " + r.Step)
		if r.Because != "" {
			b.WriteString(", " + r.Because)
		}
		b.WriteString("\n")
	}
	for _, g := range s.Groups {
		fmt.Fprintf(&b, "group %s of %s: %d rows, %s\n", g.Group, g.Variation, g.Rows, *g.Number)
	}
	for _, n := range s.Numbers {
		b.WriteString(numberStory(n) + "\n")
	}
	return b.String(), nil
}

func overStory(n metrics.UnitResult) string {
	if n.Over == "" {
		return ""
	}
	return "over " + n.Over
}

// numberStory is what a story says of a number.
func numberStory(n metrics.UnitResult) string {
	if !n.Counted {
		return strings.TrimSpace(n.Variation + " not counted " + overStory(n))
	}
	text := strings.TrimSpace(n.Variation + " counted " + n.Number)
	if n.Denominator != "" {
		text += " / " + n.Denominator
	}
	text = strings.TrimSpace(text + " " + overStory(n))
	if n.Percentile {
		text += ", a percentile"
	}
	for _, c := range n.Capped {
		text += ", " + strings.TrimSpace(c.Side+" "+c.Before) + " before " + c.Caps
	}
	if n.Covariate != "" {
		text += ", covariate " + n.Covariate
		if n.CovariateDenominator != "" {
			text += " / " + n.CovariateDenominator
		}
		text += " of " + n.CovariateWindow
	}
	return text
}
