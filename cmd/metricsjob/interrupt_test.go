package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestInterrupt ends a run at each of its steps, and wants no trace of it but
// the message. scripts/integration does it with a key on a terminal.
func TestInterrupt(t *testing.T) {
	args := []string{"run", "../../examples/metrics.yaml", "--progress", "always"}
	steps := strings.Count(runUntil(t, -1, append(args, "--out", t.TempDir())...).stderr, "\n") - 1
	if steps < 2 {
		t.Fatalf("a run tells %d steps", steps)
	}
	for step := range steps {
		t.Run(fmt.Sprint("step ", step+1), func(t *testing.T) {
			out, temp := filepath.Join(t.TempDir(), "out"), t.TempDir()
			end := runUntil(t, step+1, append(args, "--out", out, "--temp-dir", temp)...)
			if end.code != exitFailed || !strings.HasSuffix(end.stderr, "metricsjob: interrupted\n") {
				t.Errorf("exit code %d, want %d; standard error:\n%s", end.code, exitFailed, end.stderr)
			}
			if end.stdout != "" {
				t.Errorf("standard output: %s", end.stdout)
			}
			if _, err := os.Stat(out); !os.IsNotExist(err) {
				t.Errorf("output is left behind: %v", err)
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("temporary files are left behind: %v, %v", left, err)
			}
		})
	}
}

func TestSignals(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		ctx := untilSignal(t.Context())
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		if t.Context().Err() != nil {
			t.Fatalf("%v: the context of the test ended, not that of the program", s)
		}
	}
}

// ending is what is left of a run.
type ending struct {
	code           int
	stdout, stderr string
}

// runUntil runs the program, and interrupts it as soon as it has told the step;
// a negative step is never.
func runUntil(t *testing.T, step int, args ...string) ending {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var stdout strings.Builder
	stderr := &lineCounter{lines: step, reached: cancel}
	code := run(ctx, args, &stdout, stderr)
	return ending{code, stdout.String(), stderr.text.String()}
}

// lineCounter keeps what is written and tells when there are so many lines.
type lineCounter struct {
	mu      sync.Mutex
	text    strings.Builder
	lines   int
	reached func()
}

func (c *lineCounter) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text.Write(p)
	if strings.Count(c.text.String(), "\n") == c.lines {
		c.reached()
	}
	return len(p), nil
}
