package convert

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// input is a file to convert. Size and time tell whether it changed.
type input struct {
	Path     string    `json:"path"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	// Header and Separator are those of a CSV file.
	Header    []string `json:"header,omitempty"`
	Separator string   `json:"separator,omitempty"`

	stored *stored // nil: a file
}

// MistakeError says that a conversion cannot be what was asked for: of what is on
// the command line, or in the files.
type MistakeError struct{ msg, hint string }

func (e *MistakeError) Error() string { return e.msg }

// Hint says how to mend it; it may be empty.
func (e *MistakeError) Hint() string { return e.hint }

func mistakef(format string, args ...any) *MistakeError {
	return &MistakeError{msg: fmt.Sprintf(format, args...)}
}

func (e *MistakeError) withHint(format string, args ...any) *MistakeError {
	e.hint = fmt.Sprintf(format, args...)
	return e
}

// lines is the format of lines that the name of a file tells, or empty.
func lines(name string) metrics.FileFormat {
	format := loaders.FormatOf(name)
	if format == metrics.FormatParquet {
		return ""
	}
	return format
}

// findInputs lists the files that paths mean, sorted, each once: files, folders
// and what is below them, patterns, and the same in an object store.
func findInputs(ctx context.Context, paths []string, format metrics.FileFormat) ([]input, metrics.FileFormat, error) {
	store, err := openStore(ctx, paths)
	if err != nil {
		return nil, "", err
	}
	var inputs []input
	for _, p := range paths {
		var found []input
		if objectstore.IsURL(p) {
			found, err = storedInputs(ctx, store, p)
		} else {
			found, err = fileInputs(p)
		}
		if err != nil {
			return nil, "", err
		}
		if len(found) == 0 {
			return nil, "", mistakef("no files match %s", p).withHint("name a file, a folder with .ndjson, .jsonl, .json, .csv or .tsv files, plain, .gz or .zst, or a pattern such as 'export/*.ndjson.gz'")
		}
		inputs = append(inputs, found...)
	}
	slices.SortFunc(inputs, func(a, b input) int { return strings.Compare(a.Path, b.Path) })
	inputs = slices.CompactFunc(inputs, func(a, b input) bool { return a.Path == b.Path })
	var names []string
	for _, in := range inputs {
		names = append(names, in.Path)
	}
	if format == "" {
		var err error
		if format, err = oneFormat(names); err != nil {
			return nil, "", err
		}
	}
	return inputs, format, nil
}

// fileInputs lists the files that a path means.
func fileInputs(p string) ([]input, error) {
	names, err := findFiles(p)
	if err != nil {
		return nil, err
	}
	var inputs []input
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, unreachable(name, err)
		}
		if !info.Mode().IsRegular() {
			return nil, mistakef("%s is no file, and is read twice", name).withHint("write the lines to a file first")
		}
		inputs = append(inputs, input{Path: name, Size: info.Size(), Modified: info.ModTime().UTC()})
	}
	return inputs, nil
}

// unreachable says that a file cannot be read.
func unreachable(name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &loaders.UnreachableError{Path: name, Err: err}
}

// findFiles lists the files that a path means.
func findFiles(p string) ([]string, error) {
	if info, err := os.Stat(p); err == nil && info.IsDir() {
		return below(p)
	}
	return loaders.Glob(filepath.ToSlash(filepath.Clean(p)))
}

// below lists the files of the known formats in a folder and its folders.
func below(folder string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(entry.Name(), ".") || strings.HasPrefix(entry.Name(), "_")
		switch {
		case err != nil:
			return unreachable(path, err)
		case hidden && entry.IsDir() && path != folder:
			return filepath.SkipDir
		case !hidden && !entry.IsDir() && lines(path) != "":
			found = append(found, filepath.ToSlash(path))
		}
		return nil
	})
	return found, err
}

// oneFormat is the format that all names tell.
func oneFormat(names []string) (metrics.FileFormat, error) {
	first := lines(names[0])
	for _, name := range names {
		switch format := lines(name); {
		case format == "":
			return "", mistakef("the name of %s does not tell its format", name).withHint("give --format ndjson or --format csv")
		case format != first:
			return "", mistakef("%s is %s, and %s is %s", names[0], first, name, format).withHint("convert them one after the other, each into a folder of its own")
		}
	}
	return first, nil
}

// open opens an input as the text that it holds. Raw counts the bytes that were
// read of the file itself.
func (in input) open(raw *int64) (_ io.ReadCloser, err error) {
	file, err := in.file()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	buffered := bufio.NewReaderSize(&counter{file, raw}, 1<<18)
	begin, err := buffered.Peek(4)
	if err != nil && ofStore(err) {
		return nil, err
	}
	text := &inputText{path: in.Path, file: file, text: buffered}
	switch {
	case bytes.HasPrefix(begin, []byte{0x1f, 0x8b}):
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, broken(in.Path, err)
		}
		text.text = unzipped
	case bytes.HasPrefix(begin, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		unzipped, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return nil, broken(in.Path, err)
		}
		text.text, text.close = unzipped, unzipped.Close
	case in.Size > 0 && (strings.HasSuffix(in.Path, ".gz") || strings.HasSuffix(in.Path, ".zst")):
		return nil, broken(in.Path, errors.New("it does not begin as such a file does"))
	default:
		text.plain = buffered
	}
	return text, nil
}

// file opens what an input lies in.
func (in input) file() (io.ReadSeekCloser, error) {
	if in.stored != nil {
		return in.stored.open(in)
	}
	file, err := os.Open(filepath.FromSlash(in.Path))
	if err != nil {
		return nil, unreachable(in.Path, err)
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, errors.Join(unreachable(in.Path, err), file.Close())
	case info.Size() != in.Size || !info.ModTime().Equal(in.Modified):
		return nil, errors.Join(changed(in.Path), file.Close())
	}
	return file, nil
}

func changed(path string) error {
	return mistakef("%s changed since its conversion began", path).withHint("begin again with --anew, or convert into another folder")
}

func broken(path string, err error) error {
	return mistakef("%s cannot be decompressed: %v", path, err).withHint("see whether it was copied as a whole")
}

// inputText is the text of an input.
type inputText struct {
	path  string
	file  io.ReadSeekCloser
	text  io.Reader
	plain *bufio.Reader // of a file that is not compressed
	close func()
}

func (t *inputText) Read(p []byte) (int, error) {
	n, err := t.text.Read(p)
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return n, err
	case ofStore(err):
		return n, err
	case t.plain != nil:
		return n, unreachable(t.path, err)
	}
	return n, broken(t.path, err)
}

// skip goes on to an offset, from the beginning.
func (t *inputText) skip(offset int64) error {
	if t.plain == nil {
		_, err := io.CopyN(io.Discard, t, offset)
		return err
	}
	if _, err := t.file.Seek(offset, io.SeekStart); err != nil {
		return unreachable(t.path, err)
	}
	t.plain.Reset(t.file)
	return nil
}

func (t *inputText) Close() error {
	if t.close != nil {
		t.close()
	}
	return t.file.Close()
}

// counter counts what is read.
type counter struct {
	from io.Reader
	n    *int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	*c.n += int64(n)
	return n, err
}
