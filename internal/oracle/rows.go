package oracle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// Input is everything that a run reads: mapped rows for which the `where` of
// their source is true, in any order.
type Input struct {
	Impressions []Impression
	Events      []Event
	// Units are the rows of the units sources.
	Units []UnitRow
	// Excluded are the rows of exclude_units: ids by unit kind.
	Excluded []map[string]string
	// Columns tells the types of the numeric columns of each event source, by
	// its name. Default decimals depend on them (language, section 2).
	Columns map[string]Columns
	// AsOf is nil where the default applies (section 1).
	AsOf *time.Time
	// Now is the clock.
	Now time.Time
}

// Columns are the types of an event source's columns. A property that is not
// in Properties lies in a text column (a MAP or JSON).
type Columns struct {
	Value      ColumnType
	Properties map[string]ColumnType
}

// ColumnType is the type of a column. The zero ColumnType is text.
type ColumnType struct {
	Kind  ColumnKind
	Scale int // of a DECIMAL
}

// ColumnKind is what cells of a column hold.
type ColumnKind int

// The kinds of columns, with the Go type of their cells.
const (
	TextColumn      ColumnKind = iota // string
	FloatColumn                       // float64
	IntegerColumn                     // int64
	DecimalColumn                     // Decimal
	BooleanColumn                     // bool
	TimestampColumn                   // time.Time
)

// exact reports whether the column holds exact numbers (5.1).
func (t ColumnType) exact() bool { return t.Kind == IntegerColumn || t.Kind == DecimalColumn }

// Impression is one row of an impression source. Nil pointers and absent keys are missing.
type Impression struct {
	Source     string
	Units      map[string]string // ids by unit kind
	Experiment *string
	Flag       *string
	Variation  *string
	Time       *time.Time // UTC, microseconds
	Attributes map[string]string
	ID         []Value
	Holdback   *bool
	Weight     *int64
	Day        *time.Time // the partition's day, where the source has partitions
}

// Event is one row of an event source. Nil pointers and absent keys are missing.
type Event struct {
	Source     string
	Units      map[string]string
	Event      *string
	Time       *time.Time
	Value      Value
	Properties map[string]Value
	Attributes map[string]string
	ID         []Value
	Weight     *int64
	Day        *time.Time
}

// UnitRow is one row of a units source: attributes of a unit, or ids of several
// kinds that belong to the same unit.
type UnitRow struct {
	Source     string
	Units      map[string]string
	Attributes map[string]string
	Time       *time.Time
}

// id gives the row's id of a unit kind, or "" (2.2: missing or empty).
func id(units map[string]string, kind string) string { return units[kind] }

// asOf is A of section 1: rows at or after it do not exist.
//
// Reading: without any timestamp at all, A is the clock.
func asOf(in Input) time.Time {
	if in.AsOf != nil {
		return *in.AsOf
	}
	var largest *time.Time
	see := func(t *time.Time) {
		if t != nil && !t.After(in.Now.Add(24*time.Hour)) && (largest == nil || t.After(*largest)) {
			largest = t
		}
	}
	for _, r := range in.Impressions {
		see(r.Time)
	}
	for _, r := range in.Events {
		see(r.Time)
	}
	if largest == nil {
		return in.Now
	}
	return largest.Add(time.Microsecond)
}

// existingImpressions gives the rows of section 2 for experiments of a unit kind.
func existingImpressions(defs *metrics.Definitions, in Input, asOf time.Time, kind string) []Impression {
	var out []Impression
	for _, src := range defs.Sources.Impressions {
		var rows []Impression
		for _, r := range in.Impressions {
			if r.Source == src.Name.V && rowExists(src, in, asOf, kind, r.Units, r.Time, r.Day) {
				rows = append(rows, r)
			}
		}
		out = append(out, once(rows, src, impressionIdentity, mergeImpressions)...)
	}
	return out
}

// existingEvents gives the rows of section 2 for experiments of a unit kind;
// with kind "", whatever ids they carry (3.7).
func existingEvents(defs *metrics.Definitions, in Input, asOf time.Time, kind string) []Event {
	var out []Event
	for _, src := range defs.Sources.Events {
		var rows []Event
		for _, r := range in.Events {
			// 2.2: an event has a key.
			// Reading: an empty key is a key.
			if r.Source == src.Name.V && r.Event != nil && rowExists(src, in, asOf, kind, r.Units, r.Time, r.Day) {
				rows = append(rows, r)
			}
		}
		out = append(out, once(rows, src, eventIdentity, mergeEvents)...)
	}
	return out
}

// rowExists is section 1 (as-of) and 2.1 to 2.3.
func rowExists(src *metrics.Source, in Input, asOf time.Time, kind string, units map[string]string, t, day *time.Time) bool {
	if t == nil || kind != "" && id(units, kind) == "" { // 2.2
		return false
	}
	if !t.Before(asOf) { // 1
		return false
	}
	if p := src.Partition; p != nil { // 2.1
		// Reading: a row without a partition day lies in no range of days.
		if day == nil || day.Before(dayOf(*t).Add(-p.Early)) || day.After(dayOf(*t).Add(p.Late)) {
			return false
		}
	}
	return !isExcluded(in, units)
}

// isExcluded reports whether a row carries an excluded id of any kind (2.3).
func isExcluded(in Input, units map[string]string) bool {
	for _, excluded := range in.Excluded {
		for kind, excludedID := range excluded {
			if excludedID != "" && id(units, kind) == excludedID {
				return true
			}
		}
	}
	return false
}

// dayOf is the UTC date of an instant.
func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// once removes duplicates (2.4). identity gives what makes two rows copies of
// each other, by id and by row; byID is "" for a row whose id is missing.
func once[R any](rows []R, src *metrics.Source, identity func(R) (byID, byRow string), merge func([]R) R) []R {
	dedupe := src.Dedupe.V
	if !src.Dedupe.Set {
		dedupe = metrics.DedupeNone
		if len(src.Columns.ID) > 0 {
			dedupe = metrics.DedupeID
		}
	}
	var out []R
	var order []string
	copies := map[string][]R{}
	for _, r := range rows {
		byID, byRow := identity(r)
		key := ""
		switch dedupe {
		case metrics.DedupeID:
			key = byID
		case metrics.DedupeRow:
			key = byRow
		case metrics.DedupeNone:
		default:
			panic(fmt.Sprintf("oracle: no case for dedupe %q", dedupe))
		}
		if key == "" {
			out = append(out, r)
			continue
		}
		if copies[key] == nil {
			order = append(order, key)
		}
		copies[key] = append(copies[key], r)
	}
	for _, key := range order {
		out = append(out, merge(copies[key]))
	}
	return out
}

// impressionIdentity: id, unit, experiment and flag, date.
//
// Reading: where a source maps both experiment and flag, both belong to the
// identity. An id of several columns is missing if one of them is.
func impressionIdentity(r Impression) (byID, byRow string) {
	where := identity(unitIdentity(r.Units), deref(r.Experiment), deref(r.Flag))
	if hasID(r.ID) {
		byID = where + identity(r.ID, dayOf(*r.Time))
	}
	return byID, where + identity(r.ID, *r.Time, deref(r.Variation), sorted(r.Attributes), deref(r.Holdback), deref(r.Weight))
}

// eventIdentity: id, unit, event key, date.
//
// Reading: by row, an empty text in the column value is a missing value.
func eventIdentity(r Event) (byID, byRow string) {
	where := identity(unitIdentity(r.Units), *r.Event)
	if hasID(r.ID) {
		byID = where + identity(r.ID, dayOf(*r.Time))
	}
	value := r.Value
	if value == "" {
		value = nil
	}
	return byID, where + identity(r.ID, *r.Time, value, sorted(r.Properties), sorted(r.Attributes), deref(r.Weight))
}

func hasID(id []Value) bool { return len(id) > 0 && !slices.Contains(id, nil) }

// unitIdentity is all mapped ids of a row; a missing and an empty id are both none.
func unitIdentity(units map[string]string) []string {
	var out []string
	for kind, id := range units {
		if id != "" {
			out = append(out, fmt.Sprintf("%q=%q", kind, id))
		}
	}
	slices.Sort(out)
	return out
}

// identity spells out values so that different ones differ in text, and equal ones do not.
func identity(values ...any) string {
	var b strings.Builder
	for _, v := range values {
		if f, ok := v.(float64); ok {
			v = f + 0 // −0 equals 0
		}
		fmt.Fprintf(&b, "%T %#v\n", v, v)
	}
	return b.String()
}

func sorted[V any](m map[string]V) []string {
	var out []string
	for k, v := range m {
		if any(v) != nil {
			out = append(out, identity(k, any(v)))
		}
	}
	slices.Sort(out)
	return out
}

func deref[T any](p *T) Value {
	if p == nil {
		return nil
	}
	return *p
}

// mergeImpressions gives each column the smallest value among the copies (2.4).
func mergeImpressions(copies []Impression) Impression {
	out := copies[0]
	for _, r := range copies[1:] {
		out.Time = smallerOf(out.Time, r.Time)
		out.Experiment = smallerOf(out.Experiment, r.Experiment)
		out.Flag = smallerOf(out.Flag, r.Flag)
		out.Variation = smallerOf(out.Variation, r.Variation)
		out.Holdback = smallerOf(out.Holdback, r.Holdback)
		out.Weight = smallerOf(out.Weight, r.Weight)
		out.Attributes = smallerOfEach(out.Attributes, r.Attributes)
	}
	return out
}

// mergeEvents gives each column and property the smallest value among the copies (2.4).
func mergeEvents(copies []Event) Event {
	out := copies[0]
	for _, r := range copies[1:] {
		out.Time = smallerOf(out.Time, r.Time)
		out.Value = smaller(out.Value, r.Value)
		out.Properties = smallerOfEach(out.Properties, r.Properties)
		out.Attributes = smallerOfEach(out.Attributes, r.Attributes)
		out.Weight = smallerOf(out.Weight, r.Weight)
	}
	return out
}

func smallerOf[T any](a, b *T) *T {
	if a == nil {
		return b
	}
	if b != nil && compareStored(*b, *a) < 0 {
		return b
	}
	return a
}

func smallerOfEach[V any](a, b map[string]V) map[string]V {
	out := map[string]V{}
	for _, m := range []map[string]V{a, b} {
		for k, v := range m {
			if was, ok := out[k]; ok {
				v, _ = smaller(any(was), any(v)).(V)
			}
			out[k] = v
		}
	}
	return out
}
