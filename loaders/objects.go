package loaders

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/metrics"
)

// span is the time that matters, [from, to); the zero span is all of it.
type span struct{ from, to time.Time }

// days are the first and the last day of the partitions that can hold rows of
// the span; ok is false where all of them can.
func (s span) days(p *metrics.Partition) (first, last time.Time, ok bool) {
	if p == nil || s.to.IsZero() {
		return first, last, false
	}
	first = s.from.UTC().Truncate(day).Add(-p.Early)
	last = s.to.UTC().Add(-time.Microsecond).Truncate(day).Add(p.Late)
	return first, last, true
}

// objectFinder finds the objects that a pattern means, with as few requests as
// the days of the partition allow.
type objectFinder struct {
	store    *objectstore.Store
	bucket   string
	segments []string // of the pattern
	// level is how the level of the partition begins, as in "ds="; empty where
	// every day is wanted.
	level       string
	first, last time.Time
	found       []foundObject
}

// findObjects lists the objects that a path of a source in an object store
// means, by the rules for files; of partitions only those with days of the span.
func findObjects(ctx context.Context, store *objectstore.Store, pattern string, p *metrics.Partition, matters span) ([]objectstore.Object, error) {
	at, segments, err := objectPattern(pattern)
	if err != nil {
		return nil, err
	}
	f := &objectFinder{store: store, bucket: at.Bucket, segments: segments}
	if first, last, ok := matters.days(p); ok {
		f.level, f.first, f.last = p.Column.V+"=", first, last
	}
	fixed := slices.IndexFunc(segments, hasWildcard)
	if fixed >= 0 {
		err := f.descend(ctx, folderOf(segments[:fixed]))
		return f.result(), err
	}
	name := strings.Join(segments, "/")
	same, _, err := store.List(ctx, f.at(name), objectstore.Listing{Until: name, Folders: true})
	switch {
	case err != nil:
		return nil, err
	case len(same) > 0:
		return same[:1], nil
	}
	err = f.descend(ctx, folderOf(segments))
	return f.result(), err
}

// objectPattern takes a path in an object store apart: its bucket, with the key
// up to the first wildcard, and the segments of the pattern.
func objectPattern(pattern string) (objectstore.Location, []string, error) {
	at, err := objectstore.Parse(pattern)
	if err != nil {
		return at, nil, err
	}
	segments := strings.Split(strings.TrimSuffix(at.Key, "/"), "/")
	if at.Key == "" {
		segments = []string{"**"}
	}
	if fixed := slices.IndexFunc(segments, hasWildcard); fixed >= 0 {
		at.Key = folderOf(segments[:fixed])
	}
	return at, segments, nil
}

// folderOf is the beginning of the keys in a folder.
func folderOf(levels []string) string {
	if len(levels) == 0 {
		return ""
	}
	return strings.Join(levels, "/") + "/"
}

func (f *objectFinder) at(key string) objectstore.Location {
	return objectstore.Location{Bucket: f.bucket, Key: key}
}

// descend lists a folder: level by level down to that of the partition, of
// which only the days that matter are listed, and everything below at once.
func (f *objectFinder) descend(ctx context.Context, folder string) error {
	levels := strings.Split(strings.TrimSuffix(folder, "/"), "/")
	next := f.next(len(levels))
	if folder == "" {
		next = f.next(0)
	}
	begin := folder + fixedPart(next)
	inPartition := slices.ContainsFunc(levels, func(level string) bool { return strings.HasPrefix(level, f.level) })
	switch {
	case f.level == "" || inPartition:
		return f.list(ctx, begin, objectstore.Listing{})
	case strings.HasPrefix(next, f.level):
		return f.partitions(ctx, folder)
	}
	objects, folders, err := f.store.List(ctx, f.at(begin), objectstore.Listing{Folders: true})
	if err != nil {
		return err
	}
	f.keep(objects)
	days := false
	for _, below := range folders {
		switch {
		case strings.HasPrefix(path.Base(below), f.level):
			days = true
		case leads(f.segments, strings.Split(strings.TrimSuffix(below, "/"), "/")):
			if err := f.descend(ctx, below); err != nil {
				return err
			}
		}
	}
	if !days {
		return nil
	}
	return f.partitions(ctx, folder)
}

// next is the segment of the pattern for names at a depth, ** where that
// depends on the names above.
func (f *objectFinder) next(depth int) string {
	if depth >= len(f.segments) || slices.Contains(f.segments[:depth+1], "**") {
		return "**"
	}
	return f.segments[depth]
}

// partitions lists the days that matter, and what is no day. Keys are in order, and so are days
// as they are mostly written.
func (f *objectFinder) partitions(ctx context.Context, folder string) error {
	begin := folder + f.level
	days := objectstore.Listing{After: begin + f.first.Format(time.DateOnly), Until: begin + f.last.Add(day).Format(time.DateOnly)}
	_, folders, err := f.store.List(ctx, f.at(begin), objectstore.Listing{Folders: true})
	if err != nil {
		return err
	}
	for _, level := range folders {
		if level > days.After && level < days.Until {
			continue // listed with the others
		}
		when, ok := dayOfLevel(strings.TrimSuffix(strings.TrimPrefix(level, begin), "/"))
		if ok && (when.Before(f.first) || when.After(f.last)) {
			continue
		}
		if err := f.list(ctx, level, objectstore.Listing{}); err != nil {
			return err
		}
	}
	return f.list(ctx, begin, days)
}

func (f *objectFinder) list(ctx context.Context, begin string, l objectstore.Listing) error {
	objects, _, err := f.store.List(ctx, f.at(begin), l)
	f.keep(objects)
	return err
}

// keep takes the objects that the pattern matches.
func (f *objectFinder) keep(objects []objectstore.Object) {
	for _, o := range objects {
		levels := strings.Split(o.Key, "/")
		if folder, ok := matchesKey(f.segments, levels); ok {
			f.found = append(f.found, foundObject{o, strings.Join(levels[:folder], "/")})
		}
	}
}

// foundObject is an object, and the folder that the pattern means, if it does not
// mean the object itself.
type foundObject struct {
	objectstore.Object
	folder string
}

// result are the objects: those of a folder that the pattern means, or of the
// whole search where it ends in **, of one format.
func (f *objectFinder) result() []objectstore.Object {
	parquet := map[string]bool{} // the folders that have Parquet files
	any := f.segments[len(f.segments)-1] == "**"
	for _, o := range f.found {
		parquet[o.folder] = parquet[o.folder] || endingFormat(o.Key) == metrics.FormatParquet
	}
	var out []objectstore.Object
	for _, o := range f.found {
		if (o.folder == "" && !any) || !parquet[o.folder] || endingFormat(o.Key) == metrics.FormatParquet {
			out = append(out, o.Object)
		}
	}
	return out
}

// fixedPart is what all names begin with that a segment matches.
func fixedPart(segment string) string {
	if i := strings.IndexAny(segment, `*?[\`); i >= 0 {
		return segment[:i]
	}
	return segment
}

func hasWildcard(segment string) bool { return strings.ContainsAny(segment, "*?[") }

// anyBelow are the segments for all data files below a folder.
var anyBelow = []string{"**", anyData}

// matchesKey reports whether a pattern means the object with these levels: the
// rules are those of expand, for names alone. Where it means a folder that the
// object lies in, folder is the number of levels of that, else 0.
func matchesKey(segments, levels []string) (folder int, ok bool) {
	head, rest := segments[0], segments[1:]
	if head == "**" {
		if len(rest) == 0 {
			rest = anyBelow[1:]
		}
		if folder, ok := matchesKey(rest, levels); ok {
			return folder, ok
		}
		if len(levels) == 1 || isSide(levels[0]) {
			return 0, false
		}
		return deeper(matchesKey(segments, levels[1:]))
	}
	switch {
	case levels[0] == "" || !matchesName(head, levels[0]): // the empty one marks a folder
		return 0, false
	case len(rest) > 0 && len(levels) > 1:
		return deeper(matchesKey(rest, levels[1:]))
	case len(rest) > 0:
		return 0, false
	case len(levels) > 1: // it is a folder
		_, ok := matchesKey(anyBelow, levels[1:])
		return 1, ok
	}
	return 0, true
}

// deeper is the same as seen from the folder above.
func deeper(folder int, ok bool) (int, bool) {
	if folder > 0 {
		folder++
	}
	return folder, ok
}

// leads reports whether a pattern may match something below a folder.
func leads(segments, levels []string) bool {
	if len(levels) == 0 {
		return true
	}
	if len(segments) == 0 {
		segments = anyBelow
	}
	head, rest := segments[0], segments[1:]
	if head == "**" {
		return len(rest) > 0 && leads(rest, levels) || !isSide(levels[0]) && leads(segments, levels[1:])
	}
	return matchesName(head, levels[0]) && leads(rest, levels[1:])
}

// matchesName reports whether a segment without ** means a name: hidden ones and
// side files only letter by letter.
func matchesName(segment, name string) bool {
	return segment == name || !isSide(name) && matches(segment, name)
}
