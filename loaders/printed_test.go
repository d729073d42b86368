package loaders_test

import (
	"database/sql"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// TestPrintedSQL runs every function that sqlast can print over NULLs of
// the right type, and asks the engine's parser about everything else.
func TestPrintedSQL(t *testing.T) {
	db := engine(t)
	types := map[string]string{
		"Abs": "DOUBLE", "Ceil": "DOUBLE", "Floor": "DOUBLE", "Round": "DOUBLE", "Trunc": "DOUBLE", "Mod": "DOUBLE", "Sqrt": "DOUBLE",
		"Finite": "DOUBLE", "IntegerText": "DOUBLE", "FloatText": "DOUBLE", "Unscaled": "DECIMAL(38, 20)", "TimeText": "TIMESTAMP", "MicrosToTime": "BIGINT", "TimeToMicros": "TIMESTAMP",
		"TimestampTZToTime": "TIMESTAMPTZ", "NanosToTime": "TIMESTAMP_NS", "DateOf": "TIMESTAMP",
		"DistinctInLists": "BIGINT[][]", "JoinLists": "BIGINT[][]", "Unnest": "BIGINT[]", "ListElement": "BIGINT[]", "ListElements": "BIGINT[]", "MapNames": "MAP(VARCHAR, VARCHAR)", "MapEntries": "MAP(VARCHAR, VARCHAR)", "PresentEntries": `STRUCT("name" VARCHAR, "value" VARCHAR)[]`, "PairNames": `STRUCT("name" VARCHAR, "value" VARCHAR)[]`, "MapValue": "MAP(VARCHAR, VARCHAR)", "PairValue": `STRUCT("name" VARCHAR, "value" VARCHAR)[]`,
		"KeyPairs":   `STRUCT("key" VARCHAR, "value" VARCHAR)[]`,
		"Parameters": `STRUCT("key" VARCHAR, "value" STRUCT("string_value" VARCHAR, "int_value" BIGINT, "float_value" FLOAT, "double_value" DOUBLE))[]`,
	}
	for name, text := range sections(t, "../compiler/sqlast/testdata/functions.sql") {
		typ, ok := types[name]
		if !ok {
			typ = "VARCHAR"
		}
		// In the second form of each, y is a condition, and the other argument of these.
		second := typ
		if strings.Contains(text, `WHEN "y"`) {
			if strings.Contains(text, `, "y"`) {
				continue
			}
			second = "BOOLEAN"
		}
		execute(t, db, fmt.Sprintf("CREATE OR REPLACE TEMP TABLE x AS SELECT CAST(NULL AS %s) AS x, CAST(NULL AS %s) AS y", typ, second))
		execute(t, db, "SELECT "+text+" FROM x")
	}
	for name, text := range sections(t, "../compiler/sqlast/testdata/expressions.sql") {
		if name == "lambda" {
			continue // only an argument
		}
		checkSyntax(t, db, "SELECT "+text)
	}
	statements, err := os.ReadFile("../compiler/sqlast/testdata/statements.sql")
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(string(statements), ";\n\n") {
		statement = regexp.MustCompile(`^CREATE OR REPLACE TEMP TABLE "\w+" AS\n`).ReplaceAllString(statement, "")
		if statement != "" && !strings.HasPrefix(statement, "DROP") {
			checkSyntax(t, db, statement)
		}
	}
}

func sections(t *testing.T, file string) func(func(name, text string) bool) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(string, string) bool) {
		for part := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
			name, body, _ := strings.Cut(strings.TrimPrefix(part, "-- "), "\n")
			if !yield(name, body) {
				return
			}
		}
	}
}

// checkSyntax asks the engine's parser.
func checkSyntax(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if tree := syntaxTree(t, db, statement); strings.Contains(tree, `"error":true`) {
		t.Errorf("%s: %s", statement, tree)
	}
}

func syntaxTree(t *testing.T, db *sql.DB, statement string) string {
	t.Helper()
	var tree string
	if err := db.QueryRowContext(t.Context(), "SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)", statement).Scan(&tree); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return tree
}

// TestParentheses compares, for random trees, what the engine makes of the
// print with what it makes of one with every parenthesis.
func TestParentheses(t *testing.T) {
	db := engine(t)
	place := regexp.MustCompile(`"query_location":\d+`)
	rapid.Check(t, func(r *rapid.T) {
		e := tree(r, 4)
		few, err := sqlast.PrintExpr(sqlast.DuckDB, e)
		if err != nil {
			r.Fatal(err)
		}
		a := place.ReplaceAllString(syntaxTree(t, db, "SELECT "+few), "")
		b := place.ReplaceAllString(syntaxTree(t, db, "SELECT "+parenthesised(e)), "")
		if a != b || strings.Contains(a, `"error":true`) {
			r.Errorf("%s is not %s", few, parenthesised(e))
		}
	})
}

func tree(r *rapid.T, depth int) sqlast.Expr {
	pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(r, "pick") }
	if depth == 0 {
		return []sqlast.Expr{sqlast.Column{Name: "a"}, sqlast.Column{Name: "b"}, sqlast.Int(7), sqlast.Column{Name: "c"}}[pick(4)]
	}
	sub := func() sqlast.Expr { return tree(r, pick(depth)) }
	switch pick(9) {
	case 0:
		return sqlast.And{sub(), sub()}
	case 1:
		return sqlast.Or{sub(), sub()}
	case 2:
		return sqlast.Not{X: sub()}
	case 3:
		return sqlast.Negative{X: sub()}
	case 4:
		return sqlast.IsNull{X: sub(), Not: pick(2) == 0}
	case 5:
		return sqlast.In{X: sub(), List: []sqlast.Expr{sub(), sub()}}
	case 6:
		return sqlast.Case{Whens: []sqlast.When{{If: sub(), Then: sub()}}, Else: sub()}
	default:
		return sqlast.Binary{Op: sqlast.Op(pick(int(sqlast.NotDistinct) + 1)), L: sub(), R: sub()}
	}
}

// parenthesised prints the nodes of tree with every operand in parentheses.
func parenthesised(e sqlast.Expr) string {
	p := func(e sqlast.Expr) string { return "(" + parenthesised(e) + ")" }
	switch e := e.(type) {
	case sqlast.And:
		return p(e[0]) + " AND " + p(e[1])
	case sqlast.Or:
		return p(e[0]) + " OR " + p(e[1])
	case sqlast.Not:
		return "NOT " + p(e.X)
	case sqlast.Negative:
		return "-" + p(e.X)
	case sqlast.IsNull:
		if e.Not {
			return p(e.X) + " IS NOT NULL"
		}
		return p(e.X) + " IS NULL"
	case sqlast.In:
		return p(e.X) + " IN (" + p(e.List[0]) + ", " + p(e.List[1]) + ")"
	case sqlast.Case:
		return "CASE WHEN " + p(e.Whens[0].If) + " THEN " + p(e.Whens[0].Then) + " ELSE " + p(e.Else) + " END"
	case sqlast.Binary:
		text := [...]string{"=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "//", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"}
		return p(e.L) + " " + text[e.Op] + " " + p(e.R)
	case sqlast.Column:
		return `"` + e.Name + `"`
	case sqlast.Int:
		return strconv.Itoa(int(e))
	}
	panic(fmt.Sprintf("no case for %T", e))
}
