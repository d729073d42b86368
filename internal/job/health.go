package job

import (
	"context"
	"fmt"
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// partitionAlarm is the share of rows that may lie too far from their
// partition's day before the source's partition is taken to be wrong.
const partitionAlarm = 0.001

// check adds a row to the table health.
func (r *reporter) check(experiment, check, segment, value string, status metrics.HealthStatus, detail string) *metrics.HealthRow {
	if known, ok := metrics.CheckNamed(check); !ok || status == metrics.Fail && !known.Fails {
		panic(fmt.Sprintf("job: metrics.Checks has no check %q that is %q", check, status))
	}
	r.tables.Health = append(r.tables.Health, metrics.HealthRow{
		RunID: r.runID, AsOf: r.asOf, Experiment: experiment, Check: check, Segment: segment, SegmentValue: value, Status: status, Detail: detail,
	})
	return &r.tables.Health[len(r.tables.Health)-1]
}

// health adds the checks of an experiment. It gives the warnings that every
// result row of the experiment carries.
func (r *reporter) health(x *compiler.ExperimentPlan) []string {
	warnings := []string{}
	if r.sampleRatio(x) {
		warnings = append(warnings, metrics.WarnSampleRatio)
	}
	if r.several(x) {
		warnings = append(warnings, metrics.WarnSeveralVariations)
	}
	if x.Def.Activation != nil {
		r.activatedRatio(x)
	}
	r.ratios(x)
	r.exposedUnits(x)
	r.leftOut(x)
	r.silentMetrics(x)
	return warnings
}

// sampleRatio tests whether the units came in the planned ratio; it reports
// an alarm.
func (r *reporter) sampleRatio(x *compiler.ExperimentPlan) bool {
	t, within, opt := r.ratioOf(x, func(of *unitSums) map[cell]int64 { return of.exposed })
	h := sampleRatioCheck(t, within, opt)
	h.RunID, h.AsOf, h.Experiment = r.runID, r.asOf, x.Def.Key.V
	r.tables.Health = append(r.tables.Health, h)
	return t.Alarm
}

// activatedRatio warns where the units that were activated did not come in the
// planned ratio: the treatment may change who is activated.
func (r *reporter) activatedRatio(x *compiler.ExperimentPlan) {
	t, within, opt := r.ratioOf(x, func(of *unitSums) map[cell]int64 { return of.activated })
	status, detail := metrics.Pass, "activated units came in the planned ratio"+within
	switch {
	case t.Status != stats.OK:
		status, detail = metrics.Warn, t.Reason
	case t.Alarm:
		status, detail = metrics.Warn, "activated units did not come in the planned ratio"+within+": the variations may differ in who is activated"
	}
	h := r.check(x.Def.Key.V, metrics.CheckActivatedRatio, metrics.Overall, metrics.All, status, detail)
	h.Statistic, h.PValue, h.Threshold = t.Statistic, t.PValue, &opt.SampleRatioAlarm
}

// several compares the units seen in several variations with the alarm. With each they
// are what was asked for, and raise none.
func (r *reporter) several(x *compiler.ExperimentPlan) bool {
	var several, units int64
	for k, n := range r.days {
		if k.experiment == x.Def.Key.V && k.segment == metrics.Overall {
			several += n.several
		}
	}
	for k, n := range r.collected.units {
		if k.experiment == x.Def.Key.V && k.reason != "no_impression" {
			units += n
		}
	}
	share := 0.0
	if units > 0 {
		share = float64(several) / float64(units)
	}
	if x.Def.Multiple.V == metrics.MultipleEach { // a unit is among the units once for each variation
		n := float64(several)
		r.check(x.Def.Key.V, metrics.CheckSeveralVariations, metrics.Overall, metrics.All, metrics.Pass,
			counted("%d {units saw several variations, and count|unit saw several variations, and counts} in each of them (multiple_variations: each)", several)).Statistic = &n
		return false
	}
	limit := x.Def.Analysis.SeveralVariations.V.Float()
	status := metrics.Pass
	if share > limit {
		status = metrics.Fail
	}
	h := r.check(x.Def.Key.V, metrics.CheckSeveralVariations, metrics.Overall, metrics.All, status,
		fmt.Sprintf("%d of %d units saw several variations (multiple_variations: %s)", several, units, x.Def.Multiple.V))
	h.Statistic, h.Threshold = &share, &limit
	return status == metrics.Fail
}

// exposedUnits fails an experiment without units, so that it cannot be taken
// for one without an effect, and warns of empty variations.
func (r *reporter) exposedUnits(x *compiler.ExperimentPlan) {
	total := int64(0)
	var empty []string
	for _, v := range x.Def.Variations {
		n := r.exposed[overall(x.Def.Key.V, v.Key.V)]
		total += n
		if n == 0 {
			empty = append(empty, v.Key.V)
		}
	}
	status, detail := metrics.Pass, counted("%d exposed {units|unit}", total)
	switch {
	case total == 0:
		status, detail = metrics.Fail, "no exposed units: no impression matches the experiment, its dates and its audience; metricsjob check says more"
	case len(empty) > 0:
		status, detail = metrics.Warn, counted("%d exposed {units|unit}", total)+fmt.Sprintf(", none in %q", empty)
	}
	n := float64(total)
	r.check(x.Def.Key.V, metrics.CheckExposedUnits, metrics.Overall, metrics.All, status, detail).Statistic = &n
}

// comparedBy says by what the rows of sources are copies of each other.
func comparedBy(sources []*compiler.Source) string {
	byID, byRow := false, false
	for _, s := range sources {
		row := s.Def.Dedupe.V == metrics.DedupeRow
		byRow = byRow || row
		byID = byID || !row && len(s.ID) > 0
	}
	switch {
	case byID && byRow:
		return "by id or row"
	case byRow:
		return "by row"
	}
	return "by id"
}

// leftOut says what was left out of the experiment.
func (r *reporter) leftOut(x *compiler.ExperimentPlan) {
	say := func(check string, n int64, status metrics.HealthStatus, detail string) {
		if n == 0 {
			status = metrics.Pass
		}
		f := float64(n)
		r.check(x.Def.Key.V, check, metrics.Overall, metrics.All, status, counted(detail, n)).Statistic = &f
	}
	key := x.Def.Key.V
	say(metrics.CheckUnknownVariation, r.rows[reason{key, "unknown_variation"}], metrics.Warn, "%d {impressions show|impression shows} a variation that is not in the file")
	say(metrics.CheckHoldback, r.rows[reason{key, "holdback"}], metrics.Pass, "%d {impressions are holdbacks and were|impression is a holdback and was} left out")
	if x.Audience != nil {
		say(metrics.CheckAudience, r.collected.units[reason{key, "audience"}], metrics.Pass, "%d {units are|unit is} not in the audience")
	}
	if x.Def.Activation != nil {
		say(metrics.CheckNotActivated, r.collected.units[reason{key, "not_activated"}], metrics.Pass, "%d exposed {units were|unit was} not activated")
	}
	switch ambiguous := r.rows[reason{key, "ambiguous_id"}]; x.Def.Identity.V {
	case metrics.IdentityStrict:
		say(metrics.CheckAmbiguousID, ambiguous, metrics.Pass, "%d {ids lead to several units, and are|id leads to several units, and is} left out")
	case metrics.IdentityFirstTouch:
		say(metrics.CheckAmbiguousID, ambiguous, metrics.Pass, "%d {ids lead to several units, and count|id leads to several units, and counts} for the one exposed first")
	}
	if x.Def.LastPhase() != nil {
		say(metrics.CheckPhase, r.collected.units[reason{key, "phase"}], metrics.Pass, "%d {units are|unit is} of phases before the last")
	}
	if len(x.Def.ExcludeUnitsIn) > 0 {
		say(metrics.CheckOtherExperiment, r.collected.units[reason{key, "other_experiment"}], metrics.Pass, "%d {units are left out because they are|unit is left out because it is} in another experiment")
	}
	if slices.ContainsFunc(x.Sources, func(s *compiler.Source) bool { return len(s.ID) > 0 }) {
		say(metrics.CheckDuplicateImpressions, r.rows[reason{key, "duplicate"}], metrics.Pass, "%d {impressions are copies|impression is a copy} of others "+comparedBy(x.Sources))
	}
	for _, what := range []struct{ reason, check, detail string }{
		{"duplicate events", metrics.CheckDuplicateEvents, "%d {events of exposed units are copies|event of an exposed unit is a copy} of others " + comparedBy(r.catalog.Events)},
		{"no_weight events", metrics.CheckNoWeight, "%d {events of exposed units have no weight of 1 or more, and count|event of an exposed unit has no weight of 1 or more, and counts} once"},
		{"not_a_number events", metrics.CheckNotANumber, "%d {events of exposed units have|event of an exposed unit has} a value that is no finite number where one is needed"},
	} {
		if n, asked := r.rows[reason{key, what.reason}]; asked {
			status := metrics.Pass
			if what.check != metrics.CheckDuplicateEvents {
				status = metrics.Warn
			}
			say(what.check, n, status, what.detail)
		}
	}
}

// silentMetrics warns of metrics for which no row counts in any variation.
func (r *reporter) silentMetrics(x *compiler.ExperimentPlan) {
	for _, m := range x.Metrics {
		if r.counted(x, m) == 0 {
			zero := 0.0
			r.check(x.Def.Key.V, metrics.CheckNoEvents, "metric", m.Def.Metric.Key.V, metrics.Warn,
				"no event counts for this metric in any variation; metricsjob check says why").Statistic = &zero
		}
	}
}

// sources adds the checks of the sources. They are over all files, also those
// that a run prunes: a row that lies in a partition far from its day is lost to
// the run, and is counted just because its file is not read. Footers mostly
// prove that there is none.
func (r *reporter) sources(ctx context.Context) error {
	for _, s := range r.catalog.Sources() {
		d, err := loaders.Count(ctx, r.engine, s, r.asOf)
		if err != nil {
			return fmt.Errorf("count what source %s loses: %w", s.Def.Name.V, err)
		}
		r.source(s, d)
		if err := r.excluded(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// excluded counts the rows of excluded units.
func (r *reporter) excluded(ctx context.Context, s *compiler.Source) error {
	if len(s.Excluded) == 0 || !r.program.Excludes(s) {
		return nil
	}
	query, err := sqlast.Print(sqlast.DuckDB, compiler.CountExcluded(s))
	if err != nil {
		return fmt.Errorf("count the rows of excluded units: %w", err)
	}
	rows, err := r.engine.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("count the rows of excluded units in source %s: %w", s.Def.Name.V, err)
	}
	n := whole(rows.Cells[0][0]).Int64()
	f := float64(n)
	r.check("", metrics.CheckExcludedUnit, "source", s.Def.Name.V, metrics.Pass, counted("%d {rows are|row is} of excluded units", n)).Statistic = &f
	return nil
}

func (r *reporter) source(s *compiler.Source, d loaders.Dropped) {
	for _, l := range r.losses(s, d) {
		n := float64(l.rows)
		h := r.check("", l.check, "source", s.Def.Name.V, l.status, counted(l.detail, l.rows))
		h.Statistic, h.Threshold = &n, l.threshold
	}
}

// loss is a reason for which rows of a source do not exist, or lack something.
type loss struct {
	check     string
	rows      int64
	status    metrics.HealthStatus
	detail    string // with a verb for rows
	threshold *float64
	pos       diag.Pos // what maps the column, where there is one
}

// losses are what a source loses, each loss also where it is none.
func (p *prepared) losses(s *compiler.Source, d loaders.Dropped) []loss {
	var out []loss
	c := &s.Def.Columns
	add := func(check string, n int64, status metrics.HealthStatus, pos diag.Pos, detail string) *loss {
		if n == 0 {
			status = metrics.Pass
		}
		if !pos.IsValid() {
			pos = s.Def.Pos
		}
		out = append(out, loss{check: check, rows: n, status: status, detail: detail, pos: pos})
		return &out[len(out)-1]
	}
	if s.Lines {
		status, limit := metrics.Warn, float64(s.Rows)
		if float64(d.Unreadable) > limit { // more than are: another format
			status = metrics.Fail
		}
		add(metrics.CheckUnreadable, d.Unreadable, status, s.Def.Paths[0].Pos, "%d {lines of the files are|line of the files is} no record that can be read").threshold = &limit
	}
	add(metrics.CheckFuture, p.horizon.Future[s.Def.Name.V], metrics.Warn, c.Timestamp.Column.Pos, "%d {rows have|row has} a timestamp more than a day in the future")
	add(metrics.CheckNoTimestamp, d.NoTimestamp, metrics.Warn, c.Timestamp.Column.Pos, "%d {rows have|row has} no timestamp that can be read")
	if s.Def.Role == metrics.RoleEvents {
		add(metrics.CheckNoEvent, d.NoEvent, metrics.Warn, c.Event.Pos, "%d {rows have|row has} no event key")
	}
	if s.Where != nil {
		add(metrics.CheckWhere, d.Where, metrics.Pass, s.Def.Where.Pos, "%d {rows are|row is} left out by the source's where")
	}
	if s.PartitionDay != nil {
		status := metrics.Warn
		if s.Rows > 0 && float64(d.Partition) > partitionAlarm*float64(s.Rows) {
			status = metrics.Fail
		}
		limit := partitionAlarm * float64(s.Rows)
		add(metrics.CheckPartition, d.Partition, status, s.Def.Partition.Pos, "%d {rows lie|row lies} too far from {their|its} partition's day; see partition: early and late").threshold = &limit
	}
	for i, u := range s.Units {
		if !slices.ContainsFunc(p.defs.Experiments, func(e *metrics.Experiment) bool { return e.Unit.V == u.Kind }) {
			continue // no row is lost for want of it
		}
		status, detail := metrics.Warn, "%d {rows have|row has} no id of the kind "+u.Kind
		switch n := d.NoUnit[u.Kind]; {
		case n > 0 && d.NoID == 0: // rows of other units, as of the other kinds of a context
			status, detail = metrics.Pass, detail+", but one of another kind"
		case n > d.NoID:
			detail += fmt.Sprintf(", and %d of them none of any", d.NoID)
		}
		add(metrics.CheckNoUnit, d.NoUnit[u.Kind], status, c.Units[i].Column.Pos, detail)
	}
	bag := c.Properties
	if !s.Properties.IsJSON() {
		bag = c.Attributes
	}
	if s.Properties.IsJSON() || s.Attributes.IsJSON() {
		add(metrics.CheckMalformed, d.Malformed, metrics.Warn, bag.From.Pos, "%d {rows have|row has} properties or attributes that are neither a JSON object nor a list of named values")
	}
	return out
}
