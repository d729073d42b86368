package oracle

import (
	"fmt"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// The row that expressions are tested on: one present and one missing value of each type.
var testRow = map[string]Value{
	"price": 12.5, "quantity": int64(3), "big": int64(9007199254740993), "cents": Decimal{125, 2},
	"category": "Électronics", "gift": true, "sent": time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC),
	"noNumber": nil, "noText": nil, "noFlag": nil, "noTime": nil,
	"exposure.country": "CH", "properties.item.sku": " a-1\u00a0", "zero": 0.0, "huge": 1e308,
}

func testScope() scope {
	find := func(name string) Value {
		v, ok := testRow[name]
		if !ok {
			return nil
		}
		return v
	}
	return scope{name: find, member: func(bag, key string) Value { return find(bag + "." + key) }}
}

func TestEvaluate(t *testing.T) {
	tests := []struct {
		src  string
		want Value
	}{
		// Missing operands (language, section 3, the table).
		{`noNumber == 1`, false}, {`noNumber != 1`, true}, {`noNumber == nil`, true}, {`price == nil`, false},
		{`noNumber != nil`, false}, {`noNumber == noNumber`, true}, {`noNumber != noNumber`, false},
		{`noText == "a"`, false}, {`noText != "a"`, true}, {`noNumber < 1`, false}, {`noNumber >= 1`, false},
		{`not (noNumber < 1)`, true}, {`noText in ["a"]`, false}, {`noText not in ["a"]`, true},
		{`noText contains ""`, false}, {`noText startsWith ""`, false}, {`noText endsWith ""`, false}, {`noText matches ""`, false},
		{`noNumber + 1`, nil}, {`1 - noNumber`, nil}, {`-noNumber`, nil}, {`abs(noNumber)`, nil}, {`lower(noText)`, nil}, {`len(noText)`, nil},
		{`noFlag and gift`, false}, {`noFlag or gift`, true}, {`not noFlag`, true}, {`noFlag == false`, false}, {`noFlag != false`, true},
		{`noFlag ? 1 : 2`, 2.0}, {`gift ? noNumber : 2`, nil}, {`noNumber ?? 7`, 7.0}, {`price ?? 7`, 12.5}, {`noNumber ?? noNumber ?? 7`, 7.0},
		{`noTime < "2026-01-01"`, false},
		// Division by zero, overflow.
		{`1 / zero`, nil}, {`zero / zero`, nil}, {`1 % 0`, nil}, {`huge * 10`, nil}, {`huge + huge`, nil}, {`-huge - huge`, nil},
		{`(1 / zero) == nil`, true}, {`1 / zero > 0`, false},
		// Numbers.
		{`7 / 2`, 3.5}, {`-7 % 3`, -1.0}, {`7 % -3`, 1.0}, {`5.5 % 2`, 1.5}, {`int(-2.9)`, -2.0}, {`round(2.5)`, 3.0}, {`round(-2.5)`, -3.0},
		{`ceil(1.2)`, 2.0}, {`floor(-1.2)`, -2.0}, {`abs(-3)`, 3.0}, {`float(quantity)`, 3.0}, {`1 + 2 * 3`, 7.0}, {`(1 + 2) * 3`, 9.0}, {`10 - 4 - 3`, 3.0},
		{`price * quantity`, 37.5}, {`0.1 + 0.2 == 0.3`, false}, {`1e3`, 1000.0}, {`2.5e-1`, 0.25}, {`big == 9007199254740992`, true},
		{`cents == 1.25`, true}, {`quantity in [1, 3]`, true}, {`-price`, -12.5}, {`-quantity * 2`, -6.0},
		// Precedence, as in expr.
		{`not gift == false`, true},   // (not gift) == false
		{`not (gift == false)`, true}, // the same value, the other way
		{`not gift == gift`, false},   // (false) == true
		{`noNumber ?? 2 * 3`, 6.0},    // (noNumber ?? 2) * 3
		{`1 + 1 == 2 and gift`, true}, {`true or false and false`, true}, {`gift ? 1 : false ? 2 : 3`, 1.0}, {`!gift || gift && gift`, true},
		// Text.
		{`lower(category)`, "Électronics"}, {`upper("straße é")`, "STRAßE é"}, {`lower("ÀB")`, "Àb"}, {`len(category)`, 11.0}, {`len("🙂")`, 1.0},
		{`trim(properties["item.sku"])`, "a-1"}, {`exposure.country == 'CH'`, true}, {`"Z" < "a"`, true}, {`"é" > "z"`, true}, {`"a" < "aa"`, true},
		{`category contains "ctr"`, true}, {`category startsWith "É"`, true}, {`category endsWith "ics"`, true}, {`category matches "^É.*s$"`, true},
		{`category matches "ctr"`, true}, {`category matches "^ctr"`, false}, {`category not matches "x"`, true}, {`"\u00e9\t\"" == 'é	"'`, true}, {"`a\\n` == \"a\\\\n\"", true},
		{`category in ["x", "Électronics"]`, true},
		{`text(quantity)`, "3"}, {`text(gift)`, "true"}, {`text(big)`, nil}, {`text(int(-2.9))`, "-2"},
		// number(text).
		{`number("12")`, 12.0}, {`number(" +1.50 ")`, 1.5}, {`number("-3e2")`, -300.0}, {`number("1E+2")`, 100.0}, {`number("5.")`, nil}, {`number(".5")`, nil},
		{`number("1_000")`, nil}, {`number("")`, nil}, {`number("0x10")`, nil}, {`number("inf")`, nil}, {`number("NaN")`, nil}, {`number("1e999")`, nil},
		{`number("1 2")`, nil}, {`number("1,5")`, nil}, {`number("e5")`, nil}, {`number("--1")`, nil}, {`number("1e")`, nil}, {`number(category)`, nil},
		// Times against text.
		{`sent > "2026-03-02T09:59:59Z"`, true}, {`sent == "2026-03-02T11:00:00+01:00"`, true}, {`sent < "2026-03-02"`, false},
	}
	for _, tt := range tests {
		n, err := parse(tt.src)
		if err != nil {
			t.Errorf("%s: %v", tt.src, err)
			continue
		}
		if got := evaluate(n, testScope()); got != tt.want {
			t.Errorf("%s = %v (%T), want %v (%T)", tt.src, got, got, tt.want, tt.want)
		}
	}
}

// A bare reference to an exact column is exact; everything else is float64 (5.1).
func TestEvaluateExactness(t *testing.T) {
	tests := []struct {
		src  string
		want Value
	}{
		{`big`, int64(9007199254740993)},
		{`(big)`, int64(9007199254740993)},
		{`big + 0`, 9007199254740992.0},
		{`big ?? 0`, 9007199254740992.0},
		{`gift ? big : 0`, 9007199254740992.0},
		{`cents`, Decimal{125, 2}},
		{`cents * 1`, 1.25},
		{`number(big)`, 9007199254740992.0},
	}
	for _, tt := range tests {
		n, err := parse(tt.src)
		if err != nil {
			t.Fatal(err)
		}
		if got := evaluate(n, testScope()); got != tt.want {
			t.Errorf("%s = %v (%T), want %v (%T)", tt.src, got, got, tt.want, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, src := range []string{"", "1 < 2 < 3", "1 +", "(1", "a.", `"open`, "1_000", "0x10", "1.", "a = b", "[]", "a ? 1", "f(1", "1 2", "a # b", `a["b"`, "1e"} {
		if n, err := parse(src); err == nil {
			t.Errorf("%q is read as %#v", src, n)
		}
	}
}

func TestWhole(t *testing.T) {
	tests := []struct {
		v        Value
		decimals int
		want     string
	}{
		{int64(7), 0, "7"},
		{int64(7), 2, "700"},
		{Decimal{125, 2}, 1, "13"},   // 1.25 → 12.5 tenths, away from zero
		{Decimal{-125, 2}, 1, "-13"}, // likewise below zero
		{Decimal{124, 2}, 1, "12"},
		{1.25, 1, "13"},
		{-1.25, 1, "-13"},
		{0.145, 2, "14"},  // 0.145 is below 145/1000, and 0.145 * 100 is 14.499999999999998
		{1.005, 2, "100"}, // 1.005 * 100 is 100.49999999999999
		{0.285, 2, "28"},  // 0.285 * 100 is 28.499999999999996
		{0.35, 1, "4"},    // 0.35 is below 35/100, but 0.35 * 10 is 3.5
		{2.5, 0, "3"},
		{-0.4, 0, "0"},
		{0.1 + 0.2, 6, "300000"},
		{1e9, 6, "1000000000000000"},
		{big.NewRat(7, 20), 1, "4"}, // 0.35, exactly
	}
	for _, tt := range tests {
		k, ok := whole(tt.v, tt.decimals)
		if !ok || k.String() != tt.want {
			t.Errorf("whole(%v, %d) = %v, want %s", tt.v, tt.decimals, k, tt.want)
		}
	}
	if _, ok := whole(1e305, 9); ok {
		t.Error("1e305 in units of 10^-9 is a number")
	}
}

func TestTyped(t *testing.T) {
	instant := time.Date(2026, 3, 2, 9, 30, 0, 123456000, time.UTC)
	tests := []struct {
		v    Value
		as   string
		want Value
	}{
		{"x", "string", "x"}, {int64(5), "string", "5"}, {Decimal{150, 2}, "string", "1.50"}, {nil, "string", nil},
		{" 1.5 ", "number", 1.5}, {"x", "number", nil}, {int64(5), "number", int64(5)}, {math.NaN(), "number", nil}, {math.Inf(-1), "number", nil}, {true, "number", nil},
		{"+7", "integer", 7.0}, {"007", "integer", 7.0}, {"7.0", "integer", nil}, {" 7", "integer", nil}, {"", "integer", nil}, {int64(7), "integer", int64(7)}, {7.5, "integer", nil},
		{"TRUE", "boolean", true}, {"fAlse", "boolean", false}, {"1", "boolean", nil}, {" true", "boolean", nil}, {true, "boolean", true}, {int64(1), "boolean", nil},
		{"2026-03-02T09:30:00.1234569Z", "timestamp", instant}, {"2026-03-02 10:30:00.123456+01:00", "timestamp", instant}, {"2026-03-02 09:30:00.123456", "timestamp", instant},
		{"2026-03-02", "timestamp", time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}, {instant, "timestamp", instant},
		{"2026-03-02 10:30:00.123456+01", "timestamp", instant}, {"2026-03-02 04:00:00.123456 -0530", "timestamp", instant}, {"2026-03-02T09:30:00.123456 UTC", "timestamp", instant},
		{"2026-03-02 09:30:00.123456 Z", "timestamp", instant}, {"2026-03-02 09:30:00.123456 GMT", "timestamp", nil}, {"2026-03-02 UTC", "timestamp", nil}, {"2026-03-02 09:30:00.123456+1", "timestamp", nil},
		{"2026-3-2", "timestamp", nil}, {"2026-02-30", "timestamp", nil}, {"2026-03-02T09:30Z", "timestamp", nil}, {"epoch", "timestamp", nil}, {"2026-03-02T24:00:00Z", "timestamp", nil}, {"1772443800", "timestamp", nil},
	}
	for _, tt := range tests {
		if got := typed(tt.v, metrics.PropertyType(tt.as)); got != tt.want {
			t.Errorf("%v as %s = %v (%T), want %v", tt.v, tt.as, got, got, tt.want)
		}
	}
}

func TestSmaller(t *testing.T) {
	nan := math.NaN()
	tests := []struct{ a, b, want Value }{
		{nil, "b", "b"}, {"b", nil, "b"}, {"b", "a", "a"}, {"Z", "a", "Z"}, {"10", "9", "10"}, {int64(10), int64(9), int64(9)},
		{Decimal{150, 2}, Decimal{99, 2}, Decimal{99, 2}}, {nan, 1.0, 1.0}, {math.Inf(1), 1.0, 1.0}, {math.Inf(-1), 1.0, math.Inf(-1)}, {true, false, false}, {nil, nil, nil},
	}
	for _, tt := range tests {
		if got := smaller(tt.a, tt.b); got != tt.want {
			t.Errorf("smaller(%v, %v) = %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
	if got := smaller(nan, nan); fmt.Sprint(got) != "NaN" {
		t.Errorf("smaller(NaN, NaN) = %v", got)
	}
}
