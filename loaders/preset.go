package loaders

import (
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// ApplyPresets fills the columns of every source that names a preset where
// its own columns say nothing, and checks that every source then maps what
// its role requires.
func ApplyPresets(defs *metrics.Definitions) diag.List {
	panic("loaders: ApplyPresets is not written")
}
