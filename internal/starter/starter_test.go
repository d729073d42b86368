package starter_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/internal/starter"
	"github.com/metricsjob/metricsjob/metrics"
)

// decode wants a starter file to be right as definitions.
func decode(t rapid.TB, text string) *metrics.Definitions {
	t.Helper()
	defs, list := metrics.Decode([]metrics.SourceFile{{Path: "metrics.yaml", Text: []byte(text)}}, metrics.LoadOptions{})
	if len(list) > 0 {
		t.Fatalf("%v in\n%s", list, text)
	}
	return defs
}

// small is a survey of one source of each kind.
func small() *metrics.Survey {
	column := func(name string) metrics.Expr { return metrics.Expr{Src: name} }
	units := []metrics.UnitColumn{{Kind: metrics.Text{V: "user"}, Column: column("user_id")}}
	source := func(role metrics.SourceRole, name string, c metrics.Columns) *metrics.SurveyedSource {
		c.Units, c.Timestamp = units, metrics.TimestampColumn{Column: column("ts"), Epoch: "ms"}
		return &metrics.SurveyedSource{Files: 1, Rows: 10, Def: &metrics.Source{
			Role: role, Name: metrics.Text{V: name}, Paths: []metrics.Text{{V: name + "/*.parquet"}}, Columns: c,
		}}
	}
	return &metrics.Survey{
		Sources: []*metrics.SurveyedSource{
			source(metrics.RoleImpressions, "imps", metrics.Columns{Flag: column("flag"), Variation: column("variation")}),
			source(metrics.RoleEvents, "events", metrics.Columns{Event: column("event")}),
		},
		Events: []*metrics.SurveyedEvent{{Key: "buy", Rows: 10, Sources: []string{"events"}}},
		Experiments: []*metrics.SurveyedExperiment{{
			Flag: "nav", Unit: "user", First: time.Date(2026, 3, 2, 23, 0, 0, 0, time.UTC), Rows: 10, Units: 10,
			Variations: []metrics.SurveyedVariation{{Value: metrics.MatchValue{Text: "a"}, Rows: 6, Units: 6}, {Value: metrics.MatchValue{Text: "b"}, Rows: 4, Units: 4}},
		}},
	}
}

// isNamed reports whether a survey would tell of the text: those that are blank
// have no name.
func isNamed(s string) bool { return strings.TrimSpace(s) != "" }

// Whatever things are called in the export, the file is right and means them.
func TestAnyNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.StringN(1, 12, -1).Filter(isNamed), rapid.SampledFrom([]string{"any", "impression", "on", "null", "~", "a: b", "#x", "it's", "{", "007", "x\u0085y", "x\u2028y", "x\ufeff", "a\nb", "Straße", "é", "${HOME}"}))
		s := small()
		texts := func(label string) (a, b string) {
			both := rapid.SliceOfNDistinct(word, 2, 2, rapid.ID[string]).Draw(t, label)
			return both[0], both[1]
		}
		first, second := texts("events")
		s.Events = []*metrics.SurveyedEvent{
			{Key: first, Rows: 5, Sources: []string{"events"}, Properties: []metrics.SurveyedProperty{{Name: word.Draw(t, "property"), Type: metrics.TypeNumber, Rows: 3, NumberLike: true}}},
			{Key: second, Rows: 4, Sources: []string{"events"}},
			{Key: "buy" + first + second, Rows: 3, Values: 2, Sources: []string{"events"}},
		}
		x := s.Experiments[0]
		x.Flag = word.Draw(t, "flag")
		x.Variations[0].Value.Text, x.Variations[1].Value.Text = texts("variations")
		s.Sources[1].Def.Columns.Properties = metrics.Bag{From: metrics.Expr{Src: "props"}, Named: []metrics.NamedColumn{{Name: metrics.Text{V: "p"}, Column: metrics.Expr{Src: "p"}}}}
		s.Sources[0].Unmapped = []string{word.Draw(t, "column") + " VARCHAR"}
		s.Sources[0].Notes = []string{word.Draw(t, "note")}
		s.Attributes = []metrics.SurveyedAttribute{{Name: word.Draw(t, "attribute"), Values: 3}}
		s.Others = []metrics.UnknownTable{{Paths: []string{word.Draw(t, "path")}, Files: 1, Columns: []string{word.Draw(t, "other column")}}}

		defs := decode(t, starter.Text(s, word.Draw(t, "folder"), word.Draw(t, "file")))
		got := defs.Experiments[0]
		if got.Flag.V != x.Flag {
			t.Errorf("the flag is %q, want %q", got.Flag.V, x.Flag)
		}
		for i, v := range got.Variations {
			if want := x.Variations[i].Value.Text; v.Match[0].Text != want {
				t.Errorf("variation %d matches %q, want %q", i, v.Match[0].Text, want)
			}
		}
		var want []string
		for _, e := range s.Events {
			if e.Key != "any" && e.Key != "impression" {
				want = append(want, e.Key)
			}
		}
		var rates []string
		for _, m := range defs.Metrics {
			if m.Measure.V == metrics.Occurrence {
				rates = append(rates, m.Event.Keys[0].V)
			}
		}
		if !slices.Equal(rates, want) {
			t.Errorf("metrics are of %q, want %q", rates, want)
		}
	})
}

// Of files about units it is said under which sources they stand; the columns that are
// shown are right there.
func TestFilesAboutUnits(t *testing.T) {
	column := func(name string) metrics.Expr { return metrics.Expr{Src: name} }
	user := metrics.UnitColumn{Kind: metrics.Text{V: "user"}, Column: column("User ID")}
	device := metrics.UnitColumn{Kind: metrics.Text{V: "device"}, Column: column("device_id")}
	plan := metrics.Bag{From: column("more"), Named: []metrics.NamedColumn{{Name: metrics.Text{V: "plan: now"}, Column: column("plan: now")}}}
	const event = "Where each row is one event"
	for name, c := range map[string]struct {
		other metrics.UnknownTable
		want  string // the text before the columns; empty: none
		role  string
		event bool
	}{
		"attributes": {metrics.UnknownTable{Columns: []string{"a", "b"}, About: &metrics.Columns{Units: []metrics.UnitColumn{user}, Attributes: plan, Timestamp: metrics.TimestampColumn{Column: column("since")}}, OneEach: true}, "attributes of units", "units", true},
		"one column": {metrics.UnknownTable{Columns: []string{"a", "b"}, About: &metrics.Columns{Units: []metrics.UnitColumn{user}, Attributes: metrics.Bag{From: column("traits")}}}, "attributes of units", "units", false},
		"pairs":      {metrics.UnknownTable{Columns: []string{"a", "b"}, About: &metrics.Columns{Units: []metrics.UnitColumn{user, device}}}, "pairs of ids", "units", false},
		"ids":        {metrics.UnknownTable{Columns: []string{"a"}, About: &metrics.Columns{Units: []metrics.UnitColumn{user}}}, "ids of units that are not to count", "exclude_units", false},
		"numbers":    {metrics.UnknownTable{Columns: []string{"a", "b"}, About: &metrics.Columns{Units: []metrics.UnitColumn{user}}}, "", "", false},
		"neither":    {metrics.UnknownTable{Columns: []string{"a", "b"}, OneEach: true}, "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := small()
			c.other.Paths, c.other.Files = []string{"x.parquet"}, 1
			s.Others = []metrics.UnknownTable{c.other}
			text := starter.Text(s, "exports", "metrics.yaml")
			if strings.Contains(text, event) != c.event {
				t.Errorf("%q is there: %t, want %t", event, !c.event, c.event)
			}
			_, rest, found := strings.Cut(text, "#   CHECK: ")
			if !found || c.want == "" {
				if found != (c.want != "") {
					t.Errorf("said: %t, in\n%s", found, text)
				}
				return
			}
			said, rest, _ := strings.Cut(rest, "\n")
			if !strings.HasPrefix(said, c.want) || !strings.HasSuffix(said, " stand under sources as "+c.role+", with") {
				t.Errorf("said %q", said)
			}
			columns, _, _ := strings.Cut(rest, "\n")
			entry := "{name: x, path: x, " + strings.TrimSpace(strings.TrimPrefix(columns, "#")) + "}"
			if c.role == "exclude_units" {
				entry = strings.Replace(entry, "name: x, ", "", 1)
			}
			decode(t, strings.Replace(text, "sources:\n", "sources:\n  "+c.role+": ["+entry+"]\n", 1))
		})
	}
}

// Files that were not looked at are named.
func TestFilesNotLookedAt(t *testing.T) {
	s := small()
	s.NotRead = []string{"events.csv", "exposures.csv"}
	if text := starter.Text(s, "exports", "metrics.yaml"); !strings.Contains(text, "hold impressions and events: 2 files, such as events.csv,\n# exposures.csv.\n") {
		t.Errorf("the files are not in\n%s", text)
	}
}

// The unit is a guess where impressions have ids of several kinds.
func TestUnitIsAGuess(t *testing.T) {
	s := small()
	s.Units = []metrics.SurveyedUnit{{Kind: "user", InEvents: true}}
	if text := starter.Text(s, "exports", "metrics.yaml"); strings.Contains(text, "CHECK the unit") {
		t.Errorf("the unit is no guess in\n%s", text)
	}
	s.Units = []metrics.SurveyedUnit{{Kind: "user", InEvents: true, Units: 300, Several: 12}, {Kind: "device", Units: 250, Several: 30}}
	text := starter.Text(s, "exports", "metrics.yaml")
	plain := strings.Join(strings.Fields(strings.ReplaceAll(text, "#", "")), " ")
	for _, want := range []string{"CHECK the unit", "were seen: by user 12 units (4.0%); by device 30 units (12.0%), and events have no ids of it.", "unit: user CHECK"} {
		if !strings.Contains(plain, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	decode(t, text)
}

// Where an attribute is called by more than a word, it is said how a condition names it.
func TestAttributesOfSeveralWords(t *testing.T) {
	for name, want := range map[string]bool{"country": false, "Country Code": true} {
		s := small()
		s.Attributes = []metrics.SurveyedAttribute{{Name: name, Values: 3}}
		if got := strings.Contains(starter.Text(s, "exports", "metrics.yaml"), `exposure["NAME"]`); got != want {
			t.Errorf("%s: said %t, want %t", name, got, want)
		}
	}
}

// Rows of several environments are told with their shares, and what takes one of them
// is right as it stands, without the comment sign.
func TestEnvironments(t *testing.T) {
	s := small()
	s.Sources[0].Environments = []metrics.SurveyedEnvironments{
		{Column: "a ?? b", Values: []metrics.SurveyedEnvironment{{Rows: 6}, {Name: "it's live", Literal: `"it's live"`, Rows: 2}}},
		{Column: "account", Values: []metrics.SurveyedEnvironment{{Name: "11", Literal: "11", Rows: 5}, {Name: "12", Literal: "12", Rows: 3}}},
	}
	text := starter.Text(s, "exports", "metrics.yaml")
	for _, want := range []string{"(none) in 6 rows (75.0%)", "11 in 5 rows (62.5%), 12 in 3 rows (37.5%)"} {
		if !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(text, "#", "")), " "), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if where := decode(t, text).Sources.Impressions[0].Where; where.IsSet() {
		t.Errorf("where is %q", where.Src)
	}
	opened := decode(t, strings.Replace(text, "# where:", "where:", 1))
	if where := opened.Sources.Impressions[0].Where.Src; where != `(a ?? b) == "it's live" and account == 11` {
		t.Errorf("where is %q", where)
	}
}

func TestBaseline(t *testing.T) {
	for _, c := range []struct{ first, second, want string }{
		{"a", "b", "a"},
		{"a", "Control", "Control"},
		{"new", "old", "old"},
	} {
		s := small()
		s.Experiments[0].Variations[0].Value.Text, s.Experiments[0].Variations[1].Value.Text = c.first, c.second
		if got := decode(t, starter.Text(s, "exports", "metrics.yaml")).Experiments[0].Baseline().Key.V; got != c.want {
			t.Errorf("of %s and %s the baseline is %s, want %s", c.first, c.second, got, c.want)
		}
	}
}

// The value of an event is the mapped one; else a property that is called like one.
func TestValueMetrics(t *testing.T) {
	price := func(name string, typ metrics.PropertyType) []metrics.SurveyedProperty {
		return []metrics.SurveyedProperty{{Name: name, Type: typ, Rows: 10}}
	}
	for name, c := range map[string]struct {
		mapped bool
		event  metrics.SurveyedEvent
		want   string // the expression, or - for no metric
	}{
		"mapped":                    {true, metrics.SurveyedEvent{Values: 4}, ""},
		"mapped, but always zero":   {true, metrics.SurveyedEvent{Properties: price("amount", metrics.TypeNumber)}, "-"},
		"property":                  {false, metrics.SurveyedEvent{Properties: price("revenue", metrics.TypeInteger)}, `properties["revenue"]`},
		"property of text":          {false, metrics.SurveyedEvent{Properties: price("revenue", metrics.TypeString)}, "-"},
		"other property":            {false, metrics.SurveyedEvent{Properties: price("position", metrics.TypeNumber)}, "-"},
		"property of Amplitude":     {false, metrics.SurveyedEvent{Properties: price("$revenue", metrics.TypeNumber)}, `properties["$revenue"]`},
		"the only one that ends so": {false, metrics.SurveyedEvent{Properties: append(price("cartValue", metrics.TypeNumber), price("items", metrics.TypeInteger)...)}, `properties["cartValue"]`},
		"several that end so":       {false, metrics.SurveyedEvent{Properties: append(price("cartValue", metrics.TypeNumber), price("taxTotal", metrics.TypeNumber)...)}, "-"},
		"the one that is called so": {false, metrics.SurveyedEvent{Properties: append(price("cartValue", metrics.TypeNumber), price("total", metrics.TypeNumber)...)}, `properties["total"]`},
	} {
		s := small()
		e := c.event
		e.Key, e.Rows, e.Sources = "buy", 10, []string{"events"}
		s.Events = []*metrics.SurveyedEvent{&e}
		if c.mapped {
			s.Sources[1].Def.Columns.Value = metrics.Expr{Src: "amount"}
		}
		got := "-"
		if m := decode(t, starter.Text(s, "exports", "metrics.yaml")).Metric("buy_value"); m != nil {
			got = m.Value.Src
		}
		if got != c.want {
			t.Errorf("%s: the value is %q, want %q", name, got, c.want)
		}
	}
}

// An experiment with one variation is no test; of very many, those with fewer
// units are comments.
func TestManyExperiments(t *testing.T) {
	s := small()
	one := *s.Experiments[0]
	one.Variations = one.Variations[:1]
	s.Experiments = nil
	for range 22 {
		x := one
		s.Experiments = append(s.Experiments, &x)
	}
	text := starter.Text(s, "exports", "metrics.yaml")
	defs := decode(t, text)
	if len(defs.Experiments) != 20 || defs.Experiments[0].Rule.V != "rollout" {
		t.Errorf("there are %d experiments, the first a %s; want 20, and a rollout", len(defs.Experiments), defs.Experiments[0].Rule.V)
	}
	if n := strings.Count(text, "  # nav: 10 units in 1 variation since 2026-03-02\n"); n != 2 {
		t.Errorf("%d experiments are comments, want 2 in\n%s", n, text)
	}
}
