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

// The orders of the events of the export as NDJSON: that of time, and one in which the days of all
// lines are mixed, as where they come late.
const (
	inOrder = "lines"
	mixed   = "mixed"
)

// lines is the file that has the events as NDJSON in an order.
func (b bench) lines(order string) string {
	return filepath.Join(b.folder, b.size+"-"+order, "events.ndjson")
}

// converted is the folder for what is made of the lines.
func (b bench) converted(by string) string {
	return filepath.Join(b.folder, "results", b.size, "converted-"+by)
}

// conversions compares conversions of the lines in each order.
func (b bench) conversions(ctx context.Context, stdout, stderr io.Writer) error {
	for _, order := range []string{inOrder, mixed} {
		if err := b.conversion(ctx, order, stdout, stderr); err != nil {
			return err
		}
	}
	return nil
}

// conversion compares metricsjob convert, with its file of rejects, its days and its types
// of all rows, with DuckDB's own COPY of what read_json makes of the same lines, in an order of
// its own and by types of the first rows: one file, or folders of days where these are mixed.
func (b bench) conversion(ctx context.Context, order string, stdout, stderr io.Writer) error {
	if err := b.start(ctx, stderr, "lines", order); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	program := []string{"convert", b.lines(order), "--out", b.converted("program"), "--anew", "--partition", "day", "--quiet"}
	if b.threads > 0 {
		program = append(program, "--threads", fmt.Sprint(b.threads))
	}
	if b.memory > 0 {
		program = append(program, "--memory", fmt.Sprintf("%dGB", b.memory))
	}
	rows := []row{
		{name: "COPY (FROM read_json)", command: self, args: b.args("copy", order), reference: true},
		{name: "metricsjob convert", command: b.program, args: program},
	}
	for round := range b.rounds {
		for i := range rows {
			fmt.Fprintf(stderr, "round %d of %d: %s, %s\n", round+1, b.rounds, rows[i].name, order)
			took, err := timed(ctx, nil, rows[i].command, rows[i].args...)
			if err != nil {
				return err
			}
			rows[i].costs = append(rows[i].costs, took)
		}
	}
	info, err := os.Stat(b.lines(order))
	if err != nil {
		return err
	}
	title := fmt.Sprintf("%s events, %d MB of NDJSON to Parquet, medians of %d", b.size, info.Size()/1e6, b.rounds)
	if order == mixed {
		title += ", days mixed"
	}
	return printRows(stdout, title, rows)
}

// writeLines writes the events of the export as NDJSON in an order, unless they are there.
func (b bench) writeLines(ctx context.Context, order string) error {
	lines := b.lines(order)
	if _, err := os.Stat(lines); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	events := fmt.Sprintf("FROM read_parquet('%s/events/*/*.parquet')", b.data())
	if order == mixed {
		events += " ORDER BY hash(event_id)"
	}
	draft := lines + ".part"
	if err := b.copyWithin(ctx, order, filepath.Dir(draft), fmt.Sprintf("COPY (%s) TO '%s' (FORMAT json)", events, draft)); err != nil {
		return err
	}
	return os.Rename(draft, lines)
}

// copyLines is the conversion by DuckDB.
func (b bench) copyLines(ctx context.Context, order string) error {
	folder := b.converted("copy")
	from := fmt.Sprintf("FROM read_json('%s')", b.lines(order))
	if order == mixed { // whose first rows, as many as DuckDB takes by itself, do not tell all types
		from = fmt.Sprintf("FROM read_json('%s', sample_size = 200000)", b.lines(order))
		return b.copyWithin(ctx, order, folder, fmt.Sprintf("COPY (SELECT *, CAST(ts AS DATE) AS day %s) TO '%s/days' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day), OVERWRITE_OR_IGNORE)", from, folder))
	}
	return b.copyWithin(ctx, order, folder, fmt.Sprintf("COPY (%s) TO '%s/events.parquet' (FORMAT parquet, COMPRESSION zstd)", from, folder))
}

// copyWithin runs a statement that writes into a folder.
func (b bench) copyWithin(ctx context.Context, order, folder, statement string) (err error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	engine, err := loaders.Open(ctx, loaders.Options{
		Threads: b.threads, Memory: b.memory * 1e9, AllowedPaths: []string{b.data(), filepath.Dir(b.lines(order)), folder},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	return engine.Exec(ctx, statement)
}
