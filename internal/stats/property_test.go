package stats

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// units draws per-unit values: a numerator, and a denominator of at least 1.
type unit struct{ x, y int64 }

func drawUnits(t *rapid.T, name string) []unit {
	size := rapid.SampledFrom([]int64{1, 3, 1000, 1_000_000_000}).Draw(t, name+" size")
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) unit {
		return unit{rapid.Int64Range(-size, size).Draw(t, "x"), rapid.Int64Range(1, 5).Draw(t, "y")}
	}), 2, 40).Draw(t, name)
}

// momentsOf adds up units one by one.
func momentsOf(units []unit) Moments {
	m := Moments{Units: int64(len(units))}
	sum := func(f func(unit) (int64, int64)) Sum {
		total := new(big.Int)
		for _, u := range units {
			a, b := f(u)
			total.Add(total, new(big.Int).Mul(big.NewInt(a), big.NewInt(b)))
		}
		return NewSum(total, 0)
	}
	m.Set(X, sum(func(u unit) (int64, int64) { return u.x, 1 }))
	m.Set(XX, sum(func(u unit) (int64, int64) { return u.x, u.x }))
	m.Set(Y, sum(func(u unit) (int64, int64) { return u.y, 1 }))
	m.Set(YY, sum(func(u unit) (int64, int64) { return u.y, u.y }))
	m.Set(XY, sum(func(u unit) (int64, int64) { return u.x, u.y }))
	return m
}

var (
	kinds        = rapid.SampledFrom([]Kind{Mean, Ratio})
	ways         = rapid.SampledFrom([]RelativeInterval{Delta, Log, Fieller})
	tests        = rapid.SampledFrom([]Test{Welch, Z, Student})
	alternatives = rapid.SampledFrom([]Alternative{TwoSided, Greater, Less})
)

func drawOptions(t *rapid.T) Options {
	opt := DefaultOptions()
	opt.Test = tests.Draw(t, "test")
	opt.Alternative = alternatives.Draw(t, "alternative")
	opt.Alpha = rapid.SampledFrom([]float64{0.3, 0.1, 0.05, 0.01, 1e-6}).Draw(t, "alpha")
	opt.TunedAt = rapid.SampledFrom([]int{0, 0, 1, 5000, 1_000_000_000}).Draw(t, "tuned at")
	return opt
}

// same fails the test unless both numbers are missing, or want is got but for
// rounding. scale is the size of the numbers that got was rounded among.
func same(t *rapid.T, what string, got, want *float64, scale float64) {
	t.Helper()
	if (got == nil) != (want == nil) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	if got != nil && math.Abs(*got-*want) > 1e-10*(math.Abs(*want)+scale) {
		t.Fatalf("%s: %v, want %v", what, *got, *want)
	}
}

func scaled(f *float64, by float64) *float64 {
	if f == nil {
		return nil
	}
	v := *f * by
	return &v
}

func TestSwappingArmsFlipsSigns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind, opt := kinds.Draw(t, "kind"), drawOptions(t)
		opposite := opt
		opposite.Alternative = map[Alternative]Alternative{TwoSided: TwoSided, Greater: Less, Less: Greater}[opt.Alternative]
		a, b := momentsOf(drawUnits(t, "a")), momentsOf(drawUnits(t, "b"))
		e, f := Compare(kind, a, b, opt), Compare(kind, b, a, opposite)
		same(t, "absolute", e.Absolute, scaled(f.Absolute, -1), 0)
		same(t, "low", e.AbsoluteLow, scaled(f.AbsoluteHigh, -1), 0)
		same(t, "high", e.AbsoluteHigh, scaled(f.AbsoluteLow, -1), 0)
		same(t, "p-value", e.PValue, f.PValue, 0)
	})
}

func TestScalingScales(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind, opt := kinds.Draw(t, "kind"), drawOptions(t)
		opt.Relative = rapid.SampledFrom([]RelativeInterval{Delta, Log}).Draw(t, "relative interval")
		digits := rapid.IntRange(1, 9).Draw(t, "digits")
		shrink := func(m Moments) Moments {
			for _, term := range []Term{X, XX, XY} {
				s := m.Sum(term)
				times := 1
				if term == XX {
					times = 2
				}
				m.Set(term, NewSum(s.int(), times*digits))
			}
			return m
		}
		a, b := momentsOf(drawUnits(t, "a")), momentsOf(drawUnits(t, "b"))
		e, f := Compare(kind, a, b, opt), Compare(kind, shrink(a), shrink(b), opt)
		by := math.Pow10(-digits)
		same(t, "absolute", f.Absolute, scaled(e.Absolute, by), 0)
		same(t, "low", f.AbsoluteLow, scaled(e.AbsoluteLow, by), by)
		same(t, "high", f.AbsoluteHigh, scaled(e.AbsoluteHigh, by), by)
		same(t, "relative", f.Relative, e.Relative, 0)
		same(t, "relative low", f.RelativeLow, e.RelativeLow, 1)
		same(t, "relative high", f.RelativeHigh, e.RelativeHigh, 1)
		same(t, "p-value", f.PValue, e.PValue, 0)
	})
}

func TestWithoutIsWhatMergingAdded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind, opt := kinds.Draw(t, "kind"), drawOptions(t)
		a, b, c := momentsOf(drawUnits(t, "a")), momentsOf(drawUnits(t, "b")), momentsOf(drawUnits(t, "c"))
		e, f := Compare(kind, a, c, opt), Compare(kind, a.Add(b).Sub(b), c, opt)
		same(t, "absolute", f.Absolute, e.Absolute, 0)
		same(t, "p-value", f.PValue, e.PValue, 0)
	})
}

func TestMergingEqualsPooling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawUnits(t, "a"), drawUnits(t, "b")
		merged, pooled := momentsOf(a).Add(momentsOf(b)), momentsOf(append(a, b...))
		if merged.Units != pooled.Units {
			t.Fatalf("%d units, want %d", merged.Units, pooled.Units)
		}
		for _, term := range NeedOf(Ratio, DefaultOptions()).Terms() {
			if merged.Sum(term).Cmp(pooled.Sum(term)) != 0 {
				t.Fatalf("%s: %v, want %v", term, merged.Sum(term), pooled.Sum(term))
			}
		}
		if got := (Moments{}).Add(pooled); got.Sum(XX).Cmp(pooled.Sum(XX)) != 0 || got.Units != pooled.Units {
			t.Fatalf("no units and %v are %v", pooled, got)
		}
	})
}

// Means far from zero lose nothing: the sums are exact.
func TestAddingConstantLeavesDifferenceAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opt := drawOptions(t)
		constant := rapid.Int64Range(-1_000_000_000_000, 1_000_000_000_000).Draw(t, "constant")
		shift := func(units []unit) []unit {
			moved := make([]unit, len(units))
			for i, u := range units {
				moved[i] = unit{u.x + constant, u.y}
			}
			return moved
		}
		a, b := drawUnits(t, "a"), drawUnits(t, "b")
		e := Compare(Mean, momentsOf(a), momentsOf(b), opt)
		f := Compare(Mean, momentsOf(shift(a)), momentsOf(shift(b)), opt)
		for _, c := range []struct {
			what string
			e, f *float64
		}{
			{"absolute", e.Absolute, f.Absolute}, {"low", e.AbsoluteLow, f.AbsoluteLow},
			{"high", e.AbsoluteHigh, f.AbsoluteHigh}, {"p-value", e.PValue, f.PValue},
		} {
			if (c.e == nil) != (c.f == nil) || c.e != nil && *c.e != *c.f {
				t.Fatalf("%s changed: %v, %v", c.what, c.e, c.f)
			}
		}
	})
}

func TestSignificantExactlyWhenIntervalExcludesZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opt := drawOptions(t)
		a, b := momentsOf(drawUnits(t, "a")), momentsOf(drawUnits(t, "b"))
		kind := kinds.Draw(t, "kind")
		e := Compare(kind, a, b, opt)
		if e.PValue == nil {
			return
		}
		// The p-value itself as alpha is the hardest case: the interval then
		// ends at zero, but for rounding.
		for _, alpha := range []float64{opt.Alpha, *e.PValue, math.Nextafter(*e.PValue, 0), math.Nextafter(*e.PValue, 1)} {
			if alpha <= 0 || alpha >= 1 {
				continue
			}
			opt.Alpha = alpha
			checkAgreement(t, Compare(kind, a, b, opt), opt)
		}
	})
}

func checkAgreement(t interface {
	Helper()
	Fatalf(string, ...any)
}, e Effect, opt Options) {
	t.Helper()
	if e.PValue == nil {
		return
	}
	excludes := e.AbsoluteLow != nil && *e.AbsoluteLow > 0 || e.AbsoluteHigh != nil && *e.AbsoluteHigh < 0
	if *e.Significant != (*e.PValue < opt.Alpha) || *e.Significant != excludes {
		t.Fatalf("p %v, alpha %v, significant %v, interval excludes zero: %v", *e.PValue, opt.Alpha, *e.Significant, excludes)
	}
}

// Fieller's interval and the absolute one are of one test: both exclude zero, or
// none does.
func TestFiellerAgreesWithTheAbsoluteInterval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opt := drawOptions(t)
		opt.Relative = Fieller
		e := Compare(kinds.Draw(t, "kind"), momentsOf(drawUnits(t, "a")), momentsOf(drawUnits(t, "b")), opt)
		if e.PValue == nil || e.RelativeLow == nil && e.RelativeHigh == nil {
			return
		}
		excludes := e.RelativeLow != nil && *e.RelativeLow > 0 || e.RelativeHigh != nil && *e.RelativeHigh < 0
		if *e.Significant != excludes {
			t.Fatalf("significant %v, the relative interval excludes zero: %v", *e.Significant, excludes)
		}
	})
}

// An interval of a negated metric is the negated interval, whatever the way.
func TestNegatingTurnsRelativeIntervals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opt := drawOptions(t)
		opt.Relative = ways.Draw(t, "relative interval")
		opposite := opt
		opposite.Alternative = map[Alternative]Alternative{TwoSided: TwoSided, Greater: Less, Less: Greater}[opt.Alternative]
		negate := func(units []unit) Moments {
			turned := make([]unit, len(units))
			for i, u := range units {
				turned[i] = unit{-u.x, u.y}
			}
			return momentsOf(turned)
		}
		kind, a, b := kinds.Draw(t, "kind"), drawUnits(t, "a"), drawUnits(t, "b")
		e, f := Compare(kind, momentsOf(a), momentsOf(b), opt), Compare(kind, negate(a), negate(b), opposite)
		same(t, "relative", e.Relative, scaled(f.Relative, -1), 0)
		same(t, "low", e.RelativeLow, scaled(f.RelativeHigh, -1), 0)
		same(t, "high", e.RelativeHigh, scaled(f.RelativeLow, -1), 0)
	})
}

// Whatever the sums, nothing panics and no number is NaN or infinite.
func FuzzCompare(f *testing.F) {
	f.Add(int64(3), "6", "14", "3", "5", "8", int64(3), "9", "29", "6", "14", "20", uint8(0))
	f.Add(int64(0), "0", "0", "0", "0", "0", int64(1), "1", "1", "1", "1", "1", uint8(1))
	f.Add(int64(2), "1e300", "1e600", "0", "0", "0", int64(1)<<62, "-1e-300", "1e-600", "1", "1", "1", uint8(5))
	f.Add(int64(-1), "1", "-1", "-1", "-1", "-1", int64(2), "3", "5", "1e9", "1e18", "1e10", uint8(17))
	f.Add(int64(9), "6", "14", "3", "5", "8", int64(3), "9", "29", "6", "14", "20", uint8(36))
	f.Fuzz(func(t *testing.T, na int64, xa, xxa, ya, yya, xya string, nb int64, xb, xxb, yb, yyb, xyb string, choice uint8) {
		read := func(units int64, texts ...string) Moments {
			m := Moments{Units: units}
			for i, text := range texts {
				s, err := ParseSum(text)
				if err != nil {
					t.Skip("not sums")
				}
				m.Set([]Term{X, XX, Y, YY, XY}[i], s)
			}
			return m
		}
		a, b := read(na, xa, xxa, ya, yya, xya), read(nb, xb, xxb, yb, yyb, xyb)
		opt := DefaultOptions()
		opt.Test = []Test{Welch, Z, Student}[choice%3]
		opt.Alternative = []Alternative{TwoSided, Greater, Less}[choice/3%3]
		kind := []Kind{Mean, Ratio}[choice/9%2]
		opt.TunedAt = []int{0, 1, 5000, 1_000_000_000}[choice/18%4]
		opt.Relative = []RelativeInterval{Delta, Log, Fieller}[choice/72%3]
		e := Compare(kind, a, b, opt)
		numbers := []*float64{e.Absolute, e.AbsoluteLow, e.AbsoluteHigh, e.Relative, e.RelativeLow, e.RelativeHigh, e.PValue}
		for _, m := range []Moments{a, b} {
			s := Describe(kind, m)
			numbers = append(numbers, s.Total, s.Mean, s.StdDev, s.Numerator, s.Denominator)
			if (s.Status == OK) != (s.Reason == "") {
				t.Errorf("status %s with reason %q", s.Status, s.Reason)
			}
		}
		for i, n := range numbers {
			if n != nil && (math.IsNaN(*n) || math.IsInf(*n, 0)) {
				t.Errorf("number %d is %v", i, *n)
			}
		}
		if (e.Status == OK) != (e.Reason == "") {
			t.Errorf("status %s with reason %q", e.Status, e.Reason)
		}
		if e.Status == OK && (e.Absolute == nil || e.Relative == nil || e.PValue == nil) {
			t.Error("ok, but a number is missing")
		}
		checkAgreement(t, e, opt)
	})
}
