package convert

import (
	"bytes"
	"errors"
	"io"
)

// The sizes of what is read at once.
const (
	// blockSize is about the size of a block.
	blockSize = 1 << 20
	// maxRecord is the size of the longest record, which is that of the longest
	// object that the engine reads.
	maxRecord = 16 << 20
)

// cutter knows where records end.
type cutter interface {
	// cut gives the length of the first record with its line break; 0 where more
	// data are needed to tell. Final says that there are no more.
	cut(data []byte, final bool) int
	// whole gives the length of the records that are there as a whole.
	whole(data []byte, final bool) int
}

// block is a piece of an input that holds whole records.
type block struct {
	data []byte
	// offset and line are where it begins; lines count from 1.
	offset, line int64
	// size is its length in the input; that of its data, unless they are only the
	// beginning of a record that is too long.
	size int64
	long bool
	// ended says that it ends with a line break; the last of an input need not.
	ended bool
}

// records gives the records of a block one by one, without their line breaks,
// with their lines. Blank ones are none.
func (b block) records(c cutter) func(yield func(record []byte, line int64) bool) {
	return func(yield func([]byte, int64) bool) {
		line := b.line
		for rest := b.data; len(rest) > 0; {
			n := c.cut(rest, true)
			record := bytes.TrimRight(rest[:n], "\r\n")
			if len(bytes.TrimLeft(record, " \t\r")) > 0 && !yield(record, line) {
				return
			}
			line += int64(bytes.Count(rest[:n], newline))
			rest = rest[n:]
		}
	}
}

var newline = []byte("\n")

// blockReader cuts an input into blocks.
type blockReader struct {
	from   io.Reader
	cutter cutter
	// offset and line are where the next block begins.
	offset, line int64
	rest         []byte // of the last reading: the beginning of a record
	eof          bool
}

// next gives the next block, and io.EOF after the last.
func (r *blockReader) next() (block, error) {
	data := append(make([]byte, 0, blockSize+len(r.rest)), r.rest...)
	r.rest = nil
	for {
		var err error
		if data, err = r.fill(data); err != nil {
			return block{}, err
		}
		if len(data) == 0 {
			return block{}, io.EOF
		}
		if n := r.cutter.whole(data, r.eof); n > 0 {
			r.rest = data[n:]
			return r.block(data[:n:n], int64(n), false, int64(bytes.Count(data[:n], newline))), nil
		}
		if len(data) > maxRecord {
			return r.tooLong(data)
		}
		data = append(make([]byte, 0, 2*cap(data)), data...)
	}
}

// fill reads until the capacity of data is used or nothing is left.
func (r *blockReader) fill(data []byte) ([]byte, error) {
	for !r.eof && len(data) < cap(data) {
		n, err := r.from.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF):
			r.eof = true
		case err != nil:
			return nil, err
		}
	}
	return data, nil
}

// tooLong skips the line that data begin.
func (r *blockReader) tooLong(data []byte) (block, error) {
	const kept = 64 << 10
	size := int64(len(data))
	b := bytes.Clone(data[:kept])
	for buffer := data; ; {
		if r.eof {
			return r.block(b, size, true, 0), nil
		}
		var err error
		if buffer, err = r.fill(buffer[:0]); err != nil {
			return block{}, err
		}
		if i := bytes.IndexByte(buffer, '\n'); i >= 0 {
			r.rest = bytes.Clone(buffer[i+1:])
			return r.block(b, size+int64(i)+1, true, 1), nil
		}
		size += int64(len(buffer))
	}
}

func (r *blockReader) block(data []byte, size int64, long bool, lines int64) block {
	b := block{data: data, offset: r.offset, line: r.line, size: size, long: long, ended: bytes.HasSuffix(data, newline)}
	if long {
		b.ended = lines > 0
	}
	r.offset += size
	r.line += lines
	return b
}

// lineCutter cuts at line breaks.
type lineCutter struct{}

func (lineCutter) cut(data []byte, final bool) int {
	n := bytes.IndexByte(data, '\n') + 1
	if n == 0 && final {
		return len(data)
	}
	return n
}

func (lineCutter) whole(data []byte, final bool) int {
	if final {
		return len(data)
	}
	return bytes.LastIndexByte(data, '\n') + 1
}
