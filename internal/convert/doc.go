// Package convert makes typed Parquet of exports that are lines of JSON or CSV:
// a folder for each day, which a run reads many times faster than the lines.
//
// It goes over the input twice. The first time, in Go, it finds the type of
// every value and the lines that cannot be read, and cuts the input into chunks
// of a bounded size: that is the plan. The second time the engine writes each
// chunk, whose parts appear by rename. The plan and what is done of it lie beside
// the parts, so that a conversion that was killed goes on where it was, and the
// files in the end are those of one that was not.
package convert
