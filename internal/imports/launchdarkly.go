package imports

import (
	"slices"
	"strconv"
	"time"
)

// servedVariation is a variation of a flag, which the warehouse export names by its id
// and the stream by its index.
type servedVariation struct {
	flag, name string
	index      int
}

// launchDarklyFlags reads flags as the REST API gives them: the names of variations,
// and, where there are no experiments, the rollouts that are experiments.
func launchDarklyFlags(d *draft, r *record, _ Options) bool {
	flags := r.children("items")
	if r.has("variations") && r.has("key") {
		flags = []*record{r}
	}
	known := false
	for _, f := range flags {
		if !f.has("variations") || f.has("currentIteration") {
			continue
		}
		known = true
		key := f.text("key")
		for i, v := range f.children("variations") {
			name := v.text("name")
			if name == "" {
				name = plainValue(v.take("value"))
			}
			d.served[v.text("_id")] = servedVariation{flag: key, name: name, index: i}
			v.ignore("value", "description")
		}
		f.ignore("key", "name", "kind", "description", "tags", "_version", "creationDate", "includeInSnippet", "clientSideAvailability", "variationJsonSchema", "temporary",
			"_links", "maintainerId", "_maintainer", "maintainerTeamKey", "_maintainerTeam", "goalIds", "experiments", "customProperties", "archived", "archivedDate",
			"deprecated", "deprecatedDate", "defaults", "environments", "_purpose", "migrationSettings", "contextKindsUsed")
		for _, field := range f.unread() {
			d.lose("flag %s: %s", key, field)
		}
		d.otherwise = append(d.otherwise, func() { d.launchDarklyRollouts(f) })
	}
	if known {
		d.launchDarklyPage(r)
	}
	return known
}

// launchDarklyPage loses what a page of a list says besides its entries.
func (d *draft) launchDarklyPage(r *record) {
	if r.has("items") {
		r.ignore("_links", "totalCount", "totalCountWithDifferences")
		d.rest(r, "items")
	}
}

// plainValue is a JSON value as a name: text without quotes.
func plainValue(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return jsonText(v)
}

// launchDarklyRollouts makes experiments of the rollouts of a flag that are marked so,
// in each environment.
func (d *draft) launchDarklyRollouts(f *record) {
	key := f.text("key")
	variations := f.children("variations")
	environments := f.child("environments")
	for _, name := range environments.keys() {
		env := environments.child(name)
		places := append(env.children("rules"), env.child("fallthrough"))
		for _, place := range places {
			rollout := place.child("rollout")
			if rollout == nil {
				continue
			}
			if rollout.text("kind") != "experiment" && !rollout.has("experimentAllocation") {
				d.lose("a rollout of flag %s in %s that is no experiment", key, name)
				continue
			}
			x := d.experiment(key + "_" + name)
			x.text("name", f.text("name"))
			x.text("flag", key)
			x.set("unit", unitKind(firstOf(rollout.text("contextKind"), "user")))
			x.set("match", "{flag: "+one([]string{key})+"}")
			var list []variation
			for _, part := range rollout.children("variations") {
				i, err := strconv.Atoi(part.number("variation"))
				if weight := part.number("weight"); err == nil && i >= 0 && i < len(variations) && weight != "0" {
					id := variations[i].text("_id")
					list = append(list, variation{key: d.served[id].name, match: []string{id, strconv.Itoa(i)}, weight: weight})
				}
				part.ignore("untracked", "_untracked")
			}
			x.variations(list)
			rollout.ignore("bucketBy", "seed", "experimentAllocation")
			x.rest(rollout)
			place.forget("rollout")
			if place.has("clauses") {
				x.lose("the clauses of its rule; the tool decides by them, so that impressions are of their members anyway")
			}
			place.ignore("_id", "id", "ref", "description", "clauses", "trackEvents")
			x.rest(place)
		}
		for _, list := range []string{"targets", "contextTargets"} {
			if env.has(list) {
				d.lose("%s of flag %s in %s, whose members get one variation", list, key, name)
			}
		}
		env.ignore("on", "archived", "salt", "sel", "lastModified", "version", "_site", "_environmentName", "trackEvents", "trackEventsFallthrough", "targets", "contextTargets",
			"offVariation", "prerequisites", "_summary", "_debugEventsUntilDate")
		env.forget("rules", "fallthrough")
		for _, field := range env.unread() {
			d.lose("flag %s in %s: %s", key, name, field)
		}
	}
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// launchDarklyExperiments reads experiments as the REST API gives them; each iteration
// is an experiment, the current one under the key itself.
func launchDarklyExperiments(d *draft, r *record, _ Options) bool {
	experiments := r.children("items")
	if r.has("currentIteration") || r.has("previousIterations") {
		experiments = []*record{r}
	}
	known := false
	for _, e := range experiments {
		if !e.has("currentIteration") && !e.has("previousIterations") && !e.has("draftIteration") {
			continue
		}
		known = true
		iterations := slices.Concat([]*record{e.child("currentIteration")}, e.children("previousIterations"))
		var made []*definition
		for _, it := range iterations {
			if it != nil {
				made = append(made, d.launchDarklyIteration(e, it))
			}
		}
		e.ignore("_id", "_version", "_creationDate", "creationDate", "_links", "_maintainer", "environmentId", "environmentKey", "archivedDate")
		e.forget("currentIteration", "previousIterations", "draftIteration")
		if e.has("draftIteration") {
			d.lose("experiment %s: the draft of its next iteration", e.text("key"))
		}
		for _, x := range made {
			x.rest(e)
		}
	}
	if known {
		d.launchDarklyPage(r)
	}
	return known
}

func (d *draft) launchDarklyIteration(e, it *record) *definition {
	x := d.experiment(e.text("key"))
	x.text("name", e.text("name"))
	x.text("description", firstOf(e.text("description"), it.text("hypothesis")))
	x.texts("tags", e.texts("tags"))
	x.text("maintainer", firstOf(e.child("_maintainer").text("email"), e.text("maintainerId", "_maintainerId")))
	e.ignore("type")
	if kind := e.text("type"); kind != "" && kind != "experiment" {
		x.lose("type: %s", kind)
	}

	var list []variation
	flag := ""
	if flags := it.child("flags"); len(flags.keys()) > 0 {
		flag = flags.keys()[0]
		for _, other := range flags.keys() {
			flags.ignore(other)
			if other != flag {
				x.lose("flag %s beside %s", other, flag)
			}
		}
	}
	for _, t := range it.children("treatments") {
		v := variation{key: t.text("name"), weight: t.text("allocationPercent"), baseline: t.is("baseline")}
		for _, p := range t.children("parameters") {
			id := p.text("variationId")
			own, ok := d.served[id]
			if of := firstOf(p.text("flagKey"), own.flag); flag == "" {
				flag = of
			} else if of != "" && of != flag {
				continue
			}
			v.match = append(v.match, id)
			if ok {
				v.match = append(v.match, strconv.Itoa(own.index))
			}
			p.ignore("flagRecommendationVariationId")
		}
		t.ignore("_id", "id")
		list = append(list, v)
	}
	if flag == "" {
		flag = e.text("key")
		x.check("the file does not tell the flag; give the flag's JSON beside it")
	}
	x.text("flag", flag)
	switch status := it.text("status"); status {
	case "not_started":
		x.set("status", "draft")
	case "stopped":
		x.set("status", "stopped")
	case "running", "":
	default:
		x.lose("status: %s", status)
	}
	x.set("unit", unitKind(firstOf(it.text("randomizationUnit"), "user")))
	if id := it.text("_id"); id != "" {
		x.check("match is the iteration as the warehouse export names it; of a stream leave it out")
		x.set("match", "{experiment: "+one([]string{id})+"}")
	}
	for _, edge := range [][2]string{{"start", "startedAt"}, {"end", "endedAt"}} {
		if ms, err := strconv.ParseInt(it.number(edge[1]), 10, 64); err == nil && ms > 0 {
			x.set(edge[0], time.UnixMilli(ms).UTC().Format(time.RFC3339))
		}
	}
	x.variations(list)
	x.texts("segments", it.texts("attributes"))
	d.launchDarklyRoles(x, it)
	it.ignore("createdAt", "flags", "winningTreatmentId", "winningReason", "version", "_links", "primaryMetric", "primarySingleMetric", "canReshuffleTraffic")
	x.rest(it)
	return x
}

// launchDarklyRoles gives an experiment the metrics of an iteration.
func (d *draft) launchDarklyRoles(x *definition, it *record) {
	var primary, secondary []string
	add := func(list *[]string, theirs string) {
		if key := d.metricOf(theirs); theirs != "" && !slices.Contains(primary, key) && !slices.Contains(secondary, key) {
			*list = append(*list, key)
		}
	}
	for _, name := range []string{"primarySingleMetric", "primaryMetric", "primaryFunnel"} {
		if key := it.text(name + "Key"); key != "" {
			add(&primary, key)
		}
		if one := it.child(name); one != nil {
			add(&primary, one.text("key"))
			it.ignore(name)
			for _, field := range one.keys() {
				one.ignore(field)
			}
		}
	}
	for _, name := range []string{"metrics", "secondaryMetrics"} {
		for _, m := range it.children(name) {
			d.launchDarklyUse(x, m, func(key string) { add(&secondary, key) })
		}
	}
	x.metrics(primary, secondary)
}

// launchDarklyUse adds a metric that an experiment names: by the file that defines it,
// else by what the experiment tells of it.
func (d *draft) launchDarklyUse(x *definition, m *record, add func(key string)) {
	key := m.text("key")
	_, known := d.theirs[key]
	kind, _ := m.peek("kind").(string)
	switch {
	case known:
	case m.is("isGroup"):
		x.lose("metric group %s, which the files do not define as a funnel; name its metrics", key)
		m.ignore("name", "kind", "_id", "_versionId", "_links")
		return
	case m.has("eventKey") && slices.Contains([]string{"custom", "click", "pageview"}, kind):
		m.ignore("kind", "isGroup")
		d.launchDarklyMetric(m, kind)
	}
	add(key)
	m.ignore("name", "kind", "isGroup", "isNumeric", "eventKey", "unit", "unitAggregationType", "analysisType", "percentileValue", "successCriteria", "_id", "_versionId", "_links")
	if !known {
		m.ignore(m.keys()...) // told with the metric
	}
}

// metricOf is our key of a metric of the tool; where the files do not define it, a
// metric stands in for it.
func (d *draft) metricOf(theirs string) string {
	if theirs == "" {
		return ""
	}
	if key, ok := d.theirs[theirs]; ok {
		return key
	}
	m := d.metric(theirs)
	m.check("the files do not define it; give the JSON of the metric beside them")
	m.text("event", theirs)
	m.set("measure", "occurrence")
	m.set("better", "higher")
	d.theirs[theirs] = m.key
	return m.key
}
