package gen_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/internal/oracle"
	"github.com/metricsjob/metricsjob/internal/oracle/gen"
	"github.com/metricsjob/metricsjob/metrics"
)

// These tests are about the whole language, whatever the compiler has of it.
func init() { gen.SetPending(nil) }

// decode reads a case's definitions, which must say nothing that the decoder objects to;
// what changes nothing, which it warns of, may be drawn.
func decode(t testing.TB, yaml string) *metrics.Definitions {
	t.Helper()
	defs, diags := metrics.Decode([]metrics.SourceFile{{Path: "metrics.yaml", Text: []byte(yaml)}}, metrics.LoadOptions{})
	for _, d := range diags {
		if d.Severity.String() == "warning" && (d.Code == "no-effect" || d.Code == "likely-mistake") {
			continue
		}
		t.Fatalf("%v (%s)\n%s", d, d.Hint, yaml)
	}
	return defs
}

// The laws of semantics, section 10, that hold for any case.
func TestLaws(t *testing.T) {
	draw := rapid.Custom(gen.Draw)
	for seed := range 100 {
		c := draw.Example(seed)
		c.Input.Impressions, c.Input.Events = slices.Clip(c.Input.Impressions), slices.Clip(c.Input.Events)
		defs := decode(t, c.YAML)
		want := oracle.Run(defs, c.Input)
		same := func(law string, got oracle.Output) {
			if got.String() != want.String() {
				t.Fatalf("seed %d: %s changes the result: (-before +after)\n%s\n%s", seed, law, cmp.Diff(want.String(), got.String()), c)
			}
		}

		reversed := c.Input
		reversed.Impressions, reversed.Events = slices.Clone(c.Input.Impressions), slices.Clone(c.Input.Events)
		slices.Reverse(reversed.Impressions)
		slices.Reverse(reversed.Events)
		same("the order of rows", oracle.Run(defs, reversed))

		copied := c.Input
		for _, r := range c.Input.Impressions {
			if hasID(defs.Sources.Impressions, r.Source, r.ID) {
				copied.Impressions = append(copied.Impressions, r)
			}
		}
		for _, r := range c.Input.Events {
			if hasID(defs.Sources.Events, r.Source, r.ID) {
				copied.Events = append(copied.Events, r)
			}
		}
		same("copying every row that has an id", oracle.Run(defs, copied))

		strangers := c.Input
		for _, r := range c.Input.Events {
			r.Units = map[string]string{"user": "nobody", "device": "nothing"}
			strangers.Events = append(strangers.Events, r)
		}
		same("an event of a unit never exposed", oracle.Run(defs, strangers))

		alone := want
		alone.Experiments = nil
		for _, x := range defs.Experiments {
			one := *defs
			one.Experiments = nil
			for _, other := range defs.Experiments { // which x may name
				if other != x {
					archived := *other
					archived.Status.V = "archived"
					other = &archived
				}
				one.Experiments = append(one.Experiments, other)
			}
			alone.Experiments = append(alone.Experiments, oracle.Run(&one, c.Input).Experiments...)
		}
		same("running each experiment alone", alone)
	}
}

// hasID reports whether copies of a row are dropped.
func hasID(sources []*metrics.Source, name string, id []oracle.Value) bool {
	for _, s := range sources {
		if s.Name.V == name && s.Dedupe.V == metrics.DedupeNone && s.Dedupe.Set {
			return false
		}
		if s.Name.V == name && s.Dedupe.V == metrics.DedupeRow {
			return true
		}
	}
	return len(id) > 0 && !slices.Contains(id, nil)
}

// Cases reach what they are for. The shares are far below what is drawn.
func TestReach(t *testing.T) {
	const cases = 250
	met := map[string]int{}
	meet := func(what string, yes bool) {
		if yes {
			met[what]++
		}
	}
	draw := rapid.Custom(gen.Draw)
	for seed := range cases {
		c := draw.Example(seed)
		defs := decode(t, c.YAML)
		for _, f := range c.Features {
			meet(f, true)
		}
		for i, x := range oracle.Run(defs, c.Input).Experiments {
			meet("several variations", x.Counts.SeveralVariations > 0)
			meet("unknown variations", x.Counts.UnknownVariation > 0)
			meet("holdback", x.Counts.Holdback > 0)
			meet("audience", x.Counts.Audience > 0)
			for j, m := range x.Metrics {
				def := defs.Experiments[i].Metrics[j].Metric
				meet("overflow", m.Overflow)
				for _, cell := range m.Cells {
					meet("units left out", cell.Units < cell.Exposed)
					meet("(none)", cell.SegmentValue == metrics.None)
					meet("(other)", cell.SegmentValue == metrics.Other)
					if cell.Segment == metrics.Overall && cell.Events > 0 {
						meet("events", true)
						meet("ratios", m.Ratio)
						meet("averages", def.PerUnit.V == metrics.Average)
						meet("expressions", def.Value.IsSet())
						meet("conditions", def.Where.IsSet())
						meet("windows", !def.Window.Open())
						meet("sums", cell.X.Sign() != 0)
					}
				}
			}
		}
	}
	for what, least := range map[string]int{
		"several variations": 20, "unknown variations": 20, "holdback": 10, "audience": 10, "overflow": 1,
		"units left out": 50, "(none)": 50, "(other)": 1, "events": 100, "ratios": 20, "averages": 10,
		"expressions": 20, "conditions": 20, "windows": 50, "sums": 100,
		"funnel": 10, "funnel in any order": 3, "over a property": 10, "over: events": 5, "statistic: percentile": 10, "split_by": 10,
		"winsorize": 10, "after": 10, "activation": 10, "cuped": 10, "numerator_within": 5, "ratios with one side the same": 3, "event: impression": 10,
		"identity: strict": 3, "identity: first_touch": 3, "stratified phases": 3, "last phase": 3, "unit attributes": 10,
		"segment from events": 5, "segment by experiment": 5, "segment by unit attribute": 5, "exclude_units": 5, "exclude_units_in": 3,
		"multiple_variations: each": 10, "match by JSON value": 5, "dedupe: row": 10, "weight": 5, "files of NDJSON": 10, "files of CSV": 10,
	} {
		if met[what] < least {
			t.Errorf("%d times %s in %d cases, want at least %d", met[what], what, cases, least)
		}
	}
	t.Log(met)
}

// The statement was run by DuckDB 1.5.5, which wrote the cells as they stand here.
func TestCopy(t *testing.T) {
	table := gen.Table{
		Path: "t.parquet",
		Columns: []gen.Column{
			{Name: "a", Type: "VARCHAR"}, {Name: "b", Type: "DOUBLE"}, {Name: "c", Type: "DECIMAL(18, 2)"},
			{Name: "d", Type: "TIMESTAMP"}, {Name: "e", Type: "MAP(VARCHAR, VARCHAR)"}, {Name: "f", Type: "BOOLEAN"},
		},
		Rows: [][]any{
			{"it's", 0.1, oracle.Decimal{Unscaled: -105, Scale: 2}, time.Date(2026, 3, 2, 1, 2, 3, 4000, time.UTC), []gen.Field{{Name: "k", Value: nil}}, true},
			{nil, nil, nil, nil, []gen.Field(nil), nil},
		},
	}
	want := `COPY (SELECT CAST(r."a" AS VARCHAR) AS "a", CAST(r."b" AS DOUBLE) AS "b", CAST(r."c" AS DECIMAL(18, 2)) AS "c", CAST(r."d" AS TIMESTAMP) AS "d", CAST(r."e" AS MAP(VARCHAR, VARCHAR)) AS "e", CAST(r."f" AS BOOLEAN) AS "f" FROM (SELECT unnest(from_json_strict('[{"a": "it''s", "b": "0.1", "c": "-1.05", "d": "2026-03-02 01:02:03.000004", "e": {"k": null}, "f": true},
  {"a": null, "b": null, "c": null, "d": null, "e": {}, "f": null}]', '[{"a": "VARCHAR", "b": "VARCHAR", "c": "VARCHAR", "d": "VARCHAR", "e": "MAP(VARCHAR, VARCHAR)", "f": "VARCHAR"}]')) AS r)) TO 'it''s.parquet' (FORMAT parquet)`
	if got := table.Copy("it's.parquet"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
