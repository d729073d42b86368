package sqlast

import (
	"fmt"
	"strings"
)

// Dialect is the SQL of one engine as data. The core of the compiler knows
// none by name.
type Dialect struct {
	Name string
	// Quote stands around identifiers; inside them it is doubled.
	Quote byte
	// Char is the spelling of the character with the code {1}: characters that
	// no reader could see are never printed as themselves.
	Char string
	// Concat joins texts.
	Concat string
	// Types are the names of types; {1} and {2} are the width and the scale.
	Types map[Kind]string
	// TempTable begins the statement that keeps the rows of a query.
	TempTable string
	// ReadParquet is the function that reads Parquet files; empty: there is none.
	ReadParquet string
	// AllBut is the list of all columns but {1}, and UnionByName stands between
	// queries whose columns are matched by name, which may lack some.
	AllBut, UnionByName string
	// Attach opens the database file {1} for reading under the name {2}; empty:
	// there is no such thing.
	Attach string
	// NDJSON says how lines of JSON are read; nil: not at all.
	NDJSON *NDJSONReader
	// CSV says how files of CSV are read; nil: not at all.
	CSV *CSVReader
	// CTEHint stands before the query of a CTE, where the engine has to be told
	// to merge a CTE that is read once into its reader.
	CTEHint string
	// Bind evaluates {1} once and gives it a name for {2}, the spelling of a
	// function that needs its argument more than once; that spelling sees it as
	// Bound.
	Bind  string
	Bound string
	// Functions are the spellings of the functions.
	Functions map[Fn]Spelling
}

// NDJSONReader is how a dialect reads files of one JSON object a line.
type NDJSONReader struct {
	// Function gives a row for each line, with the column Line: the line as it
	// stands, NULL where it is not well-formed. Options stand behind the files.
	Function, Options, Line string
	// Fields gives a column for each field of the object {1} that the literal {2},
	// a JSON object of names and types, names; NULL where it is not there.
	Fields string
}

// CSVReader is how a dialect reads files of CSV, with all columns as text.
type CSVReader struct {
	// Function reads files with the header {1}, a struct literal of names and
	// types in Columns, and fields apart by the literal {1} in Delimiter. Options
	// stand beside them.
	Function, Options, Columns, Delimiter string
}

// Spelling is how a dialect writes a function: a plain name is called with
// the arguments; a text with {1}, {2} has the arguments put in their places,
// {2:pointer} as a JSON pointer to the key that the literal argument names, and
// {2:pointers} as a list of the arguments, which are such pointers.
// Where the text stands on one line it is one: its line breaks and the blanks
// after them become one blank. A spelling reads as a primary expression (a
// call, a CASE), so that it needs no parentheses.
type Spelling string

// repeats reports whether the spelling needs its first argument twice.
func (s Spelling) repeats() bool { return strings.Count(string(s), "{1}") > 1 }

// UnsupportedError says that a dialect has no spelling for a function.
type UnsupportedError struct {
	Dialect string
	Fn      Fn
	// Have are the dialects that have one.
	Have []string
}

// Error names the function by its meaning.
func (e *UnsupportedError) Error() string {
	msg := fmt.Sprintf("%s has no spelling for %v", e.Dialect, e.Fn)
	if len(e.Have) > 0 {
		msg += "; these have: " + strings.Join(e.Have, ", ")
	}
	return msg
}

// Dialects are all dialects, in the order of their names.
var Dialects = []*Dialect{DuckDB}

// spelling gives the spelling of a function.
func (d *Dialect) spelling(fn Fn) (Spelling, error) {
	if s, ok := d.Functions[fn]; ok {
		return s, nil
	}
	e := &UnsupportedError{Dialect: d.Name, Fn: fn}
	for _, other := range Dialects {
		if _, ok := other.Functions[fn]; ok {
			e.Have = append(e.Have, other.Name)
		}
	}
	return "", e
}

// identifier quotes a name.
func (d *Dialect) identifier(name string) string {
	q := string(d.Quote)
	return q + strings.ReplaceAll(name, q, q+q) + q
}

// typeName spells a type.
func (d *Dialect) typeName(t Type) string {
	name, ok := d.Types[t.Kind]
	if !ok {
		panic(fmt.Sprintf("sqlast: %s has no name for type %d", d.Name, t.Kind))
	}
	return strings.NewReplacer("{1}", fmt.Sprint(t.Width), "{2}", fmt.Sprint(t.Scale)).Replace(name)
}
