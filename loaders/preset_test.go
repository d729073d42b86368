package loaders

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

func TestPresetsDecode(t *testing.T) {
	for _, name := range Presets() {
		preset, err := Preset(name)
		if err != nil {
			t.Error(err)
		}
		if preset.Description == "" {
			t.Errorf("%s has no description", name)
		}
	}
}

// load decodes definitions and fills in presets.
func load(t *testing.T, text string) (*metrics.Definitions, string) {
	t.Helper()
	defs, list := metrics.Decode([]metrics.SourceFile{{Path: "metrics.yaml", Text: []byte(text)}}, metrics.LoadOptions{})
	if list.HasErrors() {
		t.Fatal(list)
	}
	if list := ApplyPresets(defs); len(list) > 0 {
		return defs, list.Error()
	}
	return defs, ""
}

const presetHead = `version: 1
sources:
  impressions:
    - name: decisions
      preset: optimizely
      path: decisions
`

func TestApplyPresets(t *testing.T) {
	defs, said := load(t, presetHead+`  events:
    - name: orders
      preset: optimizely
      path: events
      columns: {event: entity_id, properties: {revenue: cents}, units: {session: session_id}}
`)
	if said != "" {
		t.Fatal(said)
	}
	sources := func(c metrics.Columns) map[string]string {
		out := map[string]string{}
		for _, u := range c.Units {
			out["units."+u.Kind.V] = u.Column.Src
		}
		for _, n := range c.Properties.Named {
			out["properties."+n.Name.V] = n.Column.Src
		}
		out["properties"], out["attributes"], out["event"] = c.Properties.From.Src, c.Attributes.From.Src, c.Event.Src
		out["experiment"], out["variation"], out["holdback"] = c.Experiment.Src, c.Variation.Src, c.Holdback.Src
		out["timestamp"], out["value"], out["id"] = c.Timestamp.Column.Src, c.Value.Src, c.ID[0].Src
		for k, v := range out {
			if v == "" {
				delete(out, k)
			}
		}
		return out
	}
	// vendors.md, "A - to load".
	if diff := cmp.Diff(map[string]string{
		"units.user": "visitor_id", "experiment": "experiment_id", "variation": "variation_id", "timestamp": "timestamp",
		"id": "uuid", "holdback": "is_holdback", "attributes": "attributes",
	}, sources(defs.Sources.Impressions[0].Columns)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{
		"units.user": "visitor_id", "units.session": "session_id", "event": "entity_id", "timestamp": "timestamp", "id": "uuid", "value": "revenue",
		"properties": "tags", "properties.revenue": "cents", "properties.value": "value", "properties.quantity": "quantity", "attributes": "attributes",
	}, sources(defs.Sources.Events[0].Columns)); diff != "" {
		t.Error(diff)
	}
	if pos := defs.Sources.Impressions[0].Columns.Variation.Pos.String(); pos != "metrics.yaml:5:15" {
		t.Errorf("a preset's column stands at %s, not where the preset is named", pos)
	}
}

func TestApplyPresetsRefuses(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"misspelt", "version: 1\nsources:\n  events:\n    - {name: e, preset: optimizly, path: events}\n",
			"metrics.yaml:4:25: there is no preset \"optimizly\"\n    hint: did you mean \"optimizely\"?"},
		{"unknown", "version: 1\nsources:\n  events:\n    - {name: e, preset: home_grown, path: events}\n",
			"metrics.yaml:4:25: there is no preset \"home_grown\"\n    hint: metricsjob presets lists them; or write columns"},
		{"unknown for the role", "version: 1\nsources:\n  units:\n    - {name: e, preset: optimizely, path: units}\n",
			"metrics.yaml:4:25: source \"e\" maps no units, and neither does the preset optimizely for units\n    hint: write it under columns"},
		{"unit kind", presetHead + `metrics:
  - {key: bought, event: purchase, measure: occurrence, better: higher}
experiments:
  - key: green
    flag: green
    unit: usr
    start: 2026-03-02
    variations: [{key: a, baseline: true}, {key: b}]
    metrics: {primary: [bought]}
`, "metrics.yaml:12:11: no impressions source of experiment green has the unit kind \"usr\"\n    hint: did you mean \"user\"?"},
		{"unit kind of excluded units", presetHead + `  exclude_units:
    - {path: staff.parquet, columns: {units: {usr: id, user: id, device: id}}}
`, "metrics.yaml:8:47: no source has the unit kind \"usr\", so none of these units would be left out\n    hint: did you mean \"user\"?\n" +
			"metrics.yaml:8:66: no source has the unit kind \"device\", so none of these units would be left out\n    hint: the only one here is user"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, said := load(t, tc.text); said != tc.want {
				t.Errorf("said:\n%s\nwant:\n%s", said, tc.want)
			}
		})
	}
}

// What a vendor's software writes for itself is no property of events, and no attribute
// of impressions and units.
func TestInternalNamesOfPresets(t *testing.T) {
	for role, want := range map[metrics.SourceRole][2]bool{
		metrics.RoleImpressions: {false, true}, metrics.RoleEvents: {true, false}, metrics.RoleUnits: {false, true},
	} {
		src := &metrics.Source{Role: role, Preset: metrics.Text{V: "vwo", Set: true}}
		var list diag.List
		applyPreset(src, &list)
		c := src.Columns
		got := [2]bool{slices.Contains(c.Properties.Internal, "vwo_envKey"), slices.Contains(c.Attributes.Internal, "vwo_fs_environment")}
		if got != want || len(list) > 0 {
			t.Errorf("%s: internal among properties and attributes: %v, want %v; %v", role, got, want, list)
		}
	}
}
