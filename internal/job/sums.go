package job

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/loaders"
)

// sumsRow is a row of a file of sums, as text by column, and where it stands.
type sumsRow struct {
	cells map[string]string
	file  string
	line  int
}

// text is a cell; missing ones are empty.
func (r sumsRow) text(column string) string { return strings.TrimSpace(r.cells[column]) }

// SumsError is a mistake in a file of sums.
type SumsError struct {
	Place string
	Text  string
	hint  string
}

func (e *SumsError) Error() string { return e.Place + ": " + e.Text }

// Hint says how to mend it.
func (e *SumsError) Hint() string { return e.hint }

func (r sumsRow) errorf(hint, format string, args ...any) error {
	return &SumsError{Place: fmt.Sprintf("%s: row %d", r.file, r.line), Text: fmt.Sprintf(format, args...), hint: hint}
}

// sum reads a decimal; ok is false where there is none.
func (r sumsRow) sum(column string) (s stats.Sum, ok bool, err error) {
	text := r.text(column)
	if text == "" {
		return s, false, nil
	}
	if s, err = stats.ParseSum(text); err != nil {
		return s, false, r.errorf("sums are decimal text, such as 163 or 0.25", "column %s: %v", column, err)
	}
	return s, true, nil
}

// maxCount is the most units, or events, that a float64 tells from one more.
const maxCount = 1 << 53

// count reads a whole number that is not negative.
func (r sumsRow) count(column string) (int64, error) {
	text := strings.TrimSuffix(r.text(column), ".0") // as tools write whole numbers of a floating column
	n, err := strconv.ParseInt(text, 10, 64)
	if n > maxCount { // also where it does not fit an int64
		return 0, r.errorf(fmt.Sprintf("there may be %d", int64(maxCount)), "column %s: %s are too many", column, r.text(column))
	}
	if err != nil || n < 0 {
		return 0, r.errorf("write a whole number, such as 3304", "column %s: %q is no whole number from 0", column, r.text(column))
	}
	return n, nil
}

// readSums reads a file of sums: CSV with a header, JSON lines, or Parquet, by the
// ending of its name.
func readSums(ctx context.Context, path string, opts Options) ([]sumsRow, error) {
	var rows []sumsRow
	var err error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		rows, err = readSumsCSV(path)
	case ".jsonl", ".ndjson", ".json":
		rows, err = readSumsJSON(path)
	case ".parquet":
		rows, err = readSumsParquet(ctx, path, opts)
	default:
		return nil, &SumsError{Place: path, Text: "is not named as CSV, JSON lines or Parquet", hint: "give a file that ends in .csv, .jsonl or .parquet"}
	}
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, &SumsError{Place: path, Text: "has no rows", hint: "the columns are those of the table moments"}
	}
	for _, r := range rows {
		if err := r.known(); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func readSumsCSV(path string) ([]sumsRow, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(bufio.NewReader(f))
	header, err := r.Read()
	if err != nil {
		return nil, &SumsError{Place: path, Text: fmt.Sprintf("no header: %v", err), hint: "the first line names the columns"}
	}
	var rows []sumsRow
	for {
		record, err := r.Read()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, &SumsError{Place: path, Text: err.Error(), hint: "each line has as many cells as the header"}
		}
		cells := map[string]string{}
		for i, name := range header {
			name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
			if _, twice := cells[name]; twice {
				return nil, &SumsError{Place: path, Text: fmt.Sprintf("two columns are named %q", name), hint: "leave one of them out"}
			}
			cells[name] = record[i]
		}
		rows = append(rows, sumsRow{cells, path, len(rows) + 1})
	}
}

func readSumsJSON(path string) ([]sumsRow, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var rows []sumsRow
	for {
		var object map[string]any
		err := decoder.Decode(&object)
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, &SumsError{Place: fmt.Sprintf("%s: row %d", path, len(rows)+1), Text: err.Error(), hint: "each line is one JSON object"}
		}
		cells := map[string]string{}
		for name, v := range object {
			if v != nil {
				cells[name] = fmt.Sprint(v)
			}
		}
		rows = append(rows, sumsRow{cells, path, len(rows) + 1})
	}
}

func readSumsParquet(ctx context.Context, path string, opts Options) ([]sumsRow, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	e, err := loaders.Open(ctx, loaders.Options{Threads: 1, TempDir: opts.TempDir, AllowedPaths: []string{path}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = e.Close() }()
	got, err := e.Query(ctx, "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM read_parquet('"+strings.ReplaceAll(path, "'", "''")+"', hive_partitioning = false)")
	if err != nil {
		return nil, fmt.Errorf("read sums from %s: %w", path, err)
	}
	var rows []sumsRow
	for i, row := range got.Cells {
		cells := map[string]string{}
		for c, v := range row {
			cells[got.Columns[c]] = text(v)
		}
		rows = append(rows, sumsRow{cells, path, i + 1})
	}
	return rows, nil
}
