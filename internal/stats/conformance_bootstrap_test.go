package stats

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"
)

// column gives the values of a column of the dataset of a case, of control and of
// treatment, in thousandths: the file has at most two decimals.
func (f teaFile) column(t *testing.T, dataset, name string) (arms [2][]int64) {
	t.Helper()
	d := f.Datasets[dataset]
	at := map[string]int{}
	for i, c := range d.Columns {
		at[c] = i
	}
	for _, row := range d.Rows {
		v, err := row[at[name]].Float64()
		if err != nil {
			t.Fatal(err)
		}
		variant, err := row[at["variant"]].Int64()
		if err != nil {
			t.Fatal(err)
		}
		arms[variant] = append(arms[variant], thousandths(v))
	}
	return arms
}

// runBootstrap meets the points of a case of a bootstrap. The ends of their intervals
// are those of 100 resamples from numpy's random numbers; ours, from many, are met as
// closely as 100 resamples say, with what their corrections for bias and skewness add.
func (f teaFile) runBootstrap(t *testing.T, c teaCase) {
	names := c.Params.Columns
	if c.Params.Column != "" {
		names = []string{c.Params.Column}
	}
	columns := make([][2][]int64, len(names))
	for i, name := range names {
		columns[i] = f.column(t, c.Dataset, name)
	}
	opt := DefaultOptions()
	opt.Test = Z
	how := Resampling{Resamples: 20_000, Seed: 1}
	var points [2]float64
	var got Resampled
	switch {
	case c.Kind == "quantile":
		opt.Alpha, opt.Alternative = oneLess(t, c.Params.ConfidenceLevel), Less
		share, ok := new(big.Rat).SetString(c.Params.Q.String())
		if !ok {
			t.Fatal(c.Params.Q)
		}
		var arms [2]*Numbers
		for v, values := range columns[0] {
			var list []Number
			for i, x := range values {
				list = append(list, Number{Value: float64(x) / 1000, Part: i, Unit: i, Count: 1})
			}
			arms[v] = NewNumbers(list, len(values), share, false)
			points[v] = arms[v].Percentile(ones(len(values)))
		}
		got = BootstrapPercentile(arms[0], arms[1], opt, how)
		// Theirs is the basic interval, which reflects the other end at the effect.
		difference := points[1] - points[0]
		got.AbsoluteLow, got.AbsoluteHigh = new(2*difference-*got.AbsoluteHigh), nil
		got.RelativeLow, got.RelativeHigh = new(2*difference/points[0]-*got.RelativeHigh), nil
	default:
		kind := map[int]Kind{1: Mean, 2: Ratio}[len(names)]
		var parts [2][]Moments
		for v := range 2 {
			var all Moments
			for i, x := range columns[0][v] {
				unit := NewMoments(1, map[Term]Sum{X: NewSum(big.NewInt(x), 3), XX: NewSum(big.NewInt(x*x), 6)})
				if kind == Ratio {
					y := columns[1][v][i]
					unit.Set(Y, NewSum(big.NewInt(y), 3))
					unit.Set(YY, NewSum(big.NewInt(y*y), 6))
					unit.Set(XY, NewSum(big.NewInt(x*y), 6))
				}
				parts[v], all = append(parts[v], unit), all.Add(unit)
			}
			points[v] = *Describe(kind, all).Mean
		}
		got = Bootstrap(kind, []Parts{{parts[0], parts[1]}}, opt, how)
	}
	want := decodeMap(t, c.Expected)
	number := func(name string) expected {
		switch x := want[name].(type) {
		case float64:
			return expected(x)
		case string:
			v, err := strconv.ParseFloat(x, 64)
			if err != nil {
				t.Fatal(err)
			}
			return expected(v)
		}
		t.Fatalf("%s is %v", name, want[name])
		return 0
	}
	difference := points[1] - points[0]
	meets(t, "control", &points[0], number("control"), 1e-12)
	meets(t, "treatment", &points[1], number("treatment"), 1e-12)
	meets(t, "effect_size", &difference, number("effect_size"), 1e-12)
	meets(t, "rel_effect_size", new(difference/points[0]), number("rel_effect_size"), 1e-12)
	for name, end := range map[string]*float64{
		"effect_size_ci_lower": got.AbsoluteLow, "effect_size_ci_upper": got.AbsoluteHigh,
		"rel_effect_size_ci_lower": got.RelativeLow, "rel_effect_size_ci_upper": got.RelativeHigh,
	} {
		if want[name] == nil {
			continue
		}
		theirs := float64(number(name))
		if math.IsInf(theirs, 0) {
			meets(t, name, end, number(name), 0)
			continue
		}
		point := difference
		if name[0] == 'r' {
			point /= points[0]
		}
		if math.Abs(*end-theirs) > 0.4*math.Abs(theirs-point) {
			t.Errorf("%s: %v, want about %v, of an effect of %v", name, *end, theirs, point)
		}
	}
}

// runDifference meets the case of samples of two means from a bootstrap elsewhere: the
// middle of their differences.
func (c confidenceCase) runDifference(t *testing.T) {
	var rows []struct {
		Difference float64
		Low        float64 `json:"ci_lower"`
		High       float64 `json:"ci_upper"`
	}
	if err := json.Unmarshal(c.Output, &rows); err != nil || len(rows) != 1 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	r := rand.New(rand.NewPCG(seed, 30))
	sample, sum := make([]float64, 500_000), 0.0
	for i := range sample {
		sample[i] = 0.5 + r.NormFloat64() - (0.4 + r.NormFloat64())
		sum += sample[i]
	}
	low, high := middle(sample, DefaultOptions())
	mean := sum / float64(len(sample))
	for what, x := range map[string]struct{ got, want, theory float64 }{
		"difference": {mean, rows[0].Difference, 0.1},
		"ci_lower":   {*low, rows[0].Low, 0.1 - 1.959964*math.Sqrt2},
		"ci_upper":   {*high, rows[0].High, 0.1 + 1.959964*math.Sqrt2},
	} {
		// The standard error of such a quantile is 0.0053, and theirs has one too.
		if math.Abs(x.got-x.want) > 0.025 || math.Abs(x.got-x.theory) > 0.02 {
			t.Errorf("%s: %v, theirs %v, in theory %v", what, x.got, x.want, x.theory)
		}
	}
}
