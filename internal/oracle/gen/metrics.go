package gen

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// A body is the fields of one metric or side, and what others must know of it.
type body struct {
	fields    []string
	isFunnel  bool
	winsorize bool
}

// namesOfColumns are keys of metrics that are also names of columns in the statements of a
// run.
var namesOfColumns = []string{
	"unit", "value", "ts", "event", "experiment", "variation", "group", "segment", "segment_value",
	"split", "step", "phase", "part", "stored", "until", "weight", "times", "hash", "i", "n", "r", "date", "units", "unit_id", "exposed_at",
}

// writeMetrics draws metrics and gives their keys.
func (w *world) writeMetrics(t *rapid.T, b *strings.Builder) []string {
	b.WriteString("metrics:\n")
	var keys []string
	plain := map[string]body{} // those that a ratio may name
	named := w.use(t, columnNames, 12)
	first := between(t, "first name", 0, len(namesOfColumns)-1)
	for i := range between(t, "metrics", 2, 5) {
		key := fmt.Sprintf("m%d", i)
		if named {
			key = namesOfColumns[(first+i)%len(namesOfColumns)]
		}
		var fields []string
		names := keysOf(plain)
		switch {
		case len(names) > 0 && w.use(t, likes, 8):
			of := pick(t, "like", names...)
			fields = []string{"like: " + of}
			if !plain[of].isFunnel {
				fields = append(fields, "where: "+quoted(w.common(false).boolean(t, 1).text))
			}
		case w.use(t, ratios, 22):
			fields = w.drawRatio(t, plain)
		default:
			of, isSide := w.drawMetric(t)
			fields = of.fields
			if isSide {
				plain[key] = of
			}
		}
		keys = append(keys, key)
		fmt.Fprintf(b, "  - key: %s\n    better: %s\n", key, pick(t, "better", "higher", "lower"))
		for _, field := range fields {
			fmt.Fprintf(b, "    %s\n", field)
		}
	}
	return keys
}

func keysOf[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// A ratio is its two sides, and how soon rows of the one must follow those of the other.
type ratio struct {
	num, den side
	within   string
}

// A side of a ratio is a body, and how it stands there: as a key, or in place.
type side struct {
	body
	text string
}

// drawRatio draws the fields of a ratio.
func (w *world) drawRatio(t *rapid.T, plain map[string]body) []string {
	r := &ratio{num: w.drawSide(t, plain), den: w.drawSide(t, plain)}
	last := w.ratio
	if w.ratio = r; last != nil && w.use(t, sharedSides, 50) {
		r.within = last.within
		if chance(t, 60) {
			r.num = last.num
		} else {
			r.den = last.den
		}
	}
	switch {
	case r.num.isFunnel || r.den.isFunnel:
		r.within = ""
	case r.within == "" && w.use(t, numeratorWithin, 20):
		r.within = ", numerator_within: " + pick(t, "within", lengths...)
	}
	fields := []string{fmt.Sprintf("ratio: {numerator: %s, denominator: %s%s}", r.num.text, r.den.text, r.within)}
	if chance(t, 40) {
		fields = append(fields, "units_without_events: "+pick(t, "without", "exclude", "zero"))
	}
	if !r.num.winsorize && !r.den.winsorize && w.use(t, splitting, 15) {
		fields = append(fields, w.split(t))
	}
	return fields
}

// drawSide draws one side of a ratio: a key or an inline body.
func (w *world) drawSide(t *rapid.T, plain map[string]body) side {
	if names := keysOf(plain); len(names) > 0 && chance(t, 50) {
		key := pick(t, "side", names...)
		return side{plain[key], key}
	}
	var of body
	if w.use(t, funnelSides, 8) {
		of = body{fields: w.drawFunnel(t), isFunnel: true}
	} else {
		of = w.drawBody(t, true)
	}
	return side{of, "{" + strings.Join(of.fields, ", ") + "}"}
}

// drawMetric draws a metric that is no ratio; isSide reports whether a ratio may name it.
func (w *world) drawMetric(t *rapid.T) (of body, isSide bool) {
	if w.use(t, funnels, 10) {
		of = body{fields: w.drawFunnel(t), isFunnel: true}
		if w.use(t, splitting, 15) {
			of.fields = append(of.fields, w.split(t))
		}
		return of, !slices.Contains(pending, funnelSides)
	}
	return w.drawWhole(t)
}

// drawWhole draws a metric of an event, with what a side of a ratio cannot have.
func (w *world) drawWhole(t *rapid.T) (of body, isSide bool) {
	of = w.drawBody(t, false)
	isPercentile, isOver := false, false
	has := func(field string) bool {
		return slices.ContainsFunc(of.fields, func(f string) bool { return strings.HasPrefix(f, field+":") })
	}
	if !has("threshold") && w.use(t, percentiles, 10) {
		isPercentile = true
		of.fields = append(of.fields, "statistic: "+pick(t, "statistic", "p50", "p95", "p10", "p99.9"))
	}
	switch {
	case isPercentile && of.winsorize: // what is capped, the groups or the units, is nobody's question
	case w.use(t, overProperty, 10):
		isOver = true
		of.fields = append(of.fields, "over: "+quoted(pick(t, "over", "session", "session", "category", "item.sku")))
	case w.use(t, overEvents, 6):
		isOver = true
		of.fields = append(of.fields, "over: events")
	}
	if isOver {
		of.fields = slices.DeleteFunc(of.fields, func(f string) bool { return strings.HasPrefix(f, "units_without_events:") })
	} else if isPercentile && !has("units_without_events") {
		of.fields = append(of.fields, "units_without_events: zero")
	}
	if !of.winsorize && !isPercentile && w.use(t, splitting, 15) {
		of.fields = append(of.fields, w.split(t))
	}
	return of, !isPercentile && !isOver && !has("split_by")
}

// split draws the field split_by.
func (w *world) split(t *rapid.T) string {
	return "split_by: " + quoted(pick(t, "split by", "category", "coupon", "coupon", "item.sku", "session"))
}

// drawFilter draws an event with or without a condition.
func (w *world) drawFilter(t *rapid.T) string {
	event := pick(t, "filter", purchase, refund, quoted(pageView))
	if chance(t, 50) {
		return event
	}
	n := w.common(false)
	if event != quoted(pageView) {
		n = w.declared(false)
	}
	return fmt.Sprintf("{event: %s, where: %s}", event, quoted(n.boolean(t, 1).text))
}

// drawFunnel draws the fields of a funnel.
func (w *world) drawFunnel(t *rapid.T) []string {
	anyOrder := w.use(t, funnelsAny, 25)
	var steps []string
	for i := range between(t, "steps", 2, 4) {
		event := pick(t, "step", purchase, refund, quoted(pageView), quoted(pageView), "["+purchase+", "+refund+"]", "any")
		step := "{event: " + event
		n := w.common(false)
		if strings.Contains(event, purchase) || event == refund {
			n = w.declared(false)
		}
		if chance(t, 30) {
			step += ", where: " + quoted(n.boolean(t, 1).text)
		}
		if i > 0 && !anyOrder && chance(t, 40) {
			step += ", within: " + pick(t, "within", "1h", "2h", "24h", "36h")
		}
		if chance(t, 20) {
			step += fmt.Sprintf(", name: step %d", i)
		}
		steps = append(steps, step+"}")
	}
	order := ""
	if anyOrder {
		order = ", order: any"
	}
	fields := []string{"funnel: {steps: [" + strings.Join(steps, ", ") + "]" + order + "}"}
	fields = append(fields, w.drawWindow(t)...)
	if w.use(t, afterEvent, 15) {
		fields = append(fields, "after: "+w.drawFilter(t))
	}
	if len(w.events) > 1 && chance(t, 20) {
		fields = append(fields, "source: "+w.events[0].name)
	}
	return fields
}

// drawBody draws the fields that say what a metric counts.
func (w *world) drawBody(t *rapid.T, side bool) body {
	if w.use(t, ofImpressions, 7) {
		return w.drawImpressionBody(t, side)
	}
	selector := pick(t, "event", purchase, purchase, purchase, "["+purchase+", "+refund+"]", quoted(pageView), "any", unlisted)
	if selector == unlisted && w.closed {
		selector = refund
	}
	if selector == "any" {
		w.note(anyEvent)
	}
	sources := w.events
	if len(sources) > 1 && chance(t, 20) {
		sources = w.events[:1]
	}
	hasValue := slices.ContainsFunc(sources, func(s *source) bool { return s.hasValue })
	n := w.common(hasValue)
	if strings.Contains(selector, purchase) || selector == refund {
		n = w.declared(hasValue)
	}
	measure := pick(t, "measure", "occurrence", "count", "value", "value", "value", "value", "active_days", "participation")
	fields := []string{"event: " + selector, "measure: " + measure}
	if measure == "value" {
		fields = append(fields, drawValue(t, n, hasValue, side)...)
	} else if !side && chance(t, 10) {
		fields = append(fields, "units_without_events: "+pick(t, "without", "zero", "2"))
	}
	if len(sources) < len(w.events) {
		fields = append(fields, "source: "+sources[0].name)
	}
	return w.finish(t, n, fields, measure)
}

// drawImpressionBody draws the fields of a metric of impressions.
func (w *world) drawImpressionBody(t *rapid.T, side bool) body {
	n := w.shown()
	measure := pick(t, "measure", "count", "count", "occurrence", "active_days", "value")
	fields := []string{"event: impression", "measure: " + measure}
	if measure == "value" {
		fields = append(fields, "value: "+quoted(n.number(t, 2).text))
		if perUnit := pick(t, "per_unit", "sum", "max", "average"); perUnit != "sum" {
			fields = append(fields, "per_unit: "+perUnit)
			if !side {
				fields = append(fields, "units_without_events: "+pick(t, "without", "exclude", "zero"))
			}
		}
	}
	return w.finish(t, n, fields, measure)
}

// finish draws what any metric of an event may have.
func (w *world) finish(t *rapid.T, n names, fields []string, measure string) body {
	of := body{fields: fields}
	switch {
	case w.use(t, thresholds, 15):
		of.fields = append(of.fields, "threshold: "+pick(t, "threshold", "{at_least: 2}", "{at_most: 0}", "{more_than: 0.5}", "{less_than: 3}", "{at_least: 1, less_than: 2.5}"))
	case w.use(t, winsorizing, 15):
		of.winsorize = true
		of.fields = append(of.fields, "winsorize: "+w.drawWinsorize(t))
	}
	if w.use(t, conditions, 35) {
		of.fields = append(of.fields, "where: "+quoted(n.boolean(t, 2).text))
	}
	if w.use(t, afterEvent, 10) {
		of.fields = append(of.fields, "after: "+w.drawFilter(t))
	}
	if measure != "participation" {
		of.fields = append(of.fields, w.drawWindow(t)...)
	}
	return of
}

func (w *world) drawWinsorize(t *rapid.T) string {
	limits := pick(t, "caps", "upper: 0.9", "upper: 0.75", "upper: 0.5", "upper: 0.99", "lower: 0.1", "lower: 0.25, upper: 0.75", "lower: 0.1, upper: 0.9",
		"upper_value: 3", "upper_value: 1.5", "lower_value: 1", "lower_value: 0.5, upper_value: 20")
	if strings.Contains(limits, "_value") {
		return "{" + limits + "}"
	}
	if chance(t, 30) {
		limits += ", ignore_zeros: true"
	}
	if chance(t, 30) {
		limits += ", method: linear"
	}
	return "{" + limits + "}"
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

// drawWindow draws a window and whether it is waited for; none for an open one.
func (w *world) drawWindow(t *rapid.T) []string {
	window, length := "", pick(t, "length", lengths...)
	switch pick(t, "window", "open", "length", "length", "from to", "from", "to", "before", "lookback") {
	case "open":
		return nil
	case "length":
		window = length
	case "from to":
		window = fmt.Sprintf("{from: 1h, to: %s}", pick(t, "to", lengths[1:]...))
	case "from":
		window = "{from: " + length + "}"
	case "to":
		window = "{to: " + length + "}"
	case "lookback":
		w.note(lookbacks)
		window = "{lookback: " + length + "}"
	case "before":
		w.note(negativeWindows)
		// One that ends at the exposure may be as long as that of a covariate.
		window = fmt.Sprintf("{from: -%s, to: %s}", length, pick(t, "to", append([]string{"0h", "0h"}, lengths...)...))
	}
	fields := []string{"window: " + window}
	if w.use(t, waiting, 40) {
		fields = append(fields, "wait_for_window: "+pick(t, "wait", "true", "false"))
	}
	return fields
}
