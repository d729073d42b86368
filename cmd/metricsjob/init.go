package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/internal/objectstore"
)

func (p *program) initCommand() *cobra.Command {
	var out, extensions string
	cmd := &cobra.Command{
		Use:   "init FOLDER",
		Short: "Write a starter file from an export",
		Long: `Looks at the data files below a folder, or below s3://bucket/folder: Parquet,
and where there is none, or it lacks impressions or events, NDJSON and CSV, also
with .gz or .zst. Finds out which are impressions and which are events, by a preset
or by the names and types of their columns, and writes a definitions file that can
be checked and run: the sources, the event keys with their properties, the
experiments with their variations, a few metrics, and everything else that was found
as comments. Where no table has event keys, each table of ids and times is taken for
the event that it is called by. What had to be guessed is marked with CHECK. A file
that is there is never overwritten.`,
		Example: `  metricsjob init exports
  metricsjob init s3://bucket/exports
  metricsjob init exports --out metrics/starter.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("init takes one folder, not %d", len(args)).withHint("metricsjob init exports")
			}
			return p.init(cmd.Context(), job.InitOptions{Folder: args[0], File: out, Extensions: p.extensions(extensions)})
		},
	}
	cmd.Flags().StringVar(&out, "out", "metrics.yaml", "`FILE` to write; it must not be there yet")
	cmd.Flags().StringVar(&extensions, "extensions", "", "`FOLDER` with DuckDB's extension httpfs, for s3:// (default $METRICSJOB_EXTENSIONS, else DuckDB's own)")
	return cmd
}

func (p *program) init(ctx context.Context, opts job.InitOptions) error {
	out := opts.File
	if err := isPlaceOfExports(opts.Folder); err != nil {
		return err
	}
	if _, err := os.Lstat(out); err == nil {
		return alreadyThere(out)
	}
	if _, err := os.Stat(filepath.Dir(out)); err != nil {
		return usagef("--out %s: %s", out, cause(err)).withHint("make the folder first")
	}
	report, end := p.ui.showProgress()
	opts.Progress = report
	found, err := job.Init(ctx, opts)
	end()
	if err != nil {
		return stopped(ctx, err)
	}
	if err := writeNew(out, found.Text); err != nil {
		return err
	}
	for _, fact := range found.Facts {
		p.ui.resultf("%s\n", fact)
	}
	p.ui.infof("wrote %s; metricsjob check %s says what is doubtful, metricsjob run %s computes it", out, out, out)
	return nil
}

// isPlaceOfExports refuses what is neither a folder nor a URL of an object store.
func isPlaceOfExports(folder string) error {
	if scheme, _, isURL := strings.Cut(folder, "://"); isURL {
		if !objectstore.IsURL(folder) {
			return usagef("object stores are read by s3:// alone, not by %s://", scheme).withHint("most stores have an S3-compatible endpoint: set AWS_ENDPOINT_URL to it, and write s3://bucket/folder")
		}
		if at, err := objectstore.Parse(folder); err != nil {
			return usagef("this is no place in an object store: %s", err).withHint("write it as s3://bucket/folder")
		} else if strings.ContainsAny(at.Key, "*?[") {
			return usagef("%s is a pattern, and init takes a folder", folder).withHint("name the folder that holds the exports")
		}
		return nil
	}
	switch info, err := os.Stat(folder); {
	case err != nil:
		return usagef("the folder %s: %s", folder, cause(err))
	case !info.IsDir():
		return usagef("%s is a file, not a folder", folder).withHint("name the folder that holds the exports")
	}
	return nil
}

func alreadyThere(file string) error {
	return usagef("%s is there already, and is not overwritten", file).withHint("name another file with --out")
}

// writeNew writes a file that is not there yet.
func writeNew(name, text string) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return alreadyThere(name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.WriteString(text); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(name))
	}
	return nil
}

// cause is what is wrong with a path, without the path.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
