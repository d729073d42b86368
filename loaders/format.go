package loaders

import (
	"bytes"
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// endings are the formats of files by the endings of their names, in lower case.
var endings = map[string]metrics.FileFormat{
	".parquet": metrics.FormatParquet,
	".ndjson":  metrics.FormatNDJSON, ".jsonl": metrics.FormatNDJSON, ".json": metrics.FormatNDJSON,
	".csv": metrics.FormatCSV, ".tsv": metrics.FormatCSV,
}

// compressions are the endings behind those, of files that are compressed as a whole.
var compressions = []string{".gz", ".zst"}

// endingFormat is the format that the name of a file tells, or empty.
func endingFormat(file string) metrics.FileFormat {
	name := strings.ToLower(path.Base(file))
	for _, c := range compressions {
		if plain, ok := strings.CutSuffix(name, c); ok {
			if format := endings[path.Ext(plain)]; format != metrics.FormatParquet {
				return format
			}
			return ""
		}
	}
	return endings[path.Ext(name)]
}

// formatOfFile is the format of a file: what its name tells, else how it
// begins; empty where neither does.
func formatOfFile(ctx context.Context, engine *Engine, file string) (metrics.FileFormat, error) {
	if format := endingFormat(file); format != "" {
		return format, nil
	}
	begin, err := engine.readRange(ctx, file, 0, 512)
	if err != nil {
		return "", unreachable(file, err)
	}
	switch {
	case bytes.HasPrefix(begin, []byte("PAR1")):
		return metrics.FormatParquet, nil
	case bytes.HasPrefix(bytes.TrimLeft(begin, " \t\r\n"), []byte("{")):
		return metrics.FormatNDJSON, nil
	}
	return "", nil
}

// formatOfSource is the one format of the files of a source. Where they have
// several it is empty, and the list says which. What tells nothing is taken for
// Parquet, which says what is wrong.
func formatOfSource(ctx context.Context, engine *Engine, src *metrics.Source, files []string, list *diag.List) (metrics.FileFormat, error) {
	if src.Format.Set {
		return src.Format.V, nil
	}
	var first metrics.FileFormat
	var known, unknown string // the first file of that format, and the first of none
	for _, file := range files {
		format, err := formatOfFile(ctx, engine, file)
		switch {
		case err != nil:
			return "", err
		case format == "":
			unknown = cmp.Or(unknown, file)
		case first == "":
			first, known = format, file
		case format != first:
			list.Errorf(pathTo(src, file), "mixed-formats", "source %q has files of two formats: %s is %s, and %s is %s", src.Name.V, known, first, file, format).
				WithHint("make them two sources, each with a path of its own, such as '*.%s'", first)
			return "", nil
		}
	}
	if first != "" && first != metrics.FormatParquet && unknown != "" {
		list.Errorf(pathTo(src, unknown), "mixed-formats", "source %q has a file of no known format: %s is %s, and neither its name nor its first bytes tell what %s is", src.Name.V, known, first, unknown).
			WithHint("leave it out by a path such as '*%s', or write format: %s where it is of that format too", ending(known), first)
		return "", nil
	}
	return cmp.Or(first, metrics.FormatParquet), nil
}

// oneFormat leaves of the files of a folder those that the folder is for: its
// Parquet files, where it has any.
func oneFormat(files []string) []string {
	isParquet := func(file string) bool { return endingFormat(file) == metrics.FormatParquet }
	if !slices.ContainsFunc(files, isParquet) {
		return files
	}
	return slices.DeleteFunc(files, func(file string) bool { return !isParquet(file) })
}
