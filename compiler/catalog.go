package compiler

import (
	"math/big"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// Catalog is what the loaders found out about the sources: what there is to
// read, and for each meaning the SQL expression over the columns of the
// files. It is the only thing that the compiler knows about data.
type Catalog struct {
	Impressions []*Source
	Events      []*Source
	// Units are the sources of attributes of units, and of pairs of ids.
	Units []*Source
	// Excluded are the lists of units whose rows do not exist.
	Excluded []*Source
	// Engine is the name and version of the engine, e.g. "duckdb v1.5.5".
	Engine string
}

// Sources are all sources but the lists of excluded units.
func (c *Catalog) Sources() []*Source { return slices.Concat(c.Impressions, c.Events, c.Units) }

// Source is one inspected source. All expressions are over unqualified
// columns of Read; they are SQL values, not yet filtered by Where.
type Source struct {
	Def *metrics.Source
	// Read is the relation of the rows: of every file, before pruning.
	Read sqlast.From
	// Differs reports whether the files differ in their columns, so that those of
	// some would be unknown without the others.
	Differs bool
	// Files are the data files in the order of their names.
	Files []File
	// Lines reports whether the files are lines of text, some of which may be no
	// rows.
	Lines bool
	// Rows, Bytes are the totals over Files.
	Rows, Bytes int64

	Units      []UnitField // in the order of columns.units
	Time       Field       // a TIMESTAMP in UTC; of sources of units only where mapped
	TimeText   sqlast.Expr // what Time is read from, as a text; nil where no value can be unreadable
	Event      Field       // events: text
	Experiment *Field      // impressions: text, where mapped
	Flag       *Field      // impressions: text, where mapped
	Variation  Field       // impressions: text, or JSON
	Holdback   *Field      // impressions: boolean, where mapped
	Value      *Field      // events, where mapped
	Weight     *Field      // a whole number, where mapped
	// ID is what copies of a row agree in (semantics 2.4): the id as text; with
	// dedupe: row whatever is mapped, as it is stored.
	ID         []Field
	Properties Bag
	Attributes Bag
	// Excluded are the unit kinds, among Units, of which some ids are excluded.
	Excluded []string
	// Where is the source's own filter as a condition, nil where there is none.
	Where sqlast.Expr
	// Kept is the temporary table that holds the rows, for sources that are
	// not read from files: the impressions that a run has matched.
	Kept string
	// PartitionDay is the day of the partition, a DATE, NULL in files without a day; nil where there
	// is no partition.
	PartitionDay sqlast.Expr
}

// File is one data file.
type File struct {
	Path  string
	Rows  int64
	Bytes int64
	// Day is the value of the partition column, where the source has one and it is a day.
	Day    time.Time
	HasDay bool
	// MinTime and MaxTime bound the timestamps, where the footer tells; else
	// they are zero.
	MinTime, MaxTime time.Time
	// Whole reports whether the footer proves that every row has a timestamp,
	// an event key (events) and an id of each unit kind.
	Whole bool
	// Unreadable is the number of lines that are no rows, because they are not
	// what their format asks for.
	Unreadable int64
	// Anchor marks a file that must be read even if no row of it counts,
	// because the schema of the source needs it.
	Anchor bool
}

// UnitField is the id of one unit kind: text, NULL where missing or empty.
type UnitField struct {
	Kind string
	Field
}

// Field is a typed SQL value.
type Field struct {
	SQL  sqlast.Expr
	Type FieldType
	// NeverNull reports whether the footers prove that there is no missing value.
	NeverNull bool
	// Min and Max bound the values of an exact field, where the footers tell; else nil.
	Min, Max *big.Rat
}

// FieldType is the type of a field as the compiler sees it.
type FieldType struct {
	Kind  FieldKind
	Scale int // digits after the point of FieldDecimal
	Width int // digits of FieldDecimal in all; 0 where that is not known
	// Single marks a FieldFloat of a FLOAT column: it is read as a double, but
	// its text has the digits of 32 bits.
	Single bool
	// Date marks a FieldTime of a DATE column: its text has no time of day.
	Date bool
}

// FieldKind is a kind of field.
type FieldKind int

// The kinds of fields.
const (
	FieldText    FieldKind = iota
	FieldInteger           // any integer type
	FieldDecimal           // DECIMAL(p, s)
	FieldFloat             // DOUBLE or REAL
	FieldBoolean
	FieldTime // TIMESTAMP in UTC
	FieldJSON // the text of a value of JSON: JSON, but for strings, which are their own text
)

// Exact reports whether numbers of the type are exact.
func (t FieldType) Exact() bool { return t.Kind == FieldInteger || t.Kind == FieldDecimal }

// Bag resolves the named values of a row: properties or attributes.
type Bag struct {
	// Named are values with a column of their own; they win over From.
	Named map[string]Field
	// Fields are the fields of a STRUCT.
	Fields map[string]Field
	// From is the column that holds the rest, nil where there is none.
	From sqlast.Expr
	// Form says how From is read.
	Form BagForm
	// Values is the type of the values of a map or list; the zero type is text.
	Values FieldType
	// Internal are names that From holds and that are no values of the row, unless
	// they have a column of their own: a vendor's software writes them for itself.
	Internal []string
}

// BagForm is the shape of a column of named values.
type BagForm int

// The shapes.
const (
	BagNone      BagForm = iota
	BagMap               // MAP(VARCHAR, …)
	BagStruct            // STRUCT; see Fields
	BagJSON              // JSON text
	BagJSONPairs         // JSON text of lists of {name, value}, or of parameters
	BagPairs             // list of named values; From is one of {name, value}
)

// IsJSON reports whether the bag is text of JSON, which may be malformed.
func (b Bag) IsJSON() bool { return b.Form == BagJSON || b.Form == BagJSONPairs }

// Lookup gives the named value. It reports false where the bag cannot hold
// the name (a STRUCT without the field, an internal one, or no bag at all); a
// MAP, JSON text or list may hold any name, as text or as its Values are.
func (b Bag) Lookup(name string) (Field, bool) {
	if f, ok := b.Named[name]; ok {
		return f, true
	}
	if slices.Contains(b.Internal, name) {
		return Field{}, false
	}
	value := func(fn sqlast.Fn, from sqlast.Expr) (Field, bool) {
		f := Field{SQL: sqlCall(fn, from, sqlast.Text(name)), Type: b.Values}
		if b.Values.Kind == FieldFloat {
			wide := sqlast.Cast{X: f.SQL, To: sqlast.Type{Kind: sqlast.Double}}
			f.SQL = sqlast.Call{Fn: sqlast.Finite, Args: []sqlast.Expr{wide}}
		}
		return f, true
	}
	switch b.Form {
	case BagStruct:
		f, ok := b.Fields[name]
		return f, ok
	case BagMap:
		return value(sqlast.MapValue, b.From)
	case BagJSON:
		return Field{SQL: jsonText(b.From, name), Type: b.Values}, true
	case BagPairs:
		return value(sqlast.PairValue, b.From)
	case BagJSONPairs:
		return value(sqlast.PairValue, sqlCall(sqlast.JSONPairs, b.From))
	}
	return Field{}, false
}
