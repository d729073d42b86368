package convert

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/loaders"
)

// prefix is a place in an object store. What is written there has the same name and content
// when it is written again, so that whoever goes on replaces what a process that was killed
// had not noted. Nothing keeps others from writing there meanwhile.
type prefix struct {
	store  *objectstore.Store
	at     objectstore.Location // its key is empty or ends in a slash
	temp   string
	forget func() error // removes temp
}

// rejectsFolder is where rejects lie in an object store, to whose objects nothing can be added.
const rejectsFolder = "_rejects"

// openPrefix opens the place of a URL, with a folder for work in temp.
func openPrefix(ctx context.Context, url, temp string) (_ *prefix, err error) {
	at, err := objectstore.Parse(url)
	if err != nil {
		return nil, mistakef("%s: %v", url, err)
	}
	if at.Key = path.Clean("/" + at.Key)[1:]; at.Key != "" {
		at.Key += "/"
	}
	p := &prefix{at: at}
	if p.store, err = objectstore.Open(ctx); err != nil {
		return nil, err
	}
	if _, err := p.empty(ctx); err != nil {
		return nil, err
	}
	if p.temp, p.forget, err = loaders.TempFolder(temp); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *prefix) object(name string) objectstore.Location {
	return objectstore.Location{Bucket: p.at.Bucket, Key: p.at.Key + name}
}

func (p *prefix) work() string { return filepath.Join(p.temp, workFolder) }

func (p *prefix) close() error { return p.forget() }

func (p *prefix) read(ctx context.Context, name string) ([]byte, error) {
	text, err := p.store.Read(ctx, p.object(name))
	if e := (*objectstore.Error)(nil); errors.As(err, &e) && e.Kind == objectstore.NoObject {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return text, err
}

func (p *prefix) write(ctx context.Context, name string, text []byte) error {
	return p.store.Write(ctx, p.object(name), text, "application/json")
}

func (p *prefix) take(ctx context.Context, file, name string) error {
	kind := "application/vnd.apache.parquet"
	if !isPart(name) {
		kind = "application/jsonl"
	}
	return p.store.WriteFile(ctx, p.object(name), file, kind)
}

func (p *prefix) remove(ctx context.Context, name string) error {
	return p.store.Remove(ctx, p.object(name))
}

func (p *prefix) empty(ctx context.Context) (bool, error) {
	objects, folders, err := p.store.List(ctx, p.at, objectstore.Listing{Folders: true})
	return len(objects)+len(folders) == 0, err
}

func (p *prefix) clear(ctx context.Context) error {
	for _, name := range stateFiles {
		if err := p.remove(ctx, name); err != nil {
			return err
		}
	}
	objects, _, err := p.store.List(ctx, p.at, objectstore.Listing{})
	if err != nil {
		return err
	}
	for _, o := range objects {
		name := strings.TrimPrefix(o.Key, p.at.Key)
		if !isPart(name) && !strings.HasPrefix(name, rejectsFolder+"/") {
			continue
		}
		if err := p.remove(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
