package metrics

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// sourceDraft is a source as one file says it.
type sourceDraft struct {
	Source
	given   fieldSet
	columns fieldSet // what columns gave; nil: no columns
}

// columnsDraft is the columns of a source with the keys that were given.
type columnsDraft struct {
	Columns
	given fieldSet
}

// columnRows are the fields of columns by name; each role has some of them.
var columnRows = func() map[string]field[columnsDraft] {
	out := map[string]field[columnsDraft]{}
	for _, f := range []field[columnsDraft]{
		row("units", unitColumns, func(c *columnsDraft) *[]UnitColumn { return &c.Units },
			"the columns with the ids, by unit kind: {user: user_id, device: device_id}").shown("{user: user_id, device: device_id}"),
		row("experiment", expression, func(c *columnsDraft) *Expr { return &c.Experiment }, "the column with the experiment").shown("experiment_id"),
		row("flag", expression, func(c *columnsDraft) *Expr { return &c.Flag }, "the column with the feature flag").shown("flag_key"),
		row("variation", expression, func(c *columnsDraft) *Expr { return &c.Variation }, "the column with the variation").shown("variation"),
		row("event", expression, func(c *columnsDraft) *Expr { return &c.Event }, "the column with the event key").shown("event_name"),
		row("timestamp", timestampColumn, func(c *columnsDraft) *TimestampColumn { return &c.Timestamp },
			"the column with the instant: a timestamp, ISO text, or {column: ts, epoch: ms}").shown("ts", "{column: ts, epoch: ms}"),
		row("value", expression, func(c *columnsDraft) *Expr { return &c.Value }, "the column with the event's value").shown("amount"),
		row("properties", bag, func(c *columnsDraft) *Bag { return &c.Properties },
			"the event's properties: a MAP, STRUCT, JSON text or list of {name, value} or {key, value}, or a column for each name, or both: {from: tags, session_id: session_id}").
			shown("tags", "{from: tags, session_id: session_id}"),
		row("attributes", bag, func(c *columnsDraft) *Bag { return &c.Attributes },
			"the unit's attributes, in the forms of properties").shown("attributes", "{country: country}"),
		row("id", oneOrMore(expression, "a column or a list of columns"), func(c *columnsDraft) *[]Expr { return &c.ID },
			"the columns that identify a row, by which duplicates are removed").shown("event_id", "[order_id, line]"),
		row("holdback", expression, func(c *columnsDraft) *Expr { return &c.Holdback }, "true where the unit was held back").shown("is_holdback"),
		row("weight", expression, func(c *columnsDraft) *Expr { return &c.Weight }, "how many rows a row stands for, where the export is a sample").shown("weight"),
	} {
		out[f.name] = f
	}
	return out
}()

func columnsObject(role SourceRole, names ...string) *object[columnsDraft] {
	o := &object[columnsDraft]{
		name:    "columns of " + string(role),
		doc:     "which column of the source means what; each a column, a nested path or an expression over columns",
		foreign: columnWords,
		label:   func(*columnsDraft) string { return "" },
		keep: func(c *columnsDraft, pos diag.Pos, given fieldSet) {
			c.Pos, c.given = pos, given
		},
		flow: "{units: {user: user_id}, timestamp: ts}",
	}
	for _, n := range names {
		o.fields = append(o.fields, columnRows[n])
	}
	return o
}

var (
	impressionColumns = columnsObject(RoleImpressions, "units", "experiment", "flag", "variation", "timestamp", "attributes", "id", "holdback", "weight")
	eventColumns      = columnsObject(RoleEvents, "units", "event", "timestamp", "value", "properties", "attributes", "id", "weight")
	unitsColumns      = columnsObject(RoleUnits, "units", "attributes", "timestamp")
	excludeColumns    = columnsObject(RoleExclude, "units")
)

var unitColumns = convert(mapOf(expression, "a mapping such as {user: user_id}"), func(es []entry[Expr]) []UnitColumn {
	var out []UnitColumn
	for _, e := range es {
		out = append(out, UnitColumn{e.Key, e.Value})
	}
	return out
})

var timestampObject = &object[TimestampColumn]{
	name: "timestamp",
	doc:  "a number of seconds, milliseconds, microseconds or nanoseconds since 1970",
	fields: []field[TimestampColumn]{
		row("column", expression, func(t *TimestampColumn) *Expr { return &t.Column }, "the column with the number").needed("ts"),
		row("epoch", bare(oneOf("s", "ms", "us", "ns")), func(t *TimestampColumn) *string { return &t.Epoch }, "the unit of the number").needed("ms"),
	},
	foreign: vocabulary{"unit": ours("epoch"), "format": ours("epoch")},
	flow:    "{column: ts, epoch: ms}",
}

var timestampColumn = either(
	convert(expression, func(e Expr) TimestampColumn { return TimestampColumn{Column: e} }),
	timestampObject.kind(),
	"a column, or {column: ts, epoch: ms}",
)

// bag reads a column, or a mapping of names to columns in which from is the
// column with all the others.
var bag = either(
	convert(expression, func(e Expr) Bag { return Bag{From: e} }),
	convert(mapOf(expression, "a mapping such as {from: tags, session_id: session_id}"), func(es []entry[Expr]) Bag {
		var b Bag
		for _, e := range es {
			if e.Key.V == "from" {
				b.From = e.Value
				continue
			}
			b.Named = append(b.Named, NamedColumn{e.Key, e.Value})
		}
		return b
	}),
	"a column, or a mapping such as {from: tags, session_id: session_id}",
)

var partitionObject = &object[Partition]{
	name: "partition",
	doc:  "the folder level that holds days (…/ds=2026-03-02/…); prunes files",
	fields: []field[Partition]{
		row("column", text, func(p *Partition) *Text { return &p.Column }, "the name of the level").needed("ds"),
		row("early", bare(days), func(p *Partition) *Duration { return &p.Early }, "how far before its day a row's UTC date may lie; default 1d"),
		row("late", bare(days), func(p *Partition) *Duration { return &p.Late }, "how far after its day a row's UTC date may lie; default 2d").shown("3d"),
	},
	foreign: vocabulary{"name": ours("column"), "key": ours("column")},
	keep: func(p *Partition, pos diag.Pos, given fieldSet) {
		p.Pos = pos
		if !given.has("early") {
			p.Early = durationUnits["d"]
		}
		if !given.has("late") {
			p.Late = 2 * durationUnits["d"]
		}
	},
	flow: "{column: ds, late: 3d}",
}

func sourceObject(role SourceRole, columns *object[columnsDraft]) *object[sourceDraft] {
	o := &object[sourceDraft]{
		name:    "source of " + string(role),
		foreign: sourceWords,
		label:   func(s *sourceDraft) string { return s.Name.V },
		keep: func(s *sourceDraft, pos diag.Pos, given fieldSet) {
			s.Role, s.Pos, s.given = role, pos, given
		},
		flow:  "{name: orders, path: 'exports/events/*.parquet', columns: {…}}",
		rules: slices.Concat(apart("path", "table", "sql"), apart("table", "sql", "partition"), apart("sql", "partition"), apart("table", "format"), apart("sql", "format")),
	}
	path := row("path", oneOrMore(connection, "a path or a list of paths"), func(s *sourceDraft) *[]Text { return &s.Paths },
		"where the files are: a glob, a folder, an address such as s3://bucket/folder, or a list of them; ${NAME} and ${NAME:-default} are taken from the environment").
		shown("exports/events/*.parquet", "'${EXPORTS:-exports}/events'", "[exports/web, exports/app]")
	cols := field[sourceDraft]{
		name: "columns",
		doc:  columns.doc,
		read: func(d *decoder, n *yaml.Node, into *sourceDraft) bool {
			c, ok := columns.kind().decode(d, n)
			into.Columns, into.columns = c.Columns, c.given
			return ok
		},
		copy:   func(dst, src *sourceDraft) { dst.Columns, dst.columns = src.Columns, src.columns },
		schema: columns.schema,
		canon:  columns.canon,
	}
	if role == RoleExclude {
		o.name, o.doc = "entry of exclude_units", "ids whose rows do not exist: staff, bots, test accounts"
		o.flow, o.rules = "{path: staff.parquet, columns: {units: {user: user_id}}}", nil
		cols.required, cols.example = true, "{units: {user: user_id}}"
		o.fields = []field[sourceDraft]{path.needed("staff.parquet"), cols}
		return o
	}
	cols.example = map[SourceRole]string{
		RoleImpressions: "{units: {user: user_id}, experiment: experiment_id, variation: variation, timestamp: ts}",
		RoleEvents:      "{units: {user: user_id}, event: event_name, timestamp: ts, value: amount}",
		RoleUnits:       "{units: {user: user_id}, attributes: {plan: plan}}",
	}[role]
	o.doc = map[SourceRole]string{
		RoleImpressions: "an export of served flag decisions",
		RoleEvents:      "an export of events",
		RoleUnits:       "attributes of units, or pairs of ids of two unit kinds",
	}[role]
	o.fields = []field[sourceDraft]{
		row("name", text, func(s *sourceDraft) *Text { return &s.Name }, "what messages and other definitions call the source").needed(string(role)),
		path,
		row("table", connection, func(s *sourceDraft) *Text { return &s.Table }, "a table of a DuckDB file, in place of path: exports/warehouse.duckdb/shop.orders").
			shown("exports/warehouse.duckdb/shop.orders"),
		row("sql", text, func(s *sourceDraft) *Text { return &s.SQL }, "a SELECT, in place of path; only with --allow-sql").shown("SELECT * FROM read_parquet('exports/events/*.parquet')"),
		row("preset", text, func(s *sourceDraft) *Text { return &s.Preset }, "a known export, which fills columns; single entries may be overridden").shown("optimizely"),
		row("format", oneOf(FormatParquet, FormatNDJSON, FormatCSV), func(s *sourceDraft) *At[FileFormat] { return &s.Format },
			"the format of the files: parquet, ndjson or csv; default by their names' endings, else by how they begin"),
		row("rows", text, func(s *sourceDraft) *Text { return &s.Rows },
			"a list in each record, the elements of which are the rows; its name then stands for one element, and a record without the list is a row itself").shown("events"),
		cols,
		row("where", expression, func(s *sourceDraft) *Expr { return &s.Where }, "over the raw columns; only rows for which it is true exist").shown(`'environment == "production"'`),
		row("partition", pointer(partitionObject.kind()), func(s *sourceDraft) **Partition { return &s.Partition }, partitionObject.doc).shown("{column: ds, late: 3d}"),
		row("dedupe", oneOf(DedupeID, DedupeRow, DedupeNone), func(s *sourceDraft) *At[Dedupe] { return &s.Dedupe },
			"which rows are one: equal id, equal in all mapped columns, or none; default id where an id is mapped"),
	}
	return o
}

// sourcesDraft is the sources of one file.
type sourcesDraft struct {
	impressions, events, units, exclude []sourceDraft
}

var sourcesObject = &object[sourcesDraft]{
	name: "sources",
	doc:  "the exports to read",
	fields: []field[sourcesDraft]{
		row("impressions", orEmpty(listOf(sourceObject(RoleImpressions, impressionColumns).kind(), "a list of sources")),
			func(s *sourcesDraft) *[]sourceDraft { return &s.impressions }, "who saw which variation, when"),
		row("events", orEmpty(listOf(sourceObject(RoleEvents, eventColumns).kind(), "a list of sources")),
			func(s *sourcesDraft) *[]sourceDraft { return &s.events }, "what units did, when"),
		row("units", orEmpty(listOf(sourceObject(RoleUnits, unitsColumns).kind(), "a list of sources")),
			func(s *sourcesDraft) *[]sourceDraft { return &s.units }, "attributes of units, or pairs of ids"),
		row("exclude_units", orEmpty(listOf(sourceObject(RoleExclude, excludeColumns).kind(), "a list of {path, columns}")),
			func(s *sourcesDraft) *[]sourceDraft { return &s.exclude }, "units whose rows do not exist"),
	},
	foreign: vocabulary{
		"exposures": ours("impressions"), "decisions": ours("impressions"), "assignments": ours("impressions"),
		"users": ours("units"), "attributes": ours("units"), "identities": ours("units"),
		"conversions": ours("events"), "metrics": ours("events"), "exclude": ours("exclude_units"),
	},
	flow: "{impressions: […], events: […]}",
}

// registryDraft is the block events of one file.
type registryDraft struct {
	mode   At[string]
	events []*EventType
}

var propertyObject = &object[Property]{
	name: "property",
	doc:  "a property with its type, and the factor that its numbers are multiplied by",
	fields: []field[Property]{
		row("type", propertyType, func(p *Property) *At[PropertyType] { return &p.Type }, "the type; what does not fit it is missing").needed("number"),
		row("scale", scale, func(p *Property) *At[Number] { return &p.Scale }, "the factor that numbers are multiplied by").shown("0.01"),
		row("description", text, func(p *Property) *Text { return &p.Description }, "what it means"),
	},
	foreign: vocabulary{"unit": hint("", "a property has no unit; say it in description"), "factor": ours("scale")},
	flow:    "{type: number, scale: 0.01}",
}

var (
	propertyType = oneOfBeside(foreignValues["type"], TypeString, TypeNumber, TypeInteger, TypeBoolean, TypeTimestamp)
	scale        = positive
)

var properties = func() kind[[]*Property] {
	one := either(
		convert(propertyType, func(t At[PropertyType]) Property { return Property{Type: t} }),
		propertyObject.kind(),
		"a type: string, number, integer, boolean or timestamp",
	)
	return convert(mapOf(one, "a mapping such as {price: number, coupon: string}"), func(es []entry[Property]) []*Property {
		var out []*Property
		for _, e := range es {
			p := e.Value
			p.Name = e.Key
			out = append(out, &p)
		}
		return out
	})
}()

// eventValue is what a registered event says about its value.
type eventValue struct {
	scale At[Number]
	unit  Text
}

var eventValueObject = &object[eventValue]{
	name: "value",
	doc:  "the value of an event",
	fields: []field[eventValue]{
		row("scale", scale, func(v *eventValue) *At[Number] { return &v.scale }, "the factor that values are multiplied by: 0.01 for cents").shown("0.01"),
		row("unit", text, func(v *eventValue) *Text { return &v.unit }, "what the scaled values are in").shown("USD"),
	},
	foreign: vocabulary{"factor": ours("scale"), "currency": ours("unit"), "unit_label": ours("unit")},
	flow:    "{scale: 0.01, unit: USD}",
}

var eventObject = &object[EventType]{
	name: "event",
	doc:  "one registered event",
	fields: []field[EventType]{
		row("key", text, func(e *EventType) *Text { return &e.Key }, "the event's key in the data, any text").needed("purchase"),
		row("description", text, func(e *EventType) *Text { return &e.Description }, "what happened"),
		{
			name: "value", doc: eventValueObject.doc,
			read: func(d *decoder, n *yaml.Node, into *EventType) bool {
				v, ok := eventValueObject.kind().decode(d, n)
				into.ValueScale, into.ValueUnit = v.scale, v.unit
				return ok
			},
			schema: eventValueObject.schema,
			canon:  eventValueObject.canon,
		},
		row("properties", orEmpty(properties), func(e *EventType) *[]*Property { return &e.Properties },
			"the properties with their types: {price: number}, or {price: {type: number, scale: 0.01}}").shown("{category: string, price: {type: number, scale: 0.01}}"),
	},
	foreign: eventWords,
	label:   func(e *EventType) string { return e.Key.V },
	keep:    func(e *EventType, pos diag.Pos, _ fieldSet) { e.Pos = pos },
	flow:    "{key: purchase}",
}

var registryObject = &object[registryDraft]{
	name: "events",
	doc:  "the known events",
	fields: []field[registryDraft]{
		row("registry", oneOf("open", "closed"), func(r *registryDraft) *At[string] { return &r.mode },
			"closed: an event key that is not listed is an error in a metric, and not counted by any; default open"),
		row("list", orEmpty(listOf(pointer(eventObject.kind()), "a list of events")), func(r *registryDraft) *[]*EventType { return &r.events }, "the events").
			shown("[{key: purchase, value: {scale: 0.01, unit: USD}}]"),
	},
	foreign: vocabulary{"events": ours("list"), "mode": ours("registry")},
	flow:    "{registry: closed, list: […]}",
}
