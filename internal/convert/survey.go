package convert

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// segment is a piece of the text of an input.
type segment struct {
	Input  int   `json:"input"`
	Offset int64 `json:"offset"`
	Size   int64 `json:"size"`
	Line   int64 `json:"line"` // the number of its first line
	// Unended says that it ends without a line break. In a chunk it gets one.
	Unended bool `json:"unended,omitempty"`
}

// chunk is what is converted at a time: some pieces of inputs, in order.
type chunk struct {
	Segments []segment `json:"segments"`
	tally
	Batch int `json:"batch"`
	// Runs are its records by days, where they are few.
	Runs []run `json:"runs,omitempty"`
	// Columns are those of its rows, where they are not those of the plan.
	Columns []loaders.NewColumn `json:"columns,omitempty"`

	found chunkRuns
}

// tally counts records.
type tally struct {
	Records int64 `json:"records"`
	// Unreadable are how many of them cannot be read, and Repeating how many have a
	// key twice in one object.
	Unreadable int64 `json:"unreadable,omitempty"`
	Repeating  int64 `json:"repeating,omitempty"`
}

func (t *tally) add(more tally) {
	t.Records += more.Records
	t.Unreadable += more.Unreadable
	t.Repeating += more.Repeating
}

func (c *chunk) size() (bytes int64) {
	for _, s := range c.Segments {
		bytes += s.Size
	}
	return bytes
}

// addBlock adds a block of an input.
func (c *chunk) addBlock(in int, b block) {
	if n := len(c.Segments); n > 0 {
		last := &c.Segments[n-1]
		if last.Input == in && last.Offset+last.Size == b.offset {
			last.Size += b.size
			last.Unended = !b.ended
			return
		}
	}
	c.Segments = append(c.Segments, segment{Input: in, Offset: b.offset, Size: b.size, Line: b.line, Unended: !b.ended})
}

// reading is what a reader says of a record: until it reads the next one.
type reading struct {
	// repeats are the members of JSON that have the name of one before.
	repeats []span
	// day is that of the time, nil where it is not plain to see.
	day []byte
}

// rowReader reads a record and tells the shape of rows what it holds. The error is why the
// record cannot be read.
type rowReader interface {
	read(record []byte, rows *shape) (reading, error)
}

// readers gives the reader of each input, for one goroutine and one shape of rows.
func readers(f metrics.FileFormat) func(in input) rowReader {
	lines := &jsonReader{}
	return func(in input) rowReader {
		if f == metrics.FormatCSV {
			return csvReader{csvCutter{in.Separator[0]}, in.Header}
		}
		return lines
	}
}

// cutter cuts the records of an input.
func (in input) cutter(f metrics.FileFormat) cutter {
	if f == metrics.FormatCSV {
		return csvCutter{in.Separator[0]}
	}
	return lineCutter{}
}

// look is what a survey finds.
type look struct {
	chunks []*chunk
	rows   *shape
	time   string // the path of which the chunks have runs, or empty
}

// survey reads all inputs, finds the types of what they hold, and cuts them into
// chunks of about a size. Time is the path of the rows' time, or empty. It fills in the
// headers of CSV, whose columns are called as they are known.
func survey(ctx context.Context, inputs []input, format metrics.FileFormat, known spelling, time string, size int64, workers int, tell func(bytes int64)) (*look, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type job struct {
		block  block
		in     input
		chunk  *chunk
		number int // of the block in the chunk
	}
	jobs := make(chan job, workers)
	var (
		mu    sync.Mutex
		group sync.WaitGroup
		found = &look{rows: &shape{row: true}, time: time}
	)
	for range workers {
		group.Go(func() {
			rows, reader := &shape{row: true}, readers(format)
			rows.watchTime(time)
			for j := range jobs {
				counted, days := count(j.block, j.in.cutter(format), reader(j.in), rows)
				mu.Lock()
				j.chunk.add(counted)
				j.chunk.found.set(j.number, days)
				mu.Unlock()
			}
			mu.Lock()
			found.rows.merge(rows)
			mu.Unlock()
		})
	}
	err := func() error {
		defer close(jobs)
		var read int64
		for i := range inputs {
			if err := blocks(&inputs[i], format, known, &read, func(b block) error {
				if n := len(found.chunks); n == 0 || found.chunks[n-1].size() >= size {
					found.chunks = append(found.chunks, &chunk{})
				}
				c := found.chunks[len(found.chunks)-1]
				c.addBlock(i, b)
				mu.Lock()
				number := c.found.next()
				mu.Unlock()
				tell(read)
				select {
				case jobs <- job{b, inputs[i], c, number}:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}); err != nil {
				return err
			}
		}
		return nil
	}()
	group.Wait()
	for _, c := range found.chunks {
		c.Runs, c.found = c.found.join(), chunkRuns{}
	}
	return found, err
}

// count reads the records of a block and counts them, also by their days.
func count(b block, c cutter, reader rowReader, rows *shape) (t tally, days runs) {
	if b.long {
		return tally{Records: 1, Unreadable: 1}, runs{mixed: true}
	}
	var day []byte // of the records up to here, from the first one that is not added
	var records, from int64
	for record := range b.records(c) {
		t.Records++
		found, err := reader.read(record, rows)
		switch {
		case err != nil:
			t.Unreadable++
			found.day = nil
		case len(found.repeats) > 0:
			t.Repeating++
		}
		if records > 0 && !bytes.Equal(day, found.day) {
			at := int64(cap(b.data) - cap(record)) // a record reaches to the end of the block
			days.add(day, records, at-from)
			records, from = 0, at
		}
		day = found.day
		records++
	}
	if records == 0 {
		return t, runs{mixed: true} // there are blank lines
	}
	size := int64(len(b.data)) - from
	if !b.ended {
		size += int64(len(newline))
	}
	days.add(day, records, size)
	return t, days
}

var mark = []byte("\xef\xbb\xbf") // what some programs begin text with

// blocks gives the blocks of an input, after its header.
func blocks(in *input, format metrics.FileFormat, known spelling, raw *int64, each func(block) error) error {
	text, err := in.open(raw)
	if err != nil {
		return err
	}
	defer text.Close()
	if format == metrics.FormatNDJSON {
		return eachBlock(&blockReader{from: text, cutter: lineCutter{}, line: 1}, in.Path, each)
	}
	begin := make([]byte, maxQuoted)
	n, err := io.ReadFull(text, begin)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	begin = begin[:n]
	head := 0
	if bytes.HasPrefix(begin, mark) {
		head = len(mark)
	}
	for head < n && (begin[head] == '\n' || begin[head] == '\r') {
		head++
	}
	if head == n {
		return nil // no row, and no header
	}
	line, _, _ := bytes.Cut(begin[head:], newline)
	c := csvCutter{separatorOf(bytes.TrimRight(line, "\r"))}
	end := head + c.cut(begin[head:], true)
	if bytes.HasPrefix(begin, []byte("\xff\xfe")) || bytes.HasPrefix(begin, []byte("\xfe\xff")) {
		return mistakef("%s is UTF-16, not UTF-8: it begins with the byte order mark % X", in.Path, begin[:2]).withHint(hintUTF8)
	}
	if in.Header, err = c.header(bytes.TrimRight(begin[head:end], "\r\n")); err != nil {
		return mistakef("%s: %v", in.Path, err).withHint("its first line must name the columns")
	}
	in.Header, in.Separator = known.of(in.Header), string(c.separator)
	rest := &blockReader{
		from: text, cutter: c, rest: begin[end:],
		offset: int64(end), line: 1 + int64(bytes.Count(begin[:end], newline)),
	}
	return eachBlock(rest, in.Path, each)
}

func eachBlock(r *blockReader, path string, each func(block) error) error {
	first := r.offset == 0
	for {
		b, err := r.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if first && bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(b.data, mark), " \t\r\n"), []byte("[")) && !oneLine(b.data) {
			return mistakef("%s is one JSON list, not one object on each line", path).
				withHint("write each element on a line of its own: jq -c '.[]' %s", path)
		}
		if first = false; b.offset == 0 {
			b = withoutMark(b)
		}
		if b.size == 0 {
			continue
		}
		if err := each(b); err != nil {
			return err
		}
	}
}

// withoutMark is a first block without the mark that it may begin with.
func withoutMark(b block) block {
	if bytes.HasPrefix(b.data, mark) {
		n := len(mark)
		b.data, b.offset, b.size = b.data[n:], b.offset+int64(n), b.size-int64(n)
	}
	return b
}

// oneLine reports whether the first line has a bracket that closes: then it may
// be a stray line, and is rejected as such.
func oneLine(data []byte) bool {
	line, _, _ := bytes.Cut(data, newline)
	line = bytes.TrimRight(line, " \t\r")
	return len(line) < len(data) && bytes.HasSuffix(line, []byte("]"))
}

// columns are the columns of the rows, with types that hold all their values. List
// is the key of the list whose elements are rows, or empty.
func (l *look) columns(inputs []input, format metrics.FileFormat, list string) ([]loaders.NewColumn, error) {
	if a, b, ok := l.rows.twins(); ok {
		return nil, mistakef("the rows have the keys %s and %s, which differ only in the case of their letters", a, b).
			withHint("columns cannot be told apart so; rename one of them in the input")
	}
	if l.rows.open {
		return nil, mistakef("the rows have more than %d keys, too many for columns", maxColumns).
			withHint("keys that are data belong into an object below one key")
	}
	var columns []loaders.NewColumn
	if format == metrics.FormatNDJSON {
		for _, m := range l.rows.seen() {
			typ := m.shape.sqlType()
			if m.name == list {
				typ, _ = m.shape.rowsType()
			}
			columns = append(columns, loaders.NewColumn{Name: m.name, Type: typ})
		}
		return columns, nil
	}
	var headers [][]string
	for _, in := range inputs {
		headers = append(headers, in.Header)
	}
	for _, name := range columnsOf(headers) {
		typ := "VARCHAR"
		if i, ok := l.rows.byName[name]; ok {
			typ = l.rows.members[i].shape.csvType()
		}
		columns = append(columns, loaders.NewColumn{Name: name, Type: typ})
	}
	return columns, nil
}
