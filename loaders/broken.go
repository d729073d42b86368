package loaders

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/metrics"
)

// Damaged says where a file has rows that cannot be read, though its footer
// can, because of which a statement over the catalog's sources failed with err.
// It reads the files one by one up to that one. Where there is none, or the
// engine is not to be asked any more, it gives err itself.
func Damaged(ctx context.Context, engine *Engine, catalog *compiler.Catalog, err error) error {
	var memory *MemoryError
	if ctx.Err() != nil || errors.As(err, &memory) || engine.store != nil && isUnreachable(err) || engine.Exec(ctx, "SELECT 1") != nil {
		return err
	}
	for _, s := range slices.Concat(catalog.Impressions, catalog.Events, catalog.Excluded) {
		if len(s.Def.Paths) == 0 {
			continue
		}
		for _, f := range s.Files {
			failed := readThrough(ctx, engine, s, f)
			switch {
			case ctx.Err() != nil || errors.As(failed, &memory):
				return err
			case failed != nil:
				var list diag.List
				if _, gone := engine.sizeNow(ctx, f.Path); gone != nil {
					if gone = refusedAt(pathTo(s.Def, f.Path), gone, &list); gone != nil {
						return gone
					}
					return list
				}
				list.Errorf(pathTo(s.Def, f.Path), "bad-file", "%s is damaged: not all of its rows can be read", f.Path).Hint = hintWhole
				return list
			}
		}
	}
	return err
}

// readThrough reads every row of a file.
func readThrough(ctx context.Context, engine *Engine, s *compiler.Source, f compiler.File) error {
	read, err := sqlast.PrintFrom(sqlast.DuckDB, sqlast.Aliased(sqlast.OfFiles(s.Read, []string{sqlast.FileName(f.Path)}), "r"))
	if err != nil {
		return err
	}
	_, err = engine.Query(ctx, "SELECT max(hash(r)) FROM "+read)
	return err
}

// fault is why a file is no Parquet file that can be read, and what to do.
type fault struct{ why, hint string }

const (
	hintWhole   = "write it again as a whole, or leave it out of the path; if it is being written right now, run again when it is done"
	hintParquet = "leave other files out of the path; NDJSON and CSV are known by the endings of their names, or by format: ndjson and format: csv"
)

// unreadableLines says which files of lines made the engine fail with err.
func (in *inspector) unreadableLines(ctx context.Context, engine *Engine, files []string, err error) error {
	var memory *MemoryError
	if ctx.Err() != nil || errors.As(err, &memory) {
		return err
	}
	var (
		gone    *UnreachableError
		several *oneDelimiterError
		damaged *damagedError
		marked  *markedError
		encoded *encodedError
	)
	switch {
	case errors.As(err, &gone) && gone.Path != "":
		return err
	case errors.As(err, &several):
		in.list.Errorf(pathTo(in.def, several.file), "mixed-formats", "%s", several.Error()).WithHint("make them two sources")
		return nil
	case errors.As(err, &damaged):
		in.list.Errorf(pathTo(in.def, damaged.file), "bad-file", "%s", damaged.Error()).Hint = hintWhole
		return nil
	case errors.As(err, &marked):
		in.list.Errorf(pathTo(in.def, marked.file), "bad-file", "%s", marked.Error()).Hint = hintMark
		return nil
	case errors.As(err, &encoded):
		in.list.Errorf(pathTo(in.def, encoded.file), "bad-file", "%s", encoded.Error()).Hint = encoded.Hint()
		return nil
	}
	for _, file := range files {
		if _, failed := engine.Query(ctx, "SELECT size FROM read_blob("+quoteText(sqlast.FileName(file))+")"); failed != nil {
			return &UnreachableError{Path: file, Err: failed}
		}
		read := readLines
		if in.format == metrics.FormatCSV {
			read = readCSV
		}
		if _, _, failed := read(ctx, engine, []string{file}); failed != nil {
			first, _, _ := strings.Cut(failed.Error(), "\n")
			in.list.Errorf(pathTo(in.def, file), "bad-file", "%s cannot be read as %s: %s", file, strings.ToUpper(string(in.format)), first).
				WithHint("mend the file, or leave it out of the path")
			err = nil
		}
	}
	return err
}

// brokenFile is a file with its fault.
type brokenFile struct {
	file string
	fault
}

// unreadable says at their paths which files made the engine fail with err; the
// error is then nil.
func (in *inspector) unreadable(ctx context.Context, engine *Engine, files []string, err error) error {
	if in.format == metrics.FormatNDJSON || in.format == metrics.FormatCSV {
		if refused := engine.probe(ctx, files); refused != nil {
			return in.refused(refused)
		}
		return in.refused(in.unreadableLines(ctx, engine, files, err))
	}
	broken, err := brokenFiles(ctx, engine, files, err)
	for _, b := range broken {
		in.list.Errorf(pathTo(in.def, b.file), "bad-file", "%s %s", b.file, b.why).Hint = b.hint
	}
	return in.refused(err)
}

// refused puts what an object store, or the system, refuses into the list; the error is
// for all else.
func (in *inspector) refused(err error) error {
	var closed *UnreachableError
	if why, hint := lasting(err); why != "" && errors.As(err, &closed) {
		in.list.Errorf(pathTo(in.def, closed.Path), "bad-file", "%s", why).Hint = hint
		return nil
	}
	if e := (*objectstore.Error)(nil); errors.As(err, &e) {
		return refusedAt(pathTo(in.def, e.URL), err, in.list)
	}
	return err
}

// brokenFiles are the files because of which the engine failed with err: those
// that are no Parquet. Where there are none, it is the error that says why:
// a file that cannot be opened may be back later.
func brokenFiles(ctx context.Context, engine *Engine, files []string, err error) ([]brokenFile, error) {
	var memory *MemoryError
	if ctx.Err() != nil || errors.As(err, &memory) {
		return nil, err
	}
	for _, look := range []func(string) (fault, error){
		func(file string) (fault, error) { return faultOfEnds(ctx, engine, file) },
		func(file string) (fault, error) { return faultOfFooter(ctx, engine, file) },
	} {
		var broken []brokenFile
		for _, file := range files {
			f, err := look(file)
			if err != nil {
				return nil, err
			}
			if f.why != "" {
				broken = append(broken, brokenFile{file, f})
			}
		}
		if len(broken) > 0 {
			return broken, nil
		}
	}
	var unreachable *UnreachableError
	if errors.As(err, &unreachable) {
		return nil, err
	}
	return nil, &UnreachableError{Err: err}
}

// magic is what every Parquet file begins and ends with.
const magic, encrypted = "PAR1", "PARE"

// faultOfEnds looks at the first and last bytes of a file, which are the same
// in every Parquet file.
func faultOfEnds(ctx context.Context, engine *Engine, file string) (fault, error) {
	ends, size, err := engine.ends(ctx, file)
	if err != nil {
		return fault{}, err
	}
	begin, end := string(ends[:len(magic)]), string(ends[len(magic):])
	switch {
	case size == 0:
		return fault{"is empty", hintWhole}, nil
	case begin == encrypted || end == encrypted:
		return fault{"is encrypted", "write the export without encryption"}, nil
	case begin == magic && end != magic:
		return fault{"is cut off: it begins as Parquet and does not end so", hintWhole}, nil
	case begin != magic:
		return fault{"is no Parquet file" + formatOf(file), hintParquet}, nil
	}
	return fault{}, nil
}

// formatOf says what a file is by its name, where that is another known format.
func formatOf(file string) string {
	name := strings.TrimSuffix(strings.ToLower(path.Base(file)), ".gz")
	switch ext := path.Ext(name); ext {
	case ".csv", ".tsv", ".json", ".ndjson", ".jsonl", ".avro", ".orc", ".yaml":
		return " but " + strings.ToUpper(ext[1:])
	}
	return ""
}

// faultOfFooter asks the engine for the footer of one file.
func faultOfFooter(ctx context.Context, engine *Engine, file string) (fault, error) {
	rows, err := engine.Query(ctx, "SELECT count(*) FROM parquet_schema("+quoteText(sqlast.FileName(file))+") WHERE column_id > 0")
	var unreachable *UnreachableError
	switch {
	case ctx.Err() != nil:
		return fault{}, err
	case errors.As(err, &unreachable):
		return fault{}, &UnreachableError{Path: file, Err: unreachable.Err}
	case err != nil:
		return fault{"is damaged: its footer cannot be read", hintWhole}, nil
	case rows.Cells[0][0] == int64(0):
		return fault{"has no columns", hintParquet}, nil
	}
	return fault{}, nil
}
