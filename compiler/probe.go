package compiler

import (
	"fmt"
	"time"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// The queries of this file look at the data for a check of the definitions.
// Each reads a few columns of one source once.

// maxProbed is how many distinct values a probe gives.
const maxProbed = 10_000

// ProbeEvents asks which event keys a source has: key, rows.
func ProbeEvents(s *Source) sqlast.Select {
	event := inRow(s.Event.SQL)
	return counted("the event keys of the source", s, event, notNull(event))
}

// ProbeValues asks which values a name has in the rows of a measure's events:
// value as text, rows. It reports false for a name that is not stored in the rows.
func ProbeValues(s *Source, r Ref, n *Measure) (sqlast.Select, bool) {
	switch r.Kind {
	case RefProperty, RefAttribute:
	default:
		return sqlast.Select{}, false
	}
	f, ok := s.field(r)
	if !ok || s.Kept != "" {
		return sqlast.Select{}, false
	}
	return counted("the values of "+r.Name, s, asText(inRow(f.SQL), f), n.isEvent(inRow(s.Event.SQL))), true
}

// ProbeHolders asks which events have a name that a source stores in its rows:
// event key, rows.
func ProbeHolders(s *Source, r Ref) sqlast.Select {
	f, _ := s.field(r)
	return counted("the events that have "+r.Name, s, inRow(s.Event.SQL), notNull(inRow(f.SQL)))
}

// Stores reports whether a source stores a name in its rows, so that it can be
// looked for.
func (s *Source) Stores(r Ref) bool {
	_, ok := s.field(r)
	return ok && s.Kept == ""
}

// ProbeMisfits asks which values a property has, in the rows of a measure's
// events, that are not of a type: value as text, rows. The source stores the
// property.
func ProbeMisfits(s *Source, r Ref, n *Measure, t metrics.PropertyType) sqlast.Select {
	f, _ := s.field(r)
	misfit := all(n.isEvent(inRow(s.Event.SQL)), misfits(f, t))
	return counted("the values of "+r.Name+" that are no "+string(t), s, asText(inRow(f.SQL), f), misfit)
}

// misfits is true for rows with a value that is not of a type.
func misfits(f Field, t metrics.PropertyType) sqlast.Expr {
	stored, read := beforeReading(f.SQL)
	raw := inRow(stored)
	return all(notNull(raw), isNull(asType(read(raw), f, t, noScale)))
}

// Occurrence is something that is looked for in the rows of a measure's events:
// a name with any value, with one that is not of the type Misfit, or with the
// text Value; in the rows of one of the events alone, if Event is set.
type Occurrence struct {
	Measure *Measure
	Event   string
	Ref     Ref
	Value   string
	Any     bool // whatever the value
	Misfit  metrics.PropertyType
}

// Stored reports whether a source stores the name of an occurrence in its rows,
// so that it can be looked for.
func (o Occurrence) Stored(s *Source) bool {
	_, ok := ProbeValues(s, o.Ref, o.Measure)
	return ok
}

// ProbeOccurrences counts the rows of a source in which each of some stored
// names has its value: a column for each, in their order, from one pass.
func ProbeOccurrences(s *Source, list []Occurrence) sqlast.Select {
	read := s.whole()
	sel := sqlast.Select{Why: "which properties and values occur", From: read}
	if s.Where != nil {
		sel.Where = inRow(s.Where)
	}
	for i, o := range list {
		f, _ := s.field(o.Ref)
		var has sqlast.Expr
		switch {
		case o.Any:
			has = notNull(inRow(f.SQL))
		case o.Misfit != "":
			has = misfits(f, o.Misfit)
		default:
			has = compare(sqlast.Eq, asText(inRow(f.SQL), f), sqlast.Text(o.Value))
		}
		isEvent := o.Measure.isEvent(inRow(s.Event.SQL))
		if o.Event != "" {
			isEvent = compare(sqlast.Eq, inRow(s.Event.SQL), sqlast.Text(o.Event))
		}
		found := all(isEvent, has)
		sel.Items = append(sel.Items, item(aggregate(sqlast.Count, when(found, sqlast.Int(1))), fmt.Sprintf("n%d", i)))
	}
	return sel
}

// ProbeAttribute asks which values an attribute has, of impressions or of events.
func ProbeAttribute(s *Source, name string) (sqlast.Select, bool) {
	f, ok := s.Attributes.Lookup(name)
	if !ok {
		return sqlast.Select{}, false
	}
	return counted("the values of the attribute "+name, s, asText(inRow(f.SQL), f), nil), true
}

// ProbeHoldback asks in how many rows of a source of impressions the holdback
// column is true or false, and in how many it is true. It reports false where
// none is mapped.
func ProbeHoldback(s *Source) (sqlast.Select, bool) {
	if s.Holdback == nil {
		return sqlast.Select{}, false
	}
	read := s.whole()
	var filter sqlast.Expr
	if s.Where != nil {
		filter = inRow(s.Where)
	}
	holdback := inRow(s.Holdback.SQL)
	return sqlast.Select{
		Why: "in how many rows the holdback column says something",
		Items: []sqlast.Item{
			item(aggregate(sqlast.Count, holdback), "known"),
			item(aggregate(sqlast.Count, when(holdback, sqlast.Int(1))), "held"),
		},
		From: read, Where: filter,
	}, true
}

// ProbeUnreadTimes asks for the smallest text that stands where a time should, and
// is none. It reports false where every value is a time.
func ProbeUnreadTimes(s *Source) (sqlast.Select, bool) {
	if s.TimeText == nil {
		return sqlast.Select{}, false
	}
	text := inRow(s.TimeText)
	filter := sqlast.And{sqlast.IsNull{X: inRow(s.Time.SQL)}, notNull(text), compare(sqlast.NotEq, text, sqlast.Text(""))}
	if s.Where != nil {
		filter = append(filter, inRow(s.Where))
	}
	return sqlast.Select{
		Why:   "what stands where a time should",
		Items: []sqlast.Item{item(aggregate(sqlast.Min, text), "text")},
		From:  s.whole(), Where: filter,
	}, true
}

// ProbeNames asks which names the rows hold in their properties, or attributes:
// name, rows. It reports false where the schema alone tells, or nothing does.
func ProbeNames(s *Source, attributes bool) (sqlast.Select, bool) {
	bag, what := s.Properties, "properties"
	if attributes {
		bag, what = s.Attributes, "attributes"
	}
	var names sqlast.Expr
	switch bag.Form {
	case BagMap:
		names = call(sqlast.MapNames, inRow(bag.From))
	case BagPairs:
		names = call(sqlast.PairNames, inRow(bag.From))
	case BagJSON:
		names = call(sqlast.JSONNames, inRow(bag.From))
	case BagJSONPairs:
		names = call(sqlast.PairNames, call(sqlast.JSONPairs, inRow(bag.From)))
	default:
		return sqlast.Select{}, false
	}
	read := s.whole()
	var filter sqlast.Expr
	if s.Where != nil {
		filter = inRow(s.Where)
	}
	each := sqlast.Select{Items: []sqlast.Item{item(call(sqlast.Unnest, names), "value")}, From: read, Where: filter}
	kept := sqlast.And{notNull(col("", "value"))}
	if len(bag.Internal) > 0 {
		kept = append(kept, sqlast.Not{X: sqlast.In{X: col("", "value"), List: textList(bag.Internal)}})
	}
	return sqlast.Select{
		Why:     "the names of " + what,
		With:    []sqlast.CTE{{Name: "names", Query: each}},
		Items:   []sqlast.Item{item(col("", "value"), "value"), item(countStar(), "rows")},
		From:    sqlast.Table{Name: "names"},
		Where:   kept,
		GroupBy: []sqlast.Expr{col("", "value")},
		OrderBy: []sqlast.Order{{X: col("", "rows"), Desc: true}, {X: col("", "value")}},
		Limit:   maxProbed,
	}, true
}

// ProbeVariations asks what the impressions of an experiment show: value as
// text, rows.
func ProbeVariations(x *ExperimentPlan, s *Source) sqlast.Select {
	cond := all(x.matchCondition(s),
		compare(sqlast.GreaterEq, inRow(s.Time.SQL), sqlast.Timestamp(x.Starts)),
		compare(sqlast.Less, inRow(s.Time.SQL), sqlast.Timestamp(x.Ends)))
	return counted("what the impressions of "+x.Def.Key.V+" show", s, inRow(s.Variation.SQL), cond)
}

// ProbeDates asks about the impressions of an experiment in a source, whatever
// their dates: how many come before its start, the first instant of these in
// microseconds, how many come at its end or within a day of it, and how many later.
// The end may be missing.
func ProbeDates(x *ExperimentPlan, s *Source, until time.Time) sqlast.Select {
	ts := inRow(s.Time.SQL)
	read := s.whole()
	where := sqlast.And{compare(sqlast.Less, ts, sqlast.Timestamp(until)), x.matchCondition(s)}
	if s.Where != nil {
		where = append(where, inRow(s.Where))
	}
	early := compare(sqlast.Less, ts, sqlast.Timestamp(x.Starts))
	after, late := sqlast.Expr(sqlast.Bool(false)), sqlast.Expr(sqlast.Bool(false))
	if end := x.Def.End; end.Set {
		late = compare(sqlast.GreaterEq, ts, sqlast.Timestamp(end.V.Add(day)))
		after = all(compare(sqlast.GreaterEq, ts, sqlast.Timestamp(end.V)), compare(sqlast.Less, ts, sqlast.Timestamp(end.V.Add(day))))
	}
	return sqlast.Select{
		Why: "impressions of " + x.Def.Key.V + " outside its dates",
		Items: []sqlast.Item{
			item(aggregate(sqlast.Count, when(early, sqlast.Int(1))), "early"),
			item(call(sqlast.TimeToMicros, aggregate(sqlast.Min, when(early, ts))), "first"),
			item(aggregate(sqlast.Count, when(after, sqlast.Int(1))), "after"),
			item(aggregate(sqlast.Count, when(late, sqlast.Int(1))), "late"),
		},
		From: read, Where: where,
	}
}

// ProbeWholeValues asks about the value of an event in a source: in how many
// rows there is one, in how many it is a whole number, and in how many it is 100 or
// more. It reports false where none is mapped, or where its type tells.
func ProbeWholeValues(s *Source, event string) (sqlast.Select, bool) {
	if s.Value == nil || s.Value.Type.Kind != FieldInteger && s.Value.Type.Kind != FieldFloat {
		return sqlast.Select{}, false
	}
	read := s.whole()
	value := inRow(s.Value.SQL)
	where := sqlast.And{compare(sqlast.Eq, inRow(s.Event.SQL), sqlast.Text(event)), notNull(value)}
	if s.Where != nil {
		where = append(where, inRow(s.Where))
	}
	isWhole := compare(sqlast.Eq, call(sqlast.Trunc, value), value)
	return sqlast.Select{
		Why: "whether the values of " + event + " are whole",
		Items: []sqlast.Item{
			item(countStar(), "rows"),
			item(aggregate(sqlast.Count, when(isWhole, sqlast.Int(1))), "whole"),
			item(aggregate(sqlast.Count, when(compare(sqlast.GreaterEq, call(sqlast.Abs, value), sqlast.Int(100)), sqlast.Int(1))), "large"),
		},
		From: read, Where: where,
	}, true
}

// ProbeKeys asks which experiments (or flags, where experiment is false) the
// impressions of a source are of; it reports false where that is not mapped.
func ProbeKeys(s *Source, experiment bool) (sqlast.Select, bool) {
	f, what := s.Flag, "flags"
	if experiment {
		f, what = s.Experiment, "experiments"
	}
	if f == nil {
		return sqlast.Select{}, false
	}
	return counted("the "+what+" of the source", s, inRow(f.SQL), nil), true
}

// matchCondition says whether a row of the source is the experiment's, its
// dates apart.
func (x *ExperimentPlan) matchCondition(s *Source) sqlast.Expr {
	experiments, flags := x.matches(s)
	one := func(f *Field, list []*string) sqlast.Expr {
		if list[0] == nil {
			return nil
		}
		var values []string
		for _, v := range list {
			values = append(values, *v)
		}
		return oneOf(inRow(f.SQL), values)
	}
	return all(one(s.Experiment, experiments), one(s.Flag, flags))
}

func counted(why string, s *Source, value, where sqlast.Expr) sqlast.Select {
	read := s.whole()
	var filter sqlast.Expr
	if s.Where != nil {
		filter = inRow(s.Where)
	}
	return sqlast.Select{
		Why:     why,
		Items:   []sqlast.Item{item(value, "value"), item(countStar(), "rows")},
		From:    read,
		Where:   all(filter, where),
		GroupBy: []sqlast.Expr{value},
		OrderBy: []sqlast.Order{{X: col("", "rows"), Desc: true}, {X: col("", "value")}},
		Limit:   maxProbed,
	}
}

// ProbeMatch asks how many of the exposed units have events in a source: units
// exposed, of these with events, with events if case, blanks at the ends and
// leading zeros of ids did not matter, and the smallest id of the exposed units
// and of the events; how many units there would be if these did not matter, and
// how many ids of events that are of no unit would be of one. Rows without a time or
// an event key are no events. It reads the table exposure.
func (u *UnitProgram) ProbeMatch(s *Source) sqlast.Select {
	read := s.whole()
	var filter sqlast.Expr
	if s.Where != nil {
		filter = inRow(s.Where)
	}
	id := inRow(s.unit(u.Plan.Kind).SQL)
	folded := func(x sqlast.Expr) sqlast.Expr {
		trimmed := call(sqlast.TrimUnicode, x)
		return call(sqlast.Coalesce, call(sqlast.IntegerText, call(sqlast.ParseInteger, trimmed)), call(sqlast.LowerASCII, trimmed))
	}
	table := func(name, alias string) sqlast.From { return sqlast.Table{Name: name, Alias: alias} }
	with := func(l sqlast.From, name, alias string, on sqlast.Expr, is sqlast.Expr) sqlast.From {
		return sqlast.Join{Kind: sqlast.LeftJoin, L: l, R: table(name, alias), On: compare(sqlast.Eq, on, is)}
	}
	beside := func(l sqlast.From, name, alias string) sqlast.From {
		return sqlast.Join{Kind: sqlast.CrossJoin, L: l, R: table(name, alias)}
	}
	ids := sqlast.Select{Distinct: true, Items: []sqlast.Item{item(id, "id")}, From: read,
		Where: all(filter, notNull(id), notNull(inRow(s.Time.SQL)), notNull(inRow(s.Event.SQL)))}
	foldedIDs := sqlast.Select{Distinct: true, Items: []sqlast.Item{item(folded(col("", "id")), "id")}, From: table("ids", "")}
	exposed := sqlast.Select{Distinct: true, Items: []sqlast.Item{item(col("", colUnitID), "id")},
		From: sqlast.Table{Name: u.b.table("exposure")}, Where: isNull(col("", colDropped))}
	foldedUnits := sqlast.Select{Distinct: true, Items: []sqlast.Item{item(folded(col("", "id")), "id")}, From: table("exposed", "")}
	ofUnits := sqlast.Select{Items: []sqlast.Item{item(countStar(), "folded")}, From: table("folded units", "")}
	strays := sqlast.Select{
		Items: []sqlast.Item{
			item(aggregate(sqlast.Min, col("i", "id")), "smallest"),
			item(aggregate(sqlast.Count, when(sqlast.And{isNull(col("x", "id")), notNull(col("f", "id"))}, sqlast.Int(1))), "strays"),
		},
		From: with(with(table("ids", "i"), "exposed", "x", col("x", "id"), col("i", "id")), "folded units", "f", col("f", "id"), folded(col("i", "id"))),
	}
	from := with(with(table("exposed", "x"), "ids", "i", col("i", "id"), col("x", "id")), "folded ids", "f", col("f", "id"), folded(col("x", "id")))
	return sqlast.Select{
		Why: "how many exposed units have events",
		With: []sqlast.CTE{{Name: "ids", Query: ids}, {Name: "folded ids", Query: foldedIDs}, {Name: "exposed", Query: exposed},
			{Name: "folded units", Query: foldedUnits}, {Name: "of units", Query: ofUnits}, {Name: "of ids", Query: strays}},
		Items: []sqlast.Item{
			item(countStar(), "units"), item(aggregate(sqlast.Count, col("i", "id")), "matched"), item(aggregate(sqlast.Count, col("f", "id")), "folded"),
			item(aggregate(sqlast.Min, col("x", "id")), "exposed id"), item(aggregate(sqlast.Min, col("s", "smallest")), "event id"),
			item(aggregate(sqlast.Min, col("u", "folded")), "folded units"), item(aggregate(sqlast.Min, col("s", "strays")), "strays"),
		},
		From: beside(beside(from, "of ids", "s"), "of units", "u"),
	}
}
