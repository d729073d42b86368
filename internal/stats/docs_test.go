package stats

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/metricsjob/metricsjob/metrics"
)

// TestDocs checks every number in the example blocks of docs/statistics.md, to
// the digits that stand there.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```example\n")[1:]
	if len(blocks) != 21 {
		t.Errorf("%d examples, want 21", len(blocks))
	}
	for _, block := range blocks {
		body, _, _ := strings.Cut(block, "```")
		lines := map[string][]string{}
		for _, line := range strings.Split(strings.TrimSpace(body), "\n") {
			words := strings.Fields(line)
			lines[words[0]] = words[1:]
		}
		if lines["units"] != nil {
			checkSampleRatioExample(t, lines)
		} else {
			checkComparisonExample(t, lines)
		}
	}
}

func checkComparisonExample(t *testing.T, lines map[string][]string) {
	t.Helper()
	k := lines["kind"] // mean test welch alternative two_sided alpha 0.05 …
	kind := map[string]Kind{"mean": Mean, "ratio": Ratio, "proportion": Proportion}[k[0]]
	opt := DefaultOptions()
	var margin *metrics.Margin
	for i := 1; i < len(k); i += 2 {
		switch value := k[i+1]; k[i] {
		case "test":
			opt.Test = Test(value)
		case "exact":
			opt.Exact = ExactTest(value)
		case "exact_below":
			opt.ExactBelow = int(parseFloat(t, value))
		case "alternative":
			opt.Alternative = Alternative(value)
		case "alpha":
			opt.Alpha = parseFloat(t, value)
		case "relative_interval":
			opt.Relative = RelativeInterval(value)
		case "cuped":
			opt.CUPED = value == "on"
		case "margin":
			size, relative := strings.CutSuffix(value, "%")
			margin = &metrics.Margin{Value: metrics.Number(size)}
			if relative {
				margin.Unit = metrics.MarginRelative
			}
		case "msprt":
			opt.MSPRT, opt.MinimumEffect = true, parseFloat(t, value)
		case "prior_sd":
			opt.Prior = &Prior{SD: parseFloat(t, value), Relative: true}
		case "tuned_at":
			opt.TunedAt = int(parseFloat(t, value))
		default:
			t.Errorf("the example has an unknown option %s", k[i])
		}
	}
	a, b := momentsOfWords(t, lines["baseline"]), momentsOfWords(t, lines["variation"])
	e, sa, sb := Compare(kind, a, b, opt), Describe(kind, a), Describe(kind, b)
	if margin != nil {
		r := CompareWithMargin(kind, a, b, MarginOf(*margin), metrics.Higher, opt)
		printed(t, "limit", lines["limit"], []*float64{r.Limit})
		printed(t, "bound", lines["bound"], []*float64{r.Bound})
		printed(t, "p_value of the margin", lines["p_value"], []*float64{r.PValue})
		return
	}
	if opt.CUPED {
		printed(t, "imbalance", lines["imbalance"], []*float64{Imbalance(kind, []Stratum{{a, b}}, opt).PValue})
	}
	believed := NewComparison(kind, a, b, opt).Posterior()
	for name, numbers := range map[string][]*float64{
		"chance_to_win":      {believed.ChanceToWin},
		"expected_loss":      {believed.ExpectedLoss},
		"credible":           {believed.Low, believed.High},
		"variance_reduction": {e.VarianceReduction},
		"mean":               {sa.Mean, sb.Mean},
		"std_dev":            {sa.StdDev, sb.StdDev},
		"absolute":           {e.Absolute, e.AbsoluteLow, e.AbsoluteHigh},
		"relative":           {e.Relative, e.RelativeLow, e.RelativeHigh},
		"p_value":            {e.PValue},
	} {
		if lines[name] != nil {
			printed(t, strings.Join(k, " ")+": "+name, lines[name], numbers)
		}
	}
}

func checkSampleRatioExample(t *testing.T, lines map[string][]string) {
	t.Helper()
	var units []int64
	for _, word := range lines["units"] {
		units = append(units, int64(parseFloat(t, word)))
	}
	r := SampleRatio(units, rats(lines["weights"]...), DefaultOptions())
	printed(t, "statistic", lines["statistic"], []*float64{r.Statistic})
	printed(t, "p_value", lines["p_value"], []*float64{r.PValue})
}

// momentsOfWords reads "units 5 sum 90 …", by the columns of the table moments.
func momentsOfWords(t *testing.T, words []string) Moments {
	t.Helper()
	var m Moments
	for i := 0; i < len(words); i += 2 {
		s, err := ParseSum(words[i+1])
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for term := N; term < termCount; term++ {
			if term.Column() == words[i] {
				found = true
				m.Set(term, s)
				if term == N {
					m.Units = s.int().Int64()
				}
			}
		}
		if !found {
			t.Fatalf("no column %q", words[i])
		}
	}
	return m
}

// printed compares numbers with the words that are numbers, at the words' own
// precision; "open" is an end that is not there.
func printed(t *testing.T, what string, words []string, numbers []*float64) {
	t.Helper()
	i := 0
	for _, word := range words {
		if word == "from" || word == "to" {
			continue
		}
		if i == len(numbers) {
			t.Errorf("%s: more numbers than there are", what)
			return
		}
		n := numbers[i]
		i++
		switch {
		case word == "open" && n == nil:
		case word == "open" || n == nil:
			t.Errorf("%s: docs say %s, computed is %v", what, word, n)
		default:
			if got := formatLike(word, *n); got != word {
				t.Errorf("%s: docs say %s, computed is %s", what, word, got)
			}
		}
	}
	if i != len(numbers) {
		t.Errorf("%s: %d numbers, want %d", what, i, len(numbers))
	}
}

func formatLike(word string, f float64) string {
	verb := byte('f')
	mantissa, _, found := strings.Cut(word, "e")
	if found {
		verb = 'e'
	}
	_, decimals, _ := strings.Cut(mantissa, ".")
	return strconv.FormatFloat(f, verb, len(decimals), 64)
}

func TestDocsNameEveryStatus(t *testing.T) {
	text, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []Status{
		OK, NoUnits, OneUnit, ZeroVariance, ZeroBaseline, NoLogRatio, UnboundedRelative, ZeroDenominator, InconsistentSums, OutOfRange, BetweenLooks,
		NoWeights, OneVariation, UnitsAtZeroWeight,
	} {
		if !strings.Contains(string(text), "\n| `"+string(s)+"` |") {
			t.Errorf("docs/statistics.md has no row for the status %s", s)
		}
	}
}

// TestDocsOfPercentiles checks the example of percentiles.
func TestDocsOfPercentiles(t *testing.T) {
	text, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```percentiles\n")
	block, _, _ := strings.Cut(rest, "```")
	lines := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(block), "\n") {
		words := strings.Fields(line)
		lines[words[0]] = words[1:]
	}
	opt := DefaultOptions()
	read := func(words []string) Moments { // units n quantile_value v quantile_lower l quantile_upper u
		value, err := ParseSum(words[3])
		if err != nil {
			t.Fatal(err)
		}
		n := int64(parseFloat(t, words[1]))
		return Moments{Units: n, Quantiles: &Quantiles{
			Value: value.Rat(), Lower: parseFloat(t, words[5]), Upper: parseFloat(t, words[7]), Z: PercentileZ(opt.Alpha), N: n,
		}}
	}
	if len(lines["baseline"]) != 8 || len(lines["variation"]) != 8 {
		t.Fatalf("no two variations of percentiles: %v", lines)
	}
	e := Compare(Percentile, read(lines["baseline"]), read(lines["variation"]), opt)
	printed(t, "absolute", lines["absolute"], []*float64{e.Absolute, e.AbsoluteLow, e.AbsoluteHigh})
	printed(t, "relative", lines["relative"], []*float64{e.Relative, e.RelativeLow, e.RelativeHigh})
	printed(t, "p_value", lines["p_value"], []*float64{e.PValue})
}
