package loaders

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// header is the first line of files of CSV.
type header struct {
	names []string
	files []string
}

// delimiters are what may stand between the fields of CSV, the most usual first.
var delimiters = []string{",", "\t", ";", "|"}

// oneDelimiterError says that files have different delimiters.
type oneDelimiterError struct{ file, delimiter, other, otherDelimiter string }

func (e *oneDelimiterError) Error() string {
	return fmt.Sprintf("the fields of %s are apart by %q, and those of %s by %q", e.file, e.delimiter, e.other, e.otherDelimiter)
}

// readCSV reads files of CSV: their headers, the delimiter, and how many rows
// fit. A row that does not is counted. One whose quotes do not tell where it
// ends is an error, for it may take others with it, and so is one that is not
// UTF-8, for another column may be read without it.
func readCSV(ctx context.Context, engine *Engine, files []string) (map[string]lineFile, schema, error) {
	s := schema{}
	if err := checkTexts(ctx, engine, files, false); err != nil {
		return nil, s, err
	}
	for _, file := range files {
		line, err := firstLine(ctx, engine, file)
		if err != nil {
			return nil, s, err
		}
		if line == "" {
			continue // no header and no rows
		}
		if json.Valid([]byte(line)) && strings.HasPrefix(strings.TrimSpace(line), "{") {
			return nil, s, errors.New("its first line is a JSON object, and no header")
		}
		delimiter := delimiterOf(line)
		switch {
		case s.delimiter == "":
			s.delimiter = delimiter
		case delimiter != s.delimiter:
			return nil, s, &oneDelimiterError{s.headers[0].files[0], s.delimiter, file, delimiter}
		}
		names, err := headerNames(line, delimiter)
		if err != nil {
			return nil, s, fmt.Errorf("its header: %w", err)
		}
		i := slices.IndexFunc(s.headers, func(h header) bool { return slices.Equal(h.names, names) })
		if i < 0 {
			i = len(s.headers)
			s.headers = append(s.headers, header{names: names})
		}
		s.headers[i].files = append(s.headers[i].files, file)
	}
	if len(s.headers) == 0 {
		return nil, s, errNoColumns
	}
	called := engineNames(s.headers)
	for i := range s.headers {
		h := &s.headers[i]
		f := fileColumns{files: h.files}
		for j, name := range h.names {
			c := compiler.Column{Name: called[name], Type: parseType("VARCHAR")}
			if c.Name != name && !strings.EqualFold(c.Name, name) {
				c.InFile = name
			}
			h.names[j] = c.Name
			f.columns = append(f.columns, c)
			if !slices.ContainsFunc(s.columns, func(o compiler.Column) bool { return o.Name == c.Name }) {
				s.columns = append(s.columns, c)
			}
		}
		if len(s.headers) > 1 {
			s.kinds = append(s.kinds, f)
		}
	}
	lines, err := countCSV(ctx, engine, s)
	return lines, s, err
}

// errLineEnds says why the engine cannot tell where the lines of a file end.
var errLineEnds = errors.New(`some of its lines end with "\r\n" and others with "\n" alone`)

// firstLine is the first line of a file, empty where there is none. Lines are
// read without quotes, and fields that hold lines of their own may end those in
// another way, which only a lenient reader takes.
func firstLine(ctx context.Context, engine *Engine, file string) (string, error) {
	rows, err := engine.Query(ctx, "SELECT line FROM read_csv("+quoteText(sqlast.FileName(file))+
		`, auto_detect = false, header = false, delim = chr(1), quote = '', escape = '', comment = '', ignore_errors = true, strict_mode = false, hive_partitioning = false,
  columns = {'line': 'VARCHAR'}) LIMIT 1`)
	if err != nil || len(rows.Cells) == 0 {
		return "", err
	}
	line, _ := rows.Cells[0][0].(string)
	return line, nil
}

// delimiterOf is what most often stands between the fields of a header.
func delimiterOf(line string) string {
	best, most := delimiters[0], 0
	for _, d := range delimiters {
		n, quoted := 0, false
		for _, r := range line {
			switch {
			case r == '"':
				quoted = !quoted
			case string(r) == d && !quoted:
				n++
			}
		}
		if n > most {
			best, most = d, n
		}
	}
	return best
}

// headerNames are the names of the columns: one that is there twice gets a
// number, and one without a name is called by its place.
func headerNames(line, delimiter string) ([]string, error) {
	r := csv.NewReader(strings.NewReader(line))
	r.Comma, r.LazyQuotes = rune(delimiter[0]), true
	fields, err := r.Read()
	if err != nil {
		return nil, err
	}
	var names []string
	for i, field := range fields {
		base := strings.TrimSpace(field)
		if base == "" {
			base = fmt.Sprint("column", i+1)
		}
		name := base
		for n := 2; slices.Contains(names, name); n++ {
			name = fmt.Sprint(base, "_", n)
		}
		names = append(names, name)
	}
	return names, nil
}

// countCSV counts the rows of files of CSV and the lines that are none.
func countCSV(ctx context.Context, engine *Engine, s schema) (_ map[string]lineFile, err error) {
	const errorsTable, scansTable = "csv_errors", "csv_scans"
	drop := func() error {
		return engine.Exec(ctx, "DROP TABLE IF EXISTS "+errorsTable+"; DROP TABLE IF EXISTS "+scansTable)
	}
	defer func() { err = errors.Join(err, drop()) }()
	lines := map[string]lineFile{}
	for _, h := range s.headers {
		for chunk := range slices.Chunk(h.files, footerChunk) {
			read, err := sqlast.PrintFrom(sqlast.DuckDB, sqlast.ReadCSV{
				Groups: []sqlast.CSVGroup{{Files: filePatterns(chunk), Header: h.names}}, Columns: h.names, Delimiter: s.delimiter, Filename: true, Alias: "r",
			})
			if err != nil {
				return nil, err
			}
			read = strings.Replace(read, "ignore_errors = true", "ignore_errors = true, store_rejects = true, rejects_table = '"+errorsTable+"', rejects_scan = '"+scansTable+"'", 1)
			// fields that nobody asks for are not looked at
			rows, err := engine.Query(ctx, "SELECT filename, count(hash(r)) FROM "+read+" GROUP BY filename")
			switch {
			case err != nil && strings.Contains(err.Error(), "invalid state"):
				return nil, errLineEnds
			case err != nil:
				return nil, err
			}
			for _, r := range rows.Cells {
				lines[fileCalled(r[0])] = lineFile{rows: r[1].(int64)}
			}
			rejected, err := engine.Query(ctx, `SELECT s.file_path, count(DISTINCT e.line), min(CASE WHEN CAST(e.error_type AS VARCHAR) IN ('UNQUOTED VALUE', 'UNTERMINATED QUOTES') THEN e.line END),
  min(CASE WHEN CAST(e.error_type AS VARCHAR) = 'INVALID ENCODING' THEN e.line END)
FROM `+errorsTable+` AS e JOIN `+scansTable+` AS s USING (scan_id, file_id)
GROUP BY s.file_path
ORDER BY s.file_path`)
			if err != nil {
				return nil, err
			}
			if err := drop(); err != nil {
				return nil, err
			}
			for _, r := range rejected.Cells {
				file := fileCalled(r[0])
				switch {
				case r[2] != nil:
					return nil, fmt.Errorf("the quotes in line %d do not tell where its fields end", r[2])
				case r[3] != nil: // whether it is seen depends on the columns that are read
					return nil, fmt.Errorf("line %d is not UTF-8", r[3])
				}
				l := lines[file]
				l.unreadable = r[1].(int64)
				lines[file] = l
			}
		}
	}
	return lines, nil
}
