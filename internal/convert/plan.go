package convert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// chunkSize is about how much text is converted at a time. It bounds the memory
// that a worker takes, and gives files of some hundred thousand rows.
const chunkSize int64 = 128 << 20

// planVersion is that of the plan's form; a plan of another is not gone on with.
const planVersion = 1

// plan is all that decides what a conversion writes.
type plan struct {
	Version int     `json:"version"`
	Options choices `json:"options"`
	// Time is the column or path of the rows' time, Epoch its unit where it is a
	// number.
	Time   string             `json:"time"`
	Epoch  string             `json:"epoch,omitempty"`
	Format metrics.FileFormat `json:"format"`
	Inputs []input            `json:"inputs"`
	// Columns are those of the first inputs; chunks of further ones have their own.
	Columns []loaders.NewColumn `json:"columns"`
	Chunks  []*chunk            `json:"chunks"`
}

// choices are what a command line decides about the plan.
type choices struct {
	Timestamp string             `json:"timestamp,omitempty"`
	Epoch     string             `json:"epoch,omitempty"`
	Format    metrics.FileFormat `json:"format,omitempty"`
	Partition string             `json:"partition"`
	Rows      string             `json:"rows,omitempty"`
	Rejects   string             `json:"rejects,omitempty"`
}

// done is how much of a plan is done: chunks in their order.
type done struct {
	Chunks   int   `json:"chunks"`
	Written  int64 `json:"written"`
	Rejected int64 `json:"rejected"`
	Parts    int   `json:"parts"`
	// RejectsSize is the length of the file of rejects.
	RejectsSize int64 `json:"rejects_size"`
}

// The files beside the parts. Readers take no notice of names with an underscore.
const (
	planFile    = "_convert.json"
	doneFile    = "_convert.done"
	rejectsFile = "_rejects.ndjson"
	workFolder  = "_work"
)

// loadPlan reads the plan in a folder and how much of it is done; nil where
// there is none.
func loadPlan(folder string) (*plan, done, error) {
	p, d := &plan{}, done{}
	err := readJSON(filepath.Join(folder, planFile), p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, d, nil
	}
	if err != nil {
		return nil, d, err
	}
	if err := readJSON(filepath.Join(folder, doneFile), &d); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, d, err
	}
	return p, d, nil
}

func readJSON(name string, into any) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read the state of a conversion: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read the state of a conversion in %s: %w", name, err)
	}
	return nil
}

// writeJSON writes a file so that it is there as a whole or not at all.
func writeJSON(name string, value any) error {
	text, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return fmt.Errorf("write the state of a conversion: %w", err)
	}
	if err := replace(name, append(text, '\n')); err != nil {
		return fmt.Errorf("write the state of a conversion: %w", err)
	}
	return nil
}

func replace(name string, text []byte) (err error) {
	f, err := os.Create(name + ".new")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// added gives those of the inputs that a plan does not have yet. The error says why
// the plan is not for what is asked for now.
func (p *plan) added(asked choices, inputs []input, d done) (added []input, err error) {
	const hint = "begin again with --anew, or convert into another folder"
	if p.Version != planVersion {
		return nil, mistakef("the folder holds a conversion by another version of this program").withHint(hint)
	}
	if p.Options != asked {
		return nil, mistakef("the folder holds a conversion with other options").withHint(hint)
	}
	for _, in := range inputs {
		i := slices.IndexFunc(p.Inputs, func(other input) bool { return other.Path == in.Path })
		switch {
		case i < 0:
			added = append(added, in)
		case p.Inputs[i].Size != in.Size || !p.Inputs[i].Modified.Equal(in.Modified):
			return nil, changed(in.Path)
		}
	}
	for _, chunk := range p.Chunks[d.Chunks:] {
		for _, s := range chunk.Segments {
			needed := p.Inputs[s.Input].Path
			if !slices.ContainsFunc(inputs, func(in input) bool { return in.Path == needed }) {
				return nil, mistakef("%s is part of the conversion that the folder holds, is not converted yet, and is not named or gone", needed).
					withHint("name it too; or " + hint)
			}
		}
	}
	return added, nil
}

// of is the plan for the rows of a chunk.
func (p *plan) of(number int) *plan {
	columns := p.Chunks[number].Columns
	if columns == nil {
		return p
	}
	own := *p
	own.Columns = columns
	return &own
}

// tally counts the records of all chunks.
func (p *plan) tally() (all tally) {
	for _, chunk := range p.Chunks {
		all.add(chunk.tally)
	}
	return all
}

// empty reports whether a folder holds nothing, or is not there.
func empty(folder string) (bool, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return len(entries) == 0, err
}

// clear removes what a conversion left in a folder.
func clear(folder string) error {
	parts, err := filepath.Glob(filepath.Join(folder, "*=*", "part-*.parquet"))
	if err != nil {
		return fmt.Errorf("look for parts: %w", err)
	}
	var errs []error
	for _, part := range parts {
		errs = append(errs, os.Remove(part))
		_ = os.Remove(filepath.Dir(part)) // it may hold other files
	}
	for _, name := range []string{planFile, doneFile, rejectsFile, workFolder, planFile + ".new", doneFile + ".new"} {
		errs = append(errs, os.RemoveAll(filepath.Join(folder, name)))
	}
	return errors.Join(errs...)
}
