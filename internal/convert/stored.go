package convert

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/loaders"
)

// openStore opens the object store where some path is in one; else it gives nil.
func openStore(ctx context.Context, paths []string) (*objectstore.Store, error) {
	if !slices.ContainsFunc(paths, objectstore.IsURL) {
		return nil, nil
	}
	return objectstore.Open(ctx)
}

// storedInputs lists the objects that a path in an object store means, but those that are
// no lines.
func storedInputs(ctx context.Context, store *objectstore.Store, path string) ([]input, error) {
	objects, err := loaders.Objects(ctx, store, path)
	if err != nil {
		return nil, err
	}
	at, err := objectstore.Parse(path)
	if err != nil {
		return nil, err
	}
	var inputs []input
	for _, o := range objects {
		url := objectstore.Location{Bucket: at.Bucket, Key: o.Key}.String()
		if url == path || lines(url) != "" {
			inputs = append(inputs, input{Path: url, Size: o.Size, Modified: o.Changed.UTC(), stored: &stored{ctx, store}})
		}
	}
	return inputs, nil
}

// stored is how to read an input that is an object.
type stored struct {
	ctx   context.Context
	store *objectstore.Store
}

// takeStored gives the inputs of a plan the way to those that are objects.
func (p *plan) takeStored(inputs []input) {
	for _, in := range inputs {
		if i := slices.IndexFunc(p.Inputs, func(other input) bool { return other.Path == in.Path }); i >= 0 {
			p.Inputs[i].stored = in.stored
		}
	}
}

// open reads an object from its beginning.
func (s *stored) open(in input) (*objectReader, error) {
	at, err := objectstore.Parse(in.Path)
	return &objectReader{stored: s, at: at, size: in.Size}, err
}

// ofStore reports whether an error is one of reading an object, and says all.
func ofStore(err error) bool {
	var store *objectstore.Error
	var mistake *MistakeError
	return errors.As(err, &store) || errors.As(err, &mistake) || errors.Is(err, context.Canceled)
}

// readSize is how much of an object is asked for at a time.
const readSize = 8 << 20

// objectReader reads an object range by range: each is asked for again by the store's rules
// where it fails, however long the whole takes.
type objectReader struct {
	*stored
	at           objectstore.Location
	size, offset int64
	data         []byte // what was read from offset on
}

func (r *objectReader) Read(p []byte) (int, error) {
	if r.offset >= r.size {
		return 0, io.EOF
	}
	if len(r.data) == 0 {
		var err error
		if r.data, err = r.store.ReadRange(r.ctx, r.at, r.offset, min(readSize, r.size-r.offset)); err != nil {
			return 0, err
		}
		if len(r.data) == 0 {
			return 0, changed(r.at.String())
		}
	}
	n := copy(p, r.data)
	r.data = r.data[n:]
	r.offset += int64(n)
	return n, nil
}

// Seek goes on to an offset from the beginning.
func (r *objectReader) Seek(offset int64, _ int) (int64, error) {
	r.offset, r.data = offset, nil
	return offset, nil
}

func (r *objectReader) Close() error { return nil }
