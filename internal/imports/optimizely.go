package imports

import (
	"math/big"
	"slices"
)

// optimizelyDatafile reads the datafile that SDKs fetch: experiments of the project
// and of its groups, with ids as the export has them. Metrics are the events that the
// datafile says are of an experiment.
func optimizelyDatafile(d *draft, r *record, _ Options) bool {
	if !r.has("experiments") && !r.has("groups") && !r.has("featureFlags") {
		return false
	}
	flags := map[string]string{} // by experiment
	for _, f := range r.children("featureFlags") {
		f.ignore("id", "rolloutId", "variables")
		key := f.text("key")
		for _, id := range f.texts("experimentIds") {
			flags[id] = key
		}
	}
	audiences := map[string]string{}
	for _, list := range []string{"audiences", "typedAudiences"} {
		for _, a := range r.children(list) {
			a.ignore("conditions")
			audiences[a.text("id")] = a.text("name")
		}
	}
	events := r.children("events")
	experiment := func(e *record, group string) {
		if len(e.children("variations")) == 0 {
			d.lose("experiment %s (id %s), which has no variations", e.text("key"), e.text("id"))
			return
		}
		x := d.optimizelyExperiment(e, flags, audiences)
		d.optimizelyEvents(x, e.text("id"), events)
		if group != "" {
			x.lose("it excludes the other experiments of group %s; exclude_units_in says so", group)
		}
		x.rest(e)
	}
	for _, e := range r.children("experiments") {
		experiment(e, "")
	}
	for _, g := range r.children("groups") {
		g.ignore("trafficAllocation")
		group := ""
		if g.text("policy") == "random" {
			group = g.text("id")
		}
		for _, e := range g.children("experiments") {
			experiment(e, group)
		}
	}
	for _, event := range events {
		if event.ignore("id"); !event.has("experimentIds") {
			d.lose("event %s, which is of no experiment", event.text("key"))
		}
	}
	rules := 0
	for _, rollout := range r.children("rollouts") {
		rules += len(rollout.children("experiments"))
	}
	if rules > 0 {
		d.lose("%s of deliveries (rollouts), which send no impressions by default", amount(rules, "rule"))
	}
	for _, h := range r.children("holdouts") {
		d.lose("holdout %s", h.text("key", "id"))
	}
	for _, g := range r.children("groups") {
		g.ignore("id")
		g.forget("experiments")
	}
	r.ignore("version", "revision", "accountId", "projectId", "projectName", "environmentKey", "environmentId", "sdkKey", "region", "anonymizeIP", "sendFlagDecisions",
		"attributes", "variables", "integrations")
	d.rest(r, "experiments", "rollouts", "holdouts")
	return true
}

func (d *draft) optimizelyExperiment(e *record, flags, audiences map[string]string) *definition {
	id, key := e.text("id"), e.text("key")
	x := d.experiment(key)
	if x.key != key {
		x.text("name", key)
	}
	flag := flags[id]
	if flag == "" {
		flag = key
		x.check("the file has no flag with this experiment; its key is taken for one")
	}
	x.text("flag", flag)
	if kind := e.text("type"); kind != "" && kind != "ab" && kind != "a/b" {
		x.lose("type: %s", kind)
	}
	switch status := e.text("status"); status {
	case "Not started", "Draft":
		x.set("status", "draft")
	case "Archived":
		x.set("status", "archived")
	case "Running", "Launched", "Paused", "":
	default:
		x.lose("status: %s", status)
	}
	x.set("unit", "user")
	x.set("match", "{experiment: "+one([]string{id})+"}")
	weights := optimizelyWeights(e)
	var list []variation
	for _, v := range e.children("variations") {
		v.ignore("variables", "featureEnabled")
		list = append(list, variation{key: v.text("key"), match: []string{v.text("id")}, weight: weights[v.text("id")]})
	}
	x.variations(list)
	e.ignore("layerId", "audienceConditions")
	for _, audience := range e.texts("audienceIds") {
		if name := audiences[audience]; name != "" {
			audience = name
		}
		if audience == "$opt_dummy_audience" {
			continue
		}
		x.lose("audience %s; the tool decides by it, so that impressions are of its members anyway", audience)
	}
	if forced := e.child("forcedVariations"); forced != nil && e.has("forcedVariations") {
		x.lose("users with a forced variation: %s", jsonText(forcedUsers(forced)))
		for _, user := range forced.keys() {
			forced.ignore(user)
		}
	}
	return x
}

func forcedUsers(r *record) []any {
	var out []any
	for _, user := range r.keys() {
		out = append(out, user)
	}
	return out
}

// optimizelyWeights are the shares of variations in ten thousandths, by their ids: each
// part of the traffic ends where the next one begins. A part without a variation takes
// no part in the experiment.
func optimizelyWeights(e *record) map[string]string {
	weights, before := map[string]*big.Rat{}, new(big.Rat)
	for _, part := range e.children("trafficAllocation") {
		end, ok := new(big.Rat).SetString(part.number("endOfRange"))
		id := part.text("entityId")
		if !ok {
			return nil
		}
		if id != "" {
			have := weights[id]
			if have == nil {
				have = new(big.Rat)
				weights[id] = have
			}
			have.Add(have, new(big.Rat).Sub(end, before))
		}
		before = end
	}
	out := map[string]string{}
	for id, w := range weights {
		out[id] = w.RatString()
	}
	return out
}

// optimizelyEvents gives an experiment the events that are of it as metrics.
func (d *draft) optimizelyEvents(x *definition, id string, events []*record) {
	var keys []string
	for _, event := range events {
		of := event.texts("experimentIds")
		event.ignore("id", "experimentIds")
		if key := event.text("key"); slices.Contains(of, id) {
			keys = append(keys, d.conversion(key))
		}
	}
	x.metrics(keys, nil)
}

// conversion is the key of the metric for units that did an event at least once.
func (d *draft) conversion(event string) string {
	for _, m := range d.metrics {
		if m.is("event", one([]string{event})) && m.is("measure", "occurrence") {
			return m.key
		}
	}
	m := d.metric(event)
	m.check("the file has the event alone: unique conversions, of which more is better")
	m.text("event", event)
	m.set("measure", "occurrence")
	m.set("better", "higher")
	return m.key
}
