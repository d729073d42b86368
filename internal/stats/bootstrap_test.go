package stats

import (
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The intervals of a bootstrap are those of the closed forms, as far as chance lets
// them: of means and ratios, with covariates and in strata.
func TestBootstrapAgreesWithClosedForms(t *testing.T) {
	random := rand.New(rand.NewPCG(20261121, 5))
	draw := func(level int64) []Moments {
		var parts []Moments
		for range 2000 {
			var units []adjustable
			for range 3 {
				p := random.Int64N(40)
				q := 1 + random.Int64N(5)
				units = append(units, adjustable{x: level + p + q + random.Int64N(20), y: q + random.Int64N(3), p: p, q: q})
			}
			parts = append(parts, adjustableMoments(units))
		}
		return parts
	}
	strata := []Parts{{draw(10), draw(11)}, {draw(40), draw(42)}}
	for _, kind := range []Kind{Mean, Ratio} {
		for _, cuped := range []bool{false, true} {
			for n := 1; n <= 2; n++ {
				opt := DefaultOptions()
				opt.Test, opt.CUPED = Z, cuped
				var sums []Stratum
				for _, p := range strata[:n] {
					sums = append(sums, p.stratum())
				}
				e := Stratified(kind, sums, opt)
				b := Bootstrap(kind, strata[:n], opt, Resampling{Resamples: 4000, Seed: 7})
				for _, end := range []struct{ got, want, point *float64 }{
					{b.AbsoluteLow, e.AbsoluteLow, e.Absolute}, {b.AbsoluteHigh, e.AbsoluteHigh, e.Absolute},
					{b.RelativeLow, e.RelativeLow, e.Relative}, {b.RelativeHigh, e.RelativeHigh, e.Relative},
				} {
					// A quantile of 4000 resamples is good to 4% of a standard error, and the
					// variance over 2000 parts to 2% of itself.
					if se := math.Abs(*end.want-*end.point) / 1.96; math.Abs(*end.got-*end.want) > 0.2*se {
						t.Errorf("%s, covariates %v, %d strata: %v, want %v ± %v", kind, cuped, n, *end.got, *end.want, 0.2*se)
					}
				}
			}
		}
	}
}

// The example of docs/statistics.md is what its ten units give, and about what numpy draws
// of them.
func TestDocsOfBootstrap(t *testing.T) {
	text, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```bootstrap\n")
	block, _, _ := strings.Cut(rest, "\n```")
	lines := map[string][]string{}
	for _, line := range strings.Split(block, "\n") {
		words := strings.Fields(line)
		lines[words[0]] = words[1:]
	}
	one := func(words []string) (parts []Moments) {
		for _, word := range words {
			x := int64(parseFloat(t, word))
			parts = append(parts, momentsOf([]unit{{x: x}}))
		}
		return parts
	}
	parts := Parts{one(lines["baseline"]), one(lines["variation"])}
	opt := DefaultOptions()
	e := Stratified(Mean, []Stratum{parts.stratum()}, opt)
	b := Bootstrap(Mean, []Parts{parts}, opt, Resampling{Resamples: 10_000, Seed: 1})
	printed(t, "absolute", lines["absolute"], []*float64{e.Absolute, e.AbsoluteLow, e.AbsoluteHigh})
	printed(t, "bootstrap", lines["bootstrap"], []*float64{b.AbsoluteLow, b.AbsoluteHigh})
	// An end of 10,000 resamples is good to 3% of a standard error, which is 4.2.
	for i, end := range []*float64{b.AbsoluteLow, b.AbsoluteHigh} {
		if want := parseFloat(t, lines["numpy"][1+2*i]); math.Abs(*end-want) > 3*0.03*4.2 {
			t.Errorf("%v, and numpy draws %v", *end, want)
		}
	}
}

// The same seed gives the same digits, another one others; one side is open in
// one-sided tests; too few units have no interval.
func TestBootstrapIsReproducible(t *testing.T) {
	parts := Parts{[]Moments{counts(1, 3), counts(2, 4), counts(0, 2)}, []Moments{counts(2, 3), counts(1, 2)}}
	opt := DefaultOptions()
	of := func(seed uint64) Resampled {
		return Bootstrap(Mean, []Parts{parts}, opt, Resampling{Resamples: 500, Seed: seed})
	}
	if diff := cmp.Diff(of(3), of(3)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(of(3), of(4)) {
		t.Error("two seeds give the same intervals")
	}
	opt.Alternative = Greater
	if r := of(3); r.AbsoluteLow == nil || r.AbsoluteHigh != nil {
		t.Errorf("greater: %v, %v", r.AbsoluteLow, r.AbsoluteHigh)
	}
	few := Parts{[]Moments{counts(1, 1)}, []Moments{counts(1, 3)}}
	if r := Bootstrap(Mean, []Parts{few}, opt, Resampling{Resamples: 100}); r != (Resampled{}) {
		t.Errorf("one unit has an interval: %+v", r)
	}
}

// Weights are Poisson distributed with mean 1.
func TestPoisson(t *testing.T) {
	const n = 400_000
	p := newPoisson(1)
	var seen [20]float64
	for range n {
		seen[int(p.next())]++
	}
	chance := math.Exp(-1)
	for k := range 6 {
		if se := math.Sqrt(chance * (1 - chance) / n); math.Abs(seen[k]/n-chance) > 4*se {
			t.Errorf("%d in %v of draws, want %v ± %v", k, seen[k]/n, chance, 4*se)
		}
		chance /= float64(k + 1)
	}
}
