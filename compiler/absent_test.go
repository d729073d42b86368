package compiler

import (
	"strings"
	"testing"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
)

// TestAlternativesOfPresets: what a preset names in several ways is what the
// data has of it, and where that is of several types its text.
func TestAlternativesOfPresets(t *testing.T) {
	const path = `TRY(json_extract_string("doc", '/v'))`
	for _, c := range []struct{ src, sql, typ string }{
		{"none ?? cents", `"cents"`, "BIGINT"},
		{"none ?? doc.v", path, "JSON"},
		{"doc.v ?? user_id", `COALESCE(` + path + `, "user_id")`, "VARCHAR"},
		{"doc.v ?? cents", `COALESCE(` + path + `, CAST("cents" AS VARCHAR))`, "VARCHAR"},
		{"doc.v ?? is_test", `COALESCE(` + path + `, CAST("is_test" AS VARCHAR))`, "VARCHAR"},
		{"cents ?? none ?? user_id", `COALESCE(CAST("cents" AS VARCHAR), "user_id")`, "VARCHAR"},
		{"doc.v ?? amount", "", "VARCHAR"},
		{"none ?? props ?? doc", `COALESCE(CAST("props" AS JSON), "doc")`, "JSON"},
		{"cents ?? amount", "", "DOUBLE"},
	} {
		src := expression(c.src)
		src.Tolerant = true
		var list diag.List
		x, typ, ok := CompileColumn(src, exportColumns, &list)
		if !ok {
			t.Errorf("%s: %v", c.src, list)
			continue
		}
		if typ.Name != c.typ {
			t.Errorf("%s is %s, want %s", c.src, typ.Name, c.typ)
		}
		got, err := sqlast.PrintExpr(sqlast.DuckDB, x)
		if err != nil {
			t.Fatal(err)
		}
		if got = strings.Join(strings.Fields(got), " "); c.sql != "" && got != c.sql {
			t.Errorf("%s is\n%s, want\n%s", c.src, got, c.sql)
		}
	}
}
