package oracle

import (
	"fmt"
	"testing"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// withUnits adds a units source of users and devices, with timestamps if so said.
func withUnits(defs *metrics.Definitions, times bool) *metrics.Definitions {
	source := &metrics.Source{Name: text("crm"), Columns: metrics.Columns{Units: defs.Sources.Events[0].Columns.Units}}
	if times {
		source.Columns.Timestamp.Column = src("at")
	}
	defs.Sources.Units = []*metrics.Source{source}
	return defs
}

func pair(device, user string) UnitRow {
	return UnitRow{Source: "crm", Units: map[string]string{"device": device, "user": user}}
}

func TestIdentity(t *testing.T) {
	by := func(user, device string, hours float64) Event {
		e := bought(user, hours, nil)
		e.Units["device"] = device
		return e
	}
	in := input(
		[]Impression{shows("a", "control", 1), shows("b", "control", 0), shows("c", "control", 0)},
		[]Event{by("a", "d1", 2), by("", "d1", 2), by("", "d2", 2), by("c", "d2", 2), by("", "d3", 2), by("", "d4", 2), by("", "d5", 2)},
	)
	in.Units = []UnitRow{
		pair("d1", "a"), pair("d1", "a"), // one partner, twice
		pair("d2", "a"), pair("d2", "b"), pair("d2", "nobody"), // the exposed one of smallest exposure is b
		pair("d3", "nobody"), pair("d4", "b"), pair("d4", "c"), // b and c tie
		pair("d5", ""), pair("", "c"),
	}
	for identity, want := range map[string]string{
		identityStrict:     "a:2 b:0 c:1 ", // d1 leads to a; d2 and d4 have several partners
		identityFirstTouch: "a:2 b:2 c:1 ",
	} {
		defs := withUnits(definitions(metric("m", metrics.Count)), false)
		defs.Experiments[0].Identity = set(identity)
		got := ""
		for _, u := range run(t, defs, in).Metrics[0].Units {
			got += fmt.Sprintf("%s:%s ", u.Unit, u.X.RatString())
		}
		if got != want {
			t.Errorf("%s: %s, want %s", identity, got, want)
		}
	}
}

func TestUnitAttributes(t *testing.T) {
	row := func(user string, hours float64, plan ...string) UnitRow {
		r := UnitRow{Source: "crm", Units: map[string]string{"user": user}, Time: at(hours), Attributes: map[string]string{}}
		for _, p := range plan {
			r.Attributes["plan"] = p
		}
		return r
	}
	in := input([]Impression{shows("a", "control", 1), shows("b", "control", 1), shows("c", "control", 1), shows("d", "control", 1)}, nil)
	in.Units = []UnitRow{
		row("a", -5, "free"), row("a", 1, "pro"), row("a", 1+us, "late"),
		row("b", 0, "z"), row("b", 0, "y"), row("b", 0), row("b", -1, "x"), // ties
		row("c", -1, "old"), row("c", 0), // the newest has none
	}
	units := func(times bool) string {
		defs := withUnits(definitions(metric("m", metrics.Occurrence)), times)
		defs.Experiments[0].Segments = []*metrics.Segment{{Key: text("unit.plan")}}
		s := ""
		for _, c := range run(t, defs, in).Metrics[0].Cells {
			if c.Segment != metrics.Overall && c.Variation == "control" {
				s += fmt.Sprintf("%s:%d ", c.SegmentValue, c.Units)
			}
		}
		return s
	}
	if got, want := units(true), "(none):2 pro:1 y:1 "; got != want {
		t.Errorf("with timestamps %s, want %s", got, want)
	}
	if got, want := units(false), "(none):1 free:1 old:1 x:1 "; got != want {
		t.Errorf("without timestamps %s, want %s", got, want)
	}

	defs := withUnits(definitions(metric("m", metrics.Occurrence)), true)
	defs.Experiments[0].Where = src(`unit.plan == "pro" or unit.plan == nil`)
	want(t, run(t, defs, in),
		"m control: exposed 3 units 3 with 0 events 0 x 0 xx 0",
		"m green: exposed 0 units 0 with 0 events 0 x 0 xx 0")
}

func TestPhases(t *testing.T) {
	defs := definitions(metric("m", metrics.Occurrence))
	x := defs.Experiments[0]
	x.Phases = []*metrics.Phase{{Start: set(midnight)}, {Start: set(*at(5))}}
	x.PhasePool = set("last")
	want(t, run(t, defs, input([]Impression{shows("a", "control", 5-us), shows("b", "control", 5), shows("c", "green", 9)}, nil)),
		"m control: exposed 1 units 1 with 0 events 0 x 0 xx 0",
		"m green: exposed 1 units 1 with 0 events 0 x 0 xx 0")
}

func TestSegmentFromEvents(t *testing.T) {
	from := func(e Event, device string) Event {
		e.Attributes = map[string]string{"device": device}
		return e
	}
	phone := shows("a", "control", 0)
	phone.Attributes = map[string]string{"device": "phone"}
	in := input([]Impression{phone, shows("b", "control", 0), shows("c", "control", 0)}, []Event{
		from(bought("a", 1, 2.0), "web"), bought("a", 2, 4.0), // a row without device
		from(bought("b", 1, 8.0), "web"), from(bought("b", 2, -1.0), "phone"),
		from(named("view", "c", 1), "web"), bought("c", 2, 16.0),
	})
	positive := metric("m", metrics.Value)
	positive.Where = src("value > 0")
	defs := definitions(positive)
	defs.Experiments[0].Variations = defs.Experiments[0].Variations[:1]
	defs.Experiments[0].Segments = []*metrics.Segment{{Key: text("device"), FromEvents: true}}
	want(t, run(t, defs, in),
		"m control: exposed 3 units 3 with 3 events 4 x 30 xx 356",
		"m device=phone control: exposed 2 units 2 with 0 events 0 x 0 xx 0", // a by its exposure, b by a row that does not count
		"m device=web control: exposed 2 units 2 with 2 events 2 x 10 xx 68", // 2 and 8
		"m device=(none) control: exposed 1 units 1 with 1 events 1 x 16 xx 256")
}

func TestSegmentByExperiment(t *testing.T) {
	defs := definitions(metric("m", metrics.Occurrence))
	other := *defs.Experiments[0]
	other.Key = text("nav")
	defs.Experiments[0].Segments = []*metrics.Segment{{Key: text("nav"), Experiment: text("nav")}}
	defs.Experiments = append(defs.Experiments, &other)
	elsewhere := func(i Impression) Impression { i.Experiment = new("nav"); return i }
	want(t, run(t, defs, input([]Impression{
		shows("a", "control", 0), shows("b", "control", 0), shows("c", "control", 0),
		elsewhere(shows("a", "green", 5)), elsewhere(shows("b", "green", 1)), elsewhere(shows("b", "control", 2)), // b is in several
	}, nil)),
		"m control: exposed 3 units 3 with 0 events 0 x 0 xx 0",
		"m green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
		"m nav=(none) control: exposed 2 units 2 with 0 events 0 x 0 xx 0",
		"m nav=(none) green: exposed 0 units 0 with 0 events 0 x 0 xx 0",
		"m nav=green control: exposed 1 units 1 with 0 events 0 x 0 xx 0",
		"m nav=green green: exposed 0 units 0 with 0 events 0 x 0 xx 0")
}

func TestCovariates(t *testing.T) {
	cuped := func(defs *metrics.Definitions, days int) *metrics.Definitions {
		for _, em := range defs.Experiments[0].Metrics {
			em.Analysis.CUPED = set(metrics.CUPED{Days: days})
		}
		return defs
	}
	in := input([]Impression{shows("a", "control", 0), shows("b", "control", 0)}, []Event{
		bought("a", -24-us, 100.0), bought("a", -24, 3.0), bought("a", -us, 4.0), bought("a", 0, 5.0), bought("b", 1, 50.0), bought("b", -1, 60.0),
	})
	sum := metric("sum", metrics.Value)
	if got, want := one(t, cuped(definitions(sum), 1), in), "exposed 2 units 2 with 2 events 2 x 55 xx 2525 p 67 pp 3649 xp 3035"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// A window that looks back by an hour ends the covariates there: [−25h, −1h).
	sum.Window = metrics.Window{HasFrom: true, From: -time.Hour}
	if got, want := one(t, cuped(definitions(sum), 1), in), "exposed 2 units 2 with 2 events 4 x 119 xx 12181 p 103 pp 10609 xp 927"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// 50 is capped at 20, and so is 60; nothing lies below 1, so 0 stays as it is.
	capped := metric("capped", metrics.Value)
	capped.Winsorize = &metrics.Winsorize{UpperValue: set(metrics.Number("20")), LowerValue: set(metrics.Number("1"))}
	in.Events = in.Events[3:]
	if got, want := one(t, cuped(definitions(capped), 1), in), "exposed 2 units 2 with 2 events 2 x 25 xx 425 p 20 pp 400 xp 400"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	ratio := &metrics.Metric{Key: text("r"), Ratio: &metrics.Ratio{Numerator: metric("", metrics.Value), Denominator: metric("", metrics.Count)}}
	if got, want := one(t, cuped(definitions(ratio), 1), in), "exposed 2 units 2 with 2 events 2 x 55 xx 2525 y 2 yy 2 xy 55 p 60 pp 3600 xp 3000 q 1 qq 1 xq 50 yp 60 yq 1 pq 60"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// A row before the exposure that is too large is overflow, also of a unit whose
	// window nobody could live through.
	sum.Window, sum.WaitForWindow = metrics.Window{HasTo: true, To: 10_000 * time.Hour}, set(true)
	in.Events = append(in.Events, bought("a", -2, 1e12))
	if got := run(t, cuped(definitions(sum), 1), in); !got.Metrics[0].Overflow {
		t.Error("no overflow")
	}
}
