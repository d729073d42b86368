package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/metrics"
)

// fmtMode says what becomes of the canonical text of a file.
type fmtMode struct {
	check, stdout bool
}

func (p *program) fmtCommand() *cobra.Command {
	var mode fmtMode
	cmd := &cobra.Command{
		Use:   "fmt [FILE or FOLDER..]",
		Short: "Write definition files and their tests in their canonical layout",
		Long: `Writes definition files and tests of metrics (*_test.yaml) in their canonical
layout: keys in the order of the language, two blanks of indentation, quotes only
where they are needed and around expressions and paths, an empty line between metrics.
The meaning stays as it is, and so do the comments. A file that cannot be read is
reported and left alone.`,
		Example: `  metricsjob fmt metrics/
  metricsjob fmt --check metrics/     # for a review: lists the files, exit code 1
  metricsjob fmt --stdout metrics.yaml | diff metrics.yaml -`,
		RunE: func(_ *cobra.Command, args []string) error { return p.format(mode, args) },
	}
	cmd.Flags().BoolVar(&mode.check, "check", false, "change nothing; list the files that would change, and exit with 1 if there are any")
	cmd.Flags().BoolVar(&mode.stdout, "stdout", false, "change nothing; print the canonical text of the one file")
	return cmd
}

// format formats every file that can be, and reports the others.
func (p *program) format(mode fmtMode, args []string) error {
	if mode.check && mode.stdout {
		return usagef("--check and --stdout exclude each other")
	}
	paths, err := definitionPaths(args)
	if err != nil {
		return err
	}
	files, found, err := metrics.ReadFilesAndTests(paths)
	if err != nil {
		return err
	}
	if mode.stdout && len(files) != 1 {
		return usagef("--stdout prints one file, and there are %d", len(files)).withHint("name the file")
	}
	changed := 0
	for _, f := range files {
		text, list := metrics.Format(f)
		found = append(found, list...)
		switch {
		case text == nil:
			continue
		case mode.stdout:
			p.ui.resultf("%s", text)
			continue
		case bytes.Equal(text, f.Text):
			continue
		}
		changed++
		if mode.check {
			p.ui.resultf("%s\n", f.Path)
			continue
		}
		if err := replaceFile(f.Path, text); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, err)
		}
		p.ui.infof("formatted %s", f.Path)
	}
	if err := found.Err(); err != nil {
		return err
	}
	if mode.check && changed > 0 {
		return &unformattedError{changed}
	}
	return nil
}

// unformattedError says that files would change.
type unformattedError struct{ files int }

func (e *unformattedError) Error() string {
	if e.files == 1 {
		return "1 file is not in its canonical layout"
	}
	return fmt.Sprintf("%d files are not in their canonical layout", e.files)
}

// Hint says how to mend it.
func (*unformattedError) Hint() string { return "metricsjob fmt writes it" }

// replaceFile puts the text in the place of a file, wholly or not at all. What
// is a link stays one, and the file keeps its permissions.
func replaceFile(path string, text []byte) (err error) {
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil { // which says more than what goes wrong in tidying up
			_ = temp.Close()
			_ = os.Remove(temp.Name())
		}
	}()
	if _, err := temp.Write(text); err != nil {
		return err
	}
	if err := temp.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
