package job_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/metrics"
)

// total is what the numbers of the units of a variation come to.
type total struct {
	Units    int64
	Sum, Den string
}

type totalKey struct {
	experiment, metric, variation string
	step                          int64
}

// compareSums holds the numbers of units to the sums that a run reports: they add up
// to them, to the last digit.
func compareSums(t *testing.T, tables *metrics.Tables, units []job.UnitNumber) {
	t.Helper()
	overflowed := map[[2]string]bool{}
	for _, e := range tables.Errors {
		overflowed[[2]string{e.Experiment, *e.Metric}] = true
	}
	want, got := map[totalKey]total{}, map[totalKey]total{}
	for _, m := range tables.Moments {
		if m.Segment != metrics.Overall || m.Split != nil || overflowed[[2]string{m.Experiment, m.Metric}] {
			continue
		}
		k := totalKey{experiment: m.Experiment, metric: m.Metric, variation: m.Variation}
		if m.Step != nil {
			k.step = *m.Step
		}
		w := total{Units: m.Units, Sum: plainNumber(t, m.Sum)}
		if m.DenSum != nil {
			w.Den = plainNumber(t, *m.DenSum)
		}
		want[k] = w
		if m.Units == 0 {
			got[k] = total{Sum: "0", Den: strings.Repeat("0", len(w.Den))}
		}
	}
	for _, u := range units {
		k := totalKey{u.Experiment, u.Metric, u.Variation, int64(u.Step)}
		w, ok := want[k]
		if !ok || !u.Counted {
			continue
		}
		sum := got[k]
		sum.Units++
		sum.Sum = added(t, sum.Sum, u.Number)
		if w.Den != "" {
			sum.Den = added(t, sum.Den, u.Denominator)
		}
		got[k] = sum
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the numbers of the units do not add up (-moments +units):\n%s", d)
	}
}

func added(t *testing.T, a, b string) string {
	t.Helper()
	if a == "" {
		a = "0"
	}
	x, y := ratOf(t, a), ratOf(t, b)
	return x.Add(x, y).RatString()
}

func plainNumber(t *testing.T, s string) string { return ratOf(t, s).RatString() }

func ratOf(t *testing.T, s string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("%q is no number", s)
	}
	return r
}
