package metrics

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// PresetFile is a known export: how its impressions, events and units are read.
type PresetFile struct {
	Description string
	// Notes are what else one has to know, in sentences; empty: nothing.
	Notes string
	// Impressions, Events and Units are nil where the export has none.
	Impressions, Events, Units *PresetSource
}

// Source is what the preset says of a role; nil: nothing.
func (p PresetFile) Source(role SourceRole) *PresetSource {
	switch role {
	case RoleImpressions:
		return p.Impressions
	case RoleEvents:
		return p.Events
	case RoleUnits:
		return p.Units
	}
	return nil
}

// PresetSource is how the rows of one role are found in a known export, in the
// words of a source.
type PresetSource struct {
	// Signs are columns and paths that together tell the export from others.
	Signs   []Expr
	Where   Expr
	Rows    Text
	Dedupe  At[Dedupe]
	Columns Columns
	// Environments are columns that tell the rows of several environments, projects or
	// accounts apart.
	Environments []Expr
	// Internal are names among the properties, of impressions and units among the
	// attributes, that the vendor's software writes for itself.
	Internal []Text
}

// presetDraft is what a preset file says.
type presetDraft struct {
	description, notes         Text
	impressions, events, units *PresetSource
}

func presetSourceObject(role SourceRole, columns *object[columnsDraft]) *object[PresetSource] {
	return &object[PresetSource]{
		name: "preset of " + string(role),
		doc:  "how the rows of a known export are read",
		fields: []field[PresetSource]{
			row("signs", listOf(expression, "a list of columns and paths"), func(s *PresetSource) *[]Expr { return &s.Signs },
				"the columns and paths that tell the export from others"),
			row("where", expression, func(s *PresetSource) *Expr { return &s.Where }, "only rows for which it is true are of the role"),
			row("environments", listOf(expression, "a list of columns and paths"), func(s *PresetSource) *[]Expr { return &s.Environments },
				"the columns that tell the rows of several environments, projects or accounts apart"),
			row("rows", text, func(s *PresetSource) *Text { return &s.Rows }, "a list in some records, the elements of which are the rows"),
			row("dedupe", oneOf(DedupeID, DedupeRow, DedupeNone), func(s *PresetSource) *At[Dedupe] { return &s.Dedupe }, "which rows are one"),
			{
				name: "columns",
				doc:  columns.doc,
				read: func(d *decoder, n *yaml.Node, into *PresetSource) bool {
					c, ok := columns.kind().decode(d, n)
					into.Columns = c.Columns
					return ok
				},
				schema: columns.schema,
				canon:  columns.canon,
			},
			row("internal", texts, func(s *PresetSource) *[]Text { return &s.Internal },
				"names among the properties, or else the attributes, that the vendor's software writes for itself"),
		},
		flow: "{columns: {…}}",
	}
}

var presetObject = &object[presetDraft]{
	name: "preset",
	doc:  "a known export",
	fields: []field[presetDraft]{
		row("description", text, func(p *presetDraft) *Text { return &p.description }, "which export it is").needed("the tables of …"),
		row("notes", text, func(p *presetDraft) *Text { return &p.notes }, "what else one has to know"),
		row("impressions", pointer(presetSourceObject(RoleImpressions, impressionColumns).kind()), func(p *presetDraft) **PresetSource { return &p.impressions }, "its impressions"),
		row("events", pointer(presetSourceObject(RoleEvents, eventColumns).kind()), func(p *presetDraft) **PresetSource { return &p.events }, "its events"),
		row("units", pointer(presetSourceObject(RoleUnits, unitsColumns).kind()), func(p *presetDraft) **PresetSource { return &p.units }, "its units"),
	},
}

// DecodePreset reads a preset: a YAML file with a description and what a source
// of impressions, events or units says of its rows. The error wraps a diag.List.
func DecodePreset(name string, text []byte) (PresetFile, error) {
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
		Notes:       p.notes.V,
		Impressions: p.impressions,
		Events:      p.events,
		Units:       p.units,
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
	out := Bag{From: preset.From, Named: append([]NamedColumn(nil), preset.Named...), Internal: preset.Internal}
	if b.From.IsSet() {
		out.From, out.Internal = b.From, b.Internal
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

// MappedColumn is one column that a source maps: what it means, such as
// units.user, and the expression.
type MappedColumn struct {
	Name   string
	Column *Expr
}

// Mapped are the columns that are mapped.
func (c *Columns) Mapped() []MappedColumn {
	var all []MappedColumn
	add := func(name string, e *Expr) {
		if e.IsSet() {
			all = append(all, MappedColumn{name, e})
		}
	}
	for i := range c.Units {
		add("units."+c.Units[i].Kind.V, &c.Units[i].Column)
	}
	add("experiment", &c.Experiment)
	add("flag", &c.Flag)
	add("variation", &c.Variation)
	add("event", &c.Event)
	add("timestamp", &c.Timestamp.Column)
	add("value", &c.Value)
	add("holdback", &c.Holdback)
	add("weight", &c.Weight)
	for i := range c.ID {
		add("id", &c.ID[i])
	}
	for _, b := range []struct {
		name string
		*Bag
	}{{"properties", &c.Properties}, {"attributes", &c.Attributes}} {
		add(b.name, &b.From)
		for i := range b.Named {
			add(b.name+"."+b.Named[i].Name.V, &b.Named[i].Column)
		}
	}
	return all
}
