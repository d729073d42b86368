package sqlast

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func col(name string) Expr          { return Column{Name: name} }
func call(fn Fn, args ...Expr) Expr { return Call{Fn: fn, Args: args} }
func bin(op Op, l, r Expr) Expr     { return Binary{Op: op, L: l, R: r} }
func long(n int) (list []Expr) {
	return longOf(n, func(i int) Expr { return Text(fmt.Sprintf("value %03d", i)) })
}
func longOf(n int, f func(int) Expr) (list []Expr) {
	for i := range n {
		list = append(list, f(i))
	}
	return list
}

// every has each kind of expression at least once, and the places where
// spelling is easy to get wrong.
var every = []struct {
	name string
	expr Expr
}{
	{"text", Text("it's")},
	{"text, empty", Text("")},
	{"text, unseen characters", Text("a\x00b\n\t\u00a0\u200b\\é")},
	{"text, one unseen character", Text("\u00a0")},
	{"int", Int(-9223372036854775808)},
	{"float, small", Float(0.05)},
	{"float, whole", Float(1e6)},
	{"float, digits", Float(1234567.25)},
	{"float, largest", Float(1.7976931348623157e308)},
	{"float, smallest", Float(5e-324)},
	{"float, negative", Float(-2)},
	{"bool", And{Bool(true), Bool(false)}},
	{"null", Null{Type{Kind: Decimal, Width: 38, Scale: 4}}},
	{"timestamp", Timestamp(noon)},
	{"timestamp, microseconds, other zone", Timestamp(noon.Add(1500).In(time.FixedZone("x", 3600)))},
	{"date", Date(noon)},
	{"interval, hours", Interval(72 * time.Hour)},
	{"interval, minutes", Interval(90 * time.Minute)},
	{"interval, seconds", Interval(5 * time.Second)},
	{"interval, microseconds", Interval(time.Microsecond)},
	{"interval, negative", Interval(-72 * time.Hour)},
	{"interval, nothing", Interval(0)},
	{"column", Column{Table: "e", Name: `a "b"`}},
	{"field of a column", Field{Field{col("s"), "x"}, "a b"}},
	{"field of a qualified column", Field{Column{"e", "s"}, "x"}},
	{"field of a call", Field{call(Coalesce, col("s"), col("t")), "x"}},
	{"lambda", Lambda{"x", bin(Greater, col("x"), Int(1))}},
	{"count", Aggregate{Fn: Count}},
	{"count distinct", Aggregate{Fn: Count, X: col("a"), Distinct: true}},
	{"sum", Aggregate{Fn: Sum, X: Case{Whens: []When{{bin(Eq, col("event"), Text("purchase")), col("value")}}}}},
	{"sum, broken", Aggregate{Fn: Sum, X: Case{Whens: []When{{And{
		bin(Eq, col("event"), Text("purchase")),
		bin(GreaterEq, Column{"e", "timestamp"}, bin(Add, Column{"x", "exposed"}, Interval(24*time.Hour))),
		bin(Less, Column{"e", "timestamp"}, Column{"x", "window_end_of_the_metric"}),
	}, col("value")}}}}},
	{"minimum and maximum", bin(Sub, Aggregate{Fn: Max, X: col("a")}, Aggregate{Fn: Min, X: col("a")})},
	{"row number", RowNumber{PartitionBy: []Expr{col("a"), col("b")}, OrderBy: []Order{{col("c"), true}, {col("d"), false}}}},
	{"row number, over all", RowNumber{}},
	{"left to right", bin(Sub, bin(Sub, col("a"), col("b")), bin(Sub, col("c"), col("d")))},
	{"products of sums", bin(Mul, bin(Add, col("a"), Int(-1)), bin(Div, col("c"), bin(Mul, col("d"), Float(-1))))},
	{"whole division", bin(IntDiv, Negative{col("a")}, Int(2))},
	{"negative of negatives", bin(Sub, Negative{Negative{col("a")}}, Negative{Int(-3)})},
	{"negative of a sum", Negative{bin(Add, col("a"), col("b"))}},
	{"comparison of comparisons", bin(Eq, bin(Less, col("a"), col("b")), bin(NotEq, col("c"), col("d")))},
	{"distinct", And{bin(Distinct, col("a"), col("b")), bin(NotDistinct, IsNull{X: col("a")}, col("b"))}},
	{"and over or", And{Or{col("a"), col("b")}, Or{col("c"), And{col("d"), col("e")}}}},
	{"not", Not{And{col("a"), Not{bin(LessEq, col("b"), col("c"))}}}},
	{"not of a call", Not{call(Contains, col("a"), Text("x"))}},
	{"empty and, empty or", Or{And{}, Or{}}},
	{"and of one", Not{And{Or{col("a"), col("b")}}}},
	{"null or not", And{IsNull{X: col("a")}, IsNull{X: bin(Add, col("a"), col("b")), Not: true}}},
	{"in", Not{In{col("a"), []Expr{Text("x"), Text("y")}}}},
	{"in, long", In{col("a"), long(20)}},
	{"case", Case{Whens: []When{{col("a"), Int(1)}}, Else: Int(0)}},
	{"case, broken", Case{Whens: []When{
		{And{bin(Eq, col("a_rather_long_name_of_a_column"), Text("one")), bin(Eq, col("another_long_name"), Text("two"))}, Int(1)},
		{bin(Eq, col("a_rather_long_name_of_a_column"), Text("three")), Int(2)},
	}, Else: Null{Type{Kind: Bigint}}}},
	{"long or in and", And{col("a"), Or{
		bin(Eq, col("a_rather_long_name_of_a_column"), Text("one")),
		bin(Eq, col("a_rather_long_name_of_a_column"), Text("two")),
		bin(Eq, col("a_rather_long_name_of_a_column"), Text("three")),
	}}},
	{"cast", Cast{X: bin(Add, col("a"), col("b")), To: Type{Kind: Hugeint}}},
	{"try cast", Cast{X: col("a"), To: Type{Kind: Double}, Try: true}},
	{"struct", Struct{{"ts", col("ts")}, {"it's", Text("x")}}},
	{"min of a struct", Aggregate{Fn: Min, X: Struct{
		{"timestamp", Column{"impressions", "timestamp"}},
		{"variation", Column{"impressions", "variation_of_the_experiment"}},
		{"attribute", Column{"impressions", "attributes_of_the_unit"}},
	}}},
	{"long sum", bin(Add, bin(Mul, col("a_rather_long_name_of_a_column"), col("another_long_name_of_a_column")),
		bin(Mul, col("a_rather_long_name_of_a_column"), col("a_third_name_of_a_column")))},
}

// TestPrintExpr compares the print of every kind of expression and every
// function with the golden file. loaders runs what can be run of it.
func TestPrintExpr(t *testing.T) {
	var b strings.Builder
	for _, c := range every {
		b.WriteString(section(t, c.name, c.expr))
	}
	golden(t, "testdata/expressions.sql", b.String())
}

func section(t *testing.T, name string, e Expr) string {
	t.Helper()
	s, err := PrintExpr(DuckDB, e)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for l := range strings.SplitSeq(s, "\n") {
		if len(l) > width && !strings.Contains(l, "regexp") && !strings.Contains(l, "translate") {
			t.Errorf("%s: a line of %d characters: %s", name, len(l), l)
		}
		if strings.TrimRight(l, " ") != l {
			t.Errorf("%s: a line that ends with a blank: %q", name, l)
		}
	}
	return "-- " + name + "\n" + s + "\n\n"
}

// TestFunctions prints every function over a column and over something that
// must not be written twice.
func TestFunctions(t *testing.T) {
	two := map[Fn]Expr{
		Coalesce: col("y"), JoinTexts: col("y"), NullIf: col("y"), Least: col("y"), Greatest: col("y"),
		Contains: Text("y"), StartsWith: Text("y"), EndsWith: Text("y"), RegexMatch: Text("^y"),
		Mod: Float(2), MapValue: Text("y"), PairValue: Text("y"), ListElement: Int(1), JSONText: Text("a/b~c"), JSONTexts: Text("/a~1b"), JSONKinds: Text("/a~1b"), UUID5: Text("y"),
	}
	var b strings.Builder
	for fn := range numFns {
		for _, x := range []Expr{col("x"), Case{Whens: []When{{col("y"), col("x")}}}} {
			if fn == RowID {
				x = Column{Table: "x"}
			}
			args := []Expr{x}
			if fn == UniqueText {
				args = nil
			}
			if y, ok := two[fn]; ok {
				args = append(args, y)
			}
			b.WriteString(section(t, fn.String(), Call{Fn: fn, Args: args}))
		}
	}
	golden(t, "testdata/functions.sql", b.String())
}

func TestUnsupported(t *testing.T) {
	poor := *DuckDB
	poor.Name, poor.Functions = "poor", map[Fn]Spelling{}
	_, err := PrintExpr(&poor, call(PairValue, col("x"), Text("y")))
	var unsupported *UnsupportedError
	if !errors.As(err, &unsupported) || unsupported.Fn != PairValue {
		t.Fatalf("got %v", err)
	}
	if got, want := err.Error(), "poor has no spelling for PairValue; these have: duckdb"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestStatements prints statements with every clause.
func TestStatements(t *testing.T) {
	parquet := ReadParquet{Files: []string{"exports/events/ds=2026-03-02/part-0.parquet", "exports/events/ds=2026-03-03/it's.parquet"},
		UnionByName: true, Hive: []HiveColumn{{"ds", Type{Kind: DateType}}}, Alias: "e"}
	everything := Select{
		Why: "units of the experiment, one row each\nwith two lines of reason",
		With: []CTE{
			{Name: "window", Columns: []string{"key", "start"}, Query: Values{{Text("a"), Timestamp(noon)}, {Text("b"), Timestamp(noon)}}},
			{Name: "both", Query: Union{
				{Why: "the first half", Items: []Item{{X: col("a")}}, From: Table{Name: "t"}},
				{Items: []Item{{X: col("a")}}, From: Table{Name: "u"}, OrderBy: []Order{{X: col("a")}}, Limit: 1},
			}},
		},
		Distinct: true,
		Items: []Item{
			{X: Column{"x", "key"}, As: "key", Why: "the experiment"},
			{X: Aggregate{Fn: Count}, As: "n"},
			{X: Int(1), As: "one", Why: "last,\nbut not least"},
		},
		From: Join{Kind: LeftJoin,
			L: Join{Kind: InnerJoin, L: parquet, R: Table{"window", "x"}, On: And{
				bin(Eq, Column{"x", "key"}, Column{"e", "key"}), bin(GreaterEq, Column{"e", "ts"}, Column{"x", "start"})}},
			R: Subquery{Select{Items: []Item{{X: col("a")}}, From: Table{Name: "both"}}, "y"}, On: bin(Eq, Column{"y", "a"}, Column{"e", "a"})},
		Where:   And{IsNull{Column{"e", "a"}, true}, Or{Column{"e", "b"}, Column{"e", "c"}}},
		GroupBy: []Expr{Column{"x", "key"}, Column{"e", "a"}},
		Sets:    [][]int{{0, 1}, {0}, {}},
		Having:  bin(Greater, Aggregate{Fn: Count}, Int(1)),
		OrderBy: []Order{{X: col("key")}, {X: col("n"), Desc: true}},
		Limit:   10,
	}
	statements := []Statement{
		everything,
		CreateTable{Name: "exposure", Query: Select{Why: "kept, because three steps read it", Items: []Item{{X: col("a")}},
			From: ReadParquet{Files: []string{"impressions/*.parquet"}}, GroupBy: []Expr{col("a")}}},
		Select{Items: []Item{{X: Int(1), As: "one"}}},
		Select{Items: []Item{{X: col("a")}}, From: Join{Kind: CrossJoin, L: Table{Name: "t"},
			R: Join{Kind: InnerJoin, L: Table{Name: "u"}, R: Table{Name: "v"}, On: Bool(true)}}},
		Select{Items: []Item{{X: col("a")}}, From: ReadParquet{Files: files(30), Alias: "e"}},
		Select{Items: []Item{{X: col("a")}}, From: ReadParquet{Files: files(3), UnionByName: true, Filename: true, Alias: "e",
			Unread: []UnreadColumns{{files(1), []string{"a", `b"c`}}, {[]string{"elsewhere"}, []string{"d"}}, {files(3)[2:], []string{"d"}}}}},
		Select{Items: []Item{{X: col("a")}}, From: ReadParquet{Files: files(1), Unread: []UnreadColumns{{files(1), []string{"b"}}}}},
		DropTable{Name: "exposure"},
		DropTable{Name: "exposure", IfExists: true},
		Select{Items: []Item{{X: col("a")}}, From: ReadNDJSON{Files: []string{"exports/*.ndjson.gz"}, Alias: "e", Hive: []HiveColumn{{"ds", Type{Kind: DateType}}},
			Columns: []NamedColumn{{"a", Type{Kind: JSONType}}, {`it's "b" \`, Type{Kind: Bigint}}}}},
		Select{Items: []Item{{X: Aggregate{Fn: Count}, As: "n"}}, From: ReadNDJSON{Files: files(3), Filename: true}},
		Select{Items: []Item{{X: Aggregate{Fn: Count}, As: "n"}}, From: ReadNDJSON{Files: files(1)}},
		Select{Items: []Item{{X: col("a")}}, From: ReadCSV{Delimiter: "\t", Columns: []string{"a", "it's"}, Alias: "e", Filename: true, Hive: []HiveColumn{{"ds", Type{Kind: DateType}}},
			Groups: []CSVGroup{{Files: files(2), Header: []string{"a", "b", "it's"}}, {Files: []string{"late.csv"}, Header: []string{"a"}}}}},
		Select{Items: []Item{{X: Int(1), As: "one"}}, From: ReadCSV{Delimiter: ",", Groups: []CSVGroup{{Files: files(1), Header: []string{"a"}}}}},
	}
	var b strings.Builder
	for _, s := range statements {
		text, err := Print(DuckDB, s)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(text + ";\n\n")
	}
	golden(t, "testdata/statements.sql", b.String())
}

func files(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("exports/part-%02d.parquet", i))
	}
	return list
}

func TestWalk(t *testing.T) {
	e := And{
		bin(Eq, col("a"), Column{"t", "b"}),
		call(PairValue, col("c"), Lambda{"p", bin(Eq, Field{col("p"), "name"}, col("a"))}),
		Case{Whens: []When{{col("p"), Struct{{"x", col("d")}}}}},
	}
	if diff := cmp.Diff([]string{"a", "c", "p", "d"}, Columns(e)); diff != "" {
		t.Error(diff)
	}
	want := And{
		bin(Eq, Column{"q", "a"}, Column{"t", "b"}),
		call(PairValue, Column{"q", "c"}, Lambda{"p", bin(Eq, Field{col("p"), "name"}, Column{"q", "a"})}),
		Case{Whens: []When{{Column{"q", "p"}, Struct{{"x", Column{"q", "d"}}}}}},
	}
	if diff := cmp.Diff(Expr(want), Qualify(e, "q")); diff != "" {
		t.Error(diff)
	}
	for _, c := range every {
		if !Equal(c.expr, Map(c.expr, func(x Expr) Expr { return x })) {
			t.Errorf("%s: Map changes it", c.name)
		}
	}
}

// FuzzText reads every printed text back.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "'", "''", "a\nb", `\`, "\x00", "é\u0301", "--", "/*", "\u202e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "?")
		if got := read(t, DuckDB.text(s)); got != s {
			t.Errorf("%q is printed as %s, which is %q", s, DuckDB.text(s), got)
		}
	})
}

// read evaluates quoted texts and chr(…), joined by ||.
func read(t *testing.T, sql string) string {
	if strings.HasPrefix(sql, "(") {
		sql = strings.TrimSuffix(sql[1:], ")")
	}
	var b strings.Builder
	for sql != "" {
		if rest, ok := strings.CutPrefix(sql, "chr("); ok {
			var n int
			if _, err := fmt.Sscanf(rest, "%d)", &n); err != nil {
				t.Fatal(err)
			}
			b.WriteRune(rune(n))
			sql = rest[strings.Index(rest, ")")+1:]
		} else {
			i := 1
			for ; sql[i] != '\'' || i+1 < len(sql) && sql[i+1] == '\''; i++ {
				if sql[i] == '\'' {
					i++
				}
				b.WriteByte(sql[i])
			}
			sql = sql[i+1:]
		}
		sql = strings.TrimPrefix(sql, " || ")
	}
	return b.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// TestOfFiles puts other files, and other names, into relations of files.
func TestOfFiles(t *testing.T) {
	apart := func(inner From) From {
		return Subquery{Query: Select{Items: []Item{{X: col("a")}}, From: inner}, Alias: "r"}
	}
	groups := func(files ...[]string) ReadCSV {
		out := ReadCSV{Alias: "r"}
		for i, f := range files {
			if f != nil {
				out.Groups = append(out.Groups, CSVGroup{Files: f, Header: []string{"a", "b"}[:i+1]})
			}
		}
		return out
	}
	for _, c := range []struct {
		from  From
		files []string
		want  From
	}{
		{ReadParquet{Files: []string{"*"}, Alias: "r"}, []string{"x"}, ReadParquet{Files: []string{"x"}, Alias: "r"}},
		{ReadNDJSON{Files: []string{"x", "y"}, Alias: "r"}, []string{"y"}, ReadNDJSON{Files: []string{"y"}, Alias: "r"}},
		{groups([]string{"x", "y"}), []string{"*"}, groups([]string{"*"})},
		{groups([]string{"x", "y"}, []string{"z"}), []string{"y", "z"}, groups([]string{"y"}, []string{"z"})},
		{groups([]string{"x", "y"}, []string{"z"}), []string{"z"}, groups(nil, []string{"z"})},
		{apart(ReadNDJSON{Files: []string{"x"}}), []string{"y"}, apart(ReadNDJSON{Files: []string{"y"}})},
	} {
		if diff := cmp.Diff(c.want, OfFiles(c.from, c.files)); diff != "" {
			t.Error(diff)
		}
		before, err := PrintFrom(DuckDB, c.want)
		if err != nil {
			t.Fatal(err)
		}
		after, err := PrintFrom(DuckDB, Aliased(c.want, "e"))
		if err != nil || strings.Replace(after, `AS "e"`, `AS "r"`, 1) != before || before == after {
			t.Errorf("%s\nis named\n%s\n%v", before, after, err)
		}
	}
}

func TestColumnsApart(t *testing.T) {
	for _, c := range []struct {
		items []Item
		want  string
	}{
		{[]Item{{X: col("a")}, {X: col("b"), As: "c"}, {X: Int(1)}, {X: Int(2)}}, ""},
		{[]Item{{X: col("a")}, {X: col("b"), As: "A"}}, `two columns are called "A"`},
		{[]Item{{X: col("a"), As: "b"}, {X: col("c"), As: "b"}}, `two columns are called "b"`},
	} {
		got := ""
		if _, err := Print(DuckDB, Select{Items: c.items}); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
