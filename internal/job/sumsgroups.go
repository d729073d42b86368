package job

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// sumsGroup are the variations of one metric in one segment value.
type sumsGroup struct {
	first  sumsRow
	kind   stats.Kind
	better metrics.Better
	by     sumsAnalysis
	arms   []*sumsArm
	// totals are the counts of all variations, by column: together they must fit.
	totals map[string]int64
	// failed are the checks that any row names as failed in its run.
	failed []string
	// missing are the metrics that any row names as not computed in its run.
	missing []plannedMetric
}

// sumsArm is one variation of a group; of several strata, all of them.
type sumsArm struct {
	row    sumsRow // the first; its columns weight and baseline are those of all
	strata []sumsStratum
	all    stats.Moments
	// exposed are the exposed units, where the file has them, else those of the sums.
	exposed, unitsWithEvent, events int64
}

// metricColumns are the columns that say something of a metric, so that its rows
// cannot differ in them, and armColumns those of a variation of a group.
var (
	metricColumns = []string{"kind", "role", "better", "margin", "quantile", "metric_version", "analysis"}
	armColumns    = []string{"baseline", "weight"}
)

// groupKey keeps groups apart.
type groupKey struct{ experiment, metric, step, split, segment, value string }

func (r sumsRow) groupKey() groupKey {
	return groupKey{
		r.experiment(), r.text("metric"), r.text("step"), r.text("split"),
		orDefault(r.text("segment"), metrics.Overall), orDefault(r.text("segment_value"), metrics.All),
	}
}

// groupsOf puts rows together, in order of appearance.
func groupsOf(rows []sumsRow, options *sumsOptions) ([]*sumsGroup, error) {
	if err := settle(rows); err != nil {
		return nil, err
	}
	var groups []*sumsGroup
	var wrong SumsErrors
	index := map[groupKey]*sumsGroup{} // nil: of no rows that can be added
	for _, r := range rows {
		g, known := index[r.groupKey()]
		if !known {
			var err error
			if g, err = newSumsGroup(r, options); err != nil {
				wrong.add(err)
				g = nil
			} else {
				groups = append(groups, g)
			}
			index[r.groupKey()] = g
		}
		if g != nil {
			wrong.add(g.add(r))
		}
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	return groups, checkWeights(groups)
}

func newSumsGroup(first sumsRow, options *sumsOptions) (*sumsGroup, error) {
	g := &sumsGroup{first: first, better: metrics.Higher, totals: map[string]int64{}}
	if first.text("better") == string(metrics.Lower) {
		g.better = metrics.Lower
	}
	var err error
	if g.kind, err = first.kind(); err != nil {
		return nil, err
	}
	g.by, err = options.ofMetric(first)
	g.by.opt.Better = g.better
	return g, err
}

// settle makes all rows of a metric say what one of them says of it, and refuses rows
// that say different things, or not what they are of.
func settle(rows []sumsRow) error {
	said := map[settled]map[string]sumsRow{}
	var wrong SumsErrors
	for _, r := range rows {
		wrong.add(r.settle(said))
	}
	for _, r := range rows {
		for column, one := range said[r.settled()] {
			r.put(column, one.text(column))
		}
	}
	return wrong.err()
}

// settled is what one row says for others: a metric, of which a split may have a role of
// its own.
type settled struct{ experiment, metric, split string }

func (r sumsRow) settled() settled { return settled{r.experiment(), r.text("metric"), r.text("split")} }

// settle adds what a row says of its metric to what others said.
func (r sumsRow) settle(said map[settled]map[string]sumsRow) error {
	for _, column := range []string{"metric", "variation"} {
		if r.text(column) == "" {
			return r.errorf("each row is a metric in a variation", "column %s is empty", column)
		}
	}
	if k := r.groupKey(); k.segment == metrics.Overall && k.value != metrics.All {
		return r.errorf("name the segment, such as country; rows over everybody have none", "column segment_value: %q is a value of no segment", k.value)
	}
	of := said[r.settled()]
	if of == nil {
		of = map[string]sumsRow{}
		said[r.settled()] = of
	}
	for _, column := range metricColumns {
		if r.text(column) == "" {
			continue
		}
		if other, known := of[column]; !known {
			of[column] = r
		} else if err := r.agrees(other, column, fmt.Sprintf("metric %q", r.text("metric"))); err != nil {
			return err
		}
	}
	return nil
}

// agrees reports where two rows of the same thing differ in a column that is about it.
func (r sumsRow) agrees(other sumsRow, column, of string) error {
	same := r.text(column) == other.text(column)
	switch column {
	case "baseline":
		same = r.isBaseline() == other.isBaseline()
	case "weight", "quantile":
		a, b := r.rat(column), other.rat(column)
		same = same || a != nil && b != nil && a.Cmp(b) == 0
	}
	if same {
		return nil
	}
	return r.errorf("write the same in all rows, or leave it empty in all but one",
		"column %s of %s is %q, and in row %d it is %q", column, of, r.text(column), other.line, other.text(column))
}

// rat is the number of a column, nil where it has none.
func (r sumsRow) rat(column string) *big.Rat { return ratOf(r.text(column)) }

// ratOf reads a decimal, or a fraction of two; nil where it is neither. big.Rat would
// also take exponents whose numbers fill the memory.
func ratOf(text string) *big.Rat {
	over, under, isFraction := strings.Cut(text, "/")
	n, err := stats.ParseSum(over)
	if err != nil {
		return nil
	}
	if !isFraction {
		return n.Rat()
	}
	d, err := stats.ParseSum(under)
	if err != nil || d.Sign() == 0 {
		return nil
	}
	return new(big.Rat).Quo(n.Rat(), d.Rat())
}

func (r sumsRow) isBaseline() bool {
	is, _ := strconv.ParseBool(r.text("baseline"))
	return is
}

func (r sumsRow) kind() (stats.Kind, error) {
	if r.text("kind") == "" {
		return stats.Mean, nil
	}
	for _, k := range []stats.Kind{stats.Mean, stats.Ratio, stats.Proportion, stats.Percentile} {
		if k.String() == r.text("kind") {
			return k, nil
		}
	}
	return 0, r.errorf("a kind is mean, proportion, ratio or quantile", "unknown kind %q", r.text("kind"))
}

func (g *sumsGroup) add(r sumsRow) error {
	m, err := r.moments(g.kind, g.by.opt)
	if err != nil {
		return err
	}
	strata, err := r.strata(g.kind, g.by.opt)
	if err != nil {
		return err
	}
	arm := g.arm(r.text("variation"))
	failed, err := r.list("failed_checks")
	if err != nil {
		return err
	}
	for _, check := range failed {
		if _, known := metrics.CheckNamed(check); !known {
			return r.errorf(diag.Suggest("checks", check, metrics.CheckCodes()), "column failed_checks: there is no check %q", check)
		}
	}
	g.failed = append(g.failed, failed...)
	if err := g.addMissing(r); err != nil {
		return err
	}
	key := stratumKey{name: r.text("stratum")}
	switch {
	case arm == nil:
		arm = &sumsArm{row: r, strata: strata, all: m}
		g.arms = append(g.arms, arm)
	case strata != nil || arm.row.text("strata") != "" || slices.ContainsFunc(arm.strata, func(s sumsStratum) bool { return s.key == key }):
		return r.errorf("give a variation of a metric once, or its parts with a column stratum", "variation %q of metric %q stands twice", r.text("variation"), r.text("metric"))
	default:
		arm.all = arm.all.Add(m)
	}
	if strata == nil {
		arm.strata = append(arm.strata, sumsStratum{key: key, moments: m})
	}
	for _, column := range armColumns {
		switch {
		case r.text(column) == "":
		case arm.row.text(column) == "":
			arm.row.put(column, r.text(column))
		default:
			if err := r.agrees(arm.row, column, fmt.Sprintf("variation %q", r.text("variation"))); err != nil {
				return err
			}
		}
	}
	return g.count(r, arm, m.Units)
}

// arm is that of a variation; nil where the group has none.
func (g *sumsGroup) arm(variation string) *sumsArm {
	for _, a := range g.arms {
		if a.row.text("variation") == variation {
			return a
		}
	}
	return nil
}

// count adds the counts of a row to those of its variation.
func (g *sumsGroup) count(r sumsRow, arm *sumsArm, units int64) error {
	for _, c := range []struct {
		column string
		preset int64
		to     *int64
	}{
		{"units", units, new(int64)}, // they are in the moments
		{"exposed", units, &arm.exposed},
		{"units_with_event", 0, &arm.unitsWithEvent},
		{"events", 0, &arm.events},
	} {
		n := c.preset
		if r.text(c.column) != "" {
			var err error
			if n, err = r.count(c.column); err != nil {
				return err
			}
		}
		if c.column == "exposed" && n < units {
			return r.errorf("exposed counts all units that were exposed, those without a value too", "column exposed: %d, and the metric is over %d units", n, units)
		}
		*c.to += n
		if g.totals[c.column] += n; g.totals[c.column] > maxCount {
			return r.errorf(fmt.Sprintf("the variations of a metric may have %d together", int64(maxCount)),
				"column %s: too many in the variations of metric %q", c.column, r.text("metric"))
		}
	}
	return nil
}

// baseline is the arm that others are compared with, where no row says with what; nil
// where there is none.
func (g *sumsGroup) baseline() (*sumsArm, error) {
	var found *sumsArm
	for _, a := range g.arms {
		is := a.row.isBaseline()
		switch {
		case is && found != nil:
			return nil, a.row.errorf("one variation has baseline true", "metric %q has two baselines", a.row.text("metric"))
		case is:
			found = a
		}
	}
	if found == nil && g.first.text("compared_to") == "" {
		return nil, g.first.errorf("one variation has true in the column baseline", "metric %q has no baseline", g.first.text("metric"))
	}
	return found, nil
}

// comparedTo are the arms that one is compared to: those that a run says, or else the
// baseline.
func (g *sumsGroup) comparedTo(a, baseline *sumsArm) ([]*sumsArm, error) {
	if a.row.text("compared_to") == "" {
		if a == baseline {
			return nil, nil
		}
		return []*sumsArm{baseline}, nil
	}
	keys, err := a.row.list("compared_to")
	if err != nil {
		return nil, err
	}
	var out []*sumsArm
	for _, key := range keys {
		other := g.arm(key)
		if other == nil || other == a {
			return nil, a.row.errorf("leave the rows of all variations in the file, or leave the column out", "column compared_to: metric %q has no other variation %q", a.row.text("metric"), key)
		}
		out = append(out, other)
	}
	return out, nil
}

// addMissing adds the metrics that a row names as not computed.
func (g *sumsGroup) addMissing(r sumsRow) error {
	names, err := r.list("not_computed")
	if err != nil {
		return err
	}
	for _, name := range names {
		role, key, _ := strings.Cut(name, " ")
		if key == "" || metrics.Role(role) != metrics.Primary && metrics.Role(role) != metrics.Guardrail {
			return r.errorf(`name a role and a key, as in ["guardrail errors"]`, "column not_computed: %q is no primary metric or guardrail", name)
		}
		g.missing = append(g.missing, plannedMetric{metrics.Role(role), key, "the run that wrote these sums computed nothing of it"})
	}
	return nil
}
