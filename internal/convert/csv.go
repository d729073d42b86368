package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// csvCutter cuts records of CSV, in whose quotes line breaks may stand.
type csvCutter struct{ separator byte }

// maxQuoted is within how many bytes a quote must close, before a separator or
// the end of the line. Where it does not, the line alone is taken for the record, so
// that one stray quote does not eat the file.
const maxQuoted = 1 << 20

func (c csvCutter) cut(data []byte, final bool) int {
	for i := 0; i < len(data); {
		if data[i] == '"' {
			end, closed := afterQuote(data, i)
			enough := final || len(data) > maxQuoted
			switch {
			case end == len(data) && !enough: // the quote may go on
				return 0
			case !closed || end > maxQuoted || !c.ends(data[end:]):
				return lineCutter{}.cut(data, final)
			}
			i = end
		}
		for i < len(data) && data[i] != c.separator && data[i] != '\n' {
			i++
		}
		if i < len(data) && data[i] == '\n' {
			return i + 1
		}
		i++ // the separator
	}
	if final {
		return len(data)
	}
	return 0
}

// ends reports whether a field ends before what follows it.
func (c csvCutter) ends(rest []byte) bool {
	return len(rest) == 0 || rest[0] == c.separator || rest[0] == '\n' || rest[0] == '\r'
}

func (c csvCutter) whole(data []byte, final bool) int {
	n := 0
	for n < len(data) {
		record := c.cut(data[n:], final)
		if record == 0 {
			break
		}
		n += record
	}
	return n
}

// afterQuote gives where the text ends that the quote at i begins. Two quotes in
// a row are one that is part of the text.
func afterQuote(data []byte, i int) (end int, closed bool) {
	for i++; ; i += 2 {
		n := bytes.IndexByte(data[min(i, len(data)):], '"')
		if n < 0 {
			return len(data), false
		}
		i += n
		if i+1 == len(data) || data[i+1] != '"' {
			return i + 1, true
		}
	}
}

var (
	errQuote    = errors.New("a quote is opened and not closed")
	errBehind   = errors.New("something stands between a closing quote and the next separator")
	errNoCSVKey = errors.New("the header has a column without a name")
)

// fields gives the fields of a record.
func (c csvCutter) fields(record []byte) ([]string, error) {
	if !utf8.Valid(record) {
		return nil, errNoText
	}
	var fields []string
	for {
		rest := record
		if len(record) > 0 && record[0] == '"' {
			end, closed := afterQuote(record, 0)
			if !closed {
				return nil, errQuote
			}
			fields = append(fields, strings.ReplaceAll(string(record[1:end-1]), `""`, `"`))
			if rest = record[end:]; len(rest) > 0 && rest[0] != c.separator {
				return nil, errBehind
			}
		} else {
			n := bytes.IndexByte(record, c.separator)
			if n < 0 {
				n = len(record)
			}
			fields = append(fields, string(record[:n]))
			rest = record[n:]
		}
		if len(rest) == 0 {
			return fields, nil
		}
		record = rest[1:]
	}
}

// separators are what may stand between fields.
const separators = ",\t;|"

// separatorOf finds what separates the names of a header: what splits it into
// the most.
func separatorOf(header []byte) byte {
	best, most := separators[0], 0
	for i := range len(separators) {
		names, err := (csvCutter{separators[i]}).fields(header)
		if err == nil && len(names) > most {
			best, most = separators[i], len(names)
		}
	}
	return best
}

// header reads the names of columns.
func (c csvCutter) header(record []byte) ([]string, error) {
	names, err := c.fields(record)
	if err != nil {
		return nil, err
	}
	folded := map[string]bool{}
	for _, name := range names {
		switch key := strings.ToLower(name); {
		case name == "":
			return nil, errNoCSVKey
		case folded[key]:
			return nil, fmt.Errorf("the header has the column %q twice", name)
		default:
			folded[key] = true
		}
	}
	return names, nil
}

// spelling are the names of columns as they were first met, by the name in small
// letters: those that differ in nothing but case are one column, as for a run.
type spelling map[string]string

// add gives the name of a column as it was first met.
func (s spelling) add(name string) string {
	folded := strings.ToLower(name)
	if first, known := s[folded]; known {
		return first
	}
	s[folded] = name
	return name
}

// of gives the names of a header as they were first met.
func (s spelling) of(header []string) []string {
	var names []string
	for _, name := range header {
		names = append(names, s.add(name))
	}
	return names
}

// csvReader reads records of one file of CSV.
type csvReader struct {
	csvCutter
	names []string
}

// row gives the fields of a record, one for each name.
func (r csvReader) row(record []byte) ([]string, error) {
	fields, err := r.fields(record)
	if err == nil && len(fields) != len(r.names) {
		return nil, fmt.Errorf("the line has %d fields, the header %d", len(fields), len(r.names))
	}
	return fields, err
}

// read reads a record and tells the shape of rows what it holds.
func (r csvReader) read(record []byte, rows *shape) (reading, error) {
	fields, err := r.row(record)
	if err != nil {
		return reading{}, err
	}
	for i, field := range fields {
		at := rows.at([]byte(r.names[i]), i)
		if at < 0 {
			at = rows.add(r.names[i])
		}
		m := rows.members[at]
		if field == "" {
			m.null = true
			continue
		}
		k, whole, scale := fieldKind(field)
		m.shape.kinds |= k
		m.shape.whole, m.shape.scale = max(m.shape.whole, whole), max(m.shape.scale, scale)
	}
	return reading{}, nil
}

// aNumber is a number as programs write it: an id such as 007 is none.
var aNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(?:\.([0-9]+))?([eE][+-]?[0-9]+)?$`)

// fieldKind says what a field is. It is a number or true or false only if it is
// written as such a value is: then a row reads it back as it was.
func fieldKind(field string) (k kinds, whole, scale int) {
	switch c := field[0]; {
	case field == "true", field == "false":
		return isBoolean, 0, 0
	case c != '-' && (c < '0' || c > '9'), field == "-0":
		return isText, 0, 0
	}
	m := aNumber.FindStringSubmatch(field)
	if m == nil {
		return isText, 0, 0
	}
	k = numberKind(len(m[1]), len(m[2]), m[3] != "")
	if k == isHuge && fits64([]byte(m[1])) {
		k = isLong
	}
	if k&(isShort|isFixed) == 0 {
		return k, 0, 0
	}
	return k, len(m[1]), len(m[2])
}

// csvType is the type that holds all values of a column of CSV: text where they
// are of several kinds.
func (s *shape) csvType() string {
	if t := s.sqlType(); t != jsonType {
		return t
	}
	return "VARCHAR"
}

// appendJSON writes a row as a line of JSON. Empty fields are missing.
func (r csvReader) appendJSON(line []byte, fields []string) []byte {
	line = append(line, '{')
	for i, field := range fields {
		if field == "" {
			continue
		}
		if line[len(line)-1] != '{' {
			line = append(line, ',')
		}
		line = appendText(line, r.names[i])
		line = append(line, ':')
		line = appendText(line, field)
	}
	return append(line, "}\n"...)
}

// appendText writes a text as JSON.
func appendText(line []byte, text string) []byte {
	if !strings.ContainsFunc(text, func(c rune) bool { return c < 0x20 || c == '"' || c == '\\' }) {
		return append(append(append(line, '"'), text...), '"')
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		panic("convert: a text has no JSON: " + err.Error())
	}
	return append(line, quoted...)
}

// columnsOf are the columns of rows of CSV, in the order of the headers.
func columnsOf(headers [][]string) []string {
	var names []string
	for _, header := range headers {
		for _, name := range header {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
