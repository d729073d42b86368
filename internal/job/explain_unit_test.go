package job_test

import (
	"fmt"
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
exposure control at 03-02 10:00, 2 impressions, several_variations
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
		"nobody": "\n",
	} {
		got, err := storyOf(t, c, unit)
		if err != nil {
			t.Fatalf("%s: %v", unit, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", unit, d)
		}
	}
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
	want := metrics.UnitResult{Variation: of.Variation, Step: of.Step, Counted: of.Counted, Number: of.Number, Denominator: of.Denominator}
	if !slices.Contains(story.Numbers, want) {
		t.Errorf("%s of %s for %s: the numbers are %+v, want %+v among them", of.Metric, of.Experiment, of.Unit, story.Numbers, want)
	}
}

// storyOf is the story of a unit, a line for each thing that it says.
func storyOf(t *testing.T, c *testCase, unit string) (string, error) {
	s, err := job.ExplainUnit(t.Context(), c.options(), "button", "revenue", unit)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("\n")
	const at = "01-02 15:04"
	for _, e := range s.Exposures {
		fmt.Fprintf(&b, "exposure %s at %s, %d impressions", e.Variation, e.Shown.Format(at), e.Impressions)
		if e.Dropped != "" {
			b.WriteString(", " + e.Dropped)
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
		if r.Copies > 1 {
			fmt.Fprintf(&b, " copies %d", r.Copies)
		}
		b.WriteString(": " + r.Step)
		if r.Because != "" {
			b.WriteString(", " + r.Because)
		}
		b.WriteString("\n")
	}
	for _, n := range s.Numbers {
		if !n.Counted {
			fmt.Fprintf(&b, "%s not counted\n", n.Variation)
			continue
		}
		fmt.Fprintf(&b, "%s counted %s\n", n.Variation, n.Number)
	}
	return b.String(), nil
}
