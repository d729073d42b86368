package metrics

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// testFileDraft is what a file of tests says.
type testFileDraft struct {
	version     At[int]
	definitions []Text
	tests       []*Test
}

// testFileObject is a whole file of tests.
var testFileObject = &object[testFileDraft]{
	name: "file of tests",
	doc:  "Tests of metrics of metricsjob: rows, and the numbers expected of them.",
	fields: []field[testFileDraft]{
		row("version", version, func(f *testFileDraft) *At[int] { return &f.version }, "the version of the language: 1").needed("1"),
		row("definitions", oneOrMore(textOf("a path"), "a path or a list of paths"), func(f *testFileDraft) *[]Text { return &f.definitions },
			"the files or folders whose metrics are tested, from the folder of this file; default the file of the same name without _test, else the folder").shown("../shop.yaml"),
		row("tests", listOf(pointer(testObject.kind()), "a list of tests"), func(f *testFileDraft) *[]*Test { return &f.tests }, "the tests").
			needed("[{name: …, impressions: […], expect: {…}}]").
			also("[{name: a buyer counts, impressions: [{user: a, variation: control, at: 2026-03-02}], events: [{user: a, event: purchase, at: +2h}], expect: {purchase_rate: {units: {a: 1}}}}]"),
	},
	foreign: vocabulary{
		"unit_tests": ours("tests"), "cases": ours("tests"), "models": ours("definitions"), "metrics": ours("definitions"), "files": ours("definitions"),
	},
}

// testObject is one test.
var testObject = &object[Test]{
	name: "test",
	doc:  "a few rows, and what metrics must make of them",
	fields: []field[Test]{
		row("name", textOf("a name"), func(t *Test) *Text { return &t.Name }, "what the test is about, in a few words; no two of a file are the same").
			needed("a visitor who buys twice counts once"),
		row("description", text, func(t *Test) *Text { return &t.Description }, "why"),
		row("experiment", key, func(t *Test) *Text { return &t.Experiment },
			"the experiment that the impressions are of; without one the test makes one of them, whose first variation is the baseline and which has no end").shown("checkout_button"),
		row("as_of", instant, func(t *Test) *At[time.Time] { return &t.AsOf }, "rows at or after this instant do not exist; default just after the newest row").shown("2026-03-10"),
		row("impressions", testRows(impressionRowObject), func(t *Test) *[]*TestRow { return &t.Impressions }, "who saw which variation, when").
			needed("[{user: a, variation: control, at: 2026-03-02}]"),
		row("events", orEmpty(testRows(eventRowObject)), func(t *Test) *[]*TestRow { return &t.Events }, "what units did, when").shown("[{user: a, event: purchase, at: +2h, value: 10}]"),
		row("units", orEmpty(testRows(unitRowObject)), func(t *Test) *[]*TestRow { return &t.Units }, "attributes of units, or pairs of ids, where the definitions have units sources").
			shown("[{user: a, attributes: {plan: pro}}]", "[{device: d1, user: a}]"),
		row("expect", expectations, func(t *Test) *[]*Expectation { return &t.Expect }, "what is expected, by metric").
			needed("{purchase_rate: {units: {a: 1}}}"),
	},
	foreign: vocabulary{
		"given": hint("", "the rows stand under impressions: and events:"), "input": ours("events"), "rows": ours("events"), "exposures": ours("impressions"),
		"decisions": ours("impressions"), "assignments": ours("impressions"), "want": ours("expect"), "expected": ours("expect"), "asserts": ours("expect"),
		"model": hint("", "metrics are named under expect:"), "metric": hint("", "metrics are named under expect:"), "title": ours("name"), "flag": ours("experiment"),
	},
	label: func(t *Test) string { return t.Name.V },
	keep:  func(t *Test, pos diag.Pos, _ fieldSet) { t.Pos = pos },
	flow:  "{name: …, impressions: […], expect: {…}}",
}

// testRowFields are the fields of rows by name; impressions and events have
// some of them each.
var testRowFields = func() map[string]field[TestRow] {
	out := map[string]field[TestRow]{}
	for _, f := range []field[TestRow]{
		row("at", testInstant, func(r *TestRow) *TestInstant { return &r.When },
			"when: a date, a time (UTC unless it names a zone), or a time such as +2h after the start of the experiment (impressions) or the first impression of the unit (events)").
			needed("2026-03-02T10:00:00Z").also("+2h"),
		row("variation", textOf("the key of a variation"), func(r *TestRow) *Text { return &r.Variation }, "the key of the variation that was shown").needed("control"),
		row("experiment", key, func(r *TestRow) *Text { return &r.Experiment }, "the experiment, where it is another than the test's"),
		row("event", textOf("an event key"), func(r *TestRow) *Text { return &r.Event }, "the event key").needed("purchase"),
		row("value", number, func(r *TestRow) *At[Number] { return &r.Value }, "the value as the export has it, before the scale of the registry").shown("10"),
		row("source", text, func(r *TestRow) *Text { return &r.Source }, "the name of the source; needed where there are several"),
		row("id", text, func(r *TestRow) *Text { return &r.ID }, "the id of the row; rows of a source with the same id, unit, event and date are one"),
		row("holdback", boolean, func(r *TestRow) *At[bool] { return &r.Holdback }, "true where the unit was held back"),
		row("weight", number, func(r *TestRow) *At[Number] { return &r.Weight }, "how many rows the row stands for").shown("10"),
		row("properties", testValues, func(r *TestRow) *[]TestValue { return &r.Properties }, "the properties of the event, by name").shown("{category: shoes}"),
		row("attributes", testValues, func(r *TestRow) *[]TestValue { return &r.Attributes }, "the attributes of the unit in the row, by name").shown("{country: DE}"),
	} {
		out[f.name] = f
	}
	return out
}()

func testRowObject(name, flow string, fields ...string) *object[TestRow] {
	o := &object[TestRow]{
		name: name,
		doc:  "one row; beside these keys the ids of the unit by their kind (user: a)",
		foreign: vocabulary{
			"timestamp": ours("at"), "ts": ours("at"), "time": ours("at"), "when": ours("at"), "date": ours("at"),
			"variant": ours("variation"), "arm": ours("variation"), "event_key": ours("event"), "event_name": ours("event"),
			"amount": hint("", "the number of an event is called value, others are properties: {amount: …}"),
		}.only(fields...),
		keep: func(r *TestRow, pos diag.Pos, _ fieldSet) { r.Pos = pos },
		flow: flow,
	}
	for _, f := range fields {
		o.fields = append(o.fields, testRowFields[f])
	}
	return o
}

var (
	impressionRowObject = testRowObject("impression", "{user: a, variation: control, at: 2026-03-02}",
		"at", "variation", "experiment", "attributes", "source", "id", "holdback", "weight")
	eventRowObject = testRowObject("event of a test", "{user: a, event: purchase, at: +2h, value: 10}",
		"at", "event", "value", "properties", "attributes", "source", "id", "weight")
	unitRowObject = func() *object[TestRow] {
		o := testRowObject("row about a unit", "{user: a, attributes: {plan: pro}}", "at", "attributes", "source")
		o.fields[0].required = false
		return o
	}()
)

// testValues are named values of any scalar kind.
var testValues = convert(mapOf(text, "a mapping such as {category: shoes}"), func(es []entry[Text]) []TestValue {
	var out []TestValue
	for _, e := range es {
		out = append(out, TestValue{e.Key, e.Value})
	}
	return out
})

// testRows is a list of rows as mappings, or a table of them as text.
func testRows(o *object[TestRow]) kind[[]*TestRow] {
	one := testRow(o)
	list := listOf(one, "a list of rows such as "+o.flow+", or a table")
	k := list
	k.decode = func(d *decoder, n *yaml.Node) ([]*TestRow, bool) {
		if n.Kind == yaml.ScalarNode && n.Style&yaml.LiteralStyle != 0 {
			rows, ok := d.tableRows(n)
			if !ok {
				return nil, false
			}
			n = rows
		}
		return list.decode(d, n)
	}
	k.schema = func(b *schemaBuilder) schema { return anyOf(list.schema(b), schema{{"type", "string"}}) }
	return k
}

// testRow reads a row. Its table of keys is open: what it does not know is
// named, and understood where the definitions are known.
func testRow(o *object[TestRow]) kind[*TestRow] {
	return kind[*TestRow]{
		want: o.wants(),
		decode: func(d *decoder, n *yaml.Node) (*TestRow, bool) {
			r := new(TestRow)
			if n.Kind != yaml.MappingNode {
				return r, o.read(d, n, r)
			}
			known := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Line: n.Line, Column: n.Column}
			named := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Line: n.Line, Column: n.Column}
			pairs(n, func(k, v *yaml.Node) {
				into := named
				if _, foreign := o.foreign.find(k.Value); foreign || o.field(k.Value) != nil || d.spoilt[k] {
					into = known
				}
				into.Content = append(into.Content, k, v)
			})
			ok := o.read(d, known, r)
			if len(named.Content) == 0 {
				return r, ok
			}
			values, good := testValues.decode(d, named)
			for _, v := range values {
				switch prefix, name, dotted := strings.Cut(v.Name.V, "."); {
				case dotted && prefix == "properties" && o.field("properties") != nil:
					v.Name.V = name
					r.Properties = append(r.Properties, v)
				case dotted && prefix == "attributes":
					v.Name.V = name
					r.Attributes = append(r.Attributes, v)
				default:
					r.Named = append(r.Named, v)
				}
			}
			return r, ok && good
		},
		schema: func(b *schemaBuilder) schema {
			open := o.body(b)
			for i := range open {
				if open[i].name == "additionalProperties" {
					open[i].value = schema{{"type", []string{"string", "number", "boolean"}}}
				}
			}
			return open
		},
	}
}

// tableRows makes a list of mappings of a table: a line of names, then a line
// for each row, with | between the cells. An empty cell is a value that is not
// there; a line of dashes is for the eye.
func (d *decoder) tableRows(n *yaml.Node) (*yaml.Node, bool) {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: n.Line, Column: n.Column}
	var names []*yaml.Node
	for i := range strings.Split(strings.TrimRight(n.Value, "\n"), "\n") {
		if n.Line+i >= len(d.lines) {
			break
		}
		cells := tableCells(d.lines[n.Line+i], n.Line+i+1)
		switch {
		case cells == nil:
		case names == nil:
			names = cells
		case len(cells) > len(names):
			at := cells[len(names)]
			d.errorf(at, "wrong-kind", "the row has %d cells, and the table %d names", len(cells), len(names)).
				WithHint("cells are separated by |; one that is missing is left empty")
			return nil, false
		default:
			r := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: cells[0].Line, Column: cells[0].Column}
			for j, c := range cells {
				if c.Value != "" && names[j].Value != "" {
					r.Content = append(r.Content, names[j], c)
				}
			}
			list.Content = append(list.Content, r)
		}
	}
	for i, name := range names {
		if slices.ContainsFunc(names[:i], func(before *yaml.Node) bool { return before.Value == name.Value }) {
			d.errorf(name, "duplicate-key", "the table has two columns %s", quoted(name.Value)).WithHint("leave one of them out")
			return nil, false
		}
	}
	if len(list.Content) == 0 {
		d.errorf(n, "empty-value", "%s is a table without rows", d.subject()).
			WithHint("a line of names, then a line for each row: user | variation | at")
		return nil, false
	}
	return list, true
}

var tableRule = regexp.MustCompile(`^[-|:+ ]*$`)

// tableCells takes a line of a table apart; nil where it has no cells.
func tableCells(line string, number int) []*yaml.Node {
	if tableRule.MatchString(line) {
		return nil
	}
	body, col := strings.TrimLeft(line, " "), 1
	col += len(line) - len(body)
	if rest, ok := strings.CutPrefix(body, "|"); ok {
		body, col = strings.TrimSuffix(strings.TrimRight(rest, " "), "|"), col+1
	}
	var cells []*yaml.Node
	for cell := range strings.SplitSeq(body, "|") {
		blanks := len(cell) - len(strings.TrimLeft(cell, " "))
		value := strings.TrimSpace(cell)
		tag := "!!str"
		if value == "true" || value == "false" {
			tag = "!!bool"
		}
		cells = append(cells, &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value, Line: number, Column: col + blanks})
		col += len([]rune(cell)) + 1
	}
	return cells
}

var (
	offsetPattern = regexp.MustCompile(`^[+-][0-9]+[smhdw]$`)
	testTime      = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?$`)
)

// testInstant is an instant of a row, whose zone is UTC unless it names one, or
// a time after another instant.
var testInstant = kind[TestInstant]{
	want: "a date, a time, or a time after such as +2h",
	decode: func(d *decoder, n *yaml.Node) (TestInstant, bool) {
		s, ok := d.scalar(n, "a date, a time, or a time after such as +2h")
		if !ok {
			return TestInstant{}, false
		}
		out := TestInstant{Pos: d.pos(n)}
		if offsetPattern.MatchString(s) {
			out.Relative = true
			if out.Offset, ok = parseDuration(strings.TrimPrefix(s, "+")); ok {
				return out, true
			}
		}
		m := testTime.FindStringSubmatch(s)
		if m == nil {
			said := d.errorf(n, "bad-date", "%s wants a date, a time such as 2026-03-02T09:30:00Z, or a time after such as +2h, not %s", d.subject(), quoted(s))
			said.WithHint("an impression at +2h is two hours after the start of the experiment, an event two hours after the first impression of its unit")
			if _, ok := parseDuration(s); ok {
				said.WithHint("write +%s", s)
			}
			return out, false
		}
		clock, seconds, zone := m[2], m[3], m[4]
		if clock == "" {
			clock = "00:00"
		}
		if seconds == "" {
			seconds = ":00"
		}
		if zone == "" {
			zone = "Z"
		}
		at, err := time.Parse(time.RFC3339Nano, m[1]+"T"+clock+seconds+zone)
		if err != nil {
			d.errorf(n, "bad-date", "there is no %s", s).WithHint("months have up to 31 days, days 24 hours, hours 60 minutes")
			return out, false
		}
		out.Time = at.UTC()
		return out, true
	},
	schema: func(*schemaBuilder) schema {
		return anyOf(schema{{"type", "string"}, {"pattern", offsetPattern.String()}}, schema{{"type", "string"}, {"pattern", testTime.String()}})
	},
}

// expectations are what is expected of metrics, by their keys.
var expectations = convert(mapOf(something("metric", expectationObject.kind(), expectationObject.flow), "a mapping such as {purchase_rate: {units: {a: 1}}}"), func(es []entry[Expectation]) []*Expectation {
	var out []*Expectation
	for _, e := range es {
		x := e.Value
		x.Metric = e.Key
		out = append(out, &x)
	}
	return out
})

// something refuses a mapping in which nothing is expected, which any number would pass.
func something[T any](of string, k kind[T], flow string) kind[T] {
	return refine(k.saying(member{"minProperties", 1}), func(d *decoder, n *yaml.Node, _ T) bool {
		if len(n.Content) > 0 {
			return true
		}
		d.errorf(n, "empty-value", "nothing is expected of %s %s", of, d.subject()).WithHint("write what must come out, such as %s, or leave it out", flow)
		return false
	})
}

var expectationObject = &object[Expectation]{
	name: "expectation",
	doc:  "what is expected of one metric",
	fields: []field[Expectation]{
		row("units", unitExpectations, func(x *Expectation) *[]UnitExpectation { return &x.Units },
			"the number of each unit that counts, by its id; a unit that is not here must not count").shown("{a: 1, b: 0, c: excluded}", "{a: {numerator: 30, denominator: 2}}"),
		row("variations", variationExpectations, func(x *Expectation) *[]VariationExpectation { return &x.Variations },
			"numbers of variations, by their keys; those that are not here are not compared").shown("{control: {units: 2, mean: 0.5}}"),
		row("segments", segmentExpectations, func(x *Expectation) *[]SegmentExpectation { return &x.Segments },
			"the same for segments of the experiment, by the segment's key and its value: {country: {DE: {control: {mean: 2}}}}").shown("{country: {DE: {control: {mean: 2}}}}"),
		row("splits", partExpectations, func(x *Expectation) *[]PartExpectation { return &x.Splits },
			"the same for values of the property that the metric is split by: {shoes: {control: {total: 10}}}").shown("{shoes: {control: {total: 10}}}"),
	},
	foreign: vocabulary{
		"users": ours("units"), "per_unit": ours("units"), "rows": ours("units"), "values": ours("units"), "results": ours("variations"),
		"variants": ours("variations"), "per_variation": ours("variations"),
		"segment": ours("segments"), "dimensions": ours("segments"), "by": ours("segments"), "split": ours("splits"), "split_by": ours("splits"),
		"mean":  hint("", "write it for a variation: variations: {control: {mean: …}}"),
		"total": hint("", "write it for a variation: variations: {control: {total: …}}"),
	},
	keep: func(x *Expectation, pos diag.Pos, given fieldSet) { x.Pos = pos },
	flow: "{units: {a: 1}, variations: {control: {mean: 0.5}}}",
}

var unitExpectations = convert(mapOf(unitNumbers, "a mapping such as {a: 1, b: 0}"), func(es []entry[UnitNumbers]) []UnitExpectation {
	var out []UnitExpectation
	for _, e := range es {
		out = append(out, UnitExpectation{e.Key, e.Value})
	}
	return out
})

var (
	numbers = listOf(number, "a list of numbers")

	sidesObject = &object[UnitNumbers]{
		name: "numbers of a unit",
		doc:  "the two sides of a ratio",
		fields: []field[UnitNumbers]{
			row("numerator", number, func(u *UnitNumbers) *At[Number] { return &u.Numerator }, "the unit's number on the side of the numerator").needed("30"),
			row("denominator", number, func(u *UnitNumbers) *At[Number] { return &u.Denominator }, "the unit's number on the side of the denominator").needed("2"),
		},
		flow: "{numerator: 30, denominator: 2}",
	}
)

// unitNumbers is a number, excluded, the two sides of a ratio, or the numbers of
// the steps of a funnel.
var unitNumbers = kind[UnitNumbers]{
	want: "a number, excluded, {numerator: 30, denominator: 2}, or a list for the steps of a funnel",
	decode: func(d *decoder, n *yaml.Node) (out UnitNumbers, ok bool) {
		switch {
		case !d.present(n, "a number"):
			return out, false
		case n.Kind == yaml.MappingNode:
			ok = sidesObject.read(d, n, &out)
		case n.Kind == yaml.SequenceNode:
			out.Steps, ok = numbers.decode(d, n)
		case n.Value == "excluded":
			out.Excluded, ok = true, true
		default:
			out.Number, ok = number.decode(d, n)
			if !ok {
				said := (*d.diags)[len(*d.diags)-1]
				if said.Hint == "" {
					(*d.diags)[len(*d.diags)-1].Hint = "a unit that the metric does not count is excluded"
				}
			}
		}
		out.Pos = d.pos(n)
		return out, ok
	},
	schema: func(b *schemaBuilder) schema {
		return anyOf(number.schema(b), constant("excluded"), sidesObject.schema(b), numbers.schema(b))
	},
}

var variationExpectations = convert(mapOf(something("variation", variationNumbersObject.kind(), variationNumbersObject.flow), "a mapping such as {control: {units: 2, mean: 0.5}}"), func(es []entry[VariationNumbers]) []VariationExpectation {
	var out []VariationExpectation
	for _, e := range es {
		out = append(out, VariationExpectation{e.Key, e.Value})
	}
	return out
})

var partExpectations = convert(mapOf(variationExpectations, "a mapping such as {DE: {control: {mean: 0.5}}}"), func(es []entry[[]VariationExpectation]) []PartExpectation {
	var out []PartExpectation
	for _, e := range es {
		out = append(out, PartExpectation{e.Key, e.Value})
	}
	return out
})

var segmentExpectations = convert(mapOf(partExpectations, "a mapping such as {country: {DE: {control: {mean: 0.5}}}}"), func(es []entry[[]PartExpectation]) []SegmentExpectation {
	var out []SegmentExpectation
	for _, e := range es {
		out = append(out, SegmentExpectation{e.Key, e.Value})
	}
	return out
})

var variationNumbersObject = &object[VariationNumbers]{
	name: "numbers of a variation",
	doc:  "numbers by the names of the columns of the table results",
	fields: []field[VariationNumbers]{
		row("exposed", notNegative, func(v *VariationNumbers) *At[Number] { return &v.Exposed }, "exposed units"),
		row("units", notNegative, func(v *VariationNumbers) *At[Number] { return &v.Units }, "units that the statistic is over"),
		row("units_with_event", notNegative, func(v *VariationNumbers) *At[Number] { return &v.UnitsWithEvent }, "of these, units with at least one row that counts"),
		row("events", notNegative, func(v *VariationNumbers) *At[Number] { return &v.Events }, "rows that count"),
		row("total", number, func(v *VariationNumbers) *At[Number] { return &v.Total }, "the sum of the units' numbers; of a ratio that of the numerators"),
		row("mean", number, func(v *VariationNumbers) *At[Number] { return &v.Mean }, "total per unit; of a ratio numerator per denominator; of a percentile the percentile"),
		row("numerator", number, func(v *VariationNumbers) *At[Number] { return &v.Numerator }, "the sum of a ratio's numerators"),
		row("denominator", number, func(v *VariationNumbers) *At[Number] { return &v.Denominator }, "the sum of a ratio's denominators"),
		row("steps", numbers, func(v *VariationNumbers) *[]At[Number] { return &v.Steps }, "the totals of the steps of a funnel"),
	},
	foreign: vocabulary{
		"sum": ours("total"), "count": ours("events"), "conversions": ours("total"), "average": ours("mean"), "rate": ours("mean"), "value": ours("mean"),
		"percentile": ours("mean"), "users": ours("units"), "n": ours("units"), "conversion_rate": ours("mean"),
	},
	keep: func(v *VariationNumbers, pos diag.Pos, _ fieldSet) { v.Pos = pos },
	flow: "{units: 2, mean: 0.5}",
}
