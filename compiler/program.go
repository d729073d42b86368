package compiler

import (
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/stats"
)

// Program is a plan as statements.
type Program struct{ Units []*UnitProgram }

// UnitProgram is the statements for the experiments of one unit kind: first
// Exposures, then for each pass over the events Pass.
type UnitProgram struct {
	Plan      *UnitPlan
	Exposures []Statement
	b         *builder
}

// Statement is one thing to execute, and why.
type Statement struct {
	// Name is the table that it makes, or the result that it gives.
	Name string
	Why  string
	SQL  sqlast.Statement
	// Result says what the rows are; ResultNone for statements that make or
	// drop a table.
	Result ResultKind
	// Outputs are the columns behind the key columns of the result.
	Outputs []Output
	// Split: the rows are also by the values of a split.
	Split bool
	// Of are the tallies of a segment from events whose units a ResultUnits counts;
	// nil: it counts those of all others.
	Of []*Tally
	// Experiments are those that a ResultRows tells of; those without a row have met
	// nothing.
	Experiments []string
	// Tally and Side (X or Y) are whose caps a ResultCaps gives.
	Tally *Tally
	Side  stats.Term
}

// Apart fails where statements make two tables of one name, and the rows of the
// second would be read in place of those of the first.
func Apart(list []Statement) error {
	there := sqlast.Names{}
	for _, st := range list {
		switch s := st.SQL.(type) {
		case sqlast.CreateTable:
			if !there.Add(s.Name) {
				return fmt.Errorf("two tables are called %q", s.Name)
			}
		case sqlast.DropTable:
			there.Remove(s.Name)
		}
	}
	return nil
}

// ResultKind says which key columns a result has.
type ResultKind int

// The kinds of results.
const (
	ResultNone ResultKind = iota
	// ResultDays: experiment, variation, segment, segment value, date, and the
	// phase as in ResultUnits; then units, impressions, units in several variations.
	ResultDays
	// ResultUnits: experiment, variation, segment, segment value; where some
	// experiment has strata the phase, from 1, else 0; then the exposed units, those that were activated, and those for whom each wait is over.
	ResultUnits
	// ResultDropped: experiment, reason; then units, rows.
	ResultDropped
	// ResultSums: experiment, variation, segment, segment value; the phase as in
	// ResultUnits; with Split the value of the split; then Outputs.
	ResultSums
	// ResultCaps: experiment, upper, lower: the values that winsorizing caps the
	// numbers of a side of a tally at, as whole numbers; NULL where there is none.
	ResultCaps
	// ResultPercentiles: experiment, variation, segment, segment value; n, then
	// the numbers below and above the percentile and its bounds, as whole numbers,
	// and the positions of the bounds.
	ResultPercentiles
	// ResultNumbers: experiment, variation, the part of the units; of percentiles over
	// groups the unit; then a number as a whole number, and how many units or groups
	// have it. Rows ascend by the number.
	ResultNumbers
	// ResultRows: experiment; then what was met among the rows read.
	ResultRows
)

// Output says what a column of a result is.
type Output struct {
	Column string
	Tally  *Tally // ResultSums
	Role   OutputRole
	Term   stats.Term // RoleTerm
	Reason string     // RoleReason: a word of semantics 9
	Wait   string     // RoleWaited
}

// OutputRole is what a column holds.
type OutputRole int

// The roles of columns.
const (
	// RoleTerm is a sum over units, of whole numbers of 10^-digits.
	RoleTerm OutputRole = iota
	// RoleUnits is the number of units that the tally itself counts (units
	// with rows, or with a denominator).
	RoleUnits
	// RolePresent is the number of units that the tally counts among those with
	// rows for any metric.
	RolePresent
	// RoleWithEvents is the number of units with rows that count.
	RoleWithEvents
	// RoleSampled is the number of units with a row that stands for several.
	RoleSampled
	// RoleCapped is the number of units with rows whose number on the side of the
	// term is changed by caps, and RoleCappedEvents that of their rows.
	RoleCapped
	RoleCappedEvents
	// RoleUncapped is a number of a unit before caps, on the side of the term, where
	// the results are of one unit alone.
	RoleUncapped
	// RoleEvents is the number of rows that count.
	RoleEvents
	// RoleOverflow is the number of units whose number is too large.
	RoleOverflow
	// RoleActivated is the number of exposed units that count: with activation
	// those that were activated.
	RoleActivated
	// RoleWaited is the number of exposed units whose windows are over.
	RoleWaited
	// RoleReason is a number of rows by reason.
	RoleReason
)

// Build writes the statements of a plan.
func Build(p *Plan) *Program { return build(p, builder{}) }

// BuildByUnit writes the statements of a plan whose sums are not over the units
// of a cell but over each one: what Build adds up. The results have the column
// [ColumnUnit] behind their key columns.
func BuildByUnit(p *Plan) *Program { return build(p, builder{byUnit: true}) }

// BuildForUnit is BuildByUnit with the results of one unit alone.
func BuildForUnit(p *Plan, unit string) *Program {
	return build(p, builder{byUnit: true, ofUnit: &unit})
}

// BuildByBucket writes the statements of a plan whose sums are over so many parts of
// the units of a cell, by a hash of the unit's id: what Build adds up. The number of the
// part, as text, is the column [ColumnUnit].
func BuildByBucket(p *Plan, buckets int64) *Program {
	return build(p, builder{byUnit: true, buckets: buckets})
}

func build(p *Plan, as builder) *Program {
	prog := &Program{}
	for _, u := range p.Units {
		b := &builder{plan: u, byUnit: as.byUnit, ofUnit: as.ofUnit, buckets: as.buckets}
		if len(p.Units) > 1 {
			b.suffix = "_" + spelled(u.Kind)
		}
		exposures := b.exposures()
		if len(prog.Units) == 0 {
			exposures = append(p.excludedUnits(), exposures...)
		}
		prog.Units = append(prog.Units, &UnitProgram{Plan: u, Exposures: exposures, b: b})
	}
	return prog
}

// Pass writes the statements that read the events of the units of pass i of
// n. The sums of all passes add up, because each unit is in one pass.
func (u *UnitProgram) Pass(i, n int) []Statement {
	if len(u.Plan.Tallies) == 0 {
		return nil
	}
	return u.b.pass(i, n)
}

// Finish writes the statements that need the numbers of all units, after all
// passes.
func (u *UnitProgram) Finish() []Statement {
	return u.b.finishAll()
}

// Abandon writes the statements that drop what passes have made when one of
// them could not be finished.
func (u *UnitProgram) Abandon() []Statement {
	var out []Statement
	for _, st := range slices.Concat(u.Pass(0, 2), u.Finish()) {
		if made, ok := st.SQL.(sqlast.CreateTable); ok {
			out = append(out, Statement{Name: made.Name, Why: "out of memory: made again", SQL: sqlast.DropTable{Name: made.Name, IfExists: true}})
		}
	}
	return out
}

// Columns is the number of columns of the widest table over units, which the
// estimate of memory goes by. What costs more than a number while it is built
// counts as several.
func (u *UnitProgram) Columns() int {
	widest := 0
	for _, b := range u.b.bundles() {
		n := 2
		for _, s := range b.plan.Scans {
			for _, m := range s.Measures {
				n++
				for _, a := range b.aggregates(m) {
					n += a.cost()
				}
			}
		}
		widest = max(widest, n)
	}
	return widest
}

// Listed bounds the rows that are kept one by one, for measures that others
// are derived from.
func (u *UnitProgram) Listed() int64 {
	rows := int64(0)
	for _, n := range u.b.measures() {
		if slices.Contains(u.b.aggregates(n), aggRows) {
			rows += n.rows()
		}
	}
	return rows
}

// builder writes the statements of one unit plan.
type builder struct {
	plan   *UnitPlan
	suffix string
	// byUnit: cells are single units, or with buckets parts of them by hash.
	byUnit  bool
	buckets int64
	// ofUnit is the only unit that results are of; nil: all.
	ofUnit *string
	// stage is put behind the name of the table exposure, and only are the
	// experiments whose events are read (empty: all), where the exposures are
	// not yet those that metrics count from.
	stage string
	only  []string
	// next makes the exposures of the next stage, from the table of first events.
	next func(from, to *builder, events string) sqlast.Select
	// bundle is put behind the names of tables that belong to a bundle of sums, and
	// ofBundles is the builder of all bundles; nil: there are none.
	bundle    string
	ofBundles *builder
	// split: the exposures are parts of units, one for each value of a split.
	split bool
	// parts: the exposures are parts of units, one for each value of a segment from
	// events; nil: they are not. whole is the builder that they are parts of.
	parts *EventSegment
	whole *builder
}

// table names a table. Those about exposures belong to all bundles.
func (b *builder) table(name string) string {
	switch name {
	case "exposure":
		return name + b.stage + b.suffix
	case "exposure_cell", "segment_value":
		return name + b.suffix
	}
	return name + b.bundle + b.suffix
}

// ColumnUnit is the column with the id of the unit in the results of BuildByUnit.
const ColumnUnit = colUnitID

// ColumnPhase is the column with the phase of exposure in results of experiments
// with strata.
const ColumnPhase = colPhase

// The columns of the table exposure.
const (
	colUnitID       = "unit_id"
	colExperiment   = "experiment"
	colVariation    = "variation"
	colExposedAt    = "exposed_at"
	colObserveUntil = "observe_until"
	colWindowsUntil = "windows_until"
	colImpressions  = "impressions"
	colSeveral      = "several_variations"
	colDropped      = "dropped"
)

func attributeColumn(name string) string { return "exposure." + spelled(name) }

func col(table, name string) sqlast.Column { return sqlast.Column{Table: table, Name: name} }

func item(x sqlast.Expr, as string) sqlast.Item { return sqlast.Item{X: x, As: as} }

func compare(op sqlast.Op, l, r sqlast.Expr) sqlast.Expr { return sqlast.Binary{Op: op, L: l, R: r} }

func call(fn sqlast.Fn, args ...sqlast.Expr) sqlast.Expr { return sqlast.Call{Fn: fn, Args: args} }

func when(cond, then sqlast.Expr) sqlast.Expr {
	return sqlast.Case{Whens: []sqlast.When{{If: cond, Then: then}}}
}

func aggregate(fn sqlast.AggFn, x sqlast.Expr) sqlast.Expr { return sqlast.Aggregate{Fn: fn, X: x} }

func countStar() sqlast.Expr { return sqlast.Aggregate{Fn: sqlast.Count} }

func notNull(x sqlast.Expr) sqlast.Expr { return sqlast.IsNull{X: x, Not: true} }

func isNull(x sqlast.Expr) sqlast.Expr { return sqlast.IsNull{X: x} }

func textList(values []string) []sqlast.Expr {
	var out []sqlast.Expr
	for _, v := range values {
		out = append(out, sqlast.Text(v))
	}
	return out
}

// oneOf is x = v, or x IN (v, …), or false.
func oneOf(x sqlast.Expr, values []string) sqlast.Expr {
	switch len(values) {
	case 0:
		return sqlast.Bool(false)
	case 1:
		return compare(sqlast.Eq, x, sqlast.Text(values[0]))
	}
	return sqlast.In{X: x, List: textList(values)}
}

// all joins conditions; nil where there are none.
func all(conds ...sqlast.Expr) sqlast.Expr {
	var and sqlast.And
	for _, c := range conds {
		if c != nil {
			and = append(and, c)
		}
	}
	switch len(and) {
	case 0:
		return nil
	case 1:
		return and[0]
	}
	return and
}

// besideMetrics are the columns that stand beside those that are called by
// the key of a metric, or by an event that a metric counts from, which may be any of
// these words.
var besideMetrics = []string{
	colUnit, colTime, colEvent, colWeight, colTimes, colHash, colStored, colUntil, colPhase, colPart, colSplit, colOfUnit,
	colUnitID, colExperiment, colVariation, colExposedAt, colObserveUntil, colWindowsUntil, colFirstShown,
	colSeveral, colDropped, "group", "value", "i", "n", "r", "segment", "segment_value", "step", "units", "date",
}

// keyed gives a name that neither is taken yet nor stands beside those of
// metrics, and takes it.
func keyed(taken sqlast.Names, name string) string {
	for i := 2; slices.Contains(besideMetrics, sqlast.Fold(name)) || !taken.Add(name); i++ {
		name = fmt.Sprintf("%s (%d)", name, i)
	}
	return name
}

// spelled is the name of a source as a part of that of a table.
func (s *Source) spelled() string { return spelled(s.Def.Name.V) }

// spelled is a name of the user's as a part of that of a column or table. To engines
// names are one that differ only in case, to users they are two, so capital
// letters are marked: amount, ^Amount, total^Amount. A mark that is in the
// name is ^_.
func spelled(name string) string {
	if sqlast.Fold(name) == name && !strings.Contains(name, "^") {
		return name
	}
	var out strings.Builder
	for _, r := range name {
		switch {
		case 'A' <= r && r <= 'Z':
			out.WriteByte('^')
		case r == '^':
			out.WriteString("^_")
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}
