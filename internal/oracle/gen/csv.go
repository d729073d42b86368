package gen

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/internal/oracle"
)

// csvOf makes the files of a source CSV, in which every column is text and an
// empty field is missing: what is nested becomes columns of their own, or JSON.
func (s *source) csvOf(t *rapid.T) {
	s.ending, s.delimiter = csv, pick(t, "delimiter", ",", ",", "\t", ";", "|")
	if s.bag != "" {
		s.bag = "COLUMNS"
	}
	s.value = oracle.ColumnType{Kind: oracle.TextColumn}
	if s.properties != "" && s.properties != "JSON" {
		s.properties = "COLUMNS"
	}
}

// withoutEmpty is a value of a column of the source: in CSV an empty text is a
// missing one.
func (s *source) withoutEmpty(text *string) *string {
	if s.ending == csv && text != nil && *text == "" {
		return nil
	}
	return text
}

// dropEmpty leaves out what is empty among values that have columns of their own.
func dropEmpty[V any](s *source, values map[string]V) {
	if s.ending == csv {
		maps.DeleteFunc(values, func(_ string, v V) bool { return any(v) == "" })
	}
}

// csv gives the table as CSV: some fields in quotes that need none, and with
// semicolons the line ends that spreadsheets write.
func (t Table) csv() string {
	var b strings.Builder
	write := func(cells []string, odd int) {
		for i, cell := range cells {
			if i > 0 {
				b.WriteString(t.Delimiter)
			}
			missing := cell == "" && (i+odd)%5 == 0 // an empty field in quotes is none either
			if missing || needsQuotes(cell, t.Delimiter) || len(cells) == 1 || cell != "" && (i+odd)%3 == 0 {
				cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
			}
			b.WriteString(cell)
		}
		if t.Delimiter == ";" {
			b.WriteString("\r")
		}
		b.WriteString("\n")
	}
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	write(names, 0)
	for i, r := range t.Rows {
		var cells []string
		for _, cell := range r {
			cells = append(cells, csvCell(cell))
		}
		write(cells, i)
	}
	return b.String()
}

func needsQuotes(cell, delimiter string) bool {
	return strings.ContainsAny(cell, "\"\r\n"+delimiter)
}

// csvCell is a cell of a column that is one value.
func csvCell(cell any) string {
	switch v := cell.(type) {
	case nil:
		return ""
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return v.Format("2006-01-02 15:04:05.000000")
	}
	panic(fmt.Sprintf("gen: no CSV for %T", cell))
}
