package convert

import (
	"bytes"
	"testing"
)

// TestPlain holds the reading of eight bytes at a time to what the bytes are,
// one by one: each at each place, before and after others.
func TestPlain(t *testing.T) {
	for c := range 256 {
		stops := c < 0x20 || c == '"' || c == '\\'
		for _, around := range []byte{'a', 0x20, 0x7f, 0x80, 0xff} {
			for place := range 20 {
				data := bytes.Repeat([]byte{around}, 20)
				data[place] = byte(c)
				want := len(data)
				if stops {
					want = place
				}
				if got := plain(data); got != want {
					t.Errorf("%#x at %d among %#x: %d, want %d", c, place, around, got, want)
				}
			}
		}
	}
	if got := plain([]byte(`abcdef"\` + "\x00")); got != 6 {
		t.Errorf("the first of several: %d, want 6", got)
	}
}
