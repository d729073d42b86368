package convert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/metricsjob/metricsjob/loaders"
)

// write converts the chunks that are not done. One goroutine copies the text of
// chunks into the folder for work, and workers convert them, each in an engine of its
// own on one thread, which keeps the order of rows; this one gives them their tasks, and puts
// what they wrote into its place batch by batch, in their order.
func (c *conversion) write(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := c.makeWork(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.place.work())) }()

	w := newWriting(c)
	copied := make(chan chunkFiles)
	tasks := make(chan task)
	finished := make(chan result)
	var group sync.WaitGroup
	var notCopied error
	group.Go(func() {
		defer close(copied)
		notCopied = c.copyChunks(ctx, w.room, copied)
	})
	for range c.workers {
		group.Go(func() { c.work(ctx, tasks, finished) })
	}
	running := 0
	var failed error
	fail := func(err error) {
		if failed == nil && err != nil {
			failed, w.waiting = err, nil
			cancel()
		}
	}
	for next := copied; next != nil || running > 0 || len(w.waiting) > 0; {
		var give chan<- task
		var first task
		if len(w.waiting) > 0 {
			give, first = tasks, w.waiting[0]
		}
		select {
		case files, more := <-next:
			if !more {
				next = nil
				fail(notCopied)
			} else if failed == nil {
				w.convert(files)
			}
		case give <- first:
			w.waiting = w.waiting[1:]
			running++
		case done := <-finished:
			running--
			fail(done.err)
			if failed == nil {
				fail(done.then(ctx))
			}
		}
	}
	close(tasks)
	group.Wait()
	return failed
}

// task is something that a worker does in its engine. What it gives is done after it, one
// at a time.
type task func(ctx context.Context, engine *loaders.Engine) (then func(context.Context) error, err error)

// result is what a task gave.
type result struct {
	then func(context.Context) error
	err  error
}

// work does tasks until there are no more.
func (c *conversion) work(ctx context.Context, tasks <-chan task, finished chan<- result) {
	engine, failed := c.openEngine(ctx)
	for do := range tasks {
		r := result{err: failed}
		if failed == nil {
			r.then, r.err = do(ctx, engine)
		}
		finished <- r
	}
	if failed == nil {
		_ = engine.Close() // it holds nothing
	}
}

// writing is how far the writing of a conversion is.
type writing struct {
	c       *conversion
	waiting []task // first those of the batches that are nearly done
	batches map[int]*batch
	// Of texts of chunks that wait or are converted there are at most as many as room.
	room  chan struct{}
	size  int64 // of the text that is converted
	first int   // the batch that is judged
}

func newWriting(c *conversion) *writing {
	w := &writing{c: c, batches: map[int]*batch{}, room: make(chan struct{}, 2*c.workers+1), size: c.plan.size(0, c.done.Chunks), first: c.firstBatch()}
	for _, chunk := range c.plan.Chunks[c.done.Chunks:] {
		if w.batches[chunk.Batch] == nil {
			w.batches[chunk.Batch] = &batch{}
		}
		w.batches[chunk.Batch].missing++
	}
	return w
}

// convert has a chunk converted, and what its batch needs then.
func (w *writing) convert(files chunkFiles) {
	w.waiting = append(w.waiting, func(ctx context.Context, engine *loaders.Engine) (func(context.Context) error, error) {
		o, err := w.c.convert(ctx, engine, files)
		return func(ctx context.Context) error {
			<-w.room
			chunk := w.c.plan.Chunks[files.number]
			left := int64(0)
			for _, p := range o.parts {
				left += w.toJoin(p)
			}
			w.tell(chunk.size() - left)
			b := w.batches[chunk.Batch]
			var joins []task
			for _, parts := range b.add(o) {
				joins = append(joins, w.join(b, parts))
			}
			w.waiting = append(joins, w.waiting...)
			return w.commit(ctx)
		}, err
	})
}

// join is the task of joining parts of a batch.
func (w *writing) join(b *batch, parts []part) task {
	return func(ctx context.Context, engine *loaders.Engine) (func(context.Context) error, error) {
		joined, err := w.c.join(ctx, engine, parts)
		if err != nil {
			err = fmt.Errorf("make one part of %d for %s: %w", len(parts), joined.day, err)
		}
		return func(ctx context.Context) error {
			for _, p := range parts {
				w.tell(w.toJoin(p))
			}
			b.parts = append(b.parts, joined)
			b.missing--
			return w.commit(ctx)
		}, err
	}
}

// toJoin is the share of lines that wait for the others of their day in the text of their chunk.
func (w *writing) toJoin(p part) int64 {
	if !p.lines {
		return 0
	}
	chunk := w.c.plan.Chunks[p.chunk]
	return int64(float64(chunk.size()) * float64(p.rows) / float64(chunk.Records))
}

func (w *writing) tell(more int64) {
	w.size += more
	w.c.tell("writing", w.size, w.c.plan.size(0, len(w.c.plan.Chunks)))
}

// commit puts the batches that are next, and as a whole there, into their places.
func (w *writing) commit(ctx context.Context) error {
	for w.c.done.Chunks < len(w.c.plan.Chunks) {
		number := w.c.plan.Chunks[w.c.done.Chunks].Batch
		b := w.batches[number]
		if b == nil || b.missing > 0 {
			return nil
		}
		delete(w.batches, number)
		if number == w.first {
			if err := w.c.judge(b); err != nil {
				return err
			}
		}
		if err := w.c.commit(ctx, b); err != nil {
			return err
		}
	}
	return nil
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
func (c *conversion) copyChunks(ctx context.Context, room chan<- struct{}, copied chan<- chunkFiles) (err error) {
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
		case copied <- files:
		case <-ctx.Done():
			return ctx.Err()
		}
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
