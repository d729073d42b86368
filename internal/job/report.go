package job

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// report turns sums into result tables.
func (p *prepared) report(ctx context.Context, c *collected, began time.Time) (*Result, error) {
	r := &reporter{prepared: p, collected: c, runID: p.runID()}
	for _, u := range p.program.Units {
		for _, x := range u.Plan.Experiments {
			if err := r.experiment(ctx, x); err != nil {
				return nil, err
			}
			if err := r.bootstrap(ctx, x); err != nil {
				return nil, err
			}
			if !p.opts.Waterfall {
				continue
			}
			if err := r.waterfall(ctx, u, x, Slice{}.part(), compiler.Slice{}); err != nil {
				return nil, err
			}
		}
	}
	r.effects.correct()
	if err := r.sources(ctx); err != nil {
		return nil, err
	}
	for _, u := range p.plan.Units {
		for _, x := range u.Experiments {
			r.verdicts(x)
		}
	}
	r.aboutExperiments()
	r.tables.Results = r.effects.rows
	r.definitions()
	r.run(began)
	slices.SortStableFunc(r.tables.Health, func(a, b metrics.HealthRow) int {
		return cmp.Or(cmp.Compare(a.Experiment, b.Experiment), cmp.Compare(a.Check, b.Check),
			cmp.Compare(a.Segment, b.Segment), cmp.Compare(a.SegmentValue, b.SegmentValue))
	})
	result := &Result{Tables: r.tables, Diagnostics: p.list.Sorted(), AsOf: p.asOf, RunID: r.runID}
	for _, h := range r.tables.Health {
		result.Failed = result.Failed || h.Status == metrics.Fail
	}
	return result, nil
}

type reporter struct {
	*prepared
	*collected
	tables  metrics.Tables
	runID   string
	effects effects
}

// runID is a digest of everything that determines the tables.
func (p *prepared) runID() string {
	h := sha256.New()
	fmt.Fprintln(h, p.opts.Version, metrics.SchemaVersion, p.catalog.Engine, p.definitionDigest(), p.asOf.Format(time.RFC3339Nano))
	fmt.Fprintf(h, "%q %q\n", p.opts.Experiments, p.opts.Metrics)
	for _, s := range slices.Concat(p.catalog.Sources(), p.catalog.Excluded) {
		fmt.Fprintln(h, s.Def.Name.V)
		for _, f := range s.Files {
			fmt.Fprintln(h, f.Path, f.Rows, f.Bytes)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

func (p *prepared) definitionDigest() string {
	h := sha256.New()
	for _, f := range p.defs.Files {
		fmt.Fprintln(h, f.Digest)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// part is one value of one segment.
type part struct {
	segment, value string
	split          splitValue
}

// of is the cell of the part with a variation.
func (q part) of(x *compiler.ExperimentPlan, v *metrics.Variation) cell {
	return cell{experiment: x.Def.Key.V, variation: v.Key.V, segment: q.segment, value: q.value, split: q.split}
}

// parts are the segments of an experiment among the cells, everybody first,
// then the values of each segment in alphabetical order.
func parts(x *compiler.ExperimentPlan, cells iter.Seq[cell]) []part {
	values := map[string][]string{}
	for k := range cells {
		if k.experiment == x.Def.Key.V && !slices.Contains(values[k.segment], k.value) {
			values[k.segment] = append(values[k.segment], k.value)
		}
	}
	out := []part{{segment: metrics.Overall, value: metrics.All}}
	for _, s := range x.Def.Segments {
		slices.Sort(values[s.Key.V])
		for _, v := range values[s.Key.V] {
			out = append(out, part{segment: s.Key.V, value: v})
		}
	}
	return out
}

func (r *reporter) experiment(ctx context.Context, x *compiler.ExperimentPlan) error {
	exposed := parts(x, maps.Keys(r.exposed))
	mismatch := r.health(x)
	if err := r.silentSources(ctx, x); err != nil {
		return err
	}
	for _, m := range x.Metrics {
		if r.overflow(x, m) {
			if err := r.overflowed(ctx, x, m, exposed); err != nil {
				return err
			}
			continue
		}
		s := r.subject(x, m)
		for _, q := range exposed {
			r.metric(x, m, s, q, append(slices.Clone(mismatch), r.notes(x, m)...))
		}
		for _, in := range m.BySegment {
			r.bySegment(x, m, in, mismatch)
		}
		if m.Split == nil {
			continue
		}
		values := r.splitValues(x, m.Split)
		r.split(x, m, values, exposed, mismatch)
		for _, in := range m.BySegment {
			one := m.In(in)
			r.split(x, one, values, r.partsIn(x, in), r.formedAfter(one, mismatch))
		}
	}
	r.exposures(x)
	return nil
}

// splitValues are the values of a split, by text.
func (r *reporter) splitValues(x *compiler.ExperimentPlan, split *compiler.Tally) []splitValue {
	var values []splitValue
	for k := range r.sums[split] {
		if k.experiment == x.Def.Key.V && !slices.Contains(values, k.split) {
			values = append(values, k.split)
		}
	}
	slices.SortFunc(values, func(a, b splitValue) int { return cmp.Compare(a.value, b.value) })
	return values
}

// split adds the rows of a metric for each value of its split.
func (r *reporter) split(x *compiler.ExperimentPlan, m *compiler.MetricPlan, values []splitValue, parts []part, mismatch []string) {
	one := *m
	one.Tally, one.Split = m.Split, nil
	s := r.subject(x, &one)
	s.value = false // of the values of a split none is the value of the metric
	s.margin = nil
	for _, v := range values {
		for _, q := range parts {
			q.split = v
			r.metric(x, &one, s, q, append(slices.Clone(mismatch), r.notes(x, &one)...))
		}
	}
}

// bySegment adds the rows of a metric for each value of a segment from events.
func (r *reporter) bySegment(x *compiler.ExperimentPlan, m *compiler.MetricPlan, in compiler.SegmentSums, mismatch []string) {
	one := m.In(in)
	s := r.subject(x, one)
	for _, q := range r.partsIn(x, in) {
		r.metric(x, one, s, q, append(slices.Clone(r.formedAfter(one, mismatch)), r.notes(x, one)...))
	}
}

// partsIn are the values of a segment from events that units of a metric have.
func (r *reporter) partsIn(x *compiler.ExperimentPlan, in compiler.SegmentSums) []part {
	return slices.DeleteFunc(parts(x, maps.Keys(r.unitsOf(in.Tally).exposed)), func(q part) bool { return q.segment != in.Key })
}

// formedAfter adds the warning that what units there are is told by what they did
// after the exposure, where the metric does not say so itself.
func (r *reporter) formedAfter(m *compiler.MetricPlan, warnings []string) []string {
	if m.Tally.Follows() {
		return warnings
	}
	return append(slices.Clone(warnings), metrics.WarnAfterExposure)
}

// sampled reports whether a row that counts for a metric, or for a step of its funnel,
// stands for several.
func (r *reporter) sampled(x *compiler.ExperimentPlan, m *compiler.MetricPlan) bool {
	tallies := []*compiler.Tally{m.Tally}
	if m.Step > 0 {
		tallies = nil
		for _, step := range x.Metrics {
			if step.Def == m.Def {
				tallies = append(tallies, step.Tally)
			}
		}
	}
	return slices.ContainsFunc(tallies, func(t *compiler.Tally) bool {
		for k, s := range r.sums[t] {
			if k.experiment == x.Def.Key.V && k.segment == metrics.Overall && s.sampled > 0 {
				return true
			}
		}
		return false
	})
}

// notes are the warnings that every row of a metric in an experiment carries.
func (r *reporter) notes(x *compiler.ExperimentPlan, m *compiler.MetricPlan) []string {
	var notes []string
	if r.sampled(x, m) {
		notes = append(notes, metrics.WarnSampled)
	}
	if m.Tally.Follows() {
		notes = append(notes, metrics.WarnAfterExposure)
	}
	if m.Def.Analysis.CUPED.V.Days > 0 && m.Tally.P == nil {
		notes = append(notes, metrics.WarnNoCUPED)
	}
	if by := m.Def.Analysis.Stratify.V; len(by) > 0 {
		switch known := x.StrataOf(m.Def.Analysis.Stratify.V); {
		case len(known) == 0 || m.Kind == stats.Percentile:
			notes = append(notes, metrics.WarnNoStrata)
		case len(known) < len(by):
			notes = append(notes, metrics.WarnSomeStrata)
		}
	}
	if phasesPooled(x, m) {
		notes = append(notes, metrics.WarnPhasesPooled)
	}
	return notes
}

// subject is a metric of an experiment, as statistics see it now.
func (r *reporter) subject(x *compiler.ExperimentPlan, m *compiler.MetricPlan) subject {
	opt := stats.OptionsOf(m.Def.Analysis)
	opt.CUPED, opt.Better = m.Tally.P != nil, m.Def.Metric.Better.V
	looks := r.looksSoFar(x, m.Def.Analysis)
	if looks != nil {
		if err := lookAt(*looks, m.Def.Analysis, &opt); err != nil {
			panic("job: looks ascend: " + err.Error())
		}
	}
	s := subject{kind: m.Kind, looks: looks, opt: opt, better: opt.Better, correction: m.Def.Analysis.Correction.V, value: m.IsValue()}
	if m.IsValue() {
		s.margin = m.Def.Margin
	}
	return s
}

// strata are the parts of two variations that a comparison is post-stratified by,
// if it is: the phases of the experiment, and over everybody the values of a segment.
func (r *reporter) strata(x *compiler.ExperimentPlan, m *compiler.MetricPlan, q part, baseline, variation *metrics.Variation) []stats.Stratum {
	within := r.strataOf(x, m, q)
	if m.Kind == stats.Percentile || len(within) == 0 && len(x.Strata()) == 0 {
		return nil
	}
	if len(within) == 0 {
		within = []part{q}
	}
	out := []stats.Stratum{}
	for _, of := range r.periods(x) {
		if !of.plans(baseline, variation) {
			continue // a phase with one of them alone compares nothing
		}
		for _, p := range within {
			p.split = q.split
			out = append(out, stats.Stratum{
				Baseline:  r.momentsOf(of.unitSums, m, p.of(x, baseline)),
				Variation: r.momentsOf(of.unitSums, m, p.of(x, variation)),
			})
		}
	}
	return out
}

// strataOf are the values of the segments that a part is stratified by.
func (r *reporter) strataOf(x *compiler.ExperimentPlan, m *compiler.MetricPlan, q part) []part {
	by := x.StrataOf(m.Def.Analysis.Stratify.V)
	if len(by) == 0 || q.segment != metrics.Overall {
		return nil
	}
	segment := compiler.StrataSegment(by)
	var values []string
	for k := range r.exposed {
		if k.experiment == x.Def.Key.V && k.segment == segment && !slices.Contains(values, k.value) {
			values = append(values, k.value)
		}
	}
	slices.Sort(values)
	var out []part
	for _, v := range values {
		out = append(out, part{segment: segment, value: v})
	}
	return out
}

// metric adds the rows of one metric for one segment value.
func (r *reporter) metric(x *compiler.ExperimentPlan, m *compiler.MetricPlan, s subject, q part, warnings []string) {
	moments := map[string]stats.Moments{}
	for _, v := range x.Def.Variations {
		moments[v.Key.V] = r.moments(m, q.of(x, v))
	}
	for _, v := range x.Def.Variations {
		k := q.of(x, v)
		own := moments[v.Key.V]
		row := r.resultRow(x, m, k, s.opt)
		row.Warnings = warnings
		s.describe(&row, own)
		others := x.Def.ComparedTo(v)
		if len(others) == 0 || v.Baseline {
			r.effects.add(row)
		}
		if x.Def.Multiple.V == metrics.MultipleEach {
			row.Warnings = append(slices.Clone(warnings), metrics.WarnSharedUnits)
		}
		for _, other := range others {
			r.effects.compare(row, s, other.Key.V, arms{
				all:    stats.Stratum{Baseline: moments[other.Key.V], Variation: own},
				strata: r.strata(x, m, q, other, v),
			})
		}
		r.tables.Moments = append(r.tables.Moments, r.momentRow(x, m, v, q, own, s.looks, row.Warnings))
	}
}

func (r *reporter) resultRow(x *compiler.ExperimentPlan, m *compiler.MetricPlan, k cell, opt stats.Options) metrics.ResultRow {
	row := metrics.ResultRow{
		RunID: r.runID, AsOf: r.asOf, Experiment: k.experiment, Flag: x.Def.Flag.V, Rule: x.Def.Rule.V,
		Role: string(m.Def.Role), Metric: m.Def.Metric.Key.V, Version: m.Def.Metric.Version,
		Segment: k.segment, SegmentValue: k.value, Variation: k.variation,
		Exposed: r.unitsOf(m.Tally).exposed[k.whole()], Alpha: opt.Alpha, Warnings: []string{}, Method: "none",
	}
	row.Step, row.Split = stepOf(m), k.split.text()
	if s := r.sums[m.Tally][k]; s != nil {
		row.UnitsWithEvent, row.Events = s.withEvents, s.events
	}
	return row
}

// stepOf is the step of a funnel; nil where there is none.
func stepOf(m *compiler.MetricPlan) *int64 {
	if m.Step == 0 {
		return nil
	}
	return new(int64(m.Step))
}

// moments are the exact sums of a metric over a cell.
func (r *reporter) moments(m *compiler.MetricPlan, k cell) stats.Moments {
	return r.momentsOf(&r.unitSums, m, k)
}

// momentsOf are the exact sums of a metric over some of the units of a cell.
func (r *reporter) momentsOf(of *unitSums, m *compiler.MetricPlan, k cell) stats.Moments {
	t := m.Tally
	s := of.sums[t][k]
	if s == nil {
		s = &tallySums{terms: map[stats.Term]*big.Int{}}
	}
	exposed := of.unitsOf(t)
	units := exposed.activated[k.whole()]
	if len(t.Waits) > 0 {
		units = exposed.waited[k.whole()][compiler.WaitColumn(t.Waits)]
	}
	whole := map[stats.Term]*big.Int{}
	for _, term := range t.Need.Terms() {
		whole[term] = new(big.Int)
		if v := s.terms[term]; v != nil {
			whole[term].Set(v)
		}
	}
	units = t.Complete(whole, units, s.units, s.present, r.caps[capKey{m.Caps(), stats.X, k.experiment}], r.caps[capKey{m.Caps(), stats.Y, k.experiment}])
	sums := map[stats.Term]stats.Sum{}
	for term, sum := range whole {
		sums[term] = stats.NewSum(sum, t.TermDigits(term))
	}
	out := stats.NewMoments(units, sums)
	out.Quantiles = r.percentiles[percentileKey{t, k}]
	return out
}

// weightOf is the planned weight of a variation; nil where there is none, or several.
func weightOf(x *metrics.Experiment, v *metrics.Variation) *float64 {
	weight := plannedWeight(x, v)
	if weight == nil {
		return nil
	}
	w, _ := weight.Float64()
	return &w
}

// overflowed reports a metric whose numbers are too large, in every row and in errors.
func (r *reporter) overflowed(ctx context.Context, x *compiler.ExperimentPlan, m *compiler.MetricPlan, parts []part) error {
	const status = "overflow"
	why, hint, err := r.overflowText(ctx, x, m)
	if err != nil {
		return err
	}
	opt := stats.OptionsOf(m.Def.Analysis)
	for _, q := range parts {
		for _, v := range x.Def.Variations {
			k := q.of(x, v)
			row := r.resultRow(x, m, k, opt)
			row.Units, row.Status, row.Reason = r.moments(m, k).Units, status, &why
			others := x.Def.ComparedTo(v)
			if len(others) == 0 || v.Baseline {
				r.effects.add(row)
			}
			for _, other := range others {
				row.ComparedTo = &other.Key.V
				r.effects.add(row)
			}
		}
	}
	r.tables.Errors = append(r.tables.Errors, metrics.ErrorRow{
		RunID: r.runID, AsOf: r.asOf, Experiment: x.Def.Key.V, Metric: &m.Def.Metric.Key.V, Code: status, Message: why, Hint: &hint,
	})
	return nil
}

// exposures adds the units by day, for each variation and segment value from
// its first day to its last; days without new units have no row.
func (r *reporter) exposures(x *compiler.ExperimentPlan) {
	dates := map[cell][]time.Time{}
	for d := range r.days {
		dates[d.cell] = append(dates[d.cell], d.date)
	}
	for _, v := range x.Def.Variations {
		for _, q := range parts(x, maps.Keys(dates)) {
			k := q.of(x, v)
			slices.SortFunc(dates[k], time.Time.Compare)
			total := int64(0)
			for _, date := range dates[k] {
				n := r.days[dayCell{k, date}]
				total += n.units
				if n.units == 0 && n.several == 0 {
					continue // everybody of that day was left out for another reason
				}
				r.tables.Exposures = append(r.tables.Exposures, metrics.ExposureRow{
					RunID: r.runID, AsOf: r.asOf, Experiment: k.experiment, Variation: k.variation, Segment: k.segment, SegmentValue: k.value,
					Date: metrics.Date{Time: date}, Units: n.units, CumulativeUnits: total, Impressions: n.impressions, SeveralVariations: n.several,
				})
			}
		}
	}
}

// definitions adds what was computed: metrics, experiments, variations.
func (r *reporter) definitions() {
	used := map[string]bool{}
	for _, u := range r.plan.Units {
		for _, x := range u.Experiments {
			e := x.Def
			row := metrics.ExperimentRow{
				RunID: r.runID, AsOf: r.asOf, Key: e.Key.V, Name: optional(e.Name.V), Description: optional(e.Description.V),
				Tags: texts(e.Tags), Maintainer: optional(e.Maintainer.V), Flag: e.Flag.V, Rule: e.Rule.V, Unit: e.Unit.V,
				Start: e.Start.V, Definition: e.Definition, Version: e.Version,
			}
			if e.End.Set {
				row.End = &e.End.V
			}
			r.tables.Experiments = append(r.tables.Experiments, row)
			for _, v := range e.Variations {
				r.tables.Variations = append(r.tables.Variations, metrics.VariationRow{
					RunID: r.runID, AsOf: r.asOf, Experiment: e.Key.V, Key: v.Key.V, Name: optional(v.Name.V), Weight: weightOf(e, v), Baseline: v.Baseline,
				})
			}
			for _, m := range x.Metrics {
				used[m.Def.Metric.Key.V] = true
			}
		}
	}
	for _, m := range r.defs.Metrics {
		if !used[m.Key.V] {
			continue
		}
		row := metrics.MetricRow{
			RunID: r.runID, AsOf: r.asOf, Key: m.Key.V, Name: optional(m.Name.V), Description: optional(m.Description.V),
			Tags: texts(m.Tags), Maintainer: optional(m.Maintainer.V), Kind: string(m.Measure.V), Better: string(m.Better.V),
			UnitLabel: optional(m.UnitLabel.V), Format: optional(m.Format.V), Definition: m.Definition, Version: m.Version,
		}
		events := m.Event.Keys
		switch {
		case m.Ratio != nil:
			row.Kind = "ratio"
		case m.Funnel != nil:
			row.Kind = "funnel"
			for _, step := range m.Funnel.Steps {
				events = append(slices.Clone(events), step.Event.Keys...)
			}
		}
		row.Event = optional(strings.Join(texts(events), ", "))
		r.tables.Metrics = append(r.tables.Metrics, row)
	}
}

func (r *reporter) run(began time.Time) {
	row := metrics.RunRow{
		RunID: r.runID, AsOf: r.asOf, Version: r.opts.Version, SchemaVersion: metrics.SchemaVersion, Started: began.UTC(), Now: r.opts.Now.UTC(),
		Seconds: time.Since(began).Seconds(), DefinitionDigest: r.definitionDigest(), PeakMemory: peakMemory(),
		Engine: r.catalog.Engine, Outcome: "done",
	}
	if len(r.tables.Errors) > 0 {
		row.Outcome = "done_with_errors"
	}
	for _, s := range r.catalog.Sources() {
		row.InputFiles += int64(len(s.Files))
		row.InputRows += s.Rows
		row.InputBytes += s.Bytes
	}
	r.tables.Runs = append(r.tables.Runs, row)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func texts(list []metrics.Text) []string {
	out := []string{}
	for _, t := range list {
		out = append(out, t.V)
	}
	return out
}
