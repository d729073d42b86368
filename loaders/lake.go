package loaders

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/metrics"
)

// tableLogs are what programs that keep tables in files write beside them, by their
// names: which of the files are the table's now. Those of before lie there as well.
var tableLogs = []struct{ folder, ending, kind string }{
	{"_delta_log", ".json", "Delta"},
	{"metadata", ".metadata.json", "Iceberg"},
	{".hoodie", "hoodie.properties", "Hudi"},
}

// warnOfTables says that files are those of a table that a log tells: rows of files which
// it has replaced would be read twice, and those that it has deleted once.
func warnOfTables(src *metrics.Source, files []string, list *diag.List) {
	seen := map[string]bool{}
	for _, file := range files {
		if objectstore.IsURL(file) {
			continue
		}
		for folder := path.Dir(file); !seen[folder]; folder = path.Dir(folder) {
			seen[folder] = true
			for _, log := range tableLogs {
				entries, err := os.ReadDir(filepath.FromSlash(path.Join(folder, log.folder)))
				if err != nil || !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), log.ending) }) {
					continue
				}
				list.Warnf(pathTo(src, file), "table-log", "source %q reads all files of the %s table %s, those too that the table has replaced or deleted", src.Name.V, log.kind, folder).
					WithHint("write the rows of the table to plain Parquet, and read that; or read it here where nothing was ever changed or compacted in it")
				return
			}
		}
	}
}
