package vendorexports

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/loaders"
)

// object is a JSON object; its keys are written in alphabetical order.
type object = map[string]any

// file is one file of an export: text, or a table that is written as Parquet.
type file struct {
	path  string // below the folder of the exports, with slashes
	text  []byte
	table *table
}

// table is what a Parquet file holds.
type table struct {
	columns []column
	rows    []object
}

// column is a column of a table, and the SQL that makes its values of the rows'.
type column struct{ name, typ string }

// Write writes the story and the exports that tell it to a folder.
func Write(ctx context.Context, dir string) (err error) {
	engine, err := loaders.Open(ctx, loaders.Options{Threads: 1, TempDir: dir, AllowedPaths: []string{dir}})
	if err != nil {
		return err
	}
	defer func() {
		if closed := engine.Close(); err == nil {
			err = closed
		}
	}()
	s := tell()
	for _, f := range slices.Concat(s.files(), optimizely(s), launchDarklyWarehouse(s), launchDarklyStream(s), vwo(s), flagSync(s)) {
		path := filepath.Join(dir, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if f.table != nil {
			err = writeTable(ctx, engine, path, *f.table)
		} else {
			err = os.WriteFile(path, f.text, 0o666)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", f.path, err)
		}
	}
	return nil
}

// writeTable has the engine write rows as Parquet, by way of lines of JSON.
func writeTable(ctx context.Context, engine *loaders.Engine, path string, t table) error {
	draft := path + ".draft.json"
	if err := os.WriteFile(draft, lines(t.rows), 0o666); err != nil {
		return err
	}
	var types, items []string
	for _, c := range t.columns {
		// Milliseconds have a type of their own in Parquet, which JSON lacks.
		read := strings.ReplaceAll(c.typ, "TIMESTAMP_MS", "TIMESTAMP")
		types = append(types, fmt.Sprintf("'%s': '%s'", c.name, read))
		items = append(items, fmt.Sprintf(`CAST("%s" AS %s) AS "%s"`, c.name, c.typ, c.name))
	}
	sql := fmt.Sprintf("COPY (SELECT %s FROM read_json('%s', format = 'newline_delimited', columns = {%s})) TO '%s' (FORMAT parquet, CODEC snappy)",
		strings.Join(items, ", "), draft, strings.Join(types, ", "), path)
	if err := engine.Exec(ctx, sql); err != nil {
		return err
	}
	return os.Remove(draft)
}

// lines are values as lines of JSON.
func lines[T any](values []T) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, v := range values {
		if err := e.Encode(v); err != nil {
			panic("vendorexports: " + err.Error()) // made of texts and numbers
		}
	}
	return b.Bytes()
}

// compact is a value as JSON text, as warehouses hold it; nil where there is none.
func compact(v object) any {
	if v == nil {
		return nil
	}
	return strings.TrimSpace(string(lines([]object{v})))
}

// zipped is text as gzip has it, without a time, so that it is always the same.
func zipped(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		panic("vendorexports: " + err.Error()) // a Buffer takes everything
	}
	if err := w.Close(); err != nil {
		panic("vendorexports: " + err.Error())
	}
	return b.Bytes()
}
