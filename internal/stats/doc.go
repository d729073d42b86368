// Package stats turns exact sums over units into estimates, intervals,
// p-values and statuses. It is pure arithmetic: no database, no clock, no
// randomness.
//
// An estimator says which sums it needs (Need); the caller takes the union
// over all metrics, so that one query serves all, and hands the sums back as
// Moments. Everything up to a variance is computed from the exact sums and
// rounded once to float64, so that no digit cancels. Degenerate input never
// becomes 0, NaN or infinity: it becomes a Status and a reason, and the numbers
// that cannot be given are nil.
//
// docs/statistics.md has the formulas, their sources and worked examples.
package stats
