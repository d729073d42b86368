package loaders

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/metrics"
)

// This file is where it matters whether a data file lies in a folder or in an
// object store.

// objectsOf lists the objects of a path of a source. What is wrong with the path
// is in the list; lost says what was looked for where nothing is found.
func (e *Engine) objectsOf(ctx context.Context, src *metrics.Source, p metrics.Text, matters span, list, lost *diag.List) ([]string, error) {
	at, _, err := objectPattern(p.V)
	switch {
	case !objectstore.IsURL(p.V):
		scheme, _, _ := strings.Cut(p.V, "://")
		list.Errorf(p.Pos, "not-supported-yet", "object stores are read by s3:// alone, not by %s://", scheme).
			WithHint("most stores have an S3-compatible endpoint: set AWS_ENDPOINT_URL to it, and write s3://bucket/…")
		return nil, nil
	case errors.Is(err, objectstore.ErrCredentials):
		// Not at its place: the line would be shown.
		list.Errorf(diag.Pos{File: p.Pos.File}, "bad-path", "line %d: %s", p.Pos.Line, err).
			WithHint("they come from the environment or a profile, see docs/object-stores.md; change what was written there")
		return nil, nil
	case err != nil:
		list.Errorf(p.Pos, "bad-path", "this is no path of an object store: %s", err).
			WithHint("write it as s3://bucket/folder/*.parquet")
		return nil, nil
	case e.store == nil:
		panic("loaders: no object store was opened for " + at.String())
	}
	found, err := findObjects(ctx, e.store, p.V, src.Partition, matters)
	if err != nil {
		return nil, refusedAt(p.Pos, err, list)
	}
	if len(found) == 0 {
		said := lost.Errorf(p.Pos, "no-files", "no files match %q", p.V)
		if first, last, ok := matters.days(src.Partition); ok {
			said.Message += fmt.Sprintf(" with %s from %s to %s, the days that this run needs", src.Partition.Column.V, first.Format(time.DateOnly), last.Format(time.DateOnly))
		}
		said.Hint = e.nearestObject(ctx, at)
	}
	var files []string
	for _, o := range found {
		url := objectstore.Location{Bucket: at.Bucket, Key: o.Key}.String()
		e.objects[url] = o
		files = append(files, url)
	}
	return files, nil
}

// refusedAt puts what an object store refuses into the list, at the place of the
// path; the error is for all else.
func refusedAt(pos diag.Pos, err error, list *diag.List) error {
	var e *objectstore.Error
	switch {
	case !errors.As(err, &e):
		return err
	case e.Temporary():
		return unreachable(e.URL, e)
	}
	list.Errorf(pos, "object-store", "%s", e).Hint = e.Hint()
	return nil
}

// nearestObject says what lies at a location under which nothing matched.
func (e *Engine) nearestObject(ctx context.Context, at objectstore.Location) string {
	objects, folders, err := e.store.List(ctx, at, objectstore.Listing{Folders: true})
	if err != nil {
		return ""
	}
	var names []string
	for _, o := range objects {
		names = append(names, strings.TrimPrefix(o.Key, at.Key))
	}
	for _, f := range folders {
		names = append(names, strings.TrimPrefix(f, at.Key))
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" || isSide(name) })
	if len(names) == 0 {
		return fmt.Sprintf("nothing lies at %s", at)
	}
	return fmt.Sprintf("%s holds %s", at, some(names, 5))
}

// meansObject reports whether a path means an object.
func meansObject(pattern, url string) bool {
	at, segments, err := objectPattern(pattern)
	object, failed := objectstore.Parse(url)
	if err != nil || failed != nil || at.Bucket != object.Bucket {
		return false
	}
	_, ok := matchesKey(segments, strings.Split(object.Key, "/"))
	return ok
}

// unreachable is the error about a data file that may be right later; what an
// object store refuses stays as it is.
func unreachable(file string, err error) error {
	var e *objectstore.Error
	switch {
	case !errors.As(err, &e):
		return &UnreachableError{Path: file, Err: err}
	case !e.Temporary():
		return err
	}
	why := *e
	why.URL = "" // the path is said already
	return &UnreachableError{Path: file, Err: &why}
}

func isUnreachable(err error) bool {
	var e *UnreachableError
	return errors.As(err, &e)
}

// size gives the size of a data file, as far as possible from the listing.
func (e *Engine) size(ctx context.Context, file string) (int64, error) {
	if o, ok := e.objects[file]; ok {
		return o.Size, nil
	}
	return e.sizeNow(ctx, file)
}

// sizeNow asks for the size of a data file.
func (e *Engine) sizeNow(ctx context.Context, file string) (int64, error) {
	if objectstore.IsURL(file) {
		at, err := objectstore.Parse(file)
		if err != nil {
			return 0, err
		}
		size, err := e.store.Size(ctx, at)
		if err != nil {
			return 0, unreachable(file, err)
		}
		return size, nil
	}
	info, err := os.Stat(filepath.FromSlash(file))
	if err != nil {
		return 0, &UnreachableError{Path: file, Err: err}
	}
	return info.Size(), nil
}

// ends gives the first and the last bytes of a file, as many as the magic
// number has, one after the other, and its size. A shorter file has zeros.
func (e *Engine) ends(ctx context.Context, file string) (ends []byte, size int64, err error) {
	ends = make([]byte, 2*len(magic))
	if size, err = e.sizeNow(ctx, file); err != nil || size < int64(len(ends)) {
		return ends, size, err
	}
	for i, offset := range []int64{0, size - int64(len(magic))} {
		part, err := e.readRange(ctx, file, offset, len(magic))
		if err != nil {
			return nil, 0, unreachable(file, err)
		}
		copy(ends[i*len(magic):], part)
	}
	return ends, size, nil
}

// readRange reads some bytes of a file.
func (e *Engine) readRange(ctx context.Context, file string, offset int64, length int) ([]byte, error) {
	if objectstore.IsURL(file) {
		at, err := objectstore.Parse(file)
		if err != nil {
			return nil, err
		}
		return e.store.ReadRange(ctx, at, offset, int64(length))
	}
	f, err := os.Open(filepath.FromSlash(file))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	part := make([]byte, length)
	if _, err := f.ReadAt(part, offset); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return part, nil
}

// probe looks whether the objects among the files can be read at all.
func (e *Engine) probe(ctx context.Context, files []string) error {
	for _, file := range files {
		if !objectstore.IsURL(file) {
			continue
		}
		if _, err := e.readRange(ctx, file, 0, 1); err != nil {
			return unreachable(file, err)
		}
	}
	return nil
}
