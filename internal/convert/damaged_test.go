package convert

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

// compressed is a text as a file with an ending holds it.
func compressed(t *testing.T, ending, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if ending == ".zst" {
		var err error
		if w, err = zstd.NewWriter(&b, zstd.WithEncoderCRC(true)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDamagedInput: a compressed file that is cut off or damaged is named, and nothing
// is written of any; when it is mended, the same command converts it. So it is with a file that
// comes to others that are converted.
func TestDamagedInput(t *testing.T) {
	text := manyLines(20_000) // some blocks, so that much of it is read before the damage
	flip := func(b []byte, at int) []byte { b = bytes.Clone(b); b[at] ^= 0x10; return b }
	for _, ending := range []string{".gz", ".zst"} {
		whole := compressed(t, ending, text)
		for name, damaged := range map[string][]byte{
			"without its last byte": whole[:len(whole)-1],
			"half of it":            whole[:len(whole)/2],
			"three bytes of it":     whole[:3],
			"a bit in the middle":   flip(whole, len(whole)/2),
			"a bit near the end":    flip(whole, len(whole)-6),
			"another beginning":     flip(whole, 0),
			"the text itself":       []byte(text),
		} {
			in := write(t, map[string]string{"a.ndjson": manyLines(10), "b.ndjson" + ending: string(damaged)})
			opts := Options{Paths: []string{in}, Out: filepath.Join(t.TempDir(), "out"), Partition: "ds"}
			refused := func() {
				t.Helper()
				var m *MistakeError
				if _, err := Convert(t.Context(), opts); !errors.As(err, &m) || !strings.Contains(m.msg, "b.ndjson"+ending+" cannot be decompressed") {
					t.Errorf("%s, %s: error %v", ending, name, err)
				}
			}
			refused()
			if _, err := os.Stat(opts.Out); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s, %s: something is written: %v", ending, name, tree(t, opts.Out))
			}
			if name == "half of it" {
				opts.Paths = []string{filepath.Join(in, "a.ndjson")}
				convertTo(t, opts)
				before := tree(t, opts.Out)
				opts.Paths = []string{in}
				refused()
				if diff := cmp.Diff(before, tree(t, opts.Out)); diff != "" {
					t.Errorf("%s, %s: what was converted has changed (-before +after):\n%s", ending, name, diff)
				}
			}
			if err := os.WriteFile(filepath.Join(in, "b.ndjson"+ending), whole, 0o666); err != nil {
				t.Fatal(err)
			}
			// Of 20,000 lines 21 are cut off and 10 have no time, see manyLines.
			if _, result := convertTo(t, opts); result.Written != 10+20_000-21-10 {
				t.Errorf("%s, %s: %d rows when mended", ending, name, result.Written)
			}
		}
	}
}
