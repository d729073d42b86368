package metrics

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const presetText = `
description: a known export
impressions:
  where: kind == "feature"
  columns:
    units: {user: visitor_id}
    experiment: experiment_id
    variation: variation_id
    timestamp: timestamp
events:
  signs: [visitor_id, tags]
  dedupe: row
  columns:
    units: {user: visitor_id, session: session_id}
    event: event_name
    timestamp: {column: ts, epoch: ms}
    value: revenue
    properties: {from: tags, revenue: revenue, quantity: quantity}
    id: uuid
`

func TestDecodePreset(t *testing.T) {
	p, err := DecodePreset("known.yaml", []byte(presetText))
	if err != nil {
		t.Fatal(err)
	}
	if p.Description != "a known export" || p.Events.Columns.Timestamp.Epoch != "ms" || p.Impressions.Columns.Variation.Src != "variation_id" ||
		p.Impressions.Where.Src != `kind == "feature"` || p.Events.Dedupe.V != DedupeRow || len(p.Events.Signs) != 2 || p.Units != nil {
		t.Errorf("preset is %+v", p)
	}
	_, err = DecodePreset("known.yaml", []byte(strings.Replace(presetText, "event:", "evnt:", 1)))
	if err == nil || !strings.Contains(err.Error(), `known.yaml:15:5: unknown key "evnt" in the columns of events`) {
		t.Errorf("error is %v", err)
	}
}

// TestColumnsOver lays a user's columns over those of a preset.
func TestColumnsOver(t *testing.T) {
	p, err := DecodePreset("known.yaml", []byte(presetText))
	if err != nil {
		t.Fatal(err)
	}
	own, err := DecodePreset("own.yaml", []byte(`
description: the user's
events:
  columns:
    units: {user: my_id, device: device_id}
    value: amount
    properties: {quantity: n, page: url}
`))
	if err != nil {
		t.Fatal(err)
	}
	c := own.Events.Columns.Over(p.Events.Columns)
	var got []string
	for _, u := range c.Units {
		got = append(got, "unit "+u.Kind.V+": "+u.Column.Src)
	}
	got = append(got, "event: "+c.Event.Src, "value: "+c.Value.Src, "epoch: "+c.Timestamp.Epoch, "id: "+c.ID[0].Src, "from: "+c.Properties.From.Src)
	for _, n := range c.Properties.Named {
		got = append(got, "property "+n.Name.V+": "+n.Column.Src)
	}
	want := []string{
		"unit user: my_id", "unit session: session_id", "unit device: device_id",
		"event: event_name", "value: amount", "epoch: ms", "id: uuid", "from: tags",
		"property revenue: revenue", "property quantity: n", "property page: url",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	if p.Events.Columns.Units[0].Column.Src != "visitor_id" || p.Events.Columns.Properties.Named[1].Column.Src != "quantity" {
		t.Error("the preset itself was changed")
	}
}
