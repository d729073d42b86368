package job_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/job"
)

// TestLawMemoryAndThreads: the same tables, whether the events are read in one
// pass or in several, or in more than were thought to suffice, and with one
// thread as with two.
func TestLawMemoryAndThreads(t *testing.T) {
	dir := t.TempDir()
	writeLawful(t, dir, 60_000, 120_000)
	passes := func(steps *int) func(job.Progress) {
		return func(p job.Progress) {
			if strings.Contains(p.Step, "one pass over source orders") {
				*steps++
			}
		}
	}
	run := func(change func(*job.Options)) []string {
		return tableRows(runLawful(t, dir, func(o *job.Options) {
			o.Experiments = []string{"button", "banner"}
			change(o)
		}), nil, nil)
	}
	var once, often int
	want := run(func(o *job.Options) { o.Progress = passes(&once) })
	small := run(func(o *job.Options) { o.Memory, o.Progress = 112<<20, passes(&often) })
	if once != 1 || often < 2 {
		t.Errorf("%d passes with the machine's memory, %d with little; want 1 and several", once, often)
	}
	if d := cmp.Diff(want, small); d != "" {
		t.Errorf("little memory (-enough +little):\n%s", d)
	}
	restore := job.Underestimate()
	var again int
	surprised := run(func(o *job.Options) {
		o.Memory, o.Progress = 112<<20, func(p job.Progress) {
			if strings.Contains(p.Step, "the memory does not suffice") {
				again++
			}
		}
	})
	restore()
	if again == 0 {
		t.Error("events that do not fit into the memory were read in one pass")
	}
	if d := cmp.Diff(want, surprised); d != "" {
		t.Errorf("less memory than was reckoned with (-enough +little):\n%s", d)
	}
	single := run(func(o *job.Options) { o.Threads = 1 })
	if d := cmp.Diff(want, single); d != "" {
		t.Errorf("threads (-two +one):\n%s", d)
	}
}

// TestLawPruning: the same tables, whether files are pruned by their days or
// all are read, as partitions or as files like any others.
func TestLawPruning(t *testing.T) {
	dir := t.TempDir()
	writeLawful(t, dir, 500, 5000)
	want := tableRows(runLawful(t, dir, nil), resultTables, nil)
	for name, partition := range map[string]string{
		"nothing pruned": "partition: {column: ds, early: 400d, late: 400d}, ",
		"no partitions":  "",
	} {
		got := tableRows(runLawful(t, dir, nil, "partition: {column: ds}, ", partition), resultTables, nil)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-pruned +%s):\n%s", name, name, d)
		}
	}
}
