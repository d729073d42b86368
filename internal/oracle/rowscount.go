package oracle

import (
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// A side is one body of a metric in an experiment: the metric itself, or the
// numerator or denominator of a ratio.
type side struct {
	*metrics.Metric
	x        *experiment
	value    node // nil but for measure: value
	where    node // nil where not given
	decimals int
	// near restricts the rows of a numerator with numerator_within (5.9); nil elsewhere.
	near func(u *unit, at time.Time, keep keepRow) bool
	// steps are those of a funnel (5.10), of which the side is the one with the index step.
	steps []*side
	step  int
	// upper and lower are the caps that winsorizing found (5.6), nil where there is none.
	upper, lower *big.Rat
	// changedUpper and changedLower tell that they changed a number.
	changedUpper, changedLower bool
	// overflow is set once a row or a unit of it does not fit (5.1).
	overflow bool
}

// keepRow restricts the rows that count, for one value of a split or of a
// segment from events; nil keeps all.
type keepRow func(Event) bool

// counted is a row that counts, with what is taken from it.
type counted struct {
	row    Event
	at     time.Time
	k      *big.Int // the value in units of 10^−decimals; nil where it is not a number
	text   string   // the value where it is text (count_distinct)
	weight int64
}

func (x *experiment) newSide(m *metrics.Metric) *side {
	if m.Funnel != nil {
		return x.newFunnel(m)
	}
	s := &side{Metric: m, x: x}
	if m.Measure.V == metrics.Participation {
		s.decimals = 9 // its digits (5.2), to which interpolated caps are rounded, too
	}
	if m.Where.IsSet() {
		s.where = mustParse(m.Where)
	}
	if m.Measure.V == metrics.Value {
		s.value = &name{"value"}
		if m.Value.IsSet() {
			s.value = mustParse(m.Value)
		}
		s.decimals = s.defaultDecimals()
		if m.Decimals.Set {
			s.decimals = m.Decimals.V
		}
	}
	return s
}

// perUnit is the metric's per_unit, sum where not given.
func (s *side) perUnit() metrics.PerUnit {
	if s.PerUnit.V == "" {
		return metrics.Sum
	}
	return s.PerUnit.V
}

// defaultDecimals are the decimals of a value where the metric gives none
// (language, section 2): of an exact column its scale plus that of `scale`, at
// least 6 for average; 6 if floating, text or computed; the largest over sources.
//
// Reading: over the metric's sources, whether or not they have rows; a source
// that maps no value is none for a reference to `value`. At most 9.
func (s *side) defaultDecimals() int {
	if s.Event.Impression { // its values are attributes, which are text, or computed
		return 6
	}
	d := 0
	if s.perUnit() == metrics.Average {
		d = 6
	}
	for _, src := range s.x.defs.Sources.Events {
		if !s.reads(src.Name.V) {
			continue
		}
		for _, e := range s.x.eventTypes(s.Event) {
			d = max(d, s.decimalsIn(src, e))
		}
	}
	return min(d, 9)
}

func (s *side) decimalsIn(src *metrics.Source, e *metrics.EventType) int {
	const computed = 6
	ref, ok := s.value.(*name)
	if !ok || ref.ident == "event" || ref.ident == "elapsed" {
		return computed
	}
	columns := s.x.in.Columns[src.Name.V]
	column, scale := columns.Properties[ref.ident], metrics.At[metrics.Number]{}
	if ref.ident == "value" {
		if !src.Columns.Value.IsSet() {
			return 0
		}
		column, scale = columns.Value, e.ValueScale
	} else if p := e.Property(ref.ident); p != nil {
		scale = p.Scale
	}
	if !column.exact() {
		return computed
	}
	return column.Scale + decimalsOf(scale)
}

// decimalsOf counts the digits of a scale after the point.
//
// Reading: without zeros at the end; a scale that is not a decimal has 9.
func decimalsOf(scale metrics.At[metrics.Number]) int {
	if !scale.Set {
		return 0
	}
	for n := range 9 {
		if new(big.Rat).Mul(scale.V.Rat(), power10(n)).IsInt() {
			return n
		}
	}
	return 9
}

// eventTypes gives the registered types of the events that a selector is
// about; an event that is not registered has a type that says nothing.
func (x *experiment) eventTypes(sel metrics.EventSelector) []*metrics.EventType {
	if sel.Any {
		types := slices.Clone(x.defs.Registry.Events)
		if !x.defs.Registry.Closed {
			types = append(types, &metrics.EventType{})
		}
		return types
	}
	var types []*metrics.EventType
	for _, key := range sel.Keys {
		types = append(types, x.eventType(key.V))
	}
	return types
}

func (x *experiment) eventType(key string) *metrics.EventType {
	if e := x.defs.Registry.Event(key); e != nil {
		return e
	}
	return &metrics.EventType{}
}

// selects reports whether a row's event key is among a selector's.
// `any` counts registered events only, where the registry is closed.
func (x *experiment) selects(sel metrics.EventSelector, r Event) bool {
	if sel.Any {
		return !x.defs.Registry.Closed || x.defs.Registry.Event(*r.Event) != nil
	}
	return slices.ContainsFunc(sel.Keys, func(key metrics.Text) bool { return key.V == *r.Event })
}

// reads reports whether the metric reads an event source.
func (s *side) reads(source string) bool {
	return len(s.Source) == 0 || slices.ContainsFunc(s.Source, func(name metrics.Text) bool { return name.V == source })
}

// rows gives the rows that count for a unit and the metric (section 4), from
// start, which is e or what takes its place.
func (s *side) rows(u *unit, start time.Time, keep keepRow) []counted {
	from, to := s.window(start)
	return s.rowsIn(u, from, to, keep)
}

// rowsIn gives the rows that count in [from, to).
func (s *side) rowsIn(u *unit, from, to time.Time, keep keepRow) []counted {
	if s.steps != nil {
		return s.reached(u, from, to, keep)
	}
	var out []counted
	for _, r := range s.candidatesIn(u, from, to, keep) {
		if s.near != nil && !s.near(u, *r.Time, keep) { // it has no value that could be too large
			continue
		}
		if c, ok := s.count(u, from, r); ok {
			out = append(out, c)
		}
	}
	return out
}

// stands is how many rows a row counts as (2.6).
func (r Event) stands() int64 {
	if r.Weight == nil {
		return 1
	}
	return max(1, *r.Weight)
}

// count takes what is to be taken from a row in the window; ok is false where
// it does not count for its where or its value (4.1).
func (s *side) count(u *unit, from time.Time, r Event) (c counted, ok bool) {
	sc := s.x.scopeOf(s.Event, u, from, r)
	if s.where != nil && !holds(s.where, sc) {
		return c, false
	}
	c = counted{row: r, at: *r.Time, weight: r.stands()}
	return c, s.value == nil || s.take(&c, evaluate(s.value, sc))
}

// candidatesIn gives the candidates in [from, to).
func (s *side) candidatesIn(u *unit, from, to time.Time, keep keepRow) []Event {
	var out []Event
	for _, r := range s.candidates(u) {
		if !r.Time.Before(from) && r.Time.Before(to) && (keep == nil || keep(r)) {
			out = append(out, r)
		}
	}
	return out
}

// candidates gives the unit's rows of the metric's events and sources (4.1), or its impressions (5.12).
func (s *side) candidates(u *unit) []Event {
	var out []Event
	if s.steps != nil {
		for _, r := range s.x.events[u.id] {
			if slices.ContainsFunc(s.steps, func(step *side) bool { return s.x.selects(step.Event, r) && s.reads(r.Source) }) {
				out = append(out, r)
			}
		}
		return out
	}
	if s.Event.Impression {
		for _, i := range u.impressions {
			out = append(out, Event{Source: i.Source, Units: i.Units, Time: i.Time, Attributes: i.Attributes, Weight: i.Weight})
		}
		return out
	}
	for _, r := range s.x.events[u.id] {
		if s.x.selects(s.Event, r) && s.reads(r.Source) {
			out = append(out, r)
		}
	}
	return out
}

// limit is 10^15: a row or a unit beyond it is `overflow` (5.1).
var limit = new(big.Int).Exp(big.NewInt(10), big.NewInt(15), nil)

// take puts the row's value into c; ok is false where it is missing (4.1).
func (s *side) take(c *counted, v Value) (ok bool) {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		c.text = v
		return true
	case bool, time.Time:
		c.text, _ = plain(v)
		return true
	}
	k, fits := whole(v, s.decimals)
	if !fits || k.CmpAbs(limit) > 0 {
		s.overflow = true
		k = new(big.Int)
	}
	c.k = k
	return true
}

// window gives the instants [from, to) in which a row counts (4.2).
//
// Reading: with cut_windows_at_end a window that has no `to` ends at O anyway.
func (s *side) window(start time.Time) (from, to time.Time) {
	w := s.Window
	switch {
	case w.HasLookback:
		return later(start, s.x.until.Add(-w.Lookback)), s.x.until
	case w.HasTo:
		to = earlier(start.Add(w.To), s.x.asOf)
		if s.x.CutWindows.V {
			to = earlier(to, s.x.until)
		}
	default:
		to = s.x.until
	}
	return start.Add(w.From), to
}

// windowOver reports whether a unit need not, or no longer, be waited for (5.5).
func (s *side) windowOver(start time.Time) bool {
	w := s.Window
	wait := w.From > 0
	if s.WaitForWindow.Set {
		wait = s.WaitForWindow.V
	}
	switch {
	case !wait, w.HasLookback:
		return true
	case w.HasTo:
		end := start.Add(w.To)
		return !end.After(s.x.asOf) && !(s.x.CutWindows.V && end.After(s.x.until))
	}
	return start.Add(w.From).Before(s.x.until)
}

// scopeOf gives the names of expressions about an event row of a unit
// (language, section 3). start is the window's start.
//
// Readings: `elapsed` counts from the lower end of the window, e + from, in
// seconds with microseconds; `event` of an impression is the text impression.
func (x *experiment) scopeOf(sel metrics.EventSelector, u *unit, start time.Time, r Event) scope {
	return scope{
		name: func(ident string) Value {
			switch ident {
			case "event":
				if r.Event == nil {
					return "impression"
				}
				return *r.Event
			case "elapsed":
				return float64(r.Time.Sub(start).Microseconds()) / 1e6
			case "value":
				if r.Event == nil { // an impression
					return nil
				}
				return scaled(number(r.Value), x.eventType(*r.Event).ValueScale)
			}
			return x.property(sel, r, ident)
		},
		member: func(bag, key string) Value {
			switch bag {
			case "properties":
				if x.declares(sel, key) {
					return x.property(sel, r, key)
				}
				if text, ok := plain(absent(r.Properties, key)); ok {
					return text
				}
				return nil
			case "attributes":
				return absent(r.Attributes, key)
			case "exposure":
				return absent(u.attributes, key)
			case "unit":
				return absent(u.traits, key)
			case "units":
				if unitID := id(r.Units, key); unitID != "" {
					return unitID
				}
				return nil
			}
			panic(fmt.Sprintf("oracle: unknown name %s.%s", bag, key))
		},
	}
}

// declares reports whether one of a metric's events declares a property.
//
// Reading: such a property has its type and scale by either name, price and
// properties["price"].
func (x *experiment) declares(sel metrics.EventSelector, name string) bool {
	return slices.ContainsFunc(x.eventTypes(sel), func(e *metrics.EventType) bool { return e.Property(name) != nil })
}

// property gives a declared property of an event row, typed and scaled.
//
// Reading: a property that one of the metric's events declares has this type
// in the rows of all of them; a scale is that of the row's own event.
func (x *experiment) property(sel metrics.EventSelector, r Event, ident string) Value {
	stored := absent(r.Properties, ident)
	if p := x.eventType(*r.Event).Property(ident); p != nil {
		return scaled(typed(stored, p.Type.V), p.Scale)
	}
	for _, e := range x.eventTypes(sel) {
		if p := e.Property(ident); p != nil {
			return typed(stored, p.Type.V)
		}
	}
	panic("oracle: unknown name " + ident)
}
