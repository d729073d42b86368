package compiler

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var updateMachine = flag.Bool("update-machine", false, "draw testdata/expressions/machine.jsonl again")

// machineCase is an expression over a row without missing values, and what
// expr's own virtual machine says that it is. loaders runs the same cases in
// the engine.
type machineCase struct {
	Expression string         `json:"expression"`
	Row        map[string]any `json:"row"`
	Want       any            `json:"want"`
}

const machineFile = "testdata/expressions/machine.jsonl"

// TestMachine holds the file to expr's virtual machine, and every expression
// of it to our parser.
func TestMachine(t *testing.T) {
	if *updateMachine {
		drawMachineCases(t)
	}
	file, err := os.Open(machineFile)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n := 0
	for lines := bufio.NewScanner(file); lines.Scan(); n++ {
		var c machineCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		got, err := machine(c.Expression, c.Row)
		if err != nil {
			t.Errorf("%s: %v", c.Expression, err)
		} else if diff := cmp.Diff(c.Want, got); diff != "" {
			t.Errorf("%s over %v: %s", c.Expression, c.Row, diff)
		}
		outcomeOf(t, c.Expression)
	}
	if n < 500 {
		t.Errorf("only %d cases", n)
	}
}

func outcomeOf(t *testing.T, src string) {
	t.Helper()
	if s := outcome(t, src, NilType); strings.Contains(s, "  1:") {
		t.Errorf("%s: %s", src, s)
	}
}

// machine evaluates with expr itself; numbers come back as float64. The two
// functions that expr has not are given to it.
func machine(src string, row map[string]any) (any, error) {
	env := map[string]any{
		"number": func(s string) float64 { f, err := strconv.ParseFloat(s, 64); return must(f, err) },
		"text": func(x any) string {
			if b, ok := x.(bool); ok {
				return strconv.FormatBool(b)
			}
			return strconv.FormatInt(int64(float(x)), 10)
		},
	}
	for k, v := range row {
		env[k] = v
	}
	v, err := expr.Eval(src, env)
	if err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", src, err)
	}
	switch v.(type) {
	case bool, string:
		return v, nil
	}
	return float(v), nil
}

func float(v any) float64 {
	switch v := v.(type) {
	case int:
		return float64(v)
	case float64:
		return v
	}
	panic(fmt.Sprintf("not a number: %v", v))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// drawMachineCases writes cases for a fixed range of seeds.
func drawMachineCases(t *testing.T) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for seed := range 600 {
		c := machineCases().Example(seed)
		want, err := machine(c.Expression, c.Row)
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := want.(float64); ok && (math.IsInf(f, 0) || math.IsNaN(f)) {
			continue
		}
		c.Want = want
		if err := enc.Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(machineFile, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

func machineCases() *rapid.Generator[machineCase] {
	return rapid.Custom(func(t *rapid.T) machineCase {
		number := rapid.SampledFrom([]float64{0, 1, 2, -3, 7, 2.5, -2.5, 0.1, 1e6, 123456.789, -0.5, 1e15})
		text := rapid.SampledFrom([]string{"", "a", "A", "ab", "b", " a b ", "12", "-3.5", "Zebra", "a.b"})
		c := machineCase{Row: map[string]any{
			"price": number.Draw(t, "price"), "quantity": number.Draw(t, "quantity"),
			"category": text.Draw(t, "category"), "coupon": text.Draw(t, "coupon"), "vip": rapid.Bool().Draw(t, "vip"),
		}}
		w := &exprWriter{t}
		switch rapid.IntRange(0, 2).Draw(t, "type") {
		case 0:
			c.Expression = w.condition(4)
		case 1:
			c.Expression = w.number(4)
		default:
			c.Expression = w.text(4)
		}
		return c
	})
}

// exprWriter draws expressions in which nothing is missing, divided by zero
// or larger than a double.
type exprWriter struct{ t *rapid.T }

func (w *exprWriter) pick(n int) int { return rapid.IntRange(0, n-1).Draw(w.t, "pick") }

func (w *exprWriter) of(list ...string) string { return rapid.SampledFrom(list).Draw(w.t, "of") }

func (w *exprWriter) condition(depth int) string {
	if depth == 0 {
		return w.of("vip", "true", "false")
	}
	d := depth - 1
	switch w.pick(12) {
	case 0:
		return w.number(d) + w.of(" == ", " != ", " < ", " <= ", " > ", " >= ") + w.number(d)
	case 1:
		return w.text(d) + w.of(" == ", " != ", " < ", " <= ", " > ", " >= ") + w.text(d)
	case 2:
		return "(" + w.condition(d) + ")" + w.of(" == ", " != ") + "(" + w.condition(d) + ")"
	case 3, 4:
		return "(" + w.condition(d) + ")" + w.of(" and ", " or ", " && ", " || ") + "(" + w.condition(d) + ")"
	case 5:
		return w.of("not ", "!") + "(" + w.condition(d) + ")"
	case 6:
		return w.text(d) + w.of(" contains ", " startsWith ", " endsWith ", " not contains ", " not startsWith ") + w.text(d)
	case 7:
		return w.text(d) + " matches " + w.of(`"^a"`, `"b$"`, `"[0-9]+"`, `"a.b"`, `"(?i)A"`, `"^$"`, `"\\s"`)
	case 8:
		return w.number(d) + w.of(" in ", " not in ") + "[" + w.literal() + ", " + w.literal() + "]"
	case 9:
		return w.text(d) + w.of(" in ", " not in ") + `["a", "12", ` + w.word() + "]"
	case 10:
		return "((" + w.condition(d) + ") ? " + w.condition(0) + " : (" + w.condition(d) + "))"
	default:
		return "(vip ?? " + w.condition(0) + ")"
	}
}

func (w *exprWriter) literal() string {
	return w.of("0", "1", "2.5", "-3", "1e3", "100", "0.1", "7", "1000000")
}

func (w *exprWriter) word() string { return w.of(`"a"`, `"b"`, `"A"`, `"ab"`, `""`, `"Zebra"`) }

func (w *exprWriter) number(depth int) string {
	if depth == 0 {
		return w.of("price", "quantity", w.literal())
	}
	d := depth - 1
	switch w.pick(9) {
	case 0, 1:
		return "(" + w.number(d) + w.of(" + ", " - ", " * ") + w.number(d) + ")"
	case 2:
		return "(" + w.number(d) + " / " + w.of("2", "0.5", "10", "-4", "3") + ")"
	case 3:
		return "-(" + w.number(d) + ")"
	case 4:
		return w.of("abs", "ceil", "floor", "round") + "(" + w.number(d) + ")"
	case 5:
		return "int(" + w.number(0) + ")"
	case 6:
		return "len(" + w.text(d) + ")"
	case 7:
		return "((" + w.condition(d) + ") ? " + w.number(d) + " : " + w.number(d) + ")"
	default:
		return w.of(`number("12")`, `number("-3.5")`, `number("1e3")`, "(price ?? 4)")
	}
}

func (w *exprWriter) text(depth int) string {
	if depth == 0 {
		return w.of("category", "coupon", w.word())
	}
	d := depth - 1
	switch w.pick(5) {
	case 0, 1:
		return w.of("lower", "upper", "trim") + "(" + w.text(d) + ")"
	case 2:
		return "text(" + w.condition(d) + ")"
	case 3:
		return "((" + w.condition(d) + ") ? " + w.text(d) + " : " + w.text(d) + ")"
	default:
		return w.of("category", "(coupon ?? \"x\")", "text(len(coupon))")
	}
}
