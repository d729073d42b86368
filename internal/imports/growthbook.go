package imports

import (
	"math/big"
	"regexp"
	"strings"
)

// growthBookTables reads fact tables, whose names are taken for event keys.
func growthBookTables(d *draft, r *record, _ Options) bool {
	for _, t := range r.children("factTables") {
		d.tables[t.text("id")] = t.text("name")
	}
	if !r.has("factTables") || r.has("factMetrics") {
		return false
	}
	d.growthBookPage(r)
	return true
}

// growthBookPage loses what a page of a list says besides its entries; tables are
// sources, of which the names are taken alone.
func (d *draft) growthBookPage(r *record) {
	r.ignore("limit", "offset", "count", "total", "hasMore", "nextOffset")
	d.rest(r, "factTables", "factMetrics", "factMetric", "items")
}

// growthBookMetrics reads fact metrics as the REST API gives them.
func growthBookMetrics(d *draft, r *record, _ Options) bool {
	list := r.children("factMetrics")
	switch {
	case r.has("factMetric"):
		list = []*record{r.child("factMetric")}
	case r.has("metricType"):
		list = []*record{r}
	case list == nil:
		list = r.children("items")
	}
	known := false
	for _, m := range list {
		if m.has("metricType") {
			known = true
			d.growthBookMetric(m)
		}
	}
	if known && !r.has("metricType") {
		d.others(list, "fact metric", func(m *record) bool { return m.has("metricType") })
		d.growthBookPage(r)
	}
	return known
}

func (d *draft) growthBookMetric(r *record) {
	name, kind := r.text("name"), r.text("metricType")
	if kind == "funnel" {
		d.lose("metric %s: the steps of a funnel", name)
		return
	}
	q := r.child("quantileSettings")
	if kind == "quantile" && !isPercentile(percent(q.number("quantile"))) {
		d.lose("metric %s: quantile %s, which is not between 0 and 1", name, firstOf(q.text("quantile"), "is not told"))
		return
	}
	m := d.metric(name)
	m.text("name", name)
	m.text("description", r.text("description"))
	m.texts("tags", r.texts("tags"))
	m.text("maintainer", firstOf(r.text("ownerEmail"), r.text("owner")))
	var within fields // of a ratio they stand in both sides
	m.growthBookWindow(&within, r.child("windowSettings"), kind)
	m.growthBookCaps(&within, r.child("cappingSettings"), kind)
	if kind == "ratio" {
		var sides [2]fields
		for i, side := range []string{"numerator", "denominator"} {
			m.growthBookSide(&sides[i], r.child(side), d.tables, "")
			sides[i] = append(sides[i], within...)
		}
		m.ratio(sides[0], sides[1])
	} else {
		numerator := r.child("numerator")
		var conds []string
		if column := numerator.text("column"); kind == "quantile" && q.text("type") != "unit" && q.is("ignoreZeros") && isColumn(column) {
			conds = append(conds, numberOf(column)+" != 0")
		}
		m.growthBookSide(&m.fields, numerator, d.tables, kind, conds...)
		m.fields = append(m.fields, within...)
	}
	switch {
	case kind == "quantile" && q.text("type") == "unit":
		m.set("statistic", "p"+percent(q.number("quantile")))
		m.set("units_without_events", "zero")
		if q.is("ignoreZeros") {
			m.drop("units_without_events")
			m.set("units_without_events", "exclude")
			m.check("ignoreZeros leaves out units with 0, here units without events")
		}
	case kind == "quantile":
		m.set("statistic", "p"+percent(q.number("quantile")))
		m.set("over", "events")
	}
	switch {
	case r.is("inverse"):
		m.set("better", "lower")
	default:
		m.set("better", "higher")
	}
	if r.is("displayAsPercentage") {
		m.set("format", "percent")
	}
	switch c := r.child("regressionAdjustmentSettings"); {
	case c.is("override") && c.is("enabled"):
		m.set("analysis", "{cuped: {days: "+firstOf(c.number("days"), "14")+"}}")
	case c.is("override"):
		m.set("analysis", "{cuped: off}")
		c.ignore("days")
	default:
		c.ignore("enabled", "days")
	}
	if p := r.child("priorSettings"); !p.is("override") {
		p.ignore("proper", "mean", "stddev")
	}
	r.ignore("id", "owner", "ownerEmail", "projects", "datasource", "managedBy", "dateCreated", "dateUpdated", "archived",
		"riskThresholdSuccess", "riskThresholdDanger", "minPercentChange", "maxPercentChange", "minSampleSize", "targetMDE", "targetLift", "inverse", "numerator", "denominator")
	m.rest(r)
}

// growthBookSide writes what a column of a fact table counts, of rows for which the
// conditions hold beside its filters.
func (d *definition) growthBookSide(f *fields, c *record, tables map[string]string, kind string, conds ...string) {
	id := c.text("factTableId")
	event := tables[id]
	if event == "" {
		event = id
		d.check("the event key is the id of the fact table, %s", id)
	}
	events := []string{event}
	condOf := func(column, op string, values []string) {
		if strings.EqualFold(column, "event_name") || strings.EqualFold(column, "event") {
			if op == "in" && len(values) > 0 {
				events = values
				return
			}
		}
		if cond, ok := condition(property(column), op, values); ok {
			conds = append(conds, cond)
			return
		}
		d.lose("filter %s %s %s, so that more rows count", column, op, strings.Join(values, ", "))
	}
	for _, filter := range c.children("rowFilters") {
		op := filter.text("operator")
		ours, ok := growthBookOps[op]
		column, values := filter.text("column"), filter.texts("values")
		if op == "is_true" || op == "is_false" {
			values = []string{strings.TrimPrefix(op, "is_")}
		}
		switch {
		case !ok:
			d.lose("filter %s, so that more rows count", strings.TrimSpace(column+" "+op+" "+strings.Join(values, ", ")))
		default:
			condOf(column, ours, values)
		}
	}
	if inline := c.child("inlineFilters"); inline != nil {
		for _, column := range inline.keys() {
			if values := inline.texts(column); values != nil {
				condOf(column, "in", values)
			}
		}
	}
	for _, saved := range c.texts("filters") {
		d.lose("saved filter %s, so that more rows count", saved)
	}
	f.set("event", one(events))
	column := c.text("column")
	threshold, ok := growthBookThreshold(c.text("aggregateFilter"))
	of := c.text("aggregateFilterColumn")
	switch {
	case of != "" && !ok:
		d.lose("the user filter %s %s", of, c.text("aggregateFilter"))
		fallthrough
	case of == "":
		f.growthBookValue(column, c.text("aggregation"), kind)
	default:
		f.growthBookValue(of, "sum", kind)
		f.set("threshold", threshold)
	}
	c.ignore("column")
	f.expression("where", both(conds))
}

// isColumn reports whether a column is one of the table, not a word of GrowthBook.
func isColumn(name string) bool { return name != "" && !strings.HasPrefix(name, "$$") }

// growthBookValue says how the values of a column make the number of a unit.
func (f *fields) growthBookValue(column, aggregation, kind string) {
	switch column {
	case "$$distinctUsers", "":
		f.set("measure", "occurrence")
	case "$$count":
		f.set("measure", "count")
		if kind == "quantile" {
			return
		}
	case "$$distinctDates":
		f.set("measure", map[bool]string{true: "participation", false: "active_days"}[kind == "dailyParticipation"])
	default:
		f.set("measure", "value")
		if aggregation == "count distinct" {
			f.expression("value", property(column))
			f.set("per_unit", "count_distinct")
			return
		}
		f.expression("value", numberOf(column))
		if aggregation == "max" {
			f.set("per_unit", "max")
			f.set("units_without_events", "zero")
		}
	}
}

var growthBookOps = map[string]string{
	"=": "in", "in": "in", "!=": "not in", "not_in": "not in", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
	"contains": "contains", "not_contains": "not contains", "starts_with": "startsWith", "ends_with": "endsWith", "is_null": "== nil", "not_null": "!= nil",
	"is_true": "in", "is_false": "in",
}

var comparison = regexp.MustCompile(`^\s*(>=|<=|>|<)\s*([0-9]+(?:\.[0-9]+)?)\s*$`)

// growthBookThreshold reads a user filter such as ">= 3".
func growthBookThreshold(filter string) (string, bool) {
	m := comparison.FindStringSubmatch(filter)
	if m == nil {
		return "", false
	}
	words := map[string]string{">=": "at_least", "<=": "at_most", ">": "more_than", "<": "less_than"}
	return "{" + words[m[1]] + ": " + m[2] + "}", true
}

// growthBookWindow says when events count. GrowthBook counts every user, however long
// ago the exposure was, unless an experiment excludes conversions in progress.
func (d *definition) growthBookWindow(f *fields, w *record, kind string) {
	before, unit := firstOf(w.number("delayValue"), w.number("delayHours")), firstOf(w.text("delayUnit"), "hours")
	delay := duration(strings.TrimPrefix(before, "-"), unit)
	if delay != "" && strings.HasPrefix(before, "-") { // events before the exposure count too
		delay = "-" + delay
	}
	length := duration(w.number("windowValue"), firstOf(w.text("windowUnit"), "hours"))
	switch typ := w.text("type"); {
	case typ == "lookback" && length != "":
		if delay != "" {
			d.lose("windowSettings.delayValue beside a lookback window")
		}
		f.set("window", "{lookback: "+length+"}")
	case typ == "conversion" && length != "" && delay != "":
		to := sumOf(before, unit, w.number("windowValue"), firstOf(w.text("windowUnit"), "hours"))
		f.window(delay, to, false)
	case typ == "conversion" && length != "":
		f.window("", length, false)
	case delay != "":
		f.window(delay, "", false)
	case kind == "retention":
		f.window("7d", "", false)
		d.check("the file does not tell the delay of the retention, which is 7 days by default")
	}
}

// growthBookCaps reads caps at a value, and at percentiles, which are interpolated where
// the warehouse has the exact ones.
func (d *definition) growthBookCaps(f *fields, c *record, kind string) {
	value := c.number("value")
	if kind == "quantile" && c.text("type") != "none" && c.has("type") {
		d.lose("cappingSettings of a quantile")
		c.ignore("ignoreZeros")
		return
	}
	switch kind := c.text("type"); {
	case isNumber(value, new(big.Rat)): // which is no cap
		c.ignore("ignoreZeros")
	case kind == "absolute":
		f.set("winsorize", "{upper_value: "+value+"}")
	case kind == "percentile":
		var caps fields
		caps.set("upper", value)
		if c.is("ignoreZeros") {
			caps.set("ignore_zeros", "true")
		}
		caps.set("method", "linear")
		f.set("winsorize", caps.flow())
		d.check("percentiles are interpolated, as in PostgreSQL; warehouses with approximate ones cap at about this value")
	default:
		c.ignore("value", "ignoreZeros")
	}
}
