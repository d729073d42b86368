package oracle

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// A unit is one exposed unit of an experiment (section 3).
type unit struct {
	id          string
	variation   string            // key of the variation
	exposed     time.Time         // e
	start       time.Time         // e, or the instant of activation (3.5)
	attributes  map[string]string // at the exposure
	traits      map[string]string // unit attributes at the exposure (3.8)
	phase       int               // of the exposure (3.6), from 0
	impressions []shown           // all of the unit in the experiment
}

// shown is an impression of an experiment, with the key of the variation that it showed.
type shown struct {
	Impression
	key string
}

// An experiment is what section 3 makes of the definition and the rows.
type experiment struct {
	*metrics.Experiment
	defs   *metrics.Definitions
	in     Input
	asOf   time.Time // A
	until  time.Time // O
	counts Counts
	// units are those that count, after 3.3 to 3.5, in the order of their ids.
	units []*unit
	// exposures are those after 3.3 and 3.4: units and those that were not activated.
	exposures []*unit
	// several are the units seen in two or more variations, as first exposed,
	// whatever became of them.
	several []*unit
	events  map[string][]Event // by unit id
	shown   map[string][]shown // impressions by unit id
	// assigned are the variations of units after 3.3.
	assigned map[string]string
}

// newExperiment runs section 3.
func newExperiment(defs *metrics.Definitions, in Input, def *metrics.Experiment) *experiment {
	x := &experiment{Experiment: def, defs: defs, in: in, asOf: asOf(in), events: map[string][]Event{}, assigned: map[string]string{}}
	x.until = x.asOf // O of section 1
	if def.ObserveUntil.Set {
		x.until = earlier(x.until, def.ObserveUntil.V)
	} else if def.End.Set {
		x.until = earlier(x.until, def.End.V)
	}
	x.shown = impressionsOf(defs, in, def, &x.counts)
	if def.Identity.Set {
		x.joinEvents()
	} else {
		for _, r := range existingEvents(defs, in, x.asOf, def.Unit.V) {
			unitID := id(r.Units, def.Unit.V)
			x.events[unitID] = append(x.events[unitID], r)
		}
	}
	x.expose()
	x.activate()
	return x
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// impressionsOf gives the impressions of an experiment by unit (3.1).
func impressionsOf(defs *metrics.Definitions, in Input, def *metrics.Experiment, counts *Counts) map[string][]shown {
	out := map[string][]shown{}
	for _, r := range existingImpressions(defs, in, asOf(in), def.Unit.V) {
		switch {
		case len(def.Source) > 0 && !slices.ContainsFunc(def.Source, func(s metrics.Text) bool { return s.V == r.Source }):
			continue
		case !matches(defs, def, r):
			continue
		case r.Time.Before(def.Start.V) || def.End.Set && !r.Time.Before(def.End.V):
			continue
		case r.Variation == nil:
			continue
		case slices.ContainsFunc(def.IgnoreVariations, func(v metrics.Text) bool { return v.V == *r.Variation }):
			continue
		}
		key := ""
		if r.Holdback != nil && *r.Holdback {
			// Reading: a holdback row whose variation is missing or ignored is
			// no impression, and so neither dropped here nor renamed.
			if !def.HoldbackAs.Set {
				counts.Holdback++
				continue
			}
			key = def.HoldbackAs.V
		} else {
			var known bool
			if key, known = variationKey(def, *r.Variation); !known {
				counts.UnknownVariation++
				continue
			}
		}
		unitID := id(r.Units, def.Unit.V)
		out[unitID] = append(out[unitID], shown{r, key})
	}
	return out
}

// matches reports whether an impression is the experiment's (3.1; language, section 2, match).
func matches(defs *metrics.Definitions, def *metrics.Experiment, r Impression) bool {
	is := func(v *string, text metrics.Text) bool { return v != nil && *v == text.V }
	oneOf := func(v *string, texts []metrics.Text) bool {
		return len(texts) == 0 || slices.ContainsFunc(texts, func(text metrics.Text) bool { return is(v, text) })
	}
	if len(def.Match.Experiment) > 0 || len(def.Match.Flag) > 0 {
		return oneOf(r.Experiment, def.Match.Experiment) && oneOf(r.Flag, def.Match.Flag)
	}
	for _, src := range defs.Sources.Impressions {
		if src.Name.V == r.Source && src.Columns.Experiment.IsSet() {
			return is(r.Experiment, def.Key)
		}
	}
	return is(r.Flag, def.Flag)
}

// variationKey gives the key of the variation that a value in the data means.
//
// Reading: a text that one variation matches goes before a JSON value that
// another does.
func variationKey(def *metrics.Experiment, value string) (key string, known bool) {
	for _, v := range def.Variations {
		if len(v.Match) == 0 && v.Key.V == value {
			return v.Key.V, true
		}
		for _, m := range v.Match {
			if !m.JSON && m.Text == value {
				return v.Key.V, true
			}
		}
	}
	for _, v := range def.Variations {
		for _, m := range v.Match {
			if m.JSON && sameJSON(m.Text, value) {
				return v.Key.V, true
			}
		}
	}
	return "", false
}

// sameJSON reports whether two texts are JSON of the same value.
func sameJSON(a, b string) bool {
	x, okX := parseJSON(a)
	y, okY := parseJSON(b)
	return okX && okY && sameValue(x, y)
}

func parseJSON(text string) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, false
	}
	_, err := d.Token()
	return v, err == io.EOF
}

func sameValue(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		if !ok {
			return false
		}
		x, _ := new(big.Rat).SetString(a.String())
		y, _ := new(big.Rat).SetString(b.String())
		return x.Cmp(y) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameValue)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			if other, ok := b[k]; !ok || !sameValue(a[k], other) {
				return false
			}
		}
		return true
	}
	return a == b
}

// expose finds the exposures and drops units (3.2 to 3.4).
func (x *experiment) expose() {
	byUnit := x.shown
	elsewhere := map[string]bool{} // 3.4, exclude_units_in
	for _, other := range x.ExcludeUnitsIn {
		def := x.defs.Experiment(other.V)
		if def.Unit.V != x.Unit.V {
			panic(fmt.Sprintf("oracle: exclude_units_in: %s has another unit kind", other.V))
		}
		for unitID := range impressionsOf(x.defs, x.in, def, new(Counts)) {
			elsewhere[unitID] = true
		}
	}
	for _, unitID := range keysOf(byUnit) {
		for _, u := range x.exposuresOf(unitID, byUnit[unitID]) {
			x.assigned[unitID] = u.variation
			u.traits = x.unitAttributes(u)
			u.phase = x.phaseAt(u.exposed)
			switch {
			case elsewhere[unitID]:
				x.counts.OtherExperiment++
			case !x.inAudience(u):
				x.counts.Audience++
			case x.PhasePool.V == "last" && u.phase < len(x.Phases)-1: // 3.6
			default:
				x.exposures = append(x.exposures, u)
			}
		}
	}
}

// exposuresOf gives the exposures of one unit: one, or none, or one for each variation (3.2, 3.3).
func (x *experiment) exposuresOf(unitID string, impressions []shown) []*unit {
	variations := map[string][]shown{}
	for _, r := range impressions {
		variations[r.key] = append(variations[r.key], r)
	}
	first := exposure(unitID, impressions)
	first.impressions = impressions
	if len(variations) < 2 {
		return []*unit{first}
	}
	x.counts.SeveralVariations++
	first.traits = x.unitAttributes(first)
	x.several = append(x.several, first)
	policy := x.Multiple.V
	if !x.Multiple.Set {
		policy = metrics.MultipleExclude
	}
	switch policy {
	case metrics.MultipleExclude:
		return nil
	case metrics.MultipleFirst:
		for _, r := range impressions {
			if r.Time.Equal(first.exposed) && r.key != first.variation {
				return nil
			}
		}
		return []*unit{first}
	case metrics.MultipleEach:
		var out []*unit
		for _, key := range keysOf(variations) {
			u := exposure(unitID, variations[key])
			u.impressions = impressions
			out = append(out, u)
		}
		return out
	}
	panic(fmt.Sprintf("oracle: no case for multiple_variations %q", policy))
}

// exposure is the impression with the smallest ts; among several the smallest
// variation key; each attribute the smallest text of that variation's at that
// instant, missing last (3.2).
func exposure(unitID string, impressions []shown) *unit {
	first := slices.MinFunc(impressions, func(a, b shown) int {
		return cmp.Or(a.Time.Compare(*b.Time), cmp.Compare(a.key, b.key))
	})
	u := &unit{id: unitID, variation: first.key, exposed: *first.Time, start: *first.Time}
	for _, r := range impressions {
		if r.Time.Equal(*first.Time) && r.key == first.key {
			u.attributes = smallerOfEach(u.attributes, r.Attributes)
		}
	}
	return u
}

// inAudience reports whether the experiment's `where` holds for a unit (3.4).
func (x *experiment) inAudience(u *unit) bool {
	if !x.Where.IsSet() {
		return true
	}
	return holds(mustParse(x.Where), scope{
		name: func(ident string) Value { panic("oracle: unknown name " + ident) },
		member: func(bag, key string) Value {
			switch bag {
			case "exposure":
				return absent(u.attributes, key)
			case "unit":
				return absent(u.traits, key)
			}
			panic("oracle: unknown name " + bag)
		},
	})
}

// phaseAt gives the phase of an exposure: the last that had started (3.6).
//
// Reading: `last` is the last phase of the definition, started or not. Units of
// the others are left out after the audience, and not counted.
func (x *experiment) phaseAt(e time.Time) int {
	phase := 0
	for i, p := range x.Phases {
		if !p.Start.V.After(e) {
			phase = i
		}
	}
	return phase
}

// activate is 3.5: the smallest ts of a matching event with e ≤ ts < O takes the place of e.
func (x *experiment) activate() {
	x.units = x.exposures
	if x.Activation == nil {
		return
	}
	x.units = nil
	for _, u := range x.exposures {
		at, ok := x.firstEvent(x.Activation, u, u.exposed)
		if !ok {
			x.counts.NotActivated++
			continue
		}
		u.start = at
		x.units = append(x.units, u)
	}
}

// firstEvent gives the smallest ts of a unit's event that fits a filter, from start and before O.
//
// Reading: `elapsed` in the filter counts from start.
func (x *experiment) firstEvent(f *metrics.EventFilter, u *unit, start time.Time) (at time.Time, ok bool) {
	for _, r := range x.events[u.id] {
		if !x.selects(f.Event, r) || r.Time.Before(start) || !r.Time.Before(x.until) {
			continue
		}
		if f.Where.IsSet() && !holds(mustParse(f.Where), x.scopeOf(f.Event, u, start, r)) {
			continue
		}
		if !ok || r.Time.Before(at) {
			at, ok = *r.Time, true
		}
	}
	return at, ok
}

// keysOf gives the keys of a map in order.
func keysOf[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// absent gives the value of a key, missing where there is none.
func absent[V any](m map[string]V, key string) Value {
	if v, ok := m[key]; ok {
		return v
	}
	return nil
}

func mustParse(e metrics.Expr) node {
	n, err := parse(e.Src)
	if err != nil {
		panic("oracle: " + err.Error())
	}
	return n
}
