// Package loaders brings the sources into the engine: it finds the data
// files, fills in presets, reads what the files say about themselves, gives
// the compiler a catalog of typed columns, and runs statements in an embedded
// DuckDB that can reach nothing but those files.
//
// The order of use is
//
//	list := loaders.ApplyPresets(defs)
//	engine, err := loaders.Open(ctx, loaders.Options{AllowedPaths: loaders.Roots(defs)})
//	catalog, list, err := loaders.Inspect(ctx, engine, defs, loaders.InspectOptions{})
//
// after which the compiler plans and [Engine] executes.
package loaders
