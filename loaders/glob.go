package loaders

import (
	"context"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/metrics"
)

// FormatOf is the format that the name of a file tells, or empty.
func FormatOf(name string) metrics.FileFormat { return endingFormat(name) }

// Glob lists the files that a pattern means, as the path of a source does: with
// *, ?, [] and **. A path without those is a file or a folder.
func Glob(pattern string) ([]string, error) { return expand(pattern) }

// Objects lists the objects that a path in an object store means, as the path of a
// source does.
func Objects(ctx context.Context, store *objectstore.Store, pattern string) ([]objectstore.Object, error) {
	return findObjects(ctx, store, pattern, nil, span{})
}
