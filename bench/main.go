// Command bench compares a run of metricsjob with hand-written SQL for the same
// numbers over a synthetic export, which it generates where it is not there.
//
// Everything is measured as a process of its own, in turns, so that the moods
// of the machine meet all of them alike. It fails if the program and the SQL
// do not give the same sums.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// bench is what the command line says.
type bench struct {
	size    string
	folder  string // below which data and results lie
	program string // the binary of metricsjob
	source  string // the folder of this package, with the definitions
	rounds  int
	threads int
	memory  int64 // in GB of 10^9 bytes; 0: no limit of ours
	ids     string
	convert bool
	many    bool
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var b bench
	names := strings.Join(slices.Sorted(maps.Keys(sizes)), ", ")
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&b.size, "size", "5m", "events of the export: "+names)
	flags.StringVar(&b.folder, "dir", "build/bench", "folder for data and results")
	flags.StringVar(&b.program, "program", "build/metricsjob", "the program")
	flags.StringVar(&b.source, "source", "bench", "folder with metrics.yaml and sources.yaml")
	flags.IntVar(&b.rounds, "rounds", 3, "how often each is measured; medians are printed")
	flags.IntVar(&b.threads, "threads", 0, "threads of each; 0: one for each processor")
	flags.Int64Var(&b.memory, "memory", 0, "memory of each in GB; 0: no limit")
	flags.StringVar(&b.ids, "ids", "both", "whether rows have ids: no, yes, both")
	flags.BoolVar(&b.convert, "convert", false, "compare the conversion of NDJSON instead")
	flags.BoolVar(&b.many, "many", false, "compare 300 metrics with 16 instead")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if _, ok := sizes[b.size]; !ok {
		return fmt.Errorf("-size %s: use one of %s", b.size, names)
	}
	if !slices.Contains([]string{"no", "yes", "both"}, b.ids) {
		return fmt.Errorf("-ids %s: use no, yes or both", b.ids)
	}
	if b.rounds < 1 {
		return fmt.Errorf("-rounds %d: measure at least once", b.rounds)
	}
	if flags.NArg() > 0 {
		return b.task(ctx, flags.Args(), stderr)
	}
	return b.all(ctx, stdout, stderr)
}

// contest is one comparison.
type contest struct {
	title            string
	sources          string // file with the sources of metrics.yaml
	scan, hand       string // files of SQL
	handOut, progOut string // what hand-written SQL and program leave behind
}

func (b bench) contests() []contest {
	out := func(name string) string { return filepath.Join(b.folder, "results", b.size, name) }
	var cs []contest
	if b.ids != "yes" {
		cs = append(cs, contest{
			title: "without ids", sources: "sources.yaml", scan: "scan.sql", hand: "hand.sql",
			handOut: out("hand.csv"), progOut: out("run"),
		})
	}
	if b.ids != "no" {
		cs = append(cs, contest{
			title: "with ids on both sides", sources: "sources_ids.yaml", scan: "scan_ids.sql", hand: "hand_ids.sql",
			handOut: out("hand_ids.csv"), progOut: out("run_ids"),
		})
	}
	return cs
}

// all generates the export if need be, measures, compares and prints.
func (b bench) all(ctx context.Context, stdout, stderr io.Writer) error {
	// A child of its own, because a process that was large once looks large ever after.
	if err := b.start(ctx, stderr, "generate"); err != nil {
		return err
	}
	if err := b.printProgram(ctx, stdout); err != nil {
		return err
	}
	if b.convert {
		return b.conversions(ctx, stdout, stderr)
	}
	if b.many {
		return b.manyMetrics(ctx, stdout, stderr)
	}
	for _, c := range b.contests() {
		if err := os.MkdirAll(filepath.Dir(c.handOut), 0o777); err != nil {
			return err
		}
		rows, err := b.measure(ctx, c, stderr)
		if err != nil {
			return err
		}
		title := fmt.Sprintf("%s events, %s, medians of %d", b.size, c.title, b.rounds)
		if err := printRows(stdout, title, rows); err != nil {
			return err
		}
		if err := b.start(ctx, stdout, "compare", c.handOut, c.progOut); err != nil {
			return err
		}
	}
	return nil
}

// measure runs bare scan, hand-written SQL and program in turns.
func (b bench) measure(ctx context.Context, c contest, progress io.Writer) ([]row, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	rows := []row{
		{name: "bare scan", command: self, args: b.args("sql", c.scan)},
		{name: "hand-written SQL", command: self, args: b.args("sql", c.hand, c.handOut), reference: true},
		{name: "metricsjob run", command: b.program, args: b.runs(filepath.Join(b.source, "metrics.yaml"), c.sources, c.progOut)},
	}
	// The first run of all only fills the caches.
	if _, err := timed(ctx, nil, self, b.args("sql", c.scan)...); err != nil {
		return nil, err
	}
	return rows, b.inTurns(ctx, c.title, rows, progress)
}

// runs are the arguments of a run of the program.
func (b bench) runs(metrics, sources, out string) []string {
	program := []string{"run", metrics, filepath.Join(b.source, sources),
		"--out", out, "--as-of", firstDay.AddDate(0, 0, days).Format("2006-01-02"), "--quiet"}
	if b.threads > 0 {
		program = append(program, "--threads", fmt.Sprint(b.threads))
	}
	if b.memory > 0 {
		program = append(program, "--memory", fmt.Sprintf("%dGB", b.memory))
	}
	return program
}

// inTurns runs every contestant once in each round.
func (b bench) inTurns(ctx context.Context, title string, rows []row, progress io.Writer) error {
	data, err := filepath.Abs(b.data())
	if err != nil {
		return err
	}
	for round := range b.rounds {
		for i := range rows {
			fmt.Fprintf(progress, "round %d of %d: %s, %s\n", round+1, b.rounds, rows[i].name, title)
			took, err := timed(ctx, []string{"BENCH_DATA=" + data}, rows[i].command, rows[i].args...)
			if err != nil {
				return err
			}
			rows[i].costs = append(rows[i].costs, took)
		}
	}
	return nil
}

// data is the folder of the export.
func (b bench) data() string { return filepath.Join(b.folder, b.size) }
