package sqlast

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// ReadParquet reads Parquet files.
type ReadParquet struct {
	Files       []string // names as by FileName, or one glob
	UnionByName bool
	// Unread are columns that are not read from some of the files, of which each
	// is in one list at most: they are NULL there, whatever type the files give them.
	Unread []UnreadColumns
	// Hive lists the hive partition columns that are read, with their types;
	// empty: none are.
	Hive []HiveColumn
	// Filename: there is a column filename too.
	Filename bool
	Alias    string
}

// UnreadColumns are columns that are not read from some files.
type UnreadColumns struct {
	Files   []string // names as by FileName
	Columns []string
}

// ReadNDJSON reads files of one JSON object a line, a row for each object; what
// is none is no row. A field of an object that is not there is NULL, and so is
// one that is null.
type ReadNDJSON struct {
	Files   []string      // as in ReadParquet
	Columns []NamedColumn // the fields that are read
	Hive    []HiveColumn
	// Filename: there is a column filename too.
	Filename bool
	Alias    string
}

// ReadCSV reads files of CSV with a header. All columns are text; an empty field
// is NULL, and so is a column that a file does not have. A row that does not fit
// its header is no row.
type ReadCSV struct {
	Groups    []CSVGroup
	Columns   []string // the columns that are read
	Delimiter string
	Hive      []HiveColumn
	// Filename: there is a column filename too.
	Filename bool
	Alias    string
}

// CSVGroup are files with one header.
type CSVGroup struct {
	Files  []string // as in ReadParquet
	Header []string
}

// NamedColumn is a column with its type.
type NamedColumn struct {
	Name string
	Type Type
}

// HiveColumn is a column whose value stands in the path of a file.
type HiveColumn = NamedColumn

func (ReadParquet) from() {}
func (ReadNDJSON) from()  {}
func (ReadCSV) from()     {}

// FileName gives the pattern that only the file of this name matches: engines
// read *, ? and [ of a name as wildcards, unless each stands in brackets.
//
// Names in object stores have no wildcards: engines are told so, since they
// cannot escape them.
func FileName(name string) string {
	if strings.HasPrefix(name, "s3://") {
		return name
	}
	return wildcards.Replace(name)
}

var wildcards = strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]")

// OfFiles is a relation with other files in the place of those that it reads.
func OfFiles(f From, files []string) From {
	switch f := f.(type) {
	case ReadParquet:
		f.Files = files
		return f
	case ReadNDJSON:
		f.Files = files
		return f
	case ReadCSV:
		return f.ofFiles(files)
	case Subquery:
		if s, ok := f.Query.(Select); ok && s.From != nil {
			s.From = OfFiles(s.From, files)
			f.Query = s
			return f
		}
	case Table, StoredTable, RawQuery, Join:
	default:
		panic(fmt.Sprintf("sqlast: no case for %T", f))
	}
	panic("sqlast: a relation that reads no files")
}

// Aliased is a relation under another name.
func Aliased(f From, alias string) From {
	switch f := f.(type) {
	case ReadParquet:
		f.Alias = alias
		return f
	case ReadNDJSON:
		f.Alias = alias
		return f
	case ReadCSV:
		f.Alias = alias
		return f
	case Subquery:
		f.Alias = alias
		return f
	case Table:
		f.Alias = alias
		return f
	case StoredTable:
		f.Alias = alias
		return f
	case RawQuery:
		f.Alias = alias
		return f
	case Join:
		panic("sqlast: a join has no name")
	}
	panic(fmt.Sprintf("sqlast: no case for %T", f))
}

// ofFiles leaves in each group those of the files. Any other files, such as a
// pattern for all, can only be those of the one group.
func (r ReadCSV) ofFiles(files []string) ReadCSV {
	if len(r.Groups) == 1 {
		r.Groups = []CSVGroup{{Files: files, Header: r.Groups[0].Header}}
		return r
	}
	var groups []CSVGroup
	for _, g := range r.Groups {
		kept := slices.DeleteFunc(slices.Clone(g.Files), func(f string) bool { return !slices.Contains(files, f) })
		if len(kept) > 0 {
			groups = append(groups, CSVGroup{Files: kept, Header: g.Header})
		}
	}
	if len(groups) == 0 {
		panic("sqlast: none of the files is of a group")
	}
	r.Groups = groups
	return r
}

func (p *printer) readParquet(r ReadParquet, indent int) {
	if p.d.ReadParquet == "" {
		p.fail(p.d.Name + " cannot read Parquet files")
		return
	}
	if len(r.Unread) == 0 {
		p.parquetFiles(r, r.Files, indent)
		p.alias(r.Alias)
		return
	}
	whole := r.Files
	p.write("(")
	for _, unread := range r.Unread {
		within := func(file string) bool { return slices.Contains(unread.Files, file) }
		files := slices.DeleteFunc(slices.Clone(whole), func(file string) bool { return !within(file) })
		if len(files) == 0 {
			continue
		}
		names := make([]string, len(unread.Columns))
		for i, name := range unread.Columns {
			names[i] = p.d.identifier(name)
		}
		p.parquetPart(r, strings.ReplaceAll(p.d.AllBut, "{1}", strings.Join(names, ", ")), files, indent+2)
		whole = slices.DeleteFunc(slices.Clone(whole), within)
		if len(whole) > 0 {
			p.line(indent + 2)
			p.write(p.d.UnionByName)
		}
	}
	if len(whole) > 0 {
		p.parquetPart(r, "*", whole, indent+2)
	}
	p.line(indent)
	p.write(")")
	p.alias(r.Alias)
}

// parquetPart selects columns of some of the files.
func (p *printer) parquetPart(r ReadParquet, columns string, files []string, indent int) {
	p.line(indent)
	p.write("SELECT " + columns)
	p.line(indent)
	p.write("FROM ")
	p.parquetFiles(r, files, indent)
}

func (p *printer) parquetFiles(r ReadParquet, files []string, indent int) {
	var options []string
	if r.UnionByName {
		options = append(options, "union_by_name = true")
	}
	if r.Filename {
		options = append(options, "filename = true")
	}
	p.readFiles(p.d.ReadParquet, files, append(options, p.hive(r.Hive)...), indent)
}

// readNDJSON takes the lines of the files apart.
func (p *printer) readNDJSON(r ReadNDJSON, indent int) {
	reader := p.d.NDJSON
	if reader == nil {
		p.fail(p.d.Name + " cannot read NDJSON files")
		return
	}
	line := p.d.identifier(reader.Line)
	p.write("(")
	p.line(indent + 2)
	p.write("SELECT")
	sep := ""
	if len(r.Columns) > 0 {
		p.line(indent + 4)
		fields := make([]string, len(r.Columns))
		for i, c := range r.Columns {
			fields[i] = jsonName(c.Name) + ": " + jsonName(p.d.typeName(c.Type))
		}
		p.write(strings.NewReplacer("{1}", line, "{2}", p.d.text("{"+strings.Join(fields, ", ")+"}")).Replace(reader.Fields))
		sep = ","
	}
	var others []string
	for _, h := range r.Hive {
		others = append(others, h.Name)
	}
	options := []string{reader.Options}
	if r.Filename {
		others = append(others, "filename")
		options = append(options, "filename = true")
	}
	if sep == "" && len(others) == 0 { // rows alone are wanted
		others = []string{reader.Line}
	}
	for _, name := range others {
		p.write(sep)
		p.line(indent + 4)
		p.write(p.d.identifier(name))
		sep = ","
	}
	p.line(indent + 2)
	p.write("FROM ")
	p.readFiles(reader.Function, r.Files, append(options, p.hive(r.Hive)...), indent+2)
	p.line(indent + 2)
	p.write("WHERE ")
	p.expr(IsJSONObject(Column{Name: reader.Line}), 0, indent+4)
	p.line(indent)
	p.write(")")
	p.alias(r.Alias)
}

// readCSV reads the groups one after the other.
func (p *printer) readCSV(r ReadCSV, indent int) {
	if p.d.CSV == nil {
		p.fail(p.d.Name + " cannot read CSV files")
		return
	}
	p.write("(")
	for i, g := range r.Groups {
		p.line(indent + 2)
		if i > 0 {
			p.write("UNION ALL")
			p.line(indent + 2)
		}
		p.csvGroup(r, g, indent+2)
	}
	p.line(indent)
	p.write(")")
	p.alias(r.Alias)
}

func (p *printer) csvGroup(r ReadCSV, g CSVGroup, indent int) {
	reader := p.d.CSV
	options := []string{reader.Options, strings.Replace(reader.Delimiter, "{1}", p.d.text(r.Delimiter), 1)}
	types := make([]string, len(g.Header))
	for i, name := range g.Header {
		types[i] = p.d.text(name) + ": " + p.d.text(p.d.typeName(Type{Kind: Varchar}))
	}
	options = append(options, strings.Replace(reader.Columns, "{1}", "{"+strings.Join(types, ", ")+"}", 1))
	var items []Item
	for _, name := range r.Columns {
		if slices.Contains(g.Header, name) {
			items = append(items, Item{X: Column{Name: name}, As: name})
		} else {
			items = append(items, Item{X: Null{Type: Type{Kind: Varchar}}, As: name})
		}
	}
	for _, h := range r.Hive {
		items = append(items, Item{X: Column{Name: h.Name}, As: h.Name})
	}
	if r.Filename {
		items = append(items, Item{X: Column{Name: "filename"}, As: "filename"})
		options = append(options, "filename = true")
	}
	if len(items) == 0 { // rows alone are wanted
		items = []Item{{X: Int(1), As: "row"}}
	}
	p.write("SELECT")
	for i, item := range items {
		p.line(indent + 2)
		p.item(item, i == len(items)-1, indent+2)
	}
	p.line(indent)
	p.write("FROM ")
	p.readFiles(reader.Function, g.Files, append(options, p.hive(r.Hive)...), indent)
}

// IsJSONObject holds for a well-formed line that is an object.
func IsJSONObject(line Expr) Expr {
	return Call{Fn: StartsWith, Args: []Expr{line, Text("{")}}
}

// jsonName is a name as a JSON string.
func jsonName(name string) string {
	var b strings.Builder
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	if err := out.Encode(name); err != nil {
		panic("sqlast: a name has no JSON: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// hive are the options about columns whose values stand in paths.
func (p *printer) hive(columns []HiveColumn) []string {
	if len(columns) == 0 {
		return []string{"hive_partitioning = false"}
	}
	types := make([]string, len(columns))
	for i, h := range columns {
		types[i] = p.d.text(h.Name) + ": " + p.d.typeName(h.Type)
	}
	return []string{"hive_partitioning = true", "hive_types = {" + strings.Join(types, ", ") + "}"}
}

// readFiles writes a function that reads files, with its options.
func (p *printer) readFiles(function string, names, options []string, indent int) {
	files := p.d.text(strings.Join(names, ""))
	if len(names) != 1 {
		list := make([]string, len(names))
		for i, f := range names {
			list[i] = p.d.text(f)
		}
		files = "[" + strings.Join(list, ", ") + "]"
		if p.col+utf8.RuneCountInString(files) > width {
			sep := "\n" + strings.Repeat(" ", indent+4)
			files = "[" + sep + strings.Join(list, ","+sep) + sep[:len(sep)-2] + "]"
		}
	}
	options = append([]string{files}, options...)
	sep, end := ", ", ""
	p.write(function + "(")
	if s := strings.Join(options, sep); strings.Contains(s, "\n") || p.col+utf8.RuneCountInString(s) > width {
		p.line(indent + 2)
		sep, end = ",\n"+strings.Repeat(" ", indent+2), "\n"+strings.Repeat(" ", indent)
	}
	p.write(strings.Join(options, sep) + end + ")")
}

// fail keeps the first error.
func (p *printer) fail(why string) {
	if p.err == nil {
		p.err = errors.New(why)
	}
}

// PrintFrom gives what a SELECT reads as it stands behind FROM.
func PrintFrom(d *Dialect, f From) (string, error) {
	p := &printer{d: d}
	p.from(f, 0)
	return p.b.String(), p.err
}
