package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// CheckReport is what Check found.
type CheckReport struct {
	// Diagnostics are mistakes and doubts, each at its place in the files.
	Diagnostics diag.List
	// Facts are findings that are no mistakes, in sentences: rows and files
	// of each source, units of each variation, match rates.
	Facts []string
}

// Check reads the definitions and compares them with the data. The report
// holds everything that was found; the error is for what could not be done.
func Check(ctx context.Context, opts Options) (*CheckReport, error) {
	p, err := prepare(ctx, opts)
	var list diag.List
	switch {
	case errors.As(err, &list):
		return &CheckReport{Diagnostics: list}, nil
	case errors.Is(err, ErrNoExperiments):
		defs, list, _ := Load(opts)
		list.Warnf(diag.Pos{}, "no-experiments", "no experiment is active, so nothing was compared with the data").
			WithHint("%d experiments are in the files; name drafts and archived ones with --experiment", len(defs.Experiments))
		return &CheckReport{Diagnostics: list.Sorted()}, nil
	case err != nil:
		return nil, err
	}
	defer p.close()
	c := &checker{
		prepared: p, keys: map[*compiler.Source][]value{},
		doubted: map[*compiler.Measure]bool{}, missingEvents: map[string]bool{}, doubtedAudiences: map[*compiler.ExperimentPlan]bool{},
		oddValues: map[*compiler.Source]bool{},
	}
	if err := c.run(ctx); err != nil {
		err = loaders.Damaged(ctx, p.engine, p.catalog, err)
		if !errors.As(err, &list) {
			return nil, err
		}
		c.found = append(c.found, list...)
	}
	c.sayRepeated()
	return &CheckReport{Diagnostics: append(p.list, c.found...).Sorted(), Facts: c.facts}, nil
}

type checker struct {
	*prepared
	found diag.List
	facts []string
	keys  map[*compiler.Source][]value // event keys of each source
	// measures are those of the plan, of the events that it waits for, and of the
	// metrics that are in no experiment.
	measures []*compiler.Measure
	// doubted are the measures of whose conditions something was said already.
	doubted map[*compiler.Measure]bool
	// missingEvents are the keys of metrics that never occur.
	missingEvents map[string]bool
	// doubtedAudiences are the experiments of whose audience, or segments,
	// something was said already.
	doubtedAudiences map[*compiler.ExperimentPlan]bool
	// strangers are the sources of events without one of an exposed unit, of the
	// unit kind that is looked at.
	strangers map[*compiler.Source]bool
	// oddValues are the sources of events whose value is no finite number in
	// some row.
	oddValues map[*compiler.Source]bool
	// repeated are warnings about experiments, each cause once.
	repeated []*repeated
	// misfitting: of some property it was said that values are not of its type.
	misfitting bool
}

// value is a value that occurs in the data.
type value struct {
	text string
	rows int64
}

func (c *checker) fact(format string, args ...any) {
	c.facts = append(c.facts, fmt.Sprintf(format, args...))
}

func (c *checker) run(ctx context.Context) error {
	for _, s := range c.catalog.Sources() {
		c.fact("source %s: %s, %s", s.Def.Name.V, amount(int64(len(s.Files)), "file"), amount(s.Rows, "row"))
	}
	c.measures = slices.Concat(measuresOf(c.plan.Units), awaited(c.plan), c.outsideMeasures())
	c.fact("as of %s", c.asOf.Format("2006-01-02 15:04:05.999999"))
	c.tell("looking at event keys")
	for _, s := range c.catalog.Events {
		values, err := c.values(ctx, compiler.ProbeEvents(s))
		if err != nil {
			return err
		}
		c.keys[s] = values
	}
	c.events()
	c.registered()
	c.tell("looking at property values")
	if err := c.properties(ctx); err != nil {
		return err
	}
	if err := c.types(ctx); err != nil {
		return err
	}
	if err := c.attributes(ctx); err != nil {
		return err
	}
	if err := c.amounts(ctx); err != nil {
		return err
	}
	c.windows()
	if err := c.losses(ctx); err != nil {
		return err
	}
	if err := c.copies(ctx); err != nil {
		return err
	}
	if err := c.times(ctx); err != nil {
		return err
	}
	return c.exposures(ctx)
}

// values runs a probe: the values that occur, with their rows.
func (c *checker) values(ctx context.Context, probe sqlast.Select) ([]value, error) {
	rows, err := c.query(ctx, probe)
	if err != nil {
		return nil, err
	}
	var out []value
	for _, row := range rows {
		if row[0] != nil {
			out = append(out, value{text(row[0]), whole(row[1]).Int64()})
		}
	}
	return out, nil
}

// texts are the texts of the values that a probe finds.
func (c *checker) texts(ctx context.Context, probe sqlast.Select) ([]string, error) {
	values, err := c.values(ctx, probe)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = v.text
	}
	return out, nil
}

func (c *checker) query(ctx context.Context, q sqlast.Select) ([][]any, error) {
	sql, err := sqlast.Print(sqlast.DuckDB, q)
	if err != nil {
		return nil, fmt.Errorf("print %s: %w", q.Why, err)
	}
	rows, err := c.engine.Query(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("look for %s: %w", q.Why, err)
	}
	return rows.Cells, nil
}

// maxValues is the number of distinct values from which on a probe is not
// taken to be complete.
const maxValues = 10_000

// windows warns of windows that no unit can have lived through.
func (c *checker) windows() {
	for _, u := range c.plan.Units {
		for _, x := range u.Experiments {
			for _, m := range x.Metrics {
				def := m.Def.Metric
				c.lookback(x, def)
				if w := def.Window; w.HasTo && x.Starts.Before(c.asOf) && x.Starts.Add(w.To).After(c.asOf) {
					c.foundIn(x, w.Pos, "window-longer-than-data", "the window of %s is longer than the data of experiment %s: %s until %s",
						def.Key.V, x.Def.Key.V, x.Starts.Format("2006-01-02 15:04"), c.asOf.Format("2006-01-02 15:04")).
						hint = "no unit has lived through it yet: shorten the window, or run again when there is more data"
				}
			}
		}
	}
}

// lookback warns of a time before the end that reaches to the start.
func (c *checker) lookback(x *compiler.ExperimentPlan, m *metrics.Metric) {
	until, w := x.Def.ObserveUntil, m.Window
	if !until.Set {
		until = x.Def.End
	}
	if w.HasLookback && until.Set && until.V.Sub(x.Starts) <= w.Lookback {
		c.foundIn(x, w.Pos, "lookback-longer-than-experiment", "the lookback of %s reaches back to the start of experiment %s or before, so that it counts what it would without: %s until %s",
			m.Key.V, x.Def.Key.V, minute(x.Starts), minute(until.V)).hint = "write a shorter one, or leave the window out"
	}
}

// exposures computes what a run would, and says what the impressions show and
// which metrics a run could not give, or would give without a single event.
func (c *checker) exposures(ctx context.Context) error {
	got, err := c.execute(ctx)
	if err != nil {
		return err
	}
	for _, u := range c.program.Units {
		c.strangers = map[*compiler.Source]bool{}
		for _, s := range c.catalog.Events {
			if err := c.matchRate(ctx, u, s); err != nil {
				return err
			}
		}
		for _, x := range u.Plan.Experiments {
			if err := c.counts(ctx, u.Plan, x, got); err != nil {
				return err
			}
			if err := c.joined(ctx, u, x); err != nil {
				return err
			}
			if act := u.Plan.Activation; act != nil && c.doubted[act.Measures[x.Def.Key.V]] {
				c.doubtedAudiences[x] = true
			}
			if err := c.experiment(ctx, x, got); err != nil {
				return err
			}
			c.without(x, got)
			c.health(x, got)
			c.unitConditions(u.Plan, x)
			c.otherSides(x)
			if err := c.dates(ctx, x); err != nil {
				return err
			}
		}
	}
	return nil
}

// lowShare is the share of units, or of ids, below which it is taken that hardly
// one has a partner.
const lowShare = 0.01

// matchRate warns where few exposed units have events at all. Where other ids
// are joined, how few units have events under their own says nothing.
func (c *checker) matchRate(ctx context.Context, u *compiler.UnitProgram, s *compiler.Source) error {
	if u.Plan.JoinsIDs(s) || !slices.ContainsFunc(u.Plan.Scans, func(scan *compiler.Scan) bool { return scan.Source == s }) {
		return nil
	}
	rows, err := c.query(ctx, u.ProbeMatch(s))
	if err != nil {
		return err
	}
	units, matched, folded := whole(rows[0][0]).Int64(), whole(rows[0][1]).Int64(), whole(rows[0][2]).Int64()
	if units == 0 {
		return nil
	}
	share := float64(matched) / float64(units)
	c.fact("%s: %s of %s (%.1f %%) have events in source %s", u.Plan.Kind, grouped(matched), amount(units, "exposed unit"), 100*share, s.Def.Name.V)
	pos := unitPlace(s.Def, u.Plan.Kind)
	c.strangers[s] = matched == 0
	const compared = "ids are compared as they are; spell them alike under columns: units on both sides, with lower(trim(…)), or text(number(…)) where they are numbers"
	if alike := units - whole(rows[0][5]).Int64(); alike > 0 {
		first := u.Plan.Impressions[0].Def
		c.found.Warnf(unitPlace(first, u.Plan.Kind), "units-alike", "%s in nothing but case, blanks or leading zeros of the id", counted("%d exposed {units differ from others|unit differs from another}", alike)).
			WithHint(compared)
	}
	switch strays := whole(rows[0][6]).Int64(); {
	case folded > matched:
		c.found.Warnf(pos, "ids-differ-in-spelling", "%s would have events in source %s if case, blanks and leading zeros of ids did not matter", amount(folded-matched, "more exposed unit"), s.Def.Name.V).
			WithHint(compared)
	case strays > 0:
		c.found.Warnf(pos, "ids-differ-in-spelling", "%s in source %s would be of exposed units if case, blanks and leading zeros did not matter; such events count for nobody",
			amount(strays, "more id"), s.Def.Name.V).WithHint(compared)
	case share < lowShare && s.Rows > 0:
		d := c.found.Warnf(pos, "units-never-match", "only %d of %d exposed units have events in source %s", matched, units, s.Def.Name.V)
		d.WithHint("map the same kind of id to %s in both sources", u.Plan.Kind)
		if exposed, event := text(rows[0][3]), text(rows[0][4]); event != "" {
			d.WithHint("map the same kind of id to %s in both sources: impressions have ids such as %q, and these events such as %q", u.Plan.Kind, exposed, event)
		}
	}
	return nil
}

// amount is a number of things, in English.
func amount(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return grouped(n) + " " + thing
}

// grouped is a number with commas between groups of three digits.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// unitPlace is where a source maps ids of a unit kind, else the source.
func unitPlace(s *metrics.Source, kind string) diag.Pos {
	for _, unit := range s.Columns.Units {
		if unit.Kind.V == kind && unit.Column.Pos.IsValid() {
			return unit.Column.Pos
		}
	}
	return s.Pos
}
