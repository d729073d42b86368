package metrics

// FileFormat is a format of data files.
type FileFormat string

// The formats.
const (
	FormatParquet FileFormat = "parquet"
	FormatNDJSON  FileFormat = "ndjson" // a JSON object on each line
	FormatCSV     FileFormat = "csv"    // with a header
)
