package vendorexports

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	vwoAccount  = "12345"
	vwoCampaign = 41
	vwoHoldout  = 7
)

// vwo tells the story as what SDKs send: payloads, one a line or in batches. The
// variation is a number from one SDK and a text from another. Besides the story
// there are impressions of a holdout and of the impact campaign, what SDKs say
// about themselves, attributes of visitors, and payloads that were sent twice. Beside the payloads lies
// what the shop itself knows by its own ids: orders by cookie or by user, which
// user a cookie is of, and profiles.
func vwo(s story) []file {
	var singles, batched []any
	n := 0
	send := func(payload object, batch bool) {
		n++
		for range 1 + (n%11)/10 {
			if batch {
				batched = append(batched, payload)
			} else {
				singles = append(singles, payload)
			}
		}
	}
	for k, i := range s.impressions {
		var variation any = i.variation + 1
		if k%2 == 0 {
			variation = strconv.Itoa(i.variation + 1)
		}
		send(vwoPayload(i.who, "vwo_variationShown", i.at, object{"id": vwoCampaign, "variation": variation, "isFirst": 1}), k%3 == 0)
		if k%4 == 0 { // the same decision is of a holdout as well, and of the impact campaign
			send(vwoPayload(i.who, "vwo_variationShown", i.at, object{"id": vwoHoldout, "variation": 2, "isFirst": 1, "fId": 3}), false)
			send(vwoPayload(i.who, "vwo_variationShown", i.at, object{"id": 42, "variation": 2, "isFirst": 1}), false)
		}
		if k%5 == 0 {
			send(vwoPayload(i.who, "vwo_feTrackUsage", i.at.Add(time.Second), object{}), false)
		}
	}
	// A holdout with the number of the campaign, whose other variation must not count.
	for _, i := range s.impressions[:3] {
		send(vwoPayload(i.who, "vwo_variationShown", i.at, object{"id": vwoCampaign, "variation": 2 - i.variation, "isFirst": 1, "fId": 3}), true)
	}
	for k, e := range s.events {
		e.each(func(at time.Time) {
			props := object{"isCustomEvent": true}
			if k%2 == 0 { // one SDK sends these with every event
				props["id"], props["variation"] = 1, 1
			}
			if amount := e.dollars(); amount != nil {
				props["cartValue"] = amount
			}
			if e.coupon != "" {
				props["coupon"] = e.coupon
			}
			send(vwoPayload(e.who, e.key, at, props), k%3 == 0)
		})
	}
	send(vwoPayload(person{id: "never-seen"}, purchase, begin.Add(2*time.Hour), object{"isCustomEvent": true, "cartValue": 1000}), false)
	send(vwoPayload(s.people[0], "vwo_log", begin.Add(40*time.Hour), object{"isCustomEvent": true, "cartValue": 1000}), false)
	for n, who := range s.people {
		singles = append(singles, vwoAttributes(n, who)...)
	}

	var batches []any
	for len(batched) > 0 {
		size := min(7, len(batched))
		batches = append(batches, map[string]any{"ev": batched[:size]})
		batched = batched[size:]
	}
	return append([]file{
		{path: "vwo/payloads-1.ndjson", text: lines(singles)},
		{path: "vwo/payloads-2.ndjson", text: lines(batches)},
	}, shopFiles(s)...)
}

// vwoPayload is what an SDK sends of one event.
func vwoPayload(who person, name string, at time.Time, props object) object {
	visitor := object{"vwo_fs_environment": "sdk-key"}
	if name == "vwo_variationShown" && who.country != "" {
		visitor["country"] = who.country
	}
	props["vwo_sdkName"], props["vwo_sdkVersion"], props["vwo_envKey"] = "vwo-fme-go-sdk", "1.60.0", "sdk-key"
	id := vwoID(who.id)
	return object{"d": object{
		"msgId": fmt.Sprintf("%s-%d", id, at.UnixMilli()), "visId": id, "sessionId": at.Unix(),
		"event":   object{"name": name, "time": at.UnixMilli(), "props": props},
		"visitor": object{"props": visitor},
	}}
}

// vwoAttributes is what an SDK sends where attributes of the n-th person are set: their
// plan, which of every fifth is not known, and apart from it whether they have the
// newsletter; and of every fourth another plan, long after they saw the checkout.
func vwoAttributes(n int, who person) []any {
	set := func(at time.Time, name string, value any) any {
		payload := vwoPayload(who, "vwo_syncVisitorProp", at, object{"isCustomEvent": true})
		payload["d"].(object)["visitor"] = object{"props": object{"vwo_fs_environment": "sdk-key", name: value}}
		return payload
	}
	var sent []any
	if n%5 != 1 {
		sent = append(sent, set(begin.Add(-2*time.Hour), "plan", planOf(n)))
	}
	sent = append(sent, set(begin.Add(-time.Hour), "newsletter", n%2 == 0))
	if n%4 == 0 {
		sent = append(sent, set(begin.Add(100*time.Hour), "plan", "trial"))
	}
	return sent
}

// planOf is the plan of the n-th person.
func planOf(n int) string { return []string{"free", "free", "pro"}[n%3] }

// vwoID is the id by which VWO knows a user: a UUID of version 5 in the name
// space of the account, in the name space of the site, without its dashes.
func vwoID(user string) string {
	url := []byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	id := uuid5(uuid5(uuid5(url, "https://vwo.com"), vwoAccount), user)
	return strings.ToUpper(hex.EncodeToString(id))
}

// uuid5 is the UUID of a name in a name space (RFC 9562, section 5.5).
func uuid5(space []byte, name string) []byte {
	sum := sha1.Sum(append(append([]byte(nil), space...), name...))
	id := sum[:16]
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}

// shopFiles are the shop's own: each purchase of the story by the cookie of the
// browser, and for every second one the user as well; pairs of both, with some
// cookies that two people shared; and what the shop knows of its users.
func shopFiles(s story) []file {
	cookies := map[string]string{}
	pairs := [][]string{{"cookie", "user_id"}}
	for n, who := range s.people {
		cookies[who.id] = who.device
		if n%5 == 3 { // who always sat at the browser of the person before
			cookies[who.id] = s.people[n-1].device
		}
		pairs = append(pairs, []string{cookies[who.id], who.id})
	}
	orders := [][]string{{"order_id", "cookie", "user_id", "event", "ts", "cents"}}
	for _, e := range s.events {
		if e.key != purchase {
			continue
		}
		user := ""
		if len(orders)%2 == 0 {
			user = e.who.id
		}
		orders = append(orders, []string{fmt.Sprintf("o-%03d", len(orders)), cookies[e.who.id], user, "order", iso(e.at), strconv.FormatInt(e.cents, 10)})
	}
	profiles := [][]string{{"user_id", "plan"}}
	for n, who := range s.people {
		profiles = append(profiles, []string{who.id, planOf(n)})
	}
	return []file{
		{path: "vwo/shop/orders.csv", text: commas(orders)},
		{path: "vwo/shop/cookies.csv", text: commas(pairs)},
		{path: "vwo/shop/profiles.csv", text: commas(profiles)},
	}
}
