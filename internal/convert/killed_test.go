package convert

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// childVariable holds the options of a conversion that kills itself.
const childVariable = "METRICSJOB_TEST_CONVERT"

// suicide is what a child process does: it converts, and dies when so many
// chunks are done.
type suicide struct {
	Options   Options
	ChunkSize int64
	After     int
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childVariable); text != "" {
		panic(die(text))
	}
	m.Run()
}

// die converts as told; it returns only if it lives on.
func die(text string) any {
	var s suicide
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	s.Options.chunkSize = s.ChunkSize
	s.Options.committed = func(chunks int) {
		if chunks >= s.After {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until it is delivered
		}
	}
	_, err := Convert(context.Background(), s.Options)
	return err
}

// killed begins a conversion in another process, which is killed when so many
// chunks are done.
func killed(t *testing.T, opts Options, after int) {
	t.Helper()
	if opts.Partition == "" {
		opts.Partition = "ds"
	}
	text, err := json.Marshal(suicide{opts, opts.chunkSize, after})
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+string(text))
	out, err := child.CombinedOutput()
	status, ok := child.ProcessState.Sys().(syscall.WaitStatus)
	if err == nil || !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the child was not killed: %v\n%s", err, out)
	}
}

// TestKilledEarly: of a conversion that was killed before it had a plan there is the folder
// that it worked in, and the same command begins it.
func TestKilledEarly(t *testing.T) {
	in := write(t, map[string]string{"a.ndjson": `{"ts":"2026-03-01"}`})
	out := t.TempDir()
	if err := os.Mkdir(filepath.Join(out, workFolder), 0o777); err != nil {
		t.Fatal(err)
	}
	result, err := Convert(t.Context(), Options{Paths: []string{in}, Partition: "ds", Out: out})
	if err != nil || result.Written != 1 {
		t.Errorf("result %+v, error %v", result, err)
	}
}
