package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/metrics"
)

// manifestFolder is where the manifests of a prefix lie.
const manifestFolder = "manifests/"

// manifest names the objects of a run. It is their commit mark: what no manifest
// names is not there. Its fields are a contract (docs/results.md).
type manifest struct {
	SchemaVersion string    `json:"schema_version"`
	RunID         string    `json:"run_id"`
	AsOf          time.Time `json:"as_of"`
	Written       time.Time `json:"written"`
	// Experiments are those that the run computed, and Failed those of which it
	// has an error alone.
	Experiments []string         `json:"experiments"`
	Failed      []string         `json:"failed"`
	Objects     []manifestObject `json:"objects"`
}

// manifestObject is one object, with its path below the prefix.
type manifestObject struct {
	Table string `json:"table"`
	// Experiment is the one that all rows are about, nil where there is none.
	Experiment *string `json:"experiment"`
	Format     Format  `json:"format"`
	Path       string  `json:"path"`
	Rows       int     `json:"rows"`
	Bytes      int     `json:"bytes"`
	SHA256     string  `json:"sha256"`
}

func newManifest(run metrics.RunRow, computed map[string]bool, tables *metrics.Tables, written time.Time) *manifest {
	m := &manifest{
		SchemaVersion: run.SchemaVersion, RunID: run.RunID, AsOf: run.AsOf.UTC(), Written: written.UTC(),
		Experiments: slices.AppendSeq([]string{}, maps.Keys(computed)), Failed: []string{},
	}
	for _, e := range tables.Errors {
		if e.Experiment != "" && !computed[e.Experiment] && !slices.Contains(m.Failed, e.Experiment) {
			m.Failed = append(m.Failed, e.Experiment)
		}
	}
	slices.Sort(m.Experiments)
	slices.Sort(m.Failed)
	return m
}

// name is the manifest's own, below the prefix.
func (m *manifest) name() string {
	return manifestFolder + asOfLevel(m.AsOf) + "/" + pathText(m.RunID) + ".json"
}

func (m *manifest) text() []byte {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic("export: " + err.Error()) // nothing in it can fail
	}
	return append(text, '\n')
}

// manifests reads the manifests of an as-of, by their names.
func (p *Prefix) manifests(ctx context.Context, asOf time.Time) (map[string]*manifest, error) {
	folder := manifestFolder + asOfLevel(asOf) + "/"
	objects, _, err := p.store.List(ctx, p.object(folder), objectstore.Listing{Folders: true})
	if err != nil {
		return nil, err
	}
	found := map[string]*manifest{}
	for _, o := range objects {
		name := folder + path.Base(o.Key)
		if !strings.HasSuffix(name, ".json") {
			continue
		}
		text, err := p.store.Read(ctx, p.object(name))
		if e := (*objectstore.Error)(nil); errors.As(err, &e) && e.Kind == objectstore.NoObject {
			continue // another run has replaced it
		}
		if err != nil {
			return nil, err
		}
		m := &manifest{}
		if err := json.Unmarshal(text, m); err != nil {
			return nil, fmt.Errorf("%s is no manifest: %w", p.object(name), err)
		}
		found[name] = m
	}
	return found, nil
}

// later is now, or an instant after all manifests where a clock is behind.
func later(now time.Time, others map[string]*manifest) time.Time {
	now = now.UTC().Truncate(time.Microsecond)
	for _, m := range others {
		if !m.Written.Before(now) {
			now = m.Written.Add(time.Microsecond)
		}
	}
	return now
}

// removeReplaced removes what a run replaces: the objects of experiments that it
// computed anew, and manifests of which nothing is left. Before is the manifest
// of the same run where it was written before, and others are those of other
// runs.
func (p *Prefix) removeReplaced(ctx context.Context, mine, before *manifest, others map[string]*manifest) error {
	keep := map[string]bool{}
	for _, o := range mine.Objects {
		keep[o.Path] = true
	}
	newer := map[string]bool{} // experiments that mine, or a manifest behind the one at hand, computed
	for _, e := range mine.Experiments {
		newer[e] = true
	}
	var gone []string // manifests first: what none names is not read
	var objects []manifestObject
	names := slices.SortedFunc(maps.Keys(others), func(a, b string) int { return others[b].Written.Compare(others[a].Written) })
	for _, name := range names {
		m := others[name]
		over := !slices.ContainsFunc(slices.Concat(m.Experiments, m.Failed), func(e string) bool { return !newer[e] })
		if over {
			gone = append(gone, name)
		}
		for _, o := range m.Objects {
			if over || o.Experiment != nil && newer[*o.Experiment] {
				objects = append(objects, o)
			}
		}
		for _, e := range m.Experiments {
			newer[e] = true
		}
	}
	if before != nil {
		objects = append(objects, before.Objects...)
	}
	for _, o := range objects {
		if !keep[o.Path] {
			gone = append(gone, o.Path)
		}
	}
	for _, name := range gone {
		if err := p.store.Remove(ctx, p.object(name)); err != nil {
			return err
		}
	}
	return nil
}
