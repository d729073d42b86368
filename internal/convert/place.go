package convert

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/loaders"
)

// place is where a conversion writes: its parts, and beside them what is known of it. Names
// have slashes.
type place interface {
	// read gives what a file holds; the error is [fs.ErrNotExist] where there is none.
	read(ctx context.Context, name string) ([]byte, error)
	// write writes a file so that it is there as a whole or not at all.
	write(ctx context.Context, name string, text []byte) error
	// take puts a file of the folder for work there, also as a whole or not at all.
	take(ctx context.Context, file, name string) error
	// remove removes a file, if it is there.
	remove(ctx context.Context, name string) error
	// empty reports whether there is nothing.
	empty(ctx context.Context) (bool, error)
	// clear removes what a conversion left.
	clear(ctx context.Context) error
	// work is the name of the folder for work.
	work() string
	// close gives the place free, and removes what was made for it and is empty.
	close() error
}

// openPlace finds the place that a name means: a folder, which is made, or the objects below
// a prefix.
func openPlace(ctx context.Context, opts Options) (place, error) {
	if objectstore.IsURL(opts.Out) {
		return openPrefix(ctx, opts.Out, opts.TempDir)
	}
	return openFolder(opts.Out)
}

// The files beside the parts. Readers take no notice of names with an underscore.
const (
	planFile    = "_convert.json"
	doneFile    = "_convert.done"
	rejectsFile = "_rejects.ndjson"
	workFolder  = "_work"
	// allFile is there when all is done, under the name that other tools look for.
	allFile = "_SUCCESS"
)

// stateFiles are those that say what is there. Clear removes them first, so that a
// conversion that is half removed is not taken for one.
var stateFiles = []string{allFile, planFile, doneFile}

// isPart reports whether a name is that of a part.
func isPart(name string) bool {
	day, file, ok := strings.Cut(name, "/")
	return ok && strings.Contains(day, "=") && strings.HasPrefix(file, "part-") && strings.HasSuffix(file, ".parquet") && !strings.Contains(file, "/")
}

// folder is a place on disk, which one process has at a time.
type folder struct {
	path   string
	unlock func() error
}

func openFolder(path string) (*folder, error) {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, fmt.Errorf("make the folder for the parts: %w", err)
	}
	unlock, free, err := loaders.Lock(path)
	if err != nil {
		return nil, err
	}
	if !free {
		return nil, mistakef("another process is converting into %s", path)
	}
	return &folder{path, unlock}, nil
}

func (f *folder) file(name string) string { return filepath.Join(f.path, filepath.FromSlash(name)) }

func (f *folder) work() string { return f.file(workFolder) }

func (f *folder) close() error {
	err := f.unlock()
	_ = os.Remove(f.path) // where nothing came of it
	return err
}

func (f *folder) read(_ context.Context, name string) ([]byte, error) {
	return os.ReadFile(f.file(name))
}

func (f *folder) write(_ context.Context, name string, text []byte) (err error) {
	name = f.file(name)
	file, err := os.Create(name + ".new")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

func (f *folder) take(_ context.Context, file, name string) error {
	name = f.file(name)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.Rename(file, name)
}

func (f *folder) remove(_ context.Context, name string) error { return os.RemoveAll(f.file(name)) }

func (f *folder) empty(context.Context) (bool, error) {
	entries, err := os.ReadDir(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	// A conversion that was killed early leaves nothing but what it worked in.
	others := slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == workFolder })
	return len(others) == 0, err
}

func (f *folder) clear(context.Context) error {
	var errs []error
	for _, name := range append(stateFiles, rejectsFile, workFolder, planFile+".new", doneFile+".new") {
		errs = append(errs, os.RemoveAll(f.file(name)))
	}
	parts, err := filepath.Glob(f.file("*=*/part-*.parquet"))
	if err != nil {
		return fmt.Errorf("look for parts: %w", err)
	}
	for _, part := range parts {
		errs = append(errs, os.Remove(part))
		_ = os.Remove(filepath.Dir(part)) // it may hold other files
	}
	return errors.Join(errs...)
}
