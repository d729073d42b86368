package job

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// sumsGroup are the variations of one metric in one segment value.
type sumsGroup struct {
	first  sumsRow
	kind   stats.Kind
	better metrics.Better
	arms   []*sumsArm
	// totals are the counts of all variations, by column: together they must fit.
	totals map[string]int64
}

// sumsArm is one variation of a group; of several strata, all of them.
type sumsArm struct {
	row    sumsRow // the first; its columns weight and baseline are those of all
	strata []string
	byName map[string]stats.Moments
	all    stats.Moments
	// exposed are the exposed units, where the file has them, else those of the sums.
	exposed, unitsWithEvent, events int64
}

// metricColumns are the columns that say something of a metric, so that its rows
// cannot differ in them, and armColumns those of a variation of a group.
var (
	metricColumns = []string{"kind", "role", "better", "margin", "quantile", "metric_version"}
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
func groupsOf(rows []sumsRow, seen func([]byte) (int, error), opt stats.Options) ([]*sumsGroup, error) {
	if err := settle(rows); err != nil {
		return nil, err
	}
	var groups []*sumsGroup
	index := map[groupKey]*sumsGroup{}
	for _, r := range rows {
		_, _ = seen([]byte(fmt.Sprintln(r.cells)))
		g := index[r.groupKey()]
		if g == nil {
			kind, err := r.kind()
			if err != nil {
				return nil, err
			}
			g = &sumsGroup{first: r, kind: kind, better: metrics.Higher, totals: map[string]int64{}}
			if r.text("better") == string(metrics.Lower) {
				g.better = metrics.Lower
			}
			index[r.groupKey()] = g
			groups = append(groups, g)
		}
		if err := g.add(r, opt); err != nil {
			return nil, err
		}
	}
	return groups, checkWeights(groups)
}

// settle makes all rows of a metric say what one of them says of it, and refuses rows
// that say different things, or not what they are of.
func settle(rows []sumsRow) error {
	type metric struct{ experiment, key, split string } // a split may have a role of its own
	said := map[metric]map[string]sumsRow{}
	for _, r := range rows {
		for _, column := range []string{"metric", "variation"} {
			if r.text(column) == "" {
				return r.errorf("each row is a metric in a variation", "column %s is empty", column)
			}
		}
		if k := r.groupKey(); k.segment == metrics.Overall && k.value != metrics.All {
			return r.errorf("name the segment, such as country; rows over everybody have none", "column segment_value: %q is a value of no segment", k.value)
		}
		m := metric{r.experiment(), r.text("metric"), r.text("split")}
		if said[m] == nil {
			said[m] = map[string]sumsRow{}
		}
		for _, column := range metricColumns {
			if r.text(column) == "" {
				continue
			}
			if other, known := said[m][column]; !known {
				said[m][column] = r
			} else if err := r.agrees(other, column, fmt.Sprintf("metric %q", m.key)); err != nil {
				return err
			}
		}
	}
	for _, r := range rows {
		for column, one := range said[metric{r.experiment(), r.text("metric"), r.text("split")}] {
			r.cells[column] = one.cells[column]
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
func (r sumsRow) rat(column string) *big.Rat {
	n, ok := new(big.Rat).SetString(r.text(column))
	if !ok {
		return nil
	}
	return n
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

func (g *sumsGroup) add(r sumsRow, opt stats.Options) error {
	m, err := r.moments(g.kind, opt)
	if err != nil {
		return err
	}
	stratum := r.text("stratum")
	at := slices.IndexFunc(g.arms, func(a *sumsArm) bool { return a.row.text("variation") == r.text("variation") })
	if at < 0 {
		at = len(g.arms)
		g.arms = append(g.arms, &sumsArm{row: r, byName: map[string]stats.Moments{}})
	}
	arm := g.arms[at]
	if _, twice := arm.byName[stratum]; twice {
		return r.errorf("give a variation of a metric once, or its parts with a column stratum", "variation %q of metric %q stands twice", r.text("variation"), r.text("metric"))
	}
	arm.strata = append(arm.strata, stratum)
	arm.byName[stratum] = m
	if len(arm.strata) == 1 {
		arm.all = m
	} else {
		arm.all = arm.all.Add(m)
	}
	for _, column := range armColumns {
		switch {
		case r.text(column) == "":
		case arm.row.text(column) == "":
			arm.row.cells[column] = r.cells[column]
		default:
			if err := r.agrees(arm.row, column, fmt.Sprintf("variation %q", r.text("variation"))); err != nil {
				return err
			}
		}
	}
	return g.count(r, arm, m.Units)
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
		*c.to += n
		if g.totals[c.column] += n; g.totals[c.column] > maxCount {
			return r.errorf(fmt.Sprintf("the variations of a metric may have %d together", int64(maxCount)),
				"column %s: too many in the variations of metric %q", c.column, r.text("metric"))
		}
	}
	return nil
}

// baseline is the arm that others are compared with.
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
	if found == nil {
		return nil, g.first.errorf("one variation has true in the column baseline", "metric %q has no baseline", g.first.text("metric"))
	}
	return found, nil
}

// strataOf are the strata of two variations, if there are several.
func strataOf(baseline, variation *sumsArm) []stats.Stratum {
	names := slices.Clone(baseline.strata)
	for _, name := range variation.strata {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) < 2 {
		return nil
	}
	slices.Sort(names)
	var out []stats.Stratum
	for _, name := range names {
		out = append(out, stats.Stratum{Baseline: baseline.byName[name], Variation: variation.byName[name]})
	}
	return out
}
