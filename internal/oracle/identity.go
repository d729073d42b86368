package oracle

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// The ways of joining events of another unit kind (3.7).
const (
	identityStrict     = "strict"
	identityFirstTouch = "first_touch"
)

// joinEvents gives each event to its unit: by its own id of the experiment's
// kind, else by the first of its other ids, in the order of the source's
// columns, that leads to a unit (3.7).
func (x *experiment) joinEvents() {
	for _, r := range existingEvents(x.defs, x.in, x.asOf, "") {
		unitID := id(r.Units, x.Unit.V)
		for _, kind := range x.otherKinds(r.Source) {
			if unitID != "" {
				break
			}
			if otherID := id(r.Units, kind); otherID != "" {
				unitID = x.partner(kind, otherID)
			}
		}
		if unitID != "" {
			x.events[unitID] = append(x.events[unitID], r)
		}
	}
}

// otherKinds are the unit kinds of an event source but for the experiment's.
func (x *experiment) otherKinds(source string) []string {
	var kinds []string
	for _, s := range x.defs.Sources.Events {
		if s.Name.V != source {
			continue
		}
		for _, u := range s.Columns.Units {
			if u.Kind.V != x.Unit.V {
				kinds = append(kinds, u.Kind.V)
			}
		}
	}
	return kinds
}

// partner gives the unit that an id of another kind leads to, "" for none.
//
// Reading: with `strict` an id with one partner leads to it, exposed or not.
func (x *experiment) partner(kind, otherID string) string {
	partners := map[string]bool{}
	for _, r := range x.existingUnitRows() {
		if id(r.Units, kind) == otherID && id(r.Units, x.Unit.V) != "" {
			partners[id(r.Units, x.Unit.V)] = true
		}
	}
	candidates := keysOf(partners)
	switch x.Identity.V {
	case identityStrict:
		if len(candidates) == 1 {
			return candidates[0]
		}
		return ""
	case identityFirstTouch:
		candidates = slices.DeleteFunc(candidates, func(unitID string) bool { return len(x.shown[unitID]) == 0 })
		if len(candidates) == 0 {
			return ""
		}
		return slices.MinFunc(candidates, func(a, b string) int {
			return cmp.Or(exposure(a, x.shown[a]).exposed.Compare(exposure(b, x.shown[b]).exposed), cmp.Compare(a, b))
		})
	}
	panic(fmt.Sprintf("oracle: no case for identity %q", x.Identity.V))
}

// existingUnitRows are the rows of the units sources that exist: those without
// an excluded id (2.3) and, where the source maps timestamps, with one before as-of.
func (x *experiment) existingUnitRows() []UnitRow {
	var out []UnitRow
	for _, r := range x.in.Units {
		if isExcluded(x.in, r.Units) || x.hasTimes(r.Source) && (r.Time == nil || !r.Time.Before(x.asOf)) {
			continue
		}
		out = append(out, r)
	}
	return out
}

// hasTimes reports whether a units source maps a timestamp.
func (x *experiment) hasTimes(source string) bool {
	return slices.ContainsFunc(x.defs.Sources.Units, func(s *metrics.Source) bool {
		return s.Name.V == source && s.Columns.Timestamp.Column.IsSet()
	})
}

// unitAttributes gives the attributes of a unit at its exposure: of the newest
// row of a units source with a timestamp ≤ e, of all rows if the source maps no
// timestamp; ties by the smallest text, missing last (3.8).
//
// Reading: rows tie attribute by attribute. Of several units sources the first
// in the file that has the attribute counts.
func (x *experiment) unitAttributes(u *unit) map[string]string {
	out := map[string]string{}
	for _, s := range x.defs.Sources.Units {
		var newest time.Time
		var rows []UnitRow
		for _, r := range x.existingUnitRows() {
			if r.Source != s.Name.V || id(r.Units, x.Unit.V) != u.id {
				continue
			}
			if x.hasTimes(s.Name.V) {
				if r.Time.After(u.exposed) {
					continue
				}
				if len(rows) > 0 && r.Time.Before(newest) {
					continue
				}
				if len(rows) > 0 && r.Time.After(newest) {
					rows = nil
				}
				newest = *r.Time
			}
			rows = append(rows, r)
		}
		var of map[string]string
		for _, r := range rows {
			of = smallerOfEach(of, r.Attributes)
		}
		for k, v := range of {
			if _, ok := out[k]; !ok {
				out[k] = v
			}
		}
	}
	return out
}
