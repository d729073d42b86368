package loaders

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// readDataFiles reads the columns of the files of an export, once for each
// schema. Files without columns are left out, and known to be empty.
func readDataFiles(ctx context.Context, engine *Engine, x *exported) ([]dataFile, error) {
	byFormat := map[metrics.FileFormat][]string{}
	for _, p := range x.files {
		format := endingFormat(p)
		byFormat[format] = append(byFormat[format], p)
	}
	var files []dataFile
	meanings := map[columnsOfFile]recognised{}
	for _, f := range []struct {
		format metrics.FileFormat
		read   func(context.Context, *Engine, []string) ([]dataFile, error)
	}{
		{metrics.FormatParquet, parquetFiles}, {metrics.FormatNDJSON, lineFiles}, {metrics.FormatCSV, fieldFiles},
	} {
		paths := byFormat[f.format]
		if len(paths) == 0 {
			continue
		}
		found, err := f.read(ctx, engine, paths)
		if err != nil {
			return nil, err
		}
		for i := range found {
			file := &found[i]
			file.format, file.levels, file.inPath = f.format, x.levels(file.path), columnsInPath(file.path, *file.columns)
			key := columnsOfFile{file.columns, strings.Join(file.inPath, "\n")}
			meaning, known := meanings[key]
			if !known {
				meaning = recognise(*file.columns, file.inPath)
				meanings[key] = meaning
			}
			file.meaning = meaning
		}
		files = append(files, found...)
	}
	slices.SortFunc(files, func(a, b dataFile) int { return strings.Compare(a.path, b.path) })
	for _, p := range x.files {
		if _, known := slices.BinarySearchFunc(files, p, func(f dataFile, p string) int { return strings.Compare(f.path, p) }); !known {
			x.empty = append(x.empty, p)
		}
	}
	return files, nil
}

// columnsOfFile is the schema of files with the columns that stand in their paths.
type columnsOfFile struct {
	schema *[]compiler.Column
	inPath string
}

// parquetFiles reads the footers of Parquet files.
func parquetFiles(ctx context.Context, engine *Engine, paths []string) ([]dataFile, error) {
	digests, err := schemaDigests(ctx, engine, paths)
	if err != nil {
		return nil, unreadableOf(ctx, engine, paths, err)
	}
	known := map[string]dataFile{}
	var files []dataFile
	for _, p := range paths {
		f, ok := known[digests[p]]
		if !ok {
			columns, err := describe(ctx, engine, sqlast.ReadParquet{Files: []string{sqlast.FileName(p)}})
			if err != nil {
				return nil, unreadableOf(ctx, engine, paths, err)
			}
			f.columns = &columns
			known[digests[p]] = f
		}
		f.path = p
		files = append(files, f)
	}
	return files, nil
}

// unreadableOf names the first of the files that cannot be read.
func unreadableOf(ctx context.Context, engine *Engine, paths []string, err error) error {
	broken, err := brokenFiles(ctx, engine, paths, err)
	if len(broken) > 0 {
		return &UnreachableError{Path: broken[0].file, Err: errors.New("it " + broken[0].why)}
	}
	return err
}

// lineFiles reads all lines of NDJSON files. A schema is the names of the members
// that a file has, with the types of their values in all files that have the
// same ones.
func lineFiles(ctx context.Context, engine *Engine, paths []string) ([]dataFile, error) {
	_, s, err := readMembers(ctx, engine, paths)
	if err != nil {
		return nil, cannotRead(ctx, engine, paths, err)
	}
	names := map[string][]string{} // of the members of a file, in their order
	for _, c := range s.columns {
		for _, file := range s.members[c.Name] {
			names[file] = append(names[file], c.Name)
		}
	}
	alike := map[string][]string{}
	var order []string
	for _, p := range paths {
		if len(names[p]) == 0 {
			continue
		}
		key := strings.Join(names[p], "\n")
		if alike[key] == nil {
			order = append(order, key)
		}
		alike[key] = append(alike[key], p)
	}
	var files []dataFile
	for _, key := range order {
		var columns []compiler.Column
		for _, name := range names[alike[key][0]] {
			columns = append(columns, compiler.Column{Name: name})
		}
		if err := lineTypes(ctx, engine, alike[key], columns); err != nil {
			return nil, cannotRead(ctx, engine, alike[key], err)
		}
		f := dataFile{columns: &columns}
		for _, f.path = range alike[key] {
			files = append(files, f)
		}
	}
	return files, nil
}

// fieldFiles reads the headers of CSV files.
func fieldFiles(ctx context.Context, engine *Engine, paths []string) ([]dataFile, error) {
	known := map[string]dataFile{}
	var files []dataFile
	for _, p := range paths {
		line, err := firstLine(ctx, engine, p)
		if err != nil {
			return nil, cannotRead(ctx, engine, []string{p}, err)
		}
		if line == "" {
			continue
		}
		f, ok := known[line]
		if !ok {
			f.delimiter = delimiterOf(line)
			names, err := headerNames(line, f.delimiter)
			if err != nil {
				return nil, &UnreachableError{Path: p, Err: errors.New("its first line is no header of CSV")}
			}
			called := engineNames([]header{{names: names}})
			var columns []compiler.Column
			for _, name := range names {
				columns = append(columns, compiler.Column{Name: called[name], Type: parseType("VARCHAR")})
			}
			f.columns = &columns
			known[line] = f
		}
		f.path = p
		files = append(files, f)
	}
	return files, nil
}

// cannotRead is the error about the first of the files that the engine cannot
// read at all.
func cannotRead(ctx context.Context, engine *Engine, paths []string, err error) error {
	var memory *MemoryError
	if ctx.Err() != nil || errors.As(err, &memory) {
		return err
	}
	if refused := engine.probe(ctx, paths); refused != nil {
		return refused
	}
	for _, p := range paths {
		if len(paths) > 1 {
			_, _, err = readMembers(ctx, engine, []string{p})
		}
		if err != nil {
			first, _, _ := strings.Cut(err.Error(), "\n")
			return &UnreachableError{Path: p, Err: errors.New(first)}
		}
	}
	return err
}
