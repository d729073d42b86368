package objectstore

import (
	"errors"
	"fmt"
	"strings"
)

// scheme is how locations begin.
const scheme = "s3://"

// IsURL reports whether a path is in an object store rather than in a folder.
func IsURL(path string) bool { return strings.HasPrefix(path, scheme) }

// Location is an object, or the objects whose keys begin alike.
type Location struct{ Bucket, Key string }

// ErrCredentials says that a path has credentials in it.
var ErrCredentials = errors.New("credentials and settings do not belong into a path")

// Parse reads s3://bucket/key. With credentials in the text the error is
// [ErrCredentials], and does not repeat it.
func Parse(url string) (Location, error) {
	rest, ok := strings.CutPrefix(url, scheme)
	if !ok {
		return Location{}, errors.New("it does not begin with s3://")
	}
	bucket, key, _ := strings.Cut(rest, "/")
	_, query, hasQuery := strings.Cut(key, "?")
	switch {
	case strings.Contains(bucket, "@") || hasQuery && strings.Contains(query, "s3_"):
		return Location{}, ErrCredentials
	case bucket == "":
		return Location{}, errors.New("it names no bucket")
	case strings.ContainsAny(bucket, "*?[] :"):
		return Location{}, fmt.Errorf("%q is no name of a bucket; wildcards are possible behind it", bucket)
	}
	return Location{bucket, key}, nil
}

// String is the URL of the location.
func (l Location) String() string { return scheme + l.Bucket + "/" + l.Key }
