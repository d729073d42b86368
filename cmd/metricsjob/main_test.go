package main

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts execute the program: the test binary is it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"metricsjob": main})
}

// TestScripts runs the commands as a user would. DATA is the Optimizely export,
// EXAMPLES the folder examples, VENDORS the vendors' exports.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			for name, path := range map[string]string{
				"DATA":     "../../testdata/parquet/optimizely_e3",
				"EXAMPLES": "../../examples",
				"VENDORS":  "../../testdata/vendors",
			} {
				abs, err := filepath.Abs(path)
				if err != nil {
					return err
				}
				env.Setenv(name, abs)
			}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":    exitsCommand,
			"filetree": fileTreeCommand,
		},
	})
}
