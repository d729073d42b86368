package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/internal/oracle/gen"
	"github.com/metricsjob/metricsjob/loaders"
)

var (
	soakCases = flag.Int("soak.cases", 60, "how many random cases to compare with the oracle")
	soakFirst = flag.Int("soak.first", 1, "seed of the first of them; the others follow")
	soakOnly  = flag.String("soak.only", "", "compare only cases with this feature, as the summary names it")
	soakDir   = flag.String("soak.dir", "", "folder for failed cases and for how far an interrupted soak came")
)

// refusals are the mistakes that drawn definitions may have: those that only
// show against the sources.
var refusals = []string{"no-value", "no-source", "unknown-name"}

// TestOracle draws definitions and rows from seeds, computes them with the
// compiler and the engine on one side and with the naive oracle on the other,
// and compares every count and every sum. Each seed is a case of its own, a
// definitions file over a warehouse of its own: the same seed draws the same
// case, so -soak.first with -soak.cases=1 replays it. `make soak` runs it over
// many seeds, and goes on where it was interrupted.
//
// Every case goes from files to result tables. One in eight opens an engine for
// itself, as a run of the program does; the others share one, each in a session
// of its own. In one of four the sums are made in bundles, as of many measures.
func TestOracle(t *testing.T) {
	s := &soak{t: t, Next: *soakFirst, Met: map[string]int{}}
	s.resume()
	dir := t.TempDir()
	draw := rapid.Custom(gen.Draw)
	const block = 200 // cases between two notes of how far the soak came
	for last := *soakFirst + *soakCases - 1; s.Next <= last && len(s.Failed) < 5; {
		end := min(s.Next+block-1, last)
		seeds := make(chan int)
		var wg sync.WaitGroup
		for worker := range runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				b := newBench(t, filepath.Join(dir, fmt.Sprint(worker)))
				defer b.close()
				for seed := range seeds {
					s.one(b, seed, draw.Example(seed))
				}
			})
		}
		for seed := s.Next; seed <= end; seed++ {
			seeds <- seed
		}
		close(seeds)
		wg.Wait()
		s.Next = end + 1
		s.save()
		t.Log(s.summary())
	}
}

// A soak is what many cases came to. Its exported fields are what an
// interrupted one is taken up from.
type soak struct {
	t      *testing.T
	mu     sync.Mutex
	Next   int
	Met    map[string]int // compared cases by feature
	Agreed int
	// Results are the metrics in experiments that those were compared in.
	Results int
	Unfit   int // refused for what the sources do not have
	Failed  []int
}

// one compares one case.
func (s *soak) one(b *bench, seed int, c *gen.Case) {
	if *soakOnly != "" && !slices.Contains(c.Features, *soakOnly) {
		return
	}
	q := question{Case: c, bundled: seed%4 == 0, apart: seed%8 == 1}
	diff, err := b.compare(q)
	if errors.Is(err, errUnfit) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.Unfit++
		return
	}
	if diff != "" {
		small, smallDiff := b.shrink(q, diff)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.Failed = append(s.Failed, seed)
		s.t.Errorf("seed %d: replay with -soak.first=%d -soak.cases=1\n%s(-oracle +engine)\n%s\n%s", seed, seed, small.which(), smallDiff, small.Case)
		s.keep(b, seed, small, smallDiff)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Agreed++
	s.Results += b.results
	for _, f := range c.Features {
		s.Met[f]++
	}
}

func (s *soak) summary() string {
	var met []string
	for f, n := range s.Met {
		met = append(met, fmt.Sprintf("%s %d", f, n))
	}
	slices.Sort(met)
	text := fmt.Sprintf("seeds %d to %d: %d cases agreed in %d results of metrics, %d failed, %d asked for what their sources do not have; %s",
		*soakFirst, s.Next-1, s.Agreed, s.Results, len(s.Failed), s.Unfit, strings.Join(met, ", "))
	if pending := gen.Pending(); len(pending) > 0 {
		text += "; not drawn: " + strings.Join(pending, ", ")
	}
	return text
}

func (s *soak) stateFile() string {
	return filepath.Join(*soakDir, fmt.Sprintf("from-%d.json", *soakFirst))
}

// resume takes up an interrupted soak from the same first seed.
func (s *soak) resume() {
	if *soakDir == "" {
		return
	}
	text, err := os.ReadFile(s.stateFile())
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err == nil {
		err = json.Unmarshal(text, s)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Logf("going on at seed %d", s.Next)
}

// save notes how far the soak came; a finished one leaves nothing.
func (s *soak) save() {
	if *soakDir == "" {
		return
	}
	text, err := json.Marshal(s)
	if err == nil {
		err = os.MkdirAll(*soakDir, 0o755)
	}
	if err == nil && s.Next > *soakFirst+*soakCases-1 {
		if err = os.Remove(s.stateFile()); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	} else if err == nil {
		err = os.WriteFile(s.stateFile(), text, 0o644)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// keep writes a failed case down: the definitions, the Parquet files and the difference.
func (s *soak) keep(b *bench, seed int, q question, diff string) {
	if *soakDir == "" {
		return
	}
	folder, err := filepath.Abs(filepath.Join(*soakDir, fmt.Sprintf("case-%d", seed)))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		s.t.Fatal(err)
	}
	e, err := loaders.Open(context.Background(), loaders.Options{Threads: 1, TempDir: folder, AllowedPaths: []string{folder}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer e.Close()
	writeFiles(s.t, e, folder, q.Case)
	if err := os.WriteFile(filepath.Join(folder, "difference.txt"), []byte(q.which()+"(-oracle +engine)\n"+diff+"\n"+q.String()), 0o644); err != nil {
		s.t.Fatal(err)
	}
}
