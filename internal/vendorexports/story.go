package vendorexports

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// story is what happened: every export tells it, each in its own words.
type story struct {
	people      []person
	impressions []impression
	events      []event
}

// person is a user of the shop; country is empty where it is not known.
type person struct {
	id, device, country string
}

// impression is one time that the flag was served. Variation 0 is the old
// checkout, 1 the new one.
type impression struct {
	who       person
	variation int
	at        time.Time
}

// event is something that a person did. A purchase has an amount in cents, and
// may have a coupon. A page view happened several times, a second apart.
type event struct {
	who    person
	key    string
	at     time.Time
	cents  int64
	coupon string
	times  int
}

// The events of the story. The blank in the second makes folders of exports
// spell it with percent signs.
const (
	purchase = "purchase"
	pageView = "page view"
)

const people = 48

// begin is when the experiment of the story starts.
var begin = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// tell draws the story from a fixed seed.
func tell() story {
	r := rand.New(rand.NewPCG(20260302, 6))
	var s story
	for i := range people {
		who := person{
			id:      fmt.Sprintf("user-%02d", i+1),
			device:  fmt.Sprintf("device-%02d", i+1),
			country: []string{"DE", "DE", "FR", "FR", "NL", ""}[r.IntN(6)],
		}
		s.people = append(s.people, who)
		variation := r.IntN(2)
		first := begin.Add(millis(r, 36*time.Hour))
		s.impressions = append(s.impressions, impression{who, variation, first})
		for range r.IntN(3) {
			s.impressions = append(s.impressions, impression{who, variation, first.Add(time.Second + millis(r, 12*time.Hour))})
		}
		if i%16 == 7 { // who sees both variations is of none
			s.impressions = append(s.impressions, impression{who, 1 - variation, first.Add(time.Second + millis(r, 12*time.Hour))})
		}
		s.pageViews(r, who, first)
		s.purchases(r, who, first, variation)
	}
	slices.SortStableFunc(s.impressions, func(a, b impression) int { return a.at.Compare(b.at) })
	slices.SortStableFunc(s.events, func(a, b event) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.who.id, b.who.id)) })
	return s
}

// pageViews draws some before the first impression, some at the same
// millisecond, and some after it.
func (s *story) pageViews(r *rand.Rand, who person, first time.Time) {
	if r.IntN(3) == 0 {
		s.events = append(s.events, event{who: who, key: pageView, at: first.Add(-time.Minute - millis(r, time.Hour)), times: 1})
	}
	if r.IntN(2) == 0 {
		s.events = append(s.events, event{who: who, key: pageView, at: first, times: 1})
	}
	for range r.IntN(3) {
		s.events = append(s.events, event{who: who, key: pageView, at: first.Add(time.Second + millis(r, 20*time.Hour)), times: 1 + 3*r.IntN(2)})
	}
}

func (s *story) purchases(r *rand.Rand, who person, first time.Time, variation int) {
	buy := func(at time.Time) {
		coupon := []string{"", "", "SPRING", "WELCOME"}[r.IntN(4)]
		s.events = append(s.events, event{who: who, key: purchase, at: at, cents: 500 + 25*r.Int64N(300), coupon: coupon, times: 1})
	}
	if r.IntN(5) == 0 {
		buy(first.Add(-time.Minute - millis(r, 6*time.Hour)))
	}
	if r.IntN(6) == 0 {
		buy(first)
	}
	for range r.IntN(2 + variation) {
		buy(first.Add(time.Second + millis(r, 20*time.Hour)))
	}
}

// millis draws a duration below d in whole milliseconds, as most exports have.
func millis(r *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(r.Int64N(d.Milliseconds())) * time.Millisecond
}

// each calls yield with the instant of each time that an event happened.
func (e event) each(yield func(time.Time)) {
	for i := range e.times {
		yield(e.at.Add(time.Duration(i) * time.Second))
	}
}

// dollars is the amount as a number of JSON; nil where there is none.
func (e event) dollars() any {
	if e.key != purchase {
		return nil
	}
	return float64(e.cents) / 100
}

// properties are those of the event, nil where it has none.
func (e event) properties() object {
	if e.coupon == "" {
		return nil
	}
	return object{"coupon": e.coupon}
}

// attributes are those of the person, nil where none is known.
func (p person) attributes() object {
	if p.country == "" {
		return nil
	}
	return object{"country": p.country}
}

// files are the story itself, one row for each time that something happened.
func (s story) files() []file {
	impressions := [][]string{{"person", "device", "country", "variation", "ts"}}
	for _, i := range s.impressions {
		impressions = append(impressions, []string{i.who.id, i.who.device, i.who.country, []string{"old", "new"}[i.variation], iso(i.at)})
	}
	events := [][]string{{"person", "event", "ts", "cents", "coupon"}}
	for _, e := range s.events {
		e.each(func(at time.Time) {
			cents := ""
			if e.key == purchase {
				cents = strconv.FormatInt(e.cents, 10)
			}
			events = append(events, []string{e.who.id, e.key, iso(at), cents, e.coupon})
		})
	}
	return []file{{path: "story/impressions.csv", text: commas(impressions)}, {path: "story/events.csv", text: commas(events)}}
}

func commas(rows [][]string) []byte {
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		panic("vendorexports: " + err.Error()) // a Buffer takes everything
	}
	return b.Bytes()
}

// iso is an instant as FlagSync has it, with milliseconds.
func iso(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z") }
