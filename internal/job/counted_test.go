package job

import "testing"

func TestCounted(t *testing.T) {
	const text = "%d {rows lie|row lies} too far from {their|its} day"
	for n, want := range map[int64]string{
		0: "0 rows lie too far from their day",
		1: "1 row lies too far from its day",
		2: "2 rows lie too far from their day",
	} {
		if got := counted(text, n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
