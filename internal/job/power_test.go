package job_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metricsjob/metricsjob/internal/job"
)

// Curves of means are those of R 4.2.2, power.t.test(n, power = .8, sd, sig.level = .05,
// strict = TRUE, tol = 1e-15)$delta by the mean and, of an effect, $power. Those of rates,
// 163 of 3304 units, are by scipy 1.17.1: roots of stats.nct with n − 2 degrees of freedom
// and the shift e/√(v(p)/nₐ + v(p + e)/n_b), where v(p) is p(1 − p)·3304/3303.
func TestPowerCurve(t *testing.T) {
	dir := t.TempDir()
	sums, data := filepath.Join(dir, "sums.csv"), filepath.Join(dir, "metrics.yaml")
	writeFile(t, sums, "metric,variation,baseline,units,sum,sum_sq\norders,control,true,3304,163,163\norders,green,false,3329,223,223\n")
	export, err := filepath.Abs("../../testdata/parquet/optimizely_e3")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, data, strings.ReplaceAll(e3, "DATA", export))
	rate := math.Sqrt(0.05 * 0.95)
	type point struct {
		units, days, effect float64
		power               float64 // of an effect of 10%; 0: not asked for
	}
	for name, c := range map[string]struct {
		opts job.PowerOptions
		rows int
		want []point
	}{
		"numbers, by day": {
			job.PowerOptions{Mean: new(1.0), StdDev: new(1.0), PerDay: 100, Days: 14, Effects: []float64{0.1}}, 14,
			[]point{{100, 1, 0.5658822438, 0.07852398768}, {700, 7, 0.2120716143, 0.2619585054}, {1400, 14, 0.1498538154, 0.4640407237}},
		},
		"a deviation, by units": {
			job.PowerOptions{Mean: new(0.05), StdDev: &rate, Units: 50_000}, 20,
			[]point{{2500, 0, 0.4886603703, 0}, {25_000, 0, 0.1544744944, 0}, {50_000, 0, 0.1092278641, 0}},
		},
		"sums, by day": {
			job.PowerOptions{Moments: sums, PerDay: 4000, Days: 14, Effects: []float64{0.1}}, 14,
			[]point{{4000, 1, 0.425673889602, 0.108374500693}, {28_000, 7, 0.152187896342, 0.461123140881}, {56_000, 14, 0.106534531540, 0.749725553981}},
		},
		"sums, one-sided and uneven, by units": {
			job.PowerOptions{Moments: sums, Units: 20_000, Ratio: 3, Power: 0.9, Alternative: "greater"}, 20,
			[]point{{4000, 0, 0.495299611891, 0}, {20_000, 0, 0.215035620641, 0}},
		},
		// 3304 units of the baseline came in a day, and 6696 of two others.
		"data, with their traffic": {
			job.PowerOptions{Options: job.Options{Paths: []string{data}, Metrics: []string{"purchases"}, Threads: 2}, Days: 28}, 28,
			[]point{{6652, 1, 0.323596641541, 0}, {186_256, 28, 0.057774376047, 0}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.opts.Curve, c.opts.Now, c.opts.Version = true, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), "test"
			if c.opts.Ratio == 0 {
				c.opts.Ratio = 1
			}
			rows, err := job.Power(t.Context(), c.opts)
			if err != nil {
				t.Fatal(err)
			}
			each := 1 + len(c.opts.Effects)
			if len(rows) != c.rows*each {
				t.Errorf("%d rows, want %d", len(rows), c.rows*each)
			}
			found := map[float64][]job.PowerRow{}
			for _, r := range rows {
				found[r.Units] = append(found[r.Units], r)
			}
			for _, want := range c.want {
				got := found[want.units]
				if len(got) != each {
					t.Errorf("%v units: %d rows", want.units, len(got))
					continue
				}
				near := func(what string, got, want float64) {
					t.Helper()
					if math.Abs(got-want) > 1e-9*want {
						t.Errorf("%s: %v, want %v", what, got, want)
					}
				}
				near(fmt.Sprintf("effect of %v units", want.units), got[0].Effect, want.effect)
				if want.power > 0 {
					near(fmt.Sprintf("power of %v units", want.units), got[1].Power, want.power)
				}
				if want.days > 0 && *got[0].Days != want.days || want.days == 0 && got[0].Days != nil {
					t.Errorf("%v units: %v days, want %v", want.units, got[0].Days, want.days)
				}
			}
		})
	}
}

// Of 900 units of control 90 visit and 45 buy, at 90:10 in one day. By scipy 1.17.1, for
// nu = n - 2, v(p) = 900*p*(1-p)/899 and ncp = 0.2*p/sqrt(v(p)/(0.9*n) + v(1.2*p)/(0.1*n)): the root
// n of nct.sf(t.isf(0.1, nu), nu, ncp) = 0.9 is 19007.79 for visits, one-sided at 0.1 with a
// power of 0.9; two-sided at 0.05 with 0.8 that of purchases is 48465.80 by
// nct.sf(t.isf(0.025, nu), nu, ncp) + nct.cdf(-t.isf(0.025, nu), nu, ncp).
func TestPowerOfData(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "metrics.yaml"), `version: 1
sources:
  impressions:
    - {name: decisions, path: decisions.parquet, columns: {units: {user: user_id}, flag: flag, variation: variation, timestamp: ts, attributes: {country: country}}}
  events:
    - {name: orders, path: orders.parquet, columns: {units: {user: user_id}, event: event, timestamp: ts, properties: {page: page}}}
events: {list: [{key: visit, properties: {page: string}}, {key: purchase}]}
metrics:
  - {key: visits, event: visit, measure: occurrence, better: higher, split_by: page, analysis: {alpha: 0.1, power: 0.9, alternative: greater}}
  - {key: bought, better: higher, funnel: {steps: [{event: visit}, {event: purchase}]}}
experiments:
  - key: button
    flag: button
    unit: user
    start: 2026-03-02
    end: 2026-03-04
    segments: [country]
    variations: [{key: control, weight: 90, baseline: true}, {key: green, weight: 10}]
    metrics: {primary: [visits, bought]}
    analysis: {stratify: [country]}
`)
	var decisions, orders strings.Builder
	decisions.WriteString("user_id:VARCHAR,flag:VARCHAR,variation:VARCHAR,ts:TIMESTAMP,country:VARCHAR\n")
	orders.WriteString("user_id:VARCHAR,event:VARCHAR,ts:TIMESTAMP,page:VARCHAR\n")
	for i := range 1000 {
		variation := "control"
		if i >= 900 {
			variation = "green"
		}
		fmt.Fprintf(&decisions, "u%d,button,%s,2026-03-02 10:00:00,%s\n", i, variation, []string{"DE", "FR"}[i%2])
		if i%10 == 0 {
			fmt.Fprintf(&orders, "u%d,visit,2026-03-02 11:00:00,%s\n", i, []string{"home", "cart"}[i/10%2])
		}
		if i%20 == 0 {
			fmt.Fprintf(&orders, "u%d,purchase,2026-03-02 12:00:00,\n", i)
		}
	}
	e := openEngine(t, dir)
	writeParquet(t, e, dir, "decisions", decisions.String())
	writeParquet(t, e, dir, "orders", orders.String())
	opts := job.PowerOptions{
		Options: job.Options{Paths: []string{filepath.Join(dir, "metrics.yaml")}, Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Version: "test", Threads: 2},
		Effects: []float64{0.2},
	}
	rows, err := job.Power(t.Context(), opts)
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows: %v: %+v", len(rows), err, rows)
	}
	for i, want := range []struct {
		metric                   string
		mean, units, power, days float64
	}{{"visits", 0.1, 19_008, 0.9, 20}, {"bought", 0.05, 48_466, 0.8, 49}} {
		r := rows[i]
		if r.Metric != want.metric || math.Abs(r.Mean-want.mean) > 1e-12 || r.Units != want.units || r.Power != want.power || *r.Days != want.days {
			t.Errorf("%+v with %v days, want %+v", r, *r.Days, want)
		}
	}
	opts.Effects = []float64{20} // both are rates, of 0.1 and 0.05
	_, err = job.Power(t.Context(), opts)
	for _, want := range []string{
		"power of visits: an effect of 2000% would take the rate 0.1 beyond what a rate can be",
		"give less than 900%",
		"power of bought: an effect of 2000% would take the rate 0.05 beyond what a rate can be",
		"give less than 1900%",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
