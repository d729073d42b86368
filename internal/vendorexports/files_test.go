package vendorexports

import (
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/vendors anew")

const folder = "../../testdata/vendors"

// TestWrite writes the exports anew, which must give the files that are there.
func TestWrite(t *testing.T) {
	if *update {
		for _, e := range []string{"story", "optimizely", "launchdarkly_warehouse", "launchdarkly_stream", "vwo", "flagsync"} {
			if err := os.RemoveAll(filepath.Join(folder, e)); err != nil {
				t.Fatal(err)
			}
		}
		if err := Write(t.Context(), folder); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	if err := Write(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	want, got := contents(t, folder), contents(t, dir)
	for path := range want {
		if !strings.Contains(path, "/") { // definitions and pages, which people write
			delete(want, path)
		}
	}
	for path, text := range got {
		if want[path] != text {
			t.Errorf("%s differs; make vendors writes it anew: %s", path, cmp.Diff(want[path], text))
		}
		delete(want, path)
	}
	for path := range want {
		t.Errorf("%s is no longer written", path)
	}
}

// contents are the files of a folder by their names. Those that are compressed
// are given unpacked: another release of Go may compress better.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if filepath.Ext(path) == ".gz" {
			r, err := gzip.NewReader(bytes.NewReader(text))
			if err != nil {
				return err
			}
			if text, err = io.ReadAll(r); err != nil {
				return err
			}
		}
		name, err := filepath.Rel(dir, path)
		out[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestVWOID holds the ids to those of VWO's own tests.
func TestVWOID(t *testing.T) {
	for user, want := range map[string]string{
		"Varun":          "C4D95C097902569F9A2D2E87CD3201C8",
		"Alice":          "E3B732864F315FB6974BC3EF4E2FD920",
		"__123__":        "50A5B167FB6356A796F91D8951E480EE",
		"We@#dcs3232.f3": "AAB4580A6BB3525FAA31DC341752D501",
	} {
		if got := vwoID(user); got != want {
			t.Errorf("%s is %s, want %s", user, got, want)
		}
	}
}
