package loaders

import (
	"context"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// InspectOptions say how to look at the sources.
type InspectOptions struct {
	// Sources selects sources by name; empty: all.
	Sources []string
}

// Inspect finds the files of every source of impressions and events, reads
// what their footers say, and gives the compiler a catalog. Mistakes of the
// definitions about the data (no file, no such column, a type that cannot be
// read as wanted) are in the list, at their places; the error is for what
// could not be read at all.
func Inspect(ctx context.Context, engine *Engine, defs *metrics.Definitions, opts InspectOptions) (*compiler.Catalog, diag.List, error) {
	panic("loaders: Inspect is not written")
}
