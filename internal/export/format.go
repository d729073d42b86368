// Package export writes result tables: as files in a folder, and on standard
// output as text for people or data for pipes. It computes nothing; what it
// writes is what [metrics.Tables] holds.
package export

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/metrics"
)

// Format is a way to write result tables.
type Format string

// The formats. Parquet, CSV and JSONL write any table into a file; Text, CSV,
// JSON, Markdown and Arrow write results to standard output.
const (
	Parquet  Format = "parquet"
	CSV      Format = "csv"
	JSONL    Format = "jsonl"
	Text     Format = "table"
	JSON     Format = "json"
	Markdown Format = "markdown"
	Arrow    Format = "arrow"
)

// FileFormats are the formats of [WriteFolder], the default first. A format is
// also the extension of its files.
var FileFormats = []Format{Parquet, CSV, JSONL}

// StdoutFormats are the formats of [WriteStdout], the default first.
var StdoutFormats = []Format{Text, CSV, JSON, Markdown, Arrow}

// ParseFormat gives the format with the name, if it is among those allowed.
func ParseFormat(name string, allowed []Format) (Format, error) {
	f := Format(name)
	if slices.Contains(allowed, f) {
		return f, nil
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	return "", fmt.Errorf("unknown format %q; there are %s", name, strings.Join(names, ", "))
}

// encodeFile writes a whole table in one of the [FileFormats].
func encodeFile(w io.Writer, f Format, t metrics.Table) error {
	switch f {
	case Parquet:
		return writeParquet(w, t)
	case CSV:
		return writeCSV(w, t)
	case JSONL:
		return writeJSONL(w, t)
	}
	panic(fmt.Sprintf("export: no file format %q", f))
}
