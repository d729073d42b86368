package loaders

import (
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// InstantSQL is an expression of SQL for the time that a run reads from a
// column, path or expression: a TIMESTAMP in UTC, NULL where there is none. The epoch is
// the unit of a number, or empty; a text may be a number or a time, as a preset
// reads it. A mistake is a diag.List.
func InstantSQL(path, epoch string, columns []NewColumn) (string, error) {
	return instantSQL(path, metrics.TimestampColumn{Column: metrics.Expr{Tolerant: true}, Epoch: epoch}, columns)
}

// EpochSQL is InstantSQL of numbers alone.
func EpochSQL(path, epoch string, columns []NewColumn) (string, error) {
	return instantSQL(path, metrics.TimestampColumn{Epoch: epoch}, columns)
}

func instantSQL(path string, when metrics.TimestampColumn, columns []NewColumn) (string, error) {
	var list diag.List
	x, typ, ok := compiler.CompileColumn(metrics.Expr{Src: path}, columnsOfTypes(columns), &list)
	if !ok {
		return "", list
	}
	field, refused := timestampOf(stored{x, typ}, when)
	if refused != nil {
		list.Errorf(diag.Pos{}, "column-type", "%s is %s, %s", path, typeName(typ), refused.why).Hint = refused.hint
		return "", list
	}
	return sqlast.PrintExpr(sqlast.DuckDB, field.SQL)
}

// GuessTime is the column or path that holds the time of the rows, by the names
// and types that such columns have; it is empty where none has.
func GuessTime(columns []NewColumn) string {
	return newGuess(columnsOfTypes(columns), nil).time().Column.Src
}

// Clash gives the first column, or field inside of one, whose types in two sets of
// columns a run cannot read as one.
func Clash(before, after []NewColumn) (name, was, is string, ok bool) {
	found := conflicts([]fileColumns{{columns: columnsOfTypes(before), files: []string{"before"}}, {columns: columnsOfTypes(after), files: []string{"after"}}})
	if len(found) == 0 {
		return "", "", "", false
	}
	return strings.Join(found[0].path, "."), found[0].typ, found[0].otherType, true
}

// columnsOfTypes are columns with their types as the compiler knows them.
func columnsOfTypes(columns []NewColumn) []compiler.Column {
	var all []compiler.Column
	for _, c := range columns {
		all = append(all, compiler.Column{Name: c.Name, Type: parseType(c.Type)})
	}
	return all
}
