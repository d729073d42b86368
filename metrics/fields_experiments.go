package metrics

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// experimentDraft is an experiment as one file says it, before defaults.
type experimentDraft struct {
	Experiment
	given fieldSet
	roles rolesDraft
}

// rolesDraft is the block metrics of an experiment.
type rolesDraft struct {
	primary, secondary, guardrails []entryDraft
	pos                            diag.Pos
	given                          fieldSet
}

// entryDraft is one entry of it: a metric or a group, with options.
type entryDraft struct {
	metric   Text
	margin   *Margin
	analysis Analysis
	pos      diag.Pos
	given    fieldSet
}

var matchObject = &object[Match]{
	name: "match",
	doc:  "which impressions are the experiment's; all that is given must hold",
	fields: []field[Match]{
		row("experiment", textOrTexts, func(m *Match) *[]Text { return &m.Experiment }, "values of the column experiment").shown("'18786493712'"),
		row("flag", textOrTexts, func(m *Match) *[]Text { return &m.Flag }, "values of the column flag").shown("checkout_button"),
	},
	foreign: vocabulary{
		"experiment_id": ours("experiment"), "key": ours("experiment"), "id": ours("experiment"), "campaign": ours("experiment"),
		"flag_key": ours("flag"), "feature": ours("flag"),
		"variation": hint("", "the values of variations stand at each variation: {key: green, match: '123'}"),
	},
	keep:  func(m *Match, pos diag.Pos, given fieldSet) { m.Pos, m.Set = pos, len(given) > 0 },
	flow:  "{experiment: '18786493712'}",
	rules: []schema{someOf("experiment", "flag")},
}

var match = refine(matchObject.kind(), func(d *decoder, n *yaml.Node, m Match) bool {
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		d.errorf(n, "empty-value", "match is an empty mapping").WithHint("write %s, or leave it out", matchObject.flow)
		return false
	}
	return true
})

// matchValue is a text, or {value: any JSON}.
var matchValue = either(
	convert(text, func(t Text) MatchValue { return MatchValue{Text: t.V, Pos: t.Pos} }),
	matchJSONObject.kind(),
	"a text, a list, or {value: …} with any JSON",
)

var matchJSONObject = &object[MatchValue]{
	name: "variation value",
	doc:  "a JSON value, compared by value",
	fields: []field[MatchValue]{
		{
			name: "value", doc: "any JSON", required: true, example: "{color: green}",
			read: func(d *decoder, n *yaml.Node, into *MatchValue) bool {
				s, ok := d.canonicalJSON(n)
				into.Text, into.JSON = s, true
				return ok
			},
			schema: func(*schemaBuilder) schema { return schema{} },
		},
	},
	keep: func(m *MatchValue, pos diag.Pos, _ fieldSet) { m.Pos = pos },
	flow: "{value: {color: green}}",
}

// canonicalJSON writes a YAML value as JSON: keys sorted, no blanks, numbers as
// float64 in the shortest form.
func (d *decoder) canonicalJSON(n *yaml.Node) (string, bool) {
	if d.spoilt[n] {
		return "", false
	}
	var b strings.Builder
	switch n.Kind {
	case yaml.MappingNode:
		members := map[string]string{}
		ok := true
		pairs(n, func(k, v *yaml.Node) {
			s, good := d.canonicalJSON(v)
			members[k.Value] = s
			ok = ok && good && !d.spoilt[k]
		})
		if !ok {
			return "", false
		}
		b.WriteByte('{')
		for i, name := range sortedKeys(members) {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(jsonText(name) + ":" + members[name])
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			s, ok := d.canonicalJSON(item)
			if !ok {
				return "", false
			}
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(s)
		}
		b.WriteByte(']')
	default:
		switch {
		case n.Tag == "!!null":
			return "null", true
		case n.Tag == "!!bool":
			return strings.ToLower(n.Value), true
		case n.Tag == "!!int" || n.Tag == "!!float":
			f, err := strconv.ParseFloat(n.Value, 64)
			if !json.Valid([]byte(n.Value)) || err != nil {
				d.errorf(n, "bad-number", "%s is no JSON number", quoted(n.Value)).
					WithHint("write a number such as 12, -0.5 or 1e3, or put quotes around a text")
				return "", false
			}
			return strconv.FormatFloat(f+0, 'g', -1, 64), true
		}
		return jsonText(n.Value), true
	}
	return b.String(), true
}

func jsonText(s string) string {
	b, err := marshalPlain(s)
	if err != nil {
		panic("metrics: json: " + err.Error())
	}
	return string(b)
}

// variationDraft tells what a variation gave.
type variationDraft struct {
	Variation
	baseline At[bool]
}

var variationObject = &object[variationDraft]{
	name: "variation",
	doc:  "one arm",
	fields: []field[variationDraft]{
		row("key", text, func(v *variationDraft) *Text { return &v.Key }, "what results call the variation, any text").needed("control"),
		row("name", text, func(v *variationDraft) *Text { return &v.Name }, "what people call it"),
		row("weight", notNegative, func(v *variationDraft) *At[Number] { return &v.Weight }, "the planned share of units, relative to the other weights").shown("50"),
		row("baseline", boolean, func(v *variationDraft) *At[bool] { return &v.baseline }, "true for the one that others are compared with"),
		row("match", oneOrMore(matchValue, "a text, a list, or {value: …}"), func(v *variationDraft) *[]MatchValue { return &v.Match },
			"the values in the data that mean this variation: a text, a list, or {value: …} with any JSON; default the key").
			shown("'18802093142'", "[control, off]", "{value: {color: green}}"),
	},
	foreign: variationWords,
	label:   func(v *variationDraft) string { return v.Key.V },
	keep:    func(v *variationDraft, pos diag.Pos, _ fieldSet) { v.Pos = pos },
	flow:    "{key: control, weight: 50, baseline: true}",
}

var variation = convert(variationObject.kind(), func(v variationDraft) *Variation {
	v.Baseline = v.baseline.V
	return &v.Variation
})

var holdbackObject = &object[Text]{
	name:   "holdback",
	doc:    "holdback rows are this variation",
	fields: []field[Text]{row("as", text, func(t *Text) *Text { return t }, "the key of a variation").needed("control")},
	flow:   "{as: control}",
}

// holdback is a variation's key, not set for exclude.
var holdback = either(
	convert(oneOf("exclude"), func(At[string]) Text { return Text{} }),
	holdbackObject.kind(),
	"exclude, or {as: control}",
)

var phaseObject = &object[Phase]{
	name: "phase",
	doc:  "a part of an experiment with its own weights",
	fields: []field[Phase]{
		row("start", instant, func(p *Phase) *At[time.Time] { return &p.Start }, "when it starts").needed("2026-03-02"),
		row("weights", convert(mapOf(bare(notNegative), "a mapping such as {control: 95, green: 5}"), func(es []entry[Number]) []PhaseWeight {
			var out []PhaseWeight
			for _, e := range es {
				out = append(out, PhaseWeight{e.Key, e.Value})
			}
			return out
		}), func(p *Phase) *[]PhaseWeight { return &p.Weights }, "the weight of each variation").needed("{control: 95, green: 5}"),
	},
	foreign: vocabulary{"from": ours("start"), "weight": ours("weights"), "allocation": ours("weights"), "traffic": ours("weights")},
	keep:    func(p *Phase, pos diag.Pos, _ fieldSet) { p.Pos = pos },
	flow:    "{start: 2026-03-02, weights: {control: 95, green: 5}}",
}

// segmentDraft tells what a segment gave.
type segmentDraft struct {
	Segment
	from At[string]
}

var segmentObject = &object[segmentDraft]{
	name: "segment",
	doc:  "a way to break results down",
	fields: []field[segmentDraft]{
		row("key", text, func(s *segmentDraft) *Text { return &s.Key }, "the attribute, and what results call the segment").needed("device"),
		row("from", oneOf("events"), func(s *segmentDraft) *At[string] { return &s.from }, "events: a unit is in the segment if any of its rows has the value"),
		row("experiment", text, func(s *segmentDraft) *Text { return &s.Experiment }, "the value is the unit's variation in that experiment").shown("new_nav"),
	},
	foreign: vocabulary{"name": ours("key"), "attribute": ours("key"), "source": ours("from")},
	label:   func(s *segmentDraft) string { return s.Key.V },
	keep:    func(s *segmentDraft, pos diag.Pos, _ fieldSet) { s.Pos = pos },
	flow:    "{key: device, from: events}",
	rules:   apart("from", "experiment"),
}

var segment = either(
	convert(text, func(t Text) *Segment { return &Segment{Key: t, Pos: t.Pos} }),
	convert(refine(segmentObject.kind(), func(d *decoder, n *yaml.Node, s segmentDraft) bool {
		if s.from.Set && s.Experiment.Set {
			d.errorf(n, "conflict", "a segment is from events or from another experiment, not both").
				WithHint("leave from or experiment out, or make them two segments")
			return false
		}
		return true
	}), func(s segmentDraft) *Segment {
		s.FromEvents = s.from.Set
		return &s.Segment
	}),
	"the name of an attribute, or a mapping such as {key: device, from: events}",
)

// ParseMargin reads a margin: a share such as 2%, percentage points such as 2pp, or
// a number in the metric's own unit. Its size may be any number.
func ParseMargin(text string) (Margin, bool) {
	var m Margin
	plain := text
	for _, u := range []MarginUnit{MarginRelative, MarginPoints} {
		if p, found := strings.CutSuffix(text, string(u)); found {
			plain, m.Unit = p, u
		}
	}
	m.Value = Number(plain)
	return m, len(text) <= 100 && numberPattern.MatchString(plain)
}

// margin is 2%, 2pp or 20.
var margin = kind[*Margin]{
	want: "a margin such as 2%, 2pp or 20",
	decode: func(d *decoder, n *yaml.Node) (*Margin, bool) {
		const want = "a margin such as 2%, 2pp or 20"
		s, ok := d.scalar(n, want)
		if !ok {
			return nil, false
		}
		m := new(Margin)
		if *m, ok = ParseMargin(s); !ok {
			said := d.errorf(n, "bad-number", "%s wants %s, not %s", d.subject(), want, quoted(s))
			if t := strings.ReplaceAll(s, " ", ""); t != s {
				said.WithHint("write %s", t)
			}
			return nil, false
		}
		m.Pos = d.pos(n)
		if m.Value.Rat().Sign() <= 0 {
			d.errorf(n, "bad-number", "%s must be above 0, not %s", d.subject(), s).
				WithHint("it says how much worse the metric may be; better says in which direction")
			return nil, false
		}
		return m, true
	},
	schema: func(*schemaBuilder) schema {
		return anyOf(schema{{"type", "number"}, {"exclusiveMinimum", 0}}, schema{{"type", "string"}, {"pattern", `^[0-9]+(\.[0-9]+)?(%|pp)$`}})
	},
}

func entryObject(name string, withMargin bool) *object[entryDraft] {
	o := &object[entryDraft]{
		name: name,
		doc:  "a metric or a group, with analysis options for it alone",
		fields: []field[entryDraft]{
			row("metric", text, func(e *entryDraft) *Text { return &e.metric }, "the key of a metric or of a group").needed("purchase_rate"),
		},
		foreign: entryWords.and(ofExperiment),
		label:   func(e *entryDraft) string { return e.metric.V },
		keep:    func(e *entryDraft, pos diag.Pos, given fieldSet) { e.pos, e.given = pos, given },
		flow:    "{metric: purchase_rate, alpha: 0.01}",
	}
	if withMargin {
		o.flow = "{metric: page_load_p95, margin: 2%}"
		o.fields = append(o.fields, row("margin", margin, func(e *entryDraft) **Margin { return &e.margin },
			"how much worse the metric may be: 2% of the baseline, 2pp of a rate, or 20 in the metric's own unit").shown("2%", "2pp", "20"))
	} else {
		o.foreign = o.foreign.and(vocabulary{"margin": hint("", "a margin belongs to a metric under guardrails")})
	}
	o.fields = append(o.fields, lift(metricAnalysisObject.fields, func(e *entryDraft) *Analysis { return &e.analysis })...)
	return o
}

var (
	entryKind     = entryOf(entryObject("metric entry", false))
	guardrailKind = entryOf(entryObject("guardrail", true))
)

func entryOf(o *object[entryDraft]) kind[entryDraft] {
	return either(
		convert(text, func(t Text) entryDraft { return entryDraft{metric: t, pos: t.Pos} }),
		o.kind(),
		"the key of a metric or group, or a mapping such as "+o.flow,
	)
}

var rolesObject = &object[rolesDraft]{
	name: "metrics of an experiment",
	doc:  "the metrics by role; entries are keys, groups, or {metric, <analysis options>}",
	fields: []field[rolesDraft]{
		row("primary", orEmpty(listOf(entryKind, "a list of metrics")), func(r *rolesDraft) *[]entryDraft { return &r.primary }, "the metrics that decide; at least one for rule: test").
			shown("[purchase_rate]").also("[{metric: purchase_rate, alpha: 0.01}]"),
		row("secondary", orEmpty(listOf(entryKind, "a list of metrics")), func(r *rolesDraft) *[]entryDraft { return &r.secondary }, "further metrics").shown("[revenue, orders]"),
		row("guardrails", orEmpty(listOf(guardrailKind, "a list of metrics")), func(r *rolesDraft) *[]entryDraft { return &r.guardrails }, "metrics that must not get worse: {metric, margin: 2%}").
			shown("[{metric: page_load_p95, margin: 2%}]"),
	},
	foreign: vocabulary{
		"guardrail": ours("guardrails"), "monitoring": ours("guardrails"), "goals": ours("primary"), "goal": ours("primary"),
		"main": ours("primary"), "other": ours("secondary"),
	},
	keep: func(r *rolesDraft, pos diag.Pos, given fieldSet) { r.pos, r.given = pos, given },
	flow: "{primary: [purchase_rate]}",
}

// compare is baseline, all, or pairs.
var compare = kind[Compare]{
	want: "baseline, all, or pairs such as [[green, control]]",
	decode: func(d *decoder, n *yaml.Node) (Compare, bool) {
		c := Compare{Pos: d.pos(n)}
		if n.Kind != yaml.SequenceNode {
			w, ok := compareWord.decode(d, n)
			c.All = w.V == "all"
			return c, ok
		}
		if slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Kind == yaml.ScalarNode }) {
			d.wrongKind(n, "pairs").WithHint("write [[green, control]]: green compared with control")
			return c, false
		}
		lists, ok := comparePairs.decode(d, n)
		for i, l := range lists {
			switch {
			case len(l) != 2:
				if ok {
					d.errorf(n.Content[i], "wrong-kind", "a pair has two variations, not %d", len(l)).WithHint("write [green, control]: green compared with control")
				}
				ok = false
			case l[0].V == l[1].V:
				d.errorf(n.Content[i], "bad-value", "variation %s is compared with itself", quoted(l[0].V)).
					WithHint("write two variations: [green, control] compares green with control")
				ok = false
			case slices.ContainsFunc(c.Pairs, func(p ComparePair) bool { return p.Variation.V == l[0].V && p.To.V == l[1].V }):
				d.errorf(n.Content[i], "duplicate-name", "%s and %s are compared twice", quoted(l[0].V), quoted(l[1].V)).
					WithHint("leave one of them out")
				ok = false
			default:
				c.Pairs = append(c.Pairs, ComparePair{l[0], l[1]})
			}
		}
		return c, ok
	},
	schema: func(b *schemaBuilder) schema {
		return anyOf(compareWord.schema(b), schema{{"type", "array"}, {"minItems", 1}, {"items", schema{
			{"type", "array"}, {"items", text.schema(b)}, {"minItems", 2}, {"maxItems", 2},
		}}})
	},
}

var (
	compareWord  = oneOf("baseline", "all")
	comparePairs = listOf(texts, "a list of pairs such as [[green, control]]")
)

var experimentObject = &object[experimentDraft]{
	name: "experiment",
	doc:  "one rule of one flag over one period; flag, unit, start, variations and metrics are given here or in defaults",
	fields: []field[experimentDraft]{
		row("key", key, func(e *experimentDraft) *Text { return &e.Key }, "the experiment's identity").needed("checkout_button"),
		row("name", text, func(e *experimentDraft) *Text { return &e.Name }, "what people call it").shown("Green checkout button"),
		row("description", text, func(e *experimentDraft) *Text { return &e.Description }, "what it is about"),
		row("tags", orEmpty(texts), func(e *experimentDraft) *[]Text { return &e.Tags }, "words to find it by").shown("[checkout]"),
		row("maintainer", text, func(e *experimentDraft) *Text { return &e.Maintainer }, "who to ask"),
		row("flag", text, func(e *experimentDraft) *Text { return &e.Flag }, "the feature flag").shown("checkout_button"),
		row("rule", oneOf("test", "rollout", "personalize"), func(e *experimentDraft) *At[string] { return &e.Rule }, "the kind of rule; default test"),
		row("status", oneOf("draft", "running", "stopped", "archived"), func(e *experimentDraft) *At[string] { return &e.Status },
			"draft and archived experiments are not computed unless named; default from the dates"),
		row("unit", text, func(e *experimentDraft) *Text { return &e.Unit }, "the unit kind that is randomised").shown("user"),
		row("source", textOrTexts, func(e *experimentDraft) *[]Text { return &e.Source }, "the impression sources to read; default all that have the unit kind").shown("decisions"),
		row("match", match, func(e *experimentDraft) *Match { return &e.Match }, matchObject.doc+"; default experiment = key where it is mapped, else flag = flag").
			shown("{experiment: '18786493712'}"),
		row("start", instant, func(e *experimentDraft) *At[time.Time] { return &e.Start }, "the first instant of impressions").shown("2026-03-02").also("2026-03-02T09:30:00Z"),
		row("end", instant, func(e *experimentDraft) *At[time.Time] { return &e.End }, "the end of impressions, exclusive; without it the experiment is running").shown("2026-03-30"),
		row("observe_until", instant, func(e *experimentDraft) *At[time.Time] { return &e.ObserveUntil }, "events without a window count until then, exclusive; default end").
			shown("2026-04-06"),
		row("cut_windows_at_end", boolean, func(e *experimentDraft) *At[bool] { return &e.CutWindows }, "windows end at observe_until too; default false"),
		row("variations", listOf(variation, "a list of variations"), func(e *experimentDraft) *[]*Variation { return &e.Variations }, "the arms").
			shown("[{key: control, baseline: true}, {key: green}]"),
		row("ignore_variations", orEmpty(textOrTexts), func(e *experimentDraft) *[]Text { return &e.IgnoreVariations }, "impressions with these values are no impressions").
			shown("[preview]"),
		row("holdback", holdback, func(e *experimentDraft) *Text { return &e.HoldbackAs }, "exclude (default), or {as: control}: holdback rows are that variation").shown("{as: control}"),
		row("multiple_variations", oneOf(MultipleExclude, MultipleFirst, MultipleEach), func(e *experimentDraft) *At[MultiplePolicy] { return &e.Multiple },
			"units seen in several variations: exclude (default), first or each"),
		row("where", expression, func(e *experimentDraft) *Expr { return &e.Where }, "the audience: units by what exposure.* and unit.* are at their first impression").
			shown(`'exposure.country == "DE"'`, `'unit.plan == "pro"'`),
		row("exclude_units_in", orEmpty(textOrTexts), func(e *experimentDraft) *[]Text { return &e.ExcludeUnitsIn }, "experiments whose exposed units are left out").shown("[new_nav]"),
		row("activation", eventFilter, func(e *experimentDraft) **EventFilter { return &e.Activation }, "an event, or {event, where}: only units that did it before observe_until, counting from there").
			shown("checkout_opened"),
		row("identity", oneOf(IdentityStrict, IdentityFirstTouch), func(e *experimentDraft) *At[string] { return &e.Identity },
			"events of another unit kind are joined through a units source: strict or first_touch; default not at all"),
		row("phases", listOf(pointer(phaseObject.kind()), "a list of phases"), func(e *experimentDraft) *[]*Phase { return &e.Phases }, "the parts of a ramp: [{start, weights: {control: 95, green: 5}}]").
			shown("[{start: 2026-03-02, weights: {control: 95, green: 5}}, {start: 2026-03-09, weights: {control: 50, green: 50}}]"),
		row("pool", oneOf("stratify", "last"), func(e *experimentDraft) *At[string] { return &e.PhasePool }, "how phases become one result: stratify (default) or last"),
		row("segments", orEmpty(listOf(segment, "a list of attributes")), func(e *experimentDraft) *[]*Segment { return &e.Segments },
			"attributes to break results down by; {key: device, from: events}; {key: nav, experiment: new_nav}").shown("[country, {key: device, from: events}]"),
		row("metrics", rolesObject.kind(), func(e *experimentDraft) *rolesDraft { return &e.roles }, rolesObject.doc).
			shown("{primary: [purchase_rate]}").also("{primary: [purchase_rate], secondary: [revenue], guardrails: [{metric: page_load_p95, margin: 2%}]}"),
		row("compare", compare, func(e *experimentDraft) *Compare { return &e.Compare }, "baseline (default), all (every pair), or pairs").shown("all", "[[green, control]]"),
		row("analysis", analysisObject.kind(), func(e *experimentDraft) *Analysis { return &e.Analysis }, "statistical options for this experiment").
			shown("{peeking: always_valid, correction: holm}"),
	},
	foreign: experimentWords,
	label:   func(e *experimentDraft) string { return e.Key.V },
	keep: func(e *experimentDraft, pos diag.Pos, given fieldSet) {
		e.Pos, e.given = pos, given
	},
	flow: "{key: checkout_button, flag: checkout_button, unit: user, …}",
}

// defaultExperimentObject is what defaults may say of experiments.
var defaultExperimentObject = experimentObject.without("default experiment", "fields of experiments that hold where an experiment does not give them",
	"key", "name", "description").speaking(experimentWords.and(vocabulary{
	"key": hint("", "each experiment has a key of its own"), "name": hint("", "each experiment has a name of its own"),
	"description": hint("", "each experiment has a description of its own"),
}))

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
