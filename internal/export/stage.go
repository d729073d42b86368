package export

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// stage is a set of files that are written aside first and put in place
// afterwards, each by a rename in its own directory, so that a reader sees
// the old file or the new one and never a part. The zero stage is empty.
type stage struct {
	files []stagedFile
	// made are the directories that it had to make, outer ones first.
	made []string
}

type stagedFile struct{ temp, path string }

// write writes a file aside, to the disk. Directories are made as needed.
func (s *stage) write(path string, encode func(io.Writer) error) error {
	if err := s.mkdirs(filepath.Dir(path)); err != nil {
		return err
	}
	f, err := createTemp(path)
	if err != nil {
		return err
	}
	s.files = append(s.files, stagedFile{f.Name(), path})
	bw := bufio.NewWriter(f)
	err = encode(bw)
	if err == nil {
		err = bw.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// place renames every file to its name. After an error, some may be in place.
func (s *stage) place() error {
	for len(s.files) > 0 {
		f := s.files[0]
		if err := os.Rename(f.temp, f.path); err != nil {
			return err
		}
		s.files = s.files[1:]
	}
	// What is in place needs its directories.
	made := s.made
	s.made = nil
	for _, dir := range made {
		if err := syncDir(filepath.Dir(dir)); err != nil {
			return err
		}
	}
	return nil
}

// discard removes the files that are not in place, and the directories made
// for them where nothing else has come to lie.
func (s *stage) discard() {
	for _, f := range s.files {
		os.Remove(f.temp)
	}
	for _, dir := range slices.Backward(s.made) {
		os.Remove(dir)
	}
}

func (s *stage) mkdirs(dir string) error {
	var missing []string
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil || d == filepath.Dir(d) {
			break
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		missing = append(missing, d)
	}
	for _, d := range slices.Backward(missing) {
		err := os.Mkdir(d, 0o777)
		if errors.Is(err, fs.ErrExist) {
			continue // another run was first
		}
		if err != nil {
			return err
		}
		s.made = append(s.made, d)
	}
	return nil
}

// createTemp creates a hidden file beside path, with a name that no reader of
// result tables takes for one.
func createTemp(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	for {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%08x.tmp", base, rand.Uint32()))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// syncDir makes renames and removals in a directory last.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be synced there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
