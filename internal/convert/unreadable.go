package convert

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/metrics"
)

// searched is how much of a file FirstUnreadable looks at: some seconds' worth.
const searched = 512 << 20

// FirstUnreadable finds the first record of a file, or of an object, that cannot be read: its
// line, 0 where there is none near the beginning, and why. The format may be empty: then
// the name tells it.
func FirstUnreadable(ctx context.Context, path string, format metrics.FileFormat) (line int64, reason string, err error) {
	find := fileInputs
	if !objectstore.IsURL(path) {
		path = filepath.ToSlash(filepath.Clean(path))
	} else {
		find = func(path string) ([]input, error) {
			store, err := objectstore.Open(ctx)
			if err != nil {
				return nil, err
			}
			return storedInputs(ctx, store, path)
		}
	}
	found, err := find(path)
	if format = cmp.Or(format, lines(path)); err != nil || format == "" || len(found) != 1 || found[0].Path != path {
		return 0, "", err
	}
	in, read := found[0], int64(0)
	enough := errors.New("enough")
	err = blocks(&in, format, spelling{}, &read, func(b block) error {
		reader, rows := readers(format)(in), &shape{row: true}
		if b.long {
			line, reason = b.line, errLong.Error()
			return enough
		}
		for record, number := range b.records(in.cutter(format)) {
			if _, err := reader.read(record, rows); err != nil {
				line, reason = number, err.Error()
				return enough
			}
		}
		if b.offset > searched {
			return enough
		}
		return ctx.Err()
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return line, reason, err
}
