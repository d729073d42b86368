package loaders

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// presetFiles hold what is known of exports, one file each.
//
//go:embed presets/*.yaml
var presetFiles embed.FS

// Presets are the names of the known exports, sorted.
func Presets() []string {
	entries, err := presetFiles.ReadDir("presets")
	if err != nil {
		panic("loaders: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// Preset gives a known export.
func Preset(name string) (metrics.PresetFile, error) {
	file := name + ".yaml"
	text, err := presetFiles.ReadFile(path.Join("presets", file))
	if err != nil {
		return metrics.PresetFile{}, fmt.Errorf("read preset %s: %w", name, err)
	}
	return metrics.DecodePreset(file, text)
}

// ApplyPresets fills the columns of every source that names a preset where
// its own columns say nothing, and checks what could not be checked before:
// that such a source maps what it needs, and that it has the unit kinds of
// the experiments that read it, and some source those of the excluded units.
func ApplyPresets(defs *metrics.Definitions) diag.List {
	var list diag.List
	names := Presets()
	for _, src := range slices.Concat(defs.Sources.Impressions, defs.Sources.Events, defs.Sources.Units) {
		if !src.Preset.Set {
			continue
		}
		if !slices.Contains(names, src.Preset.V) {
			said := list.Errorf(src.Preset.Pos, "unknown-preset", "there is no preset %q", src.Preset.V)
			if said.Hint = diag.DidYouMean(src.Preset.V, names); said.Hint == "" {
				said.WithHint("metricsjob presets lists them; or write columns")
			}
			continue
		}
		applyPreset(src, &list)
	}
	if !list.HasErrors() {
		checkUnitKinds(defs, &list)
		checkExcludedKinds(defs, &list)
	}
	return list
}

// applyPreset fills in what a source does not say itself.
func applyPreset(src *metrics.Source, list *diag.List) {
	preset, err := Preset(src.Preset.V)
	if err != nil {
		panic("loaders: " + err.Error())
	}
	known := preset.Source(src.Role)
	if known == nil {
		known = &metrics.PresetSource{}
	}
	for _, e := range known.Columns.Mapped() {
		*e.Column = ofPreset(*e.Column, src)
	}
	if !src.Dedupe.Set && len(src.Columns.ID) == 0 {
		src.Dedupe = known.Dedupe
		src.Dedupe.Pos = src.Preset.Pos
	}
	switch {
	case src.Rows.V == "null": // which switches the preset's off
		src.Rows = metrics.Text{}
	case !src.Rows.Set && known.Rows.Set:
		src.Rows = known.Rows
		src.Rows.Pos = src.Preset.Pos
	}
	src.PresetWhere = ofPreset(known.Where, src)
	bag := &known.Columns.Properties
	if src.Role != metrics.RoleEvents {
		bag = &known.Columns.Attributes
	}
	for _, name := range known.Internal {
		bag.Internal = append(bag.Internal, name.V)
	}
	src.Columns = src.Columns.Over(known.Columns)
	checkRequired(src, list)
}

// ofPreset is an expression of a preset in a source: what is said about it is
// said about the line that names the preset, and what the data lacks is missing.
func ofPreset(e metrics.Expr, src *metrics.Source) metrics.Expr {
	return metrics.Expr{Src: e.Src, Pos: src.Preset.Pos, Tolerant: true}
}

// withoutAbsent is a source without what its preset maps, the data lacks, and
// rows can do without: not every table of a vendor has every column.
func withoutAbsent(def *metrics.Source, columns []compiler.Column) *metrics.Source {
	absent := func(e metrics.Expr) bool { return compiler.Absent(e, columns) }
	out := *def
	c := &out.Columns
	optional := []*metrics.Expr{&c.Value, &c.Holdback, &c.Weight, &c.Properties.From, &c.Attributes.From}
	switch {
	case absent(c.Flag) && c.Experiment.IsSet():
		optional = append(optional, &c.Flag)
	case absent(c.Experiment) && c.Flag.IsSet():
		optional = append(optional, &c.Experiment)
	}
	for _, e := range optional {
		if absent(*e) {
			*e = metrics.Expr{}
		}
	}
	if units := slices.DeleteFunc(slices.Clone(c.Units), func(u metrics.UnitColumn) bool { return absent(u.Column) }); len(units) > 0 {
		c.Units = units
	}
	for _, b := range []*metrics.Bag{&c.Properties, &c.Attributes} {
		b.Named = slices.DeleteFunc(slices.Clone(b.Named), func(n metrics.NamedColumn) bool { return absent(n.Column) })
	}
	return &out
}

// fitsPreset reports whether the data has the columns without which rows of a preset are
// none. Where it lacks several it is another export, and which one is said if its columns
// are known.
func (in *inspector) fitsPreset() bool {
	var lost []string
	for _, m := range in.def.Columns.Mapped() {
		if !strings.HasPrefix(m.Name, "id") && compiler.Absent(*m.Column, in.columns) {
			lost = append(lost, m.Name)
		}
	}
	if len(lost) < 2 {
		return true
	}
	said := in.list.Errorf(in.def.Preset.Pos, "another-preset", "source %q has no columns for %s, as the preset %s reads them", in.def.Name.V, some(lost, 5), in.def.Preset.V)
	said.WithHint("it may be another export: metricsjob presets lists those that are known; or map them under columns")
	if r, ok := recognisePreset(in.schema.columns); ok && r.preset != in.def.Preset.V {
		said.WithHint("its columns are those of another export: preset: %s", r.preset)
	}
	return false
}

// checkRequired reports the columns that neither the source nor its preset maps.
func checkRequired(src *metrics.Source, list *diag.List) {
	c := &src.Columns
	missing := func(name string) {
		list.Errorf(src.Preset.Pos, "missing-field", "source %q maps no %s, and neither does the preset %s for %s", src.Name.V, name, src.Preset.V, src.Role).
			WithHint("write it under columns")
	}
	if len(c.Units) == 0 {
		missing("units")
	}
	if src.Role == metrics.RoleUnits {
		return
	}
	if !c.Timestamp.Column.IsSet() {
		missing("timestamp")
	}
	if src.Role == metrics.RoleEvents && !c.Event.IsSet() {
		missing("event")
	}
	if src.Role == metrics.RoleImpressions && !c.Variation.IsSet() {
		missing("variation")
	}
	if src.Role == metrics.RoleImpressions && !c.Experiment.IsSet() && !c.Flag.IsSet() {
		missing("experiment or flag")
	}
	if src.Dedupe.V == metrics.DedupeID && len(c.ID) == 0 {
		missing("id, which dedupe needs,")
	}
}

// checkUnitKinds checks that every experiment has a source of impressions
// with its unit kind.
func checkUnitKinds(defs *metrics.Definitions, list *diag.List) {
	for _, e := range defs.Experiments {
		var kinds []string
		read := 0
		for _, src := range defs.Sources.Impressions {
			named := func(n metrics.Text) bool { return n.V == src.Name.V }
			if len(e.Source) > 0 && !slices.ContainsFunc(e.Source, named) {
				continue
			}
			read++
			for _, u := range src.Columns.Units {
				kinds = append(kinds, u.Kind.V)
			}
		}
		if read == 0 || slices.Contains(kinds, e.Unit.V) {
			continue
		}
		slices.Sort(kinds)
		kinds = slices.Compact(kinds)
		said := list.Errorf(e.Unit.Pos, "unknown-name", "no impressions source of experiment %s has the unit kind %q", e.Key.V, e.Unit.V)
		if said.Hint = diag.DidYouMean(e.Unit.V, kinds); said.Hint == "" {
			said.WithHint("the unit kinds are the keys of units: %s", strings.Join(kinds, ", "))
		}
	}
}

// checkExcludedKinds checks that the rows of some source can be of an excluded
// unit: a list of ids of a kind that is nowhere would leave nothing out.
func checkExcludedKinds(defs *metrics.Definitions, list *diag.List) {
	var kinds []string
	for _, src := range slices.Concat(defs.Sources.Impressions, defs.Sources.Events, defs.Sources.Units) {
		for _, u := range src.Columns.Units {
			kinds = append(kinds, u.Kind.V)
		}
	}
	for _, src := range defs.Sources.ExcludeUnits {
		for _, u := range src.Columns.Units {
			if len(kinds) > 0 && !slices.Contains(kinds, u.Kind.V) {
				said := list.Errorf(u.Kind.Pos, "unknown-name", "no source has the unit kind %q, so none of these units would be left out", u.Kind.V)
				said.Hint = diag.Suggest("unit kinds", u.Kind.V, kinds)
			}
		}
	}
}
