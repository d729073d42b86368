package job

import (
	"maps"
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

// family names the comparisons of an experiment that are corrected together: what the
// correction is not over keeps families apart.
func (t *effects) family(c *comparison) string {
	over := c.correction.Over
	if len(over) == 0 {
		over = []string{"metrics", "variations"}
	}
	row := &t.rows[c.row]
	parts := []string{c.correction.Method, strings.Join(over, ",")}
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
	for _, of := range t.experiments {
		t.correctFamilies(of.comparisons)
	}
}

func (t *effects) correctFamilies(comparisons []*comparison) {
	families := map[string][]*comparison{}
	for _, c := range comparisons {
		if t.inFamily(c) && t.rows[c.row].PValue != nil {
			name := t.family(c)
			families[name] = append(families[name], c)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(families)) {
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
