package loaders

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/metrics"
)

// eventLogs are, by preset, the tables that have every event, but not its properties:
// beside them each event has a table of its own, with its properties and the same ids.
var eventLogs = map[string]string{"rudderstack": "tracks", "segment": "tracks"}

// part is what a file is among the tables of a preset that has a table for each event:
// one of these, or the name of its table.
type part string

const (
	partLog   part = "all events"
	partShown part = "impressions"
)

// as is a meaning of a file that is a part of such tables.
func (r recognised) as(p part) recognised {
	r.part = p
	if p == partShown {
		r.events, r.noEvents = nil, "they are impressions by the preset "+r.preset
	}
	if p != "" {
		r.key += " " + string(p)
	}
	return r
}

// tellParts tells apart what the files of a table for each event are, by what the tables
// are called. That of one event is that of impressions, though it has what tells events,
// too. Those of the others have columns of their own, so that each is a source of its own.
func tellParts(files []dataFile) {
	events, logs, shown := map[string]bool{}, map[string]bool{}, map[string]bool{} // by preset
	for _, f := range files {
		known := f.meaning.preset
		events[known] = events[known] || f.meaning.events != nil && (f.meaning.impressions == nil || f.isLog())
		logs[known] = logs[known] || f.isLog()
		shown[known] = shown[known] || f.meaning.impressions != nil && !f.isLog()
	}
	for i, f := range files {
		known, levels := f.meaning.preset, partitionPatterns(f.levels)
		switch {
		case eventLogs[known] == "" || f.meaning.events == nil:
		case f.isLog():
			files[i].meaning = f.meaning.as(partLog)
		case f.meaning.impressions != nil && events[known]:
			files[i].meaning = f.meaning.as(partShown)
		case logs[known] || shown[known] && lastNamed(levels) >= 0:
			files[i].meaning = f.meaning.as(part(tableName(levels, []string{f.path})))
		}
	}
}

// isLog reports whether a file is of a table that has every event.
func (f dataFile) isLog() bool {
	log := eventLogs[f.meaning.preset]
	isNamed := func(name string) bool { return strings.EqualFold(name, log) }
	return log != "" && (slices.ContainsFunc(f.levels, isNamed) || isNamed(tableName(nil, []string{f.path})))
}

// logs makes sources of the tables that have every event: of the events that have no
// table of their own, so that each event is read once, with its properties where some
// table has them.
func (s *surveyor) logs(ctx context.Context) error {
	for _, t := range s.eventLogs {
		before := len(s.events)
		if err := s.source(ctx, t, metrics.RoleEvents); err != nil {
			return err
		}
		if len(s.events) == before {
			continue
		}
		if err := s.log(ctx, t, s.events[before]); err != nil {
			return fmt.Errorf("look at the events of %s: %w", s.events[before].Def.Name.V, err)
		}
	}
	return nil
}

func (s *surveyor) log(ctx context.Context, t *table, log *surveyed) error {
	var tables []*surveyed
	var known []string // events that other tables have
	for _, o := range s.events {
		if o == log || o.Def.Preset.V != log.Def.Preset.V {
			continue
		}
		keys, err := s.keysOf(ctx, o)
		if err != nil {
			return err
		}
		tables, known = append(tables, o), append(known, keys...)
	}
	for _, o := range s.impressions { // a table is called as its event
		known = append(known, o.Def.Name.V)
	}
	keys, err := s.keysOf(ctx, log)
	if err != nil || len(tables) == 0 {
		return err
	}
	var twice []string
	for _, key := range keys {
		if slices.Contains(known, key) {
			twice = append(twice, strconv.Quote(key))
		}
	}
	switch {
	case len(twice) == 0:
		return nil
	case len(twice) == len(keys):
		s.events = slices.DeleteFunc(s.events, func(o *surveyed) bool { return o == log })
		tables[0].found.Notes = append(tables[0].found.Notes,
			fmt.Sprintf("%s has the same events without their properties, and is not read", strings.Join(t.paths, ", ")))
		return nil
	}
	slices.Sort(twice)
	log.found.Def.Where = metrics.Expr{Src: "event not in [" + strings.Join(twice, ", ") + "]"}
	log.found.Notes = append(log.found.Notes, "it has every event without its properties; those that have tables of their own are read from these")
	src, lost, err := s.inspect(ctx, log.found.Def, t, log.found)
	if err == nil && src != nil {
		log.Source, log.lost = src, lost
	}
	return err
}

// keysOf are the event keys of a source.
func (s *surveyor) keysOf(ctx context.Context, src *surveyed) ([]string, error) {
	rows, err := s.query(ctx, compiler.ProbeEvents(src.Source))
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, row := range rows {
		if key, ok := row[0].(string); ok {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
