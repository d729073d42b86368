package job

import (
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// sharedEvent is an event that several sources have, all of which metrics read.
type sharedEvent struct {
	key, sources string
	// first is where the first of the metrics names it.
	first   diag.Pos
	metrics []string
}

// events warns of event keys that never occur, and of keys in two sources.
func (c *checker) events() {
	var shared []sharedEvent
	waitedFor := awaited(c.plan) // of which the first row is taken, whatever the source
	for _, n := range c.measures {
		for _, key := range n.Metric.Event.Keys {
			in := c.event(n, key)
			if len(in) < 2 || len(n.Metric.Source) > 0 || slices.Contains(waitedFor, n) {
				continue
			}
			e := sharedEvent{key: key.V, sources: strings.Join(in, ", "), first: key.Pos}
			i := slices.IndexFunc(shared, func(have sharedEvent) bool { return have.key == e.key && have.sources == e.sources })
			if i < 0 {
				i, shared = len(shared), append(shared, e)
			}
			shared[i].metrics = append(shared[i].metrics, n.Name)
		}
	}
	for _, e := range shared {
		c.found.Warnf(e.first, "event-in-several-sources", "event %q occurs in the sources %s, and its rows in all of them count%s", e.key, e.sources, also(e.metrics, "metric")).
			WithHint("name one with source, if they hold the same events")
	}
}

// impressionWords are what impressions are called by who wants to count them.
var impressionWords = []string{"impressions", "exposure", "exposures", "exposed", "$impression", "$exposure", "decision", "decisions"}

// event warns of an event that occurs in no source of a measure, and gives
// those that it occurs in.
func (c *checker) event(n *compiler.Measure, key metrics.Text) []string {
	var in, all []string
	for _, s := range n.Sources {
		for _, v := range c.keys[s] {
			all = append(all, v.text)
			if v.text == key.V {
				in = append(in, s.Def.Name.V)
			}
		}
	}
	if len(in) == 0 {
		c.missingEvents[key.V] = true
		if len(n.Events) == 1 {
			c.doubted[n] = true
		}
	}
	if len(in) == 0 && holdRows(n.Sources) {
		d := c.found.Warnf(key.Pos, "event-never-occurs", "event %q never occurs in %s", key.V, c.sourceNames(n.Sources))
		d.Hint = nearestOrList(key.V, all)
		if slices.Contains(impressionWords, strings.ToLower(key.V)) {
			d.Hint = "to count the impressions themselves write event: impression"
		}
		if m := c.defs.Metric(key.V); m != nil {
			d.WithHint("%q is a metric; event wants the key of an event: %s", key.V, d.Hint)
			if len(m.Event.Keys) > 0 {
				d.WithHint("%q is a metric; event wants the key of an event, such as that metric's %q", key.V, m.Event.Keys[0].V)
			}
		}
	}
	return in
}

// registered warns of events of the registry that no source has, where no
// metric's warning said it.
func (c *checker) registered() {
	if !holdRows(c.catalog.Events) {
		return
	}
	var have, unlisted []string
	for _, s := range c.catalog.Events {
		for _, v := range c.keys[s] {
			if have = append(have, v.text); c.defs.Registry.Event(v.text) == nil {
				unlisted = append(unlisted, v.text)
			}
		}
	}
	for _, e := range c.defs.Registry.Events {
		if !slices.Contains(have, e.Key.V) && !c.missingEvents[e.Key.V] {
			c.found.Warnf(e.Key.Pos, "event-never-occurs", "event %q never occurs in %s", e.Key.V, c.sourceNames(c.catalog.Events)).
				Hint = nearestOrList(e.Key.V, unlisted)
		}
	}
}

// holdRows reports whether there are rows in some of the sources. Of those without,
// that is said already, and whatever comes of it is not.
func holdRows(sources []*compiler.Source) bool {
	return slices.ContainsFunc(sources, func(s *compiler.Source) bool { return s.Rows > 0 })
}

func (c *checker) sourceNames(list []*compiler.Source) string {
	var out []string
	for _, s := range list {
		out = append(out, s.Def.Name.V)
	}
	return strings.Join(out, ", ")
}

// nearestOrList names the nearest of the values that occur, else the most
// frequent ones.
func nearestOrList(word string, values []string) string {
	if hint := diag.DidYouMean(word, values); hint != "" {
		return hint
	}
	const shown = 8
	switch {
	case len(values) == 0:
		return ""
	case len(values) > shown:
		return "the most frequent are " + strings.Join(values[:shown], ", ")
	}
	return "there are " + strings.Join(values, ", ")
}

// occurs reports whether an event of the measure occurs in its sources.
func (c *checker) occurs(n *compiler.Measure) bool {
	return slices.ContainsFunc(n.Sources, func(s *compiler.Source) bool { return c.occursIn(n, s) })
}

// occursIn reports whether an event of a measure occurs in a source.
func (c *checker) occursIn(n *compiler.Measure, s *compiler.Source) bool {
	return slices.ContainsFunc(c.keys[s], func(v value) bool { return n.Any || slices.Contains(n.Events, v.text) })
}

// keyOccurs reports whether one of the events of a measure occurs in its sources.
func (c *checker) keyOccurs(n *compiler.Measure, event string) bool {
	return slices.ContainsFunc(n.Sources, func(s *compiler.Source) bool {
		return slices.ContainsFunc(c.keys[s], func(v value) bool { return v.text == event })
	})
}
