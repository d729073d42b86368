package job

import (
	"fmt"
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
)

// repeated is a warning about an experiment whose cause stands where others have
// it, too, such as in a metric or the mapping of a source. It is said once.
type repeated struct {
	pos  diag.Pos
	code string
	// text and hint are those of the first experiment.
	text, hint  string
	experiments []string
}

// foundIn adds a warning about an experiment, or the experiment to the same
// warning about an earlier one. It returns it so that a hint can be attached.
func (c *checker) foundIn(x *compiler.ExperimentPlan, pos diag.Pos, code, format string, args ...any) *repeated {
	i := slices.IndexFunc(c.repeated, func(have *repeated) bool { return have.pos == pos && have.code == code })
	if i >= 0 {
		c.repeated[i].experiments = append(c.repeated[i].experiments, x.Def.Key.V)
		return new(repeated) // the hint is that of the first
	}
	r := &repeated{pos: pos, code: code, text: fmt.Sprintf(format, args...), experiments: []string{x.Def.Key.V}}
	c.repeated = append(c.repeated, r)
	return r
}

// sayRepeated moves the warnings of foundIn to the others.
func (c *checker) sayRepeated() {
	for _, r := range c.repeated {
		c.found.Warnf(r.pos, r.code, "%s%s", r.text, also(r.experiments, "experiment")).Hint = r.hint
	}
	c.repeated = nil
}

// also names the others of which a sentence about the first is true; empty: there are none.
func also(names []string, kind string) string {
	switch others := names[1:]; len(others) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("; likewise of %s %s", kind, others[0])
	default:
		return fmt.Sprintf("; likewise of %ss %s", kind, fewOf(others, 3))
	}
}
