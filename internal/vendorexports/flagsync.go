package vendorexports

import "time"

// flagSyncValues are what the variations of the flag serve: an object and a text.
var flagSyncValues = []any{object{"layout": "old", "steps": 3}, "One page"}

// flagSync tells the story as what SDKs send to FlagSync: those of servers have
// the context in each record, those of browsers around a list of them. Besides
// the story there are other flags with values of other types, what the browser's
// SDK serves before it is ready, and records that were sent twice.
func flagSync(s story) []file {
	sdk := object{"sdkName": "flagsync-node-sdk", "sdkVersion": "0.9.2"}
	context := func(who person) object {
		c := object{"key": who.id}
		if a := who.attributes(); a != nil {
			c["attributes"] = a
		}
		return c
	}
	var impressionsServer, impressionsClient, eventsServer, eventsClient []object
	put := func(server, client *[]object, list string, n int, who person, record object) {
		if n%2 == 0 {
			*client = append(*client, object{"context": context(who), "sdkContext": sdk, list: []object{record}})
			return
		}
		record["context"] = context(who)
		*server = append(*server, object{list: []object{record}, "sdkContext": sdk})
		if n%9 == 1 { // alone in its record, and sent twice
			*server = append(*server, record)
		}
	}
	shown := func(n int, who person, flag string, value any, at time.Time) {
		put(&impressionsServer, &impressionsClient, "impressions", n, who, object{"flagKey": flag, "flagValue": value, "timestamp": iso(at)})
	}
	for n, i := range s.impressions {
		shown(n, i.who, "checkout", flagSyncValues[i.variation], i.at)
		switch n % 6 {
		case 0:
			shown(n, i.who, "checkout", "control", i.at.Add(-time.Second)) // not ready yet
		case 1:
			shown(n, i.who, "search-limit", 25, i.at)
		case 2:
			shown(n, i.who, "dark-mode", true, i.at)
		case 3:
			shown(n, i.who, "banner", nil, i.at)
		}
	}
	for n, e := range s.events {
		e.each(func(at time.Time) {
			put(&eventsServer, &eventsClient, "events", n, e.who, object{
				"eventKey": e.key, "value": e.dollars(), "properties": e.properties(), "timestamp": iso(at)})
		})
	}
	put(&eventsServer, &eventsClient, "events", 3, person{id: "never-seen"}, object{
		"eventKey": purchase, "value": 1000, "timestamp": iso(begin.Add(2 * time.Hour))})
	return []file{
		{path: "flagsync/impressions/server.ndjson", text: lines(impressionsServer)},
		{path: "flagsync/impressions/client.ndjson", text: lines(impressionsClient)},
		{path: "flagsync/events/server.ndjson", text: lines(eventsServer)},
		{path: "flagsync/events/client.ndjson", text: lines(eventsClient)},
	}
}
