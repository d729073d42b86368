package loaders

import (
	"context"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
)

// Horizon is what AsOf finds.
type Horizon struct {
	// AsOf is one microsecond after the largest timestamp that is not in the
	// future; zero where there is no row with a timestamp.
	AsOf time.Time
	// Future counts, for each source by name, the rows that were left aside:
	// their timestamp is later than now + 24 hours. Sources without any are
	// not in it.
	Future map[string]int64
}

// AsOf gives the default as-of instant over all rows of all sources of
// impressions and events. It reads footers alone where they settle it, and
// else scans the timestamp column of the files for which they do not.
func AsOf(ctx context.Context, engine *Engine, catalog *compiler.Catalog, now time.Time) (Horizon, error) {
	panic("loaders: AsOf is not written")
}

// Dropped counts rows of a source that do not exist (semantics 2) and values
// that are missing though something stood there, by reason.
//
// A row is counted under the first reason that holds, in the order of the
// fields from Where to NoEvent; NoUnit, NotANumber and Malformed are counted
// among the rows that are left, each on its own.
type Dropped struct {
	// Where: the source's where is not true.
	Where int64
	// NoTimestamp: the timestamp is missing or cannot be read.
	NoTimestamp int64
	// Partition: the partition day lies too far from the timestamp's date.
	Partition int64
	// NoEvent: the event key is missing or empty (event sources).
	NoEvent int64
	// NoUnit: the id is missing or empty, for each mapped unit kind.
	NoUnit map[string]int64
	// NotANumber: the mapped value column holds something, but no finite number.
	NotANumber int64
	// Malformed: properties or attributes are JSON text that is not well-formed.
	Malformed int64
}

// Count counts what the files of a source lose. What footers prove absent is
// not looked for; the rest takes one scan over the columns concerned alone.
func Count(ctx context.Context, engine *Engine, src *compiler.Source) (Dropped, error) {
	panic("loaders: Count is not written")
}
