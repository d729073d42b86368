package loaders

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

func mustSurvey(t *testing.T, engine *Engine, folder string) *metrics.Survey {
	t.Helper()
	s, err := Survey(t.Context(), engine, folder, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sourcesOf are the files of a survey, one line for each source.
func sourcesOf(s *metrics.Survey, folder string) []string {
	var lines []string
	add := func(what string, paths []string, rest string) {
		line := what + ": " + strings.Join(paths, " ") + rest
		lines = append(lines, strings.ReplaceAll(line, filepath.ToSlash(folder)+"/", ""))
	}
	for _, src := range s.Sources {
		var paths []string
		for _, p := range src.Def.Paths {
			paths = append(paths, p.V)
		}
		partition := ""
		if p := src.Def.Partition; p != nil {
			partition = " by " + p.Column.V
		}
		what := fmt.Sprint(src.Def.Role, " ", src.Def.Name.V)
		if event := src.Def.Columns.Event.Src; strings.HasPrefix(event, `"`) {
			what += " of " + event
		}
		add(what, paths, partition)
	}
	for _, u := range s.Others {
		add("other", u.Paths, "")
	}
	return lines
}

// The numbers are those of DuckDB 1.5.5 over the same files: SELECT
// experiment_id, variation_id, count(*), count(DISTINCT visitor_id), min(timestamp)
// FROM decisions GROUP BY ALL, and SELECT event_name, count(*),
// count_if(revenue <> 0), count(tags['price']) FROM events GROUP BY ALL.
func TestSurveyOfOptimizely(t *testing.T) {
	s := mustSurvey(t, start(t, e3), e3)
	if diff := cmp.Diff([]string{
		"impressions decisions: type=decisions/date=*/experiment=*/*.parquet by date",
		"events events: type=events/date=*/event=*/*.parquet by date",
	}, sourcesOf(s, e3)); diff != "" {
		t.Errorf("sources (-want +found):\n%s", diff)
	}
	for i, want := range []metrics.SurveyedSource{{Files: 1, Rows: 10000}, {Files: 4, Rows: 38648}} {
		if got := s.Sources[i]; got.Files != want.Files || got.Rows != want.Rows || got.Def.Preset.V != "optimizely" {
			t.Errorf("%s has %d files and %d rows by preset %q, want %d, %d and optimizely", got.Def.Name.V, got.Files, got.Rows, got.Def.Preset.V, want.Files, want.Rows)
		}
	}
	experiments := []*metrics.SurveyedExperiment{{
		Experiment: "18786493712", Unit: "user", First: instantOf(t, "2020-09-14T18:21:40.177Z"), Rows: 10000, Units: 10000,
		Variations: []metrics.SurveyedVariation{
			{Value: metrics.MatchValue{Text: "18802093142"}, Rows: 3304, Units: 3304},
			{Value: metrics.MatchValue{Text: "18817551468"}, Rows: 3329, Units: 3329},
			{Value: metrics.MatchValue{Text: "18818611832"}, Rows: 3367, Units: 3367},
		},
	}}
	if diff := cmp.Diff(experiments, s.Experiments); diff != "" {
		t.Errorf("experiments (-want +found):\n%s", diff)
	}
	var events []string
	for _, e := range s.Events {
		events = append(events, fmt.Sprintf("%s %d %d", e.Key, e.Rows, e.Values))
	}
	if diff := cmp.Diff([]string{"homepage_view 19922 0", "detail_page_view 14198 0", "add_to_cart 2264 0", "purchase 2264 2264"}, events); diff != "" {
		t.Errorf("events (-want +found):\n%s", diff)
	}
	if diff := cmp.Diff([]metrics.SurveyedProperty{
		{Name: "category", Type: metrics.TypeString, Rows: 2264},
		{Name: "price", Type: metrics.TypeNumber, Rows: 2264, NumberLike: true},
		{Name: "product", Type: metrics.TypeString, Rows: 2264},
		{Name: "revenue", Type: metrics.TypeInteger, Rows: 2264},
		{Name: "sku", Type: metrics.TypeString, Rows: 2264, NumberLike: true},
	}, s.Events[3].Properties); diff != "" {
		t.Errorf("properties of purchase (-want +found):\n%s", diff)
	}
	if i := slices.IndexFunc(s.Attributes, func(a metrics.SurveyedAttribute) bool { return a.Name == "browser" }); i < 0 || s.Attributes[i].Values != 3 {
		t.Errorf("attributes are %v, want 3 values of browser among them", s.Attributes)
	}
}

// Rows of the smallest impressions, events, and what is neither.
const (
	oneImpression = "SELECT 'u1' AS user_id, 'f' AS flag, 'a' AS variation, TIMESTAMP '2026-03-02 10:00:00' AS ts"
	oneEvent      = "SELECT 'u1' AS user_id, 'buy' AS event, TIMESTAMP '2026-03-02 11:00:00' AS ts"
	oneOther      = "SELECT 1 AS a, 'x' AS b"
	oneFact       = "SELECT 'u1' AS user_id, TIMESTAMP '2026-03-02 11:00:00' AS done_at, 5 AS amount"
)

// Files of one meaning in folders of one shape are one source.
func TestSurveyOfFolders(t *testing.T) {
	w := newWarehouse(t)
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"files": {
			files: map[string]string{"imps.parquet": oneImpression, "events_1.parquet": oneEvent, "events_2.parquet": oneEvent, "more.parquet": oneOther},
			want:  []string{"impressions imps: imps.parquet", "events events: events_*.parquet", "other: more.parquet"},
		},
		"a partition tells kinds apart": {
			files: map[string]string{"day=2026-03-02/kind=imps/a.parquet": oneImpression, "day=2026-03-03/kind=imps/a.parquet": oneImpression, "day=2026-03-02/kind=events/a.parquet": oneEvent},
			want:  []string{"impressions imps: day=*/kind=imps/*.parquet by day", "events events: day=*/kind=events/*.parquet by day"},
		},
		"folders of dates": {
			files: map[string]string{"imps/2026/03/02/a.parquet": oneImpression, "imps/2026/03/03/a.parquet": oneImpression, "events/2026-03/a.parquet": oneEvent},
			want:  []string{"impressions imps: imps/*/*/*/*.parquet", "events events: events/*/*.parquet"},
		},
		"a folder for each event": {
			files: map[string]string{"imps/a.parquet": oneImpression, "events/buy/a.parquet": oneEvent, "events/view/a.parquet": oneEvent},
			want:  []string{"impressions imps: imps/*.parquet", "events events: events/*/*.parquet"},
		},
		"siblings beside another kind": {
			files: map[string]string{"imps/a.parquet": oneImpression, "buy/a.parquet": oneEvent, "view/a.parquet": oneEvent},
			want:  []string{"impressions imps: imps/*.parquet", "events buy: buy/*.parquet view/*.parquet"},
		},
		"days on which the rows are not": {
			files: map[string]string{"imps/loaded=2026-05-01/a.parquet": oneImpression, "events/loaded=2026-05-01/a.parquet": oneEvent},
			want:  []string{"impressions imps: imps/loaded=*/*.parquet", "events events: events/loaded=*/*.parquet"},
		},
		"a partition by event": {
			files: map[string]string{"imps/a.parquet": oneImpression, "events/event=buy/a.parquet": oneEvent},
			want:  []string{"impressions imps: imps/*.parquet", "events events: events/event=*/*.parquet"},
		},
		"a partition by event type that tells kinds apart": {
			files: map[string]string{"event_type=imp/a.parquet": oneImpression, "event_type=conversion/1.parquet": oneEvent, "event_type=conversion/2.parquet": oneEvent},
			want:  []string{"impressions imp: event_type=imp/*.parquet", "events conversion: event_type=conversion/*.parquet"},
		},
		"one stream at two depths": {
			files: map[string]string{"imps.parquet": oneImpression, "events/2026/01/a.parquet": oneEvent, "events/b.parquet": oneEvent, "events/late/c.parquet": oneEvent},
			want:  []string{"impressions imps: imps.parquet", "events events: events/**/*.parquet"},
		},
		"two depths with other files between them": {
			files: map[string]string{"x/imps.parquet": oneImpression, "x/2026/a.parquet": oneEvent, "x/b.parquet": oneEvent},
			want:  []string{"impressions x_impressions: x/imps.parquet", "events x: x/*/*.parquet x/b.parquet"},
		},
		"depths with partitions and without": {
			files: map[string]string{"imps.parquet": oneImpression, "events/day=2026-03-02/a.parquet": oneEvent, "events/b.parquet": oneEvent},
			want:  []string{"impressions imps: imps.parquet", "events events: events/*.parquet", "events events_events: events/day=*/*.parquet by day"},
		},
		"a table for each event": {
			files: map[string]string{"imps.parquet": oneImpression, "buy-1.parquet": oneFact, "buy-2.parquet": oneFact, "refund.parquet": oneFact, "signups/a.parquet": oneFact, "signups/b.parquet": oneFact},
			want: []string{
				"impressions imps: imps.parquet", `events buy of "buy": buy-*.parquet`, `events refund of "refund": refund.parquet`,
				`events signups of "signups": signups/*.parquet`,
			},
		},
		"a table without an event key beside events": {
			files: map[string]string{"imps.parquet": oneImpression, "events.parquet": oneEvent, "users.parquet": oneFact},
			want:  []string{"impressions imps: imps.parquet", "events events: events.parquet", "other: users.parquet"},
		},
		"names beyond ASCII": {
			files: map[string]string{"imps.parquet": oneImpression, "é1.parquet": oneEvent, "è2.parquet": oneEvent},
			want:  []string{"impressions imps: imps.parquet", "events events: è2.parquet é1.parquet"},
		},
		"rows that are both": {
			files: map[string]string{"a.parquet": "SELECT 'u1' AS user_id, 'seen' AS event, 'x' AS experiment, 'a' AS variation, TIMESTAMP '2026-03-02 10:00:00' AS ts"},
			want:  []string{"impressions a_impressions: a.parquet", "events a: a.parquet"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.folder(t)
			for file, query := range c.files {
				w.write(file, query)
			}
			if diff := cmp.Diff(c.want, sourcesOf(mustSurvey(t, w.engine, w.dir), w.dir)); diff != "" {
				t.Errorf("sources (-want +found):\n%s", diff)
			}
		})
	}
}

// Variations that are texts of JSON are one where their values are, and a unit that saw two
// variations is one.
func TestSurveyOfVariations(t *testing.T) {
	w := newWarehouse(t)
	w.write("imps.parquet", `SELECT user_id, 'f' AS flag, variation, TIMESTAMP '2026-03-02 10:00:00' AS ts FROM (VALUES
		('u1', '{"a": 1, "b": 2}'), ('u2', '{"b": 2.0, "a": 1}'), ('u2', 'off'), ('u3', 'off'), ('u3', 'off')) v(user_id, variation)`)
	w.write("events.parquet", oneEvent)
	survey := mustSurvey(t, w.engine, w.dir)
	if len(survey.Experiments) != 1 || len(survey.Experiments[0].Variations) != 2 {
		t.Fatalf("experiments %+v", survey.Experiments)
	}
	x := survey.Experiments[0]
	json, off := x.Variations[1], x.Variations[0]
	if off.Value.JSON {
		json, off = off, json
	}
	if x.Units != 3 || x.Rows != 5 || !json.Value.JSON || json.Units != 2 || off.Units != 2 || off.Value.JSON {
		t.Errorf("%d units, %d rows, %+v, %+v", x.Units, x.Rows, json, off)
	}
}

// columnsOf are the mapped columns of a source, one line for each.
func columnsOf(c *metrics.Columns) []string {
	var lines []string
	add := func(what string, e metrics.Expr) {
		if e.IsSet() {
			lines = append(lines, what+": "+e.Src)
		}
	}
	for _, u := range c.Units {
		add("unit "+u.Kind.V, u.Column)
	}
	add("timestamp "+c.Timestamp.Epoch, c.Timestamp.Column)
	add("experiment", c.Experiment)
	add("flag", c.Flag)
	add("variation", c.Variation)
	add("event", c.Event)
	add("value", c.Value)
	for _, e := range c.ID {
		add("id", e)
	}
	add("holdback", c.Holdback)
	for i, b := range []metrics.Bag{c.Properties, c.Attributes} {
		what := []string{"property ", "attribute "}[i]
		add(what+"*", b.From)
		for _, n := range b.Named {
			add(what+n.Name.V, n.Column)
		}
	}
	return lines
}

// What no column of the files tells is told by the names of their folders.
func TestSurveyOfColumnsInPaths(t *testing.T) {
	w := newWarehouse(t)
	const shown = "SELECT 'u1' AS user_id, 'a' AS variation, TIMESTAMP '2026-03-02 10:00:00' AS ts"
	w.write("imps/flag=check%20out/ds=2026-03-02/a.parquet", shown)
	w.write("imps/flag=nav/ds=2026-03-02/a.parquet", shown)
	w.write("events/event=buy/a.parquet", "SELECT 'u1' AS user_id, TIMESTAMP '2026-03-02 11:00:00' AS ts")
	s := mustSurvey(t, w.engine, w.dir)
	if diff := cmp.Diff([]string{"impressions imps: imps/flag=*/ds=*/*.parquet by ds", "events events: events/event=*/*.parquet"}, sourcesOf(s, w.dir)); diff != "" {
		t.Errorf("sources (-want +found):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"unit user: user_id", "timestamp : ts", "flag: flag", "variation: variation"}, columnsOf(&s.Sources[0].Def.Columns)); diff != "" {
		t.Errorf("columns of impressions (-want +found):\n%s", diff)
	}
	var flags []string
	for _, x := range s.Experiments {
		flags = append(flags, x.Flag)
	}
	if diff := cmp.Diff([]string{"check out", "nav"}, flags); diff != "" {
		t.Errorf("flags (-want +found):\n%s", diff)
	}
	if len(s.Events) != 1 || s.Events[0].Key != "buy" {
		t.Errorf("events %+v", s.Events)
	}
}

// Events that were loaded twice count once; those of which few are equal are as they are.
func TestSurveyOfEqualRows(t *testing.T) {
	w := newWarehouse(t)
	w.write("imps.parquet", oneImpression)
	const once = "SELECT 'u' || i AS user_id, 'buy' AS event, TIMESTAMP '2026-03-02 10:00:00' + i * INTERVAL 1 MINUTE AS ts FROM range(20) AS r(i)"
	w.write("events/a.parquet", once)
	w.write("events/b.parquet", once)
	w.write("views/a.parquet", "SELECT 'u' || (i % 15) AS user_id, 'view' AS event_name, TIMESTAMP '2026-03-02 10:00:00' + (i % 15) * INTERVAL 1 MINUTE AS ts FROM range(20) AS r(i)")
	s := mustSurvey(t, w.engine, w.dir)
	got := map[string]bool{}
	for _, src := range s.Sources {
		got[src.Def.Name.V] = src.EqualAreOne
		if src.EqualAreOne != (src.Def.Dedupe.V == metrics.DedupeRow) {
			t.Errorf("%s has dedupe %q", src.Def.Name.V, src.Def.Dedupe.V)
		}
	}
	if diff := cmp.Diff(map[string]bool{"imps": false, "events": true, "views": false}, got); diff != "" {
		t.Errorf("equal rows are one (-want +found):\n%s", diff)
	}
}

// An id is mapped where rows that have the same one are copies, however many these are, and
// not where they differ, as the lines of an order do, however few these are.
func TestSurveyOfRepeatedIDs(t *testing.T) {
	w := newWarehouse(t)
	w.write("imps/a.parquet", oneImpression)
	event := func(key, id, amount string) string {
		return "SELECT 'u' || i AS user_id, 'buy' AS " + key + ", TIMESTAMP '2026-03-02 10:00:00' + i * INTERVAL 1 MINUTE AS ts, " + id + " AS id, " + amount + " AS amount FROM range(40) AS r(i)"
	}
	w.write("copies/a.parquet", event("event", "'e' || i", "5"))
	w.write("copies/b.parquet", event("event", "'e' || i", "5"))
	w.write("lines/a.parquet", event("event_name", "'o' || least(i, 38)", "i"))
	w.write("level/event=view/a.parquet", "SELECT 'u1' AS user_id, TIMESTAMP '2026-03-02 10:00:00' AS ts, 'x' AS id FROM range(2)")
	s := mustSurvey(t, w.engine, w.dir)
	got := map[string]string{}
	for _, src := range s.Sources {
		id := "no id"
		if len(src.Def.Columns.ID) > 0 {
			id = src.Def.Columns.ID[0].Src
		}
		got[src.Def.Name.V] = strings.Join(append([]string{id}, src.Notes...), "; ")
	}
	if diff := cmp.Diff(map[string]string{
		"imps":   "no id",
		"copies": "id; CHECK: 80 rows have 40 different values of id; those with the same one are copies, and taken for one",
		"lines":  "no id; id is not mapped as id: 40 rows have 39 different ones, and rows with the same one differ",
		"level":  "id; CHECK: 2 rows have 1 different values of id; those with the same one are copies, and taken for one",
	}, got); diff != "" {
		t.Errorf("ids and notes (-want +found):\n%s", diff)
	}
}

// Rows of several environments are told, by the preset or by the names of columns.
func TestSurveyOfEnvironments(t *testing.T) {
	w := newWarehouse(t)
	w.write("imps.parquet", `SELECT 'u' || i AS user_id, 'f' AS flag, 'a' AS variation, TIMESTAMP '2026-03-02 10:00:00' AS ts,
		CASE WHEN i < 7 THEN 'live' WHEN i < 9 THEN 'test' END AS "envName" FROM range(10) t(i)`)
	w.write("type=events/a.parquet", `SELECT 'e' || i AS uuid, 'u' || i AS visitor_id, 'buy' AS event_name, TIMESTAMP '2026-03-02 11:00:00' AS timestamp,
		map {'a': 'b'} AS tags, 5::BIGINT AS revenue, 11 + i // 3 AS account_id FROM range(4) t(i)`)
	w.write("one.parquet", oneEvent+", 'live' AS environment")
	s := mustSurvey(t, w.engine, w.dir)
	var got []string
	for _, src := range s.Sources {
		for _, e := range src.Environments {
			for _, v := range e.Values {
				got = append(got, fmt.Sprintf("%s %s: %q in %d rows, %s", src.Def.Name.V, e.Column, v.Name, v.Rows, v.Literal))
			}
		}
	}
	if diff := cmp.Diff([]string{
		`imps envName: "live" in 7 rows, "live"`, `imps envName: "test" in 2 rows, "test"`, `imps envName: "" in 1 rows, `,
		`events account_id: "11" in 3 rows, 11`, `events account_id: "12" in 1 rows, 12`,
	}, got); diff != "" {
		t.Errorf("environments (-want +found):\n%s", diff)
	}
}

// Columns are told by their names, types and values.
func TestSurveyGuessesColumns(t *testing.T) {
	w := newWarehouse(t)
	w.write("imps.parquet", `SELECT i AS "userId", CASE WHEN i > 5 THEN 'd' || i END AS device_id, 'new-nav' AS "Experiment Key", 'nav' AS "featureFlag",
  i % 2 = 0 AS treatment, '2026-03-02T10:00:0' || i || 'Z' AS "exposedAt", 'DE' AS country, i = 7 AS is_holdout, [i] AS list FROM range(10) t(i)`)
	w.write("events/1.parquet", `SELECT i AS "userId", 'buy' AS "eventName", 1772445600 + i AS time, (i * 1.5)::VARCHAR AS amount,
  '{"sku": "00' || i || '", "n": "' || i || '", "ok": "true", "at": "2026-03-02"}' AS payload, i % 3 AS id, 'plain' AS context FROM range(10) t(i)`)
	w.write("events/2.parquet", `SELECT i AS "userId", 'view' AS "eventName", 1772445600 + i AS time, '' AS amount, '{}' AS payload, i AS id, 'plain' AS context, 's' AS session FROM range(2) t(i)`)
	s := mustSurvey(t, w.engine, w.dir)
	if diff := cmp.Diff([]string{
		"unit user: userId", "unit device: device_id", "timestamp : exposedAt", "experiment: Experiment Key", "flag: featureFlag", "variation: treatment",
		"holdback: is_holdout", "attribute country: country",
	}, columnsOf(&s.Sources[0].Def.Columns)); diff != "" {
		t.Errorf("columns of impressions (-want +found):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"list BIGINT[]"}, s.Sources[0].Unmapped); diff != "" {
		t.Errorf("columns of impressions that are not mapped (-want +found):\n%s", diff)
	}
	// amount has ten numbers among twelve texts, too few to be a value, and id tells rows not apart.
	if diff := cmp.Diff([]string{
		"unit user: userId", "timestamp s: time", "event: eventName", "property *: payload", "property amount: amount", "property context: context", "property session: session",
	}, columnsOf(&s.Sources[1].Def.Columns)); diff != "" {
		t.Errorf("columns of events (-want +found):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"amount is not mapped as value: 10 of its 12 texts are numbers", "id is not mapped as id: 12 rows have 3 different ones, and rows with the same one differ"}, s.Sources[1].Notes); diff != "" {
		t.Errorf("notes on events (-want +found):\n%s", diff)
	}
	types := map[string]metrics.PropertyType{}
	for _, p := range s.Events[0].Properties {
		types[p.Name] = p.Type
	}
	if diff := cmp.Diff(map[string]metrics.PropertyType{"sku": "string", "n": "number", "ok": "boolean", "at": "timestamp", "amount": "number", "context": "string"}, types); diff != "" {
		t.Errorf("types of the properties of buy (-want +found):\n%s", diff)
	}
	if diff := cmp.Diff([]*metrics.SurveyedExperiment{{
		Experiment: "new-nav", Flag: "nav", Unit: "user", First: instantOf(t, "2026-03-02T10:00:00Z"), Rows: 10, Units: 10, Holdback: 1,
		Variations: []metrics.SurveyedVariation{{Value: metrics.MatchValue{Text: "false"}, Rows: 5, Units: 5}, {Value: metrics.MatchValue{Text: "true"}, Rows: 5, Units: 5}},
	}}, s.Experiments); diff != "" {
		t.Errorf("experiments (-want +found):\n%s", diff)
	}
}

// A column that is one thing here and another there is not mapped, and neither
// are columns that only some files have left out.
func TestSurveyOfFilesThatDiffer(t *testing.T) {
	w := newWarehouse(t)
	w.write("imps.parquet", oneImpression)
	w.write("events/1.parquet", oneEvent+", 1.5 AS value")
	w.write("events/2.parquet", oneEvent+", 'much' AS value")
	w.write("events/3.parquet", oneEvent+", 'home' AS page, 2.5 AS value")
	s := mustSurvey(t, w.engine, w.dir)
	if diff := cmp.Diff([]string{"unit user: user_id", "timestamp : ts", "event: event", "property page: page"}, columnsOf(&s.Sources[1].Def.Columns)); diff != "" {
		t.Errorf("columns of events (-want +found):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"value is not mapped: it is DECIMAL(2,1) in some files, and VARCHAR in others"}, s.Sources[1].Notes); diff != "" {
		t.Errorf("notes on events (-want +found):\n%s", diff)
	}
	if n := s.Events[0].Rows; n != 3 {
		t.Errorf("buy has %d rows, want 3", n)
	}
}

// The unit is one that impressions and events have, and of these the one that
// most rows have.
func TestSurveyChoosesTheUnit(t *testing.T) {
	w := newWarehouse(t)
	w.write("imps.parquet", `SELECT CASE WHEN i = 0 THEN 'u' END AS user_id, 'd' || i AS device_id, 'c' || i AS cookie_id, 'f' AS flag, 'a' AS variation, TIMESTAMP '2026-03-02' AS ts FROM range(4) t(i)`)
	w.write("events.parquet", `SELECT 'u' AS user_id, 'd' || i AS device_id, 'buy' AS event, TIMESTAMP '2026-03-02' AS ts FROM range(4) t(i)`)
	s := mustSurvey(t, w.engine, w.dir)
	if x := s.Experiments[0]; x.Unit != "device" || x.Units != 4 {
		t.Errorf("the experiment has %d units of kind %s, want 4 of kind device", x.Units, x.Unit)
	}
}

// Files whose names do not say their format, as Firehose writes them, are said to be such.
func TestSurveyOfFilesWithoutEndings(t *testing.T) {
	w := newWarehouse(t)
	w.lines("2026/03/stream-1-2026-03-02-10-00-00-a1", `{"a": 1}`)
	_, err := Survey(t.Context(), w.engine, w.dir, func(string) {})
	want := "no file with the ending of a data file; for NDJSON under other names write path: '" + w.dir + "/**/*' and format: ndjson"
	var list diag.List
	if !errors.As(err, &list) || !strings.Contains(list[0].Hint, want) {
		t.Errorf("the error is %v, want %q in it", err, want)
	}
}

// What cannot be started from is said with what there is instead.
func TestSurveyErrors(t *testing.T) {
	w := newWarehouse(t)
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"nothing": {
			want: "there are no data files below DIR\n    hint: the folder DIR is there, but holds no data files",
		},
		"neither": {
			files: map[string]string{"t/part=1/a.parquet": "SELECT 'u1' AS user_id, TIMESTAMP '2026-03-02' AS ts"},
			want: `neither impressions nor events are recognised below DIR
    hint: columns are recognised by their names; write sources with columns by hand where they have others (docs/language.md)
DIR/t/part=*/*.parquet: as impressions: they lack a variation, an experiment or flag; as events: they lack an event key
    hint: its columns are user_id VARCHAR, ts TIMESTAMP, part in the names of folders alone`,
		},
		"no impressions": {
			files: map[string]string{"events/a.parquet": oneEvent, "b.parquet": oneOther},
			want: `no impressions are recognised below DIR, only events: DIR/events/*.parquet
    hint: impressions have the id of a unit, a timestamp, a variation, and an experiment or flag; name the folder that holds both
DIR/b.parquet: as impressions: they lack the id of a unit, a timestamp, a variation, an experiment or flag
    hint: its columns are a INTEGER, b VARCHAR`,
		},
		"no events": {
			files: map[string]string{"imps/a.parquet": oneImpression},
			want: `no events are recognised below DIR, only impressions: DIR/imps/*.parquet
    hint: events have the id of a unit, a timestamp and an event key; name the folder that holds both`,
		},
		"no time": {
			files: map[string]string{"imps.parquet": oneImpression, "events.parquet": "SELECT 'u1' AS user_id, 'buy' AS event, 'noon' AS ts"},
			want: `no events are recognised below DIR, only impressions: DIR/imps.parquet
    hint: events have the id of a unit, a timestamp and an event key; name the folder that holds both
DIR/events.parquet: as events: ts is no time: 0 of its 1 texts are, as 2026-03-02T10:00:00Z is
    hint: its columns are user_id VARCHAR, event VARCHAR, ts VARCHAR`,
		},
		"no common unit": {
			files: map[string]string{"imps.parquet": oneImpression, "events.parquet": "SELECT 'd1' AS device_id, 'buy' AS event, TIMESTAMP '2026-03-02' AS ts"},
			want: `impressions have ids of user, and events ids of device, so nothing tells which events are whose
    hint: both need a column with the id of the same kind of unit`,
		},
		"no rows": {
			files: map[string]string{"imps.parquet": oneImpression + " WHERE false", "events.parquet": oneEvent},
			want: `no row of DIR/imps.parquet has an experiment with a variation
    hint: a row needs the id of a unit and a timestamp too`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.folder(t)
			for file, query := range c.files {
				w.write(file, query)
			}
			_, err := Survey(t.Context(), w.engine, w.dir, func(string) {})
			var list diag.List
			if !errors.As(err, &list) {
				t.Fatalf("want diagnostics, have %v", err)
			}
			if diff := cmp.Diff(c.want, strings.ReplaceAll(list.Sorted().Error(), filepath.ToSlash(w.dir), "DIR")); diff != "" {
				t.Errorf("message (-want +have):\n%s", diff)
			}
		})
	}
}

// Files without rows are named, and a file that is no Parquet is an error about
// that file.
func TestSurveyOfOtherFiles(t *testing.T) {
	w := newWarehouse(t)
	write := func(file string) {
		if err := os.WriteFile(filepath.Join(w.dir, file), []byte("[]\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("a.ndjson")
	_, err := Survey(t.Context(), w.engine, w.dir, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "has a row, e.g. "+filepath.ToSlash(w.dir)+"/a.ndjson") {
		t.Errorf("the error does not name a.ndjson: %v", err)
	}
	w.write("events.parquet", oneEvent)
	write("broken.parquet")
	_, err = Survey(t.Context(), w.engine, w.dir, func(string) {})
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || filepath.Base(unreachable.Path) != "broken.parquet" {
		t.Errorf("want an error about broken.parquet, have %v", err)
	}
}

// Lines and fields are looked at as Parquet is: in files of one kind that lie
// beside each other, compressed or not, and without a type for times and numbers.
func TestSurveyOfLinesAndFields(t *testing.T) {
	const (
		line      = `{"user_id":%q,"flag":"nav","variation":%q,"ts":"2026-03-02T10:00:00Z"}` + "\n"
		eventLine = `{"user_id":%q,"event":"buy","time":1772449200000,"amount":%s,"props":{"n":%d}}` + "\n"
	)
	w := newWarehouse(t)
	w.bytes("a/imps.ndjson", []byte(fmt.Sprintf(line, "u1", "a")+"not an object\n"+fmt.Sprintf(line, "u2", "b")))
	w.bytes("a/imps-2.ndjson", nil)
	w.bytes("a/events/day=2026-03-02/1.jsonl.gz", gzipped(t, fmt.Sprintf(eventLine, "u1", "1.5", 1)))
	w.bytes("a/events/day=2026-03-02/2.jsonl.gz", gzipped(t, fmt.Sprintf(eventLine, "u2", `"2"`, 2)+`{"user_id":"u2","event":"view","time":1772449200000,"page":"home"}`))
	w.bytes("b/imps.csv", []byte("user_id;flag;variation;ts;is_holdout\nu1;nav;a;1772445600;false\nu2;nav;b;1772445600;true\n"))
	w.bytes("b/events/1.csv", []byte("user_id,event,time,amount,props\nu1,buy,1772449200000,1.5,\"{\"\"n\"\": 1}\"\n"))
	w.bytes("b/events/2.csv", []byte("amount,user_id,event,time,page\n2,u2,buy,1772449200000,\n,u2,view,1772449200000,home\n"))
	events := []string{"unit user: user_id", "timestamp ms: time", "event: event", "value: amount", "property *: props", "property amount: amount", "property page: page"}
	for folder, want := range map[string]struct{ sources, impressions []string }{
		"a": {
			[]string{"impressions imps: imps.ndjson", "events events: events/day=*/*.jsonl.gz by day"},
			[]string{"unit user: user_id", "timestamp : ts", "flag: flag", "variation: variation"},
		},
		"b": {
			[]string{"impressions imps: imps.csv", "events events: events/*.csv"},
			[]string{"unit user: user_id", "timestamp s: ts", "flag: flag", "variation: variation", "holdback: is_holdout"},
		},
	} {
		t.Run(folder, func(t *testing.T) {
			dir := filepath.Join(w.dir, folder)
			s := mustSurvey(t, w.engine, dir)
			if diff := cmp.Diff(want.sources, sourcesOf(s, dir)); diff != "" {
				t.Fatalf("sources (-want +found):\n%s", diff)
			}
			for i, columns := range [][]string{want.impressions, events} {
				if diff := cmp.Diff(columns, columnsOf(&s.Sources[i].Def.Columns)); diff != "" {
					t.Errorf("columns (-want +found):\n%s", diff)
				}
			}
			if n, m := s.Sources[0].Rows, s.Sources[1].Rows; n != 2 || m != 3 {
				t.Errorf("%d and %d rows, want 2 and 3", n, m)
			}
			if buy := s.Events[0]; buy.Key != "buy" || buy.Rows != 2 || buy.Values != 2 || buy.Property("n") == nil || buy.Property("n").Type != metrics.TypeNumber {
				t.Errorf("buy is %+v", buy)
			}
		})
	}
}
