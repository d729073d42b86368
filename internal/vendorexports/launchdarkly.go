package vendorexports

import (
	"fmt"
	"time"
)

// launchDarklyVariations are the ids that the warehouse tables have; the stream
// has their places among the variations of the flag.
var launchDarklyVariations = []string{"0b7c31de-0a5b-4f51-9d0e-8f2c6f1d0a00", "0b7c31de-0a5b-4f51-9d0e-8f2c6f1d0a01"}

const launchDarklyIteration = "it-2026-03"

var evaluationColumns = []column{
	{"EVENT_ID", "VARCHAR"}, {"FLAG_KEY", "VARCHAR"}, {"CONTEXT_KEY", "VARCHAR"}, {"CONTEXT_KIND", "VARCHAR"}, {"CONTEXT_ATTRIBUTES", "VARCHAR"},
	{"VARIATION_ID", "VARCHAR"}, {"VARIATION_VALUE", "VARCHAR"}, {"REASON_KIND", "VARCHAR"}, {"REASON_DETAIL", "VARCHAR"},
	{"EXPERIMENT_ITERATION_ID", "VARCHAR"}, {"RECEIVED_TIME", "TIMESTAMP"}, {"ENVIRONMENT_ID", "VARCHAR"}, {"EXPORT_KEY", "VARCHAR"},
}

var metricEventColumns = []column{
	{"EVENT_ID", "VARCHAR"}, {"EVENT_KEY", "VARCHAR"}, {"CONTEXT_KEY", "VARCHAR"}, {"CONTEXT_KIND", "VARCHAR"}, {"EVENT_VALUE", "DOUBLE"},
	{"EVENT_DATA", "VARCHAR"}, {"RECEIVED_TIME", "TIMESTAMP"}, {"ENVIRONMENT_ID", "VARCHAR"},
}

// launchDarklyWarehouse tells the story as the tables of the warehouse export,
// unloaded by Snowflake: names in upper case, JSON as text, a row for each kind
// of context with the same EVENT_ID. Besides the story there are evaluations of
// no experiment, of the iteration before and of another environment, and rows
// that came twice.
func launchDarklyWarehouse(s story) []file {
	var evaluations, metricEvents []object
	n := 0
	evaluate := func(who person, variation int, at time.Time, iteration any, environment string, copies int) {
		n++
		for range copies {
			for kind, key := range contextsOf(who) {
				row := object{
					"EVENT_ID": fmt.Sprintf("ev-%04d", n), "FLAG_KEY": "checkout", "CONTEXT_KEY": key, "CONTEXT_KIND": kind,
					"VARIATION_ID": launchDarklyVariations[variation], "VARIATION_VALUE": []string{"false", "true"}[variation],
					"REASON_KIND": "FALLTHROUGH", "REASON_DETAIL": fmt.Sprintf(`{"in_experiment":%t}`, iteration != nil),
					"EXPERIMENT_ITERATION_ID": iteration, "RECEIVED_TIME": iso(at), "ENVIRONMENT_ID": environment,
					"EXPORT_KEY": fmt.Sprintf("xk-%05d", len(evaluations)),
				}
				if kind == "user" {
					row["CONTEXT_ATTRIBUTES"] = compact(who.attributes())
				}
				evaluations = append(evaluations, row)
			}
		}
	}
	for k, i := range s.impressions {
		evaluate(i.who, i.variation, i.at, launchDarklyIteration, "production", 1+(k%8)/7)
	}
	stranger := func(name string) person { return person{id: name, device: "device of " + name} }
	evaluate(stranger("no-experiment"), 0, begin.Add(time.Hour), nil, "production", 1)
	evaluate(stranger("iteration-before"), 0, begin.Add(time.Hour), "it-2026-02", "production", 1)
	evaluate(stranger("test-account"), 1, begin.Add(time.Hour), launchDarklyIteration, "test", 1)

	track := func(e event, at time.Time, copies int) {
		n++
		for range copies {
			for kind, key := range contextsOf(e.who) {
				metricEvents = append(metricEvents, object{
					"EVENT_ID": fmt.Sprintf("me-%04d", n), "EVENT_KEY": e.key, "CONTEXT_KEY": key, "CONTEXT_KIND": kind,
					"EVENT_VALUE": e.dollars(), "EVENT_DATA": compact(e.properties()), "RECEIVED_TIME": iso(at), "ENVIRONMENT_ID": "production",
				})
			}
		}
	}
	for k, e := range s.events {
		e.each(func(at time.Time) { track(e, at, 1+(k%10)/9) })
	}
	for _, name := range []string{"no-experiment", "iteration-before", "test-account", "never-seen"} {
		track(event{who: stranger(name), key: purchase, cents: 100_000}, begin.Add(2*time.Hour), 1)
	}
	return []file{
		{path: "launchdarkly_warehouse/evaluation_events/data_0_0_0.snappy.parquet", table: &table{evaluationColumns, evaluations}},
		{path: "launchdarkly_warehouse/metric_events/data_0_0_0.snappy.parquet", table: &table{metricEventColumns, metricEvents}},
	}
}

// contextsOf are the contexts of a person, user before device.
func contextsOf(who person) func(yield func(kind, key string) bool) {
	return func(yield func(kind, key string) bool) {
		_ = yield("user", who.id) && yield("device", who.device)
	}
}

// launchDarklyStream tells the story as the envelopes of the streaming export:
// lines in files by hour, compressed. Some of the contexts are of several kinds,
// some of one, and some are written in the older schema. Page views that
// happened several times are one record of a sample. Besides the story there are
// evaluations outside of the experiment, records about contexts, and summaries.
func launchDarklyStream(s story) []file {
	hours := map[time.Time][]object{}
	put := func(at time.Time, event object, version int) {
		hour := at.Truncate(12 * time.Hour)
		event["creationDate"] = at.UnixMilli()
		hours[hour] = append(hours[hour], object{"project": "shop", "environment": "production", "event": event, "version": version})
	}
	for n, i := range s.impressions {
		served := object{"kind": "feature", "key": "checkout", "version": 7, "variation": i.variation, "value": i.variation == 1, "default": false,
			"reason": object{"kind": "FALLTHROUGH", "inExperiment": true}}
		put(i.at, served, oldOrNew(n, served, i.who, true))
	}
	outside := func(name string, reason any) {
		put(begin.Add(time.Hour), object{"kind": "feature", "key": "checkout", "version": 7, "variation": 1, "value": true, "default": false,
			"context": object{"kind": "user", "key": name}, "reason": reason}, 2)
	}
	outside("not-in-experiment", object{"kind": "RULE_MATCH", "ruleIndex": 0})
	outside("left-out", object{"kind": "FALLTHROUGH", "inExperiment": false})
	outside("no-reason", nil)
	put(begin.Add(time.Hour), object{"kind": "summary", "startDate": begin.UnixMilli(), "endDate": begin.Add(time.Hour).UnixMilli(),
		"features": object{"checkout": object{"default": false, "counters": []object{{"value": true, "version": 7, "count": 12, "variation": 1}}}}}, 2)

	for n, e := range s.events {
		track := object{"kind": "custom", "key": e.key}
		if amount := e.dollars(); amount != nil {
			track["metricValue"] = amount
		}
		if p := e.properties(); p != nil {
			track["data"] = p
		}
		if e.times > 1 {
			track["samplingRatio"] = e.times
		}
		put(e.at, track, oldOrNew(n, track, e.who, false))
		if n%5 == 0 {
			put(e.at, object{"kind": "identify", "key": purchase, "context": object{"kind": "user", "key": e.who.id, "country": "XX"}}, 2)
		}
	}
	for _, name := range []string{"not-in-experiment", "left-out", "no-reason", "never-seen"} {
		put(begin.Add(2*time.Hour), object{"kind": "custom", "key": purchase, "contextKeys": object{"user": name}, "metricValue": 1000}, 2)
	}
	var out []file
	for hour := begin.Add(-24 * time.Hour); hour.Before(begin.Add(96 * time.Hour)); hour = hour.Add(12 * time.Hour) {
		if len(hours[hour]) > 0 {
			out = append(out, file{path: hour.Format("launchdarkly_stream/2006/01/02/15") + "/export-1.ndjson.gz", text: zipped(lines(hours[hour]))})
		}
	}
	return out
}

// oldOrNew says who an event of the stream is about, in one of the three ways
// that there are, and gives the version of the schema. Evaluations carry
// contexts as a whole, other events their keys.
func oldOrNew(n int, event object, who person, whole bool) int {
	user := object{"key": who.id}
	if who.country != "" {
		user["country"] = who.country
	}
	switch {
	case n%3 == 0: // the older schema
		event["userKey"] = who.id
		if whole {
			event["user"] = user
		}
		return 1
	case whole && n%3 == 1:
		user["kind"] = "user"
		event["context"] = user
	case whole:
		event["context"] = object{"kind": "multi", "user": user, "device": object{"key": who.device}}
	default:
		event["contextKeys"] = object{"user": who.id, "device": who.device}
	}
	return 2
}
