package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/metricsjob/metricsjob/loaders"
)

// args are the arguments with which this program does a task as a child.
func (b bench) args(task ...string) []string {
	return append([]string{
		"-size", b.size, "-dir", b.folder,
		"-threads", fmt.Sprint(b.threads), "-memory", fmt.Sprint(b.memory),
	}, task...)
}

// start does a task in a child process whose words are passed on.
func (b bench) start(ctx context.Context, out io.Writer, task ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, b.args(task...)...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", task[0], err)
	}
	return nil
}

// task is what a child does: generate, sql FILE [OUTPUT], compare HAND PROGRAM,
// lines ORDER, or copy ORDER.
func (b bench) task(ctx context.Context, words []string, out io.Writer) error {
	switch {
	case words[0] == "generate" && len(words) == 1:
		return ensure(ctx, b.data(), sizes[b.size], out)
	case words[0] == "lines" && len(words) == 2:
		return b.writeLines(ctx, words[1])
	case words[0] == "copy" && len(words) == 2:
		return b.copyLines(ctx, words[1])
	case words[0] == "sql" && len(words) == 2:
		return b.execute(ctx, words[1], "")
	case words[0] == "sql" && len(words) == 3:
		return b.execute(ctx, words[1], words[2])
	case words[0] == "compare" && len(words) == 3:
		n, err := compare(ctx, words[1], words[2])
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%d rows of moments are equal\n", n)
		return nil
	}
	return fmt.Errorf("no such task: %q", words)
}

// execute runs a file of SQL over the export, in an engine that is set up as
// that of the program, and keeps the table moments where an output is named.
func (b bench) execute(ctx context.Context, file, output string) (err error) {
	sql, err := readScript(file)
	if err != nil {
		return err
	}
	allowed := []string{b.data()}
	if output != "" {
		allowed = append(allowed, filepath.Dir(output))
	}
	engine, err := loaders.Open(ctx, loaders.Options{Threads: b.threads, Memory: b.memory * 1e9, AllowedPaths: allowed})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	if err := sql.execAll(ctx, engine, values{"data": b.data()}); err != nil {
		return err
	}
	if output == "" {
		return nil
	}
	// As text, because Parquet has no type for the widest whole numbers.
	return engine.Exec(ctx, fmt.Sprintf("COPY moments TO '%s' (FORMAT csv, HEADER)", output))
}
