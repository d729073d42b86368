package job

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// momentRow is the row of a variation of one metric in one segment value: its sums, and
// all that [Stats] needs to know beside them.
func (r *reporter) momentRow(x *compiler.ExperimentPlan, m *compiler.MetricPlan, v *metrics.Variation, q part, own stats.Moments, looks *metrics.MomentLooks, warnings []string) metrics.MomentRow {
	k := q.of(x, v)
	row := metrics.MomentRow{
		RunID: r.runID, AsOf: r.asOf, Experiment: k.experiment, Metric: m.Def.Metric.Key.V, Version: m.Def.Metric.Version,
		Kind: m.Kind.String(), Segment: k.segment, SegmentValue: k.value, Variation: k.variation, Baseline: v.Baseline,
		Weight: sampledWeight(x, v, q), Exposed: r.unitsOf(m.Tally).exposed[k.whole()], Units: own.Units,
		Sum: own.Sum(stats.X).String(), SumSq: own.Sum(stats.XX).String(),
		Role: string(m.Def.Role), Better: string(m.Def.Metric.Better.V), ComparedTo: []string{}, Strata: r.momentStrata(x, m, v, q),
		Analysis: m.Def.Analysis.Text(), ExperimentAnalysis: x.Def.Analysis.Text(), Warnings: warnings, FailedChecks: []string{}, NotComputed: []string{},
	}
	row.Step, row.Split = stepOf(m), k.split.text()
	for _, other := range x.Def.ComparedTo(v) {
		row.ComparedTo = append(row.ComparedTo, other.Key.V)
	}
	if looks != nil {
		row.Looks = jsonText(looks)
	}
	if x.Def.End.Set {
		row.End = &x.Def.End.V
	}
	if m.Def.Margin != nil && m.IsValue() && row.Split == nil {
		row.Margin = new(m.Def.Margin.String())
	}
	if m.Tally.Percentile != nil {
		addQuantiles(&row, m.Tally, own.Quantiles)
	}
	row.UpperThreshold, row.LowerThreshold = r.thresholds(x, m.Caps(), stats.X)
	if s := r.sums[m.Tally][k]; s != nil {
		row.WithEvent, row.Events = s.withEvents, s.events
	}
	for term, to := range map[stats.Term]**string{
		stats.Y: &row.DenSum, stats.YY: &row.DenSumSq, stats.XY: &row.SumDen,
		stats.P: &row.PreSum, stats.PP: &row.PreSumSq, stats.XP: &row.SumPre,
		stats.Q: &row.PreDenSum, stats.QQ: &row.PreDenSumSq, stats.XQ: &row.SumPreDen,
		stats.YP: &row.DenSumPre, stats.YQ: &row.DenSumPreDen, stats.PQ: &row.PreSumPreDen,
	} {
		if m.Kind != stats.Percentile && m.Tally.Need.Has(stats.NeedTerms(term)) {
			*to = new(own.Sum(term).String())
		}
	}
	return row
}

// sampledWeight is the planned weight of a variation in a part of the units; nil where
// they are no random sample by one weight: chosen by what they did after the exposure, or
// of several phases.
func sampledWeight(x *compiler.ExperimentPlan, v *metrics.Variation, q part) *float64 {
	if byEvents(x, q.segment) {
		return nil
	}
	return weightOf(x.Def, v)
}

// byEvents reports whether units have the values of the segment by their events.
func byEvents(x *compiler.ExperimentPlan, segment string) bool {
	return slices.ContainsFunc(x.Def.Segments, func(s *metrics.Segment) bool { return s.Key.V == segment && s.FromEvents })
}

// momentStrata are the strata of a row of moments as JSON; nil where the row has none.
// Percentiles are not stratified: phases of theirs have units alone.
func (r *reporter) momentStrata(x *compiler.ExperimentPlan, m *compiler.MetricPlan, v *metrics.Variation, q part) *string {
	var within []part
	if m.Kind != stats.Percentile {
		within = r.strataOf(x, m, q)
	}
	named := len(within) > 0
	phased := len(x.Strata()) > 0
	switch {
	case !named && !phased:
		return nil
	case !named:
		within = []part{q}
	}
	at := slices.Index(x.Def.Variations, v)
	var strata []metrics.MomentStratum
	for i, of := range r.periods(x) {
		for _, p := range within {
			p.split = q.split
			k := p.of(x, v)
			own := r.momentsOf(of.unitSums, m, k)
			s := metrics.MomentStratum{Exposed: of.unitsOf(m.Tally).exposed[k.whole()], Units: own.Units}
			if named {
				s.Name = p.value
			}
			if phased {
				s.Phase, s.Weight = i+1, phaseWeight(of.weights[at], byEvents(x, q.segment))
			}
			if m.Kind != stats.Percentile {
				s.Sums = map[string]string{}
				for _, term := range m.Tally.Need.Terms() {
					s.Sums[term.Column()] = own.Sum(term).String()
				}
			}
			strata = append(strata, s)
		}
	}
	return jsonText(strata)
}

// jsonText writes texts and finite numbers as JSON.
func jsonText(v any) *string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("job: %T as JSON: %v", v, err))
	}
	return new(string(text))
}

// phaseWeight writes the weight of a variation in a phase. Of units that are no random
// sample by it only that none were planned is told.
func phaseWeight(weight *big.Rat, chosen bool) string {
	if weight == nil || chosen && weight.Sign() > 0 {
		return ""
	}
	return decimal(weight)
}

// aboutExperiments puts what verdicts go by beside the sums into the rows of these: the
// checks that make an experiment invalid, and the metrics that nothing was computed of.
func (r *reporter) aboutExperiments() {
	computed := map[[2]string]bool{}
	for _, row := range r.tables.Moments {
		computed[[2]string{row.Experiment, row.Metric}] = true
	}
	failed, missing := map[string][]string{}, map[string][]string{}
	for _, u := range r.plan.Units {
		for _, x := range u.Experiments {
			key := x.Def.Key.V
			for _, reason := range r.invalid(x) {
				failed[key] = append(failed[key], reason.Code)
			}
			for _, p := range r.planned(x) {
				if !computed[[2]string{key, p.key}] {
					missing[key] = append(missing[key], string(p.role)+" "+p.key)
				}
			}
		}
	}
	for i := range r.tables.Moments {
		row := &r.tables.Moments[i]
		row.FailedChecks = append(row.FailedChecks, failed[row.Experiment]...)
		row.NotComputed = append(row.NotComputed, missing[row.Experiment]...)
	}
}

// thresholds are what the numbers of a side of a tally were capped at.
func (r *reporter) thresholds(x *compiler.ExperimentPlan, t *compiler.Tally, side stats.Term) (upper, lower *string) {
	v := t.Side(side)
	if v.Caps == nil {
		return nil, nil
	}
	bounds := r.caps[capKey{t, side, x.Def.Key.V}]
	text := func(fixed, found *big.Int) *string {
		if found == nil {
			found = fixed
		}
		if found == nil {
			return nil
		}
		s := stats.NewSum(found, v.Decimals()).String()
		return &s
	}
	return text(v.Caps.Upper, bounds.Upper), text(v.Caps.Lower, bounds.Lower)
}
