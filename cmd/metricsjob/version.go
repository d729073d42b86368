package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// version is set by the linker (see the Makefile); without it the version of
// the module is taken.
var version string

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of the program, of Go and of the SQL engine",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			p.ui.resultf("metricsjob %s\n%s %s/%s\nDuckDB %s\n",
				programVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH, duckDBVersion())
			return nil
		},
	}
}

// programVersion is the version that results are marked with.
func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// duckDBVersion is the version of DuckDB in the binary. It is read from the
// build information, because asking DuckDB would mean to open it.
func duckDBVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	for _, dep := range info.Deps {
		if dep.Path == "github.com/duckdb/duckdb-go/v2" {
			return duckDBVersionOf(dep.Version)
		}
	}
	return "(unknown)"
}

// duckDBVersionOf reads DuckDB's version from that of its Go module, whose
// minor number holds it in decimal: v2.10505.0 is DuckDB 1.5.5.
func duckDBVersionOf(module string) string {
	parts := strings.Split(module, ".")
	if len(parts) < 3 {
		return module
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil || n < 10000 {
		return module
	}
	return fmt.Sprintf("%d.%d.%d", n/10000, n/100%100, n%100)
}
