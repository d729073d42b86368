package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The conformance cases are golden values of two public tools, tea-tasting and
// spotify/confidence (testdata/conformance/README.md). Every case is run, or
// stands in the list below with its reason; a case that does neither
// fails the test. Where a case is run, single values may still be left out by
// name: see leftOut.

// differs are the cases of methods that this project leaves out on purpose. The
// reasons stand in docs/statistics.md, which a test holds to this list.
var differs = map[string][]string{
	"no continuity correction of the sample ratio": {"srm_norm_yates", "srm_docs_n4000", "srm_docs_ratio_half"},
	"no continuity correction of proportions": {
		"prop_norm_pooled_yates", "prop_norm_unpooled_yates", "prop_norm_greater_swapped_arms", "prop_norm_less",
		"prop_log_likelihood_yates", "prop_pearson_yates",
	},
	"no interval with the pooled variance of proportions": {"prop_norm_no_corr", "prop_norm_ci_clamped"},
	"no boundaries from a coarse grid": {
		"seq_bounds_4_0.01_2", "seq_bounds_4_0.003333333_2", "seq_bounds_test_many_days", "seq_bounds_test_many_days_fast_and_no_crash",
		"seq_bounds_run_over", "seq_three_groups",
	},
	"no rank tests":                     {"mann_whitney_exact", "mann_whitney_all_ties"},
	"no interval of a single variation": {"chisq_summary_wald", "ttest_summary"},
	"no two-stage corrections":          {"corr_fdr_tsbh", "corr_fdr_tsbky"},
	"no hochberg with šidák's levels":   {"mult_hochberg_sidak"},
}

// leftOut are the values of cases that are run which are not compared.
var leftOut = map[string]string{
	"tea-tasting ratio_of_means_greater_equal_var rel_effect_size_ci_lower": "they pool the variances of the logarithms; here those of the means are pooled",
	"confidence chisq_us_control_vs_test_rel":                               "their relative interval takes the baseline's mean for a constant; the delta method does not",
	"confidence ttest_us_relative":                                          "their relative interval takes the baseline's mean for a constant; the delta method does not",
}

func TestConformanceCasesAreAccountedFor(t *testing.T) {
	listed := map[string]string{}
	for reason, ids := range differs {
		for _, id := range ids {
			if other, twice := listed[id]; twice {
				t.Errorf("%s is listed twice: %s, %s", id, other, reason)
			}
			listed[id] = reason
		}
	}
	tea, confidence := teaCases(t), confidenceCases(t)
	if len(tea.Cases) != 56 || len(confidence.Cases) != 55 {
		t.Errorf("%d and %d cases, want 56 and 55", len(tea.Cases), len(confidence.Cases))
	}
	run := 0
	for _, c := range tea.Cases {
		if listed[c.ID] == "" {
			run++
			t.Run(c.ID, func(t *testing.T) { tea.run(t, c) })
		}
		delete(listed, c.ID)
	}
	for _, c := range confidence.Cases {
		if listed[c.ID] == "" {
			run++
			t.Run(c.ID, func(t *testing.T) { c.run(t) })
		}
		delete(listed, c.ID)
	}
	if len(listed) > 0 {
		t.Errorf("listed, but no such case: %v", listed)
	}
	if run != 87 {
		t.Errorf("%d cases are run, want 87", run)
	}
}

// expected is a number of a case; infinities are text there.
type expected float64

func (e *expected) UnmarshalJSON(text []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	*e = expected(f)
	return err
}

// meets compares a number with the expected one; an open end is nil here and
// an infinity there.
func meets(t *testing.T, what string, got *float64, want expected, tolerance float64) {
	t.Helper()
	if math.IsInf(float64(want), 0) {
		if got != nil {
			t.Errorf("%s: %v, want an open end", what, *got)
		}
		return
	}
	near(t, what, got, float64(want), tolerance)
}

type teaCase struct {
	ID, Kind, Dataset string
	Params            struct {
		Numer, Denom    string
		NumerCovariate  string `json:"numer_covariate"`
		DenomCovariate  string `json:"denom_covariate"`
		Alternative     string
		Method          string
		Solve           string
		RelEffect       float64 `json:"rel_effect_size"`
		Effect          float64 `json:"effect_size"`
		NObs            float64 `json:"n_obs"`
		Power           float64
		Alpha           float64
		ConfidenceLevel json.Number `json:"confidence_level"`
		EqualVar        bool        `json:"equal_var"`
		UseT            bool        `json:"use_t"`

		Table [][2]int64 // some and none, of treatment and control

		Control, Treatment json.RawMessage
		Mean, Var, Cov     map[string]int64

		Column  string // of a bootstrap
		Columns []string
		Q       json.Number
	}
	Expected      json.RawMessage
	FullPrecision map[string]any `json:"recomputed_full_precision"`
}

type teaFile struct {
	Datasets map[string]struct {
		Columns    []string            `json:"rows_columns"`
		Rows       [][]json.Number     `json:"rows"`
		Aggregates map[string]teaGroup `json:"aggregates"`
	}
	Cases []teaCase
}

type teaGroup struct {
	N       int64
	Sum     map[string]float64
	SumSq   map[string]float64 `json:"sumsq"`
	SumProd map[string]float64 `json:"sumprod"`
}

func teaCases(t *testing.T) teaFile {
	return readJSON[teaFile](t, "testdata/conformance/tea_tasting_cases.json")
}

// moments are the sums of the group over the columns of x, y, p and q. The
// columns have at most two decimals, so that the exact sums are those of the file
// rounded to two and four.
func (g teaGroup) moments(t *testing.T, columns map[byte]string) Moments {
	t.Helper()
	m := Moments{Units: g.N}
	for term := X; term < termCount; term++ {
		letters := term.Factors()
		u, v := columns[letters[0]], columns[letters[len(letters)-1]]
		if u == "" || v == "" {
			continue
		}
		var f float64
		switch {
		case len(letters) == 1:
			f = g.Sum[u]
		case u == v:
			f = g.SumSq[u]
		default:
			product, ok := g.SumProd[u+"*"+v]
			if !ok {
				product, ok = g.SumProd[v+"*"+u]
			}
			if !ok {
				t.Fatalf("no sum of %s times %s", u, v)
			}
			f = product
		}
		s, err := ParseSum(strconv.FormatFloat(f, 'f', 2*len(letters), 64))
		if err != nil {
			t.Fatal(err)
		}
		m.Set(term, s)
	}
	return m
}

func (f teaFile) run(t *testing.T, c teaCase) {
	switch c.Kind {
	case "mean", "ratio_delta", "mean_cuped", "ratio_delta_cuped":
		f.compare(t, c)
	case "power":
		f.runPower(t, c)
	case "proportion":
		f.runCounts(t, c)
	case "multiplicity":
		f.runCorrection(t, c)
	case "bootstrap", "quantile":
		f.runBootstrap(t, c)
	case "srm":
		var control, treatment int64
		for raw, n := range map[*json.RawMessage]*int64{&c.Params.Control: &control, &c.Params.Treatment: &treatment} {
			if err := json.Unmarshal(*raw, n); err != nil {
				t.Fatal(err)
			}
		}
		r := SampleRatio([]int64{control, treatment}, rats("1", "1"), DefaultOptions())
		var want struct{ PValue expected }
		if err := json.Unmarshal(c.Expected, &want); err != nil {
			t.Fatal(err)
		}
		if c.Params.Method == "norm" {
			// Theirs is the normal approximation, where ours is exact.
			r.PValue = new(chiSquaredTail(*r.Statistic, float64(r.DegreesOfFreedom)))
		}
		meets(t, "pvalue", r.PValue, want.PValue, 1e-12)
	case "delta_method":
		c.deltaMethod(t)
	default:
		t.Errorf("kind %s is neither run nor listed", c.Kind)
	}
}

// deltaMethod meets a case with two units that have its means, variances and
// covariances.
func (c teaCase) deltaMethod(t *testing.T) {
	mean, m := c.Params.Mean, Moments{Units: 2}
	set := func(linear, product Term, name string, cov int64) {
		m.Set(linear, SumOf(2*mean[name[:1]]))
		m.Set(product, SumOf(cov+2*mean[name[:1]]*mean[name[2:]]))
	}
	var want struct {
		Variance   float64 `json:"ratio_var"`
		Covariance float64 `json:"ratio_cov"`
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		t.Fatal(err)
	}
	cov := c.Params.Cov
	if c.Params.Var != nil {
		set(X, XX, "x*x", c.Params.Var["x"])
		set(Y, YY, "y*y", c.Params.Var["y"])
		set(X, XY, "x*y", cov["x*y"])
		near(t, "standard deviation", Describe(Ratio, m).StdDev, math.Sqrt(want.Variance), 1e-15)
		return
	}
	set(X, XP, "a*c", cov["a*c"])
	set(X, XQ, "a*d", cov["a*d"])
	set(Y, YP, "b*c", cov["b*c"])
	set(Y, YQ, "b*d", cov["b*d"])
	m.Set(P, SumOf(2*mean["c"]))
	m.Set(Q, SumOf(2*mean["d"]))
	got := covariance(Ratio, m).float64()
	near(t, "covariance", &got, want.Covariance, 1e-14)
}

func (f teaFile) compare(t *testing.T, c teaCase) {
	kind := Mean
	if strings.HasPrefix(c.Kind, "ratio_delta") {
		kind = Ratio
	}
	groups := f.Datasets[c.Dataset].Aggregates
	columns := map[byte]string{
		'x': c.Params.Numer, 'y': c.Params.Denom, 'p': c.Params.NumerCovariate, 'q': c.Params.DenomCovariate,
	}
	a, b := groups["0"].moments(t, columns), groups["1"].moments(t, columns)
	opt := Options{
		Test:        map[bool]Test{true: Student, false: Welch}[c.Params.EqualVar],
		Alternative: map[string]Alternative{"two-sided": TwoSided, "greater": Greater, "less": Less}[c.Params.Alternative],
		Alpha:       oneLess(t, c.Params.ConfidenceLevel),
		Relative:    Log,
		CUPED:       strings.HasSuffix(c.Kind, "_cuped"),
	}
	if !c.Params.UseT {
		if c.Params.EqualVar {
			t.Fatal("a normal test with the pooled variance is not translated")
		}
		opt.Test = Z
	}
	e := Compare(kind, a, b, opt)
	adjustedA, adjustedB := estimates(kind, a, b, opt)
	got := map[string]*float64{
		"control": new(adjustedA.mean.float64()), "treatment": new(adjustedB.mean.float64()),
		"effect_size": e.Absolute, "effect_size_ci_lower": e.AbsoluteLow, "effect_size_ci_upper": e.AbsoluteHigh,
		"rel_effect_size": e.Relative, "pvalue": e.PValue,
		"rel_effect_size_ci_lower": e.RelativeLow, "rel_effect_size_ci_upper": e.RelativeHigh,
	}
	if opt.Test == Welch {
		own := logWelch(kind, a, b, opt)
		got["rel_effect_size_ci_lower"], got["rel_effect_size_ci_upper"] = own.RelativeLow, own.RelativeHigh
	}
	// The full precision of the case, and what upstream itself asserts.
	compared := 0
	for _, source := range []map[string]any{c.FullPrecision, decodeMap(t, c.Expected)} {
		for name, raw := range source {
			switch name {
			case "statistic", "theta", "df", "std_err", "adj_var_control", "adj_var_treatment", "display", "columns":
				continue // parts of the way, or rounded for display
			}
			if leftOut["tea-tasting "+c.ID+" "+name] != "" {
				continue
			}
			want, err := strconv.ParseFloat(fmt.Sprint(raw), 64)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _, ok := got[name]; !ok {
				t.Errorf("%s is neither compared nor left out", name)
				continue
			}
			// Their quantiles of Student's t are good to ten digits.
			meets(t, name, got[name], expected(want), 1e-9)
			compared++
		}
	}
	if compared < 7 {
		t.Errorf("only %d values are compared", compared)
	}
}

// estimates are those that Compare compares.
func estimates(kind Kind, baseline, variation Moments, opt Options) (a, b estimate) {
	a, b = estimateOf(kind, baseline), estimateOf(kind, variation)
	if opt.CUPED {
		adjust(kind, baseline, variation, &a, &b)
	}
	return a, b
}

// logWelch is the log interval as tea-tasting has it: with Welch's degrees of
// freedom of the logarithms, where this project keeps those of the means. Only
// the alpha of our interval is changed, to the one at which our quantile is theirs.
func logWelch(kind Kind, a, b Moments, opt Options) Effect {
	ea, eb := estimates(kind, a, b, opt)
	share := func(e estimate) float64 {
		return e.variance.over(SumOf(e.units)).quo(e.mean.mul(e.mean)).float64()
	}
	va, vb := share(ea), share(eb)
	theirs := student{(va + vb) * (va + vb) / (va*va/float64(a.Units-1) + vb*vb/float64(b.Units-1))}
	ours := spreadOf(ea, eb, opt).reference
	if opt.Alternative == TwoSided {
		opt.Alpha = 2 * ours.tail(theirs.quantile(opt.Alpha/2))
	} else {
		opt.Alpha = ours.tail(theirs.quantile(opt.Alpha))
	}
	return Compare(kind, a, b, opt)
}

func decodeMap(t *testing.T, text json.RawMessage) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// oneLess gives 1 − level without the rounding of a float subtraction.
func oneLess(t *testing.T, level json.Number) float64 {
	t.Helper()
	s, err := ParseSum(level.String())
	if err != nil {
		t.Fatal(err)
	}
	return SumOf(1).Sub(s).Float64()
}

type confidenceCase struct {
	ID, Kind string
	Input    json.RawMessage
	Output   json.RawMessage `json:"upstream_output_full_precision"`
}

// confidenceInput is the input of the kinds that are run.
type confidenceInput struct {
	Level1 confidenceArm `json:"level_1"`
	Level2 confidenceArm `json:"level_2"`
	Size   json.Number   `json:"interval_size"`
	NIM    struct {
		Margin    json.Number `json:"margin_relative"`
		Preferred string
	}
	Observed    []int64
	Proportions []json.Number `json:"expected_proportions"`
}

type confidenceArm struct {
	N          int64
	Sum, SumSq float64
}

func (a confidenceArm) moments() Moments {
	return NewMoments(a.N, map[Term]Sum{X: SumOf(int64(a.Sum)), XX: SumOf(int64(a.SumSq))})
}

func confidenceCases(t *testing.T) struct{ Cases []confidenceCase } {
	return readJSON[struct{ Cases []confidenceCase }](t, "testdata/conformance/spotify_confidence_cases.json")
}

func (c confidenceCase) run(t *testing.T) {
	switch c.Kind {
	case "ztest_sequential":
		c.runSequential(t)
		return
	case "bootstrap_percentile_from_samples":
		c.runDifference(t)
		return
	case "power", "powered_effect_required_sample_size":
		c.runPower(t)
		return
	}
	var input confidenceInput
	if err := json.Unmarshal(c.Input, &input); err != nil {
		t.Fatal(err)
	}
	opt := Options{Relative: Delta, Test: Welch, Alternative: TwoSided, Alpha: 0.05}
	if input.Size != "" {
		opt.Alpha = oneLess(t, input.Size)
	}
	switch c.Kind {
	case "welch_ttest_sufficient_stats", "welch_ttest_sufficient_stats_relative":
	case "ztest_sufficient_stats":
		opt.Test = Z
	case "ztest_nim":
		opt.Test = Z
		opt.Alternative = map[string]Alternative{"increase": Greater, "decrease": Less}[input.NIM.Preferred]
		if input.NIM.Margin != "" {
			c.runMargin(t, input, opt)
			return
		}
	case "chi_squared_2prop", "chi_squared_2prop_relative", "chi_squared_bonferroni":
		opt.Test = Pearson
		c.runCounts(t, opt)
		return
	case "ztest_binomial_bonferroni":
		opt.Test = Z
		c.runCounts(t, opt)
		return
	case "group_sequential_bounds":
		c.runGroup(t)
		return
	case "srm":
		c.runSampleRatio(t, input)
		return
	case "multiple_correction":
		c.runCorrection(t)
		return
	default:
		t.Errorf("kind %s is neither run nor listed", c.Kind)
		return
	}
	e := Compare(Mean, input.Level1.moments(), input.Level2.moments(), opt)
	var rows []struct {
		Difference  float64
		Low         expected `json:"ci_lower"`
		High        expected `json:"ci_upper"`
		PValue      float64  `json:"p-value"`
		Significant bool     `json:"is_significant"`
	}
	if err := json.Unmarshal(c.Output, &rows); err != nil || len(rows) != 1 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	want := rows[0]
	near(t, "p-value", e.PValue, want.PValue, 1e-9)
	if *e.Significant != want.Significant {
		t.Errorf("significant %v, want %v", *e.Significant, want.Significant)
	}
	if leftOut["confidence "+c.ID] != "" {
		near(t, "relative difference", e.Relative, want.Difference, 1e-12)
		return
	}
	near(t, "difference", e.Absolute, want.Difference, 1e-12)
	meets(t, "ci_lower", e.AbsoluteLow, want.Low, 1e-10)
	meets(t, "ci_upper", e.AbsoluteHigh, want.High, 1e-10)
}

func (c confidenceCase) runSampleRatio(t *testing.T, input confidenceInput) {
	var weights []*big.Rat
	for _, p := range input.Proportions {
		if p == "0.3333333333333333" {
			p = "1" // a third, of three
		}
		weights = append(weights, rats(p.String())...)
	}
	r := SampleRatio(input.Observed, weights, DefaultOptions())
	var want struct {
		Chi2   *float64
		PValue float64 `json:"p_value"`
	}
	if err := json.Unmarshal(c.Output, &want); err != nil {
		t.Fatal(err)
	}
	if want.Chi2 != nil {
		near(t, "chi2", r.Statistic, *want.Chi2, 1e-12)
	}
	// Theirs is the approximation by χ² also where ours is exact.
	p := chiSquaredTail(*r.Statistic, float64(r.DegreesOfFreedom))
	if want.PValue == 0 {
		// They give 1 − CDF, which ends at sixteen places.
		if p <= 0 || p > 1e-16 {
			t.Errorf("p-value %v, want one that is 0 to sixteen places", p)
		}
		return
	}
	near(t, "p_value", &p, want.PValue, 1e-12)
}

// docs/statistics.md says of every case that is met otherwise or not at all
// why.
func TestDocsNameEveryDifference(t *testing.T) {
	text, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	docs := string(text)
	for reason, ids := range differs {
		if !strings.Contains(strings.ToLower(docs), reason) {
			t.Errorf("the docs do not say %q", reason)
		}
		for _, id := range slices.Sorted(slices.Values(ids)) {
			if !strings.Contains(docs, "`"+id+"`") {
				t.Errorf("the docs do not name %s", id)
			}
		}
	}
}
