package loaders

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// text makes a file of text.
func (w *warehouse) text(file, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, file), []byte(text), 0o666); err != nil {
		w.t.Fatal(err)
	}
}

// Columns are mapped whatever they are called, but for names that definitions cannot
// have as they are; the fields of a STRUCT are not mapped one by one.
func TestSurveyOfNamesWithBlanks(t *testing.T) {
	w := newWarehouse(t)
	w.text("imps.csv", "User ID,Experiment Name,Variation,Exposed At,Country Code\nu1,Nav,A,2026-03-02 10:00:00,DE\n")
	w.text("events.csv", "User ID,Event,Time,Item Name,Price (USD),a+b,Größe,from,it's,a.b\nu1,buy,2026-03-02 11:00:00,hat,3,1,x,y,z,v\n")
	s := mustSurvey(t, w.engine, w.dir)
	for i, want := range [][]string{
		{"unit user: User ID", "timestamp : Exposed At", "experiment: Experiment Name", "variation: Variation", "attribute Country Code: Country Code"},
		{"unit user: User ID", "timestamp : Time", "event: Event", "property Item Name: Item Name", "property Price (USD): Price (USD)", "property a+b: a+b", "property Größe: Größe"},
	} {
		if diff := cmp.Diff(want, columnsOf(&s.Sources[i].Def.Columns)); diff != "" {
			t.Errorf("columns (-want +found):\n%s", diff)
		}
	}
	if diff := cmp.Diff([]string{"from VARCHAR", "it's VARCHAR", "a.b VARCHAR"}, s.Sources[1].Unmapped); diff != "" {
		t.Errorf("not mapped (-want +found):\n%s", diff)
	}
}

// The only column that can hold named values holds the attributes, or the properties,
// whatever it is called; where its values are no objects it is one of them.
func TestSurveyOfTheOnlyBag(t *testing.T) {
	for name, c := range map[string]struct {
		line string // of what is beside the columns of an impression
		want []string
	}{
		"an object":      {`"ctx": {"os": "ios"}`, []string{"attribute *: ctx"}},
		"a list":         {`"items": [1, 2]`, []string{"attribute items: items"}},
		"two of them":    {`"ctx": {"os": "ios"}, "device": {"model": "x"}`, nil},
		"one of a name":  {`"ctx": {"os": "ios"}, "attributes": {"model": "x"}`, []string{"attribute *: attributes"}},
		"a text in JSON": {`"ctx": "{\"os\": \"ios\"}"`, []string{"attribute ctx: ctx"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWarehouse(t)
			w.text("imps.ndjson", `{"user_id": "u1", "flag": "nav", "variation": "a", "ts": "2026-03-02T10:00:00Z", `+c.line+"}\n")
			w.text("events.ndjson", `{"user_id": "u1", "event": "buy", "ts": "2026-03-02T10:00:00Z"}`+"\n")
			s := mustSurvey(t, w.engine, w.dir)
			want := append([]string{"unit user: user_id", "timestamp : ts", "flag: flag", "variation: variation"}, c.want...)
			if diff := cmp.Diff(want, columnsOf(&s.Sources[0].Def.Columns)); diff != "" {
				t.Errorf("columns (-want +found):\n%s", diff)
			}
		})
	}
}

// Of files without rows, and of columns without values, it is said that there are none.
func TestSurveyOfNoRows(t *testing.T) {
	w := newWarehouse(t)
	w.text("imps.csv", "user_id,flag,variation,ts\n")
	w.text("events.csv", "user_id,event,ts\nu1,buy,\n")
	_, err := Survey(t.Context(), w.engine, w.dir, func(string) {})
	var list diag.List
	if !errors.As(err, &list) {
		t.Fatalf("no list: %v", err)
	}
	said := list.Error()
	for _, want := range []string{"as impressions: there are no rows;", "as events: no row has a ts"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
}

// What is neither impressions nor events may be about units, by the ids that it has; a row
// of it may be an event where it has a time too.
func TestSurveyOfRowsAboutUnits(t *testing.T) {
	w := newWarehouse(t)
	w.write("imps.parquet", oneImpression)
	w.write("events.parquet", oneEvent)
	for name, query := range map[string]string{
		"fact":   oneFact,
		"ids":    "SELECT 'u1' AS user_id",
		"other":  oneOther,
		"pairs":  "SELECT 'u1' AS user_id, 'd1' AS device_id",
		"people": "SELECT 'u1' AS user_id, 'pro' AS plan, TIMESTAMP '2026-03-02 10:00:00' AS valid_from, 2.5 AS score",
		"served": "SELECT 'u1' AS user_id, 'f' AS flag, 'a' AS variation",
		"done":   "SELECT 'u1' AS user_id, 'buy' AS event_name, 'x' AS sku",
	} {
		w.write(name+"/a.parquet", query)
	}
	s := mustSurvey(t, w.engine, w.dir)
	got := map[string][]string{}
	for _, u := range s.Others {
		lines := []string{}
		if u.OneEach {
			lines = append(lines, "may be events")
		}
		if u.About != nil {
			lines = append(lines, columnsOf(u.About)...)
		}
		got[filepath.Base(filepath.Dir(u.Paths[0]))] = lines
	}
	if diff := cmp.Diff(map[string][]string{
		"fact":   {"may be events", "unit user: user_id", "attribute amount: amount"},
		"ids":    {"unit user: user_id"},
		"other":  {"may be events"},
		"pairs":  {"unit user: user_id", "unit device: device_id"},
		"people": {"unit user: user_id", "timestamp : valid_from", "attribute plan: plan"},
		"served": {"may be events"},
		"done":   {"may be events"},
	}, got); diff != "" {
		t.Errorf("about units (-want +found):\n%s", diff)
	}
}

// Where there is Parquet, other files are looked at for what it lacks: they may hold the
// same rows.
func TestSurveyOfSeveralFormats(t *testing.T) {
	w := newWarehouse(t)
	const shown, done = "user_id,flag,variation,ts\nu1,f,a,2026-03-02 10:00:00\n", "user_id,event,ts\nu1,buy,2026-03-02 11:00:00\n"
	for name, c := range map[string]struct {
		parquet       map[string]string
		want, notRead []string
	}{
		"all": {
			map[string]string{"imps.parquet": oneImpression, "events.parquet": oneEvent},
			[]string{"impressions imps: imps.parquet", "events events: events.parquet"},
			[]string{"done.csv", "shown.csv", "some.csv"},
		},
		"impressions": {
			map[string]string{"imps.parquet": oneImpression},
			[]string{"impressions imps: imps.parquet", "events done: done.csv", "other: some.csv"},
			[]string{"shown.csv"},
		},
		"events": {
			map[string]string{"events.parquet": oneEvent},
			[]string{"impressions shown: shown.csv", "events events: events.parquet", "other: some.csv"},
			[]string{"done.csv"},
		},
		"neither": {
			map[string]string{"more.parquet": oneOther},
			[]string{"impressions shown: shown.csv", "events done: done.csv", "other: more.parquet", "other: some.csv"}, nil,
		},
		"nothing": {nil, []string{"impressions shown: shown.csv", "events done: done.csv", "other: some.csv"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.folder(t)
			for file, query := range c.parquet {
				w.write(file, query)
			}
			w.text("shown.csv", shown)
			w.text("done.csv", done)
			w.text("some.csv", "a,b\n1,2\n")
			s := mustSurvey(t, w.engine, w.dir)
			if diff := cmp.Diff(c.want, sourcesOf(s, w.dir)); diff != "" {
				t.Errorf("sources (-want +found):\n%s", diff)
			}
			var notRead []string
			for _, file := range s.NotRead {
				notRead = append(notRead, filepath.Base(file))
			}
			if diff := cmp.Diff(c.notRead, notRead); diff != "" {
				t.Errorf("not looked at (-want +found):\n%s", diff)
			}
		})
	}
}
