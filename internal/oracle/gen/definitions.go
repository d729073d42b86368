package gen

import (
	"fmt"
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
	if w.units != nil {
		b.WriteString("  units:\n")
		w.units.write(&b)
	}
	if w.excluded {
		b.WriteString("  exclude_units:\n    - {path: 'staff.parquet', columns: {units: {user: user_id}}}\n")
	}
	w.closed = writeRegistry(t, &b)
	keys := w.writeMetrics(t, &b)
	b.WriteString("experiments:\n")
	for _, x := range w.experiments {
		n := between(t, "primary metrics", 1, len(keys))
		x.primary, x.secondary = keys[:n], keys[n:]
		x.write(&b)
	}
	if !chance(t, 25) {
		b.WriteString("defaults:\n  analysis: {bayesian: off}\n") // they take longer than all other statistics
	}
	return b.String()
}

func (s *source) write(b *strings.Builder) {
	path := s.name + s.ending
	if s.partitioned() {
		path = s.name + "/ds=*/*" + s.ending
	}
	fmt.Fprintf(b, "    - name: %s\n      path: %s\n      columns:\n", s.name, quoted(path))
	var units []string
	for _, kind := range s.kinds {
		units = append(units, fmt.Sprintf("%s: %s_id", kind, kind))
	}
	fmt.Fprintf(b, "        units: {%s}\n", strings.Join(units, ", "))
	if s.weight {
		b.WriteString("        weight: sample\n")
	}
	isEvents := s.properties != ""
	if isEvents {
		b.WriteString("        event: event_name\n")
		if s.hasValue {
			b.WriteString("        value: amount\n")
		}
		switch s.properties {
		case "MIXED":
			b.WriteString("        properties: {from: props, quantity: quantity, price: unit_price}\n")
		case "COLUMNS":
			var named []string
			for _, name := range propertyNames {
				named = append(named, name+": "+name)
			}
			fmt.Fprintf(b, "        properties: {%s}\n", strings.Join(named, ", "))
		default:
			b.WriteString("        properties: props\n")
		}
	} else if !s.isUnits {
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
	switch {
	case s.isUnits && s.bag == "COLUMNS":
		b.WriteString("        attributes: {plan: plan, region: region}\n")
	case s.isUnits && s.bag == "":
	case s.bag == "COLUMNS":
		b.WriteString("        attributes: {country: country, platform: platform, age: age}\n")
	default:
		b.WriteString("        attributes: attrs\n")
	}
	switch s.timestamp {
	case "":
	case "BIGINT":
		b.WriteString("        timestamp: {column: ts, epoch: us}\n")
	case nanoseconds:
		b.WriteString("        timestamp: {column: ts, epoch: ns}\n")
	default:
		b.WriteString("        timestamp: ts\n")
	}
	switch s.idColumns {
	case 1:
		b.WriteString("        id: id_0\n")
	case 2:
		b.WriteString("        id: [id_0, id_1]\n")
	}
	if s.where {
		b.WriteString("      where: 'env == \"live\"'\n")
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

// common are the names that every event row has, `value` only where a source maps it.
func (w *world) common(hasValue bool) names {
	numbers := []string{"elapsed"}
	if hasValue {
		numbers = []string{"value", "elapsed"}
	}
	n := names{
		numbers: numbers,
		texts:   []string{"event", `properties["item.sku"]`, "attributes.country", "exposure.country", "exposure.platform", "units.user"},
	}
	if w.hasUnitAttributes {
		n.texts = append(n.texts, "unit.plan", "unit.region")
	}
	return n
}

// shown are the names that impressions have.
func (w *world) shown() names {
	return names{numbers: []string{"elapsed", "number(attributes.age)"}, texts: []string{"attributes.country", "exposure.country", "attributes.platform", "units.user"}}
}

// declared are the names of rows of the events that declare properties.
func (w *world) declared(hasValue bool) names {
	n := w.common(hasValue)
	n.numbers = append(n.numbers, "price", "quantity", "discount", "price", "quantity")
	n.texts = append(n.texts, "category", "coupon", "category")
	n.integers = append(n.integers, "quantity")
	n.booleans = append(n.booleans, "gift")
	n.times = append(n.times, "sent")
	return n
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
