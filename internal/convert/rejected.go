package convert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/loaders"
)

// mostRejected is how many records of a hundred of the first batch may be rejected. If more are,
// what was asked for is wrong rather than they, and nothing is converted.
const mostRejected = 90

// rejectedError says that nearly all records of the first batch are rejected.
type rejectedError struct {
	records, rejected int64
	first             reject
}

func (e *rejectedError) Error() string {
	return fmt.Sprintf("%d of %d records would be rejected; %s:%d: %s", e.rejected, e.records, e.first.File, e.first.Line, e.first.Reason)
}

// judge is the error for a batch of which nearly all records are rejected.
func (c *conversion) judge(b *batch) error {
	var e rejectedError
	for _, o := range b.chunks {
		e.records += c.plan.Chunks[o.files.number].Records
		if e.rejected == 0 && o.rejected > 0 {
			var err error
			if e.first, err = readReject(o.files.rejects); err != nil {
				return fmt.Errorf("read the rejects: %w", err)
			}
		}
		e.rejected += o.rejected
	}
	if e.rejected*100 <= e.records*mostRejected {
		return nil
	}
	return &e
}

// readReject reads the first of some rejects.
func readReject(name string) (first reject, err error) {
	f, err := os.Open(name)
	if err != nil {
		return first, err
	}
	return first, errors.Join(json.NewDecoder(f).Decode(&first), f.Close())
}

// firstBatch is the batch to judge: the first one of all, or of files that come to others; negative
// where it was written before.
func (c *conversion) firstBatch() int {
	first := 0
	if c.done.Chunks > 0 {
		first = c.chunksBefore()
	}
	if first == len(c.plan.Chunks) {
		return -1
	}
	return c.plan.Chunks[first].Batch
}

// chunksBefore is how many chunks are of inputs that were there before.
func (c *conversion) chunksBefore() int {
	inputs := len(c.plan.Inputs) - len(c.added)
	i := slices.IndexFunc(c.plan.Chunks, func(chunk *chunk) bool { return chunk.Segments[0].Input >= inputs })
	if i < 0 {
		return len(c.plan.Chunks)
	}
	return i
}

// takeBack forgets inputs of which nothing is converted since nearly all is rejected, and makes
// a mistake with a hint of that.
func (c *conversion) takeBack(ctx context.Context, refused *rejectedError) error {
	mistake := mistakef("%v", refused).withHint("see whether the format and the column of the time are right")
	if unit, err := c.guessEpoch(ctx); err == nil && unit != "" && unit != c.plan.Epoch { // an error is that of another column
		mistake = mistake.withHint("its numbers are times in %s: --epoch %[1]s", unit)
	} else if list, _, inside := strings.Cut(c.plan.Time, "."); inside && c.plan.Options.Rows == "" && slices.Contains(c.plan.Columns, loaders.NewColumn{Name: list, Type: jsonType}) {
		mistake = mistake.withHint("where %s is a list of objects, --rows %[1]s makes each of them a row", list)
	} else if c.inList != "" {
		mistake = mistake.withHint("%s", c.inList)
	}
	var err error
	if c.done.Chunks == 0 {
		err = c.place.clear(ctx)
	} else {
		c.plan.Chunks = c.plan.Chunks[:c.chunksBefore()]
		c.plan.Inputs = c.plan.Inputs[:len(c.plan.Inputs)-len(c.added)]
		if err = writeJSON(ctx, c.place, planFile, c.plan); err == nil && c.done.Chunks == len(c.plan.Chunks) {
			err = c.markAll(ctx)
		}
	}
	if err != nil {
		return errors.Join(mistake, fmt.Errorf("take the plan back: %w", err))
	}
	return mistake
}
