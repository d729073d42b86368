package export

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/metrics"
)

// A run whose every pair was computed anew by other runs has nothing left that
// its rows in metrics, health and runs could belong to. They go with its last
// pair, so that an analyst who runs a changed definition many times finds one
// version in the folder, and not all of them.

// runSet holds runs as file names spell them.
type runSet map[string]bool

// replacedRuns are the other runs that the pairs belong to which this run is
// about to replace. It is asked before the folder changes.
func (fo folder) replacedRuns(parts []part) runSet {
	runs := make(runSet)
	for _, p := range parts {
		if p.pair && slices.Contains(ownershipTables, p.table.Name) {
			// An old file that cannot be read is replaced all the same.
			_ = runs.addOwners(filepath.Dir(p.path), p.table.Name)
		}
	}
	delete(runs, pathText(fo.run.RunID))
	return runs
}

// removeSuperseded removes what is left of those runs that own no pair of this
// as-of any more. Where that cannot be told, everything stays.
func (fo folder) removeSuperseded(runs runSet) error {
	if len(runs) == 0 {
		return nil
	}
	asOf := asOfLevel(fo.run.AsOf)
	alive := make(runSet)
	for _, table := range ownershipTables {
		for _, e := range subdirectories(filepath.Join(fo.root, table)) {
			if err := alive.addOwners(filepath.Join(fo.root, table, e, asOf), table); err != nil {
				return nil
			}
		}
	}
	for _, t := range slices.Backward(new(metrics.Tables).All()) { // the commit mark first
		level := asOf
		if t.PerExperiment {
			level = filepath.Join(experimentLevel(""), asOf)
		}
		dir := filepath.Join(fo.root, t.Name, level)
		for _, f := range resultFiles(dir, t.Name) {
			id, ok := runOfName(f, t.Name)
			if !ok || !runs[id] || alive[id] {
				continue
			}
			if err := remove(filepath.Join(dir, f)); err != nil {
				return err
			}
		}
	}
	return nil
}

// ownershipTables say which run a pair belongs to: experiments has a row for
// each that was computed, errors one for each that failed.
var ownershipTables = []string{"experiments", "errors"}

// addOwners adds the runs that the table's files in the directory of a pair
// are of.
func (s runSet) addOwners(dir, table string) error {
	for _, f := range resultFiles(dir, table) {
		if id, ok := runOfName(f, table); ok {
			s[id] = true
			continue
		}
		id, err := runOfFile(filepath.Join(dir, f))
		if err != nil {
			return err
		}
		if id != "" {
			s[pathText(id)] = true
		}
	}
	return nil
}

// runOfName gives the run in the name of a file that belongs to one.
func runOfName(file, table string) (string, bool) {
	return strings.CutPrefix(strings.TrimSuffix(file, filepath.Ext(file)), table+"_")
}

// runOfFile reads the run of the first row of a file; an empty one has none.
func runOfFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var id string
	switch format := Format(strings.TrimPrefix(filepath.Ext(path), ".")); format {
	case Parquet:
		id, err = parquetRunID(f)
	case CSV:
		id, err = csvRunID(f)
	case JSONL:
		id, err = jsonlRunID(f)
	default:
		panic(fmt.Sprintf("export: no file format %q", format))
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return id, nil
}

// subdirectories are the names of the directories in dir, sorted.
func subdirectories(dir string) []string {
	entries, _ := os.ReadDir(dir) // a missing directory has none
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}
