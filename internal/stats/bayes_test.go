package stats

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/metrics"
)

// sumsOf are moments as testdata/bayes.json has them.
type sumsOf struct {
	Units    int64
	Sum      int64
	SumSq    int64 `json:"sum_sq"`
	DenSum   int64 `json:"den_sum"`
	DenSumSq int64 `json:"den_sum_sq"`
	SumDen   int64 `json:"sum_den"`
}

func (s sumsOf) moments() Moments {
	return NewMoments(s.Units, map[Term]Sum{
		X: SumOf(s.Sum), XX: SumOf(s.SumSq), Y: SumOf(s.DenSum), YY: SumOf(s.DenSumSq), XY: SumOf(s.SumDen),
	})
}

type believed struct{ Chance, Loss, Low, High float64 }

func (b believed) compare(t *testing.T, what string, p Posterior, tolerance float64) {
	t.Helper()
	near(t, what+": chance", p.ChanceToWin, b.Chance, tolerance)
	near(t, what+": loss", p.ExpectedLoss, b.Loss, tolerance)
	near(t, what+": low", p.Low, b.Low, tolerance)
	near(t, what+": high", p.High, b.High, tolerance)
}

type bayesFile struct {
	Normal []struct {
		Baseline, Variation sumsOf
		Prior               []any
		believed
	}
	Beta []struct {
		ratesJSON
		Alpha, Lose, Gain float64
		believed
	}
	Mixture []struct {
		Baseline, Variation sumsOf
		MinimumEffect       float64 `json:"minimum_effect"`
		PValue              float64 `json:"p_value"`
	}
	Strata []struct {
		Kind                string
		Strata              [][2]sumsOf
		Absolute, Low, High float64
		PValue              float64 `json:"p_value"`
	}
}

// Numbers by integration with scipy, and from raw units with numpy:
// testdata/bayes.py.
func TestPosteriorsAgainstReference(t *testing.T) {
	file := readJSON[bayesFile](t, "testdata/bayes.json")
	if len(file.Normal) != 5 || len(file.Beta) != 15 {
		t.Fatalf("%d and %d cases", len(file.Normal), len(file.Beta))
	}
	for _, c := range file.Normal {
		opt := DefaultOptions()
		if c.Prior != nil {
			opt.Prior = &Prior{Mean: c.Prior[0].(float64), SD: c.Prior[1].(float64), Relative: c.Prior[2] == "relative"}
		}
		p := NewComparison(Mean, c.Baseline.moments(), c.Variation.moments(), opt).Posterior()
		c.compare(t, "normal", p, 1e-8)
		opt.Better = metrics.Lower
		q := NewComparison(Mean, c.Baseline.moments(), c.Variation.moments(), opt).Posterior()
		near(t, "chance, lower is better", q.ChanceToWin, 1-c.Chance, 1e-8)
	}
	for _, c := range file.Beta {
		a, b := c.moments()
		opt := DefaultOptions()
		opt.Alpha = c.Alpha
		what := fmt.Sprintf("rates %v and %v", c.Baseline, c.Variation)
		c.compare(t, what, NewComparison(Mean, a, b, opt).Posterior(), 1e-9)
		opt.Better = metrics.Lower
		q := NewComparison(Mean, a, b, opt).Posterior()
		near(t, what+": chance, lower is better", q.ChanceToWin, c.Lose, 1e-9)
		near(t, what+": loss, lower is better", q.ExpectedLoss, c.Gain, 1e-9)
	}
}

func TestMixtureAgainstReference(t *testing.T) {
	for _, c := range readJSON[bayesFile](t, "testdata/bayes.json").Mixture {
		opt := DefaultOptions()
		opt.MSPRT, opt.MinimumEffect = true, c.MinimumEffect
		e := Compare(Mean, c.Baseline.moments(), c.Variation.moments(), opt)
		near(t, "p-value", e.PValue, c.PValue, 1e-8)
		checkAgreement(t, e, opt)
		opt.Alpha = c.PValue * 1.0001
		checkAgreement(t, Compare(Mean, c.Baseline.moments(), c.Variation.moments(), opt), opt)
	}
	opt := DefaultOptions()
	opt.MSPRT, opt.MinimumEffect = true, 0.01
	zero := NewMoments(3, map[Term]Sum{X: SumOf(0), XX: SumOf(2)})
	if e := Compare(Mean, zero, counts(1, 3), opt); e.Status != ZeroBaseline || e.PValue != nil || e.Absolute == nil {
		t.Errorf("a mixture that is a share of nothing: %+v", e)
	}
}

func TestStratifiedAgainstReference(t *testing.T) {
	for _, c := range readJSON[bayesFile](t, "testdata/bayes.json").Strata {
		var strata []Stratum
		for _, s := range c.Strata {
			strata = append(strata, Stratum{s[0].moments(), s[1].moments()})
		}
		opt := DefaultOptions()
		opt.Test = Z
		e := Stratified(map[string]Kind{"mean": Mean, "ratio": Ratio}[c.Kind], strata, opt)
		near(t, c.Kind+": absolute", e.Absolute, c.Absolute, 1e-11)
		near(t, c.Kind+": low", e.AbsoluteLow, c.Low, 1e-11)
		near(t, c.Kind+": high", e.AbsoluteHigh, c.High, 1e-11)
		near(t, c.Kind+": p-value", e.PValue, c.PValue, 1e-11)
	}
}

// Strata that are alike in both variations change no effect; strata that a variation
// lacks are put together with others; the order of strata does not matter.
func TestStrata(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind, opt := kinds.Draw(t, "kind"), drawOptions(t)
		opt.Power = 0
		a, b := momentsOf(drawUnits(t, "a")), momentsOf(drawUnits(t, "b"))
		one := Stratified(kind, []Stratum{{a, b}}, opt)
		plain := Compare(kind, a, b, opt)
		same(t, "absolute of one stratum", one.Absolute, plain.Absolute, 0)
		same(t, "p-value of one stratum", one.PValue, plain.PValue, 0)

		c, d := momentsOf(drawUnits(t, "c")), momentsOf(drawUnits(t, "d"))
		e, f := Stratified(kind, []Stratum{{a, b}, {c, d}}, opt), Stratified(kind, []Stratum{{c, d}, {a, b}}, opt)
		same(t, "absolute of strata in another order", e.Absolute, f.Absolute, 1e-3)
		same(t, "p-value of strata in another order", e.PValue, f.PValue, 1e-3)
		lost := Stratified(kind, []Stratum{{a, b}, {c, d}, {Moments{}, Moments{}}}, opt)
		same(t, "absolute with an empty stratum", lost.Absolute, e.Absolute, 0)
	})
	lone := Stratum{counts(1, 1), counts(1, 4)}
	big, small := Stratum{counts(10, 100), counts(20, 100)}, Stratum{counts(3, 10), counts(5, 10)}
	e := Stratified(Mean, []Stratum{big, lone, small}, DefaultOptions())
	f := Stratified(Mean, []Stratum{big, {counts(4, 11), counts(6, 14)}}, DefaultOptions())
	if e.Absolute == nil || *e.Absolute != *f.Absolute || *e.PValue != *f.PValue {
		t.Errorf("with a stratum of one unit %+v, with it in the smallest %+v", e, f)
	}
}

// Of many strata the sums stay short, and right.
func TestManyStrata(t *testing.T) {
	var strata []Stratum
	var mean float64
	units := int64(0)
	for i := range int64(500) {
		a, b := 7+i%13, 11+i%17
		strata = append(strata, Stratum{counts(i%7, a), counts(i%5, b)})
		mean += float64(a+b) * (float64(i%5)/float64(b) - float64(i%7)/float64(a))
		units += a + b
	}
	e := Stratified(Mean, strata, DefaultOptions())
	if e.Absolute == nil || math.Abs(*e.Absolute-mean/float64(units)) > 1e-13 {
		t.Errorf("absolute %v, want %v", e.Absolute, mean/float64(units))
	}
}

func TestDocsOfStrata(t *testing.T) {
	text, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```strata\n")
	block, _, _ := strings.Cut(rest, "\n```")
	lines := strings.Split(block, "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines, want 5", len(lines))
	}
	var strata []Stratum
	for _, line := range lines[:2] {
		w := strings.Fields(line)[1:]
		strata = append(strata, Stratum{momentsOfWords(t, w[:6]), momentsOfWords(t, w[6:])})
	}
	e := Stratified(Mean, strata, DefaultOptions())
	for i, numbers := range [][]*float64{{e.Absolute, e.AbsoluteLow, e.AbsoluteHigh}, {e.PValue}, {e.VarianceReduction}} {
		printed(t, lines[2+i], strings.Fields(lines[2+i])[1:], numbers)
	}
}
