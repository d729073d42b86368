package job_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/internal/oracle"
	"github.com/metricsjob/metricsjob/internal/oracle/gen"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// refusals are the mistakes that drawn definitions may have: what is not
// supported yet, and what only shows against the sources.
var refusals = []string{"not-supported-yet", "no-value", "no-source", "unknown-name"}

// TestOracle draws definitions and rows, computes them with the compiler and
// the engine on one side and with the naive oracle on the other, and compares
// every count and every sum. -rapid.checks sets the number of cases; a failure
// prints the case and a seed to replay it with.
func TestOracle(t *testing.T) {
	dir := t.TempDir()
	n := 0
	check(t, 40, func(rt *rapid.T) {
		c := gen.Draw(rt)
		n++
		folder := filepath.Join(dir, fmt.Sprint(n))
		defer os.RemoveAll(folder)
		path := writeWarehouse(rt, folder, c)
		defs, list, err := metrics.Load([]string{path}, metrics.LoadOptions{})
		if err != nil || list.HasErrors() {
			rt.Fatalf("the drawn definitions are refused: %v %v\n%s", err, list, c)
		}
		want := oracleRows(oracle.Run(defs, c.Input))
		opts := job.Options{Paths: []string{path}, Now: c.Input.Now, Version: "test", Threads: 2, TempDir: dir}
		if c.Input.AsOf != nil {
			opts.AsOf = *c.Input.AsOf
		}
		r, err := job.Run(context.Background(), opts)
		var refused diag.List
		if errors.As(err, &refused) && !slices.ContainsFunc(refused, func(d diag.Diagnostic) bool { return !slices.Contains(refusals, d.Code) }) {
			rt.Skip("asks for what this version does not have yet, or for what the sources do not have")
		}
		if err != nil {
			rt.Fatalf("run: %v\n%s", err, c)
		}
		if d := cmp.Diff(want, resultRows(r)); d != "" {
			rt.Fatalf("(-oracle +engine)\n%s\n%s", d, c)
		}
	})
}

func writeWarehouse(t *rapid.T, folder string, c *gen.Case) (definitions string) {
	definitions = filepath.Join(folder, "metrics.yaml")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(definitions, []byte(c.YAML), 0o644); err != nil {
		t.Fatal(err)
	}
	e, err := loaders.Open(context.Background(), loaders.Options{Threads: 1, TempDir: folder, AllowedPaths: []string{folder}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, table := range c.Tables {
		file := filepath.Join(folder, filepath.FromSlash(table.Path))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := e.Exec(context.Background(), table.Copy(file)); err != nil {
			t.Fatalf("write %s: %v", table.Path, err)
		}
	}
	return definitions
}

// oracleRows and resultRows bring both sides to the same lines of text.
func oracleRows(out oracle.Output) []string {
	rows := []string{"as of " + out.AsOf.Format("2006-01-02 15:04:05.999999")}
	for _, x := range out.Experiments {
		rows = append(rows, fmt.Sprintf("%s: unknown_variation %d", x.Key, x.Counts.UnknownVariation),
			fmt.Sprintf("%s: holdback %d", x.Key, x.Counts.Holdback), fmt.Sprintf("%s: several_variations %d", x.Key, x.Counts.SeveralVariations))
		for _, m := range x.Metrics {
			if m.Overflow {
				rows = append(rows, fmt.Sprintf("%s %s: overflow", x.Key, m.Key))
			}
			for _, c := range m.Cells {
				line := fmt.Sprintf("%s %s %s=%s %s: exposed %d units %d with %d events %d x %s xx %s", x.Key, m.Key, c.Segment, c.SegmentValue, c.Variation,
					c.Exposed, c.Units, c.UnitsWithEvent, c.Events, ratText(c.X), ratText(c.XX))
				if m.Ratio {
					line += fmt.Sprintf(" y %s yy %s xy %s", ratText(c.Y), ratText(c.YY), ratText(c.XY))
				}
				rows = append(rows, line)
			}
		}
		for _, e := range x.Exposures {
			rows = append(rows, fmt.Sprintf("%s %s=%s %s on %s: units %d impressions %d several %d", x.Key, e.Segment, e.SegmentValue, e.Variation,
				e.Date.Format("2006-01-02"), e.Units, e.Impressions, e.SeveralVariations))
		}
	}
	slices.Sort(rows)
	return rows
}

func resultRows(r *job.Result) []string {
	rows := []string{"as of " + r.AsOf.Format("2006-01-02 15:04:05.999999")}
	statistic := func(experiment, check string) float64 {
		for _, h := range r.Tables.Health {
			if h.Experiment == experiment && h.Check == check {
				return *h.Statistic
			}
		}
		return -1
	}
	for _, x := range r.Tables.Experiments {
		several := int64(0)
		for _, e := range r.Tables.Exposures {
			if e.Experiment == x.Key && e.Segment == metrics.Overall {
				several += e.SeveralVariations
			}
		}
		rows = append(rows, fmt.Sprintf("%s: unknown_variation %.0f", x.Key, statistic(x.Key, "unknown_variation")),
			fmt.Sprintf("%s: holdback %.0f", x.Key, statistic(x.Key, "holdback")), fmt.Sprintf("%s: several_variations %d", x.Key, several))
		seen := map[string]bool{}
		for _, res := range r.Tables.Results {
			if res.Experiment != x.Key || seen[res.Metric] {
				continue
			}
			seen[res.Metric] = true
			if res.Status == "overflow" {
				rows = append(rows, fmt.Sprintf("%s %s: overflow", x.Key, res.Metric))
			}
			for _, m := range r.Tables.Moments {
				if m.Experiment != x.Key || m.Metric != res.Metric {
					continue
				}
				line := fmt.Sprintf("%s %s %s=%s %s: exposed %d units %d with %d events %d x %s xx %s", m.Experiment, m.Metric, m.Segment, m.SegmentValue, m.Variation,
					m.Exposed, m.Units, m.WithEvent, m.Events, m.Sum, m.SumSq)
				if m.DenSum != nil {
					line += fmt.Sprintf(" y %s yy %s xy %s", *m.DenSum, *m.DenSumSq, *m.SumDen)
				}
				rows = append(rows, line)
			}
		}
		for _, e := range r.Tables.Exposures {
			if e.Experiment == x.Key {
				rows = append(rows, fmt.Sprintf("%s %s=%s %s on %s: units %d impressions %d several %d", e.Experiment, e.Segment, e.SegmentValue, e.Variation,
					e.Date, e.Units, e.Impressions, e.SeveralVariations))
			}
		}
	}
	slices.Sort(rows)
	return rows
}

// ratText is an exact decimal in the form of the table moments.
func ratText(r *big.Rat) string {
	if r == nil {
		return "0"
	}
	s := r.FloatString(40)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}
