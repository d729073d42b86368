package loaders_test

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// The expressions of the compiler, run in the engine: these tests stand here
// because only loaders may import it.

// names are the columns of the table t that the expressions read.
var names = []struct {
	name string
	typ  compiler.Type
	sql  string
}{
	{"price", compiler.NumberType, "DOUBLE"},
	{"quantity", compiler.NumberType, "DOUBLE"},
	{"category", compiler.TextType, "VARCHAR"},
	{"coupon", compiler.TextType, "VARCHAR"},
	{"vip", compiler.BooleanType, "BOOLEAN"},
	{"trial", compiler.TimeType, "TIMESTAMP"},
}

// tableScope is a scope in which the names are columns of that table.
type tableScope struct{}

func (tableScope) Resolve(r compiler.Ref) (compiler.Type, *diag.Diagnostic) {
	for _, n := range names {
		if n.name == r.Name {
			return n.typ, nil
		}
	}
	return compiler.NilType, &diag.Diagnostic{Message: "no such name"}
}

func (tableScope) SQL(r compiler.Ref) sqlast.Expr { return sqlast.Column{Name: r.Name} }

func (s tableScope) Bare(word string) (compiler.Ref, bool) {
	r := compiler.Ref{Kind: compiler.RefProperty, Name: word}
	_, d := s.Resolve(r)
	return r, d == nil
}

func (tableScope) Hint(string) string { return "" }

// engine is a plain connection; its time zone is far from UTC, so that
// nothing may depend on it.
func engine(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	execute(t, db, "SET TimeZone = 'Asia/Kathmandu'")
	return db
}

func execute(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// evaluate gives one value of one row.
func evaluate(t *testing.T, db *sql.DB, from string, e sqlast.Expr, args ...any) any {
	t.Helper()
	text, err := sqlast.PrintExpr(sqlast.DuckDB, e)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := db.QueryRowContext(t.Context(), "SELECT "+text+from, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// replaceRow makes t a table of one row.
func replaceRow(t *testing.T, db *sql.DB, row map[string]any) {
	t.Helper()
	columns, args := make([]string, len(names)), make([]any, len(names))
	for i, n := range names {
		columns[i] = fmt.Sprintf("CAST(? AS %s) AS %q", n.sql, n.name)
		args[i] = row[n.name]
	}
	execute(t, db, "CREATE OR REPLACE TEMP TABLE t AS SELECT "+strings.Join(columns, ", "), args...)
}

// checkExpression runs an expression as a value, and a condition also as a
// condition and as the condition of the opposite.
func checkExpression(t *testing.T, db *sql.DB, src string, want any) {
	t.Helper()
	e := parse(t, src)
	if diff := cmp.Diff(want, evaluate(t, db, " FROM t", e.Value(tableScope{}))); diff != "" {
		t.Errorf("%s as a value: %s", src, diff)
	}
	if e.Type != compiler.BooleanType {
		return
	}
	holds := want == true
	if got := rows(t, db, e.Condition(tableScope{})) == 1; got != holds {
		t.Errorf("%s as a condition: got %v, want %v", src, got, want)
	}
	if got := rows(t, db, parse(t, "not ("+src+")").Condition(tableScope{})) == 1; got == holds {
		t.Errorf("not (%s) as a condition: got %v, want %v", src, got, !holds)
	}
}

func rows(t *testing.T, db *sql.DB, where sqlast.Expr) int {
	t.Helper()
	text, err := sqlast.Print(sqlast.DuckDB, sqlast.Select{
		Items: []sqlast.Item{{X: sqlast.Aggregate{Fn: sqlast.Count}}}, From: sqlast.Table{Name: "t"}, Where: where})
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.QueryRowContext(t.Context(), text).Scan(&n); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

func parse(t *testing.T, src string) *compiler.Expression {
	t.Helper()
	var list diag.List
	e, ok := compiler.Parse(metrics.Expr{Src: src}, tableScope{}, compiler.NilType, &list)
	if !ok {
		t.Fatalf("%s: %v", src, list)
	}
	return e
}

// TestMissingValues runs the table of missing values.
func TestMissingValues(t *testing.T) {
	db := engine(t)
	text, err := os.ReadFile("../compiler/testdata/expressions/missing.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if row, ok := strings.CutPrefix(line, "row: "); ok {
			replaceRow(t, db, readRow(t, row))
			continue
		}
		src, want, ok := strings.Cut(line, " => ")
		if !ok {
			t.Fatalf("%q is neither a row nor an expression with its value", line)
		}
		checkExpression(t, db, src, readValue(t, want))
	}
}

var cell = regexp.MustCompile(`(\w+)=("[^"]*"|\S+)`)

func readRow(t *testing.T, text string) map[string]any {
	row := map[string]any{}
	for _, m := range cell.FindAllStringSubmatch(text, -1) {
		row[m[1]] = readValue(t, m[2])
	}
	if len(row) != len(names) {
		t.Fatalf("%q is not a whole row", text)
	}
	return row
}

func readValue(t *testing.T, text string) any {
	t.Helper()
	if text == "nil" {
		return nil
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// TestMachineCases runs what expr's own virtual machine was asked.
func TestMachineCases(t *testing.T) {
	db := engine(t)
	file, err := os.Open("../compiler/testdata/expressions/machine.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n := 0
	for lines := bufio.NewScanner(file); lines.Scan(); n++ {
		var c struct {
			Expression string
			Row        map[string]any
			Want       any
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		replaceRow(t, db, c.Row)
		checkExpression(t, db, c.Expression, c.Want)
	}
	if n == 0 {
		t.Error("no cases")
	}
}

func call(fn sqlast.Fn, args ...sqlast.Expr) sqlast.Expr { return sqlast.Call{Fn: fn, Args: args} }

// TestLiterals reads literals back.
func TestLiterals(t *testing.T) {
	db := engine(t)
	instant := time.Date(2026, 3, 2, 1, 2, 3, 456789000, time.UTC)
	for _, c := range []struct {
		e    sqlast.Expr
		want any
	}{
		{sqlast.Text("it's \\ \x00\n\r\t\u00a0\u200b\u202e é 👩‍👩‍👧"), "it's \\ \x00\n\r\t\u00a0\u200b\u202e é 👩‍👩‍👧"},
		{sqlast.Text(""), ""},
		{sqlast.Int(math.MinInt64), int64(math.MinInt64)},
		{sqlast.Float(5e-324), 5e-324},
		{sqlast.Float(math.MaxFloat64), math.MaxFloat64},
		{sqlast.Float(0.1), 0.1},
		{sqlast.Float(1e6), 1e6},
		{sqlast.Float(-123456789.125), -123456789.125},
		{sqlast.Bool(true), true},
		{sqlast.Null{Type: sqlast.Type{Kind: sqlast.Decimal, Width: 38, Scale: 4}}, nil},
		{sqlast.Timestamp(instant), instant},
		{sqlast.Date(instant), instant.Truncate(24 * time.Hour)},
	} {
		got := evaluate(t, db, "", c.e)
		if when, ok := got.(time.Time); ok {
			got = when.UTC()
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Error(diff)
		}
	}
	for _, d := range []time.Duration{0, 72 * time.Hour, -72 * time.Hour, 90 * time.Minute, 59 * time.Second, 3_000_000_001 * time.Second, 1234567 * time.Microsecond} {
		moved := sqlast.Binary{Op: sqlast.Add, L: sqlast.Timestamp(instant), R: sqlast.Interval(d)}
		if got := evaluate(t, db, "", moved).(time.Time).UTC(); !got.Equal(instant.Add(d)) {
			t.Errorf("%v later: got %v, want %v", d, got, instant.Add(d))
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		s := rapid.String().Draw(r, "text")
		if got := evaluate(t, db, "", sqlast.Text(s)); got != s {
			r.Errorf("got %q, want %q", got, s)
		}
		f := rapid.Float64().Filter(func(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }).Draw(r, "float")
		if got := evaluate(t, db, "", sqlast.Float(f)); got != f {
			r.Errorf("got %v, want %v", got, f)
		}
	})
}

// over evaluates a function of a text that is a column, and of the same text
// where it may not be written twice; both must agree.
func over(t *testing.T, db *sql.DB, fn sqlast.Fn, s string) any {
	t.Helper()
	from := " FROM (SELECT CAST(? AS VARCHAR) AS x)"
	column := sqlast.Column{Name: "x"}
	got := evaluate(t, db, from, call(fn, column), s)
	bound := sqlast.Case{Whens: []sqlast.When{{If: sqlast.Bool(true), Then: column}}}
	if diff := cmp.Diff(got, evaluate(t, db, from, call(fn, bound), s)); diff != "" {
		t.Errorf("%v over %q differs where its argument is named: %s", fn, s, diff)
	}
	if when, ok := got.(time.Time); ok {
		return when.UTC()
	}
	return got
}

var goNumber = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// TestTextFunctions compares functions of text with Go's.
func TestTextFunctions(t *testing.T) {
	db := engine(t)
	texts := []string{
		"", " ", "a", "5", "-5", "+5", "5.", ".5", "5.7", "1_000", "0x1f", "inf", "-inf", "nan", "Infinity", "1e5", "1E-5", "1e", "1e400", "-1e400",
		"1e-400", "007", " 12 ", "\t12\n", "\u00a012\u3000", "1 2", "--5", "5e5.5", "9007199254740993", strings.Repeat("9", 309), strings.Repeat("9", 308),
		"0." + strings.Repeat("0", 330) + "1", "1" + strings.Repeat("0", 400), "true", "TRUE", "False", " true", "yes", "1", "١٢", "12\x00",
		"\u0085x\u0085", "\u1680x", "\u2000x\u200a", "\u2028x\u2029", "\u202fx\u205f", "\u180ex", "\ufeffx", "\u200bx", "\vx\f", "x\r\n",
		"ÀÉÎ abc ABC ß İ ı ſ K", "\u212a", "a\nb", "👩‍👩‍👧",
	}
	check := func(fn sqlast.Fn, s string, want any) {
		t.Helper()
		if diff := cmp.Diff(want, over(t, db, fn, s)); diff != "" {
			t.Errorf("%v over %q: %s", fn, s, diff)
		}
	}
	ascii := func(s string, first, last rune, by rune) string {
		return strings.Map(func(r rune) rune {
			if first <= r && r <= last {
				return r + by
			}
			return r
		}, s)
	}
	for _, s := range texts {
		check(sqlast.LowerASCII, s, ascii(s, 'A', 'Z', 32))
		check(sqlast.UpperASCII, s, ascii(s, 'a', 'z', -32))
		check(sqlast.TrimUnicode, s, strings.TrimFunc(s, unicode.IsSpace))
		check(sqlast.Length, s, int64(len([]rune(s))))
		check(sqlast.JoinTexts, s, s)
		check(sqlast.ParseNumber, s, number(strings.TrimFunc(s, unicode.IsSpace), goNumber))
		check(sqlast.ParseInteger, s, number(s, regexp.MustCompile(`^[+-]?[0-9]+$`)))
		var boolean any
		if strings.EqualFold(s, "true") || strings.EqualFold(s, "false") {
			boolean = strings.EqualFold(s, "true")
		}
		check(sqlast.ParseBoolean, s, boolean)
	}
	rapid.Check(t, func(r *rapid.T) {
		s := rapid.StringMatching(`[ \t]?[+-]?[0-9]{0,5}\.?[0-9]{0,25}([eE][+-]?[0-9]{0,3})?[ ]?`).Draw(r, "number")
		if diff := cmp.Diff(number(strings.TrimSpace(s), goNumber), over(t, db, sqlast.ParseNumber, s)); diff != "" {
			r.Errorf("%q: %s", s, diff)
		}
	})
}

func number(s string, pattern *regexp.Regexp) any {
	if !pattern.MatchString(s) {
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil
	}
	return f
}

var goTime = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)(?:[Tt ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?) ?([Zz]|UTC|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?$`)

// zoneLayouts are Go's words for the zones that a text may end with, by their length.
var zoneLayouts = map[int]string{0: "", 1: "Z07:00", 3: "Z07", 5: "Z0700", 6: "Z07:00"}

// TestParseTime compares with Go's reading of dates, times and zones.
func TestParseTime(t *testing.T) {
	db := engine(t)
	check := func(s string) {
		t.Helper()
		var want any
		if m := goTime.FindStringSubmatch(s); m != nil && !strings.HasSuffix(s, " ") {
			clock, zone := m[2], strings.ToUpper(strings.Replace(m[3], "UTC", "Z", 1))
			if clock == "" {
				clock = "00:00:00"
			}
			if when, err := time.Parse("2006-01-02 15:04:05"+zoneLayouts[len(zone)], m[1]+" "+clock+zone); err == nil {
				want = when.UTC().Truncate(time.Microsecond)
			}
		}
		if diff := cmp.Diff(want, over(t, db, sqlast.ParseTime, s)); diff != "" {
			t.Errorf("%q: %s", s, diff)
		}
	}
	for _, s := range []string{
		"2026-03-02", "2026-03-02T10:11:12", "2026-03-02 10:11:12", "2026-03-02T10:11:12Z", "2026-03-02 10:11:12+02:00", "2026-03-02T00:30:00+05:45",
		"2026-03-02T10:11:12.1Z", "2026-03-02T10:11:12.123456789Z", "2026-03-02T10:11:12.999999999", "2026-03-02 10:11:12.999999999-07:00",
		"1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.9999999+00:00", "2026-02-30", "2026-02-30T10:00:00Z", "2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29",
		"2026-13-01", "2026-00-10", "2026-3-2", "epoch", "infinity", "-infinity", "now", "today", "", " 2026-03-02", "2026-03-02 ", "2026-03-02T", "2026-03-02T10", "2026-03-02T10:11", "2026-03-02T10:11Z",
		"2026-03-02T24:00:00Z", "2026-03-02T23:59:60Z", "2026-06-30T23:59:60Z", "2026-03-02T10:60:00", "2026-03-02T10:11:12z", "2026-03-02t10:11:12Z", "2026-03-02t10:11:12", "2026-03-02t10:11:12.1234567z", "2026-03-02 10:11:12.5 z", "2026-03-02t10:11:12+02:00", "2026-03-02t23:59:60z", "2026-03-02z", "2026-03-02  10:11:12",
		"2026-03-02T10:11:12+24:00", "2026-03-02T10:11:12+02", "2026-03-02T10:11:12+0200", "2026-03-02T10:11:12 Z", "2026-03-02T10:11:12 UTC", "2026-03-02T10:11:12 Europe/Berlin",
		"2026-03-02T10:11:12,5Z", "2026-03-02T10:11:12.Z", "2026-03-02Z", "20260302", "2026-061", "0001-01-01", "0001-01-01T00:00:00+14:00", "0000-01-01", "9999-12-31T23:59:59.999999Z",
		"9999-12-31T23:59:59-23:59", "10000-01-01", "-2026-03-02", "2026-03-02 (BC)", "1772409600", "2026-03-29T02:30:00", "2026/03/02",
		"2026-03-02 10:11:12+00", "2026-03-02 10:11:12.5-07", "2026-03-02 10:11:12 +00:00", "2026-03-02 10:11:12.123456789 -0930", "2026-03-02T10:11:12UTC", "2026-03-02 10:11:12.1234567 UTC", "2026-03-02 10:11:12 ",
		"2026-03-02 10:11:12  UTC", "2026-03-02 10:11:12 utc", "2026-03-02 10:11:12 GMT", "2026-03-02 10:11:12+2", "2026-03-02 10:11:12+020", "2026-03-02 10:11:12+02:", "2026-03-02 10:11:12+2400", "2026-03-02 10:11:12+02:60",
		"2026-03-02 10:11:12 +0000 UTC", "2026-03-02+00", "2026-03-02 UTC", "2026-02-30 10:11:12 UTC", "2026-02-30 10:11:12 +02", "0001-01-01 00:00:00 +01", "1969-12-31 23:59:59.9999999 UTC",
	} {
		check(s)
	}
	rapid.Check(t, func(r *rapid.T) {
		check(rapid.StringMatching(`(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]([Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,10})? ?([Zz]|UTC|[+-][0-2][0-9](:?[0-6][0-9])?)?)?`).Draw(r, "time"))
	})
}

// TestParseTimeOfWarehouses has one instant, 08:11:12.5 UTC, as engines write it to
// CSV and JSON.
func TestParseTimeOfWarehouses(t *testing.T) {
	db := engine(t)
	want := time.Date(2026, 3, 2, 8, 11, 12, 500_000_000, time.UTC)
	for _, s := range []string{
		"2026-03-02 08:11:12.5+00",         // DuckDB, PostgreSQL and Redshift
		"2026-03-02 13:56:12.5+05:45",      // the same, in a session of another zone
		"2026-03-02 08:11:12.5 UTC",        // BigQuery
		"2026-03-02 00:11:12.500 -0800",    // Snowflake
		"2026-03-02T08:11:12.500+0000",     // Spark, Jackson
		"2026-03-02 08:11:12.500000 Z",     //
		"2026-03-02T08:11:12.500000000Z",   //
		"2026-03-01 20:11:12.500000 -12",   // the day before
		"2026-03-02 08:11:12.500000+00:00", // Python
	} {
		if diff := cmp.Diff(any(want), over(t, db, sqlast.ParseTime, s)); diff != "" {
			t.Errorf("%q: %s", s, diff)
		}
	}
}

// TestPatterns compares matches with Go's regexp.
func TestPatterns(t *testing.T) {
	db := engine(t)
	texts := []string{"", "a", "A", "ab", "a\nb", "b\na", "é", "É", "ß", "a.b", "x-1", "日本", "K", "\u212a", "a\r\n", "\u00a0", "_", "\t"}
	patterns := []string{
		"a", "^a$", "^a", "a$", "a.b", ".", "^.$", "(?s)a.b", "(?m)^a$", "(?i)a", "(?i)É", "(?i)k", "[^a]", "\\s", "\\w", "\\d", "\\pL", "\\p{Lu}", "\\p{Han}", "\\PL",
		"[[:alpha:]]", "\\bb", "\\Ba", "a\\z", "\\Aa", "a{2,}", "a*?b", "(a|b)+", "(?P<n>a)", "\\Qa.b\\E", "[a-c-]", "\\x61", "\\x{e9}", "(?U)a+", "x{0}", "$^", "", "\\.", "a|", "(?i:A)b", "\\C*",
	}
	for _, p := range patterns {
		compiled, err := regexp.Compile(p)
		if err != nil {
			continue // refused by the checker
		}
		replaceRow(t, db, map[string]any{})
		e := parse(t, "category matches "+strconv.Quote(p))
		for _, s := range texts {
			execute(t, db, "UPDATE t SET category = ?", s)
			if got, want := evaluate(t, db, " FROM t", e.Value(tableScope{})), compiled.MatchString(s); got != want {
				t.Errorf("%q matches %q: got %v, want %v", s, p, got, want)
			}
		}
	}
}

// TestPatternClasses runs every class of Unicode that the checker accepts.
func TestPatternClasses(t *testing.T) {
	db := engine(t)
	replaceRow(t, db, map[string]any{"category": "a"})
	accepted := 0
	check := func(name string) {
		var list diag.List
		e, ok := compiler.Parse(metrics.Expr{Src: `category matches "\\p{` + name + `}"`}, tableScope{}, compiler.BooleanType, &list)
		if ok {
			accepted++
			evaluate(t, db, " FROM t", e.Value(tableScope{}))
		}
	}
	for name := range unicode.Scripts {
		check(name)
	}
	for name := range unicode.Categories {
		check(name)
	}
	check("Any")
	if accepted < 150 {
		t.Errorf("only %d classes are accepted", accepted)
	}
	for _, p := range []string{`\\pL{300}`, `(\\pL\\pN){200}`, `.{1000}`, `[^a]{1000}`, `(?i)\\p{Greek}{1000}`, `((a{30}){30})`} {
		var list diag.List
		if e, ok := compiler.Parse(metrics.Expr{Src: `category matches "` + p + `"`}, tableScope{}, compiler.BooleanType, &list); ok {
			evaluate(t, db, " FROM t", e.Value(tableScope{}))
		}
	}
}

// TestNestedValues reads maps, pairs and JSON.
func TestNestedValues(t *testing.T) {
	db := engine(t)
	x := sqlast.Column{Name: "x"}
	for _, c := range []struct {
		from string
		e    sqlast.Expr
		want any
	}{
		{`MAP {'a': 'b', 'it''s': 'c'}`, call(sqlast.MapValue, x, sqlast.Text("it's")), "c"},
		{`MAP {'a': 'b'}`, call(sqlast.MapValue, x, sqlast.Text("z")), nil},
		{`CAST(NULL AS MAP(VARCHAR, VARCHAR))`, call(sqlast.MapValue, x, sqlast.Text("z")), nil},
		{`[{'name': 'a', 'value': '1'}, {'name': 'a', 'value': '2'}]`, call(sqlast.PairValue, x, sqlast.Text("a")), "1"},
		{`[{'name': 'a', 'value': '1'}]`, call(sqlast.PairValue, x, sqlast.Text("z")), nil},
		{`CAST(NULL AS STRUCT("name" VARCHAR, "value" VARCHAR)[])`, call(sqlast.PairValue, x, sqlast.Text("z")), nil},
		{`[{'key': 'a', 'value': 1::BIGINT}, {'key': 'b', 'value': 2}]`, call(sqlast.PairValue, call(sqlast.KeyPairs, x), sqlast.Text("b")), int64(2)},
		{`CAST(NULL AS STRUCT("key" VARCHAR, "value" VARCHAR)[])`, call(sqlast.PairValue, call(sqlast.KeyPairs, x), sqlast.Text("z")), nil},
		{`'{"key_value": [{"key": "a", "value": "b"}]}'`, call(sqlast.PairValue, call(sqlast.JSONPairs, x), sqlast.Text("a")), "b"},
		{`'{"key_value": "a"}'`, call(sqlast.PairValue, call(sqlast.JSONPairs, x), sqlast.Text("key_value")), "a"},
		{`'{"a": "x", "b": 1.50, "c": null, "d": {"e": [1]}, "f": true}'`, call(sqlast.JSONText, x, sqlast.Text("a")), "x"},
		{`'{"a": "x", "b": 1.50, "c": null, "d": {"e": [1]}, "f": true}'`, call(sqlast.JSONText, x, sqlast.Text("c")), nil},
		{`'{"a": "x", "b": 1.50, "c": null, "d": {"e": [1]}, "f": true}'`, call(sqlast.JSONText, x, sqlast.Text("z")), nil},
		{`'{"a": "x", "b": 1.50, "c": null, "d": {"e": [1]}, "f": true}'`, call(sqlast.JSONText, x, sqlast.Text("f")), "true"},
		{`'{"d": {"e": "y"}}'`, call(sqlast.JSONText, call(sqlast.JSONText, x, sqlast.Text("d")), sqlast.Text("e")), "y"},
		{`'{"a/b~c": "1", "$x": "2", "*": "3", "": "4", "a.b": "5", "q\"r\\s": "6"}'`, call(sqlast.JSONText, x, sqlast.Text("a/b~c")), "1"},
		{`'{"a/b~c": "1", "$x": "2", "*": "3", "": "4", "a.b": "5", "q\"r\\s": "6"}'`, call(sqlast.JSONText, x, sqlast.Text("$x")), "2"},
		{`'{"a/b~c": "1", "$x": "2", "*": "3", "": "4", "a.b": "5", "q\"r\\s": "6"}'`, call(sqlast.JSONText, x, sqlast.Text("*")), "3"},
		{`'{"a/b~c": "1", "$x": "2", "*": "3", "": "4", "a.b": "5", "q\"r\\s": "6"}'`, call(sqlast.JSONText, x, sqlast.Text("")), "4"},
		{`'{"a/b~c": "1", "$x": "2", "*": "3", "": "4", "a.b": "5", "q\"r\\s": "6"}'`, call(sqlast.JSONText, x, sqlast.Text("a.b")), "5"},
		{`'{"a/b~c": "1", "$x": "2", "*": "3", "": "4", "a.b": "5", "q\"r\\s": "6"}'`, call(sqlast.JSONText, x, sqlast.Text(`q"r\s`)), "6"},
		{`'{"a": '`, call(sqlast.JSONText, x, sqlast.Text("a")), nil},
		{`''`, call(sqlast.JSONText, x, sqlast.Text("a")), nil},
		{`'{"a": '`, call(sqlast.JSONValid, x), false},
		{`'{}'`, call(sqlast.JSONValid, x), true},
		{`'[{"name": "a", "value": "1"}, {"key": "b", "value": null}, {"name": null, "value": "2"}]'`, call(sqlast.AllNamed, x), true},
		{`'[{"name": "a", "value": "1"}, {"value": "2"}]'`, call(sqlast.AllNamed, x), false},
		{`'[{"name": "a", "value": "1"}, 2]'`, call(sqlast.AllNamed, x), false},
		{`'[]'`, call(sqlast.AllNamed, x), true},
		{`'{"a": '`, call(sqlast.CanonicalJSON, x), nil},
		{`TIMESTAMP_NS '1969-12-31 23:59:59.999999999'`, call(sqlast.TimeToMicros, call(sqlast.NanosToTime, x)), int64(-1)},
		{`TIMESTAMP_NS '1970-01-01 00:00:00.000001999'`, call(sqlast.TimeToMicros, call(sqlast.NanosToTime, x)), int64(1)},
		{`TIMESTAMP_NS '1969-12-31 23:59:59.999999'`, call(sqlast.TimeToMicros, call(sqlast.NanosToTime, x)), int64(-1)},
		{`TIMESTAMPTZ '2026-03-02 12:00:00+02'`, call(sqlast.TimestampTZToTime, x), time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)},
		{`CAST(1 AS BIGINT)`, call(sqlast.TimeToMicros, call(sqlast.MicrosToTime, x)), int64(1)},
		{`9223372036854775807`, call(sqlast.MicrosToTime, x), nil},
		{`CAST('nan' AS DOUBLE)`, call(sqlast.Finite, x), nil},
		{`CAST('-inf' AS DOUBLE)`, call(sqlast.Finite, x), nil},
		{`CAST('nan' AS DOUBLE)`, call(sqlast.IntegerText, x), nil},
		{`CAST(2 AS DOUBLE)`, call(sqlast.FloatText, x), "2"},
		{`CAST('-0.0' AS DOUBLE)`, call(sqlast.FloatText, x), "0"},
		{`CAST('-0.5' AS DOUBLE)`, call(sqlast.FloatText, x), "-0.5"},
		{`CAST('9007199254740994' AS DOUBLE)`, call(sqlast.FloatText, x), "9007199254740994"},
		{`CAST('-1e16' AS DOUBLE)`, call(sqlast.FloatText, x), "-10000000000000000"},
		{`CAST('12345678901234568e2' AS DOUBLE)`, call(sqlast.FloatText, x), "1234567890123456800"},
		{`CAST('1.5e-7' AS DOUBLE)`, call(sqlast.FloatText, x), "0.00000015"},
		{`CAST('-1e-5' AS DOUBLE)`, call(sqlast.FloatText, x), "-0.00001"},
		{`CAST('0.1' AS FLOAT)`, call(sqlast.FloatText, x), "0.1"},
		{`CAST('16777217.5' AS FLOAT)`, call(sqlast.FloatText, x), "16777218"},
		{`TIMESTAMP '2026-03-02 10:00:00'`, call(sqlast.TimeText, x), "2026-03-02T10:00:00Z"},
		{`TIMESTAMP '2026-03-02 10:00:00.25'`, call(sqlast.TimeText, x), "2026-03-02T10:00:00.25Z"},
	} {
		got := evaluate(t, db, " FROM (SELECT "+c.from+" AS x)", c.e)
		if when, ok := got.(time.Time); ok {
			got = when.UTC()
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.from, diff)
		}
	}
	equal := [][]string{
		{`{"a":1,"b":[true,null,"x"]}`, `{ "b" : [ true, null, "x" ], "a" : 1.0 }`},
		{`"\u00e9"`, `"é"`},
		{`100`, `1e2`},
		{`{}`, ` { } `},
	}
	different := [][]string{{`{"a":1}`, `{"a":2}`}, {`{"a":"1"}`, `{"a":1}`}, {`[]`, `{}`}, {`null`, `"NULL"`}, {`[1,2]`, `[2,1]`}, {`true`, `"true"`}, {`{"a":{}}`, `{"a":null}`}}
	canonical := func(s string) any {
		return evaluate(t, db, " FROM (SELECT CAST(? AS VARCHAR) AS x)", call(sqlast.CanonicalJSON, x), s)
	}
	for _, pair := range equal {
		if canonical(pair[0]) != canonical(pair[1]) {
			t.Errorf("%s is not %s: %v, %v", pair[0], pair[1], canonical(pair[0]), canonical(pair[1]))
		}
	}
	for _, pair := range different {
		if canonical(pair[0]) == canonical(pair[1]) {
			t.Errorf("%s is %s: %v", pair[0], pair[1], canonical(pair[0]))
		}
	}
}
