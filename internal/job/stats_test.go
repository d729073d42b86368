package job_test

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/metrics"
)

// statsOf hands sums, as CSV, to metricsjob stats --ended.
func statsOf(t *testing.T, sums, analysis string) (*metrics.Tables, error) {
	t.Helper()
	folder := t.TempDir()
	opts := job.StatsOptions{Moments: filepath.Join(folder, "sums.csv"), Ended: true}
	writeFile(t, opts.Moments, sums)
	if analysis != "" {
		opts.Analysis = filepath.Join(folder, "analysis.yaml")
		writeFile(t, opts.Analysis, "analysis: {"+analysis+"}\n")
	}
	return job.Stats(t.Context(), opts)
}

// verdictsOf are the verdicts on sums, in the order of the variations.
func verdictsOf(t *testing.T, sums, analysis string) []metrics.VerdictRow {
	t.Helper()
	tables, err := statsOf(t, sums, analysis)
	if err != nil {
		t.Fatal(err)
	}
	return tables.Verdicts
}

// A variation whose sample ratio is broken anywhere over everybody is no winner. By hand,
// of n units that were to be halved a difference of √n is one standard deviation: 4000 of
// 8000 units are 45, 5000 of 15000 are 41, and 5000 of 25000 are 32.
func TestSampleRatioOfSums(t *testing.T) {
	for _, c := range []struct {
		name, sums string
		want       metrics.Verdict
		text       string
	}{
		{"as planned", `
metric,role,variation,baseline,weight,units,sum,sum_sq
m,primary,a,true,1,10000,1000,1000
m,primary,b,false,1,10000,1200,1200`, metrics.Ship, ""},
		{"in the second stratum", `
metric,role,variation,baseline,weight,stratum,exposed,units,sum,sum_sq
m,primary,a,true,1,ios,1000,1000,100,100
m,primary,b,false,1,ios,1000,1000,200,200
m,primary,a,true,1,web,5000,5000,500,500
m,primary,b,false,1,web,1000,1000,200,200`, metrics.Invalid, "planned ratio"},
		{"of the second metric", `
metric,role,variation,baseline,weight,units,sum,sum_sq
s,secondary,a,true,1,10000,1000,1000
s,secondary,b,false,1,10000,1010,1010
p,primary,a,true,1,10000,1000,1000
p,primary,b,false,1,5000,700,700`, metrics.Invalid, "in the rows of p"},
		{"of a variation that the first metric lacks", `
metric,role,variation,baseline,weight,units,sum,sum_sq
s,secondary,a,true,1,10000,1000,1000
s,secondary,b,false,1,10000,1010,1010
p,primary,a,true,1,10000,1000,1000
p,primary,b,false,1,10000,1200,1200
p,primary,c,false,1,4000,800,800`, metrics.Invalid, "in the rows of p"},
		{"of everybody, with the weights of a segment", `
metric,role,variation,baseline,weight,segment,segment_value,units,sum,sum_sq
p,primary,a,true,,overall,all,10000,1000,1000
p,primary,b,false,,overall,all,15000,2400,2400
p,primary,a,true,1,country,DE,1000,100,100
p,primary,b,false,1,country,DE,1000,160,160`, metrics.Invalid, "planned ratio"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, v := range verdictsOf(t, strings.TrimSpace(c.sums), "") {
				if v.Verdict != c.want || !strings.Contains(v.Reasons[0].Text, c.text) {
					t.Errorf("%s: %s for %q, want %s for %q", v.Variation, v.Verdict, v.Reasons[0].Text, c.want, c.text)
				}
			}
		})
	}
}

// Exposed units, events and units with an event of a variation are those of all strata.
func TestCountsOfStrata(t *testing.T) {
	tables, err := statsOf(t, `metric,variation,baseline,stratum,exposed,units,units_with_event,events,sum,sum_sq
m,a,true,x,110,100,10,15,10,10
m,b,false,x,120,100,12,20,12,12
m,a,true,y,210,200,30,35,30,30
m,b,false,y,220,200,32,40,32,32
`, "")
	if err != nil {
		t.Fatal(err)
	}
	want := [][4]int64{{320, 300, 40, 50}, {340, 300, 44, 60}}
	for i, r := range tables.Results {
		if got := [4]int64{r.Exposed, r.Units, r.UnitsWithEvent, r.Events}; got != want[i] {
			t.Errorf("%s: %v, want %v", r.Variation, got, want[i])
		}
	}
}

// Other tools write whole numbers as floating ones: R 1e+05, Python 100000.0.
func TestCountsAsOtherToolsWriteThem(t *testing.T) {
	tables, err := statsOf(t, "metric,variation,baseline,units,exposed,events,sum,sum_sq\nm,a,true,1e+05,200000.0,1.5e+03,10,10\nm,b,false,100000.000,2E5,1500,12,12\n", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range tables.Results {
		if r.Units != 100_000 || r.Exposed != 200_000 || r.Events != 1500 {
			t.Errorf("%s: %d units, %d exposed, %d events", r.Variation, r.Units, r.Exposed, r.Events)
		}
	}
}

// What one row says of a metric holds for all of its rows.
func TestColumnsOfAMetric(t *testing.T) {
	// A value of 1 in 10 units of 100, then in 16: worse where lower is better.
	v := verdictsOf(t, `metric,role,better,variation,baseline,units,sum,sum_sq
m,,,a,true,10000,1000,1000
m,primary,lower,b,false,10000,1600,1600
`, "")
	if v[0].Verdict != metrics.DoNotShip {
		t.Errorf("%s, want that of a primary metric where lower is better", v[0].Verdict)
	}
}

// Mistakes in sums have their row.
func TestMistakesInSums(t *testing.T) {
	for _, c := range []struct{ name, sums, want string }{
		{"better twice", "metric,better,variation,baseline,units,sum,sum_sq\nm,higher,a,true,10,1,1\nm,lower,b,false,10,2,2\n",
			`row 2: column better of metric "m" is "lower", and in row 1 it is "higher"`},
		{"kind twice", "metric,kind,variation,baseline,units,sum,sum_sq\nm,mean,a,true,10,1,1\nm,proportion,b,false,10,2,2\n",
			`row 2: column kind of metric "m" is "proportion", and in row 1 it is "mean"`},
		{"margin of another segment", "metric,role,margin,segment,segment_value,variation,baseline,units,sum,sum_sq\n" +
			"m,guardrail,1%,,,a,true,10,1,1\nm,guardrail,,,,b,false,10,2,2\nm,guardrail,2%,country,DE,a,true,10,1,1\n",
			`row 3: column margin of metric "m" is "2%", and in row 1 it is "1%"`},
		{"weights of strata", "metric,weight,stratum,variation,baseline,units,sum,sum_sq\nm,1,x,a,true,10,1,1\nm,1.0,y,a,,10,1,1\nm,2,z,a,,10,2,2\n",
			`row 3: column weight of variation "a" is "2", and in row 1 it is "1"`},
		{"a weight is missing", "metric,weight,variation,baseline,units,sum,sum_sq\nm,1,a,true,10,1,1\nm,,b,false,10,2,2\n",
			`row 2: variation "b" has no weight, and others have`},
		{"a variation has no weight anywhere", "metric,weight,variation,baseline,units,sum,sum_sq\nm,1,a,true,10,1,1\nm,1,b,false,10,2,2\nn,,a,true,10,1,1\nn,,c,false,10,2,2\n",
			`row 4: variation "c" has no weight, and others have`},
		{"a value of no segment", "metric,segment_value,variation,baseline,units,sum,sum_sq\nm,US,a,true,10,1,1\nm,US,b,false,10,2,2\n",
			`row 1: column segment_value: "US" is a value of no segment`},
		{"too many units", "metric,variation,baseline,units,sum,sum_sq\nm,a,true,5000000000000000000,1,1\nm,b,false,5000000000000000000,2,2\n",
			`row 1: column units: 5000000000000000000 are too many`},
		{"too many units, as a power of ten", "metric,variation,baseline,units,sum,sum_sq\nm,a,true,1e+300,1,1\nm,b,false,1,2,2\n",
			`row 1: column units: 1e+300 are too many`},
		{"a part of a unit", "metric,variation,baseline,units,sum,sum_sq\nm,a,true,1.0005e3,1,1\nm,b,false,1,2,2\n",
			`row 1: column units: "1.0005e3" is no whole number from 0`},
		{"fewer units than none", "metric,variation,baseline,units,sum,sum_sq\nm,a,true,-1e+300,1,1\nm,b,false,1,2,2\n",
			`row 1: column units: "-1e+300" is no whole number from 0`},
		{"too many units together", "metric,variation,baseline,units,sum,sum_sq\nm,a,true,5000000000000000,1,1\nm,b,false,5000000000000000,2,2\n",
			`row 2: column units: too many in the variations of metric "m"`},
		{"no quantile", "metric,kind,variation,baseline,units,quantile_lower,quantile_upper\nm,quantile,a,true,10,1,2\n",
			`row 1: column quantile_value is empty, and column units is 10`},
		{"bounds the wrong way round", "metric,kind,variation,baseline,units,quantile_value,quantile_lower,quantile_upper\nm,quantile,a,true,10,5,6,4\n",
			`row 1: column quantile_value: 5 is not between 6 and 4`},
		{"a quantile outside of its bounds", "metric,kind,variation,baseline,units,quantile_value,quantile_lower,quantile_upper\nm,quantile,a,true,10,7,4,6\n",
			`row 1: column quantile_value: 7 is not between 4 and 6`},
		{"a negative standard deviation", "metric,variation,baseline,units,mean,std_dev\nm,a,true,10,7,-4\n",
			`row 1: column std_dev is negative`},
		{"a weight that would fill the memory", "metric,weight,variation,baseline,units,sum,sum_sq\nm,1e400000000,a,true,10,1,1\nm,1,b,false,10,2,2\n",
			`row 1: column weight: "1e400000000"`},
		{"a margin that would fill the memory", "metric,role,margin,variation,baseline,units,sum,sum_sq\nm,guardrail,1e400000000%,a,true,10,1,1\nm,guardrail,,b,false,10,2,2\n",
			`row 1: column margin: "1e400000000%"`},
		{"a weight by nothing", "metric,weight,variation,baseline,units,sum,sum_sq\nm,1/0,a,true,10,1,1\nm,1,b,false,10,2,2\n",
			`row 1: column weight: "1/0"`},
		{"a list that is none", "metric,compared_to,variation,baseline,units,sum,sum_sq\nm,[],a,true,10,1,1\nm,a,b,false,10,2,2\n",
			`row 2: column compared_to: "a" is no list of texts`},
		{"compared to nobody", "metric,compared_to,variation,baseline,units,sum,sum_sq\nm,[],a,true,10,1,1\nm,\"[\"\"c\"\"]\",b,false,10,2,2\n",
			`row 2: column compared_to: metric "m" has no other variation "c"`},
		{"options that are none", "metric,analysis,variation,baseline,units,sum,sum_sq\nm,{alfa: 0.01},a,true,10,1,1\nm,,b,false,10,2,2\n",
			`row 1: column analysis: `},
		{"fewer exposed than units", "metric,variation,baseline,exposed,units,sum,sum_sq\nm,a,true,10,100,1,1\nm,b,false,10,100,2,2\n",
			`row 1: column exposed: 10, and the metric is over 100 units`},
		{"a quantile of 95", "metric,kind,quantile,variation,baseline,units,quantile_value,quantile_lower,quantile_upper\nm,quantile,95,a,true,10,5,4,6\n",
			`row 1: column quantile: 95 is no share`},
		{"a quantile of 1", "metric,kind,quantile,variation,baseline,units,quantile_value,quantile_lower,quantile_upper\nm,quantile,1.0,a,true,10,5,4,6\n",
			`row 1: column quantile: 1.0 is no share`},
		{"more than all units", "metric,kind,variation,baseline,units,sum\nm,proportion,a,true,10,11\nm,proportion,b,false,10,1\n",
			`row 1: column sum: 11 of 10 units`},
		{"a negative rate", "metric,kind,variation,baseline,units,mean\nm,proportion,a,true,10,-0.1\nm,proportion,b,false,10,0.1\n",
			`row 1: column sum: -1 of 10 units`},
		{"a count for a rate", "metric,kind,variation,baseline,units,sum,sum_sq\nm,proportion,a,true,10,5,5\nm,proportion,b,false,10,7,9\n",
			`row 2: column sum_sq: 9, and the sum of a proportion is that of its squares, 7`},
		{"a check that is none", "metric,variation,baseline,units,sum,sum_sq,failed_checks\nm,a,true,10,1,1,\"[\"\"sample_ration\"\"]\"\nm,b,false,10,2,2,\n",
			`row 1: column failed_checks: there is no check "sample_ration"`},
		{"events that are no number", "metric,variation,baseline,units,sum,sum_sq,events\nm,a,true,10,1,1,many\n",
			`row 1: column events: "many" is no whole number from 0`},
	} {
		_, err := statsOf(t, c.sums, "")
		var mistake *job.SumsError
		if !errors.As(err, &mistake) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
			continue
		}
		if mistake.Hint() == "" {
			t.Errorf("%s: no hint", c.name)
		}
	}
}

// All mistakes of one kind are told at once, each once, and no more than can be read.
func TestMistakesInSumsAtOnce(t *testing.T) {
	for _, c := range []struct {
		name, sums string
		want       []string
	}{
		{"columns and words", "metric,variation,baselines,unitz,role,better\nm,a,true,10,main,higher\nm,b,false,10,primary,up\n",
			[]string{`row 1: there is no column "baselines"`, `row 1: there is no column "unitz"`, `row 1: column role: "main"`, `row 2: column better: "up"`}},
		{"rows", "metric,kind,variation,baseline,units,sum,sum_sq\nm,meen,a,true,10,1,1\nm,,b,false,10,2,2\nn,,a,true,-3,1,1\nn,,b,false,10,x,2\n",
			[]string{`row 1: unknown kind "meen"`, `row 3: column units: "-3" is no whole number from 0`, `row 4: column sum: `}},
		{"what rows say of a metric", "metric,better,variation,baseline,units,sum,sum_sq\nm,lower,a,true,10,1,1\nm,higher,b,false,10,2,2\nn,,,true,10,1,1\n",
			[]string{`row 2: column better of metric "m" is "higher", and in row 1 it is "lower"`, `row 3: column variation is empty`}},
		{"baselines", "metric,variation,baseline,units,sum,sum_sq\nm,a,true,10,1,1\nm,b,true,10,2,2\nn,a,,10,1,1\n",
			[]string{`row 2: metric "m" has two baselines`, `row 3: metric "n" has no baseline`}},
	} {
		_, err := statsOf(t, c.sums, "")
		var mistakes job.SumsErrors
		if !errors.As(err, &mistakes) || len(mistakes) != len(c.want) {
			t.Errorf("%s: %v, want %d mistakes", c.name, err, len(c.want))
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(mistakes[i].Error(), want) {
				t.Errorf("%s: %v, want %s", c.name, mistakes[i], want)
			}
		}
	}
	_, err := statsOf(t, "metric,variation,baseline,units,sum,sum_sq\n"+strings.Repeat("m,,true,10,1,1\n", 30), "")
	if got := strings.Count(err.Error(), "column variation is empty"); got != 20 || !strings.HasSuffix(err.Error(), "\n10 more mistakes in the sums") {
		t.Errorf("30 rows without a variation are told %d times: %v", got, err)
	}
}

// A one-sided test that looks for what is better alone hides no harm, and a guardrail that
// nobody could judge does not pass in silence. By hand, of 10,000 units each: 12% against
// 10% are 4.5 standard errors, 50% against 99% are 96.
func TestGuardrailsOfSums(t *testing.T) {
	primary := "metric,role,better,variation,baseline,units,sum,sum_sq\n" +
		"orders,primary,higher,a,true,10000,1000,1000\norders,primary,higher,b,false,10000,1200,1200\n"
	for _, c := range []struct {
		name, analysis, guardrail string
		want                      metrics.Verdict
		codes                     string
	}{
		{"harm on the other side", "alternative: greater", "crash_free,guardrail,higher,a,true,10000,9900,9900\ncrash_free,guardrail,higher,b,false,10000,5000,5000\n",
			metrics.DoNotShip, "guardrail_worse primary_better"},
		{"harm on the side of the test", "alternative: greater", "crashes,guardrail,lower,a,true,10000,100,100\ncrashes,guardrail,lower,b,false,10000,5000,5000\n",
			metrics.DoNotShip, "guardrail_worse primary_better"},
		{"no harm", "alternative: greater", "crash_free,guardrail,higher,a,true,10000,9900,9900\ncrash_free,guardrail,higher,b,false,10000,9901,9901\n",
			metrics.Ship, "primary_better guardrail_not_worse"},
		{"all, then none", "", "works,guardrail,higher,a,true,10000,10000,10000\nworks,guardrail,higher,b,false,10000,0,0\n",
			metrics.Inconclusive, "primary_better guardrail_not_computed"},
		{"never in either", "", "crashes,guardrail,lower,a,true,10000,0,0\ncrashes,guardrail,lower,b,false,10000,0,0\n",
			metrics.Ship, "primary_better guardrail_not_computed"},
		{"of the baseline alone", "", "crashes,guardrail,lower,a,true,10000,10,10\n",
			metrics.Inconclusive, "primary_better guardrail_not_computed"},
		{"a second primary metric of the baseline alone", "", "visits,primary,higher,a,true,10000,10,10\n",
			metrics.Ship, "primary_better primary_not_computed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := verdictsOf(t, primary+c.guardrail, c.analysis)[0]
			var codes []string
			for _, r := range v.Reasons {
				codes = append(codes, r.Code)
			}
			if v.Verdict != c.want || strings.Join(codes, " ") != c.codes {
				t.Errorf("%s for %v, want %s for %s", v.Verdict, v.Reasons, c.want, c.codes)
			}
		})
	}
}

// A share of no crashes is no crash: 30 of 10,000 units are 5.5 standard errors from it.
func TestMarginOfABaselineOfZero(t *testing.T) {
	v := verdictsOf(t, `metric,role,better,margin,variation,baseline,units,sum,sum_sq
orders,primary,higher,,a,true,10000,1000,1000
orders,primary,higher,,b,false,10000,1200,1200
crashes,guardrail,lower,2%,a,true,10000,0,0
crashes,guardrail,lower,2%,b,false,10000,30,30
`, "")[0]
	if v.Verdict != metrics.DoNotShip || v.Reasons[0].Code != "guardrail_beyond_margin" {
		t.Errorf("%s for %v, want do_not_ship beyond the margin", v.Verdict, v.Reasons)
	}
}

// What another tool rounded is taken, with a warning where no units have such a sum; by hand,
// a mean of 0.1234 of 1000 units is a sum of 123.4.
func TestRoundedSumsOfAProportion(t *testing.T) {
	for _, c := range []struct{ name, sums, warning string }{
		{"whole", "metric,kind,variation,baseline,units,sum,sum_sq\nm,proportion,a,true,1000,123,123\nm,proportion,b,false,1000,130.0,130\n", ""},
		{"squares by a float", "metric,kind,variation,baseline,units,sum,sum_sq\nm,proportion,a,true,10000000,1234567,1.23457e6\nm,proportion,b,false,10000000,1234567,1234567.0001\n", ""},
		{"a mean", "metric,kind,variation,baseline,units,mean\nm,proportion,a,true,1000,0.1234\nm,proportion,b,false,1000,0.13\n", ""},
		{"a mean times units", "metric,kind,variation,baseline,units,sum\nm,proportion,a,true,1000,123.4\nm,proportion,b,false,1000,123.4\n", metrics.WarnFractionalSum},
	} {
		tables, err := statsOf(t, c.sums, "")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := strings.Join(tables.Results[1].Warnings, " "); got != c.warning {
			t.Errorf("%s: warnings %q, want %q", c.name, got, c.warning)
		}
	}
}

// A check that any row names as failed makes the experiment invalid.
func TestFailedChecksOfAnyRow(t *testing.T) {
	v := verdictsOf(t, `metric,role,variation,baseline,units,sum,sum_sq,failed_checks
m,primary,a,true,10000,1000,1000,
m,primary,b,false,10000,1200,1200,"[""several_variations""]"
`, "")
	if v[0].Verdict != metrics.Invalid {
		t.Errorf("%s, want invalid", v[0].Verdict)
	}
}

// Of a funnel the last step is the metric, for verdicts and corrections.
func TestFunnelOfSums(t *testing.T) {
	tables, err := statsOf(t, `metric,role,step,variation,baseline,units,sum,sum_sq
f,primary,1,a,true,10000,5000,5000
f,primary,1,b,false,10000,4000,4000
f,primary,2,a,true,10000,1000,1000
f,primary,2,b,false,10000,1200,1200
`, "correction: {method: bonferroni, roles: [primary]}, stratify: [country]")
	if err != nil {
		t.Fatal(err)
	}
	// The first step is worse by 14 standard errors, the second better by 4.5.
	if v := tables.Verdicts[0]; v.Verdict != metrics.Ship || len(v.Reasons) != 1 {
		t.Errorf("%s for %v, want ship for the last step alone", v.Verdict, v.Reasons)
	}
	first, last := tables.Results[1], tables.Results[3]
	if first.PValueAdjusted != nil || last.PValueAdjusted == nil || *last.PValueAdjusted != *last.PValue {
		t.Errorf("corrected p-values: %v and %v, want none of the first step, and that of one comparison", first.PValueAdjusted, last.PValueAdjusted)
	}
	if got := strings.Join(last.Warnings, " "); got != metrics.WarnNoStrata {
		t.Errorf("warnings %q: rows have no strata", got)
	}
}

// What a test for one look says before the end is interim: before a planned end all rows are,
// else those of variations that wait for units; not those of a method that may be looked at
// any day, nor of a look that is planned.
func TestInterimRows(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		writeFile(t, path, text)
		return path
	}
	const head = "metric,role,variation,baseline,units,sum,sum_sq,as_of,end\n"
	ending := write("ending.csv", head+"orders,primary,a,true,3304,163,163,2026-03-05T00:00:00Z,2026-03-20T00:00:00Z\n"+
		"orders,primary,b,false,3329,223,223,2026-03-05T00:00:00Z,2026-03-20T00:00:00Z\n")
	over := write("over.csv", head+"orders,primary,a,true,3304,163,163,2026-03-20T00:00:00Z,2026-03-20T00:00:00Z\n"+
		"orders,primary,b,false,3329,223,223,2026-03-20T00:00:00Z,2026-03-20T00:00:00Z\n")
	open := write("open.csv", head+"orders,primary,a,true,3304,163,163,,\norders,primary,b,false,3329,223,223,,\n")
	secondary := write("secondary.csv", head+"orders,,a,true,3304,163,163,,\norders,,b,false,3329,223,223,,\n")
	anyDay := write("always.yaml", "peeking: always_valid\n")
	group := write("group.yaml", "peeking: {method: group, looks: 4}\n")
	for name, c := range map[string]struct {
		opts job.StatsOptions
		want bool
	}{
		"before the end":            {job.StatsOptions{Moments: ending}, true},
		"told to be over":           {job.StatsOptions{Moments: ending, Ended: true}, false},
		"at the end":                {job.StatsOptions{Moments: over}, false},
		"any day":                   {job.StatsOptions{Moments: ending, Analysis: anyDay}, false},
		"a planned look":            {job.StatsOptions{Moments: ending, Analysis: group, Information: []float64{0.25}}, false},
		"too few units":             {job.StatsOptions{Moments: open}, true},
		"nothing that waits for it": {job.StatsOptions{Moments: secondary}, false},
	} {
		got, err := job.Stats(t.Context(), c.opts)
		if err != nil {
			t.Fatal(err)
		}
		if is := slices.Contains(got.Results[1].Warnings, metrics.WarnInterim); is != c.want || len(got.Results[0].Warnings) > 0 {
			t.Errorf("%s: warnings %v", name, got.Results[1].Warnings)
		}
	}
}

// The alarm of the sample ratio is that of the analysis: 5100 of 10,000 units have p = 0.0466
// (binomtest of scipy 1.14.1, exact). And bayesian: off leaves posteriors out.
func TestAlarmAndPosteriorOfSums(t *testing.T) {
	const sums = "metric,role,variation,baseline,weight,units,sum,sum_sq\nm,primary,a,true,1,5100,510,510\nm,primary,b,false,1,4900,600,600\n"
	for analysis, want := range map[string]struct {
		verdict metrics.Verdict
		chance  bool
	}{
		"alpha: 0.05":                                 {metrics.Ship, true},
		"sample_ratio: {alarm: 0.05}":                 {metrics.Invalid, false},
		"sample_ratio: {alarm: 0.046}, bayesian: off": {metrics.Ship, false},
	} {
		tables, err := statsOf(t, sums, analysis)
		if err != nil {
			t.Fatal(err)
		}
		r, v := tables.Results[1], tables.Verdicts[0]
		if v.Verdict != want.verdict || (r.ChanceToWin != nil) != want.chance || (r.ExpectedLoss != nil) != want.chance || (r.Significant != nil) != (want.verdict == metrics.Ship) {
			t.Errorf("%s: %s, chance to win %v, significant %v", analysis, v.Verdict, r.ChanceToWin, r.Significant)
		}
		if p := *tables.Health[0].PValue; math.Abs(p-0.046585527704947276) > 1e-12 {
			t.Errorf("%s: p = %v", analysis, p)
		}
	}
}
