package job

import (
	"cmp"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// comparison is a row of results with an effect, and what a correction for
// several comparisons needs of it.
type comparison struct {
	subject
	arms arms
	row  int // in the table results
	// nonInferior is the test of a guardrail's margin, if it has one.
	nonInferior stats.NonInferiority
}

// at computes the effect at another alpha, by the test that gave the p-value.
func (c *comparison) at(alpha float64) stats.Effect {
	opt := c.opt
	opt.Alpha, opt.TunedFor, opt.Power = alpha, c.opt.Alpha, 0
	return c.compared(c.arms, opt).Effect()
}

// inFamily reports whether the row is corrected at all.
func (t *effects) inFamily(c *comparison) bool {
	roles := c.correction.Roles
	if len(roles) == 0 {
		roles = []metrics.Role{metrics.Secondary}
	}
	return c.correction.Method != string(stats.NoCorrection) && slices.Contains(roles, metrics.Role(t.rows[c.row].Role))
}

// family names the comparisons that are corrected together: what the
// correction is not over keeps families apart.
func (t *effects) family(c *comparison) string {
	over := c.correction.Over
	if len(over) == 0 {
		over = []string{"metrics", "variations"}
	}
	row := &t.rows[c.row]
	parts := []string{c.correction.Method, strings.Join(over, ","), row.Experiment}
	apart := func(what string, of ...string) {
		if !slices.Contains(over, what) {
			parts = append(parts, of...)
		}
	}
	apart("metrics", row.Metric)
	apart("variations", row.Variation, *row.ComparedTo)
	apart("segments", row.Segment, row.SegmentValue)
	return strings.Join(parts, "\x00")
}

// correct fills in the p-values and intervals that are corrected for several
// comparisons, and judges significance by them. Rows without a p-value belong
// to no family.
func (t *effects) correct() {
	families := map[string][]*comparison{}
	var names []string
	for _, c := range t.comparisons {
		if !t.inFamily(c) || t.rows[c.row].PValue == nil {
			continue
		}
		name := t.family(c)
		if families[name] == nil {
			names = append(names, name)
		}
		families[name] = append(families[name], c)
	}
	slices.SortFunc(names, cmp.Compare)
	for _, name := range names {
		family := families[name]
		p := make([]float64, len(family))
		for i, c := range family {
			p[i] = *t.rows[c.row].PValue
		}
		method := stats.Correction(family[0].correction.Method)
		for i, adjusted := range method.Adjust(p) {
			row := &t.rows[family[i].row]
			row.PValueAdjusted = new(adjusted)
			row.Significant = new(adjusted < row.Alpha)
			if alpha, ok := method.AlphaOf(row.Alpha, len(family)); ok {
				e := family[i].at(alpha)
				row.AbsoluteLowAdjusted, row.AbsoluteHighAdjusted = e.AbsoluteLow, e.AbsoluteHigh
			}
		}
	}
}
