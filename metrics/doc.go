// Package metrics is the vocabulary of metricsjob: definitions in, results
// out. It holds the types of everything that an analyst can write, the strict
// decoder that fills them from YAML with a place for every word, and the rows
// of the result tables. It knows no SQL and no engine.
package metrics
