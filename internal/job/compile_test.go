package job_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/metricsjob/metricsjob/internal/job"
)

// TestCompiledSQLRunsAgain runs what compile prints twice in one session, as
// somebody who works on a query does.
func TestCompiledSQLRunsAgain(t *testing.T) {
	a, err := txtar.ParseFile("testdata/cases/ratio.txtar")
	if err != nil {
		t.Fatal(err)
	}
	c := &testCase{t: t, dir: t.TempDir(), archive: a}
	c.writeInputs()
	script, err := job.Compile(t.Context(), c.options(), job.EmitSQL)
	if err != nil {
		t.Fatal(err)
	}
	zone, statements, _ := strings.Cut(script, "\n")
	if !strings.HasPrefix(zone, "SET TimeZone") { // the engine has it so, and is locked
		t.Fatalf("the script begins with %s", zone)
	}
	e := openEngine(t, filepath.Clean(c.dir))
	for run := range 2 {
		if err := e.Exec(t.Context(), statements); err != nil {
			t.Fatalf("run %d: %v", run+1, err)
		}
	}
}
