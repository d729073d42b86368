package convert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/metricsjob/metricsjob/loaders"
)

// write converts the chunks that are not done. One goroutine copies the text of
// chunks into the folder for work, workers convert them, each in an engine of its
// own on one thread, which keeps the order of rows; and what they wrote is put
// into its place batch by batch, in their order.
func (c *conversion) write(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := c.makeWork(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.place.work())) }()

	// Of texts that wait or are converted there are at most as many as room.
	room := make(chan struct{}, 2*c.workers+1)
	copied := make(chan outcome)
	outcomes := make(chan outcome)
	staged := newStaging(c.plan.Chunks[c.done.Chunks:])
	var group sync.WaitGroup
	group.Go(func() {
		defer close(copied)
		if err := c.copyChunks(ctx, room, copied); err != nil {
			outcomes <- outcome{err: err}
		}
	})
	for range c.workers {
		group.Go(func() {
			if err := c.work(ctx, staged, copied, outcomes); err != nil {
				outcomes <- outcome{err: err}
			}
		})
	}
	go func() { group.Wait(); close(outcomes) }()

	converted := c.plan.size(0, c.done.Chunks)
	early := map[int]*batch{} // by their first chunks
	var failed error
	for o := range outcomes {
		if failed = cmp.Or(failed, o.err); failed != nil {
			cancel()
			continue
		}
		<-room
		if o.batch != nil {
			early[o.batch.chunks[0].files.number] = o.batch
		}
		for next := early[c.done.Chunks]; next != nil && failed == nil; next = early[c.done.Chunks] {
			delete(early, c.done.Chunks)
			failed = c.commit(ctx, next)
		}
		if failed != nil {
			cancel()
		}
		converted += c.plan.Chunks[o.files.number].size()
		c.tell("writing", converted, c.plan.size(0, len(c.plan.Chunks)))
	}
	return failed
}

// makeWork makes an empty folder for work, and cuts off what a process that was
// killed had written of the rejects of a chunk that is not done.
func (c *conversion) makeWork() error {
	folder := c.place.work()
	if err := errors.Join(os.RemoveAll(folder), os.Mkdir(folder, 0o777)); err != nil {
		return fmt.Errorf("make a folder for work: %w", err)
	}
	if c.rejects == "" {
		return nil
	}
	err := os.Truncate(c.rejects, c.done.RejectsSize)
	if errors.Is(err, os.ErrNotExist) && c.done.RejectsSize == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("go on with the rejects: %w", err)
	}
	return nil
}

// copyChunks copies the text of the chunks that are not done.
func (c *conversion) copyChunks(ctx context.Context, room chan<- struct{}, copied chan<- outcome) (err error) {
	from := &sequence{inputs: c.plan.Inputs, at: -1}
	defer func() { err = errors.Join(err, from.close()) }()
	for number := c.done.Chunks; number < len(c.plan.Chunks); number++ {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		files := c.files(number)
		if err := from.copy(ctx, c.plan.Chunks[number], files.raw); err != nil {
			return err
		}
		select {
		case copied <- outcome{files: files}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// work converts chunks until there are no more. Who converts the last one of a batch
// gathers all of it.
func (c *conversion) work(ctx context.Context, staged *staging, copied <-chan outcome, outcomes chan<- outcome) (err error) {
	engine, err := c.openEngine(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	for o := range copied {
		o = c.convert(ctx, engine, o.files)
		if o.err == nil {
			if all := staged.add(c.plan.Chunks[o.files.number].Batch, o); all != nil {
				o.batch, o.err = c.gather(ctx, engine, all)
			}
		}
		outcomes <- o
	}
	return nil
}

// openEngine opens the engine of a worker.
func (c *conversion) openEngine(ctx context.Context) (*loaders.Engine, error) {
	work := c.place.work()
	memory := int64(threadMemory)
	if c.opts.Memory > 0 {
		memory = c.opts.Memory * enginesShare / 100 / int64(c.workers)
	}
	engine, err := loaders.Open(ctx, loaders.Options{Threads: 1, Memory: memory, TempDir: work, AllowedPaths: []string{work}})
	if err != nil {
		return nil, err
	}
	return engine, nil
}

// commit puts what was written of a batch into its place, and says that it is done.
func (c *conversion) commit(ctx context.Context, b *batch) error {
	for _, p := range b.parts {
		name := fmt.Sprintf("%s=%s/part-%05d.parquet", c.plan.Options.Partition, p.day, p.chunk+1)
		if err := c.place.take(ctx, p.path, name); err != nil {
			return fmt.Errorf("put the parts of a chunk into their place: %w", err)
		}
	}
	c.done.Parts += len(b.parts)
	for _, o := range b.chunks {
		if err := c.keepRejects(ctx, o); err != nil {
			return fmt.Errorf("write the rejects: %w", err)
		}
		c.done.Chunks++
		c.done.Written += o.written
		c.done.Rejected += o.rejected
	}
	if err := writeJSON(ctx, c.place, doneFile, c.done); err != nil {
		return err
	}
	if c.opts.committed != nil {
		c.opts.committed(c.done.Chunks)
	}
	var errs []error
	for _, o := range b.chunks {
		errs = append(errs, o.files.removeRest())
	}
	return errors.Join(errs...)
}

// keepRejects keeps the rejects of a chunk: in one file with those of all, or in an object.
func (c *conversion) keepRejects(ctx context.Context, o outcome) error {
	switch {
	case o.rejected == 0:
		return nil
	case c.rejects == "":
		return c.place.take(ctx, o.files.rejects, fmt.Sprintf("%s/%05d.ndjson", rejectsFolder, o.files.number+1))
	}
	return c.appendRejects(o)
}

// appendRejects adds the rejects of a chunk to those of all.
func (c *conversion) appendRejects(o outcome) (err error) {
	from, err := os.Open(o.files.rejects)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(c.rejects, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	n, err := io.Copy(to, from)
	c.done.RejectsSize += n
	return errors.Join(err, to.Sync(), to.Close())
}

// onFirstChunk lets an engine look at the first chunk.
func (c *conversion) onFirstChunk(ctx context.Context, look func(engine *loaders.Engine, lines string) error) (err error) {
	if err := c.makeWork(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.place.work())) }()
	files, err := c.copyFirst(ctx)
	if err != nil {
		return err
	}
	lines, err := c.writeLines(files)
	if err != nil {
		return err
	}
	engine, err := c.openEngine(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	return look(engine, lines)
}

func (c *conversion) copyFirst(ctx context.Context) (_ chunkFiles, err error) {
	files := c.files(0)
	from := &sequence{inputs: c.plan.Inputs, at: -1}
	defer func() { err = errors.Join(err, from.close()) }()
	return files, from.copy(ctx, c.plan.Chunks[0], files.raw)
}

// firstReject is the first record that cannot be read.
func (c *conversion) firstReject(ctx context.Context) (first reject, err error) {
	if err := c.makeWork(); err != nil {
		return first, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.place.work())) }()
	files, err := c.copyFirst(ctx)
	if err != nil {
		return first, err
	}
	enough := errors.New("enough")
	err = c.eachRecord(files, func(r record) error {
		first = reject{r.file, r.line, r.err.Error(), string(r.text)}
		return enough
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return first, err
}

// sequence reads segments of inputs, in order.
type sequence struct {
	inputs []input
	at     int // the input that is open, or negative
	text   io.ReadCloser
	offset int64
	raw    int64
}

// copy writes the text of a chunk into a file.
func (s *sequence) copy(ctx context.Context, c *chunk, name string) error {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("copy a chunk: %w", err)
	}
	for _, seg := range c.Segments {
		if err := s.seek(seg); err != nil {
			return errors.Join(err, f.Close())
		}
		n, err := io.Copy(f, io.LimitReader(&interruptible{ctx, s.text}, seg.Size))
		s.offset += n
		switch {
		case err != nil:
			return errors.Join(err, f.Close())
		case n < seg.Size:
			return errors.Join(changed(s.inputs[seg.Input].Path), f.Close())
		}
		if seg.Unended {
			if _, err := f.Write(newline); err != nil {
				return errors.Join(fmt.Errorf("copy a chunk: %w", err), f.Close())
			}
		}
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("copy a chunk: %w", err)
	}
	return nil
}

// seek goes on to a segment.
func (s *sequence) seek(seg segment) error {
	if s.at != seg.Input || s.offset > seg.Offset {
		if err := s.close(); err != nil {
			return err
		}
		text, err := s.inputs[seg.Input].open(&s.raw)
		if err != nil {
			return err
		}
		s.at, s.text, s.offset = seg.Input, text, 0
	}
	if s.offset == seg.Offset {
		return nil
	}
	if t, ok := s.text.(*inputText); ok && s.offset == 0 {
		s.offset = seg.Offset
		return t.skip(seg.Offset)
	}
	n, err := io.CopyN(io.Discard, s.text, seg.Offset-s.offset)
	s.offset += n
	return err
}

func (s *sequence) close() error {
	if s.text == nil {
		return nil
	}
	text := s.text
	s.at, s.text = -1, nil
	return text.Close()
}

// interruptible ends when its context does.
type interruptible struct {
	ctx  context.Context
	from io.Reader
}

func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}
