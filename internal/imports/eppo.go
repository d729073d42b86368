package imports

import (
	"math/big"
	"slices"
	"strings"
)

// eppoMetrics reads a file of certified metrics. An event key here is the name of a
// fact source, whose rows are the events; facts and properties are its columns.
func eppoMetrics(d *draft, r *record, _ Options) bool {
	if !r.has("metrics") && !r.has("fact_sources") {
		return false
	}
	facts := eppoFacts{}
	for _, s := range r.children("fact_sources") {
		properties := map[string]string{}
		for _, p := range s.children("properties") {
			properties[p.text("name")] = p.text("column")
		}
		for _, f := range s.children("facts") {
			facts[f.text("name")] = eppoFact{source: s.text("name"), column: f.text("column"), change: f.text("desired_change"), properties: properties}
		}
	}
	for _, m := range r.children("metrics") {
		d.eppoMetric(m, facts)
	}
	for _, s := range r.children("fact_sources") {
		if s.has("sql") {
			d.lose("fact source %s: its query and columns; write it as a source of events with this event key", s.text("name"))
		}
		s.ignore("sql", "timestamp_column", "entities", "reference_url", "partition_column")
		for _, f := range s.children("facts") {
			f.ignore("name", "column", "description", "desired_change")
		}
		for _, p := range s.children("properties") {
			p.ignore("name", "column", "description")
		}
	}
	r.ignore("sync_tag", "reference_url")
	d.rest(r, "metrics")
	return true
}

// eppoFact is a column of a fact source; without a name every row counts.
type eppoFact struct {
	source, column, change string
	properties             map[string]string
}

type eppoFacts map[string]eppoFact

func (d *draft) eppoMetric(r *record, facts eppoFacts) {
	name := r.text("name")
	if !r.has("numerator") && !r.has("percentile") {
		d.lose("metric %s, which has neither a numerator nor a percentile; steps are written under funnel", name)
		return
	}
	kind := r.text("type")
	percentile := kind == "percentile" || r.has("percentile")
	if p := r.child("percentile").text("percentile_value"); percentile && !isPercentile(percent(p)) {
		d.lose("metric %s: percentile_value %s, which is not between 0 and 1", name, firstOf(p, "is not told"))
		return
	}
	m := d.metric(name)
	m.text("name", name)
	m.text("description", r.text("description"))
	change := r.text("desired_change")
	fact := func(side *record) eppoFact {
		name := side.text("fact_name")
		f, ok := facts[name]
		if !ok {
			m.check("the file has no fact %s; its name is taken for the event key and the property", name)
			f = eppoFact{source: name, column: metricColumn(name)}
		}
		if change == "" {
			change = f.change
		}
		return f
	}
	switch {
	case percentile:
		p := r.child("percentile")
		f := fact(p)
		m.text("event", f.source)
		m.set("measure", "value")
		m.expression("value", numberOf(f.column))
		m.eppoFilters(&m.fields, p, f)
		m.set("over", "events")
		m.set("statistic", "p"+percent(p.text("percentile_value")))
	case r.has("denominator"):
		var sides [2]fields
		for i, side := range []string{"numerator", "denominator"} {
			own := r.child(side)
			m.eppoSide(&sides[i], own, fact(own), true)
		}
		m.ratio(sides[0], sides[1])
	default:
		own := r.child("numerator")
		m.eppoSide(&m.fields, own, fact(own), false)
	}
	m.better(change, "increase", "decrease")
	if r.text("metric_display_style") == "percent" {
		m.set("format", "percent")
	}
	if entity := r.text("entity"); entity != "" {
		m.texts("randomization_units", []string{unitKind(entity)})
	}
	if r.is("is_guardrail") {
		m.lose("is_guardrail; name it under guardrails of experiments")
	}
	r.ignore("reference_url", "metric_display_style")
	m.rest(r)
}

// metricColumn is the property that a fact without a source is taken for.
func metricColumn(fact string) string { return strings.ToLower(strings.ReplaceAll(fact, " ", "_")) }

// eppoSide writes an aggregation of a fact.
func (d *definition) eppoSide(f *fields, r *record, fact eppoFact, ratio bool) {
	f.text("event", fact.source)
	value := func(perUnit string) {
		f.set("measure", "value")
		if perUnit == "count_distinct" {
			f.expression("value", property(fact.column))
		} else {
			f.expression("value", numberOf(fact.column))
		}
		f.set("per_unit", perUnit)
		if !ratio && (perUnit == "first" || perUnit == "last") {
			f.set("units_without_events", "exclude")
		}
	}
	switch op := r.text("operation"); {
	case op == "distinct_entity", op == "conversion", op == "retention":
		f.set("measure", "occurrence")
	case op == "threshold":
		d.eppoThreshold(f, r.child("threshold_metric_settings"), fact)
	case op == "count_distinct" && fact.column != "":
		value("count_distinct")
	case op == "first_value" && fact.column != "":
		value("first")
	case op == "last_value" && fact.column != "":
		value("last")
	case op == "sum" && fact.column != "":
		value("")
	case op == "sum", op == "count":
		f.set("measure", "count")
	default:
		d.lose("operation %s; every event counts", op)
		f.set("measure", "count")
	}
	d.eppoFilters(f, r, fact)
	d.eppoWindow(f, r)
	d.eppoCaps(f, r)
	r.ignore("operation", "fact_name")
}

// eppoWindow says when events count. The window of a threshold is there already.
func (d *definition) eppoWindow(f *fields, r *record) {
	unit := r.text("aggregation_timeframe_unit")
	if unit == "calendar_days" {
		d.check("calendar days are taken for days of 24 hours")
		unit = "days"
	}
	from := d.eppoDuration(r, "aggregation_timeframe_start_value", unit)
	to := d.eppoDuration(r, "aggregation_timeframe_end_value", unit)
	if r.has("conversion_threshold_days") {
		to = d.eppoDuration(r, "conversion_threshold_days", "days")
	}
	if r.has("retention_threshold_days") {
		from = d.eppoDuration(r, "retention_threshold_days", "days")
	}
	wait := r.is("enable_aging_subject_filter")
	r.ignore("enable_aging_subject_filter")
	switch {
	case !f.has("window"):
		f.window(from, to, wait)
	default:
		if from != "" || to != "" {
			d.lose("the time frame beside that of the threshold")
		}
		if wait {
			f.set("wait_for_window", "true")
		}
	}
}

// eppoDuration reads a length of time from a field, and lists what is none. Nothing and
// 0 say that there is no bound.
func (d *definition) eppoDuration(r *record, name, unit string) string {
	value := r.text(name)
	length := duration(value, unit)
	if n, ok := new(big.Rat).SetString(value); length == "" && value != "" && (!ok || n.Sign() != 0) {
		d.lose("%s: %s, so that more events count; its unit is %s", name, value, firstOf(unit, "not told"))
	}
	return length
}

func (d *definition) eppoCaps(f *fields, r *record) {
	share := func(name string) string { // 0.99, or 99
		n, ok := new(big.Rat).SetString(r.text(name))
		if !ok || n.Sign() == 0 {
			return ""
		}
		if n.Cmp(big.NewRat(1, 1)) > 0 {
			n.Quo(n, big.NewRat(100, 1))
		}
		return decimal(n)
	}
	var caps, fixed fields
	caps.set("lower", share("winsorization_lower_percentile"))
	caps.set("upper", share("winsorization_upper_percentile"))
	fixed.set("lower_value", r.text("winsor_lower_fixed_value"))
	fixed.set("upper_value", r.text("winsor_upper_fixed_value"))
	switch {
	case f.has("threshold") && len(caps)+len(fixed) > 0:
		d.lose("winsorizing beside a threshold")
	case len(caps) > 0 && len(fixed) > 0:
		d.lose("fixed caps beside percentiles: %s", fixed.flow())
		f.set("winsorize", caps.flow())
	case len(caps) > 0:
		f.set("winsorize", caps.flow())
	case len(fixed) > 0:
		f.set("winsorize", fixed.flow())
	}
}

func (d *definition) eppoThreshold(f *fields, r *record, fact eppoFact) {
	switch {
	case r.text("aggregation_type") == "sum" && fact.column != "":
		f.set("measure", "value")
		f.expression("value", numberOf(fact.column))
	default:
		f.set("measure", "count")
	}
	word := map[string]string{"gt": "more_than", "gte": "at_least"}[r.text("comparison_operator")]
	value := r.text("breach_value")
	if word == "" || value == "" {
		d.lose("threshold_metric_settings: %s", jsonText(r.fields))
		return
	}
	f.set("threshold", "{"+word+": "+value+"}")
	if length := d.eppoDuration(r, "timeframe_value", r.text("timeframe_unit")); length != "" {
		f.set("window", length)
	}
}

func (d *definition) eppoFilters(f *fields, r *record, fact eppoFact) {
	var conds []string
	for _, filter := range r.children("filters") {
		name := filter.text("fact_property")
		column := firstOf(fact.properties[name], name)
		op, known := map[string]string{"equals": "in", "not_equals": "not in"}[filter.text("operation")]
		values := filter.texts("values")
		cond, ok := condition(property(column), op, values)
		if !known || !ok {
			d.lose("filter %s %s %s, so that more rows count", name, filter.text("operation"), strings.Join(values, ", "))
			continue
		}
		conds = append(conds, cond)
	}
	slices.Sort(conds)
	f.expression("where", both(conds))
}
