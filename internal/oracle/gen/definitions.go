package gen

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/internal/oracle"
)

// The event keys. The first two declare the same properties, the third
// declares none, the fourth is not registered.
const (
	purchase = "purchase"
	refund   = "refund"
	pageView = "page view"
	unlisted = "other"
)

// yaml draws the definitions file of a world.
func (w *world) yaml(t *rapid.T) string {
	var b strings.Builder
	b.WriteString("version: 1\nsources:\n  impressions:\n")
	for _, s := range w.impressions {
		s.write(&b)
	}
	b.WriteString("  events:\n")
	for _, s := range w.events {
		s.write(&b)
	}
	closed := writeRegistry(t, &b)
	keys := w.writeMetrics(t, &b, closed)
	b.WriteString("experiments:\n")
	for _, x := range w.experiments {
		n := between(t, "primary metrics", 1, len(keys))
		x.primary, x.secondary = keys[:n], keys[n:]
		x.write(&b)
	}
	return b.String()
}

func (s *source) write(b *strings.Builder) {
	path := s.name + ".parquet"
	if s.partitioned() {
		path = s.name + "/ds=*/*.parquet"
	}
	fmt.Fprintf(b, "    - name: %s\n      path: %s\n      columns:\n", s.name, quoted(path))
	var units []string
	for _, kind := range s.kinds {
		units = append(units, fmt.Sprintf("%s: %s_id", kind, kind))
	}
	fmt.Fprintf(b, "        units: {%s}\n", strings.Join(units, ", "))
	isEvents := s.properties != ""
	if isEvents {
		b.WriteString("        event: event_name\n")
		if s.hasValue {
			b.WriteString("        value: amount\n")
		}
		if s.properties == "MIXED" {
			b.WriteString("        properties: {from: props, quantity: quantity, price: unit_price}\n")
		} else {
			b.WriteString("        properties: props\n")
		}
	} else {
		if s.experiment {
			b.WriteString("        experiment: experiment_key\n")
		}
		if s.flag {
			b.WriteString("        flag: flag_key\n")
		}
		b.WriteString("        variation: shown\n")
		if s.holdback {
			b.WriteString("        holdback: is_holdback\n")
		}
	}
	if s.bag == "COLUMNS" {
		b.WriteString("        attributes: {country: country, platform: platform, age: age}\n")
	} else {
		b.WriteString("        attributes: attrs\n")
	}
	if s.timestamp == "BIGINT" {
		b.WriteString("        timestamp: {column: ts, epoch: us}\n")
	} else {
		b.WriteString("        timestamp: ts\n")
	}
	switch s.idColumns {
	case 1:
		b.WriteString("        id: id_0\n")
	case 2:
		b.WriteString("        id: [id_0, id_1]\n")
	}
	if s.dedupe != "" && (s.dedupe != "id" || s.idColumns > 0) {
		fmt.Fprintf(b, "      dedupe: %s\n", s.dedupe)
	}
	if s.partitioned() {
		fmt.Fprintf(b, "      partition: {column: ds, early: %dd, late: %dd}\n", s.early, s.late)
	}
}

// writeRegistry declares events; closed reports whether `any` means the declared ones alone.
func writeRegistry(t *rapid.T, b *strings.Builder) (closed bool) {
	closed = chance(t, 25)
	b.WriteString("events:\n")
	if closed {
		b.WriteString("  registry: closed\n")
	}
	b.WriteString("  list:\n")
	price := pick(t, "price", "number", "number", "{type: number, scale: 0.01}", "{type: number, scale: 10}")
	for _, key := range []string{purchase, refund} {
		fmt.Fprintf(b, "    - key: %s\n", key)
		if scale := pick(t, "scale", "", "", "0.01", "0.1", "100"); scale != "" {
			fmt.Fprintf(b, "      value: {scale: %s}\n", scale)
		}
		fmt.Fprintf(b, "      properties: {price: %s, quantity: integer, discount: number, category: string, coupon: string, gift: boolean, sent: timestamp}\n", price)
	}
	fmt.Fprintf(b, "    - key: %s\n", quoted(pageView))
	return closed
}

// writeMetrics draws metrics and gives their keys.
func (w *world) writeMetrics(t *rapid.T, b *strings.Builder, closed bool) []string {
	b.WriteString("metrics:\n")
	var keys, plain []string // plain are those that a ratio may name
	for i := range between(t, "metrics", 1, 4) {
		key := fmt.Sprintf("m%d", i)
		keys = append(keys, key)
		fmt.Fprintf(b, "  - key: %s\n    better: %s\n", key, pick(t, "better", "higher", "lower"))
		switch {
		case i > 0 && len(plain) > 0 && chance(t, 10):
			fmt.Fprintf(b, "    like: %s\n    where: %s\n", pick(t, "like", plain...), quoted(common(false).boolean(t, 1).text))
		case chance(t, 25):
			fmt.Fprintf(b, "    ratio: {numerator: %s, denominator: %s}\n", w.drawSide(t, plain, closed), w.drawSide(t, plain, closed))
			if chance(t, 40) {
				fmt.Fprintf(b, "    units_without_events: %s\n", pick(t, "without", "exclude", "zero"))
			}
		default:
			for _, field := range w.drawBody(t, closed, false) {
				fmt.Fprintf(b, "    %s\n", field)
			}
			plain = append(plain, key)
		}
	}
	return keys
}

// drawSide draws one side of a ratio: a key or an inline body.
func (w *world) drawSide(t *rapid.T, plain []string, closed bool) string {
	if len(plain) > 0 && chance(t, 50) {
		return pick(t, "side", plain...)
	}
	return "{" + strings.Join(w.drawBody(t, closed, true), ", ") + "}"
}

// drawBody draws the fields that say what a metric counts.
func (w *world) drawBody(t *rapid.T, closed, side bool) []string {
	selector := pick(t, "event", purchase, purchase, purchase, "["+purchase+", "+refund+"]", quoted(pageView), "any", unlisted)
	if selector == unlisted && closed {
		selector = refund
	}
	sources := w.events
	if len(sources) > 1 && chance(t, 20) {
		sources = w.events[:1]
	}
	hasValue := slices.ContainsFunc(sources, func(s *source) bool { return s.hasValue })
	n := common(hasValue)
	if strings.Contains(selector, purchase) || selector == refund {
		n = declared(hasValue)
	}
	measure := pick(t, "measure", "occurrence", "count", "value", "value", "value", "value", "active_days", "participation")
	fields := []string{"event: " + selector, "measure: " + measure}
	if measure == "value" {
		fields = append(fields, drawValue(t, n, hasValue, side)...)
	} else if !side && chance(t, 10) {
		fields = append(fields, "units_without_events: "+pick(t, "without", "zero", "2"))
	}
	if chance(t, 15) {
		fields = append(fields, "threshold: "+pick(t, "threshold", "{at_least: 2}", "{at_most: 0}", "{more_than: 0.5}", "{less_than: 3}", "{at_least: 1, less_than: 2.5}"))
	}
	if chance(t, 35) {
		fields = append(fields, "where: "+quoted(n.boolean(t, 2).text))
	}
	if len(sources) < len(w.events) {
		fields = append(fields, "source: "+sources[0].name)
	}
	if measure == "participation" {
		return fields
	}
	if window := drawWindow(t); window != "" {
		fields = append(fields, "window: "+window)
		if chance(t, 40) {
			fields = append(fields, "wait_for_window: "+pick(t, "wait", "true", "false"))
		}
	}
	return fields
}

// drawValue draws what is special to `measure: value`.
func drawValue(t *rapid.T, n names, hasValue, side bool) []string {
	var fields []string
	switch {
	case !hasValue || chance(t, 40):
		fields = append(fields, "value: "+quoted(n.number(t, 2).text))
	case chance(t, 30) && slices.Contains(n.numbers, "price"):
		fields = append(fields, "value: "+pick(t, "property", "price", "quantity", "discount"))
	}
	perUnit := pick(t, "per_unit", "sum", "sum", "sum", "average", "average", "min", "max", "first", "last", "count_distinct")
	if perUnit != "sum" {
		fields = append(fields, "per_unit: "+perUnit)
	}
	of := perUnit != "sum" && perUnit != "count_distinct" // one of the unit's values, or between them
	if of && !side || !side && chance(t, 25) {
		fields = append(fields, "units_without_events: "+pick(t, "without", "exclude", "zero", "3", "-1"))
	} else if of {
		fields = append(fields, "units_without_events: zero")
	}
	if chance(t, 40) {
		fields = append(fields, fmt.Sprintf("decimals: %d", pick(t, "decimals", 2, 0, 1, 3, 6, 9)))
	}
	return fields
}

func drawWindow(t *rapid.T) string {
	length := pick(t, "length", lengths...)
	switch pick(t, "window", "open", "length", "length", "from to", "from", "to", "before", "lookback") {
	case "length":
		return length
	case "from to":
		return fmt.Sprintf("{from: 1h, to: %s}", pick(t, "to", lengths[1:]...))
	case "from":
		return "{from: " + length + "}"
	case "to":
		return "{to: " + length + "}"
	case "lookback":
		return "{lookback: " + length + "}"
	case "before":
		return fmt.Sprintf("{from: -%s, to: %s}", length, pick(t, "to", lengths...))
	}
	return ""
}

// common are the names that every event row has, `value` only where a source maps it.
func common(hasValue bool) names {
	numbers := []string{"elapsed"}
	if hasValue {
		numbers = []string{"value", "elapsed"}
	}
	return names{
		numbers: numbers,
		texts:   []string{"event", `properties["item.sku"]`, "attributes.country", "exposure.country", "exposure.platform", "units.user"},
	}
}

// declared are the names of rows of the events that declare properties.
func declared(hasValue bool) names {
	n := common(hasValue)
	n.numbers = append(n.numbers, "price", "quantity", "discount", "price", "quantity")
	n.texts = append(n.texts, "category", "coupon", "category")
	n.integers = append(n.integers, "quantity")
	n.booleans = append(n.booleans, "gift")
	n.times = append(n.times, "sent")
	return n
}

func (x *experiment) write(b *strings.Builder) {
	fmt.Fprintf(b, "  - key: %s\n    flag: %s\n    unit: %s\n    start: %s\n", x.key, x.flag, x.unit, instant(x.start))
	if x.end != nil {
		fmt.Fprintf(b, "    end: %s\n", instant(*x.end))
	}
	if x.observeUntil != nil {
		fmt.Fprintf(b, "    observe_until: %s\n", instant(*x.observeUntil))
	}
	if len(x.matchExperiment)+len(x.matchFlag) > 0 {
		var match []string
		if len(x.matchExperiment) > 0 {
			match = append(match, "experiment: "+quotedList(x.matchExperiment))
		}
		if len(x.matchFlag) > 0 {
			match = append(match, "flag: "+quotedList(x.matchFlag))
		}
		fmt.Fprintf(b, "    match: {%s}\n", strings.Join(match, ", "))
	}
	b.WriteString("    variations:\n")
	for i, v := range x.variations {
		fmt.Fprintf(b, "      - {key: %s, weight: 1", quoted(v.key))
		if i == 0 {
			b.WriteString(", baseline: true")
		}
		if len(v.match) > 0 {
			fmt.Fprintf(b, ", match: %s", quotedList(v.match))
		}
		if v.json != "" {
			fmt.Fprintf(b, ", match: {value: %s}", v.json)
		}
		b.WriteString("}\n")
	}
	if len(x.ignored) > 0 {
		fmt.Fprintf(b, "    ignore_variations: %s\n", quotedList(x.ignored))
	}
	if x.holdbackAs != "" {
		fmt.Fprintf(b, "    holdback: {as: %s}\n", x.holdbackAs)
	}
	if x.multiple != "" {
		fmt.Fprintf(b, "    multiple_variations: %s\n", x.multiple)
	}
	if x.cutWindows {
		b.WriteString("    cut_windows_at_end: true\n")
	}
	if x.where != "" {
		fmt.Fprintf(b, "    where: %s\n", quoted(x.where))
	}
	if len(x.segments) > 0 {
		fmt.Fprintf(b, "    segments: [%s]\n", strings.Join(x.segments, ", "))
	}
	fmt.Fprintf(b, "    metrics:\n      primary: [%s]\n", strings.Join(x.primary, ", "))
	if len(x.secondary) > 0 {
		fmt.Fprintf(b, "      secondary: [%s]\n", strings.Join(x.secondary, ", "))
	}
}

func quotedList(values []string) string {
	var out []string
	for _, v := range values {
		out = append(out, quoted(v))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z") }

// columns tells the oracle the types of an event source's columns.
func (s *source) columns() oracle.Columns {
	c := oracle.Columns{Value: s.value}
	switch s.properties {
	case "STRUCT":
		c.Properties = map[string]oracle.ColumnType{
			"price": {Kind: oracle.FloatColumn}, "quantity": {Kind: oracle.IntegerColumn}, "discount": {Kind: oracle.DecimalColumn, Scale: 2},
			"gift": {Kind: oracle.BooleanColumn}, "sent": {Kind: oracle.TimestampColumn},
		}
	case "MIXED":
		c.Properties = map[string]oracle.ColumnType{"price": {Kind: oracle.FloatColumn}, "quantity": {Kind: oracle.IntegerColumn}}
	}
	return c
}
