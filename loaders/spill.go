package loaders

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// spillFolder is where an engine puts what does not fit into memory. As long as
// its process lives, it holds a lock in it, so that those of processes that were
// killed can be told and removed.
type spillFolder struct {
	path string
	lock *os.File
}

const (
	spillPrefix = "metricsjob-spill-"
	lockName    = "lock"
)

// TempFolder makes a folder for temporary files in a folder, empty for the system's. What
// processes that were killed left there is removed when the next one is made.
func TempFolder(in string) (path string, remove func() error, err error) {
	s, err := newSpillFolder(in)
	if err != nil {
		return "", nil, err
	}
	return s.path, s.remove, nil
}

// newSpillFolder makes a spill folder in a folder, empty for the system's, and
// removes what dead processes left there.
func newSpillFolder(in string) (*spillFolder, error) {
	if in == "" {
		in = os.TempDir()
	}
	removeAbandoned(in)
	path, err := os.MkdirTemp(in, spillPrefix)
	if err != nil {
		return nil, fmt.Errorf("make a folder for the engine to spill to: %w", err)
	}
	s := &spillFolder{path: path}
	if err := s.hold(); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the folder for the engine to spill to: %w", err), s.remove())
	}
	return s, nil
}

// hold takes the lock. The file has its name only when it is locked: without
// it, nobody takes the folder for abandoned.
func (s *spillFolder) hold() (err error) {
	unlocked := filepath.Join(s.path, lockName+".new")
	if s.lock, err = os.Create(unlocked); err != nil {
		return err
	}
	if _, err := tryLock(s.lock); err != nil {
		return err
	}
	return os.Rename(unlocked, filepath.Join(s.path, lockName))
}

// remove removes the folder with everything in it.
func (s *spillFolder) remove() error {
	err := os.RemoveAll(s.path)
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// removeAbandoned removes the spill folders in a folder whose processes are
// gone. What cannot be removed, such as that of another user, is left.
func removeAbandoned(in string) {
	entries, err := os.ReadDir(in)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), spillPrefix) {
			continue
		}
		folder := filepath.Join(in, entry.Name())
		lock, err := os.OpenFile(filepath.Join(folder, lockName), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if free, err := tryLock(lock); free && err == nil {
			_ = os.RemoveAll(folder)
		}
		_ = lock.Close()
	}
}
