//go:build integration

package export

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/objectstore/storetest"
)

// TestObjectsOfKilledRuns runs the commands of docs/object-stores.md that find what killed runs left, and
// those that remove it: all that no manifest names, and nothing else.
func TestObjectsOfKilledRuns(t *testing.T) {
	for _, tool := range []string{"aws", "jq"} {
		if err := exec.Command(tool, "--version").Run(); err != nil {
			t.Skipf("the commands are those of %s, which is not there: %v", tool, err)
		}
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "object-stores.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "leaves objects that no manifest names")
	blocks := strings.Split(rest, "```\n")
	if len(blocks) < 4 {
		t.Fatal("the page has no two blocks of commands")
	}
	find, remove := strings.Replace(blocks[1], "prefix=results", "prefix=out", 1), blocks[3]

	server := storetest.Start(t)
	put(t, tiny("r1", "a b"), 0, JSONL)
	named := server.Keys(t, "")
	const orphan, other = "out/results/experiment=a%20b/as_of=2026-03-30T00-00-00Z/results_killed.jsonl", "raw/events.ndjson"
	for _, key := range []string{orphan, other} {
		server.Put(t, key, []byte("{}\n"))
	}
	dir := t.TempDir()
	commands := exec.Command("sh", "-eu", "-c", find+"cat left\n"+remove)
	commands.Dir = dir
	for _, v := range os.Environ() { // to which an empty setting is one
		if !strings.HasPrefix(v, "AWS_") || !strings.HasSuffix(v, "=") {
			commands.Env = append(commands.Env, v)
		}
	}
	said, err := commands.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if diff := cmp.Diff(orphan+"\n", string(said)); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	want := append(slices.Clone(named), other)
	slices.Sort(want)
	if diff := cmp.Diff(want, server.Keys(t, "")); diff != "" {
		t.Errorf("left in the bucket (-want +got):\n%s", diff)
	}
}
