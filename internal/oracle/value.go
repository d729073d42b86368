package oracle

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// Value is one cell of a row, or what an expression gives: nil (missing),
// string, float64, int64, Decimal, bool or time.Time (UTC, microseconds).
// Cells of one column have one type, nil apart.
type Value any

// Decimal is the exact number Unscaled·10^−Scale, as a DECIMAL column holds it.
type Decimal struct {
	Unscaled int64
	Scale    int
}

// Rat gives the number.
func (d Decimal) Rat() *big.Rat {
	return new(big.Rat).Quo(new(big.Rat).SetInt64(d.Unscaled), power10(d.Scale))
}

// String gives the number in plain decimal, with all digits of its scale.
func (d Decimal) String() string { return d.Rat().FloatString(d.Scale) }

// exact gives the value of an exact number; ok is false for everything else.
func exact(v Value) (r *big.Rat, ok bool) {
	switch v := v.(type) {
	case int64:
		return new(big.Rat).SetInt64(v), true
	case Decimal:
		return v.Rat(), true
	case *big.Rat: // an exact column after its scale
		return v, true
	}
	return nil, false
}

// float gives a number as the nearest float64 (5.1); ok is false for everything else.
func float(v Value) (f float64, ok bool) {
	if f, ok = v.(float64); ok {
		return f, true
	}
	if r, ok := exact(v); ok {
		f, _ = r.Float64()
		return f, true
	}
	return 0, false
}

// finite makes NaN and the infinities missing (2.5; language, section 3).
func finite(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return f
}

// smaller gives the smaller of two cells of one column, missing last (2.4).
//
// Reading: cells are compared as they are stored, before 2.5 makes NaN and the
// infinities missing; NaN, which has no place among numbers, comes after all of them.
func smaller(a, b Value) Value {
	if a == nil || b != nil && compareStored(b, a) < 0 {
		return b
	}
	return a
}

func compareStored(a, b Value) int {
	switch a := a.(type) {
	case string:
		return cmp.Compare(a, b.(string))
	case float64:
		switch b := b.(float64); {
		case math.IsNaN(a) || math.IsNaN(b):
			return cmp.Compare(boolRank(math.IsNaN(a)), boolRank(math.IsNaN(b)))
		default:
			return cmp.Compare(a, b)
		}
	case int64:
		return cmp.Compare(a, b.(int64))
	case Decimal:
		return a.Rat().Cmp(b.(Decimal).Rat())
	case bool:
		return cmp.Compare(boolRank(a), boolRank(b.(bool)))
	case time.Time:
		return a.Compare(b.(time.Time))
	}
	panic(fmt.Sprintf("oracle: no order for %T", a))
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// plain gives a cell as text: what an undeclared property is. ok is false for a missing one.
//
// Reading: NaN and the infinities have no text, and zero has no sign.
func plain(v Value) (text string, ok bool) {
	switch v := v.(type) {
	case nil:
		return "", false
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case Decimal:
		return v.String(), true
	case float64:
		switch {
		case finite(v) == nil:
			return "", false
		case v == 0:
			return "0", true
		}
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	case time.Time:
		return v.Format("2006-01-02T15:04:05.999999Z"), true
	}
	panic(fmt.Sprintf("oracle: no text for %T", v))
}

var (
	numberPattern  = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	integerPattern = regexp.MustCompile(`^[+-]?[0-9]+$`)
	timePattern    = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d:\d\d)(\.\d+)?(?: ?([Zz]|UTC|[+-]\d\d(?::?\d\d)?))?)?$`)
)

// parseNumber is number(text): an optional sign, digits, optionally a point
// and digits, optionally an exponent, blanks around ignored; all else is missing.
//
// Reading: the blanks are those of trim.
func parseNumber(text string) Value {
	text = strings.TrimSpace(text)
	if !numberPattern.MatchString(text) {
		return nil
	}
	f, _ := strconv.ParseFloat(text, 64)
	return finite(f)
}

// parseTime reads the times of section 1: a date, or a date and a time with T, t or
// a blank between, and after that maybe a zone, Z, z, UTC, ±hh, ±hhmm or ±hh:mm, which
// a blank may set apart; finer than microseconds is floored; all else is missing.
func parseTime(text string) Value {
	m := timePattern.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	date, clock, fraction, zone := m[1], m[2], m[3], m[4]
	if clock == "" {
		clock = "00:00:00"
	}
	switch {
	case zone == "", zone == "z", zone == "UTC":
		zone = "Z"
	case len(zone) == len("+hh"):
		zone += ":00"
	case len(zone) == len("+hhmm"):
		zone = zone[:3] + ":" + zone[3:]
	}
	if len(fraction) > 7 {
		fraction = fraction[:7]
	}
	t, err := time.Parse(time.RFC3339, date+"T"+clock+fraction+zone)
	if err != nil {
		return nil
	}
	return t.UTC()
}

// typed gives a property the type that it is declared with; what does not fit
// is missing (language, section 2, events).
func typed(v Value, as metrics.PropertyType) Value {
	switch as {
	case metrics.TypeString:
		if text, ok := plain(v); ok {
			return text
		}
	case metrics.TypeNumber:
		return number(v)
	case metrics.TypeInteger:
		// Reading: an integer in a text column is a whole float64 (5.1: exact is
		// an exact column), of any number of digits, without blanks around it.
		// A numeric cell fits if it is whole.
		if text, ok := v.(string); ok {
			if !integerPattern.MatchString(text) {
				return nil
			}
			return parseNumber(text)
		}
		v = number(v)
		if f, ok := v.(float64); ok && f != math.Trunc(f) {
			return nil
		}
		if r, ok := exact(v); ok && !r.IsInt() {
			return nil
		}
		return v
	case metrics.TypeBoolean:
		switch v := v.(type) {
		case bool:
			return v
		case string:
			if strings.EqualFold(v, "true") {
				return true
			}
			if strings.EqualFold(v, "false") {
				return false
			}
		}
	case metrics.TypeTimestamp:
		switch v := v.(type) {
		case time.Time:
			return v
		case string:
			return parseTime(v)
		}
	default:
		panic(fmt.Sprintf("oracle: no case for property type %q", as))
	}
	return nil
}

// number reads a cell where a number is needed (2.5): a number as it is, text
// as number(text), all else missing.
func number(v Value) Value {
	switch v := v.(type) {
	case string:
		return parseNumber(v)
	case float64:
		return finite(v)
	case int64, Decimal:
		return v
	}
	return nil
}

// scaled applies a scale to a number: exactly to an exact one, as one product
// with float64(scale) to a floating one (5.1).
//
// Reading: a product that is infinite is missing by 2.5.
func scaled(v Value, scale metrics.At[metrics.Number]) Value {
	if !scale.Set {
		return v
	}
	if r, ok := exact(v); ok {
		return new(big.Rat).Mul(r, scale.V.Rat())
	}
	if f, ok := v.(float64); ok {
		return finite(f * scale.V.Float())
	}
	return v
}

// power10 is 10^n.
func power10(n int) *big.Rat {
	return new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil))
}

// roundHalfAway rounds to a whole number, halves away from zero (5.1).
func roundHalfAway(r *big.Rat) *big.Int {
	num, den := new(big.Int).Abs(r.Num()), r.Denom()
	num.Lsh(num, 1).Add(num, den)
	k := num.Quo(num, new(big.Int).Lsh(den, 1))
	if r.Sign() < 0 {
		k.Neg(k)
	}
	return k
}

// whole makes a row's value a whole number of 10^−d (5.1): exactly for an
// exact value, as one float64 product for a floating one.
// ok is false where a float64 is too large to be any such number.
func whole(v Value, d int) (k *big.Int, ok bool) {
	if r, isExact := exact(v); isExact {
		return roundHalfAway(new(big.Rat).Mul(r, power10(d))), true
	}
	f, isFloat := v.(float64)
	if !isFloat {
		panic(fmt.Sprintf("oracle: %T where a number is needed", v))
	}
	f = math.Round(f * math.Pow10(d))
	if math.IsInf(f, 0) {
		return nil, false
	}
	k, _ = new(big.Float).SetFloat64(f).Int(nil)
	return k, true
}

// asciiLower and asciiUpper change the 26 letters of ASCII only.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func asciiUpper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}
