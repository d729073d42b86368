package gen

import (
	"fmt"
	"math"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/internal/oracle"
)

// What cells are drawn from. Every pool begins with the plain and goes on to the odd.
var (
	ids       = []string{"u1", "u2", "u3", "u4", "u5", "U1", " u1", "007", "7", "é", `"7", 8`}
	devices   = []string{"d1", "d2", "d3", "D1"}
	countries = []string{"DE", "CH", "AT", "", "É", "it's"}
	platforms = []string{"web", "ios"}
	ages      = []string{"30", "41", " 18 ", "old", "1e1", ""}
	sessions  = []string{"s1", "s2", "s3", "S1", ""}
	skus      = []string{"a-1", "A-1", "\u00a0x", "tab\t", "100%", ""}

	categories = []string{"electronics", "Electronics", "a", "", "É", "é", "\u00a0x ", "it's", "a\\b\"c", "🙂", "one, two;\tthree|four", "two\nlines"}
	coupons    = []string{"10", "9", "SPRING", ""}
	prices     = []string{"12.5", "0", "-3", "0.1", "0.145", "1e3", " 7 ", "5.", ".5", "1_000", "abc", "", "NaN", "inf", "1e999", "+2.50", "0x1f", "１２"}
	quantities = []string{"1", "3", "+4", "007", "-2", "2.0", " 5", "", "x", "99999999999999999999"}
	discounts  = []string{"0.05", "1.25", "2", "-0.005", "none"}
	gifts      = []string{"true", "false", "TRUE", "fAlse", "1", "yes", ""}
	sents      = []string{"2026-03-02T00:00:00Z", "2026-03-03 10:00:00", "2026-03-02T12:00:00.0000019+02:00", "2026-03-02", "2026-3-2", "yesterday", "2026-02-30", ""}

	floats   = []float64{1, 2.5, 0.1, 0.145, 1.005, -1.5, 0.35, 1e-7, 0, 19.99, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)}
	integers = []int64{1, 7, 29, 57, 100, -3, 0}
	weighing = []int64{1, 2, 10, 0, -1, 1000}
	hundreds = []int64{125, 99, 1, -250, 0, 1005} // unscaled

	// At the limit of 10^15, in units of 10^-6 or as it is.
	extremeFloats   = []float64{1e9, 1e9 + 0.000001, 999999999.999999, -1e9, 1e15, 1e308, 5e8}
	extremeIntegers = []int64{1_000_000_000_000_000, 1_000_000_000_000_001, -1_000_000_000_000_000, 999_999_999_999_999, 9007199254740993, math.MinInt64}
	extremeHundreds = []int64{999_999_999, -999_999_999}

	nudges = []time.Duration{0, 0, 0, time.Microsecond, -time.Microsecond, time.Hour, -time.Hour}
)

// rows draws the rows of a world.
func (w *world) rows(t *rapid.T) oracle.Input {
	in := oracle.Input{Columns: map[string]oracle.Columns{}, Now: monday.Add(30 * day)}
	if !chance(t, 15) {
		in.AsOf = new(w.asOf)
	}
	in.Units, in.Excluded = w.unitRows(t), w.excludedRows(t)
	for _, s := range w.impressions {
		var rows []oracle.Impression
		for range between(t, s.name, 4, 36) {
			rows = append(rows, w.drawImpression(t, s))
		}
		if w.crowd {
			rows = append(rows, w.crowdOf(s)...)
		}
		in.Impressions = append(in.Impressions, rows...)
		for _, r := range rows {
			if chance(t, 10) {
				in.Impressions = append(in.Impressions, w.copyImpression(t, s, r))
			}
		}
	}
	for _, s := range w.events {
		in.Columns[s.name] = s.columns()
		var rows []oracle.Event
		for range between(t, s.name, 8, 80) {
			rows = append(rows, w.drawEvent(t, s))
		}
		in.Events = append(in.Events, rows...)
		for _, r := range rows {
			if chance(t, 10) {
				in.Events = append(in.Events, w.copyEvent(t, s, r))
			}
		}
	}
	return in
}

func (w *world) drawImpression(t *rapid.T, s *source) oracle.Impression {
	r := oracle.Impression{Source: s.name, Units: s.drawUnits(t), Attributes: drawAttributes(t), ID: s.drawID(t)}
	x := pick(t, "experiment of", w.experiments...)
	if s.experiment && !chance(t, 3) {
		r.Experiment = new(pick(t, "experiment", orElse(x.matchExperiment, x.key)...))
	}
	if s.flag && !chance(t, 3) {
		r.Flag = new(pick(t, "flag", orElse(x.matchFlag, x.flag)...))
	}
	if !chance(t, 3) {
		r.Variation = new(x.drawVariation(t, r.Units[x.unit]))
	}
	if s.holdback && !chance(t, 60) {
		r.Holdback = new(chance(t, 30))
	}
	if s.weight && !chance(t, 10) {
		r.Weight = new(pick(t, "weight", weighing...))
	}
	r.Time, r.Day = w.drawTime(t, s, 12)
	r.Experiment, r.Flag, r.Variation = s.withoutEmpty(r.Experiment), s.withoutEmpty(r.Flag), s.withoutEmpty(r.Variation)
	dropEmpty(s, r.Attributes)
	return r
}

// orElse gives the values that match names, or the one that matches without it.
func orElse(match []string, key string) []string {
	if len(match) > 0 {
		return match
	}
	return []string{key}
}

// drawVariation draws what an impression of the experiment may have shown: to
// most units the same each time.
func (x *experiment) drawVariation(t *rapid.T, unit string) string {
	if chance(t, 3) {
		return pick(t, "odd variation", "purple", "", "Control", "false")
	}
	if len(x.ignored) > 0 && chance(t, 10) {
		return pick(t, "ignored", x.ignored...)
	}
	v := x.variations[0]
	if unit != "" { // by its last byte
		v = x.variations[int(unit[len(unit)-1])%len(x.variations)]
	}
	if chance(t, 6) {
		v = pick(t, "variation", x.variations...)
	}
	return pick(t, "value of variation", v.values()...)
}

// values are those in the data that mean the variation.
func (v variation) values() []string {
	if v.json != "" {
		return sameJSON[v.json]
	}
	return orElse(v.match, v.key)
}

// sameJSON are texts of the JSON values that variations match, as YAML.
var sameJSON = map[string][]string{
	"true":        {"true", " true"},
	"1.50":        {"1.5", "1.50", "15e-1"},
	"{a: [1, x]}": {`{"a": [1, "x"]}`, `{"a":[1.0,"x"]}`},
}

// crowdOf gives a unit to each of 60 values of an attribute, 57 of them its own.
func (w *world) crowdOf(s *source) []oracle.Impression {
	x := w.experiments[0]
	var out []oracle.Impression
	for i := range 60 {
		r := oracle.Impression{
			Source: s.name, Units: map[string]string{}, Variation: new(x.variations[i%len(x.variations)].values()[0]), Time: new(x.start.Add(time.Hour)), ID: make([]oracle.Value, s.idColumns),
			Attributes: map[string]string{"country": fmt.Sprintf("c%02d", i%57)},
		}
		for _, kind := range s.kinds {
			r.Units[kind] = fmt.Sprintf("crowd %d", i)
		}
		if s.experiment {
			r.Experiment = new(orElse(x.matchExperiment, x.key)[0])
		}
		if s.flag {
			r.Flag = new(orElse(x.matchFlag, x.flag)[0])
		}
		if s.partitioned() {
			r.Day = new(r.Time.Truncate(day))
		}
		out = append(out, r)
	}
	return out
}

func (w *world) drawEvent(t *rapid.T, s *source) oracle.Event {
	r := oracle.Event{Source: s.name, Units: s.drawUnits(t), Attributes: drawAttributes(t), ID: s.drawID(t), Properties: s.drawProperties(t)}
	if !chance(t, 3) {
		r.Event = new(pick(t, "event", purchase, purchase, purchase, refund, pageView, unlisted))
	}
	if s.hasValue {
		r.Value = w.drawValue(t, s.value.Kind)
	}
	if s.weight && !chance(t, 10) {
		r.Weight = new(pick(t, "weight", weighing...))
	}
	if w.crowd && chance(t, 60) { // more values than a split shows
		r.Properties["coupon"] = fmt.Sprintf("v%02d", between(t, "coupon", 0, 24))
	}
	r.Time, r.Day = w.drawTime(t, s, 48)
	dropEmpty(s, r.Attributes)
	if s.ending == csv && r.Value == "" {
		r.Value = nil
	}
	if s.properties == "COLUMNS" {
		dropEmpty(s, r.Properties)
	}
	return r
}

func (w *world) drawValue(t *rapid.T, kind oracle.ColumnKind) oracle.Value {
	if chance(t, 10) {
		return nil
	}
	extreme := w.extreme && chance(t, 50)
	switch kind {
	case oracle.FloatColumn:
		if extreme {
			return pick(t, "extreme value", extremeFloats...)
		}
		return pick(t, "value", floats...)
	case oracle.IntegerColumn:
		if extreme {
			return pick(t, "extreme value", extremeIntegers...)
		}
		return pick(t, "value", integers...)
	case oracle.DecimalColumn:
		if extreme {
			return oracle.Decimal{Unscaled: pick(t, "extreme value", extremeHundreds...), Scale: 2}
		}
		return oracle.Decimal{Unscaled: pick(t, "value", hundreds...), Scale: 2}
	case oracle.TextColumn:
		return pick(t, "value", prices...)
	}
	panic(fmt.Sprintf("gen: no values for %v", kind))
}

func (s *source) drawUnits(t *rapid.T) map[string]string {
	units := map[string]string{}
	for _, kind := range s.kinds {
		if chance(t, 5) {
			if chance(t, 30) {
				units[kind] = ""
			}
			continue
		}
		pool := ids
		if kind == "device" {
			pool = devices
		}
		n := min(6, len(pool))
		if chance(t, 40) {
			n = len(pool)
		}
		units[kind] = pool[between(t, kind, 0, n-1)]
	}
	return units
}

func (s *source) drawID(t *rapid.T) []oracle.Value {
	var out []oracle.Value
	for range s.idColumns {
		var v oracle.Value
		if n := between(t, "id", 0, 40); n > 0 && s.idType == "BIGINT" {
			v = int64(n)
		} else if n > 0 {
			v = fmt.Sprint("id", n)
		}
		out = append(out, v)
	}
	return out
}

func drawAttributes(t *rapid.T) map[string]string {
	out := map[string]string{}
	maybe(t, out, "country", 80, countries)
	maybe(t, out, "platform", 60, platforms)
	maybe(t, out, "age", 60, ages)
	return out
}

func maybe[V any](t *rapid.T, m map[string]V, key string, percent int, pool []V) {
	if chance(t, percent) {
		n := min(2, len(pool))
		if chance(t, 50) {
			n = len(pool)
		}
		m[key] = pool[between(t, key, 0, n-1)]
	}
}

func (s *source) drawProperties(t *rapid.T) map[string]oracle.Value {
	texts := map[string]string{}
	maybe(t, texts, "category", 75, categories)
	maybe(t, texts, "coupon", 40, coupons)
	maybe(t, texts, "item.sku", 40, skus)
	maybe(t, texts, "session", 80, sessions)
	if s.properties != "STRUCT" {
		maybe(t, texts, "discount", 50, discounts)
		maybe(t, texts, "gift", 50, gifts)
		maybe(t, texts, "sent", 40, sents)
		if s.properties != "MIXED" {
			maybe(t, texts, "price", 75, prices)
			maybe(t, texts, "quantity", 60, quantities)
		}
	}
	out := map[string]oracle.Value{}
	for k, v := range texts {
		out[k] = v
	}
	if s.properties == "STRUCT" || s.properties == "MIXED" {
		maybe(t, out, "price", 75, valuesOf(floats))
		maybe(t, out, "quantity", 60, valuesOf(integers))
	}
	if s.properties == "STRUCT" {
		maybe(t, out, "discount", 50, []oracle.Value{oracle.Decimal{Unscaled: 5, Scale: 2}, oracle.Decimal{Unscaled: 125, Scale: 2}, oracle.Decimal{Unscaled: -1, Scale: 2}})
		maybe(t, out, "gift", 50, []oracle.Value{true, false})
		maybe(t, out, "sent", 40, []oracle.Value{monday, monday.Add(10*time.Hour + time.Microsecond)})
	}
	return out
}

func valuesOf[T any](list []T) []oracle.Value {
	var out []oracle.Value
	for _, v := range list {
		out = append(out, v)
	}
	return out
}

// drawTime draws a timestamp and the partition day: some hours after the
// start of an experiment, or near one of the world's instants, or exactly a
// window's length from there.
func (w *world) drawTime(t *rapid.T, s *source, hours int) (at, partition *time.Time) {
	instant := pick(t, "start of", w.experiments...).start.Add(time.Duration(between(t, "hours", 0, hours)) * time.Hour)
	if chance(t, 40) {
		instant = pick(t, "instant", w.instants...).Add(pick(t, "nudge", nudges...))
	}
	if chance(t, 15) {
		length := pick(t, "length", time.Hour, day, 36*time.Hour, 2*day, 3*day)
		instant = instant.Add(pick(t, "sign", length, -length))
	}
	if s.partitioned() {
		off := pick(t, "days off", 0, 0, 0, 0, 0, 0, 1, -1, 2, -2, 3)
		partition = new(instant.Truncate(day).Add(time.Duration(off) * day))
	}
	if chance(t, 2) {
		return nil, partition
	}
	return new(instant), partition
}

// copyImpression gives a copy of a row, the same or with one difference.
func (w *world) copyImpression(t *rapid.T, s *source, r oracle.Impression) oracle.Impression {
	other := w.drawImpression(t, s)
	switch pick(t, "differs in", "nothing", "time", "variation", "attributes", "holdback", "date") {
	case "time":
		r.Time = later(r.Time, time.Duration(between(t, "minutes", -3, 3))*time.Minute)
	case "variation":
		r.Variation = other.Variation
	case "attributes":
		r.Attributes = other.Attributes
	case "holdback":
		r.Holdback, r.Weight = other.Holdback, other.Weight
	case "date":
		r.Time = later(r.Time, day)
	}
	return r
}

// copyEvent gives a copy of a row, the same or with one difference.
func (w *world) copyEvent(t *rapid.T, s *source, r oracle.Event) oracle.Event {
	other := w.drawEvent(t, s)
	switch pick(t, "differs in", "nothing", "time", "value", "properties", "attributes", "date", "weight") {
	case "time":
		r.Time = later(r.Time, time.Duration(between(t, "minutes", -3, 3))*time.Minute)
	case "value":
		r.Value = other.Value
	case "weight":
		r.Weight = other.Weight
	case "properties":
		r.Properties = other.Properties
	case "attributes":
		r.Attributes = other.Attributes
	case "date":
		r.Time = later(r.Time, day)
	}
	return r
}

func later(t *time.Time, by time.Duration) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.Add(by))
}

// days are the partition days of rows, in order.
func days(of []*time.Time) []time.Time {
	var out []time.Time
	for _, d := range of {
		if d != nil && !slices.ContainsFunc(out, d.Equal) {
			out = append(out, *d)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}
