package job_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/internal/oracle"
	"github.com/metricsjob/metricsjob/internal/oracle/gen"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// errUnfit is that a case asks for what its sources do not have.
var errUnfit = errors.New("the case asks for what its sources do not have")

// A bench compares cases, one at a time. It keeps the engine that writes
// their files, and in which most of them run.
type bench struct {
	t      testing.TB
	dir    string
	engine *loaders.Engine
	n      int
	// results is of how many metrics in experiments the last case had every number compared.
	results int
}

func newBench(t testing.TB, dir string) *bench {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	e, err := loaders.Open(context.Background(), loaders.Options{Threads: 1, TempDir: dir, AllowedPaths: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, dir: dir, engine: e}
}

func (b *bench) close() {
	if err := b.engine.Close(); err != nil {
		b.t.Error(err)
	}
}

// A question is a case, and what of it is asked: empty is everything.
type question struct {
	*gen.Case
	experiment, metric string
	// bundled: sums are made as where there are many measures.
	bundled bool
	// apart: an engine is opened for it, as for a user.
	apart bool
}

// which says what is asked, for a reader.
func (q question) which() string {
	text := ""
	if q.experiment != "" {
		text = fmt.Sprintf("experiment %s, metric %s\n", q.experiment, q.metric)
	}
	if q.bundled {
		text += "in bundles\n"
	}
	if q.apart {
		text += "with an engine of its own\n"
	}
	return text
}

// compare gives what the oracle and the engine differ in, "" where they agree.
func (b *bench) compare(q question) (diff string, err error) {
	defer func() { // the case is worth more than the place
		if r := recover(); r != nil {
			diff, err = fmt.Sprintf("panic: %v\n%s", r, debug.Stack()), nil
		}
	}()
	b.n++
	folder := filepath.Join(b.dir, fmt.Sprint(b.n))
	defer os.RemoveAll(folder)
	path := writeFiles(b.t, b.engine, folder, q.Case)
	defs, list, err := metrics.Load([]string{path}, metrics.LoadOptions{})
	if err != nil || list.HasErrors() {
		return fmt.Sprintf("the drawn definitions are refused: %v %v", err, list), nil
	}
	opts := job.Options{Paths: []string{path}, Now: q.Input.Now, Version: "test", Threads: 1, TempDir: b.dir}
	if q.Input.AsOf != nil {
		opts.AsOf = *q.Input.AsOf
	}
	if q.experiment != "" {
		opts.Experiments, opts.Metrics = []string{q.experiment}, []string{q.metric}
	}
	if q.bundled {
		opts.CountBeside(1)
	}
	if !q.apart {
		opts.Use(b.engine)
	}
	r, err := job.Run(context.Background(), opts)
	var refused diag.List
	if errors.As(err, &refused) && !slices.ContainsFunc(refused, func(d diag.Diagnostic) bool {
		return d.Severity == diag.Error && !slices.Contains(refusals, d.Code)
	}) {
		return "", errUnfit
	}
	if err != nil {
		return "run: " + err.Error(), nil
	}
	want := q.answer(oracle.Run(defs, q.Input))
	b.results = 0
	for _, x := range want.Experiments {
		b.results += len(x.Metrics)
	}
	return cmp.Diff(oracleRows(want), resultRows(r)), nil
}

// answer keeps what is asked of what the oracle counted.
func (q question) answer(out oracle.Output) oracle.Output {
	if q.experiment == "" {
		return out
	}
	out.Experiments = slices.DeleteFunc(out.Experiments, func(x oracle.ExperimentResult) bool { return x.Key != q.experiment })
	for i := range out.Experiments {
		out.Experiments[i].Metrics = slices.DeleteFunc(out.Experiments[i].Metrics, func(m oracle.MetricResult) bool { return m.Key != q.metric })
	}
	return out
}

// failedRun says how the run failed, where that is the difference. Without some
// of its files a case fails for another reason than its own.
func failedRun(diff string) string {
	switch {
	case !strings.HasPrefix(diff, "run: "):
		return ""
	case strings.Contains(diff, "no files match"):
		return "no files"
	}
	return "run"
}

// shrink looks for a smaller question that they differ in: one experiment and
// metric, and as few rows as a limited number of attempts finds.
func (b *bench) shrink(q question, diff string) (question, string) {
	attempts := 400
	try := func(smaller question) bool {
		if attempts--; attempts < 0 {
			return false
		}
		d, err := b.compare(smaller)
		if err != nil || d == "" || failedRun(d) != failedRun(diff) {
			return false
		}
		q, diff = smaller, d
		return true
	}
	defs, _, err := metrics.Load([]string{writeFiles(b.t, b.engine, filepath.Join(b.dir, "shrink"), q.Case)}, metrics.LoadOptions{})
	if err != nil {
		return q, diff
	}
alone:
	for _, x := range defs.Experiments {
		for _, em := range x.Metrics {
			if try(question{q.Case, x.Key.V, em.Metric.Key.V, q.bundled, q.apart}) {
				break alone
			}
		}
	}
	fewer := func(n int, without func(in oracle.Input, from, to int) oracle.Input, count func() int) {
		for size := (n + 1) / 2; size > 0; size /= 2 {
			for from := 0; from < count(); {
				smaller := q
				smaller.Case = q.With(without(q.Input, from, min(from+size, count())))
				if !try(smaller) {
					from += size
				}
			}
		}
	}
	fewer(len(q.Input.Impressions), func(in oracle.Input, from, to int) oracle.Input {
		in.Impressions = slices.Delete(slices.Clone(in.Impressions), from, to)
		return in
	}, func() int { return len(q.Input.Impressions) })
	fewer(len(q.Input.Events), func(in oracle.Input, from, to int) oracle.Input {
		in.Events = slices.Delete(slices.Clone(in.Events), from, to)
		return in
	}, func() int { return len(q.Input.Events) })
	fewer(len(q.Input.Units), func(in oracle.Input, from, to int) oracle.Input {
		in.Units = slices.Delete(slices.Clone(in.Units), from, to)
		return in
	}, func() int { return len(q.Input.Units) })
	return q, diff
}

// writeFiles writes the files of a case into a new folder.
func writeFiles(t testing.TB, e *loaders.Engine, folder string, c *gen.Case) (definitions string) {
	t.Helper()
	definitions = filepath.Join(folder, "metrics.yaml")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(definitions, []byte(c.YAML), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, table := range c.Tables {
		file := filepath.Join(folder, filepath.FromSlash(table.Path))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if text, ok := table.Text(); ok {
			err = os.WriteFile(file, []byte(text), 0o644)
		} else {
			err = e.Exec(context.Background(), table.Copy(file))
		}
		if err != nil {
			t.Fatalf("write %s: %v", table.Path, err)
		}
	}
	return definitions
}
