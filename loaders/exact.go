package loaders

import (
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// compileColumn takes exact names itself until the compiler reads expressions.
func compileColumn(src metrics.Expr, columns []compiler.Column, list *diag.List) (sqlast.Expr, compiler.ColumnType, bool) {
	for _, c := range columns {
		if strings.EqualFold(c.Name, src.Src) {
			return sqlast.Column{Name: c.Name}, c.Type, true
		}
	}
	return compiler.CompileColumn(src, columns, list)
}
