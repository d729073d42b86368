package imports

import (
	"slices"
)

// vwoSettings reads the settings that SDKs fetch: the campaigns behind the rules of
// features, with ids as impressions have them, and the metrics of features.
func vwoSettings(d *draft, r *record, _ Options) bool {
	if !r.has("features") || !r.has("campaigns") {
		return false
	}
	campaigns := map[string]*record{}
	for _, c := range r.children("campaigns") {
		campaigns[c.text("id")] = c
	}
	var imported []string
	for _, f := range r.children("features") {
		f.ignore("id", "name", "type", "status", "variables", "isEnabled", "isGatewayServiceRequired", "isDebuggerEnabled")
		flag := f.text("key")
		keys := d.vwoMetrics(f)
		for _, rule := range f.children("rules") {
			id := rule.text("campaignId")
			c := campaigns[id]
			if c == nil {
				d.lose("rule %s of feature %s: the file has no campaign %s", rule.text("ruleKey"), flag, id)
				continue
			}
			imported = append(imported, id)
			x := d.vwoCampaign(c, flag, rule)
			x.metrics(keys, nil)
			x.rest(c)
			x.rest(rule)
		}
		if impact := f.child("impactCampaign"); impact.has("campaignId") {
			impact.ignore("type")
			imported = append(imported, impact.text("campaignId"))
			x := d.experiment(flag + "_impact")
			x.set("name", "'Impact of the rollout'")
			x.text("flag", flag)
			x.set("unit", "user")
			x.set("match", "{experiment: "+one([]string{impact.text("campaignId")})+"}")
			x.variations([]variation{{key: "disabled", match: []string{"1"}, baseline: true}, {key: "enabled", match: []string{"2"}}})
			x.metrics(keys, nil)
			x.rest(impact)
		}
		for _, field := range f.unread() {
			d.lose("feature %s: %s", flag, field)
		}
	}
	for _, c := range r.children("campaigns") {
		if id := c.text("id"); !slices.Contains(imported, id) {
			d.lose("campaign %s, which is of no feature", id)
		}
	}
	for id, group := range r.groups("groups") {
		d.lose("group %s: campaigns %s exclude each other; exclude_units_in says so", id, jsonText(group))
	}
	for _, h := range r.children("holdouts") {
		d.lose("holdout %s, whose impressions the preset vwo-holdouts reads", h.text("key", "name", "id"))
	}
	d.vwoRest(r)
	return true
}

// vwoRest loses what settings say besides campaigns and features.
func (d *draft) vwoRest(r *record) {
	r.ignore("version", "accountId", "sdkKey", "collectionPrefix", "sMId", "campaignGroups", "isNB", "isNBv2", "isWebConnectivityEnabled",
		"usageStatsAccountId", "pollInterval", "sdkMetaInfo")
	d.rest(r, "features", "campaigns", "groups", "holdouts")
}

// groups are the members of a mapping in alphabetical order.
func (r *record) groups(name string) func(yield func(string, any) bool) {
	return func(yield func(string, any) bool) {
		c := r.child(name)
		for _, key := range c.keys() {
			c.ignore(key)
			if !yield(key, c.peek(key)) {
				return
			}
		}
	}
}

func (d *draft) vwoCampaign(c *record, flag string, rule *record) *definition {
	name := flag
	if key := rule.text("ruleKey"); key != "" {
		name += "_" + key
	}
	x := d.experiment(name)
	x.text("name", c.text("name"))
	x.text("flag", flag)
	rule.ignore("status", "variationId", "type")
	c.ignore("key", "salt", "isForcedVariationEnabled", "isUserListEnabled", "variables", "metrics", "percentTraffic", "status")
	switch kind := c.text("type"); kind {
	case "FLAG_TESTING":
	case "FLAG_ROLLOUT":
		x.set("rule", "rollout")
	case "FLAG_PERSONALIZE":
		x.set("rule", "personalize")
	default:
		x.lose("type: %s", kind)
	}
	x.set("unit", "user")
	x.set("match", "{experiment: "+one([]string{c.text("id")})+"}")
	var list []variation
	for _, v := range c.children("variations") {
		v.ignore("variables", "salt")
		id := v.text("id")
		own := variation{key: v.text("name", "key"), match: []string{id}, weight: v.text("weight"), baseline: id == "1"}
		if v.has("segments") {
			x.lose("segments of variation %s; the tool decides by them, so that impressions are of their members anyway", own.key)
			v.ignore("segments")
		}
		list = append(list, own)
	}
	if c.has("segments") {
		x.lose("segments; the tool decides by them, so that impressions are of their members anyway")
		c.ignore("segments")
	}
	x.variations(list)
	return x
}

// vwoMetrics reads the metrics alone.
func vwoMetrics(d *draft, r *record, _ Options) bool {
	if !r.has("features") {
		return false
	}
	for _, f := range r.children("features") {
		d.vwoMetrics(f)
	}
	d.vwoRest(r)
	return true
}

// vwoMetrics are the keys of the metrics of a feature. How repeated conversions count
// is told by mca: -1 counts all of them.
func (d *draft) vwoMetrics(feature *record) (keys []string) {
	for _, goal := range feature.children("metrics") {
		goal.ignore("id", "hasProps")
		event, all, property := goal.text("identifier"), goal.text("mca") == "-1", goal.text("revenueProp")
		goal.ignore("mca")
		var f fields
		f.text("event", event)
		switch kind := goal.text("type"); {
		case property == "" && (kind != "REVENUE_TRACKING" || !all):
			f.set("measure", "occurrence")
		case property == "":
			f.set("measure", "count")
		default:
			f.set("measure", "value")
			f.expression("value", numberOf(property))
			if !all {
				f.set("per_unit", "first")
				f.set("units_without_events", "zero")
			}
		}
		f.set("better", "higher")
		m := d.same(event, f)
		if property != "" && !all {
			m.check("a mean over all users, as of all values; write units_without_events: exclude for one over those who did it")
		}
		m.rest(goal)
		keys = append(keys, m.key)
	}
	return keys
}

// same is the metric with just these fields, a new one where there is none.
func (d *draft) same(name string, f fields) *definition {
	for _, m := range d.metrics {
		if m.flow() == f.flow() {
			return m
		}
	}
	m := d.metric(name)
	m.fields = f
	m.check("the file does not tell whether more is better")
	return m
}
