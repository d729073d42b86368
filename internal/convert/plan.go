package convert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// chunkSize is about how much text is converted at a time. It bounds the memory
// that a worker takes, and gives files of some hundred thousand rows.
const chunkSize int64 = 128 << 20

// planVersion is that of the plan's form; a plan of another is not gone on with.
const planVersion = 2

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

	// plainTimes says that texts that are times are known to be written plainly.
	plainTimes bool
	// numbersOnly says that texts are no times.
	numbersOnly bool
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
	RejectsSize int64 `json:"rejects_size,omitempty"`
}

// loadPlan reads the plan of a place and how much of it is done; nil where there is none.
func loadPlan(ctx context.Context, from place) (*plan, done, error) {
	p, d := &plan{}, done{}
	err := readJSON(ctx, from, planFile, p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, d, nil
	}
	if err != nil {
		return nil, d, err
	}
	if err := readJSON(ctx, from, doneFile, &d); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, d, err
	}
	return p, d, nil
}

func readJSON(ctx context.Context, from place, name string, into any) error {
	text, err := from.read(ctx, name)
	if err != nil {
		return fmt.Errorf("read the state of a conversion: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read the state of a conversion in %s: %w", name, err)
	}
	return nil
}

func writeJSON(ctx context.Context, to place, name string, value any) error {
	text, err := json.MarshalIndent(value, "", " ")
	if err == nil {
		err = to.write(ctx, name, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the state of a conversion: %w", err)
	}
	return nil
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

// size is that of the text of the chunks from one up to another.
func (p *plan) size(from, to int) (bytes int64) {
	for _, c := range p.Chunks[from:to] {
		bytes += c.size()
	}
	return bytes
}

// tally counts the records of all chunks.
func (p *plan) tally() (all tally) {
	for _, chunk := range p.Chunks {
		all.add(chunk.tally)
	}
	return all
}
