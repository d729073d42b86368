package stats

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseSum(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"0", "0"}, {"-0.00", "0"}, {"42", "42"}, {"+7", "7"}, {"-12.50", "-12.5"}, {"0.001", "0.001"}, {".5", "0.5"},
		{"5.", "5"}, {"1e3", "1000"}, {"12.5E-2", "0.125"}, {"1.50e1", "15"},
		{"123456789012345678901234567890.000000001", "123456789012345678901234567890.000000001"},
	} {
		s, err := ParseSum(c.text)
		if err != nil || s.String() != c.want {
			t.Errorf("ParseSum(%q) = %v, %v, want %s", c.text, s, err, c.want)
		}
	}
	for _, text := range []string{"", "-", ".", "+-1", "1.2.3", "1,5", "NaN", "inf", "0x1f", "1_000", " 1", "1e", "1e1.5", "e5", "1e1001", "1e99999999999"} {
		if s, err := ParseSum(text); err == nil {
			t.Errorf("ParseSum(%q) = %v, want an error", text, s)
		} else if !strings.Contains(err.Error(), "read sum") {
			t.Errorf("ParseSum(%q): %v", text, err)
		}
	}
}

func TestNewSum(t *testing.T) {
	for _, c := range []struct {
		unscaled int64
		scale    int
		want     string
	}{
		{1050, 2, "10.5"}, {-1050, 4, "-0.105"}, {7, 0, "7"}, {7, -3, "7000"}, {0, 5, "0"}, {-5, 1, "-0.5"},
	} {
		if got := NewSum(big.NewInt(c.unscaled), c.scale).String(); got != c.want {
			t.Errorf("NewSum(%d, %d) = %s, want %s", c.unscaled, c.scale, got, c.want)
		}
	}
	if got := (Sum{}).Add(SumOf(2)).String(); got != "2" {
		t.Errorf("the zero Sum and 2 are %s", got)
	}
}

// The float64 nearest to a decimal is what strconv and Go constants give.
func TestSumFloat64(t *testing.T) {
	for _, c := range []struct {
		text string
		want float64
	}{
		{"0.1", 0.1}, {"9007199254740993", 9007199254740992}, {"9007199254740993.0000001", 9007199254740994},
		{"-1305971000163.125", -1305971000163.125}, {"1e400", math.Inf(1)}, {"1e-400", 0},
	} {
		s, err := ParseSum(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Float64(); got != c.want {
			t.Errorf("Float64 of %s = %v, want %v", c.text, got, c.want)
		}
	}
}

// Sums obey the arithmetic of big.Rat.
func TestSumArithmetic(t *testing.T) {
	sum := rapid.Custom(func(t *rapid.T) Sum {
		return NewSum(big.NewInt(rapid.Int64().Draw(t, "unscaled")), rapid.IntRange(0, 9).Draw(t, "scale"))
	})
	rat := func(t *rapid.T, s Sum) *big.Rat {
		r, ok := new(big.Rat).SetString(s.String())
		if !ok {
			t.Fatalf("String gives %q", s)
		}
		return r
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b, c, d := sum.Draw(t, "a"), sum.Draw(t, "b"), sum.Draw(t, "c"), sum.Draw(t, "d")
		x, y := rat(t, a), rat(t, b)
		ab, cd := new(big.Rat).Mul(x, y), new(big.Rat).Mul(rat(t, c), rat(t, d))
		for _, c := range []struct {
			name string
			got  Sum
			want *big.Rat
		}{
			{"add", a.Add(b), new(big.Rat).Add(x, y)},
			{"sub", a.Sub(b), new(big.Rat).Sub(x, y)},
			{"mul", a.Mul(b), ab},
			{"sum of products", addProducts(a, b, c, d), new(big.Rat).Add(ab, cd)},
			{"difference of products", subProducts(a, b, c, d), new(big.Rat).Sub(ab, cd)},
			{"abs", a.Abs(), new(big.Rat).Abs(x)},
		} {
			if rat(t, c.got).Cmp(c.want) != 0 {
				t.Errorf("%s of %v and %v = %v, want %v", c.name, a, b, c.got, c.want)
			}
		}
		if a.Cmp(b) != x.Cmp(y) || a.Sign() != x.Sign() {
			t.Errorf("%v and %v compare as %d", a, b, a.Cmp(b))
		}
		if want, _ := x.Float64(); a.Float64() != want {
			t.Errorf("Float64 of %v = %v, want %v", a, a.Float64(), want)
		}
		if b.Sign() != 0 {
			want, _ := new(big.Rat).Quo(x, y).Float64()
			if got := (fraction{a, b}).float64(); got != want {
				t.Errorf("%v / %v = %v, want %v", a, b, got, want)
			}
		}
	})
}
