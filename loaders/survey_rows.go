package loaders

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// The largest numbers of things that a survey tells, of those that are most
// frequent. Where there are more, the columns are rather not what they seem.
const (
	surveyedKeys  = 1000 // event keys, and variations of all experiments
	surveyedNames = 40   // properties, and attributes, of one source
)

// rows looks at what the rows of the sources hold.
func (s *surveyor) rows(ctx context.Context, tell func(string)) error {
	tell("counting the units of each kind")
	kind, err := s.unitKind(ctx)
	if err != nil {
		return err
	}
	tell("counting the units of variations")
	if err := s.experiments(ctx, kind); err != nil {
		return fmt.Errorf("look at the experiments: %w", err)
	}
	if len(s.out.Experiments) == 0 {
		return noRows(s.impressions, "experiment with a variation")
	}
	for _, src := range s.impressions {
		if err := s.attributes(ctx, src); err != nil {
			return fmt.Errorf("look at the attributes of %s: %w", src.Def.Name.V, err)
		}
	}
	slices.SortFunc(s.out.Attributes, func(a, b metrics.SurveyedAttribute) int { return cmp.Compare(a.Name, b.Name) })
	for _, src := range s.events {
		tell("looking at the events of " + src.Def.Name.V)
		if err := s.eventKeys(ctx, src); err != nil {
			return fmt.Errorf("look at the events of %s: %w", src.Def.Name.V, err)
		}
	}
	if len(s.out.Events) == 0 {
		return noRows(s.events, "event key")
	}
	if err := s.properties(ctx, tell); err != nil {
		return err
	}
	slices.SortFunc(s.out.Events, func(a, b *metrics.SurveyedEvent) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Key, b.Key))
	})
	return nil
}

func noRows(sources []*surveyed, what string) error {
	var list diag.List
	list.Errorf(diag.Pos{}, "no-rows", "no row of %s has an %s", pathsOf(sources), what).
		WithHint("a row needs the id of a unit and a timestamp too")
	return list
}

// query runs a query and gives its rows.
func (s *surveyor) query(ctx context.Context, q sqlast.Select) ([][]any, error) {
	text, err := sqlast.Print(sqlast.DuckDB, q)
	if err != nil {
		return nil, err
	}
	rows, err := s.engine.Query(ctx, text)
	if err != nil {
		return nil, err
	}
	return rows.Cells, nil
}

func column(name string) sqlast.Expr { return sqlast.Column{Name: name} }

func present(x sqlast.Expr) sqlast.Expr { return sqlast.IsNull{X: x, Not: true} }

// named holds for texts that definitions can name: those that are not blank.
func named(x sqlast.Expr) sqlast.Expr {
	return binary(sqlast.NotEq, call(sqlast.TrimUnicode, x), sqlast.Text(""))
}

// only is the conditions and that of the source's preset.
func (src *surveyed) only(conditions ...sqlast.Expr) sqlast.Expr {
	if src.Where != nil {
		conditions = append(conditions, src.Where)
	}
	if len(conditions) == 0 {
		return nil
	}
	return sqlast.And(conditions)
}

// shown is a relation of what impressions show, one row for each: the key of
// the experiment, whether that is a flag, the flag, the variation with what is
// equal for the same ones, id and time.
func (s *surveyor) shown(kind string) sqlast.From {
	var all sqlast.Union
	for _, src := range s.impressions {
		i := slices.IndexFunc(src.Units, func(u compiler.UnitField) bool { return u.Kind == kind })
		if i < 0 {
			continue
		}
		none := sqlast.Null{Type: varchar}
		key, flag, heldBack := sqlast.Expr(none), sqlast.Expr(none), sqlast.Expr(sqlast.Bool(false))
		if src.Flag != nil {
			key, flag = src.Flag.SQL, src.Flag.SQL
		}
		if src.Experiment != nil {
			key = src.Experiment.SQL
		}
		if src.Holdback != nil {
			heldBack = call(sqlast.Coalesce, src.Holdback.SQL, heldBack)
		}
		value, same, nested := src.Variation.SQL, src.Variation.SQL, sqlast.Expr(sqlast.Bool(false))
		if kind := src.Variation.Type.Kind; kind == compiler.FieldJSON || kind == compiler.FieldText { // text, but for objects and lists
			nested = sqlast.And{
				sqlast.Or{call(sqlast.StartsWith, value, sqlast.Text("{")), call(sqlast.StartsWith, value, sqlast.Text("["))},
				call(sqlast.JSONValid, value),
			}
			same = sqlast.Case{Whens: []sqlast.When{{If: nested, Then: call(sqlast.CanonicalJSON, value)}}, Else: value}
		}
		id := src.Units[i].SQL
		all = append(all, sqlast.Select{
			Items: []sqlast.Item{
				{X: key, As: "key"}, {X: sqlast.Bool(src.Experiment == nil), As: "is flag"}, {X: flag, As: "flag"},
				{X: value, As: "variation"}, {X: same, As: "same"}, {X: nested, As: "is json"},
				{X: id, As: "id"}, {X: src.Time.SQL, As: "at"}, {X: heldBack, As: "held back"},
			},
			From:  src.Read,
			Where: src.only(named(key), named(value), present(id), present(src.Time.SQL)),
		})
	}
	if len(all) == 1 {
		return sqlast.Subquery{Query: all[0], Alias: "s"}
	}
	return sqlast.Subquery{Query: all, Alias: "s"}
}

// experiments counts the units of each variation of each experiment.
func (s *surveyor) experiments(ctx context.Context, kind string) error {
	by := []sqlast.Expr{column("is flag"), column("key"), column("is json"), column("same")}
	rows, err := s.query(ctx, sqlast.Select{
		Why: "the variations of the experiments",
		Items: []sqlast.Item{
			{X: by[0], As: "is flag"}, {X: by[1], As: "key"}, {X: by[2], As: "is json"}, {X: sqlast.Aggregate{Fn: sqlast.Min, X: column("variation")}, As: "variation"},
			{X: sqlast.Aggregate{Fn: sqlast.Count}, As: "rows"},
			{X: sqlast.Aggregate{Fn: sqlast.Count, X: column("id"), Distinct: true}, As: "units"},
			{X: call(sqlast.TimeToMicros, sqlast.Aggregate{Fn: sqlast.Min, X: column("at")}), As: "first"},
			tally(column("held back"), "held back rows"),
		},
		From:    s.shown(kind),
		GroupBy: by,
		OrderBy: []sqlast.Order{{X: column("rows"), Desc: true}, {X: column("key")}, {X: sqlast.Aggregate{Fn: sqlast.Min, X: column("variation")}}},
		Limit:   surveyedKeys,
	})
	if err != nil {
		return err
	}
	units, err := s.unitsOf(ctx, kind)
	if err != nil {
		return err
	}
	found := map[surveyedKey]*metrics.SurveyedExperiment{}
	for _, r := range rows {
		k := surveyedKey{r[0].(bool), r[1].(string)}
		x := found[k]
		if x == nil {
			x = &metrics.SurveyedExperiment{Experiment: k.name, Unit: kind, Units: units[k]}
			if k.isFlag {
				x.Experiment, x.Flag = "", k.name
			}
			found[k] = x
			s.out.Experiments = append(s.out.Experiments, x)
		}
		v := metrics.SurveyedVariation{Value: metrics.MatchValue{Text: r[3].(string), JSON: r[2].(bool)}, Rows: r[4].(int64), Units: r[5].(int64)}
		x.Variations = append(x.Variations, v)
		x.Rows += v.Rows
		x.Holdback += r[7].(int64)
		if first := time.UnixMicro(r[6].(int64)).UTC(); x.First.IsZero() || first.Before(x.First) {
			x.First = first
		}
	}
	for _, x := range s.out.Experiments {
		slices.SortFunc(x.Variations, func(a, b metrics.SurveyedVariation) int { return cmp.Compare(a.Value.Text, b.Value.Text) })
	}
	slices.SortFunc(s.out.Experiments, func(a, b *metrics.SurveyedExperiment) int {
		return cmp.Or(cmp.Compare(b.Units, a.Units), cmp.Compare(a.Experiment, b.Experiment), cmp.Compare(a.Flag, b.Flag))
	})
	return s.flags(ctx, kind)
}

// surveyedKey is an experiment, or a flag, that impressions name.
type surveyedKey struct {
	isFlag bool
	name   string
}

// unitsOf counts the units of each experiment, those that saw several variations once.
func (s *surveyor) unitsOf(ctx context.Context, kind string) (map[surveyedKey]int64, error) {
	by := []sqlast.Expr{column("is flag"), column("key")}
	rows, err := s.query(ctx, sqlast.Select{
		Why:     "the units of the experiments",
		Items:   []sqlast.Item{{X: by[0], As: "is flag"}, {X: by[1], As: "key"}, {X: sqlast.Aggregate{Fn: sqlast.Count, X: column("id"), Distinct: true}, As: "units"}},
		From:    s.shown(kind),
		GroupBy: by,
	})
	if err != nil {
		return nil, err
	}
	out := map[surveyedKey]int64{}
	for _, r := range rows {
		out[surveyedKey{r[0].(bool), r[1].(string)}] = r[2].(int64)
	}
	return out, nil
}

// flags finds the flag of each experiment, where both are mapped: the one
// with most rows.
func (s *surveyor) flags(ctx context.Context, kind string) error {
	if !slices.ContainsFunc(s.impressions, func(src *surveyed) bool { return src.Experiment != nil && src.Flag != nil }) {
		return nil
	}
	rows, err := s.query(ctx, sqlast.Select{
		Why:     "the flags of the experiments",
		Items:   []sqlast.Item{{X: column("key"), As: "key"}, {X: column("flag"), As: "flag"}, {X: sqlast.Aggregate{Fn: sqlast.Count}, As: "rows"}},
		From:    s.shown(kind),
		Where:   sqlast.And{sqlast.Not{X: column("is flag")}, present(column("flag"))},
		GroupBy: []sqlast.Expr{column("key"), column("flag")},
		OrderBy: []sqlast.Order{{X: column("rows")}, {X: column("flag"), Desc: true}}, // the last one stays
	})
	if err != nil {
		return err
	}
	flags := map[string]string{}
	for _, r := range rows {
		flags[r[0].(string)] = r[1].(string)
	}
	for _, x := range s.out.Experiments {
		if x.Experiment != "" {
			x.Flag = flags[x.Experiment]
		}
	}
	return nil
}

// names are those that a bag of the source holds, sorted: the ones that the
// schema tells and the most frequent of the others.
func (s *surveyor) names(ctx context.Context, src *surveyed, attributes bool) ([]string, error) {
	bag := src.Properties
	if attributes {
		bag = src.Attributes
	}
	names := bag.Names()
	if probe, ok := compiler.ProbeNames(src.Source, attributes); ok {
		probe.Limit = surveyedNames
		rows, err := s.query(ctx, probe)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			names = append(names, r[0].(string))
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// attributes counts the distinct values of the attributes of impressions.
func (s *surveyor) attributes(ctx context.Context, src *surveyed) error {
	names, err := s.names(ctx, src, true)
	if err != nil || len(names) == 0 {
		return err
	}
	var items []sqlast.Item
	for i, name := range names {
		field, _ := src.Attributes.Lookup(name)
		items = append(items, sqlast.Item{X: sqlast.Aggregate{Fn: sqlast.Count, X: field.SQL, Distinct: true}, As: fmt.Sprint("a", i)})
	}
	rows, err := s.query(ctx, sqlast.Select{Why: "the attributes of impressions", Items: items, From: src.Read, Where: src.only()})
	if err != nil {
		return err
	}
	for i, name := range names {
		n := rows[0][i].(int64)
		at := slices.IndexFunc(s.out.Attributes, func(a metrics.SurveyedAttribute) bool { return a.Name == name })
		if at < 0 {
			s.out.Attributes = append(s.out.Attributes, metrics.SurveyedAttribute{Name: name, Values: n})
		} else {
			s.out.Attributes[at].Values = max(s.out.Attributes[at].Values, n)
		}
	}
	return nil
}

// eventKeys counts the rows of each event key.
func (s *surveyor) eventKeys(ctx context.Context, src *surveyed) error {
	key := src.Event.SQL
	value := sqlast.Expr(sqlast.Null{Type: double})
	if src.Value != nil {
		value = src.Value.SQL
	}
	rows, err := s.query(ctx, sqlast.Select{
		Why: "the event keys",
		Items: []sqlast.Item{
			{X: key, As: "key"}, {X: sqlast.Aggregate{Fn: sqlast.Count}, As: "rows"},
			tally(binary(sqlast.NotEq, value, sqlast.Int(0)), "values"),
		},
		From:    src.Read,
		Where:   src.only(named(key)),
		GroupBy: []sqlast.Expr{key},
		OrderBy: []sqlast.Order{{X: column("rows"), Desc: true}, {X: column("key")}},
		Limit:   surveyedKeys,
	})
	if err != nil {
		return err
	}
	for _, r := range rows {
		e := s.event(r[0].(string))
		e.Rows += r[1].(int64)
		e.Values += r[2].(int64)
		e.Sources = append(e.Sources, src.Def.Name.V)
	}
	return nil
}

// event gives the entry of a key.
func (s *surveyor) event(key string) *metrics.SurveyedEvent {
	i := slices.IndexFunc(s.out.Events, func(e *metrics.SurveyedEvent) bool { return e.Key == key })
	if i < 0 {
		i = len(s.out.Events)
		s.out.Events = append(s.out.Events, &metrics.SurveyedEvent{Key: key})
	}
	return s.out.Events[i]
}

// properties finds the properties of each event key and their types. A name
// has one type in all events, so that a metric may read several.
func (s *surveyor) properties(ctx context.Context, tell func(string)) error {
	kinds := map[string]*valueKinds{}
	for _, src := range s.events {
		tell("looking at the properties of " + src.Def.Name.V)
		if err := s.propertyValues(ctx, src, kinds); err != nil {
			return fmt.Errorf("look at the properties of %s: %w", src.Def.Name.V, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		k := kinds[name]
		typ, numberLike := k.typeOf(name)
		for _, e := range s.out.Events {
			if n := k.rows[e.Key]; n > 0 {
				e.Properties = append(e.Properties, metrics.SurveyedProperty{Name: name, Type: typ, Rows: n, NumberLike: numberLike})
			}
		}
	}
	return nil
}

// propertyValues counts, for each event key and property, the values and those
// that are of each type.
func (s *surveyor) propertyValues(ctx context.Context, src *surveyed, kinds map[string]*valueKinds) error {
	names, err := s.names(ctx, src, false)
	if err != nil || len(names) == 0 {
		return err
	}
	count := func(x sqlast.Expr) sqlast.Expr { return sqlast.Aggregate{Fn: sqlast.Count, X: x} }
	read := []sqlast.Item{{X: src.Event.SQL, As: "key"}}
	items := []sqlast.Item{{X: column("key"), As: "key"}}
	var records []func(event string, n int64)
	for i, name := range names {
		field, _ := src.Properties.Lookup(name)
		value := field.SQL
		if field.Type.Kind == compiler.FieldText {
			value = call(sqlast.NullIf, value, sqlast.Text(""))
		}
		p := fmt.Sprint("p", i)
		read = append(read, sqlast.Item{X: value, As: p})
		k := kinds[name]
		if k == nil {
			k = &valueKinds{rows: map[string]int64{}}
			kinds[name] = k
		}
		k.stored = append(k.stored, field.Type.Kind)
		add := func(x sqlast.Expr, what string, record func(event string, n int64)) {
			items = append(items, sqlast.Item{X: count(x), As: p + " " + what})
			records = append(records, record)
		}
		add(column(p), "rows", func(event string, n int64) { k.rows[event] += n; k.all += n })
		if field.Type.Kind == compiler.FieldText {
			add(call(sqlast.ParseNumber, column(p)), "numbers", func(_ string, n int64) { k.numbers += n })
			add(call(sqlast.ParseBoolean, column(p)), "booleans", func(_ string, n int64) { k.booleans += n })
			add(call(sqlast.ParseTime, column(p)), "times", func(_ string, n int64) { k.times += n })
		}
	}
	rows, err := s.query(ctx, sqlast.Select{
		Why:     "the properties of the events",
		Items:   items,
		From:    sqlast.Subquery{Query: sqlast.Select{Items: read, From: src.Read, Where: src.only()}, Alias: "e"},
		Where:   present(column("key")),
		GroupBy: []sqlast.Expr{column("key")},
	})
	if err != nil {
		return err
	}
	for _, r := range rows {
		for i, record := range records {
			record(r[0].(string), r[i+1].(int64))
		}
	}
	return nil
}
