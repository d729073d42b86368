package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/metricsjob/metricsjob/loaders"
)

// lines is the file that has the events of the export as NDJSON.
func (b bench) lines() string { return filepath.Join(b.folder, b.size+"-lines", "events.ndjson") }

// converted is the folder for what is made of the lines.
func (b bench) converted(by string) string {
	return filepath.Join(b.folder, "results", b.size, "converted-"+by)
}

// conversions compares metricsjob convert, with its file of rejects, its days and its types
// of all rows, with DuckDB's own COPY of what read_json makes of the same lines, which is one
// file in an order of its own, by types of the first rows.
func (b bench) conversions(ctx context.Context, stdout, stderr io.Writer) error {
	if err := b.start(ctx, stderr, "lines"); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	program := []string{"convert", b.lines(), "--out", b.converted("program"), "--anew", "--partition", "day", "--quiet"}
	if b.threads > 0 {
		program = append(program, "--threads", fmt.Sprint(b.threads))
	}
	if b.memory > 0 {
		program = append(program, "--memory", fmt.Sprintf("%dGB", b.memory))
	}
	rows := []row{
		{name: "COPY (FROM read_json)", command: self, args: b.args("copy"), reference: true},
		{name: "metricsjob convert", command: b.program, args: program},
	}
	for round := range b.rounds {
		for i := range rows {
			fmt.Fprintf(stderr, "round %d of %d: %s\n", round+1, b.rounds, rows[i].name)
			took, err := timed(ctx, nil, rows[i].command, rows[i].args...)
			if err != nil {
				return err
			}
			rows[i].costs = append(rows[i].costs, took)
		}
	}
	info, err := os.Stat(b.lines())
	if err != nil {
		return err
	}
	title := fmt.Sprintf("%s events, %d MB of NDJSON to Parquet, medians of %d", b.size, info.Size()/1e6, b.rounds)
	return printRows(stdout, title, rows)
}

// writeLines writes the events of the export as NDJSON, unless they are there.
func (b bench) writeLines(ctx context.Context) error {
	if _, err := os.Stat(b.lines()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	draft := b.lines() + ".part"
	if err := b.copyWithin(ctx, filepath.Dir(draft), fmt.Sprintf("COPY (FROM read_parquet('%s/events/*/*.parquet')) TO '%s' (FORMAT json)", b.data(), draft)); err != nil {
		return err
	}
	return os.Rename(draft, b.lines())
}

// copyLines is the conversion by DuckDB.
func (b bench) copyLines(ctx context.Context) error {
	folder := b.converted("copy")
	return b.copyWithin(ctx, folder, fmt.Sprintf("COPY (FROM read_json('%s')) TO '%s/events.parquet' (FORMAT parquet, COMPRESSION zstd)", b.lines(), folder))
}

// copyWithin runs a statement that writes into a folder.
func (b bench) copyWithin(ctx context.Context, folder, statement string) (err error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	engine, err := loaders.Open(ctx, loaders.Options{
		Threads: b.threads, Memory: b.memory * 1e9, AllowedPaths: []string{b.data(), filepath.Dir(b.lines()), folder},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	return engine.Exec(ctx, statement)
}
