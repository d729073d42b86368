package oracle

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/metrics"
)

// The experiment of these tests starts at midnight of 2 March 2026 and has no end; as-of is 30 days later.
var midnight = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// at gives the instant so many hours after the start.
func at(hours float64) *time.Time {
	return new(midnight.Add(time.Duration(hours * float64(time.Hour))))
}

const us = 1 / 3.6e9 // a microsecond in hours

func text(s string) metrics.Text { return metrics.Text{V: s, Set: true} }

func set[T any](v T) metrics.At[T] { return metrics.At[T]{V: v, Set: true} }

func src(s string) metrics.Expr { return metrics.Expr{Src: s} }

// definitions holds one experiment with the metrics: two variations, control
// and green, of users; impressions with an experiment, events with a value; both with ids.
func definitions(ms ...*metrics.Metric) *metrics.Definitions {
	units := []metrics.UnitColumn{{Kind: text("user"), Column: src("user")}, {Kind: text("device"), Column: src("device")}}
	x := &metrics.Experiment{
		Key: text("exp"), Flag: text("flag"), Unit: text("user"), Start: set(midnight),
		Variations: []*metrics.Variation{
			{Key: text("control"), Baseline: true, Match: []metrics.MatchValue{{Text: "control"}, {Text: "off"}}},
			{Key: text("green"), Match: []metrics.MatchValue{{Text: "green"}}},
		},
	}
	for _, m := range ms {
		x.Metrics = append(x.Metrics, &metrics.ExperimentMetric{Metric: m})
	}
	return &metrics.Definitions{
		Sources: metrics.Sources{
			Impressions: []*metrics.Source{{Name: text("decisions"), Columns: metrics.Columns{Units: units, Experiment: src("experiment"), ID: []metrics.Expr{src("id")}}}},
			Events:      []*metrics.Source{{Name: text("orders"), Columns: metrics.Columns{Units: units, Value: src("value"), ID: []metrics.Expr{src("id")}}}},
		},
		Registry: metrics.Registry{Events: []*metrics.EventType{{Key: text("buy"), Properties: []*metrics.Property{
			{Name: text("price"), Type: set(metrics.TypeNumber)},
			{Name: text("quantity"), Type: set(metrics.TypeInteger)},
			{Name: text("category"), Type: set(metrics.TypeString)},
		}}}},
		Metrics: ms, Experiments: []*metrics.Experiment{x},
	}
}

func metric(key string, measure metrics.Measure) *metrics.Metric {
	return &metrics.Metric{Key: text(key), Measure: set(measure), Event: events("buy")}
}

func events(keys ...string) metrics.EventSelector {
	var sel metrics.EventSelector
	for _, k := range keys {
		sel.Keys = append(sel.Keys, text(k))
	}
	return sel
}

func shows(user, variation string, hours float64) Impression {
	return Impression{Source: "decisions", Units: map[string]string{"user": user}, Experiment: new("exp"), Variation: new(variation), Time: at(hours)}
}

func bought(user string, hours float64, value Value) Event {
	return Event{Source: "orders", Units: map[string]string{"user": user}, Event: new("buy"), Time: at(hours), Value: value}
}

// input has a floating value column.
func input(impressions []Impression, events []Event) Input {
	return Input{
		Impressions: impressions, Events: events, AsOf: at(30 * 24), Now: *at(31 * 24),
		Columns: map[string]Columns{"orders": {Value: ColumnType{Kind: FloatColumn}}},
	}
}

func run(t *testing.T, defs *metrics.Definitions, in Input) ExperimentResult {
	t.Helper()
	return Run(defs, in).Experiments[0]
}

// want compares the cells of all metrics with lines.
func want(t *testing.T, got ExperimentResult, lines ...string) {
	t.Helper()
	var b strings.Builder
	for _, m := range got.Metrics {
		b.WriteString(m.String())
	}
	if diff := cmp.Diff(strings.Join(lines, "\n")+"\n", b.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestMeasures(t *testing.T) {
	average := metric("average", metrics.Value)
	average.PerUnit, average.WithoutEvents = set(metrics.Average), metrics.UnitsWithoutEvents{Exclude: true, Set: true}
	large := metric("large", metrics.Value)
	large.Where = src("value > 2")
	defs := definitions(metric("any", metrics.Occurrence), metric("count", metrics.Count), metric("sum", metrics.Value), average, large)
	got := run(t, defs, input(
		[]Impression{shows("a", "control", 1), shows("b", "off", 1), shows("c", "green", 1), shows("d", "green", 2)},
		[]Event{
			bought("a", 1, 1.5), bought("a", 2, 2.25), bought("a", 3, nil), // the same instant as the exposure counts
			bought("b", 0.5, 100.0),                          // before the exposure
			bought("c", 5, math.NaN()), bought("c", 6, -4.0), // NaN is missing
			bought("nobody", 5, 7.0),
		},
	))
	want(t, got,
		"any control: exposed 2 units 2 with 1 events 3 x 1 xx 1",
		"any green: exposed 2 units 2 with 1 events 2 x 1 xx 1",
		"count control: exposed 2 units 2 with 1 events 3 x 3 xx 9",
		"count green: exposed 2 units 2 with 1 events 2 x 2 xx 4",
		"sum control: exposed 2 units 2 with 1 events 2 x 15/4 xx 225/16", // 3.75
		"sum green: exposed 2 units 2 with 1 events 1 x -4 xx 16",
		"average control: exposed 2 units 1 with 1 events 2 x 15/8 xx 225/64", // 1.875; b is left out
		"average green: exposed 2 units 1 with 1 events 1 x -4 xx 16",
		"large control: exposed 2 units 2 with 1 events 1 x 9/4 xx 81/16",
		"large green: exposed 2 units 2 with 0 events 0 x 0 xx 0",
	)
}

// Averages are rounded half away from zero at `decimals`; values are too, before they are summed.
func TestDecimals(t *testing.T) {
	sum, average := metric("sum", metrics.Value), metric("average", metrics.Value)
	sum.Decimals = set(1)
	average.PerUnit, average.Decimals, average.WithoutEvents = set(metrics.Average), set(0), metrics.UnitsWithoutEvents{Number: "7", Set: true}
	in := input(
		[]Impression{shows("a", "control", 0), shows("b", "control", 0), shows("c", "green", 0)},
		[]Event{bought("a", 1, 1.25), bought("a", 1, 1.25), bought("b", 1, -2.0), bought("b", 1, -3.0)},
	)
	want(t, run(t, definitions(sum, average), in),
		"sum control: exposed 2 units 2 with 2 events 4 x -12/5 xx 794/25", // 1.3+1.3 = 2.6, −5: 2.6−5 = −2.4; 6.76+25 = 31.76
		"sum green: exposed 1 units 1 with 0 events 0 x 0 xx 0",
		"average control: exposed 2 units 2 with 2 events 4 x -2 xx 10", // (1+1)/2 = 1; −2.5 → −3
		"average green: exposed 1 units 1 with 0 events 0 x 7 xx 49",
	)
}

// Default decimals: those of an exact column plus those of scale; at least 6 for average; 6 if floating or computed.
func TestDefaultDecimals(t *testing.T) {
	defs := definitions()
	defs.Registry.Events[0].ValueScale = set(metrics.Number("0.010"))
	defs.Registry.Events[0].Properties[0].Scale = set(metrics.Number("0.1"))
	tests := []struct {
		value   string
		perUnit metrics.PerUnit
		columns Columns
		want    int
	}{
		{"", metrics.Sum, Columns{Value: ColumnType{Kind: IntegerColumn}}, 2},
		{"value", metrics.Average, Columns{Value: ColumnType{Kind: IntegerColumn}}, 6},
		{"", metrics.Sum, Columns{Value: ColumnType{Kind: DecimalColumn, Scale: 4}}, 6},
		{"", metrics.Sum, Columns{Value: ColumnType{Kind: DecimalColumn, Scale: 9}}, 9},
		{"", metrics.Sum, Columns{Value: ColumnType{Kind: FloatColumn}}, 6},
		{"", metrics.Sum, Columns{}, 6},
		{"value * 1", metrics.Sum, Columns{Value: ColumnType{Kind: IntegerColumn}}, 6},
		{"price", metrics.Sum, Columns{}, 6},
		{"price", metrics.Sum, Columns{Properties: map[string]ColumnType{"price": {Kind: DecimalColumn, Scale: 2}}}, 3},
		{"quantity", metrics.Sum, Columns{Properties: map[string]ColumnType{"quantity": {Kind: IntegerColumn}}}, 0},
		{"elapsed", metrics.Sum, Columns{}, 6},
	}
	for _, tt := range tests {
		m := metric("m", metrics.Value)
		m.Value, m.PerUnit = src(tt.value), set(tt.perUnit)
		x := newExperiment(defs, Input{AsOf: at(1), Columns: map[string]Columns{"orders": tt.columns}}, defs.Experiments[0])
		if got := x.newSide(m).decimals; got != tt.want {
			t.Errorf("decimals of %q by %s over %v = %d, want %d", tt.value, tt.perUnit, tt.columns, got, tt.want)
		}
	}
}

// 29 cents · 0.01 is exact for a BIGINT; for a DOUBLE it is one float64 product.
func TestScale(t *testing.T) {
	defs := definitions(metric("sum", metrics.Value))
	defs.Registry.Events[0].ValueScale = set(metrics.Number("0.01"))
	impressions := []Impression{shows("a", "control", 0)}
	in := input(impressions, []Event{bought("a", 1, int64(29)), bought("a", 1, int64(57))})
	in.Columns["orders"] = Columns{Value: ColumnType{Kind: IntegerColumn}}
	want(t, run(t, defs, in),
		"sum control: exposed 1 units 1 with 1 events 2 x 43/50 xx 1849/2500", // 0.86
		"sum green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
	)
	// The float64 0.35 is a little below 35/100, yet its float64 product with 10 is 3.5.
	defs.Registry.Events[0].ValueScale = set(metrics.Number("10"))
	defs.Metrics[0].Decimals = set(0)
	want(t, run(t, defs, input(impressions, []Event{bought("a", 1, 0.35)})),
		"sum control: exposed 1 units 1 with 1 events 1 x 4 xx 16",
		"sum green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
	)
}

func TestOverflow(t *testing.T) {
	sum := metric("sum", metrics.Value)
	for _, tt := range []struct {
		name   string
		events []Event
		want   bool
	}{
		{"a row at the limit", []Event{bought("a", 1, 1e9)}, false}, // k = 10^15
		{"a row beyond it", []Event{bought("a", 1, 1e9+0.000001)}, true},
		{"a unit beyond it", []Event{bought("a", 1, 1e9), bought("a", 1, 0.000001)}, true},
		{"a unit back at it", []Event{bought("a", 1, -1e9), bought("a", 1, -1.0), bought("a", 1, 1.0)}, false},
		{"a row that does not count", []Event{bought("a", -1, 1e12)}, false},
		{"a float64 beyond all whole numbers", []Event{bought("a", 1, 1e305)}, true},
	} {
		got := run(t, definitions(sum), input([]Impression{shows("a", "control", 0)}, tt.events))
		if got.Metrics[0].Overflow != tt.want {
			t.Errorf("%s: overflow is %t", tt.name, !tt.want)
		}
	}
}

func TestWindows(t *testing.T) {
	hour := time.Hour
	open, first2h, late, after1h, early := metric("open", metrics.Count), metric("first2h", metrics.Count), metric("late", metrics.Count), metric("after1h", metrics.Count), metric("early", metrics.Count)
	first2h.Window = metrics.Window{HasTo: true, To: 2 * hour}
	late.Window = metrics.Window{HasFrom: true, From: hour, HasTo: true, To: 3 * hour}
	after1h.Window = metrics.Window{HasFrom: true, From: hour}
	early.Window = metrics.Window{HasFrom: true, From: -hour, HasTo: true, To: hour}
	defs := definitions(open, first2h, late, after1h, early)
	defs.Experiments[0].End = set(*at(10))
	in := input(
		[]Impression{shows("a", "control", 4), shows("b", "control", 9), shows("late", "green", 10)}, // 10 is E: no exposure
		[]Event{
			bought("a", 3, nil), bought("a", 4-us, nil), bought("a", 4, nil), bought("a", 5, nil), bought("a", 6-us, nil), bought("a", 6, nil), bought("a", 7, nil), bought("a", 10, nil),
			bought("b", 9, nil), bought("b", 10-us, nil), bought("b", 10, nil), bought("b", 11-us, nil), bought("b", 11, nil), bought("b", 12, nil),
		},
	)
	in.AsOf = at(11.5)
	want(t, run(t, defs, in),
		"open control: exposed 2 units 2 with 2 events 7 x 7 xx 29", // a: 4, 5, 6−µs, 6, 7; b: 9, 10−µs
		"open green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
		"first2h control: exposed 2 units 2 with 2 events 7 x 7 xx 25", // a: 4, 5, 6−µs; b passes O: 9, 10−µs, 10, 11−µs
		"first2h green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
		"late control: exposed 2 units 1 with 1 events 3 x 3 xx 9", // a: 5, 6−µs, 6 (7 is the end); b waits for 12
		"late green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
		"after1h control: exposed 2 units 1 with 1 events 4 x 4 xx 16", // a: 5, 6−µs, 6, 7; b's window would start at O
		"after1h green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
		"early control: exposed 2 units 2 with 2 events 5 x 5 xx 13", // a: 3, 4−µs, 4; b: 9, 10−µs
		"early green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
	)

	defs.Experiments[0].CutWindows = set(true)
	first2h.WaitForWindow = set(true)
	want(t, run(t, definitionsWith(defs, first2h), in),
		"first2h control: exposed 2 units 1 with 1 events 3 x 3 xx 9", // b's window would pass O
		"first2h green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
	)
	first2h.WaitForWindow = set(false)
	want(t, run(t, definitionsWith(defs, first2h), in),
		"first2h control: exposed 2 units 2 with 2 events 5 x 5 xx 13", // b: 9, 10−µs
		"first2h green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
	)

	defs.Experiments[0].CutWindows, defs.Experiments[0].ObserveUntil = set(false), set(*at(10.5))
	want(t, run(t, definitionsWith(defs, open), in),
		"open control: exposed 2 units 2 with 2 events 9 x 9 xx 45", // a: also 10; b: 9, 10−µs, 10
		"open green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
	)
}

// definitionsWith keeps everything but the metrics.
func definitionsWith(defs *metrics.Definitions, ms ...*metrics.Metric) *metrics.Definitions {
	defs.Experiments[0].Metrics = nil
	for _, m := range ms {
		defs.Experiments[0].Metrics = append(defs.Experiments[0].Metrics, &metrics.ExperimentMetric{Metric: m})
	}
	return defs
}

func TestDuplicates(t *testing.T) {
	withID := func(e Event, id Value) Event { e.ID = []Value{id}; return e }
	device := func(e Event, d string) Event {
		e.Units = map[string]string{"user": e.Units["user"], "device": d}
		return e
	}
	tests := []struct {
		name   string
		events []Event
		want   string
	}{
		{"each column has its own smallest value", []Event{withID(bought("a", 1, 5.0), "1"), withID(bought("a", 2, 3.0), "1"), withID(bought("a", 3, nil), "1")}, "events 1 x 3 xx 9"},
		{"a missing id equals nothing", []Event{withID(bought("a", 1, 5.0), nil), withID(bought("a", 1, 5.0), nil)}, "events 2 x 10 xx 100"},
		{"another date is another row", []Event{withID(bought("a", 24-us, 5.0), "1"), withID(bought("a", 24, 5.0), "1")}, "events 2 x 10 xx 100"},
		{"the smallest ts may lie before the exposure", []Event{withID(bought("a", 0.5, 5.0), "1"), withID(bought("a", 2, 5.0), "1")}, "events 0 x 0 xx 0"},
		{"a unit is all its ids", []Event{device(withID(bought("a", 1, 5.0), "1"), "p"), device(withID(bought("a", 1, 5.0), "1"), "q")}, "events 2 x 10 xx 100"},
		{"infinity is smaller, then missing", []Event{withID(bought("a", 1, math.Inf(-1)), "1"), withID(bought("a", 1, 5.0), "1")}, "events 0 x 0 xx 0"},
		{"NaN is not smaller", []Event{withID(bought("a", 1, math.NaN()), "1"), withID(bought("a", 1, 5.0), "1")}, "events 1 x 5 xx 25"},
		{"copies after as-of do not exist", []Event{withID(bought("a", 30*24, 1.0), "1"), withID(bought("a", 30*24-us, 5.0), "1")}, "events 1 x 5 xx 25"},
	}
	for _, tt := range tests {
		got := run(t, definitions(metric("sum", metrics.Value)), input([]Impression{shows("a", "control", 1)}, tt.events))
		if line, _, _ := strings.Cut(got.Metrics[0].String(), "\n"); !strings.HasSuffix(line, tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, line, tt.want)
		}
	}
	defs := definitions(metric("sum", metrics.Value))
	defs.Sources.Events[0].Dedupe = set(metrics.DedupeRow)
	want(t, run(t, defs, input([]Impression{shows("a", "control", 1)}, []Event{bought("a", 1, 5.0), bought("a", 1, 5.0), bought("a", 1, 6.0), bought("a", 2, 5.0)})),
		"sum control: exposed 1 units 1 with 1 events 3 x 16 xx 256",
		"sum green: exposed 0 units 0 with 0 events 0 x 0 xx 0")
	// Of values that are text an empty one is a missing one, and "5.0" is another than "5".
	defs = definitions(metric("count", metrics.Count))
	defs.Sources.Events[0].Dedupe = set(metrics.DedupeRow)
	want(t, run(t, defs, input([]Impression{shows("a", "control", 1)}, []Event{bought("a", 1, nil), bought("a", 1, ""), bought("a", 1, "5"), bought("a", 1, "5.0")})),
		"count control: exposed 1 units 1 with 1 events 3 x 3 xx 9",
		"count green: exposed 0 units 0 with 0 events 0 x 0 xx 0")
}

// Properties of copies are compared as stored: text by bytes, so "10" is smaller than "9".
func TestDuplicateProperties(t *testing.T) {
	m := metric("sum", metrics.Value)
	m.Value = src("price")
	row := func(price, category string) Event {
		e := bought("a", 1, nil)
		e.ID, e.Properties = []Value{"1"}, map[string]Value{"price": price, "category": category}
		return e
	}
	want(t, run(t, definitions(m), input([]Impression{shows("a", "control", 1)}, []Event{row("9", "a"), row("10", "b")})),
		"sum control: exposed 1 units 1 with 1 events 1 x 10 xx 100",
		"sum green: exposed 0 units 0 with 0 events 0 x 0 xx 0")
}

func TestRowsThatExist(t *testing.T) {
	defs := definitions(metric("count", metrics.Count))
	defs.Sources.Events[0].Partition = &metrics.Partition{Column: text("ds"), Early: 24 * time.Hour, Late: 48 * time.Hour}
	day := func(e Event, d float64) Event { e.Day = at(24 * d); return e }
	noKey, noTime, noUnit, staff := day(bought("a", 1, nil), 0), day(bought("a", 1, nil), 0), day(bought("", 1, nil), 0), day(bought("a", 1, nil), 0)
	noKey.Event, noTime.Time = nil, nil
	staff.Units = map[string]string{"user": "a", "device": "kiosk"}
	in := input([]Impression{shows("a", "control", 0), shows("bot", "control", 0), shows("", "control", 0)}, []Event{
		day(bought("a", 25, nil), -1), // a day of 1, partition −1: two days early
		day(bought("a", 25, nil), 0), day(bought("a", 25, nil), 1), day(bought("a", 25, nil), 3),
		day(bought("a", 25, nil), 4), // three days late
		bought("a", 25, nil),         // no partition
		noKey, noTime, noUnit, staff,
	})
	in.Excluded = []map[string]string{{"user": "bot"}, {"device": "kiosk"}}
	want(t, run(t, defs, in),
		"count control: exposed 1 units 1 with 1 events 3 x 3 xx 9",
		"count green: exposed 0 units 0 with 0 events 0 x 0 xx 0")
}

func TestAsOf(t *testing.T) {
	in := Input{Impressions: []Impression{shows("a", "green", 1)}, Events: []Event{bought("a", 5, nil), bought("b", 7+us, nil), bought("b", 99, nil)}, Now: *at(10)}
	if got := asOf(in); !got.Equal(*at(7 + 2*us)) { // 99 is later than now + 1 day
		t.Errorf("as-of is %s", got)
	}
	in.Now = *at(75)
	if got := asOf(in); !got.Equal(*at(99 + us)) {
		t.Errorf("as-of is %s", got)
	}
	in.AsOf = at(3)
	if got := asOf(in); !got.Equal(*at(3)) {
		t.Errorf("as-of is %s", got)
	}
}

func TestExposures(t *testing.T) {
	attributes := func(i Impression, country, platform string) Impression {
		i.Attributes = map[string]string{}
		if country != "" {
			i.Attributes["country"] = country
		}
		if platform != "" {
			i.Attributes["platform"] = platform
		}
		return i
	}
	held := func(i Impression) Impression { i.Holdback = new(true); return i }
	impressions := []Impression{
		attributes(shows("a", "green", 1), "DE", ""), attributes(shows("a", "green", 1), "CH", ""), attributes(shows("a", "green", 1), "", "web"), shows("a", "green", 30),
		shows("b", "control", 2), attributes(shows("b", "green", 3), "DE", ""), // two variations
		attributes(shows("c", "green", 5), "DE", ""), attributes(shows("c", "off", 5), "AT", ""), // two at one instant
		shows("d", "purple", 1), shows("d", "control", 26), // unknown, then known
		held(shows("e", "green", 1)),
		shows("f", "control", -us), // before the start
		shows("g", "fallback", 1),  // ignored
	}
	defs := definitions(metric("count", metrics.Count))
	x := defs.Experiments[0]
	x.IgnoreVariations = []metrics.Text{text("fallback")}
	x.Segments = []*metrics.Segment{{Key: text("country")}}
	in := input(impressions, []Event{bought("a", 2, nil), bought("b", 4, nil), bought("c", 6, nil), bought("e", 6, nil)})

	exposures := func(got ExperimentResult) string {
		var b strings.Builder
		for _, e := range got.Exposures {
			fmt.Fprintln(&b, e)
		}
		return b.String()
	}
	check := func(name string, got ExperimentResult, counts Counts, rows ...string) {
		t.Helper()
		if diff := cmp.Diff(counts, got.Counts); diff != "" {
			t.Errorf("%s: counts (-want +got)\n%s", name, diff)
		}
		if diff := cmp.Diff(strings.Join(rows, "\n")+"\n", exposures(got)); diff != "" {
			t.Errorf("%s: exposures (-want +got)\n%s", name, diff)
		}
	}

	got := run(t, defs, in)
	check("exclude", got, Counts{UnknownVariation: 1, Holdback: 1, SeveralVariations: 2},
		"exposures control 2026-03-02: units 0 impressions 0 several 2", "exposures control 2026-03-03: units 1 impressions 1 several 0", "exposures green 2026-03-02: units 1 impressions 4 several 0",
		"exposures country=(none) control 2026-03-02: units 0 impressions 0 several 1", "exposures country=(none) control 2026-03-03: units 1 impressions 1 several 0",
		"exposures country=(other) control 2026-03-02: units 0 impressions 0 several 1", // c is excluded, so AT is no value of the 50
		"exposures country=CH green 2026-03-02: units 1 impressions 4 several 0")
	want(t, got,
		"count control: exposed 1 units 1 with 0 events 0 x 0 xx 0",
		"count green: exposed 1 units 1 with 1 events 1 x 1 xx 1",
		"count country=(none) control: exposed 1 units 1 with 0 events 0 x 0 xx 0",
		"count country=(none) green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
		"count country=CH control: exposed 0 units 0 with 0 events 0 x 0 xx 0",
		"count country=CH green: exposed 1 units 1 with 1 events 1 x 1 xx 1")

	x.Multiple, x.HoldbackAs, x.Segments = set(metrics.MultipleFirst), text("control"), nil
	got = run(t, defs, in)
	check("first", got, Counts{UnknownVariation: 1, SeveralVariations: 2},
		"exposures control 2026-03-02: units 2 impressions 3 several 2", // b and e; c's first instant shows two
		"exposures control 2026-03-03: units 1 impressions 1 several 0", "exposures green 2026-03-02: units 1 impressions 4 several 0")
	want(t, got,
		"count control: exposed 3 units 3 with 2 events 2 x 2 xx 2",
		"count green: exposed 1 units 1 with 1 events 1 x 1 xx 1")

	x.Multiple = set(metrics.MultipleEach)
	want(t, run(t, defs, in),
		"count control: exposed 4 units 4 with 3 events 3 x 3 xx 3", // b, c, d, e
		"count green: exposed 3 units 3 with 3 events 3 x 3 xx 3")   // a, b, c

	x.Multiple, x.Where = set(metrics.MultipleFirst), src(`exposure.country == "CH"`)
	check("audience", run(t, defs, in), Counts{UnknownVariation: 1, SeveralVariations: 2, Audience: 3},
		"exposures control 2026-03-02: units 0 impressions 0 several 2", "exposures green 2026-03-02: units 1 impressions 4 several 0")
}

func TestMatch(t *testing.T) {
	row := func(experiment, flag *string) Impression {
		return Impression{Source: "decisions", Experiment: experiment, Flag: flag}
	}
	tests := []struct {
		name   string
		mapped bool // the source maps experiment
		match  metrics.Match
		row    Impression
		want   bool
	}{
		{"by key", true, metrics.Match{}, row(new("exp"), new("other")), true},
		{"another key", true, metrics.Match{}, row(new("other"), new("flag")), false},
		{"by flag", false, metrics.Match{}, row(nil, new("flag")), true},
		{"another flag", false, metrics.Match{}, row(nil, new("other")), false},
		{"given", true, metrics.Match{Experiment: []metrics.Text{text("7"), text("8")}}, row(new("8"), nil), true},
		{"given, not the key", true, metrics.Match{Experiment: []metrics.Text{text("7")}}, row(new("exp"), nil), false},
		{"both given", true, metrics.Match{Experiment: []metrics.Text{text("7")}, Flag: []metrics.Text{text("f")}}, row(new("7"), new("f")), true},
		{"one of both", true, metrics.Match{Experiment: []metrics.Text{text("7")}, Flag: []metrics.Text{text("f")}}, row(new("7"), nil), false},
		{"flag given", true, metrics.Match{Flag: []metrics.Text{text("f")}}, row(new("other"), new("f")), true},
	}
	for _, tt := range tests {
		defs := definitions()
		if !tt.mapped {
			defs.Sources.Impressions[0].Columns.Experiment = metrics.Expr{}
		}
		defs.Experiments[0].Match = tt.match
		if got := matches(defs, defs.Experiments[0], tt.row); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

func TestVariationKey(t *testing.T) {
	def := &metrics.Experiment{Variations: []*metrics.Variation{
		{Key: text("plain")},
		{Key: text("on"), Match: []metrics.MatchValue{{Text: "true", JSON: true}, {Text: `{"a":1,"b":[2]}`, JSON: true}}},
		{Key: text("off"), Match: []metrics.MatchValue{{Text: "0"}, {Text: "no"}}},
	}}
	for value, want := range map[string]string{
		"plain": "plain", "true": "on", " true ": "on", "True": "", `{"b":[2.0],"a":1e0}`: "on", `{"a":1}`: "", `{"a":1,"b":[2]} x`: "", "no": "off", "0": "off", "0.0": "", "": "",
	} {
		if got, _ := variationKey(def, value); got != want {
			t.Errorf("variation of %q is %q, want %q", value, got, want)
		}
	}
}

func TestOtherSegment(t *testing.T) {
	defs := definitions(metric("count", metrics.Count))
	defs.Experiments[0].Segments = []*metrics.Segment{{Key: text("country")}}
	var impressions []Impression
	for i := range 53 { // c00 … c52, one unit each; c52 has a second one
		r := shows(fmt.Sprint("u", i), "control", 1)
		r.Attributes = map[string]string{"country": fmt.Sprintf("c%02d", i)}
		impressions = append(impressions, r)
	}
	more := shows("more", "green", 1)
	more.Attributes = map[string]string{"country": "c52"}
	got := run(t, defs, input(append(impressions, more, shows("none", "green", 1)), nil))
	exposed := map[string]int64{}
	for _, c := range got.Metrics[0].Cells {
		exposed[c.SegmentValue] += c.Exposed
	}
	// c52 is first, then c00 … c48; c49, c50, c51 are the rest.
	if len(exposed) != 1+50+2 || exposed["(other)"] != 3 || exposed["(none)"] != 1 || exposed["c52"] != 2 || exposed["c48"] != 1 || exposed["all"] != 55 {
		t.Errorf("exposed by value: %v", exposed)
	}
}

func TestRatio(t *testing.T) {
	wait := metric("revenue", metrics.Value)
	wait.Window = metrics.Window{HasTo: true, To: time.Hour}
	wait.WaitForWindow = set(true)
	ratio := &metrics.Metric{Key: text("ratio"), Ratio: &metrics.Ratio{Numerator: wait, Denominator: metric("", metrics.Count)}}
	excluding := &metrics.Metric{Key: text("excluding"), Ratio: ratio.Ratio, WithoutEvents: metrics.UnitsWithoutEvents{Exclude: true, Set: true}}
	impression := metric("", metrics.Count)
	impression.Event = metrics.EventSelector{Impression: true}
	perImpression := &metrics.Metric{Key: text("per_impression"), Ratio: &metrics.Ratio{Numerator: metric("", metrics.Occurrence), Denominator: impression}}
	in := input(
		[]Impression{shows("a", "control", 1), shows("a", "control", 2), shows("b", "control", 1), shows("c", "green", 1), shows("d", "green", 719.5)},
		[]Event{bought("a", 1.5, 2.5), bought("a", 1.9, 1.0), bought("a", 3, 50.0), bought("c", 1, nil), bought("d", 719.6, 1.0)},
	)
	want(t, run(t, definitions(ratio, excluding, perImpression), in),
		// d's hour is not over at 720; c has a row without a value
		"ratio control: exposed 2 units 2 with 1 events 2 x 7/2 xx 49/4 y 3 yy 9 xy 21/2",
		"ratio green: exposed 2 units 1 with 0 events 0 x 0 xx 0 y 1 yy 1 xy 0",
		"excluding control: exposed 2 units 1 with 1 events 2 x 7/2 xx 49/4 y 3 yy 9 xy 21/2",
		"excluding green: exposed 2 units 1 with 0 events 0 x 0 xx 0 y 1 yy 1 xy 0",
		"per_impression control: exposed 2 units 2 with 1 events 3 x 1 xx 1 y 3 yy 5 xy 2",
		"per_impression green: exposed 2 units 2 with 2 events 2 x 2 xx 2 y 2 yy 2 xy 2",
	)
}

// Rows, experiments and metrics in another order give the same numbers (section 10).
func TestOrderOfRows(t *testing.T) {
	sum := metric("sum", metrics.Value)
	impressions := []Impression{shows("a", "green", 1), shows("a", "green", 2), shows("b", "control", 1), shows("c", "control", 1), shows("c", "green", 1)}
	events := []Event{bought("a", 1, 0.1), bought("a", 2, 0.2), bought("a", 3, 1e8), bought("b", 2, 0.3)}
	before := run(t, definitions(sum), input(slices.Clone(impressions), slices.Clone(events)))
	slices.Reverse(impressions)
	slices.Reverse(events)
	after := run(t, definitions(sum), input(impressions, events))
	if diff := cmp.Diff(before.String(), after.String()); diff != "" {
		t.Error(diff)
	}
}

// As-of is exclusive for rows, and inclusive for the end of a window that is waited for.
func TestEdgeOfAsOf(t *testing.T) {
	m := metric("sum", metrics.Value)
	m.Window, m.WaitForWindow = metrics.Window{HasTo: true, To: 2 * time.Hour}, set(true)
	withID := func(e Event) Event { e.ID = []Value{"1"}; return e }
	in := input(
		[]Impression{shows("a", "control", 8), shows("b", "control", 8+us), shows("c", "green", 10)},
		[]Event{withID(bought("a", 9, 5.0)), withID(bought("a", 10, 3.0))}, // the copy at as-of does not exist
	)
	in.AsOf = at(10)
	want(t, run(t, definitions(m), in),
		"sum control: exposed 2 units 1 with 1 events 1 x 5 xx 25", // b's window is over a microsecond later
		"sum green: exposed 0 units 0 with 0 events 0 x 0 xx 0")

	// A window that is cut is waited for until O, likewise inclusive.
	in.AsOf = at(20)
	defs := definitions(m)
	defs.Experiments[0].End, defs.Experiments[0].CutWindows = set(*at(10)), set(true)
	want(t, run(t, defs, in),
		"sum control: exposed 2 units 1 with 1 events 1 x 3 xx 9", // the copies are one: at 9, with 3
		"sum green: exposed 0 units 0 with 0 events 0 x 0 xx 0")
}
