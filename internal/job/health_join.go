package job

import (
	"context"
	"fmt"
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// enough is how many units, and how many events, there must be before it is no
// chance that none of the events is of one of the units.
const enough = 100

// silentSources warns of sources of events of which none counts for any metric,
// since none is of a unit of the experiment: their ids are not those of the units,
// and every number would be a zero that looks like any other. That no metric has
// events is known from the sums; only then are the rows looked at.
func (r *reporter) silentSources(ctx context.Context, x *compiler.ExperimentPlan) error {
	if r.collected.exposedUnits(x) < enough {
		return nil
	}
	i := slices.IndexFunc(r.program.Units, func(u *compiler.UnitProgram) bool { return slices.Contains(u.Plan.Experiments, x) })
	for _, s := range r.catalog.Events {
		if !r.isSilent(x, s) {
			continue
		}
		probe, kinds := r.program.Units[i].ProbeJoin(x, s)
		query, err := sqlast.Print(sqlast.DuckDB, probe)
		if err != nil {
			return fmt.Errorf("print %s: %w", probe.Why, err)
		}
		found, err := r.engine.Query(ctx, query)
		if err != nil {
			return fmt.Errorf("look for %s: %w", probe.Why, err)
		}
		rows, met := whole(found.Cells[0][0]).Int64(), whole(found.Cells[0][1]).Int64()
		if rows < enough || met > 0 {
			continue
		}
		hint := "spelt otherwise, they are made alike by an expression under columns: units; of another kind, they are joined by identity"
		if len(kinds) > 0 {
			hint = "see whether sources of units pair them with units of this experiment"
		}
		zero := 0.0
		r.check(x.Def.Key.V, metrics.CheckUnitsNeverMatch, "source", s.Def.Name.V, metrics.Warn,
			fmt.Sprintf("none of %s in the time of the experiment is of a unit of it, so no metric has any: do the ids mean the same %ss? %s; metricsjob check compares them",
				amount(rows, "event"), x.Def.Unit.V, hint)).Statistic = &zero
	}
	return nil
}

// isSilent reports whether metrics of an experiment read a source, and no event
// counts for any of them in any variation.
func (r *reporter) isSilent(x *compiler.ExperimentPlan, s *compiler.Source) bool {
	read := false
	for _, m := range x.Metrics {
		if !reads(m.Tally, s) {
			continue
		}
		if read = true; r.counted(x, m) > 0 {
			return false
		}
	}
	return read
}

// reads reports whether a tally counts rows of a source.
func reads(t *compiler.Tally, s *compiler.Source) bool {
	return slices.Contains(t.X.Measure.Sources, s) || t.Y != nil && slices.Contains(t.Y.Measure.Sources, s)
}
