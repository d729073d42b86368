package metrics

import (
	"math/big"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// metricDraft is a metric as one file says it, before defaults and like.
type metricDraft struct {
	Metric
	given fieldSet
	ratio ratioDraft
	// inline is set for a side of a ratio.
	inline bool
	// resolved is set once like is followed, resolving while it is.
	resolved, resolving bool
}

// ratioDraft is a ratio whose sides are not looked up yet.
type ratioDraft struct {
	numerator, denominator sideDraft
	within                 At[Duration]
	pos                    diag.Pos
	given                  fieldSet
}

// sideDraft is one side: a key, or a body.
type sideDraft struct {
	key  Text
	body *metricDraft
	pos  diag.Pos
}

var eventSelector = kind[EventSelector]{
	want: "an event key, a list of them, any or impression",
	decode: func(d *decoder, n *yaml.Node) (EventSelector, bool) {
		if d.present(n, "an event key") && n.Kind == yaml.MappingNode {
			d.wrongKind(n, "an event key, a list of them, any or impression").
				WithHint("write the key alone, and conditions under where")
			return EventSelector{}, false
		}
		keys, ok := textOrTexts.decode(d, n)
		s := EventSelector{Keys: keys, Pos: d.pos(n)}
		if n.Kind == yaml.ScalarNode && len(keys) == 1 {
			switch keys[0].V {
			case "any":
				return EventSelector{Any: true, Pos: s.Pos}, ok
			case "impression":
				return EventSelector{Impression: true, Pos: s.Pos}, ok
			}
		}
		seen := map[string]bool{}
		for i, k := range keys {
			item := n
			if n.Kind == yaml.SequenceNode && len(keys) == len(n.Content) {
				item = n.Content[i]
			}
			switch {
			case n.Kind == yaml.SequenceNode && (k.V == "any" || k.V == "impression"):
				d.errorf(item, "bad-value", "%s stands alone, not in a list", quoted(k.V)).WithHint("write event: %s", k.V)
				ok = false
			case seen[k.V]:
				d.errorf(item, "duplicate-name", "event %s is listed twice", quoted(k.V)).
					WithHint("leave one of them out")
				ok = false
			}
			seen[k.V] = true
		}
		return s, ok
	},
	schema: textOrTexts.schema,
}

var eventFilterObject = &object[EventFilter]{
	name: "event filter",
	doc:  "an event with a condition",
	fields: []field[EventFilter]{
		row("event", eventSelector, func(f *EventFilter) *EventSelector { return &f.Event }, "the event").needed("trial_started"),
		row("where", expression, func(f *EventFilter) *Expr { return &f.Where }, "only rows for which it is true").shown(`'plan == "pro"'`),
	},
	foreign: metricWords.only("event", "where"),
	keep:    func(f *EventFilter, pos diag.Pos, _ fieldSet) { f.Pos = pos },
	flow:    "{event: trial_started, where: '…'}",
}

// eventFilter is an event, or an event with a condition.
var eventFilter = func() kind[*EventFilter] {
	plain := kind[EventFilter]{
		decode: func(d *decoder, n *yaml.Node) (EventFilter, bool) {
			s, ok := eventSelector.decode(d, n)
			return EventFilter{Event: s, Pos: d.pos(n)}, ok
		},
		schema: eventSelector.schema,
	}
	k := either(plain, eventFilterObject.kind(), "an event, or {event, where}")
	inner := k.decode
	k.decode = func(d *decoder, n *yaml.Node) (EventFilter, bool) {
		if n.Kind == yaml.SequenceNode {
			return plain.decode(d, n)
		}
		return inner(d, n)
	}
	return pointer(k)
}()

var thresholdObject = &object[Threshold]{
	name: "threshold",
	doc:  "one or two limits; the per-unit number becomes 1 within them, else 0",
	fields: []field[Threshold]{
		row("at_least", number, func(t *Threshold) *At[Number] { return &t.AtLeast }, "the number is this or more").shown("3"),
		row("at_most", number, func(t *Threshold) *At[Number] { return &t.AtMost }, "the number is this or less"),
		row("more_than", number, func(t *Threshold) *At[Number] { return &t.MoreThan }, "the number is more than this"),
		row("less_than", number, func(t *Threshold) *At[Number] { return &t.LessThan }, "the number is less than this"),
	},
	foreign: vocabulary{
		"min": ours("at_least"), "gte": ours("at_least"), "ge": ours("at_least"), ">=": ours("at_least"), "minimum": ours("at_least"),
		"max": ours("at_most"), "lte": ours("at_most"), "le": ours("at_most"), "<=": ours("at_most"), "maximum": ours("at_most"),
		"gt": ours("more_than"), "above": ours("more_than"), ">": ours("more_than"), "greater_than": ours("more_than"), "over": ours("more_than"),
		"lt": ours("less_than"), "below": ours("less_than"), "<": ours("less_than"), "under": ours("less_than"),
	},
	keep:  func(t *Threshold, pos diag.Pos, _ fieldSet) { t.Pos = pos },
	flow:  "{at_least: 3}",
	rules: slices.Concat([]schema{someOf("at_least", "at_most", "more_than", "less_than")}, apart("at_least", "more_than"), apart("at_most", "less_than")),
}

// withoutEvents reads zero, exclude or a number.
var withoutEvents = kind[UnitsWithoutEvents]{
	want: "zero, exclude or a number",
	decode: func(d *decoder, n *yaml.Node) (UnitsWithoutEvents, bool) {
		s, ok := d.scalar(n, "zero, exclude or a number")
		if !ok {
			return UnitsWithoutEvents{}, false
		}
		w := UnitsWithoutEvents{Number: "0", Pos: d.pos(n), Set: true}
		switch {
		case s == "zero":
			return w, true
		case s == "exclude":
			w.Exclude = true
			return w, true
		case numberPattern.MatchString(s) && n.Style == 0 && len(s) <= 100:
			w.Number = Number(s)
			return w, true
		}
		d.badWord(n, s, []string{"zero", "exclude", "a number"}, nil)
		return UnitsWithoutEvents{}, false
	},
	schema: func(b *schemaBuilder) schema { return anyOf(constant("zero", "exclude"), number.schema(b)) },
}

var percentilePattern = regexp.MustCompile(`^p([0-9]{1,2}(\.[0-9]{1,4})?)$`)

// percentOf is a share such as 0.95 as the number of a percentile, 95; another number
// stays as it is.
func percentOf(s string) string {
	share := Number(s).Rat()
	if share.Sign() <= 0 || share.Cmp(big.NewRat(1, 1)) >= 0 {
		return s
	}
	percent := new(big.Rat).Mul(share, big.NewRat(100, 1)).FloatString(4)
	return strings.TrimRight(strings.TrimRight(percent, "0"), ".")
}

// statistic reads mean or a percentile.
var statistic = kind[At[string]]{
	want: "mean or a percentile such as p95",
	decode: func(d *decoder, n *yaml.Node) (At[string], bool) {
		const want = "mean or a percentile such as p95"
		s, ok := d.scalar(n, want)
		if !ok {
			return At[string]{}, false
		}
		m := percentilePattern.FindStringSubmatch(s)
		if s != "mean" && (m == nil || Number(m[1]).Rat().Sign() == 0) {
			said := d.errorf(n, "bad-value", "%s", noValue(d, s, want))
			switch s {
			case "median":
				said.WithHint("write p50")
			case "average", "avg":
				said.WithHint("for the mean over units write mean; for the average within a unit, per_unit: average")
			case "sum", "total", "count":
				said.WithHint("a statistic is over units; for one unit's number write per_unit: sum or measure: count")
			default:
				if numberPattern.MatchString(s) {
					said.WithHint("write p%s", percentOf(s))
				}
			}
			return At[string]{}, false
		}
		return At[string]{V: s, Pos: d.pos(n), Set: true}, true
	},
	schema: func(*schemaBuilder) schema {
		return anyOf(constant("mean"), schema{{"type", "string"}, {"pattern", percentilePattern.String()}})
	},
}

// windowDraft tells what a window gave.
type windowDraft struct {
	from, to, lookback At[Duration]
}

var windowObject = &object[windowDraft]{
	name: "window",
	doc:  "when events count, relative to the exposure",
	fields: []field[windowDraft]{
		row("from", signed, func(w *windowDraft) *At[Duration] { return &w.from }, "the start, inclusive; negative: before the exposure").shown("7d", "-7d"),
		row("to", signed, func(w *windowDraft) *At[Duration] { return &w.to }, "the end, exclusive").shown("14d"),
		row("lookback", duration, func(w *windowDraft) *At[Duration] { return &w.lookback }, "only the last part of the experiment").shown("7d"),
	},
	foreign: vocabulary{
		"start": ours("from"), "after": ours("from"), "delay": ours("from"), "end": ours("to"), "until": ours("to"),
		"length": ours("to"), "days": hint("to", `write to with its unit, such as to: 7d`), "hours": hint("to", `write to with its unit, such as to: 72h`),
	},
	flow:  "{from: 7d, to: 14d}",
	rules: append(apart("lookback", "from", "to"), someOf("from", "to", "lookback")),
}

var window = func() kind[Window] {
	whole := convert(duration, func(t At[Duration]) Window {
		return Window{To: t.V, HasFrom: true, HasTo: true, Pos: t.Pos, Set: t.Set}
	})
	parts := kind[Window]{
		decode: func(d *decoder, n *yaml.Node) (Window, bool) {
			var p windowDraft
			if !windowObject.read(d, n, &p) {
				return Window{}, false
			}
			w := Window{
				From: p.from.V, HasFrom: p.from.Set, To: p.to.V, HasTo: p.to.Set,
				Lookback: p.lookback.V, HasLookback: p.lookback.Set, Pos: d.pos(n), Set: true,
			}
			switch {
			case w.HasLookback && (w.HasFrom || w.HasTo):
				d.errorf(n, "conflict", "a window has lookback, or from and to, not both").
					WithHint("lookback counts back from the end of the experiment, from and to count from the exposure: leave one of them out")
			case w.Open():
				d.errorf(n, "empty-value", "the window is empty").WithHint("write 72h, {from: 7d, to: 14d} or {lookback: 7d}; without a window, leave it out")
			case w.HasTo && w.To <= w.From:
				d.diags.Errorf(p.to.Pos, "bad-window", "the window ends at %s, not after its start at %s", spell(w.To), spell(w.From)).
					WithHint("write the earlier one as from: {from: 7d, to: 14d}")
			default:
				return w, true
			}
			return Window{}, false
		},
		schema: windowObject.schema,
		canon:  windowObject.canon,
	}
	return either(whole, parts, "a duration such as 72h, or {from: 7d, to: 14d}, or {lookback: 7d}")
}()

// winsorizeDraft tells what winsorize gave.
type winsorizeDraft struct {
	Winsorize
	zeros  At[bool]
	method At[string]
}

var winsorizeObject = &object[winsorizeDraft]{
	name: "winsorize",
	doc:  "caps the per-unit numbers, at percentiles over everybody or at fixed values",
	fields: []field[winsorizeDraft]{
		row("upper", share, func(w *winsorizeDraft) *At[Number] { return &w.Upper }, "the upper percentile, such as 0.99").shown("0.99", "99%"),
		row("lower", share, func(w *winsorizeDraft) *At[Number] { return &w.Lower }, "the lower percentile, such as 0.01").shown("0.01"),
		row("ignore_zeros", boolean, func(w *winsorizeDraft) *At[bool] { return &w.zeros }, "zeros are neither counted nor changed"),
		row("method", oneOf("classical", "linear"), func(w *winsorizeDraft) *At[string] { return &w.method },
			"classical: the largest become the one below them; linear: the cap is the interpolated percentile"),
		row("upper_value", number, func(w *winsorizeDraft) *At[Number] { return &w.UpperValue }, "a fixed upper cap").shown("500"),
		row("lower_value", number, func(w *winsorizeDraft) *At[Number] { return &w.LowerValue }, "a fixed lower cap"),
	},
	foreign: vocabulary{
		"percentile": ours("upper"), "upper_percentile": ours("upper"), "lower_percentile": ours("lower"), "cap": ours("upper_value"),
		"max": ours("upper_value"), "min": ours("lower_value"), "value": ours("upper_value"), "type": ours("method"),
	},
	keep: func(w *winsorizeDraft, pos diag.Pos, _ fieldSet) { w.Pos = pos },
	flow: "{upper: 0.99}",
	rules: slices.Concat([]schema{someOf("upper", "lower", "upper_value", "lower_value")},
		apart("upper_value", "upper", "lower", "ignore_zeros", "method"), apart("lower_value", "upper", "lower", "ignore_zeros", "method")),
}

var winsorize = func() kind[*Winsorize] {
	k := refine(winsorizeObject.kind(), func(d *decoder, n *yaml.Node, w winsorizeDraft) bool {
		percentiles, values := w.Upper.Set || w.Lower.Set, w.UpperValue.Set || w.LowerValue.Set
		switch {
		case percentiles && values:
			d.errorf(n, "conflict", "winsorize has percentiles (upper, lower) or fixed caps (upper_value, lower_value), not both").
				WithHint("leave one of them out")
		case !percentiles && !values:
			d.errorf(n, "missing-field", "winsorize has no cap").WithHint("write {upper: 0.99} or {upper_value: 500}")
		case values && w.zeros.Set:
			d.diags.Errorf(w.zeros.Pos, "conflict", "ignore_zeros goes with percentiles, not with fixed caps").
				WithHint("leave it out, or cap at a percentile: {upper: 0.99, ignore_zeros: true}")
		case values && w.method.Set:
			d.diags.Errorf(w.method.Pos, "conflict", "method goes with percentiles, not with fixed caps").
				WithHint("leave it out, or cap at a percentile: {upper: 0.99}")
		case w.Upper.Set && w.Lower.Set && w.Lower.V.Rat().Cmp(w.Upper.V.Rat()) >= 0:
			d.diags.Errorf(w.Lower.Pos, "bad-number", "lower %s is not below upper %s", w.Lower.V, w.Upper.V).
				WithHint("write the smaller share as lower: {lower: 0.01, upper: 0.99}")
		case w.UpperValue.Set && w.LowerValue.Set && w.LowerValue.V.Rat().Cmp(w.UpperValue.V.Rat()) >= 0:
			d.diags.Errorf(w.LowerValue.Pos, "bad-number", "lower_value %s is not below upper_value %s", w.LowerValue.V, w.UpperValue.V).
				WithHint("write the smaller number as lower_value: {lower_value: 0, upper_value: 500}")
		default:
			return true
		}
		return false
	})
	return convert(k, func(w winsorizeDraft) *Winsorize {
		w.IgnoreZeros, w.Linear = w.zeros.V, w.method.V == "linear"
		return &w.Winsorize
	})
}()

var stepObject = &object[FunnelStep]{
	name: "step",
	doc:  "one step of a funnel",
	fields: []field[FunnelStep]{
		row("event", eventSelector, func(s *FunnelStep) *EventSelector { return &s.Event }, "the event").needed("add_to_cart"),
		row("where", expression, func(s *FunnelStep) *Expr { return &s.Where }, "only rows for which it is true").shown(`'category == "electronics"'`),
		row("within", duration, func(s *FunnelStep) *At[Duration] { return &s.Within }, "how long after the step before it").shown("1h"),
		row("name", text, func(s *FunnelStep) *Text { return &s.Name }, "what results call the step"),
	},
	foreign: metricWords.only("event", "where", "name").and(vocabulary{"window": ours("within")}),
	keep:    func(s *FunnelStep, pos diag.Pos, _ fieldSet) { s.Pos = pos },
	flow:    "{event: add_to_cart}",
}

// funnelDraft tells what a funnel gave.
type funnelDraft struct {
	steps []*FunnelStep
	order At[string]
	given fieldSet
}

var funnelObject = &object[funnelDraft]{
	name: "funnel",
	doc:  "a sequence of events; a row for each step, and the last step as the metric's value",
	fields: []field[funnelDraft]{
		row("steps", listOf(pointer(stepObject.kind()), "a list of steps"), func(f *funnelDraft) *[]*FunnelStep { return &f.steps }, "the steps").
			needed("[{event: add_to_cart}, {event: purchase}]"),
		row("order", oneOf("ordered", "any"), func(f *funnelDraft) *At[string] { return &f.order },
			"ordered: each step after the one before it; any: in any order; default ordered"),
	},
	keep: func(f *funnelDraft, _ diag.Pos, given fieldSet) { f.given = given },
	flow: "{steps: [{event: add_to_cart}, {event: purchase}]}",
}

var funnel = func() kind[*Funnel] {
	k := refine(funnelObject.kind(), func(d *decoder, n *yaml.Node, f funnelDraft) bool {
		if !f.given.clean("steps", "order") {
			return false
		}
		if len(f.steps) == 1 {
			d.errorf(n, "missing-field", "a funnel has two steps or more").WithHint("for one event write measure: occurrence")
			return false
		}
		ok := true
		names := map[string]bool{}
		for i, s := range f.steps {
			if s.Within.Set && f.order.V == "any" {
				d.diags.Errorf(s.Within.Pos, "conflict", "within needs an order, and this funnel has order: any").
					WithHint("leave within out, or write order: ordered")
				ok = false
			} else if s.Within.Set && i == 0 {
				d.diags.Errorf(s.Within.Pos, "conflict", "the first step has no step before it, so no within").
					WithHint("the time since the exposure is limited by the metric's window")
				ok = false
			}
			if s.Name.Set && names[s.Name.V] {
				d.diags.Errorf(s.Name.Pos, "duplicate-name", "two steps are named %s", quoted(s.Name.V)).
					WithHint("give one of them another name")
				ok = false
			}
			names[s.Name.V] = true
		}
		return ok
	})
	return kind[*Funnel]{
		want: k.want,
		decode: func(d *decoder, n *yaml.Node) (*Funnel, bool) {
			f, ok := k.decode(d, n)
			return &Funnel{Steps: f.steps, AnyTime: f.order.V == "any", Pos: d.pos(n)}, ok
		},
		schema: k.schema,
		canon:  k.canon,
	}
}()

// side is a key of a metric, or the body of one.
var side = kind[sideDraft]{
	want: "the key of a metric, or {event, measure}",
	decode: func(d *decoder, n *yaml.Node) (sideDraft, bool) {
		s := sideDraft{pos: d.pos(n)}
		if n.Kind == yaml.MappingNode {
			s.body = &metricDraft{inline: true}
			ok := sideObject.read(d, n, s.body)
			return s, ok
		}
		if d.present(n, "the key of a metric") && n.Kind != yaml.ScalarNode {
			d.wrongKind(n, "the key of a metric, or {event, measure}").
				WithHint("a side of a ratio is one metric")
			return s, false
		}
		t, ok := text.decode(d, n)
		s.key = t
		return s, ok
	},
	schema: func(b *schemaBuilder) schema { return anyOf(key.schema(b), sideObject.schema(b)) },
	canon:  func(n *yaml.Node) { sideObject.canon(n) },
}

var ratioObject = &object[ratioDraft]{
	name: "ratio",
	doc:  "the sum of one metric over the sum of another",
	fields: []field[ratioDraft]{
		row("numerator", side, func(r *ratioDraft) *sideDraft { return &r.numerator }, "the key of a metric, or a body such as {event: purchase, measure: count}").needed("revenue").
			also("{event: purchase, measure: value}"),
		row("denominator", side, func(r *ratioDraft) *sideDraft { return &r.denominator }, "the key of a metric, or a body such as {event: purchase, measure: count}").needed("{event: purchase, measure: count}"),
		row("numerator_within", duration, func(r *ratioDraft) *At[Duration] { return &r.within },
			"a numerator row counts only this long after a denominator row of the unit").shown("48h"),
	},
	foreign: vocabulary{"within": ours("numerator_within"), "num": ours("numerator"), "den": ours("denominator"), "denom": ours("denominator")},
	keep:    func(r *ratioDraft, pos diag.Pos, given fieldSet) { r.pos, r.given = pos, given },
	flow:    "{numerator: revenue, denominator: {event: purchase, measure: count}}",
}

// Names of groups of fields.
var (
	// textFields are for people and change no number.
	textFields = []string{"name", "description", "tags", "maintainer", "unit_label", "format"}
	// bodyFields are what an inline body may have.
	bodyFields = []string{
		"event", "source", "measure", "value", "where", "per_unit", "threshold", "units_without_events",
		"after", "window", "wait_for_window", "winsorize", "decimals", "like", "funnel",
	}
)

var metricObject = &object[metricDraft]{
	name: "metric",
	doc:  "one metric",
	fields: []field[metricDraft]{
		row("key", key, func(m *metricDraft) *Text { return &m.Key }, "the metric's identity; renaming makes a new metric").needed("purchase_rate"),
		row("name", text, func(m *metricDraft) *Text { return &m.Name }, "what people call it").shown("Purchase rate"),
		row("description", text, func(m *metricDraft) *Text { return &m.Description }, "what it means"),
		row("tags", orEmpty(texts), func(m *metricDraft) *[]Text { return &m.Tags }, "words to find it by").shown("[checkout, core]"),
		row("maintainer", text, func(m *metricDraft) *Text { return &m.Maintainer }, "who to ask"),
		row("unit_label", text, func(m *metricDraft) *Text { return &m.UnitLabel }, "what the values are in, for people: ms, USD").shown("USD"),
		row("format", oneOf("percent", "currency", "duration", "number"), func(m *metricDraft) *Text { return &m.Format }, "how people want to see it"),
		row("better", oneOf(Higher, Lower), func(m *metricDraft) *At[Better] { return &m.Better }, "which direction is good").shown("higher"),
		row("event", eventSelector, func(m *metricDraft) *EventSelector { return &m.Event },
			"a key, a list (any of them), any, or impression (the experiment's impressions)").shown("purchase").also("[purchase, renewal]", "any", "impression"),
		row("source", textOrTexts, func(m *metricDraft) *[]Text { return &m.Source }, "the event sources to read; default all").shown("orders", "[orders, web]"),
		row("measure", oneOf(Occurrence, Count, Value, ActiveDays, Participation), func(m *metricDraft) *At[Measure] { return &m.Measure },
			"what is taken from a unit's rows: occurrence (1 if at least one), count, value, active_days, participation").shown("occurrence"),
		row("value", expression, func(m *metricDraft) *Expr { return &m.Value }, "only with measure: value; an expression, default the event's value").shown("price * quantity"),
		row("where", expression, func(m *metricDraft) *Expr { return &m.Where }, "only rows for which it is true count").shown(`'category == "electronics" and coupon == nil'`),
		row("per_unit", oneOf(Sum, Average, Min, Max, First, Last, CountDistinct), func(m *metricDraft) *At[PerUnit] { return &m.PerUnit },
			"how the values of a unit become one number; default sum"),
		row("threshold", pointer(thresholdObject.kind()), func(m *metricDraft) **Threshold { return &m.Threshold }, thresholdObject.doc).shown("{at_least: 3}"),
		row("units_without_events", withoutEvents, func(m *metricDraft) *UnitsWithoutEvents { return &m.WithoutEvents },
			"what a unit without rows that count is: zero (default), exclude, or a number").shown("exclude").also("0"),
		row("statistic", statistic, func(m *metricDraft) *At[string] { return &m.Statistic }, "mean (default), or a percentile such as p95 of the per-unit values").shown("p95"),
		row("over", text, func(m *metricDraft) *Text { return &m.Over },
			"a property (session_id, order_id) or events: evaluate for each group, then average over groups, clustered by unit; default the unit").shown("session_id", "events"),
		row("after", eventFilter, func(m *metricDraft) **EventFilter { return &m.After }, "an event that the unit must do first; the window starts there").
			shown("trial_started", `{event: trial_started, where: 'plan == "pro"'}`),
		row("window", window, func(m *metricDraft) *Window { return &m.Window }, windowObject.doc+": 72h, {from: 7d, to: 14d}, {lookback: 7d}; default open").
			shown("72h", "{from: 7d, to: 14d}", "{lookback: 7d}"),
		row("wait_for_window", boolean, func(m *metricDraft) *At[bool] { return &m.WaitForWindow }, "only units whose window is over; default true if from is above 0"),
		row("winsorize", winsorize, func(m *metricDraft) **Winsorize { return &m.Winsorize }, winsorizeObject.doc).shown("{upper: 0.99}", "{upper_value: 500}"),
		row("decimals", integer(0, 9), func(m *metricDraft) *At[int] { return &m.Decimals }, "digits kept of each value and of averages").shown("2"),
		row("randomization_units", texts, func(m *metricDraft) *[]Text { return &m.RandomizationUnits }, "the unit kinds that this metric may be analysed by; default all").shown("[user]"),
		row("split_by", text, func(m *metricDraft) *Text { return &m.SplitBy }, "a property: further rows for each of its 20 most frequent values").shown("category"),
		row("like", text, func(m *metricDraft) *Text { return &m.Like }, "the key of a metric whose fields are taken over where not given").shown("revenue"),
		row("analysis", metricAnalysisObject.kind(), func(m *metricDraft) *Analysis { return &m.Analysis }, "statistical options for this metric alone").shown("{cuped: {days: 14}}"),
		row("ratio", ratioObject.kind(), func(m *metricDraft) *ratioDraft { return &m.ratio }, "in place of event and measure: "+ratioObject.doc).
			shown("{numerator: revenue, denominator: {event: purchase, measure: count}}"),
		row("funnel", funnel, func(m *metricDraft) **Funnel { return &m.Funnel }, "in place of event and measure: "+funnelObject.doc).
			shown("{steps: [{event: add_to_cart}, {event: purchase}]}"),
	},
	foreign: metricWords,
	label:   func(m *metricDraft) string { return m.Key.V },
	keep: func(m *metricDraft, pos diag.Pos, given fieldSet) {
		m.Pos, m.given = pos, given
	},
	flow: "{key: purchase_rate, event: purchase, measure: occurrence, better: higher}",
}

// sideObject is a metric without a key as one side of a ratio. It is a part
// of the table that it stands in, so it is made after it.
var sideObject *object[metricDraft]

// defaultMetricObject is what defaults may say of metrics.
var defaultMetricObject = metricObject.without("default metric", "fields of metrics that hold where a metric does not give them",
	"key", "name", "description", "like").speaking(metricWords.and(vocabulary{
	"key": hint("", "each metric has a key of its own"), "name": hint("", "each metric has a name of its own"),
	"description": hint("", "each metric has a description of its own"), "like": hint("", "defaults are taken over without it"),
}))

func init() {
	but := func(beside []string) []string {
		return slices.DeleteFunc(metricObject.names(), func(n string) bool { return slices.Contains(beside, n) })
	}
	body := append(apart("threshold", "winsorize"),
		onlyWith("measure", []string{string(Value)}, "value", "per_unit", "decimals"),
		onlyWith("measure", []string{string(Occurrence), string(Count), string(Value), string(ActiveDays)}, "window", "wait_for_window"))
	metricObject.rules = slices.Concat(body, apart("ratio", but(besideRatio)...), apart("funnel", but(besideFunnel)...),
		apart("split_by", "winsorize"), apart("over", "units_without_events"))
	sideObject = metricObject.some("inline metric", "a metric without a key, as one side of a ratio", bodyFields)
	sideObject.rules = body
	sideObject.foreign = metricWords.and(vocabulary{
		"over":      hint("", "a side of a ratio is over units; over belongs to a metric of its own"),
		"statistic": hint("", "the sides of a ratio are summed; a percentile is a metric of its own"),
		"ratio":     hint("", "a side of a ratio is no ratio"),
		"better":    hint("", "better belongs to the metric with the ratio"),
		"key":       hint("", "a side has no key: write it as a metric of its own, and its key here"),
		"name":      hint("", "texts belong to the metric with the ratio"),
		"analysis":  hint("", "analysis belongs to the metric with the ratio"),
	})
}

// some is the object with a part of its fields.
func (o *object[T]) some(name, doc string, names []string) *object[T] {
	out := *o
	out.name, out.doc, out.fields, out.label, out.rules = name, doc, nil, nil, nil
	for _, n := range names {
		f := *o.field(n)
		f.required = false
		out.fields = append(out.fields, f)
	}
	return &out
}

// speaking is the object with another vocabulary.
func (o *object[T]) speaking(words vocabulary) *object[T] {
	out := *o
	out.foreign = words
	return &out
}

// without is the object without some of its fields.
func (o *object[T]) without(name, doc string, fields ...string) *object[T] {
	return o.some(name, doc, slices.DeleteFunc(o.names(), func(n string) bool { return slices.Contains(fields, n) }))
}

// called is how messages call the metric.
func (m *metricDraft) called() string {
	if m.inline {
		return sideObject.called(m)
	}
	return metricObject.called(m)
}
