package loaders

import (
	"time"

	"github.com/metricsjob/metricsjob/compiler"
)

// Prune gives the source without the files whose partition day cannot hold a
// row with from <= timestamp < to. Rows, Bytes and Files of the result are
// those of the files that are left. A zero from or to is no bound. A source
// without partition is returned as it is.
func Prune(src *compiler.Source, from, to time.Time) *compiler.Source {
	panic("loaders: Prune is not written")
}
