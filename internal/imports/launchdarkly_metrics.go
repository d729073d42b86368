package imports

import (
	"slices"
	"strings"
)

// launchDarklyMetrics reads metrics and metric groups as the REST API gives them.
func launchDarklyMetrics(d *draft, r *record, _ Options) bool {
	list := r.children("items")
	if r.has("kind") && r.has("key") {
		list = []*record{r}
	}
	var groups []*record
	known := false
	for _, m := range list {
		switch kind := m.peek("kind"); kind {
		case "custom", "click", "pageview", "trace":
			known = true
			m.ignore("kind")
			d.launchDarklyMetric(m, kind.(string))
		case "funnel", "standard":
			known = true
			groups = append(groups, m)
		}
	}
	for _, g := range groups {
		d.launchDarklyGroup(g)
	}
	if known {
		d.launchDarklyPage(r)
	}
	return known
}

func (d *draft) launchDarklyMetric(r *record, kind string) {
	theirs := r.text("key")
	if kind == "trace" {
		d.lose("metric %s, which is made of traces", theirs)
		return
	}
	percentile := r.text("analysisType") == "percentile"
	if p := r.text("percentileValue"); percentile && !isPercentile(p) {
		d.lose("metric %s: percentileValue %s, which is not between 0 and 100", theirs, firstOf(p, "is not told"))
		return
	}
	m := d.metric(theirs)
	d.theirs[theirs] = m.key
	m.text("name", r.text("name"))
	m.text("description", r.text("description"))
	m.texts("tags", r.texts("tags"))
	m.text("maintainer", firstOf(r.child("_maintainer").text("email"), r.text("maintainerId")))
	m.text("event", firstOf(r.text("eventKey"), theirs))
	if kind != "custom" {
		m.lose("the pages and elements of the %s; the tool sends the event for no others", kind)
		r.ignore("urls", "selector")
	}
	numeric, aggregation := r.is("isNumeric"), r.text("unitAggregationType")
	r.ignore("isNumeric")
	exclude := r.child("eventDefault").is("disabled")
	r.ignore("eventDefault")
	switch {
	case numeric:
		m.set("measure", "value")
		m.set("per_unit", firstOf(aggregation, "average"))
	case aggregation == "sum":
		m.set("measure", "count")
	default:
		m.set("measure", "occurrence")
	}
	switch {
	case exclude && !numeric:
		m.lose("units without events are excluded; here they are 0, as in every count")
		if percentile {
			m.set("units_without_events", "zero")
		}
	case exclude:
		m.set("units_without_events", "exclude")
	case numeric || percentile:
		m.set("units_without_events", "zero")
	}
	if percentile {
		m.set("statistic", "p"+r.text("percentileValue"))
	}
	if filter := r.child("filters"); filter != nil && r.has("filters") {
		if cond, ok := launchDarklyFilter(filter); ok {
			m.expression("where", cond)
		} else {
			m.lose("filters, so that more events count: %s", jsonText(r.peek("filters")))
		}
		r.forget("filters")
	}
	m.better(r.text("successCriteria"), "HigherThanBaseline", "LowerThanBaseline")
	var kinds []string
	for _, unit := range append(r.texts("analysisUnits"), r.texts("randomizationUnits")...) {
		if unit = unitKind(unit); !slices.Contains(kinds, unit) {
			kinds = append(kinds, unit)
		}
	}
	m.texts("randomization_units", kinds)
	m.text("unit_label", r.text("unit"))
	r.ignore("_id", "_versionId", "version", "_version", "category", "lastModified", "_creationDate", "_links", "_maintainer", "_access", "_site",
		"experimentCount", "metricGroupCount", "activeExperimentCount", "activeGuardedRolloutCount", "attachedFeatures", "attachedFlagCount",
		"isActive", "lastSeen", "sourceKind", "eventSeen", "metricGroups", "experiments", "dependents", "unitAggregationType", "isGuardedRolloutEligible")
	m.rest(r)
}

// launchDarklyOps are our words for the operators of filters.
var launchDarklyOps = map[string]string{
	"in": "in", "contains": "contains", "startsWith": "startsWith", "endsWith": "endsWith", "matches": "matches",
	"lessThan": "<", "lessThanOrEqual": "<=", "greaterThan": ">", "greaterThanOrEqual": ">=",
}

// launchDarklyFilter writes a filter, or a group of them, as an expression; false where
// the language does not have one of them.
func launchDarklyFilter(n *record) (string, bool) {
	var cond string
	ok := true
	switch n.text("type") {
	case "group":
		var conds []string
		for _, child := range n.children("values") {
			c, good := launchDarklyFilter(child)
			conds, ok = append(conds, c), ok && good
		}
		word := " and "
		if strings.EqualFold(n.text("op"), "or") {
			word = " or "
		}
		if cond = joined(conds, word); len(conds) == 0 {
			return "", false
		}
	case "eventProperty":
		cond, ok = condition(property(strings.TrimPrefix(n.text("attribute"), "/")), launchDarklyOps[n.text("op")], n.texts("values"))
	case "contextAttribute":
		if kind := n.text("contextKind"); kind != "" && kind != "user" {
			return "", false // attributes are those of the unit
		}
		var of string
		if of, ok = attribute(strings.TrimPrefix(n.text("attribute"), "/")); ok {
			cond, ok = condition(of, launchDarklyOps[n.text("op")], n.texts("values"))
		}
	default:
		return "", false
	}
	if n.is("negate") {
		cond = negated(cond)
	}
	return cond, ok
}

// launchDarklyGroup makes a funnel of a funnel group. Other groups are told.
func (d *draft) launchDarklyGroup(g *record) {
	theirs := g.text("key")
	if g.text("kind") != "funnel" {
		d.lose("metric group %s; name its metrics under metric_groups", theirs)
		return
	}
	var steps []string
	for _, step := range g.children("metrics") {
		var f fields
		for _, m := range d.metrics {
			if m.key != d.theirs[step.text("key")] {
				continue
			}
			for _, have := range m.fields {
				if have.name == "event" || have.name == "where" {
					f = append(f, have)
				}
			}
		}
		if len(f) == 0 {
			d.lose("funnel %s: the files do not define its step %s", theirs, step.text("key"))
			return
		}
		f.text("name", step.text("nameInGroup"))
		steps = append(steps, "  - "+f.flow())
	}
	m := d.metric(theirs)
	d.theirs[theirs] = m.key
	m.text("name", g.text("name"))
	m.text("description", g.text("description"))
	m.texts("tags", g.texts("tags"))
	m.over("funnel", append([]string{"steps:"}, steps...))
	m.check("the file does not tell whether more is better")
	m.set("better", "higher")
}
