package compiler

import (
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// Column is a column of a file, or a field of a struct.
type Column struct {
	Name string
	Type ColumnType
}

// ColumnType is the type of a column as it is stored.
type ColumnType struct {
	Kind         ColumnKind
	Width, Scale int         // ColumnDecimal
	Fields       []Column    // ColumnStruct
	Elem         *ColumnType // the values of a ColumnMap, the elements of a ColumnList
	Name         string      // as the engine spells it, for messages
}

// ColumnKind is a kind of stored type.
type ColumnKind int

// The kinds of stored types.
const (
	ColumnText ColumnKind = iota
	ColumnJSON
	ColumnUUID
	ColumnInteger
	ColumnDecimal
	ColumnFloat
	ColumnBoolean
	ColumnTimestamp   // without zone: UTC; any precision up to microseconds
	ColumnTimestampNS // without zone, nanoseconds
	ColumnTimestampTZ
	ColumnDate
	ColumnStruct
	ColumnMap // keys are text
	ColumnList
	ColumnOther
)

// CompileColumn reads one entry of a source's columns: the exact name of a
// column, a nested path, or an expression over columns. The type is the
// stored one for a name or path; for an expression it is text, float, boolean
// or timestamp. Mistakes are added to the list.
func CompileColumn(src metrics.Expr, columns []Column, list *diag.List) (sqlast.Expr, ColumnType, bool) {
	panic("compiler: CompileColumn is not written")
}

// CompileSourceWhere reads a source's where, as a condition over its columns.
func CompileSourceWhere(src metrics.Expr, columns []Column, list *diag.List) (sqlast.Expr, bool) {
	panic("compiler: CompileSourceWhere is not written")
}
