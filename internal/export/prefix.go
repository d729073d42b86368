package export

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/metrics"
)

// Prefix is a place in an object store for result tables.
type Prefix struct {
	store *objectstore.Store
	at    objectstore.Location // its key is empty or ends in a slash
}

// OpenPrefix finds the place of a URL, s3://bucket/prefix, and asks the store
// whether it is there.
func OpenPrefix(ctx context.Context, url string) (*Prefix, error) {
	at, err := objectstore.Parse(url)
	if err != nil {
		return nil, err
	}
	if at.Key = path.Clean("/" + at.Key)[1:]; at.Key != "" {
		at.Key += "/"
	}
	store, err := objectstore.Open(ctx)
	if err != nil {
		return nil, err
	}
	p := &Prefix{store, at}
	if _, _, err := store.List(ctx, p.object(manifestFolder), objectstore.Listing{Folders: true}); err != nil {
		return nil, err
	}
	return p, nil
}

// String is the URL of the prefix.
func (p *Prefix) String() string { return p.at.String() }

// object is the location of a name below the prefix.
func (p *Prefix) object(name string) objectstore.Location {
	return objectstore.Location{Bucket: p.at.Bucket, Key: p.at.Key + name}
}

// uploads is how many objects are written at a time.
const uploads = 8

// Write writes the tables of one run, in each of the formats, and gives the
// objects in a stable order. The layout is that of docs/results.md:
//
//	TABLE/experiment=KEY/as_of=TIME/TABLE_RUN-DIGEST.parquet
//	manifests/as_of=TIME/RUN.json
//
// An object store has no rename. So no object that a reader may be reading is
// written again with other content: the name has a digest of that. The run is
// there with its manifest, which names the objects and is written when all of
// them are; then what it replaces is removed. Where the context ends before,
// or an object cannot be written, what was there still counts, and what was
// written is removed as far as the store answers. The instant orders manifests.
func (p *Prefix) Write(ctx context.Context, tables *metrics.Tables, formats []Format, now time.Time) ([]Written, error) {
	written, err := p.write(ctx, tables, formats, now)
	if err != nil {
		return nil, fmt.Errorf("write result tables to %s: %w", p, err)
	}
	return written, nil
}

func (p *Prefix) write(ctx context.Context, tables *metrics.Tables, formats []Format, now time.Time) ([]Written, error) {
	if len(tables.Runs) != 1 {
		return nil, fmt.Errorf("a run has one row in the table runs, not %d", len(tables.Runs))
	}
	if len(formats) == 0 {
		return nil, errors.New("no format is given")
	}
	fo := folder{run: tables.Runs[0]}
	others, err := p.manifests(ctx, fo.run.AsOf)
	if err != nil {
		return nil, err
	}
	mine := newManifest(fo.run, computedExperiments(tables), tables, later(now, others))
	before := others[mine.name()]
	delete(others, mine.name())

	files, err := fo.objects(tables, formats)
	if err != nil {
		return nil, err
	}
	if err := p.upload(ctx, files); err != nil {
		p.discard(ctx, files, before)
		return nil, err
	}
	var written []Written
	for _, f := range files {
		mine.Objects = append(mine.Objects, f.manifestObject)
		written = append(written, Written{f.Table, f.Format, p.object(f.Path).String(), f.Rows})
	}
	if err := p.store.Write(ctx, p.object(mine.name()), mine.text(), "application/json"); err != nil {
		// Without an answer it may be there all the same, and then its objects must be.
		if e := (*objectstore.Error)(nil); errors.As(err, &e) && !e.Temporary() {
			p.discard(ctx, files, before)
		}
		return nil, err
	}

	// The run is there. What it replaces goes even if the context ends now.
	ctx = context.WithoutCancel(ctx)
	if err := p.removeReplaced(ctx, mine, before, others); err != nil {
		return nil, fmt.Errorf("the tables are there, but what they replace cannot be removed: %w", err)
	}
	return written, nil
}

// newObject is an object to be written.
type newObject struct {
	manifestObject
	data []byte
}

// objects encodes the tables: the parts that files have in a folder.
func (fo folder) objects(tables *metrics.Tables, formats []Format) ([]newObject, error) {
	var files []newObject
	for _, part := range fo.parts(tables) {
		for _, f := range formats {
			var b bytes.Buffer
			if err := encodeFile(&b, f, part.table); err != nil {
				return nil, fmt.Errorf("write the table %s as %s: %w", part.table.Name, f, err)
			}
			sum := sha256.Sum256(b.Bytes())
			digest := hex.EncodeToString(sum[:])
			name := fmt.Sprintf("%s_%s-%s.%s", part.table.Name, pathText(fo.run.RunID), digest[:8], f)
			files = append(files, newObject{manifestObject{
				Table: part.table.Name, Experiment: part.experiment, Format: f, Rows: len(part.table.Rows),
				Path: filepath.ToSlash(filepath.Join(filepath.Dir(part.path), name)), Bytes: b.Len(), SHA256: digest,
			}, b.Bytes()})
		}
	}
	return files, nil
}

// upload writes the objects, several at a time. After an error it begins none, and
// waits for those that are on their way: what is removed then stays removed.
func (p *Prefix) upload(ctx context.Context, files []newObject) error {
	failed, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	next := make(chan newObject)
	var workers sync.WaitGroup
	for range min(uploads, len(files)) {
		workers.Go(func() {
			for f := range next {
				if err := p.store.Write(ctx, p.object(f.Path), f.data, contentTypes[f.Format]); err != nil {
					fail(err)
				}
			}
		})
	}
	for _, f := range files {
		if failed.Err() != nil {
			break
		}
		next <- f
	}
	close(next)
	workers.Wait()
	return context.Cause(failed)
}

var contentTypes = map[Format]string{
	Parquet: "application/vnd.apache.parquet", CSV: "text/csv", JSONL: "application/jsonl",
}

// discardTime bounds the tidying after a failure.
const discardTime = 10 * time.Second

// discard removes objects that no manifest names, as far as the store answers.
func (p *Prefix) discard(ctx context.Context, files []newObject, before *manifest) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTime)
	defer cancel()
	for _, f := range files {
		if before != nil && slices.ContainsFunc(before.Objects, func(o manifestObject) bool { return o.Path == f.Path }) {
			continue
		}
		if err := p.store.Remove(ctx, p.object(f.Path)); err != nil {
			return
		}
	}
}
