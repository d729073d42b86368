package gen

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/internal/oracle"
)

// A Table is one file of a warehouse.
type Table struct {
	Path      string // relative to the definitions file, with slashes
	Delimiter string // of CSV, what stands between fields
	Columns   []Column
	// Rows hold a cell for each column: nil, string, int64, float64,
	// oracle.Decimal, bool, time.Time, or []Field for a MAP or STRUCT.
	Rows [][]any
}

// A Column is a column of a Table, of a DuckDB type.
type Column struct{ Name, Type string }

// A Field is an entry of a MAP or STRUCT.
type Field struct {
	Name  string
	Value any
}

// Text is the table as text, where the format that its path tells is written so.
func (t Table) Text() (text string, ok bool) {
	if path.Ext(t.Path) != csv {
		return "", false
	}
	return t.csv(), true
}

// Copy is the DuckDB statement that writes any other table to a file in the
// format that its path tells. The folder must exist.
func (t Table) Copy(file string) string {
	return fmt.Sprintf("COPY (%s) TO %s (FORMAT %s)", t.query(), literal(file), map[string]string{parquet: "parquet", ndjson: "json"}[path.Ext(t.Path)])
}

// The endings of the paths of tables.
const (
	parquet = ".parquet"
	ndjson  = ".ndjson"
	csv     = ".csv"
)

// String gives the table for a reader.
func (t Table) String() string {
	text, ok := t.Text()
	if !ok {
		text = t.query() + "\n"
	}
	return t.Path + "\n" + text
}

// query gives the rows. They are one text of JSON, not literals of their types:
// the engine plans an expression for every literal, which takes longer than all
// else about so small a file.
func (t Table) query() string {
	var columns, types []string
	for _, c := range t.Columns {
		columns = append(columns, fmt.Sprintf(`CAST(r."%s" AS %s) AS "%s"`, c.Name, c.Type, c.Name))
		text := c.Type
		if !strings.Contains(text, "VARCHAR") { // but for nested types
			text = "VARCHAR"
		}
		types = append(types, jsonText(c.Name)+": "+jsonText(text))
	}
	var rows []string
	for _, r := range t.Rows {
		var cells []string
		for i, cell := range r {
			cells = append(cells, jsonText(t.Columns[i].Name)+": "+jsonCell(cell, t.Columns[i].Type))
		}
		rows = append(rows, "{"+strings.Join(cells, ", ")+"}")
	}
	return fmt.Sprintf("SELECT %s FROM (SELECT unnest(from_json_strict(%s, %s)) AS r)", strings.Join(columns, ", "),
		literal("["+strings.Join(rows, ",\n  ")+"]"), literal("[{"+strings.Join(types, ", ")+"}]"))
}

// jsonCell spells a cell so that it becomes a value of the column's type.
func jsonCell(cell any, columnType string) string {
	switch v := cell.(type) {
	case nil:
		return "null"
	case string:
		return jsonText(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		// A text may be NaN, too; the engine does not know +Inf.
		return jsonText(strings.TrimPrefix(strconv.FormatFloat(v, 'g', -1, 64), "+"))
	case oracle.Decimal:
		return jsonText(v.String())
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return jsonText(v.Format("2006-01-02 15:04:05.000000"))
	case []Field:
		open, end, entry := "{", "}", func(name, value string) string { return name + ": " + value }
		if columnType == listType {
			open, end, entry = "[", "]", func(name, value string) string { return `{"name": ` + name + `, "value": ` + value + "}" }
		}
		var entries []string
		for _, f := range v {
			entries = append(entries, entry(jsonText(f.Name), jsonCell(f.Value, "")))
		}
		return open + strings.Join(entries, ", ") + end
	}
	panic(fmt.Sprintf("gen: no JSON for %T", cell))
}

func jsonText(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// tables writes the rows down as the sources' columns.
func (w *world) tables(in oracle.Input) []Table {
	var out []Table
	for _, s := range w.impressions {
		var rows [][]any
		var of []*time.Time
		for i, r := range in.Impressions {
			if r.Source == s.name {
				rows, of = append(rows, s.impressionCells(r, i)), append(of, r.Day)
			}
		}
		out = append(out, s.files(s.impressionColumns(), rows, of)...)
	}
	for _, s := range w.events {
		var rows [][]any
		var of []*time.Time
		for i, r := range in.Events {
			if r.Source == s.name {
				rows, of = append(rows, s.eventCells(r, i)), append(of, r.Day)
			}
		}
		out = append(out, s.files(s.eventColumns(), rows, of)...)
	}
	return append(out, w.unitTables(in)...)
}

// files divides the rows of a source by partition day. The files of every other
// day have their columns in another order.
func (s *source) files(columns []Column, rows [][]any, of []*time.Time) []Table {
	if s.where {
		columns, rows, of = withDropped(columns, rows, of)
	}
	if !s.partitioned() {
		return []Table{{s.name + s.ending, s.delimiter, columns, rows}}
	}
	var out []Table
	for n, d := range days(of) {
		t := Table{Path: path.Join(s.name, "ds="+d.Format(time.DateOnly), "part"+s.ending), Delimiter: s.delimiter, Columns: columns}
		for i, r := range rows {
			if of[i].Equal(d) {
				t.Rows = append(t.Rows, r)
			}
		}
		if n%2 == 1 {
			t = t.backwards()
		}
		out = append(out, t)
	}
	return out
}

// backwards is the table with its columns in reverse.
func (t Table) backwards() Table {
	t.Columns = slices.Clone(t.Columns)
	slices.Reverse(t.Columns)
	rows := t.Rows
	t.Rows = nil
	for _, r := range rows {
		r = slices.Clone(r)
		slices.Reverse(r)
		t.Rows = append(t.Rows, r)
	}
	return t
}

// withDropped adds the column env, and copies of rows that the source's where drops by it.
func withDropped(columns []Column, rows [][]any, of []*time.Time) ([]Column, [][]any, []*time.Time) {
	columns = append(slices.Clone(columns), Column{"env", "VARCHAR"})
	var out [][]any
	var days []*time.Time
	for i, r := range rows {
		out, days = append(out, append(slices.Clone(r), "live")), append(days, of[i])
		if i%3 == 0 {
			out, days = append(out, append(slices.Clone(r), []any{"test", nil, "Live"}[i/3%3])), append(days, of[i])
		}
	}
	return columns, out, days
}

func (s *source) impressionColumns() []Column {
	columns := s.commonColumns()
	if s.experiment {
		columns = append(columns, Column{"experiment_key", "VARCHAR"})
	}
	if s.flag {
		columns = append(columns, Column{"flag_key", "VARCHAR"})
	}
	columns = append(columns, Column{"shown", "VARCHAR"})
	if s.holdback {
		columns = append(columns, Column{"is_holdback", "BOOLEAN"})
	}
	if s.weight {
		columns = append(columns, Column{"sample", "BIGINT"})
	}
	return columns
}

func (s *source) impressionCells(r oracle.Impression, i int) []any {
	cells := s.commonCells(r.Units, r.Time, r.ID, r.Attributes, i)
	if s.experiment {
		cells = append(cells, deref(r.Experiment))
	}
	if s.flag {
		cells = append(cells, deref(r.Flag))
	}
	cells = append(cells, deref(r.Variation))
	if s.holdback {
		cells = append(cells, deref(r.Holdback))
	}
	if s.weight {
		cells = append(cells, deref(r.Weight))
	}
	return cells
}

func (s *source) eventColumns() []Column {
	columns := append(s.commonColumns(), Column{"event_name", "VARCHAR"})
	if s.hasValue {
		columns = append(columns, Column{"amount", typeOf(s.value)})
	}
	if s.weight {
		columns = append(columns, Column{"sample", "BIGINT"})
	}
	switch s.properties {
	case "MAP":
		columns = append(columns, Column{"props", "MAP(VARCHAR, VARCHAR)"})
	case "STRUCT":
		columns = append(columns, Column{"props", structType})
	case "JSON":
		columns = append(columns, Column{"props", "VARCHAR"})
	case "LIST":
		columns = append(columns, Column{"props", listType})
	case "COLUMNS":
		for _, name := range propertyNames {
			columns = append(columns, Column{name, "VARCHAR"})
		}
	case "MIXED":
		columns = append(columns, Column{"props", "MAP(VARCHAR, VARCHAR)"}, Column{"quantity", "BIGINT"}, Column{"unit_price", "DOUBLE"})
	}
	return columns
}

const listType = "STRUCT(name VARCHAR, value VARCHAR)[]"

const structType = `STRUCT(category VARCHAR, coupon VARCHAR, "item.sku" VARCHAR, session VARCHAR, price DOUBLE, quantity BIGINT, discount DECIMAL(18, 2), gift BOOLEAN, sent TIMESTAMP)`

var propertyNames = []string{"category", "coupon", "item.sku", "session", "price", "quantity", "discount", "gift", "sent"}

func typeOf(c oracle.ColumnType) string {
	switch c.Kind {
	case oracle.TextColumn:
		return "VARCHAR"
	case oracle.FloatColumn:
		return "DOUBLE"
	case oracle.IntegerColumn:
		return "BIGINT"
	case oracle.DecimalColumn:
		return fmt.Sprintf("DECIMAL(18, %d)", c.Scale)
	}
	panic(fmt.Sprintf("gen: no type for %v", c))
}

func (s *source) eventCells(r oracle.Event, i int) []any {
	cells := append(s.commonCells(r.Units, r.Time, r.ID, r.Attributes, i), deref(r.Event))
	if s.hasValue {
		cells = append(cells, any(r.Value))
	}
	if s.weight {
		cells = append(cells, deref(r.Weight))
	}
	switch s.properties {
	case "MAP":
		cells = append(cells, mapOf(r.Properties, nil, i))
	case "STRUCT":
		var fields []Field
		for _, name := range propertyNames {
			fields = append(fields, Field{name, r.Properties[name]})
		}
		cells = append(cells, fields)
	case "JSON":
		cells = append(cells, jsonOf(r.Properties, i))
	case "LIST":
		cells = append(cells, mapOf(r.Properties, nil, i))
	case "COLUMNS":
		for _, name := range propertyNames {
			cells = append(cells, any(r.Properties[name]))
		}
	case "MIXED":
		cells = append(cells, mapOf(r.Properties, []string{"quantity", "price"}, i), r.Properties["quantity"], r.Properties["price"])
	}
	return cells
}

func (s *source) commonColumns() []Column {
	var columns []Column
	for _, kind := range s.kinds {
		columns = append(columns, Column{kind + "_id", "VARCHAR"})
	}
	columns = append(columns, Column{"ts", strings.TrimSuffix(s.timestamp, " of nanoseconds")})
	for i := range s.idColumns {
		columns = append(columns, Column{fmt.Sprint("id_", i), s.idType})
	}
	switch s.bag {
	case "MAP":
		columns = append(columns, Column{"attrs", "MAP(VARCHAR, VARCHAR)"})
	case "STRUCT":
		columns = append(columns, Column{"attrs", "STRUCT(country VARCHAR, platform VARCHAR, age VARCHAR)"})
	case "COLUMNS":
		columns = append(columns, Column{"country", "VARCHAR"}, Column{"platform", "VARCHAR"}, Column{"age", "VARCHAR"})
	}
	return columns
}

func (s *source) commonCells(units map[string]string, at *time.Time, id []oracle.Value, attributes map[string]string, i int) []any {
	var cells []any
	for _, kind := range s.kinds {
		cells = append(cells, lookup(units, kind))
	}
	cells = append(cells, s.timeCell(at, i))
	for _, v := range id {
		cells = append(cells, any(v))
	}
	names := []string{"country", "platform", "age"}
	switch s.bag {
	case "MAP":
		cells = append(cells, mapOf(attributes, nil, i))
	case "STRUCT":
		var fields []Field
		for _, name := range names {
			fields = append(fields, Field{name, lookup(attributes, name)})
		}
		cells = append(cells, fields)
	case "COLUMNS":
		for _, name := range names {
			cells = append(cells, lookup(attributes, name))
		}
	}
	return cells
}

// timeCell spells an instant in the type of the source's column, text in one
// of the forms of section 1.
func (s *source) timeCell(at *time.Time, i int) any {
	if at == nil {
		if s.timestamp == "VARCHAR" && i%2 == 0 {
			return "2026-02-30T00:00:00Z" // no time, so missing
		}
		return nil
	}
	switch s.timestamp {
	case "TIMESTAMP", "TIMESTAMP_NS":
		return *at
	case nanoseconds:
		return at.UnixNano() + int64(i%2)*999
	case "TIMESTAMPTZ":
		return at.Format("2006-01-02 15:04:05.000000") + "+00"
	case "BIGINT":
		return at.UnixMicro()
	case "VARCHAR":
		zone := time.FixedZone("", 2*3600)
		forms := []string{
			at.Format("2006-01-02T15:04:05.999999Z"), at.Format("2006-01-02 15:04:05.000000"), at.In(zone).Format("2006-01-02T15:04:05.999999Z07:00"),
			at.Format("2006-01-02T15:04:05.000000") + "999Z", at.Format("2006-01-02 15:04:05.999999 UTC"),
			at.In(zone).Format("2006-01-02 15:04:05.999999-07"), at.In(time.FixedZone("", -19800)).Format("2006-01-02 15:04:05.999999 -0700"),
		}
		if at.Equal(at.Truncate(day)) {
			forms = append(forms, at.Format(time.DateOnly))
		}
		return forms[i%len(forms)]
	}
	panic("gen: no case for timestamp " + s.timestamp)
}

// mapOf gives the entries of a MAP; of rows with an odd number the missing ones are entries with NULL.
func mapOf[V any](m map[string]V, without []string, i int) []Field {
	var out []Field
	for k, v := range m {
		if !slices.Contains(without, k) {
			out = append(out, Field{k, any(v)})
		}
	}
	if i%2 == 1 {
		for _, k := range []string{"category", "country"} {
			if _, ok := m[k]; !ok {
				out = append(out, Field{k, nil})
			}
		}
	}
	slices.SortFunc(out, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// plainJSON are texts that JSON may spell as numbers or booleans of the same text.
var plainJSON = regexp.MustCompile(`^(-?(0|[1-9][0-9]{0,5})(\.[0-9]*[1-9])?|true|false)$`)

// jsonOf gives the properties as a JSON object, of texts or, in every other
// row, of numbers and booleans where they say the same; an empty one may be
// missing or malformed.
func jsonOf(m map[string]oracle.Value, i int) any {
	if len(m) == 0 && i%3 > 0 {
		return []any{nil, `{"category": "a"`}[i%3-1]
	}
	values := map[string]any{}
	for k, v := range m {
		values[k] = v
		if text, ok := v.(string); ok && i%2 == 1 && plainJSON.MatchString(text) {
			values[k] = json.RawMessage(text)
		}
	}
	text, err := json.Marshal(values)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func lookup(m map[string]string, key string) any {
	if v, ok := m[key]; ok {
		return v
	}
	return nil
}

func deref[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}
