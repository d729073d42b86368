package loaders

import (
	"errors"
	"fmt"
	"os"
)

// Lock takes hold of a folder until unlock is called or the process ends. Free
// reports whether no other process had it.
func Lock(folder string) (unlock func() error, free bool, err error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, false, fmt.Errorf("lock a folder: %w", err)
	}
	if free, err = tryLock(f); err != nil || !free {
		return nil, false, errors.Join(err, f.Close())
	}
	return f.Close, true, nil
}
