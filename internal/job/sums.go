package job

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/loaders"
)

// sumsFile is a file of sums: the places of its columns in its rows.
type sumsFile struct {
	path    string
	columns []string
	places  map[string]int
}

// place is that of a column, which is added where it is not there.
func (f *sumsFile) place(column string) int {
	at, known := f.places[column]
	if !known {
		at = len(f.columns)
		f.columns, f.places[column] = append(f.columns, column), at
	}
	return at
}

func newSumsFile(path string) *sumsFile { return &sumsFile{path: path, places: map[string]int{}} }

// sumsRow is a row of a file of sums, as text by column, and where it stands. Copies
// share their cells.
type sumsRow struct {
	cells []string
	file  *sumsFile
	line  int
}

// text is a cell; missing ones are empty.
func (r sumsRow) text(column string) string {
	if at, known := r.file.places[column]; known {
		return r.cells[at]
	}
	return ""
}

// put changes a cell of a column that the file has.
func (r sumsRow) put(column, text string) { r.cells[r.file.places[column]] = text }

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
	text := r.text(column)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil { // tools write whole numbers of a floating column as 3304.0 or 1e+06
		s, notDecimal := stats.ParseSum(text)
		switch {
		case notDecimal != nil || s.Sign() < 0 || !s.Rat().IsInt():
			n = -1
		case s.Cmp(stats.SumOf(maxCount)) > 0:
			n = maxCount + 1
		default:
			n = s.Rat().Num().Int64()
		}
	}
	switch {
	case n > maxCount:
		return 0, r.errorf(fmt.Sprintf("there may be %d", int64(maxCount)), "column %s: %s are too many", column, text)
	case n < 0:
		return 0, r.errorf("write a whole number, such as 3304", "column %s: %q is no whole number from 0", column, text)
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
	return rows, settleColumns(rows)
}

// settleColumns refuses columns that no file of sums has, words that mean nothing in the
// others, and gives all rows all columns.
func settleColumns(rows []sumsRow) error {
	f := rows[0].file
	var wrong SumsErrors
	for _, name := range slices.Sorted(slices.Values(f.columns)) {
		if !slices.Contains(sumsColumns, name) {
			wrong.add(rows[0].errorf(diag.Suggest("columns", name, sumsColumns), "there is no column %q", name))
		}
	}
	for _, column := range slices.Concat(metricColumns, armColumns) {
		f.place(column) // rows take what others say there
	}
	for i := range rows {
		r := &rows[i]
		r.cells = append(r.cells, make([]string, len(f.columns)-len(r.cells))...)
		for c, text := range r.cells {
			r.cells[c] = strings.TrimSpace(text)
		}
		wrong.add(r.known())
	}
	return wrong.err()
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
	file := newSumsFile(path)
	for _, name := range header {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		if _, twice := file.places[name]; twice {
			return nil, &SumsError{Place: path, Text: fmt.Sprintf("two columns are named %q", name), hint: "leave one of them out"}
		}
		file.place(name)
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
		rows = append(rows, sumsRow{record, file, len(rows) + 1})
	}
}

func readSumsJSON(path string) ([]sumsRow, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	file := newSumsFile(path)
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
		cells := make([]string, len(file.columns))
		for _, name := range slices.Sorted(maps.Keys(object)) {
			at := file.place(name)
			if at == len(cells) {
				cells = append(cells, "")
			}
			cells[at] = jsonCell(object[name])
		}
		rows = append(rows, sumsRow{cells, file, len(rows) + 1})
	}
}

// jsonCell is a value of JSON as a cell: lists and objects as their JSON.
func jsonCell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []any, map[string]any:
		text, err := json.Marshal(v)
		if err != nil {
			panic(fmt.Sprintf("job: what was JSON is none: %v", err))
		}
		return string(text)
	default:
		return fmt.Sprint(v)
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
	const cell = "CASE WHEN typeof(COLUMNS(*)) LIKE '%[]' THEN CAST(to_json(COLUMNS(*)) AS VARCHAR) ELSE CAST(COLUMNS(*) AS VARCHAR) END"
	got, err := e.Query(ctx, "SELECT "+cell+" FROM read_parquet('"+strings.ReplaceAll(path, "'", "''")+"', hive_partitioning = false)")
	if err != nil {
		return nil, fmt.Errorf("read sums from %s: %w", path, err)
	}
	file := newSumsFile(path)
	for _, name := range got.Columns {
		file.place(name)
	}
	var rows []sumsRow
	for i, row := range got.Cells {
		cells := make([]string, len(row))
		for c, v := range row {
			cells[c] = text(v)
		}
		rows = append(rows, sumsRow{cells, file, i + 1})
	}
	return rows, nil
}
