package metrics

import (
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// checkSource checks one source.
func (r *resolver) checkSource(s *sourceDraft) {
	if s.Role == RoleExclude {
		return
	}
	called := "source " + quoted(s.Name.V)
	var places []string
	for _, name := range []string{"path", "table", "sql"} {
		if s.given.has(name) {
			places = append(places, name)
		}
	}
	switch {
	case s.given.has(mergeKey):
	case len(places) == 0:
		r.diags.Errorf(s.Pos, "missing-field", "%s has no path", called).WithHint("write path: 'exports/events/*.parquet'")
	case len(places) > 1:
		r.diags.Errorf(s.given[places[1]].pos, "conflict", "%s has %s, and a source is one of them", called, strings.Join(places, " and ")).
			WithHint("leave the others out, or make them sources of their own")
	case places[0] != "path" && s.given.has("partition"):
		r.diags.Errorf(s.given["partition"].pos, "conflict", "partition is a level of folders, and %s has a %s", called, places[0]).WithHint("leave it out")
	case places[0] != "path" && s.given.has("format"):
		r.diags.Errorf(s.given["format"].pos, "conflict", "format is that of files, and %s has a %s", called, places[0]).WithHint("leave it out")
	}
	if s.given.has("preset") {
		return // the loaders fill in the rest
	}
	if s.given.lacks("columns") {
		r.diags.Errorf(s.Pos, "missing-field", "%s has no columns", called).WithHint("write columns, or preset: optimizely for a known export")
		return
	}
	if s.columns == nil {
		return
	}
	need := map[SourceRole][]string{
		RoleImpressions: {"units", "variation", "timestamp"},
		RoleEvents:      {"units", "event", "timestamp"},
		RoleUnits:       {"units"},
	}[s.Role]
	for _, name := range need {
		if s.columns.lacks(name) {
			said := r.diags.Errorf(s.Columns.Pos, "missing-field", "%s maps no %s", called, name)
			switch name {
			case "units":
				said.WithHint("write units: {user: user_id}, with the column of each unit kind")
			default:
				said.WithHint("write %s: and the name of its column", name)
			}
		}
	}
	if s.Role == RoleImpressions && s.columns.lacks("experiment") && s.columns.lacks("flag") {
		r.diags.Errorf(s.Columns.Pos, "missing-field", "%s maps neither experiment nor flag", called).WithHint("write experiment: or flag: and the name of its column")
	}
	if s.Dedupe.V == DedupeID && !s.columns.has("id") {
		r.diags.Errorf(s.Dedupe.Pos, "conflict", "dedupe: id needs an id, and %s maps none", called).WithHint("map id under columns, or write dedupe: row")
	}
}

// unitKinds are the unit kinds of the sources of a role, of those named or of
// all; known is false where a preset or a mistake hides some, or there is no source.
func (r *resolver) unitKinds(role SourceRole, named []Text) (kinds []string, known bool) {
	for _, s := range r.sources {
		if s.Role != role || len(named) > 0 && !slices.ContainsFunc(named, func(n Text) bool { return n.V == s.Name.V }) {
			continue
		}
		if !s.columns.good("units") {
			return nil, false
		}
		for _, u := range s.Columns.Units {
			kinds = append(kinds, u.Kind.V)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds), len(kinds) > 0 && !r.partial
}

// checkUnit checks that a source has the experiment's unit kind.
func (r *resolver) checkUnit(e *experimentDraft) {
	if !e.given.good("unit") {
		return
	}
	kinds, known := r.unitKinds(RoleImpressions, e.Source)
	if !known || slices.Contains(kinds, e.Unit.V) {
		return
	}
	said := r.diags.Errorf(e.Unit.Pos, "unknown-name", "no impressions source of %s has the unit kind %s", experimentObject.called(e), quoted(e.Unit.V))
	said.Hint = diag.DidYouMean(e.Unit.V, kinds)
	if said.Hint == "" {
		said.WithHint("the unit kinds are the keys of units: %s", listing(kinds))
	}
}
