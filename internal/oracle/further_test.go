package oracle

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// one gives the first line of a metric over one unit in control, without what every line has.
func one(t *testing.T, defs *metrics.Definitions, in Input) string {
	t.Helper()
	line, _, _ := strings.Cut(run(t, defs, in).Metrics[0].String(), "\n")
	_, sums, _ := strings.Cut(line, ": ")
	return sums
}

func TestPerUnit(t *testing.T) {
	in := input([]Impression{shows("a", "control", 0)}, []Event{
		bought("a", 3, 2.5), bought("a", 1, 7.0), bought("a", 1, 4.0), bought("a", 5, -1.0), bought("a", 5, 2.5), bought("a", 30, 6.0), bought("a", 2, nil),
	})
	for perUnit, want := range map[metrics.PerUnit]string{
		metrics.Sum: "21", metrics.Average: "7/2", metrics.Min: "-1", metrics.Max: "7",
		metrics.First: "4", metrics.Last: "6", metrics.CountDistinct: "5", // of 2.5, 7, 4, −1, 6
	} {
		m := metric("m", metrics.Value)
		m.PerUnit = set(perUnit)
		if got := one(t, definitions(m), in); !strings.HasPrefix(got, "exposed 1 units 1 with 1 events 6 x "+want+" ") {
			t.Errorf("%s: %s, want x %s", perUnit, got, want)
		}
	}
	// Days with a row: 2 and 3 March, of the 30 from 2 to 31 March.
	if got := one(t, definitions(metric("m", metrics.ActiveDays)), in); !strings.Contains(got, " x 2 ") {
		t.Errorf("active_days: %s", got)
	}
	if got := one(t, definitions(metric("m", metrics.Participation)), in); !strings.Contains(got, " x 66666667/1000000000 ") {
		t.Errorf("participation: %s", got)
	}
}

func TestThreshold(t *testing.T) {
	in := input([]Impression{shows("a", "control", 0), shows("b", "control", 0)}, []Event{bought("a", 1, nil), bought("a", 2, nil)})
	n := func(s string) metrics.At[metrics.Number] { return set(metrics.Number(s)) }
	for _, tt := range []struct {
		threshold metrics.Threshold
		want      string // of a, with 2 rows, and b, with none
	}{
		{metrics.Threshold{AtLeast: n("2")}, "1"}, {metrics.Threshold{MoreThan: n("2")}, "0"}, {metrics.Threshold{AtMost: n("0")}, "1"},
		{metrics.Threshold{AtMost: n("2")}, "2"}, {metrics.Threshold{LessThan: n("2")}, "1"}, {metrics.Threshold{AtLeast: n("0.5"), LessThan: n("2")}, "0"},
	} {
		m := metric("m", metrics.Count)
		m.Threshold = &tt.threshold
		if got := one(t, definitions(m), in); !strings.Contains(got, " x "+tt.want+" ") {
			t.Errorf("%+v: %s, want x %s", tt.threshold, got, tt.want)
		}
	}
}

func TestWinsorize(t *testing.T) {
	var impressions []Impression
	var rows []Event
	for i, v := range []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 100} {
		user := fmt.Sprint("u", i)
		impressions = append(impressions, shows(user, []string{"control", "green"}[i%2], 0))
		rows = append(rows, bought(user, 1, v))
	}
	n := func(s string) metrics.At[metrics.Number] { return set(metrics.Number(s)) }
	for _, tt := range []struct {
		w    metrics.Winsorize
		want string // Σ of 0 2 4 6 8, and of 1 3 5 7 100
	}{
		{metrics.Winsorize{Upper: n("0.9")}, "20 24"},                              // one largest: 100 becomes 8
		{metrics.Winsorize{Upper: n("0.91")}, "20 116"},                            // ⌊0.09·10⌋ = 0 of them
		{metrics.Winsorize{Lower: n("0.2"), Upper: n("0.8")}, "21 24"},             // 0, 1 become 2; 8, 100 become 7: 2 2 4 6 7, 2 3 5 7 7
		{metrics.Winsorize{Lower: n("0.2"), IgnoreZeros: true}, "20 117"},          // ⌊0.2·9⌋ = 1: 1 becomes 2
		{metrics.Winsorize{Upper: n("0.9"), Linear: true}, "20 166/5"},             // 8 + 0.1·92 = 17.2: 1 3 5 7 17.2
		{metrics.Winsorize{UpperValue: n("6.5"), LowerValue: n("0.5")}, "19 22"},   // 0.5 2 4 6 6.5, 1 3 5 6.5 6.5
		{metrics.Winsorize{LowerValue: n("2.5"), IgnoreZeros: true}, "41/2 235/2"}, // 0 2.5 4 6 8, 2.5 3 5 7 100
	} {
		m := metric("m", metrics.Value)
		m.Winsorize = &tt.w
		got := run(t, definitions(m), input(impressions, rows)).Metrics[0].Cells
		if sums := got[0].X.RatString() + " " + got[1].X.RatString(); sums != tt.want {
			t.Errorf("%+v: %s, want %s", tt.w, sums, tt.want)
		}
	}
}

func TestAfterActivationLookback(t *testing.T) {
	did := func(user, event string, hours float64) Event {
		e := bought(user, hours, nil)
		e.Event = new(event)
		return e
	}
	in := input(
		[]Impression{shows("a", "control", 0), shows("b", "control", 0)},
		[]Event{did("a", "trial", -1), did("a", "trial", 2), did("a", "trial", 9), bought("a", 1, nil), bought("a", 2, nil), bought("a", 5, nil), bought("b", 1, nil)},
	)
	window := metrics.Window{HasTo: true, To: 3 * time.Hour}
	after := metric("after", metrics.Count)
	after.After, after.Window = &metrics.EventFilter{Event: events("trial")}, window
	want(t, run(t, definitions(after), in),
		"after control: exposed 2 units 1 with 1 events 1 x 1 xx 1", // [2, 5): 2
		"after green: exposed 0 units 0 with 0 events 0 x 0 xx 0")

	counting := metric("counting", metrics.Count)
	counting.Window = window
	defs := definitions(counting)
	defs.Experiments[0].Activation = &metrics.EventFilter{Event: events("trial")}
	got := run(t, defs, in)
	want(t, got,
		"counting control: exposed 2 units 1 with 1 events 1 x 1 xx 1",
		"counting green: exposed 0 units 0 with 0 events 0 x 0 xx 0")
	if got.Counts.NotActivated != 1 {
		t.Errorf("%d units not activated", got.Counts.NotActivated)
	}

	lookback := metric("lookback", metrics.Count)
	lookback.Window = metrics.Window{HasLookback: true, Lookback: 4 * time.Hour}
	defs = definitions(lookback)
	defs.Experiments[0].End = set(*at(6))
	want(t, run(t, defs, in),
		"lookback control: exposed 2 units 2 with 1 events 2 x 2 xx 4", // [2, 6): 2, 5
		"lookback green: exposed 0 units 0 with 0 events 0 x 0 xx 0")
}

func TestWeight(t *testing.T) {
	weighing := func(e Event, w int64) Event { e.Weight = &w; return e }
	in := input([]Impression{shows("a", "control", 0)}, []Event{weighing(bought("a", 1, 2.0), 10), weighing(bought("a", 1, 3.0), 0), bought("a", 1, 4.0)})
	average := metric("average", metrics.Value)
	average.PerUnit = set(metrics.Average)
	want(t, run(t, definitions(metric("count", metrics.Count), metric("sum", metrics.Value), average), in),
		"count control: exposed 1 units 1 with 1 events 3 x 12 xx 144",
		"count green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
		"sum control: exposed 1 units 1 with 1 events 3 x 27 xx 729",
		"sum green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
		"average control: exposed 1 units 1 with 1 events 3 x 3 xx 9",
		"average green: exposed 0 units 0 with 0 events 0 x 0 xx 0")
}

func TestNumeratorWithin(t *testing.T) {
	view := func(hours float64) Event { e := bought("a", hours, nil); e.Event = new("view"); return e }
	views := metric("", metrics.Count)
	views.Event = events("view")
	ratio := &metrics.Metric{Key: text("ratio"), Ratio: &metrics.Ratio{Numerator: metric("", metrics.Count), Denominator: views, NumeratorWithin: set(2 * time.Hour)}}
	in := input([]Impression{shows("a", "control", 0)}, []Event{
		bought("a", 0.5, nil), view(1), view(1.5), bought("a", 1, nil), bought("a", 3, nil), bought("a", 3.5, nil), // 3.5 is two hours after 1.5
	})
	want(t, run(t, definitions(ratio), in),
		"ratio control: exposed 1 units 1 with 1 events 2 x 2 xx 4 y 2 yy 4 xy 4",
		"ratio green: exposed 0 units 0 with 0 events 0 x 0 xx 0 y 0 yy 0 xy 0")
}

// A denominator that no unit begins has no rows that one of the numerator could
// be near, so that it does not count, and is not too large either.
func TestNumeratorWithinAfter(t *testing.T) {
	numerator, views := metric("", metrics.Value), metric("", metrics.Count)
	views.Window, views.After = metrics.Window{From: time.Hour}, &metrics.EventFilter{Event: events("trial")}
	ratio := &metrics.Metric{Key: text("ratio"), Ratio: &metrics.Ratio{Numerator: numerator, Denominator: views, NumeratorWithin: set(2 * time.Hour)}}
	got := run(t, definitions(ratio), input([]Impression{shows("a", "control", 0)}, []Event{bought("a", 2, 1e10)}))
	if got.Metrics[0].Overflow {
		t.Error("a row overflows that does not count")
	}
	want(t, got,
		"ratio control: exposed 1 units 0 with 0 events 0 x 0 xx 0 y 0 yy 0 xy 0",
		"ratio green: exposed 0 units 0 with 0 events 0 x 0 xx 0 y 0 yy 0 xy 0")
}

// A row that is shown by no value of the split because it is near no row of
// the denominator is not too large either (5.1, 5.11).
func TestNumeratorWithinSplit(t *testing.T) {
	numerator, views := metric("", metrics.Value), metric("", metrics.Count)
	views.Event = events("view")
	ratio := &metrics.Metric{Key: text("ratio"), SplitBy: text("coupon"),
		Ratio: &metrics.Ratio{Numerator: numerator, Denominator: views, NumeratorWithin: set(2 * time.Hour)}}
	got := run(t, definitions(ratio), input([]Impression{shows("a", "control", 0)}, []Event{bought("a", 2, 1e10)}))
	if got.Metrics[0].Overflow {
		t.Error("a row overflows that does not count")
	}
}

// Percentile caps are of numbers that fit; given ones make them fit (5.1).
func TestOverflowOfCaps(t *testing.T) {
	two := []Event{bought("a", 1, 1e9), bought("a", 1, 1e9), bought("b", 1, 1), bought("c", 1, 1)}
	shown := []Impression{shows("a", "control", 0), shows("b", "control", 0), shows("c", "green", 0)}
	for _, tt := range []struct {
		caps *metrics.Winsorize
		want bool
	}{
		{&metrics.Winsorize{Upper: set(metrics.Number("0.5"))}, true},
		{&metrics.Winsorize{UpperValue: set(metrics.Number("100"))}, false},
	} {
		sum := metric("sum", metrics.Value)
		sum.Winsorize = tt.caps
		if got := run(t, definitions(sum), input(shown, two)); got.Metrics[0].Overflow != tt.want {
			t.Errorf("%+v: overflow is %t", tt.caps, !tt.want)
		}
	}
}

func TestExcludeUnitsIn(t *testing.T) {
	defs := definitions(metric("count", metrics.Count))
	other := *defs.Experiments[0]
	other.Key = text("other")
	defs.Experiments[0].ExcludeUnitsIn = []metrics.Text{text("other")}
	defs.Experiments = append(defs.Experiments, &other)
	elsewhere := func(i Impression) Impression { i.Experiment = new("other"); return i }
	got := run(t, defs, input([]Impression{
		shows("a", "control", 0), shows("b", "control", 0), elsewhere(shows("a", "green", 5)), elsewhere(shows("b", "green", -1)), // b's is before the start
	}, nil))
	want(t, got,
		"count control: exposed 1 units 1 with 0 events 0 x 0 xx 0",
		"count green: exposed 0 units 0 with 0 events 0 x 0 xx 0")
	if got.Counts.OtherExperiment != 1 {
		t.Errorf("%d units of the other experiment", got.Counts.OtherExperiment)
	}
}
