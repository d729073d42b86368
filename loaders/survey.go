package loaders

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/metrics"
)

// Survey looks at the data files below a folder, or at a URL in an object store:
// which are impressions and which are events, by a preset or by the names and
// types of their columns, and what their rows hold. It does so for somebody who
// has no definitions yet. Where there are Parquet files, it looks at others only for
// what they lack, impressions or events: the others may hold the same rows.
//
// A folder from which no definitions can be written is a diag.List without
// places; files that cannot be read are an *[UnreachableError]. The progress is
// told to tell.
func Survey(ctx context.Context, engine *Engine, folder string, tell func(step string)) (*metrics.Survey, error) {
	tell("looking for files")
	x, err := openExported(ctx, engine, folder)
	if err != nil {
		return nil, err
	}
	s := &surveyor{engine: engine, export: x, out: &metrics.Survey{NotRead: x.further}}
	if err := s.tables(ctx, tell); err != nil {
		return nil, err
	}
	if lacks := s.lacks(); len(lacks) > 0 && len(x.further) > 0 {
		s = &surveyor{engine: engine, export: x.whole(), out: &metrics.Survey{}, wanted: lacks}
		if err := s.tables(ctx, tell); err != nil {
			return nil, err
		}
	}
	if err := s.incomplete(); err != nil {
		return nil, err
	}
	s.sort()
	if err := s.rows(ctx, tell); err != nil {
		return nil, err
	}
	return s.out, nil
}

// tables makes sources of the tables of the export.
func (s *surveyor) tables(ctx context.Context, tell func(step string)) error {
	tables, err := findTables(ctx, s.engine, s.export)
	if err != nil {
		return err
	}
	if len(tables) == 0 && len(s.export.further) == 0 {
		return noRecords(s.export)
	}
	for _, t := range tables {
		if !s.wants(t) {
			s.out.NotRead = append(s.out.NotRead, t.files...)
			continue
		}
		tell("looking at " + strings.Join(t.paths, ", "))
		if err := s.table(ctx, t); err != nil {
			return err
		}
	}
	if err := s.logs(ctx); err != nil {
		return err
	}
	if err := s.both(ctx); err != nil {
		return err
	}
	return s.factTables(ctx)
}

// lacks are the roles that no table has.
func (s *surveyor) lacks() []metrics.SourceRole {
	var out []metrics.SourceRole
	if len(s.impressions) == 0 {
		out = append(out, metrics.RoleImpressions)
	}
	if len(s.events) == 0 {
		out = append(out, metrics.RoleEvents)
	}
	return out
}

// wants reports whether a table is to be looked at: all where Parquet files lack nothing
// that others are looked at for, else of the others those that may be what they lack.
func (s *surveyor) wants(t *table) bool {
	if len(s.wanted) == 0 || t.data[0].format == metrics.FormatParquet {
		return true
	}
	role := t.meaning.role()
	return role == "" || slices.Contains(s.wanted, role)
}

// surveyor holds what a survey has found so far.
type surveyor struct {
	engine *Engine
	export *exported
	out    *metrics.Survey
	// impressions and events are the inspected sources, in the order of out.Sources.
	impressions, events []*surveyed
	// units are sources of attributes of units, which some rows of a preset tell.
	units []*metrics.SurveyedSource
	// either are tables that were taken for events but may be impressions too.
	either []*table
	// facts are tables of events whose key no column tells.
	facts []*table
	// eventLogs are tables that have every event, beside tables of single ones.
	eventLogs []*table
	// wanted are the roles that other files than Parquet are looked at for; empty: all.
	wanted []metrics.SourceRole
}

// surveyed is a source as the definitions and as the compiler see it.
type surveyed struct {
	found *metrics.SurveyedSource
	*compiler.Source
	lost Dropped
}

// table makes a source of a table.
func (s *surveyor) table(ctx context.Context, t *table) error {
	role := t.meaning.role()
	switch {
	case role == "" && t.meaning.facts != nil:
		s.facts = append(s.facts, t)
		return nil
	case role == "":
		s.unknown(t, nil)
		return nil
	}
	if role == metrics.RoleEvents && t.meaning.impressions != nil {
		s.either = append(s.either, t)
	}
	if t.meaning.part == partLog {
		s.eventLogs = append(s.eventLogs, t)
		return nil
	}
	if err := s.source(ctx, t, role); err != nil || t.meaning.preset == "" {
		return err
	}
	if known, err := Preset(t.meaning.preset); err != nil || known.Units == nil {
		return err
	}
	return s.source(ctx, t, metrics.RoleUnits)
}

// both takes the tables that may be impressions too for impressions, where
// there are no others.
func (s *surveyor) both(ctx context.Context) error {
	if len(s.impressions) > 0 {
		return nil
	}
	for _, t := range s.either {
		if err := s.source(ctx, t, metrics.RoleImpressions); err != nil {
			return err
		}
	}
	return nil
}

// factTables takes tables without an event key for events that are called as the
// table, where no other events were found: a warehouse may have a table for each.
// Beside a table of events they are rather something else, such as its users.
func (s *surveyor) factTables(ctx context.Context) error {
	wanted := len(s.events) == 0 && len(s.impressions) > 0
	for _, t := range s.facts {
		if !wanted || t.name == "" {
			s.unknown(t, nil)
			continue
		}
		t.meaning.events = t.meaning.facts
		t.meaning.events.Event = metrics.Expr{Src: strconv.Quote(t.name)}
		before := len(s.events)
		if err := s.source(ctx, t, metrics.RoleEvents); err != nil {
			return err
		}
		for _, made := range s.events[before:] {
			made.found.Notes = append(made.found.Notes, fmt.Sprintf("CHECK: no column tells the event; each row is taken for an event %s, as the table is called", t.name))
		}
	}
	return nil
}

// source makes a source of a table that is meant to have the role. Where the
// rows do not bear the guess out, it is an unknown table.
func (s *surveyor) source(ctx context.Context, t *table, role metrics.SourceRole) error {
	def := &metrics.Source{Role: role, Preset: metrics.Text{V: t.meaning.preset, Set: t.meaning.preset != ""}}
	for _, p := range t.paths {
		def.Paths = append(def.Paths, metrics.Text{V: p, Set: true})
	}
	found := &metrics.SurveyedSource{Def: def, Files: len(t.files), Notes: slices.Sorted(maps.Values(t.clashes))}
	var list diag.List
	if def.Preset.Set {
		applyPreset(def, &list)
	} else {
		def.Columns = *t.meaning.columns(role)
		notes, ok, err := refine(ctx, s.engine, t, &def.Columns)
		if err != nil {
			return err
		}
		if !ok {
			s.unknown(t, notes)
			return nil
		}
		found.Notes = append(found.Notes, notes...)
		found.Unmapped = unmapped(t.columns, &def.Columns)
	}
	def.Name = metrics.Text{V: s.name(t, role), Set: true}
	src, lost, err := s.inspect(ctx, def, t, found)
	if err != nil {
		return err
	}
	switch {
	case src == nil && role == metrics.RoleUnits:
		return nil
	case src == nil:
		s.unknown(t, found.Notes)
		return nil
	}
	if src, lost, err = s.equalRows(ctx, src, lost, t, found); err != nil {
		return err
	}
	found.Rows = src.Rows
	if lost.Unreadable > 0 {
		found.Notes = append(found.Notes, fmt.Sprintf("lines that are not %s, and are left out: %d", rowsOf[t.data[0].format].what, lost.Unreadable))
	}
	into := &s.impressions
	switch role {
	case metrics.RoleEvents:
		into = &s.events
	case metrics.RoleUnits:
		if found.Rows = src.Rows - lost.Where; found.Rows > 0 {
			s.units = append(s.units, found)
		}
		return nil
	}
	made := &surveyed{found, src, lost}
	*into = append(*into, made)
	if err := s.environments(ctx, made, t); err != nil {
		return fmt.Errorf("look at the environments of %s: %w", def.Name.V, err)
	}
	return nil
}

// equalRows takes equal rows of events for one where so many are that they were rather
// loaded twice.
func (s *surveyor) equalRows(ctx context.Context, src *compiler.Source, lost Dropped, t *table, found *metrics.SurveyedSource) (*compiler.Source, Dropped, error) {
	if found.Def.Role != metrics.RoleEvents {
		return src, lost, nil
	}
	probe, ok := compiler.ProbeEqualRows(src)
	if !ok {
		return src, lost, nil
	}
	cells, err := s.query(ctx, probe)
	if err != nil {
		return nil, lost, fmt.Errorf("look for equal rows of %s: %w", found.Def.Name.V, err)
	}
	rows, some := cells[0][0].(int64)
	contents, _ := cells[0][1].(int64)
	if !some || !compiler.LooksTwice(rows, contents) {
		return src, lost, nil
	}
	found.EqualAreOne = true
	found.Notes = append(found.Notes, fmt.Sprintf("CHECK: of %d rows only %d differ in anything that is mapped; those that are equal are taken for one", rows, contents))
	found.Def.Dedupe = metrics.At[metrics.Dedupe]{V: metrics.DedupeRow, Set: true}
	again, lost, err := s.inspect(ctx, found.Def, t, found)
	if err != nil {
		return nil, lost, err
	}
	return cmp.Or(again, src), lost, nil
}

// endless is later than the rows of any source.
var endless = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// inspect looks at a source as a run would, by the days of its partition where
// that loses no rows. It gives nil, and a note, where a run could not read it.
func (s *surveyor) inspect(ctx context.Context, def *metrics.Source, t *table, found *metrics.SurveyedSource) (*compiler.Source, Dropped, error) {
	look := func() (*compiler.Source, Dropped, diag.List, error) {
		var list diag.List
		src, err := inspectSource(ctx, s.engine, def, span{}, &list)
		if err != nil || src == nil || list.HasErrors() {
			return nil, Dropped{}, list, err
		}
		lost, err := Count(ctx, s.engine, src, endless)
		return src, lost, list, err
	}
	if def.Partition = partitionOf(s.export, t.files); def.Partition != nil {
		src, lost, _, err := look()
		if err != nil {
			return nil, lost, err
		}
		if src != nil && lost.Partition == 0 {
			return src, lost, nil
		}
		if src != nil {
			found.Notes = append(found.Notes, fmt.Sprintf("%s=… is not used as partition: %d rows lie more than a day before or two days after it", def.Partition.Column.V, lost.Partition))
		}
		def.Partition = nil
	}
	src, lost, list, err := look()
	if err == nil && src == nil {
		found.Notes = append(found.Notes, list[0].Message)
	}
	return src, lost, err
}

// partitionOf is the first level of the folders whose values are days in all files.
func partitionOf(x *exported, files []string) *metrics.Partition {
	names, _ := hiveKeys(files[0])
	for _, name := range names {
		days := !slices.ContainsFunc(files, func(f string) bool {
			for _, level := range x.levels(f) {
				if value, ok := strings.CutPrefix(level, name+"="); ok {
					return !isDay.MatchString(value)
				}
			}
			return true
		})
		if days {
			return &metrics.Partition{Column: metrics.Text{V: name, Set: true}, Early: day, Late: 2 * day}
		}
	}
	return nil
}

var isDay = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)

// name is what to call a source: as its folder or file, and as no other.
func (s *surveyor) name(t *table, role metrics.SourceRole) string {
	base := cmp.Or(t.name, string(role))
	taken := func(name string) bool {
		return slices.ContainsFunc(slices.Concat(s.impressions, s.events), func(o *surveyed) bool { return o.Def.Name.V == name }) ||
			slices.ContainsFunc(s.units, func(o *metrics.SurveyedSource) bool { return o.Def.Name.V == name })
	}
	name := base
	if taken(name) {
		name = base + "_" + string(role)
	}
	for i := 2; taken(name); i++ {
		name = fmt.Sprint(base, "_", i)
	}
	return name
}

// unknown notes files that were not recognised; why, where given, is what
// their rows say.
func (s *surveyor) unknown(t *table, why []string) {
	columns := typed(t.columns)
	for _, level := range t.levels {
		if name, _, isHive := strings.Cut(level, "="); isHive {
			columns = append(columns, name+" in the names of folders alone")
		}
	}
	u := metrics.UnknownTable{Paths: t.paths, Files: len(t.files), Columns: columns, NoImpressions: t.meaning.noImpressions, NoEvents: t.meaning.noEvents}
	u.About = t.meaning.about
	u.OneEach = u.About == nil || t.meaning.facts != nil && !u.About.Timestamp.Column.IsSet()
	for _, missing := range []*string{&u.NoImpressions, &u.NoEvents} {
		if *missing == "" {
			*missing = strings.Join(why, "; ")
		}
	}
	s.out.Others = append(s.out.Others, u)
}

// typed are columns with their types, as text.
func typed(columns []compiler.Column) []string {
	var out []string
	for _, c := range columns {
		out = append(out, c.Name+" "+typeName(c.Type))
	}
	return out
}

// unmapped are the columns of which nothing is mapped.
func unmapped(columns []compiler.Column, c *metrics.Columns) []string {
	var read []string
	for _, e := range mapped(c) {
		if compiler.Absent(*e, columns) {
			continue
		}
		if sql, _, ok := compiler.CompileColumn(*e, columns, &diag.List{}); ok {
			read = append(read, sqlast.Columns(sql)...)
		}
	}
	return typed(slices.DeleteFunc(slices.Clone(columns), func(column compiler.Column) bool { return slices.Contains(read, column.Name) }))
}

func (s *surveyor) sort() {
	for _, list := range [][]*surveyed{s.impressions, s.events} {
		slices.SortFunc(list, func(a, b *surveyed) int { return cmp.Compare(a.Def.Name.V, b.Def.Name.V) })
		for _, src := range list {
			s.out.Sources = append(s.out.Sources, src.found)
		}
	}
	s.out.Sources = append(s.out.Sources, s.units...)
	slices.SortStableFunc(s.out.Others, func(a, b metrics.UnknownTable) int { return cmp.Compare(a.Paths[0], b.Paths[0]) })
}

// noRecords says that an export has no data files, or none with rows.
func noRecords(x *exported) diag.List {
	var list diag.List
	said := list.Errorf(diag.Pos{}, "no-files", "there are no data files below %s", x.root)
	said.WithHint("name the folder that holds the exports; files are found by their endings: .parquet; .ndjson, .jsonl, .json, .csv, .tsv, also with .gz or .zst")
	if !objectstore.IsURL(x.root) && isFolder(x.root) {
		said.Hint = nearestPath(x.root)
	}
	if len(x.empty) > 0 {
		said.Message = fmt.Sprintf("no data file below %s has a row, e.g. %s", x.root, x.empty[0])
		said.WithHint("NDJSON has a JSON object in each line, and CSV a header")
	}
	return list
}

// incomplete is an error where impressions or events are missing: what there
// is instead, and what it lacks.
func (s *surveyor) incomplete() error {
	var list diag.List
	var said *diag.Diagnostic
	switch {
	case len(s.impressions) > 0 && len(s.events) > 0:
		return nil
	case len(s.events) > 0:
		said = list.Errorf(diag.Pos{}, "not-recognised", "no impressions are recognised below %s, only events: %s", s.export.root, pathsOf(s.events))
		said.WithHint("impressions have the id of a unit, a timestamp, a variation, and an experiment or flag; name the folder that holds both")
	case len(s.impressions) > 0:
		said = list.Errorf(diag.Pos{}, "not-recognised", "no events are recognised below %s, only impressions: %s", s.export.root, pathsOf(s.impressions))
		said.WithHint("events have the id of a unit, a timestamp and an event key; name the folder that holds both")
	default:
		said = list.Errorf(diag.Pos{}, "not-recognised", "neither impressions nor events are recognised below %s", s.export.root)
		said.WithHint("columns are recognised by their names; write sources with columns by hand where they have others (docs/language.md)")
	}
	for _, u := range s.out.Others {
		var why []string
		if len(s.impressions) == 0 {
			why = append(why, "as impressions: "+u.NoImpressions)
		}
		if len(s.events) == 0 {
			why = append(why, "as events: "+u.NoEvents)
		}
		list.Errorf(diag.Pos{File: some(u.Paths, 3)}, "not-recognised", "%s", strings.Join(why, "; ")).
			WithHint("its columns are %s", some(u.Columns, 20))
	}
	return list
}

func pathsOf(sources []*surveyed) string {
	var paths []string
	for _, src := range sources {
		for _, p := range src.Def.Paths {
			paths = append(paths, p.V)
		}
	}
	return some(paths, 5)
}
