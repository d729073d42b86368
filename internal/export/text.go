package export

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// timestampLayout is RFC 3339 in UTC with as many of the microseconds' digits
// as there are.
const timestampLayout = "2006-01-02T15:04:05.999999Z"

// writeCSV writes the table with a header, quoted by RFC 4180. Lines end in a
// line feed alone. Null is nothing at all, empty text is "", a list is JSON.
func writeCSV(w io.Writer, t metrics.Table) error {
	bw := bufio.NewWriter(w)
	var line []byte
	for i, c := range t.Columns {
		if i > 0 {
			line = append(line, ',')
		}
		line = appendCSVText(line, c.Name)
	}
	bw.Write(append(line, '\n'))
	for r, row := range t.Rows {
		line = line[:0]
		for i, cell := range row {
			if i > 0 {
				line = append(line, ',')
			}
			var err error
			if line, err = appendCSVCell(line, cell); err != nil {
				return fmt.Errorf("table %s, row %d, column %s: %w", t.Name, r+1, t.Columns[i].Name, err)
			}
		}
		bw.Write(append(line, '\n'))
	}
	return bw.Flush()
}

func appendCSVCell(b []byte, cell any) ([]byte, error) {
	switch x := cell.(type) {
	case nil:
		return b, nil
	case string:
		return appendCSVText(b, x), nil
	case metrics.Reasons:
		return appendCSVText(b, string(x.JSON())), nil
	case []string:
		return appendCSVText(b, string(appendJSONList(nil, x))), nil
	default:
		return appendScalar(b, x)
	}
}

func appendCSVText(b []byte, s string) []byte {
	if s != "" && !strings.ContainsAny(s, ",\"\r\n") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

// writeJSONL writes one object a line, with every column in order.
func writeJSONL(w io.Writer, t metrics.Table) error {
	bw := bufio.NewWriter(w)
	var line []byte
	for r, row := range t.Rows {
		line = append(line[:0], '{')
		for i, cell := range row {
			if i > 0 {
				line = append(line, ',')
			}
			line = append(appendJSONText(line, t.Columns[i].Name), ':')
			var err error
			if line, err = appendJSONCell(line, cell); err != nil {
				return fmt.Errorf("table %s, row %d, column %s: %w", t.Name, r+1, t.Columns[i].Name, err)
			}
		}
		bw.Write(append(line, '}', '\n'))
	}
	return bw.Flush()
}

func appendJSONCell(b []byte, cell any) ([]byte, error) {
	switch x := cell.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		return appendJSONText(b, x), nil
	case metrics.Reasons:
		return append(b, x.JSON()...), nil
	case []string:
		return appendJSONList(b, x), nil
	case time.Time, metrics.Date:
		b = append(b, '"')
		b, err := appendScalar(b, x)
		return append(b, '"'), err
	default:
		return appendScalar(b, x)
	}
}

// appendScalar appends what CSV and JSON spell alike, quotes apart.
func appendScalar(b []byte, cell any) ([]byte, error) {
	switch x := cell.(type) {
	case int64:
		return strconv.AppendInt(b, x, 10), nil
	case float64:
		return appendFloat(b, x), checkFinite(x)
	case bool:
		return strconv.AppendBool(b, x), nil
	case time.Time:
		return x.UTC().AppendFormat(b, timestampLayout), nil
	case metrics.Date:
		return append(b, x.String()...), nil
	}
	panic(fmt.Sprintf("export: no cell for %T", cell))
}

// appendFloat appends the shortest decimal text that gives x again; very large
// and very small numbers get an exponent.
func appendFloat(b []byte, x float64) []byte {
	if abs := math.Abs(x); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(b, x, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, x, 'f', -1, 64)
}

func appendJSONList(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSONText(b, s)
	}
	return append(b, ']')
}

// appendJSONText appends s as a JSON string, with <, > and & as they are.
func appendJSONText(b []byte, s string) []byte {
	var buf strings.Builder
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(fmt.Sprintf("export: encode text: %v", err)) // no string fails
	}
	return append(b, strings.TrimSuffix(buf.String(), "\n")...)
}

// csvRunID reads the run of a result file: the first cell of its first row. An
// empty table has none.
func csvRunID(r io.Reader) (string, error) {
	cr := csv.NewReader(r)
	cr.ReuseRecord = true
	var row []string
	var err error
	for range 2 { // the header, then the first row
		if row, err = cr.Read(); err != nil {
			if errors.Is(err, io.EOF) {
				return "", nil
			}
			return "", fmt.Errorf("read CSV: %w", err)
		}
	}
	return row[0], nil
}

// jsonlRunID reads the run of a result file from its first line. An empty
// table has none.
func jsonlRunID(r io.Reader) (string, error) {
	var row struct {
		RunID string `json:"run_id"`
	}
	err := json.NewDecoder(r).Decode(&row)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read JSON lines: %w", err)
	}
	return row.RunID, nil
}
