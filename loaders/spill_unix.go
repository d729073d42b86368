//go:build unix

package loaders

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks a file for as long as it is open; free reports whether nobody
// else had it locked.
func tryLock(file *os.File) (free bool, err error) {
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
