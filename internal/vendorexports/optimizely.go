package vendorexports

import (
	"fmt"
	"net/url"
	"time"
)

// The ids of Optimizely are numbers of 11 digits, and text.
const (
	optimizelyExperiment = "20512340001"
	optimizelyOther      = "20512349999"
)

var optimizelyVariations = []string{"20512340010", "20512340011"}

var optimizelyDecisions = []column{
	{"uuid", "VARCHAR"}, {"timestamp", "TIMESTAMP_MS"}, {"process_timestamp", "TIMESTAMP_MS"},
	{"visitor_id", "VARCHAR"}, {"session_id", "VARCHAR"}, {"account_id", "VARCHAR"}, {"campaign_id", "VARCHAR"},
	{"experiment_id", "VARCHAR"}, {"variation_id", "VARCHAR"}, {"attributes", optimizelyAttributes},
	{"user_ip", "VARCHAR"}, {"user_agent", "VARCHAR"}, {"referer", "VARCHAR"}, {"is_holdback", "BOOLEAN"},
	{"revision", "VARCHAR"}, {"client_engine", "VARCHAR"}, {"client_version", "VARCHAR"},
}

var optimizelyEvents = []column{
	{"uuid", "VARCHAR"}, {"timestamp", "TIMESTAMP_MS"}, {"process_timestamp", "TIMESTAMP_MS"},
	{"visitor_id", "VARCHAR"}, {"session_id", "VARCHAR"}, {"account_id", "VARCHAR"},
	{"experiments", "STRUCT(campaign_id VARCHAR, experiment_id VARCHAR, variation_id VARCHAR, is_holdback BOOLEAN)[]"},
	{"entity_id", "VARCHAR"}, {"attributes", optimizelyAttributes},
	{"user_ip", "VARCHAR"}, {"user_agent", "VARCHAR"}, {"referer", "VARCHAR"}, {"event_type", "VARCHAR"}, {"event_name", "VARCHAR"},
	{"revenue", "BIGINT"}, {"value", "DOUBLE"}, {"quantity", "BIGINT"}, {"tags", "MAP(VARCHAR, VARCHAR)"},
	{"revision", "VARCHAR"}, {"client_engine", "VARCHAR"}, {"client_version", "VARCHAR"},
}

const optimizelyAttributes = "STRUCT(id VARCHAR, name VARCHAR, type VARCHAR, value VARCHAR)[]"

// optimizely tells the story as the Experimentation Events Export: Parquet in
// folders by the day of processing, which for some rows is days after they
// happened, with the side files that Spark leaves. Besides the story there are
// a visitor that was held back, one that was not bucketed, one of another
// experiment, and rows that came twice.
func optimizely(s story) []file {
	parts := partFolders{root: "optimizely"}
	decision := func(n int, visitor, experiment string, variation any, at time.Time, attributes object, held bool) {
		parts.add("type=decisions", processed(n, at), "experiment="+experiment, object{
			"uuid": fmt.Sprintf("d-%04d", n), "timestamp": iso(at), "process_timestamp": iso(processed(n, at)),
			"visitor_id": visitor, "account_id": "8765432100", "campaign_id": "20512340000",
			"experiment_id": experiment, "variation_id": variation, "attributes": optimizelyBag(attributes), "is_holdback": held,
			"revision": "112", "client_engine": "go-sdk", "client_version": "2.1.0",
		})
	}
	for n, i := range s.impressions {
		decision(n, i.who.id, optimizelyExperiment, optimizelyVariations[i.variation], i.at, i.who.attributes(), false)
		if n%9 == 0 {
			decision(n, i.who.id, optimizelyExperiment, optimizelyVariations[i.variation], i.at, i.who.attributes(), false)
		}
	}
	decision(9001, "held-back", optimizelyExperiment, optimizelyVariations[0], begin.Add(time.Hour), nil, true)
	decision(9002, "not-bucketed", optimizelyExperiment, nil, begin.Add(time.Hour), nil, false)
	decision(9003, "elsewhere", optimizelyOther, "20512349910", begin.Add(time.Hour), nil, false)

	n := 0
	conversion := func(visitor, key string, at time.Time, cents int64, coupon string, attributes object) {
		n++
		tags := object{}
		row := object{
			"uuid": fmt.Sprintf("c-%04d", n), "timestamp": iso(at), "process_timestamp": iso(processed(n, at)),
			"visitor_id": visitor, "account_id": "8765432100", "entity_id": "20512345000", "event_name": key,
			"experiments": []object{}, "attributes": optimizelyBag(attributes), "tags": tags,
			"revision": "112", "client_engine": "go-sdk", "client_version": "2.1.0",
		}
		if cents > 0 {
			row["revenue"], tags["revenue"] = cents, fmt.Sprint(cents)
		}
		if coupon != "" {
			tags["coupon"] = coupon
		}
		copies := 1
		if n%10 == 0 {
			copies = 2
		}
		for range copies {
			parts.add("type=events", processed(n, at), "event="+url.PathEscape(key), row)
		}
	}
	for _, e := range s.events {
		e.each(func(at time.Time) { conversion(e.who.id, e.key, at, e.cents, e.coupon, e.who.attributes()) })
	}
	for _, stranger := range []string{"held-back", "not-bucketed", "elsewhere", "never-seen"} {
		conversion(stranger, purchase, begin.Add(2*time.Hour), 100_000, "", nil)
	}
	return parts.files()
}

// processed is when a row reached the export: mostly at once, for some of them
// a day or two later.
func processed(n int, at time.Time) time.Time {
	late := 90 * time.Second
	switch n % 12 {
	case 5:
		late = 26 * time.Hour
	case 11:
		late = 47 * time.Hour
	}
	return at.Add(late)
}

// optimizelyBag is a list of attributes: those of people have names, those of
// the system have numbers.
func optimizelyBag(attributes object) []object {
	out := []object{{"id": "300", "type": "device", "value": "mobile"}, {"id": "", "name": "$opt_bot_filtering", "type": "custom", "value": "false"}}
	if country, ok := attributes["country"]; ok {
		out = append(out, object{"id": "20512346000", "name": "country", "type": "custom", "value": country})
	}
	return out
}

// partFolders collects the rows of an export by folders.
type partFolders struct {
	root    string
	folders []string
	rows    map[string][]object
}

func (p *partFolders) add(kind string, day time.Time, last string, row object) {
	folder := fmt.Sprintf("%s/%s/date=%s/%s", p.root, kind, day.Format(time.DateOnly), last)
	if p.rows == nil {
		p.rows = map[string][]object{}
	}
	if p.rows[folder] == nil {
		p.folders = append(p.folders, folder)
	}
	p.rows[folder] = append(p.rows[folder], row)
}

// files are the parts with what Spark writes beside them.
func (p *partFolders) files() []file {
	var out []file
	for n, folder := range p.folders {
		columns := optimizelyDecisions
		if p.rows[folder][0]["event_name"] != nil {
			columns = optimizelyEvents
		}
		part := fmt.Sprintf("part-00000-5f0c1e3a-%04d.c000.snappy.parquet", n)
		out = append(out,
			file{path: folder + "/" + part, table: &table{columns: columns, rows: p.rows[folder]}},
			file{path: folder + "/." + part + ".crc", text: []byte("crc\x00")},
			file{path: folder + "/_SUCCESS"})
	}
	return out
}
