package export

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/metricsjob/metricsjob/metrics"
)

// report is what a run found, arranged for people. The renderers (text,
// Markdown) only lay it out.
type report struct {
	run         metrics.RunRow
	experiments []experimentReport
	// sources are the checks that belong to no experiment and did not pass.
	sources []metrics.HealthRow
}

type experimentReport struct {
	def  metrics.ExperimentRow
	arms []arm
	// ratio is the sample-ratio check over everybody, nil if there was none.
	ratio *metrics.HealthRow
	// several is the number of units that saw several variations.
	several  int64
	verdicts []metrics.VerdictRow
	// blocks are the results over everybody, by role and in the tables' order.
	blocks []block
	// segments are the results of primary metrics by attribute.
	segments []segment
	// findings are the checks that did not pass, ratio apart; passed counts the rest.
	findings []metrics.HealthRow
	passed   int64
	errors   []metrics.ErrorRow
}

// arm is a variation with its share of the exposed units.
type arm struct {
	def     metrics.VariationRow
	exposed int64
	share   float64
	planned *float64
}

// block is one table of the report: a metric, or a step or split of it.
type block struct {
	role   string
	metric metrics.MetricRow
	step   *int64
	split  *string
	rows   []metrics.ResultRow
}

// segment is an attribute with the blocks of its values; a block's rows are
// ordered by value. More counts the values that were left out.
type segment struct {
	attribute string
	blocks    []block
	more      int
}

// roles in the order of the report.
var roles = []string{"primary", "secondary", "guardrail"}

var roleTitles = map[string]string{"primary": "Primary metrics", "secondary": "Secondary metrics", "guardrail": "Guardrail metrics"}

// newReport arranges the tables; of each attribute it keeps the values with
// most exposed units, at most as many as told, none if negative.
func newReport(t *metrics.Tables, segmentValues int) report {
	r := report{}
	if len(t.Runs) > 0 {
		r.run = t.Runs[0]
	}
	for _, h := range t.Health {
		if h.Experiment == "" && h.Status != metrics.Pass {
			r.sources = append(r.sources, h)
		}
	}
	definitions := make(map[string]metrics.MetricRow, len(t.Metrics))
	for _, m := range t.Metrics {
		definitions[m.Key] = m
	}
	for _, def := range experimentsOf(t) {
		r.experiments = append(r.experiments, newExperimentReport(t, def, definitions, segmentValues))
	}
	return r
}

// experimentsOf gives the experiments in order, at last those that only the
// table errors knows.
func experimentsOf(t *metrics.Tables) []metrics.ExperimentRow {
	defs := slices.Clone(t.Experiments)
	for _, e := range t.Errors {
		known := func(d metrics.ExperimentRow) bool { return d.Key == e.Experiment }
		if e.Experiment != "" && !slices.ContainsFunc(defs, known) {
			defs = append(defs, metrics.ExperimentRow{AsOf: e.AsOf, Key: e.Experiment})
		}
	}
	return defs
}

func newExperimentReport(t *metrics.Tables, def metrics.ExperimentRow, definitions map[string]metrics.MetricRow, segmentValues int) experimentReport {
	e := experimentReport{def: def}
	e.arms, e.several = armsOf(t, def.Key)
	for i, h := range t.Health {
		switch {
		case h.Experiment != def.Key:
		case h.Check == metrics.CheckSampleRatio && h.Segment == metrics.Overall:
			e.ratio = &t.Health[i]
		case h.Status == metrics.Pass:
			e.passed++
		default:
			e.findings = append(e.findings, h)
		}
	}
	for _, v := range t.Verdicts {
		if v.Experiment == def.Key {
			e.verdicts = append(e.verdicts, v)
		}
	}
	for _, x := range t.Errors {
		if x.Experiment == def.Key {
			e.errors = append(e.errors, x)
		}
	}
	var overall, bySegment []metrics.ResultRow
	for _, row := range t.Results {
		switch {
		case row.Experiment != def.Key:
		case row.Segment == metrics.Overall:
			overall = append(overall, row)
		case row.Role == roles[0]:
			bySegment = append(bySegment, row)
		}
	}
	e.blocks = blocksOf(overall, definitions)
	if segmentValues >= 0 {
		e.segments = segmentsOf(bySegment, definitions, segmentValues)
	}
	return e
}

// armsOf gives the variations of an experiment with their exposed units over
// everybody, and how many units saw several.
func armsOf(t *metrics.Tables, experiment string) (arms []arm, several int64) {
	var exposed int64
	units := make(map[string]int64)
	for _, x := range t.Exposures {
		if x.Experiment == experiment && x.Segment == metrics.Overall {
			units[x.Variation] += x.Units
			exposed += x.Units
			several += x.SeveralVariations
		}
	}
	var weights float64
	for _, v := range t.Variations {
		if v.Experiment == experiment {
			arms = append(arms, arm{def: v, exposed: units[v.Key]})
			if v.Weight != nil {
				weights += *v.Weight
			}
		}
	}
	for i := range arms {
		a := &arms[i]
		if exposed > 0 {
			a.share = float64(a.exposed) / float64(exposed)
		}
		if a.def.Weight != nil && weights > 0 {
			a.planned = new(*a.def.Weight / weights)
		}
	}
	return arms, several
}

// blocksOf cuts rows into blocks, the roles in their order and within a role
// as the rows come.
func blocksOf(rows []metrics.ResultRow, definitions map[string]metrics.MetricRow) []block {
	var blocks []block
	type key struct {
		role, metric string
		step         int64
		split        string
		isSplit      bool
	}
	places := make(map[key]int)
	for _, r := range rows {
		k := key{role: r.Role, metric: r.Metric}
		if r.Step != nil {
			k.step = *r.Step // from 1
		}
		if r.Split != nil {
			k.split, k.isSplit = *r.Split, true
		}
		i, known := places[k]
		if !known {
			m, ok := definitions[r.Metric]
			if !ok {
				m.Key = r.Metric
			}
			i = len(blocks)
			places[k] = i
			blocks = append(blocks, block{role: r.Role, metric: m, step: r.Step, split: r.Split})
		}
		blocks[i].rows = append(blocks[i].rows, r)
	}
	slices.SortStableFunc(blocks, func(a, b block) int {
		return cmp.Compare(slices.Index(roles, a.role), slices.Index(roles, b.role))
	})
	return blocks
}

// segmentsOf cuts rows by attribute, and in each orders the values by exposed
// units (ties by text) and keeps the first.
func segmentsOf(rows []metrics.ResultRow, definitions map[string]metrics.MetricRow, keep int) []segment {
	var attributes []string
	exposed := make(map[string]map[string]int64) // attribute → value → units of the largest metric's rows
	for _, r := range rows {
		if exposed[r.Segment] == nil {
			attributes = append(attributes, r.Segment)
			exposed[r.Segment] = make(map[string]int64)
		}
		exposed[r.Segment][r.SegmentValue] += r.Exposed
	}
	var segments []segment
	for _, a := range attributes {
		var values []string
		for v := range exposed[a] {
			values = append(values, v)
		}
		slices.SortFunc(values, func(x, y string) int {
			return cmp.Or(cmp.Compare(exposed[a][y], exposed[a][x]), cmp.Compare(x, y))
		})
		s := segment{attribute: a, more: max(0, len(values)-keep)}
		var kept []metrics.ResultRow
		for _, v := range values[:len(values)-s.more] {
			for _, r := range rows {
				if r.Segment == a && r.SegmentValue == v {
					kept = append(kept, r)
				}
			}
		}
		s.blocks = blocksOf(kept, definitions)
		segments = append(segments, s)
	}
	return segments
}

// mark is what a comparison amounts to.
type mark string

// The marks. A row without a comparison, or without a result, has none.
const (
	better  mark = "better"
	worse   mark = "worse"
	unclear mark = "unclear"
	// soFar is added where the experiment goes on, and its test holds for one look.
	soFar = " so far"
)

func markOf(r metrics.ResultRow, m metrics.MetricRow) mark {
	switch {
	case r.Significant == nil || r.AbsoluteEffect == nil:
		return ""
	case !*r.Significant:
		return unclear
	}
	what := worse
	if (*r.AbsoluteEffect > 0) == (m.Better != "lower") {
		what = better
	}
	if isInterim(r) {
		what += soFar
	}
	return what
}

func isInterim(r metrics.ResultRow) bool { return slices.Contains(r.Warnings, metrics.WarnInterim) }

// comparedTo gives the variations that comparisons of the block are against,
// in order of appearance.
func (b block) comparedTo() []string {
	var to []string
	for _, r := range b.rows {
		if r.ComparedTo != nil && !slices.Contains(to, *r.ComparedTo) {
			to = append(to, *r.ComparedTo)
		}
	}
	return to
}

// note is a sentence about rows of a block.
type note struct {
	about []string
	text  string
}

// notes says what stood in the way of rows, and what to know about them; rows
// with the same note share one.
func (b block) notes() []note {
	var notes []note
	add := func(about, text string) {
		for i := range notes {
			if notes[i].text == text {
				if !slices.Contains(notes[i].about, about) {
					notes[i].about = append(notes[i].about, about)
				}
				return
			}
		}
		notes = append(notes, note{[]string{about}, text})
	}
	rows := map[string]bool{}
	for _, r := range b.rows {
		about := r.Variation
		if r.Segment != metrics.Overall {
			about = r.SegmentValue + "/" + r.Variation
		}
		rows[about] = true
		if r.Status != "ok" {
			text := r.Status
			if r.Reason != nil {
				text += ": " + *r.Reason
			}
			add(about, text)
		}
		for _, w := range r.Warnings {
			if w == metrics.WarnInterim {
				continue // the mark and the verdict say so
			}
			add(about, "note: "+metrics.WarningText(w))
		}
	}
	for i := range notes {
		if len(notes[i].about) == len(rows) && len(rows) > 1 {
			notes[i].about = nil // about all of them
		}
	}
	if text := b.leftOut(); text != "" {
		notes = append(notes, note{text: text})
	}
	return notes
}

// leftOut says of everybody how many exposed units a metric is without: those whose
// window is not over, or who did not do what it counts from.
func (b block) leftOut() string {
	if b.split != nil || b.step != nil && *b.step > 1 {
		return "" // said before
	}
	said := map[string]bool{}
	var exposed, units int64
	for _, r := range b.rows {
		if r.Segment != metrics.Overall || r.Status != "ok" {
			return ""
		}
		if !said[r.Variation] {
			exposed, units = exposed+r.Exposed, units+r.Units
			said[r.Variation] = true
		}
	}
	if units >= exposed {
		return ""
	}
	return fmt.Sprintf("note: of %s exposed units %s do not count here: see metricsjob explain %s %s",
		count(exposed), count(exposed-units), b.rows[0].Experiment, b.rows[0].Metric)
}
