package oracle

import (
	"fmt"
	"testing"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// named is an event of a key, with properties as pairs of name and value.
func named(event, user string, hours float64, properties ...Value) Event {
	e := bought(user, hours, nil)
	e.Event = new(event)
	e.Properties = map[string]Value{}
	for i := 0; i < len(properties); i += 2 {
		e.Properties[properties[i].(string)] = properties[i+1]
	}
	return e
}

func funnel(any bool, steps ...*metrics.FunnelStep) *metrics.Metric {
	return &metrics.Metric{Key: text("f"), Funnel: &metrics.Funnel{Steps: steps, AnyTime: any}}
}

func step(event string, within time.Duration) *metrics.FunnelStep {
	s := &metrics.FunnelStep{Event: events(event)}
	if within > 0 {
		s.Within = set(within)
	}
	return s
}

// reachedSteps tells how many units in control reach each step.
func reachedSteps(t *testing.T, m *metrics.Metric, rows ...Event) string {
	t.Helper()
	s := ""
	for _, c := range run(t, definitions(m), input([]Impression{shows("a", "control", 0)}, rows)).Metrics[0].Cells {
		if c.Variation == "control" {
			s += c.X.RatString()
		}
	}
	return s
}

func TestFunnel(t *testing.T) {
	view, cart, buy := step("view", 0), step("cart", 0), step("buy", 0)
	soon := step("buy", 2*time.Hour)
	for _, tt := range []struct {
		what string
		m    *metrics.Metric
		rows []Event
		want string
	}{
		{"in order", funnel(false, view, cart, buy), []Event{named("view", "a", 1), named("cart", "a", 2), named("buy", "a", 3)}, "111"},
		{"at one instant", funnel(false, view, cart), []Event{named("cart", "a", 1), named("view", "a", 1)}, "11"},
		{"out of order", funnel(false, view, cart, buy), []Event{named("cart", "a", 1), named("view", "a", 2), named("buy", "a", 3)}, "100"},
		{"later step alone", funnel(false, view, cart), []Event{named("cart", "a", 1)}, "00"},
		{"any order", funnel(true, view, cart, buy), []Event{named("cart", "a", 1), named("view", "a", 2)}, "110"},
		{"any order, a gap", funnel(true, view, cart, buy), []Event{named("view", "a", 2), named("buy", "a", 1)}, "100"},
		{"the same event twice, one row", funnel(false, view, view), []Event{named("view", "a", 1)}, "10"},
		{"the same event twice, one instant", funnel(false, view, view), []Event{named("view", "a", 1), named("view", "a", 1)}, "10"},
		{"the same event twice, later", funnel(false, view, view), []Event{named("view", "a", 1), named("view", "a", 1+us)}, "11"},
		{"the same event twice, any order, one row", funnel(true, view, view), []Event{named("view", "a", 1)}, "11"},
		{"an event of an earlier step, but not the one before", funnel(false, view, cart, view), []Event{named("view", "a", 1), named("cart", "a", 2), named("view", "a", 2)}, "110"},
		{"within, at its end", funnel(false, cart, soon), []Event{named("cart", "a", 1), named("buy", "a", 3)}, "10"},
		{"within, before its end", funnel(false, cart, soon), []Event{named("cart", "a", 1), named("buy", "a", 3-us)}, "11"},
		{"within of a second start", funnel(false, cart, soon), []Event{named("cart", "a", 1), named("cart", "a", 4), named("buy", "a", 5)}, "11"},
		// The first view leads to the first cart, which is too early; the second cart comes too late after it, not after the second view.
		{"any chain", funnel(false, view, step("cart", time.Hour), soon), []Event{
			named("view", "a", 1), named("cart", "a", 1.5), named("view", "a", 3), named("cart", "a", 3.5), named("buy", "a", 5),
		}, "111"},
	} {
		if got := reachedSteps(t, tt.m, tt.rows...); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, got, tt.want)
		}
	}

	paid := step("buy", 0)
	paid.Where = src("price > 5")
	m := funnel(false, view, paid)
	m.Window = metrics.Window{HasTo: true, To: 2 * time.Hour}
	if got := reachedSteps(t, m, named("view", "a", 0), named("buy", "a", 1, "price", "5"), named("buy", "a", 2, "price", "6")); got != "10" {
		t.Errorf("where and window of a step: %s, want 10", got)
	}
	if got := reachedSteps(t, m, named("view", "a", 0), named("buy", "a", 1.9, "price", "6")); got != "11" {
		t.Errorf("where and window of a step: %s, want 11", got)
	}
}

// A funnel as the side of a ratio is its last step.
func TestFunnelSide(t *testing.T) {
	ratio := &metrics.Metric{Key: text("r"), Ratio: &metrics.Ratio{Numerator: funnel(false, step("view", 0), step("buy", 0)), Denominator: metric("", metrics.Count)}}
	in := input([]Impression{shows("a", "control", 0), shows("b", "control", 0)}, []Event{
		named("view", "a", 1), named("buy", "a", 2), named("buy", "a", 3), named("buy", "b", 1), named("view", "b", 2),
	})
	want(t, run(t, definitions(ratio), in),
		"r control: exposed 2 units 2 with 1 events 2 x 1 xx 1 y 3 yy 5 xy 2",
		"r green: exposed 0 units 0 with 0 events 0 x 0 xx 0 y 0 yy 0 xy 0")
}

func over(m *metrics.Metric, group string) *metrics.Metric {
	m.Over = text(group)
	return m
}

func TestOver(t *testing.T) {
	in := input([]Impression{shows("a", "control", 0), shows("b", "control", 0), shows("c", "control", 0)}, []Event{
		named("buy", "a", 1, "session", "s1", "category", "x"), named("buy", "a", 2, "session", "s1"), named("buy", "a", 3, "session", "s2"),
		named("buy", "a", 4, "category", "x"), // in no session
		named("buy", "b", 1, "session", "s1", "category", "x"),
	})
	in.Events[0].Value, in.Events[1].Value, in.Events[4].Value = 2.0, 4.0, 10.0

	condition := func(m *metrics.Metric) *metrics.Metric {
		m.Where = src(`category == "x"`)
		return m
	}
	average := metric("average", metrics.Value)
	average.PerUnit = set(metrics.Average)
	few := metric("few", metrics.Count)
	few.Threshold = &metrics.Threshold{AtMost: set(metrics.Number("0"))}
	low := metric("low", metrics.Value)
	low.Value = src("value")
	for _, tt := range []struct {
		m    *metrics.Metric
		want string
	}{
		// a: s1 has 2 rows, s2 one; b: s1 has one; c has no group.
		{over(metric("count", metrics.Count), "session"), "exposed 3 units 3 with 2 events 4 x 4 xx 10 y 3 yy 5 xy 7"},
		// a's s1 has a row that counts, its s2 has none and is 0.
		{over(condition(metric("some", metrics.Occurrence)), "session"), "exposed 3 units 3 with 2 events 2 x 2 xx 2 y 3 yy 5 xy 3"},
		// a: s1 is 6, s2 has no value and is 0; b: s1 is 10.
		{over(low, "session"), "exposed 3 units 3 with 2 events 3 x 16 xx 136 y 3 yy 5 xy 22"},
		// a: s1 is 3, s2 is left out; b: s1 is 10.
		{over(average, "session"), "exposed 3 units 3 with 2 events 3 x 13 xx 109 y 2 yy 2 xy 13"},
		// Sessions without such a row: a's s2.
		{over(condition(few), "session"), "exposed 3 units 3 with 2 events 2 x 1 xx 1 y 3 yy 5 xy 2"},
		// Each row: a has 4, of which 2 are x; b has 1 of 1.
		{over(condition(metric("rate", metrics.Occurrence)), "events"), "exposed 3 units 3 with 2 events 3 x 3 xx 5 y 5 yy 17 xy 9"},
		// Each row with a value.
		{over(metric("value", metrics.Value), "events"), "exposed 3 units 3 with 2 events 3 x 16 xx 136 y 3 yy 5 xy 22"},
	} {
		if got := one(t, definitions(tt.m), in); got != tt.want {
			t.Errorf("%s over %s: %s, want %s", tt.m.Key.V, tt.m.Over.V, got, tt.want)
		}
	}
}

func TestPercentile(t *testing.T) {
	in := buyers([]float64{1}, []float64{2, 2}, []float64{7}, []float64{10})
	for _, tt := range []struct {
		statistic, over, without string
		want                     string
	}{
		{"p50", "", "0", "11/2 of 4"},        // 1 4 7 10: h = 1.5
		{"p90", "", "0", "91/10 of 4"},       // h = 2.7: 7 + 0.7·3
		{"p99.9", "", "0", "9991/1000 of 4"}, // h = 2.997
		{"p50", "events", "", "2 of 5"},      // 1 2 2 7 10
	} {
		m := metric("m", metrics.Value)
		m.Statistic, m.WithoutEvents.Number = set(tt.statistic), metrics.Number(tt.without)
		if tt.over != "" {
			m.Over = text(tt.over)
		}
		c := run(t, definitions(m), in).Metrics[0].Cells[0]
		if got := fmt.Sprintf("%s of %d", c.Quantile.RatString(), c.QuantileN); got != tt.want {
			t.Errorf("%s over %q: %s, want %s", tt.statistic, tt.over, got, tt.want)
		}
	}
	// z√(0.5·0.5/4) = 1.959964·0.25 = 0.489991: positions 3·0.010009 and 3·0.989991 of 1 4 7 10.
	m := metric("m", metrics.Value)
	m.Statistic = set("p50")
	c := run(t, definitions(m), in).Metrics[0].Cells[0]
	if got := fmt.Sprintf("%.4f %.4f", c.QuantileLow, c.QuantileHigh); got != "1.0901 9.9099" {
		t.Errorf("bounds %s", got)
	}
}

func TestSplit(t *testing.T) {
	in := input([]Impression{shows("a", "control", 0), shows("b", "control", 0)}, []Event{
		named("buy", "a", 1, "category", "x"), named("buy", "a", 2, "category", "x"), named("buy", "a", 3), named("buy", "b", 1, "category", "y"),
	})
	m := metric("m", metrics.Count)
	m.SplitBy = text("category")
	defs := definitions(m)
	defs.Experiments[0].Variations = defs.Experiments[0].Variations[:1]
	want(t, run(t, defs, in),
		"m control: exposed 2 units 2 with 2 events 4 x 4 xx 10",
		`m split "x" control: exposed 2 units 2 with 1 events 2 x 2 xx 4`,
		`m split "y" control: exposed 2 units 2 with 1 events 1 x 1 xx 1`,
		`m split "(none)" control: exposed 2 units 2 with 1 events 1 x 1 xx 1`)

	// 22 values: v00 and v01 have two rows each; of the rest the 18 first by text are kept.
	in.Events = nil
	for i := range 22 {
		in.Events = append(in.Events, named("buy", "a", 1, "category", fmt.Sprintf("v%02d", 21-i)))
	}
	in.Events = append(in.Events, named("buy", "b", 1, "category", "v20"), named("buy", "b", 1, "category", "v21"))
	cells := run(t, defs, in).Metrics[0].Cells
	if got := fmt.Sprint(len(cells), *cells[1].Split, *cells[2].Split, *cells[3].Split, *cells[20].Split, *cells[21].Split, cells[21].X.RatString()); got != "22v20v21v00v17(other)2" {
		t.Errorf("splits %s", got)
	}
}

// TestOverflowOfGroups: two groups that fit, and their sum, which has a digit too many.
func TestOverflowOfGroups(t *testing.T) {
	for _, statistic := range []string{"mean", "p50"} {
		m := over(metric("value", metrics.Value), "events")
		m.Statistic = text(statistic)
		got := run(t, definitions(m), input([]Impression{shows("a", "control", 0)}, []Event{bought("a", 1, 6e8), bought("a", 2, 6e8)}))
		if !got.Metrics[0].Overflow {
			t.Errorf("%s: no overflow", statistic)
		}
	}
}
