package loaders

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"runtime"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// damagedError: a compressed file is not whole. The engine reads such a file up
// to where it is damaged, or on past it, and says nothing.
type damagedError struct {
	file string
	err  error
}

func (e *damagedError) Error() string {
	return fmt.Sprintf("%s is cut off or damaged: it cannot be decompressed to its end", e.file)
}

func (e *damagedError) Unwrap() error { return e.err }

// markedError: a file of NDJSON begins with a byte order mark. Whether the engine
// reads the line behind it depends on how many files it reads at once.
type markedError struct{ file string }

func (e *markedError) Error() string {
	return fmt.Sprintf("%s begins with a byte order mark, so that its first line may be lost", e.file)
}

// encodedError: a file of text begins with the byte order mark of UTF-16.
type encodedError struct {
	file   string
	begins string // the mark, in hexadecimal digits
}

func (e *encodedError) Error() string {
	return fmt.Sprintf("%s is UTF-16, not UTF-8: it begins with the byte order mark %s", e.file, e.begins)
}

// Hint says what to do.
func (e *encodedError) Hint() string {
	return fmt.Sprintf("write it as UTF-8: iconv -f UTF-16 -t UTF-8 %s", path.Base(e.file))
}

const hintMark = "write it without the mark: sed '1s/^\\xEF\\xBB\\xBF//'; or convert it: metricsjob convert reads it"

// checkTexts decompresses the compressed ones of the files to their ends, which
// alone tells, by checksums, whether anything is missing. The error is about the first file
// that is not whole, begins with the mark of UTF-16 or, with marks, with that of UTF-8.
func checkTexts(ctx context.Context, engine *Engine, files []string, marks bool) error {
	errs := make([]error, len(files))
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for i, file := range files {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			errs[i] = checkText(ctx, engine, file, marks)
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkText is checkTexts for one file.
func checkText(ctx context.Context, engine *Engine, file string, marks bool) error {
	size, err := engine.size(ctx, file)
	if err != nil || size == 0 {
		return err
	}
	stored := &storedBytes{ctx: ctx, engine: engine, file: file, left: size}
	begin, err := "", error(nil)
	switch compressionOf(file) {
	case ".gz":
		var text *gzip.Reader
		if text, err = gzip.NewReader(stored); err == nil {
			begin, err = readThroughText(text)
		}
	case ".zst":
		var text *zstd.Decoder
		if text, err = zstd.NewReader(stored, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<31)); err == nil {
			begin, err = readThroughText(text)
			text.Close()
		}
	default:
		stored.left = min(size, int64(len(mark)))
		begin, err = readThroughText(stored)
	}
	switch {
	case stored.err != nil:
		return unreachable(file, stored.err)
	case err != nil:
		return &damagedError{file, err}
	case marks && begin == mark:
		return &markedError{file}
	case strings.HasPrefix(begin, "\xff\xfe") || strings.HasPrefix(begin, "\xfe\xff"):
		return &encodedError{file, fmt.Sprintf("% X", begin[:2])}
	}
	return nil
}

// mark is the byte order mark that some programs begin text with.
const mark = "\xef\xbb\xbf"

// readThroughText reads a text to its end, and gives its first bytes, as many as a
// byte order mark has.
func readThroughText(text io.Reader) (string, error) {
	begin := &beginning{}
	_, err := io.Copy(begin, text)
	return string(begin.bytes), err
}

// beginning keeps the first bytes that are written, as many as a mark has.
type beginning struct{ bytes []byte }

func (b *beginning) Write(p []byte) (int, error) {
	if missing := len(mark) - len(b.bytes); missing > 0 {
		b.bytes = append(b.bytes, p[:min(missing, len(p))]...)
	}
	return len(p), nil
}

// compressionOf is the ending of a file that is compressed as a whole, as
// the engine sees it, or empty.
func compressionOf(file string) string {
	for _, c := range compressions {
		if strings.HasSuffix(file, c) {
			return c
		}
	}
	return ""
}

// hiddenCompression is the ending that the name of a compressed file lacks, or
// empty.
func hiddenCompression(ctx context.Context, engine *Engine, file string) (string, error) {
	if compressionOf(file) != "" {
		return "", nil
	}
	begin, err := engine.readRange(ctx, file, 0, 4)
	switch {
	case err != nil:
		return "", unreachable(file, err)
	case bytes.HasPrefix(begin, []byte{0x1f, 0x8b}):
		return ".gz", nil
	case bytes.HasPrefix(begin, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return ".zst", nil
	}
	return "", nil
}

// storedBytes reads a file, wherever it lies, in pieces.
type storedBytes struct {
	ctx    context.Context
	engine *Engine
	file   string
	at     int64 // where the next piece begins
	left   int64 // behind it
	piece  []byte
	err    error // why a piece could not be read
}

// pieceBytes is how much of a file one request reads.
const pieceBytes = 4 << 20

func (s *storedBytes) Read(into []byte) (int, error) {
	if len(s.piece) == 0 {
		if s.left <= 0 {
			return 0, io.EOF
		}
		if s.err = s.ctx.Err(); s.err == nil {
			s.piece, s.err = s.engine.readRange(s.ctx, s.file, s.at, int(min(s.left, pieceBytes)))
		}
		if s.err != nil {
			return 0, s.err
		}
		s.at, s.left = s.at+int64(len(s.piece)), s.left-int64(len(s.piece))
		if len(s.piece) == 0 {
			return 0, io.ErrUnexpectedEOF
		}
	}
	n := copy(into, s.piece)
	s.piece = s.piece[n:]
	return n, nil
}
