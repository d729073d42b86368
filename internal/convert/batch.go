package convert

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

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
	chunks []outcome // in order
	parts  []part
}

// staging holds what was written of chunks until all of their batch are there.
type staging struct {
	mu      sync.Mutex
	batches map[int][]outcome
	missing map[int]int // chunks of a batch that are not there yet
}

// newStaging is for the chunks of a plan that are not done.
func newStaging(undone []*chunk) *staging {
	s := &staging{batches: map[int][]outcome{}, missing: map[int]int{}}
	for _, c := range undone {
		s.missing[c.Batch]++
	}
	return s
}

// add adds a chunk to a batch, and gives all of the batch with the last.
func (s *staging) add(number int, o outcome) []outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches[number] = append(s.batches[number], o)
	if s.missing[number]--; s.missing[number] > 0 {
		return nil
	}
	all := s.batches[number]
	delete(s.batches, number)
	slices.SortFunc(all, func(a, b outcome) int { return a.files.number - b.files.number })
	return all
}

// gather makes a batch of its chunks: the small parts of a day become one.
func (c *conversion) gather(ctx context.Context, engine *loaders.Engine, chunks []outcome) (*batch, error) {
	b := &batch{chunks: chunks}
	small := map[string][]part{} // of each day, by the order of chunks
	for _, o := range chunks {
		for _, p := range o.parts {
			if p.size < smallPart {
				small[p.day] = append(small[p.day], p)
			}
		}
	}
	for _, o := range chunks {
		for _, p := range o.parts {
			several := small[p.day]
			switch {
			case p.size >= smallPart || len(several) < fewParts:
				b.parts = append(b.parts, p)
			case p.path == several[0].path:
				merged, err := c.merge(ctx, engine, several)
				if err != nil {
					return nil, fmt.Errorf("make one part of %d for %s: %w", len(several), p.day, err)
				}
				b.parts = append(b.parts, merged)
			}
		}
	}
	return b, nil
}

// merge makes one part of some, with the number of the first.
func (c *conversion) merge(ctx context.Context, engine *loaders.Engine, parts []part) (part, error) {
	merged := parts[0]
	merged.path += ".merged"
	var files []string
	for _, p := range parts {
		files = append(files, p.path)
	}
	if err := engine.Exec(ctx, c.plan.of(merged.chunk).mergeSQL(files, merged.path)); err != nil {
		return merged, err
	}
	for i, p := range parts {
		if i > 0 {
			merged.rows += p.rows
		}
		if err := os.Remove(p.path); err != nil {
			return merged, err
		}
	}
	return merged, nil
}

// mergeSQL writes the rows of some files, in their order.
func (p *plan) mergeSQL(files []string, to string) string {
	var list []string
	for _, file := range files {
		list = append(list, quoteText(file))
	}
	return fmt.Sprintf("COPY (FROM read_parquet([%s], hive_partitioning = false)) TO %s (%s)", strings.Join(list, ", "), quoteText(to), p.parquet())
}
