package compiler

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

var updateExpressions = flag.Bool("update-expressions", false, "rewrite testdata/expressions")

// shop is a scope with one declared property of each type; undeclared ones
// are text.
type shop struct{}

var shopTypes = map[string]Type{
	"price": NumberType, "quantity": NumberType, "category": TextType, "coupon": TextType, "vip": BooleanType, "trial": TimeType,
}

func (shop) Resolve(r Ref) (Type, *diag.Diagnostic) {
	switch r.Kind {
	case RefProperty:
		if t, ok := shopTypes[r.Name]; ok {
			return t, nil
		}
		return TextType, nil
	case RefValue, RefElapsed:
		return NumberType, nil
	case RefUnit:
		return NilType, &diag.Diagnostic{Code: "not-supported", Message: "unit." + r.Name + " is not supported yet", Hint: "use another"}
	}
	return TextType, nil
}

func (shop) SQL(r Ref) sqlast.Expr {
	return sqlast.Column{Name: strings.TrimPrefix(formatRef(r), "properties.")}
}

func (shop) Bare(word string) (Ref, bool) {
	_, ok := shopTypes[word]
	return Ref{RefProperty, word}, ok
}

func (shop) Hint(word string) string { return "there is no " + word + " in this shop" }

func expression(s string) metrics.Expr {
	return metrics.Expr{Src: s, Pos: diag.Pos{File: "m.yaml", Line: 1, Col: 1}}
}

var wants = map[string]Type{"any": NilType, "condition": BooleanType, "number": NumberType, "text": TextType}

// TestParse reads testdata/expressions: a line with a type and an expression,
// below it either the canonical text, the condition in SQL and the value in
// SQL, or the mistakes.
func TestParse(t *testing.T) {
	for _, file := range []string{"testdata/expressions/good.txt", "testdata/expressions/wrong.txt"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
			head, _, _ := strings.Cut(block, "\n")
			if strings.HasPrefix(head, "#") {
				got.WriteString(block + "\n\n")
				continue
			}
			want, src, ok := strings.Cut(head, ": ")
			if _, known := wants[want]; !ok || !known {
				t.Fatalf("%s: %q is not a type and an expression", file, head)
			}
			got.WriteString(head + "\n" + outcome(t, strings.ReplaceAll(src, "⏎", "\n"), wants[want]) + "\n")
		}
		if *updateExpressions {
			if err := os.WriteFile(file, []byte(got.String()), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(strings.TrimSpace(string(text)), strings.TrimSpace(got.String())); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

func outcome(t *testing.T, src string, want Type) string {
	var list diag.List
	e, ok := Parse(expression(src), shop{}, want, &list)
	if ok == list.HasErrors() {
		t.Errorf("%s: reports %v with the mistakes %v", src, ok, list)
	}
	var b strings.Builder
	if !ok {
		for _, d := range list {
			fmt.Fprintf(&b, "  %d:%d: %s: %s\n    hint: %s\n", d.Pos.Line, d.Pos.Col, d.Code, d.Message, d.Hint)
			if d.Hint == "" {
				t.Errorf("%s: no hint: %v", src, d)
			}
		}
		return b.String()
	}
	again(t, src, e)
	fmt.Fprintf(&b, "  %s\n", e)
	write := func(what string, x sqlast.Expr) {
		s, err := sqlast.PrintExpr(sqlast.DuckDB, x)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "  %s: %s\n", what, strings.ReplaceAll(s, "\n", "\n    "))
	}
	if e.Type == BooleanType {
		write("where", e.Condition(shop{}))
	}
	write("value", e.Value(shop{}))
	return b.String()
}

// again parses the canonical text: the tree and its text are the same.
func again(t *testing.T, src string, e *Expression) {
	t.Helper()
	var list diag.List
	f, ok := Parse(expression(e.String()), shop{}, NilType, &list)
	if !ok {
		t.Fatalf("%q is printed as %s, which has mistakes: %v", src, e, list)
	}
	same := cmpopts.EquateComparable(TimeNode{})
	signs := cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })
	if diff := cmp.Diff(e.Tree, f.Tree, same, signs); diff != "" || e.String() != f.String() {
		t.Errorf("%q is printed as %s, which is another tree: %s", src, e, diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, file := range []string{"testdata/expressions/good.txt", "testdata/expressions/wrong.txt"} {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.SplitSeq(string(text), "\n") {
			if _, src, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, " ") {
				f.Add(src)
			}
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		var list diag.List
		e, ok := Parse(expression(src), shop{}, NilType, &list)
		if ok == list.HasErrors() {
			t.Fatalf("reports %v with the mistakes %v", ok, list)
		}
		if !ok {
			return
		}
		again(t, src, e)
		if _, err := sqlast.PrintExpr(sqlast.DuckDB, e.Value(shop{})); err != nil {
			t.Fatal(err)
		}
		if e.Type == BooleanType {
			if _, err := sqlast.PrintExpr(sqlast.DuckDB, e.Condition(shop{})); err != nil {
				t.Fatal(err)
			}
		}
	})
}
