package compiler

import (
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// Segment is what the results of an experiment are broken down by.
type Segment struct {
	Key string
	// Exposure is the attribute of the exposure, and Trait that of the unit,
	// which stands in where the exposure has none; "": neither.
	Exposure, Trait string
	// Experiment is the other experiment whose variation it is.
	Experiment string
	// FromEvents: rows have values too, and only those with a value count for it.
	FromEvents bool
}

// unitPrefix begins the names of unit attributes where attributes are named.
const unitPrefix = "unit."

// segment plans a segment of an experiment.
func (p *planner) segment(u *UnitPlan, x *ExperimentPlan, s *metrics.Segment) {
	seg := Segment{Key: s.Key.V}
	if s.Experiment.Set {
		seg.Experiment = s.Experiment.V
		u.Assigned = appendNew(u.Assigned, s.Experiment.V)
		x.Segments = append(x.Segments, seg)
		return
	}
	if s.FromEvents {
		p.eventSegment(u, x, s)
		return
	}
	scope := metricScope{exposures: x.Sources, traits: u.TraitSources}
	has := func(r Ref) *diag.Diagnostic { _, d := scope.Resolve(r); return d }
	unknown := has(Ref{Kind: RefExposure, Name: s.Key.V})
	if unknown == nil {
		seg.Exposure = s.Key.V
	}
	name, marked := strings.CutPrefix(s.Key.V, unitPrefix)
	if d := has(Ref{Kind: RefUnit, Name: name}); d == nil {
		seg.Trait = name
	} else if marked {
		unknown = d
	}
	if seg.Exposure == "" && seg.Trait == "" {
		unknown.Pos = s.Key.Pos
		p.list = append(p.list, *unknown)
		return
	}
	if seg.Exposure != "" {
		u.Attributes = appendNew(u.Attributes, seg.Exposure)
	}
	if seg.Trait != "" {
		u.Traits = appendNew(u.Traits, seg.Trait)
	}
	x.Segments = append(x.Segments, seg)
}

func (s Segment) describe() string {
	switch {
	case s.FromEvents:
		return s.Key + ": attributes." + s.Key + " of any row of a metric, or exposure." + s.Key
	case s.Experiment != "":
		return s.Key + ": the variation in experiment " + s.Experiment
	case s.Trait == "":
		return "exposure." + s.Exposure
	case s.Exposure == "":
		return "unit." + s.Trait
	}
	return "exposure." + s.Exposure + ", else unit." + s.Trait
}

// column is the value of a segment in the table of exposures.
func (s Segment) column(table string) sqlast.Expr {
	switch {
	case s.Experiment != "":
		return col(table, assignedColumn(s.Experiment))
	case s.Trait == "":
		return col(table, attributeColumn(s.Exposure))
	case s.Exposure == "":
		return col(table, traitColumn(s.Trait))
	}
	return call(sqlast.Coalesce, col(table, attributeColumn(s.Exposure)), col(table, traitColumn(s.Trait)))
}

// segments are the keys that some experiment breaks results down by, in
// alphabetical order.
func (b *builder) segments() []string {
	if b.parts != nil {
		return []string{b.parts.Segment.Key}
	}
	var out []string
	for _, x := range b.plan.Experiments {
		for _, s := range x.Segments {
			out = appendNew(out, s.Key)
		}
	}
	slices.Sort(out)
	return out
}

// isLong reports whether a segment can have values of any number, of which
// only the most frequent ones are kept.
func (s Segment) isLong() bool { return s.Experiment == "" && !s.FromEvents }

func (Segment) isAny() bool { return true }

// segmented are the experiments that are broken down by a segment of some sort.
func (b *builder) segmented(key string, sort func(Segment) bool) []string {
	if b.parts != nil {
		if sort(b.parts.Segment) {
			return b.parts.Experiments
		}
		return nil
	}
	var out []string
	for _, x := range b.plan.Experiments {
		for _, s := range x.Segments {
			if s.Key == key && sort(s) {
				out = appendNew(out, x.Def.Key.V)
			}
		}
	}
	return out
}

// segmentColumn names the value of a segment where units are in cells.
func (b *builder) segmentColumn(key string) string {
	if b.parts != nil {
		return partColumn(key)
	}
	for _, x := range b.plan.Experiments {
		for _, s := range x.Segments {
			if s.Key == key && s.Exposure == "" {
				return partColumn(key)
			}
		}
	}
	return attributeColumn(key)
}

// segmentValue is the value of a segment in the table of exposures, missing
// for experiments that do not have it.
func (b *builder) segmentValue(table, key string) sqlast.Expr {
	if b.parts != nil {
		return col(table, partColumn(key))
	}
	var values []sqlast.Expr
	var of [][]string
	for _, x := range b.plan.Experiments {
		for _, s := range x.Segments {
			if s.Key != key {
				continue
			}
			v := s.column(table)
			i := slices.IndexFunc(values, func(have sqlast.Expr) bool { return sameExpr(have, v) })
			if i < 0 {
				i, values, of = len(values), append(values, v), append(of, nil)
			}
			of[i] = append(of[i], x.Def.Key.V)
		}
	}
	if len(values) == 1 && len(of[0]) == len(b.plan.Experiments) {
		return values[0]
	}
	var c sqlast.Case
	for i, v := range values {
		c.Whens = append(c.Whens, sqlast.When{If: oneOf(col(table, colExperiment), of[i]), Then: v})
	}
	return c
}

// assignedColumn names the variation of a unit in another experiment.
func assignedColumn(experiment string) string { return "variation in " + experiment }

func assignedAlias(i int) string { return fmt.Sprintf("a%d", i+1) }

// assigned gives the variations of units, after several variations are dealt
// with (semantics 3.3), in the experiments that are segments of others.
func (b *builder) assigned() sqlast.Select {
	cond := sqlast.And{oneOf(col("u", colExperiment), b.plan.Assigned), compare(sqlast.Greater, col("u", colImpressions), sqlast.Int(0))}
	several := compare(sqlast.NotEq, col("u", "smallest"), col("u", "largest"))
	for _, x := range b.everyExperiment() {
		if !slices.Contains(b.plan.Assigned, x.Def.Key.V) {
			continue
		}
		left := several
		if keepsFirst(x) {
			left = b.tiedAtFirst()
		}
		cond = append(cond, sqlast.Not{X: sqlast.And{compare(sqlast.Eq, col("u", colExperiment), sqlast.Text(x.Def.Key.V)), left}})
	}
	return sqlast.Select{
		Why:   "the variations of units in experiments that are segments of others",
		Items: []sqlast.Item{item(col("u", colUnitID), colUnitID), item(col("u", colExperiment), colExperiment), item(col("n", colVariation), colVariation)},
		From: sqlast.Join{L: sqlast.Table{Name: "unit", Alias: "u"}, R: sqlast.Table{Name: "name", Alias: "n"},
			On: sqlast.And{compare(sqlast.Eq, col("n", colExperiment), col("u", colExperiment)), compare(sqlast.Eq, col("n", "position"), b.positionIn("first"))}},
		Where: cond,
	}
}

// readsFirst reports whether the variation of some experiment is that of the
// first impression, so that ties there matter.
func (b *builder) readsFirst() bool {
	return slices.ContainsFunc(b.everyExperiment(), func(x *ExperimentPlan) bool {
		return keepsFirst(x) && (slices.Contains(b.plan.Experiments, x) || slices.Contains(b.plan.Assigned, x.Def.Key.V))
	})
}
