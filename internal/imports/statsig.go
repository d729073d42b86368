package imports

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// statsigMetrics reads metrics as the console API gives them, or as YAML with the same
// fields. Of warehouse native metrics the name of the source is taken for the event key.
func statsigMetrics(d *draft, r *record, _ Options) bool {
	list := r.children("data")
	switch {
	case list == nil && r.child("data") != nil:
		list = []*record{r.child("data")}
	case list == nil && r.has("metrics"):
		list = r.children("metrics")
	case list == nil && r.has("type"):
		list = []*record{r}
	case list == nil:
		list = r.children("items")
	}
	known := false
	for _, m := range list {
		if m.has("name") && m.has("type") {
			known = true
			d.statsigMetric(m)
		}
	}
	if known && !r.has("type") {
		d.others(list, "metric", func(m *record) bool { return m.has("name") && m.has("type") })
		r.ignore("message", "pagination")
		d.rest(r, "data", "metrics", "items")
	}
	return known
}

func (d *draft) statsigMetric(r *record) {
	name, kind := r.text("name"), r.text("type")
	w := r.child("warehouseNative")
	if reason := statsigRefused(kind, w, r.children("metricEvents")); reason != "" {
		d.lose("metric %s: %s", name, reason)
		return
	}
	m := d.metric(name)
	m.text("name", name)
	m.text("description", r.text("description"))
	m.texts("tags", r.texts("tags"))
	m.text("maintainer", firstOf(r.child("owner").text("name"), r.text("team"), r.text("creatorEmail")))
	if w != nil {
		m.statsigWarehouse(w)
	} else {
		m.statsigEvents(r, kind)
		if kind != "ratio" { // the sides of a ratio have no windows
			m.statsigWindow(&m.fields, statsigSide{r, ""})
		}
	}
	m.better(r.text("directionality"), "increase", "decrease")
	var kinds []string
	for _, unit := range r.texts("unitTypes") {
		kinds = append(kinds, unitKind(unit))
	}
	m.texts("randomization_units", kinds)
	r.ignore("id", "type", "isPermanent", "isReadOnly", "isVerified", "isHidden", "createdTime", "creatorName", "creatorEmail", "creatorID", "owner", "team", "teamID",
		"lineage", "dryRun", "lastModifierName", "lastModifierEmail", "lastModifiedTime", "isStale")
	m.rest(r)
}

// statsigAggregations are those of metric sources that the language says.
var statsigAggregations = []string{"count", "sum", "mean", "daily_participation", "ratio", "count_distinct", "percentile", "first_value", "latest_value", "max", "min"}

// statsigRefused says why a metric cannot be said at all; empty where it can.
func statsigRefused(kind string, w *record, events []*record) string {
	switch {
	case w != nil && w.text("aggregation") == "funnel" || w == nil && kind == "funnel":
		return "a funnel of other metrics; write its steps under funnel"
	case w != nil && !slices.Contains(statsigAggregations, w.text("aggregation")):
		return "aggregation " + w.text("aggregation")
	case w != nil && w.text("aggregation") == "percentile" && !isPercentile(percent(w.text("percentile"))):
		return "percentile " + firstOf(w.text("percentile"), "is not told") + ", which is not between 0 and 1"
	case w != nil && w.text("aggregation") == "ratio" && !statsigCanBeSide(w.text("numeratorAggregation")):
		return "a ratio with " + w.text("numeratorAggregation") + " above"
	case w != nil && w.text("aggregation") == "ratio" && !statsigCanBeSide(w.text("denominatorAggregation")):
		return "a ratio with " + w.text("denominatorAggregation") + " below"
	case w == nil && (strings.HasPrefix(kind, "composite") || kind == "ratio" && len(events) != 2 || kind == "undefined" || kind == "import_metric" || kind == "setup_incomplete"):
		return "type " + kind + " is made of other metrics; write it as a ratio"
	}
	return ""
}

// statsigCanBeSide reports whether an aggregation can be a side of a ratio, which are
// sums over units; none is that of counts.
func statsigCanBeSide(aggregation string) bool {
	return aggregation == "" || aggregation != "ratio" && aggregation != "percentile" && slices.Contains(statsigAggregations, aggregation)
}

// statsigEvents reads a metric of logged events.
func (d *definition) statsigEvents(r *record, kind string) {
	if kind == "ratio" {
		d.statsigRatio(r.children("metricEvents"))
		return
	}
	var events, conds, each []string // each is the condition of each event
	differ := false
	value, distinct := "", ""
	for i, e := range r.children("metricEvents") {
		events = append(events, e.text("name"))
		var own []string
		d.statsigCriteria(&own, nil, e.children("criteria"))
		if i == 0 {
			conds = own
		}
		differ = differ || !slices.Equal(conds, own)
		if cond := both(append([]string{"event == " + strconv.Quote(e.text("name"))}, own...)); !slices.Contains(each, cond) {
			each = append(each, cond)
		}
		switch key := e.text("metadataKey"); e.text("type") {
		case "metadata":
			value = numberOf(key)
		case "count_distinct":
			distinct = property(key)
		}
		e.ignore("type")
	}
	if len(events) == 0 { // an event has metrics of its own, which are called like it
		events = []string{r.text("name")}
	}
	d.set("event", one(events))
	switch {
	case distinct != "":
		d.set("measure", "value")
		d.expression("value", distinct)
		d.set("per_unit", "count_distinct")
	case kind == "event_count" || kind == "event_count_custom":
		d.set("measure", "count")
		d.statsigDefaultCap()
	case kind == "event_user" || kind == "event_dau" || kind == "user":
		d.set("measure", "participation")
		d.check("the share of days with an event; a unit that counts once at most is measure: occurrence")
	case kind == "sum" || kind == "event_count_sum":
		d.set("measure", "value")
		d.expression("value", value)
		d.statsigDefaultCap()
	case kind == "mean":
		d.set("measure", "value")
		d.expression("value", value)
		d.set("over", "events")
	default:
		d.lose("type: %s; its events are counted", kind)
		d.set("measure", "count")
	}
	if differ {
		conds = []string{joined(each, " or ")}
	}
	d.expression("where", both(conds))
}

// statsigRatio reads a ratio of the events of its two sides.
func (d *definition) statsigRatio(events []*record) {
	var sides [2]fields
	for i, e := range events {
		f := &sides[i]
		f.text("event", e.text("name"))
		if e.text("type") == "count_distinct" && e.has("metadataKey") {
			f.set("measure", "value")
			f.expression("value", property(e.text("metadataKey")))
			f.set("per_unit", "count_distinct")
		} else {
			f.set("measure", "count")
		}
		e.ignore("type")
		var conds []string
		d.statsigCriteria(&conds, nil, e.children("criteria"))
		f.expression("where", both(conds))
	}
	d.ratio(sides[0], sides[1])
}

// statsigDefaultCap tells of a cap that Statsig has where the file names none.
func (d *definition) statsigDefaultCap() {
	d.check("counts and sums of logged events are capped at 99.9 %% there: winsorize: {upper: 0.999, ignore_zeros: true}")
}

// statsigWarehouse reads a metric over a metric source.
func (d *definition) statsigWarehouse(w *record) {
	aggregation := w.text("aggregation")
	if aggregation == "ratio" {
		var x, y fields
		d.statsigAggregate(&x, statsigSide{w, ""}, firstOf(w.text("numeratorAggregation"), "count"))
		d.statsigAggregate(&y, statsigSide{w, "denominator"}, firstOf(w.text("denominatorAggregation"), "count"))
		d.ratio(x, y)
		if w.is("allowNullRatioDenominator") {
			d.set("units_without_events", "zero")
		}
	} else {
		d.statsigAggregate(&d.fields, statsigSide{w, ""}, aggregation)
	}
	if columns := w.texts("metricDimensionColumns"); len(columns) > 0 {
		switch {
		case d.has("winsorize") || d.has("statistic") || aggregation == "ratio" || d.has("over"):
			d.lose("metricDimensionColumns: %s", strings.Join(columns, ", "))
		default:
			d.text("split_by", columns[0])
			if len(columns) > 1 {
				d.lose("metricDimensionColumns beside the first: %s", strings.Join(columns[1:], ", "))
			}
		}
	}
	if days := w.number("cupedAttributionWindow"); days != "" && days != "0" {
		d.set("analysis", "{cuped: {days: "+days+"}}")
	}
	w.ignore("aggregation", "numeratorAggregation", "allowNullRatioDenominator", "onlyIncludeUsersWithConversionEvent", "metricBakeDays")
	if v, _ := w.peek("onlyIncludeUsersWithConversionEvent").(bool); v {
		d.lose("onlyIncludeUsersWithConversionEvent: true; units without events are 0")
	}
}

// statsigSide is a metric over a source, or the denominator of one, whose fields have
// a word before them.
type statsigSide struct {
	*record
	prefix string
}

func (s statsigSide) named(name string) string {
	if s.prefix == "" {
		return name
	}
	return s.prefix + name
}

func (s statsigSide) text(name string) string { return s.record.text(s.named(name)) }

func (s statsigSide) number(name string) string { return s.record.number(s.named(name)) }

func (d *definition) statsigAggregate(f *fields, w statsigSide, aggregation string) {
	denominator := w.prefix != ""
	events := []string{w.text("metricSourceName")}
	var conds []string
	d.statsigCriteria(&conds, &events, w.children(w.named("criteria")))
	f.set("event", one(events))
	column := w.text("valueColumn")
	value := func() {
		f.set("measure", "value")
		f.expression("value", numberOf(column))
	}
	switch aggregation {
	case "count":
		f.set("measure", "count")
	case "daily_participation":
		f.set("measure", "participation")
		d.check("rollupTimeWindow may count each unit once: then it is measure: occurrence")
	case "sum":
		value()
	case "mean":
		value()
		if w.prefix == "" && w.record.text("aggregation") != "ratio" {
			f.set("over", "events")
		} else {
			f.set("per_unit", "average")
		}
	case "percentile":
		value()
		f.set("over", "events")
		f.set("statistic", "p"+percent(w.text("percentile")))
	case "count_distinct":
		f.set("measure", "value")
		f.expression("value", property(column))
		f.set("per_unit", "count_distinct")
	case "first_value", "latest_value", "max", "min":
		value()
		f.set("per_unit", map[string]string{"first_value": "first", "latest_value": "last"}[aggregation])
		if !f.has("per_unit") {
			f.set("per_unit", aggregation)
		}
		if w.record.text("aggregation") != "ratio" {
			f.set("units_without_events", "exclude")
			d.check("a mean over the units that have a value; write units_without_events: zero for one over all units")
		}
	default:
		panic("imports: no case for aggregation " + aggregation)
	}
	f.expression("where", both(conds))
	if f.is("measure", "participation") {
		return
	}
	if w.prefix != "" && !w.has(w.named("rollupTimeWindow")) {
		w.prefix = "" // the window is that of the numerator
	}
	d.statsigWindow(f, w)
	if !denominator {
		d.statsigCaps(f, w.record)
	}
}

// statsigCaps reads caps at percentiles, which Statsig takes of the units that are not
// 0, and at a value.
func (d *definition) statsigCaps(f *fields, w *record) {
	var caps fields
	if low := w.number("winsorizationLow"); low != "" && !isNumber(low, big.NewRat(0, 1)) {
		caps.set("lower", low)
	}
	if high := w.number("winsorizationHigh"); high != "" && !isNumber(high, big.NewRat(0, 1)) && !isNumber(high, big.NewRat(1, 1)) {
		caps.set("upper", high)
	}
	if limit := w.number("cap"); limit != "" && limit != "0" {
		if len(caps) > 0 {
			d.lose("winsorizing at percentiles beside cap: %s", caps.flow())
		}
		d.check("cap is of a unit and day there, and of a unit here")
		caps = fields{{name: "upper_value", yaml: limit}}
	}
	if threshold := w.number("valueThreshold"); threshold != "" && threshold != "0" {
		if len(caps) > 0 {
			d.lose("caps beside valueThreshold: %s", caps.flow())
		}
		f.set("threshold", "{at_least: "+threshold+"}")
		caps = nil
	}
	for _, c := range slices.Clone(caps) {
		if n, ok := new(big.Rat).SetString(c.yaml); c.name != "upper_value" && (!ok || n.Sign() < 0 || n.Cmp(big.NewRat(1, 1)) > 0) {
			d.lose("winsorizing at %s, which is no share", c.yaml)
			caps.drop(c.name)
		}
	}
	switch {
	case len(caps) == 0:
	case f.has("statistic"):
		d.lose("winsorizing of a percentile")
	default:
		if !caps.has("upper_value") {
			caps.set("ignore_zeros", "true")
		}
		f.set("winsorize", caps.flow())
	}
}

// statsigWindow reads the days since the exposure on which events count, the last one
// included.
func (d *definition) statsigWindow(f *fields, r statsigSide) {
	custom := r.text("rollupTimeWindow") == "custom"
	r.ignore(r.named("rollupTimeWindow"))
	from, to := r.number("customRollUpStart"), r.number("customRollUpEnd")
	last, ok := new(big.Int).SetString(to, 10)
	if !custom || !ok {
		return
	}
	f.window(duration(from, "days"), duration(new(big.Int).Add(last, big.NewInt(1)).String(), "days"), r.is("waitForCohortWindow"))
}

var statsigOps = map[string]string{
	"in": "in", "=": "in", "eq": "in", "not_in": "not in", "!=": "not in", "neq": "not in", "<": "<", "lt": "<", "<=": "<=", "lte": "<=", ">": ">", "gt": ">", ">=": ">=", "gte": ">=",
	"contains": "contains", "starts_with": "startsWith", "start_withs": "startsWith", "ends_with": "endsWith", "is_null": "== nil", "non_null": "!= nil", "not_null": "!= nil",
}

// statsigCriteria writes criteria as conditions. Where events are given, a criterion on
// the column of events is the list of them.
func (d *definition) statsigCriteria(conds, events *[]string, criteria []*record) {
	for _, c := range criteria {
		kind, column, op, values := c.text("type"), c.text("column"), c.text("condition"), c.texts("values")
		if c.is("nullVacuousOverride") {
			d.lose("nullVacuousOverride of the criterion on %s: rows without a value there do not count", column)
		}
		ours := statsigOps[op]
		if events != nil && ours == "in" && len(values) > 0 && (column == "event" || column == "event_name") {
			*events = values
			continue
		}
		of, ok := property(column), true
		if kind == "user" || kind == "user_custom" {
			of, ok = attribute(column)
		}
		var cond string
		switch {
		case kind == "value":
			cond, ok = ofValue(ours, values)
		case op == "not_contains":
			if cond, ok = condition(of, "contains", values); ok {
				cond = negated(cond)
			}
		case ok:
			cond, ok = condition(of, ours, values)
		}
		if !ok {
			d.lose("criterion %s, so that more events count", strings.TrimSpace(strings.Join([]string{kind, column, op, strings.Join(values, ", ")}, " ")))
			continue
		}
		*conds = append(*conds, cond)
	}
}

// ofValue is a condition on the value of the event, which is a number.
func ofValue(op string, values []string) (string, bool) {
	if len(values) != 1 || !isLiteral(values[0]) {
		return "", false
	}
	switch op {
	case "<", "<=", ">", ">=":
		return "value " + op + " " + values[0], true
	case "in":
		return "value == " + values[0], true
	case "not in":
		return "value != " + values[0], true
	}
	return "", false
}
