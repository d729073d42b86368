package convert

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/loaders"
)

// batchChunks is how many chunks make a batch.
const batchChunks = 16

// Of a day that has so many parts in a batch of less than so many bytes, these become one.
// Days that come in their order have fewer, and are not written twice.
const (
	fewParts  = 4
	smallPart = 4 << 20
)

// joinedLines is about how many bytes of lines become one part. It gives the workers
// something to do for each day of a batch, or more where the days are few.
const joinedLines = 64 << 20

// inBatches numbers the batches of chunks, in their order, from a number on. Chunks of a batch
// are put into their places together: what is done is whole batches.
func inBatches(chunks []*chunk, first int, size int64) {
	var bytes int64
	for i, c := range chunks {
		if i > 0 && bytes >= size {
			first, bytes = first+1, 0
		}
		c.Batch = first
		bytes += c.size()
	}
}

// batch is what was written of the chunks of a batch.
type batch struct {
	chunks []outcome
	// missing is how many of its chunks, or then of its joined parts, are not there.
	missing int
	// parts are those of its chunks that remain as they are, and joined ones.
	parts []part
}

// add adds a chunk. With the last one, it gives the parts that are to be joined, and
// takes the others for its own.
func (b *batch) add(o outcome) (joins [][]part) {
	b.chunks = append(b.chunks, o)
	if b.missing--; b.missing > 0 {
		return nil
	}
	slices.SortFunc(b.chunks, func(a, b outcome) int { return a.files.number - b.files.number })
	days := map[string]*daysParts{}
	for _, o := range b.chunks {
		for _, p := range o.parts {
			d := days[p.day]
			if d == nil {
				d = &daysParts{}
				days[p.day] = d
			}
			d.add(p)
		}
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		d := days[day]
		joins = append(joins, d.lines...)
		if len(d.small) < fewParts {
			b.parts = append(b.parts, d.small...)
		} else {
			joins = append(joins, d.small)
		}
		b.parts = append(b.parts, d.large...)
	}
	b.missing = len(joins)
	return joins
}

// daysParts are the parts of a day in a batch, in the order of its chunks.
type daysParts struct {
	lines        [][]part // of which each list is to be joined
	small, large []part
}

func (d *daysParts) add(p part) {
	switch n := len(d.lines); {
	case p.lines && (n == 0 || size(d.lines[n-1]) >= joinedLines):
		d.lines = append(d.lines, []part{p})
	case p.lines:
		d.lines[n-1] = append(d.lines[n-1], p)
	case p.size < smallPart:
		d.small = append(d.small, p)
	default:
		d.large = append(d.large, p)
	}
}

func size(parts []part) (bytes int64) {
	for _, p := range parts {
		bytes += p.size
	}
	return bytes
}

// join makes one part of the parts of a day, with the number of the first.
func (c *conversion) join(ctx context.Context, engine *loaders.Engine, parts []part) (part, error) {
	joined := part{day: parts[0].day, path: parts[0].path + ".joined", chunk: parts[0].chunk}
	var files []string
	for _, p := range parts {
		files = append(files, p.path)
		joined.rows += p.rows
	}
	plan := c.plan.of(joined.chunk)
	sql := plan.mergeSQL(files, joined.path)
	if parts[0].lines {
		rows, err := plan.rowsSQL(files, false)
		if err != nil {
			return joined, err
		}
		sql = plan.partSQL("("+rows+")", joined.day, joined.path)
	}
	if err := engine.Exec(ctx, sql); err != nil {
		return joined, err
	}
	rows, _, err := sizeOf(ctx, engine, joined.path)
	if err == nil && rows != joined.rows {
		err = fmt.Errorf("of %d rows, %d were written", joined.rows, rows)
	}
	for _, file := range files {
		err = errors.Join(err, os.Remove(file))
	}
	return joined, err
}

// mergeSQL writes the rows of some files, in their order.
func (p *plan) mergeSQL(files []string, to string) string {
	var list []string
	for _, file := range files {
		list = append(list, quoteText(file))
	}
	return fmt.Sprintf("COPY (FROM read_parquet([%s], hive_partitioning = false)) TO %s (%s)", strings.Join(list, ", "), quoteText(to), p.parquet())
}
