package stats

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// runCorrection meets a case of tea-tasting.
func (f teaFile) runCorrection(t *testing.T, c teaCase) {
	method := map[string]Correction{
		"benjamini-hochberg":            BenjaminiHochberg,
		"benjamini-yekutieli":           BenjaminiYekutieli,
		"holm step-down + sidak":        HolmSidak,
		"hochberg step-up + bonferroni": Hochberg,
		"holm step-down + bonferroni":   Holm,
	}[c.Params.Method]
	var want []struct {
		P        float64 `json:"pvalue"`
		Adjusted float64 `json:"pvalue_adj"`
		Rejected int     `json:"null_rejected"`
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil || len(want) < 2 {
		t.Fatalf("%d p-values: %v", len(want), err)
	}
	var p []float64
	for _, w := range want {
		p = append(p, w.P)
	}
	for i, got := range method.Adjust(p) {
		near(t, "adjusted p-value", &got, want[i].Adjusted, 1e-9)
		if (got < c.Params.Alpha) != (want[i].Rejected == 1) {
			t.Errorf("adjusted p-value %v of %v: rejected %d there", got, p[i], want[i].Rejected)
		}
	}
}

// runCorrection meets a case of spotify/confidence.
func (c confidenceCase) runCorrection(t *testing.T) {
	var input struct {
		PValues []float64
		Method  string
	}
	if err := json.Unmarshal(c.Input, &input); err != nil {
		t.Fatal(err)
	}
	var want struct {
		Adjusted []float64 `json:"adjusted_p"`
	}
	if err := json.Unmarshal(c.Output, &want); err != nil || len(want.Adjusted) != 6 {
		t.Fatalf("%d p-values: %v", len(want.Adjusted), err)
	}
	method := map[string]Correction{
		"bonferroni": Bonferroni, "sidak": Sidak, "holm": Holm, "holm-sidak": HolmSidak, "simes-hochberg": Hochberg,
		"hommel": Hommel, "fdr_bh": BenjaminiHochberg, "fdr_by": BenjaminiYekutieli,
	}[input.Method]
	for i, got := range method.Adjust(input.PValues) {
		near(t, "adjusted p-value", &got, want.Adjusted[i], 1e-12)
	}
}

var corrections = []Correction{
	NoCorrection, Bonferroni, Sidak, Holm, HolmSidak, Hochberg, Hommel, BenjaminiHochberg, BenjaminiYekutieli,
}

// closed adjusts by the closure principle, from all intersections: what Hommel
// is by definition. It is exponential, and good for few p-values.
func closed(p []float64) []float64 {
	adjusted := make([]float64, len(p))
	for set := 1; set < 1<<len(p); set++ {
		var members []float64
		for i := range p {
			if set>>i&1 == 1 {
				members = append(members, p[i])
			}
		}
		slices.Sort(members)
		simes := 1.0
		for i, q := range members {
			simes = math.Min(simes, float64(len(members))*q/float64(i+1))
		}
		for i := range p {
			if set>>i&1 == 1 {
				adjusted[i] = math.Max(adjusted[i], simes)
			}
		}
	}
	return adjusted
}

func TestHommelIsTheClosureOfSimes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Float64Range(0, 1), 0, 8).Draw(t, "p")
		want := closed(p)
		for i, got := range Hommel.Adjust(p) {
			if math.Abs(got-want[i]) > 1e-12*want[i] {
				t.Fatalf("%v: %v, want %v", p, got, want[i])
			}
		}
	})
}

// The adjusted p-values keep the order, stay between p and 1, and are ordered
// between the methods as theory says.
func TestCorrectionsAreMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Float64Range(0, 1), 0, 12).Draw(t, "p")
		adjusted := map[Correction][]float64{}
		for _, c := range corrections {
			q := c.Adjust(p)
			adjusted[c] = q
			for i := range p {
				if !(q[i] >= p[i]*(1-1e-12) && q[i] <= 1) {
					t.Fatalf("%s of %v: %v", c, p, q)
				}
				for j := range p {
					if p[i] <= p[j] && q[i] > q[j] {
						t.Fatalf("%s of %v turns the order: %v", c, p, q)
					}
				}
			}
		}
		for _, pair := range [][2]Correction{
			{BenjaminiHochberg, Hommel}, {Hommel, Hochberg}, {Hochberg, Holm}, {Holm, Bonferroni},
			{HolmSidak, Holm}, {Sidak, Bonferroni}, {BenjaminiHochberg, BenjaminiYekutieli},
		} {
			for i := range p {
				if adjusted[pair[0]][i] > adjusted[pair[1]][i]*(1+1e-12) {
					t.Fatalf("%s is above %s: %v", pair[0], pair[1], p)
				}
			}
		}
	})
}

// An interval at the adjusted alpha belongs to the adjusted p-value.
func TestAdjustedAlphaAgreesWithAdjustedP(t *testing.T) {
	p := []float64{1e-300, 0.004, 0.0099, 0.0101, 0.0103, 0.2}
	for _, c := range corrections {
		each, ok := c.AlphaOf(0.05, len(p))
		if ok != slices.Contains([]Correction{NoCorrection, Bonferroni, Sidak}, c) {
			t.Errorf("%s: intervals %v", c, ok)
		}
		if !ok {
			continue
		}
		for i, q := range c.Adjust(p) {
			if (p[i] < each) != (q < 0.05) {
				t.Errorf("%s: p %v against %v, adjusted %v against 0.05", c, p[i], each, q)
			}
		}
	}
	// Small p-values keep their digits.
	if q := Sidak.Adjust(p)[0]; math.Abs(q/6e-300-1) > 1e-12 {
		t.Errorf("Šidák of 1e-300 is %v", q)
	}
}

func TestDocsOfCorrections(t *testing.T) {
	text, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```correction\n")
	block, _, _ := strings.Cut(rest, "\n```")
	lines := strings.Split(block, "\n")
	if len(lines) != len(corrections) {
		t.Fatalf("%d lines, want the p-values and %d corrections", len(lines), len(corrections)-1)
	}
	var p []float64
	for i, line := range lines {
		words := strings.Fields(line)
		if i == 0 {
			for _, word := range words[1:] {
				p = append(p, parseFloat(t, word))
			}
			continue
		}
		var numbers []*float64
		for _, q := range Correction(words[0]).Adjust(p) {
			numbers = append(numbers, &q)
		}
		printed(t, words[0], words[1:], numbers)
	}
}
