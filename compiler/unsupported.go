package compiler

import (
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// Unsupported lists what the definitions ask for and this version cannot
// compute, each with its place. Nothing of it is ever passed over in silence.
func Unsupported(defs *metrics.Definitions) diag.List {
	var list diag.List
	if defs.State.Set {
		list.Errorf(defs.State.Pos, "not-supported-yet", "state is not supported yet").
			WithHint("take it out of the file to compute the rest")
	}
	return list
}
