// Package sqlast is a small SQL tree and the only place that knows how SQL is
// spelt. Nodes are plain data; a Dialect is a table of spellings; Print gives
// text that an analyst can read and run as it stands.
//
// The tree is the lowest common SQL of the engines: no FILTER (but of lists), no QUALIFY, no
// GROUP BY ALL, identifiers always quoted, values only as literal nodes.
package sqlast

import (
	"time"
)

// Expr is a SQL expression.
type Expr interface{ expr() }

// The literals.
type (
	// Text is a text literal.
	Text string
	// Int is a whole-number literal.
	Int int64
	// Float is a double-precision literal; it is finite.
	Float float64
	// Bool is TRUE or FALSE.
	Bool bool
	// Null is the missing value of a type.
	Null struct{ Type Type }
	// Timestamp is an instant, in UTC, with microseconds.
	Timestamp time.Time
	// Interval is a length of time.
	Interval time.Duration
	// Date is the UTC date of an instant.
	Date time.Time
)

// Column is a column, of the relation Table where that is not empty.
type Column struct{ Table, Name string }

// Field is a field of a struct.
type Field struct {
	X    Expr
	Name string
}

// Call is a function, named by its meaning; the dialect gives the spelling.
type Call struct {
	Fn   Fn
	Args []Expr
}

// Lambda is a function of one parameter, as argument of a Call.
type Lambda struct {
	Param string
	Body  Expr
}

// Aggregate is an aggregate function over the rows of a group.
type Aggregate struct {
	Fn       AggFn
	X        Expr // nil: COUNT(*)
	Distinct bool
	Where    Expr // which rows; nil: all. Only lists need it
}

// Running is an aggregate over a partition, up to and with the rows that are
// equal by OrderBy, or with Before, up to those; without OrderBy over the whole
// partition.
type Running struct {
	Fn          AggFn
	X           Expr
	PartitionBy []Expr
	OrderBy     []Order
	Before      bool
}

// RowNumber is ROW_NUMBER() over a partition.
type RowNumber struct {
	PartitionBy []Expr
	OrderBy     []Order
}

// Binary is an infix operator.
type Binary struct {
	Op   Op
	L, R Expr
}

// And holds where all of its parts hold; an empty And is TRUE.
type And []Expr

// Or holds where one of its parts holds; an empty Or is FALSE.
type Or []Expr

// Not is the negation.
type Not struct{ X Expr }

// Negative is the arithmetic negation.
type Negative struct{ X Expr }

// IsNull is X IS NULL, or with Not, X IS NOT NULL.
type IsNull struct {
	X   Expr
	Not bool
}

// In is X IN (list).
type In struct {
	X    Expr
	List []Expr
}

// Case is CASE WHEN … THEN … ELSE … END; Else may be nil.
type Case struct {
	Whens []When
	Else  Expr
}

// When is one branch of a Case.
type When struct{ If, Then Expr }

// Cast converts; a value that cannot be converted is an error of the
// statement, or with Try, NULL.
type Cast struct {
	X   Expr
	To  Type
	Try bool
}

// Struct is a row value with named fields, compared field by field.
type Struct []NamedExpr

// NamedExpr is a named part of a Struct.
type NamedExpr struct {
	Name string
	X    Expr
}

func (Text) expr()      {}
func (Int) expr()       {}
func (Float) expr()     {}
func (Bool) expr()      {}
func (Null) expr()      {}
func (Timestamp) expr() {}
func (Interval) expr()  {}
func (Date) expr()      {}
func (Column) expr()    {}
func (Field) expr()     {}
func (Call) expr()      {}
func (Lambda) expr()    {}
func (Aggregate) expr() {}
func (RowNumber) expr() {}
func (Running) expr()   {}
func (Binary) expr()    {}
func (And) expr()       {}
func (Or) expr()        {}
func (Not) expr()       {}
func (Negative) expr()  {}
func (IsNull) expr()    {}
func (In) expr()        {}
func (Case) expr()      {}
func (Cast) expr()      {}
func (Struct) expr()    {}

// Op is an infix operator.
type Op int

// The operators.
const (
	Eq Op = iota
	NotEq
	Less
	LessEq
	Greater
	GreaterEq
	Add
	Sub
	Mul
	Div // real division of doubles; the divisor is never zero (NULLIF)
	IntDiv
	Distinct    // IS DISTINCT FROM
	NotDistinct // IS NOT DISTINCT FROM
)

// AggFn is an aggregate function.
type AggFn int

// The aggregate functions.
const (
	Count AggFn = iota
	Sum
	Min
	Max
	List // the values as a list, NULLs included
)

// Kind is a kind of SQL type.
type Kind int

// The kinds of SQL types.
const (
	Varchar Kind = iota
	Boolean
	Integer
	Bigint
	Hugeint
	Decimal
	Real
	Double
	TimestampType
	DateType
	JSONType
	// Untyped is the type of a NULL that takes the type of what it stands beside.
	Untyped
)

// Type is a SQL type; Width and Scale belong to Decimal.
type Type struct {
	Kind         Kind
	Width, Scale int
}

// Select is a query.
type Select struct {
	// Why is printed as a comment above the query.
	Why      string
	With     []CTE
	Distinct bool
	Items    []Item
	From     From // nil: no FROM
	Where    Expr // nil: all rows
	GroupBy  []Expr
	// Sets are grouping sets; each is a subset of GroupBy, by index.
	Sets    [][]int
	Having  Expr
	OrderBy []Order
	Limit   int // 0: none
}

// CTE is a named query before the main one.
type CTE struct {
	Name    string
	Columns []string // for Values
	Query   Query
	// Materialized: its rows are made and put side by side before they are read.
	Materialized bool
}

// Query is a Select, Union or Values.
type Query interface{ query() }

// Union is UNION ALL.
type Union []Select

// Values is a constant relation.
type Values [][]Expr

func (Select) query() {}
func (Union) query()  {}
func (Values) query() {}

// Item is one column of a SELECT; Why, where given, is a comment behind it.
type Item struct {
	X   Expr
	As  string
	Why string
}

// Order is one key of ORDER BY.
type Order struct {
	X    Expr
	Desc bool
}

// From is what a SELECT reads.
type From interface{ from() }

// Table is a named table, CTE or view.
type Table struct{ Name, Alias string }

// StoredTable is a table of an attached database, by its schema and name or its
// name alone.
type StoredTable struct {
	Database string
	Path     []string
	Alias    string
}

// RawQuery is a query that somebody wrote in the engine's own SQL.
type RawQuery struct{ SQL, Alias string }

// Subquery is a query in parentheses.
type Subquery struct {
	Query Query
	Alias string
}

// Join is L JOIN R ON On.
type Join struct {
	Kind JoinKind
	L, R From
	On   Expr // nil with CrossJoin
}

// JoinKind is a kind of join.
type JoinKind int

// The kinds of joins.
const (
	InnerJoin JoinKind = iota
	LeftJoin
	CrossJoin
)

func (Table) from()       {}
func (StoredTable) from() {}
func (RawQuery) from()    {}
func (Subquery) from()    {}
func (Join) from()        {}

// Statement is what is executed.
type Statement interface{ statement() }

// CreateTable keeps the rows of a query in a temporary table.
type CreateTable struct {
	Name  string
	Query Select
}

// InsertInto adds the rows of a query to a temporary table.
type InsertInto struct {
	Name  string
	Query Select
}

// DropTable removes a temporary table; IfExists: where there is one.
type DropTable struct {
	Name     string
	IfExists bool
}

// Attach opens a database file for reading, under a name.
type Attach struct{ File, Name string }

func (CreateTable) statement() {}
func (Attach) statement()      {}
func (InsertInto) statement()  {}
func (DropTable) statement()   {}
func (Select) statement()      {}
