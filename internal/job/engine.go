package job

import (
	"context"
	"slices"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// openEngine opens an engine that can read what the definitions name, and
// nothing else.
func openEngine(ctx context.Context, opts Options, defs *metrics.Definitions) (*loaders.Engine, error) {
	if opts.engine != nil {
		return opts.engine.Session(ctx)
	}
	o := loaders.Options{
		Threads: opts.Threads, Memory: opts.Memory, TempDir: opts.TempDir,
		AllowedPaths: loaders.Roots(defs), Extensions: opts.Extensions, Databases: loaders.Databases(defs),
	}
	if slices.ContainsFunc(o.AllowedPaths, objectstore.IsURL) {
		var err error
		if o.Store, err = objectstore.Open(ctx); err != nil {
			return nil, err
		}
	}
	return loaders.Open(ctx, o)
}

// SetupObjectStores fetches the engine's extension that reads object stores, and
// gives its file. It goes into the folder, where one is given, and comes from
// DuckDB's server or from a copy of that.
func SetupObjectStores(ctx context.Context, folder, from string) (file string, err error) {
	return loaders.InstallHTTPFS(ctx, folder, from)
}
