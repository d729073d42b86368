package job

import (
	"context"
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
)

// joined says how many ids of other kinds lead to units of an experiment that joins
// them, and how many events are of its units, and warns where hardly an id does.
func (c *checker) joined(ctx context.Context, u *compiler.UnitProgram, x *compiler.ExperimentPlan) error {
	if x.Def.Identity.V == "" {
		return nil
	}
	for _, s := range c.catalog.Events {
		if !u.Plan.JoinsIDs(s) || !slices.ContainsFunc(u.Plan.Scans, func(scan *compiler.Scan) bool { return scan.Source == s }) {
			continue
		}
		probe, kinds := u.ProbeJoin(x, s)
		rows, err := c.query(ctx, probe)
		if err != nil {
			return err
		}
		number := func(i int) int64 { return whole(rows[0][i]).Int64() }
		if number(0) == 0 {
			continue
		}
		c.fact("experiment %s: %s of %s in source %s are of its units", x.Def.Key.V, grouped(number(1)), amount(number(0), "event"), s.Def.Name.V)
		for i, kind := range kinds {
			ids, leading := number(2+2*i), number(3+2*i)
			if ids == 0 {
				continue
			}
			c.fact("experiment %s: %s of %s of %s in events of source %s without a %s lead to one", x.Def.Key.V, grouped(leading), amount(ids, "id"), kind, s.Def.Name.V, u.Plan.Kind)
			if float64(leading) < lowShare*float64(ids) {
				c.foundIn(x, unitPlace(s.Def, kind), "ids-never-paired", "only %d of %d ids of %s in source %s lead to a %s", leading, ids, kind, s.Def.Name.V, u.Plan.Kind).
					hint = "sources of units pair them, by ids that are spelt as these are; an id of several units leads to none with identity: strict"
			}
		}
	}
	return nil
}
