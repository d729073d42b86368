package metrics

import (
	"fmt"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// PresetFile is the columns of a known export, in the words of a source's
// columns.
type PresetFile struct {
	Description string
	Impressions Columns
	Events      Columns
	Units       Columns
}

// presetDraft is what a preset file says.
type presetDraft struct {
	description                Text
	impressions, events, units columnsDraft
}

var presetObject = &object[presetDraft]{
	name: "preset",
	doc:  "the columns of a known export",
	fields: []field[presetDraft]{
		row("description", text, func(p *presetDraft) *Text { return &p.description }, "which export it is").needed("the tables of …"),
		row("impressions", impressionColumns.kind(), func(p *presetDraft) *columnsDraft { return &p.impressions }, "the columns of its impressions"),
		row("events", eventColumns.kind(), func(p *presetDraft) *columnsDraft { return &p.events }, "the columns of its events"),
		row("units", unitsColumns.kind(), func(p *presetDraft) *columnsDraft { return &p.units }, "the columns of its units"),
	},
}

// DecodeColumns reads a preset: a YAML file with a description and the columns
// of impressions, events and units. The error wraps a diag.List.
func DecodeColumns(name string, text []byte) (PresetFile, error) {
	var diags diag.List
	d := newDecoder(SourceFile{Path: name, Text: text}, LoadOptions{}, &diags)
	var p presetDraft
	if root := d.parse(string(text)); root != nil {
		presetObject.read(d, root, &p)
	}
	if err := diags.Err(); err != nil {
		return PresetFile{}, fmt.Errorf("read preset %s: %w", name, err)
	}
	return PresetFile{
		Description: p.description.V,
		Impressions: p.impressions.Columns,
		Events:      p.events.Columns,
		Units:       p.units.Columns,
	}, nil
}

// Over returns the columns of preset with those of c in their place. Unit
// kinds and the names in bags are replaced one by one.
func (c Columns) Over(preset Columns) Columns {
	out := preset
	out.Units = append([]UnitColumn(nil), preset.Units...)
	for _, u := range c.Units {
		out.Units = put(out.Units, u, func(o UnitColumn) bool { return o.Kind.V == u.Kind.V })
	}
	for _, e := range []struct {
		into *Expr
		own  Expr
	}{
		{&out.Experiment, c.Experiment}, {&out.Flag, c.Flag}, {&out.Variation, c.Variation}, {&out.Event, c.Event},
		{&out.Value, c.Value}, {&out.Holdback, c.Holdback}, {&out.Weight, c.Weight},
	} {
		if e.own.IsSet() {
			*e.into = e.own
		}
	}
	if c.Timestamp.Column.IsSet() {
		out.Timestamp = c.Timestamp
	}
	if len(c.ID) > 0 {
		out.ID = c.ID
	}
	out.Properties = c.Properties.over(preset.Properties)
	out.Attributes = c.Attributes.over(preset.Attributes)
	if c.Pos.IsValid() {
		out.Pos = c.Pos
	}
	return out
}

// over returns preset with the entries of b in their place.
func (b Bag) over(preset Bag) Bag {
	out := Bag{From: preset.From, Named: append([]NamedColumn(nil), preset.Named...)}
	if b.From.IsSet() {
		out.From = b.From
	}
	for _, n := range b.Named {
		out.Named = put(out.Named, n, func(o NamedColumn) bool { return o.Name.V == n.Name.V })
	}
	return out
}

// put replaces the entry that is the same, or adds v.
func put[T any](list []T, v T, same func(T) bool) []T {
	for i := range list {
		if same(list[i]) {
			list[i] = v
			return list
		}
	}
	return append(list, v)
}
